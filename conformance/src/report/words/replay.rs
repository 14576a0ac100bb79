//! Sentences about servers that do not do what their document says, and about samples.

use super::violation::{article, inside, unquoted};
use super::{Context, shown, undecided, violation};
use crate::finding::{
    Echoed, Failure, RecipeProblem, ReplayFault, StepFailure, Undecided, Unobserved, Unreplayable,
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
        } => format!("header `{header}: {value}`: {}", violation::violation(violation)),
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
        ReplayFault::Body { violation, .. } => violation::violation(violation),
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
            violation::difference(difference),
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
            None => violation::violation(violation),
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
            last: status,
            words,
        } => {
            let quoted = words.as_ref().map_or_else(String::new, |words| format!(": {words}"));
            let shown = status.map_or_else(String::new, |status| {
                format!("; the last response was {status}{quoted}")
            });
            let way = match status {
                None => "",
                Some(401 | 403) => "\ngive credentials that the server accepts, with --credential or --header",
                Some(404) => "\nadd examples with values that the server knows to the document",
                Some(405 | 501) => "\nremove the operation from the document, or add it to the server",
                Some(409) => "\nthe resource has to be in another state; an example in the document may name one that is",
                Some(_) => "\nadd an example of a request that the server accepts to the document",
            };
            format!("none of {requests} requests was accepted, so little was checked{shown}{way}")
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
            format!("nothing was validated: {}", undecided::cause(reason))
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
    if let ReplayFault::NotCreated {
        sample,
        reason,
        samples,
    } = fault
        && sample.starts_with(crate::generate::GENERATED)
    {
        return format!(
            "a generated request created nothing, so requests of {} were not sent: {}",
            match samples {
                1 => "1 operation".to_owned(),
                samples => format!("{samples} operations"),
            },
            step_failure(reason)
        );
    }
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

pub(super) fn failure(failure: &Failure) -> String {
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

fn also(more: usize, what: &str) -> String {
    if more == 0 {
        String::new()
    } else {
        format!(", and in {more} more {what}")
    }
}

pub(super) fn samples_of(count: usize) -> String {
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

#[cfg(test)]
mod tests;
