//! The clean run: what is replayed against a right server, in which order, and how what was created is deleted.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::*;

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
        said(&outcome.findings[0]).contains("no request sample has its name"),
        "{}",
        said(&outcome.findings[0])
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
        progress.contains("left on the server: /notes/00000000-"),
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

#[test]
fn what_was_created_is_deleted_at_the_same_time() {
    // Each deletion waits until two of them have been under way at once.
    let state = Arc::new((Mutex::new((0, 0)), Condvar::new()));
    let seen = Arc::clone(&state);
    let server = Server::start(Box::new(move |request: &Request, reply| {
        if request.method == "DELETE" && request.path.starts_with("/api/notes/") {
            let (counts, changed) = &*seen;
            let mut counts = counts.lock().expect("no thread panics");
            counts.0 += 1;
            counts.1 = counts.1.max(counts.0);
            changed.notify_all();
            let waited =
                changed.wait_timeout_while(counts, Duration::from_secs(2), |(_, most)| *most < 2);
            waited.expect("no thread panics").0.0 -= 1;
        }
        reply
    }));
    let (outcome, _) = replayed(NOTES, &server);
    assert_eq!(grave(&outcome.findings), Vec::<String>::new());
    assert!(state.0.lock().expect("no thread panics").1 > 1);
    assert_eq!(server.notes(), 0);
}

#[test]
fn what_something_newer_needed_is_deleted_after_it() {
    // The ids of what was created, in order, and of what was deleted.
    let state = Arc::new(Mutex::new((Vec::new(), BTreeSet::new())));
    let seen = Arc::clone(&state);
    let server = Server::start(Box::new(move |request: &Request, reply| {
        let (created, deleted) = &mut *seen.lock().expect("no thread panics");
        if request.method == "POST" && request.path == "/api/notes" && reply.status == 201 {
            let body: Value = serde_json::from_slice(&reply.body).expect("the reply is JSON");
            created.push(body["id"].as_str().expect("an id").to_owned());
        }
        let id = request.path.rsplit('/').next().unwrap_or_default();
        let age = created.iter().position(|known| known == id);
        match age {
            Some(age) if request.method == "DELETE" && !deleted.contains(id) => {
                match created[age + 1..]
                    .iter()
                    .all(|newer| deleted.contains(newer))
                {
                    true => {
                        deleted.insert(id.to_owned());
                        Reply::new(204)
                    }
                    false => Reply::json(409, &json!({"title": "a newer note needs it"})),
                }
            }
            _ => reply,
        }
    }));
    let (_, progress) = replayed(NOTES, &server);
    let (created, deleted) = &*state.lock().expect("no thread panics");
    assert!(created.len() > 10);
    assert_eq!(created.len(), deleted.len(), "{progress}");
    // Comments have no operation that deletes them.
    let mut left = progress
        .lines()
        .filter(|line| line.starts_with("left on the server"));
    assert!(left.all(|line| line.contains("/comments/")), "{progress}");
}
