//! Lists: how many items, and which.

use serde_json::Value;

use super::Source;
use super::edge::{Edge, Expect, Spot};

/// The longest list that is made to reach a length.
const LONGEST: u64 = 1_000;

/// The edges of a list.
pub(super) fn edges(source: &Source<'_>, spot: &Spot<'_>, items: &[Value], edges: &mut Vec<Edge>) {
    use Expect::{Either, Invalid, Valid};
    let unique = spot.each("uniqueItems").any(|value| value == true);
    let mut add = |what: &str, length: u64, expect| {
        let list = of_length(source, spot, items, length, unique);
        edges.extend(list.map(|list| Edge::new(what, Value::Array(list), expect)));
    };
    for least in spot
        .counts("minItems")
        .into_iter()
        .filter(|count| *count <= LONGEST)
    {
        add("with as few items as allowed", least, Valid);
        if let Some(less) = least.checked_sub(1) {
            add("with one item too few", less, Invalid);
        }
    }
    for most in spot
        .counts("maxItems")
        .into_iter()
        .filter(|count| *count <= LONGEST)
    {
        add("with as many items as allowed", most, Valid);
        add("with one item too many", most + 1, Invalid);
    }
    edges.push(Edge::new(
        "is an empty list",
        Value::Array(Vec::new()),
        Either,
    ));
    if let Some(first) = items.first() {
        let mut twice = items.to_vec();
        twice.push(first.clone());
        edges.push(Edge::new("with an item twice", Value::Array(twice), Either));
        let mut fewer = items.to_vec();
        fewer.remove(0);
        edges.push(Edge::new(
            "without its first item",
            Value::Array(fewer),
            Either,
        ));
    }
    if spot.each("contains").next().is_some() {
        let others = spot
            .each("items")
            .next()
            .is_none()
            .then(|| Value::from("conformance-other"));
        edges.extend(others.map(|other| {
            Edge::new(
                "without the item that it must contain",
                Value::Array(vec![other]),
                Invalid,
            )
        }));
    }
    if let Some(tuple) = spot.each("prefixItems").filter_map(Value::as_array).next() {
        let mut more = items.to_vec();
        more.truncate(tuple.len());
        while more.len() < tuple.len() {
            let Some(item) = item(source, spot, more.len()) else {
                return;
            };
            more.push(item);
        }
        edges.push(Edge::new(
            "with all items of its tuple",
            Value::Array(more.clone()),
            Either,
        ));
        more.push(Value::from("conformance-more"));
        edges.push(Edge::new(
            "with an item beyond its tuple",
            Value::Array(more),
            Invalid,
        ));
    }
}

/// An item at an index.
fn item(source: &Source<'_>, spot: &Spot<'_>, index: usize) -> Option<Value> {
    let schemas = source.schemas.subschemas().item(&spot.all, index);
    match schemas.is_empty() {
        true => Some(Value::from("a")),
        false => source.example(&schemas),
    }
}

/// A list of this length that begins as `items` does; none where there are not so many different items.
fn of_length(
    source: &Source<'_>,
    spot: &Spot<'_>,
    items: &[Value],
    length: u64,
    unique: bool,
) -> Option<Vec<Value>> {
    let length = usize::try_from(length).ok()?;
    let mut list: Vec<Value> = items.iter().take(length).cloned().collect();
    // Made of the schemas of an item once they are needed, the last one first.
    let mut others: Option<(Vec<String>, Vec<Value>)> = None;
    while list.len() < length {
        let index = list.len();
        let schemas = source.schemas.subschemas().item(&spot.all, index);
        let next = match (schemas.is_empty(), unique) {
            (true, false) => items.first().cloned().unwrap_or(Value::from("a")),
            (true, true) => Value::from(format!("a{index}")),
            (false, false) => match items.last() {
                Some(last) => last.clone(),
                None => source.example(&schemas)?,
            },
            (false, true) => {
                let (_, others) = match &mut others {
                    Some(made) if made.0 == schemas => made,
                    made => {
                        let mut all = source.different(&schemas, length);
                        all.retain(|value| !list.contains(value));
                        all.reverse();
                        made.insert((schemas, all))
                    }
                };
                others.pop()?
            }
        };
        list.push(next);
    }
    Some(list)
}
