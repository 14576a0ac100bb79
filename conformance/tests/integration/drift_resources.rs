//! Schemas that are documents of their own (`$id`), anchors, and dynamic references.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity};
use serde_json::{Value, json};

fn document(name: &str, root: &Value, schemas: &Value) -> Document {
    let text = json!({
        "openapi": "3.1.0",
        "info": {"title": "Resources", "version": "1"},
        "paths": {"/a": {"post": {
            "requestBody": {"content": {"application/json": {"schema": root}}},
            "responses": {"204": {"description": "Taken."}},
        }}},
        "components": {"schemas": schemas},
    });
    Document::parse(name, &text.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

fn found(old: (&Value, &Value), new: (&Value, &Value)) -> Vec<Finding> {
    let (old, new) = (document("old", old.0, old.1), document("new", new.0, new.1));
    for one in [&old, &new] {
        one.check_references()
            .unwrap_or_else(|error| panic!("{error}"));
    }
    compare(&old, &new, &Options::default())
}

fn order(most: u64) -> Value {
    json!({"type": "object", "properties": {"count": {"type": "integer", "maximum": most}}})
}

#[test]
fn a_schema_is_referred_to_by_its_id_relative_or_absolute() {
    let plain = (
        json!({"$ref": "#/components/schemas/Order"}),
        json!({"Order": order(5)}),
    );
    for id in [
        "https://example.com/schemas/order",
        "order",
        "schemas/order.json",
    ] {
        for reference in [
            id.to_owned(),
            format!("{id}#"),
            "#/components/schemas/Order".to_owned(),
        ] {
            let root = json!({"$ref": reference});
            let with_id = |most: u64| {
                let mut order = order(most);
                order["$id"] = json!(id);
                json!({"Order": order})
            };
            let same = found((&root, &with_id(5)), (&root, &with_id(5)));
            assert_eq!(same, [], "{reference}");
            let findings = found((&root, &with_id(5)), (&root, &with_id(4)));
            assert_eq!(findings.len(), 1, "{reference}: {findings:#?}");
            assert_eq!(findings[0].severity, Severity::Breaking, "{reference}");
            let place = findings[0].old.as_ref().expect("a place");
            assert_eq!(
                place.pointer,
                "/components/schemas/Order/properties/count/maximum"
            );
            // But for the name of the resource it is the same as one without.
            let findings = found((&plain.0, &plain.1), (&root, &with_id(5)));
            assert!(
                findings
                    .iter()
                    .all(|one| one.rule == "schema-annotation-changed"),
                "{reference}: {findings:#?}"
            );
        }
    }
}

#[test]
fn what_stands_in_a_resource_refers_to_its_own_parts() {
    let schemas = |most: u64| {
        json!({
            "Order": {
                "$id": "https://example.com/order",
                "$defs": {"count": {"$anchor": "c", "type": "integer", "maximum": most}},
                "properties": {"a": {"$ref": "#/$defs/count"}, "b": {"$ref": "#c"}, "next": {"$ref": "#"}},
            },
            // The same anchor, in the file.
            "Other": {"$anchor": "c", "type": "string"},
        })
    };
    let root = json!({"$ref": "https://example.com/order"});
    assert_eq!(found((&root, &schemas(5)), (&root, &schemas(5))), []);
    let findings = found((&root, &schemas(5)), (&root, &schemas(4)));
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        findings[0].old.as_ref().expect("a place").pointer,
        "/components/schemas/Order/$defs/count/maximum"
    );
    assert!(findings[0].witness.is_some());
}

#[test]
fn a_reference_that_no_resource_answers_is_one_line_with_its_place() {
    let schemas = json!({"Order": {"$id": "https://example.com/order", "properties": {"a": {"$ref": "#nothing"}}}});
    let root = json!({"$ref": "https://example.com/order"});
    let text = document("old", &root, &schemas);
    let error = text
        .check_references()
        .expect_err("leads nowhere")
        .to_string();
    assert!(error.starts_with("old:1:"), "{error}");
    assert!(error.contains("`#nothing` leads nowhere"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_dynamic_reference_with_one_possible_end_is_followed() {
    let tree = |most: u64| {
        json!({"Tree": {"$dynamicAnchor": "node", "properties": {
            "size": {"type": "integer", "maximum": most},
            "below": {"type": "array", "items": {"$dynamicRef": "#node"}},
        }}})
    };
    let root = json!({"type": "object", "properties": {"tree": {"$dynamicRef": "#node"}}});
    let findings = found((&root, &tree(5)), (&root, &tree(4)));
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].severity, Severity::Breaking);
}

#[test]
fn a_dynamic_reference_with_several_possible_ends_is_never_called_compatible() {
    let trees = |most: u64| {
        json!({
            "Tree": {"$id": "https://example.com/tree", "$dynamicAnchor": "node", "type": "object", "properties": {
                "size": {"type": "integer", "maximum": most},
                "below": {"type": "array", "items": {"$dynamicRef": "#node"}},
            }},
            "Strict": {"$id": "https://example.com/strict", "$dynamicAnchor": "node", "$ref": "tree", "required": ["size"]},
        })
    };
    let root = json!({"$ref": "https://example.com/strict"});
    assert_eq!(found((&root, &trees(5)), (&root, &trees(5))), []);
    let findings = found((&root, &trees(5)), (&root, &trees(4)));
    assert!(!findings.is_empty());
    assert!(
        findings
            .iter()
            .all(|one| matches!(one.severity, Severity::Breaking | Severity::Undecided)),
        "{findings:#?}"
    );
}
