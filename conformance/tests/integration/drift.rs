//! Drift of a document that has one of everything: clean against itself, and no change of it is overlooked.

use conformance::document::Document;
use conformance::drift::{Options, compare, compare_counted};
use conformance::finding::Severity;
use pointers::pointers;
use serde_json::{Value, json};

use crate::drift_support::pointers;
use crate::drift_support::{document, read};

fn base() -> Document {
    Document::parse("base.yaml", &read("base.yaml")).expect("the base is a document")
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
    let old = base();
    let new = document("base.json", old.value());
    assert_eq!(compare(&old, &new, &Options::default()), []);
    let sorted: Value = serde_json::to_value(reversed(old.value())).expect("is JSON");
    assert_eq!(
        compare(
            &old,
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
    let old = base();
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
    for pointer in pointers(old.value()) {
        let node = old.value().pointer(&pointer).expect("exists");
        if skipped(&pointer) || node.is_object() || node.is_array() {
            continue;
        }
        let mut value = old.value().clone();
        let changed = match node {
            Value::Bool(flag) => json!(!flag),
            Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 1.0),
            Value::String(_) if pointer.ends_with("/$ref") => json!("#/components/schemas/Missing"),
            Value::String(_) if pointer.ends_with("/type") => json!("boolean"),
            _ => json!("changed"),
        };
        *value.pointer_mut(&pointer).expect("exists") = changed;
        tried += 1;
        if compare(&old, &document("new.json", &value), &Options::default()).is_empty() {
            missed.push(pointer);
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn text_for_readers_is_compared_on_request_only() {
    let old = base();
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
        let mut value = old.value().clone();
        *value.pointer_mut(pointer).expect(pointer) = json!("Other words.");
        let new = document("new.json", &value);
        assert_eq!(compare(&old, &new, &Options::default()), [], "{pointer}");
        let findings = compare(
            &old,
            &new,
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
    let old = base();
    let mut value = old.value().clone();
    for (index, pointer) in pointers(old.value()).iter().enumerate() {
        let in_schema = pointer.contains("/schema") && index % 3 == 0;
        match value.pointer_mut(pointer) {
            Some(Value::Number(number)) => {
                *number = (number.as_u64().unwrap_or_default() + 1).into();
            }
            Some(Value::Bool(flag)) => *flag = !*flag,
            Some(Value::String(text)) if in_schema && pointer.ends_with("/type") => {
                "boolean".clone_into(text);
            }
            _ => {}
        }
    }
    let new = document("new.json", &value);
    let first = compare(&old, &new, &Options::default());
    assert!(first.len() > 20, "{}", first.len());
    for _ in 0..5 {
        assert_eq!(compare(&old, &new, &Options::default()), first);
    }
}
