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
use crate::document::pointer;
use crate::finding::{SchemaChange, Sender, Side};

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
        if self.is_restated(id, difference, around) {
            return Effect::NONE;
        }
        if united && is_open(difference, views) && !self.is_known_member(id, difference) {
            return Effect::NONE;
        }
        if plain
            && spot.text != Text::No
            && let Some(effect) = self.of_listed_texts(id, difference)
        {
            return effect;
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
                let branch = match (old, new) {
                    (Some(old), _) => Some((Side::Old, old)),
                    (None, new) => new.as_ref().map(|new| (Side::New, new)),
                };
                match branch {
                    Some((side, at)) if self.is_apart(id, keyword, (side, at)) => {
                        effect::of_branch("anyOf", old.is_some())
                    }
                    _ => {
                        let turned = self.of_overlapping_branch(id, difference, old.is_some());
                        turned.unwrap_or(own)
                    }
                }
            }
            _ => own,
        };
        let mut names = effect::names_members(&difference.keyword);
        let mut in_place = true;
        let mut inner = id;
        let mut found = own;
        for (index, (pair, keyword, step)) in around.iter().enumerate() {
            in_place &= step.is_in_place();
            let alternative = std::mem::replace(&mut inner, *pair);
            let is_one_of = keyword == "oneOf";
            let is_united = is_one_of && self.are_united(id, Some(difference), around, index);
            let turned = match is_one_of && !is_united {
                true => self.of_overlapping(*pair, alternative, difference, found),
                false => None,
            };
            let is_passed_on = is_united || is_one_of && (seen || !in_place);
            found = match effect::variance(keyword, names, self.views(*pair)) {
                _ if turned.is_some() => turned.unwrap_or(found),
                _ if is_passed_on => found,
                1 => found,
                -1 => found.reversed(),
                _ => Effect::ANY,
            };
            names &= *step == Step::Same;
        }
        found
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

    /// Whether another schema that the same object has to meet says what a property that comes, or goes, says.
    fn is_restated(
        &self,
        id: usize,
        difference: &Difference,
        around: &[(usize, String, Step)],
    ) -> bool {
        let [
            Edit::Entry {
                schema,
                keyword,
                name,
                new,
            },
        ] = &difference.edits[..]
        else {
            return false;
        };
        let expected = match new {
            Some(_) => Effect::NARROWS,
            None => Effect::WIDENS,
        };
        if keyword != "properties" || difference.effect != expected {
            return false;
        }
        let conjunction = around
            .iter()
            .take_while(|(_, keyword, step)| keyword == "allOf" && *step == Step::Same);
        let whole = conjunction.last().map_or(id, |(pair, ..)| *pair);
        let sides = &self.walk.sides;
        let own = match new {
            Some(new) => (Side::New, new.clone()),
            None => {
                let properties = pointer::join(schema, "properties");
                (Side::Old, pointer::join(&properties, name))
            }
        };
        let is_scalar = |at: &str| {
            let view = sides.view_at((Side::Old, at));
            view.types()
                .is_some_and(|types| types.iter().all(|name| name != "object" && name != "array"))
        };
        let others = self.meaning.demands_of(self.at(whole).0, schema, name);
        others
            .iter()
            .any(|at| is_scalar(at) && sides.covers((own.0, &own.1), (Side::Old, at)))
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
