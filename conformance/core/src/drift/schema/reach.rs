//! Whether a value of a schema reaches the whole body or parameter, whatever else the schemas around it say.
//!
//! For bounds that no value is made for, such as a length of ten million: what arithmetic says of the schema itself holds outside only
//! if no other schema keeps the value out, and no other alternative lets it in.

use serde_json::Value;

use super::super::meaning::Step;
use super::decider::Decider;
use super::view::{Content, View, is_annotation};
use crate::finding::{Sender, Side};

/// How deep alternatives nest.
const DEPTH: usize = 12;

/// Keywords that may keep values from a schema that is a member or item beside them.
const HIDING: [&str; 13] = [
    "enum",
    "pattern",
    "format",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "$ref",
    "contains",
    "uniqueItems",
    "propertyNames",
    "prefixItems",
];

/// Whether nothing in `view` beside its bounds and members restricts its values.
pub(super) fn is_plain(view: &View) -> bool {
    !HIDING
        .iter()
        .any(|keyword| view.parts.contains_key(*keyword))
        && view
            .parts
            .get("items")
            .is_none_or(|part| matches!(part.content, Content::One(_)))
}

impl Decider<'_, '_, '_> {
    /// Returns the first of the schemas `around` another one whose old values never reach it, and whether its new values do.
    ///
    /// Either the old schemas around it keep values out, whatever the inner one is, or both documents do: what accepts nothing may be the
    /// very schema that differs.
    pub(super) fn out_of_reach(&self, around: &[(usize, String, Step)]) -> Option<(usize, bool)> {
        around.iter().find_map(|(pair, _, step)| {
            let (old, new) = self.walk.views(*pair);
            let in_new = || !self.vacant.1.misses(new, step, true);
            let misses = self.vacant.0.misses_around(old, step)
                || self.vacant.0.misses(old, step, true) && !in_new();
            misses.then(|| (*pair, in_new()))
        })
    }

    /// Whether neither schema of a pair accepts any value.
    pub(super) fn is_void(&self, id: usize) -> bool {
        let (old, new) = self.walk.views(id);
        self.vacant.0.accepts_nothing(old) && self.vacant.1.accepts_nothing(new)
    }

    /// Whether a value that one side rejects in the pair `id` is rejected in all schemas `around` it for the same reason: these are
    /// objects and arrays that restrict nothing else, and alternatives that exclude each other by type or by the value of a required
    /// member.
    pub(super) fn reaches_out(
        &self,
        id: usize,
        around: &[(usize, String, Step)],
        sender: Sender,
    ) -> bool {
        // The schema that alternatives are told apart by, and the member of it that the value is in.
        let mut told_by = id;
        let mut member = None;
        let mut inner = id;
        let old = &self.walk.sides.old;
        let says_little = |keyword: &str| {
            is_annotation(keyword) || ["oneOf", "anyOf", "discriminator", "type"].contains(&keyword)
        };
        around.iter().all(|(pair, keyword, step)| {
            let view = self.views(*pair).0;
            let own = &self.walk.pairs[inner].old;
            let others = |branches: &'_ [String]| -> Vec<String> {
                let known = branches.iter().map(|at| old.known_as(at));
                known.filter(|at| at != own).collect()
            };
            let reached = match keyword.as_str() {
                "properties" | "items" | "additionalProperties" => {
                    told_by = *pair;
                    member = match step {
                        Step::Member(name) => Some(name.as_str()),
                        _ => None,
                    };
                    is_plain(view)
                }
                "oneOf" | "anyOf" => {
                    view.parts.keys().all(|keyword| says_little(keyword))
                        && (view.branches("oneOf").is_empty() || view.branches("anyOf").is_empty())
                        && self.are_excluded(told_by, others(view.branches(keyword)), sender)
                }
                // The other branches speak of other members.
                "allOf" => {
                    let others = others(view.branches(keyword));
                    let silent = |name| others.iter().all(|at| self.meaning.is_silent(at, name));
                    view.parts
                        .keys()
                        .all(|keyword| keyword == "allOf" || says_little(keyword))
                        && (others.is_empty() || member.is_some_and(silent))
                }
                _ => false,
            };
            inner = *pair;
            reached
        })
    }

    /// Whether another alternative of an `anyOf` around the pair `id` accepts all that the pair's schema documents, in both documents:
    /// then nothing in it matters.
    pub(super) fn is_taken_over(&self, id: usize, around: &[(usize, String, Step)]) -> bool {
        let sides = &self.walk.sides;
        let mut inner = id;
        around.iter().any(|(pair, keyword, _)| {
            let own = &self.walk.pairs[std::mem::replace(&mut inner, *pair)];
            keyword == "anyOf"
                && self.views(*pair).0.branches(keyword).iter().any(|at| {
                    let covers = |narrow| sides.covers((Side::Old, at), narrow);
                    sides.old.known_as(at) != own.old
                        && covers((Side::Old, &own.old))
                        && covers((Side::New, &own.new))
                })
        })
    }

    /// Whether all `others` reject every value of the pair `id`, because of its type or of a member that it requires.
    fn are_excluded(&self, id: usize, others: Vec<String>, sender: Sender) -> bool {
        let (view, _) = self.views(id);
        let types = view.types().unwrap_or_default();
        let exclude = |member: Option<(&str, &[Value])>| {
            let inner = Inner { types, member };
            others
                .iter()
                .all(|at| self.excludes(at, &inner, sender, DEPTH))
        };
        if exclude(None) {
            return true;
        }
        let Some(Content::Named(members)) = view.parts.get("properties").map(|part| &part.content)
        else {
            return false;
        };
        let required = view.set("required").unwrap_or_default().iter();
        required.filter_map(Value::as_str).any(|name| {
            let Some(at) = members.get(name) else {
                return false;
            };
            let constant = self.walk.sides.view_at((Side::Old, at));
            let Some(values) = constant.set("enum") else {
                return false;
            };
            exclude(Some((name, values)))
        })
    }

    /// Whether the old schema at `at` rejects all values that `inner` is known of.
    fn excludes(&self, at: &str, inner: &Inner<'_>, sender: Sender, depth: usize) -> bool {
        let view = self.walk.sides.view_at((Side::Old, at));
        let takes = |types: &[Value], name: &Value| {
            types.contains(name)
                || [("integer", "number"), ("number", "integer")]
                    .iter()
                    .any(|(one, other)| name == one && types.iter().any(|name| name == other))
        };
        let other_type = view.types().is_some_and(|types| {
            !inner.types.is_empty() && !inner.types.iter().any(|name| takes(types, name))
        });
        if view.never || other_type {
            return true;
        }
        if depth == 0 {
            return false;
        }
        let below = |at: &String| self.excludes(at, inner, sender, depth - 1);
        let all = |keyword: &str| {
            let branches = view.branches(keyword);
            !branches.is_empty() && branches.iter().all(below)
        };
        let member = inner.member.is_some_and(|(name, values)| {
            let members = view.parts.get("properties").map(|part| &part.content);
            match members {
                Some(Content::Named(members)) if members.contains_key(name) => {
                    self.meaning.rejects_all(&members[name], values, sender)
                }
                _ => view.closed && !view.parts.contains_key("patternProperties"),
            }
        });
        member || all("oneOf") || all("anyOf") || view.branches("allOf").iter().any(below)
    }
}

/// The known facts about the values of a schema.
struct Inner<'v> {
    /// Their types; empty where that may be any.
    types: &'v [Value],
    /// A member that all of them have, with its possible values.
    member: Option<(&'v str, &'v [Value])>,
}
