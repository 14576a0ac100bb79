//! Two views that the same value meets, as one view that says what both say, where there is one.

use serde_json::Value;

use super::view::{Content, PROSE, View, is_annotation};

/// Keywords that mean something else when a member of the same group stands beside them.
const GROUPS: [&[&str]; 4] = [
    &["properties", "patternProperties", "additionalProperties"],
    &["prefixItems", "items", "additionalItems"],
    &["contains", "minContains", "maxContains"],
    &["if", "then", "else"],
];

/// The schema that says what both say, where their properties are others, or those that are `same`.
pub(super) fn conjoin(
    mut outer: View,
    inner: View,
    same: &dyn Fn(&str, &str) -> bool,
) -> Option<View> {
    const TOGETHER: [&str; 5] = [
        "additionalProperties",
        "patternProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "dependentSchemas",
    ];
    let constrains = |view: &View| view.parts.keys().any(|keyword| !is_annotation(keyword));
    if outer.never || inner.never || outer.or_null || inner.or_null {
        return None;
    }
    let both = constrains(&outer) && constrains(&inner);
    let has = |view: &View| {
        TOGETHER
            .iter()
            .any(|keyword| view.parts.contains_key(*keyword))
    };
    if both && (has(&outer) || has(&inner)) {
        return None;
    }
    for (keyword, part) in inner.parts {
        let Some(known) = outer.parts.get_mut(&keyword) else {
            outer.parts.insert(keyword, part);
            continue;
        };
        let is_same = same(&known.pointer, &part.pointer);
        match (&mut known.content, part.content) {
            (Content::Named(known), Content::Named(more)) if keyword == "properties" => {
                for (name, at) in more {
                    match known.get(&name) {
                        Some(other) if *other != at && !same(other, &at) => return None,
                        Some(_) => {}
                        None => {
                            known.insert(name, at);
                        }
                    }
                }
            }
            (Content::Set(known), Content::Set(more)) if keyword == "required" => {
                let more: Vec<Value> = more
                    .into_iter()
                    .filter(|name| !known.contains(name))
                    .collect();
                known.extend(more);
                known.sort_by_key(ToString::to_string);
            }
            (Content::Branches(known), Content::Branches(more)) if keyword == "allOf" => {
                known.extend(more);
            }
            (Content::Set(known), Content::Set(more)) if *known == more => {}
            (Content::Value(_) | Content::One(_), _) if is_same => {}
            // The annotations of the outer schema take precedence over those of the inner one.
            _ if is_annotation(&keyword) => {}
            _ => return None,
        }
    }
    outer.required_in.extend(inner.required_in);
    outer.null_at = outer.null_at.or(inner.null_at);
    outer.mapping.extend(inner.mapping);
    outer.closed |= inner.closed;
    outer.unresolved.extend(inner.unresolved);
    Some(outer)
}

/// The schema that says what `outer` says and what `inner` says, or `None` when that takes an `allOf`.
pub(super) fn merge(outer: &View, inner: View) -> Option<View> {
    let mut unresolved = outer.unresolved.clone();
    unresolved.extend(inner.unresolved.iter().cloned());
    if outer.is_trivial() && !outer.or_null {
        return Some(View {
            unresolved,
            ..inner
        });
    }
    let constrains = outer.parts.keys().any(|keyword| !is_annotation(keyword));
    if inner.never || (constrains && (inner.or_null || outer.or_null)) {
        return None;
    }
    if constrains {
        let has = |view: &View, keyword: &&str| view.parts.contains_key(*keyword);
        let grouped = GROUPS.iter().any(|group| {
            group.iter().any(|k| has(outer, k)) && group.iter().any(|k| has(&inner, k))
        });
        let unevaluated = ["unevaluatedProperties", "unevaluatedItems"]
            .iter()
            .any(|keyword| has(&inner, keyword));
        if grouped || unevaluated {
            return None;
        }
    }
    let mut parts = inner.parts;
    for (keyword, part) in &outer.parts {
        // The annotations of the outer schema take precedence over those of the inner one.
        if parts.insert(keyword.clone(), part.clone()).is_some()
            && !PROSE.contains(&keyword.as_str())
        {
            return None;
        }
    }
    let mut mapping = inner.mapping;
    mapping.extend(outer.mapping.clone());
    Some(View {
        pointer: outer.pointer.clone(),
        or_null: outer.or_null || inner.or_null,
        null_in_enum: outer.null_in_enum.or(inner.null_in_enum),
        null_at: outer.null_at.clone().or(inner.null_at),
        never: false,
        closed: outer.closed || inner.closed,
        required_in: [outer.required_in.clone(), inner.required_in].concat(),
        parts,
        mapping,
        unresolved,
    })
}
