//! Sentences about servers that do not do what their document says, about samples, and about the progress of a replay.

use serde_json::Value;

use super::{Context, schema, shown};
use crate::finding::{
    Broken, Echoed, Failure, RecipeProblem, ReplayFault, ReplayStep, ShapeDifference, StepFailure,
    Undecided, Unobserved, Unreplayable, Violation,
};

pub(super) fn sentence(fault: &ReplayFault, _context: &Context<'_>) -> String {
    let said = match fault {
        ReplayFault::NoResponse { failure, .. } => self::failure(failure),
        ReplayFault::Status {
            expected,
            found,
            documented,
            credentials,
            ..
        } => {
            let mut said = format!("expected {expected}, got {found}");
            match documented.as_deref() {
                Some([]) => said += "; the operation documents no response",
                Some(documented) => {
                    said += &format!(
                        ", which is not documented (documented: {})",
                        documented.join(", ")
                    );
                }
                None => {}
            }
            if !credentials.is_empty() {
                said += &format!(
                    "; no credential was sent, the operation needs {}: see --header",
                    credentials.join(" and ")
                );
            }
            said
        }
        ReplayFault::HeaderMissing { header, .. } => {
            format!("the required header `{header}` is missing")
        }
        ReplayFault::Header {
            header,
            value: Some(value),
            violation,
            ..
        } => format!("header `{header}: {value}`: {}", self::violation(violation)),
        ReplayFault::Header {
            header, violation, ..
        } => format!("header `{header}` is not valid (`{}`)", violation.keyword),
        ReplayFault::HeaderNotJson { header, cause, .. } => {
            format!("header `{header}` is not JSON: {cause}")
        }
        ReplayFault::ContentType {
            found, documented, ..
        } => content_type(found, documented),
        ReplayFault::BodyMissing { documented, .. } => {
            format!("expected a body of {}, got none", quoted(documented))
        }
        ReplayFault::BodyUnexpected { status, bytes, .. } => match bytes {
            Some(bytes) => format!("{status} is documented without content, got {bytes} bytes"),
            None => format!("{status} is documented without content, got a body in chunks"),
        },
        ReplayFault::BodyEncoded { encoding, .. } => {
            format!("the response is {encoding} although no encoding was asked for")
        }
        ReplayFault::BodyNotUtf8 { byte, .. } => format!("the body is not UTF-8 at byte {byte}"),
        ReplayFault::BodyCharset { charset, known, .. } => match known {
            true => format!(
                "the body is not valid {charset}, the charset that its content type declares"
            ),
            false => format!("the content type declares the unknown charset `{charset}`"),
        },
        ReplayFault::BodyNotJson { cause, .. } => format!("the body is not JSON: {cause}"),
        ReplayFault::Body { violation, .. } => self::violation(violation),
        ReplayFault::MoreViolations { count, .. } => {
            format!("the body violates its schema in {count} more places")
        }
        ReplayFault::Shape {
            at,
            difference,
            more,
            ..
        } => format!(
            "{}{}{}",
            inside(at),
            self::difference(difference),
            also(*more, "items")
        ),
        ReplayFault::Echo {
            at,
            found,
            source,
            sent,
            more,
            ..
        } => {
            let source = match source {
                Echoed::Body(name) => format!("`{name}` of the request body"),
                Echoed::Query(name) => format!("the query parameter `{name}`"),
                Echoed::Path(name) => format!("the path parameter `{name}`"),
            };
            format!(
                "{}expected {} (sent as {source}), got {}{}",
                inside(at),
                shown(sent),
                shown(found),
                also(*more, "places")
            )
        }
        ReplayFault::Sample { violation } => match unquoted(violation) {
            Some(value) => format!(
                "{}the sample is the {value}, not a string: write it in quotes (`{}`)",
                inside(&violation.at),
                violation.keyword
            ),
            None => self::violation(violation),
        },
        ReplayFault::NotRefused {
            found, expected, ..
        } => {
            let expected: Vec<String> = expected.iter().map(u16::to_string).collect();
            let expected = match expected.is_empty() {
                true => "4xx".to_owned(),
                false => expected.join(" or "),
            };
            match found {
                200..400 => format!(
                    "not allowed by the document, but accepted: expected {expected}, got {found}"
                ),
                _ => format!("refused with {found}, expected {expected}"),
            }
        }
        ReplayFault::NotAccepted { found, .. } => {
            format!("allowed by the document, but refused with {found}")
        }
        ReplayFault::Allow {
            found,
            missing,
            refused,
            ..
        } => allow(found.as_deref(), missing, refused.as_deref()),
        ReplayFault::Unknown {
            requests,
            method_is_missing,
        } => {
            let what = match method_is_missing {
                true => "the path is documented, but without this method",
                false => "no path of the document matches it",
            };
            match requests {
                1 => format!("was recorded once; {what}"),
                requests => format!("was recorded {requests} times; {what}"),
            }
        }
        ReplayFault::Head { found, .. } => {
            format!("GET is documented, but HEAD was answered with {found}")
        }
        ReplayFault::NotNegotiated {
            accepted, found, ..
        } => format!(
            "the request accepts `{accepted}`, which is documented, but the response is `{found}`"
        ),
        ReplayFault::Location { found, .. } => match found.as_slice() {
            [] => "a redirection without a `Location` header".to_owned(),
            [one] => format!("`Location: {one}` is not a URI reference"),
            several => format!("the `Location` header is given {} times", several.len()),
        },
        ReplayFault::Undeclared { at, more, .. } => format!(
            "{}the schema does not declare this member{}",
            inside(at),
            also(*more, "items")
        ),
        ReplayFault::Slow { limit, .. } => {
            format!("the response took longer than {limit} s (--max-response-time)")
        }
        ReplayFault::NoValue {
            part,
            optional: true,
            ..
        } => format!("no value is valid for the {part}, so no request can have it"),
        ReplayFault::NoValue {
            part, proven: true, ..
        } => {
            format!("no value is valid for the {part}, so no request can be right")
        }
        ReplayFault::NoValue { part, .. } => format!(
            "no valid value was found for the {part}, so no requests were generated: add an example"
        ),
        ReplayFault::NeverAccepted { requests: 0, .. } => {
            "no request could be made, so nothing was checked: give samples of its parameters and body".to_owned()
        }
        ReplayFault::NeverAccepted {
            requests,
            last,
            words,
        } => {
            let quoted = words.as_ref().map_or_else(String::new, |words| format!(": {words}"));
            let last = last.map_or_else(String::new, |status| {
                format!("; the last response was {status}{quoted}")
            });
            let way = match last.is_empty() {
                true => "",
                false => "\ngive credentials with --header, or samples with values that the server knows",
            };
            format!("none of {requests} requests was accepted, so little was checked{last}{way}")
        }
        ReplayFault::Unobserved { what } => match what {
            Unobserved::Operation => "no request was sent".to_owned(),
            Unobserved::Status { status } => format!("no response was {status}"),
            Unobserved::Sample { sample } => format!("sample `{sample}` was not sent"),
        },
        ReplayFault::UnusableSchema {
            reason: Undecided::NotASchema,
        } => "not a schema, so nothing was validated against it".to_owned(),
        ReplayFault::UnusableSchema { reason } => {
            format!("nothing was validated: {}", schema::cause(reason))
        }
        ReplayFault::NoSamples => "no sample is documented, so nothing was sent".to_owned(),
        ReplayFault::Unchecked { parameter, .. } => format!(
            "not sent: the path parameter `{parameter}` has no sample, and no operation creates one"
        ),
        ReplayFault::NotReplayable { reason, .. } => format!("not sent: {}", unreplayable(reason)),
        ReplayFault::Recipe { problem, .. } => format!("not sent: {}", recipe(problem)),
        ReplayFault::NotCreated {
            reason, samples, ..
        } => format!(
            "not created, so {} could not be sent: {}",
            samples_of(*samples),
            step_failure(reason)
        ),
    };
    match fault.sample() {
        Some(sample) => match sample.strip_prefix(crate::generate::GENERATED) {
            Some(case) => format!("{case}: {said}"),
            None => format!("sample `{sample}`: {said}"),
        },
        None => said,
    }
}

fn allow(found: Option<&[String]>, missing: &[String], refused: Option<&str>) -> String {
    let Some(found) = found else {
        return "405 needs an `Allow` header, and there is none".to_owned();
    };
    let mut said = match found {
        [] => "`Allow` is empty".to_owned(),
        found => format!("`Allow: {}`", found.join(", ")),
    };
    if let Some(method) = refused {
        said += &format!(" names {method}, which was just refused");
    }
    if !missing.is_empty() {
        let and = if refused.is_some() { ", and" } else { "" };
        said += &format!("{and} lacks {}", missing.join(" and "));
    }
    said
}

/// One line for what a replay has come to.
pub fn progress(step: &ReplayStep) -> String {
    match step {
        ReplayStep::Started { url } => format!("base URL: {url}"),
        ReplayStep::Changes { operations: 0, .. } => {
            "sends no request that may change data but those with methods that the document does not have (--safe sends none)".to_owned()
        }
        ReplayStep::Changes {
            operations,
            lasting,
        } => {
            let operations = match operations {
                1 => "1 operation".to_owned(),
                operations => format!("{operations} operations"),
            };
            let lasting = match lasting.is_empty() {
                true => String::new(),
                false => format!(
                    "; no operation deletes what these create: {}",
                    lasting.join(", ")
                ),
            };
            format!(
                "sends requests that change data to {operations}, and deletes what it creates{lasting} (--safe sends none)"
            )
        }
        ReplayStep::Operation {
            operation, bare, ..
        } if *bare => format!("{operation}: no sample"),
        ReplayStep::Operation {
            operation,
            replayed,
            passed,
            ..
        } => format!("{operation}: {}, {passed} passed", samples_of(*replayed)),
        ReplayStep::Generated {
            operation,
            sent,
            passed,
        } => format!("{operation}: {sent} generated requests, {passed} passed"),
        ReplayStep::NotCreated {
            operation,
            reason,
            samples,
        } => format!(
            "{operation}: {}; not checked: {}",
            step_failure(reason),
            samples_of(*samples)
        ),
        ReplayStep::Announced { deleted, kept } => {
            let list = |names: &[String], none: &str| match names {
                [] => none.to_owned(),
                names => names.join(", "),
            };
            let kept = match kept.as_slice() {
                [] => String::new(),
                names => format!("; creates, and cannot delete: {}", names.join(", ")),
            };
            format!(
                "creates, and deletes at the end: {}{kept}",
                list(deleted, "nothing")
            )
        }
        ReplayStep::Flow {
            resource,
            requests,
            findings,
        } => format!("{resource}: {requests} requests, {findings} findings"),
        ReplayStep::Left { path, reason } => {
            format!("left on the server: {path} ({})", step_failure(reason))
        }
        ReplayStep::Finished(tally) => {
            let mut line = format!(
                "{} operations: {} samples replayed, {} passed, {} failed, {} not replayable, {} not checked",
                tally.operations,
                tally.replayed,
                tally.passed,
                tally.failed(),
                tally.not_replayable,
                tally.unchecked
            );
            if tally.generated > 0 {
                line += &format!(
                    "; {} generated requests, {} passed",
                    tally.generated, tally.generated_passed
                );
            }
            if !tally.bare.is_empty() {
                line += &format!("; without any sample: {}", tally.bare.join(", "));
            }
            line
        }
    }
}

fn failure(failure: &Failure) -> String {
    match failure {
        Failure::Connect { cause } => format!("no connection: {cause}"),
        Failure::Timeout { seconds } => {
            format!("the response was not complete after {seconds} s: see --timeout")
        }
        Failure::TooLarge { limit } => format!(
            "the body is larger than {} MB, reading stopped",
            limit / 1024 / 1024
        ),
        Failure::Interrupted => "the run was stopped before the response came".to_owned(),
        Failure::Broken { cause } => {
            format!("the connection broke before the response was complete: {cause}")
        }
    }
}

pub(super) fn step_failure(reason: &StepFailure) -> String {
    match reason {
        StepFailure::NoResponse { failure } => self::failure(failure),
        StepFailure::Status { status } => format!("the response was {status}"),
        StepFailure::NoId { name } => {
            format!("the response has no `{name}`, `id` or the like")
        }
        StepFailure::Unwritable { reason } => reason.to_string(),
        StepFailure::NoOperation => "the document has no DELETE for it".to_owned(),
    }
}

fn content_type(found: &[String], documented: &[String]) -> String {
    let expected = quoted(documented);
    match (found, documented) {
        ([], _) => format!("the content type is missing, expected {expected}"),
        ([one], []) => format!("the content type is `{one}`, though no content is documented"),
        ([one], _) if !one.contains('/') => {
            format!("`{one}` is not a media type, expected {expected}")
        }
        ([one], _) => format!("expected {expected}, got `{one}`"),
        (several, _) => format!(
            "the content type is given {} times: {}",
            several.len(),
            quoted(several).replace(" or ", " and ")
        ),
    }
}

fn difference(difference: &ShapeDifference) -> String {
    match difference {
        ShapeDifference::Missing { name } => {
            format!("the member `{name}` of the documented sample is missing")
        }
        ShapeDifference::Unexpected { declared: true } => {
            "the schema declares this member, but the documented sample does not have it".to_owned()
        }
        ShapeDifference::Unexpected { declared: false } => {
            "neither the documented sample nor the schema has this member".to_owned()
        }
        ShapeDifference::Type { found, documented } => {
            format!(
                "expected {} as in the documented sample, got {}",
                article(documented),
                article(found)
            )
        }
    }
}

/// A fault of a value: where, and by which keyword.
fn violation(violation: &Violation) -> String {
    let said = match &violation.broken {
        Broken::Missing { name } => format!("the required member `{name}` is missing"),
        Broken::Unexpected { name } => format!("the member `{name}` is not allowed"),
        Broken::Alternatives { several: false } => "none of the alternatives matches".to_owned(),
        Broken::Alternatives { several: true } => {
            "more than one of the alternatives matches, but only one may".to_owned()
        }
        Broken::Value { expected, found } => value(
            &violation.keyword,
            expected.as_ref().unwrap_or(&Value::Null),
            found,
        ),
    };
    format!("{}{said} (`{}`)", inside(&violation.at), violation.keyword)
}

fn value(keyword: &str, expected: &Value, found: &Value) -> String {
    let (limit, got) = (shown(expected), shown(found));
    // What a number of characters, items or members is compared with.
    let size = match found {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    let sized = |what: &str| match limit.as_str() {
        "1" => format!("1 {what}"),
        limit => format!("{limit} {what}s"),
    };
    let list = |between: &str, form: &dyn Fn(&Value) -> String| match expected {
        Value::Array(values) => values.iter().map(form).collect::<Vec<_>>().join(between),
        one => form(one),
    };
    match keyword {
        "type" => {
            let names = list(" or ", &|name| article(name.as_str().unwrap_or_default()));
            format!("expected {names}, got {got}")
        }
        "enum" => format!("expected one of {}, got {got}", list(", ", &shown)),
        "const" => format!("expected {limit}, got {got}"),
        "format" => format!(
            "{got} is not a valid {}",
            expected.as_str().unwrap_or_default()
        ),
        "pattern" => format!(
            "{got} does not match `{}`",
            expected.as_str().unwrap_or_default()
        ),
        "minimum" => format!("expected at least {limit}, got {got}"),
        "maximum" => format!("expected at most {limit}, got {got}"),
        "exclusiveMinimum" => format!("expected more than {limit}, got {got}"),
        "exclusiveMaximum" => format!("expected less than {limit}, got {got}"),
        "multipleOf" => format!("expected a multiple of {limit}, got {got}"),
        "minLength" => format!(
            "expected at least {}, got {size}: {got}",
            sized("character")
        ),
        "maxLength" => format!("expected at most {}, got {size}: {got}", sized("character")),
        "minItems" => format!("expected at least {}, got {size}", sized("item")),
        "maxItems" => format!("expected at most {}, got {size}", sized("item")),
        "minProperties" => format!("expected at least {}, got {size}", sized("member")),
        "maxProperties" => format!("expected at most {}, got {size}", sized("member")),
        "uniqueItems" => format!("the items are not unique: {got}"),
        "contains" => format!("no item is one that the schema asks for: {got}"),
        "not" => format!("{got} is what the schema excludes"),
        _ => format!("{got} is not allowed"),
    }
}

/// A number or the like where the schema has a string: in YAML `1234` is one unless it is quoted.
fn unquoted(violation: &Violation) -> Option<String> {
    let Broken::Value {
        expected: Some(expected),
        found: found @ (Value::Number(_) | Value::Bool(_)),
    } = &violation.broken
    else {
        return None;
    };
    let string = match expected {
        Value::Array(names) => names.iter().any(|name| name == "string"),
        one => one == "string",
    };
    let kind = if found.is_number() {
        "number"
    } else {
        "boolean"
    };
    (violation.keyword == "type" && string).then(|| format!("{kind} {found}"))
}

fn unreplayable(reason: &Unreplayable) -> String {
    match reason {
        Unreplayable::NoResponse => {
            "no response has its name, and no 2xx response is documented".to_owned()
        }
        Unreplayable::NoRequest { status } => format!(
            "no request sample has its name, and no rule says how a request gets a {status}"
        ),
        Unreplayable::NoStart { from } => {
            format!("`x-replay` starts from {from}, and no request sample has that name")
        }
        Unreplayable::NoSuccess => {
            "the operation has no successful sample to start from".to_owned()
        }
        Unreplayable::NoParameter { place, name } => {
            format!("the required {place} parameter `{name}` has no sample")
        }
        Unreplayable::External => "its value is outside of the document".to_owned(),
        Unreplayable::NoForm { value, media_type } => {
            format!("{} cannot be written as {media_type}", article(value))
        }
        Unreplayable::Unwritable { reason } => reason.to_string(),
    }
}

fn recipe(problem: &RecipeProblem) -> String {
    match problem {
        RecipeProblem::NotAnObject { found } => {
            format!("expected an object for `x-replay`, got {}", article(found))
        }
        RecipeProblem::WrongType { member, found } => {
            format!("`{member}` of `x-replay` cannot be {}", article(found))
        }
        RecipeProblem::UnknownMember { member } => {
            format!("unknown member `{member}` of `x-replay`")
        }
    }
}

/// The place before what is said about it.
pub(super) fn inside(at: &str) -> String {
    if at.is_empty() {
        String::new()
    } else {
        format!("{at}: ")
    }
}

fn also(more: usize, what: &str) -> String {
    if more == 0 {
        String::new()
    } else {
        format!(", and in {more} more {what}")
    }
}

fn samples_of(count: usize) -> String {
    if count == 1 {
        "1 sample".to_owned()
    } else {
        format!("{count} samples")
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" or ")
}

/// The name of a JSON type with its article.
fn article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        "array" | "object" | "integer" => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::finding::{Comparison, Finding, Severity, Tally, Unwritable};

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
        .map(violation)
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
}
