//! Planted faults in content types and headers.

use super::*;

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
        "`json` is not a media type",
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
