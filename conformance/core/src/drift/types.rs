//! The JSON types that a schema allows, as far as that is plain to see; for questions about how values are written.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::case::serialize::kind;
use crate::document::{Document, pointer};

/// How many branches within branches are followed.
const DEPTH: usize = 20;

/// The types of the schema at `at` besides null; `None` where it leaves them open.
pub(super) fn of(document: &Document, at: &str) -> Option<BTreeSet<String>> {
    within(document, at, DEPTH)
}

fn within(document: &Document, at: &str, depth: usize) -> Option<BTreeSet<String>> {
    let (at, schema) = document.resolve(at)?;
    let named = match schema.get("type") {
        Some(Value::String(kind)) => Some(BTreeSet::from([kind.clone()])),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            Some(kinds.map(str::to_owned).collect())
        }
        _ => None,
    };
    let listed = || {
        let values = match (schema.get("enum"), schema.get("const")) {
            (Some(Value::Array(values)), _) => values.as_slice(),
            (_, Some(value)) => std::slice::from_ref(value),
            _ => return None,
        };
        Some(values.iter().map(|value| kind(value).to_owned()).collect())
    };
    let branches = || {
        let depth = depth.checked_sub(1)?;
        let inside = |keyword: &str| {
            let count = schema
                .get(keyword)
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            let list = pointer::join(&at, keyword);
            (0..count).map(move |index| within(document, &format!("{list}/{index}"), depth))
        };
        // Any branch of `allOf` limits the types; those of the others do it together.
        if let Some(kinds) = inside("allOf").flatten().next() {
            return Some(kinds);
        }
        ["oneOf", "anyOf"].iter().find_map(|keyword| {
            let all: Option<Vec<_>> = inside(keyword).collect();
            all.filter(|all| !all.is_empty())
                .map(|all| all.into_iter().flatten().collect())
        })
    };
    let mut kinds: BTreeSet<String> = named.or_else(listed).or_else(branches)?;
    if kinds.len() > 1 {
        kinds.remove("null");
    }
    Some(kinds)
}

/// Whether a value of these types is one text, and neither a list nor an object.
pub(super) fn are_scalar(kinds: &BTreeSet<String>) -> bool {
    !kinds.is_empty() && !kinds.contains("array") && !kinds.contains("object")
}

/// Whether the schema at `at` is of arrays only, and their items are scalar.
pub(super) fn is_list_of_scalars(document: &Document, at: &str) -> bool {
    let is_list = of(document, at).is_some_and(|kinds| kinds.iter().eq(["array"]));
    let items = document
        .resolve(at)
        .and_then(|(at, _)| of(document, &pointer::join(&at, "items")));
    is_list && items.is_some_and(|kinds| are_scalar(&kinds))
}
