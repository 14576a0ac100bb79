//! The search for values that tell an edited schema from what it was.

use std::collections::BTreeSet;

use serde_json::Value;

use super::edges::{Focus, candidates, having};
use super::edit::Edit;
use super::embed::{self, Step};
use super::facts::WAYS;
use super::trial::{KEPT, Trial};
use super::tried::distinct;
use super::{At, Meaning, Spot};
use crate::document::pointer;
use crate::finding::{Sender, Undecided};

/// Up to how many members examples of harmless differences are looked for in earnest.
const LARGE: usize = 60;

/// How many members are looked at that a pattern names.
const NAMES: usize = 20;

impl Meaning<'_> {
    /// Tries values on the old schema and on the old schema with `edits`. The new schema says which of those that tell the two apart
    /// are of use as examples.
    ///
    /// # Errors
    /// Says why values cannot be checked against the schemas.
    pub(in super::super) fn trial(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        focus: &Focus,
    ) -> Result<Trial, Undecided> {
        self.trial_of(spot, edits, focus, false)
    }

    /// As [`Self::trial`]; of edits that are known to do no harm, few values are tried.
    ///
    /// # Errors
    /// Says why values cannot be checked against the schemas.
    pub(in super::super) fn trial_of(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        focus: &Focus,
        is_harmless: bool,
    ) -> Result<Trial, Undecided> {
        let (old, new) = self.makers(spot.sender);
        // Of many alternatives only those that come and go are of interest.
        let mut values = self.of_names(spot, edits);
        values.extend(self.of_branches(spot.sender, edits));
        if let Focus::Members(names) = focus {
            values.extend(self.of_flags(spot, edits, names));
        }
        if !values.is_empty() {
            let trial = self.sort_out(spot, edits, values.clone())?;
            if trial.rejected.iter().any(|tried| tried.documented) {
                return Ok(trial);
            }
        }
        let sides = ((old, spot.at.0), (new, spot.at.1));
        if let Focus::Members(names) = focus {
            let trial = self.sort_out(spot, edits, having(sides.0, sides.1, names, 1))?;
            if trial.rejected.iter().any(|tried| tried.documented)
                || sides.0.0.ways(sides.0.1).len() == 1
                || is_harmless
            {
                return Ok(trial);
            }
        }
        // Of so many alternatives, those that an edit changes say more than the first ones do.
        let is_wide = self.is_wide(spot.at, spot.sender);
        let mut changed = Trial::default();
        if is_wide {
            let more = self.directed(spot, edits, false);
            changed = self.with_more(changed, spot, edits, more)?;
            if changed.rejected.iter().any(|tried| tried.documented) {
                return Ok(changed);
            }
        }
        values.extend(candidates(sides.0, sides.1, focus));
        let trial = self.sort_out(spot, edits, values)?.with(changed);
        if trial.rejected.iter().any(|tried| tried.documented) {
            return Ok(trial);
        }
        let (more, is_complete) = self.combined(spot, edits);
        let trial = self.with_more(trial, spot, edits, more)?;
        if is_complete {
            return Ok(trial);
        }
        // Too wide for all combinations.
        let mut ways = [false, true].into_iter().skip(usize::from(is_wide));
        ways.try_fold(trial, |trial, overlapping| {
            if trial.rejected.iter().any(|tried| tried.documented) {
                return Ok(trial);
            }
            let more = self.directed(spot, edits, overlapping);
            self.with_more(trial, spot, edits, more)
        })
    }

    /// Whether a schema of either side has more alternatives than are looked at one by one.
    pub(in super::super) fn is_wide(&self, at: At<'_>, sender: Sender) -> bool {
        let (old, new) = self.makers(sender);
        [(old, at.0), (new, at.1)]
            .iter()
            .any(|(maker, at)| maker.ways(at).len() >= WAYS)
    }

    /// Whether values of a schema have so many members that looking for certain ones takes long.
    pub(in super::super) fn is_large(&self, at: At<'_>, sender: Sender) -> bool {
        let ways = self.makers(sender).0.ways(at.0);
        let members = ways.iter().map(|facts| facts.properties.len());
        members.sum::<usize>() > LARGE || self.is_wide(at, sender)
    }

    /// Tries the schemas that come or go, whose values are certainly none of those beside them.
    ///
    /// # Errors
    /// Says why values cannot be checked against the schemas.
    pub(in super::super) fn trial_of_branches(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
    ) -> Result<Trial, Undecided> {
        self.sort_out(spot, edits, self.of_branches(spot.sender, edits))
    }

    /// Values of the schemas that come or go.
    fn of_branches(&self, sender: Sender, edits: &[&Edit]) -> Vec<Value> {
        let (old, new) = self.makers(sender);
        let mut values = Vec::new();
        for edit in edits {
            if let Edit::Branch {
                old: before,
                new: after,
                ..
            } = edit
            {
                let sides = [(old, before), (new, after)];
                for (maker, branch) in sides {
                    values.extend(branch.iter().flat_map(|at| maker.examples(at)));
                }
            }
        }
        values
    }

    /// A trial with more values, which combine what several alternatives say.
    fn with_more(
        &self,
        trial: Trial,
        spot: Spot<'_>,
        edits: &[&Edit],
        values: Vec<Value>,
    ) -> Result<Trial, Undecided> {
        if values.is_empty() {
            return Ok(trial);
        }
        let mut more = self.sort_out(spot, edits, values)?;
        if self.only_adds_member(spot, edits) {
            more.rejected.clear();
        }
        Ok(trial.with(more))
    }

    /// Objects that have one of `names` with a value of the old schema, which an edit may make one that is sent.
    fn of_flags(&self, spot: Spot<'_>, edits: &[&Edit], names: &BTreeSet<String>) -> Vec<Value> {
        let (old, new) = self.makers(spot.sender);
        let flagged = edits.iter().filter_map(|edit| match edit {
            Edit::Flag { schema, .. } => Some(schema),
            _ => None,
        });
        let mut all = Vec::new();
        for value in flagged.flat_map(|schema| old.examples(schema)) {
            for name in names {
                let step = Step::Member(name.clone());
                for (maker, at) in [(old, spot.at.0), (new, spot.at.1)] {
                    all.extend(embed::around(maker, at, &step, &value));
                }
            }
        }
        all
    }

    /// Objects whose members are named as an edit of `patternProperties` or `propertyNames` has it.
    fn of_names(&self, spot: Spot<'_>, edits: &[&Edit]) -> Vec<Value> {
        let (old, new) = self.makers(spot.sender);
        let none = Focus::All(BTreeSet::new());
        let mut all = Vec::new();
        for edit in edits {
            match edit {
                Edit::Entry {
                    schema,
                    keyword,
                    name: pattern,
                    new: after,
                } if keyword == "patternProperties" => {
                    let before = pointer::join(&pointer::join(schema, keyword), pattern);
                    let entry = match after {
                        Some(after) => (new, after.as_str()),
                        None => (old, before.as_str()),
                    };
                    for (name, own) in old.named_like(spot.at.0, pattern).into_iter().take(NAMES) {
                        let step = Step::Member(name);
                        let values = candidates((old, &own), entry, &none).into_iter();
                        all.extend(
                            values
                                .take(KEPT)
                                .flat_map(|value| embed::around(old, spot.at.0, &step, &value)),
                        );
                    }
                    let step = Step::ByPattern(pattern.clone());
                    let values = candidates(entry, entry, &none).into_iter().take(KEPT);
                    all.extend(
                        values.flat_map(|value| embed::around(old, spot.at.0, &step, &value)),
                    );
                }
                Edit::Keyword {
                    old: before,
                    new: after,
                    ..
                } => {
                    let names = |keyword: &Option<(String, String)>| {
                        let (schema, keyword) = keyword.as_ref()?;
                        (keyword == "propertyNames").then(|| pointer::join(schema, keyword))
                    };
                    for (maker, at) in [(old, names(before)), (new, names(after))] {
                        let Some(at) = at else { continue };
                        let values = candidates((maker, &at), (maker, &at), &none).into_iter();
                        let names = values.filter(Value::is_string).take(KEPT);
                        all.extend(
                            names.flat_map(|value| {
                                embed::around(old, spot.at.0, &Step::Name, &value)
                            }),
                        );
                    }
                }
                _ => {}
            }
        }
        distinct(all, 8 * KEPT)
    }
}
