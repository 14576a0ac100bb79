//! Conclusions from the keywords of a difference where no value shows its effect.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::meaning::{Edit, enforces_format, is_held};
use super::decider::Decider;
use super::differences::Difference;
use super::effect::Effect;
use super::nothing::is_of;
use super::sets::requires;
use super::vacant::number;
use super::view::{Content, View, is_annotation};
use super::{effect, reach};
use crate::document::pointer;
use crate::finding::{SchemaChange, Sender, Side, Undecided};

impl Decider<'_, '_, '_> {
    /// The effect of a difference on the texts of two schemas that list their values, or are one of the booleans; none where either of them
    /// does not, so that other texts are possible.
    pub(super) fn of_listed_texts(&self, id: usize, difference: &Difference) -> Option<Effect> {
        if !["type", "enum"].contains(&difference.keyword.as_str()) {
            return None;
        }
        let (old, new) = self.views(id);
        let (one, other) = (listed_texts(old)?, listed_texts(new)?);
        Some(Effect {
            narrows: !one.is_subset(&other),
            widens: !other.is_subset(&one),
        })
    }

    /// Whether an alternative that comes, or goes, accepts nothing documented that none of the others does.
    pub(super) fn is_covered(&self, difference: &Difference, sender: Sender) -> bool {
        let sides = &self.walk.sides;
        let (Difference { at, keyword, .. }, [Edit::Branch { old, new, .. }]) =
            (difference, &difference.edits[..])
        else {
            return false;
        };
        let others = |side: Side, list: &str| -> Vec<String> {
            let branches = match side {
                Side::Old => sides.old.value(list),
                Side::New => sides.new.value(list),
            };
            let count = branches.and_then(Value::as_array).map_or(0, Vec::len);
            (0..count)
                .map(|index| pointer::index(list, index))
                .collect()
        };
        if keyword != "anyOf" && keyword != "oneOf" {
            return false;
        }
        match (old, new, sender) {
            (None, Some(new), Sender::Server) => others(Side::Old, &at.old)
                .iter()
                .any(|old| sides.covers((Side::Old, old), (Side::New, new))),
            (Some(old), None, Sender::Client) => others(Side::New, &at.new)
                .iter()
                .any(|new| sides.covers((Side::New, new), (Side::Old, old))),
            _ => false,
        }
    }
}

/// The texts of the values that a schema lists; of booleans there are two.
fn listed_texts(view: &View) -> Option<BTreeSet<String>> {
    let of_type = |value: &Value| {
        let types = view.types();
        types.is_none_or(|types| types.iter().any(|name| is_of(value, name)))
    };
    if view.set("enum").is_none() && matches!(view.types(), Some([only]) if only == "boolean") {
        return Some(["false", "true"].map(str::to_owned).into());
    }
    let all = view.set("enum")?.iter().map(|value| match value {
        value if !of_type(value) => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    all.collect()
}

/// Whether a difference is about null alone.
pub(super) fn is_null(difference: &Difference) -> bool {
    match &difference.change {
        SchemaChange::NullAdded | SchemaChange::NullRemoved => true,
        SchemaChange::ValuesAdded { values, .. } | SchemaChange::ValuesRemoved { values, .. } => {
            values.iter().all(|value| value.value().is_null())
        }
        _ => false,
    }
}

/// Why the validator cannot tell what a difference does.
pub(super) fn blind(difference: &Difference, views: (&View, &View)) -> Option<Undecided> {
    let keyword = difference.keyword.as_str();
    let flag = ["readOnly", "writeOnly"].contains(&keyword);
    if !keyword.is_empty() && !flag && !is_held(keyword) {
        let keyword = keyword.to_owned();
        return Some(Undecided::NotEnforced { keyword });
    }
    // Where whole schemas were compared, each keyword counts.
    if keyword.is_empty() {
        let parts = views.0.parts.keys().chain(views.1.parts.keys());
        let mut unheld = parts.filter(|keyword| !is_annotation(keyword) && !is_held(keyword));
        if let Some(keyword) = unheld.find(|one| *one != "not-a-schema") {
            let keyword = keyword.clone();
            return Some(Undecided::NotEnforced { keyword });
        }
    }
    let is_open = keyword == "format" || keyword.is_empty() && difference.effect == Effect::ANY;
    if is_open && let Some(format) = effect::unknown_format(views) {
        return Some(Undecided::UnknownFormat { format });
    }
    let broken = |view: &View| view.parts.contains_key("not-a-schema");
    (broken(views.0) || broken(views.1)).then_some(Undecided::NotASchema)
}

/// Whether a difference is about members only that the other side does not document: see the module doc of drift.
pub(super) fn is_open(difference: &Difference, views: (&View, &View)) -> bool {
    let (keyword, effect) = (difference.keyword.as_str(), difference.effect);
    let combined = [
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "dependentSchemas",
        "$ref",
        "$dynamicRef",
    ];
    let has =
        |keyword: &str| views.0.parts.contains_key(keyword) || views.1.parts.contains_key(keyword);
    let names_all = || names_its_members(views.0) && names_its_members(views.1);
    let plain = match keyword {
        // A closed object documents what it has, and so does one that requires a member.
        "properties" => match &difference.edits[..] {
            [Edit::Entry { name, .. }] => {
                effect == Effect::NARROWS && !views.0.closed && !demands(views.0, name)
            }
            _ => false,
        },
        "additionalProperties" => !combined.iter().any(|keyword| has(keyword)) && names_all(),
        "unevaluatedProperties" => !combined[1..].iter().any(|keyword| has(keyword)) && names_all(),
        _ => false,
    };
    plain && effect != Effect::ANY
}

/// Whether a schema requires the member `name`, of all objects or of those that have another one.
fn demands(view: &View, name: &str) -> bool {
    requires(view, name) || view.parts.contains_key("dependentRequired")
}

/// Whether a schema has properties, and all that it requires is one of them: of a map, all members are documented.
fn names_its_members(view: &View) -> bool {
    let Some(Content::Named(named)) = view.parts.get("properties").map(|part| &part.content) else {
        return false;
    };
    let mut required = view.set("required").unwrap_or_default().iter();
    let is_named = |name: &Value| name.as_str().is_some_and(|name| named.contains_key(name));
    !named.is_empty() && required.all(is_named) && !view.parts.contains_key("dependentRequired")
}

/// Whether no value is held to the format of either side.
pub(super) fn is_open_format(views: (&View, &View)) -> bool {
    [views.0, views.1].iter().all(|view| {
        let format = view.parts.get("format").map(|part| &part.content);
        match format {
            Some(Content::Value(Value::String(format))) => !enforces_format(format),
            _ => true,
        }
    })
}

/// Whether a difference is that of a bound, and nothing beside it keeps values from reaching the bound.
pub(super) fn is_plain_bound(difference: &Difference, views: (&View, &View)) -> bool {
    const BOUNDS: [&str; 6] = [
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    let plain = |view: &View| reach::is_plain(view) && !view.closed;
    BOUNDS.contains(&difference.keyword.as_str()) && plain(views.0) && plain(views.1)
        || is_plain_step(difference, views)
}

/// Whether a difference is that of steps that nothing stands beside, so that division tells what it does.
fn is_plain_step(difference: &Difference, views: (&View, &View)) -> bool {
    let step = |view: &View| {
        let mut others = view.parts.keys();
        let is_alone =
            others.all(|one| ["type", "multipleOf"].contains(&one.as_str()) || is_annotation(one));
        number(view, "multipleOf").filter(|_| is_alone)
    };
    let (Some(old), Some(new)) = (step(views.0), step(views.1)) else {
        return false;
    };
    let has = |view: &View, name: &str| {
        view.types()
            .is_none_or(|types| types.iter().any(|one| one == name))
    };
    let whole = old.is_integer() && new.is_integer();
    let both = |name: &str| has(views.0, name) && has(views.1, name);
    let known = old.is_multiple_of(&new).is_some() && new.is_multiple_of(&old).is_some();
    difference.keyword == "multipleOf" && known && (both("number") || whole && both("integer"))
}
