//! What two schemas mean: values that one accepts and the other refuses, and proofs that there are none.
//!
//! [`Meaning::search`] tries values on two schemas at one place, [`Meaning::lift`] carries those that tell them apart up to the body
//! or parameter that they stand in, and [`Meaning::relate`] asks the set algebra. Who writes the value decides which members are
//! sent at all (`readOnly`, `writeOnly`).

mod algebra;
mod embed;
mod facts;
mod generate;
mod hints;
mod judge;
mod plain;
mod scalars;
mod shrink;
mod source;
mod text;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use serde_json::{Value, json};

pub(super) use embed::Step;
pub(super) use judge::knows_format;
pub(super) use plain::is_held;

use generate::{Maker, candidates, distinct};
use plain::{Swap, Trouble};
use shrink::size;
use source::Source;

use crate::document::Document;

/// How often the algebra is asked in one comparison.
const ALGEBRA_LIMIT: usize = 300;

/// How much is tried in one comparison: schemas written, and values held against them. What is not tried is undecided.
pub(super) const EFFORT: usize = 6_000_000;

/// How many values of a kind are carried from one schema to the one around it.
const CARRIED: usize = 4;

/// How many values of a kind are kept at one place.
const KEPT: usize = 40;

/// A place in both documents: the pointers of theirs and of ours.
pub(super) type At<'p> = (&'p str, &'p str);

/// One keyword in both documents: the schemas that have it, and how they spell it.
pub(super) struct Keyword {
    /// The schema and spelling in theirs.
    pub(super) theirs: Option<(String, String)>,
    /// The schema and spelling in ours.
    pub(super) ours: Option<(String, String)>,
    /// The schema of ours, where the keyword would be put in.
    pub(super) ours_schema: String,
}

/// Values that tell two schemas apart, the smallest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Apart {
    /// Accepted by theirs, refused by ours.
    pub(super) theirs_only: Vec<Value>,
    /// Accepted by ours, refused by theirs.
    pub(super) ours_only: Vec<Value>,
}

impl Apart {
    pub(super) fn is_empty(&self) -> bool {
        self.theirs_only.is_empty() && self.ours_only.is_empty()
    }
}

/// Two schemas around two others.
pub(super) struct Around<'p> {
    pub(super) at: At<'p>,
    /// How the inner ones hang in them.
    pub(super) step: &'p Step,
    /// Whether they differ in nothing else.
    pub(super) alone: bool,
}

/// What is proven of two schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Proven {
    /// Ours accepts all that theirs accepts.
    pub(super) theirs_in_ours: bool,
    /// Theirs accepts all that ours accepts.
    pub(super) ours_in_theirs: bool,
}

/// What is proven, and what one side accepts and the other does not, as schemas.
type Answer = (Proven, Vec<Value>);

/// Both documents, and what was found out about their schemas.
pub(super) struct Meaning<'a> {
    /// By who writes the value: a client, the server.
    theirs: [Maker<'a>; 2],
    ours: [Maker<'a>; 2],
    /// Whether it makes no difference who writes.
    same: bool,
    algebra_left: Cell<usize>,
    proven: RefCell<HashMap<(String, String, bool), Answer>>,
}

impl<'a> Meaning<'a> {
    /// `flagged` says whether any schema has `readOnly` or `writeOnly` members.
    /// `effort` is taken from while values are tried; see [`EFFORT`].
    pub(super) fn new(
        theirs: &'a Document,
        ours: &'a Document,
        flagged: bool,
        effort: &'a Cell<usize>,
    ) -> Self {
        let makers = |document: &'a Document| {
            [false, true]
                .map(|from_server| Maker::new(Source::of(document, from_server, flagged, effort)))
        };
        Self {
            theirs: makers(theirs),
            ours: makers(ours),
            same: !flagged,
            algebra_left: Cell::new(ALGEBRA_LIMIT),
            proven: RefCell::default(),
        }
    }

    /// Whether values mean the same whoever writes them.
    pub(super) fn is_same_both_ways(&self) -> bool {
        self.same
    }

    fn makers(&self, from_server: bool) -> (&Maker<'a>, &Maker<'a>) {
        // Without flags both directions share what was found out.
        let index = usize::from(from_server && !self.same);
        (&self.theirs[index], &self.ours[index])
    }

    /// Looks for values that tell the schemas at `at` apart.
    ///
    /// # Errors
    /// Says why the schemas cannot be held against values.
    pub(super) fn search(&self, at: At<'_>, from_server: bool) -> Result<Apart, String> {
        let (theirs, ours) = self.makers(from_server);
        if theirs.source.is_spent() {
            return Err(Trouble::Spent.to_string());
        }
        let values = candidates((theirs, at.0), (ours, at.1), Vec::new());
        let found = self.classify(at, from_server, false, values)?;
        if !found.theirs_only.is_empty() || !found.ours_only.is_empty() {
            return Ok(found);
        }
        // What the algebra says is lost is often what was not thought of.
        let (_, lost) = self.related(at, from_server);
        let more: Vec<Value> = lost.iter().flat_map(generate::of_schema).collect();
        self.classify(at, from_server, false, more)
    }

    /// Which of `values` tell the schemas apart. A value that stands as text in a request line or a header is accepted where its
    /// text is.
    fn classify(
        &self,
        at: At<'_>,
        from_server: bool,
        as_text: bool,
        values: Vec<Value>,
    ) -> Result<Apart, String> {
        let (theirs, ours) = self.makers(from_server);
        let one = accepted(theirs.source, at.0, &values, as_text)?;
        let other = accepted(ours.source, at.1, &values, as_text)?;
        let mut apart = Apart::default();
        for ((value, theirs), ours) in values.into_iter().zip(one).zip(other) {
            match (theirs, ours) {
                (true, false) => apart.theirs_only.push(value),
                (false, true) => apart.ours_only.push(value),
                _ => {}
            }
        }
        for list in [&mut apart.theirs_only, &mut apart.ours_only] {
            list.sort_by_cached_key(size);
            list.truncate(KEPT);
        }
        Ok(apart)
    }

    /// Of `found` those values that one keyword alone is to blame for: with the keyword of theirs, ours agrees with theirs.
    pub(super) fn blamed(
        &self,
        at: At<'_>,
        from_server: bool,
        found: &Apart,
        keyword: &Keyword,
    ) -> Result<Apart, String> {
        let (theirs, ours) = self.makers(from_server);
        let swap = Swap {
            without: keyword.ours.clone(),
            into: match &keyword.ours {
                Some((schema, _)) => schema.clone(),
                None => keyword.ours_schema.clone(),
            },
            with: keyword
                .theirs
                .as_ref()
                .map(|(schema, keyword)| (theirs.source, schema.clone(), keyword.clone())),
        };
        let judged = |values: &[Value], wanted: bool| -> Result<Vec<Value>, String> {
            let accepted = judge::accepted(ours.source, at.1, values, Some(&swap))?;
            let all = values.iter().zip(accepted);
            Ok(all
                .filter(|(_, accepted)| *accepted == wanted)
                .map(|(value, _)| value.clone())
                .collect())
        };
        Ok(Apart {
            theirs_only: judged(&found.theirs_only, true)?,
            ours_only: judged(&found.ours_only, false)?,
        })
    }

    /// Makes the values smaller at their own place.
    pub(super) fn smallest(
        &self,
        at: At<'_>,
        from_server: bool,
        found: &Apart,
        keyword: Option<&Keyword>,
    ) -> Apart {
        let shrunk = |values: &[Value], in_theirs: bool| -> Vec<Value> {
            let shows = |values: &[Value]| {
                let apart = self.classify(at, from_server, false, values.to_vec());
                let apart = match (apart, keyword) {
                    (Ok(apart), Some(keyword)) => self.blamed(at, from_server, &apart, keyword),
                    (apart, _) => apart,
                };
                let apart = apart.unwrap_or_default();
                let list = if in_theirs {
                    apart.theirs_only
                } else {
                    apart.ours_only
                };
                values.iter().map(|value| list.contains(value)).collect()
            };
            let mut all: Vec<Value> = values
                .iter()
                .take(CARRIED)
                .map(|value| shrink::shrink(value.clone(), &shows))
                .collect();
            // What is larger may be the one that fits in.
            all.extend(values.iter().take(CARRIED).cloned());
            distinct(all, 2 * CARRIED)
        };
        Apart {
            theirs_only: shrunk(&found.theirs_only, true),
            ours_only: shrunk(&found.ours_only, false),
        }
    }

    /// Carries values from a schema to the one at the root, by the schemas around it and the steps that lead from each of them
    /// inwards, the innermost first.
    pub(super) fn lift(
        &self,
        found: &Apart,
        at: At<'_>,
        around: &[Around<'_>],
        from_server: bool,
        as_text: bool,
    ) -> Result<Apart, String> {
        let (theirs, ours) = self.makers(from_server);
        let mut carried = found.clone();
        for Around { at, step, alone } in around {
            let mut values = Vec::new();
            for value in carried.theirs_only.iter().chain(&carried.ours_only) {
                values.extend(embed::around(theirs, at.0, step, value));
                values.extend(embed::around(ours, at.1, step, value));
            }
            let mut next = self.classify(*at, from_server, false, distinct(values, 200))?;
            if next.is_empty() && *alone {
                // The schemas around may leave room for a few values only, so look from there.
                next = self.search(*at, from_server)?;
            }
            let (sender, place) = if from_server {
                (ours, at.1)
            } else {
                (theirs, at.0)
            };
            for list in [&mut next.theirs_only, &mut next.ours_only] {
                // What its sender documents is worth more than what is smaller.
                list.sort_by_cached_key(|value| {
                    (
                        !sender.source.documents(&[place.to_owned()], value),
                        size(value),
                    )
                });
                list.truncate(CARRIED);
            }
            carried = next;
            if carried.is_empty() {
                return Ok(carried);
            }
        }
        let root = around.last().map_or(at, |around| around.at);
        let values = carried
            .theirs_only
            .into_iter()
            .chain(carried.ours_only)
            .collect();
        self.classify(root, from_server, as_text, values)
    }

    /// Makes a value of a whole body or parameter smaller, as long as `part` stands in it and it is accepted on one side only.
    pub(super) fn shortened(
        &self,
        root: At<'_>,
        from_server: bool,
        as_text: bool,
        value: Value,
        part: &[Value],
    ) -> Value {
        let in_theirs = |apart: &Apart, value: &Value| apart.theirs_only.contains(value);
        let first = self.classify(root, from_server, as_text, vec![value.clone()]);
        let wanted = first.is_ok_and(|apart| in_theirs(&apart, &value));
        let documented = self.documents(root, from_server, &value);
        let shows = |values: &[Value]| {
            let apart = self
                .classify(root, from_server, as_text, values.to_vec())
                .unwrap_or_default();
            let list = if wanted {
                &apart.theirs_only
            } else {
                &apart.ours_only
            };
            values
                .iter()
                .map(|value| {
                    list.contains(value)
                        && part.iter().any(|part| shrink::contains(value, part))
                        && (!documented || self.documents(root, from_server, value))
                })
                .collect()
        };
        shrink::shrink(value, &shows)
    }

    /// Whether the sender of the value documents all members of it.
    pub(super) fn documents(&self, root: At<'_>, from_server: bool, value: &Value) -> bool {
        let (theirs, ours) = self.makers(from_server);
        if from_server {
            ours.source.documents(&[root.1.to_owned()], value)
        } else {
            theirs.source.documents(&[root.0.to_owned()], value)
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
        (speaks(&self.theirs[0], at.0), speaks(&self.ours[0], at.1))
    }

    /// Whether a discriminator of theirs or ours has a say in which values are accepted.
    pub(super) fn discriminates(&self, at: At<'_>) -> bool {
        let (theirs, ours) = self.makers(false);
        theirs.source.discriminated(at.0).is_some() || ours.source.discriminated(at.1).is_some()
    }

    /// What the set algebra proves.
    pub(super) fn relate(&self, at: At<'_>, from_server: bool) -> Proven {
        self.related(at, from_server).0
    }

    fn related(&self, at: At<'_>, from_server: bool) -> Answer {
        let key = (at.0.to_owned(), at.1.to_owned(), from_server && !self.same);
        if let Some(known) = self.proven.borrow().get(&key) {
            return known.clone();
        }
        let Some(left) = self.algebra_left.get().checked_sub(1) else {
            return (Proven::default(), Vec::new());
        };
        let (theirs, ours) = self.makers(from_server);
        let wholes = (
            plain::whole(theirs.source, at.0),
            plain::whole(ours.source, at.1),
        );
        let answer = match wholes {
            (Ok(one), Ok(other)) => {
                self.algebra_left.set(left);
                let relation = algebra::relate(&one, &other);
                let proven = Proven {
                    theirs_in_ours: relation.theirs_in_ours,
                    ours_in_theirs: relation.ours_in_theirs,
                };
                (proven, relation.lost)
            }
            _ => (Proven::default(), Vec::new()),
        };
        self.proven.borrow_mut().insert(key, answer.clone());
        answer
    }
}

/// Which values the schema accepts; those that stand as text, in any meaning of the text.
fn accepted(
    source: Source<'_>,
    at: &str,
    values: &[Value],
    as_text: bool,
) -> Result<Vec<bool>, String> {
    if !as_text {
        return judge::accepted(source, at, values, None);
    }
    let meanings: Vec<Vec<Value>> = values.iter().map(meanings).collect();
    let flat: Vec<Value> = meanings.iter().flatten().cloned().collect();
    let mut judged = judge::accepted(source, at, &flat, None)?.into_iter();
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
