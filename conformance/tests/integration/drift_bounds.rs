//! Bounds of any size are judged alike, alone and together: whether a value can be made at a bound decides what is shown, not what is said.

use conformance::finding::Severity;
use serde_json::{Value, json};

use crate::drift_support::carrier::found;
use crate::drift_support::random::Random;
use crate::drift_support::verdicts::verdicts;

/// A schema in which every bound is a number below 10.
fn schema(random: &mut Random, depth: usize) -> Value {
    let bound = |random: &mut Random| 1 + random.below(8);
    let kinds = if depth == 0 { 3 } else { 8 };
    let below = |random: &mut Random| schema(random, depth - 1);
    match random.below(kinds) {
        0 => json!({"type": "string", "maxLength": bound(random)}),
        1 => json!({"type": "string", "minLength": bound(random)}),
        2 => json!({"type": "array", "maxItems": bound(random)}),
        3 => json!({"anyOf": [below(random), below(random)]}),
        4 => json!({"oneOf": [below(random), below(random)]}),
        5 => json!({"allOf": [below(random), below(random)]}),
        6 => json!({"not": below(random)}),
        _ => json!({"type": "object", "required": ["m"], "properties": {"m": below(random)}}),
    }
}

/// The schema with other bounds.
fn changed(random: &mut Random, schema: &Value) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| {
                let member = match member {
                    Value::Number(_) if random.below(2) == 0 => json!(1 + random.below(8)),
                    member => changed(random, member),
                };
                (key.clone(), member)
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| changed(random, item)).collect(),
        other => other.clone(),
    }
}

/// The schema with bounds that are as much larger: their order and their neighbors stay the same.
fn shifted(schema: &Value, by: u64) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), shifted(member, by)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| shifted(item, by)).collect(),
        Value::Number(number) => json!(number.as_u64().expect("a bound") + by),
        other => other.clone(),
    }
}

/// Values of every length up to that of the bounds, as they are and as the member of objects in objects.
fn values() -> Vec<Value> {
    let sizes = 0..10;
    let mut all: Vec<Value> = sizes
        .flat_map(|size| [json!("a".repeat(size)), json!(vec![0; size])])
        .collect();
    for _ in 0..2 {
        let around: Vec<Value> = all.iter().map(|value| json!({"m": value})).collect();
        all.extend(around);
    }
    all.extend([json!({}), json!(0)]);
    all
}

fn rounds() -> u64 {
    std::env::var("CONFORMANCE_ROUNDS").map_or(120, |text| text.parse().expect("a number"))
}

#[test]
fn bounds_of_millions_are_judged_like_small_ones() {
    let mut found_any = 0;
    for round in 0..rounds() {
        let mut random = Random::new(round + 7_000_000);
        let old = schema(&mut random, 2);
        let new = changed(&mut random, &old);
        let sent = random.below(2) == 0;
        let small = found(sent, &old, &new);
        let large = found(sent, &shifted(&old, 1_000_000), &shifted(&new, 1_000_000));
        assert_eq!(
            verdicts(&small),
            verdicts(&large),
            "round {round}, {sent}: {old} to {new}"
        );
        assert!(
            large
                .iter()
                .all(|finding| finding.severity != Severity::Undecided),
            "round {round}, {sent}: {old} to {new}: {large:?}"
        );
        found_any += usize::from(!small.is_empty());
    }
    assert!(found_any as u64 > rounds() / 4, "{found_any}");
}

#[test]
fn what_changes_for_some_value_is_never_passed_over() {
    let values = values();
    let (mut harmed, mut changes) = (0, 0);
    for round in 0..rounds() {
        let mut random = Random::new(round + 8_000_000);
        let old = schema(&mut random, 2);
        let new = changed(&mut random, &old);
        let accepts = |schema: &Value| {
            let validator = jsonschema::validator_for(schema).expect("a schema");
            let all = values.iter().map(|value| validator.is_valid(value));
            all.collect::<Vec<bool>>()
        };
        let both: Vec<(bool, bool)> = accepts(&old).into_iter().zip(accepts(&new)).collect();
        let lost = both.contains(&(true, false));
        let gained = both.contains(&(false, true));
        for (sent, harms) in [(true, lost), (false, gained)] {
            let findings = found(sent, &old, &new);
            let gravest = findings.iter().map(|finding| finding.severity).min();
            let case = format!("round {round}, {sent}: {old} to {new}: {findings:?}");
            // A value that is harmed is shown, and one that changes at all is told.
            assert!(!harms || gravest == Some(Severity::Breaking), "{case}");
            assert!(!lost && !gained || gravest.is_some(), "{case}");
            harmed += u64::from(harms);
            changes += u64::from(lost || gained);
        }
    }
    assert!(harmed > rounds() / 5, "{harmed}");
    assert!(changes > rounds() / 3, "{changes}");
}

/// A pair of schemas with the expected severities: where a client sends the value, and where the server does.
type Expected = (Value, Value, &'static [Severity], &'static [Severity]);

#[test]
fn changes_that_matter_only_together_are_one_finding_whatever_their_size() {
    use Severity::{Breaking, Warning};
    let text = |most: u64| json!({"type": "string", "maxLength": most});
    let list = |most: u64| json!({"maxItems": most});
    let member = |schema: Value| json!({"type": "object", "properties": {"a": schema}});
    let cases: Vec<Expected> = vec![
        (
            json!({"anyOf": [text(5_000_000), text(5_000_000)]}),
            json!({"anyOf": [text(4_000_000), text(4_000_000)]}),
            &[Breaking],
            &[Warning],
        ),
        (
            json!({"anyOf": [list(1000), list(1000)]}),
            json!({"anyOf": [list(999), list(999)]}),
            &[Breaking],
            &[Warning],
        ),
        (
            json!({"allOf": [text(5_000_000), text(5_000_000)]}),
            json!({"allOf": [text(6_000_000), text(6_000_000)]}),
            &[Warning],
            &[Breaking],
        ),
        (
            json!({"allOf": [list(1000), list(1000)]}),
            json!({"allOf": [list(1001), list(1001)]}),
            &[Warning],
            &[Breaking],
        ),
        (
            member(json!({"anyOf": [text(5_000_000), text(5_000_000)]})),
            member(json!({"anyOf": [text(4_000_000), text(4_500_000)]})),
            &[Breaking],
            &[Warning],
        ),
        // The bounds may stand deeper than the alternatives.
        (
            json!({"anyOf": [member(text(5_000_000)), member(text(5_000_000))]}),
            json!({"anyOf": [member(text(4_000_000)), member(text(4_000_000))]}),
            &[Breaking],
            &[Warning, Warning],
        ),
        (
            json!({"allOf": [member(text(5)), member(text(5))]}),
            json!({"allOf": [member(text(6)), member(text(6))]}),
            &[Warning, Warning],
            &[Breaking],
        ),
        // A bound of its own is one finding each.
        (
            json!({"oneOf": [text(5_000_000), {"type": "integer", "maximum": 5}]}),
            json!({"oneOf": [text(4_000_000), {"type": "integer", "maximum": 4}]}),
            &[Breaking, Breaking],
            &[Warning, Warning],
        ),
        (
            json!({"allOf": [text(5_000_000), {"pattern": "^a"}]}),
            json!({"allOf": [text(4_000_000), {"pattern": "^a", "minLength": 2_000_000}]}),
            &[Breaking, Breaking],
            &[Warning, Warning],
        ),
        (
            json!({"not": text(5_000_000)}),
            json!({"not": text(4_000_000)}),
            &[Warning],
            &[Breaking],
        ),
    ];
    for (old, new, client, server) in cases {
        for (sent, expected) in [(true, client), (false, server)] {
            let findings = found(sent, &old, &new);
            let severities: Vec<Severity> =
                findings.iter().map(|finding| finding.severity).collect();
            assert_eq!(severities, expected, "{sent}: {old} to {new}: {findings:?}");
        }
    }
}

#[test]
fn a_value_is_shown_only_where_it_meets_the_real_bounds() {
    let schema =
        |most: u64| json!({"type": "array", "items": {"type": "string"}, "maxItems": most});
    for (old, new, is_shown) in [(9, 5, true), (400, 300, true), (51_236, 25_648, false)] {
        let findings = found(true, &schema(old), &schema(new));
        assert_eq!(findings[0].severity, Severity::Breaking);
        assert_eq!(findings[0].witness.is_some(), is_shown, "{old} to {new}");
    }
}
