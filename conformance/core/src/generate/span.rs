//! Members that bound a span, such as `from` and `to`: servers refuse one whose end is not behind its start, which no schema can say. A
//! valid request keeps them in order.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Map, Value, json};

/// Words for the start of a span, and those for its end.
const BOUNDS: [(&str, &str); 9] = [
    ("from", "to"),
    ("from", "until"),
    ("from", "till"),
    ("start", "end"),
    ("starts", "ends"),
    ("since", "until"),
    ("after", "before"),
    ("min", "max"),
    ("minimum", "maximum"),
];

/// A value of which a span has two.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Bound {
    Time(Timestamp),
    Date(Date),
    Number(f64),
}

impl Bound {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::String(text) => {
                let time = text.parse().ok().map(Self::Time);
                time.or_else(|| text.parse().ok().map(Self::Date))
            }
            _ => None,
        }
    }

    /// A value behind this one, or before it.
    fn moved(self, is_later: bool) -> Option<Value> {
        let sign = if is_later { 1_i32 } else { -1 };
        Some(match self {
            Self::Time(time) => {
                let hours = SignedDuration::from_hours(24 * i64::from(sign));
                json!(time.checked_add(hours).ok()?.to_string())
            }
            Self::Date(date) => json!(date.checked_add(sign.days()).ok()?.to_string()),
            Self::Number(number) => {
                let moved = number + f64::from(sign);
                #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
                match moved.fract() == 0.0 && moved.abs() < 1e15 {
                    true => json!(moved as i64),
                    false => json!(moved),
                }
            }
        })
    }
}

/// Most spans of a value that are mended in all ways.
const SPANS: u32 = 3;

/// Values like `value` in which each span ends behind its start; none where that is so already. They differ from `base`, which had a
/// change made to it, in this change still: the other bound of each span is moved, or left out.
pub(super) fn in_order(value: &Value, base: &Value) -> Vec<Value> {
    let mut first = value.clone();
    let count = mend(&mut first, base, &mut 0);
    if count == 0 {
        return Vec::new();
    }
    // A bit for each span says that a bound is left out.
    let others = (1..1 << count.min(SPANS)).map(|mut left_out| {
        let mut other = value.clone();
        mend(&mut other, base, &mut left_out);
        other
    });
    std::iter::once(first).chain(others).collect()
}

/// Mends the spans of a value, each by moving a bound, or by leaving it out where the next bit says so; returns how many there were.
fn mend(value: &mut Value, base: &Value, left_out: &mut u32) -> u32 {
    let Some(members) = value.as_object_mut() else {
        return 0;
    };
    let mut count = 0;
    for (name, member) in members.iter_mut() {
        count += mend(member, base.get(name).unwrap_or(&Value::Null), left_out);
    }
    for (start, end) in pairs(members) {
        // One may be left out by now.
        let bound = |name: &str| members.get(name).and_then(Bound::of);
        let (Some(first), Some(last)) = (bound(&start), bound(&end)) else {
            continue;
        };
        let is_kind = std::mem::discriminant(&first) == std::mem::discriminant(&last);
        // Numbers may be equal, and say that there is one value only.
        let is_right = match first {
            Bound::Number(_) => first <= last,
            Bound::Time(_) | Bound::Date(_) => first < last,
        };
        if is_right || !is_kind {
            continue;
        }
        // The start was changed where the end is what it was.
        let is_same = |name: &str| base.get(name) == members.get(name);
        let moved = match is_same(&end) && !is_same(&start) {
            true => (end, first.moved(true)),
            false if is_same(&start) && is_same(&end) => continue,
            false if is_same(&start) => (start, last.moved(false)),
            false => (end, first.moved(true)),
        };
        let is_left_out = *left_out & 1 == 1;
        *left_out >>= 1;
        match moved {
            (name, Some(moved)) if !is_left_out => {
                members.insert(name, moved);
            }
            (name, _) => {
                members.shift_remove(&name);
            }
        }
        count += 1;
    }
    count
}

/// The names of the members that bound a span, the start first.
fn pairs(members: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for start in members.keys() {
        let own = words(start);
        for (index, (first, last)) in (0..own.len()).flat_map(|at| BOUNDS.map(|one| (at, one))) {
            if own[index] != first {
                continue;
            }
            let mut other = own.clone();
            last.clone_into(&mut other[index]);
            let end = members.keys().find(|name| words(name) == other);
            found.extend(end.map(|end| (start.clone(), end.clone())));
        }
    }
    found
}

/// The words of a name in lower case: `createdFrom` and `created_from` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_inside = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            is_inside = false;
            continue;
        }
        match words.last_mut() {
            Some(word) if is_inside && !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_lowercase().collect()),
        }
        is_inside = true;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_ends_behind_its_start_and_the_change_stays() {
        let day = |day: u32| json!(format!("2026-01-{day:02}T00:00:00Z"));
        for (base, value, expected) in [
            // The end was added, or changed.
            (
                json!({"from": day(5)}),
                json!({"from": day(5), "to": day(5)}),
                vec![json!({"from": day(4), "to": day(5)}), json!({"to": day(5)})],
            ),
            // The start was changed.
            (
                json!({"createdFrom": "2026-01-02", "createdTo": "2026-01-03"}),
                json!({"createdFrom": "2026-02-01", "createdTo": "2026-01-03"}),
                vec![
                    json!({"createdFrom": "2026-02-01", "createdTo": "2026-02-02"}),
                    json!({"createdFrom": "2026-02-01"}),
                ],
            ),
            // Both were added, inside of something else.
            (
                json!({"a": {}}),
                json!({"a": {"min_size": 7, "max_size": 3}}),
                vec![
                    json!({"a": {"min_size": 7, "max_size": 8}}),
                    json!({"a": {"min_size": 7}}),
                ],
            ),
            // Two spans: each is mended in each way. One bound may be of both.
            (
                json!({}),
                json!({"from": 2, "to": 1, "min": 4, "max": 3}),
                vec![
                    json!({"from": 2, "to": 3, "min": 4, "max": 5}),
                    json!({"from": 2, "min": 4, "max": 5}),
                    json!({"from": 2, "to": 3, "min": 4}),
                    json!({"from": 2, "min": 4}),
                ],
            ),
            (
                json!({"to": 1, "until": 1}),
                json!({"from": 2, "to": 1, "until": 1}),
                vec![
                    json!({"from": 2, "to": 3, "until": 3}),
                    json!({"from": 2, "until": 3}),
                    json!({"from": 2, "to": 3}),
                    json!({"from": 2}),
                ],
            ),
            // In order, of two kinds, or not changed.
            (json!({}), json!({"min": 3, "max": 3}), vec![]),
            (json!({}), json!({"from": 3, "to": "London"}), vec![]),
            (json!({}), json!({"from": "London", "to": "Berlin"}), vec![]),
            (
                json!({"start": 3, "end": 2}),
                json!({"start": 3, "end": 2, "a": 1}),
                vec![],
            ),
        ] {
            assert_eq!(in_order(&value, &base), expected, "{value}");
        }
    }
}
