//! Whether a schema accepts nothing, as far as its keywords say so plainly: bounds that exclude each other, values that are listed and of
//! another type, alternatives that are the same one twice. A schema in which this is not seen counts as accepting something.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use foldhash::HashMap;
use serde_json::Value;

use super::super::equal::{canonical, identity};
use super::super::meaning::{are_apart, exclude, lengths};
use super::effect::Effect;
use super::range::Range;
use super::vacant::{DEPTH, Vacancy, count, number, property};
use super::view::{Content, View, is_annotation};
use crate::document::{Decimal, Literal};
use crate::schema::number_format;

/// How many schemas that a value has to meet are looked at together.
const CONJUNCTS: usize = 40;

/// How deep schemas of one member are looked at together.
const TOGETHER: usize = 2;

/// All types of values.
const TYPES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

impl Vacancy<'_, '_> {
    /// Whether the schema at `at` accepts nothing.
    ///
    /// Values are finite, so a schema that needs a smaller value of itself has none unless another way is open: within itself, a schema is
    /// taken to accept nothing. What rests on that of a schema further out is not kept, because that one may accept something after all.
    pub(super) fn is_nothing(&self, at: &str, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        let at = self.side.known_as(at);
        if let Some(known) = self.nothing.borrow().get(&at) {
            return *known;
        }
        let open = self.open.borrow().iter().position(|one| *one == at);
        if let Some(index) = open {
            self.rests_on.set(self.rests_on.get().min(index));
            return true;
        }
        let index = self.open.borrow().len();
        let outer = self.rests_on.replace(usize::MAX);
        self.open.borrow_mut().push(at.clone());
        let nothing = self.is_empty(&self.side.view(&at), depth);
        self.open.borrow_mut().pop();
        let rests_on = self.rests_on.get();
        if !nothing || rests_on >= index {
            self.nothing.borrow_mut().insert(at, nothing);
        }
        let passed_on = if nothing && rests_on < index {
            rests_on
        } else {
            usize::MAX
        };
        self.rests_on.set(outer.min(passed_on));
        nothing
    }

    pub(super) fn is_empty(&self, view: &View, depth: usize) -> bool {
        if view.never || view.or_null {
            return view.never;
        }
        self.are_empty(std::slice::from_ref(view), depth)
    }

    /// Whether no value meets all of `views`.
    fn are_empty(&self, views: &[View], depth: usize) -> bool {
        let mut conjuncts = Vec::new();
        for view in views {
            self.conjuncts(view, depth, &mut conjuncts);
        }
        if conjuncts.iter().any(|one| one.never) {
            return true;
        }
        // Whether null is valid is not looked into.
        conjuncts.retain(|one| !one.or_null);
        let all: Vec<&View> = conjuncts.iter().collect();
        let mut branches = all.iter().flat_map(|one| {
            let keywords = ["anyOf", "oneOf"].into_iter();
            keywords.map(|keyword| (keyword, one.branches(keyword)))
        });
        self.is_unlisted(&all)
            || self.has_no_type(&all, depth)
            || branches.any(|(keyword, branches)| {
                !branches.is_empty()
                    && (branches.iter().all(|at| self.is_nothing(at, depth))
                        || depth > 0 && keyword == "oneOf" && self.are_twice(branches))
            })
    }

    /// Whether no value meets both of the schemas at these places.
    pub(super) fn are_apart(&self, one: &str, other: &str) -> bool {
        let views = [one, other].map(|at| self.side.view(&self.side.known_as(at)));
        let [one, other] = &views;
        let are_texts = views
            .iter()
            .all(|view| !view.or_null && matches!(view.types(), Some([name]) if name == "string"));
        let differ = |keyword: &str, are_apart: fn(&str, &str) -> bool| {
            let both = text(one, keyword).zip(text(other, keyword));
            both.is_some_and(|(one, other)| are_apart(one, other))
        };
        are_texts && (differ("format", exclude) || differ("pattern", are_apart))
            || self.are_empty(&views, DEPTH)
    }

    /// Whether no object meets both of the schemas at these places.
    pub(super) fn have_no_object(&self, one: &str, other: &str) -> bool {
        let mut conjuncts = Vec::new();
        for at in [one, other] {
            let view = self.side.view(&self.side.known_as(at));
            self.conjuncts(&view, DEPTH, &mut conjuncts);
        }
        let all: Vec<&View> = conjuncts.iter().filter(|one| !one.or_null).collect();
        self.is_impossible(&all, "object", false, DEPTH)
    }

    /// All schemas that each value of `view` has to meet.
    fn conjuncts(&self, view: &View, depth: usize, all: &mut Vec<View>) {
        all.push(view.clone());
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        for branch in view.branches("allOf") {
            if all.len() < CONJUNCTS {
                self.conjuncts(&self.side.view(branch), depth, all);
            }
        }
    }

    /// Whether each of the alternatives is there more than once, so that no value matches exactly one of them.
    fn are_twice(&self, branches: &[String]) -> bool {
        if branches.len() < 2 {
            return false;
        }
        let mut seen: HashMap<String, usize> = HashMap::default();
        for at in branches {
            let (_, value) = self.side.known(at);
            let text = value.map_or_else(|| at.clone(), canonical);
            *seen.entry(text).or_default() += 1;
        }
        seen.values().all(|count| *count > 1)
    }

    /// Whether all values that are listed are rejected for another reason.
    fn is_unlisted(&self, all: &[&View]) -> bool {
        let mut listed = all.iter().filter_map(|one| {
            let part = one.parts.get("enum")?;
            matches!(part.content, Content::Set(_)).then(|| part.literals())
        });
        listed.any(|values| !values.iter().any(|value| self.admits(all, value)))
    }

    /// Whether no keyword that says so plainly rejects the value.
    fn admits(&self, all: &[&View], literal: &Literal) -> bool {
        let value = literal.value();
        let known = identity(literal);
        let is_listed = |view: &View| {
            let part = view.parts.get("enum");
            part.is_none_or(|part| part.literals().iter().any(|one| identity(one) == known))
        };
        let is_typed = |view: &View| {
            let types = view.types();
            types.is_none_or(|types| types.iter().any(|name| is_of(value, name)))
        };
        let measures = match value {
            Value::String(text) => {
                let length = count(text.chars().count());
                within(all, ("minLength", "maxLength"), &length)
            }
            Value::Array(items) => within(all, ("minItems", "maxItems"), &count(items.len())),
            Value::Object(members) => {
                let size = count(members.len());
                within(all, ("minProperties", "maxProperties"), &size)
            }
            Value::Number(_) => {
                let number = literal.number();
                number.is_none_or(|number| numbers(all).holds(&number))
            }
            Value::Null | Value::Bool(_) => true,
        };
        all.iter().all(|one| is_listed(one) && is_typed(one)) && measures
    }

    /// Whether the schemas that several of `all` have for the member `name` accept no value together.
    fn has_no_value(&self, all: &[&View], name: &str, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        let schemas = all.iter().filter_map(|one| property(one, name));
        let views: Vec<View> = schemas.map(|at| self.side.view(at)).collect();
        views.len() > 1 && self.are_empty(&views, depth)
    }

    /// Whether no type is left that all schemas allow values of.
    fn has_no_type(&self, all: &[&View], depth: usize) -> bool {
        let said = all
            .iter()
            .any(|one| one.types().is_some() || one.parts.contains_key("not"));
        if !said {
            return false;
        }
        let allows = |view: &View, name: &str| {
            view.types().is_none_or(|types| {
                types
                    .iter()
                    .any(|one| one == name || name == "number" && one == "integer")
            })
        };
        let integer = all.iter().any(|one| {
            let types = one.types();
            types.is_some_and(|types| {
                types.iter().any(|one| one == "integer") && !types.iter().any(|one| one == "number")
            })
        });
        let is_left = |name: &&str| {
            all.iter()
                .all(|one| allows(one, name) && !self.refuses_type(one, name, depth))
                && !self.is_impossible(all, name, integer, depth)
        };
        !TYPES.iter().any(is_left)
    }

    /// Whether `not` rejects all values of the type.
    fn refuses_type(&self, view: &View, name: &str, depth: usize) -> bool {
        let Some(Content::One(at)) = view.parts.get("not").map(|part| &part.content) else {
            return false;
        };
        if depth == 0 {
            return false;
        }
        let inner = self.side.view(at);
        let only_types = inner
            .parts
            .keys()
            .all(|keyword| keyword == "type" || is_annotation(keyword));
        !inner.never
            && only_types
            && inner.types().is_none_or(|types| {
                types.iter().any(|one| one == name) || inner.or_null && name == "null"
            })
    }

    /// Whether no value of the type is accepted.
    fn is_impossible(&self, all: &[&View], name: &str, integer: bool, depth: usize) -> bool {
        let most = |keyword: &str| all.iter().filter_map(|one| number(one, keyword)).min();
        let least = |keyword: &str| all.iter().filter_map(|one| number(one, keyword)).max();
        let exceeds = |low: Option<Decimal>, high: Option<Decimal>| match (low, high) {
            (Some(low), Some(high)) => low > high,
            _ => false,
        };
        match name {
            "string" => {
                let formats = all.iter().filter_map(|one| format_lengths(one));
                let (shortest, longest): (Vec<usize>, Vec<Option<usize>>) = formats.unzip();
                let shortest = shortest.into_iter().max().map(count);
                let longest = longest.into_iter().flatten().min().map(count);
                let most = [most("maxLength"), longest].into_iter().flatten().min();
                exceeds(least("minLength").max(shortest), most)
            }
            "number" => numbers(all).is_empty(integer),
            "array" => {
                let contained = all.iter().filter(|one| one.parts.contains_key("contains"));
                let contained = contained
                    .map(|one| number(one, "minContains").unwrap_or_else(|| count(1)))
                    .max();
                let most = all
                    .iter()
                    .filter_map(|one| self.most_items(one, depth))
                    .min();
                exceeds(least("minItems").max(contained), most)
            }
            "object" => {
                let required = all.iter().flat_map(|one| self.required(one, depth));
                let required: BTreeSet<String> = required.collect();
                let least = least("minProperties").max(Some(count(required.len())));
                let most = all
                    .iter()
                    .filter_map(|one| self.most_members(one, depth))
                    .min();
                exceeds(least, most)
                    || required
                        .iter()
                        .any(|name| !all.iter().all(|one| self.may_have(one, name, depth)))
                    || required
                        .iter()
                        .any(|name| self.has_no_value(all, name, depth.min(TOGETHER)))
            }
            _ => false,
        }
    }
}

/// The text that a keyword says.
fn text<'v>(view: &'v View, keyword: &str) -> Option<&'v str> {
    match &view.parts.get(keyword)?.content {
        Content::Value(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// How long the texts of a schema's format are.
fn format_lengths(view: &View) -> Option<(usize, Option<usize>)> {
    lengths(text(view, "format")?)
}

/// The demands on numbers.
fn numbers(all: &[&View]) -> Range {
    let mut range = Range::default();
    for view in all {
        for (keyword, excluded) in [("minimum", false), ("exclusiveMinimum", true)] {
            if let Some(bound) = number(view, keyword) {
                range.at_least(bound, excluded);
            }
        }
        for (keyword, excluded) in [("maximum", false), ("exclusiveMaximum", true)] {
            if let Some(bound) = number(view, keyword) {
                range.at_most(bound, excluded);
            }
        }
        if let Some(step) = number(view, "multipleOf") {
            range.multiple_of(step);
        }
        let format = view.parts.get("format").map(|part| &part.content);
        if let Some(Content::Value(Value::String(format))) = format
            && let Some((Value::Number(least), Value::Number(most))) = number_format::range(format)
        {
            range.at_least(Decimal::of(&least), false);
            range.at_most(Decimal::of(&most), false);
        }
    }
    range
}

/// Returns the effect of a numeric bound beside the others of the old schema: none where these are tighter before and after.
pub(super) fn of_bounds(keyword: &str, (old, new): (&View, &View)) -> Option<Effect> {
    let (ends, is_upper) = match keyword {
        "minimum" | "exclusiveMinimum" => (["minimum", "exclusiveMinimum"], false),
        "maximum" | "exclusiveMaximum" => (["maximum", "exclusiveMaximum"], true),
        _ => return None,
    };
    let mut edited = old.clone();
    let replaced = [old, new]
        .iter()
        .all(|view| !view.parts.contains_key(keyword));
    for end in ends.iter().filter(|end| replaced || **end == keyword) {
        match new.parts.get(*end) {
            Some(part) => edited.parts.insert((*end).to_owned(), part.clone()),
            None => edited.parts.remove(*end),
        };
    }
    let (before, after) = (numbers(&[old]), numbers(&[&edited]));
    let order = match is_upper {
        true => after.top().cmp(&before.top()),
        false => before.bottom().cmp(&after.bottom()),
    };
    Some(Effect {
        narrows: order == Ordering::Less,
        widens: order == Ordering::Greater,
    })
}

/// Whether a size is within the bounds that these keywords give.
fn within(all: &[&View], (least, most): (&str, &str), size: &Decimal) -> bool {
    all.iter().all(|one| {
        number(one, least).is_none_or(|least| *size >= least)
            && number(one, most).is_none_or(|most| *size <= most)
    })
}

/// Whether a value is of the type `name`.
pub(super) fn is_of(value: &Value, name: &Value) -> bool {
    match (value, name.as_str()) {
        (Value::Null, Some("null"))
        | (Value::Bool(_), Some("boolean"))
        | (Value::Number(_), Some("number"))
        | (Value::String(_), Some("string"))
        | (Value::Array(_), Some("array"))
        | (Value::Object(_), Some("object")) => true,
        (Value::Number(number), Some("integer")) => Decimal::of(number).is_integer(),
        _ => false,
    }
}
