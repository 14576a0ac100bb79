//! Lists of values to try, most of which have most members in common.

use std::hash::BuildHasher;

use foldhash::HashMap;
use foldhash::fast::FixedState;
use serde_json::Value;

/// Values in the order in which they were found, up to a number of them.
pub(super) struct Values {
    all: Vec<Value>,
    limit: usize,
    /// Where values are by their hashes, if none is taken twice.
    seen: Option<HashMap<u64, Vec<usize>>>,
}

impl Values {
    /// Without repetition, at most `limit`.
    pub(super) fn distinct(limit: usize) -> Self {
        Self {
            seen: Some(HashMap::default()),
            ..Self::first(limit)
        }
    }

    /// The first `limit`, whatever they are.
    pub(super) fn first(limit: usize) -> Self {
        Self {
            all: Vec::new(),
            limit,
            seen: None,
        }
    }

    pub(super) fn is_distinct(&self) -> bool {
        self.seen.is_some()
    }

    /// Whether no more values are taken.
    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= self.limit
    }

    pub(super) fn push(&mut self, value: Value) {
        if self.is_full() {
            return;
        }
        if let Some(seen) = &mut self.seen {
            let known = seen.entry(hash(&value)).or_default();
            let all = &self.all;
            let equal = |index: &usize| is_alike(&all[*index], &value) || all[*index] == value;
            if known.iter().any(equal) {
                return;
            }
            known.push(self.all.len());
        }
        self.all.push(value);
    }

    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = Value>) {
        values.into_iter().for_each(|value| self.push(value));
    }

    pub(super) fn into_vec(self) -> Vec<Value> {
        self.all
    }
}

/// Without repetition, at most `limit`.
pub(super) fn distinct(all: Vec<Value>, limit: usize) -> Vec<Value> {
    let mut values = Values::distinct(limit);
    values.extend(all);
    values.into_vec()
}

/// Whether two values are equal, with their members in the same order. Asks for no hashes, unlike `==`.
pub(super) fn is_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len()
                && ones
                    .iter()
                    .zip(others)
                    .all(|(one, other)| is_alike(one, other))
        }
        (Value::Object(ones), Value::Object(others)) => {
            ones.len() == others.len()
                && ones
                    .iter()
                    .zip(others)
                    .all(|((key, one), (name, other))| key == name && is_alike(one, other))
        }
        _ => one == other,
    }
}

/// A hash that is the same for equal values: the order of members does not count.
pub(super) fn hash(value: &Value) -> u64 {
    let state = FixedState::default();
    match value {
        Value::Array(items) => items
            .iter()
            .fold(1, |known, item| state.hash_one((known, hash(item)))),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| state.hash_one((key, hash(value))))
            .fold(2, u64::wrapping_add),
        scalar => state.hash_one(scalar),
    }
}

/// How much there is to read of a value.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| size(item) + 1).sum::<usize>(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| name.len() + 4 + size(member))
            .sum::<usize>()
            .saturating_add(2),
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_kept_once_whatever_the_order_of_its_members() {
        let values = vec![
            json!({"a": [1, {"b": 2, "c": 3}], "d": null}),
            json!({"d": null, "a": [1, {"c": 3, "b": 2}]}),
            json!({"a": [{"b": 2, "c": 3}, 1], "d": null}),
            json!({"a": "d", "d": "a"}),
            json!({"a": "a", "d": "d"}),
            json!(1),
            json!(1.0),
            json!("1"),
        ];
        let kept = distinct(values.clone(), 10);
        let expected: Vec<&Value> = (0..values.len())
            .filter(|at| *at != 1)
            .map(|at| &values[at])
            .collect();
        assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
        assert_eq!(distinct(values, 2).len(), 2);
    }
}
