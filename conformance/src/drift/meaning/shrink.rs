//! Making a value smaller while it still shows what it has to show.

use serde_json::{Map, Value};

use super::generate::distinct;

/// How many smaller values are looked at in one round.
const ROUND: usize = 60;

/// How often a value is made smaller.
const ROUNDS: usize = 30;

/// Makes `value` smaller as long as `shows` says yes; `shows` judges many values at once.
pub(super) fn shrink(value: Value, shows: &dyn Fn(&[Value]) -> Vec<bool>) -> Value {
    let mut value = value;
    for _ in 0..ROUNDS {
        let mut smaller = smaller(&value);
        smaller.retain(|one| size(one) < size(&value));
        smaller.sort_by_key(size);
        let smaller = distinct(smaller, ROUND);
        if smaller.is_empty() {
            break;
        }
        let shown = shows(&smaller);
        let Some((next, _)) = smaller.into_iter().zip(shown).find(|(_, shows)| *shows) else {
            break;
        };
        value = next;
    }
    value
}

/// How much there is to read: shorter first, and of the same length a fixed order.
pub(super) fn size(value: &Value) -> (usize, String) {
    let text = value.to_string();
    (text.len(), text)
}

/// Values with one thing less.
fn smaller(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(members) => {
            let mut all = Vec::new();
            for name in members.keys() {
                let mut less = members.clone();
                less.shift_remove(name);
                all.push(Value::Object(less));
            }
            for (name, member) in members {
                for other in smaller(member) {
                    let mut changed: Map<String, Value> = members.clone();
                    changed.insert(name.clone(), other);
                    all.push(Value::Object(changed));
                }
            }
            all
        }
        Value::Array(items) => {
            let mut all = vec![Value::Array(items[..items.len() / 2].to_vec())];
            for index in (0..items.len()).take(20) {
                let mut less = items.clone();
                less.remove(index);
                all.push(Value::Array(less));
            }
            for (index, item) in items.iter().enumerate().take(20) {
                for other in smaller(item) {
                    let mut changed = items.clone();
                    changed[index] = other;
                    all.push(Value::Array(changed));
                }
            }
            all
        }
        Value::String(text) => {
            let count = text.chars().count();
            [0, count / 2, count.saturating_sub(1)]
                .into_iter()
                .map(|length| text.chars().take(length).collect::<String>().into())
                .collect()
        }
        Value::Number(_) => vec![Value::from(0), Value::from(1)],
        Value::Bool(_) | Value::Null => Vec::new(),
    }
}

/// Whether `part` stands somewhere in `value`, an object also where there are more members beside its own.
pub(super) fn contains(value: &Value, part: &Value) -> bool {
    if value == part {
        return true;
    }
    match (value, part) {
        (Value::Object(members), Value::Object(wanted))
            if wanted
                .iter()
                .all(|(name, member)| members.get(name) == Some(member)) =>
        {
            true
        }
        (Value::Object(members), part) => {
            members.values().any(|member| contains(member, part))
                || part.as_str().is_some_and(|name| members.contains_key(name))
        }
        (Value::Array(items), part) => items.iter().any(|item| contains(item, part)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_shows_the_difference_is_left() {
        let value = json!({"a": [{"b": "long text", "c": 1}, 2], "d": {"e": 700}});
        let shown = shrink(value, &|values| {
            values
                .iter()
                .map(|value| {
                    value
                        .pointer("/a/0/b")
                        .is_some_and(|b| b.as_str().is_some_and(|b| b.len() > 3))
                })
                .collect()
        });
        assert_eq!(shown, json!({"a": [{"b": "long"}]}));
    }
}
