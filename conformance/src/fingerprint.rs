//! The identity of a finding over time: the name that a baseline knows it by.
//!
//! A fingerprint is 16 hexadecimal digits of a SHA-256 over, in this order:
//!
//! 1. the rule;
//! 2. the place in each document as a JSON pointer, where an item of a list is named by its content (a parameter by `in` and
//!    `name`, a reference by its target, a scalar by itself, all others by `*`) and not by its index; the subject in place of the
//!    pointers where a finding has no place;
//! 3. the values of the message, where lists of scalars have no order and a schema with a name is its name; for a finding of
//!    `replay` the name of the sample and the scalar at the place, since what a server sends differs from run to run;
//! 4. a number from the second finding on for which all of this is the same.
//!
//! So it stays the same when lines move, files are renamed, members and parameters change their order, and messages are worded
//! otherwise. It changes when the difference becomes another one, such as `maximum: 50` in place of `maximum: 20`.
//!
//! The first form of fingerprints had the scalars at the places in place of the values of the message. It is computed too, so that
//! a baseline that was written then still accepts what it accepted.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::document::keyword::SINGLE;
use crate::document::{BUNDLED, Document, pointer};
use crate::finding::{Comparison, Finding, Message, Place};

/// A finding with its fingerprint.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// 16 hexadecimal digits.
    pub fingerprint: String,
    /// The fingerprint in the first form.
    pub former: String,
    /// The comparison that it belongs to, where a run makes several.
    pub pair: Option<String>,
    /// The relation of the documents.
    pub comparison: Comparison,
    /// The finding.
    pub finding: Finding,
}

/// Gives each finding its fingerprint. `old` and `new` are the documents that the places lead into.
pub fn entries(
    findings: Vec<Finding>,
    comparison: Comparison,
    old: Option<&Document>,
    new: Option<&Document>,
) -> Vec<Entry> {
    let mut current = Counted::default();
    let mut counted = Counted::default();
    let entry = |finding: Finding| {
        let places = [(&finding.old, old), (&finding.new, new)]
            .map(|(place, document)| place.as_ref().map(|place| stable(place, document)));
        let first = first_form(&finding, &places);
        let (fingerprint, former) = match identity(&finding.message) {
            // A finding of the first form named all differences of a keyword that have a finding each by now.
            Some(values) => (
                current.digest(second_form(&finding, &places, &values)),
                digest(&first),
            ),
            None => {
                let fingerprint = counted.digest(first);
                (fingerprint.clone(), fingerprint)
            }
        };
        Entry {
            fingerprint,
            former,
            pair: None,
            comparison,
            finding,
        }
    };
    findings.into_iter().map(entry).collect()
}

/// A place without indexes, and the scalar there.
type Stable = Option<(String, Option<String>)>;

/// Digests that tell equal texts apart.
#[derive(Default)]
struct Counted {
    seen: HashMap<String, usize>,
}

impl Counted {
    fn digest(&mut self, mut key: String) -> String {
        let count = self.seen.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            let _ = write!(key, "\n{count}");
        }
        digest(&key)
    }
}

fn first_form(finding: &Finding, places: &[Stable; 2]) -> String {
    let mut key = format!("{}\n", finding.rule);
    for place in places {
        match place {
            Some((path, Some(said))) => {
                let _ = write!(key, "{path}={said}");
            }
            Some((path, None)) => key.push_str(path),
            None => {}
        }
        key.push('\n');
    }
    if places.iter().all(Option::is_none) {
        key.push_str(&finding.subject);
    }
    key.push_str(match &finding.message {
        Message::Replay(fault) => fault.sample().unwrap_or_default(),
        Message::Schema(_)
        | Message::Document(_)
        | Message::Flow(_)
        | Message::Delivery(_)
        | Message::Receiver(_)
        | Message::Baseline(_) => "",
    });
    key
}

fn second_form(finding: &Finding, places: &[Stable; 2], values: &Value) -> String {
    let mut key = format!("2\n{}\n", finding.rule);
    for place in places {
        key.push_str(place.as_ref().map_or("", |(path, _)| path));
        key.push('\n');
    }
    if places.iter().all(Option::is_none) {
        key.push_str(&finding.subject);
    }
    let _ = write!(key, "\n{values}");
    key
}

/// The values of a message without what changes for no reason; none where the message has none that last.
fn identity(message: &Message) -> Option<Value> {
    match message {
        Message::Replay(_) => None,
        Message::Flow(fault) => Some(fault.identity()),
        Message::Delivery(fault) => Some(fault.identity()),
        Message::Receiver(fault) => Some(fault.identity()),
        Message::Schema(_) | Message::Document(_) | Message::Baseline(_) => {
            let mut values = serde_json::to_value(message).ok()?;
            without_schemas(&mut values);
            steady(&mut values);
            Some(values)
        }
    }
}

/// Leaves out the value of a keyword that holds a schema, which fingerprints never had.
fn without_schemas(message: &mut Value) {
    let Some(change) = message.get_mut("change").and_then(Value::as_object_mut) else {
        return;
    };
    let keyword = change.get("keyword").and_then(Value::as_str);
    if keyword.is_some_and(|keyword| SINGLE.contains(&keyword)) && change.contains_key("value") {
        change.insert("value".to_owned(), Value::Null);
    }
}

/// Sorts lists of scalars, and leaves only the name of a schema that has one: all else about it may change with its component.
fn steady(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(steady);
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array())
            {
                items.sort_by_key(Value::to_string);
            }
        }
        Value::Object(members) => {
            if members.contains_key("alternatives")
                && members.get("name").is_some_and(Value::is_string)
            {
                members.retain(|member, _| member == "name");
            }
            members.values_mut().for_each(steady);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// 16 hexadecimal digits that stand for `text`.
pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(8)
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Whether `text` has the form of a fingerprint.
pub(crate) fn is_fingerprint(text: &str) -> bool {
    text.len() == 16
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The place without indexes, and the scalar there.
fn stable(place: &Place, document: Option<&Document>) -> (String, Option<String>) {
    let Some(document) = document else {
        return (place.pointer.clone(), None);
    };
    let mut path = String::new();
    let mut node = Some(document.value());
    let tokens: Vec<String> = pointer::tokens(&place.node).collect();
    // The number of a file says only when it was referred to first.
    let other_file = tokens.first().is_some_and(|token| token == BUNDLED);
    for (depth, token) in tokens.into_iter().enumerate() {
        let (label, next) = match node {
            Some(Value::Array(items)) => {
                let item = token
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index));
                (item.map_or_else(|| token.clone(), label), item)
            }
            Some(Value::Object(members)) => (token.clone(), members.get(&token)),
            _ => (token.clone(), None),
        };
        if !(other_file && depth < 2) {
            path = pointer::join(&path, &label);
        }
        node = next;
    }
    (path, node.and_then(said))
}

/// The name of an item of a list apart from its index.
fn label(item: &Value) -> String {
    let text = |member: &str| item.get(member).and_then(Value::as_str);
    match (text("$ref"), text("in"), text("name")) {
        (Some(reference), ..) => reference.to_owned(),
        (_, Some(place), Some(name)) => format!("{place}:{name}"),
        (.., Some(name)) => name.to_owned(),
        _ => said(item).unwrap_or_else(|| "*".to_owned()),
    }
}

/// A scalar, or a list of scalars without its order.
fn said(value: &Value) -> Option<String> {
    let scalar =
        |value: &Value| (!value.is_object() && !value.is_array()).then(|| value.to_string());
    let Value::Array(items) = value else {
        return scalar(value);
    };
    let mut items: Vec<String> = items.iter().map(scalar).collect::<Option<_>>()?;
    items.sort();
    Some(items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift;
    use crate::finding::{Proof, SchemaChange, Severity, Shape, Side};

    const OLD: &str = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    get:\n      parameters:\n        - {in: query, name: p, schema: {type: string, enum: [x, y]}}\n        - {in: query, name: q, schema: {type: integer, maximum: 9}}\n      responses: {'200': {description: d}}\n";

    fn fingerprints(old: &str, new: &str, names: [&str; 2]) -> Vec<String> {
        let old = Document::parse(names[0], old).unwrap();
        let new = Document::parse(names[1], new).unwrap();
        let findings = drift::compare(&old, &new, &drift::Options::default());
        let mut all: Vec<String> = entries(findings, Comparison::Versions, Some(&old), Some(&new))
            .into_iter()
            .map(|entry| entry.fingerprint)
            .collect();
        all.sort();
        all
    }

    #[test]
    fn fingerprints_survive_moved_lines_other_names_and_another_order() {
        let new = OLD
            .replace("maximum: 9", "maximum: 5")
            .replace("[x, y]", "[x, z]");
        let before = fingerprints(OLD, &new, ["a", "b"]);
        // A value that is gone, one that is new, and a lower limit.
        assert_eq!(before.len(), 3);
        assert!(before.iter().all(|one| is_fingerprint(one)), "{before:?}");
        let (p, q) = (
            "        - {in: query, name: p, schema: {type: string, enum: [x, z]}}\n",
            "        - {in: query, name: q, schema: {type: integer, maximum: 5}}\n",
        );
        let moved = new
            .replace(&format!("{p}{q}"), &format!("{q}\n# A comment.\n{p}"))
            .replace("[x, z]", "[z, x]");
        assert_ne!(moved, new);
        assert_eq!(before, fingerprints(OLD, &moved, ["c.yaml", "d.json"]));
    }

    #[test]
    fn the_first_form_of_a_fingerprint_is_what_it_was() {
        let new = OLD.replace("maximum: 9", "maximum: 5");
        let (old, new) = (
            Document::parse("a", OLD).unwrap(),
            Document::parse("b", &new).unwrap(),
        );
        let at = "/paths/~1a/get/parameters/1/schema/maximum";
        let change = |value: u32| SchemaChange::KeywordChanged {
            keyword: "maximum".to_owned(),
            old: Some(Value::from(9).into()),
            new: Some(Value::from(value).into()),
        };
        let of = |message: Message| {
            let finding = Finding {
                old: Some(Place::of(&old, at)),
                new: Some(Place::of(&new, at)),
                ..Finding::new(
                    "schema-keyword-changed",
                    Severity::Breaking,
                    "GET /a",
                    message,
                )
            };
            let comparison = Comparison::Versions;
            entries(vec![finding], comparison, Some(&old), Some(&new)).remove(0)
        };
        let data = of(change(5).into());
        // As the release of 2026-11-22 gave it.
        assert_eq!(data.former, "21e15d81d53a486f");
        assert_ne!(data.fingerprint, data.former);
        assert_ne!(data.fingerprint, of(change(4).into()).fingerprint);
    }

    #[test]
    fn differences_of_one_keyword_have_the_first_form_that_the_keyword_had() {
        let values = vec![Value::from("x").into()];
        let keyword = || "enum".to_owned();
        let changes = [
            SchemaChange::ValuesRemoved {
                keyword: keyword(),
                values: values.clone(),
            },
            SchemaChange::ValuesAdded {
                keyword: keyword(),
                values,
            },
        ];
        let findings = changes.map(|change| Finding::new("r", Severity::Info, "s", change));
        let all = entries(findings.to_vec(), Comparison::Versions, None, None);
        assert_eq!(all[0].former, all[1].former);
        assert_ne!(all[0].fingerprint, all[1].fingerprint);
    }

    #[test]
    fn the_values_of_a_message_have_no_order_and_a_named_schema_is_its_name() {
        let of = |change: SchemaChange| {
            let finding = Finding::new("r", Severity::Info, "s", change);
            entries(vec![finding], Comparison::Versions, None, None)
                .remove(0)
                .fingerprint
        };
        let values = |values: [&str; 2]| SchemaChange::ValuesAdded {
            keyword: "enum".to_owned(),
            values: values.map(|value| Value::from(value).into()).to_vec(),
        };
        assert_eq!(of(values(["a", "b"])), of(values(["b", "a"])));
        assert_ne!(of(values(["a", "b"])), of(values(["a", "c"])));
        let alternative = |name: Option<&str>, properties| SchemaChange::AlternativeAdded {
            keyword: "oneOf".to_owned(),
            shape: Shape {
                name: name.map(str::to_owned),
                properties,
                ..Shape::default()
            },
        };
        assert_eq!(
            of(alternative(Some("Loan"), 2)),
            of(alternative(Some("Loan"), 3))
        );
        assert_ne!(of(alternative(None, 2)), of(alternative(None, 3)));
    }

    #[test]
    fn another_difference_at_the_same_place_is_another_fingerprint() {
        let of = |maximum: &str| fingerprints(OLD, &OLD.replace("maximum: 9", maximum), ["a", "b"]);
        let (five, four) = (of("maximum: 5"), of("maximum: 4"));
        assert_eq!((five.len(), four.len()), (1, 1));
        assert_ne!(five, four);
    }

    #[test]
    fn the_value_that_proves_a_finding_is_no_part_of_its_fingerprint() {
        let old = Document::parse("a", OLD).unwrap();
        let new = OLD.replace("maximum: 9", "maximum: 5");
        let new = Document::parse("b", &new).unwrap();
        let mut findings = drift::compare(&old, &new, &drift::Options::default());
        let of = |findings: &[Finding]| {
            entries(
                findings.to_vec(),
                Comparison::Versions,
                Some(&old),
                Some(&new),
            )
            .pop()
            .map(|entry| entry.fingerprint)
        };
        let before = of(&findings);
        assert!(before.is_some());
        assert!(findings[0].witness.is_some() && findings[0].proof.is_some());
        findings[0].witness = Some(serde_json::json!("another"));
        findings[0].proof = Some(Proof::new("another", "another", Side::New, String::new()));
        assert_eq!(of(&findings), before);
        findings[0].witness = None;
        findings[0].proof = None;
        assert_eq!(of(&findings), before);
    }

    #[test]
    fn no_two_findings_of_a_run_have_the_same_fingerprint() {
        let finding = Finding::new("r", Severity::Info, "s", SchemaChange::MeaningChanged);
        let all = entries(
            vec![finding.clone(), finding],
            Comparison::Single,
            None,
            None,
        );
        assert_ne!(all[0].fingerprint, all[1].fingerprint);
    }
}
