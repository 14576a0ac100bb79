//! `conformance reproduce` as a user runs it: exit codes, credentials, other servers, and files that are no reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::program::{Folder, Run};

/// A server that lets everybody in and answers `POST` with another type until it is mended.
fn broken() -> (Server, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&mended);
    let server = Server::start(Box::new(move |request: &Request, reply| {
        let is_mended = state.load(Ordering::SeqCst);
        let is_creation = request.method == "POST" && request.path == "/api/notes";
        match is_creation && reply.status == 201 && !is_mended {
            true => reply.edit(|body| body["title"] = json!(7)),
            false => reply,
        }
    }));
    (server, mended)
}

/// A folder with the document and the report of a run.
fn reported(server: &Server) -> Folder {
    let folder = Folder::with(&[("notes.yaml", NOTES)]);
    let run = folder.run(&format!(
        "replay notes.yaml --server {} --header X-Token:{TOKEN} --report json=report.json",
        server.url
    ));
    assert_eq!(run.code, 1, "{run:?}");
    assert!(!folder.read("report.json").contains(TOKEN));
    folder
}

fn again(folder: &Folder, more: &str) -> Run {
    let run = folder.run(&format!("reproduce report.json {more}"));
    assert!(!format!("{run:?}").contains(TOKEN), "{run:?}");
    run
}

#[test]
fn a_finding_is_still_there_until_the_server_is_mended() {
    let (server, mended) = broken();
    let folder = reported(&server);
    let token = format!("--header X-Token:{TOKEN}");
    let run = again(&folder, &token);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("still there  POST /notes"), "{run:?}");
    assert!(run.out.contains("again: curl "), "{run:?}");
    assert!(run.out.ends_with("2 still there, 0 gone\n"), "{run:?}");
    mended.store(true, Ordering::SeqCst);
    let run = again(&folder, &token);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("gone         POST /notes"), "{run:?}");
    // The things that were created are deleted.
    assert_eq!(server.notes(), 0);
}

#[test]
fn a_credential_may_be_a_variable_and_one_that_is_missing_is_named() {
    let (server, _) = broken();
    let folder = reported(&server);
    let run = again(&folder, "");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.out.contains("set the environment variable X_TOKEN"),
        "{run:?}"
    );
    let run = folder.run_as(&["reproduce", "report.json"], &[("X_TOKEN", TOKEN)]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.error.contains("uses the environment variable X_TOKEN"),
        "{run:?}"
    );
    assert!(!format!("{run:?}").contains(TOKEN), "{run:?}");
}

#[test]
fn another_server_and_one_finding_can_be_chosen_and_reports_are_written() {
    let (server, _) = broken();
    let folder = reported(&server);
    let other = Server::start(right());
    let token = format!("--header X-Token:{TOKEN}");
    let run = again(&folder, &format!("{token} --server {}", other.url));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!other.lines().is_empty());
    let report: Value = serde_json::from_str(&folder.read("report.json")).expect("is JSON");
    let finding = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["exchange"].is_object())
        .expect("one has a request");
    let fingerprint = finding["fingerprint"].as_str().expect("a text");
    let run = again(
        &folder,
        &format!("{token} --finding {fingerprint} --format json"),
    );
    assert_eq!(run.code, 1, "{run:?}");
    let found: Value = serde_json::from_str(&run.out).expect("is JSON");
    assert_eq!(found["findings"][0]["fingerprint"], fingerprint);
    let run = again(&folder, &format!("{token} --finding ffff"));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.error.contains("there is no finding ffff"), "{run:?}");
    // One finding alone names its document, and its request the server.
    folder.write("one.json", &finding.to_string());
    let run = folder.run(&format!("reproduce one.json {token}"));
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn what_is_no_report_and_what_cannot_be_asked_is_told_in_one_line() {
    let folder = Folder::with(&[
        ("a.json", "{"),
        ("b.json", "{\"findings\": 1}"),
        (
            "c.json",
            "{\"documents\": [{\"name\": \"x.yaml\"}], \"findings\": []}",
        ),
        ("d.json", "{\"fingerprint\": true}"),
    ]);
    for (file, part) in [
        ("none.json", "cannot be read"),
        ("a.json", "not JSON"),
        ("b.json", "neither a JSON report"),
        ("c.json", "nothing to send again"),
        ("d.json", "not JSON: invalid type"),
    ] {
        let run = folder.run(&format!("reproduce {file}"));
        assert_eq!(run.code, 2, "{run:?}");
        assert_eq!(run.error.lines().count(), 1, "{run:?}");
        assert!(
            run.error.contains(file) && run.error.contains(part),
            "{run:?}"
        );
    }
    let (server, _) = broken();
    let folder = reported(&server);
    let run = again(&folder, "--document other.yaml");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.error.contains("--document FILE"), "{run:?}");
    let run = again(&folder, "--server http://127.0.0.1:9");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.error.contains("does not answer"), "{run:?}");
}

#[test]
fn a_server_that_lets_nobody_in_says_nothing_about_a_finding() {
    let (server, mended) = broken();
    let folder = reported(&server);
    mended.store(true, Ordering::SeqCst);
    let run = again(&folder, "--header X-Token:expired-token");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.out.contains("the server answered 401"), "{run:?}");
    assert!(!run.out.contains("\ngone"), "{run:?}");
}
