//! The possible effect of a difference on the schema that it is judged in: that of its keyword, through all schemas in between.

use super::super::meaning::{Edit, Spot, Step};
use super::super::site::Text;
use super::decider::Decider;
use super::differences::Difference;
use super::effect::{self, Effect};
use super::structure::is_open;
use super::vacant::{count, number};
use super::view::View;
use super::{nothing, texts};
use crate::finding::{SchemaChange, Sender};

impl Decider<'_, '_, '_> {
    /// Whether the difference adds a property that the old document has elsewhere, such as in an alternative.
    fn is_known_member(&self, id: usize, difference: &Difference) -> bool {
        match &difference.change {
            SchemaChange::PropertyAdded { name, .. } => self.documented(id, name).0,
            _ => false,
        }
    }

    /// Returns the possible effect of a difference on the values of the schema that it is judged in. Branches of `oneOf` are assumed to
    /// exclude each other, because values that show an overlap were tried before. For the `oneOf` directly around the difference, this is
    /// assumed only if values were `seen` that only the receiver accepts.
    pub(super) fn effect(
        &self,
        id: usize,
        difference: &Difference,
        spot: Spot<'_>,
        around: &[(usize, String, Step)],
        seen: bool,
    ) -> Effect {
        let views = self.views(id);
        let plain = around.is_empty();
        // Among alternatives as well, a member more is one that senders of old do not document.
        let united = around.iter().all(|(_, keyword, step)| {
            let covariant = ["oneOf", "anyOf", "allOf", "$ref", "properties", "items"];
            covariant.contains(&keyword.as_str()) || *step == Step::Rest
        });
        if united && is_open(difference, views) && !self.is_known_member(id, difference) {
            return Effect::NONE;
        }
        if plain && spot.text != Text::No && difference.keyword == "type" {
            let exploded = spot.text == Text::Exploded;
            return effect::of_texts(difference.effect, views, exploded);
        }
        if plain && self.is_below_text(spot.text, difference, views) {
            return Effect::NONE;
        }
        let own = match plain {
            true => nothing::of_bounds(&difference.keyword, views).unwrap_or(difference.effect),
            false => difference.effect,
        };
        let least = u64::from(plain && spot.text == Text::Segment);
        let own = texts::effect(&difference.keyword, views, least).unwrap_or(own);
        let own = match &difference.edits[..] {
            [Edit::Flag { set, .. }] => self.of_flag(id, *set, around),
            [
                Edit::Branch {
                    keyword, old, new, ..
                },
            ] if keyword == "oneOf" => {
                // Where it excludes all others, it is as one of `anyOf`.
                match self.is_apart(id, old.is_some(), old.as_ref().or(new.as_ref())) {
                    true => effect::of_branch("anyOf", old.is_some()),
                    false => own,
                }
            }
            _ => own,
        };
        let mut names = effect::names_members(&difference.keyword);
        let mut variance = 1;
        let mut in_place = true;
        let mut inner = id;
        for (pair, keyword, step) in around {
            in_place &= step.is_in_place();
            let (old, new) = self.at(std::mem::replace(&mut inner, *pair));
            variance *= match keyword.as_str() {
                "oneOf" if seen || !in_place => 1,
                "oneOf"
                    if self.is_apart(*pair, true, Some(&old.to_owned()))
                        && self.is_apart(*pair, false, Some(&new.to_owned())) =>
                {
                    1
                }
                keyword => effect::variance(keyword, names, self.views(*pair)),
            };
            names &= *step == Step::Same;
        }
        match variance {
            1 => own,
            -1 => own.reversed(),
            _ => Effect::ANY,
        }
    }

    /// Whether a bound changes below what every text has: a list has an item, and a segment of a path a character.
    fn is_below_text(&self, text: Text, difference: &Difference, views: (&View, &View)) -> bool {
        let keyword = match text {
            Text::Scalar | Text::Exploded => "minItems",
            Text::Segment if difference.keyword == "minItems" => "minItems",
            Text::Segment => "minLength",
            Text::No | Text::Form => return false,
        };
        let one = count(1);
        let is_low = |view| number(view, keyword).is_none_or(|least| least <= one);
        difference.keyword == keyword && is_low(views.0) && is_low(views.1)
    }

    /// Returns the effect of a flag on the object that has the member: it may not have it any more, and need not.
    fn of_flag(&self, id: usize, set: bool, around: &[(usize, String, Step)]) -> Effect {
        let holder = around.iter().find_map(|(_, _, step)| match step {
            Step::Member(name) => Some(name),
            _ => None,
        });
        let whole = around.last().map_or(id, |(pair, ..)| *pair);
        let is_required = holder.is_none_or(|name| self.meaning.requires(self.at(whole), name));
        Effect {
            narrows: set || is_required,
            widens: !set || is_required,
        }
    }

    /// Whether no value of the alternative at `branch` matches another one of the `oneOf` of the old or the new schema of a pair.
    fn is_apart(&self, id: usize, in_old: bool, branch: Option<&String>) -> bool {
        let (view, vacancy) = match in_old {
            true => (self.views(id).0, &self.vacant.0),
            false => (self.views(id).1, &self.vacant.1),
        };
        let known = |at: &str| vacancy.side.known_as(at);
        let Some(own) = branch.map(|at| known(at)) else {
            return false;
        };
        let branches = view.branches("oneOf");
        let others = branches.iter().filter(|at| known(at) != own);
        let all: Vec<&String> = others.collect();
        all.len() + 1 == branches.len() && all.iter().all(|at| vacancy.are_apart(&own, at))
    }

    /// Whether a difference adds a member that a server need not send, to one of alternatives that accept more where the alternative
    /// does: then it sends less than before, or the same.
    pub(super) fn only_narrows(
        &self,
        id: usize,
        difference: &Difference,
        sender: Sender,
        around: &[(usize, String, Step)],
    ) -> bool {
        let is_passed_on = |keyword: &str, pair: usize| {
            let keyword = if keyword == "$ref" { "anyOf" } else { keyword };
            effect::variance(keyword, true, self.views(pair)) == 1
        };
        sender == Sender::Server
            && is_open(difference, self.views(id))
            && matches!(difference.change, SchemaChange::PropertyAdded { .. })
            && !self.is_known_member(id, difference)
            && around
                .iter()
                .all(|(pair, keyword, _)| is_passed_on(keyword, *pair))
    }
}
