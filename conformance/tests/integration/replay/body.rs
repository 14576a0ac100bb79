//! Planted faults in the body of an answer, held against its schema.

use super::*;

#[test]
fn a_wrong_type_is_caught() {
    let fault = |reply: Reply| reply.edit(|body| body["title"] = json!(["Milk"]));
    caught(
        "GET",
        "/api/notes/*",
        fault,
        "body-schema",
        "/title: expected a string, got [\"Milk\"]",
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
            && line.contains("/text: expected a string as in the documented sample, got an array")),
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
        "/createdAt: \"2026-03-04 05:06\" is not a valid date-time (`format`)",
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
        "/color: expected one of ",
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
        grave.iter().any(|line| line.starts_with("body-schema")
            && line.contains("/title: expected a string, got null")),
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
        "/tags/1: expected a string, got 1",
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
        "without content, got 2 bytes",
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
        "expected a body of `application/json`, got none",
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

#[test]
fn a_body_in_an_encoding_that_was_not_asked_for_is_named() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
    for named in [true, false] {
        let server = server_with(
            "GET",
            "/api/notes/*",
            only_success(move |reply| {
                let reply = reply.body(gzip);
                if named {
                    reply.header("Content-Encoding", "GZIP")
                } else {
                    reply
                }
            }),
        );
        let (outcome, _) = replayed(NOTES, &server);
        let part = "the response is gzip although no encoding was asked for";
        expect(&outcome, "GET", "body-schema", part);
    }
}
