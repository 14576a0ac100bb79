//! Differences of bounds: inclusive and exclusive spellings of one bound, and numbers with more digits than the model holds.

use serde_json::Value;

use super::super::ledger::Pair;
use super::super::rules;
use super::differences::{Difference, changed, keyword_edits, spelled, value_of};
use super::effect::{self, Effect};
use super::side::Digits;
use super::view::{Content, Part, View};
use crate::document::Decimal;
use crate::finding::{Bound, SchemaChange};

/// The bounds of numbers of one end, whose inclusive and exclusive spellings are one bound.
const ENDS: [[&str; 2]; 2] = [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
];

/// Compares bounds that are spelled inclusively on one side and exclusively on the other, and says which keywords they are.
pub(super) fn bounds(
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
        let (Content::Value(old_value), Content::Value(new_value)) = (&one.content, &other.content)
        else {
            continue;
        };
        let rule = &rules::SCHEMA_KEYWORD_CHANGED;
        let views = (old, new);
        let mut edits = keyword_edits(before, Some(&one), None, views);
        edits.extend(keyword_edits(after, None, Some(&other), views));
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: Pair::new(&*one.pointer, &*other.pointer),
            change: SchemaChange::BoundChanged {
                old: Bound {
                    keyword: before.to_owned(),
                    value: old_value.clone(),
                },
                new: Bound {
                    keyword: after.to_owned(),
                    value: new_value.clone(),
                },
            },
            keyword: before.to_owned(),
            effect: Effect::ANY,
            edits,
        });
    }
    told
}

/// A keyword whose numbers differ in digits that no 64-bit number holds. What it does is known by arithmetic only.
pub(super) fn other_digits(
    keyword: &str,
    (old, new): (&Part, &Part),
    exact: (Digits<'_>, Digits<'_>),
    differences: &mut Vec<Difference>,
) {
    let (rule, severity) = changed(keyword, &rules::SCHEMA_KEYWORD_CHANGED);
    let digits = |part: &Part, exact: &Digits<'_>| match (&part.content, &exact[..]) {
        (Content::Value(Value::Number(number)), []) => Some(Decimal::of(number)),
        (Content::Value(Value::Number(_)), [(_, exact)]) => Some((*exact).clone()),
        _ => None,
    };
    let numbers = (digits(old, &exact.0), digits(new, &exact.1));
    let effect = match &numbers {
        (Some(old), Some(new)) => effect::of_order(keyword, old.cmp(new)),
        _ => Effect::ANY,
    };
    let text = |part: &Part, number: &Option<Decimal>| match number {
        Some(number) => Some(Value::String(number.to_string())),
        None => value_of(part),
    };
    differences.push(Difference {
        rule,
        severity,
        at: Pair::new(&*old.pointer, &*new.pointer),
        change: SchemaChange::KeywordChanged {
            keyword: spelled(keyword, &old.pointer, &new.pointer).to_owned(),
            old: text(old, &numbers.0),
            new: text(new, &numbers.1),
        },
        keyword: keyword.to_owned(),
        effect,
        edits: Vec::new(),
    });
}
