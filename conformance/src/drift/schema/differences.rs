//! What differs in the keywords of two schemas, and how it is said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::equal::{canonical, shown};
use super::super::ledger::{Pair, one_sided};
use super::super::meaning::Step;
use super::super::rules::{self, Rule};
use super::effect::{self, Effect};
use super::view::{Content, PROSE, Part, View, is_annotation};
use crate::finding::Severity;

/// One difference between two schemas.
pub(super) struct Difference {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) at: Pair,
    pub(super) message: String,
    /// The keyword that differs, as views spell it; empty when the whole schemas do.
    pub(super) keyword: String,
    /// What it may do to the values that are accepted.
    pub(super) effect: Effect,
}

/// Two schemas inside of two others, and how they hang in them.
pub(super) struct Below {
    pub(super) theirs: String,
    pub(super) ours: String,
    pub(super) keyword: String,
    pub(super) step: Step,
}

impl Below {
    pub(super) fn new(theirs: &str, ours: &str, keyword: &str, step: Step) -> Self {
        Self {
            theirs: theirs.to_owned(),
            ours: ours.to_owned(),
            keyword: keyword.to_owned(),
            step,
        }
    }
}

/// Compares what the two are, before their keywords; `false` when they have nothing in common that is worth comparing.
pub(super) fn differ(theirs: &View, ours: &View, differences: &mut Vec<Difference>) -> bool {
    if let Some(message) = replaced(theirs, ours) {
        let rule = &rules::SCHEMA_REPLACED;
        let at = Pair::new(&*theirs.pointer, &*ours.pointer);
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at,
            message,
            keyword: String::new(),
            effect: Effect::ANY,
        });
        return false;
    }
    let types = |view: &View| {
        let mut types: Vec<Value> = view.types().map(<[Value]>::to_vec).unwrap_or_default();
        if view.or_null {
            types.push(Value::String("null".to_owned()));
        }
        types.sort_by_key(ToString::to_string);
        types
    };
    let place = |view: &View| {
        view.parts
            .get("type")
            .map_or_else(|| view.pointer.clone(), |part| part.pointer.clone())
    };
    let at = Pair::new(place(theirs), place(ours));
    let mut add = |message: String| {
        let rule = &rules::SCHEMA_TYPE_CHANGED;
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: at.clone(),
            message,
            keyword: "type".to_owned(),
            effect: effect::of_types(theirs, ours),
        });
    };
    if theirs.never != ours.never {
        let words = |view: &View| {
            if view.never {
                "accepts no value"
            } else {
                "accepts values"
            }
        };
        add(format!(
            "theirs {}, ours {}; make ours accept what theirs accepts",
            words(theirs),
            words(ours)
        ));
        return false;
    }
    let (one, other) = (types(theirs), types(ours));
    if one == other && theirs.types().is_some() == ours.types().is_some() {
        if theirs.or_null != ours.or_null {
            let words = |view: &View| {
                if view.or_null {
                    "accepts null besides what its keywords say"
                } else {
                    "holds null to all its keywords"
                }
            };
            add(format!(
                "theirs {}, ours {}; make ours accept what theirs accepts",
                words(theirs),
                words(ours)
            ));
        }
        return true;
    }
    let words = |view: &View, types: &[Value]| match (view.types(), view.or_null) {
        (None, false) => "any type".to_owned(),
        (None, true) => "null besides what else it says".to_owned(),
        _ => types
            .iter()
            .map(|name| format!("`{}`", name.as_str().unwrap_or("?")))
            .collect::<Vec<_>>()
            .join(" or "),
    };
    add(format!(
        "theirs allows {}, ours {}; make ours allow what theirs allows",
        words(theirs, &one),
        words(ours, &other)
    ));
    // Keywords of one type say nothing about another: reporting each would hide the cause.
    match (theirs.types(), ours.types()) {
        (Some(one), Some(other)) => one
            .iter()
            .any(|name| other.contains(name) || number_like(name) && other.iter().any(number_like)),
        _ => true,
    }
}

/// What to say of two schemas without a common keyword, where saying it of each keyword would hide the cause.
fn replaced(theirs: &View, ours: &View) -> Option<String> {
    let keywords = |view: &View| {
        let all = view.parts.keys().filter(|keyword| !is_annotation(keyword));
        all.cloned().collect::<BTreeSet<String>>()
    };
    let (one, other) = (keywords(theirs), keywords(ours));
    // Branches are compared with branches.
    let branches = |keywords: &BTreeSet<String>| {
        ["oneOf", "anyOf"]
            .iter()
            .any(|keyword| keywords.contains(*keyword))
    };
    if branches(&one) && branches(&other) {
        return None;
    }
    if one.len() + other.len() < 2 || !one.is_disjoint(&other) || theirs.never || ours.never {
        return None;
    }
    let words = |keywords: BTreeSet<String>| match keywords.is_empty() {
        true => "nothing".to_owned(),
        false => keywords
            .iter()
            .map(|one| format!("`{one}`"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let (one, other) = (words(one), words(other));
    Some(format!(
        "theirs says {one}, ours says {other}; make ours say what theirs says"
    ))
}

fn number_like(name: &Value) -> bool {
    name == "integer" || name == "number"
}

/// Compares maps of schemas by name.
pub(super) fn named_schemas(
    keyword: &str,
    (theirs_at, theirs): &(String, BTreeMap<String, String>),
    (ours_at, ours): &(String, BTreeMap<String, String>),
    views: (&View, &View),
    differences: &mut Vec<Difference>,
    below: &mut Vec<Below>,
) {
    let at = Pair::new(theirs_at.as_str(), ours_at.as_str());
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for name in names {
        match (theirs.get(name), ours.get(name)) {
            (Some(one), Some(other)) => {
                below.push(Below::new(one, other, keyword, Step::of(keyword, name, 0)));
            }
            (one, _) => {
                let in_theirs = one.is_some();
                let (rule, thing) = match (keyword, in_theirs) {
                    ("properties", true) => (
                        &rules::SCHEMA_PROPERTY_REMOVED,
                        format!("the property `{name}`"),
                    ),
                    ("properties", false) => (
                        &rules::SCHEMA_PROPERTY_ADDED,
                        format!("the property `{name}`"),
                    ),
                    ("discriminator mapping", _) => (
                        &rules::SCHEMA_DISCRIMINATOR_CHANGED,
                        format!("the meaning of `{name}` in the discriminator"),
                    ),
                    (_, true) => (
                        &rules::SCHEMA_KEYWORD_REMOVED,
                        format!("`{keyword}` for `{name}`"),
                    ),
                    (_, false) => (
                        &rules::SCHEMA_KEYWORD_ADDED,
                        format!("`{keyword}` for `{name}`"),
                    ),
                };
                let message = one_sided(&thing, in_theirs);
                differences.push(Difference {
                    rule,
                    severity: rule.severity,
                    at: at.member(name),
                    message,
                    keyword: keyword.to_owned(),
                    effect: effect::of_member(keyword, in_theirs, views),
                });
            }
        }
    }
}

/// Compares keywords that are sets of values.
pub(super) fn sets(
    keyword: &str,
    theirs: &[Value],
    ours: &[Value],
    views: (&View, &View),
    at: Pair,
    differences: &mut Vec<Difference>,
) {
    let only = |one: &[Value], other: &[Value], own: &View, opposite: &View| {
        let known: BTreeSet<String> = other.iter().map(canonical).collect();
        // A required property that the other side does not have at all is reported as such.
        let told = |name: &Value| {
            keyword == "required" && has_property(own, name) && !has_property(opposite, name)
        };
        let missing = one
            .iter()
            .filter(|value| !known.contains(&canonical(value)));
        missing
            .filter(|value| !told(value))
            .map(shown)
            .collect::<Vec<_>>()
    };
    let removed = only(theirs, ours, views.0, views.1);
    let added = only(ours, theirs, views.1, views.0);
    if removed.is_empty() && added.is_empty() {
        return;
    }
    let rule = if keyword == "required" {
        &rules::SCHEMA_REQUIRED_CHANGED
    } else {
        &rules::SCHEMA_ENUM_CHANGED
    };
    let verb = if keyword == "required" {
        "requires"
    } else {
        "allows"
    };
    let mut sides = Vec::new();
    if !removed.is_empty() {
        sides.push(format!(
            "theirs {verb} {}, ours does not",
            removed.join(", ")
        ));
    }
    if !added.is_empty() {
        sides.push(format!("ours {verb} {}, theirs does not", added.join(", ")));
    }
    let message = format!("{}; make ours say what theirs says", sides.join("; "));
    let (less, more) = (!removed.is_empty(), !added.is_empty());
    differences.push(Difference {
        rule,
        severity: rule.severity,
        at,
        message,
        keyword: keyword.to_owned(),
        effect: match keyword {
            "required" => Effect {
                narrows: more,
                widens: less,
            },
            _ => Effect {
                narrows: less,
                widens: more,
            },
        },
    });
}

/// Whether `view` has the property `name`.
fn has_property(view: &View, name: &Value) -> bool {
    match view.parts.get("properties").map(|part| &part.content) {
        Some(Content::Named(properties)) => name
            .as_str()
            .is_some_and(|name| properties.contains_key(name)),
        _ => false,
    }
}

/// A keyword that one side has only.
pub(super) fn one_keyword(
    keyword: &str,
    one: Option<&Part>,
    other: Option<&Part>,
    views: (&View, &View),
    differences: &mut Vec<Difference>,
) {
    // Whether there is a type was compared with whether null is valid.
    if keyword == "type" {
        return;
    }
    let Some(part) = one.or(other) else { return };
    let in_theirs = one.is_some();
    if let (Content::Set(names), "required") = (&part.content, keyword) {
        let none = Vec::new();
        let (theirs, ours) = if in_theirs {
            (names, &none)
        } else {
            (&none, names)
        };
        let at = match in_theirs {
            true => Pair::new(&*part.pointer, &*views.1.pointer),
            false => Pair::new(&*views.0.pointer, &*part.pointer),
        };
        return sets(keyword, theirs, ours, views, at, differences);
    }
    let (rule, severity) = changed(
        keyword,
        if in_theirs {
            &rules::SCHEMA_KEYWORD_REMOVED
        } else {
            &rules::SCHEMA_KEYWORD_ADDED
        },
    );
    let spelled = spelled(keyword, &part.pointer);
    let (at, thing) = match in_theirs {
        true => (
            Pair::new(&*part.pointer, &*views.1.pointer),
            described(spelled, part),
        ),
        false => (
            Pair::new(&*views.0.pointer, &*part.pointer),
            described(spelled, part),
        ),
    };
    differences.push(Difference {
        rule,
        severity,
        at,
        message: one_sided(&thing, in_theirs),
        keyword: keyword.to_owned(),
        effect: effect::of_keyword(keyword, in_theirs, views),
    });
}

/// Branches that found no partner.
pub(super) fn branches(
    keyword: &str,
    theirs: &[String],
    ours: &[String],
    at: &Pair,
    differences: &mut Vec<Difference>,
) {
    for branch in theirs {
        let rule = &rules::SCHEMA_BRANCH_REMOVED;
        let message = one_sided(&format!("a branch of `{keyword}`"), true);
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: Pair::new(&**branch, &*at.ours),
            message,
            keyword: keyword.to_owned(),
            effect: effect::of_branch(keyword, true),
        });
    }
    for branch in ours {
        let rule = &rules::SCHEMA_BRANCH_ADDED;
        let message = one_sided(&format!("a branch of `{keyword}`"), false);
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: Pair::new(&*at.theirs, &**branch),
            message,
            keyword: keyword.to_owned(),
            effect: effect::of_branch(keyword, false),
        });
    }
}

/// The rule for a keyword: what constrains no value has a rule of its own.
pub(super) fn changed(keyword: &str, rule: &'static Rule) -> (&'static Rule, Severity) {
    if PROSE.contains(&keyword) {
        (
            &rules::SCHEMA_PROSE_CHANGED,
            rules::SCHEMA_PROSE_CHANGED.severity,
        )
    } else if keyword == "discriminator" || keyword == "discriminator mapping" {
        (
            &rules::SCHEMA_DISCRIMINATOR_CHANGED,
            rules::SCHEMA_DISCRIMINATOR_CHANGED.severity,
        )
    } else if is_annotation(keyword) && !["readOnly", "writeOnly"].contains(&keyword)
        || ["$id", "$anchor", "$dynamicAnchor"].contains(&keyword)
    {
        (
            &rules::SCHEMA_ANNOTATION_CHANGED,
            rules::SCHEMA_ANNOTATION_CHANGED.severity,
        )
    } else {
        (rule, rule.severity)
    }
}

/// The keyword as the document spells it: `enum` may stand as `const`, `examples` as `example`.
pub(super) fn spelled<'k>(keyword: &'k str, pointer: &'k str) -> &'k str {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    if matches!(last, "const" | "example" | "minimum" | "maximum" | "format") {
        last
    } else {
        keyword
    }
}

fn described(keyword: &str, part: &Part) -> String {
    match &part.content {
        Content::Value(value) => format!("`{keyword}: {}`", shown(value)),
        Content::Set(values) => format!("`{keyword}: {}`", shown(&Value::Array(values.clone()))),
        Content::One(_) | Content::Named(_) | Content::Ordered(_) | Content::Branches(_) => {
            format!("`{keyword}`")
        }
    }
}

pub(super) fn form(content: &Content) -> &'static str {
    match content {
        Content::Value(_) => "a value",
        Content::Set(_) => "a list of values",
        Content::One(_) => "a schema",
        Content::Named(_) => "schemas by name",
        Content::Ordered(_) | Content::Branches(_) => "a list of schemas",
    }
}
