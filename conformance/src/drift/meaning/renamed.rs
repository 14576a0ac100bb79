//! Schemas with other names of members, so that what set algebra proves does not depend on names: it works through them in their order.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::document::keyword::{LISTS, MAPS, SINGLE};

/// Names in the order in which schemas mention them.
#[derive(Default)]
pub(super) struct Names {
    all: Vec<String>,
    known: HashMap<String, usize>,
}

impl Names {
    /// The names of members in two schemas; none where a schema speaks of names in another way than naming them.
    pub(super) fn of(schemas: [&Value; 2]) -> Option<Self> {
        let mut names = Self::default();
        schemas
            .iter()
            .all(|schema| names.collect(schema))
            .then_some(names)
    }

    fn collect(&mut self, schema: &Value) -> bool {
        let Value::Object(members) = schema else {
            return true;
        };
        members
            .iter()
            .all(|(keyword, value)| match (keyword.as_str(), value) {
                ("patternProperties" | "propertyNames", _) => false,
                ("enum" | "const", value) => !has_members(value),
                ("required", Value::Array(names)) => {
                    names
                        .iter()
                        .filter_map(Value::as_str)
                        .for_each(|name| self.add(name));
                    true
                }
                ("dependentRequired", Value::Object(members)) => {
                    for (name, needs) in members {
                        self.add(name);
                        let needs = needs.as_array().into_iter().flatten();
                        needs
                            .filter_map(Value::as_str)
                            .for_each(|name| self.add(name));
                    }
                    true
                }
                ("properties" | "dependentSchemas", Value::Object(members)) => {
                    members.keys().for_each(|name| self.add(name));
                    members.values().all(|member| self.collect(member))
                }
                (keyword, Value::Object(members)) if MAPS.contains(&keyword) => {
                    members.values().all(|member| self.collect(member))
                }
                (keyword, Value::Array(items)) if LISTS.contains(&keyword) => {
                    items.iter().all(|item| self.collect(item))
                }
                (keyword, value) if SINGLE.contains(&keyword) => self.collect(value),
                _ => true,
            })
    }

    fn add(&mut self, name: &str) {
        if !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), self.all.len());
            self.all.push(name.to_owned());
        }
    }

    /// The schema with names that are in the order of these.
    pub(super) fn renamed(&self, schema: &Value) -> Value {
        let other = |name: &str| match self.known.get(name) {
            Some(index) => called(*index),
            None => name.to_owned(),
        };
        rename(schema, &other)
    }

    /// A schema that was made of renamed ones, with the names that they had before, wherever it mentions them: as names, as values or
    /// within patterns.
    pub(super) fn restored(&self, schema: &Value) -> Value {
        let mut text = schema.to_string();
        for (index, name) in self.all.iter().enumerate() {
            let quoted = Value::from(name.as_str()).to_string();
            text = text.replace(&called(index), &quoted[1..quoted.len() - 1]);
        }
        serde_json::from_str(&text).unwrap_or_else(|_| schema.clone())
    }
}

/// The other name of the name of this number.
fn called(index: usize) -> String {
    format!("-m{index:06}-")
}

/// Whether there is an object within a value.
fn has_members(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => items.iter().any(has_members),
        _ => false,
    }
}

fn rename(schema: &Value, other: &dyn Fn(&str) -> String) -> Value {
    let Value::Object(members) = schema else {
        return schema.clone();
    };
    let names = |value: &Value| match value {
        Value::Array(names) => names
            .iter()
            .map(|name| {
                name.as_str()
                    .map_or_else(|| name.clone(), |name| other(name).into())
            })
            .collect(),
        value => value.clone(),
    };
    let written = members.iter().map(|(keyword, value)| {
        let value = match (keyword.as_str(), value) {
            ("required", value) => names(value),
            ("dependentRequired", Value::Object(members)) => members
                .iter()
                .map(|(name, needs)| (other(name), names(needs)))
                .collect::<Map<_, _>>()
                .into(),
            ("properties" | "dependentSchemas", Value::Object(members)) => members
                .iter()
                .map(|(name, member)| (other(name), rename(member, other)))
                .collect::<Map<_, _>>()
                .into(),
            (keyword, Value::Object(members)) if MAPS.contains(&keyword) => members
                .iter()
                .map(|(name, member)| (name.clone(), rename(member, other)))
                .collect::<Map<_, _>>()
                .into(),
            (keyword, Value::Array(items)) if LISTS.contains(&keyword) => {
                items.iter().map(|item| rename(item, other)).collect()
            }
            (keyword, value) if SINGLE.contains(&keyword) => rename(value, other),
            (_, value) => value.clone(),
        };
        (keyword.clone(), value)
    });
    written.collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_that_differ_in_names_are_the_same_by_other_names() {
        let schema = |one: &str, two: &str| json!({"$defs": {"0": {"type": "object", "required": [one], "properties": {one: {"type": "string"}, two: {"enum": ["x"]}}}}, "$ref": "#/$defs/0"});
        let written = ["a", "z"].map(|first| {
            let schema = schema(first, "m");
            let names = Names::of([&schema, &schema]).expect("names");
            let renamed = names.renamed(&schema);
            assert_eq!(names.restored(&renamed), schema);
            let mentioned = json!({"propertyNames": {"enum": [called(0)]}});
            let restored = names.restored(&mentioned);
            assert_eq!(restored["propertyNames"]["enum"][0], first);
            renamed
        });
        assert_eq!(written[0], written[1]);
        let pattern = json!({"patternProperties": {"^a": {}}, "properties": {"a": {}}});
        assert!(Names::of([&pattern, &pattern]).is_none());
    }
}
