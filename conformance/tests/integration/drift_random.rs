//! Properties of any two documents, tried on random documents.
//!
//! The documents are the same each time. `CONFORMANCE_ROUNDS` tries more of them, such as 10000; a failure names its round.

use conformance::document::Document;

use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity};
use generate::{api, change, value};
use held::validator;
use random::Random;
use serde_json::{Map, Value, json};
use shown::{slots, writer};

use crate::drift_support::{generate, held, pointers, random, shown};

/// How many documents are tried.
fn rounds() -> u64 {
    std::env::var("CONFORMANCE_ROUNDS").map_or(500, |text| text.parse().expect("a number"))
}

fn differences(old: &Value, new: &Value) -> Vec<Finding> {
    let parsed = |value: &Value| {
        let text = value.to_string();
        Document::parse("d", &text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    compare(&parsed(old), &parsed(new), &Options::default())
}

#[test]
fn a_document_is_equal_to_itself_however_it_is_written() {
    for round in 0..rounds() / 3 {
        let mut old = api(&mut Random::new(round));
        if round % 2 == 0 {
            // OpenAPI 3.0 has no webhooks.
            old.as_object_mut()
                .expect("an object")
                .shift_remove("webhooks");
        }
        let spelled = if round % 2 == 0 {
            in_3_0(&old)
        } else {
            old.clone()
        };
        for (what, new) in [
            ("itself", old.clone()),
            ("reordered", reordered(&old)),
            ("renamed", renamed(&old)),
            ("3.0", spelled),
        ] {
            assert_eq!(differences(&old, &new), [], "round {round}: {what}\n{old}");
            assert_eq!(
                differences(&new, &old),
                [],
                "round {round}: {what}, back\n{old}"
            );
        }
    }
}

#[test]
fn what_is_found_is_shown_and_what_is_not_found_does_no_harm() {
    let (mut shown, mut silent, mut tried) = (0, 0, 0);
    let (mut graves, mut unshown) = (0, 0);
    for round in 0..rounds() {
        let mut random = Random::new(round + 1_000_000);
        let old = api(&mut random);
        let mut new = old.clone();
        let places: Vec<String> = pointers::pointers(&old)
            .into_iter()
            .filter(|pointer| pointer.contains("/schema/") || pointer.contains("/schemas/"))
            .collect();
        for _ in 0..=random.below(4) {
            change(&mut random, &mut new, &places);
        }
        let findings = differences(&old, &new);
        for finding in &findings {
            if let Err(fault) = writer(&old, &new, finding) {
                panic!("round {round}: {fault}\n{finding:#?}\n{old}\n{new}");
            }
            let schema = finding.rule.starts_with("schema-");
            let breaking = schema && finding.severity == Severity::Breaking;
            graves += usize::from(breaking);
            unshown += usize::from(breaking && finding.witness.is_none());
            shown += usize::from(finding.witness.is_some());
        }
        let harmless = |finding: &Finding| finding.severity > Severity::Undecided;
        if findings.iter().all(harmless) {
            silent += 1;
            tried += no_harm(&mut random, (&old, &new), round);
        }
    }
    // The test can fail only where there is something to try.
    assert!(shown as u64 > rounds() / 4, "{shown}");
    // Some are proven by arithmetic, or lie where no whole value was found: these documents have schemas that accept next to nothing.
    assert!(unshown * 3 <= graves, "{unshown} of {graves}");
    assert!(silent > rounds() / 10, "{silent}");
    assert!(tried > rounds() * 3, "{tried}");
}

/// Sends values that the sender's document allows, and says how many there were.
fn no_harm(random: &mut Random, (old, new): (&Value, &Value), round: u64) -> u64 {
    let mut tried = 0;
    for (one, other) in slots(old).iter().zip(slots(new)) {
        let (Some(pointer), Some(_)) = (&one.pointer, &other.pointer) else {
            continue;
        };
        let (sender, receiver) = if one.from_server {
            (new, old)
        } else {
            (old, new)
        };
        let written = validator(sender, pointer, one.from_server);
        let read = validator(receiver, pointer, one.from_server);
        let schema = sender.pointer(pointer).expect("a schema");
        for _ in 0..25 {
            let value = value(random, sender, schema, 5);
            if one.can_hold(&value) && written.is_valid(&value) {
                tried += 1;
                assert!(
                    read.is_valid(&value),
                    "round {round}: {value} at {pointer}\n{old}\n{new}"
                );
            }
        }
    }
    tried
}

/// The members of all objects, and the lists that have no order, the other way round.
fn reordered(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .rev()
            .map(|(key, member)| {
                let mut member = reordered(member);
                let unordered = ["allOf", "anyOf", "oneOf", "enum", "required", "type"];
                if let (true, Value::Array(items)) =
                    (unordered.contains(&key.as_str()), &mut member)
                {
                    items.reverse();
                }
                (key.clone(), member)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(reordered).collect(),
        other => other.clone(),
    }
}

fn renamed(value: &Value) -> Value {
    let mut renamed = value.clone();
    if let Some(Value::Object(schemas)) = renamed.pointer_mut("/components/schemas") {
        *schemas = std::mem::take(schemas)
            .into_iter()
            .map(|(name, schema)| (format!("The{name}"), schema))
            .collect();
    }
    let text = renamed.to_string();
    let text = text.replace("#/components/schemas/", "#/components/schemas/The");
    serde_json::from_str(&text).expect("is JSON")
}

/// The document in the spellings of OpenAPI 3.0, as far as it has other ones.
fn in_3_0(value: &Value) -> Value {
    fn spelled(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut members: Map<String, Value> = members
                    .iter()
                    .map(|(key, member)| (key.clone(), spelled(member)))
                    .collect();
                if let Some([kind, null]) = members
                    .get("type")
                    .and_then(Value::as_array)
                    .map(Vec::as_slice)
                    && null == "null"
                {
                    let kind = kind.clone();
                    members.insert("type".to_owned(), kind);
                    members.insert("nullable".to_owned(), json!(true));
                }
                for (flag, bound) in [
                    ("exclusiveMinimum", "minimum"),
                    ("exclusiveMaximum", "maximum"),
                ] {
                    if let Some(limit @ Value::Number(_)) = members.get(flag).cloned() {
                        members.insert(bound.to_owned(), limit);
                        members.insert(flag.to_owned(), json!(true));
                    }
                }
                Value::Object(members)
            }
            Value::Array(items) => items.iter().map(spelled).collect(),
            other => other.clone(),
        }
    }
    let mut all = spelled(value);
    all["openapi"] = json!("3.0.3");
    all
}
