//! Properties that verdicts have whatever the documents are, tried on APIs at random.
//!
//! The cases are the same each time. `CONFORMANCE_ROUNDS` is how many there are in all, 2,250 without it; a failure names its seed
//! and prints two small documents.

use crate::drift_support::random;

mod change;
mod generate;
mod hard;
mod mirror;
mod model;
mod names;
mod shrink;
mod told;
mod vary;
mod witness;

use std::cell::Cell;

use conformance::finding::{Finding, Message, Place, SchemaChange, Severity};
use serde_json::{Map, Value};

use change::Case;
use generate::{Wish, case};
use hard::beside_hard_members;
use mirror::mirrored;
use random::Random;
use shrink::{hold, rounds};
use told::{compared, differences};
use witness::Judge;

const MANY: Wish = Wish {
    changes: (2, 8),
    shared_names: true,
    huge: true,
};

/// Changes whose member is known by its name, and whose values the plain validator reads.
const NAMED: Wish = Wish {
    shared_names: false,
    huge: false,
    ..MANY
};

/// Values of members that have no huge numbers tell all differences.
const FEW: Wish = Wish {
    changes: (1, 3),
    huge: false,
    ..MANY
};

const ONE: Wish = Wish {
    changes: (1, 1),
    ..MANY
};

#[test]
fn several_changes_are_found_as_each_of_them_alone() {
    let property = |case: &Case| {
        let mut all = compared(&case.old, &case.with(&case.changes), &case.names);
        // What no change does alone, such as the loss of a member that an object did not need to name as long as it was open.
        all.findings.retain(|found| !is_together(found));
        let all = all.lines();
        let mut single: Vec<String> = case
            .changes
            .iter()
            .flat_map(|change| {
                compared(
                    &case.old,
                    &case.with(std::slice::from_ref(change)),
                    &case.names,
                )
                .lines()
            })
            .collect();
        single.sort();
        same("together", &all, "alone", &single)
    };
    hold(0..rounds(900), &|random| case(random, MANY), &property);
}

#[test]
fn names_do_not_matter() {
    let property = |case: &Case| {
        let new = case.with(&case.changes);
        let mut random = Random::new(case.names.len() as u64);
        let mut others: Vec<String> = Vec::new();
        for _ in &case.names {
            let name = names::name(&mut random, &others);
            others.push(name);
        }
        let renamed = Case {
            names: others,
            ..case.clone()
        };
        let one = compared(&case.old, &new, &case.names).nameless_lines(case);
        let other = compared(&case.old, &new, &renamed.names).nameless_lines(&renamed);
        same(
            "by these names",
            &one,
            &format!("by {:?}", renamed.names),
            &other,
        )
    };
    hold(
        1_000_000..1_000_000 + rounds(300),
        &|random| case(random, NAMED),
        &property,
    );
}

#[test]
fn a_witness_shows_what_its_finding_names() {
    let shown = Cell::new(0);
    let property = |case: &Case| {
        let new = case.with(&case.changes);
        let compared = compared(&case.old, &new, &case.names);
        let judge = Judge::new(case, new, &compared);
        for found in &compared.findings {
            let fault = |fault| format!("{fault}\n{found:?}");
            shown.set(shown.get() + u64::from(judge.judge(found).map_err(fault)?));
        }
        Ok(())
    };
    let rounds = rounds(300);
    hold(
        2_000_000..2_000_000 + rounds,
        &|random| case(random, NAMED),
        &property,
    );
    // A finding without a witness is held to nothing.
    assert!(
        shown.get() > rounds,
        "only {} witnesses were held to what is named",
        shown.get()
    );
}

#[test]
fn one_change_is_one_finding_as_grave_as_its_kind_says() {
    let property = |case: &Case| {
        let compared = compared(&case.old, &case.with(&case.changes), &case.names);
        let Some(expected) = case.changes[0].severity(&case.old) else {
            return Ok(());
        };
        let severities: Vec<Severity> = compared
            .findings
            .iter()
            .map(|found| found.severity)
            .collect();
        // A removed part and an added one may be reported apart, and a part that is never sent need not be reported.
        let is_one = severities.len() == 1 || case.changes[0].may_be_two() && severities.len() == 2;
        let is_silent = severities.is_empty() && case.changes[0].may_be_silent(&case.old);
        if is_silent || is_one && severities.iter().min() == Some(&expected) {
            return Ok(());
        }
        let change = &case.changes[0];
        Err(format!(
            "{expected:?} is expected of {change:?}, found is {:#?}",
            compared.lines()
        ))
    };
    hold(
        3_000_000..3_000_000 + rounds(300),
        &|random| case(random, ONE),
        &property,
    );
}

#[test]
fn a_change_is_as_grave_beside_members_that_hardly_a_value_satisfies() {
    let property = |case: &Case| {
        let hard = beside_hard_members(case);
        let verdicts =
            |case: &Case| compared(&case.old, &case.with(&case.changes), &case.names).verdicts();
        let old = hard.old.render(&hard.names).text();
        let new = hard.with(&hard.changes).render(&hard.names).text();
        same(
            "without hard members",
            &verdicts(case),
            &format!("of {old} and {new}"),
            &verdicts(&hard),
        )
    };
    hold(
        6_000_000..6_000_000 + rounds(150),
        &|random| case(random, FEW),
        &property,
    );
}

#[test]
fn a_change_back_is_the_change_seen_from_the_other_side() {
    let property = |case: &Case| {
        let new = case.with(&case.changes);
        let there = differences(
            &case.old.render(&case.names).text(),
            &new.render(&case.names).text(),
        );
        let back = differences(
            &new.render(&case.names).text(),
            &case.old.render(&case.names).text(),
        );
        let told = |message: &Message, places: [&Option<Place>; 2]| {
            let places = places.map(|place| place.as_ref().map_or("", |place| &place.pointer));
            format!("{message:?} at {} and {}", places[0], places[1])
        };
        let back_again = |message: &Message| match message {
            Message::Schema(change) => Message::Schema(mirrored(change)),
            other => other.clone(),
        };
        // What changes do together breaks in one direction only.
        let mut one: Vec<String> = there
            .iter()
            .filter(|found| !is_together(found))
            .map(|found| told(&found.message, [&found.old, &found.new]))
            .collect();
        let mut other: Vec<String> = back
            .iter()
            .filter(|found| !is_together(found))
            .map(|found| told(&back_again(&found.message), [&found.new, &found.old]))
            .collect();
        one.sort();
        other.sort();
        same("there", &one, "back", &other)
    };
    hold(
        4_000_000..4_000_000 + rounds(150),
        &|random| case(random, MANY),
        &property,
    );
}

#[test]
fn a_document_in_another_order_is_the_same() {
    let property = |case: &Case| {
        let mut random = Random::new(case.names.len() as u64);
        let mut old = case.old.render(&case.names);
        let text = old.text();
        old.value = reordered(&mut random, &old.value, "");
        let found = [
            differences(&text, &old.text()),
            differences(&old.text(), &text),
        ]
        .concat();
        if found.is_empty() {
            return Ok(());
        }
        Err(format!("{found:#?}\nin another order: {}", old.text()))
    };
    hold(
        5_000_000..5_000_000 + rounds(150),
        &|random| case(random, MANY),
        &property,
    );
}

/// Whether a finding is of what several changes do together, and none of them alone.
fn is_together(found: &Finding) -> bool {
    let is_schema = |change: &SchemaChange| matches!(change, SchemaChange::Together { .. });
    matches!(&found.message, Message::Schema(change) if is_schema(change))
}

/// The members of all objects, and the lists that have no order, in another order.
fn reordered(random: &mut Random, value: &Value, key: &str) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            shuffle(random, &mut members);
            let members = members
                .into_iter()
                .map(|(key, value)| (key.clone(), reordered(random, value, key)));
            members.collect::<Map<_, _>>().into()
        }
        Value::Array(items) => {
            let mut items = items.clone();
            if ["enum", "required", "type"].contains(&key) {
                shuffle(random, &mut items);
            }
            items
                .iter()
                .map(|item| reordered(random, item, ""))
                .collect()
        }
        other => other.clone(),
    }
}

fn shuffle<T>(random: &mut Random, items: &mut [T]) {
    for end in (1..items.len()).rev() {
        items.swap(end, random.below(end + 1));
    }
}

fn same(one_name: &str, one: &[String], other_name: &str, other: &[String]) -> Result<(), String> {
    if one == other {
        return Ok(());
    }
    let only = |these: &[String], those: &[String]| {
        let mut those = those.to_vec();
        let mut only = these.to_vec();
        only.retain(|line| match those.iter().position(|other| other == line) {
            Some(index) => {
                those.swap_remove(index);
                false
            }
            None => true,
        });
        only
    };
    Err(format!(
        "only {one_name}: {:#?}\nonly {other_name}: {:#?}",
        only(one, other),
        only(other, one)
    ))
}
