//! What the differences of one schema do together: what makes up for one of them, and what none of them does alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::ledger::{Pair, SchemaEntry};
use super::super::meaning::{Edit, Focus, Spot, Step, Trial, Tried};
use super::super::rules;
use super::decide::Decider;
use super::differences::Difference;
use crate::finding::{Effect, Impact, Message, SchemaChange, Sender};

/// How many differences of one schema are looked at together.
const GROUP: usize = 300;

/// How many values are looked into that differences of one schema reject together.
const TRIED: usize = 8;

/// How many members are looked at to find out what differences do together.
const TOGETHER: usize = 60;

/// The differences of one schema that a whole value has to meet, by the direction of the value.
pub(super) type Group<'d> = Vec<(usize, &'d Difference, bool)>;

impl<'d> Decider<'d, '_, '_> {
    /// Whether the old schema at `place` is included in the new one, and the reverse.
    pub(super) fn relation(&self, place: usize, sender: Sender) -> (bool, bool) {
        let mut known = self.relations.borrow_mut();
        *known.entry((place, sender)).or_insert_with(|| {
            let relation = self.meaning.relation(self.at(place), sender);
            (relation.old_in_new, relation.new_in_old)
        })
    }

    /// Whether other differences of a schema around that combines several make up for one.
    pub(super) fn is_made_up(
        &self,
        rest: &[(usize, String, Step)],
        sender: Sender,
        rejected: bool,
    ) -> bool {
        let combined = rest.iter().enumerate().filter(|(index, (.., step))| {
            let next = rest.get(index + 1);
            step.is_in_place() && next.is_none_or(|(.., next)| !next.is_in_place())
        });
        let mut places = combined.map(|(_, (place, ..))| *place);
        places.any(|place| {
            let (old_in_new, new_in_old) = self.relation(place, sender);
            match rejected == (sender == Sender::Client) {
                true => old_in_new,
                false => new_in_old,
            }
        })
    }

    /// Leaves out what other differences of the same schema make up for, and says of what is rejected and of what is not sent whether
    /// they do.
    pub(super) fn drop_made_up(
        &self,
        place: usize,
        sender: Sender,
        trial: &mut Trial,
    ) -> (bool, bool) {
        let unreal = |list: &[Tried]| !list.is_empty() && !list.iter().any(|tried| tried.real);
        if !unreal(&trial.rejected) && !unreal(&trial.unsent) {
            return (false, false);
        }
        let (old_in_new, new_in_old) = self.relation(place, sender);
        let (harmless, unneeded) = match sender {
            Sender::Client => (old_in_new, new_in_old),
            Sender::Server => (new_in_old, old_in_new),
        };
        let made_up = (
            unreal(&trial.rejected) && harmless,
            unreal(&trial.unsent) && unneeded,
        );
        if made_up.0 {
            trial.rejected.clear();
        }
        if made_up.1 {
            trial.unsent.clear();
        }
        made_up
    }

    /// Notes that a difference was judged at `place`.
    pub(super) fn join(
        &mut self,
        place: usize,
        spot: Spot<'_>,
        id: usize,
        difference: &'d Difference,
        breaks: bool,
    ) {
        let group = self
            .groups
            .entry((place, spot.sender, spot.text))
            .or_default();
        let known = group
            .iter()
            .any(|(other, one, _)| *other == id && std::ptr::eq(*one, difference));
        if !known {
            group.push((id, difference, breaks));
        }
    }

    /// The effect that differences of one schema have together, and none of them alone.
    pub(super) fn together(&mut self) -> Vec<(usize, SchemaEntry)> {
        let groups = std::mem::take(&mut self.groups);
        let mut found = Vec::new();
        let mut told = BTreeSet::new();
        for ((place, sender, text), group) in groups {
            let quiet: Vec<_> = group.iter().filter(|(.., breaks)| !breaks).collect();
            // Members of one object do not depend on one another, unless something else says so.
            let apart = quiet.iter().all(|(id, difference, _)| {
                *id == place && difference.edits.iter().all(|edit| edit.member().is_some())
            });
            let group: Vec<&Difference> =
                quiet.iter().map(|(_, difference, _)| *difference).collect();
            if apart
                || !(2..=GROUP).contains(&group.len())
                || told.contains(&place)
                || self.equal[place]
            {
                continue;
            }
            let spot = Spot {
                at: self.at(place),
                sender,
                text,
            };
            if let Some(entry) = self.of_group(place, spot, group) {
                told.insert(place);
                found.push((place, entry));
            }
        }
        found
    }

    /// What differences do together that are not breaking by themselves.
    pub(super) fn of_group(
        &self,
        place: usize,
        spot: Spot<'_>,
        group: Vec<&'d Difference>,
    ) -> Option<SchemaEntry> {
        let edits = |group: &[&'d Difference]| -> Vec<&'d Edit> {
            group.iter().flat_map(|one| &one.edits).collect()
        };
        let members = edits(&group);
        let members = members.iter().filter_map(|edit| edit.member());
        let members = members.take(TOGETHER).map(str::to_owned).collect();
        let trial = self
            .meaning
            .trial(spot, &edits(&group), &Focus::All(members))
            .ok()?;
        let rejects = |fewer: &[&'d Difference], value: &Value| {
            let values = vec![value.clone()];
            let trial = self.meaning.sort_out(spot, &edits(fewer), values);
            trial.is_ok_and(|trial| !trial.rejected.is_empty())
        };
        let shown = trial.rejected.into_iter().take(TRIED);
        let mut shown = shown.filter(|tried| tried.documented && tried.real);
        let (tried, group) = shown.find_map(|tried| {
            let mut fewer = group.clone();
            // Halves first, then one at a time.
            let mut size = fewer.len() / 2;
            while size > 0 {
                let mut from = 0;
                while from < fewer.len() {
                    let mut without = fewer.clone();
                    without.drain(from..(from + size).min(fewer.len()));
                    if rejects(&without, &tried.value) {
                        fewer = without;
                    } else {
                        from += size;
                    }
                }
                size /= 2;
            }
            // What one of them does alone was said there.
            (fewer.len() > 1).then_some((tried, fewer))
        })?;
        let one = self.uses(place, spot.sender).into_iter().next()?;
        let trial = Trial {
            rejected: vec![tried],
            ..Trial::default()
        };
        let shown = self.raised(&edits(&group), &trial, &one.around, one.root, spot, true);
        let shown = shown.shown();
        let rule = &rules::SCHEMA_CHANGES_TOGETHER;
        let (old, new) = self.at(place);
        Some(SchemaEntry {
            rule,
            severity: rule.severity,
            at: Pair::new(old, new),
            message: Message::Schema(SchemaChange::Together {
                changes: group.iter().map(|one| one.change.clone()).collect(),
            }),
            effect: Some(Effect {
                sender: spot.sender,
                impact: Impact::Rejected,
            }),
            undecided: None,
            proof: shown.as_ref().map(|shown| self.proof(shown)),
            witness: shown.map(|shown| shown.value),
        })
    }
}
