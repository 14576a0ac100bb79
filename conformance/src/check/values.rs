//! Values that the documented sample repeats from its request: the live answer must repeat what was really sent.

use serde_json::Value;

use super::Sheet;
use super::answer::Body;
use crate::case::serialize::text;
use crate::case::{Answer, Case};
use crate::document::{Decimal, pointer};
use crate::finding::{Echoed, ReplayFault, Severity};
use crate::rule::replay as rules;

/// A place in the answer that repeats a value of the request.
struct Echo {
    /// Tokens of the place; `None` stands for each item of an array.
    place: Vec<Option<String>>,
    /// Pointer into the sample.
    sample: String,
    source: Echoed,
    sent: Sent,
}

enum Sent {
    Value(Value),
    /// Text of the URL, where `1` and `"1"` are the same.
    Text(String),
}

impl Sheet<'_> {
    pub(super) fn values(&mut self, body: &Body, sample: &Answer, path: &[(String, String)]) {
        let search = Search {
            case: self.case,
            path,
        };
        let mut echoes = Vec::new();
        search.walk(&sample.value, &mut Vec::new(), "", &mut echoes);
        for echo in echoes {
            let mut wrong = Vec::new();
            collect(&body.value, &echo.place, String::new(), &mut |at, value| {
                // Violations of the schema were already reported.
                if !same(value, &echo.sent) && !body.is_faulty(&at) {
                    wrong.push((at, value.clone()));
                }
            });
            let Some((at, value)) = wrong.first() else {
                continue;
            };
            let witness = Some(value.clone());
            let fault = ReplayFault::Echo {
                sample: self.sample(),
                at: at.clone(),
                found: value.clone(),
                source: echo.source,
                sent: match echo.sent {
                    Sent::Value(value) => value,
                    Sent::Text(text) => Value::from(text),
                },
                more: wrong.len() - 1,
            };
            let place = format!("{}{}", sample.pointer, echo.sample);
            let rule = rules::SAMPLE_VALUES;
            self.add(rule, Severity::Breaking, &place, fault, witness);
        }
    }
}

struct Search<'a> {
    case: &'a Case,
    path: &'a [(String, String)],
}

impl Search<'_> {
    /// Finds the echoes in a sample.
    fn walk(
        &self,
        sample: &Value,
        place: &mut Vec<Option<String>>,
        at: &str,
        found: &mut Vec<Echo>,
    ) {
        match sample {
            Value::Object(members) => {
                for (name, value) in members {
                    place.push(Some(name.clone()));
                    let below = pointer::join(at, name);
                    match self.source(name, value, place, &below) {
                        Some((source, sent)) => {
                            found.push(Echo {
                                place: place.clone(),
                                sample: below,
                                source,
                                sent,
                            });
                        }
                        None => self.walk(value, place, &below, found),
                    }
                    place.pop();
                }
            }
            Value::Array(items) => {
                place.push(None);
                let mut lists = items.iter().enumerate().map(|(index, item)| {
                    let mut list = Vec::new();
                    self.walk(
                        item,
                        &mut place.clone(),
                        &pointer::index(at, index),
                        &mut list,
                    );
                    list
                });
                // Each item of the answer must repeat the values that every item of the sample repeats.
                let mut common = lists.next().unwrap_or_default();
                for list in lists {
                    common.retain(|echo| list.iter().any(|other| other.place == echo.place));
                }
                found.append(&mut common);
                place.pop();
            }
            _ => {}
        }
    }

    /// Where the request sample has the same value under the same name.
    fn source(
        &self,
        name: &str,
        value: &Value,
        place: &[Option<String>],
        at: &str,
    ) -> Option<(Echoed, Sent)> {
        let in_list = place.iter().any(Option::is_none);
        if let Some(body) = self
            .case
            .body
            .as_ref()
            .and_then(|body| body.value.as_ref())
            .filter(|_| !in_list)
        {
            let twins = [body.pointer(at), body.get(name)];
            if let Some(twin) = twins.into_iter().flatten().find(|twin| equal(twin, value)) {
                return Some((Echoed::Body(name.to_owned()), Sent::Value(twin.clone())));
            }
        }
        let scalar = !value.is_object() && !value.is_array() && !value.is_null();
        if !scalar {
            return None;
        }
        if let Some((_, given)) = self
            .case
            .inputs
            .iter()
            .find(|(known, given)| known == name && text(given) == text(value))
        {
            return Some((Echoed::Query(name.to_owned()), Sent::Text(text(given))));
        }
        // `/webhooks/{webhookId}` is answered with `id`: the last parameter is the id of what is answered.
        let last = self
            .case
            .path
            .last()
            .filter(|_| name == "id" && place.len() == 1);
        let mut named = self
            .case
            .path
            .iter()
            .filter(|parameter| parameter.name == name)
            .chain(last);
        let parameter = named.find(|parameter| {
            parameter
                .documented
                .as_ref()
                .is_some_and(|given| text(given) == text(value))
        })?;
        let (_, sent) = self
            .path
            .iter()
            .find(|(known, _)| *known == parameter.name)?;
        Some((
            Echoed::Path(parameter.name.clone()),
            Sent::Text(sent.clone()),
        ))
    }
}

/// Calls `see` for all values at a place.
fn collect(
    value: &Value,
    place: &[Option<String>],
    at: String,
    see: &mut dyn FnMut(String, &Value),
) {
    match (place.split_first(), value) {
        (None, value) => see(at, value),
        (Some((Some(name), rest)), Value::Object(members)) => {
            if let Some(value) = members.get(name) {
                collect(value, rest, pointer::join(&at, name), see);
            }
        }
        (Some((None, rest)), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, rest, pointer::index(&at, index), see);
            }
        }
        _ => {}
    }
}

fn same(value: &Value, sent: &Sent) -> bool {
    match sent {
        Sent::Value(sent) => equal(value, sent),
        Sent::Text(sent) => text(value) == *sent,
    }
}

/// JSON equality; `1` and `1.0` are the same number.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || Decimal::of(one) == Decimal::of(other)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => one == other,
    }
}
