//! Differences of keywords that are sets: the values of an `enum`, the names that are required.

use std::collections::BTreeSet;

use super::super::equal::identity;
use super::super::meaning::Edit;
use super::super::pair::Pair;
use super::super::rules;
use super::differences::{Difference, spelled};
use super::effect::Effect;
use super::matching::Sides;
use super::view::{Content, View};
use crate::document::{Literal, pointer};
use crate::finding::SchemaChange;

/// Compares keywords that are sets of values: what was added and what was removed are differences of their own.
pub(super) fn sets(
    sides: &Sides<'_>,
    keyword: &str,
    (old, new): (&[Literal], &[Literal]),
    views: (&View, &View),
    at: &Pair,
    differences: &mut Vec<Difference>,
) {
    let only = |one: &[Literal], other: &[Literal]| {
        let known: BTreeSet<String> = other.iter().map(identity).collect();
        let missing = one.iter().filter(|value| !known.contains(&identity(value)));
        missing.cloned().collect::<Vec<Literal>>()
    };
    let (removed, added) = (only(old, new), only(new, old));
    let part = views.0.parts.get(keyword);
    let schema = part.map_or(&*views.0.pointer, |part| pointer::parent(&part.pointer));
    if keyword == "required" {
        return required((&removed, &added), views, at, differences);
    }
    let spelled = spelled(keyword, &at.old, &at.new).to_owned();
    let constant = at.old.ends_with("/const") && at.new.ends_with("/const");
    if let ([one], [other], true) = (&removed[..], &added[..], constant) {
        let rule = &rules::SCHEMA_ENUM_CHANGED;
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: at.clone(),
            change: SchemaChange::KeywordChanged {
                keyword: spelled,
                old: Some(one.clone()),
                new: Some(other.clone()),
            },
            keyword: keyword.to_owned(),
            effect: Effect::ANY,
            // One value in the place of another is judged as that, or not at all.
            edits: match sides.stand_ins().hold(one) && sides.stand_ins().hold(other) {
                true => edits(sides, schema, &removed, &added),
                false => Vec::new(),
            },
        });
        return;
    }
    for (values, add) in [(removed, false), (added, true)] {
        if values.is_empty() {
            continue;
        }
        let edits = match add {
            true => edits(sides, schema, &[], &values),
            false => edits(sides, schema, &values, &[]),
        };
        let change = match add {
            true => SchemaChange::ValuesAdded {
                keyword: spelled.clone(),
                values,
            },
            false => SchemaChange::ValuesRemoved {
                keyword: spelled.clone(),
                values,
            },
        };
        let rule = &rules::SCHEMA_ENUM_CHANGED;
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: at.clone(),
            change,
            keyword: keyword.to_owned(),
            effect: Effect {
                narrows: !add,
                widens: add,
            },
            edits,
        });
    }
}

/// The edits that remove values from an `enum` and add others. Those that nothing stands in for are left out; where there are no others,
/// there is no edit.
fn edits(sides: &Sides<'_>, schema: &str, removed: &[Literal], added: &[Literal]) -> Vec<Edit> {
    let held = |values: &[Literal]| {
        let held = values
            .iter()
            .filter(|value| value.is_held() || sides.stand_ins().hold(value));
        held.cloned().collect::<Vec<_>>()
    };
    let (remove, add) = (held(removed), held(added));
    if remove.is_empty() && add.is_empty() {
        return Vec::new();
    }
    vec![Edit::Values {
        schema: schema.to_owned(),
        add,
        remove,
    }]
}

/// Names that are required on one side only, each a difference of its own.
fn required(
    (removed, added): (&[Literal], &[Literal]),
    views: (&View, &View),
    at: &Pair,
    differences: &mut Vec<Difference>,
) {
    let all = removed.iter().map(|name| (name, false));
    for (name, add) in all.chain(added.iter().map(|name| (name, true))) {
        let Some(name) = name.value().as_str().map(str::to_owned) else {
            continue;
        };
        let (own, opposite) = if add {
            (views.1, views.0)
        } else {
            (views.0, views.1)
        };
        // That was said with the property.
        if has_property(own, &name) && !has_property(opposite, &name) {
            continue;
        }
        let edits = required_edits(views.0, &name, add);
        let change = match add {
            true => SchemaChange::RequiredAdded { name },
            false => SchemaChange::RequiredRemoved { name },
        };
        let rule = &rules::SCHEMA_REQUIRED_CHANGED;
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: at.clone(),
            change,
            keyword: "required".to_owned(),
            effect: Effect {
                narrows: add,
                widens: !add,
            },
            edits,
        });
    }
}

/// The edits that add `name` to what a schema requires, or remove it wherever it stands.
pub(super) fn required_edits(view: &View, name: &str, add: bool) -> Vec<Edit> {
    let edit = |schema: &String| Edit::Required {
        schema: schema.clone(),
        name: name.to_owned(),
        add,
    };
    match (view.required_in.first(), add) {
        (Some(first), true) => vec![edit(first)],
        (None, true) => vec![edit(&view.pointer)],
        (_, false) => view.required_in.iter().map(edit).collect(),
    }
}

/// Whether `view` requires the property `name`.
pub(super) fn requires(view: &View, name: &str) -> bool {
    view.set("required")
        .is_some_and(|names| names.iter().any(|one| one == name))
}

/// Whether `view` has the property `name`.
fn has_property(view: &View, name: &str) -> bool {
    match view.parts.get("properties").map(|part| &part.content) {
        Some(Content::Named(properties)) => properties.contains_key(name),
        _ => false,
    }
}
