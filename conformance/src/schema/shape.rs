//! What a schema says about the shape of a value: which members it names, which schema an item has.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Schemas;
use crate::document::pointer;

/// Most subschemas that are looked at for one value; a schema that has more is looked at in part.
const LIMIT: usize = 500;

/// What schemas say about one member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Named by `properties` or `patternProperties`; the pointers of its schemas.
    Declared(Vec<String>),
    /// Not named, but the object is a map: `additionalProperties` is a schema.
    Entry(Vec<String>),
    Undeclared,
}

impl Schemas<'_> {
    /// The schemas at `schemas` and all that apply to the same value: references, `allOf`, `anyOf`, `oneOf`, conditions.
    pub(super) fn applicable(&self, schemas: &[String]) -> Vec<(String, &Value)> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut open: Vec<String> = schemas.iter().rev().cloned().collect();
        while let Some(next) = open.pop() {
            if found.len() >= LIMIT || !seen.insert(next.clone()) {
                continue;
            }
            let Some(value) = self.document.at(&next) else {
                continue;
            };
            if let Some(target) = value
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| self.document.target(reference))
            {
                open.push(target);
            }
            for keyword in ["allOf", "anyOf", "oneOf"] {
                let branches = value
                    .get(keyword)
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len);
                let below = pointer::join(&next, keyword);
                open.extend(
                    (0..branches)
                        .rev()
                        .map(|index| pointer::index(&below, index)),
                );
            }
            for keyword in ["if", "then", "else"] {
                if value.get(keyword).is_some() {
                    open.push(pointer::join(&next, keyword));
                }
            }
            if let Some(Value::Object(dependent)) = value.get("dependentSchemas") {
                let below = pointer::join(&next, "dependentSchemas");
                open.extend(dependent.keys().map(|key| pointer::join(&below, key)));
            }
            found.push((next, value));
        }
        found
    }

    /// What the schemas say about the member `name` of an object.
    #[must_use]
    pub fn member(&self, schemas: &[String], name: &str) -> Member {
        let (mut declared, mut entries) = (Vec::new(), Vec::new());
        for (at, schema) in self.applicable(schemas) {
            if schema
                .get("properties")
                .and_then(|properties| properties.get(name))
                .is_some()
            {
                declared.push(pointer::join(&pointer::join(&at, "properties"), name));
            }
            if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
                let below = pointer::join(&at, "patternProperties");
                let matching = patterns.keys().filter(|pattern| matches(pattern, name));
                declared.extend(matching.map(|pattern| pointer::join(&below, pattern)));
            }
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                if schema
                    .get(keyword)
                    .and_then(Value::as_object)
                    .is_some_and(|map| !map.is_empty())
                {
                    entries.push(pointer::join(&at, keyword));
                }
            }
        }
        match (declared.is_empty(), entries.is_empty()) {
            (false, _) => Member::Declared(declared),
            (true, false) => Member::Entry(entries),
            (true, true) => Member::Undeclared,
        }
    }

    /// The schemas of the item at `index` of an array.
    #[must_use]
    pub fn items(&self, schemas: &[String], index: usize) -> Vec<String> {
        let mut found = Vec::new();
        for (at, schema) in self.applicable(schemas) {
            let prefix = schema
                .get("prefixItems")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            if index < prefix {
                found.push(pointer::index(&pointer::join(&at, "prefixItems"), index));
            } else if schema.get("items").is_some() {
                found.push(pointer::join(&at, "items"));
            }
        }
        found
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    jsonschema::validator_for(&json!({"pattern": pattern}))
        .is_ok_and(|validator| validator.is_valid(&Value::from(name)))
}
