//! Sequences of operations against a right server, and against one with faults of state.

mod again;
mod arazzo;
mod collection;
mod form;
mod library;
mod server;
mod shrink;
mod table;

use std::io::{BufRead, BufReader, Read};
use std::sync::OnceLock;

use conformance::document::Document;
use conformance::finding::{Comparison, Finding};
use conformance::flows::{self, Outcome, Settings};
use conformance::report::words;
use conformance::session::{Options, SecondUser};

use crate::fault_page::{self, Part};
use crate::fault_table::each;
use server::{FIRST, Fault, SECOND, Server};
use table::FAULTS;

const BOOKS: &str = include_str!("../../cases/flows/books.yaml");

fn settings() -> Settings {
    Settings {
        second: SecondUser {
            headers: vec![("X-Token".to_owned(), SECOND.to_owned())],
        },
        ..Settings::default()
    }
}

fn run(server: &Server, settings: &Settings) -> (Outcome, String) {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    let mut options = Options::new(&server.url);
    options.headers = vec![("X-Token".to_owned(), FIRST.to_owned())];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut lines = String::new();
    let mut progress = |step| lines += &format!("{}\n", words::progress(&step));
    let outcome = runtime.block_on(flows::check(&options, settings, &document, &mut progress));
    (outcome.expect("the server can be checked"), lines)
}

/// How many servers are checked at once: the tool waits now and then for what shows a moment later.
const AT_ONCE: usize = 16;

/// A server with each fault, and what a run on it came to; made once for all tests that look at them.
fn runs() -> &'static [(Server, Outcome)] {
    static RUNS: OnceLock<Vec<(Server, Outcome)>> = OnceLock::new();
    RUNS.get_or_init(|| {
        each(AT_ONCE, FAULTS, |(fault, ..)| {
            let server = Server::start(*fault);
            let (outcome, _) = run(&server, &settings());
            (server, outcome)
        })
    })
}

/// Findings, one a line: rule, subject, message.
fn told(findings: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| {
        format!(
            "{} | {} | {}",
            finding.rule,
            finding.subject,
            words::of(finding, Comparison::Single)
        )
    };
    findings.iter().map(line).collect()
}

#[test]
fn each_fault_of_state_is_found_and_nothing_else_is() {
    let mut wrong = Vec::new();
    let mut severities = Vec::new();
    for ((fault, rule, subject, others), (_, outcome)) in FAULTS.iter().zip(runs()) {
        let lines = told(&outcome.findings);
        let is_it = |finding: &&Finding| {
            finding.rule == *rule && finding.subject.starts_with(&format!("{subject} ("))
        };
        match outcome.findings.iter().find(is_it) {
            Some(finding) => severities.push(finding.severity),
            None => wrong.push(format!(
                "{fault:?} is not found by {rule} of {subject}: {lines:#?}"
            )),
        }
        let unexpected: Vec<&String> = outcome
            .findings
            .iter()
            .zip(&lines)
            .filter(|(finding, _)| finding.rule != *rule && !others.contains(&finding.rule))
            .map(|(_, line)| line)
            .collect();
        if !unexpected.is_empty() {
            wrong.push(format!("{fault:?} also gives {unexpected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    fault_page::hold(&Part::State, &table::part(&severities));
}

#[test]
fn nothing_is_found_on_a_right_server_whatever_the_seed() {
    let server = Server::start(Fault::None);
    for seed in 1..=50 {
        let (outcome, lines) = run(&server, &Settings { seed, ..settings() });
        assert_eq!(told(&outcome.findings), Vec::<String>::new(), "seed {seed}");
        assert!(outcome.checked["requests"] > 60, "{lines}");
        assert_eq!(
            server.titles(),
            ["There before", "There before"],
            "seed {seed}: {lines}"
        );
        assert_eq!(server.notes(), 0, "seed {seed}");
    }
}

#[test]
fn a_list_item_that_cannot_be_read_is_found_without_changing_anything() {
    let server = Server::start(Fault::ListedNotReadable);
    let (outcome, _) = run(
        &server,
        &Settings {
            safe: true,
            ..settings()
        },
    );
    let rules: Vec<&str> = outcome
        .findings
        .iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(rules, ["listed-readable"], "{:#?}", told(&outcome.findings));
    let lines = server.lines.lock().expect("no panic");
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line.starts_with("GET ")),
        "{lines:#?}"
    );
}

fn program(server: &Server, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"));
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/flows/books.yaml");
    command
        .args([
            "flows",
            document,
            "--server",
            &server.url,
            "--header",
            &format!("X-Token: {FIRST}"),
        ])
        .args(arguments);
    command
}

#[test]
fn the_program_tells_what_it_creates_and_deletes_it() {
    let server = Server::start(Fault::None);
    let output = program(
        &server,
        &[
            "--second-user",
            &format!("X-Token: {SECOND}"),
            "--format",
            "json",
        ],
    )
    .output()
    .expect("the program runs");
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(0), "{out}{error}");
    assert!(
        error.contains("creates, and deletes at the end: books, shelves, notes\n"),
        "{error}"
    );
    assert!(
        error.contains("books: ") && error.contains("0 findings"),
        "{error}"
    );
    assert!(
        !out.contains(FIRST) && !out.contains(SECOND) && !error.contains(SECOND),
        "{out}{error}"
    );
    assert_eq!(server.titles().len(), 2);
}

#[test]
fn a_refused_creation_is_not_observed_and_never_green() {
    let server = Server::start(Fault::CreationRefused);
    let output = program(&server, &[]).output().expect("the program runs");
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}");
    assert!(
        out.contains("not observed") && out.contains("the quota of this plan is used up"),
        "{out}"
    );
}

#[test]
fn nothing_to_do_is_not_green_either() {
    let server = Server::start(Fault::None);
    let output = program(&server, &["--include", "readBook"])
        .output()
        .expect("the program runs");
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{out}");
    assert!(
        out.contains("no operation creates or lists anything"),
        "{out}"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_deletes_what_it_created_and_reports() {
    let (reached, wait) = std::sync::mpsc::channel();
    let (go_on, held) = std::sync::mpsc::channel::<()>();
    let (reached, held) = (std::sync::Mutex::new(reached), std::sync::Mutex::new(held));
    // The first update waits until the program was interrupted.
    let server = Server::with(Fault::None, move |request| {
        if request.method == "PATCH" {
            let _ = reached.lock().expect("no panic").send(());
            let _ = held.lock().expect("no panic").recv();
        }
    });
    let mut child = program(&server, &["--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    wait.recv().expect("an update comes");
    assert!(server.titles().len() > 2);
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.expect("kill runs").success());
    // The update is answered when the program knows that it was interrupted, as it would otherwise be right to send another.
    let mut stderr = BufReader::new(child.stderr.take().expect("is piped"));
    let mut error = String::new();
    while !error.contains("stopping: ") {
        let read = stderr.read_line(&mut error).expect("reads");
        assert!(read > 0, "ends without a word: {error}");
    }
    drop(go_on);
    let output = child.wait_with_output().expect("the program ends");
    stderr.read_to_string(&mut error).expect("reads");
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(server.titles().len(), 2, "{error}");
    assert!(
        serde_json::from_str::<serde_json::Value>(&out).is_ok(),
        "{out}{error}"
    );
    let lines = server.lines.lock().expect("no panic");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("PATCH"))
            .count(),
        1,
        "{lines:#?}"
    );
}
