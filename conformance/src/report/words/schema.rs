//! Sentences about what differs in schemas.

use serde_json::Value;

use super::{Context, shown};
use crate::finding::{SchemaChange, Shape, Undecided};

pub(super) fn sentence(change: &SchemaChange, context: &Context<'_>) -> String {
    let (old, new) = (context.old, context.new);
    match change {
        SchemaChange::PropertyAdded { name, required } => match required {
            true => format!("{new} has the required property `{name}`, which {old} does not have"),
            false => format!("{new} has the property `{name}`, which {old} does not have"),
        },
        SchemaChange::PropertyRemoved { name, .. } => {
            format!("{new} does not have the property `{name}` of {old}")
        }
        SchemaChange::RequiredAdded { name } => format!("{new} requires `{name}`"),
        SchemaChange::RequiredRemoved { name } => format!("{new} does not require `{name}`"),
        SchemaChange::ValuesAdded { values, .. } => format!("{new} allows {}", list(values)),
        SchemaChange::ValuesRemoved { values, .. } => {
            format!("{new} does not allow {}", list(values))
        }
        SchemaChange::TypeChanged {
            old: before,
            new: after,
        } => format!("{old} allows {}, {new} {}", types(before), types(after)),
        SchemaChange::NullAdded => format!("{new} allows null"),
        SchemaChange::NullRemoved => format!("{new} does not allow null"),
        SchemaChange::KeywordAdded { keyword, value } => {
            format!("{} is only in {new}", keyword_with(keyword, value))
        }
        SchemaChange::KeywordRemoved { keyword, value } => {
            format!("{} is only in {old}", keyword_with(keyword, value))
        }
        SchemaChange::KeywordChanged {
            keyword,
            old: before,
            new: after,
        } => match (before, after) {
            (Some(before), Some(after)) => format!(
                "`{keyword}` is {} in {old} and {} in {new}",
                shown(before),
                shown(after)
            ),
            _ => format!("`{keyword}` differs"),
        },
        SchemaChange::EntryAdded { keyword, name } => {
            format!("`{keyword}` has `{name}` only in {new}")
        }
        SchemaChange::EntryRemoved { keyword, name } => {
            format!("`{keyword}` has `{name}` only in {old}")
        }
        SchemaChange::AlternativeAdded {
            keyword,
            shape: one,
        } => {
            format!(
                "`{keyword}` has another alternative in {new}: {}",
                shape(one)
            )
        }
        SchemaChange::AlternativeRemoved {
            keyword,
            shape: one,
        } => {
            format!(
                "`{keyword}` has another alternative in {old}: {}",
                shape(one)
            )
        }
        SchemaChange::Replaced {
            old: before,
            new: after,
        } => format!("{old} has {}, {new} {}", shape(before), shape(after)),
        SchemaChange::SchemaAdded => format!("only {new} has a schema"),
        SchemaChange::SchemaRemoved => format!("only {old} has a schema"),
        SchemaChange::NothingAccepted { new: only } => {
            format!("{} accepts no value", if *only { new } else { old })
        }
        SchemaChange::MappingChanged { value, .. } => {
            format!("the discriminator maps `{value}` to another schema")
        }
        SchemaChange::MeaningChanged => {
            "the keywords match but mean something different".to_owned()
        }
        SchemaChange::Together { changes } => {
            let all: Vec<String> = changes.iter().map(|one| sentence(one, context)).collect();
            format!("together: {}", all.join("; "))
        }
    }
}

/// Why it is not known whether anybody is affected.
pub(super) fn undecided(reason: &Undecided) -> String {
    match reason {
        Undecided::Text { reason } => format!("undecided: {reason}"),
        reason => format!(
            "could not tell whether this breaks clients: {}",
            cause(reason)
        ),
    }
}

/// What keeps a schema from being used.
pub(super) fn cause(reason: &Undecided) -> String {
    match reason {
        Undecided::Text { reason } => reason.clone(),
        Undecided::NotFound { keyword } if keyword.is_empty() => "two schemas were compared".into(),
        Undecided::NotFound { keyword } => format!("two values of `{keyword}` were compared"),
        Undecided::NotEnforced { keyword } => format!("the validator does not enforce `{keyword}`"),
        Undecided::UnknownFormat { format } => format!("the format `{format}` is not known"),
        Undecided::Reference { reference } => format!("`{reference}` leads nowhere"),
        Undecided::NotASchema => "not a schema".to_owned(),
        Undecided::Unusable { cause } => format!("the schema cannot be used: {cause}"),
        Undecided::TooDeep => "the schema nests too deep".to_owned(),
    }
}

/// What to do where the documents must agree.
pub(super) fn advice(change: &SchemaChange) -> String {
    match change {
        SchemaChange::PropertyAdded { .. }
        | SchemaChange::KeywordAdded { .. }
        | SchemaChange::EntryAdded { .. }
        | SchemaChange::AlternativeAdded { .. }
        | SchemaChange::SchemaAdded => "document it, or stop emitting it".to_owned(),
        SchemaChange::PropertyRemoved { .. }
        | SchemaChange::KeywordRemoved { .. }
        | SchemaChange::EntryRemoved { .. }
        | SchemaChange::AlternativeRemoved { .. }
        | SchemaChange::SchemaRemoved => {
            "emit it, or remove it from the source document".to_owned()
        }
        _ => "emit what is documented, or correct the source document".to_owned(),
    }
}

fn list(values: &[Value]) -> String {
    values.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn types(types: &Option<Vec<String>>) -> String {
    match types {
        Some(types) => types.join(" or "),
        None => "any type".to_owned(),
    }
}

fn keyword_with(keyword: &str, value: &Option<Value>) -> String {
    match value {
        Some(value) => format!("`{keyword}: {}`", shown(value)),
        None => format!("`{keyword}`"),
    }
}

fn shape(shape: &Shape) -> String {
    match &shape.name {
        Some(name) => name.clone(),
        None if !shape.alternatives.is_empty() => {
            format!("one of {}", shape.alternatives.join(", "))
        }
        None if !shape.types.is_empty() => shape.types.join(" or "),
        None => "any value".to_owned(),
    }
}
