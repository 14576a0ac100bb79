//! Numbers that stand in for those that no value can be made of: lengths of millions, and digits that 64 bits do not hold.
//!
//! Whether a value is valid depends on how its lengths, counts and numbers compare with those that the schemas give, so that a schema
//! with other numbers in the same order accepts a value where the real one accepts the same value stretched. Both documents of a
//! comparison share the stand-ins. A value that was found with them decides a verdict and is never shown, unless the real schemas agree.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use foldhash::{HashMap, HashSet};
use serde_json::{Number, Value};

use crate::document::{Decimal, Document, Literal, pointer};

/// The longest text whose length is that of the schema, and the longest that is made.
const LENGTHS: (u64, u64) = (10_000, 14_000);

/// The highest count of items or members that is that of the schema, and the highest that is made.
const COUNTS: (u64, u64) = (500, 590);

/// How far apart stand-ins are for numbers that are far apart: there is room for values between them.
const GAP: u128 = 3;

/// How many neighbors of a number are looked at for one that is free.
const NEIGHBORS: usize = 4;

/// The stand-ins for the numbers of two documents.
#[derive(Default)]
pub(in super::super) struct StandIns {
    lengths: BTreeMap<Decimal, u64>,
    counts: BTreeMap<Decimal, u64>,
    numbers: HashMap<Decimal, Number>,
}

/// The large numbers of two documents.
#[derive(Default)]
struct Large {
    lengths: BTreeSet<Decimal>,
    counts: BTreeSet<Decimal>,
}

impl StandIns {
    /// The stand-ins for two documents.
    pub(in super::super) fn of(old: &Document, new: &Document) -> Self {
        let mut large = Large::default();
        let mut exact = BTreeSet::new();
        for document in [old, new] {
            large.collect(document.value());
            for (at, number) in document.exact("") {
                match pointer::tokens(&at).last().unwrap_or_default().as_str() {
                    "multipleOf" => {}
                    keyword if large.is_of(keyword) => large.add(keyword, number),
                    _ => {
                        exact.insert(number);
                    }
                }
            }
        }
        Self {
            lengths: ranked(&large.lengths, LENGTHS),
            counts: ranked(&large.counts, COUNTS),
            numbers: near(&exact, [old, new]),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lengths.is_empty() && self.counts.is_empty() && self.numbers.is_empty()
    }

    /// Whether a value stands for what its text says.
    pub(in super::super) fn hold(&self, literal: &Literal) -> bool {
        let mut exact = literal.exact().iter();
        exact.all(|(_, number)| self.numbers.contains_key(number))
    }

    /// A value in which numbers are replaced by their stand-ins.
    pub(super) fn value(&self, literal: &Literal) -> Value {
        let mut value = literal.value().clone();
        for (at, number) in literal.exact() {
            if let (Some(found), Some(place)) = (self.numbers.get(number), value.pointer_mut(at)) {
                *place = Value::Number(found.clone());
            }
        }
        value
    }

    /// Returns the stand-in for the length or count that `keyword` gives.
    pub(super) fn count(&self, keyword: &str, number: &Decimal) -> Option<u64> {
        let all = if keyword.ends_with("Length") {
            &self.lengths
        } else {
            &self.counts
        };
        all.get(number).copied()
    }

    /// Whether nothing stands in for any number that `document` has beside lengths and counts.
    pub(super) fn has_no_numbers(&self) -> bool {
        self.numbers.is_empty()
    }
}

impl Large {
    fn is_of(&self, keyword: &str) -> bool {
        [
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minContains",
            "maxContains",
        ]
        .contains(&keyword)
    }

    fn add(&mut self, keyword: &str, number: Decimal) {
        let (all, (least, _)) = if keyword.ends_with("Length") {
            (&mut self.lengths, LENGTHS)
        } else {
            (&mut self.counts, COUNTS)
        };
        if number.is_integer() && number > Decimal::of(&least.into()) {
            all.insert(number);
        }
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    match member {
                        Value::Number(number) => {
                            // Nearly all numbers are small, and none of their texts needs to be read.
                            let is_small = number.as_u64().is_some_and(|one| one <= COUNTS.0);
                            if !is_small && self.is_of(key) {
                                self.add(key, Decimal::of(number));
                            }
                        }
                        other => self.collect(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Returns numbers above the first of `limits` that are in the order of `all`, with those that are next to each other next to each other.
/// Numbers that there is no room for are left out.
fn ranked(all: &BTreeSet<Decimal>, limits: (u64, u64)) -> BTreeMap<Decimal, u64> {
    let whole = |one: &Decimal| one.to_string().parse::<u128>().ok();
    let mut ranks = BTreeMap::new();
    let (mut before, mut next) = (Some(u128::from(limits.0)), limits.0);
    for one in all {
        let this = whole(one);
        let gap = match (before, this) {
            (Some(before), Some(this)) => this.saturating_sub(before).min(GAP),
            _ => GAP,
        };
        next += u64::try_from(gap).unwrap_or_default();
        if next > limits.1 {
            break;
        }
        ranks.insert(one.clone(), next);
        before = this;
    }
    ranks
}

/// Floats near the numbers `exact`, in the same order among each other and among all numbers of the documents; none where none is free.
fn near(exact: &BTreeSet<Decimal>, documents: [&Document; 2]) -> HashMap<Decimal, Number> {
    let mut found = HashMap::default();
    if exact.is_empty() {
        return found;
    }
    let mut known = BTreeSet::new();
    for document in documents {
        let exact: HashSet<String> = document.exact("").into_iter().map(|(at, _)| at).collect();
        numbers(document.value(), &mut String::new(), &exact, &mut known);
    }
    let mut last: Option<Decimal> = None;
    for one in exact {
        let below = known.range(..one).next_back();
        let below = below.into_iter().chain(&last).max().cloned();
        let above = known.range((Bound::Excluded(one), Bound::Unbounded)).next();
        let fits = |float: &f64| {
            let Some(decimal) = value_of(*float) else {
                return false;
            };
            below.as_ref().is_none_or(|below| *below < decimal)
                && above.is_none_or(|above| decimal < *above)
                && decimal.is_integer() == one.is_integer()
        };
        let Ok(nearest) = one.to_string().parse::<f64>() else {
            continue;
        };
        let up = std::iter::successors(Some(nearest), |float| Some(float.next_up()));
        let down = std::iter::successors(Some(nearest), |float| Some(float.next_down()));
        let mut all = up.take(NEIGHBORS).chain(down.take(NEIGHBORS));
        let Some(float) = all.find(fits) else {
            continue;
        };
        if let Some(number) = Number::from_f64(float) {
            found.insert(one.clone(), number);
            last = value_of(float);
        }
    }
    found
}

/// All numbers at and below `at` but those at the pointers `except`.
fn numbers(
    value: &Value,
    at: &mut String,
    except: &HashSet<String>,
    known: &mut BTreeSet<Decimal>,
) {
    let length = at.len();
    if let Value::Number(number) = value
        && !except.contains(at)
    {
        known.insert(Decimal::of(number));
    }
    let mut below = |token: &str, value: &Value| {
        pointer::push(at, token);
        numbers(value, at, except, known);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                below(&index.to_string(), item);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                below(name, member);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The number that a float is: where floats have no fractions, all digits of it.
fn value_of(float: f64) -> Option<Decimal> {
    if !float.is_finite() {
        return None;
    }
    match float.abs() >= 9e15 {
        true => Decimal::parse(&format!("{float:.0}")),
        false => Number::from_f64(float).map(|number| Decimal::of(&number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(old: &str, new: &str) -> StandIns {
        let parse = |schema: &str| {
            let text = format!(
                "{{\"openapi\": \"3.1.0\", \"info\": {{\"title\": \"t\", \"version\": \"1\"}}, \"components\": {{\"schemas\": {{\"A\": {schema}}}}}}}"
            );
            Document::parse("d", &text).expect("a document")
        };
        StandIns::of(&parse(old), &parse(new))
    }

    #[test]
    fn large_lengths_and_counts_keep_their_order_and_their_neighbors() {
        let found = documents(
            r#"{"maxLength": 5000000, "minItems": 1000, "maxItems": 1001, "minLength": 7}"#,
            r#"{"maxLength": 5000001, "minLength": 1e30, "maxItems": 40000}"#,
        );
        let count =
            |keyword: &str, text: &str| found.count(keyword, &Decimal::parse(text).expect(text));
        assert_eq!(count("maxLength", "7"), None);
        assert_eq!(count("maxLength", "5000000"), Some(10_003));
        assert_eq!(count("maxLength", "5000001"), Some(10_004));
        assert_eq!(count("minLength", "1e30"), Some(10_007));
        assert_eq!(count("maxItems", "1000"), Some(503));
        assert_eq!(count("maxItems", "1001"), Some(504));
        assert_eq!(count("minProperties", "40000"), Some(507));
    }

    #[test]
    fn digits_that_floats_do_not_hold_keep_their_order() {
        let found = documents(
            r#"{"enum": [18446744073709551615, 18446744073709551616, 18446744073709551617, 0.1]}"#,
            r#"{"enum": [0.10000000000000000000001, 0.10000000000000000000002, 3.0000000000000000001]}"#,
        );
        let stand_in = |text: &str| {
            let number = found.numbers.get(&Decimal::parse(text).expect(text));
            number
                .and_then(Number::as_f64)
                .unwrap_or_else(|| panic!("none for {text}"))
        };
        assert!(stand_in("18446744073709551616") < stand_in("18446744073709551617"));
        assert!(0.1 < stand_in("0.10000000000000000000001"));
        assert!(stand_in("0.10000000000000000000001") < stand_in("0.10000000000000000000002"));
        assert!(stand_in("3.0000000000000000001").fract() > 0.0);
    }
}
