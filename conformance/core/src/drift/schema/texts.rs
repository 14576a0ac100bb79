//! The effect of a pattern or a limit of length beside the others of its schema.

use serde_json::Value;

use super::super::meaning::{Texts, apart};
use super::effect::Effect;
use super::vacant::number;
use super::view::{Content, View};

/// Returns the effect of a keyword on the texts that a schema accepts, all of which have at least `least` characters; `None` if the keyword
/// does not limit texts, or if neither schema has a pattern.
pub(super) fn effect(keyword: &str, (old, new): (&View, &View), least: u64) -> Option<Effect> {
    if !["pattern", "minLength", "maxLength"].contains(&keyword) {
        return None;
    }
    let has_pattern = [old, new].map(|view| view.parts.contains_key("pattern"));
    if has_pattern == [false; 2] {
        return None;
    }
    let mut edited = old.clone();
    match new.parts.get(keyword) {
        Some(part) => edited.parts.insert(keyword.to_owned(), part.clone()),
        None => edited.parts.remove(keyword),
    };
    let (before, after) = (texts(old, least)?, texts(&edited, least)?);
    Some(Effect {
        narrows: !apart(&before, &after).is_empty,
        widens: !apart(&after, &before).is_empty,
    })
}

/// The texts that the keywords of a schema allow.
fn texts(view: &View, least: u64) -> Option<Texts> {
    let length = |keyword: &str| match number(view, keyword) {
        Some(length) => length.to_string().parse().map(Some).ok(),
        None => Some(None),
    };
    let pattern = match view.parts.get("pattern").map(|part| &part.content) {
        Some(Content::Value(Value::String(pattern))) => Some(pattern.clone()),
        Some(_) => return None,
        None => None,
    };
    Some(Texts {
        pattern,
        least: length("minLength")?.unwrap_or(0).max(least),
        most: length("maxLength")?,
    })
}
