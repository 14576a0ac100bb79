//! Differences of how bytes are written: as text, such as base64, or as they are.

use super::super::ledger::Pair;
use super::super::rules;
use super::differences::Difference;
use super::effect::Effect;
use super::matching::Sides;
use super::view::View;
use crate::finding::SchemaChange;

/// How bytes are written as text.
const ENCODING: &str = "contentEncoding";

/// What bytes are.
const MEDIA: &str = "contentMediaType";

/// Compares bytes that are written in different ways, and says which keywords that is about. Bytes that are text on one side and stand as
/// they are on the other are other bytes on the wire. Bytes that are text, beside any text, are texts of one kind.
pub(super) fn bytes(
    sides: &Sides<'_>,
    (old, new): (&View, &View),
    differences: &mut Vec<Difference>,
) -> &'static [&'static str] {
    let only = |view: &View| {
        let part = |keyword: &str| view.parts.get(keyword).cloned();
        match (part(ENCODING), part(MEDIA)) {
            (Some(part), None) => Some((ENCODING, part)),
            (None, Some(part)) => Some((MEDIA, part)),
            _ => None,
        }
    };
    if let Some(difference) = text(sides, (old, new)) {
        differences.push(difference);
        return &[ENCODING];
    }
    let (Some((before, one)), Some((after, other))) = (only(old), only(new)) else {
        return &[];
    };
    if before == after {
        return &[];
    }
    let rule = &rules::SCHEMA_KEYWORD_CHANGED;
    differences.push(Difference {
        rule,
        severity: rule.severity,
        at: Pair::new(&*one.pointer, &*other.pointer),
        change: SchemaChange::KeywordReplaced {
            old: sides.old.told(&one.pointer, before, one.literal()),
            new: sides.new.told(&other.pointer, after, other.literal()),
        },
        keyword: ENCODING.to_owned(),
        effect: Effect::ANY,
        // No validator reads bytes.
        edits: Vec::new(),
    });
    &[ENCODING, MEDIA]
}

/// An encoding that only one side names. Where both say what the bytes are, those of the other side stand as they are.
fn text(sides: &Sides<'_>, (old, new): (&View, &View)) -> Option<Difference> {
    let part = |view: &View, keyword: &str| view.parts.get(keyword).cloned();
    let (removed, part, media) = match (part(old, ENCODING), part(new, ENCODING)) {
        (Some(part), None) => (true, part, new.parts.get(MEDIA)),
        (None, Some(part)) => (false, part, old.parts.get(MEDIA)),
        _ => return None,
    };
    let same_media = old.parts.contains_key(MEDIA) == new.parts.contains_key(MEDIA);
    if !same_media {
        return None;
    }
    let (side, at) = match removed {
        true => (&sides.old, Pair::new(&*part.pointer, &*new.pointer)),
        false => (&sides.new, Pair::new(&*old.pointer, &*part.pointer)),
    };
    let told = side.told(&part.pointer, ENCODING, part.literal());
    let (rule, change) = match removed {
        true => (
            &rules::SCHEMA_KEYWORD_REMOVED,
            SchemaChange::KeywordRemoved(told),
        ),
        false => (
            &rules::SCHEMA_KEYWORD_ADDED,
            SchemaChange::KeywordAdded(told),
        ),
    };
    let effect = match media {
        Some(_) => Effect::ANY,
        None => Effect {
            narrows: !removed,
            widens: removed,
        },
    };
    Some(Difference {
        rule,
        severity: rule.severity,
        at,
        change,
        keyword: ENCODING.to_owned(),
        effect,
        // No validator reads bytes.
        edits: Vec::new(),
    })
}

/// Whether one schema is of bytes, which need no type, and the other one of text.
pub(super) fn are_text(old: &View, new: &View) -> bool {
    let is_binary = |view: &View| {
        let has = |keyword: &str| view.parts.contains_key(keyword);
        has(MEDIA) && !has(ENCODING) && !has("contentSchema") && view.types().is_none()
    };
    let is_text =
        |view: &View| !view.or_null && matches!(view.types(), Some([only]) if only == "string");
    is_binary(old) && is_text(new) || is_text(old) && is_binary(new)
}
