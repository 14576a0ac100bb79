//! Idempotency keys: a server that remembers them takes the requests of each run for new, and reports do not differ.

use std::collections::HashMap;
use std::sync::Mutex;

use conformance::flows::Settings;
use conformance::replay::Generate;

use super::*;

/// Orders that are created with a key.
const ORDERS: &str = "openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    post:
      parameters: [{in: header, name: Idempotency-Key, required: true, schema: {type: string, format: uuid}, example: 7da7a728-f910-11e6-942a-68f728c1ba70}]
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [note], properties: {note: {type: string, minLength: 1, maxLength: 20}}}
            example: {note: hello}
      responses:
        '201': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        default: {description: d}
  /orders/{id}:
    parameters: [{in: path, name: id, required: true, schema: {type: string}}]
    get:
      responses:
        '200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        '404': {description: d}
    delete:
      responses:
        '204': {description: d}
        '404': {description: d}
components:
  schemas:
    Order: {type: object, required: [id, note], properties: {id: {type: string}, note: {type: string}, paid: {type: boolean}}}
";

/// A server that remembers the keys of all runs.
#[derive(Default)]
struct Orders {
    /// The body and the reply of each key.
    keys: HashMap<String, (Vec<u8>, Reply)>,
    /// Numbered anew once there are none, so that each run gets the same ids.
    orders: HashMap<String, Value>,
    serial: u32,
}

impl Orders {
    fn answer(&mut self, request: &Request) -> Reply {
        let path = request.path.trim_end_matches('/');
        let allow = |methods: &str| Reply::new(405).header("Allow", methods);
        let Some(id) = path.strip_prefix("/orders/") else {
            return match (path, request.method.as_str()) {
                ("/orders", "POST") => self.create(request),
                ("/orders", _) => allow("POST"),
                _ => Reply::new(404),
            };
        };
        match request.method.as_str() {
            "GET" | "HEAD" => self
                .orders
                .get(id)
                .map_or(Reply::new(404), |order| Reply::json(200, order)),
            "DELETE" => {
                let is_gone = self.orders.remove(id).is_some();
                if self.orders.is_empty() {
                    self.serial = 0;
                }
                Reply::new(if is_gone { 204 } else { 404 })
            }
            _ => allow("GET, HEAD, DELETE"),
        }
    }

    fn create(&mut self, request: &Request) -> Reply {
        let Some(key) = request.headers.get("idempotency-key").cloned() else {
            return Reply::new(400);
        };
        let is_json = request
            .headers
            .get("content-type")
            .is_some_and(|one| one == "application/json");
        if !is_json {
            return Reply::new(415);
        }
        if let Some((body, reply)) = self.keys.get(&key) {
            return match *body == request.body {
                true => reply.clone(),
                false => Reply::new(422),
            };
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let note = body.get("note").and_then(Value::as_str).unwrap_or_default();
        let is_uuid = key.len() == 36 && key.split('-').count() == 5;
        let reply = match is_uuid && (1..=20).contains(&note.chars().count()) {
            true => {
                self.serial += 1;
                let id = self.serial.to_string();
                // It says in words what should be true or false.
                let order = json!({"id": id, "note": note, "paid": "no"});
                self.orders.insert(id, order.clone());
                Reply::json(201, &order)
            }
            false => Reply::new(400),
        };
        self.keys.insert(key, (request.body.clone(), reply.clone()));
        reply
    }
}

/// Runs everything with an id of its own; gives the findings without the time and the port.
fn run(server: &Server, id: &str) -> Vec<Finding> {
    let mut options = Options::new(&server.url);
    options.run_id = Some(id.parse().expect("is an id"));
    options.generate = Some(Generate {
        random: 10,
        ..Generate::default()
    });
    options.flows = Some(Settings::default());
    let outcome = replay_with(ORDERS, &options)
        .0
        .expect("the server can be checked");
    let notes = outcome.notes.join("\n");
    assert!(
        notes.contains(&format!("RUN_ID in idempotency keys was {id}")),
        "{notes}"
    );
    outcome.findings
}

#[test]
fn a_server_that_remembers_keys_shows_the_same_in_each_run() {
    let orders = Mutex::new(Orders::default());
    let server = Server::start(Box::new(move |request: &Request, _| {
        orders.lock().expect("no thread panics").answer(request)
    }));
    let first = run(&server, "0a1b2c3d");
    // The fault, and nothing that comes of keys.
    let rules: std::collections::BTreeSet<&str> = first.iter().map(|one| one.rule).collect();
    assert_eq!(
        rules.into_iter().collect::<Vec<_>>(),
        ["body-schema"],
        "{:#?}",
        grave(&first)
    );
    let shown: Vec<&str> = first
        .iter()
        .filter_map(|one| Some(one.exchange.as_ref()?.curl.as_str()))
        .filter(|curl| curl.contains("-X POST"))
        .collect();
    assert!(!shown.is_empty());
    for curl in shown {
        assert!(
            curl.contains("Idempotency-Key: ${RUN_ID:?}-0000-4000-8"),
            "{curl}"
        );
    }
    let second = run(&server, "c0ffee00");
    assert_eq!(first, second);
}
