//! HTTP Archives: what a run writes, and what it makes of recorded traffic.

use std::path::Path;

use super::*;

/// An exit code, the findings as `rule subject`, and the report.
type Judged = (Option<i32>, Vec<String>, Value);

fn run(arguments: &[&str]) -> Judged {
    program("run", arguments)
}

/// Runs the program.
fn program(command: &str, arguments: &[&str]) -> Judged {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args([command, "--format", "json"])
        .args(arguments)
        .output()
        .expect("the program runs");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = findings
        .iter()
        .map(|finding| format!("{} {}", text(&finding["rule"]), text(&finding["subject"])));
    let mut told: Vec<String> = told.collect();
    told.sort();
    told.dedup();
    (output.status.code(), told, report)
}

fn notes(folder: &Path) -> String {
    let file = folder.join("notes.yaml");
    std::fs::write(&file, NOTES).expect("is written");
    file.to_str().expect("is text").to_owned()
}

/// Records what samples are answered by a server, and judges what was recorded.
fn recorded(server: &Server) -> (Value, Vec<String>, Judged) {
    let folder = tempfile::tempdir().expect("a folder");
    let document = notes(folder.path());
    let archive = folder.path().join("run.har");
    let archive = archive.to_str().expect("is text");
    let token = format!("X-Token: {TOKEN}");
    let arguments = [
        &document,
        "--server",
        &server.url,
        "--header",
        &token,
        "--har",
        archive,
    ];
    let (_, live, _) = program("replay", &arguments);
    let text = std::fs::read_to_string(archive).expect("the archive is written");
    assert!(!text.contains(TOKEN), "a credential is in the archive");
    let written = serde_json::from_str(&text).expect("the archive is JSON");
    (written, live, run(&[&document, "--from-har", archive]))
}

#[test]
fn the_archive_of_a_right_server_conforms() {
    let server = Server::start(right());
    let (archive, live, (code, found, report)) = recorded(&server);
    assert!(
        live.iter()
            .all(|one| one.starts_with("sample-") || one.starts_with("operation-without-sample")),
        "{live:?}"
    );
    assert_eq!((code, found), (Some(0), Vec::new()), "{report}");
    let entries = archive["log"]["entries"].as_array().expect("entries");
    assert!(entries.len() > 20, "{}", entries.len());
    for entry in entries {
        for member in [
            "startedDateTime",
            "time",
            "request",
            "response",
            "cache",
            "timings",
        ] {
            assert!(!entry[member].is_null(), "{member}: {entry}");
        }
        for member in [
            "method",
            "url",
            "httpVersion",
            "cookies",
            "headers",
            "queryString",
            "headersSize",
            "bodySize",
        ] {
            assert!(!entry["request"][member].is_null(), "{member}: {entry}");
        }
        for member in [
            "status",
            "statusText",
            "httpVersion",
            "cookies",
            "headers",
            "content",
            "redirectURL",
            "headersSize",
            "bodySize",
        ] {
            assert!(!entry["response"][member].is_null(), "{member}: {entry}");
        }
    }
    let judged = report["summary"]["checked"]["recorded exchanges"].as_u64();
    assert!(judged.is_some_and(|count| count > 20), "{report}");
}

#[test]
fn recorded_traffic_has_the_findings_that_the_live_server_had() {
    let server = server_with(
        "POST",
        "/api/notes",
        only_success(|reply| reply.edit(|body| body["size"] = json!("three"))),
    );
    let (_, live, (code, found, report)) = recorded(&server);
    let expected = "body-schema POST /notes (createNote)".to_owned();
    assert!(live.contains(&expected), "{live:?}");
    assert_eq!((code, found), (Some(1), vec![expected]), "{report}");
}

/// An entry whose response has a content type if it has a body.
fn entry(method: &str, url: &str, body: Option<&str>, status: u16, answer: &str) -> Value {
    json!({
        "startedDateTime": "2026-01-01T00:00:00Z",
        "time": 3,
        "request": {
            "method": method,
            "url": url,
            "headers": [{"name": "content-type", "value": "application/json"}],
            "postData": body.map(|text| json!({"mimeType": "application/json", "text": text})),
        },
        "response": {
            "status": status,
            "headers": if answer.is_empty() { json!([]) } else { json!([{"name": "content-type", "value": "application/json"}]) },
            "content": {"size": answer.len(), "mimeType": "application/json", "text": answer},
        },
    })
}

const ORDERS: &str = "openapi: 3.1.0
info: {title: Orders, version: '1'}
servers: [{url: 'https://api.example.com/v1'}]
paths:
  /orders:
    get:
      operationId: list
      parameters: [{name: limit, in: query, schema: {type: integer, maximum: 10}}]
      responses: {'200': {description: d, content: {application/json: {schema: {type: array}}}}}
    post:
      operationId: add
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [qty]}}}}
      responses: {'201': {description: d, content: {application/json: {schema: {type: object}}}}, '400': {description: d}}
  /orders/{id}:
    get:
      operationId: read
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {'200': {description: d, content: {application/json: {schema: {type: object, required: [id]}}}}, '404': {description: d}}
";

fn judge(entries: &[Value], more: &[&str]) -> Judged {
    let folder = tempfile::tempdir().expect("a folder");
    let document = folder.path().join("orders.yaml");
    std::fs::write(&document, ORDERS).expect("is written");
    let archive = folder.path().join("a.har");
    std::fs::write(&archive, json!({"log": {"entries": entries}}).to_string()).expect("is written");
    let paths = [&document, &archive].map(|path| path.to_str().expect("is text").to_owned());
    run(&[&[paths[0].as_str(), "--from-har", paths[1].as_str()], more].concat())
}

#[test]
fn each_fault_of_recorded_traffic_is_told_and_the_rest_of_the_web_is_left_alone() {
    let at = |path: &str| format!("https://api.example.com/v1{path}");
    let entries = [
        // Right, also on a developer's machine.
        entry("GET", &at("/orders?limit=10&utm=x"), None, 200, "[]"),
        entry("GET", "http://127.0.0.1:8080/v1/orders", None, 200, "[]"),
        // An invalid request, refused as it should be, and one that is not.
        entry("POST", &at("/orders"), Some("{}"), 400, ""),
        entry("POST", &at("/orders"), Some("{}"), 201, "{}"),
        entry("GET", &at("/orders?limit=11"), None, 200, "[]"),
        entry("GET", &at("/orders/7"), None, 200, "{}"),
        entry("GET", &at("/orders/8"), None, 500, "{}"),
        entry("PUT", &at("/orders/8"), None, 200, "{}"),
        entry("PUT", &at("/orders/8"), None, 200, "{}"),
        entry("GET", &at("/status"), None, 200, "{}"),
        // Not of this API, or no exchange.
        entry("OPTIONS", &at("/orders"), None, 204, ""),
        entry(
            "GET",
            "https://cdn.example.com/v1/orders",
            None,
            200,
            "<html>",
        ),
        entry("GET", "https://api.example.com/v2/orders", None, 200, "{}"),
        entry("GET", &at("/orders"), None, 0, ""),
        entry("GET", "wss://api.example.com/v1/orders", None, 101, ""),
    ];
    let (code, found, report) = judge(&entries, &[]);
    assert_eq!(code, Some(1), "{report}");
    let expected = [
        "body-schema GET /orders/{id} (read)",
        "invalid-refused GET /orders (list)",
        "invalid-refused POST /orders (add)",
        "no-server-error GET /orders/{id} (read)",
        "operation-undocumented GET /status",
        "operation-undocumented PUT /orders/8",
    ];
    assert_eq!(found, expected, "{report}");
    let checked = &report["summary"]["checked"];
    assert_eq!(checked["recorded exchanges"], 7, "{checked}");
    assert_eq!(
        checked["recorded exchanges of other servers"], 2,
        "{checked}"
    );
    assert_eq!(
        checked["recorded exchanges of no operation"], 4,
        "{checked}"
    );
    assert_eq!(
        checked["recorded requests without a response"], 1,
        "{checked}"
    );
    assert_eq!(
        checked["recorded messages that are not HTTP"], 1,
        "{checked}"
    );
    let schema = serde_json::from_str(conformance::report::SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is valid");
    assert!(validator.is_valid(&report));
}

#[test]
fn a_body_that_was_not_recorded_is_not_missing() {
    let mut entry = entry("GET", "https://api.example.com/v1/orders", None, 200, "[]");
    entry["response"]["content"] = json!({"size": 2, "mimeType": "application/json"});
    let (code, found, report) = judge(&[entry], &[]);
    assert_eq!((code, found), (Some(0), Vec::new()), "{report}");
}

#[test]
fn an_archive_without_this_api_checks_nothing_until_the_server_is_named() {
    let entries = [entry(
        "GET",
        "https://other.example.com/api/orders",
        None,
        200,
        "{}",
    )];
    let (code, found, report) = judge(&entries, &[]);
    assert_eq!((code, found), (Some(2), Vec::new()), "{report}");
    let reason = report["summary"]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("--server URL"), "{report}");
    let (code, found, report) = judge(&entries, &["--server", "https://other.example.com/api/"]);
    assert_eq!(
        (code, found),
        (Some(1), vec!["body-schema GET /orders (list)".to_owned()]),
        "{report}"
    );
}

#[test]
fn what_is_not_an_archive_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let document = notes(folder.path());
    let file = folder.path().join("x.har");
    for text in ["", "{}", r#"{"log": {"entries": [{"request": 7}]}}"#] {
        std::fs::write(&file, text).expect("is written");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"))
            .args(["run", &document, "--from-har"])
            .arg(&file)
            .output()
            .expect("the program runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("x.har is not an HTTP Archive"), "{error}");
    }
}

#[test]
fn recorded_requests_are_samples_without_their_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("is written");
        path.to_str().expect("is text").to_owned()
    };
    let document = file(
        "orders.yaml",
        "openapi: 3.1.0
info: {title: Orders, version: '1'}
servers: [{url: 'https://api.example.com/api'}]
paths:
  /orders:
    post:
      parameters: [{in: header, name: X-Tenant, schema: {type: string}}]
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [sku], properties: {sku: {type: string}, count: {type: integer}}}}}
      responses: {'201': {description: d}, '400': {description: d}}
",
    );
    let entry = |status: u16, url: &str, body: &str| {
        json!({
            "time": 1,
            "request": {"method": "POST", "url": url, "headers": [
                {"name": "Authorization", "value": "Bearer production"},
                {"name": "Cookie", "value": "sid=production"},
                {"name": "X-Tenant", "value": "acme"},
                {"name": "X-Browser", "value": "yes"},
                {"name": "Content-Type", "value": "application/json"},
            ], "postData": {"mimeType": "application/json", "text": body}},
            "response": {"status": status, "headers": [], "content": {"size": 0, "mimeType": "", "text": ""}},
        })
    };
    let url = "https://api.example.com/api/orders";
    let entries = [
        entry(201, url, "{\"sku\": \"A-7\", \"count\": 3}"),
        // The same again, one that was refused, one that is not allowed, one of another server.
        entry(201, url, "{\"sku\": \"A-7\", \"count\": 3}"),
        entry(400, url, "{\"sku\": \"refused\"}"),
        entry(201, url, "{\"count\": 1}"),
        entry(
            201,
            "https://other.example.com/api/orders",
            "{\"sku\": \"other\"}",
        ),
    ];
    let archive = json!({"log": {"version": "1.2", "entries": entries}}).to_string();
    let archive = file("traffic.har", &archive);
    // A server that has one product.
    let server = Server::start(Box::new(|request: &Request, _| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        Reply::new(if body["sku"] == "A-7" { 201 } else { 400 })
    }));
    let arguments = [
        &document,
        "--server",
        &format!("{}/api", server.url),
        "--samples-from-har",
        &archive,
    ];
    let (code, told, report) = run(&arguments);
    assert!(code.is_some_and(|code| code < 2), "{report:#}");
    assert!(
        !told.iter().any(|one| one.starts_with("never-accepted")),
        "{told:?}"
    );
    assert_eq!(
        report["summary"]["checked"]["replayed samples"], 1,
        "{report:#}"
    );
    let seen = server.seen.lock().expect("no thread panics").clone();
    let sample = &seen[0];
    assert_eq!(sample.body, b"{\"sku\": \"A-7\", \"count\": 3}");
    assert_eq!(sample.headers["x-tenant"], "acme");
    assert!(!sample.headers.contains_key("x-browser"));
    for request in &seen {
        let headers = format!("{:?}", request.headers);
        assert!(!headers.contains("production"), "{headers}");
    }
    // Without it nothing is known that the server accepts.
    let (_, told, _) = run(&arguments[..3]);
    assert!(
        told.iter().any(|one| one.starts_with("never-accepted")),
        "{told:?}"
    );
    let empty = file("empty.har", "{\"log\": {\"entries\": []}}");
    let (code, ..) = run(&[
        &document,
        "--server",
        &server.url,
        "--samples-from-har",
        &empty,
    ]);
    assert_eq!(code, Some(2));
}
