//! A collection whose items have no path of their own: only its list shows what was created.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::replay::server as notes;

const VISITS: &str = "\
openapi: 3.1.0
info: { title: Visits, version: '1' }
servers: [{ url: /api }]
paths:
  /visits:
    post:
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/NewVisit' } } } }
      responses:
        '201': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Visit' } } } }
        '400': { description: d }
    get:
      responses: { '200': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Visits' } } } } }
  /searches:
    post:
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/NewVisit' } } } }
      responses: { '200': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Visits' } } } } }
    get:
      responses: { '200': { description: d, content: { application/json: { schema: { $ref: '#/components/schemas/Visits' } } } } }
components:
  schemas:
    NewVisit:
      type: object
      required: [page]
      properties: { page: { type: string, minLength: 1, maxLength: 90 }, seconds: { type: integer, minimum: 0, maximum: 9999 }, visit: { type: string } }
      additionalProperties: false
    Visit:
      type: object
      required: [id, page]
      properties: { id: { type: integer }, page: { type: string }, seconds: { type: [integer, 'null'] }, visit: { type: [string, 'null'] } }
    Visits:
      type: object
      required: [visits]
      properties: { visits: { type: array, items: { $ref: '#/components/schemas/Visit' } } }
";

/// A server that shows a visit in its list as this makes of it, or leaves it out.
fn server(shown: fn(Value) -> Option<Value>) -> notes::Server {
    let visits: Mutex<Vec<Value>> = Mutex::default();
    notes::Server::start(Box::new(move |request, _| {
        let mut visits = visits.lock().expect("no panic");
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/visits") => {
                let given: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let is_text = |name: &str| given[name].is_string();
                let is_right = is_text("page")
                    && (given.get("visit").is_none() || is_text("visit"))
                    && (given.get("seconds").is_none() || given["seconds"].is_u64());
                if !is_right {
                    return notes::Reply::new(400);
                }
                let mut visit = json!({"id": visits.len() + 1, "page": given["page"], "seconds": given["seconds"]});
                visit["visit"] = given["visit"].clone();
                visits.push(visit.clone());
                notes::Reply::json(201, &visit)
            }
            _ => {
                let shown: Vec<Value> = visits.iter().cloned().filter_map(shown).collect();
                notes::Reply::json(200, &json!({"visits": shown}))
            }
        }
    }))
}

fn found(server: &notes::Server) -> (Vec<String>, String) {
    let document = Document::parse("visits.yaml", VISITS).expect("the document parses");
    let options = Options::new(&server.url);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut lines = String::new();
    let mut progress = |step| lines += &format!("{}\n", words::progress(&step));
    let settings = Settings::default();
    let outcome = runtime.block_on(flows::check(&options, &settings, &document, &mut progress));
    let findings = outcome.expect("the server can be checked").findings;
    let told = findings
        .iter()
        .map(|one| format!("{} {}", one.rule, one.subject));
    (told.collect(), lines)
}

#[test]
fn what_is_created_is_looked_for_in_the_list() {
    let (told, lines) = found(&server(Some));
    assert_eq!(told, Vec::<String>::new(), "{lines}");
    // What nobody can delete is said beforehand and in the end; a search creates nothing.
    assert!(lines.contains("visits"), "{lines}");
    assert!(lines.contains("/visits/1"), "{lines}");
    assert!(!lines.contains("/searches/"), "{lines}");

    let (told, _) = found(&server(|_| None));
    assert_eq!(told, ["created-listed GET /visits"]);
    let (told, _) = found(&server(|mut visit| {
        visit["page"] = json!("another");
        Some(visit)
    }));
    assert_eq!(told, ["written-read POST /visits"]);
}
