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

pub(super) fn generating(server: &Server) -> Options {
    let mut options = options(server);
    options.generate = Some(Generate::default());
    options
}

pub(super) fn document(paths: &str) -> String {
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
        out.starts_with("nothing checked: none of ") && out.contains("answered 401 or 403"),
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
fn a_parameter_that_cannot_be_decoded_may_be_dropped_where_it_is_optional() {
    for (required, expected) in [(false, 0), (true, 1)] {
        let server = Server::start(Box::new(move |request: &Request, _| {
            let no = || Reply::json(400, &json!([]));
            if request.method != "GET" {
                return items(request);
            }
            let value = request.query.trim_start_matches('?').strip_prefix("n=");
            let Some(value) = value.filter(|value| *value != "%F") else {
                // As if it was not there, which this server never minds.
                return Reply::json(200, &json!([]));
            };
            match value.parse::<u32>() {
                Ok(_) if !value.starts_with('+') => Reply::json(200, &json!([])),
                _ => no(),
            }
        }));
        let paths = ITEMS.replace(
            "    get:\n",
            &format!("    get:\n      parameters: [{{in: query, name: n, required: {required}, schema: {{type: integer, minimum: 0, maximum: 4000000000}}}}]\n"),
        );
        let paths = paths.replace("        '200'", "        '400': {description: d, content: {application/json: {schema: {type: array}}}}\n        '200'");
        let (outcome, _) = replay_with(&document(&paths), &generating(&server));
        let findings = outcome.expect("a result").findings;
        let half = findings
            .iter()
            .filter(|one| said(one).contains("half a percent-encoding"));
        assert_eq!(half.count(), expected, "{:#?}", grave(&findings));
    }
}

#[test]
fn operations_that_a_run_does_not_come_to_have_their_findings_on_the_document() {
    let broken = ITEMS.replace("/items", "/broken").replace(
        "    get:\n",
        "    get:\n      parameters: [{in: query, name: n, required: true, schema: {type: integer, minimum: 9, maximum: 3}}]\n",
    );
    let text = document(&format!("{ITEMS}{broken}"));
    let server = Server::start(Box::new(|request: &Request, _| {
        items(request).wire(Wire::Late(Duration::from_millis(20)))
    }));
    for seconds in [0.001, 0.05] {
        let mut options = generating(&server);
        options.workers = 1;
        options.max_time = Some(seconds);
        let findings = replay_with(&text, &options).0.expect("a result").findings;
        let found = of_rule(&findings, "request-unsatisfiable");
        assert_eq!(found.len(), 1, "{seconds}: {:#?}", grave(&findings));
    }
}

#[test]
fn a_fault_of_each_item_of_a_long_list_is_one() {
    let server = Server::start(Box::new(|request: &Request, _| {
        match request.path.as_str() {
            "/items" if request.method == "GET" => Reply::json(200, &json!(vec!["text"; 200])),
            _ => items(request),
        }
    }));
    let paths = ITEMS.replace("{type: array}", "{type: array, items: {type: integer}}");
    let (outcome, _) = replay_with(&document(&paths), &generating(&server));
    let lines = grave(&outcome.expect("a result").findings);
    assert_eq!(lines.len(), 1, "{lines:#?}");
}

/// The findings of a rule.
pub(super) fn of_rule<'f>(findings: &'f [Finding], rule: &str) -> Vec<&'f Finding> {
    findings.iter().filter(|one| one.rule == rule).collect()
}
