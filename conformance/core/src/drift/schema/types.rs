//! Differences of types, and of whether null is valid.

use serde_json::Value;

use super::super::meaning::Edit;
use super::super::pair::Pair;
use super::super::rules;
use super::differences::{Difference, spelled};
use super::effect::{self, Effect};
use super::view::View;
use crate::document::{Literal, pointer};
use crate::finding::SchemaChange;

/// Compares the types. Whether null is valid is a difference of its own where the other types are the same.
pub(super) fn types(old: &View, new: &View, differences: &mut Vec<Difference>) -> bool {
    let place = |view: &View| {
        let null = view.null_at.clone();
        let part = view.parts.get("type").map(|part| part.pointer.clone());
        (part.clone(), null.or(part).unwrap_or(view.pointer.clone()))
    };
    let ((old_type, old_null), (new_type, new_null)) = (place(old), place(new));
    let schema = old.pointer.clone();
    let mut add = |at: Pair, change: SchemaChange, effect: Effect, edits: Vec<Edit>| {
        let rule = &rules::SCHEMA_TYPE_CHANGED;
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at,
            change,
            keyword: "type".to_owned(),
            effect,
            edits,
        });
    };
    let null = Value::from("null");
    let others = |view: &View| {
        view.types().map(|types| {
            let mut types: Vec<Value> = types.iter().filter(|one| **one != null).cloned().collect();
            types.sort_by_key(ToString::to_string);
            types
        })
    };
    // An enum beside them has a say where only one side accepts null besides its keywords.
    let listed = |view: &View| match view.set("enum") {
        Some(values) if old.or_null != new.or_null => values.contains(&Value::Null),
        _ => true,
    };
    let takes_null = |view: &View| {
        view.or_null || view.types().is_some_and(|types| types.contains(&null)) && listed(view)
    };
    let (one, other) = (others(old), others(new));
    if one == other {
        let nothing = one.as_ref().is_some_and(Vec::is_empty);
        if old.or_null == new.or_null && (nothing || old.types().is_none()) {
            return true;
        }
        let (before, after) = (takes_null(old), takes_null(new));
        if before != after && old.null_in_enum.is_some() && new.null_in_enum.is_some() {
            differences.extend(null_in_enum((old, new), after));
        } else if before != after {
            let change = match after {
                true => SchemaChange::NullAdded,
                false => SchemaChange::NullRemoved,
            };
            let effect = Effect {
                narrows: before,
                widens: after,
            };
            let edits = vec![Edit::Null { schema, add: after }];
            add(Pair::new(old_null, new_null), change, effect, edits);
        }
        return true;
    }
    let names = |view: &View, types: &Option<Vec<Value>>| {
        types.as_ref().map(|types| {
            let mut names: Vec<String> = types
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect();
            names.extend(takes_null(view).then(|| "null".to_owned()));
            names
        })
    };
    let change = SchemaChange::TypeChanged {
        old: names(old, &one),
        new: names(new, &other),
    };
    // Keywords of one type say nothing about another: reporting each would hide the cause.
    let comparable = match (&one, &other) {
        (Some(one), Some(other)) => one
            .iter()
            .any(|name| other.contains(name) || number_like(name) && other.iter().any(number_like)),
        _ => true,
    };
    let holder = old_type.as_deref().map(pointer::parent).unwrap_or(&schema);
    let any_null = |view: &View, types: &Option<Vec<Value>>| {
        types.is_none() && listed(view) || takes_null(view)
    };
    // Where the old schema says no types, there is none among them that says whether null is valid.
    let mut types = other.clone();
    if let (None, Some(types)) = (&one, &mut types)
        && any_null(new, &other)
    {
        types.push(null.clone());
    }
    let mut edits = vec![Edit::Types {
        schema: holder.to_owned(),
        types,
    }];
    match (any_null(old, &one), any_null(new, &other)) {
        (false, true) if other.is_some() => edits.push(Edit::Null {
            schema: schema.clone(),
            add: true,
        }),
        (true, false) if one.is_some() => edits.push(Edit::Null {
            schema: schema.clone(),
            add: false,
        }),
        _ => {}
    }
    if !comparable {
        edits = vec![Edit::Schema {
            schema: old.pointer.clone(),
            new: new.pointer.clone(),
        }];
    }
    let at = Pair::new(
        old_type.unwrap_or(old.pointer.clone()),
        new_type.unwrap_or(new.pointer.clone()),
    );
    add(at, change, effect::of_types(old, new), edits);
    comparable
}

/// The difference of an `enum` that has null on one side only, beside types that allow it.
fn null_in_enum((old, new): (&View, &View), add: bool) -> Option<Difference> {
    let (one, other) = (old.parts.get("enum")?, new.parts.get("enum")?);
    let values: Vec<Literal> = vec![Value::Null.into()];
    let said = values.clone();
    let keyword = spelled("enum", &one.pointer, &other.pointer).to_owned();
    let rule = &rules::SCHEMA_ENUM_CHANGED;
    Some(Difference {
        rule,
        severity: rule.severity,
        at: Pair::new(&*one.pointer, &*other.pointer),
        edits: vec![Edit::Values {
            schema: pointer::parent(&one.pointer).to_owned(),
            add: if add { values.clone() } else { Vec::new() },
            remove: if add { Vec::new() } else { values.clone() },
        }],
        change: match add {
            true => SchemaChange::ValuesAdded {
                keyword,
                values: said,
            },
            false => SchemaChange::ValuesRemoved {
                keyword,
                values: said,
            },
        },
        keyword: "enum".to_owned(),
        effect: Effect {
            narrows: !add,
            widens: add,
        },
    })
}

fn number_like(name: &Value) -> bool {
    name == "integer" || name == "number"
}
