//! A schema of a document as plain JSON Schema 2020-12: references put in place, edits and the direction applied.
//!
//! [`seen`] writes as much of a schema as given values can see, which is exact for these values and small whatever the document
//! is; [`super::whole`] writes all of it.

mod keyword;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::edit::Edit;
use super::presumed;
use super::scope::Scope;
use super::source::Source;
use crate::finding::Undecided;
use crate::schema::direction::{Names, Unsent};

/// How many schemas are written for one set of values.
const SEEN_LIMIT: usize = 2_500;

/// The largest whole number up to which floats are exact.
pub(super) const EXACT: u64 = 1 << 53;

/// How deep schemas nest.
const DEPTH_LIMIT: usize = 120;

/// The edits to the old document's schema, applied while it is written.
#[derive(Clone, Copy)]
pub(super) struct Edits<'e, 'a> {
    /// The document that what is added is written from.
    pub(super) new: &'e Source<'a>,
    pub(super) edits: &'e [&'e Edit],
}

/// Writes the schema at `at` as far as `values` can see it, with `edits` applied, and says how many schemas that were.
pub(super) fn seen<'a>(
    source: &Source<'a>,
    at: &str,
    values: &[Value],
    edits: Option<Edits<'_, 'a>>,
) -> Result<(Value, usize), Undecided> {
    let mut writer = Writer::new(source, SEEN_LIMIT, edits);
    let schema = writer.fresh(at, &Scope::Values(values.iter().collect()), 0)?;
    Ok((schema, SEEN_LIMIT - writer.left))
}

/// A schema that was referred to and is not written yet.
pub(super) struct Open {
    pub(super) new: bool,
    pub(super) prune: bool,
    pub(super) at: String,
    pub(super) id: String,
}

pub(super) struct Writer<'e, 'a> {
    pub(super) source: &'e Source<'a>,
    pub(super) left: usize,
    pub(super) edits: Option<Edits<'e, 'a>>,
    /// The properties that are not sent after an edit of a flag.
    unsent: Option<Unsent<'a>>,
    /// Whether schemas of the new document are being written.
    pub(super) new: bool,
    /// Whether what no edit changes may be left out.
    pub(super) prune: bool,
    /// Whether steps of `multipleOf` that set algebra cannot divide by are written, as their digits.
    pub(super) has_fractions: bool,
    /// The numbers of the schemas that were referred to.
    pub(super) defined: BTreeMap<(bool, bool, String), String>,
    pub(super) queue: Vec<Open>,
}

impl<'e, 'a> Writer<'e, 'a> {
    pub(super) fn new(source: &'e Source<'a>, limit: usize, edits: Option<Edits<'e, 'a>>) -> Self {
        let unsent = |edit: &&Edit| match edit {
            Edit::Flag { schema, flag, set } => Some(source.unsent.assuming(schema, flag, *set)),
            _ => None,
        };
        let unsent = edits.and_then(|edits| edits.edits.iter().find_map(unsent));
        Self {
            source,
            left: limit,
            edits,
            unsent,
            new: false,
            prune: false,
            has_fractions: false,
            defined: BTreeMap::new(),
            queue: Vec::new(),
        }
    }

    /// Writes schemas of the new document, which nothing edits.
    pub(super) fn in_new<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let edits = self.edits.take();
        let source = self.source;
        if let Some(edits) = edits {
            self.source = edits.new;
        }
        let new = std::mem::replace(&mut self.new, true);
        let written = write(self);
        (self.edits, self.source, self.new) = (edits, source, new);
        written
    }

    /// Writes what not every value has to meet.
    pub(super) fn in_full<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let prune = std::mem::replace(&mut self.prune, false);
        let written = write(self);
        self.prune = prune;
        written
    }

    /// The edits of the schema at `at`.
    fn edits_of(&self, at: &str) -> impl Iterator<Item = &'e Edit> + use<'e, 'a> {
        let edits = self.edits.map_or(&[][..], |edits| edits.edits);
        let at = at.to_owned();
        edits.iter().copied().filter(move |edit| edit.is_of(&at))
    }

    /// Whether an edit says so.
    fn any_edit(&self, says: impl Fn(&Edit) -> bool) -> bool {
        self.edits
            .is_some_and(|edits| edits.edits.iter().any(|edit| says(edit)))
    }

    /// Which members are not sent in this direction.
    fn unsent(&self) -> &Unsent<'a> {
        let edited = self.unsent.as_ref().filter(|_| !self.new);
        edited.unwrap_or(&self.source.unsent)
    }

    /// The members that are not sent by the schemas around what `keyword` holds in the schema at `at`. Alternatives say nothing about
    /// each other.
    pub(super) fn around(&self, at: &str, keyword: &str, around: &Names) -> Names {
        self.unsent().around(at, keyword, around)
    }

    /// Whether the alternative at `at` plainly rejects all values that are looked at.
    fn rejects_all(&self, at: &str, scope: &Scope<'_>) -> bool {
        let Scope::Values(values) = scope else {
            return false;
        };
        let edits = self.edits.map_or(&[][..], |edits| edits.edits);
        let marks = self.source.marks(at);
        values.iter().all(|value| marks.reject(value, edits))
    }

    /// Whether the schema at `at`, or one that applies to the same value, speaks of one of `names`.
    fn speaks_of(&self, at: &str, names: &Names) -> bool {
        let schemas = &self.source.schemas;
        let mut all = schemas.in_place(&[at.to_owned()]).into_iter();
        !names.is_empty()
            && all.any(|at| {
                let Some(schema) = schemas.object(&at) else {
                    return false;
                };
                let named = schema.get("properties").and_then(Value::as_object);
                let required = schema.get("required").and_then(Value::as_array);
                named.is_some_and(|named| names.iter().any(|name| named.contains_key(name)))
                    || required.is_some_and(|required| {
                        let mut required = required.iter().filter_map(Value::as_str);
                        required.any(|name| names.contains(name))
                    })
            })
    }

    /// A schema of another value than the one around it.
    pub(super) fn fresh(
        &mut self,
        at: &str,
        scope: &Scope<'_>,
        depth: usize,
    ) -> Result<Value, Undecided> {
        if self.prune && depth > 0 && self.source.schemas.at(at) != Some(&Value::Bool(false)) {
            return Ok(Value::Bool(true));
        }
        let written = self.schema(at, scope, &Names::new(), depth)?;
        let presumed = match (scope, self.source.schemas.at(at)) {
            (Scope::Values(values), Some(schema)) if depth > 0 => {
                presumed::accepted(values, schema)
            }
            _ => Vec::new(),
        };
        Ok(match presumed.is_empty() {
            true => written,
            false => json!({"anyOf": [written, {"enum": presumed}]}),
        })
    }

    /// A schema of the same value as those around it, which do not send the members in `around`.
    pub(super) fn schema(
        &mut self,
        at: &str,
        scope: &Scope<'_>,
        around: &Names,
        depth: usize,
    ) -> Result<Value, Undecided> {
        self.left = self.left.checked_sub(1).ok_or(Undecided::TooDeep)?;
        if depth > DEPTH_LIMIT {
            return Err(Undecided::TooDeep);
        }
        let edits: Vec<&Edit> = self.edits_of(at).collect();
        let replaced = edits.iter().find_map(|edit| match edit {
            Edit::Schema { new, .. } => Some(new.clone()),
            _ => None,
        });
        if let Some(new) = replaced {
            return self.added(&new, scope, None, depth + 1);
        }
        let empty = Map::new();
        let schema = match self.source.schemas.at(at) {
            Some(Value::Object(schema)) => schema,
            Some(Value::Bool(accepts)) if edits.is_empty() || !accepts => {
                let schema = Value::Bool(*accepts);
                return Ok(edits.iter().fold(schema, |schema, edit| edit.wrap(schema)));
            }
            _ if edits.is_empty() => return Ok(Value::Bool(true)),
            _ => &empty,
        };
        let mut hidden = self.unsent().names(at);
        if !around.is_empty() {
            Rc::make_mut(&mut hidden).extend(around.iter().cloned());
        }
        let mut out = Map::new();
        let place = Place {
            at,
            schema,
            scope,
            around,
            hidden: &hidden,
            depth: depth + 1,
        };
        for keyword in schema.keys() {
            let written = !self.any_edit(|edit| edit.replaces(at, keyword));
            if written {
                self.keyword(&place, keyword, &mut out)?;
            }
        }
        for edit in &edits {
            self.edit(&place, edit, &mut out)?;
        }
        let written = Value::Object(out);
        Ok(edits.iter().fold(written, |schema, edit| edit.wrap(schema)))
    }
}

/// One schema while it is being written.
#[derive(Clone, Copy)]
pub(super) struct Place<'p, 'v> {
    pub(super) at: &'p str,
    pub(super) schema: &'p Map<String, Value>,
    pub(super) scope: &'p Scope<'v>,
    /// The members that the schemas around do not send.
    pub(super) around: &'p Names,
    /// These, and those that the schema itself does not send.
    pub(super) hidden: &'p Names,
    pub(super) depth: usize,
}

/// Adds a schema to those that must hold as well.
pub(super) fn both(out: &mut Map<String, Value>, schema: Value) {
    if schema == Value::Bool(true) || schema.as_object().is_some_and(Map::is_empty) {
        return;
    }
    match out.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(schema),
        _ => {
            out.insert("allOf".to_owned(), Value::Array(vec![schema]));
        }
    }
}
