//! Schemas with other names of members, and with their parts in another order, so that what set algebra proves depends on neither: it
//! works through both in their order.

use foldhash::HashMap;
use serde_json::{Map, Value};

use crate::document::keyword::{LISTS, MAPS, SINGLE};

/// Lists of schemas whose order does not count.
const UNORDERED: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Names in the order of what schemas say of them.
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
        let properties = members.get_key_value("properties");
        let rest = members
            .iter()
            .filter(|(keyword, _)| *keyword != "properties");
        let mut parts: Vec<(&String, &Value)> = rest.collect();
        parts.sort_by_key(|(keyword, _)| *keyword);
        let mut all = properties.into_iter().chain(parts);
        all.all(|(keyword, value)| match (keyword.as_str(), value) {
            ("patternProperties" | "propertyNames", _) => false,
            ("enum" | "const", value) => !has_members(value),
            ("required", names) => {
                strings(names).for_each(|name| self.add(name));
                true
            }
            ("dependentRequired", Value::Object(members)) => {
                for (name, needs) in members {
                    self.add(name);
                    strings(needs).for_each(|name| self.add(name));
                }
                true
            }
            ("properties" | "dependentSchemas", Value::Object(members)) => {
                let mut members: Vec<(&String, &Value)> = members.iter().collect();
                members.sort_by_cached_key(|(_, member)| shape(member));
                members.iter().for_each(|(name, _)| self.add(name));
                members.iter().all(|(_, member)| self.collect(member))
            }
            (keyword, Value::Object(members)) if MAPS.contains(&keyword) => {
                members.values().all(|member| self.collect(member))
            }
            (keyword, Value::Array(items)) if LISTS.contains(&keyword) => {
                let mut items: Vec<&Value> = items.iter().collect();
                if UNORDERED.contains(&keyword) {
                    items.sort_by_cached_key(|item| shape(item));
                }
                items.into_iter().all(|item| self.collect(item))
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

/// The strings of a list.
fn strings(list: &Value) -> impl Iterator<Item = &str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str)
}

/// Returns the text of a schema without the names of its members and their order.
fn shape(schema: &Value) -> String {
    let Value::Object(members) = schema else {
        return schema.to_string();
    };
    let sorted = |all: &mut dyn Iterator<Item = &Value>| {
        let mut all: Vec<String> = all.map(shape).collect();
        all.sort_unstable();
        all.join(",")
    };
    let count = |list: &Value| strings(list).count().to_string();
    let part = |(keyword, value): (&String, &Value)| {
        let shape = match (keyword.as_str(), value) {
            ("required", list) => count(list),
            ("dependentRequired", Value::Object(members)) => {
                let mut counts: Vec<String> = members.values().map(count).collect();
                counts.sort_unstable();
                counts.join(",")
            }
            (keyword, Value::Object(members))
                if keyword == "properties" || MAPS.contains(&keyword) =>
            {
                sorted(&mut members.values())
            }
            (keyword, Value::Array(items)) if UNORDERED.contains(&keyword) => {
                sorted(&mut items.iter())
            }
            (keyword, Value::Array(items)) if LISTS.contains(&keyword) => {
                let items: Vec<String> = items.iter().map(shape).collect();
                items.join(",")
            }
            (keyword, value) if SINGLE.contains(&keyword) => shape(value),
            (_, value) => value.to_string(),
        };
        format!("{keyword}({shape})")
    };
    let mut parts: Vec<String> = members.iter().map(part).collect();
    parts.sort_unstable();
    parts.join(" ")
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
    let names = |value: &Value| {
        let mut names: Vec<String> = strings(value).map(other).collect();
        names.sort_unstable();
        Value::from(names)
    };
    let written = members.iter().map(|(keyword, value)| {
        let value = match (keyword.as_str(), value) {
            ("required", value) => names(value),
            ("dependentRequired", Value::Object(members)) => members
                .iter()
                .map(|(name, needs)| (other(name), names(needs)))
                .collect::<Map<_, _>>()
                .into(),
            ("properties" | "dependentSchemas", Value::Object(members)) => {
                let members = members.iter();
                let mut members: Vec<(String, Value)> = members
                    .map(|(name, member)| (other(name), rename(member, other)))
                    .collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                members.into_iter().collect::<Map<_, _>>().into()
            }
            (keyword, Value::Object(members)) if MAPS.contains(&keyword) => members
                .iter()
                .map(|(name, member)| (name.clone(), rename(member, other)))
                .collect::<Map<_, _>>()
                .into(),
            (keyword, Value::Array(items)) if LISTS.contains(&keyword) => {
                let mut items: Vec<Value> = items.iter().map(|item| rename(item, other)).collect();
                if UNORDERED.contains(&keyword) {
                    items.sort_by_cached_key(Value::to_string);
                }
                items.into()
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
            let mentioned = json!({"propertyNames": {"enum": [called(1)]}});
            let restored = names.restored(&mentioned);
            assert_eq!(restored["propertyNames"]["enum"][0], first);
            renamed
        });
        assert_eq!(written[0], written[1]);
        let other = json!({"$defs": {"0": {"properties": {"m": {"enum": ["x"]}, "z": {"type": "string"}}, "required": ["z"], "type": "object"}}, "$ref": "#/$defs/0"});
        let names = Names::of([&other, &other]).expect("names");
        assert_eq!(names.renamed(&other), written[0]);
        let pattern = json!({"patternProperties": {"^a": {}}, "properties": {"a": {}}});
        assert!(Names::of([&pattern, &pattern]).is_none());
    }
}
