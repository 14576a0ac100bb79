//! The body against the documented sample, member by member: which are there, and of which type.

use std::collections::HashMap;

use serde_json::Value;

use super::Sheet;
use super::answer::Body;
use crate::case::Answer;
use crate::case::serialize::kind;
use crate::document::pointer;
use crate::finding::{ReplayFault, Sender, Severity, ShapeDifference};
use crate::rule::replay as rules;
use crate::schema::{Member, Schemas, Subschemas};

/// Most items of a sample array that an item of the answer is compared with.
const SAMPLE_LIMIT: usize = 20;

/// One difference in shape.
struct Found {
    /// Pointer into the answer.
    at: String,
    /// Pointer into the sample.
    sample: String,
    severity: Severity,
    difference: ShapeDifference,
}

/// The parts that the comparison of one answer needs everywhere.
struct Comparison<'a> {
    judge: &'a Schemas<'a>,
    schemas: Subschemas<'a>,
    body: &'a Body,
}

impl Sheet<'_> {
    pub(super) fn members(&mut self, body: &Body, sample: &Answer) {
        let comparison = Comparison {
            judge: self.judge.schemas,
            schemas: self.judge.schemas.subschemas(),
            body,
        };
        let schemas: Vec<String> = body.schema.iter().cloned().collect();
        let mut found = Vec::new();
        comparison.compare(
            &body.value,
            &sample.value,
            &schemas,
            &Spot::default(),
            &mut found,
        );
        // The same difference in each item of a list is one finding.
        let mut first: HashMap<(String, ShapeDifference), usize> = HashMap::new();
        let mut kept: Vec<(Found, usize)> = Vec::new();
        for one in found {
            let key = (general(&one.at), one.difference.clone());
            if let Some(index) = first.get(&key) {
                kept[*index].1 += 1;
            } else {
                first.insert(key, kept.len());
                kept.push((one, 0));
            }
        }
        for (one, more) in kept {
            let at = format!("{}{}", sample.pointer, one.sample);
            let witness = body.value.pointer(&one.at).cloned();
            let fault = ReplayFault::Shape {
                sample: self.sample(),
                at: one.at,
                difference: one.difference,
                more,
            };
            self.add(rules::SAMPLE_MEMBERS, one.severity, &at, fault, witness);
        }
    }
}

/// A pointer with its array indexes taken out.
pub(super) fn general(at: &str) -> String {
    let star = |token: String| {
        if token.bytes().all(|byte| byte.is_ascii_digit()) {
            "*".to_owned()
        } else {
            token
        }
    };
    pointer::tokens(at).map(star).collect::<Vec<_>>().join("/")
}

/// The same place in the answer and in the sample.
#[derive(Debug, Clone, Default)]
struct Spot {
    at: String,
    sample: String,
}

impl Spot {
    fn member(&self, name: &str) -> Self {
        Self {
            at: pointer::join(&self.at, name),
            sample: pointer::join(&self.sample, name),
        }
    }

    fn item(&self, index: usize, sample: usize) -> Self {
        Self {
            at: pointer::index(&self.at, index),
            sample: pointer::index(&self.sample, sample),
        }
    }
}

impl Comparison<'_> {
    fn compare(
        &self,
        answer: &Value,
        sample: &Value,
        schemas: &[String],
        spot: &Spot,
        found: &mut Vec<Found>,
    ) {
        match (answer, sample) {
            (Value::Object(has), Value::Object(shows)) => {
                let schemas = &self.schemas.in_place(schemas);
                for (name, shown) in shows {
                    let member = self.schemas.member(schemas, name);
                    match (has.get(name), member) {
                        (Some(value), member) => {
                            let below = member.schemas();
                            self.compare(value, shown, &below, &spot.member(name), found);
                        }
                        // The keys of a map are data; no two answers need to share them.
                        (None, Member::Entry(_)) => {}
                        // That it is missing was told already.
                        (None, _) if self.body.lacks(&spot.at, name) => {}
                        // The answer is another alternative of the schema than the sample.
                        (None, Member::Declared(_)) if self.is_of_others(answer, schemas, name) => {
                        }
                        (None, _) => found.push(Found {
                            at: spot.at.clone(),
                            sample: spot.member(name).sample,
                            severity: Severity::Breaking,
                            difference: ShapeDifference::Missing { name: name.clone() },
                        }),
                    }
                }
                for name in has.keys().filter(|name| !shows.contains_key(*name)) {
                    let (severity, declared) = match self.schemas.member(schemas, name) {
                        // A sample need not show what is optional.
                        Member::Declared(_) => (Severity::Info, true),
                        Member::Undeclared => (Severity::Warning, false),
                        Member::Entry(_) => continue,
                    };
                    found.push(Found {
                        at: pointer::join(&spot.at, name),
                        sample: spot.sample.clone(),
                        severity,
                        difference: ShapeDifference::Unexpected { declared },
                    });
                }
            }
            (Value::Array(items), Value::Array(shown)) if !shown.is_empty() => {
                let schemas = &self.schemas.in_place(schemas);
                for (index, item) in items.iter().enumerate() {
                    let below = self.schemas.item(schemas, index);
                    found.extend(self.closest(item, shown, &below, spot, index));
                }
            }
            (answer, sample) if kind(answer) == kind(sample) => {}
            // That it has the wrong type was told already.
            _ if self.body.is_faulty(&spot.at) => {}
            // The schema finds no fault with either, so it allows null.
            (Value::Null, _) | (_, Value::Null) if !schemas.is_empty() => {}
            (answer, sample) => found.push(Found {
                at: spot.at.clone(),
                sample: spot.sample.clone(),
                severity: match self.names_type(schemas, kind(answer)) {
                    true => Severity::Info,
                    // The schema is silent about a part that any value may fill.
                    false if schemas.is_empty() && self.body.schema.is_some() => Severity::Warning,
                    false => Severity::Breaking,
                },
                difference: ShapeDifference::Type {
                    found: kind(answer),
                    documented: kind(sample),
                },
            }),
        }
    }

    /// Whether only alternatives that the answer does not match declare the member `name`. `schemas` are all that may apply to it.
    fn is_of_others(&self, answer: &Value, schemas: &[String], name: &str) -> bool {
        let matches = |at: &String| {
            let faults = self.judge.faults(at, answer, Some(Sender::Server));
            faults.is_ok_and(|faults| faults.is_empty())
        };
        let alternatives: Vec<(&'static str, String)> = schemas
            .iter()
            .flat_map(|at| self.schemas.applied(at))
            .filter(|(keyword, _)| ["oneOf", "anyOf"].contains(keyword))
            .collect();
        let (matching, others): (Vec<_>, Vec<_>) = alternatives
            .into_iter()
            .map(|(_, at)| at)
            .partition(matches);
        let declare = |list: &[String]| {
            let all = self.schemas.in_place(list);
            matches!(self.schemas.member(&all, name), Member::Declared(_))
        };
        declare(&others) && !declare(&matching)
    }

    /// Whether the schemas name the type.
    fn names_type(&self, schemas: &[String], name: &str) -> bool {
        let all = self.schemas.in_place(schemas);
        let mut types = all
            .iter()
            .filter_map(|at| self.schemas.object(at)?.get("type"));
        types.any(|types| match types {
            Value::String(one) => one == name || one == "integer" && name == "number",
            Value::Array(list) => list.iter().any(|one| one == name),
            _ => false,
        })
    }

    /// The differences to the item of the sample that has the fewest.
    fn closest(
        &self,
        item: &Value,
        shown: &[Value],
        schemas: &[String],
        spot: &Spot,
        index: usize,
    ) -> Vec<Found> {
        let mut best: Option<Vec<Found>> = None;
        for (at, sample) in shown.iter().take(SAMPLE_LIMIT).enumerate() {
            let mut found = Vec::new();
            self.compare(item, sample, schemas, &spot.item(index, at), &mut found);
            if found.is_empty() {
                return found;
            }
            if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                best = Some(found);
            }
        }
        best.unwrap_or_default()
    }
}
