//! Numbers and strings that are worth trying.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::facts::Facts;
use super::hints::Hints;
use super::{formats, text};

/// How many steps are multiplied with one another.
const STEPS: usize = 6;

/// Each count, one less and one more.
pub(super) fn around(one: &BTreeSet<u64>, other: &BTreeSet<u64>) -> BTreeSet<u64> {
    let all = one.iter().chain(other);
    all.flat_map(|count| [count.saturating_sub(1), *count, count + 1])
        .collect()
}

/// Strings that meet the demands, or nearly.
pub(super) fn strings(facts: &Facts) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for pattern in &facts.patterns {
        all.extend(text::of_pattern(pattern));
    }
    all.retain(|one| {
        facts
            .patterns
            .iter()
            .all(|pattern| text::matches(pattern, one))
    });
    for format in &facts.formats {
        all.extend(
            formats::of_format(format)
                .iter()
                .map(|one| (*one).to_owned()),
        );
    }
    if facts.min_length > 0 {
        let count = usize::try_from(facts.min_length).unwrap_or(text::LONGEST);
        all.extend(of_formats(facts, count));
    }
    all.extend(["a", "", "0", "b"].map(str::to_owned));
    let fit = |one: String| {
        let count = one.chars().count() as u64;
        let wanted = facts
            .max_length
            .map_or(count.max(facts.min_length), |most| {
                count.clamp(facts.min_length.min(most), most)
            });
        text::of_length(
            &one,
            usize::try_from(wanted.min(text::LONGEST as u64)).unwrap_or_default(),
        )
    };
    all.into_iter().map(fit).collect()
}

/// Strings of the formats with `count` characters.
fn of_formats(facts: &Facts, count: usize) -> impl Iterator<Item = String> {
    let formats = facts.formats.iter();
    formats.filter_map(move |format| formats::of_length(format, count.min(text::LONGEST)))
}

pub(super) fn edge_strings(facts: &Facts, hints: &Hints) -> Vec<String> {
    let mut all = strings(facts);
    all.extend(hints.strings.iter().cloned());
    let bases: Vec<String> = all.iter().take(3).cloned().collect();
    for count in around(&hints.counts, &facts.counts) {
        let Ok(count) = usize::try_from(count.min(text::LONGEST as u64)) else {
            continue;
        };
        all.extend(of_formats(facts, count));
        all.extend(bases.iter().map(|base| text::of_length(base, count)));
    }
    for base in bases.iter().chain(hints.strings.iter().take(4)) {
        all.extend([
            format!("{base}x"),
            format!("x{base}"),
            format!("{base}0"),
            base.to_uppercase(),
        ]);
    }
    all
}

/// Numbers at the edges.
pub(super) fn numbers(facts: &Facts, hints: &Hints) -> Vec<Value> {
    let integers = facts
        .types
        .as_ref()
        .is_some_and(|types| types.contains("integer") && !types.contains("number"));
    let mut points: Vec<Value> = vec![json!(0), json!(1), json!(-1), json!(0.5)];
    let bounds = facts
        .least
        .iter()
        .chain(&facts.most)
        .map(|(bound, _)| bound);
    for bound in bounds.chain(&hints.numbers) {
        points.push(bound.clone());
        if let Some(whole) = bound.as_i64() {
            let near = [whole.checked_add(1), whole.checked_sub(1)];
            points.extend(near.into_iter().flatten().map(Value::from));
        }
        if let Some(whole) = bound.as_u64() {
            let near = [whole.checked_add(1), whole.checked_sub(1)];
            points.extend(near.into_iter().flatten().map(Value::from));
        }
        if let Some(float) = bound.as_f64()
            && float.abs() >= 1e15
        {
            points.extend(around_power(float).map(number));
            // Stand-ins for neighbors are neighbors.
            points.extend([json!(float.next_up()), json!(float.next_down())]);
        }
        if let Some(float) = bound.as_f64()
            && float.abs() < 1e15
        {
            points.extend([
                number(float + 0.5),
                number(float - 0.5),
                number(float.floor()),
                number(float.ceil()),
            ]);
            points.extend([number(float + 1.0), number(float - 1.0)]);
        }
    }
    let steps: Vec<f64> = facts
        .steps
        .iter()
        .chain(&hints.steps)
        .copied()
        .filter(|step| *step > 0.0)
        .collect();
    let starts: Vec<f64> = points
        .iter()
        .filter_map(Value::as_f64)
        .filter(|point| point.abs() < 1e12)
        .take(30)
        .collect();
    for step in &steps {
        points.extend([
            number(*step),
            number(step * 2.0),
            number(step * 3.0),
            number(-step),
            // Nearly one.
            number(step / 2.0),
            number(step * 1.5),
        ]);
        for start in &starts {
            points.extend([
                number((start / step).ceil() * step),
                number((start / step).floor() * step),
            ]);
        }
    }
    for (index, one) in steps.iter().take(STEPS).enumerate() {
        let others = steps.iter().take(STEPS).skip(index + 1);
        points.extend(others.map(|other| number(one * other)));
    }
    let small = |value: &Value| value.as_f64().unwrap_or_default().abs();
    let meets = |value: &Value| {
        let Some(float) = value.as_f64() else {
            return false;
        };
        let low = facts.least.iter().all(|(bound, open)| {
            bound
                .as_f64()
                .is_none_or(|bound| float > bound || (!open && float >= bound))
        });
        let high = facts.most.iter().all(|(bound, open)| {
            bound
                .as_f64()
                .is_none_or(|bound| float < bound || (!open && float <= bound))
        });
        low && high && (!integers || float.fract() == 0.0)
    };
    // Points that meet the bounds come first, whole and small numbers before others.
    points.sort_by(|a, b| {
        let key = |value: &Value| {
            (
                !meets(value),
                value.as_f64().is_some_and(|float| float.fract() != 0.0),
            )
        };
        key(a).cmp(&key(b)).then(small(a).total_cmp(&small(b)))
    });
    points
}

/// Numbers of one digit and zeros on both sides of a large one, whose texts say what they are.
fn around_power(float: f64) -> impl Iterator<Item = f64> {
    let power = float.abs().log10().floor();
    let texts = [1.0, 0.0].map(|more| format!("1e{}", power + more));
    let powers = texts
        .into_iter()
        .filter_map(|text| text.parse::<f64>().ok());
    powers
        .filter(|power| power.is_finite())
        .map(move |power| power.copysign(float))
}

/// A float as JSON, whole numbers without a point as far as 64 bits hold them.
fn number(float: f64) -> Value {
    if float.fract() == 0.0 && float.abs() < 9.2e18 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        return Value::from(float as i64);
    }
    // 0.30000000000000004 is written as 0.3, as a person would.
    let rounded: f64 = format!("{float:.12e}").parse().unwrap_or(float);
    Value::from(rounded)
}
