//! What an edit of a schema means: values that the schema accepts and the edited one rejects or the reverse, and proofs that there
//! are none.
//!
//! [`Meaning::trial`] tries values on the old schema and on the old schema with one difference applied, so that what tells the two apart
//! belongs to that difference. [`Meaning::raise`] puts such a value into the body or parameter that it is part of, and
//! [`Meaning::proof`] asks the set algebra. Who sends the value decides which members are sent at all (`readOnly`, `writeOnly`).

mod algebra;
mod edit;
mod embed;
mod facts;
mod generate;
mod hints;
mod judge;
mod plain;
mod scalars;
mod source;
mod text;
mod tried;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

pub(super) use algebra::Relation;
pub(crate) use algebra::accepts_nothing;
pub(super) use edit::Edit;
pub(super) use embed::Step;
pub(super) use generate::{Focus, of_schema};
pub(super) use judge::knows_format;
pub(super) use plain::is_held;
pub(crate) use text::of_pattern;

use generate::{Maker, candidates, having};
use plain::Edits;
use source::Source;
use tried::{distinct, is_alike};

use super::ledger::Text;
use crate::document::{Document, pointer};
use crate::finding::{Sender, Undecided};
use crate::schema::Member;
use crate::schema::direction::is_flagged;

/// How many values are carried from one schema to the one around it.
const CARRIED: usize = 4;

/// How many members are looked at that a pattern names.
const NAMES: usize = 20;

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
    /// Whether its sender documents all members of it.
    pub(super) documented: bool,
}

/// The values that tell an edit, the best examples first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Trial {
    /// Values that the sender may send and the receiver rejects.
    pub(super) rejected: Vec<Tried>,
    /// Values that the receiver accepts and the sender does not send.
    pub(super) unsent: Vec<Tried>,
}

/// The result of putting values into the schemas around them.
pub(super) enum Raised {
    /// A value of the outermost schema.
    Found(Tried),
    /// In the schema of this number, which combines several, the difference changes nothing for them.
    Lost(usize),
    /// No value of the outermost schema was found.
    Stuck,
}

/// Two schemas around two others.
pub(super) struct Around<'p> {
    pub(super) at: At<'p>,
    /// How the inner ones hang in them.
    pub(super) step: &'p Step,
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
        spent: &'a Cell<usize>,
    ) -> Self {
        let makers = |document: &'a Document| {
            [Sender::Client, Sender::Server]
                .map(|sender| Maker::new(Source::of(document, sender, flagged, spent)))
        };
        Self {
            old: makers(old),
            new: makers(new),
            same: !flagged,
            spent,
        }
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
    /// Says why the schemas cannot be held against values.
    pub(super) fn trial(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        focus: &Focus,
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
            {
                return Ok(trial);
            }
        }
        values.extend(candidates(sides.0, sides.1, focus));
        self.sort_out(spot, edits, values)
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
                        all.extend(
                            values.take(KEPT).flat_map(|value| {
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
    /// Says why the schemas cannot be held against values.
    pub(super) fn sort_out(
        &self,
        spot: Spot<'_>,
        changes: &[&Edit],
        values: Vec<Value>,
    ) -> Result<Trial, Undecided> {
        let Spot { at, sender, text } = spot;
        let (old, new) = self.makers(sender);
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
        // What only the edited schema accepts is an example where it has all that the new one demands besides.
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
        let documented = self.documents(at, sender, &values.iter().collect::<Vec<_>>(), changes);
        for (index, (value, in_old)) in apart.into_iter().enumerate() {
            let in_new = real.as_ref().map_or(in_old, |real| real[index]);
            let tried = Tried {
                real: in_old != in_new,
                documented: documented[index],
                value,
            };
            match in_old == (sender == Sender::Client) {
                true => trial.rejected.push(tried),
                false => trial.unsent.push(tried),
            }
        }
        let rejected = &mut trial.rejected;
        rejected.sort_by_cached_key(|one| (!one.documented, !one.real, size(&one.value)));
        rejected.truncate(KEPT);
        let unsent = &mut trial.unsent;
        unsent.sort_by_cached_key(|one| (!one.real, size(&one.value)));
        unsent.truncate(KEPT);
        Ok(trial)
    }

    /// Puts values into the schemas around them, the innermost first, whatever these accept; those that either document accepts come
    /// first.
    pub(super) fn lift(
        &self,
        values: Vec<Value>,
        around: &[Around<'_>],
        spot: Spot<'_>,
    ) -> Vec<Value> {
        let (old, new) = self.makers(spot.sender);
        let mut values = values;
        for Around { at, step } in around {
            let sources = [(old, at.0), (new, at.1)];
            let next = values.iter().flat_map(|value| {
                let both = sources.iter();
                both.flat_map(|(maker, at)| embed::around(maker, at, step, value))
            });
            let mut next = distinct(next.collect(), KEPT);
            next.sort_by_cached_key(size);
            let takes = |maker: &Maker<'_>, at: &str| {
                let accepted = judge::accepted(&maker.source, at, &next, None);
                accepted.unwrap_or_else(|_| vec![true; next.len()])
            };
            let either: Vec<bool> = takes(old, at.0)
                .into_iter()
                .zip(takes(new, at.1))
                .map(|(one, other)| one || other)
                .collect();
            let mut ranked: Vec<(bool, Value)> =
                either.into_iter().map(|taken| !taken).zip(next).collect();
            ranked.sort_by_key(|(refused, _)| *refused);
            ranked.truncate(4 * CARRIED);
            values = ranked.into_iter().map(|(_, value)| value).collect();
        }
        let root = around.last().map_or(spot.at.0, |around| around.at.0);
        let spoiled = values.iter().take(CARRIED);
        let spoiled: Vec<Value> = spoiled
            .flat_map(|value| embed::spoiled(old, root, value))
            .collect();
        values.extend(spoiled);
        values
    }

    /// Which of `values` tell the edited schema from what it was; none where it cannot be asked. Where none does, other alternatives
    /// may accept them as well, so members of these are tried with values that they reject.
    fn told_apart(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        values: Vec<Value>,
        rejected: bool,
    ) -> Option<Vec<Tried>> {
        let (old, _) = self.makers(spot.sender);
        let sort_out = |values: Vec<Value>| {
            let trial = self.sort_out(spot, edits, values).ok()?;
            Some(if rejected {
                trial.rejected
            } else {
                trial.unsent
            })
        };
        let few: Vec<Value> = values.iter().take(CARRIED).cloned().collect();
        let found = sort_out(values)?;
        if !found.is_empty() {
            return Some(found);
        }
        let spoiled = few.iter();
        sort_out(
            spoiled
                .flat_map(|value| embed::spoiled(old, spot.at.0, value))
                .collect(),
        )
    }

    /// The relation of the old schema and the old schema with `edits` by set algebra.
    pub(super) fn proof(&self, at: At<'_>, sender: Sender, changes: &[&Edit]) -> Relation {
        let (old, _) = self.makers(sender);
        let edits = Some(self.edits(sender, changes));
        let related = |prune: bool| {
            let wholes = (
                plain::whole(&old.source, at.0, None, prune),
                plain::whole(&old.source, at.0, edits, prune),
            );
            match wholes {
                (Ok(one), Ok(other)) => algebra::relate(&one, &other),
                _ => Relation::default(),
            }
        };
        let pruned = match changes.iter().any(|edit| edit.adds_schemas()) {
            true => Relation::default(),
            false => related(true),
        };
        // What was left out may be what makes the two the same.
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

    /// The relation of the old and the new schema by set algebra.
    pub(super) fn relation(&self, at: At<'_>, sender: Sender) -> Relation {
        let (old, new) = self.makers(sender);
        let wholes = (
            plain::whole(&old.source, at.0, None, false),
            plain::whole(&new.source, at.1, None, false),
        );
        match wholes {
            (Ok(one), Ok(other)) => algebra::relate(&one, &other),
            _ => Relation::default(),
        }
    }

    /// Puts values into the schemas around them, the innermost first, as long as they tell the edited schema from what it was.
    /// `rejected` says whether they are those that the sender may send and the receiver rejects.
    pub(super) fn raise(
        &self,
        values: Vec<Value>,
        around: &[Around<'_>],
        spot: Spot<'_>,
        edits: &[&Edit],
        rejected: bool,
    ) -> Raised {
        let (old, new) = self.makers(spot.sender);
        let mut values = values;
        let last = |index: usize| {
            let next = around.get(index + 1);
            next.is_none_or(|next| !next.step.is_in_place())
        };
        let mut combined = false;
        for (index, Around { at, step }) in around.iter().enumerate() {
            let sources = [(old, at.0), (new, at.1)];
            let next = values.iter().flat_map(|value| {
                let both = sources.iter();
                both.flat_map(|(maker, at)| embed::around(maker, at, step, value))
            });
            let mut next = distinct(next.collect(), KEPT);
            next.sort_by_cached_key(size);
            combined |= step.is_in_place();
            if !last(index) || index + 1 == around.len() {
                next.truncate(8 * CARRIED);
                values = next;
                continue;
            }
            // Other schemas that the same value has to meet may keep the difference from showing.
            if std::mem::take(&mut combined) {
                let place = Spot { at: *at, ..spot };
                let Some(list) = self.told_apart(place, edits, next, rejected) else {
                    return Raised::Stuck;
                };
                if list.is_empty() {
                    return Raised::Lost(index);
                }
                values = list.into_iter().map(|one| one.value).collect();
            } else {
                values = next;
            }
            if values.len() > CARRIED {
                let takes = |maker: &Maker<'_>, at: &str| {
                    let accepted = judge::accepted(&maker.source, at, &values, None);
                    accepted.unwrap_or_else(|_| vec![true; values.len()])
                };
                let either = takes(old, at.0).into_iter().zip(takes(new, at.1));
                let mut either = either.map(|(one, other)| one || other);
                values.retain(|_| either.next().unwrap_or(false));
            }
            values.truncate(CARRIED);
        }
        let root = around.last().map_or(spot.at, |around| around.at);
        let root = Spot { at: root, ..spot };
        let Some(list) = self.told_apart(root, edits, values, rejected) else {
            return Raised::Stuck;
        };
        match list.into_iter().next() {
            Some(tried) => Raised::Found(tried),
            None if combined => Raised::Lost(around.len() - 1),
            None => Raised::Stuck,
        }
    }

    /// Whether the sender of each value documents all members of it. A server sends what its new document has, and what the old one
    /// has besides, as long as no edit is about that: all other differences are others' to tell.
    fn documents(
        &self,
        at: At<'_>,
        sender: Sender,
        values: &[&Value],
        edits: &[&Edit],
    ) -> Vec<bool> {
        let old = [at.0.to_owned()];
        match sender {
            Sender::Client => self.are_spoken_of(&old, &[], values, &[]),
            Sender::Server => self.are_spoken_of(&old, &[at.1.to_owned()], values, edits),
        }
    }

    /// Whether either document speaks of every member of every object in each value: the new one of any, the old one of those that no
    /// edit is about. Values to try have most members in common, so each member is looked at for all of them at once.
    fn are_spoken_of(
        &self,
        old_at: &[String],
        new_at: &[String],
        values: &[&Value],
        edits: &[&Edit],
    ) -> Vec<bool> {
        let (old, new) = (&self.old[0].source, &self.new[0].source);
        let (before, after) = (old.schemas.in_place(old_at), new.schemas.in_place(new_at));
        let mut spoken = vec![true; values.len()];
        if before.is_empty() && after.is_empty() {
            return spoken;
        }
        let mut below = |schemas: Option<(Vec<String>, Vec<String>)>,
                         inside: Vec<(usize, &Value)>| {
            let Some((old, new)) = schemas else {
                inside.iter().for_each(|(index, _)| spoken[*index] = false);
                return;
            };
            let runs: Vec<&[(usize, &Value)]> = inside
                .chunk_by(|(_, one), (_, other)| is_alike(one, other))
                .collect();
            let few: Vec<&Value> = runs.iter().map(|run| run[0].1).collect();
            let found = self.are_spoken_of(&old, &new, &few, edits);
            for (run, found) in runs.into_iter().zip(found) {
                run.iter().for_each(|(index, _)| spoken[*index] &= found);
            }
        };
        let mut items: BTreeMap<usize, Vec<(usize, &Value)>> = BTreeMap::new();
        let mut members: BTreeMap<&String, Vec<(usize, &Value)>> = BTreeMap::new();
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::Array(all) => {
                    for (place, item) in all.iter().enumerate() {
                        items.entry(place).or_default().push((index, item));
                    }
                }
                Value::Object(all) => {
                    for (name, member) in all {
                        members.entry(name).or_default().push((index, member));
                    }
                }
                _ => {}
            }
        }
        for (place, inside) in items {
            let schemas = (
                old.schemas.item(&before, place),
                new.schemas.item(&after, place),
            );
            below(Some(schemas), inside);
        }
        let own: Vec<&&Edit> = edits
            .iter()
            .filter(|edit| before.iter().any(|at| edit.is_of(at)))
            .collect();
        let whole = own.iter().any(|edit| edit.member().is_none());
        for (name, inside) in members {
            let edited = whole || own.iter().any(|edit| edit.member() == Some(name));
            let speak = |source: &Source<'_>, schemas: &[String]| match schemas {
                [] => None,
                schemas => source.member(schemas, name),
            };
            let in_new = speak(new, &after);
            let in_old = speak(old, &before).filter(|_| !edited);
            let speaks = in_new.is_some() || in_old.is_some();
            let schemas = (in_old.unwrap_or_default(), in_new.unwrap_or_default());
            below(speaks.then_some(schemas), inside);
        }
        spoken
    }

    /// Whether the old schema at `at` rejects all of `values`.
    pub(super) fn rejects_all(&self, at: &str, values: &[Value], sender: Sender) -> bool {
        let (old, _) = self.makers(sender);
        let accepted = judge::accepted(&old.source, at, values, None);
        accepted.is_ok_and(|accepted| accepted.iter().all(|one| !one))
    }

    /// Whether no schema that applies to the old schema's value at `at` speaks of the member `name`.
    pub(super) fn is_silent(&self, at: &str, name: &str) -> bool {
        let schemas = self.old[0].source.schemas;
        schemas.member(&schemas.in_place(&[at.to_owned()]), name) == Member::Undeclared
    }

    /// Whether the old and the new schema speak of the member `name`.
    pub(super) fn names(&self, at: At<'_>, name: &str) -> (bool, bool) {
        let speaks = |maker: &Maker<'_>, at: &str| {
            let schemas = maker.source.schemas;
            let member = schemas.member(&schemas.in_place(&[at.to_owned()]), name);
            let below = member.schemas();
            below
                .iter()
                .any(|at| at.ends_with(&pointer::join("/properties", name)))
        };
        (speaks(&self.old[0], at.0), speaks(&self.new[0], at.1))
    }

    /// Whether the member `name` is not sent by the old and the new document.
    pub(super) fn hides(&self, at: At<'_>, sender: Sender, name: &str) -> (bool, bool) {
        let (old, new) = self.makers(sender);
        let hides = |maker: &Maker<'_>, at: &str| maker.source.unsent.names(at).contains(name);
        (hides(old, at.0), hides(new, at.1))
    }
}

/// Values that the schema at `at` may accept, the simple ones first, without the members that `sender` does not send.
pub(crate) fn example_values(document: &Document, at: &str, sender: Sender) -> Vec<Value> {
    let spent = Cell::new(0);
    let source = Source::of(document, sender, is_flagged(document.value()), &spent);
    Maker::new(source).examples(at)
}

/// How much there is to read of a value.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| size(item) + 1).sum::<usize>(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| name.len() + 4 + size(member))
            .sum::<usize>()
            .saturating_add(2),
        _ => 4,
    }
}

/// Which values the schema accepts; those that stand as text, in any meaning of the text.
fn accepted<'a>(
    source: &Source<'a>,
    at: &str,
    values: &[Value],
    edits: Option<Edits<'_, 'a>>,
    text: Text,
) -> Result<Vec<bool>, Undecided> {
    if text == Text::No {
        return judge::accepted(source, at, values, edits);
    }
    let meanings: Vec<Vec<Value>> = values.iter().map(|value| meanings(value, text)).collect();
    let flat: Vec<Value> = meanings.iter().flatten().cloned().collect();
    let mut judged = judge::accepted(source, at, &flat, edits)?.into_iter();
    Ok(meanings
        .iter()
        .map(|all| {
            judged
                .by_ref()
                .take(all.len())
                .fold(false, |any, one| any | one)
        })
        .collect())
}

/// The values that the text of a value may be read as; a list or an object is written item by item.
fn meanings(value: &Value, text: Text) -> Vec<Value> {
    let each = |form: fn(&Value) -> Value| match value {
        Value::Array(items) => items.iter().map(form).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), form(value)));
            Value::Object(members.collect())
        }
        other => form(other),
    };
    let mut all = vec![value.clone(), each(written), each(read)];
    if text == Text::Exploded {
        // A name that is given once is a value, or a list of one.
        let other = |value: &Value| match value {
            Value::Array(items) => match items.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
            value => Some(json!([value])),
        };
        let others: Vec<Value> = all.iter().filter_map(other).collect();
        all.extend(others);
    }
    distinct(all, 6)
}

/// A scalar as its text.
fn written(value: &Value) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) => json!(value.to_string()),
        other => other.clone(),
    }
}

/// A text that is how a number or a boolean is written, as that.
fn read(value: &Value) -> Value {
    let Value::String(text) = value else {
        return value.clone();
    };
    match serde_json::from_str::<Value>(text) {
        Ok(read) if (read.is_number() || read.is_boolean()) && text.trim() == text => read,
        _ => value.clone(),
    }
}
