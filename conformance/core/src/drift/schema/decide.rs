//! The effect of each difference by itself, and the value that shows it.
//!
//! A difference is judged on the old schema with only this difference applied. It is breaking where the sender may send a value that
//! the receiver rejects: a client sends by the old document and the server receives by the new one, the server sends by the new one and
//! a client receives by the old one. It is a warning where the receiver accepts more than is sent, or where the value needs members that
//! the sender does not document. It is no finding where nothing changes for any value, and undecided where neither a value nor a proof
//! was found. The place of the judgment is the smallest schema that the whole value has to meet there: branches of `allOf`, `oneOf` and
//! the like are judged in the schema that has them. An effect that no difference of such a schema has alone is a finding of all of them.

use super::super::meaning::{Edit, Spot, Step};
use super::super::site::Text;
use super::decider::Decider;
use super::differences::Difference;
use super::effect::Effect;
use super::group::Member;
use super::shown::Outcome;
use super::structure::is_null;
use super::trials::Asked;
use super::verdict::Verdict;
use super::ways::Use;
use crate::finding::{Impact, SchemaChange, Sender, Severity, Undecided};

impl<'d> Decider<'d, '_, '_> {
    /// Returns the gravest verdict on a difference for values that `sender` sends.
    pub(super) fn direction(
        &mut self,
        id: usize,
        difference: &'d Difference,
        sender: Sender,
    ) -> Verdict {
        let mut worst = Verdict::None;
        let unreadable = self.unreadable(difference);
        for one in self.uses(id, sender) {
            let verdict = self.in_use(id, difference, sender, &one);
            let verdict = unreadable.qualify(verdict, sender);
            let graver = match (verdict.severity(), worst.severity()) {
                (Some(new), Some(known)) => new < known,
                (new, known) => new.is_some() && known.is_none(),
            };
            if graver {
                worst = verdict;
            }
            if worst.severity() == Some(Severity::Breaking) {
                break;
            }
        }
        worst
    }

    fn in_use(
        &mut self,
        id: usize,
        difference: &'d Difference,
        sender: Sender,
        one: &Use,
    ) -> Verdict {
        if one
            .around
            .iter()
            .any(|(_, keyword, _)| keyword == "contentSchema")
        {
            return Verdict::Undecided(Undecided::NotEnforced {
                keyword: "contentSchema".to_owned(),
            });
        }
        let inside = Self::in_place(difference, &one.around);
        let text = self.text_at(&one.around[inside..], one.root);
        if text == Text::No {
            if self.is_void(id) {
                return Verdict::None;
            }
            if let Some((dead_end, may_open)) = self.out_of_reach(&one.around) {
                if may_open {
                    self.join_quietly(dead_end, id, difference, sender, one);
                }
                return Verdict::None;
            }
        }
        let place = match inside {
            0 => id,
            count => one.around[count - 1].0,
        };
        let spot = Spot {
            at: self.at(place),
            sender,
            text,
        };
        // Where no object may have the member, it still matters whether it is required.
        let mut edits = difference.edits.iter();
        let is_required = edits.any(|edit| matches!(edit, Edit::Required { .. }));
        if let SchemaChange::PropertyAdded { name, .. } | SchemaChange::PropertyRemoved { name, .. } =
            &difference.change
            && (self.is_never_sent(id, sender, name) || !is_required && self.neither_has(id, name))
        {
            if !self.meaning.has_object(self.at(id).0, sender) {
                self.join_quietly(id, id, difference, sender, one);
            }
            return Verdict::None;
        }
        if self.is_unrequired(id, difference, sender) {
            return Verdict::None;
        }
        if spot.text != Text::No
            && (inside == 0 && self.of_listed_texts(id, difference) == Some(Effect::NONE)
                || is_null(difference))
        {
            return Verdict::None;
        }
        let flag = match difference.edits.first() {
            Some(Edit::Flag { flag, .. }) => Some(flag),
            _ => None,
        };
        // A flag says nothing of what the other side sends.
        if flag.is_some_and(|flag| (flag == "readOnly") != (sender == Sender::Client)) {
            return Verdict::None;
        }
        let around = if flag.is_some() {
            &one.around[inside..]
        } else {
            &one.around
        };
        if self.is_hidden(around, sender) {
            return Verdict::None;
        }
        // A difference that no value shows, such as in digits that no 64-bit number holds, is judged by the keyword alone.
        if difference.edits.is_empty() {
            let effect = self.effect(id, difference, spot, &one.around[..inside], false);
            let harms = match sender {
                Sender::Client => effect.narrows,
                Sender::Server => effect.widens,
            };
            return match harms {
                true => Verdict::Breaks(Impact::Rejected, None),
                false => Verdict::Harmless(Impact::Compatible, None),
            };
        }
        let is_harmless = self.only_narrows(id, difference, sender, &one.around[..inside]);
        let within = match flag {
            Some(_) => None,
            None => self.alternative(id, &one.around[..inside], one.root),
        };
        let is_alone =
            self.is_alone(id, difference) && within.as_ref().is_none_or(|within| within.is_apart);
        let member = one.around[..inside]
            .iter()
            .find_map(|(.., step)| match step {
                Step::Member(name) => Some(name.as_str()),
                _ => None,
            });
        let made = self.trials.make(
            difference,
            Asked {
                place,
                spot,
                member,
                is_harmless,
                within: within.as_ref(),
                is_alone,
            },
        );
        let mut trial = match made {
            Ok(trial) => trial,
            Err(reason) => return Verdict::Undecided(reason),
        };
        // Where schemas around turn what is inside of them, or count it, the difference is judged there.
        let (mut inside, mut place, mut spot) = (inside, place, spot);
        if let Some(outer) = self.turned(id, Some(difference), &one.around, inside) {
            if self.changes_nothing(id, difference, &trial, spot, &one.around) {
                let outer = one.around[outer - 1].0;
                let member = Member::quiet(id, difference, Vec::new());
                let text = self.text_around(outer, one);
                self.groups.join(outer, sender, text, member);
                return Verdict::None;
            }
            let mut levels = self.levels(&one.around[inside..], one.root);
            levels.truncate(outer - inside);
            (inside, place) = (outer, one.around[outer - 1].0);
            let inner = spot;
            spot.at = self.at(place);
            spot.text = self.text_at(&one.around[inside..], one.root);
            trial = match self.turned_trial(difference, &trial, &levels, inner, spot) {
                Ok(trial) => trial,
                Err(reason) => return Verdict::Undecided(reason),
            };
        }
        let mut made_up = self.drop_made_up(place, sender, &mut trial);
        let rest = &one.around[inside..];
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let rejected = self.raised(&edits, &trial, rest, one.root, spot, true);
        let empties = self.is_emptied(spot, &edits, &trial, rest);
        let own = Member {
            id,
            difference,
            breaks: empties || matches!(rejected, Outcome::Found(true, _)),
            empties,
            values: trial.values(),
        };
        self.groups.join(place, sender, spot.text, own);
        let mut lost = None;
        if empties {
            let shown = match sender {
                Sender::Client => rejected,
                Sender::Server => self.raised(&edits, &trial, rest, one.root, spot, false),
            };
            return Verdict::Breaks(Impact::Emptied, shown.shown());
        }
        match rejected {
            Outcome::Found(true, shown) => return Verdict::Breaks(Impact::Rejected, shown),
            // A value that has the member does not show that it is missing.
            Outcome::Found(false, _) if self.is_withdrawn(id, difference, sender) => {
                return Verdict::Breaks(Impact::Withdrawn, None);
            }
            Outcome::Found(false, shown) => return Verdict::Harmless(Impact::Undocumented, shown),
            Outcome::Lost(place, values) => {
                lost = Some(place);
                let member = Member::quiet(id, difference, values);
                let text = self.text_around(place, one);
                self.groups.join(place, sender, text, member);
            }
            Outcome::MadeUp => made_up.0 = true,
            Outcome::None => {}
        }
        if self.is_withdrawn(id, difference, sender) {
            let unsent = self.raised(&edits, &trial, rest, one.root, spot, false);
            return Verdict::Breaks(Impact::Withdrawn, unsent.shown());
        }
        self.without_harm(id, difference, spot, one, inside, (&trial, lost, made_up))
    }
}
