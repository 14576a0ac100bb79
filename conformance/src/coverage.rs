//! The parts of a document that a run exercised and observed: operations, parameters, media types, statuses, samples, schema keywords and
//! security requirements.
//!
//! Pure: [`Seen`] gathers from exchanges what they show, [`measure`] holds it against the document. Called by runs against live servers;
//! reports print the result, and `--fail-on-unobserved` reads it. A keyword counts where a value of a type that it applies to stood at its
//! schema, in a request that was sent or in a response that came. Not measured: keywords of headers, XML and binary bodies.

mod keywords;
mod seen;
mod values;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::check::falls_under;
use crate::document::{Document, Operation, pointer};
use crate::finding::{
    Coverage, OperationCoverage, ReceivedPart, SampleCoverage, SecurityCoverage, SentPart,
};
use crate::samples::media_types;
use crate::schema::Subschemas;

pub use keywords::Keywords;
pub use seen::Seen;

/// Measures the coverage of the operations that were selected. `samples` are those of an operation.
#[must_use]
pub fn measure(
    document: &Document,
    operations: &[Operation<'_>],
    selected: &[usize],
    samples: &dyn Fn(usize) -> Vec<SampleCoverage>,
    seen: &BTreeMap<usize, &Seen>,
) -> Coverage {
    let nothing = Seen::default();
    let of = |index: &usize| {
        let seen = seen.get(index).copied().unwrap_or(&nothing);
        of_operation(document, &operations[*index], samples(*index), seen)
    };
    Coverage::of(selected.iter().map(of).collect())
}

fn of_operation(
    document: &Document,
    operation: &Operation<'_>,
    samples: Vec<SampleCoverage>,
    seen: &Seen,
) -> OperationCoverage {
    let subschemas = Subschemas::of(document);
    let mut request_schemas = Vec::new();
    let mut response_schemas = Vec::new();
    let mut parameters = Vec::new();
    for parameter in operation.parameters(document) {
        let text = |member: &str| parameter.value.get(member).and_then(Value::as_str);
        let (Some(place), Some(name)) = (text("in"), text("name")) else {
            continue;
        };
        let schema = pointer::join(&parameter.pointer, "schema");
        let (sent, accepted) = seen.parameter(place, name);
        parameters.push(SentPart {
            name: format!("{place} {name}"),
            sent,
            accepted,
        });
        request_schemas.push((schema, sent > 0));
    }
    let mut request_types = Vec::new();
    if let Some(body) = operation.request_body(document) {
        for (name, media) in media_types(document, &body) {
            let (sent, accepted) = seen.request_type(&name);
            request_schemas.push((pointer::join(&media.pointer, "schema"), false));
            request_types.push(SentPart {
                name,
                sent,
                accepted,
            });
        }
    }
    let responses = operation.responses(document);
    let keys: Vec<&str> = responses.iter().map(|(key, _)| key.as_str()).collect();
    let mut statuses = Vec::new();
    let mut response_types = Vec::new();
    for (key, response) in &responses {
        let is_own = |status: u16| key_of(status, &keys) == Some(key);
        if key != "default" {
            statuses.push(ReceivedPart {
                name: key.clone(),
                observed: seen.responses(&is_own, None),
                at: response.pointer.clone(),
            });
        }
        for (name, media) in media_types(document, response) {
            response_schemas.push((pointer::join(&media.pointer, "schema"), false));
            response_types.push(ReceivedPart {
                observed: seen.responses(&is_own, Some(&name)),
                name: format!("{key} {name}"),
                at: response.pointer.clone(),
            });
        }
    }
    let undocumented = seen
        .statuses()
        .filter(|(status, _)| key_of(*status, &keys).is_none());
    OperationCoverage {
        operation: operation.subject(),
        requests: seen.requests,
        accepted: seen.accepted,
        refused: seen.refused,
        parameters,
        request_types,
        statuses,
        undocumented: undocumented
            .map(|(status, observed)| ReceivedPart {
                name: status.to_string(),
                observed,
                at: operation.pointer.clone(),
            })
            .collect(),
        response_types,
        samples,
        request_keywords: seen.sent_keywords.measure(subschemas, &request_schemas),
        response_keywords: seen
            .received_keywords
            .measure(subschemas, &response_schemas),
        security: security(document, operation, seen),
        unauthorized: seen.unauthorized,
        at: operation.pointer.clone(),
    }
}

/// The documented key that a status falls under: exact, range, `default`.
fn key_of<'k>(status: u16, keys: &[&'k str]) -> Option<&'k str> {
    let rank = |key: &&&str| (key.len() != 3, key.to_ascii_uppercase().contains('X'));
    let fitting = keys.iter().filter(|key| falls_under(status, key));
    fitting.min_by_key(rank).copied()
}

fn security(document: &Document, operation: &Operation<'_>, seen: &Seen) -> Vec<SecurityCoverage> {
    let own = operation.value.get("security");
    let security = own.or_else(|| document.at("/security"));
    let alternatives = security.and_then(Value::as_array).into_iter().flatten();
    let alternatives = alternatives.filter_map(Value::as_object);
    let accepted = |alternative: &Map<String, Value>| {
        let counts = alternative
            .keys()
            .map(|name| of_scheme(document, name, seen));
        counts.min().unwrap_or(seen.accepted)
    };
    alternatives
        .map(|alternative| SecurityCoverage {
            schemes: alternative.keys().cloned().collect(),
            accepted: accepted(alternative),
        })
        .collect()
}

/// How many requests with the credential of a scheme were accepted. One that a request does not show, such as a client certificate, counts
/// as sent.
fn of_scheme(document: &Document, name: &str, seen: &Seen) -> usize {
    let at = pointer::join("/components/securitySchemes", name);
    let Some((_, scheme)) = document.resolve(&at) else {
        return seen.accepted;
    };
    let text = |member: &str| {
        scheme
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match (text("type"), text("in")) {
        ("apiKey", place) => seen.parameter(place, text("name")).1,
        ("http" | "oauth2" | "openIdConnect", _) => seen.parameter("header", "Authorization").1,
        _ => seen.accepted,
    }
}

#[cfg(test)]
mod tests;
