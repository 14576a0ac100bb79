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
