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

/// The visits of a list, of those that there are.
type Shown = fn(Vec<Value>) -> Vec<Value>;

/// A server that shows in its list what this makes of its visits.
fn server(shown: Shown) -> notes::Server {
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
                let shown = shown(visits.clone());
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
    let (told, lines) = found(&server(|visits| visits));
    assert_eq!(told, Vec::<String>::new(), "{lines}");
    // What nobody can delete is said beforehand and in the end; a search creates nothing.
    assert!(lines.contains("visits"), "{lines}");
    assert!(lines.contains("/visits/1"), "{lines}");
    assert!(!lines.contains("/searches/"), "{lines}");

    let cases: [(Shown, &str); 2] = [
        (|_| Vec::new(), "created-listed GET /visits"),
        (
            |mut visits| {
                visits
                    .iter_mut()
                    .for_each(|visit| visit["page"] = json!("another"));
                visits
            },
            "written-read POST /visits",
        ),
    ];
    for (shown, expected) in cases {
        let (told, _) = found(&server(shown));
        assert_eq!(told, [expected]);
    }
}

#[test]
fn each_of_several_is_looked_for_in_the_list_with_its_own_values() {
    let cases: [(Shown, &str); 3] = [
        // The list has the values of the first one for all.
        (
            |mut visits| {
                let first = visits.first().cloned().unwrap_or_default();
                for visit in &mut visits {
                    visit["seconds"] = first["seconds"].clone();
                }
                visits
            },
            "written-read POST /visits",
        ),
        // All have the values of the newest one.
        (
            |mut visits| {
                let last = visits.last().cloned().unwrap_or_default();
                for visit in &mut visits {
                    visit["page"] = last["page"].clone();
                }
                visits
            },
            "written-read POST /visits",
        ),
        // The first one is lost when there is another.
        (
            |mut visits| {
                visits.drain(..visits.len().saturating_sub(1));
                visits
            },
            "pages-complete GET /visits",
        ),
    ];
    for (shown, expected) in cases {
        let (told, lines) = found(&server(shown));
        assert_eq!(told, [expected], "{lines}");
    }
}
