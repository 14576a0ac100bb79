//! Verdicts on alternatives depend neither on what members are called nor on the order in which anything is written.
//!
//! The schemas are the same each time. `CONFORMANCE_ROUNDS` is how many there are, 2,000 without it; a failure names its round.

use std::cell::Cell;

use conformance::document::Document;
use conformance::drift::{Options, compare};
use conformance::finding::Severity;
use serde_json::{Map, Value, json};

use crate::drift_support::random::Random;
use crate::drift_support::verdicts::verdicts;

/// Names that differ in every way in which names can be put in an order, or be taken for those that examples are made with.
const NAMES: [&str; 14] = [
    "a",
    "b",
    "c",
    "d",
    "x",
    "other",
    "zz",
    "unknown",
    "id",
    "kind",
    "A",
    "0",
    "x1",
    "long-name",
];

/// How many names a schema uses: its members are called by numbers until they are named.
const USED: usize = 6;

/// How alternatives are put together.
#[derive(Clone, Copy)]
enum Union {
    /// `oneOf` or `anyOf`.
    List(&'static str),
    /// `if`, `then` and `else`.
    Condition,
    /// One of them, and not another.
    Negation,
}

/// Further constraints of alternatives on their members.
#[derive(Clone, Copy, PartialEq)]
enum Beside {
    Nothing,
    /// Some members need others.
    Needs,
    /// Some members have a schema by a pattern.
    Patterns,
}

/// A member's schema.
fn member(random: &mut Random) -> Value {
    let all = [
        json!({"type": "string"}),
        json!({"type": "integer"}),
        json!({"type": "string", "maxLength": 3}),
        json!({"enum": ["p", "q"]}),
        json!({"const": "p"}),
        json!({"type": "boolean"}),
        json!({"type": ["string", "null"]}),
    ];
    all[random.below(all.len())].clone()
}

/// An object whose members are called by numbers.
fn alternative(random: &mut Random, beside: Beside) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for _ in 0..=random.below(2) {
        let name = random.below(USED - 1).to_string();
        if random.below(2) == 0 && !required.contains(&name) {
            required.push(name.clone());
        }
        properties.insert(name, member(random));
    }
    let mut schema = json!({"type": "object", "properties": properties, "required": required});
    if random.below(3) == 0 {
        schema["additionalProperties"] = json!(false);
    }
    if beside == Beside::Patterns && random.below(2) == 0 {
        schema["patternProperties"] = pattern(random);
    }
    if beside == Beside::Needs && random.below(3) == 0 {
        let (name, needs) = (
            random.below(USED).to_string(),
            random.below(USED).to_string(),
        );
        schema["dependentRequired"] = json!({name: [needs]});
    }
    schema
}

/// A schema for one or two members, by their numbers.
fn pattern(random: &mut Random) -> Value {
    let numbers = some(random, 2, USED);
    let key = match random.below(2) {
        0 => numbers[0].to_string(),
        _ => format!("{}|{}", numbers[0], numbers[1]),
    };
    json!({key: member(random)})
}

/// Another member in one of the alternatives, another list of those that are required, or another pattern.
fn change(random: &mut Random, schema: &mut Value, beside: Beside) {
    let kinds = if beside == Beside::Patterns { 6 } else { 4 };
    match random.below(kinds) {
        4 => schema["patternProperties"] = pattern(random),
        5 => schema["patternProperties"] = json!({}),
        0 => schema["properties"][random.below(USED).to_string()] = member(random),
        1 => {
            let first = schema["properties"]
                .as_object()
                .and_then(|all| all.keys().next());
            if let Some(name) = first.cloned() {
                schema["properties"][name] = member(random);
            }
        }
        2 => schema["required"] = json!([random.below(USED - 1).to_string()]),
        _ => schema["required"] = json!([]),
    }
}

/// The alternative with names in the place of the numbers, and its members in the order of `order`.
fn named(schema: &Value, names: &[&str], order: &[usize]) -> Value {
    let name = |number: &str| {
        let number: usize = number.parse().expect("a number");
        names[number].to_owned()
    };
    let mut named = schema.clone();
    let list = |list: &Value| {
        let mut numbers: Vec<String> = list
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        numbers.sort_by_key(|number| order[number.parse::<usize>().expect("a number")]);
        let numbers: Vec<String> = numbers.iter().map(|number| name(number)).collect();
        json!(numbers)
    };
    let mut members: Vec<(&String, &Value)> = schema["properties"]
        .as_object()
        .expect("members")
        .iter()
        .collect();
    members.sort_by_key(|(number, _)| order[number.parse::<usize>().expect("a number")]);
    let members = members
        .into_iter()
        .map(|(number, member)| (name(number), member.clone()));
    named["properties"] = members.collect::<Map<_, _>>().into();
    named["required"] = list(&schema["required"]);
    if let Some(patterns) = schema.get("patternProperties").and_then(Value::as_object) {
        let patterns = patterns.iter().map(|(numbers, member)| {
            let mut numbers: Vec<&str> = numbers.split('|').collect();
            numbers.sort_by_key(|number| order[number.parse::<usize>().expect("a number")]);
            let names: Vec<String> = numbers.into_iter().map(name).collect();
            (format!("^({})$", names.join("|")), member.clone())
        });
        named["patternProperties"] = patterns.collect::<Map<_, _>>().into();
    }
    if let Some(needs) = schema.get("dependentRequired").and_then(Value::as_object) {
        let needs = needs
            .iter()
            .map(|(number, needs)| (name(number), list(needs)));
        named["dependentRequired"] = needs.collect::<Map<_, _>>().into();
    }
    named
}

/// The alternatives as one schema, those of a list in this order.
fn united(alternatives: &[Value], union: Union, order: &[usize]) -> Value {
    match (union, alternatives) {
        (Union::List(keyword), all) => {
            let all: Vec<&Value> = order.iter().filter_map(|index| all.get(*index)).collect();
            json!({keyword: all})
        }
        (Union::Condition, [one, then, other]) => {
            json!({"type": "object", "if": one, "then": then, "else": other})
        }
        (Union::Negation, [one, not, other]) => json!({"anyOf": [one, other], "not": not}),
        _ => unreachable!("there are three alternatives"),
    }
}

fn told(place: usize, old: &Value, new: &Value) -> Vec<(Severity, &'static str)> {
    let document = |schema: &Value| {
        let body = json!({"content": {"application/json": {"schema": schema}}});
        let mut operation = json!({"responses": {"200": {"description": "d"}}});
        let mut value =
            json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}});
        match place {
            0 => operation["requestBody"] = body,
            1 => operation["responses"]["200"]["content"] = body["content"].clone(),
            _ => {
                operation["requestBody"] = body;
                value["webhooks"] = json!({"a": {"post": operation.clone()}});
            }
        }
        if place < 2 {
            value["paths"] = json!({"/a": {"post": operation}});
        }
        Document::parse("d", &value.to_string()).expect("a document")
    };
    let findings = compare(&document(old), &document(new), &Options::default());
    verdicts(&findings)
}

/// `count` of the numbers below `of`, in any order.
fn some(random: &mut Random, count: usize, of: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..of).collect();
    (0..count)
        .map(|_| left.remove(random.below(left.len())))
        .collect()
}

/// Compares changes of alternatives under several names and orders, a share of all rounds.
fn hold(first: u64, share: u64, unions: &[Union], beside: Beside) {
    let all = std::env::var("CONFORMANCE_ROUNDS")
        .map_or(2_000, |text| text.parse::<u64>().expect("a number"));
    let rounds = (all * share).div_ceil(100);
    let (mut differ, mut failures) = (0, Vec::new());
    for round in first..first + rounds {
        let mut random = Random::new(round + 9_000_000);
        let union = unions[random.below(unions.len())];
        let old = [(); 3].map(|()| alternative(&mut random, beside));
        let mut new = old.clone();
        for _ in 0..=random.below(2) {
            let index = random.below(3);
            change(&mut random, &mut new[index], beside);
        }
        let place = random.below(3);
        let known = Cell::new(None);
        for _ in 0..2 {
            let names: Vec<&str> = some(&mut random, USED, NAMES.len())
                .into_iter()
                .map(|index| NAMES[index])
                .collect();
            let members = some(&mut random, USED, USED);
            let branches = some(&mut random, 3, 3);
            let [one, other] = [&old, &new].map(|all| {
                let all: Vec<Value> = all.iter().map(|one| named(one, &names, &members)).collect();
                united(&all, union, &branches)
            });
            let found = told(place, &one, &other);
            differ += u64::from(!found.is_empty());
            match known.take() {
                Some((known, before)) if known != found => failures.push(format!(
                    "round {round}, place {place}:\n{known:?}\n  {before}\n{found:?}\n  {one} to {other}"
                )),
                _ => known.set(Some((found, format!("{one} to {other}")))),
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {rounds} rounds:\n{}",
        failures.len(),
        failures[..failures.len().min(8)].join("\n")
    );
    assert!(differ > rounds, "{differ}");
}

#[test]
fn alternatives_are_judged_alike_whatever_their_members_are_called() {
    let lists = [
        Union::List("oneOf"),
        Union::List("oneOf"),
        Union::List("anyOf"),
    ];
    hold(0, 50, &lists, Beside::Nothing);
}

#[test]
fn conditions_are_judged_alike_whatever_their_members_are_called() {
    let unions = [Union::Condition, Union::Negation];
    hold(100_000, 15, &unions, Beside::Nothing);
}

#[test]
fn members_that_need_others_are_judged_alike_whatever_they_are_called() {
    let unions = [Union::List("oneOf"), Union::List("anyOf"), Union::Condition];
    hold(200_000, 15, &unions, Beside::Needs);
}

#[test]
fn members_that_a_pattern_speaks_of_are_judged_alike_whatever_they_are_called() {
    let unions = [Union::List("oneOf"), Union::List("anyOf"), Union::Condition];
    hold(300_000, 20, &unions, Beside::Patterns);
}

#[test]
fn a_new_member_of_an_open_alternative_is_a_warning_where_others_overlap_with_it() {
    let alternative = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
    let old = json!({"oneOf": [alternative("issue"), alternative("discussion")]});
    let mut new = old.clone();
    new["oneOf"][0]["properties"]["html"] = json!({"type": "string"});
    for place in 0..3 {
        let expected = [(Severity::Warning, "schema-property-added")];
        assert_eq!(told(place, &old, &new), expected, "{place}");
    }
}
