//! Differences of bounds: inclusive and exclusive spellings of one bound.

use super::differences::{Difference, keyword_edits, replaced};
use super::matching::Sides;
use super::view::View;

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
        let views = (old, new);
        let mut edits = keyword_edits(before, Some(&one), None, views);
        edits.extend(keyword_edits(after, None, Some(&other), views));
        differences.push(replaced(sides, (before, &one), (after, &other), edits));
    }
    told
}
