//! Schemas in the place of others that they have no keyword in common with.

use std::collections::BTreeSet;

use super::effect::Effect;
use super::matching::Sides;
use super::side::Side;
use super::view::{View, is_annotation};

/// Whether two schemas have no keyword in common, so that reporting each would hide the cause.
pub(super) fn is_replaced(old: &View, new: &View) -> bool {
    let keywords = |view: &View| {
        let all = view.parts.keys();
        let all = all.filter(|keyword| !is_annotation(keyword) && *keyword != "discriminator");
        all.cloned().collect::<BTreeSet<String>>()
    };
    let (one, other) = (keywords(old), keywords(new));
    // Branches are compared with branches.
    let branches = |keywords: &BTreeSet<String>| {
        ["oneOf", "anyOf"]
            .iter()
            .any(|keyword| keywords.contains(*keyword))
    };
    !(branches(&one) && branches(&other))
        && one.len() + other.len() >= 2
        && one.is_disjoint(&other)
        && !old.never
        && !new.never
}

/// The effect of a schema in the place of another one, where one of the two is an alternative of the other.
pub(super) fn effect_of_replaced(sides: &Sides<'_>, (old, new): (&View, &View)) -> Effect {
    let has_others = |side: &Side<'_>, view: &View, is_it: &dyn Fn(&String) -> bool| {
        let mut says = view.parts.keys();
        let is_union = |one: &String| {
            ["anyOf", "oneOf", "discriminator"].contains(&one.as_str()) || is_annotation(one)
        };
        let (any, one) = (view.branches("anyOf"), view.branches("oneOf"));
        says.all(is_union)
            && (one.is_empty() && any.iter().any(is_it)
                || any.is_empty() && one.iter().any(|at| is_it(at) && is_apart(side, at, one)))
    };
    if has_others(&sides.new, new, &|at| sides.same(&old.pointer, at)) {
        Effect::WIDENS
    } else if has_others(&sides.old, old, &|at| sides.same(at, &new.pointer)) {
        Effect::NARROWS
    } else {
        Effect::ANY
    }
}

/// Whether the branch at `at` is of other types than the others.
fn is_apart(side: &Side<'_>, at: &str, branches: &[String]) -> bool {
    let types = |at: &str| {
        let view = side.view(&side.known_as(at));
        let types = view.types()?.iter();
        let types = types.map(|name| match name.as_str() {
            Some("integer") => "number".to_owned(),
            name => name.unwrap_or_default().to_owned(),
        });
        let null = view.or_null.then(|| "null".to_owned());
        Some(types.chain(null).collect::<BTreeSet<String>>())
    };
    let own = types(at);
    let mut others = branches.iter().filter(|other| *other != at);
    own.is_some_and(|own| {
        others.all(|other| types(other).is_some_and(|other| own.is_disjoint(&other)))
    })
}
