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

/// What is found of a parameter of a path.
fn in_path(path: &str, style: Option<&str>, old: &Value, new: &Value) -> Vec<Finding> {
    let document = |schema: &Value| {
        let mut parameter = json!({"in": "path", "name": "p", "required": true, "schema": schema});
        if let Some(style) = style {
            parameter["style"] = json!(style);
        }
        let operation =
            json!({"parameters": [parameter], "responses": {"200": {"description": "d"}}});
        let value = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {path: {"get": operation}}});
        Document::parse("d", &value.to_string()).expect("a document")
    };
    compare(&document(old), &document(new), &Options::default())
}

#[test]
fn a_segment_of_a_path_is_never_empty() {
    let text = json!({"type": "string"});
    let list = json!({"type": "array", "items": text});
    for (old, new) in [
        (text.clone(), json!({"type": "string", "minLength": 1})),
        (
            text.clone(),
            json!({"type": "string", "pattern": r"[\s\S]"}),
        ),
        (
            json!({"type": "string", "pattern": "^[a-z]*$"}),
            json!({"type": "string", "pattern": "^[a-z]+$"}),
        ),
        (
            list.clone(),
            json!({"type": "array", "items": text, "minItems": 1}),
        ),
    ] {
        for (old, new) in [(&old, &new), (&new, &old)] {
            assert!(
                in_path("/a/{p}", None, old, new).is_empty(),
                "{old} to {new}"
            );
        }
    }
    // These leave room for an empty text.
    let required = json!({"type": "string", "minLength": 1});
    for (path, style) in [
        ("/a/{p}.json", None),
        ("/a/x{p}", None),
        ("/a/{p}", Some("label")),
    ] {
        let findings = in_path(path, style, &text, &required);
        let severities: Vec<Severity> = findings.iter().map(|one| one.severity).collect();
        assert_eq!(severities, [Severity::Breaking], "{path} {style:?}");
    }
    let two = json!({"type": "string", "minLength": 2});
    let findings = in_path("/a/{p}", None, &text, &two);
    assert_eq!(findings[0].severity, Severity::Breaking);
    assert_eq!(
        findings[0].witness.as_ref().map(|text| text != ""),
        Some(true)
    );
}

#[test]
fn a_list_of_nothing_is_not_sent_so_a_list_of_something_may_be_demanded() {
    let list =
        |least: u64| json!({"type": "array", "items": {"type": "string"}, "minItems": least});
    for place in PLACES {
        assert!(found(place, &list(0), &list(1)).is_empty(), "{place}");
        assert!(found(place, &list(1), &list(0)).is_empty(), "{place}");
        let findings = found(place, &list(0), &list(2));
        let severities: Vec<Severity> = findings.iter().map(|one| one.severity).collect();
        assert_eq!(severities, [Severity::Breaking], "{place}");
    }
}

#[test]
fn an_example_of_a_text_is_a_text() {
    let short = |most: u64| json!({"type": "string", "maxLength": most});
    let items = |schema: Value| json!({"type": "array", "items": schema});
    for most in [2, 3, 4] {
        for old in [json!({"type": "string"}), short(5)] {
            for place in PLACES {
                for finding in found(place, &old, &short(most)) {
                    let shown = finding.witness.as_ref().expect("a witness");
                    let value = if place == "query" { shown } else { &shown["a"] };
                    assert!(value.is_string(), "{place}: {shown}");
                }
                for finding in found(place, &items(old.clone()), &items(short(most))) {
                    let shown = finding.witness.as_ref().expect("a witness");
                    let value = if place == "query" { shown } else { &shown["a"] };
                    let all = value.as_array().expect("a list");
                    assert!(all.iter().all(Value::is_string), "{place}: {shown}");
                }
            }
            for finding in in_path("/a/{p}", None, &old, &short(most)) {
                let shown = finding.witness.as_ref().expect("a witness");
                assert!(shown.is_string(), "{shown}");
            }
        }
    }
}
