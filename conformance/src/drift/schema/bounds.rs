//! Differences of bounds: inclusive and exclusive spellings of one bound.

use super::super::ledger::Pair;
use super::super::rules;
use super::differences::{Difference, keyword_edits};
use super::effect::Effect;
use super::matching::Sides;
use super::view::View;
use crate::finding::SchemaChange;

/// The bounds of numbers of one end, whose inclusive and exclusive spellings are one bound.
const ENDS: [[&str; 2]; 2] = [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
];

/// Compares bounds that are spelled inclusively on one side and exclusively on the other, and says which keywords they are.
pub(super) fn bounds(
    sides: &Sides<'_>,
    (old, new): (&View, &View),
    differences: &mut Vec<Difference>,
) -> Vec<&'static str> {
    let mut told = Vec::new();
    for spellings in ENDS {
        let only = |view: &View| match spellings.map(|keyword| view.parts.get(keyword).cloned()) {
            [Some(part), None] => Some((spellings[0], part)),
            [None, Some(part)] => Some((spellings[1], part)),
            _ => None,
        };
        let (Some((before, one)), Some((after, other))) = (only(old), only(new)) else {
            continue;
        };
        if before == after {
            continue;
        }
        told.extend(spellings);
        let rule = &rules::SCHEMA_KEYWORD_CHANGED;
        let views = (old, new);
        let mut edits = keyword_edits(before, Some(&one), None, views);
        edits.extend(keyword_edits(after, None, Some(&other), views));
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: Pair::new(&*one.pointer, &*other.pointer),
            change: SchemaChange::KeywordReplaced {
                old: sides.old.told(&one.pointer, before, one.literal()),
                new: sides.new.told(&other.pointer, after, other.literal()),
            },
            keyword: before.to_owned(),
            effect: Effect::ANY,
            edits,
        });
    }
    told
}
