//! Parameters, headers and the members of forms are text, and one rule holds for all of them.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Comparison, Finding, Severity};
use conformance::report::words;
use serde_json::{Value, json};

/// Places whose values are text that a client sends.
const PLACES: [&str; 3] = ["query", "form", "multipart"];

fn document(place: &str, schema: &Value) -> Document {
    let form = |media: &str| {
        let schema = json!({"type": "object", "properties": {"a": schema}});
        json!({"content": {media: {"schema": schema}}})
    };
    let mut operation = json!({"responses": {"200": {"description": "d"}}});
    match place {
        "query" => {
            operation["parameters"] = json!([{"in": "query", "name": "a", "schema": schema}]);
        }
        "header" => {
            operation["responses"]["200"]["headers"] = json!({"X-A": {"schema": schema}});
        }
        "form" => operation["requestBody"] = form("application/x-www-form-urlencoded"),
        _ => operation["requestBody"] = form("multipart/form-data"),
    }
    let value = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}}});
    Document::parse("d", &value.to_string()).expect("a document")
}

fn found(place: &str, old: &Value, new: &Value) -> Vec<Finding> {
    compare(
        &document(place, old),
        &document(place, new),
        &Options::default(),
    )
}

#[test]
fn what_is_the_same_text_is_the_same_in_parameters_and_forms() {
    use Severity::{Breaking, Warning};
    let cases: Vec<(Value, Value, Option<Severity>, Option<Severity>)> = vec![
        // Every number is a text, and not every text is a number.
        (
            json!({"type": "integer"}),
            json!({"type": "string"}),
            Some(Warning),
            Some(Breaking),
        ),
        (
            json!({"type": "boolean"}),
            json!({"type": "string"}),
            Some(Warning),
            Some(Breaking),
        ),
        (
            json!({"type": "array", "items": {"type": "integer"}}),
            json!({"type": "array", "items": {"type": "string"}}),
            Some(Warning),
            Some(Breaking),
        ),
        // A name that is given twice is no string.
        (
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "string"}),
            Some(Breaking),
            Some(Warning),
        ),
        (
            json!({"type": "string", "enum": ["1", "2"]}),
            json!({"type": "integer", "enum": [1, 2]}),
            None,
            None,
        ),
        (json!({"const": "1"}), json!({"const": 1}), None, None),
        (
            json!({"type": "string", "enum": ["1", "x"]}),
            json!({"type": "integer", "enum": [1, 2]}),
            Some(Breaking),
            Some(Breaking),
        ),
        // Null is not text.
        (
            json!({"type": ["integer", "null"]}),
            json!({"type": "integer"}),
            None,
            None,
        ),
        (
            json!({"type": "string", "maxLength": 9}),
            json!({"type": "string", "maxLength": 5}),
            Some(Breaking),
            Some(Warning),
        ),
    ];
    for place in PLACES {
        for (old, new, there, back) in &cases {
            for (old, new, expected) in [(old, new, there), (new, old, back)] {
                let findings = found(place, old, new);
                let gravest = findings.iter().map(|finding| finding.severity).min();
                assert_eq!(gravest, *expected, "{place}: {old} to {new}: {findings:?}");
            }
        }
    }
}

#[test]
fn objects_in_a_form_are_json_and_keep_their_types() {
    let object = |kind: &str| json!({"type": "object", "properties": {"x": {"type": kind}}});
    for place in ["form", "multipart"] {
        for (old, new) in [("integer", "string"), ("string", "integer")] {
            let findings = found(place, &object(old), &object(new));
            let severities: Vec<Severity> =
                findings.iter().map(|finding| finding.severity).collect();
            assert_eq!(severities, [Severity::Breaking], "{place}: {old} to {new}");
        }
    }
}

#[test]
fn a_list_of_nothing_is_no_example_of_text() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    for place in PLACES {
        for finding in found(place, &list, &json!({"type": "string"})) {
            let shown = finding.witness.as_ref().expect("a witness");
            let value = if place == "query" { shown } else { &shown["a"] };
            let items = value.as_array().expect("a list");
            assert!(
                items.len() > 1 && items.iter().all(Value::is_string),
                "{shown}"
            );
        }
    }
}

#[test]
fn a_header_of_a_response_is_what_clients_get() {
    let findings = found(
        "header",
        &json!({"type": "integer"}),
        &json!({"type": "string"}),
    );
    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    assert_eq!(
        words::of(finding, Comparison::Versions),
        "the header `X-A` was an integer, is now a string: new may answer a string, which clients of old do not expect"
    );
}
