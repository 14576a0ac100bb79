//! Numbers at their bounds, just inside and just outside.

use serde_json::{Value, json};

use super::edge::{Edge, Expect, Spot};
use crate::schema::number_format;

/// The edges of a number.
pub(super) fn edges(spot: &Spot<'_>, value: &Value, edges: &mut Vec<Edge>) {
    use Expect::{Invalid, Valid};
    let integer = spot.is_integer();
    let mut add = |what: &str, value: Option<Value>, expect| {
        edges.extend(value.map(|value| Edge::new(what, value, expect)));
    };
    for bound in spot.each("minimum") {
        add("at its minimum", Some(bound.clone()), Valid);
        add("one below its minimum", shifted(bound, -1), Invalid);
        add("one above its minimum", shifted(bound, 1), Valid);
        if !integer {
            add("just below its minimum", beside(bound, -1), Invalid);
        }
    }
    for bound in spot.each("maximum") {
        add("at its maximum", Some(bound.clone()), Valid);
        add("one above its maximum", shifted(bound, 1), Invalid);
        add("one below its maximum", shifted(bound, -1), Valid);
        if !integer {
            add("just above its maximum", beside(bound, 1), Invalid);
        }
    }
    for bound in spot.each("exclusiveMinimum") {
        add("at its exclusive minimum", Some(bound.clone()), Invalid);
        add("one above its exclusive minimum", shifted(bound, 1), Valid);
        if !integer {
            add("just above its exclusive minimum", beside(bound, 1), Valid);
        }
    }
    for bound in spot.each("exclusiveMaximum") {
        add("at its exclusive maximum", Some(bound.clone()), Invalid);
        add("one below its exclusive maximum", shifted(bound, -1), Valid);
        if !integer {
            add("just below its exclusive maximum", beside(bound, -1), Valid);
        }
    }
    for step in spot.each("multipleOf") {
        let Some(float) = step.as_f64().filter(|step| *step > 0.0) else {
            continue;
        };
        add("is another multiple", sum(value, float), Valid);
        add("is not a multiple", sum(value, float / 2.0), Invalid);
        add("is one beside a multiple", shifted(value, 1), Invalid);
    }
    for format in spot.each("format").filter_map(Value::as_str) {
        if let Some((least, most)) = number_format::range(format) {
            add(
                &format!("is the least {format}"),
                Some(least.clone()),
                Valid,
            );
            add(
                &format!("is the greatest {format}"),
                Some(most.clone()),
                Valid,
            );
            add(
                &format!("is below every {format}"),
                shifted(&least, -1),
                Invalid,
            );
            add(
                &format!("is above every {format}"),
                shifted(&most, 1),
                Invalid,
            );
        }
    }
    let zero = value.as_f64() == Some(0.0);
    if !zero {
        add("is zero", Some(json!(0)), Expect::Open);
        add("is negative", negative(value), Expect::Open);
    }
    if integer {
        add("has a fraction", sum(value, 0.5), Invalid);
        add("does not fit in 64 bits", Some(json!(1e20)), Expect::Open);
    }
}

fn negative(value: &Value) -> Option<Value> {
    match value.as_i64() {
        Some(whole) => whole.checked_neg().map(Value::from),
        None => number(-value.as_f64()?),
    }
}

/// A number by whole steps more or less, exactly. Where numbers are that far apart that there is no such number, the next one.
pub(super) fn shifted(bound: &Value, by: i32) -> Option<Value> {
    let whole = bound.as_i64().map(i128::from);
    if let Some(whole) = whole.or_else(|| bound.as_u64().map(i128::from)) {
        let moved = whole + i128::from(by);
        let small = i64::try_from(moved).map(Value::from);
        let large = || u64::try_from(moved).map(Value::from);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "compared with the exact number"
        )]
        let float = || match moved as f64 {
            exact if exact as i128 == moved => number(exact),
            _ if by > 0 => number((whole as f64).next_up()),
            _ => number((whole as f64).next_down()),
        };
        return small.or_else(|_| large()).ok().or_else(float);
    }
    let float = bound.as_f64()?;
    match float.abs() < 4e15 {
        true => sum(bound, f64::from(by)),
        false => beside(bound, by),
    }
}

/// The number with one more decimal that is next to a bound.
fn beside(bound: &Value, by: i32) -> Option<Value> {
    let float = bound.as_f64()?;
    if float.abs() >= 1e12 {
        return number(match by > 0 {
            true => float.next_up(),
            false => float.next_down(),
        });
    }
    let text = bound.to_string();
    if text.contains(['e', 'E']) {
        return number(match by > 0 {
            true => float.next_up(),
            false => float.next_down(),
        });
    }
    let decimals = text
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let step = 10f64.powi(-i32::try_from(decimals + 1).ok()?);
    number(rounded(float + step * f64::from(by), decimals + 1))
}

/// A sum as a person would write it: 0.3, and not 0.30000000000000004.
fn sum(value: &Value, by: f64) -> Option<Value> {
    if let (Some(whole), true) = (value.as_i64(), by.fract() == 0.0 && by.abs() < 9e15) {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        return whole.checked_add(by as i64).map(Value::from);
    }
    number(rounded(value.as_f64()? + by, 9))
}

fn rounded(float: f64, decimals: usize) -> f64 {
    match float.abs() < 1e6 {
        true => format!("{float:.decimals$}").parse().unwrap_or(float),
        false => float,
    }
}

/// A number, as an integer where it is one that floats hold exactly.
fn number(float: f64) -> Option<Value> {
    if float.fract() == 0.0 && float.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        return Some(json!(float as i64));
    }
    float.is_finite().then(|| json!(float))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_next_to_a_bound_are_exact_at_any_size() {
        for (bound, by, expected) in [
            (json!(10), 1, json!(11)),
            (json!(i64::MIN), -1, json!(-9_223_372_036_854_777_856.0)),
            (json!(i64::MAX), 1, json!(9_223_372_036_854_775_808_u64)),
            (json!(u64::MAX), 1, json!(18_446_744_073_709_551_616.0)),
            (json!(0.1), 1, json!(1.1)),
            (json!(99.99), -1, json!(98.99)),
        ] {
            let next = shifted(&bound, by).expect("a number");
            assert_eq!(next, expected, "{bound} {by}");
        }
        for (bound, by, expected) in [
            (json!(0.1), 1, json!(0.11)),
            (json!(10), -1, json!(9.9)),
            (json!(99.99), 1, json!(99.991)),
            (json!(-1.5), -1, json!(-1.51)),
        ] {
            assert_eq!(beside(&bound, by), Some(expected), "{bound} {by}");
        }
        let huge = json!(1e300);
        let next = shifted(&huge, 1).and_then(|next| next.as_f64());
        assert!(next.is_some_and(|next| next > 1e300));
    }
}
