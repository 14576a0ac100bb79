//! Tests of the measurements, on a small document.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::exchange::{Exchange, Request, Response};

const TEXT: &str = "
openapi: 3.1.0
info: {title: t, version: '1'}
security: [{key: []}, {}]
paths:
  /a/{id}:
    parameters: [{in: path, name: id, required: true, schema: {type: string}}]
    post:
      parameters:
        - {in: query, name: limit, schema: {type: integer, maximum: 9}}
        - {in: query, name: filter, style: deepObject, schema: {type: object}}
        - {in: header, name: X-Trace, schema: {type: string}}
        - {in: cookie, name: sid, schema: {type: string}}
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/New'}}
          text/*: {schema: {type: string}}
      responses:
        '200': {description: d, content: {application/json: {schema: {type: object, properties: {n: {type: integer}}}}}}
        '204': {description: d}
        4XX: {description: d, content: {application/problem+json: {schema: {type: object}}}}
        default: {description: d}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    New: {type: object, required: [name], properties: {name: {type: string, maxLength: 5}, size: {type: [integer, 'null'], minimum: 1}}}
";

fn exchange(url: &str, headers: &[(&str, &str)], status: u16, content_type: &str) -> Exchange {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let content_type =
        (!content_type.is_empty()).then(|| ("content-type".to_owned(), content_type.into()));
    Exchange {
        request: Request {
            method: "POST".to_owned(),
            url: format!("http://h/a/1{url}"),
            headers: headers.iter().map(own).collect(),
            body: None,
        },
        response: Some(Response {
            status,
            headers: content_type.into_iter().collect(),
            body: Vec::new(),
        }),
        failure: None,
        duration: Duration::ZERO,
    }
}

fn measured(seen: &Seen) -> OperationCoverage {
    let document = Document::parse("t", TEXT).unwrap();
    let operations = document.operations();
    let sample = |_| {
        vec![SampleCoverage {
            name: "one".to_owned(),
            sent: true,
            at: String::new(),
        }]
    };
    let seen = BTreeMap::from([(0, seen)]);
    measure(&document, &operations, &[0], &sample, &seen)
        .operations
        .remove(0)
}

#[test]
fn what_was_sent_and_what_was_accepted_are_two_things() {
    let mut seen = Seen::default();
    let json = ("Content-Type", "application/json; charset=utf-8");
    seen.note(
        &exchange(
            "?limit=3&filter%5Ba%5D=1",
            &[("x-trace", "t"), json, ("X-Key", "k")],
            200,
            "application/json",
        ),
        true,
    );
    seen.note(
        &exchange(
            "?limit=30",
            &[("Cookie", "a=b; sid=c"), ("Content-Type", "text/plain")],
            422,
            "application/problem+json",
        ),
        true,
    );
    seen.note(&exchange("", &[("X-Key", "bad")], 401, ""), true);
    seen.note(&exchange("", &[], 302, ""), true);
    // The response to another method is not a status of the operation.
    seen.note(&exchange("", &[], 302, ""), false);
    let coverage = measured(&seen);
    let sent = |list: &[SentPart]| {
        list.iter()
            .map(|one| format!("{} {} {}", one.name, one.sent, one.accepted))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sent(&coverage.parameters),
        [
            "path id 4 2",
            "query limit 2 1",
            "query filter 1 1",
            "header X-Trace 1 1",
            "cookie sid 1 0"
        ]
    );
    assert_eq!(
        sent(&coverage.request_types),
        ["application/json 1 1", "text/* 1 0"]
    );
    let observed = |list: &[ReceivedPart]| {
        list.iter()
            .map(|one| format!("{} {}", one.name, one.observed))
            .collect::<Vec<_>>()
    };
    assert_eq!(observed(&coverage.statuses), ["200 1", "204 0", "4XX 2"]);
    assert_eq!(
        observed(&coverage.response_types),
        ["200 application/json 1", "4XX application/problem+json 1"]
    );
    assert_eq!(
        observed(&coverage.undocumented),
        Vec::<String>::new(),
        "`default` is for all others"
    );
    let security: Vec<(usize, usize)> = coverage
        .security
        .iter()
        .map(|one| (one.schemes.len(), one.accepted))
        .collect();
    assert_eq!(security, [(1, 1), (0, 2)]);
    assert_eq!(
        (
            coverage.requests,
            coverage.accepted,
            coverage.refused,
            coverage.unauthorized
        ),
        (5, 2, 2, 1)
    );
    let shares: Vec<(usize, usize)> = coverage
        .shares()
        .iter()
        .map(|(_, share)| (share.observed, share.all))
        .collect();
    assert_eq!(
        shares[..6],
        [(1, 1), (4, 5), (1, 2), (2, 3), (2, 2), (1, 1)]
    );
}

#[test]
fn a_keyword_is_met_by_a_value_of_its_type_at_its_schema() {
    let document = Document::parse("t", TEXT).unwrap();
    let schema = "/paths/~1a~1{id}/post/requestBody/content/application~1json/schema";
    let mut seen = Seen::default();
    let subschemas = Subschemas::of(&document);
    seen.sent_keywords
        .note(subschemas, schema, &json!({"name": "a", "size": null}), 0);
    let coverage = measured(&seen);
    let missing = &coverage.request_keywords.missing;
    let of_body: Vec<&String> = missing
        .iter()
        .filter(|at| at.contains("schemas/New"))
        .collect();
    assert_eq!(
        of_body,
        ["/components/schemas/New/properties/size/minimum"],
        "null is not a number"
    );
    seen.sent_keywords
        .note(subschemas, schema, &json!({"size": 4}), 0);
    assert!(
        measured(&seen)
            .request_keywords
            .missing
            .iter()
            .all(|at| !at.contains("schemas/New"))
    );
    assert_eq!(coverage.response_keywords.observed, 0);
}

#[test]
fn the_number_of_values_that_are_looked_at_is_bounded() {
    let document = Document::parse("t", TEXT).unwrap();
    let mut keywords = Keywords::default();
    for _ in 0..100 {
        if keywords.wants(200) {
            keywords.note(
                Subschemas::of(&document),
                "/components/schemas/New",
                &json!({}),
                200,
            );
        }
    }
    assert!(!keywords.wants(200) && keywords.wants(404));
}

#[test]
fn nothing_is_observed_of_an_operation_that_was_not_called() {
    let coverage = measured(&Seen::default());
    assert!(
        coverage
            .shares()
            .iter()
            .filter(|(kind, _)| *kind != "samples")
            .all(|(_, share)| share.observed == 0)
    );
    assert!(coverage.request_keywords.all >= 8, "{coverage:?}");
}
