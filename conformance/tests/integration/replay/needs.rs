//! Runs that do not get what they need.

use super::*;

#[test]
fn a_server_that_refuses_creation_is_told_once_with_the_samples_that_could_not_be_checked() {
    let refuse = |reply: Reply| {
        if reply.status == 201 {
            Reply::json(400, &json!({"status": 400, "title": "no"}))
        } else {
            reply
        }
    };
    let server = server_with("POST", "/api/notes", refuse);
    let (outcome, progress) = replayed(NOTES, &server);
    let refused: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule == "resource-not-created")
        .collect();
    assert_eq!(refused.len(), 1, "{:#?}", grave(&outcome.findings));
    assert_eq!(refused[0].severity, Severity::Undecided);
    assert!(
        said(refused[0])
            .contains("not created, so 9 samples could not be sent: the response was 400"),
        "{}",
        said(refused[0])
    );
    assert_eq!(refused[0].used_by.count, 9);
    assert_eq!(outcome.checked["unchecked samples"], 9, "{progress}");
    assert!(progress.contains("not checked: 9 samples"), "{progress}");
}

#[test]
fn a_thing_that_the_server_does_not_remove_is_named() {
    let server = server_with("DELETE", "/api/notes/*", |reply| {
        if reply.status == 204 {
            Reply::new(503)
        } else {
            reply
        }
    });
    let (_, progress) = replayed(NOTES, &server);
    assert!(
        progress.contains("left on the server: /notes/00000000-"),
        "{progress}"
    );
    assert!(progress.contains("(the response was 503)"), "{progress}");
}

#[test]
fn a_list_that_is_shown_with_items_is_not_judged_empty() {
    let fault = |reply: Reply| {
        reply.edit(|body| {
            if let Some(item) = body["data"].get_mut(0) {
                item["id"] = json!(7);
            }
        })
    };
    let server = server_with("GET", "/api/notes", only_success(fault));
    let mut options = options(&server);
    // Nothing is created before the list is read.
    options.include = vec!["GET /notes".to_owned(), "listNotes".to_owned()];
    let outcome = replay_with(NOTES, &options)
        .0
        .expect("the server can be checked");
    let grave = grave(&outcome.findings);
    assert!(
        grave
            .iter()
            .any(|line| line.starts_with("body-schema") && line.contains("/data/0/id")),
        "{grave:#?}"
    );
}

#[test]
fn only_what_is_included_is_replayed() {
    let server = Server::start(right());
    let mut options = options(&server);
    options.include = vec!["tag:Colors".to_owned()];
    let outcome = replay_with(NOTES, &options)
        .0
        .expect("the server can be checked");
    assert_eq!(outcome.checked["operations"], 1);
    assert_eq!(server.lines(), ["GET /api/colors/red"]);
}

#[test]
fn a_server_that_allows_only_one_of_a_kind_is_served_with_the_one_that_there_is() {
    let before = std::sync::atomic::AtomicUsize::new(0);
    let server = server_with("POST", "/api/notes", move |reply| {
        let first = before.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        if first {
            reply
        } else {
            Reply::json(409, &json!({"status": 409, "title": "there is one"}))
        }
    });
    let (outcome, _) = replayed(NOTES_30, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
}

#[test]
fn a_path_cannot_lead_to_another_host() {
    let server = Server::start(right());
    let text = "openapi: 3.1.0\npaths:\n  '@127.0.0.2/x':\n    get: { responses: { '404': { description: d, content: { application/problem+json: { examples: { a: { x-replay: {}, value: { status: 404, title: t } } } } } } } }\n";
    let (outcome, _) = replayed(text, &server);
    assert_eq!(server.lines(), ["GET /@127.0.0.2/x"]);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
}

#[test]
fn a_refused_nested_thing_is_told_once() {
    let server = server_with("POST", "/api/notes/*/comments", |_| {
        Reply::json(409, &json!({"status": 409, "title": "said already"}))
    });
    let (outcome, _) = replayed(NOTES, &server);
    let rules: Vec<&str> = outcome
        .findings
        .iter()
        .filter(|finding| finding.severity <= Severity::Undecided)
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(rules, ["status-as-sample", "resource-not-created"]);
}

#[test]
fn what_was_created_without_a_right_credential_is_deleted_by_whom_it_belongs_to() {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use conformance::replay::Generate;

    const THINGS: &str = "openapi: 3.1.0
info: {title: Things, version: '1'}
security: [{key: []}]
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
paths:
  /things:
    post:
      responses:
        '201': {description: d, content: {application/json: {schema: {type: object, properties: {id: {type: integer}}}}}}
        '401': {description: d}
  /things/{id}:
    delete:
      parameters: [{in: path, name: id, required: true, schema: {type: integer}}]
      responses: {'204': {description: d}, '404': {description: d}, '401': {description: d}}
";
    // Owners by id; whoever asks is let in, and finds only what is theirs.
    let things: Arc<Mutex<(usize, BTreeMap<usize, String>)>> = Arc::default();
    let kept = Arc::clone(&things);
    let server = Server::start(Box::new(move |request: &Request, _| {
        let user = request.headers.get("x-key").cloned().unwrap_or_default();
        let mut things = things.lock().expect("no thread panics");
        match (
            request.method.as_str(),
            request.path.trim_start_matches("/things/"),
        ) {
            ("POST", "/things") => {
                things.0 += 1;
                let id = things.0;
                things.1.insert(id, user);
                Reply::json(201, &json!({"id": id}))
            }
            ("DELETE", id) => {
                let id = id.parse().unwrap_or_default();
                match things.1.get(&id) == Some(&user) {
                    true => {
                        things.1.remove(&id);
                        Reply::new(204)
                    }
                    false => Reply::new(404),
                }
            }
            _ => Reply::new(404),
        }
    }));
    let mut options = Options::new(&server.url);
    options.headers = vec![("X-Key".to_owned(), "hunter22".to_owned())];
    options.generate = Some(Generate::default());
    let outcome = replay_with(THINGS, &options)
        .0
        .expect("the server can be checked");
    let rules: Vec<&str> = outcome.findings.iter().map(|one| one.rule).collect();
    assert!(rules.contains(&"credentials-required"), "{rules:?}");
    let (created, left) = kept.lock().expect("no thread panics").clone();
    assert!(created > 3, "{created}");
    assert!(left.is_empty(), "{left:?}");
}

/// The server wants a key and a reason for each deletion, for which the document has no sample.
#[test]
fn what_was_created_is_deleted_with_all_that_a_deletion_requires() {
    let document = "openapi: 3.1.0
info: {title: t, version: '1'}
security: [{key: []}]
paths:
  /things:
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}
      responses: {'201': {description: d, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}, '401': {description: d}}
  /things/{id}:
    delete:
      parameters:
        - {in: path, name: id, required: true, schema: {type: integer}}
        - {in: query, name: reason, required: true, schema: {enum: [mistake, other]}}
        - {in: header, name: X-Confirm, required: true, schema: {const: 'yes'}}
      responses: {'204': {description: d}, '400': {description: d}, '401': {description: d}, '404': {description: d}}
components:
  securitySchemes: {key: {type: apiKey, in: query, name: api_key}}
";
    let things = std::sync::Arc::new(std::sync::Mutex::new((
        0_u64,
        std::collections::BTreeSet::new(),
    )));
    let kept = std::sync::Arc::clone(&things);
    let server = Server::start(Box::new(move |request: &Request, _| {
        let mut things = kept.lock().expect("no thread panics");
        let has = |pair: &str| {
            let query = request.query.trim_start_matches('?');
            query.split('&').any(|known| known == pair)
        };
        if !has("api_key=secret-7") {
            return Reply::new(401);
        }
        match (
            request.method.as_str(),
            request.path.strip_prefix("/things/"),
        ) {
            ("POST", None) => {
                things.0 += 1;
                let id = things.0;
                things.1.insert(id.to_string());
                Reply::json(201, &json!({"id": id}))
            }
            ("DELETE", Some(id)) => {
                let confirmed = request.headers.get("x-confirm");
                let has_reason = has("reason=mistake") || has("reason=other");
                match confirmed.is_some_and(|text| text == "yes") && has_reason {
                    false => Reply::new(400),
                    true if things.1.remove(id) => Reply::new(204),
                    true => Reply::new(404),
                }
            }
            _ => Reply::new(405).header("Allow", "POST, DELETE"),
        }
    }));
    let mut options = Options::new(&server.url);
    options.credentials = vec![conformance::credentials::Given::scheme("key", "secret-7")];
    options.generate = Some(conformance::replay::Generate::default());
    let (outcome, progress) = replay_with(document, &options);
    outcome.expect("the server can be checked");
    let things = things.lock().expect("no thread panics");
    assert!(things.0 > 2, "{progress}");
    assert!(things.1.is_empty(), "{:?}\n{progress}", things.1);
    assert!(!progress.contains("left on the server"), "{progress}");
}

/// A PUT that answers 201 made something at a path of the client's choice.
#[test]
fn what_a_put_created_is_deleted() {
    let document = "openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /settings/{name}:
    parameters: [{in: path, name: name, required: true, schema: {type: string}}]
    put:
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [value], properties: {value: {type: integer}}}}}}
      responses: {'200': {description: d}, '201': {description: d}, '400': {description: d}}
    delete: {responses: {'204': {description: d}, '404': {description: d}}}
";
    let names = std::collections::BTreeSet::from(["a".to_owned(), "was-here".to_owned()]);
    for there in [std::collections::BTreeSet::new(), names] {
        let kept = std::sync::Arc::new(std::sync::Mutex::new((there.clone(), 0)));
        let settings = std::sync::Arc::clone(&kept);
        let server = Server::start(Box::new(move |request: &Request, _| {
            let mut settings = settings.lock().expect("no thread panics");
            let name = request.path.strip_prefix("/settings/").unwrap_or_default();
            match request.method.as_str() {
                "PUT" => {
                    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                    if !body["value"]
                        .as_f64()
                        .is_some_and(|value| value.fract() == 0.0)
                    {
                        return Reply::new(400);
                    }
                    settings.1 += 1;
                    let is_new = settings.0.insert(name.to_owned());
                    Reply::new(if is_new { 201 } else { 200 })
                }
                "DELETE" if settings.0.remove(name) => Reply::new(204),
                "DELETE" => Reply::new(404),
                _ => Reply::new(405).header("Allow", "PUT, DELETE"),
            }
        }));
        let mut options = Options::new(&server.url);
        options.exclude = vec!["method:delete".to_owned()];
        options.generate = Some(conformance::replay::Generate::default());
        let (outcome, progress) = replay_with(document, &options);
        outcome.expect("the server can be checked");
        let settings = kept.lock().expect("no thread panics");
        assert!(settings.1 > 2, "{progress}");
        // What was there before is not the run's to delete.
        assert_eq!(settings.0, there, "{progress}");
    }
}
