//! Sentences name the place that they are about, and say whom a change affects and why.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Comparison, Finding};
use conformance::report::words;
use serde_json::{Value, json};

/// A document with this operation.
fn document(operation: &Value) -> Document {
    let mut operation = operation.clone();
    if operation.get("responses").is_none() {
        operation["responses"] = json!({"200": {"description": "d"}});
    }
    let text = json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": operation}},
        "components": {"securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "K"}}},
    });
    Document::parse("d", &text.to_string()).expect("a document")
}

fn found(old: &Value, new: &Value) -> Vec<Finding> {
    compare(&document(old), &document(new), &Options::default())
}

fn request(schema: Value) -> Value {
    json!({"requestBody": {"content": {"application/json": {"schema": schema}}}})
}

fn answer(schema: Value) -> Value {
    json!({"responses": {"200": {"description": "d", "content": {"application/json": {"schema": schema}}}}})
}

fn limit(schema: Value) -> Value {
    json!({"parameters": [{"in": "query", "name": "limit", "schema": schema}]})
}

fn header(schema: Value) -> Value {
    json!({"responses": {"200": {"description": "d", "headers": {"X-Rate": {"schema": schema}}}}})
}

#[test]
fn a_sentence_names_its_place_and_says_whom_it_affects() {
    let text = json!({"type": "string"});
    let object =
        |name: &str| json!({"type": "object", "properties": {name: text}, "required": [name]});
    let nested = |inner: &str| {
        let items = json!({"type": "array", "items": {"type": inner}});
        json!({"type": "object", "properties": {"grid": {"type": "array", "items": items}}})
    };
    let responses = |all: &[&str]| {
        let all = all
            .iter()
            .map(|status| ((*status).to_owned(), json!({"description": "d"})));
        json!({"responses": Value::Object(all.collect())})
    };
    for (old, new, said) in [
        (
            request(
                json!({"type": "object", "properties": {"a": text}, "additionalProperties": false}),
            ),
            request(json!({"type": "object", "properties": {"a": text}})),
            "`additionalProperties: false` was removed: clients may now send unknown members",
        ),
        (
            limit(json!({"type": "integer", "maximum": 5})),
            limit(json!({"type": "integer", "maximum": 9})),
            "`maximum` of the query parameter `limit` was 5, is now 9: clients may now send larger numbers",
        ),
        (
            limit(json!({"type": "integer", "default": 5})),
            limit(json!({"type": "integer", "default": 9})),
            "`default` of the query parameter `limit` was 5, is now 9: omitting it now means this value",
        ),
        (
            limit(json!({"type": "array", "items": {"type": "integer"}})),
            limit(json!({"type": "array", "items": {"type": "boolean"}})),
            "each item of the query parameter `limit` was an integer, is now a boolean: clients that send an integer are now refused",
        ),
        (
            header(json!({"type": "integer", "minimum": 5})),
            header(json!({"type": "integer", "minimum": 9})),
            "`minimum` of the header `X-Rate` was 5, is now 9: new no longer answers smaller numbers, which is safe for clients",
        ),
        (
            answer(nested("integer")),
            answer(nested("string")),
            "each item of the lists in `grid` was an integer, is now a string: new may answer a string, which clients of old do not expect",
        ),
        (
            answer(json!({"anyOf": [object("a"), object("b")]})),
            answer(text.clone()),
            "was one of 2 alternatives of type `object`, is now a string: new may answer the new form, which clients of old do not expect",
        ),
        (
            json!({"deprecated": false}),
            json!({"deprecated": true}),
            "`deprecated` changed from `false` to `true`: it works as before, and may be removed later",
        ),
        (
            responses(&["200", "404"]),
            responses(&["200"]),
            "new no longer answers 404: clients that handle it never get it, which is safe",
        ),
        (
            json!({"security": [{"k": []}]}),
            json!({"security": []}),
            "needed `k`, now is open: clients need no credentials now",
        ),
    ] {
        let found = found(&old, &new);
        let sentences: Vec<String> = found
            .iter()
            .map(|finding| words::of(finding, Comparison::Versions))
            .collect();
        assert_eq!(sentences, [said]);
    }
}

#[test]
fn the_witness_of_a_new_alternative_shows_the_member_that_tells_it() {
    let names = ["a1", "a2", "a3", "a4", "a5", "kind"];
    let properties = |kind: &str| {
        let all = names[..5]
            .iter()
            .map(|name| ((*name).to_owned(), json!({"type": "string"})));
        let mut all: serde_json::Map<String, Value> = all.collect();
        all.insert("kind".to_owned(), json!({"const": kind}));
        json!({"type": "object", "properties": all, "required": names})
    };
    let old = answer(json!({"anyOf": [properties("one"), {"type": "integer"}]}));
    let new = answer(json!({"anyOf": [properties("one"), {"type": "integer"}, properties("two")]}));
    let found = found(&old, &new);
    let [finding] = &found[..] else {
        panic!("{found:#?}");
    };
    let proof = finding.proof.as_ref().expect("a proof");
    assert_eq!(proof.at, "/kind");
    let witness = finding.witness.as_ref().expect("a witness");
    assert_eq!(witness["kind"], "two");
}

#[test]
fn any_of_in_the_place_of_one_of_is_told_by_these_keywords() {
    let forms = json!([{"required": ["a"]}, {"required": ["b"]}]);
    let (any, one) = (json!({"anyOf": forms}), json!({"oneOf": forms}));
    let told = |old: &Value, new: &Value| {
        let findings = found(&request(old.clone()), &request(new.clone()));
        let findings: Vec<String> = findings
            .iter()
            .map(|one| words::of(one, Comparison::Versions))
            .collect();
        findings.join("\n")
    };
    let narrowed = told(&any, &one);
    assert!(
        narrowed.starts_with(
            "`anyOf` is now `oneOf`: clients that send values that match more than one alternative"
        ),
        "{narrowed}"
    );
    let widened = told(&one, &any);
    assert!(widened.starts_with("`oneOf` is now `anyOf`"), "{widened}");
}
