//! The shapes of answers: which member is the id, where the items of a list are, what says that there is more. All of it is asked of a
//! value: of an answer, or of the skeleton that a schema describes.

use serde_json::{Map, Value};

use super::naming::{plain, words};
use crate::document::pointer;
use crate::schema::Schemas;

/// Names of the member that has the items of a list, the likely ones first.
const ITEMS: [&str; 12] = [
    "data", "items", "results", "rows", "records", "entries", "values", "value", "content", "list",
    "elements", "objects",
];

/// How deep an id, the items or a total are looked for.
pub(super) const DEPTH: usize = 3;

/// Pointers of the members that may be the id of what an answer is about, the likely ones first. `parameter` is the path parameter that
/// takes it, `singular` the name of the thing.
pub(super) fn ids(value: &Value, parameter: &str, singular: &str) -> Vec<String> {
    let mut found = Vec::new();
    for at in objects(value, singular) {
        let Some(members) = value.pointer(&at).and_then(Value::as_object) else {
            continue;
        };
        for name in names(members, parameter, singular) {
            let below = pointer::join(&at, &name);
            if !found.contains(&below) {
                found.push(below);
            }
        }
    }
    found
}

/// Pointers of the objects that may be the thing itself: the answer, or what it wraps.
fn objects(value: &Value, singular: &str) -> Vec<String> {
    let Some(members) = value.as_object() else {
        return Vec::new();
    };
    let wrapped = members.iter().filter(|(_, member)| member.is_object());
    let is_named = |name: &str| {
        ["data", "result", "item", "response", "payload"].contains(&name)
            || plain(name) == plain(singular)
    };
    let named: Vec<&String> = wrapped
        .clone()
        .map(|(name, _)| name)
        .filter(|name| is_named(name))
        .collect();
    let only: Vec<&String> = match members.len() {
        1 => wrapped.map(|(name, _)| name).collect(),
        _ => Vec::new(),
    };
    let below = |name: &String| pointer::join("", name);
    let mut all = vec![String::new()];
    for at in named.into_iter().chain(only).map(below) {
        if !all.contains(&at) {
            all.push(at);
        }
    }
    all
}

/// The names of members that may be an id.
fn names(members: &Map<String, Value>, parameter: &str, singular: &str) -> Vec<String> {
    let scalar = |value: &Value| value.is_string() || value.is_number() || value.is_null();
    // `postSlug` of a post is its `slug`.
    let own = plain(parameter);
    let short = own
        .strip_prefix(&plain(singular))
        .unwrap_or(&own)
        .to_owned();
    let long = format!("{}{own}", plain(singular));
    let named = match own.is_empty() {
        // No path takes it.
        true => Vec::new(),
        false => vec![own, short, long],
    };
    let usual = [
        "id".to_owned(),
        "uuid".to_owned(),
        "guid".to_owned(),
        format!("{}id", plain(singular)),
    ];
    let mut found: Vec<String> = Vec::new();
    for wanted in named.into_iter().chain(usual) {
        let equal = members
            .iter()
            .filter(|(name, value)| scalar(value) && plain(name) == wanted);
        found.extend(equal.map(|(name, _)| name.clone()));
    }
    if found.is_empty() {
        let ends = |name: &&String| words(name).last().is_some_and(|word| word == "id");
        let mut last = members
            .iter()
            .filter(|(_, value)| scalar(value))
            .map(|(name, _)| name)
            .filter(ends);
        if let (Some(name), None) = (last.next(), last.next()) {
            found.push(name.clone());
        }
    }
    found
}

/// The pointer of the items of a list; `plural` is the name of the collection.
pub(super) fn items(value: &Value, plural: &str) -> Option<String> {
    if value.is_array() {
        return Some(String::new());
    }
    let mut level = vec![(String::new(), value)];
    for _ in 0..DEPTH {
        let arrays: Vec<(&String, String)> = level
            .iter()
            .flat_map(|(at, value)| {
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(move |(name, value)| (at, name, value))
            })
            .filter(|(_, _, value)| value.is_array())
            .map(|(at, name, _)| (name, pointer::join(at, name)))
            .collect();
        let named = |wanted: &str| {
            arrays
                .iter()
                .find(|(name, _)| plain(name) == wanted)
                .map(|(_, at)| at.clone())
        };
        let known = named(&plain(plural)).or_else(|| ITEMS.into_iter().find_map(named));
        let first = || {
            arrays
                .first()
                .filter(|_| arrays.len() == 1)
                .map(|(_, at)| at.clone())
        };
        if let Some(at) = known.or_else(first) {
            return Some(at);
        }
        level = level
            .iter()
            .flat_map(|(at, value)| {
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(move |(name, value)| (pointer::join(at, name), value))
            })
            .filter(|(_, value)| value.is_object())
            .collect();
    }
    None
}

/// The value that a schema describes, as far as the names of members go: null for a scalar, one item for an array.
pub(super) fn skeleton(schemas: &Schemas<'_>, at: &str) -> Value {
    fn of(schemas: &Schemas<'_>, roots: &[String], depth: usize) -> Value {
        let subschemas = schemas.subschemas();
        let all = subschemas.in_place(roots);
        let objects: Vec<&Map<String, Value>> =
            all.iter().filter_map(|at| subschemas.object(at)).collect();
        let has = |keyword: &str, kind: &str| {
            objects.iter().any(|schema| {
                schema.contains_key(keyword)
                    || schema.get("type").is_some_and(|name| {
                        name == kind
                            || name
                                .as_array()
                                .is_some_and(|all| all.iter().any(|one| one == kind))
                    })
            })
        };
        if has("items", "array") {
            let item = subschemas.item(&all, 0);
            return Value::Array(if depth < DEPTH {
                vec![of(schemas, &item, depth + 1)]
            } else {
                Vec::new()
            });
        }
        if !has("properties", "object") {
            return Value::Null;
        }
        let mut members = Map::new();
        if depth <= DEPTH {
            for schema in &objects {
                for name in schema
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flat_map(Map::keys)
                {
                    if !members.contains_key(name) {
                        let below = subschemas.member(&all, name).schemas();
                        members.insert(name.clone(), of(schemas, &below, depth + 1));
                    }
                }
            }
        }
        Value::Object(members)
    }
    of(schemas, &[at.to_owned()], 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Document;

    #[test]
    fn the_id_is_found_in_many_styles() {
        for (body, parameter, singular, expected) in [
            (json!({"id": 1, "name": "n"}), "id", "note", "/id"),
            (json!({"id": 1, "noteId": "n"}), "noteId", "note", "/noteId"),
            (json!({"note_id": 1}), "noteId", "note", "/note_id"),
            (
                json!({"uuid": "u", "title": "t"}),
                "noteId",
                "note",
                "/uuid",
            ),
            (json!({"slug": "s", "id": 5}), "slug", "post", "/slug"),
            (json!({"slug": "s", "id": 5}), "postSlug", "post", "/slug"),
            (
                json!({"data": {"id": "x", "type": "notes"}}),
                "id",
                "note",
                "/data/id",
            ),
            (json!({"user": {"id": 3}}), "userId", "user", "/user/id"),
            (json!({"thingId": 3, "label": ""}), "id", "note", "/thingId"),
            (json!({"userName": "me"}), "username", "user", "/userName"),
        ] {
            assert_eq!(
                ids(&body, parameter, singular).first().map(String::as_str),
                Some(expected),
                "{body}"
            );
        }
        assert!(ids(&json!({"aId": 1, "bId": 2}), "id", "note").is_empty());
        assert!(ids(&json!([1]), "id", "note").is_empty());
    }

    #[test]
    fn the_items_of_a_list_are_found_in_many_envelopes() {
        for (body, expected) in [
            (json!([]), Some("")),
            (json!({"data": [], "errors": []}), Some("/data")),
            (json!({"webhooks": [], "data": []}), Some("/webhooks")),
            (json!({"things": [], "total": 3}), Some("/things")),
            (
                json!({"_embedded": {"webhooks": []}}),
                Some("/_embedded/webhooks"),
            ),
            (
                json!({"response": {"results": []}}),
                Some("/response/results"),
            ),
            (json!({"a": [], "b": []}), None),
            (json!({"a": 1}), None),
        ] {
            assert_eq!(items(&body, "webhooks").as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_skeleton_has_the_names_of_a_schema_through_references_and_ends_in_circles() {
        let text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n    Note: {allOf: [{$ref: '#/components/schemas/Id'}], properties: {title: {type: string}, parent: {$ref: '#/components/schemas/Note'}}}\n    Id: {type: object, properties: {id: {type: string}}}\n    List: {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Note'}}, total: {type: integer}}}\n";
        let document = Document::parse("t", text).unwrap();
        let schemas = Schemas::new(&document);
        let note = skeleton(&schemas, "/components/schemas/Note");
        assert_eq!(ids(&note, "noteId", "note"), ["/id"]);
        assert!(note.pointer("/parent/parent/title").is_some());
        assert_eq!(
            items(&skeleton(&schemas, "/components/schemas/List"), "notes").as_deref(),
            Some("/data")
        );
    }
}
