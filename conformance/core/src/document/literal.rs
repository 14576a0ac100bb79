//! A JSON value with all digits of its numbers, as a file has it. Comparisons and reports use it; the validator has 64-bit numbers only.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::number::Decimal;
use super::pointer;

/// A JSON value with all digits of its numbers.
#[derive(Debug, Clone)]
pub struct Literal {
    value: Value,
    /// How its file spells the value, if that is a number and the spelling is known.
    spelling: Option<Box<str>>,
    /// The numbers that `value` does not hold exactly, by their pointers in it, which are sorted.
    exact: Vec<(String, Decimal)>,
}

impl Literal {
    /// The value `value` whose numbers at the pointers of `exact` are these.
    pub(crate) fn new(value: Value, mut exact: Vec<(String, Decimal)>) -> Self {
        exact.sort_by(|one, other| one.0.cmp(&other.0));
        Self {
            value,
            spelling: None,
            exact,
        }
    }

    /// The same number, which its file spells like this.
    pub(crate) fn spelled(self, spelling: &str) -> Self {
        Self {
            spelling: Some(spelling.into()),
            ..self
        }
    }

    /// How its file spells the value, if that is a number and the spelling is known.
    pub fn spelling(&self) -> Option<&str> {
        self.spelling.as_deref()
    }

    /// The value, in which numbers that have no 64-bit form are the nearest that do.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Whether [`Self::value`] holds all numbers exactly.
    pub fn is_held(&self) -> bool {
        self.exact.is_empty()
    }

    /// The numbers that [`Self::value`] does not hold exactly, by their pointers in it.
    pub(crate) fn exact(&self) -> &[(String, Decimal)] {
        &self.exact
    }

    /// The number at the pointer `at`, if [`Self::value`] does not hold it exactly.
    pub(crate) fn exact_at(&self, at: &str) -> Option<&Decimal> {
        let found = self
            .exact
            .binary_search_by(|(known, _)| known.as_str().cmp(at));
        Some(&self.exact[found.ok()?].1)
    }

    /// The number, if this is one.
    pub fn number(&self) -> Option<Decimal> {
        match (&self.value, self.exact.first()) {
            (Value::Number(_), Some((_, exact))) => Some(exact.clone()),
            (Value::Number(number), None) => Some(Decimal::of(number)),
            _ => None,
        }
    }

    /// The part at the pointer `at`.
    #[must_use]
    pub fn part(&self, at: &str) -> Option<Self> {
        if at.is_empty() {
            return Some(self.clone());
        }
        let value = self.value.pointer(at)?.clone();
        let start = self.exact.partition_point(|(known, _)| known.as_str() < at);
        let exact = self.exact[start..]
            .iter()
            .map_while(|(known, exact)| Some((known.strip_prefix(at)?, exact)))
            .filter(|(rest, _)| rest.is_empty() || rest.starts_with('/'))
            .map(|(rest, exact)| (rest.to_owned(), exact.clone()))
            .collect();
        Some(Self::new(value, exact))
    }

    /// The pointer of the first difference to `other`; numbers are compared by value, and members have no order. Where all that is in
    /// the two is equal, or neither has anything in it, that is the root.
    pub(crate) fn first_difference(&self, other: &Self) -> String {
        let mut at = String::new();
        let (mut old, mut new) = (&self.value, &other.value);
        loop {
            let length = at.len();
            let mut differ = |key: &str, one: Option<&Value>, two: Option<&Value>| {
                pointer::push(&mut at, key);
                let differ = match (one, two) {
                    (Some(one), Some(two)) => !self.is_same(other, (one, two), &mut at),
                    _ => true,
                };
                at.truncate(length);
                differ
            };
            let key = match (old, new) {
                (Value::Object(one), Value::Object(two)) => {
                    let mut keys = one.keys().chain(two.keys());
                    keys.find(|key| differ(key, one.get(*key), two.get(*key)))
                        .cloned()
                }
                (Value::Array(one), Value::Array(two)) if one.len() == two.len() => (0..one.len())
                    .find(|index| differ(&index.to_string(), one.get(*index), two.get(*index)))
                    .map(|index| index.to_string()),
                _ => None,
            };
            let Some(key) = key else { return at };
            pointer::push(&mut at, &key);
            let step = pointer::join("", &key);
            let (Some(one), Some(two)) = (old.pointer(&step), new.pointer(&step)) else {
                return at;
            };
            (old, new) = (one, two);
        }
    }

    /// Whether a value in this one and a value in `other`, both at the pointer `at`, are the same.
    fn is_same(&self, other: &Self, both: (&Value, &Value), at: &mut String) -> bool {
        let length = at.len();
        let mut inside = |key: &str, one: &Value, two: &Value| {
            pointer::push(at, key);
            let same = self.is_same(other, (one, two), at);
            at.truncate(length);
            same
        };
        match both {
            (Value::Object(one), Value::Object(two)) => {
                one.len() == two.len()
                    && one.iter().all(|(key, value)| {
                        let found = two.get(key);
                        found.is_some_and(|found| inside(key, value, found))
                    })
            }
            (Value::Array(one), Value::Array(two)) => {
                let mut both = one.iter().zip(two).enumerate();
                one.len() == two.len()
                    && both.all(|(index, (one, two))| inside(&index.to_string(), one, two))
            }
            (Value::Number(one), Value::Number(two)) => {
                let digits = |literal: &Self, number| {
                    let exact = literal.exact_at(at).cloned();
                    exact.unwrap_or_else(|| Decimal::of(number))
                };
                digits(self, one) == digits(other, two)
            }
            (one, two) => one == two,
        }
    }

    /// The same value with its strings changed.
    #[must_use]
    pub fn map(&self, change: impl FnOnce(&Value) -> Value) -> Self {
        Self {
            value: change(&self.value),
            exact: self.exact.clone(),
            spelling: self.spelling.clone(),
        }
    }

    fn write(&self, value: &Value, at: &mut String, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = at.len();
        match value {
            Value::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    pointer::push(at, &index.to_string());
                    self.write(item, at, f)?;
                    at.truncate(length);
                }
                f.write_str("]")
            }
            Value::Object(members) => {
                f.write_str("{")?;
                for (index, (name, member)) in members.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    write!(f, "{}:", Value::from(name.as_str()))?;
                    pointer::push(at, name);
                    self.write(member, at, f)?;
                    at.truncate(length);
                }
                f.write_str("}")
            }
            other => match self.exact_at(at) {
                Some(exact) => fmt::Display::fmt(exact, f),
                None => fmt::Display::fmt(other, f),
            },
        }
    }
}

/// Numbers are equal however they are spelled.
impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.exact == other.exact
    }
}

impl From<Value> for Literal {
    fn from(value: Value) -> Self {
        Self::new(value, Vec::new())
    }
}

/// The value as JSON.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_held() {
            true => self.value.fmt(f),
            false => self.write(&self.value, &mut String::new(), f),
        }
    }
}

/// Numbers that have no 64-bit form are strings of their digits, since readers of JSON round them.
impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_held() {
            return self.value.serialize(serializer);
        }
        let mut value = self.value.clone();
        for (at, exact) in &self.exact {
            if let Some(number) = value.pointer_mut(at) {
                *number = Value::String(exact.to_string());
            }
        }
        value.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Document;

    #[test]
    fn all_digits_are_shown() {
        let text = "openapi: 3.1.0\nx-a: {\"b\": [18446744073709551617, 0.1], \"c/d\": -18446744073709551617}\n";
        let literal = Document::parse("d", text).unwrap().literal("/x-a").unwrap();
        assert!(!literal.is_held());
        assert_eq!(
            literal.to_string(),
            r#"{"b":[18446744073709551617,0.1],"c/d":-18446744073709551617}"#
        );
        let item = literal.part("/b/0").unwrap();
        assert_eq!(item.to_string(), "18446744073709551617");
        assert_eq!(item.number().unwrap().to_string(), "18446744073709551617");
        let other = literal.part("/b/1").unwrap();
        assert!(other.is_held() && other.number().unwrap().to_string() == "0.1");
        assert_eq!(
            serde_json::to_string(&literal).unwrap(),
            r#"{"b":["18446744073709551617",0.1],"c/d":"-18446744073709551617"}"#
        );
    }
    #[test]
    fn the_first_difference_is_found_below_what_is_the_same() {
        let of = |value: Value| Literal::from(value);
        let old =
            of(json!({"a": 1, "b": [{"c": 1}, {"d/e": [1, 2]}], "n": 9_007_199_254_740_993_u64}));
        let new =
            of(json!({"n": 9_007_199_254_740_993_u64, "b": [{"c": 1.0}, {"d/e": [1]}], "a": 1.0}));
        assert_eq!(old.first_difference(&new), "/b/1/d~1e");
        assert_eq!(old.first_difference(&of(json!({"a": 1}))), "/b");
        assert_eq!(old.first_difference(&of(json!(1))), "");
        let number = |text: &str| {
            let text = format!("openapi: 3.1.0\nx-a: {{a: 1, b: {text}}}\n");
            Document::parse("d", &text)
                .unwrap()
                .literal("/x-a")
                .unwrap()
        };
        let digits = number("18446744073709551616");
        assert_eq!(
            digits.first_difference(&number("18446744073709551617")),
            "/b"
        );
        assert_eq!(
            digits.first_difference(&number("18446744073709551616.0")),
            ""
        );
        // Both are the same 64-bit float.
        assert_eq!(
            number("9007199254740993").first_difference(&number("9007199254740992")),
            "/b"
        );
    }
}
