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
        for (index, Around { at, step, .. }) in around.iter().enumerate() {
            values = embedded(&values, [(old, at.0), (new, at.1)], step);
            // Where none has to be left out, it is asked of the outermost ones only.
            if values.len() <= 4 * CARRIED && index + 1 < around.len() {
                continue;
            }
            let accepted = accepted_by_either(&values, [(old, at.0), (new, at.1)]);
            let (fitting, others): (Vec<_>, Vec<_>) = values
                .into_iter()
                .zip(accepted)
                .partition(|(_, accepted)| *accepted);
            let ranked = fitting.into_iter().chain(others).take(4 * CARRIED);
            values = ranked.map(|(value, _)| value).collect();
        }
        values
    }

    /// The first of `values` with members that other alternatives of the old schema at `at` reject.
    pub(in super::super) fn spoiled(&self, values: &[Value], spot: Spot<'_>) -> Vec<Value> {
        let (old, _) = self.makers(spot.sender);
        let first = values.iter().take(CARRIED);
        first
            .flat_map(|value| embed::spoiled(old, spot.at.0, value))
            .collect()
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
        if !found.is_empty() || !rejected && self.is_large(spot.at, spot.sender) {
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

    /// Puts the first of `values` into all schemas around it and tries only the outcome, which is enough where each of these looks at
    /// its other members alone.
    fn raised_at_once(
        &self,
        values: &[Value],
        around: &[Around<'_>],
        spot: Spot<'_>,
        edits: &[&Edit],
        rejected: bool,
    ) -> Option<Tried> {
        let (old, new) = self.makers(spot.sender);
        let first = values.first()?.clone();
        let mut both = [first.clone(), first];
        for Around { at, step, .. } in around {
            for (value, (maker, at)) in both.iter_mut().zip([(old, at.0), (new, at.1)]) {
                *value = embed::around_first(maker, at, step, value)?;
            }
        }
        let last = around.last()?;
        let root = Spot {
            at: last.at,
            text: last.text,
            ..spot
        };
        let tried = distinct(both.to_vec(), 2);
        self.first_apart(root, edits, &tried, rejected)
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
        if !(rejected && self.only_adds_member(spot, edits))
            && let Some(tried) = self.raised_at_once(&values, around, spot, edits, rejected)
        {
            return Raised::Found(tried);
        }
        for (index, Around { at, step, text }) in around.iter().enumerate() {
            let mut next = embedded(&values, [(old, at.0), (new, at.1)], step);
            combined |= step.is_in_place();
            // Of what several alternatives complete, their own value comes first.
            if step.is_in_place() && next.len() > CARRIED {
                let accepted = accepted_by_either(&next, [(old, at.0), (new, at.1)]);
                let (fitting, others): (Vec<_>, Vec<_>) = next
                    .into_iter()
                    .zip(accepted)
                    .partition(|(_, accepted)| *accepted);
                let all = fitting.into_iter().chain(others);
                next = all.map(|(value, _)| value).collect();
            }
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
    let all = values.iter().map(|value| {
        let both = schemas.iter();
        both.flat_map(|(maker, at)| embed::around(maker, at, step, value))
    });
    let mut all: Vec<_> = all.collect();
    // Each value in turn, so that the first one does not take all places.
    let mut next = Vec::new();
    while next.len() < 4 * KEPT {
        let before = next.len();
        next.extend(all.iter_mut().filter_map(Iterator::next));
        if next.len() == before {
            break;
        }
    }
    let mut next = distinct(next, KEPT);
    next.sort_by_cached_key(size);
    next
}
