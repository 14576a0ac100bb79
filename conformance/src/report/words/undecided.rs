//! Words for what could not be decided.

use super::{Context, contrasted, list, name, reference};
use crate::finding::{Message, SchemaChange, Undecided};

/// Why it is not known whether anybody is affected.
pub(super) fn undecided(message: &Message, reason: &Undecided, context: &Context<'_>) -> String {
    let is_one_sided = matches!(
        message,
        Message::Schema(
            SchemaChange::KeywordAdded(_)
                | SchemaChange::KeywordRemoved(_)
                | SchemaChange::EntryAdded { .. }
                | SchemaChange::EntryRemoved { .. }
        )
    );
    let cause = match reason {
        // There are no two values that could have been compared.
        Undecided::NotFound { keyword } if is_one_sided && !keyword.is_empty() => {
            format!("no example and no proof was found for {}", name(keyword))
        }
        Undecided::NotFound { keyword } => match message {
            Message::Schema(
                SchemaChange::ValuesAdded { values, .. }
                | SchemaChange::ValuesRemoved { values, .. },
            ) => format!("no example and no proof was found for {}", list(values)),
            Message::Schema(SchemaChange::KeywordChanged {
                old: Some(old),
                new: Some(new),
                ..
            }) if keyword != "pattern" && !keyword.is_empty() => {
                let (old, new) = contrasted(old, new);
                format!(
                    "no value was found that only one of {old} and {new} allows, and no proof that there is none"
                )
            }
            _ => cause(reason),
        },
        reason => cause(reason),
    };
    format!(
        "could not tell whether this breaks {}: {cause}; look at it, or accept it with --write-baseline",
        context.people(),
    )
}

/// The reason why schemas cannot be compared or used.
pub(super) fn cause(reason: &Undecided) -> String {
    match reason {
        Undecided::NotFound { keyword } => match keyword.as_str() {
            "" => "two whole schemas were compared".to_owned(),
            "pattern" => "two patterns were compared".to_owned(),
            "properties" | "required" | "allOf" | "anyOf" | "oneOf" | "not" => {
                "the schema around it is too complex".to_owned()
            }
            keyword => format!("no example and no proof was found for {}", name(keyword)),
        },
        Undecided::NotEnforced { keyword } => {
            format!("the validator does not enforce {}", name(keyword))
        }
        Undecided::UnknownFormat { format } => format!("the format {} is not known", name(format)),
        Undecided::Reference { reference: one } => {
            format!(
                "the reference {} leads nowhere, or to several schemas",
                name(&reference(one))
            )
        }
        Undecided::Pattern {
            pattern,
            at,
            problem,
        } => {
            let place = reference(&format!("#{at}"));
            format!(
                "the pattern {} at {place} is not a regular expression: {problem}",
                name(pattern)
            )
        }
        Undecided::NotASchema => "one of the two is not a schema".to_owned(),
        Undecided::Unusable { cause } => format!("the schema cannot be used: {cause}"),
        Undecided::TooDeep => "the schema nests too deep".to_owned(),
    }
}
