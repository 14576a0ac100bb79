//! What an edit of a schema means: values that the schema accepts and the edited one rejects or the reverse, and proofs that there
//! are none.
//!
//! [`Meaning::trial`] tries values on the old schema and on the old schema with one difference applied, so that what tells the two apart
//! belongs to that difference. [`Meaning::carry`] puts such a value into the body or parameter that it stands in, and
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

use serde_json::{Value, json};

pub(super) use algebra::Relation;
pub(super) use edit::Edit;
pub(super) use embed::Step;
pub(super) use generate::{Focus, of_schema};
pub(super) use judge::knows_format;
pub(super) use plain::is_held;

use generate::{Maker, candidates, distinct};
use plain::Edits;
use source::Source;

use crate::document::Document;
use crate::finding::{Sender, Undecided};

/// How many values are carried from one schema to the one around it.
const CARRIED: usize = 4;

/// How many values of a kind are kept at one place.
const KEPT: usize = 40;

/// A place in both documents: the pointers of theirs and of ours.
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

/// What an edit does, the best examples first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Trial {
    /// What the sender may send and the receiver rejects.
    pub(super) rejected: Vec<Tried>,
    /// What the receiver accepts and the sender does not send.
    pub(super) unsent: Vec<Tried>,
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
    /// Whether values stand as text in a request line or a header.
    pub(super) as_text: bool,
}

/// Both documents as sources of values.
pub(super) struct Meaning<'a> {
    /// By who sends the value: a client, the server.
    old: [Maker<'a>; 2],
    new: [Maker<'a>; 2],
    /// Whether it makes no difference who sends.
    same: bool,
}

impl<'a> Meaning<'a> {
    /// `flagged` says whether any schema has `readOnly` or `writeOnly` members.
    pub(super) fn new(old: &'a Document, new: &'a Document, flagged: bool) -> Self {
        let makers = |document: &'a Document| {
            [false, true].map(|from_server| Maker::new(Source::of(document, from_server, flagged)))
        };
        Self {
            old: makers(old),
            new: makers(new),
            same: !flagged,
        }
    }

    fn makers(&self, sender: Sender) -> (&Maker<'a>, &Maker<'a>) {
        // Without flags both directions share what was found out.
        let index = usize::from(sender == Sender::Server && !self.same);
        (&self.old[index], &self.new[index])
    }

    fn edits<'e>(&self, sender: Sender, edits: &'e [&'e Edit]) -> Edits<'e, 'a> {
        let new = self.makers(sender).1.source;
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
        let values = candidates((old, spot.at.0), (new, spot.at.1), focus);
        self.sort_out(spot, edits, values)
    }

    /// As [`Self::trial`], with these values.
    ///
    /// # Errors
    /// Says why the schemas cannot be held against values.
    pub(super) fn sort_out(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        values: Vec<Value>,
    ) -> Result<Trial, Undecided> {
        let Spot {
            at,
            sender,
            as_text,
        } = spot;
        let (old, new) = self.makers(sender);
        let edits = Some(self.edits(sender, edits));
        let one = accepted(old.source, at.0, &values, None, as_text)?;
        let other = accepted(old.source, at.0, &values, edits, as_text)?;
        let mut apart: Vec<(Value, bool)> = values
            .into_iter()
            .zip(one.into_iter().zip(other))
            .filter(|(_, (one, other))| one != other)
            .map(|(value, (one, _))| (value, one))
            .collect();
        if apart.is_empty() {
            return Ok(Trial::default());
        }
        if sender == Sender::Server {
            // What the server sends has all that it is to have.
            let completed: Vec<Value> = apart
                .iter()
                .filter(|(_, in_old)| !in_old)
                .take(CARRIED)
                .flat_map(|(value, _)| embed::around(new, at.1, &Step::Same, value))
                .collect();
            let completed = distinct(completed, KEPT);
            let one = accepted(old.source, at.0, &completed, None, as_text)?;
            let other = accepted(old.source, at.0, &completed, edits, as_text)?;
            let more = completed.into_iter().zip(one.into_iter().zip(other));
            apart.extend(
                more.filter(|(_, (one, other))| !one && *other)
                    .map(|(value, _)| (value, false)),
            );
        }
        let values: Vec<Value> = apart.iter().map(|(value, _)| value.clone()).collect();
        // Where the new schema cannot be asked, examples are those of the edit alone.
        let real = accepted(new.source, at.1, &values, None, as_text);
        let mut trial = Trial::default();
        for (index, (value, in_old)) in apart.into_iter().enumerate() {
            let in_new = real.as_ref().map_or(!in_old, |real| real[index]);
            let tried = Tried {
                real: in_old != in_new,
                documented: self.documents(at, sender, &value),
                value,
            };
            match in_old == (sender == Sender::Client) {
                true => trial.rejected.push(tried),
                false => trial.unsent.push(tried),
            }
        }
        for list in [&mut trial.rejected, &mut trial.unsent] {
            list.sort_by_cached_key(|one| (!one.documented, !one.real, size(&one.value)));
            list.truncate(KEPT);
        }
        Ok(trial)
    }

    /// What the algebra knows of the old schema and the old schema with `edits`.
    pub(super) fn proof(&self, at: At<'_>, sender: Sender, edits: &[&Edit]) -> Relation {
        let (old, _) = self.makers(sender);
        let edits = Some(self.edits(sender, edits));
        let wholes = (
            plain::whole(old.source, at.0, None, true),
            plain::whole(old.source, at.0, edits, true),
        );
        match wholes {
            (Ok(one), Ok(other)) => algebra::relate(&one, &other),
            _ => Relation::default(),
        }
    }

    /// What the algebra knows of the old and the new schema.
    pub(super) fn relation(&self, at: At<'_>, sender: Sender) -> Relation {
        let (old, new) = self.makers(sender);
        let wholes = (
            plain::whole(old.source, at.0, None, false),
            plain::whole(new.source, at.1, None, false),
        );
        match wholes {
            (Ok(one), Ok(other)) => algebra::relate(&one, &other),
            _ => Relation::default(),
        }
    }

    /// Puts a value into the body or parameter that it is part of: one that the sender may send there and the receiver rejects if
    /// `rejected`, else one that the receiver accepts and the sender does not send. None where none was found.
    pub(super) fn carry(
        &self,
        value: &Value,
        around: &[Around<'_>],
        root: Spot<'_>,
        rejected: bool,
    ) -> Option<Value> {
        let (old, new) = self.makers(root.sender);
        let in_old = rejected == (root.sender == Sender::Client);
        let (maker, side): (_, fn(At<'_>) -> &str) = match in_old {
            true => (old, |at| at.0),
            false => (new, |at| at.1),
        };
        for strict in [false, true] {
            let mut values = vec![value.clone()];
            for Around { at, step, .. } in around {
                let below = values.iter();
                let mut next = below
                    .flat_map(|value| embed::around(maker, side(*at), step, value))
                    .collect::<Vec<_>>();
                if strict {
                    let accepted = judge::accepted(maker.source, side(*at), &next, None).ok()?;
                    let mut accepted = accepted.into_iter();
                    next.retain(|_| accepted.next().unwrap_or(false));
                }
                next.sort_by_cached_key(size);
                values = distinct(next, CARRIED);
            }
            let one = accepted(old.source, root.at.0, &values, None, root.as_text).ok()?;
            let other = accepted(new.source, root.at.1, &values, None, root.as_text).ok()?;
            let all = values.into_iter().zip(one.into_iter().zip(other));
            let mut shown: Vec<Value> = all
                .filter(|(_, (one, other))| *one == in_old && *other != in_old)
                .map(|(value, _)| value)
                .collect();
            shown.sort_by_cached_key(|value| !self.documents(root.at, root.sender, value));
            if let Some(first) = shown.into_iter().next() {
                return Some(first);
            }
        }
        None
    }

    /// Whether the sender of the value documents all members of it.
    pub(super) fn documents(&self, at: At<'_>, sender: Sender, value: &Value) -> bool {
        let (old, new) = self.makers(sender);
        match sender {
            Sender::Server => new.source.documents(&[at.1.to_owned()], value),
            Sender::Client => old.source.documents(&[at.0.to_owned()], value),
        }
    }

    /// Whether theirs and ours speak of the member `name`.
    pub(super) fn names(&self, at: At<'_>, name: &str) -> (bool, bool) {
        let speaks = |maker: &Maker<'_>, at: &str| {
            let schemas = maker.source.in_place(&[at.to_owned()]);
            let (_, below) = maker.source.member(&schemas, name);
            below
                .iter()
                .any(|at| at.ends_with(&crate::document::pointer::join("/properties", name)))
        };
        (speaks(&self.old[0], at.0), speaks(&self.new[0], at.1))
    }

    /// Whether the member `name` is not sent by the old and the new document.
    pub(super) fn hides(&self, at: At<'_>, sender: Sender, name: &str) -> (bool, bool) {
        let (old, new) = self.makers(sender);
        let hides = |maker: &Maker<'_>, at: &str| maker.source.hidden(at, None).contains(name);
        (hides(old, at.0), hides(new, at.1))
    }
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
    source: Source<'a>,
    at: &str,
    values: &[Value],
    edits: Option<Edits<'_, 'a>>,
    as_text: bool,
) -> Result<Vec<bool>, Undecided> {
    if !as_text {
        return judge::accepted(source, at, values, edits);
    }
    let meanings: Vec<Vec<Value>> = values.iter().map(meanings).collect();
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

/// What the text of a value may mean to who reads it; that of a list or an object is written item by item.
fn meanings(value: &Value) -> Vec<Value> {
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
    distinct(vec![value.clone(), each(written), each(read)], 4)
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
