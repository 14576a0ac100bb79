//! Words for what a difference means to people that no value shows.

use serde_json::Value;

use super::Context;
use crate::document::Literal;
use crate::finding::SchemaChange;

/// What a difference means to people that no value shows.
pub(super) fn hint(change: &SchemaChange, context: &Context<'_>) -> Option<String> {
    const DISCRIMINATOR: &str =
        "no value becomes invalid, but generated code may read it as another type";
    let in_versions = !context.advises();
    let (keyword, value) = match change {
        SchemaChange::MappingChanged { .. } => return Some(DISCRIMINATOR.to_owned()),
        SchemaChange::KeywordAdded(told) => (&told.keyword, told.value.as_ref()),
        SchemaChange::KeywordRemoved(told) => (&told.keyword, None),
        SchemaChange::KeywordChanged { keyword, new, .. } => (keyword, new.as_ref()),
        _ => return None,
    };
    let value = value.map(Literal::value);
    Some(match (keyword.as_str(), value, in_versions) {
        ("discriminator", ..) => DISCRIMINATOR.to_owned(),
        ("default", Some(_), true) => "omitting it now means this value".to_owned(),
        ("default", None, true) => "new no longer says what omitting it means".to_owned(),
        ("default", _, false) => "omitting it means something else".to_owned(),
        ("deprecated", Some(Value::Bool(true)), true) => {
            "it works as before, and may be removed later".to_owned()
        }
        ("deprecated", _, true) => "it is meant to stay".to_owned(),
        _ => return None,
    })
}
