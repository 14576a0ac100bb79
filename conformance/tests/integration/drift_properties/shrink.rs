//! Trying a property on many cases, and making the first one that breaks it small.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::change::{Case, What};
use super::model::Object;

use crate::drift_support::random::Random;

/// The property that is tried.
type Property<'p> = &'p dyn Fn(&Case) -> Result<(), String>;

/// How often a smaller case is tried.
const TRIES: usize = 600;

/// How many of the rounds a property gets: `CONFORMANCE_ROUNDS` says how many all properties have, 2,250 without it.
pub(crate) fn rounds(share: u64) -> u64 {
    let all = std::env::var("CONFORMANCE_ROUNDS")
        .map_or(2250, |text| text.parse().expect("a number of rounds"));
    (share * all).div_ceil(2250)
}

/// Tries a property on cases at random; prints the first that breaks it, made small, and how many do.
pub(crate) fn hold(
    seeds: std::ops::Range<u64>,
    make: &dyn Fn(&mut Random) -> Case,
    property: Property<'_>,
) {
    let all = seeds.end - seeds.start;
    let broken = |seed: &u64| tried(&make(&mut Random::new(*seed)), property).is_err();
    let broken: Vec<u64> = seeds.filter(broken).collect();
    if let Some(seed) = broken.first() {
        let case = make(&mut Random::new(*seed));
        let fault = tried(&case, property).expect_err("it broke the property before");
        let (case, fault) = smaller(case, fault, property);
        let old = case.old.render(&case.names).text();
        let new = case.with(&case.changes).render(&case.names).text();
        let count = broken.len();
        panic!(
            "{count} of {all} rounds, the first with seed {seed}:\n{fault}\nold: {old}\nnew: {new}"
        );
    }
}

thread_local! {
    static IS_TRYING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a property holds; a panic is a fault like another, and is not printed.
fn tried(case: &Case, property: Property<'_>) -> Result<(), String> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_TRYING.get() {
                print(panic);
            }
        }));
    });
    IS_TRYING.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| property(case)));
    IS_TRYING.set(false);
    result.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "a panic".to_owned()))
    })
}

/// The smallest case found that breaks the property as well.
fn smaller(mut case: Case, mut fault: String, property: Property<'_>) -> (Case, String) {
    let mut tries = 0;
    loop {
        let mut found = false;
        let mut index = 0;
        // After one part is removed, the rest is tried further from the same place.
        while let Some(candidate) = without(&case, index) {
            tries += 1;
            if tries > TRIES {
                return (case, fault);
            }
            match candidate
                .as_ref()
                .map(|candidate| tried(candidate, property))
            {
                Some(Err(new_fault)) => {
                    case = candidate.expect("it was tried");
                    fault = new_fault;
                    found = true;
                }
                _ => index += 1,
            }
        }
        if !found {
            return (case, fault);
        }
    }
}

/// The case without its part of that number: changes, uses, members of objects and names, in this order. `None` after the last, and
/// within it where the part cannot go.
fn without(case: &Case, index: usize) -> Option<Option<Case>> {
    let mut smaller = case.clone();
    let mut index = index;
    if index < case.changes.len() {
        smaller.changes.remove(index);
        return Some((!smaller.changes.is_empty()).then_some(smaller));
    }
    index -= case.changes.len();
    if index < case.old.uses.len() {
        smaller.old.uses.remove(index);
        return Some((!smaller.old.uses.is_empty()).then_some(smaller));
    }
    index -= case.old.uses.len();
    let members: Vec<usize> = case
        .old
        .objects()
        .iter()
        .flat_map(|object| &object.members)
        .map(|member| member.id)
        .collect();
    if let Some(id) = members.get(index) {
        let needed = |object: &Object| {
            case.changes.iter().any(|change| match &change.what {
                What::Add { object: owner, .. } => *owner == object.id,
                _ => object
                    .members
                    .iter()
                    .any(|member| member.id == change.member),
            })
        };
        let (_, member) = case.old.member(*id)?;
        let holds_change = case.changes.iter().any(|change| change.member == *id)
            || case
                .old
                .objects()
                .iter()
                .any(|object| needed(object) && holds(member.schema.object(), object.id));
        smaller.old.without(*id);
        for change in &mut smaller.changes {
            if let What::Schema(schema, _) = &mut change.what {
                schema.without(*id);
            }
        }
        return Some((!holds_change).then_some(smaller));
    }
    index -= members.len();
    // A name of one letter that says which member it is of.
    let name = case.names.get(index)?;
    let plain = format!("m{index}");
    let can = *name != plain && !case.names.contains(&plain);
    smaller.names[index] = plain;
    Some(can.then_some(smaller))
}

/// Whether an object is, or has within it, the object with an id.
fn holds(object: Option<&Object>, id: usize) -> bool {
    object.is_some_and(|object| {
        object.id == id
            || object
                .members
                .iter()
                .any(|member| holds(member.schema.object(), id))
    })
}
