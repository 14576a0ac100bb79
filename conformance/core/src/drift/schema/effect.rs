//! The possible effect of a difference between keywords on the accepted values, by the meaning of the keyword alone.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::meaning::{are_apart, beyond, is_held};
use super::view::{Content, Part, View};
use crate::document::Decimal;
use crate::schema::pattern::{is_pattern, matches};

/// How the values of the new schema may differ from those of the old one. Both are true where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    /// The new schema may reject what the old one accepts.
    pub(super) narrows: bool,
    /// The new schema may accept what the old one rejects.
    pub(super) widens: bool,
}

impl Effect {
    /// Nothing is known.
    pub(super) const ANY: Self = Self {
        narrows: true,
        widens: true,
    };

    pub(super) const NARROWS: Self = Self {
        narrows: true,
        widens: false,
    };

    pub(super) const WIDENS: Self = Self {
        narrows: false,
        widens: true,
    };

    /// All stays as it is.
    pub(super) const NONE: Self = Self {
        narrows: false,
        widens: false,
    };

    /// The effect below `not`.
    pub(super) fn reversed(self) -> Self {
        Self {
            narrows: self.widens,
            widens: self.narrows,
        }
    }
}

/// Keywords that say which members or items nobody else speaks of: what stands beside them changes their meaning.
const REST: [&str; 4] = [
    "additionalProperties",
    "patternProperties",
    "unevaluatedProperties",
    "additionalItems",
];

/// A keyword that is on one side only.
pub(super) fn of_keyword(keyword: &str, in_old: bool, views: (&View, &View)) -> Effect {
    let has =
        |keyword: &str| views.0.parts.contains_key(keyword) || views.1.parts.contains_key(keyword);
    let unevaluated = has("unevaluatedProperties") || has("unevaluatedItems");
    let plain = match keyword {
        "if" | "then" | "else" | "minContains" | "maxContains" | "items" | "prefixItems" => {
            keyword == "items" && !has("prefixItems") && !unevaluated
        }
        "properties" | "patternProperties" => {
            !REST.iter().any(|rest| has(rest) && *rest != keyword)
        }
        "contains" => !has("minContains") && !has("maxContains"),
        "allOf" | "anyOf" | "oneOf" | "dependentSchemas" | "additionalProperties" => !unevaluated,
        _ => is_held(keyword),
    };
    match (plain, in_old) {
        (false, _) => Effect::ANY,
        (true, true) => Effect::WIDENS,
        (true, false) => Effect::NARROWS,
    }
}

/// A member of a map of schemas that is on one side only.
pub(super) fn of_member(
    (keyword, name): (&str, &str),
    in_old: bool,
    views: (&View, &View),
) -> Effect {
    let has =
        |keyword: &str| views.0.parts.contains_key(keyword) || views.1.parts.contains_key(keyword);
    let patterns = views.0.parts.contains_key("patternProperties");
    match keyword {
        // Judged on the old schema, which accepts no member besides.
        "properties" if views.0.closed && !patterns && in_old => Effect::NARROWS,
        "properties" if views.0.closed && !patterns => Effect::WIDENS,
        "properties" if REST.iter().any(|rest| has(rest)) => Effect::ANY,
        "properties" if in_old => Effect::WIDENS,
        "properties" => Effect::NARROWS,
        "patternProperties" if views.0.closed && is_alone(name, views.0) => match in_old {
            true => Effect::NARROWS,
            false => Effect::WIDENS,
        },
        "patternProperties" if REST.iter().any(|rest| has(rest) && *rest != keyword) => Effect::ANY,
        "patternProperties" if in_old => Effect::WIDENS,
        "patternProperties" => Effect::NARROWS,
        "dependentSchemas" if !has("unevaluatedProperties") && in_old => Effect::WIDENS,
        "dependentSchemas" if !has("unevaluatedProperties") => Effect::NARROWS,
        _ => Effect::ANY,
    }
}

/// Whether no property of a schema, and no member that another one of its patterns speaks of, has a name that matches `pattern`.
fn is_alone(pattern: &str, view: &View) -> bool {
    let names = |keyword: &str| match view.parts.get(keyword).map(|part| &part.content) {
        Some(Content::Named(all)) => all.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let mut properties = names("properties").into_iter();
    let mut patterns = names("patternProperties").into_iter();
    is_pattern(pattern)
        && !properties.any(|name| matches(pattern, &name))
        && patterns.all(|other| other == pattern || are_apart(&other, pattern))
}

/// A branch that is on one side only.
pub(super) fn of_branch(keyword: &str, in_old: bool) -> Effect {
    match (keyword, in_old) {
        ("allOf", true) | ("anyOf", false) => Effect::WIDENS,
        ("allOf", false) | ("anyOf", true) => Effect::NARROWS,
        _ => Effect::ANY,
    }
}

/// A keyword with another value.
pub(super) fn of_change(keyword: &str, old: &Value, new: &Value) -> Effect {
    // A float is limited to what 32 bits hold, a double to nothing.
    match (keyword, old.as_str(), new.as_str()) {
        ("format", Some("float"), Some("double")) => return Effect::WIDENS,
        ("format", Some("double"), Some("float")) => return Effect::NARROWS,
        ("pattern", Some(old), Some(new)) => {
            return Effect {
                narrows: !beyond(old, new).is_empty,
                widens: !beyond(new, old).is_empty,
            };
        }
        _ => {}
    }
    match (old, new) {
        (Value::Number(old), Value::Number(new)) => {
            of_numbers(keyword, &Decimal::of(old), &Decimal::of(new))
        }
        _ => Effect::ANY,
    }
}

/// A keyword with another number.
pub(super) fn of_numbers(keyword: &str, old: &Decimal, new: &Decimal) -> Effect {
    if keyword == "multipleOf" {
        return Effect {
            narrows: old.is_multiple_of(new) != Some(true),
            widens: new.is_multiple_of(old) != Some(true),
        };
    }
    of_order(keyword, old.cmp(new))
}

/// A bound that was, compared with what it is, as `order` says.
pub(super) fn of_order(keyword: &str, order: Ordering) -> Effect {
    let (lower, higher) = (order == Ordering::Greater, order == Ordering::Less);
    match keyword {
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => Effect {
            narrows: higher,
            widens: lower,
        },
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => Effect {
            narrows: lower,
            widens: higher,
        },
        _ => Effect::ANY,
    }
}

/// Other types, where both sides say types and nothing of null besides.
pub(super) fn of_types(old: &View, new: &View) -> Effect {
    let (Some(one), Some(other)) = (old.types(), new.types()) else {
        return Effect::ANY;
    };
    let covers = |types: &[Value], or_null: bool, name: &Value| {
        types.contains(name)
            || name == "integer" && types.iter().any(|one| one == "number")
            || name == "null" && or_null
    };
    let null = Value::from("null");
    let all = |types: &[Value], or_null: bool| {
        let mut types = types.to_vec();
        types.extend(or_null.then(|| null.clone()));
        types
    };
    let beyond = |view: &View, types: &[Value], outer: &View, wider: &[Value]| {
        all(types, view.or_null)
            .iter()
            .any(|name| !covers(wider, outer.or_null, name))
    };
    Effect {
        narrows: beyond(old, one, new, other),
        widens: beyond(new, other, old, one),
    }
}

/// Whether a keyword says which members or items are spoken of, which `unevaluatedProperties` and its like ask for.
pub(super) fn names_members(keyword: &str) -> bool {
    let plain = [
        "type",
        "enum",
        "required",
        "format",
        "pattern",
        "multipleOf",
        "uniqueItems",
    ];
    !(plain.contains(&keyword) || keyword.starts_with("min") || keyword.starts_with("max"))
}

/// Other types of what stands as text: a string may be any text, so it takes what a number or a boolean is written as.
/// `exploded` says whether a list of one is written as its item.
pub(super) fn of_texts(effect: Effect, (old, new): (&View, &View), exploded: bool) -> Effect {
    let scalar = |view: &View| {
        view.types().is_some_and(|types| {
            types.iter().all(|name| {
                ["string", "number", "integer", "boolean", "null"]
                    .iter()
                    .any(|one| name == one)
            })
        })
    };
    let text = |view: &View| {
        view.types()
            .is_some_and(|types| types.iter().any(|name| name == "string"))
    };
    let list = |view: &View| {
        exploded
            && view
                .types()
                .is_some_and(|types| types.iter().any(|name| name == "array"))
    };
    Effect {
        narrows: effect.narrows && !(scalar(old) && (text(new) || list(new))),
        widens: effect.widens && !(scalar(new) && (text(old) || list(old))),
    }
}

/// How the values of a schema depend on those of a schema inside of it: 1 as it does, -1 the other way round, 0 not known.
/// `names` says whether the inner difference may change which members or items are spoken of.
pub(super) fn variance(keyword: &str, names: bool, views: (&View, &View)) -> i8 {
    let has =
        |keyword: &str| views.0.parts.contains_key(keyword) || views.1.parts.contains_key(keyword);
    let unevaluated = has("unevaluatedProperties") || has("unevaluatedItems");
    match keyword {
        "properties"
        | "patternProperties"
        | "additionalProperties"
        | "propertyNames"
        | "items"
        | "prefixItems"
        | "additionalItems"
        | "unevaluatedProperties"
        | "unevaluatedItems" => 1,
        "contains" if !has("maxContains") && !has("unevaluatedItems") => 1,
        "contains" => 0,
        "allOf" if !(unevaluated && names) => 1,
        _ if unevaluated => 0,
        "not" => -1,
        "anyOf" | "then" | "else" | "dependentSchemas" => 1,
        _ => 0,
    }
}

/// A format that no validator enforces, of one side only.
pub(super) fn unknown_format(views: (&View, &View)) -> Option<String> {
    let said = |view: &View| view.parts.get("format").and_then(Part::literal);
    let (one, other) = (said(views.0), said(views.1));
    if one.map(|one| one.value().clone()) == other.map(|other| other.value().clone()) {
        return None;
    }
    [views.0, views.1].iter().find_map(|view| {
        match view.parts.get("format").map(|part| &part.content) {
            Some(Content::Value(Value::String(format))) => {
                let known = super::super::meaning::knows_format(format);
                (!known).then(|| format.clone())
            }
            Some(other) => Some(format!("{other:?}")),
            None => None,
        }
    })
}
