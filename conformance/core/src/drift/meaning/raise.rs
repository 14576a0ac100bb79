//! Putting values into the schemas around them.

use serde_json::Value;

use super::super::site::Text;
use super::edit::Edit;
use super::embed::{self, Step};
use super::generate::Maker;
use super::trial::{CARRIED, KEPT, Tried};
use super::tried::{distinct, size};
use super::{At, Meaning, Spot, judge};

/// The size from which on few values are put into a schema.
const LARGE: usize = 600;

/// The result of putting values into the schemas around them.
pub(in super::super) enum Raised {
    /// A value of the outermost schema.
    Found(Tried),
    /// In the schema of this number, which combines several, the difference changes nothing for these.
    Lost(usize, Vec<Value>),
    /// No value of the outermost schema was found.
    Stuck,
}

/// Two schemas around two others.
pub(in super::super) struct Around<'p> {
    pub(in super::super) at: At<'p>,
    /// How the inner ones hang in them.
    pub(in super::super) step: &'p Step,
    /// How their values stand as text.
    pub(in super::super) text: Text,
}

impl Meaning<'_> {
    /// Puts values into the schemas around them, the innermost first, whatever these accept; those that either document accepts come
    /// first.
    pub(in super::super) fn lift(
        &self,
        values: Vec<Value>,
        around: &[Around<'_>],
        spot: Spot<'_>,
    ) -> Vec<Value> {
        let (old, new) = self.makers(spot.sender);
        let mut values = values;
        for Around { at, step, .. } in around {
            let next = embedded(&values, [(old, at.0), (new, at.1)], step);
            let accepted = accepted_by_either(&next, [(old, at.0), (new, at.1)]);
            let mut ranked: Vec<(bool, Value)> = accepted
                .into_iter()
                .map(|accepted| !accepted)
                .zip(next)
                .collect();
            ranked.sort_by_key(|(refused, _)| *refused);
            ranked.truncate(4 * CARRIED);
            values = ranked.into_iter().map(|(_, value)| value).collect();
        }
        let root = around.last().map_or(spot.at.0, |around| around.at.0);
        let spoiled = values.iter().take(CARRIED);
        let spoiled: Vec<Value> = spoiled
            .flat_map(|value| embed::spoiled(old, root, value))
            .collect();
        values.extend(spoiled);
        values
    }

    /// Which of `values` tell the edited schema from what it was; none where it cannot be asked. Where none does, other alternatives
    /// may accept them as well, so members of these are tried with values that they reject.
    fn told_apart(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        values: Vec<Value>,
        rejected: bool,
    ) -> Option<Vec<Tried>> {
        let (old, _) = self.makers(spot.sender);
        let sort_out = |values: Vec<Value>| {
            let trial = self.sort_out(spot, edits, values).ok()?;
            Some(if rejected {
                trial.rejected
            } else {
                trial.unsent
            })
        };
        let few: Vec<Value> = values.iter().take(CARRIED).cloned().collect();
        let found = sort_out(values)?;
        if !found.is_empty() {
            return Some(found);
        }
        let spoiled = few.iter();
        let found = sort_out(
            spoiled
                .flat_map(|value| embed::spoiled(old, spot.at.0, value))
                .collect(),
        )?;
        if !found.is_empty() || rejected && self.only_adds_member(spot, edits) {
            return Some(found);
        }
        let (combined, is_complete) = self.combined(spot, edits);
        let mut found = sort_out(combined)?;
        for overlapping in [false, true] {
            if found.is_empty() && !is_complete && rejected {
                found = sort_out(self.directed(spot, edits, overlapping))?;
            }
        }
        Some(found)
    }

    /// Puts values into the schemas around them, the innermost first, as long as they tell the edited schema from what it was.
    /// `rejected` says whether they are those that the sender may send and the receiver rejects.
    pub(in super::super) fn raise(
        &self,
        values: Vec<Value>,
        around: &[Around<'_>],
        spot: Spot<'_>,
        edits: &[&Edit],
        rejected: bool,
    ) -> Raised {
        let (old, new) = self.makers(spot.sender);
        let mut values = values;
        let last = |index: usize| {
            let next = around.get(index + 1);
            next.is_none_or(|next| !next.step.is_in_place())
        };
        let mut combined = false;
        for (index, Around { at, step, text }) in around.iter().enumerate() {
            let mut next = embedded(&values, [(old, at.0), (new, at.1)], step);
            combined |= step.is_in_place();
            if !last(index) || index + 1 == around.len() {
                let is_large = next.first().is_some_and(|value| size(value) > LARGE);
                next.truncate(if is_large { CARRIED } else { 8 * CARRIED });
                values = next;
                continue;
            }
            // Other schemas that the same value has to meet may keep the difference from showing.
            if std::mem::take(&mut combined) {
                let place = Spot {
                    at: *at,
                    text: *text,
                    ..spot
                };
                let tried = next.iter().take(CARRIED).cloned().collect();
                let Some(list) = self.told_apart(place, edits, next, rejected) else {
                    return Raised::Stuck;
                };
                if list.is_empty() {
                    return Raised::Lost(index, tried);
                }
                values = list.into_iter().map(|one| one.value).collect();
            } else {
                values = next;
            }
            if values.len() > CARRIED {
                let accepted = accepted_by_either(&values, [(old, at.0), (new, at.1)]);
                let mut accepted = accepted.into_iter();
                values.retain(|_| accepted.next().unwrap_or(false));
            }
            values.truncate(CARRIED);
        }
        let root = around.last().map_or(spot, |around| Spot {
            at: around.at,
            text: around.text,
            ..spot
        });
        let tried = values.iter().take(CARRIED).cloned().collect();
        let Some(list) = self.told_apart(root, edits, values, rejected) else {
            return Raised::Stuck;
        };
        match list.into_iter().next() {
            Some(tried) => Raised::Found(tried),
            None if combined => Raised::Lost(around.len() - 1, tried),
            None => Raised::Stuck,
        }
    }
}

/// Which of `values` one of two schemas accepts; all of them where it cannot be asked.
fn accepted_by_either(values: &[Value], schemas: [(&Maker<'_>, &str); 2]) -> Vec<bool> {
    let [old, new] = schemas.map(|(maker, at)| {
        let accepted = judge::accepted(&maker.source, at, values, None);
        accepted.unwrap_or_else(|_| vec![true; values.len()])
    });
    let both = old.into_iter().zip(new);
    both.map(|(one, other)| one || other).collect()
}

/// Values of two schemas that have one of `values` where `step` leads, the small ones first.
fn embedded(values: &[Value], schemas: [(&Maker<'_>, &str); 2], step: &Step) -> Vec<Value> {
    let next = values.iter().flat_map(|value| {
        let both = schemas.iter();
        both.flat_map(|(maker, at)| embed::around(maker, at, step, value))
    });
    let mut next = distinct(next.collect(), KEPT);
    next.sort_by_cached_key(size);
    next
}
