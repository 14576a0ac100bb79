//! Sentences about what differs outside of schemas.

mod consequence;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;

use consequence::consequence;

use super::part::{answer, bare, credentials, format_of, is_open, thing};
use super::{Context, Quote, contrasted, name, quoted, shown, side};
use crate::document::Literal;
use crate::finding::{Comparison, Credential, DocumentChange, Part, Sender, first_difference};

/// The server as the one who sends what changed.
const SERVER: Option<Sender> = Some(Sender::Server);

/// Says what changed, then who is affected and why.
pub(super) fn sentence(change: &DocumentChange, context: &Context<'_>) -> String {
    let said = if context.comparison == Comparison::Lockstep {
        disagreement(change)
    } else {
        development(change, context)
    };
    let said = said.unwrap_or_else(|| fact(change, context));
    match consequence(change, context) {
        Some(consequence) => format!("{said}: {consequence}"),
        None => said,
    }
}

/// The change between two versions, where that is not told in the same way of two documents that must agree.
fn development(change: &DocumentChange, context: &Context<'_>) -> Option<String> {
    let sender = context.effect.map(|effect| effect.sender);
    Some(match change {
        DocumentChange::Added { part, required } => match part {
            Part::Parameter { .. } | Part::Header { .. } | Part::RequestBody => {
                let verb = match (sender, required) {
                    (SERVER, true) => "always sends",
                    (SERVER, false) => "may send",
                    (_, true) => "requires",
                    (_, false) => "accepts",
                };
                format!("new {verb} {}", thing(part))
            }
            Part::Response { .. } if sender == SERVER => format!("new may answer {}", bare(part)),
            Part::MediaType { .. } if sender == SERVER => format!("new may send {}", thing(part)),
            Part::Response { .. } | Part::MediaType { .. } => {
                format!("new accepts {}", thing(part))
            }
            _ => format!("{} is new", thing(part)),
        },
        DocumentChange::Removed { part } => match part {
            Part::Parameter { .. } | Part::Header { .. } | Part::RequestBody
                if sender == SERVER =>
            {
                format!("new no longer sends {}", thing(part))
            }
            Part::Response { .. } if sender == SERVER => {
                format!("new no longer answers {}", bare(part))
            }
            Part::MediaType { .. } if sender == SERVER => {
                format!("new no longer sends {}", thing(part))
            }
            Part::Parameter { .. }
            | Part::Header { .. }
            | Part::RequestBody
            | Part::Response { .. }
            | Part::MediaType { .. } => format!("new no longer accepts {}", thing(part)),
            _ => format!("{} was removed", thing(part)),
        },
        DocumentChange::NowWithin { part, wider } => {
            format!("{} is no longer named, but within `{wider}`", thing(part))
        }
        DocumentChange::WasWithin { part, wider } => {
            format!("{} is named now; it was within `{wider}`", thing(part))
        }
        DocumentChange::BodyAdded { status, types } => format!(
            "{} now has a body ({}); before it had none",
            answer(status.as_deref()),
            types.join(", ")
        ),
        DocumentChange::BodyRemoved { status, types } => format!(
            "{} no longer has a body; before it had one ({})",
            answer(status.as_deref()),
            types.join(", ")
        ),
        DocumentChange::RequiredAdded { part } if sender == SERVER => {
            format!("new always sends {}", thing(part))
        }
        DocumentChange::RequiredAdded { part } => format!("new requires {}", thing(part)),
        DocumentChange::RequiredRemoved { part } if sender == SERVER => {
            format!("new no longer always sends {}", thing(part))
        }
        DocumentChange::RequiredRemoved { part } => {
            format!("new no longer requires {}", thing(part))
        }
        DocumentChange::Member { key, old, new } => match (old, new) {
            (Some(old), Some(new)) => {
                let (place, was, is) = inside(key, old, new);
                format!("{place} changed from {was} to {is}")
            }
            (Some(old), None) => format!("`{key}: {}` was removed", shown(old)),
            (None, Some(new)) => format!("`{key}: {}` is new", shown(new)),
            (None, None) => format!("`{key}` differs"),
        },
        DocumentChange::PathRenamed { old, new } => {
            format!("the path is written `{new}`, it was `{old}`; only the names in braces changed")
        }
        DocumentChange::CredentialsChanged { old, new } => {
            let was = match is_open(old) {
                true => "was open".to_owned(),
                false => format!("needed {}", credentials(old)),
            };
            let is = match is_open(new) {
                true => "is open".to_owned(),
                false => format!("needs {}", credentials(new)),
            };
            format!("{was}, now {is}")
        }
        DocumentChange::SchemeChanged { name, old, new } => scheme(name, old, new, "is now"),
        DocumentChange::FormatChanged { part, old, new } => format!(
            "{} was written {}, is now written {}",
            thing(part),
            format_of(old),
            format_of(new)
        ),
        DocumentChange::EmptyValueChanged { part, allowed } => match allowed {
            true => format!("{} may now be sent without a value", thing(part)),
            false => format!("{} may no longer be sent without a value", thing(part)),
        },
        DocumentChange::EncodingChanged { property, old, new } => format!(
            "the property `{property}` of the form was written {}, is now written {}",
            format_of(old),
            format_of(new)
        ),
        DocumentChange::ExampleChanged { .. }
        | DocumentChange::ReferenceUnresolved { .. }
        | DocumentChange::MergeKeys { .. }
        | DocumentChange::ExtensionInvalid { .. }
        | DocumentChange::LimitReached { .. }
        | DocumentChange::ParameterRepeated { .. } => return None,
    })
}

/// How two documents that must agree do not.
fn disagreement(change: &DocumentChange) -> Option<String> {
    Some(match change {
        DocumentChange::Added { part, required } => match (part, required) {
            (Part::Parameter { .. } | Part::Header { .. } | Part::RequestBody, true) => {
                format!("{} is emitted as required but not documented", thing(part))
            }
            _ => format!("{} is emitted but not documented", thing(part)),
        },
        DocumentChange::Removed { part } => {
            format!("{} is documented but not emitted", thing(part))
        }
        DocumentChange::NowWithin { part, wider } => format!(
            "{} is documented, and emitted only within `{wider}`",
            thing(part)
        ),
        DocumentChange::WasWithin { part, wider } => format!(
            "{} is emitted, and documented only within `{wider}`",
            thing(part)
        ),
        DocumentChange::BodyAdded { status, types } => format!(
            "the body of {} is emitted ({}) but not documented",
            answer(status.as_deref()),
            types.join(", ")
        ),
        DocumentChange::BodyRemoved { status, types } => format!(
            "the body of {} is documented ({}) but not emitted",
            answer(status.as_deref()),
            types.join(", ")
        ),
        DocumentChange::RequiredAdded { part } => {
            format!(
                "{} is documented as optional but emitted as required",
                thing(part)
            )
        }
        DocumentChange::RequiredRemoved { part } => {
            format!(
                "{} is documented as required but emitted as optional",
                thing(part)
            )
        }
        DocumentChange::Member { key, old, new } => match (old, new) {
            (Some(old), Some(new)) => {
                let (place, was, is) = inside(key, old, new);
                format!("{place} is documented as {was} but emitted as {is}")
            }
            (Some(old), None) => format!("`{key}: {}` is documented but not emitted", shown(old)),
            (None, Some(new)) => format!("`{key}: {}` is emitted but not documented", shown(new)),
            (None, None) => format!("`{key}` differs"),
        },
        DocumentChange::PathRenamed { old, new } => format!(
            "the path is documented as `{old}` but emitted as `{new}`; only the names in braces differ"
        ),
        DocumentChange::CredentialsChanged { old, new } => {
            let said = |alternatives: &[Vec<Credential>]| match is_open(alternatives) {
                true => "open".to_owned(),
                false => format!("needing {}", credentials(alternatives)),
            };
            format!("documented as {}, emitted as {}", said(old), said(new))
        }
        DocumentChange::SchemeChanged { name, old, new } => scheme(name, old, new, "is emitted as"),
        DocumentChange::FormatChanged { part, old, new } => format!(
            "{} is documented as written {} but emitted as written {}",
            thing(part),
            format_of(old),
            format_of(new)
        ),
        DocumentChange::EmptyValueChanged { part, allowed } => match allowed {
            true => format!(
                "only the emitted document allows {} without a value",
                thing(part)
            ),
            false => format!(
                "only the source document allows {} without a value",
                thing(part)
            ),
        },
        DocumentChange::EncodingChanged { property, old, new } => format!(
            "the property `{property}` of the form is documented as written {} but emitted as written {}",
            format_of(old),
            format_of(new)
        ),
        DocumentChange::ExampleChanged { .. }
        | DocumentChange::ReferenceUnresolved { .. }
        | DocumentChange::MergeKeys { .. }
        | DocumentChange::ExtensionInvalid { .. }
        | DocumentChange::LimitReached { .. }
        | DocumentChange::ParameterRepeated { .. } => return None,
    })
}

/// A fact that is told in the same way of versions and of documents that must agree.
fn fact(change: &DocumentChange, context: &Context<'_>) -> String {
    match change {
        DocumentChange::ExampleChanged {
            name,
            key,
            at,
            old,
            new,
        } => {
            let sample = match name {
                Some(name) => format!("`{key}` of the sample `{name}`"),
                None => "the sample".to_owned(),
            };
            let place = match at.is_empty() {
                true => String::new(),
                false => format!(" at `{at}`"),
            };
            if old.is_none() && new.is_none() {
                return format!("{sample} differs{place}");
            }
            let (was, is) = both(old.as_ref(), new.as_ref(), "missing");
            let is_whole = at.is_empty();
            match (old, new, context.advises()) {
                (None, Some(_), false) if is_whole => format!("{sample} is new: {is}"),
                (Some(_), None, false) if is_whole => format!("{sample} was removed: {was}"),
                _ => format!(
                    "{sample} differs{place}: {was} in {}, {is} in {}",
                    context.old, context.new
                ),
            }
        }
        DocumentChange::ReferenceUnresolved {
            side: one,
            reference,
        } => format!(
            "the reference `{reference}` of {} leads nowhere, in a circle, or to a document that was not loaded; what it stands for is not compared",
            side(*one, context.comparison)
        ),
        DocumentChange::MergeKeys { side: one, count } => {
            let (keys, are) = match count {
                1 => ("a merge key".to_owned(), "it was"),
                count => (format!("{count} merge keys"), "they were"),
            };
            format!(
                "{} has {keys} (`<<`), which YAML 1.2 does not have: {are} read as in YAML 1.1, but other tools may not do so",
                side(*one, context.comparison)
            )
        }
        DocumentChange::ExtensionInvalid { side: one, problem } => {
            format!("in {}: {problem}", side(*one, context.comparison))
        }
        DocumentChange::LimitReached { pairs } => format!(
            "there are more than {pairs} pairs of schemas to compare, and the rest was left out"
        ),
        DocumentChange::ParameterRepeated {
            side: one,
            part,
            count,
            alike,
            both,
        } => {
            let document = match both {
                true => "both documents give".to_owned(),
                false => format!("{} gives", side(*one, context.comparison)),
            };
            let given = format!("{document} {} {count} times", thing(part));
            match alike {
                true => format!("{given}, which OpenAPI does not allow"),
                false => format!(
                    "{given} and each time in another way; which of them holds is not known"
                ),
            }
        }
        _ => "the documents differ".to_owned(),
    }
}

/// The advice where the documents must agree.
pub(super) fn advice(change: &DocumentChange) -> Option<String> {
    const EMIT: &str = "emit it, or remove it from the source document";
    const DOCUMENT: &str = "document it, or stop emitting it";
    const AGREE: &str = "emit what is documented, or correct the source document";
    Some(
        match change {
            DocumentChange::Added { .. }
            | DocumentChange::WasWithin { .. }
            | DocumentChange::BodyAdded { .. }
            | DocumentChange::Member { old: None, .. } => DOCUMENT,
            DocumentChange::Removed { .. }
            | DocumentChange::NowWithin { .. }
            | DocumentChange::BodyRemoved { .. }
            | DocumentChange::Member { new: None, .. } => EMIT,
            DocumentChange::ReferenceUnresolved { .. } => {
                "correct the reference, or bundle the documents into one"
            }
            DocumentChange::MergeKeys { .. } => "write the members out, or begin with `%YAML 1.1`",
            DocumentChange::ExtensionInvalid { .. } => {
                "see docs/webhook-extensions.md for the members and their values"
            }
            DocumentChange::LimitReached { .. } => {
                "split the documents, or compare parts of them with --include"
            }
            DocumentChange::ParameterRepeated { .. } => "keep one of them",
            _ => AGREE,
        }
        .to_owned(),
    )
}

/// Where the values of a member differ, and both in words: long ones are told where they first differ.
fn inside(key: &str, old: &Literal, new: &Literal) -> (String, String, String) {
    let (at, old, new) = first_difference(Some(old), Some(new));
    let place = match at.is_empty() {
        true => name(key),
        false => format!("{} at {}", name(key), name(&at)),
    };
    let (old, new) = both(old.as_ref(), new.as_ref(), "nothing");
    (place, old, new)
}

/// Two values that differ, in words; `missing` stands for one that is not there.
fn both<Q: Quote>(old: Option<&Q>, new: Option<&Q>, missing: &str) -> (String, String) {
    if let (Some(old), Some(new)) = (old, new) {
        return contrasted(old, new);
    }
    let value = |value: Option<&Q>| value.map_or_else(|| missing.to_owned(), quoted);
    (value(old), value(new))
}

/// A security scheme that changed, by its members that did; `is` is how its new value is introduced.
fn scheme(scheme: &str, old: &Option<Value>, new: &Option<Value>, is: &str) -> String {
    let was = match is {
        "is now" => "was",
        _ => "is documented as",
    };
    let said = |old: Option<&Value>, new: Option<&Value>| {
        let (old, new) = both(old, new, "nothing");
        format!("{was} {old} and {is} {new}")
    };
    let members = |value: &Option<Value>| value.as_ref().and_then(Value::as_object).cloned();
    let changed = match (members(old), members(new)) {
        (Some(old), Some(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let keys = keys
                .into_iter()
                .filter(|key| old.get(*key) != new.get(*key));
            keys.map(|key| format!("{} {}", name(key), said(old.get(key), new.get(key))))
                .collect()
        }
        _ => vec![said(old.as_ref(), new.as_ref())],
    };
    format!(
        "the security scheme {}: {}",
        name(scheme),
        changed.join(", ")
    )
}
