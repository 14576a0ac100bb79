//! Where a difference is judged: the smallest schema that a whole value has to meet, and the schemas around it.

use super::super::meaning::{Around, Edit, Focus, Spot, Step, Trial};
use super::super::site::Text;
use super::decider::Decider;
use super::differences::Difference;
use super::effect;
use super::ways::Use;
use crate::finding::{Sender, Undecided};

impl<'d> Decider<'d, '_, '_> {
    /// How many of the schemas around a difference are met by the same value; for a flag of a member, by the object that has it.
    pub(super) fn in_place(difference: &Difference, around: &[(usize, String, Step)]) -> usize {
        let same = |from: usize| {
            let rest = around[from..].iter();
            from + rest.take_while(|(.., step)| step.is_in_place()).count()
        };
        let own = same(0);
        let flag = matches!(difference.edits.first(), Some(Edit::Flag { .. }));
        match around.get(own) {
            Some((_, _, Step::Member(_))) if flag => same(own + 1),
            _ => own,
        }
    }

    /// Whether a value lies in a member that is not sent in this direction: by the old document, which a difference is an edit of, or by
    /// the sender's.
    pub(super) fn is_hidden(&self, around: &[(usize, String, Step)], sender: Sender) -> bool {
        around.iter().any(|(pair, _, step)| match step {
            Step::Member(name) => {
                let (old, new) = self.meaning.hides(self.at(*pair), sender, name);
                old || new && sender == Sender::Server
            }
            _ => false,
        })
    }

    /// How many of the schemas around a difference there are up to the outermost one that does not simply accept more where the inner
    /// one does: `not`, `if`, `oneOf` whose alternatives overlap, `contains` with a limit, and the like.
    pub(super) fn turned(
        &self,
        id: usize,
        difference: Option<&Difference>,
        around: &[(usize, String, Step)],
        inside: usize,
    ) -> Option<usize> {
        let turns = |index: &usize| {
            let (pair, keyword, step) = &around[*index];
            effect::variance(keyword, step.is_in_place(), self.views(*pair)) != 1
                && !(keyword == "oneOf" && self.are_united(id, difference, around, *index))
        };
        let last = (inside..around.len()).rev().find(turns)?;
        let rest = around[last + 1..].iter();
        Some(last + 1 + rest.take_while(|(.., step)| step.is_in_place()).count())
    }

    /// The schemas around others, for values to be put into them.
    pub(super) fn levels<'p>(
        &self,
        around: &'p [(usize, String, Step)],
        root: usize,
    ) -> Vec<Around<'p>>
    where
        'd: 'p,
    {
        let level = |(index, (pair, _, step)): (usize, &'p (usize, String, Step))| Around {
            at: self.at(*pair),
            step,
            text: self.text_at(&around[index + 1..], root),
        };
        around.iter().enumerate().map(level).collect()
    }

    /// How values with these schemas around them stand as text. The members of a form are text, and the items of their lists.
    pub(super) fn text_at(&self, around: &[(usize, String, Step)], root: usize) -> Text {
        let steps = around.iter().map(|(.., step)| step);
        let outwards: Vec<&Step> = steps.filter(|step| !step.is_in_place()).collect();
        match self.roots[root].text {
            Text::Form => {}
            // Of a list, each text may be empty.
            Text::Segment if !outwards.is_empty() => return Text::Scalar,
            whole => return whole,
        }
        let is_member =
            |step: &Step| matches!(step, Step::Member(_) | Step::ByPattern(_) | Step::Rest);
        match outwards[..] {
            [] => Text::Form,
            [member] if is_member(member) => Text::Exploded,
            [Step::Item(_) | Step::Items | Step::Contains, member] if is_member(member) => {
                Text::Scalar
            }
            _ => Text::No,
        }
    }

    /// How the values of a schema around a difference stand as text.
    pub(super) fn text_around(&self, place: usize, one: &Use) -> Text {
        let index = one.around.iter().position(|(pair, ..)| *pair == place);
        self.text_at(&one.around[index.map_or(0, |index| index + 1)..], one.root)
    }

    /// Tries a difference in a surrounding schema, which the values of `inner` are put into.
    pub(super) fn turned_trial(
        &self,
        difference: &Difference,
        inner: &Trial,
        levels: &[Around<'_>],
        from: Spot<'_>,
        spot: Spot<'_>,
    ) -> Result<Trial, Undecided> {
        let edits: Vec<&Edit> = difference.edits.iter().collect();
        let all = inner
            .rejected
            .iter()
            .take(4)
            .chain(inner.unsent.iter().take(4));
        let values = all.map(|tried| tried.value.clone()).collect();
        let lifted = self.meaning.lift(values, levels, from);
        let spoiled = self.meaning.spoiled(&lifted, spot);
        let mut trial = self.meaning.sort_out(spot, &edits, lifted)?;
        if trial.rejected.is_empty() {
            trial = trial.with(self.meaning.sort_out(spot, &edits, spoiled)?);
        }
        if !trial.rejected.is_empty() {
            return Ok(trial);
        }
        let names = levels.iter().filter_map(|level| match level.step {
            Step::Member(name) => Some(name.clone()),
            _ => None,
        });
        let focus = Focus::All(names.collect());
        let mut more = self.meaning.trial(spot, &edits, &focus)?;
        more.unsent.extend(trial.unsent);
        Ok(more)
    }
}
