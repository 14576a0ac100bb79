//! Which keywords of schemas values met.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use crate::document::pointer;
use crate::finding::KeywordCoverage;
use crate::schema::Subschemas;

/// How many schemas are looked at for one value, and counted for one operation.
const LIMIT: usize = 2_000;
/// How many values of one kind are looked at: the first ones show the most.
const VALUES: usize = 16;
/// How many items of a list are looked at.
const ITEMS: usize = 3;
/// How many keywords that nothing met are named.
const NAMED: usize = 20;

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const NUMBER: u8 = 4;
const STRING: u8 = 8;
const ARRAY: u8 = 16;
const OBJECT: u8 = 32;
const ANY: u8 = 63;

/// The schemas that values met, with the types of these values.
#[derive(Debug, Default)]
pub struct Keywords {
    met: BTreeMap<String, u8>,
    values: BTreeMap<u16, usize>,
}

impl Keywords {
    /// Whether another value would be looked at. `kind` tells values apart that say different things, such as the status of a response.
    #[must_use]
    pub fn wants(&self, kind: u16) -> bool {
        self.values.get(&kind).is_none_or(|count| *count < VALUES)
    }

    /// Takes note of a value of the schema at `schema`.
    pub fn note(&mut self, subschemas: Subschemas<'_>, schema: &str, value: &Value, kind: u16) {
        *self.values.entry(kind).or_default() += 1;
        let mut open = vec![(vec![schema.to_owned()], value)];
        let mut left = LIMIT;
        while let Some((roots, value)) = open.pop() {
            let all = subschemas.in_place(&roots);
            left = left.saturating_sub(all.len());
            if left == 0 {
                return;
            }
            match value {
                Value::Object(members) => {
                    for (name, member) in members {
                        let schemas = subschemas.member(&all, name).schemas();
                        if !schemas.is_empty() {
                            open.push((schemas, member));
                        }
                    }
                }
                Value::Array(items) => {
                    for (index, item) in items.iter().take(ITEMS).enumerate() {
                        let schemas = subschemas.item(&all, index);
                        if !schemas.is_empty() {
                            open.push((schemas, item));
                        }
                    }
                }
                _ => {}
            }
            let kind = kind_of(value);
            for at in all {
                *self.met.entry(at).or_default() |= kind;
            }
        }
    }

    /// Adds what later values met.
    pub fn add(&mut self, later: Self) {
        for (at, kinds) in later.met {
            *self.met.entry(at).or_default() |= kinds;
        }
        for (kind, count) in later.values {
            *self.values.entry(kind).or_default() += count;
        }
    }

    /// How many of the keywords below some schemas were met; a schema that is `known` to be used was, whatever the value.
    #[must_use]
    pub fn measure(&self, subschemas: Subschemas<'_>, roots: &[(String, bool)]) -> KeywordCoverage {
        let mut coverage = KeywordCoverage::default();
        let mut seen = HashSet::new();
        let mut open: Vec<(String, bool)> = roots.iter().rev().cloned().collect();
        while let Some((at, known)) = open.pop() {
            if seen.len() >= LIMIT || !seen.insert(at.clone()) {
                continue;
            }
            let Some(schema) = subschemas.object(&at) else {
                continue;
            };
            let met = match known {
                true => ANY,
                false => self.met.get(&at).copied().unwrap_or_default(),
            };
            for keyword in schema.keys() {
                let Some(kinds) = applies_to(keyword) else {
                    continue;
                };
                coverage.all += 1;
                if met & kinds != 0 {
                    coverage.observed += 1;
                } else if coverage.missing.len() < NAMED {
                    coverage.missing.push(pointer::join(&at, keyword));
                }
            }
            open.extend(
                subschemas
                    .applied(&at)
                    .into_iter()
                    .rev()
                    .map(|(_, at)| (at, known)),
            );
            for keyword in ["properties", "patternProperties"] {
                let below = pointer::join(&at, keyword);
                let members = schema.get(keyword).and_then(Value::as_object);
                let names = members.into_iter().flat_map(|members| members.keys());
                open.extend(names.map(|name| (pointer::join(&below, name), false)));
            }
            for keyword in ["items", "additionalProperties"] {
                if schema.get(keyword).is_some_and(Value::is_object) {
                    open.push((pointer::join(&at, keyword), false));
                }
            }
        }
        coverage
    }
}

fn kind_of(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::Number(_) => NUMBER,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}

/// The types of the values that a keyword says something of; none where it is not an assertion of its own.
fn applies_to(keyword: &str) -> Option<u8> {
    Some(match keyword {
        "type" | "enum" | "const" | "not" | "oneOf" | "anyOf" | "if" => ANY,
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => NUMBER,
        "format" => STRING | NUMBER,
        "minLength" | "maxLength" | "pattern" => STRING,
        "minItems" | "maxItems" | "uniqueItems" | "contains" | "minContains" | "maxContains"
        | "prefixItems" | "items" | "unevaluatedItems" => ARRAY,
        "minProperties"
        | "maxProperties"
        | "required"
        | "properties"
        | "patternProperties"
        | "additionalProperties"
        | "propertyNames"
        | "dependentRequired"
        | "dependentSchemas"
        | "unevaluatedProperties" => OBJECT,
        _ => return None,
    })
}
