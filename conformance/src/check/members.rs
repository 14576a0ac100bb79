//! The body against the documented sample, member by member: which are there, and of which type.

use std::collections::HashMap;

use serde_json::Value;

use super::Sheet;
use super::answer::Body;
use crate::case::Answer;
use crate::case::serialize::{a_kind, kind};
use crate::document::pointer;
use crate::finding::Severity;
use crate::rule::replay as rules;
use crate::schema::{Member, Subschemas};

/// Most items of a sample array that an item of the answer is compared with.
const SAMPLE_LIMIT: usize = 20;

/// One difference in shape.
struct Difference {
    /// Pointer into the answer.
    at: String,
    /// Pointer into the sample.
    sample: String,
    severity: Severity,
    message: String,
}

/// What the comparison of one answer needs everywhere.
struct Comparison<'a> {
    schemas: Subschemas<'a>,
    body: &'a Body,
}

impl Sheet<'_> {
    pub(super) fn members(&mut self, body: &Body, sample: &Answer) {
        let comparison = Comparison {
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
        let mut first: HashMap<(String, String), usize> = HashMap::new();
        let mut kept: Vec<(Difference, usize)> = Vec::new();
        for difference in found {
            let key = (general(&difference.at), difference.message.clone());
            if let Some(index) = first.get(&key) {
                kept[*index].1 += 1;
            } else {
                first.insert(key, kept.len());
                kept.push((difference, 0));
            }
        }
        for (difference, more) in kept {
            let place = if difference.at.is_empty() {
                "the body"
            } else {
                difference.at.as_str()
            };
            let more = if more == 0 {
                String::new()
            } else {
                format!(", and in {more} more items")
            };
            let message = format!(
                "{}: {place}: {}{more}",
                self.case.title(),
                difference.message
            );
            let at = format!("{}{}", sample.pointer, difference.sample);
            let witness = body.value.pointer(&difference.at).cloned();
            self.add(
                rules::SAMPLE_MEMBERS,
                difference.severity,
                &at,
                message,
                witness,
            );
        }
    }
}

/// A pointer with its array indexes taken out.
fn general(at: &str) -> String {
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
        found: &mut Vec<Difference>,
    ) {
        match (answer, sample) {
            (Value::Object(has), Value::Object(shows)) => {
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
                        (None, _) => found.push(Difference {
                            at: spot.at.clone(),
                            sample: spot.member(name).sample,
                            severity: Severity::Breaking,
                            message: format!(
                                "the member `{name}` of the documented sample is missing"
                            ),
                        }),
                    }
                }
                for name in has.keys().filter(|name| !shows.contains_key(*name)) {
                    let (severity, why) = match self.schemas.member(schemas, name) {
                        Member::Declared(_) => {
                            (Severity::Breaking, "though the schema declares it")
                        }
                        Member::Undeclared => {
                            (Severity::Warning, "and the schema does not declare it")
                        }
                        Member::Entry(_) => continue,
                    };
                    let message = format!("the documented sample has no member `{name}`, {why}");
                    let at = pointer::join(&spot.at, name);
                    found.push(Difference {
                        at,
                        sample: spot.sample.clone(),
                        severity,
                        message,
                    });
                }
            }
            (Value::Array(items), Value::Array(shown)) if !shown.is_empty() => {
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
            (answer, sample) => {
                let message = format!(
                    "is {} where the documented sample has {}",
                    a_kind(answer),
                    a_kind(sample)
                );
                found.push(Difference {
                    at: spot.at.clone(),
                    sample: spot.sample.clone(),
                    severity: Severity::Breaking,
                    message,
                });
            }
        }
    }

    /// The differences to the item of the sample that has the fewest.
    fn closest(
        &self,
        item: &Value,
        shown: &[Value],
        schemas: &[String],
        spot: &Spot,
        index: usize,
    ) -> Vec<Difference> {
        let mut best: Option<Vec<Difference>> = None;
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
