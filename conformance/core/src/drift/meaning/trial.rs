//! The values that tell an edited schema from what it was.

use serde_json::Value;

use super::tried::size;

/// How many values are carried from one schema to the one around it.
pub(super) const CARRIED: usize = 4;

/// How many values of a kind are kept at one place.
pub(super) const KEPT: usize = 40;

/// The largest whole number up to which floats have no gaps.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Significant digits that are too many for the text of a float to be what the float is.
const EXACT_DIGITS: usize = 15;

/// A value that tells an edited schema from what it was.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Tried {
    pub(in super::super) value: Value,
    /// Whether the sender's whole schema accepts it and the receiver's rejects it, with all other differences applied as well.
    pub(in super::super) real: bool,
    /// Whether the sender documents all of its members; unknown for a value that is not sent.
    pub(in super::super) documented: bool,
    /// Whether it is accepted as it is, and not only as what its text may be read as.
    pub(in super::super) typed: bool,
    /// Whether it was tried on schemas in which large numbers are replaced by small ones.
    pub(in super::super) stands_in: bool,
}

/// The values that tell an edit, the best examples first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) struct Trial {
    /// Values that the sender may send and the receiver rejects.
    pub(in super::super) rejected: Vec<Tried>,
    /// Values that the receiver accepts and the sender does not send.
    pub(in super::super) unsent: Vec<Tried>,
}

impl Trial {
    /// The first values that tell the edit.
    pub(in super::super) fn values(&self) -> Vec<Value> {
        let sides = [&self.rejected, &self.unsent];
        let first = sides.into_iter().flat_map(|list| list.iter().take(CARRIED));
        first.map(|tried| tried.value.clone()).collect()
    }

    /// The values of both.
    pub(in super::super) fn with(mut self, more: Self) -> Self {
        self.rejected.extend(more.rejected);
        self.unsent.extend(more.unsent);
        self.rank();
        self
    }

    /// Puts the best examples first, and keeps no more than are of use.
    pub(super) fn rank(&mut self) {
        self.rejected.sort_by_cached_key(|one| {
            let clear = says_its_numbers(&one.value);
            let unclear = (!one.typed, !clear);
            (!one.documented, !one.real, unclear, size(&one.value))
        });
        self.rejected.truncate(KEPT);
        self.unsent.sort_by_cached_key(|one| {
            let clear = says_its_numbers(&one.value);
            (!one.real, !one.typed, !clear, size(&one.value))
        });
        self.unsent.truncate(KEPT);
    }
}

/// Whether the text of a value says the numbers that it was judged with: large floats are written with fewer digits than they have.
pub(super) fn says_its_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|float| {
            let is_large = number.is_f64() && float.abs() >= LARGEST_WHOLE;
            !is_large || float.to_string().trim_end_matches('0').len() < EXACT_DIGITS
        }),
        Value::Array(items) => items.iter().all(says_its_numbers),
        Value::Object(members) => members.values().all(says_its_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
