//! Other schemas for a member, whose values are known to be more, fewer or others.

use serde_json::{Map, Value, json};

use super::change::Values;
use super::model::Schema;

use crate::drift_support::random::Random;

/// Bounds that go together: the keyword below, the one above, what both lie between, and the steps they are made in.
const BOUNDS: [(&str, &str, [u64; 4]); 6] = [
    ("minLength", "maxLength", [1, 40, 50, 100_000]),
    ("minItems", "maxItems", [1, 3, 10, 60_000]),
    ("minProperties", "maxProperties", [1, 3, 10, 60_000]),
    ("minimum", "maximum", [0, 1000, 2000, 1_000_000]),
    (
        "exclusiveMinimum",
        "exclusiveMaximum",
        [0, 1000, 2000, 1_000_000],
    ),
    ("minimum", "exclusiveMaximum", [0, 1000, 2000, 1_000_000]),
];

/// Numbers that differ only beyond what 64 bits and floating point hold.
const HUGE: [&str; 3] = [
    "@18446744073709551615",
    "@18446744073709551616",
    "@18446744073709551617",
];

const PATTERNS: [&str; 8] = [
    "^a+$",
    "^aa*$",
    "^[a-c]+$",
    "^[a-d]+$",
    "^[0-9]{5}$",
    "^[0-9]{4,5}$",
    "x",
    "^[\\w-.]+$",
];
const FORMATS: [&str; 6] = ["date", "date-time", "uuid", "email", "ipv4", "uri"];

/// Multiples, the smaller set first where one contains the other.
const MULTIPLES: [(&str, &str, Values); 5] = [
    ("4", "2", Values::More),
    ("6", "1.5", Values::More),
    ("0.01", "0.001", Values::More),
    ("2", "3", Values::Other),
    ("100000", "50000", Values::More),
];

pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// A scalar with at most one kind of limit, so that each limit counts.
pub(crate) fn leaf(random: &mut Random, is_3_0: bool) -> Map<String, Value> {
    let kind = ["string", "integer", "number", "boolean"][random.below(4)];
    let mut leaf = map(json!({"type": kind}));
    if !is_3_0 && random.below(12) == 0 {
        return map(json!({"type": "string", "const": "v1"}));
    }
    match (random.below(4), kind) {
        (0, _) | (_, "boolean") => {}
        (1, "string") => {
            leaf.insert("enum".to_owned(), json!(words(random)));
        }
        (2, "string") => {
            let (key, value) = match random.below(3) {
                0 => ("format", FORMATS[random.below(FORMATS.len())]),
                _ => ("pattern", PATTERNS[random.below(PATTERNS.len())]),
            };
            leaf.insert(key.to_owned(), json!(value));
        }
        (_, "string") => limit(random, &mut leaf, 0),
        (1, "integer") => {
            let first = random.below(100);
            leaf.insert("enum".to_owned(), json!([first, first + 1, first + 2]));
        }
        (2, _) => {
            let (one, other, _) = MULTIPLES[random.below(MULTIPLES.len())];
            let value = if random.below(2) == 0 { one } else { other };
            leaf.insert("type".to_owned(), json!("number"));
            leaf.insert("multipleOf".to_owned(), number(value));
        }
        _ => {
            let which = 3 + random.below(3);
            limit(random, &mut leaf, which);
        }
    }
    leaf
}

/// Puts one or two bounds of a kind, by its index.
fn limit(random: &mut Random, keywords: &mut Map<String, Value>, which: usize) {
    let (low, high, _) = BOUNDS[which];
    let both = random.below(3);
    for (is_low, key) in [(true, low), (false, high)] {
        if both == 0 || (both == 1) == is_low {
            keywords.insert(key.to_owned(), bound(random, which, is_low));
        }
    }
}

/// Bounds of a list, or of an object of any names.
pub(crate) fn bounds(random: &mut Random, of_list: bool) -> Map<String, Value> {
    let mut bounds = Map::new();
    if random.below(2) == 0 {
        limit(random, &mut bounds, if of_list { 1 } else { 2 });
    }
    bounds
}

fn bound(random: &mut Random, which: usize, is_low: bool) -> Value {
    let [low, low_end, high, high_end] = BOUNDS[which].2;
    let (start, end) = if is_low {
        (low, low_end)
    } else {
        (high, high_end)
    };
    let width = usize::try_from(end - start).expect("small");
    json!(start + random.below(width) as u64)
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).expect("a number")
}

fn words(random: &mut Random) -> Vec<String> {
    let first = random.below(1000);
    (0..=1 + random.below(5))
        .map(|index| format!("v{}", first + index))
        .collect()
}

/// Another schema in place of one, or `None` where there is none that is right for sure.
pub(crate) fn vary(
    random: &mut Random,
    schema: &Schema,
    is_3_0: bool,
    huge: bool,
) -> Option<(Schema, Values)> {
    match schema {
        Schema::Leaf(keywords) => {
            let (keywords, values) = vary_leaf(random, keywords, is_3_0, huge)?;
            Some((Schema::Leaf(keywords), values))
        }
        Schema::List { bounds, items } => {
            if random.below(2) == 0
                && let Some((items, values)) = vary(random, items, is_3_0, huge)
            {
                return Some((
                    Schema::List {
                        bounds: bounds.clone(),
                        items: Box::new(items),
                    },
                    values,
                ));
            }
            // A list of itself that has to have an item is nothing that exists.
            if items.refers() {
                return None;
            }
            let (bounds, values) = move_bound(random, bounds, 1);
            Some((
                Schema::List {
                    bounds,
                    items: items.clone(),
                },
                values,
            ))
        }
        Schema::Dictionary {
            bounds,
            values: inner,
        } => {
            if random.below(2) == 0
                && let Some((inner, values)) = vary(random, inner, is_3_0, huge)
            {
                return Some((
                    Schema::Dictionary {
                        bounds: bounds.clone(),
                        values: Box::new(inner),
                    },
                    values,
                ));
            }
            if inner.refers() {
                return None;
            }
            let (bounds, values) = move_bound(random, bounds, 2);
            Some((
                Schema::Dictionary {
                    bounds,
                    values: inner.clone(),
                },
                values,
            ))
        }
        Schema::Object(_) | Schema::Component(_) => None,
    }
}

fn vary_leaf(
    random: &mut Random,
    leaf: &Map<String, Value>,
    is_3_0: bool,
    huge: bool,
) -> Option<(Map<String, Value>, Values)> {
    let mut new = leaf.clone();
    let kind = leaf.get("type")?.as_str()?;
    if let Some(Value::Array(old)) = leaf.get("enum") {
        let mut list = old.clone();
        let added = if kind == "string" {
            json!("an added value")
        } else {
            json!(-1)
        };
        let values = match random.below(3) {
            0 => {
                list.push(added);
                Values::More
            }
            1 => {
                list.remove(random.below(list.len()));
                Values::Fewer
            }
            _ => {
                list[0] = added;
                Values::Other
            }
        };
        new.insert("enum".to_owned(), json!(list));
        return Some((new, values));
    }
    if leaf.contains_key("const") {
        new.insert("const".to_owned(), json!("another value"));
        return Some((new, Values::Other));
    }
    for (key, all) in [("pattern", &PATTERNS[..]), ("format", &FORMATS[..])] {
        if leaf.contains_key(key) {
            let other = all[random.below(all.len())];
            if leaf[key] == other || random.below(4) == 0 {
                new.shift_remove(key);
            } else {
                new.insert(key.to_owned(), json!(other));
            }
            return Some((new, Values::Unknown));
        }
    }
    if let Some(multiple) = leaf.get("multipleOf") {
        let (other, values) = MULTIPLES.iter().find_map(|(one, other, values)| {
            if number(one) == *multiple {
                Some((*other, *values))
            } else if number(other) == *multiple {
                Some((*one, values.back()))
            } else {
                None
            }
        })?;
        new.insert("multipleOf".to_owned(), number(other));
        return Some((new, values));
    }
    if let Some(which) = family(leaf) {
        if huge && kind != "string" && random.below(3) == 0 {
            return huge_bound(random, new, which);
        }
        let (new, values) = move_bound(random, leaf, which);
        return Some((new, values));
    }
    let (other, values) = match kind {
        "string" => match random.below(4) {
            0 => ("integer", Values::Other),
            1 if !is_3_0 => {
                new.insert("type".to_owned(), json!(["string", "integer"]));
                return Some((new, Values::More));
            }
            2 => {
                new.insert("maxLength".to_owned(), json!(100_000));
                return Some((new, Values::Fewer));
            }
            _ => ("boolean", Values::Other),
        },
        "integer" if random.below(2) == 0 => ("number", Values::More),
        "number" if random.below(2) == 0 => ("integer", Values::Fewer),
        "integer" | "number" => {
            new.insert("minimum".to_owned(), json!(1));
            return Some((new, Values::Fewer));
        }
        _ => ("string", Values::Other),
    };
    new.insert("type".to_owned(), json!(other));
    Some((new, values))
}

/// Which bounds a scalar has: those that have all of its limits.
fn family(leaf: &Map<String, Value>) -> Option<usize> {
    let limits = || leaf.keys().filter(|key| *key != "type");
    let has_all = |low: &str, high: &str| limits().all(|key| key == low || key == high);
    limits().next()?;
    BOUNDS.iter().position(|(low, high, _)| has_all(low, high))
}

/// The upper bound is huge and becomes another huge one, or the only one.
fn huge_bound(
    random: &mut Random,
    mut new: Map<String, Value>,
    which: usize,
) -> Option<(Map<String, Value>, Values)> {
    let (_, high, _) = BOUNDS[which];
    let values = if new.contains_key(high) {
        Values::More
    } else {
        Values::Fewer
    };
    new.insert(high.to_owned(), json!(HUGE[random.below(HUGE.len())]));
    Some((new, values))
}

/// Puts, takes away or moves one of two bounds.
fn move_bound(
    random: &mut Random,
    keywords: &Map<String, Value>,
    which: usize,
) -> (Map<String, Value>, Values) {
    let (low, high, _) = BOUNDS[which];
    let (is_low, key) = if random.below(2) == 0 {
        (true, low)
    } else {
        (false, high)
    };
    let mut new = keywords.clone();
    let Some(old) = keywords.get(key) else {
        // Without a lower bound there is no upper one of another kind that would do the same.
        new.insert(key.to_owned(), bound(random, which, is_low));
        return (new, Values::Fewer);
    };
    let mut other = bound(random, which, is_low);
    if random.below(4) == 0 {
        new.shift_remove(key);
        return (new, Values::More);
    }
    if other == *old {
        other = json!(old.as_u64().unwrap_or_default() + 1);
    }
    let higher = other.as_u64() > old.as_u64();
    new.insert(key.to_owned(), other);
    (
        new,
        if higher == is_low {
            Values::Fewer
        } else {
            Values::More
        },
    )
}
