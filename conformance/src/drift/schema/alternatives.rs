//! Comparing `oneOf` with `anyOf`, and what a discriminator says of branches.

use std::collections::BTreeSet;

use super::super::ledger::Pair;
use super::super::meaning::Step;
use super::super::rules;
use super::compare::Walk;
use super::differences::{self, Below, Difference};
use super::effect::Effect;
use super::view::{Content, View};
use crate::document::pointer;

impl Walk<'_> {
    /// Compares `oneOf` of one side with `anyOf` of the other.
    pub(super) fn alternatives(
        &self,
        views: &(View, View),
        differences: &mut Vec<Difference>,
        below: &mut Vec<Below>,
    ) {
        let (theirs, ours) = (&views.0, &views.1);
        let Some((one, other)) = turned(theirs, ours) else {
            return;
        };
        let place = |view: &View, keyword: &str| {
            let part = view.parts.get(keyword);
            part.map_or_else(|| view.pointer.clone(), |part| part.pointer.clone())
        };
        let at = Pair::new(place(theirs, one), place(ours, other));
        let (pairs, removed, added) = self
            .sides
            .matched(theirs.branches(one), ours.branches(other));
        let rule = &rules::SCHEMA_REPLACED;
        differences.push(Difference {
            rule,
            severity: rule.severity,
            at: Pair::new(&*theirs.pointer, &*ours.pointer),
            message: format!(
                "theirs says `{one}`, ours says `{other}`; make ours say what theirs says"
            ),
            keyword: String::new(),
            effect: Effect::ANY,
        });
        let same =
            |(theirs, ours): (String, String)| Below::new(&theirs, &ours, "oneOf", Step::Same);
        below.extend(pairs.into_iter().map(same));
        differences::branches(one, &removed, &added, &at, differences);
    }

    /// Leaves out what a discriminator says of branches that are on one side only: that the branch is, says all.
    pub(super) fn drop_mapped(&self, views: &(View, View), differences: &mut Vec<Difference>) {
        let branch =
            [&rules::SCHEMA_BRANCH_REMOVED, &rules::SCHEMA_BRANCH_ADDED].map(|rule| rule.id);
        let alone: BTreeSet<String> = differences
            .iter()
            .filter(|one| branch.contains(&one.rule.id))
            .map(|one| match one.rule.id == rules::SCHEMA_BRANCH_REMOVED.id {
                true => self.sides.theirs.known_as(&one.at.theirs),
                false => self.sides.ours.known_as(&one.at.ours),
            })
            .collect();
        let target = |view: &View, at: &str| {
            let name = pointer::tokens(at).last()?;
            match &view.parts.get("discriminator mapping")?.content {
                Content::Named(targets) => targets.get(&name).cloned(),
                _ => None,
            }
        };
        let mapped = |one: &Difference| one.keyword == "discriminator mapping";
        differences.retain(|one| {
            let targets = [
                target(&views.0, &one.at.theirs),
                target(&views.1, &one.at.ours),
            ];
            !mapped(one)
                || !targets
                    .iter()
                    .flatten()
                    .any(|target| alone.contains(target))
        });
        // What takes the place of a name that is written says nothing more.
        let written = |one: &Difference| {
            self.sides.theirs.value(&one.at.theirs).is_some()
                || self.sides.ours.value(&one.at.ours).is_some()
        };
        if differences.iter().any(|one| mapped(one) && written(one)) {
            differences.retain(|one| !mapped(one) || written(one));
        }
    }
}

/// The keywords that say which branches there are, where one side says `oneOf` and the other `anyOf`.
pub(super) fn turned(theirs: &View, ours: &View) -> Option<(&'static str, &'static str)> {
    let has = |view: &View, keyword: &str| view.parts.contains_key(keyword);
    [("oneOf", "anyOf"), ("anyOf", "oneOf")]
        .into_iter()
        .find(|(one, other)| {
            has(theirs, one) && !has(theirs, other) && has(ours, other) && !has(ours, one)
        })
}
