//! Planted faults on the wire: answers that are cut off, late or without end.

use std::time::Duration;

use super::*;

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
