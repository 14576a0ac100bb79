//! The keywords of one Schema Object as they stand in the document, each spelled in one way.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::equal::{PROVENANCE, identity};
use super::view::{Content, Exact, PROSE, Part, View};
use crate::document::keyword::{LISTS, MAPS, SINGLE};
use crate::document::{Document, Literal, pointer};

/// The dialects that schemas of OpenAPI 3.1 and later are read in.
const DIALECTS: [&str; 3] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
    "https://spec.openapis.org/oas/3.1/dialect/2024-11-10",
];

/// Whether schemas are read in this dialect where nothing else is said.
pub(in super::super) fn is_own_dialect(uri: &str) -> bool {
    DIALECTS.contains(&uri.trim_end_matches('#'))
}

/// Adds one keyword as it stands in the document.
pub(super) fn add(
    document: &Document,
    prose: bool,
    at: &str,
    schema: &Map<String, Value>,
    keyword: &str,
    value: &Value,
    view: &mut View,
) {
    let here = pointer::join(at, keyword);
    if keyword == "required" {
        view.required_in.push(at.to_owned());
    }
    // A null that the file says at `nullable` is found there.
    if let ("type", Value::Array(types)) = (keyword, value)
        && let Some(index) = types.iter().position(|one| one == "null")
    {
        let null = pointer::index(&here, index);
        let elsewhere = document.origin(&null).1.ends_with("/nullable");
        view.null_at = elsewhere.then_some(null);
    }
    view.closed |= keyword == "additionalProperties" && *value == Value::Bool(false);
    let literal = || Literal::new(value.clone(), document.exact(&here));
    let values = |values: Vec<Literal>| Content::set(values.into_iter());
    let mut put = |keyword: &str, (content, exact): (Content, Exact)| {
        let part = Part::exactly(here.clone(), content, exact);
        view.parts.insert(keyword.to_owned(), part);
    };
    let plain = |content: Content| (content, Exact::new());
    let names = |members: &Map<String, Value>| {
        members
            .keys()
            .map(|name| (name.clone(), pointer::join(&here, name)))
            .collect()
    };
    match (keyword, value) {
        // `nullable` is a keyword of OpenAPI 3.0 only, where loading reads it.
        ("nullable", Value::Bool(_)) => {}
        // Definitions count where they are used.
        // Names of schemas lead to them, and references were followed already.
        ("$ref" | "$defs" | "definitions" | "$id" | "$anchor", _) => {}
        // Which dialect a schema is read in and what it is called change nothing where that is what holds anyway.
        ("$schema", Value::String(dialect)) if is_own_dialect(dialect) => {}
        ("$dynamicRef", Value::String(reference))
            if !schema.contains_key("$ref") && document.dynamic_target(reference).is_some() => {}
        _ if PROVENANCE.contains(&keyword) => {}
        _ if PROSE.contains(&keyword) && !prose => {}
        ("type", Value::String(_)) => put(keyword, values(vec![literal()])),
        ("type" | "required" | "enum", Value::Array(_)) => {
            put(keyword, values(set(&literal())));
        }
        ("const", _) if !schema.contains_key("enum") => {
            put("enum", values(vec![literal()]));
        }
        ("example", _) if !schema.contains_key("examples") => {
            let (Content::Set(values), exact) = values(vec![literal()]) else {
                return;
            };
            put("examples", (Content::Value(Value::Array(values)), exact));
        }
        // `format: byte` is written as `contentEncoding` since OpenAPI 3.1, and `format: binary` as a media type; both spellings
        // are in use.
        ("format", Value::String(format))
            if format == "byte" && !schema.contains_key("contentEncoding") =>
        {
            let encoding = Value::String("base64".to_owned());
            put("contentEncoding", plain(Content::Value(encoding)));
        }
        ("format", Value::String(format))
            if format == "binary" && !schema.contains_key("contentMediaType") =>
        {
            let media = Value::String("application/octet-stream".to_owned());
            put("contentMediaType", plain(Content::Value(media)));
        }
        ("discriminator", Value::Object(members)) => {
            discriminator(document, &here, schema, members, view);
        }
        // Draft 4 and 2019-09 spelled tuples as `items: [...]`.
        ("items", Value::Array(items)) => {
            put(
                keyword,
                plain(Content::Ordered(indexes(&here, items.len()))),
            );
        }
        ("prefixItems", Value::Array(items)) => {
            put(
                keyword,
                plain(Content::Ordered(indexes(&here, items.len()))),
            );
        }
        (_, Value::Array(items)) if LISTS.contains(&keyword) => {
            put(
                keyword,
                plain(Content::Branches(indexes(&here, items.len()))),
            );
        }
        (_, Value::Object(members)) if MAPS.contains(&keyword) => {
            put(keyword, plain(Content::Named(names(members))));
        }
        (_, Value::Object(_) | Value::Bool(_)) if SINGLE.contains(&keyword) => {
            put(keyword, plain(Content::One(here.clone())));
        }
        ("dependentRequired", Value::Object(members)) => {
            let sorted = |value: &Value| {
                value.as_array().map_or_else(
                    || value.clone(),
                    |names| Value::Array(names_in_order(names)),
                )
            };
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect();
            put(keyword, plain(Content::Value(Value::Object(members))));
        }
        _ => put(
            keyword,
            (Content::Value(value.clone()), document.exact(&here)),
        ),
    }
}

/// The mapping names schemas, which are compared by where it leads; so it stands apart from the rest of the discriminator. Names
/// that need not be written, those of components, stand in it as well.
fn discriminator(
    document: &Document,
    here: &str,
    schema: &Map<String, Value>,
    members: &Map<String, Value>,
    view: &mut View,
) {
    let mut rest = members.clone();
    let mapping = rest.shift_remove("mapping");
    let branches = ["oneOf", "anyOf"]
        .iter()
        .find_map(|keyword| schema.get(*keyword));
    let branches = branches
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    for (target, names) in document.discriminated(members, branches) {
        let all = names.into_iter().map(|name| (name, target.clone()));
        view.mapping.extend(all);
    }
    if let Some(Value::Object(mapping)) = mapping {
        for (name, value) in mapping {
            if let (Some(text), false) = (value.as_str(), view.mapping.contains_key(&name)) {
                view.mapping.insert(name, text.to_owned());
            }
        }
    }
    let content = Content::Value(Value::Object(rest));
    let part = Part::new(here.to_owned(), content);
    view.parts.insert("discriminator".to_owned(), part);
}

fn indexes(at: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| pointer::index(at, index)).collect()
}

/// Names, sorted and without repetition.
fn names_in_order(names: &[Value]) -> Vec<Value> {
    let mut names = names.to_vec();
    names.sort_by_key(Value::to_string);
    names.dedup();
    names
}

/// The items of a list, sorted and without repetition, by value.
fn set(list: &Literal) -> Vec<Literal> {
    let count = list.value().as_array().map_or(0, Vec::len);
    let items = (0..count).filter_map(|index| list.part(&pointer::index("", index)));
    let sorted: BTreeMap<String, Literal> = items.map(|item| (identity(&item), item)).collect();
    sorted.into_values().collect()
}
