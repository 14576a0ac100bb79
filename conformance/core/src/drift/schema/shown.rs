//! The value that shows a difference: put into the body or parameter that it is part of, and checked there on both documents.

use serde_json::Value;

use super::super::meaning::{Around, Edit, Focus, Raised, Spot, Step, Trial, Tried};
use super::decider::Decider;
use crate::document::pointer;
use crate::finding::{Proof, Sender, Side};

/// How deep a difference may lie below a body or parameter for a whole value to be made.
const LEVELS: usize = 60;

/// Puts values into the whole body or parameter.
pub(super) enum Outcome {
    /// There are none.
    None,
    /// The difference shows, in a value whose members its sender documents or not.
    Found(bool, Option<Shown>),
    /// The schema at this place keeps the difference from showing in these values of it.
    Lost(usize, Vec<Value>),
    /// Other differences make up for it.
    MadeUp,
}

impl Outcome {
    pub(super) fn shown(self) -> Option<Shown> {
        match self {
            Self::Found(_, shown) => shown,
            Self::None | Self::Lost(..) | Self::MadeUp => None,
        }
    }
}

/// A value of a whole body or parameter, or of the part of it that differs.
pub(super) struct Shown {
    pub(super) value: Value,
    pub(super) root: usize,
    pub(super) accepted_by: Side,
    /// Where in the value the difference is.
    pub(super) at: String,
}

impl Decider<'_, '_, '_> {
    /// Puts the values of a trial into the whole body or parameter.
    pub(super) fn raised(
        &self,
        edits: &[&Edit],
        trial: &Trial,
        rest: &[(usize, String, Step)],
        root: usize,
        spot: Spot<'_>,
        rejected: bool,
    ) -> Outcome {
        let list = if rejected {
            &trial.rejected
        } else {
            &trial.unsent
        };
        let Some(first) = list.first() else {
            return Outcome::None;
        };
        let around = self.levels(rest, root);
        if rest.len() > LEVELS {
            return Outcome::Found(first.documented, None);
        }
        let values: Vec<Value> = list.iter().take(4).map(|one| one.value.clone()).collect();
        let framed = self.meaning.framed(first, &around, spot, edits);
        let mut raised = match framed.filter(|one| one.documented || !rejected) {
            Some(framed) => Raised::Found(framed),
            None if around.is_empty() => Raised::Found(first.clone()),
            None => self.meaning.raise(values, &around, spot, edits, rejected),
        };
        let level = match &raised {
            Raised::Found(_) => None,
            Raised::Lost(level, _) => Some(*level),
            Raised::Stuck => {
                let own = around.iter().skip(1);
                Some(own.take_while(|one| one.step.is_in_place()).count())
            }
        };
        // The schemas around may leave room for a few values only, so look from there; not far for what harms nobody.
        let is_lost = matches!(raised, Raised::Lost(..));
        let is_sought = |level: &usize| {
            let place = around.get(*level).map(|one| one.at);
            let is_large = place.is_some_and(|at| self.meaning.is_large(at, spot.sender));
            rejected || !is_lost && !is_large
        };
        if let Some(level) = level.filter(is_sought)
            && let Some(again) = self.raised_from(edits, rest, &around, spot, level, rejected)
        {
            raised = Raised::Found(again);
        } else if let (Raised::Stuck, Some(level), Some(first)) = (&raised, level, around.first())
            && matches!(first.step, Step::Name | Step::ByPattern(_) | Step::Contains)
        {
            raised = Raised::Lost(level, Vec::new());
        }
        match raised {
            Raised::Found(tried) if !tried.real && self.is_made_up(rest, spot.sender, rejected) => {
                Outcome::MadeUp
            }
            Raised::Found(tried) => {
                let parts = list.iter().map(|one| &one.value);
                let shown = self.shown(edits, parts, &tried, root, spot, rejected);
                Outcome::Found(tried.documented, shown)
            }
            Raised::Lost(level, values) => Outcome::Lost(rest[level].0, values),
            Raised::Stuck => Outcome::Found(first.documented, None),
        }
    }

    /// A value of the outermost schema, made in the schema around of this number.
    pub(super) fn raised_from(
        &self,
        edits: &[&Edit],
        rest: &[(usize, String, Step)],
        around: &[Around<'_>],
        spot: Spot<'_>,
        level: usize,
        rejected: bool,
    ) -> Option<Tried> {
        let outer = around.get(level)?;
        let members = rest[..=level]
            .iter()
            .rev()
            .find_map(|(.., step)| match step {
                Step::Member(name) => Some(name.clone()),
                _ => None,
            });
        let focus = Focus::All(members.into_iter().collect());
        let place = Spot {
            at: outer.at,
            text: outer.text,
            ..spot
        };
        let trial = self.meaning.trial(place, edits, &focus).ok()?;
        let list = if rejected {
            trial.rejected
        } else {
            trial.unsent
        };
        let first = list.first()?.clone();
        let values = list.into_iter().take(4).map(|one| one.value).collect();
        match self
            .meaning
            .raise(values, &around[level + 1..], place, edits, rejected)
        {
            Raised::Found(tried) => Some(tried),
            Raised::Stuck | Raised::Lost(..) if around.len() == level + 1 => Some(first),
            Raised::Stuck | Raised::Lost(..) => None,
        }
    }

    /// A value as it is shown: only one that both documents judge as is said of it.
    pub(super) fn shown<'v>(
        &self,
        edits: &[&Edit],
        parts: impl Iterator<Item = &'v Value>,
        tried: &Tried,
        root: usize,
        spot: Spot<'_>,
        rejected: bool,
    ) -> Option<Shown> {
        if !tried.real {
            return None;
        }
        let accepted_by = match rejected == (spot.sender == Sender::Client) {
            true => Side::Old,
            false => Side::New,
        };
        let value = tried.value.clone();
        let at = &self.roots[root].at;
        let whole = Spot {
            at: (&at.old, &at.new),
            text: self.roots[root].text,
            ..spot
        };
        let in_old = accepted_by == Side::Old;
        if !self.meaning.is_witness(whole, edits, tried, in_old) {
            return None;
        }
        let found = parts
            .filter_map(|part| Some((place_of(&value, part)?, part)))
            .next();
        let mut at = found.as_ref().map_or(String::new(), |(at, _)| at.clone());
        let member = edits.iter().find_map(|edit| edit.member());
        if let (Some(name), Some((_, part))) = (member, &found)
            && part.get(name).is_some()
        {
            at = pointer::join(&at, name);
        } else if let (None, Some((_, part))) = (member, &found)
            && edits.iter().any(|edit| edit.is_of_alternatives())
            && let Some(name) = self.meaning.telling(spot, accepted_by, part)
        {
            at = pointer::join(&at, &name);
        }
        Some(Shown {
            value,
            root,
            accepted_by,
            at,
        })
    }

    /// The proof that a value is.
    pub(super) fn proof(&self, shown: &Shown) -> Proof {
        let root = &self.roots[shown.root];
        Proof::new(
            &root.subject,
            &root.part,
            shown.accepted_by,
            shown.at.clone(),
        )
    }
}

/// Where in `whole` the value `part` is.
fn place_of(whole: &Value, part: &Value) -> Option<String> {
    if whole == part {
        return Some(String::new());
    }
    match whole {
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let below = place_of(member, part)?;
            Some(format!("{}{below}", pointer::join("", name)))
        }),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            let below = place_of(item, part)?;
            Some(format!("{}{below}", pointer::index("", index)))
        }),
        _ => None,
    }
}
