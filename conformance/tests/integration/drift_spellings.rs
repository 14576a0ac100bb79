//! Drift of schemas: equivalent spellings are no difference, and every keyword makes one.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity};
use serde_json::{Map, Value, json};

use crate::drift_support::{document, read};

fn read_json(name: &str) -> Value {
    serde_json::from_str(&read(name)).expect(name)
}

/// A document that uses `schema` in one request and one answer.
fn with_schema(name: &str, schema: &Value, components: &Value) -> Document {
    let content = json!({"application/json": {"schema": schema}});
    document(
        name,
        &json!({
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"post": {
                "operationId": "a",
                "requestBody": {"content": content},
                "responses": {"200": {"description": "d", "content": content}},
            }}},
            "components": {"schemas": components},
        }),
    )
}

fn differences(old: &Value, new: &Value, components: &Value) -> Vec<Finding> {
    let (old, new) = (
        with_schema("old", old, components),
        with_schema("new", new, components),
    );
    compare(&old, &new, &Options::default())
}

#[test]
fn equivalent_spellings_are_no_difference() {
    let cases = read_json("spellings/schemas.json");
    let components = &cases["components"];
    for case in cases["equal"].as_array().expect("cases") {
        let name = &case["name"];
        assert_eq!(
            differences(&case["old"], &case["new"], components),
            [],
            "{name}"
        );
        assert_eq!(
            differences(&case["new"], &case["old"], components),
            [],
            "{name}, the other way"
        );
        // The control shows that the two are compared at all.
        assert_ne!(
            differences(&case["old"], &case["different"], components),
            [],
            "{name}, control"
        );
        assert_ne!(
            differences(&case["new"], &case["different"], components),
            [],
            "{name}, control"
        );
    }
}

#[test]
fn spellings_that_mean_something_else_are_a_difference() {
    let cases = read_json("spellings/schemas.json");
    for case in cases["different"].as_array().expect("cases") {
        assert_ne!(
            differences(&case["old"], &case["new"], &cases["components"]),
            [],
            "{}",
            case["name"]
        );
        assert_ne!(
            differences(&case["new"], &case["old"], &cases["components"]),
            [],
            "{}",
            case["name"]
        );
    }
}

#[test]
fn one_api_spelled_in_3_0_and_3_1_and_3_2_is_clean() {
    let load = |name: &str, text: &str| Document::parse(name, text).expect("a document");
    let new = read("spellings/api-3.1.yaml");
    let (v30, v31) = (
        load("3.0", &read("spellings/api-3.0.yaml")),
        load("3.1", &new),
    );
    let v32 = load("3.2", &new.replace("openapi: 3.1.0", "openapi: 3.2.0"));
    for (old, new) in [(&v30, &v31), (&v31, &v30), (&v31, &v32), (&v30, &v32)] {
        assert_eq!(
            compare(old, new, &Options::default()),
            [],
            "{} and {}",
            old.name(),
            new.name()
        );
    }
}

/// Every keyword of JSON Schema 2020-12 and of the OpenAPI vocabulary, with two values that mean different things.
fn keywords() -> Vec<(&'static str, Value, Value)> {
    let (a, b) = (json!({"type": "string"}), json!({"type": "boolean"}));
    vec![
        // Core.
        (
            "$id",
            json!("https://example.com/a"),
            json!("https://example.com/b"),
        ),
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
            json!("https://example.com/dialect"),
        ),
        (
            "$ref",
            json!("#/components/schemas/A"),
            json!("#/components/schemas/B"),
        ),
        ("$anchor", json!("a"), json!("b")),
        ("$dynamicRef", json!("#a"), json!("#b")),
        ("$dynamicAnchor", json!("a"), json!("b")),
        (
            "$vocabulary",
            json!({"https://example.com/a": true}),
            json!({"https://example.com/a": false}),
        ),
        // Applicators.
        (
            "allOf",
            json!([a, {"minLength": 1}]),
            json!([b, {"minLength": 1}]),
        ),
        (
            "anyOf",
            json!([a, {"type": "integer"}]),
            json!([b, {"type": "integer"}]),
        ),
        (
            "oneOf",
            json!([a, {"type": "integer"}]),
            json!([b, {"type": "integer"}]),
        ),
        ("not", a.clone(), b.clone()),
        ("if", a.clone(), b.clone()),
        ("then", a.clone(), b.clone()),
        ("else", json!({"maxLength": 1}), json!({"maxLength": 2})),
        (
            "dependentSchemas",
            json!({"p": {"required": ["q"]}}),
            json!({"p": {"required": ["r"]}}),
        ),
        ("prefixItems", json!([a]), json!([b])),
        ("items", a.clone(), b.clone()),
        ("contains", a.clone(), b.clone()),
        ("properties", json!({"p": a}), json!({"p": b})),
        ("patternProperties", json!({"^p": a}), json!({"^p": b})),
        ("additionalProperties", a.clone(), b.clone()),
        (
            "propertyNames",
            json!({"pattern": "a"}),
            json!({"pattern": "b"}),
        ),
        ("unevaluatedItems", a.clone(), b.clone()),
        ("unevaluatedProperties", a.clone(), b.clone()),
        // Validation.
        ("type", json!("string"), json!("boolean")),
        ("enum", json!(["a"]), json!(["b"])),
        ("const", json!("a"), json!("b")),
        ("multipleOf", json!(2), json!(3)),
        ("maximum", json!(2), json!(3)),
        ("exclusiveMaximum", json!(2), json!(3)),
        ("minimum", json!(2), json!(3)),
        ("exclusiveMinimum", json!(2), json!(3)),
        ("maxLength", json!(2), json!(3)),
        ("minLength", json!(2), json!(3)),
        ("pattern", json!("a"), json!("b")),
        ("maxItems", json!(2), json!(3)),
        ("minItems", json!(2), json!(3)),
        ("uniqueItems", json!(true), json!("?")),
        ("maxContains", json!(2), json!(3)),
        ("minContains", json!(2), json!(3)),
        ("maxProperties", json!(2), json!(3)),
        ("minProperties", json!(2), json!(3)),
        ("required", json!(["a"]), json!(["b"])),
        (
            "dependentRequired",
            json!({"a": ["b"]}),
            json!({"a": ["c"]}),
        ),
        // Format, content and annotations.
        ("format", json!("date"), json!("time")),
        ("contentEncoding", json!("base64"), json!("base32")),
        ("contentMediaType", json!("image/png"), json!("image/jpeg")),
        ("contentSchema", a, b),
        ("default", json!(1), json!(2)),
        ("deprecated", json!(true), json!("?")),
        ("readOnly", json!(true), json!("?")),
        ("writeOnly", json!(true), json!("?")),
        ("examples", json!([1]), json!([2])),
        // OpenAPI, and what nobody knows.
        ("example", json!(1), json!(2)),
        (
            "discriminator",
            json!({"propertyName": "a"}),
            json!({"propertyName": "b"}),
        ),
        ("xml", json!({"name": "a"}), json!({"name": "b"})),
        ("x-anything", json!({"a": 1}), json!({"a": 2})),
        ("somethingNew", json!([1]), json!([2])),
    ]
}

/// Returns the keywords that have to stand beside a keyword to give it an effect.
fn beside(keyword: &str) -> Map<String, Value> {
    let neighbors = match keyword {
        "if" => json!({"then": {"minLength": 2}, "else": {"maximum": 7}}),
        "then" | "else" => json!({"if": {"minLength": 5}}),
        "minContains" | "maxContains" => json!({"contains": {"type": "string"}}),
        _ => json!({}),
    };
    neighbors.as_object().cloned().unwrap_or_default()
}

#[test]
fn every_keyword_is_compared() {
    let components = json!({"A": {"type": "string"}, "B": {"type": "boolean"}});
    for (keyword, one, other) in keywords() {
        let schema = |value: Option<&Value>| {
            // Below a property, so that nothing depends on standing at the root.
            let mut members = beside(keyword);
            members.extend(value.map(|value| (keyword.to_owned(), value.clone())));
            json!({"type": "object", "properties": {"inner": members}})
        };
        for (old, new, what) in [
            (Some(&one), Some(&other), "changed"),
            (Some(&one), None, "removed"),
            (None, Some(&one), "added"),
        ] {
            let findings = differences(&schema(old), &schema(new), &components);
            // Names of schemas that nothing refers to change nothing.
            let named = ["$id", "$anchor"].contains(&keyword)
                // The dialect in force may be named or not.
                || keyword == "$schema" && what != "changed";
            assert_eq!(findings.is_empty(), named, "{keyword} {what}");
            for finding in &findings {
                // No validator tells text in base64, or bytes, from other text.
                let shown = finding.severity != Severity::Breaking
                    || finding.witness.is_some()
                    || ["contentEncoding", "contentMediaType"].contains(&keyword);
                assert!(shown, "{keyword} {what}: {finding:#?}");
            }
        }
        assert_eq!(
            differences(&schema(Some(&one)), &schema(Some(&one)), &components),
            [],
            "{keyword}"
        );
    }
}

#[test]
fn definitions_are_compared_where_they_are_used() {
    let schema = |inner: &str| json!({"$defs": {"unused": {"type": inner}}, "type": "object"});
    assert_eq!(
        differences(&schema("string"), &schema("boolean"), &json!({})),
        []
    );
    let used = |inner: &str| json!({"A": {"$defs": {"d": {"type": inner}}, "properties": {"p": {"$ref": "#/components/schemas/A/$defs/d"}}}});
    let schema = json!({"$ref": "#/components/schemas/A"});
    let (old, new) = (
        with_schema("old", &schema, &used("string")),
        with_schema("new", &schema, &used("boolean")),
    );
    let findings = compare(&old, &new, &Options::default());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        findings[0].old.as_ref().expect("a place").pointer,
        "/components/schemas/A/$defs/d/type"
    );
}
