//! `conformance run`: the gate against empty green, load manners, root causes, and the first report.

use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use conformance::finding::Unchecked;
use conformance::replay::Generate;
use conformance::session::{Stop, Watched};

use super::*;

const NOTES_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/replay/notes.yaml");

fn program(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"));
    let output: Output = command
        .arg("run")
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn generating(server: &Server) -> Options {
    let mut options = options(server);
    options.generate = Some(Generate::default());
    options
}

fn document(paths: &str) -> String {
    format!("openapi: 3.1.0\ninfo: {{title: T, version: '1'}}\npaths:\n{paths}")
}

/// Answers of a server that knows one list and one item.
fn items(request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/items") => Reply::json(200, &json!([])),
        ("GET", _) => Reply::json(404, &json!({"error": "no"})),
        _ => Reply::new(405).header("allow", "GET"),
    }
}

const ITEMS: &str = "  /items:\n    get:\n      responses:\n        '200': {description: d, content: {application/json: {schema: {type: array}}}}\n";

#[test]
fn without_valid_credentials_the_exit_code_is_2_and_the_missing_one_is_named() {
    let server = Server::start(right());
    let arguments = [NOTES_FILE, "--server", &server.url, "--exclude", "getColor"];
    let (code, out, error) = program(&arguments);
    assert_eq!(code, Some(2), "{out}{error}");
    assert!(
        out.starts_with("nothing checked: all ") && out.contains("responses were 401 or 403"),
        "{out}"
    );
    assert!(out.contains("(--credential 'token=${API_KEY}')"), "{out}");
    assert_eq!(out.lines().count(), 1, "{out}");
    let refused = [&arguments[..], &["--header", "X-Token: another"]].concat();
    let (code, out, _) = program(&refused);
    assert_eq!(code, Some(2), "{out}");
    assert!(
        out.contains("the server refuses the credentials that were given"),
        "{out}"
    );
}

#[test]
fn a_run_that_sends_nothing_exits_with_2_and_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("api.yaml");
    // No value is known for the parameter.
    let text = "  /a/{id}:\n    get:\n      parameters: [{name: id, in: path, required: true, schema: {type: string, pattern: '(?=x)y'}}]\n      responses: {'200': {description: d}}\n";
    std::fs::write(&file, document(text)).expect("is written");
    let server = Server::start(right());
    let file = file.to_str().expect("is text");
    let (code, out, error) = program(&[file, "--server", &server.url]);
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(out.contains("no request could be made"), "{out}");
    let writes = folder.path().join("writes.yaml");
    let text = "  /a:\n    post: {responses: {'200': {description: d}}}\n";
    std::fs::write(&writes, document(text)).expect("is written");
    let writes = writes.to_str().expect("is text");
    let (code, out, error) = program(&[writes, "--server", &server.url, "--safe"]);
    assert_eq!(code, Some(2), "{out}{error}");
    assert!(out.contains("--safe leaves no request"), "{out}");
}

#[test]
fn an_operation_that_accepts_nothing_is_told_with_the_last_words_of_the_server() {
    let server = Server::start(Box::new(|request: &Request, _| items(request)));
    let text = document(&format!(
        "{ITEMS}  /items/{{id}}:\n    get:\n      parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]\n      responses: {{'200': {{description: d}}, '404': {{description: d}}}}\n"
    ));
    let (outcome, _) = replay_with(&text, &generating(&server));
    let outcome = outcome.expect("the server can be checked");
    let found: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule == "never-accepted")
        .collect();
    assert_eq!(found.len(), 1, "{:#?}", outcome.findings);
    assert_eq!(found[0].subject, "GET /items/{id}");
    let words = said(found[0]);
    assert!(
        words.contains("the last response was 404: {\"error\":\"no\"}"),
        "{words}"
    );
    assert!(found[0].exchange.is_some());
}

#[test]
fn what_was_not_observed_is_a_finding_where_that_is_asked_for() {
    let server = Server::start(Box::new(|request: &Request, _| items(request)));
    let text = document(
        "  /items:\n    get:\n      responses:\n        '200': {description: d, content: {application/json: {schema: {type: array}}}}\n        '503': {description: d}\n",
    );
    let unobserved = |watched: Vec<Watched>| {
        let mut options = generating(&server);
        options.watched = watched;
        let outcome = replay_with(&text, &options).0;
        let findings = outcome.expect("the server can be checked").findings;
        let found = findings.iter().filter(|one| one.rule == "unobserved");
        found.map(said).collect::<Vec<_>>()
    };
    assert_eq!(unobserved(Vec::new()), Vec::<String>::new());
    assert_eq!(
        unobserved(vec![Watched::Operation, Watched::Sample]),
        Vec::<String>::new()
    );
    assert_eq!(unobserved(vec![Watched::Status]), ["no response was 503"]);
}

#[test]
fn one_root_cause_is_one_finding_with_its_count_and_its_users() {
    let list = "get:\n      parameters: [{name: q, in: query, schema: {type: string, maxLength: 5}}]\n      responses:\n        '200': {description: d, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Item'}}}}}\n        '400': {description: d}\n";
    let text = document(&format!("  /items:\n    {list}  /items?:\n    {list}"))
        .replace("/items?", "/more")
        + "components: {schemas: {Item: {type: object, properties: {id: {type: string}}}}}\n";
    let server = Server::start(Box::new(|request: &Request, _| {
        match request.method.as_str() {
            "GET" => Reply::json(200, &json!([{"id": 7}])),
            _ => Reply::new(405).header("allow", "GET"),
        }
    }));
    let (outcome, _) = replay_with(&text, &generating(&server));
    let findings = outcome.expect("the server can be checked").findings;
    let bodies: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.rule == "body-schema")
        .collect();
    assert_eq!(bodies.len(), 1, "{findings:#?}");
    assert!(bodies[0].cases > 4, "{}", bodies[0].cases);
    assert_eq!(bodies[0].used_by.others(), ["GET /items", "GET /more"]);
    // Both operations ignore the length, each with several values.
    let ignored = findings.iter().filter(|one| one.rule == "invalid-refused");
    let ignored: Vec<String> = ignored.map(said).collect();
    assert_eq!(ignored.len(), 2, "{ignored:#?}");
}

#[test]
fn the_first_report_is_a_screen_with_the_verdict_first_and_the_gravest_on_top() {
    let server = Server::start(Box::new(|request: &Request, reply: Reply| {
        match request.method.as_str() {
            "PATCH" if reply.status == 200 => Reply::json(500, &json!({"title": "oops"})),
            "GET" if reply.status == 200 => reply.edit(|body| body["more"] = json!(1)),
            "POST" if reply.status >= 400 => Reply::json(201, &json!({"id": 1})),
            _ => reply,
        }
    }));
    let token = format!("X-Token: {TOKEN}");
    let arguments = [NOTES_FILE, "--server", &server.url, "--header", &token];
    let (code, out, error) = program(&arguments);
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(out.starts_with("deviates: "), "{out}");
    let rows: usize = out
        .lines()
        .map(|line| line.len().div_ceil(100).max(1))
        .sum();
    assert!((10..=50).contains(&rows), "{rows} rows: {out}");
    assert!(out.contains("curl "), "{out}");
    assert!(out.contains("more findings: --verbose shows all"), "{out}");
    assert!(
        error.contains("sends requests that change data to ")
            && error.contains("deletes what it creates"),
        "{error}"
    );
    let severities = ["breaking", "undecided", "warning"];
    let order: Vec<usize> = out
        .lines()
        .skip(1)
        .filter_map(|line| severities.iter().position(|word| line.starts_with(word)))
        .collect();
    assert!(order.is_sorted() && !order.is_empty(), "{out}");
    let (_, verbose, _) = program(&[&arguments[..], &["--verbose"]].concat());
    assert!(verbose.lines().count() > 100, "{verbose}");
    assert!(!out.contains(TOKEN) && !verbose.contains(TOKEN));
}

#[test]
fn what_was_created_is_deleted_at_the_end_and_also_after_a_stop() {
    let server = Server::start(right());
    let outcome = replay_with(NOTES, &generating(&server)).0;
    // Comments have no DELETE.
    let notes = outcome.expect("a result").notes;
    assert!(
        notes.len() == 1 && notes[0].ends_with(" that the run created are left on the server"),
        "{notes:?}"
    );
    assert_eq!(server.notes(), 0, "{:#?}", server.lines());

    let stop = Stop::default();
    let handle = stop.clone();
    let before = AtomicUsize::new(0);
    let server = Server::start(Box::new(move |_: &Request, reply| {
        if before.fetch_add(1, Ordering::SeqCst) == 40 {
            handle.stop();
        }
        reply
    }));
    let mut options = generating(&server);
    options.stop = stop;
    let (outcome, _) = replay_with(NOTES, &options);
    let outcome = outcome.expect("a result");
    assert!(
        matches!(
            outcome.unchecked,
            Some(Unchecked::Stopped { requests: 20.. })
        ),
        "{:?}",
        outcome.unchecked
    );
    assert!(
        outcome.notes[0].starts_with("the run was stopped: not all requests were sent to "),
        "{:?}",
        outcome.notes
    );
    assert_eq!(server.notes(), 0, "{:#?}", server.lines());
}

#[test]
fn a_hanging_request_is_abandoned_when_the_run_is_stopped() {
    let stop = Stop::default();
    let handle = stop.clone();
    let server = Server::start(Box::new(move |request: &Request, _| {
        handle.stop();
        items(request).wire(Wire::Late(Duration::from_secs(600)))
    }));
    let mut options = generating(&server);
    options.timeout = 600.0;
    options.stop = stop;
    let start = Instant::now();
    let outcome = replay_with(&document(ITEMS), &options).0.expect("a result");
    assert!(start.elapsed() < Duration::from_secs(300));
    assert!(outcome.findings.is_empty(), "{:#?}", outcome.findings);
}

#[test]
fn a_run_ends_when_its_time_is_over_and_says_what_was_not_reached() {
    let server = Server::start(Box::new(|request: &Request, _| {
        items(request).wire(Wire::Late(Duration::from_millis(20)))
    }));
    let mut options = generating(&server);
    options.workers = 1;
    options.max_time = Some(0.05);
    let text = document(&format!("{ITEMS}{}", ITEMS.replace("/items", "/more")));
    let outcome = replay_with(&text, &options).0.expect("a result");
    assert!(
        outcome.notes[0].starts_with(
            "the time is over (0.05 s: --max-time): not all requests were sent to GET /items"
        ) || outcome.notes[0].contains("GET /more"),
        "{:?}",
        outcome.notes
    );
}

#[test]
fn a_request_that_is_answered_with_429_is_sent_again_after_the_time_that_the_server_names() {
    let before = AtomicUsize::new(0);
    let server = Server::start(Box::new(move |request: &Request, _| {
        match before.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::json(429, &json!({})).header("retry-after", "1"),
            _ => items(request),
        }
    }));
    let start = Instant::now();
    let (outcome, _) = replay_with(&document(ITEMS), &generating(&server));
    assert!(start.elapsed() >= Duration::from_secs(1));
    let findings = outcome.expect("a result").findings;
    assert_eq!(grave(&findings), Vec::<String>::new());
}

#[test]
fn a_server_that_answers_429_to_everything_does_not_hold_up_the_run() {
    let server = Server::start(Box::new(|_: &Request, _| {
        Reply::json(429, &json!({})).header("retry-after", "0")
    }));
    let (outcome, _) = replay_with(&document(ITEMS), &generating(&server));
    let findings = outcome.expect("a result").findings;
    let never = findings.iter().find(|one| one.rule == "never-accepted");
    let words = said(never.expect("nothing was accepted"));
    assert!(words.contains("the last response was 429"), "{words}");
}

#[test]
fn the_rate_is_kept_to() {
    let server = Server::start(Box::new(|request: &Request, _| items(request)));
    let mut options = generating(&server);
    options.rate = Some(20.0);
    let start = Instant::now();
    replay_with(&document(ITEMS), &options).0.expect("a result");
    let sent = server.lines().len();
    let least = Duration::from_millis(50) * u32::try_from(sent - 1).expect("few");
    assert!(
        sent > 3 && start.elapsed() >= least,
        "{sent} in {:?}",
        start.elapsed()
    );
}

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
