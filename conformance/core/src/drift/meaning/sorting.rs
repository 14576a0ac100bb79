//! Sorting values out: which of them tell an edited schema from what it was, and of what use they are as examples.

use serde_json::Value;

use super::super::site::Text;
use super::as_text::{accepted, is_written};
use super::edit::Edit;
use super::embed::{self, Step};
use super::trial::{CARRIED, KEPT, Trial, Tried, says_its_numbers};
use super::tried::{distinct, size};
use super::{Meaning, Spot, judge};
use crate::finding::{Sender, Undecided};

impl Meaning<'_> {
    /// As [`Self::trial`], with these values.
    ///
    /// # Errors
    /// Says why values cannot be checked against the schemas.
    pub(in super::super) fn sort_out(
        &self,
        spot: Spot<'_>,
        changes: &[&Edit],
        values: Vec<Value>,
    ) -> Result<Trial, Undecided> {
        let Spot { at, sender, text } = spot;
        let (old, new) = self.makers(sender);
        let mut values = values;
        values.retain(|value| is_written(value, text));
        let edits = Some(self.edits(sender, changes));
        old.source.judge.take_replaced();
        let one = accepted(&old.source, at.0, &values, None, text)?;
        let other = accepted(&old.source, at.0, &values, edits, text)?;
        let judged = values.iter().zip(one.iter().zip(&other));
        let mut apart: Vec<(Value, bool)> = judged
            .filter(|(_, (one, other))| one != other)
            .map(|(value, (one, _))| (value.clone(), *one))
            .collect();
        if apart.is_empty() {
            return Ok(Trial::default());
        }
        // A value that only the edited schema accepts becomes an example once it has everything else that the new schema requires.
        let completed: Vec<Value> = apart
            .iter()
            .filter(|(_, in_old)| !in_old)
            .take(CARRIED)
            .flat_map(|(value, _)| embed::around(new, at.1, &Step::Same, value))
            .collect();
        if !completed.is_empty() {
            let completed = distinct(completed, KEPT);
            let one = accepted(&old.source, at.0, &completed, None, text)?;
            let other = accepted(&old.source, at.0, &completed, edits, text)?;
            let more = completed.into_iter().zip(one.into_iter().zip(other));
            apart.extend(
                more.filter(|(_, (one, other))| !one && *other)
                    .map(|(value, _)| (value, false)),
            );
        }
        // Where other members changed as well, so has a value of the new schema that the old one rejects for this member.
        if let Some(member) = changes.iter().find_map(|edit| edit.member())
            && apart.iter().any(|(_, in_old)| !in_old)
            && let Ok(in_new) = accepted(&new.source, at.1, &values, None, text)
        {
            let shown = values.into_iter().zip(in_new.into_iter().zip(&one));
            let shown = shown.filter(|(_, (in_new, in_old))| *in_new && !**in_old);
            let shown: Vec<Value> = shown.map(|(value, _)| value).take(KEPT).collect();
            let about = judge::rejected_for(&old.source, at.0, &shown, member)?;
            let about = shown.into_iter().zip(about).filter(|(_, about)| *about);
            apart.extend(about.map(|(value, _)| (value, false)));
        }
        let values: Vec<Value> = apart.iter().map(|(value, _)| value.clone()).collect();
        let real = accepted(&new.source, at.1, &values, None, text);
        let stands_in = old.source.judge.take_replaced();
        let mut trial = Trial::default();
        let typed = self.typed(spot, changes, &apart);
        let is_sent = |in_old: bool| in_old == (sender == Sender::Client);
        let sent = apart.iter().filter(|(_, in_old)| is_sent(*in_old));
        let sent: Vec<&Value> = sent.map(|(value, _)| value).collect();
        let mut documented = self.documents(at, sender, &sent, changes).into_iter();
        for (index, (value, in_old)) in apart.into_iter().enumerate() {
            let in_new = real.as_ref().map_or(in_old, |real| real[index]);
            let is_sent = is_sent(in_old);
            let tried = Tried {
                real: in_old != in_new,
                documented: is_sent && documented.next().unwrap_or(false),
                typed: typed.get(index).copied().unwrap_or(true),
                stands_in,
                value,
            };
            match is_sent {
                true => trial.rejected.push(tried),
                false => trial.unsent.push(tried),
            }
        }
        trial.rank();
        if sender == Sender::Client && text == Text::No && self.only_adds_member(spot, changes) {
            self.confirm(at.0, sender, &mut trial.rejected);
            trial.rank();
        }
        Ok(trial)
    }

    /// Returns the smallest of a few values that tells an edited schema from what it was, to both whole documents, and whose members the
    /// sender documents if it sends it. `rejected` says whether it is to be sent.
    pub(super) fn first_apart(
        &self,
        spot: Spot<'_>,
        changes: &[&Edit],
        values: &[Value],
        rejected: bool,
    ) -> Option<Tried> {
        let Spot { at, sender, text } = spot;
        if text != Text::No {
            return None;
        }
        let (old, new) = self.makers(sender);
        let edits = Some(self.edits(sender, changes));
        let in_old = rejected == (sender == Sender::Client);
        old.source.judge.take_replaced();
        let one = accepted(&old.source, at.0, values, None, text).ok()?;
        let mut left: Vec<Value> = values.to_vec();
        let mut fit = one.into_iter().map(|one| one == in_old);
        left.retain(|_| fit.next().unwrap_or(false));
        for (source, at, edits) in [(&old.source, at.0, edits), (&new.source, at.1, None)] {
            if left.is_empty() {
                return None;
            }
            let mut fit = accepted(source, at, &left, edits, text).ok()?.into_iter();
            left.retain(|_| fit.next().is_some_and(|fits| fits != in_old));
        }
        let stands_in = old.source.judge.take_replaced();
        left.retain(says_its_numbers);
        let value = left.into_iter().min_by_key(size)?;
        let is_told = !rejected || self.documents(at, sender, &[&value], changes) == [true];
        is_told.then_some(Tried {
            real: true,
            documented: rejected,
            typed: true,
            stands_in,
            value,
        })
    }

    /// Which values are accepted as they are; all of them where values are not text. Each comes with whether the old schema accepts it, or
    /// else the edited one.
    fn typed(&self, spot: Spot<'_>, changes: &[&Edit], values: &[(Value, bool)]) -> Vec<bool> {
        if spot.text == Text::No {
            return Vec::new();
        }
        let (old, _) = self.makers(spot.sender);
        let all: Vec<Value> = values.iter().map(|(value, _)| value.clone()).collect();
        let accepted = |edits| judge::accepted(&old.source, spot.at.0, &all, edits);
        let (Ok(one), Ok(other)) = (
            accepted(None),
            accepted(Some(self.edits(spot.sender, changes))),
        ) else {
            return Vec::new();
        };
        let sides = one.into_iter().zip(other);
        let typed = values.iter().zip(sides);
        typed
            .map(|((_, in_old), (one, other))| if *in_old { one } else { other })
            .collect()
    }
}
