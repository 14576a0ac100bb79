//! Replaying the samples of a document against a right server, and against one with planted faults.

mod support;

use std::process::Output;
use std::time::Duration;

use clap::ValueEnum;
use conformance::document::Document;
use conformance::finding::{Finding, Severity};
use conformance::fingerprint;
use conformance::replay::{self, Options, Outcome, ReplayError};
use conformance::report::{self, DocumentInfo, Format, Report};
use serde_json::{Value, json};

use support::{Reply, Request, Server, TOKEN, Tamper, Wire};

const NOTES: &str = include_str!("cases/replay/notes.yaml");
const NOTES_30: &str = include_str!("cases/replay/notes-3.0.yaml");

fn options(server: &Server) -> Options {
    let mut options = Options::new(&server.url);
    options.headers = vec![("X-Token".to_owned(), TOKEN.to_owned())];
    options
}

fn replay_with(text: &str, options: &Options) -> (Result<Outcome, ReplayError>, String) {
    let document = Document::parse("notes.yaml", text).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut progress = Vec::new();
    let outcome = runtime.block_on(replay::run(options, &document, &mut progress));
    (
        outcome,
        String::from_utf8(progress).expect("progress is UTF-8"),
    )
}

fn replayed(text: &str, server: &Server) -> (Outcome, String) {
    let (outcome, progress) = replay_with(text, &options(server));
    (outcome.expect("the server can be checked"), progress)
}

/// Findings that make a run fail, one a line: rule, subject, message.
fn grave(findings: &[Finding]) -> Vec<String> {
    let graver = findings
        .iter()
        .filter(|finding| finding.severity <= Severity::Undecided);
    graver
        .map(|finding| {
            format!(
                "{} | {} | {}",
                finding.rule, finding.subject, finding.message
            )
        })
        .collect()
}

fn right() -> Tamper {
    Box::new(|_, reply| reply)
}

/// Plants a fault in the answers to one method and path; `*` in the path stands for an id.
fn server_with(
    method: &'static str,
    path: &'static str,
    fault: impl Fn(Reply) -> Reply + Send + Sync + 'static,
) -> Server {
    Server::start(Box::new(move |request: &Request, reply| {
        let wanted: Vec<&str> = path.split('/').collect();
        let given: Vec<&str> = request.path.split('/').collect();
        let same = wanted.len() == given.len()
            && wanted
                .iter()
                .zip(&given)
                .all(|(wanted, given)| *wanted == "*" || wanted == given);
        if request.method == method && same {
            fault(reply)
        } else {
            reply
        }
    }))
}

/// Successful answers only, so that refusals stay as they are.
fn only_success(fault: impl Fn(Reply) -> Reply) -> impl Fn(Reply) -> Reply {
    move |reply| {
        if reply.status < 300 {
            fault(reply)
        } else {
            reply
        }
    }
}

/// Replays against a server with one fault in one operation, and wants one rule to catch it there and nothing else to complain.
#[track_caller]
fn caught(
    method: &'static str,
    path: &'static str,
    fault: impl Fn(Reply) -> Reply + Send + Sync + 'static,
    rule: &str,
    part: &str,
) {
    let server = server_with(method, path, only_success(fault));
    let (outcome, _) = replayed(NOTES, &server);
    expect(&outcome, method, rule, part);
}

#[track_caller]
fn expect(outcome: &Outcome, method: &str, rule: &str, part: &str) {
    let grave: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|finding| finding.severity <= Severity::Undecided)
        .collect();
    let shown = format!("{:#?}", self::grave(&outcome.findings));
    assert!(!grave.is_empty(), "nothing was found");
    for finding in &grave {
        assert_eq!(finding.rule, rule, "{shown}");
        assert!(finding.subject.starts_with(method), "{shown}");
    }
    assert!(
        grave.iter().any(|finding| finding.message.contains(part)),
        "{part} is not in {shown}"
    );
    for finding in &grave {
        let place = finding
            .theirs
            .as_ref()
            .expect("a finding has a place in the document");
        assert!(place.line > 1, "{place:?}");
        assert!(
            finding.exchange.is_some(),
            "a finding about an answer shows it"
        );
    }
}

// The clean run

#[test]
fn a_right_server_replays_clean() {
    let server = Server::start(right());
    let (outcome, progress) = replayed(NOTES, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
    assert_eq!(outcome.server, format!("{}/api", server.url));
    assert_eq!(outcome.checked["operations"], 9);
    assert_eq!(outcome.checked["replayed samples"], 24, "{progress}");
    assert_eq!(outcome.checked["passed samples"], 24);
    assert_eq!(outcome.checked["failed samples"], 0);
    assert!(
        progress.contains("base URL: http://127.0.0.1:"),
        "{progress}"
    );
    assert!(
        progress.contains("POST /notes (createNote): 6 samples, 6 passed"),
        "{progress}"
    );
    assert!(
        progress.contains("without any sample: GET /health (health)"),
        "{progress}"
    );
}

#[test]
fn what_cannot_be_replayed_is_named_with_the_reason() {
    let server = Server::start(right());
    let (outcome, _) = replayed(NOTES, &server);
    let infos: Vec<(&str, &str)> = outcome
        .findings
        .iter()
        .map(|finding| (finding.rule, finding.subject.as_str()))
        .collect();
    assert_eq!(
        infos,
        [
            (
                "sample-not-replayable",
                "POST /notes/{noteId}/comments (createComment)"
            ),
            ("operation-without-sample", "GET /health (health)"),
        ]
    );
    assert!(
        outcome.findings[0]
            .message
            .contains("no request sample bears its name"),
        "{}",
        outcome.findings[0].message
    );
    assert_eq!(outcome.checked["unreplayable samples"], 1);
}

#[test]
fn ids_come_from_what_the_run_created_and_everything_is_removed_at_the_end() {
    let server = Server::start(right());
    replayed(NOTES, &server);
    let lines = server.lines();
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("6f1c1d7e-5d3a-4c0b-9a3e-1f1f0a8e7b11")),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("GET /api/notes/00000000-")
                && line.contains("/comments/c-")),
        "{lines:#?}"
    );
    let created = lines
        .iter()
        .filter(|line| *line == "POST /api/notes")
        .count();
    // Six samples of createNote, and one note for each of the nine other samples that need one.
    assert_eq!(created, 6 + 9, "{lines:#?}");
    assert_eq!(server.notes(), 0);
}

#[test]
fn a_document_of_version_3_0_with_nullable_and_links_replays_clean() {
    let server = Server::start(right());
    let (outcome, progress) = replayed(NOTES_30, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
    assert_eq!(outcome.checked["passed samples"], 2, "{progress}");
    assert!(
        progress.contains("stays on the server: /notes/00000000-"),
        "{progress}"
    );
}

#[test]
fn a_null_where_3_0_does_not_allow_it_is_found() {
    let server = server_with(
        "GET",
        "/api/notes/*",
        only_success(|reply| reply.edit(|body| body["size"] = Value::Null)),
    );
    let (outcome, _) = replayed(NOTES_30, &server);
    assert!(
        grave(&outcome.findings)
            .iter()
            .any(|line| line.starts_with("body-schema | GET") && line.contains("/size"))
    );
}

#[test]
fn two_runs_find_the_same_in_the_same_order() {
    let fault = || {
        server_with(
            "GET",
            "/api/notes",
            only_success(|reply| reply.edit(|body| body["next"] = json!(1))),
        )
    };
    let (first, second) = (replayed(NOTES, &fault()).0, replayed(NOTES, &fault()).0);
    assert_eq!(grave(&first.findings), grave(&second.findings));
    assert!(!grave(&first.findings).is_empty());
}

// Planted faults: status

#[test]
fn an_undocumented_status_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |mut reply| {
            reply.status = 203;
            reply
        },
        "status-documented",
        "203 is not documented; documented are 200, 401, 404",
    );
}

#[test]
fn a_documented_status_that_is_not_the_paired_one_is_caught() {
    let refuse = |_| Reply::json(404, &json!({"status": 404, "title": "no such note"}));
    caught(
        "DELETE",
        "/api/notes/*",
        refuse,
        "status-as-sample",
        "the answer is 404 where the sample stands under 204",
    );
}

#[test]
fn a_server_error_is_caught() {
    caught(
        "GET",
        "/api/notes",
        |_| {
            Reply::new(500)
                .header("Content-Type", "text/plain")
                .body(b"oops")
        },
        "no-server-error",
        "500",
    );
}

#[test]
fn a_redirect_is_not_followed_and_caught() {
    let to = |_| Reply::new(302).header("Location", "/api/notes/other");
    caught("GET", "/api/notes/*", to, "status-documented", "302");
}

#[test]
fn a_refusal_that_is_accepted_is_caught() {
    let server = Server::start(Box::new(|request: &Request, reply| {
        if request.query.contains("page%5Bsize%5D=0") {
            Reply::json(200, &json!({"data": [], "next": null}))
        } else {
            reply
        }
    }));
    let (outcome, _) = replayed(NOTES, &server);
    expect(
        &outcome,
        "GET",
        "status-as-sample",
        "sample `page-size-zero` (400): the answer is 200",
    );
}

#[test]
fn a_request_without_credentials_that_is_accepted_is_caught() {
    let server = Server::start(Box::new(|request: &Request, reply| {
        let anonymous = reply.status == 401 && request.method == "DELETE";
        if anonymous { Reply::new(204) } else { reply }
    }));
    let (outcome, _) = replayed(NOTES, &server);
    expect(
        &outcome,
        "DELETE",
        "status-as-sample",
        "sample `no-token` (401): the answer is 204",
    );
}

// Planted faults: content type and headers

#[test]
fn a_wrong_content_type_is_caught_and_the_body_is_checked_all_the_same() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.header("Content-Type", "text/html"),
        "content-type-documented",
        "`text/html`",
    );
}

#[test]
fn a_missing_content_type_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.without("Content-Type"),
        "content-type-documented",
        "is missing",
    );
}

#[test]
fn what_is_no_media_type_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.header("Content-Type", "json"),
        "content-type-documented",
        "`json` is no media type",
    );
}

#[test]
fn variations_of_the_charset_are_accepted() {
    for content_type in [
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "Application/JSON ; Charset=utf-8",
    ] {
        let server = server_with(
            "GET",
            "/api/notes/*",
            only_success(move |reply| reply.header("Content-Type", content_type)),
        );
        assert_eq!(
            grave(&replayed(NOTES, &server).0.findings),
            Vec::<String>::new(),
            "{content_type}"
        );
    }
}

#[test]
fn a_missing_required_header_is_caught() {
    caught(
        "POST",
        "/api/notes",
        |reply| reply.without("Location"),
        "header-documented",
        "`Location` is missing",
    );
}

#[test]
fn a_header_of_the_wrong_type_is_caught() {
    caught(
        "POST",
        "/api/notes",
        |reply| reply.header("X-RateLimit-Remaining", "many"),
        "header-documented",
        "X-RateLimit-Remaining: many",
    );
}

#[test]
fn a_header_out_of_range_is_caught() {
    caught(
        "POST",
        "/api/notes",
        |reply| reply.header("X-RateLimit-Remaining", "-1"),
        "header-documented",
        "`minimum`",
    );
}

#[test]
fn each_item_of_a_header_list_is_held_to_the_schema() {
    caught(
        "POST",
        "/api/notes",
        |reply| reply.header("X-Features", "1, x"),
        "header-documented",
        "X-Features",
    );
}

#[test]
fn a_list_may_come_as_several_headers_and_each_of_them_is_read() {
    let twice = |second: &'static str| {
        move |mut reply: Reply| {
            reply.headers.push(("x-features".into(), second.into()));
            reply
        }
    };
    let server = server_with("POST", "/api/notes", only_success(twice("4")));
    assert_eq!(
        grave(&replayed(NOTES, &server).0.findings),
        Vec::<String>::new()
    );
    caught(
        "POST",
        "/api/notes",
        twice("x"),
        "header-documented",
        "X-Features: x",
    );
}

// Planted faults: the body against its schema

#[test]
fn a_wrong_type_is_caught() {
    let fault = |reply: Reply| reply.edit(|body| body["title"] = json!(["Milk"]));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "body-schema",
        "/title: [\"Milk\"] is not of type",
    );
}

#[test]
fn a_wrong_type_that_the_schema_admits_is_caught_by_the_sample() {
    let text = NOTES.replace(
        "properties: { commentId: { type: string }, text: { type: string } }",
        "properties: { commentId: { type: string }, text: {} }",
    );
    let server = server_with(
        "GET",
        "/api/notes/*/comments/*",
        only_success(|reply| reply.edit(|body| body["text"] = json!(["Fine"]))),
    );
    let (outcome, _) = replayed(&text, &server);
    let grave = grave(&outcome.findings);
    assert!(
        grave.iter().any(|line| line.starts_with("sample-members")
            && line.contains("is an array where the documented sample has a string")),
        "{grave:#?}"
    );
}

#[test]
fn a_missing_required_member_is_caught_once() {
    let server = server_with(
        "GET",
        "/api/notes/*",
        only_success(|reply| reply.edit(|body| remove(body, "createdAt"))),
    );
    let grave = grave(&replayed(NOTES, &server).0.findings);
    assert_eq!(grave.len(), 1, "{grave:#?}");
    assert!(
        grave[0].starts_with("body-schema") && grave[0].contains("`createdAt` is missing"),
        "{grave:#?}"
    );
}

fn remove(value: &mut Value, member: &str) {
    value.as_object_mut().expect("an object").remove(member);
}

#[test]
fn a_uuid_that_is_none_is_caught() {
    caught(
        "PATCH",
        "/api/notes/*",
        |reply| reply.edit(|body| body["id"] = json!("0000")),
        "body-schema",
        "/id",
    );
}

#[test]
fn a_date_time_that_is_none_is_caught() {
    let fault = |reply: Reply| reply.edit(|body| body["createdAt"] = json!("2026-03-04 05:06"));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "body-schema",
        "(keyword `format`)",
    );
}

#[test]
fn a_value_outside_of_the_enum_is_caught_inside_of_a_nullable_reference() {
    let fault = |reply: Reply| reply.edit(|body| body["color"] = json!("green"));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "body-schema",
        "/color: \"green\" is not one of",
    );
}

#[test]
fn null_where_it_is_not_allowed_is_caught() {
    let server = server_with(
        "GET",
        "/api/notes/*",
        only_success(|reply| reply.edit(|body| body["title"] = Value::Null)),
    );
    let grave = grave(&replayed(NOTES, &server).0.findings);
    assert!(
        grave
            .iter()
            .any(|line| line.starts_with("body-schema") && line.contains("/title: null")),
        "{grave:#?}"
    );
}

#[test]
fn null_where_the_sample_has_a_value_and_the_schema_allows_null_is_accepted() {
    let late = "2026-03-04T05:06:07Z";
    let server = server_with(
        "GET",
        "/api/notes/*",
        only_success(move |reply| reply.edit(|body| body["dueAt"] = json!(late))),
    );
    assert_eq!(
        grave(&replayed(NOTES, &server).0.findings),
        Vec::<String>::new()
    );
}

#[test]
fn an_array_item_of_the_wrong_type_is_caught_at_its_index() {
    let fault = |reply: Reply| reply.edit(|body| body["tags"] = json!(["a", 1]));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "body-schema",
        "/tags/1: 1 is not of type",
    );
}

#[test]
fn an_invalid_item_of_a_list_is_caught_at_its_index() {
    let fault = |reply: Reply| {
        reply.edit(|body| {
            if let Some(item) = body["data"].get_mut(0) {
                item["id"] = json!(7);
            }
        })
    };
    let server = server_with("GET", "/api/notes", only_success(fault));
    let grave = grave(&replayed(NOTES, &server).0.findings);
    assert!(
        grave
            .iter()
            .any(|line| line.starts_with("body-schema") && line.contains("/data/0/id")),
        "{grave:#?}"
    );
}

#[test]
fn a_body_on_a_204_is_caught() {
    caught(
        "DELETE",
        "/api/notes/*",
        |reply| reply.body(b"{}"),
        "body-empty",
        "a body of 2 bytes came",
    );
}

#[test]
fn a_body_on_a_200_that_is_documented_without_is_caught() {
    let text = NOTES.replace(
        "\"200\": { description: Fine }",
        "\"200\": { description: Fine }\n      parameters: [{ name: q, in: query, schema: { type: string }, example: a }]",
    );
    let server = server_with("GET", "/api/health", |_| {
        Reply::new(200)
            .header("Content-Type", "application/json")
            .body(b"{}")
    });
    let (outcome, _) = replayed(&text, &server);
    expect(&outcome, "GET", "body-empty", "2 bytes");
}

#[test]
fn an_empty_body_where_one_is_documented_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.body(b""),
        "body-schema",
        "the body is empty",
    );
}

#[test]
fn a_body_that_is_no_json_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.body(b"{\"id\": "),
        "body-schema",
        "the body is not JSON",
    );
}

#[test]
fn a_body_with_text_behind_the_json_is_caught() {
    let fault = |mut reply: Reply| {
        reply.body.extend_from_slice(b" trailing");
        reply
    };
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "body-schema",
        "the body is not JSON",
    );
}

#[test]
fn a_body_that_is_no_utf_8_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.body(b"{\"id\": \"\xff\"}"),
        "body-schema",
        "not UTF-8 at byte 8",
    );
}

// Planted faults: the wire

#[test]
fn a_truncated_body_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.wire(Wire::Truncated),
        "answer-complete",
        "the connection broke",
    );
}

#[test]
fn a_connection_that_is_closed_without_an_answer_is_caught() {
    caught(
        "GET",
        "/api/notes/*",
        |reply| reply.wire(Wire::Closed),
        "answer-complete",
        "the connection broke",
    );
}

#[test]
fn an_endless_body_is_cut_off_and_caught() {
    caught(
        "GET",
        "/api/colors/*",
        |reply| reply.wire(Wire::Endless),
        "answer-complete",
        "larger than 10 MB",
    );
}

#[test]
fn an_answer_that_is_too_late_is_caught() {
    let server = server_with("GET", "/api/colors/*", |reply| {
        reply.wire(Wire::Late(Duration::from_secs(3)))
    });
    let mut options = options(&server);
    options.include = vec!["getColor".to_owned()];
    options.timeout = 0.3;
    let outcome = replay_with(NOTES, &options)
        .0
        .expect("the server was reached");
    expect(
        &outcome,
        "GET",
        "answer-complete",
        "not complete after 0.3 s",
    );
}

// Planted faults: the body against the sample

#[test]
fn a_member_that_only_the_sample_has_is_caught() {
    let text = NOTES.replace("required: [commentId, text]", "required: [commentId]");
    let server = server_with(
        "GET",
        "/api/notes/*/comments/*",
        only_success(|reply| reply.edit(|body| remove(body, "text"))),
    );
    let (outcome, _) = replayed(&text, &server);
    expect(
        &outcome,
        "GET",
        "sample-members",
        "the member `text` of the documented sample is missing",
    );
    let place = outcome.findings.iter().find_map(|finding| {
        finding
            .theirs
            .as_ref()
            .filter(|_| finding.rule == "sample-members")
    });
    assert!(
        place
            .unwrap()
            .pointer
            .ends_with("/get/responses/200/content/application~1json/example/text"),
        "{place:?}"
    );
}

#[test]
fn a_declared_member_that_the_sample_has_not_is_caught() {
    let fault = |reply: Reply| reply.edit(|body| body["archived"] = json!(false));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "sample-members",
        "no member `archived`, though the schema declares it",
    );
}

#[test]
fn an_undeclared_member_is_a_warning() {
    let fault = |reply: Reply| reply.edit(|body| body["extra"] = json!(1));
    let server = server_with("GET", "/api/notes/*", only_success(fault));
    let (outcome, _) = replayed(NOTES, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
    let warning = outcome
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Warning)
        .expect("a warning");
    assert_eq!(warning.rule, "sample-members");
    assert!(warning.message.contains("`extra`"), "{}", warning.message);
}

#[test]
fn the_same_difference_in_each_item_of_a_list_is_one_finding() {
    let fault = |reply: Reply| {
        reply.edit(|body| {
            let items = body["data"].as_array_mut().expect("a list");
            items
                .iter_mut()
                .for_each(|item| item["archived"] = json!(true));
        })
    };
    let server = server_with("GET", "/api/notes", only_success(fault));
    let grave = grave(&replayed(NOTES, &server).0.findings);
    assert!(grave.len() <= 2, "{grave:#?}");
    assert!(
        grave
            .iter()
            .any(|line| line.contains("/data/0/archived") && line.contains("and in 1 more items")),
        "{grave:#?}"
    );
}

#[test]
fn a_value_of_the_body_that_is_not_echoed_is_caught() {
    let fault = |reply: Reply| reply.edit(|body| body["title"] = json!("Beer"));
    caught(
        "POST",
        "/api/notes",
        fault,
        "sample-values",
        "/title is \"Beer\" where the sample repeats `title` of the request body",
    );
}

#[test]
fn a_value_of_the_query_that_is_not_echoed_is_caught() {
    let fault = |reply: Reply| {
        reply.edit(|body| {
            if let Some(item) = body["data"].get_mut(0) {
                item["color"] = json!("blue");
            }
        })
    };
    let server = server_with("GET", "/api/notes", only_success(fault));
    let grave = grave(&replayed(NOTES, &server).0.findings);
    assert_eq!(grave.len(), 1, "{grave:#?}");
    assert!(
        grave[0]
            .contains("/data/0/color is \"blue\" where the sample repeats query parameter `color`"),
        "{grave:#?}"
    );
}

#[test]
fn another_id_than_the_one_in_the_path_is_caught() {
    let other = "00000000-0000-4000-8000-999999999999";
    let fault = move |reply: Reply| reply.edit(|body| body["id"] = json!(other));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "sample-values",
        "/id is \"00000000-0000-4000-8000-999999999999\" where the sample repeats path parameter `noteId`",
    );
}

// What the run needs and does not get

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
        refused[0]
            .message
            .contains("it was answered 400 (9 samples could not be checked)"),
        "{}",
        refused[0].message
    );
    assert_eq!(refused[0].used_by.len(), 9);
    assert_eq!(outcome.checked["unchecked samples"], 9, "{progress}");
    assert!(progress.contains("could not be checked"), "{progress}");
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
        progress.contains("stays on the server: /notes/00000000-"),
        "{progress}"
    );
    assert!(progress.contains("(DELETE was answered 503)"), "{progress}");
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

// Samples against their own schemas

/// Replays the document with `from` replaced by `to` and wants the fault of the sample at the place where `mark` stands in the text.
#[track_caller]
fn bad_sample(text: &str, from: &str, to: &str, mark: &str, keyword: &str) {
    assert_eq!(
        text.matches(from).count(),
        1,
        "{from} stands once in the document"
    );
    let text = text.replace(from, to);
    let (line, column) = position(&text, to, mark);
    let server = Server::start(right());
    let (outcome, _) = replayed(&text, &server);
    let found: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule == "sample-own-schema")
        .collect();
    assert_eq!(found.len(), 1, "{:#?}", grave(&outcome.findings));
    assert_eq!(found[0].severity, Severity::Breaking);
    assert!(
        found[0].message.contains(&format!("`{keyword}`")),
        "{}",
        found[0].message
    );
    let place = found[0].theirs.as_ref().expect("a place");
    assert_eq!(
        (place.line, place.column),
        (line, column),
        "{}",
        place.pointer
    );
}

/// Line and column of `mark` inside of `part`, both from one.
fn position(text: &str, part: &str, mark: &str) -> (u32, u32) {
    let at = text.find(part).expect("the part stands in the text");
    let at = at + part.find(mark).expect("the mark stands in the part");
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (
        u32::try_from(line).expect("few lines"),
        u32::try_from(column).expect("few columns"),
    )
}

#[test]
fn a_request_sample_of_the_wrong_type_is_a_fault_of_the_document_at_its_line_and_column() {
    let from = "dueAt: \"2026-01-02T03:04:05Z\", size: 3 }\n      responses";
    bad_sample(
        NOTES,
        from,
        &from.replace("size: 3", "size: 3.5"),
        "size: 3.5",
        "type",
    );
}

#[test]
fn an_answer_sample_with_a_bad_format_is_a_fault_of_the_document() {
    let from = "id: 6f1c1d7e-5d3a-4c0b-9a3e-1f1f0a8e7b12, title: Call Anna";
    bad_sample(
        NOTES,
        from,
        "id: 6f1c1d7e, title: Call Anna",
        "id: 6f1c1d7e",
        "format",
    );
}

#[test]
fn a_refusal_sample_without_a_required_member_is_a_fault_of_the_document() {
    bad_sample(
        NOTES,
        "value: { status: 415, title: send JSON }",
        "value: { status: 415 }",
        "value:",
        "required",
    );
}

#[test]
fn a_parameter_sample_out_of_range_is_a_fault_of_the_document() {
    bad_sample(
        NOTES,
        "{ first-page: { value: 2 } }",
        "{ first-page: { value: 200 } }",
        "value: 200",
        "maximum",
    );
}

#[test]
fn a_webhook_sample_outside_of_its_enum_is_a_fault_of_the_document() {
    let from = "webhooks:\n  noteCreated:\n    post:\n      requestBody:\n        content:\n          application/json:\n            schema: { $ref: \"#/components/schemas/Note\" }\n            examples:\n              milk:\n                value: { id: 6f1c1d7e-5d3a-4c0b-9a3e-1f1f0a8e7b11, title: Milk, tags: [], color: null";
    bad_sample(
        NOTES,
        from,
        &from.replace("color: null", "color: green"),
        "color: green",
        "enum",
    );
}

#[test]
fn a_callback_sample_is_held_to_its_schema() {
    let from = "  /health:\n    get:\n      operationId: health\n";
    let to = "  /health:\n    get:\n      operationId: health\n      callbacks:\n        done:\n          '{$request.query.url}':\n            post:\n              requestBody: { content: { application/json: { schema: { type: integer }, example: x } } }\n              responses: { '204': { description: Taken } }\n";
    bad_sample(NOTES, from, to, "example: x", "type");
}

#[test]
fn the_example_of_a_schema_is_held_to_it() {
    let from = "        archived: { type: boolean }";
    bad_sample(
        NOTES,
        from,
        "        archived: { type: boolean, example: 'yes' }",
        "example: 'yes'",
        "type",
    );
}

#[test]
fn a_header_sample_is_held_to_its_schema_as_text() {
    let from = "X-RateLimit-Remaining: { required: true, schema: { type: integer, minimum: 0 } }";
    bad_sample(
        NOTES,
        from,
        "X-RateLimit-Remaining: { example: '-1', required: true, schema: { type: integer, minimum: 0 } }",
        "example: '-1'",
        "minimum",
    );
    let text = NOTES.replace(from, "X-RateLimit-Remaining: { example: '1', required: true, schema: { type: integer, minimum: 0 } }");
    let server = Server::start(right());
    assert_eq!(
        grave(&replayed(&text, &server).0.findings),
        Vec::<String>::new()
    );
}

#[test]
fn a_bad_sample_of_version_3_0_is_found_through_nullable() {
    let from =
        "color: null, dueAt: null, size: 0, createdAt: \"2026-01-01T00:00:00Z\" }\n          links";
    bad_sample(
        NOTES_30,
        from,
        &from.replace("size: 0", "size: -1"),
        "size: -1",
        "exclusiveMinimum",
    );
}

#[test]
fn a_request_sample_that_is_paired_with_a_refusal_may_break_its_schema() {
    // `title-empty` of updateNote does; the clean run shows that nothing is said about it.
    assert!(NOTES.contains("title-empty: { value: { title: \"\" } }"));
    let text = NOTES.replace(
        "title-empty: { value: { status: 400, title: the title is empty } }",
        "other: { value: { status: 400, title: the title is empty } }",
    );
    let server = Server::start(right());
    let grave = grave(&replayed(&text, &server).0.findings);
    assert!(
        grave
            .iter()
            .any(|line| line.starts_with("sample-own-schema") && line.contains("`minLength`")),
        "{grave:#?}"
    );
}

#[test]
fn a_recipe_that_cannot_be_followed_is_said() {
    for (recipe, part) in [
        ("{ from: nobody, body: {} }", "starts from \"nobody\""),
        ("{ bodi: {} }", "unknown member `bodi`"),
        ("{ query: 1 }", "has a number for `query`"),
    ] {
        let text = NOTES.replace("{ from: full, body: { color: red } }", recipe);
        let server = Server::start(right());
        let (outcome, _) = replayed(&text, &server);
        let said = outcome
            .findings
            .iter()
            .find(|finding| finding.message.contains(part));
        assert!(
            said.is_some(),
            "{part}: {:#?}",
            outcome
                .findings
                .iter()
                .map(|finding| &finding.message)
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_schema_that_cannot_be_used_is_said_once_and_never_counts_as_conforming() {
    let text = NOTES.replace(
        "schema: { type: object, required: [text]",
        "schema: { $ref: 'other.yaml#/Comment', required: [text]",
    );
    let server = Server::start(right());
    let (outcome, _) = replayed(&text, &server);
    let found: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule == "schema-unusable")
        .collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Undecided);
}

// Secrets

#[test]
fn secrets_appear_in_no_report_unless_they_are_asked_for() {
    // The server repeats the credential in header and body.
    let leak = |reply: Reply| {
        reply
            .header("X-Leak", TOKEN)
            .header("X-RateLimit-Remaining", TOKEN)
            .edit(|body| body["title"] = json!(format!("your token is {TOKEN}")))
    };
    let server = server_with("POST", "/api/notes", only_success(leak));
    for show in [false, true] {
        let mut options = options(&server);
        options.show_secrets = show;
        let (outcome, progress) = replay_with(NOTES, &options);
        let outcome = outcome.expect("the server can be checked");
        let document = Document::parse("notes.yaml", NOTES).expect("the document parses");
        let report = Report {
            command: "replay",
            documents: vec![DocumentInfo::of("document", &document)],
            server: Some(outcome.server),
            checked: outcome.checked,
            fail_on: Severity::Undecided,
            findings: fingerprint::entries(outcome.findings, Some(&document), None),
            ignored: 0,
        };
        for format in Format::value_variants().iter().copied() {
            let mut out = Vec::new();
            report::write(format, &report, false, &mut out).expect("the report is written");
            let text = String::from_utf8(out).expect("a report is UTF-8");
            assert_eq!(text.contains(TOKEN), show, "{text}");
            // Markdown has no square brackets of others.
            assert_eq!(text.contains("redacted"), !show, "{text}");
        }
        assert!(!progress.contains(TOKEN));
    }
}

// The program

fn program(arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"));
    command
        .arg("replay")
        .args(arguments)
        .output()
        .expect("the program runs")
}

const NOTES_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/replay/notes.yaml");

#[test]
fn the_program_exits_0_when_the_server_conforms_and_1_when_not() {
    let token = format!("X-Token: {TOKEN}");
    let server = Server::start(right());
    let clean = program(&[
        NOTES_FILE,
        "--server",
        &server.url,
        "--header",
        &token,
        "--format",
        "json",
    ]);
    let report: Value =
        serde_json::from_slice(&clean.stdout).expect("standard output is the report alone");
    assert_eq!(
        (clean.status.code(), &report["summary"]["verdict"]),
        (Some(0), &json!("conforms"))
    );
    assert_eq!(report["server"], json!(format!("{}/api", server.url)));
    let broken = program(&[NOTES_FILE, "--server", &server.url]);
    assert_eq!(broken.status.code(), Some(1));
    let text = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(
        text.contains("status-as-sample") && text.contains("curl "),
        "{text}"
    );
}

#[test]
fn the_program_exits_2_with_one_line_when_it_could_not_check() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let nobody = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let directory = tempfile::tempdir().expect("a directory");
    let malformed = directory.path().join("malformed.yaml");
    std::fs::write(&malformed, "openapi: 3.1.0\npaths: {\n").expect("the file is written");
    let malformed = malformed.to_str().expect("the path is UTF-8");
    for (arguments, part) in [
        (
            vec![NOTES_FILE, "--server", nobody.as_str()],
            "does not answer: Connection refused",
        ),
        (
            vec![NOTES_FILE, "--server", "http://no-such-host.invalid"],
            "does not answer",
        ),
        (vec![NOTES_FILE, "--server", "localhost:1"], "--server"),
        (
            vec![
                NOTES_FILE,
                "--server",
                nobody.as_str(),
                "--header",
                "hunter22",
            ],
            "with a colon",
        ),
        (
            vec![
                NOTES_FILE,
                "--server",
                nobody.as_str(),
                "--include",
                "nothing",
            ],
            "nothing",
        ),
        (
            vec![malformed, "--server", nobody.as_str()],
            "malformed.yaml:",
        ),
        (
            vec!["no-such-file.yaml", "--server", nobody.as_str()],
            "no-such-file.yaml",
        ),
        (vec![NOTES_FILE], "--server"),
    ] {
        let output = program(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(
            said.lines()
                .filter(|line| line.starts_with("error:"))
                .count(),
            1,
            "{said}"
        );
    }
}
