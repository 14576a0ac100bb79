//! The emitted documents in OpenAPI 3.0: valid by its meta-schema, and without drift against their form in 3.1.

use std::fs;
use std::path::Path;

use conformance::document::Document;
use conformance::drift::{Comparison, Options, compare_counted};
use serde_json::{Value, json};

use super::app::APIS;
use crate::openapi::v3_0;

fn compare(theirs: &Value, ours: &Value) -> Comparison {
    let read = |name, value: &Value| Document::parse(name, &value.to_string()).unwrap();
    let options = Options {
        // Nothing is left out, text for readers neither.
        prose: true,
        ..Options::default()
    };
    compare_counted(&read("theirs", theirs), &read("ours", ours), &options)
}

#[test]
fn the_form_of_3_0_does_not_drift_from_that_of_3_1() {
    for (name, _, document) in APIS.documents() {
        let old = v3_0::write(&document);
        assert_eq!(old["openapi"], "3.0.3", "{name}");
        for (theirs, ours) in [(&*document, &old), (&old, &*document)] {
            let comparison = compare(theirs, ours);
            assert_eq!(comparison.findings, Vec::new(), "{name}");
            let webhooks = document["webhooks"]
                .as_object()
                .map_or(0, serde_json::Map::len);
            assert_eq!(comparison.checked["webhooks"], webhooks, "{name}");
            assert!(comparison.checked["operations"] >= 5, "{name}");
        }
    }
}

/// The comparison above has to be one that can fail.
#[test]
fn what_the_form_of_3_0_lost_would_be_found() {
    let lost = [
        (
            "conduit",
            "/x-webhooks/transaction.completed/post/requestBody/content/application~1json/schema/allOf/1/properties/event",
        ),
        (
            "conduit",
            "/components/schemas/Pagination/properties/next/nullable",
        ),
        (
            "equals-money",
            "/components/schemas/Webhook/properties/accountId/nullable",
        ),
        ("operator", "/components/schemas/PublishRequest/allOf"),
        (
            "operator",
            "/components/schemas/ReplayFilter/properties/state/nullable",
        ),
        ("operator", "/components/schemas/Attempt/x-examples"),
        ("operator", "/info/license/x-identifier"),
    ];
    for (name, pointer) in lost {
        let document = APIS.document(name);
        let mut old = v3_0::write(&document);
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let removed = old
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .and_then(|parent| parent.shift_remove(member));
        assert!(removed.is_some(), "{name}: nothing at {pointer}");
        assert_ne!(
            compare(&document, &old).findings,
            Vec::new(),
            "{name}: {pointer}"
        );
    }
}

#[test]
fn the_form_of_3_0_is_valid_by_its_meta_schema() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/tests/meta/openapi-3.0.json");
    let meta: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&meta).unwrap();
    for (name, _, document) in APIS.documents() {
        let mut old = v3_0::write(&document);
        let errors: Vec<String> = validator
            .iter_errors(&old)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
        old["components"]["schemas"]["New"] = json!({ "const": 1 });
        assert!(!validator.is_valid(&old), "{name}: const is not of 3.0");
    }
}

#[test]
fn each_spelling_of_3_1_has_its_counterpart() {
    for (new, old) in [
        (
            json!({ "type": ["null", "string"] }),
            json!({ "type": "string", "nullable": true }),
        ),
        (json!({ "type": ["string"] }), json!({ "type": "string" })),
        (json!({ "const": 1 }), json!({ "enum": [1] })),
        (
            json!({ "exclusiveMinimum": 1, "exclusiveMaximum": 2 }),
            json!({ "minimum": 1, "exclusiveMinimum": true, "maximum": 2, "exclusiveMaximum": true }),
        ),
        (
            json!({ "$ref": "#/a", "description": "d", "allOf": [true] }),
            json!({ "description": "d", "allOf": [{}, { "$ref": "#/a" }] }),
        ),
        (json!({ "$ref": "#/a" }), json!({ "$ref": "#/a" })),
        (
            json!({ "anyOf": [{ "const": 1 }, { "type": "null" }, { "const": 2 }] }),
            json!({ "nullable": true, "anyOf": [{ "enum": [1] }, { "enum": [2] }] }),
        ),
        (
            json!({ "if": { "const": 1 }, "then": false }),
            json!({ "allOf": [{ "anyOf": [{ "not": { "enum": [1] } }, { "not": {} }] }] }),
        ),
        (
            json!({ "properties": { "const": { "const": 1 } }, "additionalProperties": false }),
            json!({ "properties": { "const": { "enum": [1] } }, "additionalProperties": false }),
        ),
        (json!({ "examples": [1] }), json!({ "example": 1 })),
        (
            json!({ "examples": [1, 2] }),
            json!({ "example": 1, "x-examples": [1, 2] }),
        ),
    ] {
        let document = json!({ "components": { "schemas": { "One": new } } });
        let written = v3_0::write(&document);
        assert_eq!(written["components"]["schemas"]["One"], old, "{new}");
    }
}
