//! The joint effect of one schema's differences: some make up for another one, and some do together what none does alone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::ledger::SchemaEntry;
use super::super::meaning::{Edit, Focus, Spot, Step, Trial, Tried, of_schema};
use super::super::pair::Pair;
use super::super::rules;
use super::decider::Decider;
use super::differences::Difference;
use super::group::{Group, Member};
use super::shown::Outcome;
use super::ways::Use;
use crate::finding::{Effect, Impact, Message, SchemaChange, Sender, Severity, Turned, Undecided};

/// How many differences of one schema are looked at together.
const GROUP: usize = 300;

/// How many values are looked into that differences of one schema reject together.
const TRIED: usize = 8;

/// How many members are looked at to find out what differences do together.
const TOGETHER: usize = 60;

/// The joint effect of differences.
enum Joint<'d> {
    /// These matter for a value: rejected by the receiver, or not sent any more.
    Shown(bool, Tried, Vec<&'d Difference>),
    /// It was not found out what they change.
    Unknown,
    /// Nothing.
    Nothing,
}

impl<'d> Decider<'d, '_, '_> {
    /// Whether the old schema at `place` is included in the new one, and the reverse.
    pub(super) fn relation(&self, place: usize, sender: Sender) -> (bool, bool) {
        let mut known = self.relations.borrow_mut();
        *known.entry((place, sender)).or_insert_with(|| {
            let at = self.at(place);
            // What accepts nothing makes up for nothing.
            if self.meaning.is_emptied(at, sender) {
                return (false, false);
            }
            let relation = self.meaning.relation(at, sender);
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

    /// Notes a difference that changes nothing by itself. Other differences of the schema at `place`, which is around it, may make it matter.
    pub(super) fn join_quietly(
        &mut self,
        place: usize,
        id: usize,
        difference: &'d Difference,
        sender: Sender,
        one: &Use,
    ) {
        let text = self.text_around(place, one);
        self.groups.join(
            place,
            sender,
            text,
            Member::quiet(id, difference, Vec::new()),
        );
    }

    /// The effect that differences of one schema have together, and none of them alone.
    pub(super) fn together(&mut self) -> Vec<(usize, SchemaEntry)> {
        let groups = std::mem::take(&mut self.groups);
        let mut found: BTreeMap<usize, SchemaEntry> = BTreeMap::new();
        for ((place, sender, text), mut group) in groups.into_sorted() {
            let spot = Spot {
                at: self.at(place),
                sender,
                text,
            };
            if let Some(entry) = self.of_emptying(place, spot, &group) {
                found.insert(place, entry);
                continue;
            }
            group.retain(|member| !member.breaks);
            // Members of one object do not depend on one another, unless something else says so.
            let apart = group.iter().all(|member| {
                member.id == place
                    && member
                        .difference
                        .edits
                        .iter()
                        .all(|edit| edit.member().is_some())
            });
            // Where no object is valid, each of them keeps it so.
            let apart = apart && self.meaning.has_object(spot.at.0, sender);
            if apart || !(2..=GROUP).contains(&group.len()) || self.equal[place] {
                continue;
            }
            let Some(entry) = self.of_group(place, spot, &group) else {
                continue;
            };
            match found.get(&place) {
                Some(known) if known.severity <= entry.severity => {}
                _ => {
                    found.insert(place, entry);
                }
            }
        }
        found.into_iter().collect()
    }

    /// Returns the entry for differences that leave no value of a body, a parameter or a member together, and none of them alone.
    fn of_emptying(&self, place: usize, spot: Spot<'_>, group: &Group<'d>) -> Option<SchemaEntry> {
        let is_alone = group.len() < 2 || group.iter().any(|member| member.empties);
        if is_alone || !self.meaning.is_emptied(spot.at, spot.sender) {
            return None;
        }
        let one = self.uses(place, spot.sender).into_iter().next()?;
        let is_told = matches!(one.around.first(), None | Some((_, _, Step::Member(_))));
        if !is_told || self.turned(place, None, &one.around, 0).is_some() {
            return None;
        }
        let empty = |group: &[&'d Difference]| self.meaning.leaves_nothing(spot, &edits(group));
        let mut group: Vec<&Difference> = group.iter().map(|one| one.difference).collect();
        if !empty(&group) {
            return None;
        }
        for index in (0..group.len().min(TOGETHER)).rev() {
            let mut fewer = group.clone();
            fewer.remove(index);
            if empty(&fewer) {
                group = fewer;
            }
        }
        if group.len() < 2 {
            return None;
        }
        let (old, new) = spot.at;
        let rule = &rules::SCHEMA_CHANGES_TOGETHER;
        Some(SchemaEntry {
            rule,
            severity: rule.severity,
            at: Pair::new(old, new),
            message: Message::Schema(SchemaChange::Together {
                changes: group.iter().map(|one| one.change.clone()).collect(),
            }),
            effect: Some(Effect {
                sender: spot.sender,
                impact: Impact::Emptied,
            }),
            turned: Turned::No,
            undecided: None,
            witness: None,
            proof: None,
        })
    }

    /// Returns the entry for the joint effect of differences that are not breaking by themselves. Where none of them is a finding,
    /// something is said of them unless they are known to change nothing.
    fn of_group(&self, place: usize, spot: Spot<'_>, group: &Group<'d>) -> Option<SchemaEntry> {
        let is_told = |member: &Member<'_>| {
            let difference = std::ptr::from_ref(member.difference);
            self.told.contains(&(member.id, difference))
        };
        let silent = !group.iter().any(is_told);
        let joint = self.joint(spot, group, silent);
        let all = || group.iter().map(|member| member.difference).collect();
        let (severity, impact, group) = match &joint {
            Joint::Nothing => return None,
            Joint::Unknown => (Severity::Undecided, None, all()),
            Joint::Shown(true, tried, group) if tried.documented => {
                let rule = &rules::SCHEMA_CHANGES_TOGETHER;
                (rule.severity, Some(Impact::Rejected), group.clone())
            }
            Joint::Shown(true, _, group) => {
                (Severity::Warning, Some(Impact::Undocumented), group.clone())
            }
            Joint::Shown(false, _, group) => {
                (Severity::Warning, Some(Impact::Compatible), group.clone())
            }
        };
        let shown = match joint {
            Joint::Shown(rejected, tried, group) => {
                let one = self.uses(place, spot.sender).into_iter().next()?;
                let list = vec![tried];
                let trial = match rejected {
                    true => Trial {
                        rejected: list,
                        ..Trial::default()
                    },
                    false => Trial {
                        unsent: list,
                        ..Trial::default()
                    },
                };
                let edits = edits(&group);
                let outcome = self.raised(&edits, &trial, &one.around, one.root, spot, rejected);
                if let Outcome::MadeUp = outcome {
                    return None;
                }
                outcome.shown()
            }
            Joint::Unknown | Joint::Nothing => None,
        };
        let (old, new) = self.at(place);
        Some(SchemaEntry {
            rule: &rules::SCHEMA_CHANGES_TOGETHER,
            severity,
            at: Pair::new(old, new),
            message: Message::Schema(SchemaChange::Together {
                changes: group.iter().map(|one| one.change.clone()).collect(),
            }),
            effect: impact.map(|impact| Effect {
                sender: spot.sender,
                impact,
            }),
            turned: Turned::No,
            undecided: impact.is_none().then(|| Undecided::NotFound {
                keyword: String::new(),
            }),
            proof: shown.as_ref().map(|shown| self.proof(shown)),
            witness: shown.map(|shown| shown.value),
        })
    }

    /// Returns the joint effect of the differences of `group`. Values that are not rejected are looked into where none of the differences
    /// is reported.
    fn joint(&self, spot: Spot<'_>, group: &Group<'d>, silent: bool) -> Joint<'d> {
        let differences: Vec<&Difference> = group.iter().map(|one| one.difference).collect();
        let all = edits(&differences);
        let members = all.iter().filter_map(|edit| edit.member());
        let members = members.take(TOGETHER).map(str::to_owned).collect();
        // Differences of many alternatives seldom meet in one value: those of their own values are looked at.
        let mut trial = match !silent && self.meaning.is_wide(spot.at, spot.sender) {
            true => Trial::default(),
            false => self
                .meaning
                .trial(spot, &all, &Focus::All(members))
                .unwrap_or_default(),
        };
        let more = self.meaning.sort_out(spot, &all, combined(group));
        let more = more.unwrap_or_default();
        trial.rejected.extend(more.rejected);
        trial.unsent.extend(more.unsent);
        let found = self.matter(spot, &trial, (true, true), &differences);
        if let Some((tried, fewer)) = found {
            return Joint::Shown(true, tried, fewer);
        }
        if !silent {
            return Joint::Nothing;
        }
        let relation = self.meaning.relation(spot.at, spot.sender);
        if relation.old_in_new && relation.new_in_old {
            return Joint::Nothing;
        }
        let lost: Vec<Value> = relation.lost.iter().flat_map(of_schema).collect();
        let more = self.meaning.sort_out(spot, &all, lost).unwrap_or_default();
        let harmless = match spot.sender {
            Sender::Client => relation.old_in_new,
            Sender::Server => relation.new_in_old,
        };
        let kinds = [(true, true), (true, false), (false, false)];
        let all = kinds
            .into_iter()
            .flat_map(|kind| [(kind, &trial), (kind, &more)]);
        for (kind, trial) in all {
            let rejected = kind.0;
            if let Some((tried, fewer)) = self.matter(spot, trial, kind, &differences) {
                // That nobody is harmed has to be known as well.
                return match rejected || harmless || Self::is_narrower(group, spot.sender) {
                    true => Joint::Shown(rejected, tried, fewer),
                    false => Joint::Unknown,
                };
            }
        }
        Joint::Unknown
    }

    /// Whether all differences of a group can only make the sender send less, or the receiver accept more.
    fn is_narrower(group: &Group<'d>, sender: Sender) -> bool {
        group.iter().all(|member| {
            let effect = member.difference.effect;
            match sender {
                Sender::Client => !effect.narrows,
                Sender::Server => !effect.widens,
            }
        })
    }

    /// A value that several of the differences have to come together for, and these: one that the receiver rejects, or one that is not
    /// sent any more; one whose sender documents all of it, or any.
    fn matter(
        &self,
        spot: Spot<'_>,
        trial: &Trial,
        (rejected, documented): (bool, bool),
        differences: &[&'d Difference],
    ) -> Option<(Tried, Vec<&'d Difference>)> {
        let list = |trial: Trial| {
            if rejected {
                trial.rejected
            } else {
                trial.unsent
            }
        };
        let tells = |fewer: &[&'d Difference], value: &Value| {
            let values = vec![value.clone()];
            let trial = self.meaning.sort_out(spot, &edits(fewer), values);
            // A value whose members only several of them document is a matter of these.
            trial.is_ok_and(|trial| {
                let mut told = list(trial).into_iter();
                told.any(|tried| tried.documented || !documented)
            })
        };
        let shown = list(trial.clone()).into_iter().filter(|tried| tried.real);
        let shown = shown.filter(|tried| tried.documented || !documented);
        shown.take(TRIED).find_map(|tried| {
            let mut fewer = differences.to_vec();
            // Halves first, then one at a time.
            let mut size = fewer.len() / 2;
            while size > 0 {
                let mut from = 0;
                while from < fewer.len() {
                    let mut without = fewer.clone();
                    without.drain(from..(from + size).min(fewer.len()));
                    if tells(&without, &tried.value) {
                        fewer = without;
                    } else {
                        from += size;
                    }
                }
                size /= 2;
            }
            // The effect of a single difference was reported with that difference.
            (fewer.len() > 1).then_some((tried, fewer))
        })
    }
}

/// All edits of several differences.
fn edits<'d>(group: &[&'d Difference]) -> Vec<&'d Edit> {
    group.iter().flat_map(|one| &one.edits).collect()
}

/// The values of all differences of a group, and objects that have the members of two of them.
fn combined(group: &Group<'_>) -> Vec<Value> {
    let mut all: Vec<Value> = group.iter().flat_map(|one| one.values.clone()).collect();
    let first = group.iter().take(TRIED).enumerate();
    let pairs = first.flat_map(|(index, one)| {
        let others = group.iter().take(TRIED).skip(index + 1);
        others.map(move |other| (one, other))
    });
    let mut merged = Vec::new();
    for (one, other) in pairs {
        for (one, other) in one.values.iter().take(2).zip(&other.values) {
            if let (Value::Object(one), Value::Object(other)) = (one, other) {
                for (under, over) in [(one, other), (other, one)] {
                    let mut members = under.clone();
                    members.extend(over.clone());
                    merged.push(Value::Object(members));
                }
            }
        }
    }
    all.extend(merged);
    all
}
