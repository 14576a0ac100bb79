//! The clean run: what is replayed against a right server, and in which order.

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
