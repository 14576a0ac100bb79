//! Comparing `oneOf` with `anyOf`, and what a discriminator says of branches.

use std::collections::BTreeSet;

use super::super::meaning::{Edit, Step};
use super::super::pair::Pair;
use super::super::rules;
use super::compare::Walk;
use super::differences::{self, Below, Difference};
use super::effect::Effect;
use super::side::Side;
use super::view::View;
use crate::document::pointer;
use crate::finding::{Keyword, SchemaChange};

impl Walk<'_> {
    /// Compares `oneOf` of one side with `anyOf` of the other.
    pub(super) fn alternatives(
        &self,
        views: &(View, View),
        differences: &mut Vec<Difference>,
        below: &mut Vec<Below>,
    ) {
        let (old, new) = (&views.0, &views.1);
        let Some((one, other)) = turned(old, new) else {
            return;
        };
        let place = |view: &View, keyword: &str| {
            let part = view.parts.get(keyword);
            part.map_or_else(|| view.pointer.clone(), |part| part.pointer.clone())
        };
        let at = Pair::new(place(old, one), place(new, other));
        let (pairs, removed, added) = self.sides.matched(old.branches(one), new.branches(other));
        let rule = &rules::SCHEMA_REPLACED;
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: Pair::new(&*old.pointer, &*new.pointer),
            change: SchemaChange::KeywordReplaced {
                old: of_schemas(one),
                new: of_schemas(other),
            },
            keyword: String::new(),
            effect: Effect {
                narrows: one == "anyOf",
                widens: one == "oneOf",
            },
            edits: vec![Edit::Rename {
                schema: pointer::parent(&at.old).to_owned(),
                from: one,
                to: other,
            }],
        });
        let same = |(old, new): (String, String)| Below::new(&old, &new, "oneOf", Step::Same);
        below.extend(pairs.into_iter().map(same));
        differences::branches(&self.sides, one, (&removed, &added), &at, differences);
    }

    /// Compares where discriminators lead: as hints, for no value is valid or not because of them. A value is mapped to the same where
    /// the schemas are the same component or say the same. A value mapped to a branch that is on one side only is reported with the branch.
    pub(super) fn mappings(&self, views: &(View, View), differences: &mut Vec<Difference>) {
        let (old, new) = (&views.0, &views.1);
        let parts = [old, new].map(|view| view.parts.get("discriminator"));
        let [Some(one), Some(other)] = parts else {
            return;
        };
        let alone: BTreeSet<String> = differences
            .iter()
            .filter_map(|one| match &one.change {
                SchemaChange::AlternativeRemoved { .. } => {
                    Some(self.sides.old.known_as(&one.at.old))
                }
                SchemaChange::AlternativeAdded { .. } => Some(self.sides.new.known_as(&one.at.new)),
                _ => None,
            })
            .collect();
        let at = Pair::new(&*one.pointer, &*other.pointer).member("mapping");
        let first = differences.len();
        let values: BTreeSet<&String> = old.mapping.keys().chain(new.mapping.keys()).collect();
        for value in values {
            let (before, after) = (old.mapping.get(value), new.mapping.get(value));
            if let (Some(before), Some(after)) = (before, after)
                && self.sides.leads_to_one(before, after)
            {
                continue;
            }
            let known = |side: &Side<'_>, at: &String| side.known_as(at);
            let is_told = before.is_none_or(|at| alone.contains(&known(&self.sides.old, at)))
                && after.is_none_or(|at| alone.contains(&known(&self.sides.new, at)));
            if is_told {
                continue;
            }
            let label = |target: Option<&String>| {
                target.map(|at| at.rsplit('/').next().unwrap_or(at).to_owned())
            };
            let rule = &rules::SCHEMA_DISCRIMINATOR_CHANGED;
            differences.push(Difference {
                rule,
                severity: rule.severity,
                at: at.member(value),
                change: SchemaChange::MappingChanged {
                    value: value.clone(),
                    old: label(before),
                    new: label(after),
                },
                keyword: "discriminator".to_owned(),
                effect: Effect::NONE,
                edits: Vec::new(),
            });
        }
        // The name of a component, which need not be written, takes the place of a value that is: that one is said.
        let written = |one: &Difference| {
            self.sides.old.value(&one.at.old).is_some()
                || self.sides.new.value(&one.at.new).is_some()
        };
        if differences[first..].iter().any(written) {
            let mapped = differences.split_off(first);
            differences.extend(mapped.into_iter().filter(written));
        }
    }
}

/// A keyword that holds schemas.
fn of_schemas(keyword: &str) -> Keyword {
    Keyword {
        keyword: keyword.to_owned(),
        value: None,
        flag: None,
    }
}

/// The keywords that say which branches there are, where one side says `oneOf` and the other `anyOf`.
pub(super) fn turned(old: &View, new: &View) -> Option<(&'static str, &'static str)> {
    let has = |view: &View, keyword: &str| view.parts.contains_key(keyword);
    [("oneOf", "anyOf"), ("anyOf", "oneOf")]
        .into_iter()
        .find(|(one, other)| has(old, one) && !has(old, other) && has(new, other) && !has(new, one))
}
