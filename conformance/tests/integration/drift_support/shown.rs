//! Asking the plain validator about the value that a finding shows: whose message it is, and whether the sides take it as they are
//! said to.

use conformance::finding::{Finding, Impact, Severity, Side};
use serde_json::{Map, Value, json};

use super::held::accepts;

/// A whole value that a document describes: a body, an answer, a parameter or a header.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The operation without its id, the names of path parameters left out.
    subject: String,
    /// The part of the operation, in the words of findings.
    part: String,
    /// Where the schema stands; `None` where there is none, which accepts everything.
    pub(crate) pointer: Option<String>,
    pub(crate) from_server: bool,
    /// Whether the value is written as text, where `1` is a number or a string.
    as_text: bool,
}

/// Returns the sender of the value that a finding shows, after both sides were asked about it: `None` without a witness.
///
/// # Errors
///
/// Returns the claim of the finding that the validator denies.
pub(crate) fn writer(
    old: &Value,
    new: &Value,
    finding: &Finding,
) -> Result<Option<&'static str>, String> {
    let Some(witness) = &finding.witness else {
        return Ok(None);
    };
    let proof = finding.proof.as_ref().ok_or("a witness without a proof")?;
    let subject = plain(&proof.subject);
    let of = |document: &Value| {
        let mut slots = slots(document);
        slots.retain(|slot| slot.subject == subject);
        // An answer may be covered by a range or by `default` on one side.
        let exact = slots.iter().any(|slot| slot.part == proof.part);
        let answer = |part: &str| part.starts_with("answer ");
        // The same path may have other names in braces.
        let path = |part: &str| part.starts_with("path parameter ");
        slots.retain(|slot| {
            slot.part == proof.part
                || !exact && answer(&proof.part) && answer(&slot.part)
                || !exact && path(&proof.part) && path(&slot.part)
        });
        slots
    };
    let (one, other) = (of(old), of(new));
    for one in &one {
        for other in &other {
            let accepted = (one.accepts(old, witness), other.accepts(new, witness));
            let claimed = match proof.accepted_by {
                Side::Old => (true, false),
                Side::New => (false, true),
            };
            if one.from_server == other.from_server && accepted == claimed {
                let impact = finding.effect.map(|effect| effect.impact);
                // A value that the server no longer sends is one that only the old document accepts.
                let harms = (proof.accepted_by == Side::New) == one.from_server
                    || one.from_server
                        && matches!(impact, Some(Impact::Withdrawn | Impact::Emptied));
                if finding.severity == Severity::Breaking && !harms {
                    return Err(format!("{witness} harms nobody, as {proof:?}"));
                }
                return Ok(Some(if one.from_server { "server" } else { "client" }));
            }
        }
    }
    let places = |slots: &[Slot]| {
        let places = slots.iter().filter_map(|slot| slot.pointer.clone());
        places.collect::<Vec<_>>().join(", ")
    };
    Err(format!(
        "{witness} is not accepted by {:?} alone, of {} and {}",
        proof.accepted_by,
        places(&one),
        places(&other)
    ))
}

impl Slot {
    /// Whether a value can be sent here: a parameter is text, in which there is no null.
    pub(crate) fn can_hold(&self, value: &Value) -> bool {
        fn has_null(value: &Value) -> bool {
            match value {
                Value::Null => true,
                Value::Array(items) => items.iter().any(has_null),
                Value::Object(members) => members.values().any(has_null),
                _ => false,
            }
        }
        !self.as_text || !has_null(value)
    }

    fn accepts(&self, document: &Value, value: &Value) -> bool {
        let Some(pointer) = &self.pointer else {
            return true;
        };
        let mut readings = vec![value.clone()];
        if self.as_text {
            readings.push(each(value, written));
            readings.push(each(value, read));
        }
        readings
            .iter()
            .any(|value| accepts(document, pointer, self.from_server, value))
    }
}

/// A value with the scalars of a list or an object, or itself, in another form.
fn each(value: &Value, form: fn(&Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(form).collect(),
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(key, value)| (key.clone(), form(value)))
                    .collect(),
            )
        }
        scalar => form(scalar),
    }
}

fn written(value: &Value) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) => json!(value.to_string()),
        other => other.clone(),
    }
}

fn read(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    let read = serde_json::from_str::<Value>(text).ok();
    read.filter(|read| read.is_number() || read.is_boolean())
        .unwrap_or_else(|| value.clone())
}

/// A subject without its operationId and the names of its path parameters.
fn plain(subject: &str) -> String {
    // A callback is told with the operation that owns it.
    let subject = subject.split(", callback of ").next().unwrap_or(subject);
    let subject = match subject.rsplit_once(" (") {
        Some((subject, _)) if !subject.is_empty() => subject,
        _ => subject,
    };
    let (method, path) = subject.split_once(' ').unwrap_or(("", subject));
    if !path.starts_with('/') {
        return subject.to_owned();
    }
    let mut shape = format!("{method} ");
    let mut inside = false;
    for letter in path.chars() {
        inside &= letter != '}';
        if !inside {
            shape.push(letter);
        }
        inside |= letter == '{';
    }
    shape
}

fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Where a node stands after its references were followed.
fn resolved(document: &Value, pointer: String) -> String {
    let mut pointer = pointer;
    for _ in 0..20 {
        let reference = document
            .pointer(&pointer)
            .and_then(|node| node.get("$ref"))
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix('#'));
        match reference {
            Some(next) => next.clone_into(&mut pointer),
            None => break,
        }
    }
    pointer
}

/// The members of the object at a place: names, and where each stands.
fn members(document: &Value, pointer: &str) -> Vec<(String, String)> {
    let object = document.pointer(pointer).and_then(Value::as_object);
    let all = object.into_iter().flat_map(Map::keys);
    all.map(|key| {
        let at = format!("{pointer}/{}", escaped(key));
        (key.clone(), resolved(document, at))
    })
    .collect()
}

/// All whole values that a document describes.
pub(crate) fn slots(document: &Value) -> Vec<Slot> {
    let mut all = Vec::new();
    for (map, from_server) in [("/paths", false), ("/webhooks", true)] {
        items(document, map, from_server, 0, &mut all);
    }
    all
}

fn items(document: &Value, map: &str, from_server: bool, depth: usize, all: &mut Vec<Slot>) {
    for (path, item) in members(document, map) {
        let mut operations = members(document, &item);
        operations.extend(members(document, &format!("{item}/additionalOperations")));
        for (method, operation) in operations {
            if document.pointer(&operation).is_some_and(Value::is_object) && method != "parameters"
            {
                let subject = plain(&format!("{} {path}", method.to_uppercase()));
                one_operation(document, &subject, (&item, &operation), from_server, all);
                for (_, callback) in members(document, &format!("{operation}/callbacks")) {
                    if depth < 3 {
                        items(document, &callback, !from_server, depth + 1, all);
                    }
                }
            }
        }
    }
}

fn one_operation(
    document: &Value,
    subject: &str,
    (item, operation): (&str, &str),
    from_server: bool,
    all: &mut Vec<Slot>,
) {
    let mut add = |part: &str, at: &str, from_server: bool, as_text: bool| {
        let mut push = |schema: String, as_text: bool| {
            all.push(Slot {
                subject: subject.to_owned(),
                part: part.to_owned(),
                pointer: document.pointer(&schema).map(|_| schema),
                from_server,
                as_text,
            });
        };
        if as_text {
            push(format!("{at}/schema"), true);
        }
        for (_, media) in members(document, &format!("{at}/content")) {
            push(format!("{media}/schema"), false);
            push(format!("{media}/itemSchema"), false);
        }
    };
    let body = resolved(document, format!("{operation}/requestBody"));
    add("request body", &body, from_server, false);
    for list in [item, operation].map(|at| format!("{at}/parameters")) {
        let count = document.pointer(&list).and_then(Value::as_array);
        for index in 0..count.map_or(0, Vec::len) {
            let at = resolved(document, format!("{list}/{index}"));
            let parameter = document.pointer(&at).cloned().unwrap_or_default();
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = parameter["in"].as_str().unwrap_or_default();
            let name = if place == "header" {
                name.to_lowercase()
            } else {
                name.to_owned()
            };
            add(
                &format!("{place} parameter `{name}`"),
                &at,
                from_server,
                true,
            );
        }
    }
    for (status, answer) in members(document, &format!("{operation}/responses")) {
        add(&format!("answer {status}"), &answer, !from_server, false);
        for (name, header) in members(document, &format!("{answer}/headers")) {
            add(&format!("header `{name}`"), &header, !from_server, true);
        }
    }
    for (_, media) in members(document, &format!("{body}/content")) {
        for (_, encoding) in members(document, &format!("{media}/encoding")) {
            for (name, header) in members(document, &format!("{encoding}/headers")) {
                add(&format!("header `{name}`"), &header, from_server, true);
            }
        }
    }
}
