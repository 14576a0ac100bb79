//! Constraints on one value, gathered from all schemas that apply to it, with one branch chosen of each alternative.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::source::Source;
use crate::document::pointer;
use crate::schema::Subschemas;
use crate::schema::number_format::range;

/// How many schemas are gathered for one value.
const LIMIT: usize = 300;

/// How many ways of choosing branches are looked at.
pub(super) const WAYS: usize = 24;

/// The demands on one value.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) types: Option<BTreeSet<String>>,
    pub(super) values: Option<Vec<Value>>,
    /// Bounds of numbers as they are written, those that exclude themselves with `true`.
    pub(super) least: Vec<(Value, bool)>,
    pub(super) most: Vec<(Value, bool)>,
    pub(super) steps: Vec<f64>,
    pub(super) min_length: u64,
    pub(super) max_length: Option<u64>,
    pub(super) patterns: Vec<String>,
    pub(super) formats: Vec<String>,
    pub(super) required: BTreeSet<String>,
    pub(super) properties: BTreeMap<String, Vec<String>>,
    pub(super) by_pattern: Vec<(String, String)>,
    pub(super) additional: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) min_properties: u64,
    pub(super) max_properties: Option<u64>,
    pub(super) dependent: Vec<(String, Vec<String>)>,
    pub(super) tuple: Vec<Vec<String>>,
    pub(super) items: Vec<String>,
    pub(super) contains: Vec<(String, u64)>,
    pub(super) min_items: u64,
    pub(super) max_items: Option<u64>,
    pub(super) unique: bool,
    /// Numbers that counts and lengths are compared with.
    pub(super) counts: BTreeSet<u64>,
    /// Schemas that must not hold: what they accept is worth trying.
    pub(super) refused: Vec<String>,
    /// Whether no value is accepted.
    pub(super) never: bool,
    /// Members that are not sent in this direction.
    pub(super) hidden: BTreeSet<String>,
}

/// The first ways of choosing branches.
pub(super) fn ways(source: &Source<'_>, schemas: &[String]) -> Vec<Facts> {
    ways_up_to(source, schemas, WAYS)
}

/// Ways of choosing branches, at most `limit`: the first of each, then one other at a time.
pub(super) fn ways_up_to(source: &Source<'_>, schemas: &[String], limit: usize) -> Vec<Facts> {
    let mut choices: Vec<usize> = Vec::new();
    let (first, options) = gather(source, schemas, &choices);
    let mut all = vec![first];
    for (index, count) in options.iter().enumerate() {
        for option in 1..*count {
            if all.len() >= limit {
                return all;
            }
            choices = vec![0; index];
            choices.push(option);
            all.push(gather(source, schemas, &choices).0);
        }
    }
    all
}

/// The demands under these choices, and how many options there were for each of them.
fn gather(source: &Source<'_>, schemas: &[String], choices: &[usize]) -> (Facts, Vec<usize>) {
    let mut gathering = Gathering {
        schemas: source.schemas,
        source,
        choices,
        options: Vec::new(),
        facts: Facts::default(),
        seen: BTreeSet::new(),
    };
    for at in schemas {
        gathering.add(at);
    }
    let Gathering {
        mut facts,
        options,
        seen,
        ..
    } = gathering;
    // Only the chosen alternatives decide which members are sent.
    for at in &seen {
        let hidden = source.unsent.own_names(at);
        facts.hidden.extend(hidden.iter().cloned());
    }
    facts.required.retain(|name| !facts.hidden.contains(name));
    (facts, options)
}

struct Gathering<'s, 'a> {
    schemas: Subschemas<'a>,
    source: &'s Source<'a>,
    choices: &'s [usize],
    options: Vec<usize>,
    facts: Facts,
    seen: BTreeSet<String>,
}

impl Gathering<'_, '_> {
    fn choose(&mut self, count: usize) -> usize {
        let index = self.options.len();
        self.options.push(count);
        self.choices.get(index).copied().unwrap_or(0)
    }

    fn add(&mut self, at: &str) {
        if self.seen.len() >= LIMIT || !self.seen.insert(at.to_owned()) {
            return;
        }
        let schema = match self.schemas.at(at) {
            Some(Value::Object(schema)) => schema,
            Some(Value::Bool(false)) => {
                self.facts.never = true;
                return;
            }
            _ => return,
        };
        for (keyword, value) in schema {
            let here = pointer::join(at, keyword);
            let may_differ = value.is_number() || ["enum", "const"].contains(&keyword.as_str());
            let meant = (may_differ && self.source.has_stand_ins())
                .then(|| self.source.meant(keyword, &here, value));
            let value = meant.as_ref().unwrap_or(value);
            self.assertion(keyword, value);
            self.object(keyword, value, &here);
            self.array(keyword, value, &here);
            self.combination(keyword, value, &here, at);
        }
    }

    fn narrow_types(&mut self, types: BTreeSet<String>) {
        let narrowed = match &self.facts.types {
            None => types,
            Some(known) => {
                let has = |set: &BTreeSet<String>, name: &str| {
                    set.contains(name) || name == "integer" && set.contains("number")
                };
                let all = known.iter().chain(&types);
                all.filter(|name| has(known, name) && has(&types, name))
                    .cloned()
                    .collect()
            }
        };
        self.facts.types = Some(narrowed);
    }

    fn narrow_values(&mut self, values: &[Value]) {
        let narrowed = match &self.facts.values {
            None => values.to_vec(),
            Some(known) => known
                .iter()
                .filter(|one| values.contains(one))
                .cloned()
                .collect(),
        };
        self.facts.values = Some(narrowed);
    }

    fn assertion(&mut self, keyword: &str, value: &Value) {
        let facts = &mut self.facts;
        match (keyword, value) {
            ("type", Value::String(name)) => self.narrow_types(BTreeSet::from([name.clone()])),
            ("type", Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
                self.narrow_types(names.collect());
            }
            ("enum", Value::Array(values)) => self.narrow_values(values),
            ("const", value) => self.narrow_values(std::slice::from_ref(value)),
            ("minimum", Value::Number(_)) => facts.least.push((value.clone(), false)),
            ("exclusiveMinimum", Value::Number(_)) => facts.least.push((value.clone(), true)),
            ("maximum", Value::Number(_)) => facts.most.push((value.clone(), false)),
            ("exclusiveMaximum", Value::Number(_)) => facts.most.push((value.clone(), true)),
            ("multipleOf", Value::Number(step)) => facts.steps.extend(step.as_f64()),
            ("pattern", Value::String(pattern)) => facts.patterns.push(pattern.clone()),
            ("format", Value::String(format)) => match range(format) {
                Some((least, most)) => {
                    facts.least.push((least, false));
                    facts.most.push((most, false));
                }
                None => facts.formats.push(format.clone()),
            },
            ("uniqueItems", Value::Bool(true)) => facts.unique = true,
            (_, Value::Number(_)) => {
                let count = value.as_f64().filter(|count| *count >= 0.0);
                let Some(count) = count.and_then(whole) else {
                    return;
                };
                let least = |known: &mut Option<u64>| {
                    *known = Some(known.map_or(count, |known| known.min(count)));
                };
                match keyword {
                    "minLength" => facts.min_length = facts.min_length.max(count),
                    "maxLength" => least(&mut facts.max_length),
                    "minItems" => facts.min_items = facts.min_items.max(count),
                    "maxItems" => least(&mut facts.max_items),
                    "minProperties" => facts.min_properties = facts.min_properties.max(count),
                    "maxProperties" => least(&mut facts.max_properties),
                    "minContains" | "maxContains" => {}
                    _ => return,
                }
                facts.counts.insert(count);
            }
            _ => {}
        }
    }

    fn object(&mut self, keyword: &str, value: &Value, here: &str) {
        let facts = &mut self.facts;
        match (keyword, value) {
            ("required", Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                facts.required.extend(names.map(str::to_owned));
            }
            ("properties", Value::Object(members)) => {
                for name in members.keys() {
                    let schemas = facts.properties.entry(name.clone()).or_default();
                    schemas.push(pointer::join(here, name));
                }
            }
            ("patternProperties", Value::Object(members)) => {
                let all = members
                    .keys()
                    .map(|name| (name.clone(), pointer::join(here, name)));
                facts.by_pattern.extend(all);
            }
            ("additionalProperties" | "unevaluatedProperties", _) => {
                facts.additional.push(here.to_owned());
            }
            ("propertyNames", _) => facts.names.push(here.to_owned()),
            ("dependentRequired", Value::Object(members)) => {
                for (name, needs) in members {
                    let needs = needs.as_array().into_iter().flatten();
                    let needs = needs.filter_map(Value::as_str).map(str::to_owned).collect();
                    facts.dependent.push((name.clone(), needs));
                }
            }
            ("dependentSchemas", Value::Object(members)) => {
                facts
                    .dependent
                    .extend(members.keys().map(|name| (name.clone(), Vec::new())));
            }
            _ => {}
        }
    }

    fn array(&mut self, keyword: &str, value: &Value, here: &str) {
        let facts = &mut self.facts;
        match (keyword, value) {
            ("prefixItems", Value::Array(items)) | ("items", Value::Array(items)) => {
                for index in 0..items.len() {
                    if facts.tuple.len() <= index {
                        facts.tuple.push(Vec::new());
                    }
                    facts.tuple[index].push(pointer::index(here, index));
                }
            }
            ("items" | "unevaluatedItems" | "additionalItems", _) => {
                facts.items.push(here.to_owned());
            }
            ("contains", _) => facts.contains.push((here.to_owned(), 1)),
            ("minContains", _) => {
                let count = value.as_f64().and_then(whole).unwrap_or(1);
                facts.counts.insert(count);
                facts
                    .contains
                    .push((pointer::join(pointer::parent(here), "contains"), count));
            }
            ("maxContains", _) => {
                facts.counts.extend(value.as_f64().and_then(whole));
                let count = value.as_f64().and_then(whole).unwrap_or(1);
                facts
                    .contains
                    .push((pointer::join(pointer::parent(here), "contains"), count));
            }
            _ => {}
        }
    }

    fn combination(&mut self, keyword: &str, value: &Value, here: &str, at: &str) {
        match (keyword, value) {
            ("$ref" | "$dynamicRef", Value::String(reference)) => {
                if let Some(target) = self.schemas.target(keyword, reference) {
                    self.add(&target);
                }
            }
            ("allOf", Value::Array(branches)) => {
                for index in 0..branches.len() {
                    self.add(&pointer::index(here, index));
                }
            }
            ("anyOf" | "oneOf", Value::Array(branches)) if !branches.is_empty() => {
                let chosen = self.choose(branches.len()).min(branches.len() - 1);
                self.add(&pointer::index(here, chosen));
            }
            ("if", _) => {
                if self.choose(2) == 0 {
                    self.add(here);
                    self.add(&pointer::join(at, "then"));
                } else {
                    self.facts.refused.push(here.to_owned());
                    self.add(&pointer::join(at, "else"));
                }
            }
            ("not", _) => self.facts.refused.push(here.to_owned()),
            _ => {}
        }
    }
}

/// A whole number that is small enough to build something of that size.
fn whole(number: f64) -> Option<u64> {
    if number.fract() != 0.0 || !(0.0..=1e9).contains(&number) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
    Some(number as u64)
}
