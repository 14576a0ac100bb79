//! Requests that need something that another resource has: by a member of their body, or by a path of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::run::{document, generating};
use super::*;

/// What the server has, by path.
type Store = Arc<Mutex<BTreeMap<String, Value>>>;

/// Answers of a shop in which an order needs a customer, a name is taken once, and what is uploaded to an order has a path of its own.
fn answer(store: &Store, request: &Request) -> Reply {
    let mut things = store.lock().expect("not poisoned");
    let path = request.path.trim_start_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let problem = |status: u16| Reply::json(status, &json!({"title": "no"}));
    let is_item = parts.len().is_multiple_of(2);
    match (request.method.as_str(), is_item) {
        ("POST", false) => {
            let Ok(Value::Object(mut thing)) = serde_json::from_slice(&request.body) else {
                return problem(400);
            };
            if parts.len() == 3 && !things.contains_key(&parts[..2].join("/")) {
                return problem(404);
            }
            let is_customer = path == "customers";
            if is_customer
                && things.iter().any(|(at, one)| {
                    at.starts_with("customers/") && one.get("name") == thing.get("name")
                })
            {
                return problem(409);
            }
            let customer = thing.get("customer_id").and_then(Value::as_str);
            let known = customer.is_some_and(|id| things.contains_key(&format!("customers/{id}")));
            if path == "orders" && !known {
                return problem(422);
            }
            let id = format!("k{}", things.len() + 1000);
            thing.insert("id".to_owned(), json!(id));
            let at = match parts.last() {
                Some(&"files") => format!("files/{id}"),
                _ => format!("{path}/{id}"),
            };
            // Ids are not given again.
            things.insert(format!("given/{id}"), Value::Null);
            things.insert(at, Value::Object(thing.clone()));
            Reply::json(201, &Value::Object(thing))
        }
        ("GET", true) => match things.get(&path) {
            Some(thing) => Reply::json(200, thing),
            None => problem(404),
        },
        ("DELETE", true) => match things.remove(&path) {
            Some(_) => {
                let below = format!("{path}/");
                things.retain(|at, _| !at.starts_with(&below));
                Reply::new(204)
            }
            None => problem(404),
        },
        _ => problem(405),
    }
}

fn text() -> String {
    let item = |name: &str, schema: &str| {
        format!(
            "    parameters: [{{name: {name}, in: path, required: true, schema: {{type: string}}}}]\n    get: {{responses: {{'200': {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/{schema}'}}}}}}}}, default: {{description: d}}}}}}\n    delete: {{responses: {{'204': {{description: d}}, default: {{description: d}}}}}}\n"
        )
    };
    let post = |schema: &str, more: &str| {
        format!(
            "    post:\n      requestBody: {{required: true, content: {{application/json: {{schema: {{$ref: '#/components/schemas/New{schema}'}}{more}}}}}}}\n      responses: {{'201': {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/{schema}'}}}}}}}}, default: {{description: d}}}}\n"
        )
    };
    let schemas = [
        ("Customer", "name: {type: string}", "name"),
        ("Card", "number: {type: string}", "number"),
        (
            "Order",
            "customer_id: {type: string}, note: {type: string}",
            "customer_id",
        ),
        ("File", "label: {type: string}", "label"),
    ];
    let schemas: String = schemas
        .iter()
        .map(|(name, members, required)| {
            format!(
                "    New{name}: {{type: object, required: [{required}], properties: {{{members}}}}}\n    {name}: {{type: object, required: [id, {required}], properties: {{id: {{type: string}}, {members}}}}}\n"
            )
        })
        .collect();
    let below = |name: &str| {
        format!(
            "    parameters: [{{name: {name}, in: path, required: true, schema: {{type: string}}}}]\n"
        )
    };
    let paths = [
        "  /customers:\n".to_owned(),
        post("Customer", ", examples: {one: {value: {name: Ada}}}"),
        "  /customers/{customerId}:\n".to_owned(),
        item("customerId", "Customer"),
        "  /customers/{customerId}/cards:\n".to_owned(),
        below("customerId"),
        post("Card", ""),
        "  /orders:\n".to_owned(),
        post("Order", ""),
        "  /orders/{orderId}:\n".to_owned(),
        item("orderId", "Order"),
        "  /orders/{orderId}/files:\n".to_owned(),
        below("orderId"),
        post("File", ""),
        "  /files/{fileId}:\n".to_owned(),
        item("fileId", "File"),
    ]
    .concat();
    format!("{}components:\n  schemas:\n{schemas}", document(&paths))
}

#[test]
fn what_a_request_refers_to_is_created_before_and_deleted_afterwards() {
    let store = Store::default();
    let own = Arc::clone(&store);
    let server = Server::start(Box::new(move |request: &Request, _| answer(&own, request)));
    let (outcome, _) = replay_with(&text(), &generating(&server));
    let outcome = outcome.expect("the server can be checked");
    let of_lack = ["never-accepted", "resource-not-created", "sample-unchecked"];
    let lacking: Vec<String> = outcome
        .findings
        .iter()
        .filter(|finding| of_lack.contains(&finding.rule))
        .map(|finding| format!("{} {}: {}", finding.rule, finding.subject, said(finding)))
        .collect();
    assert_eq!(lacking, Vec::<String>::new());
    let things = store.lock().expect("not poisoned");
    let left = |kind: &str| things.keys().filter(|at| at.starts_with(kind)).count();
    assert_eq!(
        (left("customers/k"), left("orders/k"), left("files/k")),
        (0, 0, 0)
    );
}
