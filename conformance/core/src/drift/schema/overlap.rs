//! What a `oneOf` whose alternatives overlap makes of a difference in one of them.
//!
//! It accepts what exactly one alternative accepts. So the number of the other alternatives that accept a value decides what becomes of
//! it when an alternative gains or loses it: with none the `oneOf` does as the alternative, with one it does the reverse, and with more
//! it rejects the value before and after. Alternatives that are the same schema gain and lose together, and never have a value alone.

use serde_json::Value;

use super::super::meaning::Edit;
use super::decider::Decider;
use super::differences::Difference;
use super::effect::Effect;
use crate::finding::Side;

/// How many alternatives are compared with one another.
const ALTERNATIVES: usize = 20;

/// How many schemas are looked at to find out whether one uses another.
const USED: usize = 500;

/// How many other alternatives may accept a value that one alternative gains or loses.
pub(super) struct Others {
    none: bool,
    one: bool,
}

impl Others {
    /// Nothing is known of them.
    const ANY: Self = Self {
        none: true,
        one: true,
    };

    /// The effect on the values of `oneOf`, if anything is known of it.
    pub(super) fn turn(&self, effect: Effect) -> Option<Effect> {
        let is_known = !self.none || !self.one;
        is_known.then_some(Effect {
            narrows: effect.narrows && self.none || effect.widens && self.one,
            widens: effect.widens && self.none || effect.narrows && self.one,
        })
    }
}

impl Decider<'_, '_, '_> {
    /// Returns how many other alternatives of the `oneOf` of a pair may accept what the alternative `own` of the old document gains or
    /// loses by a difference in it, which has this effect on it.
    pub(super) fn others_beside(
        &self,
        union: usize,
        own: &str,
        difference: &Difference,
        effect: Effect,
    ) -> Others {
        let side = &self.walk.sides.old;
        let own = side.known_as(own);
        let known = self.old_alternatives(union).into_iter();
        let (twins, others): (Vec<String>, Vec<String>) = known.partition(|at| *at == own);
        // What it loses it had; what it gains it has with the edits only.
        let edits = match effect.widens {
            true => &difference.edits[..],
            false => &[],
        };
        self.others(&own, &others, twins.len() > 1, edits, difference)
    }

    /// As [`Self::others_beside`], for an alternative that comes or goes.
    pub(super) fn others_of_branch(&self, union: usize, difference: &Difference) -> Others {
        let [Edit::Branch { old, .. }] = &difference.edits[..] else {
            return Others::ANY;
        };
        let mut others = self.old_alternatives(union);
        let Some(old) = old else {
            return match self.come_in_pairs(&others) {
                true => Others {
                    none: true,
                    one: false,
                },
                false => Others::ANY,
            };
        };
        let own = self.walk.sides.old.known_as(old);
        match others.iter().position(|at| *at == own) {
            Some(index) => others.remove(index),
            None => return Others::ANY,
        };
        self.others(&own, &others, false, &[], difference)
    }

    fn old_alternatives(&self, union: usize) -> Vec<String> {
        let side = &self.walk.sides.old;
        let branches = self.views(union).0.branches("oneOf").iter();
        branches.map(|at| side.known_as(at)).collect()
    }

    fn others(
        &self,
        own: &str,
        others: &[String],
        has_twin: bool,
        edits: &[Edit],
        difference: &Difference,
    ) -> Others {
        let is_too_much = others.len() >= ALTERNATIVES || self.meaning.is_flagged();
        let is_edited = |at: &String| {
            let mut edits = difference.edits.iter();
            edits.any(|edit| {
                !matches!(edit, Edit::Branch { .. }) && self.uses_old(at, edit.schema())
            })
        };
        if is_too_much || others.iter().any(is_edited) {
            return Others::ANY;
        }
        let sides = &self.walk.sides;
        let including = others.iter().filter(|at| sides.includes(at, own, edits));
        let count = including.take(2).count();
        Others {
            none: !has_twin && count == 0,
            one: count < 2 && !others.is_empty() && !self.come_in_pairs(others),
        }
    }

    /// Whether a value that one of these old schemas accepts is always one of another one as well.
    fn come_in_pairs(&self, all: &[String]) -> bool {
        let sides = &self.walk.sides;
        let has_partner = |(index, one): (usize, &String)| {
            let mut others = all.iter().enumerate().filter(|(other, _)| *other != index);
            others.any(|(_, other)| sides.includes(other, one, &[]))
        };
        all.len() < ALTERNATIVES && all.iter().enumerate().all(has_partner)
    }

    /// Whether the old schema at `at` may use the one at `schema`, or have it inside.
    fn uses_old(&self, at: &str, schema: &str) -> bool {
        let side = &self.walk.sides.old;
        let mut seen = vec![side.known_as(at)];
        let mut next = 0;
        while let Some(at) = seen.get(next).cloned() {
            next += 1;
            let inside = schema.strip_prefix(&*at);
            if inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) || next > USED {
                return true;
            }
            let mut references = Vec::new();
            if side
                .value(&at)
                .is_some_and(|value| !gather(value, &mut references))
            {
                return true;
            }
            for reference in references {
                match side.document().target(reference) {
                    Some(target) if !seen.contains(&target) => seen.push(target),
                    _ => {}
                }
            }
        }
        false
    }

    /// The effect of an alternative that comes or goes, as far as the others of its `oneOf` tell.
    pub(super) fn of_overlapping_branch(
        &self,
        id: usize,
        difference: &Difference,
        in_old: bool,
    ) -> Option<Effect> {
        let own = match in_old {
            true => Effect::NARROWS,
            false => Effect::WIDENS,
        };
        self.others_of_branch(id, difference).turn(own)
    }

    /// The effect on a `oneOf` of a pair of what a difference does to its alternative `own`.
    pub(super) fn of_overlapping(
        &self,
        union: usize,
        own: usize,
        difference: &Difference,
        effect: Effect,
    ) -> Option<Effect> {
        let (old, _) = self.at(own);
        let counts = ["unevaluatedProperties", "unevaluatedItems"];
        let view = self.views(union).0;
        let is_counted = counts
            .iter()
            .any(|keyword| view.parts.contains_key(*keyword));
        let is_one_schema = self.walk.sides.view_at((Side::Old, old)).pointer == old;
        if is_counted || !is_one_schema {
            return None;
        }
        self.others_beside(union, old, difference, effect)
            .turn(effect)
    }
}

/// Gathers the references in a schema; `false` where some of them depend on the way to it.
fn gather<'v>(value: &'v Value, references: &mut Vec<&'v str>) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| gather(item, references)),
        Value::Object(members) => members.iter().all(|(key, member)| match member {
            Value::String(reference) if key == "$ref" => {
                references.push(reference);
                true
            }
            member => key != "$dynamicRef" && gather(member, references),
        }),
        _ => true,
    }
}
