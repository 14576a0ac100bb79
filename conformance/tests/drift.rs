//! Drift by its cases: a base document, one edit a file, and the findings that the edit has to have.

#[path = "drift_support/cases.rs"]
mod cases;
mod drift_support;
#[path = "drift_support/edits.rs"]
mod edits;
#[path = "drift_support/pointers.rs"]
mod pointers;

use std::collections::BTreeSet;

use cases::{case_files, read_json};
use conformance::document::Document;
use conformance::drift::{Options, compare, compare_counted};
use conformance::finding::{Finding, Severity};
use drift_support::{document, read};
use edits::patch;
use pointers::pointers;
use serde_json::{Value, json};

fn base() -> Document {
    Document::parse("base.yaml", &read("base.yaml")).expect("the base is a document")
}

fn edited(case: &Value) -> Document {
    let mut value = base().value().clone();
    for edit in case["patch"].as_array().expect("a list of edits") {
        patch(&mut value, edit);
    }
    document("ours.json", &value)
}

#[test]
fn each_edit_is_reported_once_and_at_its_place() {
    let theirs = base();
    let text = read("base.yaml");
    let lines: Vec<&str> = text.lines().collect();
    let mut wrong = Vec::new();
    let files = case_files("edits");
    assert!(files.len() >= 40, "{}", files.len());
    for file in files {
        let case = read_json(&file);
        let mut findings = compare(&theirs, &edited(&case), &Options::default());
        if case["partial"] == true {
            findings.retain(|finding| {
                case["findings"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|one| one["rule"] == finding.rule)
            });
        }
        let found: Vec<Value> = findings.iter().map(shape).collect();
        let expected: Vec<Value> = case["findings"].as_array().expect("findings").clone();
        let sorted = |list: &[Value]| list.iter().map(Value::to_string).collect::<BTreeSet<_>>();
        let shaped: Vec<Value> = expected.iter().map(with_users).collect();
        if found.len() != expected.len() || sorted(&found) != sorted(&shaped) {
            wrong.push(format!(
                "{file}\n  expected {}\n  found    {}",
                json!(shaped),
                json!(found)
            ));
        }
        for finding in &findings {
            let place = finding.theirs.as_ref().expect("a place");
            let last = place
                .pointer
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .replace("~1", "/")
                .replace("~0", "~");
            let from: String = lines[place.line as usize - 1]
                .chars()
                .skip(place.column as usize - 1)
                .collect();
            let is_index = last.parse::<usize>().is_ok() && !from.starts_with(['"', '\'']);
            if !is_index
                && !from
                    .trim_start_matches(['"', '\''])
                    .starts_with(last.as_str())
            {
                wrong.push(format!(
                    "{file}: {} is not at {}:{}",
                    place.pointer, place.line, place.column
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shape(finding: &Finding) -> Value {
    let pointer = |place: &Option<conformance::finding::Place>| {
        place.as_ref().map(|place| place.pointer.clone())
    };
    json!({
        "rule": finding.rule,
        "severity": finding.severity.word(),
        "theirs": pointer(&finding.theirs),
        "ours": pointer(&finding.ours),
        "users": finding.used_by.others(),
    })
}

fn with_users(finding: &Value) -> Value {
    let users = finding.get("users").cloned().unwrap_or_else(|| json!([]));
    json!({"rule": finding["rule"], "severity": finding["severity"], "theirs": finding["theirs"], "ours": finding["ours"], "users": users})
}

#[test]
fn an_edit_is_found_from_both_sides() {
    let theirs = base();
    for file in case_files("edits") {
        let case = read_json(&file);
        assert!(
            !compare(&edited(&case), &theirs, &Options::default()).is_empty(),
            "{file}"
        );
    }
}

#[test]
fn the_base_compared_with_itself_is_clean() {
    let comparison = compare_counted(
        &base(),
        &base(),
        &Options {
            prose: true,
            ..Options::default()
        },
    );
    assert_eq!(comparison.findings, []);
    assert_eq!(
        (
            comparison.checked["operations"],
            comparison.checked["webhooks"]
        ),
        (4, 1)
    );
    assert!(comparison.checked["schemas"] > 50);
}

#[test]
fn the_base_as_json_and_with_its_members_in_another_order_is_clean() {
    let theirs = base();
    let ours = document("base.json", theirs.value());
    assert_eq!(compare(&theirs, &ours, &Options::default()), []);
    let sorted: Value = serde_json::to_value(reversed(theirs.value())).expect("is JSON");
    assert_eq!(
        compare(
            &theirs,
            &document("reversed.json", &sorted),
            &Options {
                prose: true,
                ..Options::default()
            }
        ),
        []
    );
}

/// The value with all members of objects in the opposite order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .rev()
            .map(|(key, member)| (key.clone(), reversed(member)))
            .collect(),
        Value::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

/// The check that the check is no silent no-op: every scalar and every member below the parts that are in use matters.
#[test]
fn any_change_of_any_value_is_reported() {
    let theirs = base();
    let skipped = |pointer: &str| {
        // Text for readers, provenance, and the version of OpenAPI itself.
        pointer.ends_with("/description") && !pointer.contains("/properties/description")
            || pointer.ends_with("/summary")
            || pointer.ends_with("/title")
                && pointer != "/info/title"
                && !pointer.contains("/value/")
            || pointer.ends_with("/$comment")
            || pointer.contains("/x-decision")
            || pointer.contains("/scopes/")
            || pointer == "/openapi"
    };
    let mut missed = Vec::new();
    let mut tried = 0;
    for pointer in pointers(theirs.value()) {
        let node = theirs.value().pointer(&pointer).expect("exists");
        if skipped(&pointer) || node.is_object() || node.is_array() {
            continue;
        }
        let mut value = theirs.value().clone();
        let changed = match node {
            Value::Bool(flag) => json!(!flag),
            Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 1.0),
            Value::String(_) if pointer.ends_with("/$ref") => json!("#/components/schemas/Missing"),
            Value::String(_) if pointer.ends_with("/type") => json!("boolean"),
            _ => json!("changed"),
        };
        *value.pointer_mut(&pointer).expect("exists") = changed;
        tried += 1;
        if compare(&theirs, &document("ours.json", &value), &Options::default()).is_empty() {
            missed.push(pointer);
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn text_for_readers_is_compared_on_request_only() {
    let theirs = base();
    for pointer in [
        "/info/description",
        "/tags/0/description",
        "/paths/~1orders/summary",
        "/paths/~1orders/get/summary",
        "/components/parameters/PageSize/description",
        "/components/schemas/NewOrder/description",
        "/components/schemas/Problem/title",
        "/components/schemas/Problem/properties/title/$comment",
        "/components/examples/Large/summary",
    ] {
        let mut value = theirs.value().clone();
        *value.pointer_mut(pointer).expect(pointer) = json!("Other words.");
        let ours = document("ours.json", &value);
        assert_eq!(
            compare(&theirs, &ours, &Options::default()),
            [],
            "{pointer}"
        );
        let findings = compare(
            &theirs,
            &ours,
            &Options {
                prose: true,
                ..Options::default()
            },
        );
        assert_eq!(findings.len(), 1, "{pointer}: {findings:?}");
        assert_eq!(findings[0].severity, Severity::Info, "{pointer}");
    }
}

#[test]
fn the_same_documents_give_the_same_findings_in_the_same_order() {
    let theirs = base();
    let mut value = theirs.value().clone();
    for file in case_files("edits")
        .iter()
        .filter(|file| file.contains("/schema-") || file.contains("/parameter-s"))
    {
        let mut copy = value.clone();
        for edit in read_json(file)["patch"].as_array().expect("edits") {
            if edit["op"] == "replace"
                && copy.pointer(edit["path"].as_str().expect("path")).is_some()
            {
                patch(&mut copy, edit);
            }
        }
        value = copy;
    }
    let ours = document("ours.json", &value);
    let first = compare(&theirs, &ours, &Options::default());
    assert!(first.len() > 10);
    for _ in 0..5 {
        assert_eq!(compare(&theirs, &ours, &Options::default()), first);
    }
}
