//! Differences of how bytes are written: as text, such as base64, or as they are.

use super::super::pair::Pair;
use super::super::rules;
use super::differences::{Difference, replaced};
use super::effect::Effect;
use super::matching::Sides;
use super::view::{View, is_annotation};
use crate::document::media::is_text;
use crate::finding::SchemaChange;

/// How bytes are written as text.
const ENCODING: &str = "contentEncoding";

/// Keyword of schemas of bytes.
const MEDIA: &str = "contentMediaType";

/// Compares bytes that are written in different ways, and says which keywords that is about. Bytes that are encoded on one side and stand
/// as they are on the other are other bytes on the wire.
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
        let is_encoding = difference.keyword == ENCODING;
        differences.push(difference);
        return if is_encoding { &[ENCODING] } else { &[MEDIA] };
    }
    let (Some((before, one)), Some((after, other))) = (only(old), only(new)) else {
        return &[];
    };
    if before == after {
        return &[];
    }
    // No validator reads bytes.
    let difference = replaced(sides, (before, &one), (after, &other), Vec::new());
    differences.push(Difference {
        keyword: ENCODING.to_owned(),
        ..difference
    });
    &[ENCODING, MEDIA]
}

/// An encoding or a media type that only one side names, beside plain text or any value. Text in base64 and text such as HTML are text of
/// one kind, and any text is bytes. Where both say what encoded bytes are, those of the other side stand as they are.
fn text(sides: &Sides<'_>, (old, new): (&View, &View)) -> Option<Difference> {
    let only = |keyword: &'static str| {
        let part = |view: &View| view.parts.get(keyword).cloned();
        match (part(old), part(new)) {
            (Some(part), None) => Some((keyword, true, part)),
            (None, Some(part)) => Some((keyword, false, part)),
            _ => None,
        }
    };
    let has = |keyword: &str| [old, new].map(|view| view.parts.contains_key(keyword));
    let (keyword, removed, part) = match (only(ENCODING), only(MEDIA)) {
        (Some(encoding), None) => encoding,
        (None, Some(media)) => media,
        _ => return None,
    };
    let beside = if removed { new } else { old };
    let is_any = !beside.never && beside.parts.keys().all(|keyword| is_annotation(keyword));
    if keyword == MEDIA && !are_text(old, new) && !is_any {
        return None;
    }
    let (side, at) = match removed {
        true => (&sides.old, Pair::new(&*part.pointer, &*new.pointer)),
        false => (&sides.new, Pair::new(&*old.pointer, &*part.pointer)),
    };
    let literal = part.literal();
    let media = literal.as_ref().and_then(|one| one.value().as_str());
    let effect = match keyword {
        ENCODING if has(MEDIA) == [true; 2] => Effect::ANY,
        MEDIA if !is_any && !media.is_some_and(is_text) => Effect {
            narrows: removed,
            widens: !removed,
        },
        _ => Effect {
            narrows: !removed,
            widens: removed,
        },
    };
    let told = side.told(&part.pointer, keyword, literal);
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
    Some(Difference {
        rule,
        severity: rule.severity,
        at,
        change,
        keyword: keyword.to_owned(),
        effect,
        // No validator reads bytes.
        edits: Vec::new(),
    })
}

/// Whether one schema is of bytes, which need no type, and the other one of text; null is valid in both or in neither.
pub(super) fn are_text(old: &View, new: &View) -> bool {
    let is_binary = |view: &View| {
        let has = |keyword: &str| view.parts.contains_key(keyword);
        has(MEDIA) && !has(ENCODING) && !has("contentSchema") && view.types().is_none()
    };
    let is_text = |view: &View| matches!(view.types(), Some([only]) if only == "string");
    old.or_null == new.or_null && (is_binary(old) && is_text(new) || is_text(old) && is_binary(new))
}
