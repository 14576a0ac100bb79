//! Every sentence about servers and samples, and every line of progress.

use serde_json::{Value, json};

use super::*;
use crate::finding::{
    Broken, Comparison, Finding, ReplayStep, Severity, ShapeDifference, Tally, Unwritable,
    Violation,
};
use crate::report::words::progress;

fn said(fault: ReplayFault) -> String {
    let finding = Finding::new("rule", Severity::Breaking, "GET /a", fault);
    crate::report::words::of(&finding, Comparison::Single)
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn value(at: &str, keyword: &str, expected: Value, found: Value) -> Violation {
    Violation {
        at: text(at),
        keyword: text(keyword),
        broken: Broken::Value {
            expected: Some(expected),
            found,
        },
    }
}

#[test]
fn violations_say_what_was_expected_and_what_came() {
    let broken = |keyword: &str, broken: Broken| Violation {
        at: text("/a/0"),
        keyword: text(keyword),
        broken,
    };
    let name = text("id");
    let lines: Vec<String> = [
        broken("required", Broken::Missing { name: name.clone() }),
        broken("additionalProperties", Broken::Unexpected { name }),
        broken("oneOf", Broken::Alternatives { several: false }),
        broken("oneOf", Broken::Alternatives { several: true }),
        value("", "type", json!(["integer", "null"]), json!("x")),
        value("", "enum", json!(["a", 1, null]), json!("x")),
        value("", "const", json!("a"), json!({"long": "x".repeat(100)})),
        value("", "format", json!("date-time"), json!("today")),
        value("", "pattern", json!("^[\\w-.]+$"), json!("a b")),
        value("", "minimum", json!(1), json!(0)),
        value("", "maximum", json!(1), json!(2)),
        value("", "exclusiveMinimum", json!(1), json!(1)),
        value("", "exclusiveMaximum", json!(1), json!(1)),
        value("", "multipleOf", json!(2), json!(1)),
        value("", "minLength", json!(2), json!("a")),
        value("", "maxLength", json!(2), json!("abc")),
        value("", "minItems", json!(1), json!([])),
        value("", "maxItems", json!(1), json!([1, 2])),
        value("", "minProperties", json!(1), json!({})),
        value("", "maxProperties", json!(1), json!({"a": 1, "b": 2})),
        value("", "uniqueItems", json!(true), json!([1, 1])),
        value("", "contains", Value::Null, json!([1])),
        value("", "not", Value::Null, json!(1)),
        value("", "unevaluatedItems", Value::Null, json!([1])),
    ]
    .iter()
    .map(violation::violation)
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn faults_say_what_happened_where_and_what_to_do() {
    let sample = || text("ok");
    let header = || text("X-Rate");
    let json_type = || vec![text("application/json"), text("text/plain")];
    let connect = || Failure::Connect {
        cause: text("Connection refused"),
    };
    let unwritable = || Unwritable::Method {
        method: text("G T"),
    };
    let status = |documented: Option<Vec<String>>, credentials: Vec<String>| {
        let sample = sample();
        let expected = text("200");
        ReplayFault::Status {
            sample,
            expected,
            found: 401,
            documented,
            credentials,
        }
    };
    let content_type = |found: &[&str], documented: Vec<String>| {
        let found = found.iter().map(|found| text(found)).collect();
        ReplayFault::ContentType {
            sample: sample(),
            found,
            documented,
        }
    };
    let no_response = |failure| ReplayFault::NoResponse {
        sample: sample(),
        failure,
    };
    let shape = |at: &str, difference| {
        let at = text(at);
        ReplayFault::Shape {
            sample: sample(),
            at,
            difference,
            more: 2,
        }
    };
    let echo = |source| {
        let (at, found, sent) = (text("/id"), json!(1), json!("2"));
        ReplayFault::Echo {
            sample: sample(),
            at,
            found,
            source,
            sent,
            more: 0,
        }
    };
    let unreplayable = |reason| ReplayFault::NotReplayable {
        sample: sample(),
        reason,
    };
    let recipe = |problem| ReplayFault::Recipe {
        sample: sample(),
        problem,
    };
    let not_created = |reason, samples| ReplayFault::NotCreated {
        sample: sample(),
        reason,
        samples,
    };
    let lines: Vec<String> = [
        no_response(connect()),
        no_response(Failure::Timeout { seconds: 0.5 }),
        no_response(Failure::TooLarge {
            limit: 10 * 1024 * 1024,
        }),
        no_response(Failure::Broken {
            cause: text("unexpected end"),
        }),
        status(None, Vec::new()),
        status(None, vec![text("bearer")]),
        status(Some(vec![text("200"), text("404")]), Vec::new()),
        status(Some(Vec::new()), Vec::new()),
        ReplayFault::HeaderMissing {
            sample: sample(),
            header: header(),
        },
        ReplayFault::Header {
            sample: sample(),
            header: header(),
            value: Some(text("many")),
            violation: value("", "type", json!("integer"), json!("many")),
        },
        ReplayFault::Header {
            sample: sample(),
            header: text("X-Token"),
            value: None,
            violation: value("", "minLength", json!(9), json!("secret")),
        },
        ReplayFault::HeaderNotJson {
            sample: sample(),
            header: header(),
            cause: text("EOF at 1"),
        },
        content_type(&[], json_type()),
        content_type(&["json"], json_type()),
        content_type(&["text/html"], json_type()),
        content_type(&["text/html"], Vec::new()),
        content_type(&["text/html", "a/b"], json_type()),
        ReplayFault::BodyMissing {
            sample: sample(),
            documented: json_type(),
        },
        ReplayFault::BodyUnexpected {
            sample: sample(),
            status: 204,
            bytes: Some(2),
        },
        ReplayFault::BodyUnexpected {
            sample: sample(),
            status: 204,
            bytes: None,
        },
        ReplayFault::BodyEncoded {
            sample: sample(),
            encoding: text("gzip"),
        },
        ReplayFault::BodyNotUtf8 {
            sample: sample(),
            byte: 8,
        },
        ReplayFault::BodyNotJson {
            sample: sample(),
            cause: text("EOF at 1"),
        },
        ReplayFault::Body {
            sample: sample(),
            violation: value("/a", "type", json!("array"), json!(1)),
        },
        ReplayFault::MoreViolations {
            sample: sample(),
            count: 3,
        },
        shape("", ShapeDifference::Missing { name: text("id") }),
        shape("/a", ShapeDifference::Unexpected { declared: true }),
        shape("/a", ShapeDifference::Unexpected { declared: false }),
        shape(
            "/a",
            ShapeDifference::Type {
                found: "array",
                documented: "null",
            },
        ),
        echo(Echoed::Body(text("id"))),
        echo(Echoed::Query(text("q"))),
        echo(Echoed::Path(text("id"))),
        ReplayFault::Allow {
            sample: sample(),
            found: None,
            missing: Vec::new(),
            refused: None,
        },
        ReplayFault::Allow {
            sample: sample(),
            found: Some(vec![text("GET"), text("PUT")]),
            missing: vec![text("POST"), text("PATCH")],
            refused: Some(text("PUT")),
        },
        ReplayFault::Unknown {
            requests: 1,
            method_is_missing: false,
        },
        ReplayFault::Unknown {
            requests: 2,
            method_is_missing: true,
        },
        ReplayFault::Head {
            sample: sample(),
            found: 404,
        },
        ReplayFault::NotNegotiated {
            sample: sample(),
            accepted: text("text/csv"),
            found: text("application/json"),
        },
        ReplayFault::Location {
            sample: sample(),
            found: vec![text("http://[")],
        },
        ReplayFault::Location {
            sample: sample(),
            found: vec![text("/a"), text("/b")],
        },
        ReplayFault::Undeclared {
            sample: sample(),
            at: text("/internal"),
            more: 2,
        },
        ReplayFault::Slow {
            sample: sample(),
            limit: 0.5,
        },
        ReplayFault::NoValue {
            part: text("query parameter `limit`"),
            proven: true,
            optional: false,
        },
        ReplayFault::NoValue {
            part: text("member `/address/zip` of the body"),
            proven: true,
            optional: true,
        },
        ReplayFault::NoValue {
            part: text("body"),
            proven: false,
            optional: false,
        },
        ReplayFault::Sample {
            violation: value("/zip", "type", json!("string"), json!(1234)),
        },
        ReplayFault::Sample {
            violation: value("", "type", json!("string"), json!([])),
        },
        ReplayFault::UnusableSchema {
            reason: Undecided::NotASchema,
        },
        ReplayFault::UnusableSchema {
            reason: Undecided::Reference {
                reference: text("#/none"),
            },
        },
        ReplayFault::NoSamples,
        ReplayFault::Unchecked {
            sample: sample(),
            parameter: text("id"),
        },
        unreplayable(Unreplayable::NoResponse),
        unreplayable(Unreplayable::NoRequest {
            status: text("409"),
        }),
        unreplayable(Unreplayable::NoStart {
            from: text("\"full\""),
        }),
        unreplayable(Unreplayable::NoSuccess),
        unreplayable(Unreplayable::NoParameter {
            place: text("query"),
            name: text("q"),
        }),
        unreplayable(Unreplayable::External),
        unreplayable(Unreplayable::NoForm {
            value: "array",
            media_type: text("text/csv"),
        }),
        unreplayable(Unreplayable::Unwritable {
            reason: unwritable(),
        }),
        recipe(RecipeProblem::NotAnObject { found: "array" }),
        recipe(RecipeProblem::WrongType {
            member: text("query"),
            found: "null",
        }),
        recipe(RecipeProblem::UnknownMember {
            member: text("bodi"),
        }),
        not_created(StepFailure::NoResponse { failure: connect() }, 1),
        not_created(StepFailure::Status { status: 503 }, 9),
        not_created(
            StepFailure::NoId {
                name: text("noteId"),
            },
            9,
        ),
        not_created(
            StepFailure::Unwritable {
                reason: unwritable(),
            },
            9,
        ),
    ]
    .into_iter()
    .map(said)
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn progress_is_one_line_a_step() {
    let operation = |replayed, bare| ReplayStep::Operation {
        operation: text("GET /a"),
        replayed,
        passed: 1,
        bare,
    };
    let tally = Tally {
        operations: 3,
        replayed: 2,
        passed: 1,
        not_replayable: 1,
        unchecked: 0,
        bare: vec![text("GET /b"), text("GET /c")],
        ..Tally::default()
    };
    let lines: Vec<String> = [
        ReplayStep::Started {
            url: text("http://localhost:8080/api"),
        },
        operation(1, false),
        operation(2, false),
        operation(0, true),
        ReplayStep::NotCreated {
            operation: text("POST /a"),
            reason: StepFailure::Status { status: 503 },
            samples: 2,
        },
        ReplayStep::Left {
            path: text("/a/1"),
            reason: StepFailure::NoOperation,
        },
        ReplayStep::Finished(tally),
    ]
    .iter()
    .map(progress)
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
