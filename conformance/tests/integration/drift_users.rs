//! One finding for each root cause, with the tree of those who use it.

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::{Finding, Severity, User};
use serde_json::{Value, json};

fn found(old: &Value, new: &Value) -> Vec<Finding> {
    let read = |name: &str, value: &Value| Document::parse(name, &value.to_string()).expect(name);
    compare(
        &read("old.json", old),
        &read("new.json", new),
        &Options::default(),
    )
}

fn schema(name: &str) -> Value {
    json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}})
}

/// Orders have items, which have prices; every operation reaches them in another way.
fn shop() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/orders": {
                "get": {"operationId": "listOrders", "parameters": [{"$ref": "#/components/parameters/Limit"}], "responses": {
                    "200": {"description": "All.", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}}},
                }},
                "post": {"operationId": "createOrder", "parameters": [{"$ref": "#/components/parameters/Limit"}],
                    "requestBody": {"content": schema("Order")},
                    "responses": {"201": {"description": "Made.", "content": schema("Order")}, "400": {"$ref": "#/components/responses/Problem"}}},
            },
            "/items": {"get": {"operationId": "listItems", "responses": {"200": {"description": "All.", "content": schema("Item")}, "400": {"$ref": "#/components/responses/Problem"}}}},
        },
        "components": {
            "parameters": {"Limit": {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}}},
            "responses": {"Problem": {"description": "Bad.", "content": schema("Problem")}},
            "schemas": {
                "Order": {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}},
                "Item": {"type": "object", "properties": {"price": {"$ref": "#/components/schemas/Price"}}},
                "Price": {"type": "object", "properties": {"amount": {"type": "integer", "maximum": 1000}}},
                "Problem": {"type": "object", "properties": {"title": {"type": "string", "maxLength": 80}}},
            },
        },
    })
}

fn edited(at: &str, value: Value) -> Value {
    let mut shop = shop();
    *shop.pointer_mut(at).expect(at) = value;
    shop
}

/// The tree as lines, those of ways indented.
fn lines(tree: &[User]) -> Vec<String> {
    let mut lines = Vec::new();
    for user in tree {
        lines.push(user.subject.clone());
        lines.extend(user.uses.iter().map(|one| format!("  {}", one.line())));
    }
    lines
}

#[test]
fn a_change_deep_inside_is_one_finding_with_the_way_from_every_operation() {
    let new = edited(
        "/components/schemas/Price/properties/amount/maximum",
        json!(500),
    );
    let findings = found(&shop(), &new);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = &findings[0];
    assert_eq!(finding.severity, Severity::Breaking);
    assert!(finding.witness.is_some());
    // Who only receives the values is not affected.
    assert_eq!(finding.used_by.count, 1);
    assert_eq!(
        lines(&finding.used_by.tree),
        [
            "POST /orders (createOrder)",
            "  request body > Order > Item > Price",
        ]
    );
    let findings = found(&new, &shop());
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = &findings[0];
    assert_eq!(finding.severity, Severity::Breaking);
    assert_eq!(finding.used_by.count, 3);
    assert_eq!(
        lines(&finding.used_by.tree),
        [
            "GET /orders (listOrders)",
            "  answer 200 > Order > Item > Price",
            "POST /orders (createOrder)",
            "  answer 201 > Order > Item > Price",
            "GET /items (listItems)",
            "  answer 200 > Item > Price",
        ]
    );
}

#[test]
fn components_that_are_no_schemas_are_named_with_their_kind() {
    let new = edited(
        "/components/schemas/Problem/properties/title/maxLength",
        json!(90),
    );
    let findings = found(&shop(), &new);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        lines(&findings[0].used_by.tree),
        [
            "POST /orders (createOrder)",
            "  answer 400 > responses/Problem > Problem",
            "GET /items (listItems)",
            "  answer 400 > responses/Problem > Problem",
        ]
    );
    let new = edited("/components/parameters/Limit/schema/maximum", json!(50));
    let findings = found(&shop(), &new);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        lines(&findings[0].used_by.tree),
        [
            "GET /orders (listOrders)",
            "  query parameter `limit` > parameters/Limit",
            "POST /orders (createOrder)",
            "  query parameter `limit` > parameters/Limit",
        ]
    );
}

#[test]
fn what_one_operation_says_for_itself_has_no_tree() {
    let inline = "/paths/~1orders/get/responses/200/content/application~1json/schema/type";
    let findings = found(&shop(), &edited(inline, json!("object")));
    assert!(!findings.is_empty());
    assert!(
        findings.iter().any(|one| one.used_by.is_empty()),
        "{findings:?}"
    );
}

#[test]
fn a_tree_is_bounded_and_counts_the_rest() {
    let many = |most: u64| {
        let paths: serde_json::Map<String, Value> = (0..300)
            .map(|number| {
                let answers = json!({"200": {"description": "One.", "content": schema("Node")}});
                (
                    format!("/nodes{number}"),
                    json!({"get": {"responses": answers}}),
                )
            })
            .collect();
        json!({
            "openapi": "3.1.0",
            "info": {"title": "Many", "version": "1"},
            "paths": paths,
            "components": {"schemas": {"Node": {"type": "object", "properties": {
                "next": {"$ref": "#/components/schemas/Node"},
                "size": {"type": "integer", "maximum": most},
            }}}},
        })
    };
    let findings = found(&many(10), &many(20));
    assert_eq!(findings.len(), 1, "{findings:?}");
    let users = &findings[0].used_by;
    assert_eq!((users.count, users.tree.len()), (300, 20));
    assert_eq!(users.tree[0].subject, "GET /nodes0");
    assert_eq!(findings, found(&many(10), &many(20)));
}

#[test]
fn the_order_of_members_changes_no_tree() {
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let all = members.iter().rev();
                Value::Object(all.map(|(key, one)| (key.clone(), reversed(one))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
            other => other.clone(),
        }
    }
    let new = edited(
        "/components/schemas/Price/properties/amount/maximum",
        json!(500),
    );
    let (plain, turned) = (found(&shop(), &new), found(&shop(), &reversed(&new)));
    assert_eq!(plain.len(), turned.len());
    assert_eq!(plain[0].used_by, turned[0].used_by);
    assert_eq!(plain[0].witness, turned[0].witness);
}

#[test]
fn only_those_are_named_who_have_values_of_the_direction_that_is_affected() {
    // A component that is read and written breaks those who write it.
    let operation = |body: bool| {
        let mut operation =
            json!({"responses": {"200": {"description": "d", "content": schema("A")}}});
        if body {
            operation["requestBody"] = json!({"content": schema("A")});
        }
        operation
    };
    let api = |most: u32| {
        json!({
            "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"get": operation(false), "post": operation(true), "put": operation(true)}},
            "components": {"schemas": {"A": {"type": "object", "properties": {"n": {"type": "integer", "maximum": most}}}}},
        })
    };
    let subjects = |old: &Value, new: &Value| -> Vec<String> {
        let findings = found(old, new);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].severity, Severity::Breaking);
        let users = findings[0].used_by.tree.iter();
        users.map(|user| user.subject.clone()).collect()
    };
    assert_eq!(subjects(&api(9), &api(5)), ["POST /a", "PUT /a"]);
    assert_eq!(subjects(&api(5), &api(9)), ["GET /a", "POST /a", "PUT /a"]);
}

#[test]
fn a_callback_is_named_with_the_operation_that_owns_it() {
    let api = |most: u32| {
        let content = json!({"application/json": {"schema": {"type": "integer", "maximum": most}}});
        let called = json!({"{$request.body#/url}": {"post": {"requestBody": {"content": content}, "responses": {"200": {"description": "d"}}}}});
        json!({
            "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"post": {"operationId": "makeA", "callbacks": {"made": called}, "responses": {"200": {"description": "d"}}}}},
        })
    };
    let findings = found(&api(5), &api(9));
    let subjects: Vec<&str> = findings.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["POST {$request.body#/url}, callback of POST /a (makeA)"]
    );
}
