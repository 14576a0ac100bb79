//! Samples that break their own schemas.

use conformance::finding::Unchecked;

use super::*;

/// Replays the document with `from` replaced by `to` and wants the fault of the sample at the place where `mark` stands in the text.
#[track_caller]
fn bad_sample(text: &str, from: &str, to: &str, mark: &str, keyword: &str) {
    assert_eq!(
        text.matches(from).count(),
        1,
        "{from} stands once in the document"
    );
    let text = text.replace(from, to);
    let (line, column) = position(&text, to, mark);
    let server = Server::start(right());
    let (outcome, _) = replayed(&text, &server);
    let found: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule == "sample-own-schema")
        .collect();
    assert_eq!(found.len(), 1, "{:#?}", grave(&outcome.findings));
    assert_eq!(found[0].severity, Severity::Breaking);
    assert!(
        said(found[0]).contains(&format!("`{keyword}`")),
        "{}",
        said(found[0])
    );
    let place = found[0].old.as_ref().expect("a place");
    assert_eq!(
        (place.line, place.column),
        (line, column),
        "{}",
        place.pointer
    );
}

/// Line and column of `mark` inside of `part`, both from one.
fn position(text: &str, part: &str, mark: &str) -> (u32, u32) {
    let at = text.find(part).expect("the part stands in the text");
    let at = at + part.find(mark).expect("the mark stands in the part");
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (
        u32::try_from(line).expect("few lines"),
        u32::try_from(column).expect("few columns"),
    )
}

#[test]
fn a_request_sample_of_the_wrong_type_is_a_fault_of_the_document_at_its_line_and_column() {
    let from = "dueAt: \"2026-01-02T03:04:05Z\", size: 3 }\n      responses";
    bad_sample(
        NOTES,
        from,
        &from.replace("size: 3", "size: 3.5"),
        "size: 3.5",
        "type",
    );
}

#[test]
fn an_answer_sample_with_a_bad_format_is_a_fault_of_the_document() {
    let from = "id: 6f1c1d7e-5d3a-4c0b-9a3e-1f1f0a8e7b12, title: Call Anna";
    bad_sample(
        NOTES,
        from,
        "id: 6f1c1d7e, title: Call Anna",
        "id: 6f1c1d7e",
        "format",
    );
}

#[test]
fn a_refusal_sample_without_a_required_member_is_a_fault_of_the_document() {
    bad_sample(
        NOTES,
        "value: { status: 415, title: send JSON }",
        "value: { status: 415 }",
        "value:",
        "required",
    );
}

#[test]
fn a_parameter_sample_out_of_range_is_a_fault_of_the_document() {
    bad_sample(
        NOTES,
        "{ first-page: { value: 2 } }",
        "{ first-page: { value: 200 } }",
        "value: 200",
        "maximum",
    );
}

#[test]
fn a_webhook_sample_outside_of_its_enum_is_a_fault_of_the_document() {
    let from = "webhooks:\n  noteCreated:\n    post:\n      requestBody:\n        content:\n          application/json:\n            schema: { $ref: \"#/components/schemas/Note\" }\n            examples:\n              milk:\n                value: { id: 6f1c1d7e-5d3a-4c0b-9a3e-1f1f0a8e7b11, title: Milk, tags: [], color: null";
    bad_sample(
        NOTES,
        from,
        &from.replace("color: null", "color: green"),
        "color: green",
        "enum",
    );
}

#[test]
fn a_callback_sample_is_held_to_its_schema() {
    let from = "  /health:\n    get:\n      operationId: health\n";
    let to = "  /health:\n    get:\n      operationId: health\n      callbacks:\n        done:\n          '{$request.query.url}':\n            post:\n              requestBody: { content: { application/json: { schema: { type: integer }, example: x } } }\n              responses: { '204': { description: Taken } }\n";
    bad_sample(NOTES, from, to, "example: x", "type");
}

#[test]
fn the_example_of_a_schema_is_held_to_it() {
    let from = "        archived: { type: boolean }";
    bad_sample(
        NOTES,
        from,
        "        archived: { type: boolean, example: 'yes' }",
        "example: 'yes'",
        "type",
    );
}

#[test]
fn a_header_sample_is_held_to_its_schema_as_text() {
    let from = "X-RateLimit-Remaining: { required: true, schema: { type: integer, minimum: 0 } }";
    bad_sample(
        NOTES,
        from,
        "X-RateLimit-Remaining: { example: '-1', required: true, schema: { type: integer, minimum: 0 } }",
        "example: '-1'",
        "minimum",
    );
    let text = NOTES.replace(from, "X-RateLimit-Remaining: { example: '1', required: true, schema: { type: integer, minimum: 0 } }");
    let server = Server::start(right());
    assert_eq!(
        grave(&replayed(&text, &server).0.findings),
        Vec::<String>::new()
    );
}

#[test]
fn a_bad_sample_of_version_3_0_is_found_through_nullable() {
    let from =
        "color: null, dueAt: null, size: 0, createdAt: \"2026-01-01T00:00:00Z\" }\n          links";
    bad_sample(
        NOTES_30,
        from,
        &from.replace("size: 0", "size: -1"),
        "size: -1",
        "exclusiveMinimum",
    );
}

#[test]
fn a_request_sample_that_is_paired_with_a_refusal_may_break_its_schema() {
    // `title-empty` of updateNote does; the clean run shows that nothing is said about it.
    assert!(NOTES.contains("title-empty: { value: { title: \"\" } }"));
    let text = NOTES.replace(
        "title-empty: { value: { status: 400, title: the title is empty } }",
        "other: { value: { status: 400, title: the title is empty } }",
    );
    let server = Server::start(right());
    let grave = grave(&replayed(&text, &server).0.findings);
    assert!(
        grave
            .iter()
            .any(|line| line.starts_with("sample-own-schema") && line.contains("`minLength`")),
        "{grave:#?}"
    );
}

#[test]
fn a_recipe_that_cannot_be_followed_is_said() {
    for (recipe, part) in [
        ("{ from: nobody, body: {} }", "starts from \"nobody\""),
        ("{ bodi: {} }", "unknown member `bodi`"),
        ("{ query: 1 }", "`query` of `x-replay` cannot be a number"),
    ] {
        let text = NOTES.replace("{ from: full, body: { color: red } }", recipe);
        let server = Server::start(right());
        let (outcome, _) = replayed(&text, &server);
        let told = outcome
            .findings
            .iter()
            .find(|finding| said(finding).contains(part));
        assert!(
            told.is_some(),
            "{part}: {:#?}",
            outcome.findings.iter().map(said).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_schema_that_cannot_be_used_is_said_once_and_never_counts_as_conforming() {
    let text = NOTES.replace(
        "schema: { type: object, required: [text]",
        "schema: { $ref: 'other.yaml#/Comment', required: [text]",
    );
    let server = Server::start(right());
    let (outcome, _) = replayed(&text, &server);
    let found: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|finding| finding.rule == "schema-unusable")
        .collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Undecided);
}

/// Returns the faults in the samples of a document, one fault a line.
fn faults_of_samples(text: &str) -> Vec<String> {
    let server = Server::start(right());
    let (outcome, _) = replayed(text, &server);
    let findings = outcome.findings.iter();
    let own = findings.filter(|finding| finding.rule == "sample-own-schema");
    own.map(|finding| format!("{}: {}", finding.subject, said(finding)))
        .collect()
}

/// A document of one operation with a request sample for each schema.
fn samples(version: &str, schemas: &[&str], value: &str, components: &str) -> String {
    let mut text = format!("openapi: {version}\npaths:\n");
    for (index, schema) in schemas.iter().enumerate() {
        text += &format!(
            "  /p{index}: {{post: {{requestBody: {{content: {{application/json: {{schema: {schema}, example: {value}}}}}}}}}}}\n"
        );
    }
    format!("{text}components: {{schemas: {components}}}\n")
}

#[test]
fn a_read_only_member_is_not_required_of_a_request_wherever_it_stands() {
    let components = "{
      Common: {type: object, required: [id, n], properties: {id: {type: string, readOnly: true}, n: {}}},
      Properties: {type: object, properties: {id: {type: string, readOnly: true}, n: {}}},
      Flagged: {type: string, readOnly: true}}";
    let schemas = [
        "{allOf: [{$ref: '#/components/schemas/Common'}]}",
        "{oneOf: [{$ref: '#/components/schemas/Common'}]}",
        "{anyOf: [{$ref: '#/components/schemas/Common'}, {type: string}]}",
        "{allOf: [{$ref: '#/components/schemas/Properties'}, {required: [id, n]}]}",
        "{required: [id, n], allOf: [{$ref: '#/components/schemas/Properties'}]}",
        "{required: [id], properties: {id: {$ref: '#/components/schemas/Flagged'}}}",
        "{required: [id], properties: {id: {allOf: [{$ref: '#/components/schemas/Flagged'}]}}}",
    ];
    for version in ["3.0.3", "3.1.0"] {
        let text = samples(version, &schemas, "{n: x}", components);
        assert_eq!(faults_of_samples(&text), Vec::<String>::new());
        // The members that are sent are still required.
        let text = samples(version, &schemas, "{}", components);
        assert_eq!(faults_of_samples(&text).len(), 5);
    }
    // A value that the server sends must be complete.
    let webhook = "openapi: 3.1.0\nwebhooks: {w: {post: {requestBody: {content: {application/json: {schema: {required: [a, b], properties: {a: {readOnly: true}, b: {writeOnly: true}}}, example: {}}}}}}}\n";
    let faults = faults_of_samples(webhook);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].contains("`a` is missing"), "{faults:#?}");
}

#[test]
fn a_pattern_is_read_without_the_u_flag_and_quoted_as_it_is_written() {
    let schemas = [r"{type: string, pattern: '^[\w-.]+\/\_$'}"];
    let text = samples("3.1.0", &schemas, "a-b.c/_", "{}");
    assert_eq!(faults_of_samples(&text), Vec::<String>::new());
    let faults = faults_of_samples(&samples("3.1.0", &schemas, "a b", "{}"));
    assert_eq!(faults.len(), 1);
    let part = r#""a b" does not match `^[\w-.]+\/\_$` (`pattern`)"#;
    assert!(faults[0].contains(part), "{faults:#?}");
}

#[test]
fn a_number_where_a_string_is_meant_is_to_be_quoted() {
    let text = samples("3.1.0", &["{type: string}"], "01234", "{}");
    let faults = faults_of_samples(&text);
    assert_eq!(faults.len(), 1);
    let part = "the sample is the number 1234, not a string: write it in quotes (`type`)";
    assert!(faults[0].contains(part), "{faults:#?}");
}

#[test]
fn a_run_that_sends_no_sample_says_why() {
    let bare = "openapi: 3.1.0\npaths: {/a: {get: {responses: {'204': {description: d}}}}}\n";
    let unsent = "openapi: 3.1.0\npaths: {'/a/{id}': {get: {responses: {'200': {description: d, content: {application/json: {example: 1}}}}}}}\n";
    for (text, unchecked) in [
        (
            "openapi: 3.1.0\npaths: {}\n",
            Unchecked::NoSamples { operations: 0 },
        ),
        (bare, Unchecked::NoSamples { operations: 1 }),
        (unsent, Unchecked::NothingSent { samples: 1 }),
    ] {
        let server = Server::start(right());
        let (outcome, _) = replayed(text, &server);
        assert_eq!(outcome.unchecked, Some(unchecked));
        assert!(server.lines().is_empty());
    }
    let server = Server::start(right());
    assert_eq!(replayed(NOTES, &server).0.unchecked, None);
}
