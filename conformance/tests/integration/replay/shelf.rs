//! What a run creates for its requests: things that a list names, that need a name of their own, or that cannot be created.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::run::{document, generating, of_rule};
use super::*;

#[test]
fn things_are_read_that_a_list_names_or_that_a_generated_request_creates() {
    // Without any sample: notes are created by a generated request, stars only listed.
    let paths = "  /notes:\n    post:\n      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 3}}}}}}\n      responses: {'201': {description: d}, '400': {description: d}}\n  /notes/{id}:\n    get: &read\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      responses: {'200': {description: d}, '404': {description: d}}\n    delete:\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      responses: {'204': {description: d}, '404': {description: d}}\n  /stars:\n    get: {responses: {'200': {description: d}}}\n  /stars/{id}:\n    get: *read\n";
    let serial = AtomicUsize::new(0);
    let known = std::sync::Mutex::new(std::collections::HashSet::new());
    let server = Server::start(Box::new(move |request: &Request, _| {
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let mut known = known.lock().expect("no thread panics");
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), &segments[..]) {
            ("POST", ["notes"]) if body["title"].as_str().is_some_and(|title| title.len() > 2) => {
                let id = format!("n{}", serial.fetch_add(1, Ordering::SeqCst));
                known.insert(id.clone());
                Reply::json(201, &json!({"id": id}))
            }
            ("POST", ["notes"]) => Reply::new(400),
            ("GET", ["notes", id]) if known.contains(*id) => Reply::new(200),
            ("DELETE", ["notes", id]) if known.remove(*id) => Reply::new(204),
            ("GET", ["stars"]) => Reply::json(200, &json!({"total": 1, "items": [{"id": "s7"}]})),
            ("GET", ["stars", "s7"]) => Reply::new(200),
            ("GET" | "DELETE", ["notes" | "stars", _]) => Reply::new(404),
            _ => Reply::new(405).header("allow", "GET, POST, DELETE"),
        }
    }));
    let (outcome, _) = replay_with(&document(paths), &generating(&server));
    let outcome = outcome.expect("a result");
    let unseen = ["never-accepted", "resource-not-created", "sample-unchecked"];
    let mut rules = outcome.findings.iter().map(|finding| finding.rule);
    assert!(
        rules.all(|rule| !unseen.contains(&rule)),
        "{:#?}",
        grave(&outcome.findings)
    );
    let lines = server.lines();
    assert!(lines.contains(&"GET /stars/s7".to_owned()), "{lines:#?}");
    // Nothing is left.
    assert_eq!(outcome.notes, Vec::<String>::new(), "{lines:#?}");
}

/// What `document` describes, kept by a server: things with an id of their own, and parts below them. `refuses` looks at a creation.
fn shelf(refuses: fn(&[Value], &Value) -> Option<u16>) -> Server {
    let kept: std::sync::Mutex<(Vec<Value>, HashSet<String>)> = std::sync::Mutex::default();
    Server::start(Box::new(move |request: &Request, _| {
        let mut kept = kept.lock().expect("no thread panics");
        let (kept, parts) = &mut *kept;
        let no = |status| {
            let reply = Reply::json(status, &json!({"error": "no"}));
            reply.header("content-type", "application/json")
        };
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let is_code = |text: &str| {
            let digits = text.strip_prefix('C').unwrap_or_default();
            digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if segments.get(1).is_some_and(|code| !is_code(code)) {
            return no(422);
        }
        let place = |code: &str| kept.iter().position(|one| one["code"] == code);
        let there = segments.get(1).map(|code| place(code));
        match (request.method.as_str(), &segments[..], there) {
            (_, _, Some(None)) => no(404),
            ("POST", ["things"], _) => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let is_right = body["code"].as_str().is_some_and(is_code)
                    && body.as_object().is_some_and(|members| members.len() == 1);
                if !is_right
                    || request.headers.get("content-type").map(String::as_str)
                        != Some("application/json")
                {
                    return no(422);
                }
                if let Some(status) = refuses(kept, &body) {
                    return no(status);
                }
                kept.push(body.clone());
                Reply::json(201, &body)
            }
            ("GET", ["things", _], Some(Some(at))) => Reply::json(200, &kept[at]),
            ("DELETE", ["things", _], Some(Some(at))) => {
                kept.remove(at);
                Reply::new(204)
            }
            ("POST", ["things", code, "parts"], _) => {
                parts.insert((*code).to_owned());
                Reply::json(201, &json!({"id": 7}))
            }
            (_, ["things", _, "parts", id], _) if !id.bytes().all(|byte| byte.is_ascii_digit()) => {
                no(422)
            }
            ("GET", ["things", code, "parts", id], _) => {
                match *id == "7" && parts.contains(*code) {
                    true => Reply::json(200, &json!({"id": 7})),
                    false => no(404),
                }
            }
            ("DELETE", ["things", code, "parts", id], _) => {
                match *id == "7" && parts.remove(*code) {
                    true => Reply::new(204),
                    false => no(404),
                }
            }
            (_, segments, _) => no(405).header(
                "allow",
                match segments.len() % 2 {
                    0 => "GET, DELETE",
                    _ => "POST",
                },
            ),
        }
    }))
}

const SHELF: &str = "  /things:
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {'201': {$ref: '#/components/responses/Thing'}, default: {$ref: '#/components/responses/No'}}
  /things/{code}:
    parameters: [&code {in: path, name: code, required: true, schema: {type: string, pattern: '^C[0-9]{6}$'}}]
    get: {responses: {'200': {$ref: '#/components/responses/Thing'}, default: {$ref: '#/components/responses/No'}}}
    delete: {responses: {'204': {description: d}, default: {$ref: '#/components/responses/No'}}}
  /things/{code}/parts:
    parameters: [*code]
    post: {responses: {'201': {$ref: '#/components/responses/Part'}, default: {$ref: '#/components/responses/No'}}}
  /things/{code}/parts/{id}:
    parameters: [*code, {in: path, name: id, required: true, schema: {type: integer, minimum: 0}}]
    get: {responses: {'200': {$ref: '#/components/responses/Part'}, default: {$ref: '#/components/responses/No'}}}
    delete: {responses: {'204': {description: d}, default: {$ref: '#/components/responses/No'}}}
components:
  responses:
    Thing: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
    Part: {description: d, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}
    No: {description: d, content: {application/json: {schema: {type: object, required: [error]}}}}
  schemas:
    Thing: {type: object, required: [code], properties: {code: {type: string, pattern: '^C[0-9]{6}$'}}, additionalProperties: false}
";

fn exists(kept: &[Value], body: &Value) -> Option<u16> {
    kept.contains(body).then_some(409)
}

#[test]
fn a_server_that_takes_each_name_once_is_given_others() {
    let server = shelf(exists);
    let mut options = generating(&server);
    options.flows = Some(conformance::flows::Settings::default());
    let (outcome, progress) = replay_with(&document(SHELF), &options);
    let outcome = outcome.expect("a result");
    let lines = grave(&outcome.findings);
    assert_eq!(lines, Vec::<String>::new(), "{progress}");
    assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
}

#[test]
fn nothing_is_created_below_what_a_case_puts_in_the_place_of_an_id() {
    let server = shelf(exists);
    let (outcome, progress) = replay_with(&document(SHELF), &generating(&server));
    let lines = grave(&outcome.expect("a result").findings);
    assert_eq!(lines, Vec::<String>::new(), "{progress}");
}

#[test]
fn what_could_not_be_created_is_said_once() {
    let server = shelf(|_, _| Some(403));
    let (outcome, _) = replay_with(&document(SHELF), &generating(&server));
    let findings = outcome.expect("a result").findings;
    let all = of_rule(&findings, "resource-not-created");
    assert_eq!(all.len(), 1, "{:#?}", grave(&findings));
    let sentence = said(all[0]);
    assert!(
        sentence.contains("a generated request created nothing, so requests of 5 operations were not sent: the response was 403"),
        "{sentence}"
    );
    let never: Vec<&str> = of_rule(&findings, "never-accepted")
        .iter()
        .map(|one| one.subject.as_str())
        .collect();
    assert_eq!(never, ["POST /things"]);
}
