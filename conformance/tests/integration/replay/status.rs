//! Planted faults in the status of an answer.

use super::*;

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
        "expected 200, got 203, which is not documented (documented: 200, 401, 404)",
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
        "expected 204, got 404",
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
        "sample `page-size-zero`: expected 400, got 200",
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
        "sample `no-token`: expected 401, got 204",
    );
}

#[test]
fn a_refusal_for_want_of_a_credential_names_the_scheme_and_the_option() {
    let server = Server::start(right());
    let (outcome, _) = replay_with(NOTES, &Options::new(&server.url));
    let grave = grave(&outcome.expect("the server can be checked").findings);
    let part =
        "expected 200, got 401; no credential was sent, the operation needs token: see --header";
    assert!(grave.iter().any(|line| line.contains(part)), "{grave:#?}");
    // With a credential the cause is another one.
    let mut wrong = options(&server);
    wrong.headers[0].1 = "wrong".to_owned();
    let (outcome, _) = replay_with(NOTES, &wrong);
    let grave = self::grave(&outcome.expect("the server can be checked").findings);
    let refused = |line: &&String| line.ends_with("expected 200, got 401");
    assert!(grave.iter().any(|line| refused(&line)), "{grave:#?}");
}
