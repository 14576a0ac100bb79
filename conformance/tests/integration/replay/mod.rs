//! Replaying the samples of a document against a right server, and against one with planted faults.

mod body;
mod clean;
mod connections;
mod curl;
mod document;
mod generate;
mod har;
mod headers;
mod keys;
mod markup;
mod needs;
mod program;
mod query_string;
mod real;
mod refers;
mod reproduce;
mod run;
mod samples;
mod secrets;
pub(crate) mod server;
mod shelf;
mod shrink;
mod signal;
mod status;
mod wire;

use conformance::document::Document;
use conformance::finding::{Comparison, Finding, Severity};
use conformance::replay::{self, Options, Outcome, SessionError};
use conformance::report::words;
use serde_json::{Value, json};

use server::{Reply, Request, Server, TOKEN, Tamper, Wire};

const NOTES: &str = include_str!("../../cases/replay/notes.yaml");
const NOTES_30: &str = include_str!("../../cases/replay/notes-3.0.yaml");

/// The sentence of a finding.
fn said(finding: &Finding) -> String {
    words::of(finding, Comparison::Single)
}

fn options(server: &Server) -> Options {
    let mut options = Options::new(&server.url);
    options.headers = vec![("X-Token".to_owned(), TOKEN.to_owned())];
    options
}

fn replay_with(text: &str, options: &Options) -> (Result<Outcome, SessionError>, String) {
    let document = Document::parse("notes.yaml", text).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut lines = String::new();
    let mut progress = |step| lines += &format!("{}\n", words::progress(&step));
    let outcome = runtime.block_on(replay::run(options, &document, &mut progress));
    (outcome, lines)
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
        .map(|finding| format!("{} | {} | {}", finding.rule, finding.subject, said(finding)))
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
        grave.iter().any(|finding| said(finding).contains(part)),
        "{part} is not in {shown}"
    );
    for finding in &grave {
        let place = finding
            .old
            .as_ref()
            .expect("a finding has a place in the document");
        assert!(place.line > 1, "{place:?}");
        assert!(
            finding.exchange.is_some(),
            "a finding about an answer shows it"
        );
    }
}

fn remove(value: &mut Value, member: &str) {
    value.as_object_mut().expect("an object").remove(member);
}
