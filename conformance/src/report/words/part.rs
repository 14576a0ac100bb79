//! Noun phrases for parts of documents, credentials, and forms that values are written in.

use crate::finding::{Credential, Format, Part};

/// A part with its article.
pub(super) fn thing(part: &Part) -> String {
    match part {
        Part::Schema { name } => format!("the schema `{name}`"),
        Part::Tag { name } => format!("the tag `{name}`"),
        Part::Operation { name } => name.clone(),
        Part::Webhook { name } => format!("the webhook {name}"),
        Part::Callback { name } => format!("the callback `{name}`"),
        Part::Parameter { place, name } => format!("the {place} parameter `{name}`"),
        Part::Header { name } => format!("the header `{name}`"),
        Part::RequestBody => "a request body".to_owned(),
        Part::Response { status } => format!("the answer {status}"),
        Part::MediaType { name, of } => match of {
            Some(of) => format!("`{name}` for the {of}"),
            None => format!("`{name}` for the body"),
        },
        Part::Link { name } => format!("the link `{name}`"),
        Part::Example { name } => format!("the sample `{name}`"),
    }
}

/// A part by its name alone.
pub(super) fn bare(part: &Part) -> String {
    match part {
        Part::Response { status } => status.clone(),
        other => thing(other),
    }
}

pub(super) fn answer(status: Option<&str>) -> String {
    status.map_or_else(
        || "the answer".to_owned(),
        |status| format!("answer {status}"),
    )
}

/// Whether one needs nothing to call.
pub(super) fn is_open(alternatives: &[Vec<Credential>]) -> bool {
    alternatives.iter().all(Vec::is_empty)
}

/// Alternatives in words, such as "`key` and `secret`, or `oauth` (`read`)".
pub(super) fn credentials(alternatives: &[Vec<Credential>]) -> String {
    let one = |credential: &Credential| match credential.scopes.as_slice() {
        [] => format!("`{}`", credential.scheme),
        scopes => format!("`{}` ({})", credential.scheme, scopes.join(", ")),
    };
    let all = |credentials: &Vec<Credential>| {
        let names: Vec<String> = credentials.iter().map(one).collect();
        names.join(" and ")
    };
    let mut words: Vec<String> = alternatives
        .iter()
        .filter(|alternative| !alternative.is_empty())
        .map(all)
        .collect();
    if words.len() < alternatives.len() {
        words.push("nothing".to_owned());
    }
    match words.as_slice() {
        [one, other] if !one.contains(" and ") && !other.contains(" and ") => {
            format!("{one} or {other}")
        }
        words => words.join(", or "),
    }
}

/// How a value is written, after "written".
pub(super) fn format_of(format: &Format) -> String {
    match format {
        Format::Types { names } => format!("as {}", names.join(" or ")),
        Format::Style {
            style,
            explode,
            reserved,
        } => {
            let mut words = format!("in style `{style}`");
            words.push_str(match explode {
                true => ", exploded",
                false => ", not exploded",
            });
            if *reserved {
                words.push_str(", with reserved characters as they are");
            }
            words
        }
    }
}
