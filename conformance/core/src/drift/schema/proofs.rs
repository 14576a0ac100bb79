//! What proofs say of a difference: that no value is left, that nothing changes, or that no harm is done.

use serde_json::Value;

use super::super::meaning::{Edit, Relation, Spot, Step, Trial, of_schema};
use super::decider::Decider;
use super::differences::Difference;
use super::effect;
use super::shown::Outcome;
use super::structure::{blind, is_open, is_open_format, is_plain_bound};
use super::verdict::Verdict;
use super::view::View;
use super::ways::Use;
use crate::finding::{Impact, Sender, Undecided};

impl Decider<'_, '_, '_> {
    /// Whether no value is left of a body, a parameter or a member with these edits, which the trial is of.
    pub(super) fn is_emptied(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        trial: &Trial,
        rest: &[(usize, String, Step)],
    ) -> bool {
        let lost = match spot.sender {
            Sender::Client => &trial.rejected,
            Sender::Server => &trial.unsent,
        };
        let (mut spot, mut rest) = (spot, rest);
        while !lost.is_empty() && self.meaning.leaves_nothing(spot, edits) {
            let Some((_, _, step)) = rest.first() else {
                return true;
            };
            if let Step::Member(_) = step {
                return true;
            }
            // A list may be empty where no item is left.
            let more = rest[1..].iter();
            let outer = more.take_while(|(.., step)| step.is_in_place()).count();
            spot.at = self.at(rest[outer].0);
            rest = &rest[outer + 1..];
        }
        false
    }

    /// Whether the schema that a difference is judged in certainly accepts the same with and without it.
    pub(super) fn changes_nothing(
        &self,
        id: usize,
        difference: &Difference,
        trial: &Trial,
        spot: Spot<'_>,
        around: &[(usize, String, Step)],
    ) -> bool {
        let unevaluated = |view: &View| {
            ["unevaluatedProperties", "unevaluatedItems"]
                .iter()
                .any(|keyword| view.parts.contains_key(*keyword))
        };
        let counted = effect::names_members(&difference.keyword)
            && around.iter().any(|(pair, ..)| {
                let (old, new) = self.views(*pair);
                unevaluated(old) || unevaluated(new)
            });
        if !trial.rejected.is_empty() || !trial.unsent.is_empty() || counted {
            return false;
        }
        if blind(difference, self.views(id)).is_some() {
            return false;
        }
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let relation = self.meaning.proof(spot.at, spot.sender, &edits);
        relation.old_in_new && relation.new_in_old
    }

    /// Judges a difference for which no value was found that the receiver rejects.
    pub(super) fn without_harm(
        &self,
        id: usize,
        difference: &Difference,
        spot: Spot<'_>,
        one: &Use,
        inside: usize,
        (trial, lost, made_up): (&Trial, Option<usize>, (bool, bool)),
    ) -> Verdict {
        let views = self.views(id);
        if let Some(reason) = blind(difference, views) {
            return Verdict::Undecided(reason);
        }
        let rest = &one.around[inside..];
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let harmless = || match self.raised(&edits, trial, rest, one.root, spot, false) {
            Outcome::MadeUp => Verdict::None,
            outcome => Verdict::Harmless(Impact::Compatible, outcome.shown()),
        };
        // Where a difference does not show is judged where it would.
        let spot = Spot {
            at: lost.map_or(spot.at, |place| self.at(place)),
            ..spot
        };
        // Formats such as `double` and `password` tell a reader something, and reject no value.
        if difference.keyword == "format"
            && trial.unsent.is_empty()
            && (is_open_format(views) || self.is_proven_safe(spot, &edits))
        {
            return harmless();
        }
        let own = inside;
        let inside = match lost {
            Some(place) => one.around.iter().position(|(pair, ..)| *pair == place),
            None => inside.checked_sub(1),
        };
        let effect = self.effect(
            id,
            difference,
            spot,
            &one.around[..inside.map_or(0, |index| index + 1)],
            !trial.unsent.is_empty(),
        );
        let (harms, helps) = match spot.sender {
            Sender::Client => (effect.narrows, effect.widens),
            Sender::Server => (effect.widens, effect.narrows),
        };
        let (harms, helps) = (harms && !made_up.0, helps && !made_up.1);
        let unsent = !trial.unsent.is_empty();
        match (harms, helps || unsent) {
            (false, false) => return self.of_others(difference, views, spot, &edits),
            (false, true) if unsent => return harmless(),
            _ => {}
        }
        let known = |relation: &Relation| match spot.sender {
            Sender::Client => (relation.old_in_new, relation.new_in_old),
            Sender::Server => (relation.new_in_old, relation.old_in_new),
        };
        // What holds inside holds outside, where the schemas in between pass it on.
        let passes = lost.is_none() && self.is_passed_on(id, difference, &one.around[..own]);
        let inner = match passes && own > 0 {
            true => self.meaning.proof(self.at(id), spot.sender, &edits),
            false => Relation::default(),
        };
        let relation = match known(&inner) {
            (true, same) if same || !helps || unsent => inner,
            _ => {
                let mut relation = self.meaning.proof(spot.at, spot.sender, &edits);
                relation.old_in_new |= inner.old_in_new;
                relation.new_in_old |= inner.new_in_old;
                relation
            }
        };
        let (safe, same) = known(&relation);
        if !harms || safe {
            return match (unsent, !helps || same) {
                (false, true) => Verdict::None,
                _ => harmless(),
            };
        }
        if lost.is_some() {
            let relation = self.meaning.relation(spot.at, spot.sender);
            return match relation.is_safe(spot.sender) {
                true => harmless(),
                false => Verdict::Undecided(Undecided::NotFound {
                    keyword: difference.keyword.clone(),
                }),
            };
        }
        // The values that the algebra says are lost are often those that were not thought of.
        let mut values: Vec<Value> = relation.lost.iter().flat_map(of_schema).collect();
        values.extend(self.meaning.refused(spot.at, spot.sender, &edits));
        if let Ok(more) = self.meaning.sort_out(spot, &edits, values) {
            match self.raised(&edits, &more, rest, one.root, spot, true) {
                Outcome::Found(true, shown) => return Verdict::Breaks(Impact::Rejected, shown),
                Outcome::Found(false, shown) => {
                    return Verdict::Harmless(Impact::Undocumented, shown);
                }
                Outcome::MadeUp => return harmless(),
                Outcome::Lost(..) | Outcome::None => {}
            }
        }
        if self.is_covered(difference, spot.sender) || self.is_taken_over(id, &one.around) {
            return harmless();
        }
        if is_plain_bound(difference, views) && self.reaches_out(id, &one.around, spot.sender) {
            return Verdict::Breaks(Impact::Rejected, None);
        }
        Verdict::Undecided(Undecided::NotFound {
            keyword: difference.keyword.clone(),
        })
    }

    /// Whether the receiver certainly accepts all that is sent, with and without a difference.
    fn is_proven_safe(&self, spot: Spot<'_>, edits: &[&Edit]) -> bool {
        let relation = self.meaning.proof(spot.at, spot.sender, edits);
        relation.is_safe(spot.sender)
    }

    /// Judges a difference that documented members do not show: it may be about undocumented ones.
    fn of_others(
        &self,
        difference: &Difference,
        views: (&View, &View),
        spot: Spot<'_>,
        edits: &[&Edit],
    ) -> Verdict {
        let others = ["additionalProperties", "unevaluatedProperties"];
        if !others.contains(&difference.keyword.as_str()) || !is_open(difference, views) {
            return Verdict::None;
        }
        let relation = self.meaning.proof(spot.at, spot.sender, edits);
        if relation.old_in_new && relation.new_in_old {
            return Verdict::None;
        }
        let harms = match spot.sender {
            Sender::Client => difference.effect.narrows,
            Sender::Server => difference.effect.widens,
        };
        let impact = match harms {
            true => Impact::Undocumented,
            false => Impact::Compatible,
        };
        Verdict::Harmless(impact, None)
    }
}
