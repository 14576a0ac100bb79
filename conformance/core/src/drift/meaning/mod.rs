//! The meaning of a schema edit: values that the schema accepts and the edited one rejects or the reverse, and proofs that there are none.
//!
//! [`Meaning::trial`] tries values on the old schema and on the old schema with one difference applied, so that what tells the two apart
//! belongs to that difference. [`Meaning::raise`] puts such a value into the body or parameter that it is part of, and
//! [`Meaning::proof`] asks the set algebra. Numbers that no value is made of are replaced, see [`stand_in`]. The sender of the value
//! decides which members are sent at all (`readOnly`, `writeOnly`).

mod algebra;
mod as_text;
mod combined;
mod different;
mod directed;
mod edges;
mod edit;
mod edited;
mod embed;
mod examples;
mod facts;
mod formats;
mod generate;
mod held;
mod hints;
mod judge;
mod language;
mod lists;
mod lookaround;
mod plain;
mod presumed;
mod raise;
mod refused;
mod renamed;
mod scalars;
mod scope;
mod source;
mod spoken;
mod stand_in;
mod text;
mod tried;
mod whole;

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::Value;

pub(super) use algebra::Relation;
pub use algebra::accepts_nothing;
pub(super) use edges::{Focus, of_schema};
pub(super) use edit::Edit;
pub(super) use embed::Step;
pub use examples::{different_values, example_values};
pub(super) use formats::{exclude, lengths};
pub(super) use held::is_held;
pub(super) use judge::{enforces_format, knows_format};
pub(super) use language::{Texts, apart, are_apart, beyond};
pub(super) use stand_in::StandIns;
pub use text::of_pattern;

use as_text::{accepted, is_written};
use edges::{candidates, having};
use facts::{Facts, WAYS};
use generate::Maker;
use plain::Edits;
use source::Source;
use tried::{distinct, size};

use super::ledger::Text;
use crate::document::{Document, pointer};
use crate::finding::{Sender, Undecided};

/// How many values are carried from one schema to the one around it.
const CARRIED: usize = 4;

/// How many members are looked at that a pattern names.
const NAMES: usize = 20;

/// The largest whole number up to which floats have no gaps.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Significant digits that are too many for the text of a float to be what the float is.
const EXACT_DIGITS: usize = 15;

/// How many values of a kind are kept at one place.
const KEPT: usize = 40;

/// A place in both documents: its pointers in the old and in the new one.
pub(super) type At<'p> = (&'p str, &'p str);

/// A value that tells an edited schema from what it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tried {
    pub(super) value: Value,
    /// Whether the sender's whole schema accepts it and the receiver's rejects it, with all other differences applied as well.
    pub(super) real: bool,
    /// Whether its sender documents all members of it; not known of what is not sent.
    pub(super) documented: bool,
    /// Whether it is accepted as it is, and not only as what its text may be read as.
    pub(super) typed: bool,
}

/// The values that tell an edit, the best examples first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Trial {
    /// Values that the sender may send and the receiver rejects.
    pub(super) rejected: Vec<Tried>,
    /// Values that the receiver accepts and the sender does not send.
    pub(super) unsent: Vec<Tried>,
}

impl Trial {
    /// The first values that tell the edit.
    pub(super) fn values(&self) -> Vec<Value> {
        let sides = [&self.rejected, &self.unsent];
        let first = sides.into_iter().flat_map(|list| list.iter().take(CARRIED));
        first.map(|tried| tried.value.clone()).collect()
    }

    /// The values of both.
    fn with(mut self, more: Self) -> Self {
        self.rejected.extend(more.rejected);
        self.unsent.extend(more.unsent);
        self.rank();
        self
    }

    /// Puts the best examples first, and keeps no more than are of use.
    fn rank(&mut self) {
        self.rejected.sort_by_cached_key(|one| {
            let clear = says_its_numbers(&one.value);
            let unclear = (!one.typed, !clear);
            (!one.documented, !one.real, unclear, size(&one.value))
        });
        self.rejected.truncate(KEPT);
        self.unsent.sort_by_cached_key(|one| {
            let clear = says_its_numbers(&one.value);
            (!one.real, !one.typed, !clear, size(&one.value))
        });
        self.unsent.truncate(KEPT);
    }
}

/// The result of putting values into the schemas around them.
pub(super) enum Raised {
    /// A value of the outermost schema.
    Found(Tried),
    /// In the schema of this number, which combines several, the difference changes nothing for these.
    Lost(usize, Vec<Value>),
    /// No value of the outermost schema was found.
    Stuck,
}

/// Two schemas around two others.
pub(super) struct Around<'p> {
    pub(super) at: At<'p>,
    /// How the inner ones hang in them.
    pub(super) step: &'p Step,
    /// How their values stand as text.
    pub(super) text: Text,
}

/// A place, and in which direction values travel there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'p> {
    pub(super) at: At<'p>,
    pub(super) sender: Sender,
    /// How values stand as text in a request line or a header.
    pub(super) text: Text,
}

/// Both documents as sources of values.
pub(super) struct Meaning<'a> {
    /// By who sends the value: a client, the server.
    old: [Maker<'a>; 2],
    new: [Maker<'a>; 2],
    /// Both documents with their own numbers, where others stand in for some of them.
    real: Option<Box<[[Source<'a>; 2]; 2]>>,
    /// Whether it makes no difference who sends.
    same: bool,
    spent: &'a Cell<usize>,
}

impl<'a> Meaning<'a> {
    /// `flagged` says whether any schema has `readOnly` or `writeOnly` members.
    /// `spent` counts the schemas that values were held against.
    pub(super) fn new(
        old: &'a Document,
        new: &'a Document,
        flagged: bool,
        stand_ins: &'a StandIns,
        spent: &'a Cell<usize>,
    ) -> Self {
        let sources = |document: &'a Document| {
            [Sender::Client, Sender::Server]
                .map(|sender| Source::of(document, sender, flagged, spent))
        };
        let makers = |document: &'a Document| {
            sources(document).map(|source| Maker::presuming(source.with(stand_ins)))
        };
        let real = (!stand_ins.is_empty()).then(|| Box::new([old, new].map(sources)));
        Self {
            old: makers(old),
            new: makers(new),
            real,
            same: !flagged,
            spent,
        }
    }

    /// Whether a value tells the two schemas apart by their own numbers, because of these edits: the old one accepts it, or the new one,
    /// and the other does not.
    pub(super) fn is_witness(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        value: &Value,
        in_old: bool,
    ) -> bool {
        if !says_its_numbers(value) || presumed::is_in(value) {
            return false;
        }
        let Some(real) = &self.real else { return true };
        let index = usize::from(spot.sender == Sender::Server && !self.same);
        let [old, new] = [&real[0][index], &real[1][index]];
        let accepts = |source: &Source<'a>, at: &str, edits: Option<Edits<'_, 'a>>| {
            let values = std::slice::from_ref(value);
            accepted(source, at, values, edits, spot.text).is_ok_and(|all| all[0])
        };
        accepts(old, spot.at.0, None) == in_old
            && accepts(new, spot.at.1, None) != in_old
            && accepts(old, spot.at.0, Some(Edits { new, edits })) != in_old
    }

    /// Whether it makes a difference who sends a value.
    pub(super) fn is_flagged(&self) -> bool {
        !self.same
    }

    /// How many schemas values were held against so far.
    pub(super) fn spent(&self) -> usize {
        self.spent.get()
    }

    fn makers(&self, sender: Sender) -> (&Maker<'a>, &Maker<'a>) {
        // Without flags both directions share what was found out.
        let index = usize::from(sender == Sender::Server && !self.same);
        (&self.old[index], &self.new[index])
    }

    fn edits<'e>(&'e self, sender: Sender, edits: &'e [&'e Edit]) -> Edits<'e, 'a> {
        let new = &self.makers(sender).1.source;
        Edits { new, edits }
    }

    /// Tries values on the old schema and on the old schema with `edits`. The new schema says which of those that tell the two apart
    /// are of use as examples.
    ///
    /// # Errors
    /// Says why values cannot be checked against the schemas.
    pub(super) fn trial(
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
    pub(super) fn trial_of(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        focus: &Focus,
        is_harmless: bool,
    ) -> Result<Trial, Undecided> {
        let (old, new) = self.makers(spot.sender);
        // Of many alternatives only those that come and go are of interest.
        let mut values = self.of_names(spot, edits);
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
        let is_wide = [sides.0, sides.1]
            .iter()
            .any(|(maker, at)| maker.ways(at).len() >= WAYS);
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

    /// As [`Self::trial`], with these values.
    ///
    /// # Errors
    /// Says why values cannot be checked against the schemas.
    pub(super) fn sort_out(
        &self,
        spot: Spot<'_>,
        changes: &[&Edit],
        values: Vec<Value>,
    ) -> Result<Trial, Undecided> {
        let Spot { at, sender, text } = spot;
        let (old, new) = self.makers(sender);
        let mut values = values;
        values.retain(|value| is_written(value, text));
        let edits = Some(self.edits(sender, changes));
        let one = accepted(&old.source, at.0, &values, None, text)?;
        let other = accepted(&old.source, at.0, &values, edits, text)?;
        let judged = values.iter().zip(one.iter().zip(&other));
        let mut apart: Vec<(Value, bool)> = judged
            .filter(|(_, (one, other))| one != other)
            .map(|(value, (one, _))| (value.clone(), *one))
            .collect();
        if apart.is_empty() {
            return Ok(Trial::default());
        }
        // A value that only the edited schema accepts is an example where it has all that the new one requires besides.
        let completed: Vec<Value> = apart
            .iter()
            .filter(|(_, in_old)| !in_old)
            .take(CARRIED)
            .flat_map(|(value, _)| embed::around(new, at.1, &Step::Same, value))
            .collect();
        if !completed.is_empty() {
            let completed = distinct(completed, KEPT);
            let one = accepted(&old.source, at.0, &completed, None, text)?;
            let other = accepted(&old.source, at.0, &completed, edits, text)?;
            let more = completed.into_iter().zip(one.into_iter().zip(other));
            apart.extend(
                more.filter(|(_, (one, other))| !one && *other)
                    .map(|(value, _)| (value, false)),
            );
        }
        // Where other members changed as well, so has a value of the new schema that the old one rejects for this member.
        if let Some(member) = changes.iter().find_map(|edit| edit.member())
            && apart.iter().any(|(_, in_old)| !in_old)
            && let Ok(in_new) = accepted(&new.source, at.1, &values, None, text)
        {
            let shown = values.into_iter().zip(in_new.into_iter().zip(&one));
            let shown = shown.filter(|(_, (in_new, in_old))| *in_new && !**in_old);
            let shown: Vec<Value> = shown.map(|(value, _)| value).take(KEPT).collect();
            let about = judge::rejected_for(&old.source, at.0, &shown, member)?;
            let about = shown.into_iter().zip(about).filter(|(_, about)| *about);
            apart.extend(about.map(|(value, _)| (value, false)));
        }
        let values: Vec<Value> = apart.iter().map(|(value, _)| value.clone()).collect();
        let real = accepted(&new.source, at.1, &values, None, text);
        let mut trial = Trial::default();
        let typed = self.typed(spot, changes, &apart);
        let is_sent = |in_old: bool| in_old == (sender == Sender::Client);
        let sent = apart.iter().filter(|(_, in_old)| is_sent(*in_old));
        let sent: Vec<&Value> = sent.map(|(value, _)| value).collect();
        let mut documented = self.documents(at, sender, &sent, changes).into_iter();
        for (index, (value, in_old)) in apart.into_iter().enumerate() {
            let in_new = real.as_ref().map_or(in_old, |real| real[index]);
            let is_sent = is_sent(in_old);
            let tried = Tried {
                real: in_old != in_new,
                documented: is_sent && documented.next().unwrap_or(false),
                typed: typed.get(index).copied().unwrap_or(true),
                value,
            };
            match is_sent {
                true => trial.rejected.push(tried),
                false => trial.unsent.push(tried),
            }
        }
        trial.rank();
        Ok(trial)
    }

    /// Which values are accepted as they are; all of them where values are not text. Each comes with whether the old schema accepts it, or
    /// else the edited one.
    fn typed(&self, spot: Spot<'_>, changes: &[&Edit], values: &[(Value, bool)]) -> Vec<bool> {
        if spot.text == Text::No {
            return Vec::new();
        }
        let (old, _) = self.makers(spot.sender);
        let all: Vec<Value> = values.iter().map(|(value, _)| value.clone()).collect();
        let accepted = |edits| judge::accepted(&old.source, spot.at.0, &all, edits);
        let (Ok(one), Ok(other)) = (
            accepted(None),
            accepted(Some(self.edits(spot.sender, changes))),
        ) else {
            return Vec::new();
        };
        let sides = one.into_iter().zip(other);
        let typed = values.iter().zip(sides);
        typed
            .map(|((_, in_old), (one, other))| if *in_old { one } else { other })
            .collect()
    }

    /// The relation of the old schema and the old schema with `edits` by set algebra.
    pub(super) fn proof(&self, at: At<'_>, sender: Sender, changes: &[&Edit]) -> Relation {
        let (old, _) = self.makers(sender);
        let edits = Some(self.edits(sender, changes));
        let related = |prune: bool| {
            let whole = |edits| whole::whole(&old.source, at.0, edits, prune);
            algebra::relate_written(whole(None), whole(edits))
        };
        let pruned = match changes.iter().any(|edit| edit.concerns_schemas()) {
            true => Relation::default(),
            false => related(true),
        };
        // The parts that were left out may be what makes the two the same.
        match pruned.old_in_new && pruned.new_in_old {
            true => pruned,
            false => {
                let mut whole = related(false);
                whole.old_in_new |= pruned.old_in_new;
                whole.new_in_old |= pruned.new_in_old;
                whole
            }
        }
    }

    /// Whether the old schema accepts some value, and the new one none that was found.
    pub(super) fn is_emptied(&self, at: At<'_>, sender: Sender) -> bool {
        let (_, new) = self.makers(sender);
        self.has_value(at.0, sender) && new.pool(&[at.1.to_owned()], 0).is_empty()
    }

    /// Whether the old schema accepts a value that was found.
    pub(super) fn has_value(&self, at: &str, sender: Sender) -> bool {
        let (old, _) = self.makers(sender);
        !old.pool(&[at.to_owned()], 0).is_empty()
    }

    /// Whether the old schema accepts an object that was found.
    pub(super) fn has_object(&self, at: &str, sender: Sender) -> bool {
        let (old, _) = self.makers(sender);
        old.pool(&[at.to_owned()], 0).iter().any(Value::is_object)
    }

    /// Whether the old schema accepts some value, and neither the new one nor the old one with `changes` accepts any.
    pub(super) fn leaves_nothing(&self, spot: Spot<'_>, changes: &[&Edit]) -> bool {
        let Spot { at, sender, .. } = spot;
        if !self.is_emptied(at, sender) {
            return false;
        }
        let (old, _) = self.makers(sender);
        let edits = Some(self.edits(sender, changes));
        let ways = old.ways(at.0);
        if let [
            Facts {
                values: Some(values),
                ..
            },
        ] = &ways[..]
            && changes.iter().all(|edit| edit.lists_no_values())
            && let Ok(accepted) = judge::accepted(&old.source, at.0, values, edits)
        {
            return !accepted.contains(&true);
        }
        let whole = whole::whole(&old.source, at.0, edits, false);
        whole.is_ok_and(|whole| algebra::accepts_nothing(&whole))
    }

    /// The relation of the old and the new schema by set algebra.
    pub(super) fn relation(&self, at: At<'_>, sender: Sender) -> Relation {
        let (old, new) = self.makers(sender);
        let whole = |maker: &Maker<'a>, at| whole::whole(&maker.source, at, None, false);
        algebra::relate_written(whole(old, at.0), whole(new, at.1))
    }
}

/// Whether the text of a value says the numbers that it was judged with: large floats are written with fewer digits than they have.
fn says_its_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|float| {
            let is_large = number.is_f64() && float.abs() >= LARGEST_WHOLE;
            !is_large || float.to_string().trim_end_matches('0').len() < EXACT_DIGITS
        }),
        Value::Array(items) => items.iter().all(says_its_numbers),
        Value::Object(members) => members.values().all(says_its_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
