//! Where schemas are read from, and who writes the values that they describe.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::document::{Document, pointer};

/// How many references are followed from one schema to the next before it counts as endless.
const CHAIN: usize = 64;

/// How many schemas are looked at for what applies to one value.
const IN_PLACE_LIMIT: usize = 400;

/// Schemas by pointer. A pointer at which nothing stands is the schema that accepts everything.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    document: Option<&'a Document>,
    value: &'a Value,
    /// Whether the server writes the values, so that `writeOnly` members are not sent; else `readOnly` ones are not.
    pub(super) from_server: bool,
    /// Whether any member is `readOnly` or `writeOnly`.
    flagged: bool,
    /// Counts the schemas that values were held against.
    spent: Option<&'a Cell<usize>>,
}

impl<'a> Source<'a> {
    pub(super) fn of(
        document: &'a Document,
        from_server: bool,
        flagged: bool,
        spent: &'a Cell<usize>,
    ) -> Self {
        Self {
            document: Some(document),
            value: document.value(),
            from_server,
            flagged,
            spent: Some(spent),
        }
    }

    /// A schema that stands alone, with its `$defs`.
    pub(super) fn alone(value: &'a Value) -> Self {
        Self {
            document: None,
            value,
            from_server: true,
            flagged: false,
            spent: None,
        }
    }

    /// Counts schemas that values were held against.
    pub(super) fn spend(&self, count: usize) {
        if let Some(spent) = self.spent {
            spent.set(spent.get().saturating_add(count));
        }
    }

    pub(super) fn at(&self, at: &str) -> Option<&'a Value> {
        pointer::find(self.value, at)
    }

    pub(super) fn object(&self, at: &str) -> Option<&'a Map<String, Value>> {
        self.at(at).and_then(Value::as_object)
    }

    /// What a reference stands for.
    pub(super) fn target(&self, reference: &str) -> Option<String> {
        match self.document {
            Some(document) => document.target(reference),
            None => pointer::from_reference(reference),
        }
    }

    /// As [`Self::target`], by the keyword that has the reference.
    pub(super) fn target_of(&self, keyword: &str, reference: &str) -> Option<String> {
        match (keyword, self.document) {
            ("$dynamicRef", Some(document)) => document.dynamic_target(reference),
            _ => self.target(reference),
        }
    }

    /// The schema that a reference in `schema` stands for, if there is one.
    pub(super) fn referred(&self, schema: &Map<String, Value>) -> Option<String> {
        ["$ref", "$dynamicRef"].iter().find_map(|keyword| {
            let reference = schema.get(*keyword).and_then(Value::as_str)?;
            self.target_of(keyword, reference)
        })
    }

    /// Whether the property at `at` is not sent in this direction. `edit` is a schema whose flag is taken to be set, or not to be.
    pub(super) fn is_hidden(&self, at: &str, edit: Option<(&str, &str, bool)>) -> bool {
        let flag = if self.from_server {
            "writeOnly"
        } else {
            "readOnly"
        };
        let mut at = at.to_owned();
        for _ in 0..CHAIN {
            let Some(schema) = self.object(&at) else {
                return false;
            };
            let set = match edit {
                Some((schema, edited, set)) if schema == at && edited == flag => set,
                _ => schema.get(flag) == Some(&Value::Bool(true)),
            };
            if set {
                return true;
            }
            match self.referred(schema) {
                Some(target) => at = target,
                None => return false,
            }
        }
        false
    }

    /// The members that are not sent in this direction, by all that applies to a value of the schema at `at`.
    pub(super) fn hidden(&self, at: &str, edit: Option<(&str, &str, bool)>) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        if !self.flagged {
            return names;
        }
        for at in self.in_place(&[at.to_owned()]) {
            let properties = pointer::join(&at, "properties");
            for name in self.object(&properties).into_iter().flat_map(Map::keys) {
                if self.is_hidden(&pointer::join(&properties, name), edit) {
                    names.insert(name.clone());
                }
            }
        }
        names
    }

    /// The schemas at `roots` and all that may apply to the same value.
    pub(super) fn in_place(&self, roots: &[String]) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut open: Vec<String> = roots.iter().rev().cloned().collect();
        while let Some(at) = open.pop() {
            if found.len() >= IN_PLACE_LIMIT || !seen.insert(at.clone()) {
                continue;
            }
            if let Some(schema) = self.object(&at) {
                open.extend(self.referred(schema));
                for keyword in ["allOf", "anyOf", "oneOf"] {
                    let count = schema
                        .get(keyword)
                        .and_then(Value::as_array)
                        .map_or(0, Vec::len);
                    let below = pointer::join(&at, keyword);
                    open.extend((0..count).rev().map(|index| pointer::index(&below, index)));
                }
                for keyword in ["if", "then", "else"] {
                    if schema.contains_key(keyword) {
                        open.push(pointer::join(&at, keyword));
                    }
                }
                if let Some(Value::Object(dependent)) = schema.get("dependentSchemas") {
                    let below = pointer::join(&at, "dependentSchemas");
                    open.extend(dependent.keys().map(|name| pointer::join(&below, name)));
                }
            }
            found.push(at);
        }
        found
    }

    /// Whether every member of every object in `value` is one that the schema speaks of. An object of which no member is named is
    /// a map, whose members are all meant.
    pub(super) fn documents(&self, at: &[String], value: &Value) -> bool {
        match value {
            Value::Array(items) => {
                let schemas = self.in_place(at);
                items.iter().enumerate().all(|(index, item)| {
                    let below = self.item(&schemas, index);
                    below.is_empty() || self.documents(&below, item)
                })
            }
            Value::Object(members) => {
                let schemas = self.in_place(at);
                members.iter().all(|(name, member)| {
                    let (speaks, below) = self.member(&schemas, name);
                    speaks && (below.is_empty() || self.documents(&below, member))
                })
            }
            _ => true,
        }
    }

    /// The schemas of the item at `index`.
    pub(super) fn item(&self, schemas: &[String], index: usize) -> Vec<String> {
        let mut below = Vec::new();
        for at in schemas {
            let Some(schema) = self.object(at) else {
                continue;
            };
            let tuple = schema.get("prefixItems").and_then(Value::as_array);
            if tuple.is_some_and(|items| index < items.len()) {
                below.push(pointer::index(&pointer::join(at, "prefixItems"), index));
            } else if matches!(schema.get("items"), Some(Value::Object(_) | Value::Bool(_))) {
                below.push(pointer::join(at, "items"));
            }
        }
        below
    }

    /// Whether the schemas speak of the member `name`, and the schemas that they have for it.
    pub(super) fn member(&self, schemas: &[String], name: &str) -> (bool, Vec<String>) {
        let mut below = Vec::new();
        let (mut named, mut any) = (false, false);
        for at in schemas {
            let Some(schema) = self.object(at) else {
                continue;
            };
            if let Some(Value::Object(properties)) = schema.get("properties") {
                any |= !properties.is_empty();
                if properties.contains_key(name) {
                    named = true;
                    below.push(pointer::join(&pointer::join(at, "properties"), name));
                }
            }
            if let Some(Value::Array(names)) = schema.get("required") {
                any |= !names.is_empty();
                named |= names.iter().any(|one| one == name);
            }
            if let Some(Value::Object(needs)) = schema.get("dependentRequired") {
                let mut needed = needs.values().filter_map(Value::as_array).flatten();
                named |= needs.contains_key(name) || needed.any(|one| one == name);
            }
            if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
                for pattern in patterns.keys() {
                    any = true;
                    if super::text::matches(pattern, name) {
                        named = true;
                        below.push(pointer::join(
                            &pointer::join(at, "patternProperties"),
                            pattern,
                        ));
                    }
                }
            }
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                if let Some(Value::Object(members)) = schema.get(keyword)
                    && !members.is_empty()
                {
                    named = true;
                    below.push(pointer::join(at, keyword));
                }
            }
        }
        (named || !any, below)
    }
}
