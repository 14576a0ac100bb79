//! Drift and the loader on input that is made to break them: an error or findings, never a panic, never without end.

use std::time::{Duration, Instant};

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::Finding;
use edits::patch;
use pointers::pointers;
use serde_json::{Map, Value, json};

use crate::drift_support::{document, read};
use crate::drift_support::{edits, pointers};

fn refused(text: &str) -> String {
    let error = Document::parse("hostile", text)
        .expect_err("is refused")
        .to_string();
    assert!(error.starts_with("hostile"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn with_schemas(root: Value, schemas: Value) -> Document {
    document(
        "hostile",
        &json!({
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"get": {"responses": {"200": {"description": "d", "content": {"application/json": {"schema": root}}}}}}},
            "components": {"schemas": schemas},
        }),
    )
}

fn differences(old: &Document, new: &Document) -> Vec<Finding> {
    let start = Instant::now();
    let findings = compare(old, new, &Options::default());
    // Seconds on a quiet machine; without a limit on effort it would be hours.
    assert!(start.elapsed() < Duration::from_mins(15));
    findings
}

#[test]
fn texts_that_are_no_document_are_refused_in_one_line() {
    for (text, part) in [
        ("", "empty"),
        (" \n ", "empty"),
        ("# only a comment\n", "empty"),
        ("\u{feff}", "empty"),
        ("openapi: 3.1.0\0", "NUL"),
        ("{\"openapi\": \"3.1.0\u{0}\"}", "NUL"),
        ("just text", "not an OpenAPI document"),
        ("[1, 2]", "not an OpenAPI document"),
        ("{}", "no member `openapi`"),
        ("openapi: true", "not a version"),
        ("openapi: 4.0.0", "2.0, 3.0, 3.1 or 3.2"),
        ("openapi: '3.10.0'", "3.0, 3.1 or 3.2"),
        ("swagger: '1.2'\ninfo: {}", "2.0, 3.0"),
        ("swagger: 2.1\ninfo: {}", "2.0, 3.0"),
        ("openapi: 3.1.0\na: 1e400", "1e400"),
        ("{\"openapi\": \"3.1.0\", \"a\": 1e400}", "1e400"),
        ("openapi: 3.1.0\nx: [\u{1}", "hostile:"),
        ("{\"openapi\": \"3.1.0\", \"a\": \"\u{1}\"}", "control"),
        ("openapi: 3.1.0\n%garbage\n--- &a *a\n", "hostile:"),
    ] {
        let error = refused(text);
        assert!(error.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_with_their_place() {
    let error = Document::from_bytes("hostile", b"openapi: 3.1.0\nx: \xff\xfe".to_vec())
        .expect_err("is refused");
    assert!(error.to_string().starts_with("hostile:2:4: "), "{error}");
    let garbage: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0])
        .collect();
    assert!(Document::from_bytes("hostile", garbage).is_err());
}

#[test]
fn deep_and_wide_texts_are_refused_or_read() {
    assert!(
        refused(&format!(
            "{{\"openapi\": \"3.1.0\", \"a\": {}",
            "[".repeat(200_000)
        ))
        .contains("deeper than")
    );
    assert!(
        refused(&format!(
            "{{\"openapi\": \"3.1.0\", \"a\": {}",
            "{\"a\":".repeat(200_000)
        ))
        .contains("deeper than")
    );
    refused(&format!("openapi: 3.1.0\na: {}", "[".repeat(200_000)));
    assert!(
        refused(&format!("openapi: 3.1.0\na:\n{}", "- ".repeat(50_000))).contains("deeper than")
    );
    let long_key = "k".repeat(1_000_000);
    let wide: Vec<u32> = (0..100_000).collect();
    let document = Document::parse(
        "wide",
        &format!("{{\"openapi\": \"3.1.0\", \"{long_key}\": {wide:?}}}"),
    )
    .expect("is read");
    assert_eq!(document.position(&format!("/{long_key}/99999")).line, 1);
}

#[test]
fn huge_numbers_are_compared_by_value() {
    let maximum = |text: &str| {
        Document::parse(
            "n",
            &read("base.yaml").replace("maximum: 100", &format!("maximum: {text}")),
        )
        .expect("is read")
    };
    assert_eq!(
        differences(
            &maximum("18446744073709551615"),
            &maximum("18446744073709551615")
        ),
        []
    );
    assert_eq!(
        differences(
            &maximum("18446744073709551615"),
            &maximum("18446744073709551614")
        )
        .len(),
        1
    );
    assert_eq!(differences(&maximum("1e300"), &maximum("10e299")), []);
    assert_eq!(differences(&maximum("-0"), &maximum("0")), []);
}

#[test]
fn references_to_nothing_and_in_circles_are_undecided() {
    let fine = with_schemas(json!({}), json!({}));
    for (root, schemas) in [
        (json!({"$ref": "#/components/schemas/None"}), json!({})),
        (json!({"$ref": "other.yaml#/a"}), json!({})),
        (json!({"$ref": "#anchor"}), json!({})),
        (
            json!({"$ref": "#/components/schemas/A"}),
            json!({"A": {"$ref": "#/components/schemas/A"}}),
        ),
        (
            json!({"$ref": "#/components/schemas/A"}),
            json!({"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}),
        ),
    ] {
        let hostile = with_schemas(root.clone(), schemas);
        for findings in [
            differences(&hostile, &hostile),
            differences(&fine, &hostile),
            differences(&hostile, &fine),
        ] {
            assert!(
                findings
                    .iter()
                    .any(|finding| finding.rule == "reference-unresolved"),
                "{root}: {findings:#?}"
            );
        }
    }
}

#[test]
fn references_to_nothing_anywhere_are_reported() {
    let base = Document::parse("base", &read("base.yaml")).expect("is read");
    let mut tried = 0;
    for pointer in pointers(base.value())
        .iter()
        .filter(|pointer| pointer.ends_with("/$ref"))
    {
        let mut value = base.value().clone();
        patch(
            &mut value,
            &json!({"op": "replace", "path": pointer, "value": "#/none"}),
        );
        let new = document("new", &value);
        tried += 1;
        for findings in [differences(&base, &new), differences(&new, &new)] {
            assert!(
                findings
                    .iter()
                    .any(|finding| finding.rule == "reference-unresolved"),
                "{pointer}: {findings:#?}"
            );
        }
    }
    assert!(tried > 15, "{tried}");
}

#[test]
fn any_member_may_be_of_any_type() {
    let base = Document::parse("base", &read("base.yaml")).expect("is read");
    let odds = [
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!({}),
        json!([[null]]),
        json!({"a": {"$ref": 5}}),
    ];
    let all = pointers(base.value());
    let changed = all
        .iter()
        .filter(|pointer| !pointer.is_empty() && *pointer != "/openapi");
    for (index, pointer) in changed.enumerate() {
        // One of the odd values at each place; there are many places of each kind.
        let odd = &odds[index % odds.len()];
        let mut value = base.value().clone();
        let edit = json!({"op": "replace", "path": pointer, "value": odd});
        patch(&mut value, &edit);
        let new = document("new", &value);
        let options = Options {
            prose: index % 2 == 0,
            ..Options::default()
        };
        compare(&base, &new, &options);
        compare(&new, &base, &options);
    }
}

#[test]
fn long_chains_and_trees_of_references_end() {
    let name = |index: usize| format!("#/components/schemas/S{index}");
    let last = 1_000;
    let chain = |wrap: &dyn Fn(String) -> Value, end: Value| {
        let mut schemas: Map<String, Value> = (0..last)
            .map(|index| (format!("S{index}"), wrap(name(index + 1))))
            .collect();
        schemas.insert(format!("S{last}"), end);
        with_schemas(json!({"$ref": name(0)}), Value::Object(schemas))
    };
    let wraps: [&dyn Fn(String) -> Value; 5] = [
        &|next| json!({"$ref": next}),
        &|next| json!({"$ref": next, "minLength": 1}),
        &|next| json!({"allOf": [{"$ref": next}]}),
        &|next| json!({"anyOf": [{"$ref": next}, {"type": "null"}]}),
        &|next| json!({"properties": {"a": {"$ref": next}, "b": {"$ref": next}}}),
    ];
    for (index, wrap) in wraps.into_iter().enumerate() {
        let (old, new) = (
            chain(wrap, json!({"type": "string"})),
            chain(wrap, json!({"type": "boolean"})),
        );
        assert_eq!(differences(&old, &old), [], "{index}");
        assert_ne!(differences(&old, &new), [], "{index}");
    }
}

#[test]
fn branches_that_double_at_each_level_end() {
    let name = |index: usize| format!("#/components/schemas/S{index}");
    for keyword in ["allOf", "anyOf", "oneOf"] {
        // Nothing is null and something else at once.
        let third = match keyword {
            "allOf" => json!({"maxLength": 9}),
            _ => json!({"type": "null"}),
        };
        let schemas = |end: Value| {
            let mut all: Map<String, Value> = (0..60)
                .map(|index| (format!("S{index}"), json!({keyword: [{"$ref": name(index + 1)}, {"$ref": name(index + 1)}, third]})))
                .collect();
            all.insert("S60".to_owned(), end);
            with_schemas(json!({"$ref": name(0)}), Value::Object(all))
        };
        let (old, new) = (
            schemas(json!({"type": "string"})),
            schemas(json!({"type": "boolean"})),
        );
        assert_eq!(differences(&old, &old), [], "{keyword}");
        assert_ne!(differences(&old, &new), [], "{keyword}");
    }
}

#[test]
fn many_branches_and_recursions_of_unequal_length_end() {
    let many = |from: u32| {
        Value::Array(
            (from..from + 1500)
                .map(|number| json!({"properties": {"a": {"const": number}}}))
                .collect(),
        )
    };
    let findings = differences(
        &with_schemas(json!({"oneOf": many(0)}), json!({})),
        &with_schemas(json!({"oneOf": many(750)}), json!({})),
    );
    assert!(!findings.is_empty());
    // Circles of 101 and 103 schemas meet in all 10,403 pairs.
    let circle = |length: usize, kind: &str| {
        let schemas: Map<String, Value> = (0..length)
            .map(|index| {
                let next = format!("#/components/schemas/S{}", (index + 1) % length);
                let own = if index == 0 { kind } else { "string" };
                (
                    format!("S{index}"),
                    json!({"properties": {"next": {"$ref": next}, "own": {"type": own}}}),
                )
            })
            .collect();
        with_schemas(
            json!({"$ref": "#/components/schemas/S0"}),
            Value::Object(schemas),
        )
    };
    assert_eq!(
        differences(&circle(101, "string"), &circle(103, "string")),
        []
    );
    assert!(!differences(&circle(101, "string"), &circle(103, "boolean")).is_empty());
}

#[test]
fn what_is_left_out_of_a_huge_document_is_said() {
    let huge = |schema: Value| {
        let properties: Map<String, Value> = (0..300_010)
            .map(|index| (format!("p{index}"), schema.clone()))
            .collect();
        with_schemas(json!({"properties": properties}), json!({}))
    };
    let old = huge(json!({}));
    let new = huge(json!({"minLength": 0}));
    let found = differences(&old, &new);
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["limit-reached"]);
    // Parts that are identical in both are passed over, however large they are.
    assert_eq!(differences(&old, &old), []);
}

#[test]
fn callbacks_and_path_items_that_contain_themselves_end() {
    let text = "openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /a: {$ref: '#/components/pathItems/A'}
components:
  pathItems:
    A:
      post:
        operationId: a
        responses: {}
        callbacks:
          again: {'{$url}': {$ref: '#/components/pathItems/A'}}
          more: {$ref: '#/components/callbacks/More'}
  callbacks:
    More: {'{$url}': {post: {responses: {}, callbacks: {more: {$ref: '#/components/callbacks/More'}}}}}
";
    let old = Document::parse("old", text).expect("is read");
    assert_eq!(differences(&old, &old), []);
    let new =
        Document::parse("new", &text.replace("operationId: a", "operationId: b")).expect("is read");
    assert_eq!(
        differences(&old, &new)
            .iter()
            .filter(|finding| finding.rule == "operation-id-changed")
            .count(),
        1
    );
}
