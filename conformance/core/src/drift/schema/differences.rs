//! The differences between the keywords of two schemas: as data for the report, and as edits of the old schema for the judgment.

use std::collections::{BTreeMap, BTreeSet};

use super::super::meaning::{Edit, Step};
use super::super::pair::Pair;
use super::super::rules::{self, Rule};
use super::bytes::are_text;
use super::effect::{self, Effect};
use super::matching::Sides;
use super::replaced::{effect_of_replaced, is_replaced};
use super::sets::{required_edits, requires, sets};
use super::types::types;
use super::vacant::Vacancy;
use super::view::{Content, PROSE, Part, View, is_annotation};
use crate::document::{Literal, pointer};
use crate::finding::{Keyword, SchemaChange, Severity, Shape};

/// One difference between two schemas.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) at: Pair,
    pub(super) change: SchemaChange,
    /// The keyword that differs, as views spell it; empty when the whole schemas do.
    pub(super) keyword: String,
    /// The effect that it may have on the values that are accepted.
    pub(super) effect: Effect,
    /// The edits that give the old schema this difference and no other. Empty where it says nothing about values.
    pub(super) edits: Vec<Edit>,
}

/// Two schemas inside of two others, and how they hang in them.
pub(super) struct Below {
    pub(super) old: String,
    pub(super) new: String,
    pub(super) keyword: String,
    pub(super) step: Step,
}

impl Below {
    pub(super) fn new(old: &str, new: &str, keyword: &str, step: Step) -> Self {
        Self {
            old: old.to_owned(),
            new: new.to_owned(),
            keyword: keyword.to_owned(),
            step,
        }
    }
}

/// A difference of whole schemas.
pub(super) fn whole(
    rule: &'static Rule,
    (old, new): (&View, &View),
    change: SchemaChange,
    effect: Effect,
) -> Difference {
    Difference {
        rule,
        severity: rule.severity,
        at: Pair::new(&*old.pointer, &*new.pointer),
        change,
        keyword: String::new(),
        effect,
        edits: vec![Edit::Schema {
            schema: old.pointer.clone(),
            new: new.pointer.clone(),
        }],
    }
}

/// Compares what the two are, before their keywords; `false` when they have nothing in common that is worth comparing.
pub(super) fn differ(
    sides: &Sides<'_>,
    (old, new): (&View, &View),
    differences: &mut Vec<Difference>,
) -> bool {
    // Binary content and text are not compared as a whole, and the types of the two are the same.
    if are_text(old, new) {
        return true;
    }
    if is_replaced(old, new) {
        let nothing = [(&sides.old, old), (&sides.new, new)]
            .map(|(side, view)| Vacancy::new(side, true).accepts_nothing(view));
        let change = match nothing {
            [before, after] if before != after => SchemaChange::NothingAccepted { new: after },
            _ => SchemaChange::Replaced {
                old: sides.old.shape(old),
                new: sides.new.shape(new),
            },
        };
        let rule = &rules::SCHEMA_REPLACED;
        let effect = effect_of_replaced(sides, (old, new));
        differences.push(whole(rule, (old, new), change, effect));
        return false;
    }
    if old.never != new.never {
        let change = SchemaChange::NothingAccepted { new: new.never };
        let effect = Effect {
            narrows: new.never,
            widens: old.never,
        };
        let rule = &rules::SCHEMA_TYPE_CHANGED;
        differences.push(whole(rule, (old, new), change, effect));
        return false;
    }
    types(old, new, differences)
}

/// Compares maps of schemas by name.
pub(super) fn named_schemas(
    keyword: &str,
    (old_at, old): &(String, BTreeMap<String, String>),
    (new_at, new): &(String, BTreeMap<String, String>),
    views: (&View, &View),
    differences: &mut Vec<Difference>,
    below: &mut Vec<Below>,
) {
    let at = Pair::new(old_at.as_str(), new_at.as_str());
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (one, other) = (old.get(name), new.get(name));
        if let (Some(one), Some(other)) = (one, other) {
            below.push(Below::new(one, other, keyword, Step::of(keyword, name, 0)));
            continue;
        }
        let removed = one.is_some();
        let property = keyword == "properties";
        let rule = match (property, removed) {
            (true, true) => &rules::SCHEMA_PROPERTY_REMOVED,
            (true, false) => &rules::SCHEMA_PROPERTY_ADDED,
            (false, true) => &rules::SCHEMA_KEYWORD_REMOVED,
            (false, false) => &rules::SCHEMA_KEYWORD_ADDED,
        };
        let (keyword, name) = (keyword.to_owned(), name.clone());
        let holder = one.map_or(old_at.as_str(), |one| pointer::parent(one));
        let schema = pointer::parent(holder).to_owned();
        let mut edits = vec![Edit::Entry {
            schema,
            keyword: keyword.clone(),
            name: name.clone(),
            new: other.cloned(),
        }];
        // A required property that the other side does not have at all is one difference.
        let required = if removed { views.0 } else { views.1 };
        let required = property && requires(required, &name);
        let differs = requires(views.0, &name) != requires(views.1, &name);
        let required = required && differs;
        if required {
            edits.extend(required_edits(views.0, &name, !removed));
        }
        let mut effect = effect::of_member((&keyword, &name), removed, views);
        if required {
            effect.narrows |= !removed;
            effect.widens |= removed;
        }
        let below = |one: Option<&String>, at: String| one.cloned().unwrap_or(at);
        let Pair { old, new } = at.member(&name);
        let place = Pair::new(below(one, old), below(other, new));
        let change = match (property, removed) {
            (true, true) => SchemaChange::PropertyRemoved { name, required },
            (true, false) => SchemaChange::PropertyAdded { name, required },
            (false, true) => SchemaChange::EntryRemoved {
                keyword: keyword.clone(),
                name,
            },
            (false, false) => SchemaChange::EntryAdded {
                keyword: keyword.clone(),
                name,
            },
        };
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: place,
            change,
            keyword,
            effect,
            edits,
        });
    }
}

/// The schema and spelling of a keyword.
fn place(part: &Part) -> Option<(String, String)> {
    let name = pointer::tokens(&part.pointer).last()?;
    Some((pointer::parent(&part.pointer).to_owned(), name))
}

/// The edits that give the old schema the keyword of the new one.
pub(super) fn keyword_edits(
    keyword: &str,
    old: Option<&Part>,
    new: Option<&Part>,
    views: (&View, &View),
) -> Vec<Edit> {
    if ["readOnly", "writeOnly"].contains(&keyword) {
        let schema = old.map_or(&*views.0.pointer, |part| pointer::parent(&part.pointer));
        return vec![Edit::Flag {
            schema: schema.to_owned(),
            flag: keyword.to_owned(),
            set: new.is_some(),
        }];
    }
    let old = old.and_then(place);
    let schema = old.as_ref().map_or(&views.0.pointer, |(schema, _)| schema);
    vec![Edit::Keyword {
        schema: schema.clone(),
        old: old.clone(),
        new: new.and_then(place),
    }]
}

/// A keyword that one side has only.
pub(super) fn one_keyword(
    side: &Sides<'_>,
    keyword: &str,
    old: Option<&Part>,
    new: Option<&Part>,
    views: (&View, &View),
    differences: &mut Vec<Difference>,
) {
    // Whether there is a type was compared with whether null is valid.
    if keyword == "type" {
        return;
    }
    let Some(part) = old.or(new) else { return };
    let removed = old.is_some();
    let at = match removed {
        true => Pair::new(&*part.pointer, &*views.1.pointer),
        false => Pair::new(&*views.0.pointer, &*part.pointer),
    };
    if keyword == "required" && matches!(part.content, Content::Set(_)) {
        let names = part.literals();
        let sides: (&[Literal], &[Literal]) = match removed {
            true => (&names, &[]),
            false => (&[], &names),
        };
        return sets(side, keyword, sides, views, &at, differences);
    }
    let (rule, severity) = changed(
        keyword,
        if removed {
            &rules::SCHEMA_KEYWORD_REMOVED
        } else {
            &rules::SCHEMA_KEYWORD_ADDED
        },
    );
    let told = Keyword {
        keyword: keyword.to_owned(),
        value: part.literal().or_else(|| boolean(side, part, removed)),
        flag: None,
    };
    let change = match removed {
        true => SchemaChange::KeywordRemoved(told),
        false => SchemaChange::KeywordAdded(told),
    };
    differences.push(Difference {
        rule,
        severity,
        at,
        change,
        keyword: keyword.to_owned(),
        effect: effect::of_keyword(keyword, removed, views),
        edits: with_dependents(keyword, removed, views, |keyword| {
            let parts = (views.0.parts.get(keyword), views.1.parts.get(keyword));
            keyword_edits(keyword, parts.0, parts.1, views)
        }),
    });
}

/// The value of a keyword that holds a schema, where that is `true` or `false`.
fn boolean(sides: &Sides<'_>, part: &Part, in_old: bool) -> Option<Literal> {
    let side = if in_old { &sides.old } else { &sides.new };
    let value = side.value(&part.pointer)?;
    value.is_boolean().then(|| value.clone().into())
}

/// Keywords that say nothing without another one, with that one.
const DEPENDENT: [(&str, &str); 4] = [
    ("then", "if"),
    ("else", "if"),
    ("minContains", "contains"),
    ("maxContains", "contains"),
];

/// Whether a keyword comes and goes with the one that it says nothing without.
pub(super) fn is_told_with_another(keyword: &str, views: (&View, &View)) -> bool {
    let has = |view: &View, keyword: &str| view.parts.contains_key(keyword);
    DEPENDENT.iter().any(|(dependent, leading)| {
        *dependent == keyword && has(views.0, leading) != has(views.1, leading)
    })
}

/// The edits of a keyword and of those that say nothing without it.
fn with_dependents(
    keyword: &str,
    removed: bool,
    views: (&View, &View),
    edits: impl Fn(&str) -> Vec<Edit>,
) -> Vec<Edit> {
    let view = if removed { views.0 } else { views.1 };
    let dependents = DEPENDENT
        .iter()
        .filter(|(dependent, leading)| *leading == keyword && view.parts.contains_key(*dependent));
    let mut all = edits(keyword);
    all.extend(dependents.flat_map(|(dependent, _)| edits(dependent)));
    all
}

/// One keyword in the place of another that says the same kind of thing; both with their spellings in views.
pub(super) fn replaced(
    sides: &Sides<'_>,
    (before, old): (&str, &Part),
    (after, new): (&str, &Part),
    edits: Vec<Edit>,
) -> Difference {
    let rule = &rules::SCHEMA_KEYWORD_CHANGED;
    Difference {
        rule,
        severity: rule.severity,
        at: Pair::new(&*old.pointer, &*new.pointer),
        change: SchemaChange::KeywordReplaced {
            old: sides.old.told(&old.pointer, before, old.literal()),
            new: sides.new.told(&new.pointer, after, new.literal()),
        },
        keyword: before.to_owned(),
        effect: Effect::ANY,
        edits,
    }
}

/// A keyword that says something else. Where no number stands in for what it says, only arithmetic knows what that does.
pub(super) fn other_keyword(
    sides: &Sides<'_>,
    keyword: &str,
    (old, new): (&Part, &Part),
    views: (&View, &View),
    differences: &mut Vec<Difference>,
) {
    let (rule, severity) = changed(keyword, &rules::SCHEMA_KEYWORD_CHANGED);
    let is_held = keyword == "multipleOf" || sides.hold(old) && sides.hold(new);
    let (before, after) = (old.literal(), new.literal());
    let number = |literal: &Option<Literal>| literal.as_ref().and_then(Literal::number);
    let effect = match (&old.content, &new.content) {
        (Content::Value(old), Content::Value(new)) => match (number(&before), number(&after)) {
            (Some(old), Some(new)) => effect::of_numbers(keyword, &old, &new),
            _ => effect::of_change(keyword, old, new),
        },
        _ => Effect::ANY,
    };
    differences.push(Difference {
        rule,
        severity,
        at: Pair::new(&*old.pointer, &*new.pointer),
        change: SchemaChange::KeywordChanged {
            keyword: keyword.to_owned(),
            old: before,
            new: after,
        },
        keyword: keyword.to_owned(),
        effect,
        edits: match is_held {
            true => keyword_edits(keyword, Some(old), Some(new), views),
            false => Vec::new(),
        },
    });
}

/// Subschemas of a list that found no partner.
pub(super) fn branches(
    sides: &Sides<'_>,
    keyword: &str,
    (old, new): (&[String], &[String]),
    at: &Pair,
    differences: &mut Vec<Difference>,
) {
    let schema = pointer::parent(&at.old).to_owned();
    let removed = old.iter().map(|branch| (branch, true));
    for (branch, removed) in removed.chain(new.iter().map(|branch| (branch, false))) {
        let (rule, place) = match removed {
            true => (
                &rules::SCHEMA_BRANCH_REMOVED,
                Pair::new(&**branch, &*at.new),
            ),
            false => (&rules::SCHEMA_BRANCH_ADDED, Pair::new(&*at.old, &**branch)),
        };
        let side = if removed { &sides.old } else { &sides.new };
        let shape = side.shape(&side.view(&side.known_as(branch)));
        let keyword = keyword.to_owned();
        let change = match removed {
            true => SchemaChange::AlternativeRemoved {
                keyword: keyword.clone(),
                shape,
            },
            false => SchemaChange::AlternativeAdded {
                keyword: keyword.clone(),
                shape,
            },
        };
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: place,
            change,
            effect: effect::of_branch(&keyword, removed),
            edits: vec![Edit::Branch {
                schema: schema.clone(),
                keyword: keyword.clone(),
                old: removed.then(|| branch.clone()),
                new: (!removed).then(|| branch.clone()),
            }],
            keyword,
        });
    }
}

/// The rule for a keyword: what constrains no value has a rule of its own.
pub(super) fn changed(keyword: &str, rule: &'static Rule) -> (&'static Rule, Severity) {
    let rule = if PROSE.contains(&keyword) {
        &rules::SCHEMA_PROSE_CHANGED
    } else if keyword == "discriminator" {
        &rules::SCHEMA_DISCRIMINATOR_CHANGED
    } else if is_annotation(keyword) && !["readOnly", "writeOnly"].contains(&keyword)
        || ["$id", "$anchor", "$dynamicAnchor"].contains(&keyword)
    {
        &rules::SCHEMA_ANNOTATION_CHANGED
    } else {
        rule
    };
    (rule, rule.severity)
}

/// How the documents spell an `enum`, which may stand as `const` in either.
pub(super) fn spelled<'k>(keyword: &'k str, old: &'k str, new: &'k str) -> &'k str {
    let is_const = [new, old].iter().any(|at| at.ends_with("/const"));
    if is_const { "const" } else { keyword }
}

/// Describes a schema in a few words. `label` names a branch, and `spelled` a keyword at a place as the file does.
pub(super) fn shape(
    view: &View,
    name: Option<String>,
    label: impl Fn(&str) -> Option<String>,
    spelled: impl Fn(&str, &str) -> String,
) -> Shape {
    let types = view.types().unwrap_or_default().iter();
    let mut types: Vec<String> = types
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    if view.or_null && !types.is_empty() && !types.iter().any(|one| one == "null") {
        types.push("null".to_owned());
    }
    let properties = match view.parts.get("properties").map(|part| &part.content) {
        Some(Content::Named(properties)) => properties.len(),
        _ => 0,
    };
    let unions = ["oneOf", "anyOf"];
    let branches = unions.iter().flat_map(|keyword| view.branches(keyword));
    // Without a name for each of them, the union is told by its keyword.
    let labels: Option<Vec<String>> = branches.map(|branch| label(branch)).collect();
    let mut said = vec!["type", "properties"];
    said.extend(labels.iter().flat_map(|_| unions));
    let alternatives = labels.unwrap_or_default();
    let keywords = view
        .parts
        .iter()
        .filter(|(keyword, _)| !is_annotation(keyword) && !said.contains(&keyword.as_str()))
        .map(|(keyword, part)| spelled(&part.pointer, keyword));
    Shape {
        name,
        types,
        properties,
        alternatives,
        keywords: keywords.collect(),
    }
}
