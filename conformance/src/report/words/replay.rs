//! Sentences about servers that do not do what their document says, about samples, and about the progress of a replay.

use serde_json::Value;

use super::{Context, schema, shown};
use crate::finding::{
    Broken, Difference, Echoed, Failure, RecipeProblem, ReplayFault, StepFailure, Unreplayable,
    Violation,
};
use crate::replay::Progress;

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
        ReplayFault::UnusableSchema { reason } => schema::cause(reason),
        ReplayFault::NoSamples => "no sample is documented, so nothing was sent".to_owned(),
        ReplayFault::Unchecked { parameter, .. } => format!(
            "not sent: the path parameter `{parameter}` has no sample, and no operation creates one"
        ),
        ReplayFault::NotReplayable { reason, .. } => format!("not sent: {}", unreplayable(reason)),
        ReplayFault::Recipe { problem, .. } => format!("not sent: {}", recipe(problem)),
        ReplayFault::NotCreated {
            reason, samples, ..
        } => format!(
            "should create what {} need, but {}",
            samples_of(*samples),
            step_failure(reason)
        ),
    };
    match fault.sample() {
        Some(sample) => format!("sample `{sample}`: {said}"),
        None => said,
    }
}

/// One line for what a replay has come to.
pub fn progress(progress: &Progress) -> String {
    match progress {
        Progress::Started { url } => format!("base URL: {url}"),
        Progress::Operation {
            operation, bare, ..
        } if *bare => format!("{operation}: no sample"),
        Progress::Operation {
            operation,
            replayed,
            passed,
            ..
        } => format!("{operation}: {}, {passed} passed", samples_of(*replayed)),
        Progress::NotCreated {
            operation,
            reason,
            samples,
        } => format!(
            "{operation}: {}; not checked: {}",
            step_failure(reason),
            samples_of(*samples)
        ),
        Progress::Left { path, reason } => {
            format!("left on the server: {path} ({})", step_failure(reason))
        }
        Progress::Finished(tally) => {
            let mut line = format!(
                "{} operations: {} samples replayed, {} passed, {} failed, {} not replayable, {} not checked",
                tally.operations,
                tally.replayed,
                tally.passed,
                tally.failed(),
                tally.not_replayable,
                tally.unchecked
            );
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
        Failure::Broken { cause } => {
            format!("the connection broke before the response was complete: {cause}")
        }
    }
}

fn step_failure(reason: &StepFailure) -> String {
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
            quoted(several)
        ),
    }
}

fn difference(difference: &Difference) -> String {
    match difference {
        Difference::Missing { name } => {
            format!("the member `{name}` of the documented sample is missing")
        }
        Difference::Unexpected { declared: true } => {
            "the schema declares this member, but the documented sample does not have it".to_owned()
        }
        Difference::Unexpected { declared: false } => {
            "neither the documented sample nor the schema has this member".to_owned()
        }
        Difference::Type { found, documented } => {
            format!(
                "expected {} as in the documented sample, got {}",
                article(documented),
                article(found)
            )
        }
    }
}

/// What is wrong with a value, where, and by which keyword.
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
        "minLength" => format!("expected at least {limit} characters, got {size}: {got}"),
        "maxLength" => format!("expected at most {limit} characters, got {size}: {got}"),
        "minItems" => format!("expected at least {limit} items, got {size}"),
        "maxItems" => format!("expected at most {limit} items, got {size}"),
        "minProperties" => format!("expected at least {limit} members, got {size}"),
        "maxProperties" => format!("expected at most {limit} members, got {size}"),
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
fn inside(at: &str) -> String {
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
