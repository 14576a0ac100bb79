//! Putting a value of an inner schema into a value of the schema around it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::facts::Facts;
use super::generate::Maker;
use super::text;
use super::tried::distinct;

/// How many ways of completing a value are tried.
const WAYS: usize = 8;

/// How an inner schema hangs in the one around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Step {
    /// The member of this name.
    Member(String),
    /// Members whose names match this pattern.
    ByPattern(String),
    /// Members that nothing else speaks of.
    Rest,
    /// The names of members.
    Name,
    /// The item at this index.
    Item(usize),
    /// All items, or all after the tuple.
    Items,
    /// Some item.
    Contains,
    /// The same value.
    Same,
    /// The same value, if it has a member of this name.
    With(String),
}

impl Step {
    /// Whether the inner schema is met by the same value as the outer one.
    pub(in super::super) fn is_in_place(&self) -> bool {
        matches!(self, Self::Same | Self::With(_))
    }

    /// The step from a schema to what `keyword` has at `name` or `index`.
    pub(in super::super) fn of(keyword: &str, name: &str, index: usize) -> Self {
        match keyword {
            "properties" => Self::Member(name.to_owned()),
            "patternProperties" => Self::ByPattern(name.to_owned()),
            "additionalProperties" | "unevaluatedProperties" => Self::Rest,
            "propertyNames" => Self::Name,
            "prefixItems" => Self::Item(index),
            "items" if name == "tuple" => Self::Item(index),
            "items" | "unevaluatedItems" | "additionalItems" => Self::Items,
            "contains" => Self::Contains,
            "dependentSchemas" => Self::With(name.to_owned()),
            _ => Self::Same,
        }
    }
}

/// Values of the schemas at `at` that have `value` where `step` leads.
pub(super) fn around(maker: &Maker<'_>, at: &str, step: &Step, value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for facts in maker.ways(at).iter().take(WAYS) {
        match step {
            Step::Member(name) => all.push(maker.object(facts, Some((name, value)), 0)),
            Step::ByPattern(pattern) => {
                let names = text::of_pattern(pattern);
                let free = names.iter().filter(|name| {
                    text::matches(pattern, name) && !facts.properties.contains_key(*name)
                });
                all.extend(
                    free.take(2)
                        .map(|name| maker.object(facts, Some((name, value)), 0)),
                );
            }
            Step::Rest => {
                let name = maker.free_name(facts, 0);
                all.push(maker.object(facts, Some((&name, value)), 0));
            }
            Step::Name => {
                if let Value::String(name) = value {
                    all.extend(named(maker, facts, name));
                }
                for name in facts.properties.keys().take(WAYS) {
                    let own = maker.sample(&maker.member(facts, name), 1);
                    all.extend(own.map(|own| maker.object(facts, Some((name, &own)), 0)));
                }
                // The names that every object has.
                all.push(maker.object(facts, None, 0));
            }
            Step::Item(index) => {
                let Value::Array(mut items) = maker.array(facts, &[], *index as u64, 0) else {
                    continue;
                };
                items.truncate(*index);
                items.push(value.clone());
                all.push(maker.array(facts, &items, facts.min_items, 0));
            }
            Step::Items => {
                let tuple = facts.tuple.len() as u64;
                let Value::Array(mut items) = maker.array(facts, &[], tuple, 0) else {
                    continue;
                };
                items.push(value.clone());
                all.push(maker.array(facts, &items, facts.min_items, 0));
            }
            Step::Contains => {
                let given = std::slice::from_ref(value);
                all.push(maker.array(facts, given, facts.min_items, 0));
                all.push(json!([value]));
                for (_, count) in facts.contains.iter().filter(|(_, count)| *count <= 100) {
                    let count = usize::try_from(*count).unwrap_or_default();
                    all.push(Value::Array(vec![value.clone(); count]));
                    all.push(Value::Array(vec![value.clone(); count + 1]));
                }
            }
            Step::Same => all.push(completed(maker, facts, value)),
            Step::With(name) => {
                let mut more = value.clone();
                if let Value::Object(members) = &mut more
                    && !members.contains_key(name)
                {
                    let extra = maker.object(facts, None, 0);
                    let member = extra.get(name).cloned().unwrap_or(json!("a"));
                    members.insert(name.clone(), member);
                }
                all.push(completed(maker, facts, &more));
            }
        }
    }
    if *step == Step::Same {
        all.insert(0, value.clone());
    }
    distinct(all, 24)
}

/// A value of the schema at `at` that has `value` where `step` leads, by the first way of choosing branches; none where that is not plain.
pub(super) fn around_first(
    maker: &Maker<'_>,
    at: &str,
    step: &Step,
    value: &Value,
) -> Option<Value> {
    let ways = maker.ways(at);
    let facts = ways.first()?;
    match step {
        Step::Member(name) => Some(maker.object(facts, Some((name, value)), 0)),
        Step::Rest => {
            let name = maker.free_name(facts, 0);
            Some(maker.object(facts, Some((&name, value)), 0))
        }
        Step::Items if facts.tuple.is_empty() => {
            Some(maker.array(facts, std::slice::from_ref(value), facts.min_items, 0))
        }
        Step::Same => Some(completed(maker, facts, value)),
        _ => None,
    }
}

/// `value` with one more member that some of the alternatives of the schema at `at` speak of, of another kind than they say.
pub(super) fn spoiled(maker: &Maker<'_>, at: &str, value: &Value) -> Vec<Value> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let ways = maker.ways(at);
    if ways.len() < 2 {
        return Vec::new();
    }
    let names = ways.iter().flat_map(|facts| facts.properties.keys());
    let names: BTreeSet<&String> = names.filter(|name| !members.contains_key(*name)).collect();
    let with = |name: &String| {
        let name = name.clone();
        [json!([]), json!({}), json!("a")].map(|wrong| {
            let mut members = members.clone();
            members.insert(name.clone(), wrong);
            Value::Object(members)
        })
    };
    names.into_iter().take(WAYS).flat_map(with).collect()
}

/// Objects with a member of this name.
fn named(maker: &Maker<'_>, facts: &Facts, name: &str) -> Vec<Value> {
    ["a".into(), json!(0), json!(null), json!({})]
        .iter()
        .map(|value| maker.object(facts, Some((name, value)), 0))
        .collect()
}

/// `value` with what is required besides.
fn completed(maker: &Maker<'_>, facts: &Facts, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members = members.clone();
            maker.complete_object(facts, &mut members, 0);
            Value::Object(members)
        }
        Value::Array(items) => maker.array(facts, items, facts.min_items, 0),
        other => other.clone(),
    }
}
