//! Walks schemas by JSON pointer: which apply to the same value, and which describe a member or an item of it.
//!
//! Used by everything that asks what a schema says about a value without validating it. It reads a document, or a schema that stands
//! alone, and copies nothing.

use foldhash::HashSet;
use serde_json::{Map, Value};

use super::pattern;
use crate::document::{Document, pointer};

/// Most subschemas that are looked at for one value; a schema that has more is looked at in part.
const LIMIT: usize = 5_000;

/// The subschemas for one member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Named by `properties` or `patternProperties`; the pointers of its schemas.
    Declared(Vec<String>),
    /// Not named, but the object is a map: `additionalProperties` is a schema.
    Entry(Vec<String>),
    /// Not described.
    Undeclared,
}

impl Member {
    /// The pointers of the schemas of the member.
    #[must_use]
    pub fn schemas(self) -> Vec<String> {
        match self {
            Self::Declared(schemas) | Self::Entry(schemas) => schemas,
            Self::Undeclared => Vec::new(),
        }
    }
}

/// The schemas below a root, by pointer. A pointer at which nothing stands is the schema that accepts everything.
#[derive(Debug, Clone, Copy)]
pub struct Subschemas<'a> {
    document: Option<&'a Document>,
    root: &'a Value,
}

impl<'a> Subschemas<'a> {
    /// The schemas of a document.
    #[must_use]
    pub fn of(document: &'a Document) -> Self {
        Self {
            document: Some(document),
            root: document.value(),
        }
    }

    /// A schema that stands alone, with its `$defs`.
    #[must_use]
    pub fn alone(root: &'a Value) -> Self {
        Self {
            document: None,
            root,
        }
    }

    /// The document or schema that pointers lead into.
    #[must_use]
    pub fn root(&self) -> &'a Value {
        self.root
    }

    /// The value at a pointer.
    #[must_use]
    pub fn at(&self, at: &str) -> Option<&'a Value> {
        pointer::find(self.root, at)
    }

    /// The schema at a pointer, unless it is `true` or `false`.
    #[must_use]
    pub fn object(&self, at: &str) -> Option<&'a Map<String, Value>> {
        self.at(at).and_then(Value::as_object)
    }

    /// The pointer that the reference of a `$ref` or `$dynamicRef` leads to; none where it leads nowhere, or to one of several
    /// schemas.
    #[must_use]
    pub fn target(&self, keyword: &str, reference: &str) -> Option<String> {
        match self.document {
            Some(document) if keyword == "$dynamicRef" => document.dynamic_target(reference),
            Some(document) => document.target(reference),
            None => pointer::from_reference(reference),
        }
    }

    /// The subschemas of the schema at `at` that apply to the same value, with the keyword that holds each. `not` is left out: what
    /// it says does not hold for the value.
    #[must_use]
    pub fn applied(&self, at: &str) -> Vec<(&'static str, String)> {
        let Some(schema) = self.object(at) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for keyword in ["$ref", "$dynamicRef"] {
            let reference = pointer::member(schema, keyword).and_then(Value::as_str);
            let target = reference.and_then(|reference| self.target(keyword, reference));
            found.extend(target.map(|target| (keyword, target)));
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let branches = pointer::member(schema, keyword).and_then(Value::as_array);
            let below = pointer::join(at, keyword);
            let branch = |index| (keyword, pointer::index(&below, index));
            found.extend((0..branches.map_or(0, Vec::len)).map(branch));
        }
        for keyword in ["if", "then", "else"] {
            if pointer::member(schema, keyword).is_some() {
                found.push((keyword, pointer::join(at, keyword)));
            }
        }
        if let Some(Value::Object(dependent)) = pointer::member(schema, "dependentSchemas") {
            let below = pointer::join(at, "dependentSchemas");
            let names = dependent.keys().map(|name| pointer::join(&below, name));
            found.extend(names.map(|at| ("dependentSchemas", at)));
        }
        found
    }

    /// The schemas at `roots` and all that may apply to the same value.
    #[must_use]
    pub fn in_place(&self, roots: &[String]) -> Vec<String> {
        let mut seen = HashSet::default();
        let mut found = Vec::new();
        let mut open: Vec<String> = roots.iter().rev().cloned().collect();
        while let Some(at) = open.pop() {
            if found.len() >= LIMIT || !seen.insert(at.clone()) {
                continue;
            }
            open.extend(self.applied(&at).into_iter().rev().map(|(_, at)| at));
            found.push(at);
        }
        found
    }

    /// The subschemas for the member `name` of an object to which [all](Self::in_place) of the schemas apply.
    #[must_use]
    pub fn member(&self, schemas: &[String], name: &str) -> Member {
        let (mut declared, mut entries) = (Vec::new(), Vec::new());
        for at in schemas {
            let Some(schema) = self.object(at) else {
                continue;
            };
            let map = |keyword: &str| pointer::member(schema, keyword).and_then(Value::as_object);
            if map("properties").is_some_and(|properties| properties.contains_key(name)) {
                declared.push(pointer::join(&pointer::join(at, "properties"), name));
            }
            if let Some(patterns) = map("patternProperties") {
                let below = pointer::join(at, "patternProperties");
                let matching = patterns
                    .keys()
                    .filter(|pattern| pattern::matches(pattern, name));
                declared.extend(matching.map(|pattern| pointer::join(&below, pattern)));
            }
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                if map(keyword).is_some_and(|schema| !schema.is_empty()) {
                    entries.push(pointer::join(at, keyword));
                }
            }
        }
        match (declared.is_empty(), entries.is_empty()) {
            (false, _) => Member::Declared(declared),
            (true, false) => Member::Entry(entries),
            (true, true) => Member::Undeclared,
        }
    }

    /// The schemas of the item at `index` of an array to which [all](Self::in_place) of `schemas` apply.
    #[must_use]
    pub fn item(&self, schemas: &[String], index: usize) -> Vec<String> {
        let item = |at: &String| {
            let schema = self.object(at)?;
            let tuple = pointer::member(schema, "prefixItems").and_then(Value::as_array);
            if index < tuple.map_or(0, Vec::len) {
                return Some(pointer::index(&pointer::join(at, "prefixItems"), index));
            }
            let items = pointer::member(schema, "items")?;
            (items.is_object() || items.is_boolean()).then(|| pointer::join(at, "items"))
        };
        schemas.iter().filter_map(item).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_applies_to_a_value_is_found_through_references_branches_and_conditions_and_ends_in_circles()
     {
        let schema = json!({
            "$ref": "#/$defs/a", "allOf": [{"if": true, "then": {"$ref": "#"}}], "not": {"type": "null"},
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {}]}}
        });
        let found = Subschemas::alone(&schema).in_place(&[String::new()]);
        let expected = [
            "",
            "/$defs/a",
            "/$defs/a/anyOf/0",
            "/$defs/a/anyOf/1",
            "/allOf/0",
            "/allOf/0/if",
            "/allOf/0/then",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn members_and_items_are_described_wherever_they_are_named() {
        let schema = json!({
            "properties": {"a": {}}, "additionalProperties": {"type": "string"}, "prefixItems": [{}],
            "oneOf": [{"patternProperties": {"^[\\w-.]$": {}}, "items": {}}]
        });
        let subschemas = Subschemas::alone(&schema);
        let all = subschemas.in_place(&[String::new()]);
        let member = |name: &str| subschemas.member(&all, name);
        assert_eq!(
            member("a"),
            Member::Declared(vec![
                "/properties/a".to_owned(),
                "/oneOf/0/patternProperties/^[\\w-.]$".to_owned()
            ])
        );
        assert_eq!(
            member("ab"),
            Member::Entry(vec!["/additionalProperties".to_owned()])
        );
        assert_eq!(
            subschemas.item(&all, 0),
            ["/prefixItems/0", "/oneOf/0/items"]
        );
        assert_eq!(subschemas.item(&all, 1), ["/oneOf/0/items"]);
        let closed = json!({"additionalProperties": false});
        let closed = Subschemas::alone(&closed).member(&[String::new()], "a");
        assert_eq!(closed, Member::Undeclared);
    }
}
