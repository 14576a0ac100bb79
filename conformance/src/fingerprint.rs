//! What tells one finding from another over time: the name that a baseline knows it by.
//!
//! A fingerprint is 16 hexadecimal digits of a SHA-256 over, in this order:
//!
//! 1. the rule;
//! 2. the place in each document as a JSON pointer, where an item of a list is named by what it says (a parameter by `in` and
//!    `name`, a reference by its target, a scalar by itself, all others by `*`) and not by its index; the subject in place of the
//!    pointers where a finding has no place;
//! 3. what both documents say there, where that is a scalar or a list of scalars, sorted;
//! 4. the name of the sample, where the message begins with one;
//! 5. a number from the second finding on for which all of this is the same.
//!
//! So it stays the same when lines move, files are renamed, members and parameters change their order, and messages are worded
//! otherwise. It changes when the difference becomes another one, such as `maximum: 50` in place of `maximum: 20`.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::document::{BUNDLED, Document, pointer};
use crate::finding::{Finding, Place};

/// A finding with its fingerprint.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// 16 hexadecimal digits.
    pub fingerprint: String,
    /// The comparison that it belongs to, where a run makes several.
    pub pair: Option<String>,
    /// The finding.
    pub finding: Finding,
}

/// Gives each finding its fingerprint. `theirs` and `ours` are the documents that the places lead into.
pub fn entries(
    findings: Vec<Finding>,
    theirs: Option<&Document>,
    ours: Option<&Document>,
) -> Vec<Entry> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut entry = |finding: Finding| {
        let mut key = format!("{}\n", finding.rule);
        for (place, document) in [(&finding.theirs, theirs), (&finding.ours, ours)] {
            if let Some(place) = place {
                key.push_str(&stable(place, document));
            }
            key.push('\n');
        }
        if finding.theirs.is_none() && finding.ours.is_none() {
            key.push_str(&finding.subject);
        }
        key.push_str(sample(&finding.message));
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            let _ = write!(key, "\n{count}");
        }
        Entry {
            fingerprint: digest(&key),
            pair: None,
            finding,
        }
    };
    findings.into_iter().map(&mut entry).collect()
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

/// The place without indexes, and what stands there.
fn stable(place: &Place, document: Option<&Document>) -> String {
    let Some(document) = document else {
        return place.pointer.clone();
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
    match node.and_then(said) {
        Some(said) => format!("{path}={said}"),
        None => path,
    }
}

/// What names an item of a list apart from its index.
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

/// The name of the sample that a message begins with.
fn sample(message: &str) -> &str {
    message
        .strip_prefix("sample `")
        .and_then(|rest| rest.split('`').next())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift;

    const THEIRS: &str = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    get:\n      parameters:\n        - {in: query, name: p, schema: {type: string, enum: [x, y]}}\n        - {in: query, name: q, schema: {type: integer, maximum: 9}}\n      responses: {'200': {description: d}}\n";

    fn fingerprints(theirs: &str, ours: &str, names: [&str; 2]) -> Vec<String> {
        let theirs = Document::parse(names[0], theirs).unwrap();
        let ours = Document::parse(names[1], ours).unwrap();
        let findings = drift::compare(&theirs, &ours, &drift::Options::default());
        let mut all: Vec<String> = entries(findings, Some(&theirs), Some(&ours))
            .into_iter()
            .map(|entry| entry.fingerprint)
            .collect();
        all.sort();
        all
    }

    #[test]
    fn fingerprints_survive_moved_lines_other_names_and_another_order() {
        let ours = THEIRS
            .replace("maximum: 9", "maximum: 5")
            .replace("[x, y]", "[x, z]");
        let before = fingerprints(THEIRS, &ours, ["a", "b"]);
        assert_eq!(before.len(), 2);
        assert!(before.iter().all(|one| is_fingerprint(one)), "{before:?}");
        let (p, q) = (
            "        - {in: query, name: p, schema: {type: string, enum: [x, z]}}\n",
            "        - {in: query, name: q, schema: {type: integer, maximum: 5}}\n",
        );
        let moved = ours
            .replace(&format!("{p}{q}"), &format!("{q}\n# A comment.\n{p}"))
            .replace("[x, z]", "[z, x]");
        assert_ne!(moved, ours);
        assert_eq!(before, fingerprints(THEIRS, &moved, ["c.yaml", "d.json"]));
    }

    #[test]
    fn another_difference_at_the_same_place_is_another_fingerprint() {
        let of = |maximum: &str| {
            fingerprints(THEIRS, &THEIRS.replace("maximum: 9", maximum), ["a", "b"])
        };
        let (five, four) = (of("maximum: 5"), of("maximum: 4"));
        assert_eq!((five.len(), four.len()), (1, 1));
        assert_ne!(five, four);
    }

    #[test]
    fn the_value_that_proves_a_finding_is_no_part_of_its_fingerprint() {
        let theirs = Document::parse("a", THEIRS).unwrap();
        let ours = THEIRS.replace("maximum: 9", "maximum: 5");
        let ours = Document::parse("b", &ours).unwrap();
        let mut findings = drift::compare(&theirs, &ours, &drift::Options::default());
        let of = |findings: &[Finding]| {
            entries(findings.to_vec(), Some(&theirs), Some(&ours))
                .pop()
                .map(|entry| entry.fingerprint)
        };
        let before = of(&findings);
        assert!(before.is_some());
        assert!(findings[0].witness.is_some() && findings[0].proof.is_some());
        findings[0].witness = Some(serde_json::json!("another"));
        findings[0].proof = Some(crate::finding::Proof::new("another", "another", false));
        assert_eq!(of(&findings), before);
        findings[0].witness = None;
        findings[0].proof = None;
        assert_eq!(of(&findings), before);
    }

    #[test]
    fn no_two_findings_of_a_run_have_the_same_fingerprint() {
        let finding = Finding {
            rule: "r",
            severity: crate::finding::Severity::Info,
            subject: "s".to_owned(),
            message: "m".to_owned(),
            theirs: None,
            ours: None,
            witness: None,
            proof: None,
            exchange: None,
            used_by: crate::finding::Users::default(),
        };
        let all = entries(vec![finding.clone(), finding], None, None);
        assert_ne!(all[0].fingerprint, all[1].fingerprint);
    }
}
