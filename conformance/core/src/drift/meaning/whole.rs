//! Whole schemas with all that they use, for set algebra: as long as they are not large.

use serde_json::{Map, Value, json};

use super::algebra::{self, Relation};
use super::edit::Edit;
use super::plain::{Edits, Open, Writer};
use super::scaled::scaled;
use super::scope::Scope;
use super::source::Source;
use super::{Meaning, Spot};
use crate::finding::Undecided;
use crate::schema::direction::Names;

/// How many schemas a whole may have; beyond that set algebra is slow.
const WHOLE_LIMIT: usize = 160;

/// As [`WHOLE_LIMIT`], where nothing is left out.
const FULL_LIMIT: usize = 60;

/// Writes the schema at `at` with what it uses: `{"$defs": {"0": ..}, "$ref": "#/$defs/0"}`.
///
/// Subschemas of members and items that every value has to meet, and that no edit changes, are left out: whatever they say, it is said
/// of both sides, so that inclusion of what is left proves inclusion of the whole. Below `anyOf` and the like that would not hold, and
/// all is written.
pub(super) fn whole<'a>(
    source: &Source<'a>,
    at: &str,
    edits: Option<Edits<'_, 'a>>,
    prune: bool,
) -> Result<Value, Undecided> {
    whole_with_fractions(source, at, edits, prune, false)
}

fn whole_with_fractions<'a>(
    source: &Source<'a>,
    at: &str,
    edits: Option<Edits<'_, 'a>>,
    prune: bool,
    has_fractions: bool,
) -> Result<Value, Undecided> {
    let limit = if prune { WHOLE_LIMIT } else { FULL_LIMIT };
    let mut writer = Writer::new(source, limit, edits);
    (writer.prune, writer.has_fractions) = (prune, has_fractions);
    writer.whole(at)
}

/// Relates two schemas that are written as [`whole`] does: each is a source, a place in it and edits.
pub(super) fn related<'a>(
    old: (&Source<'a>, &str, Option<Edits<'_, 'a>>),
    new: (&Source<'a>, &str, Option<Edits<'_, 'a>>),
    prune: bool,
) -> Relation {
    let written = |has_fractions: bool| {
        let one = |(source, at, edits): (&Source<'a>, &str, _)| {
            whole_with_fractions(source, at, edits, prune, has_fractions)
        };
        (one(old), one(new))
    };
    let is_fraction = |reason: &Undecided| matches!(reason, Undecided::NotFound { keyword } if keyword == "multipleOf");
    match written(false) {
        (Ok(old), Ok(new)) => algebra::relate(&old, &new),
        (Err(reason), _) | (_, Err(reason)) if is_fraction(&reason) => {
            let (Ok(old), Ok(new)) = written(true) else {
                return Relation::default();
            };
            let related = scaled([&old, &new]).map(|[old, new]| algebra::relate(&old, &new));
            // What is lost has other numbers.
            Relation {
                lost: Vec::new(),
                ..related.unwrap_or_default()
            }
        }
        _ => Relation::default(),
    }
}

/// As [`whole`] without leaving anything out, for schemas of which there are at most `limit`; says how many there are.
fn written<'a>(
    source: &Source<'a>,
    at: &str,
    edits: Option<Edits<'_, 'a>>,
    limit: usize,
) -> Result<(Value, usize), Undecided> {
    let mut writer = Writer::new(source, limit, edits);
    let schema = writer.whole(at)?;
    Ok((schema, limit - writer.left))
}

impl Meaning<'_> {
    /// Writes the old schema as [`written`] does, and once more with `edits`.
    pub(super) fn before_and_after(
        &self,
        spot: Spot<'_>,
        edits: &[&Edit],
        limit: usize,
    ) -> Result<[(Value, usize); 2], Undecided> {
        let source = &self.makers(spot.sender).0.source;
        let edits = self.edits(spot.sender, edits);
        Ok([
            written(source, spot.at.0, None, limit)?,
            written(source, spot.at.0, Some(edits), limit)?,
        ])
    }
}

/// Writes what a value of all of `schemas` has to meet, as [`written`] does.
pub(super) fn all_of(source: &Source<'_>, schemas: &[String]) -> Result<Value, Undecided> {
    Writer::new(source, FULL_LIMIT, None).all_of(schemas)
}

impl Writer<'_, '_> {
    /// Writes the schema at `at` with all that it uses.
    fn whole(&mut self, at: &str) -> Result<Value, Undecided> {
        let root = self.define(at);
        let definitions = self.definitions()?;
        Ok(json!({"$defs": definitions, "$ref": format!("#/$defs/{root}")}))
    }

    /// Writes the schemas at all of these places, with all that they use, as one.
    fn all_of(&mut self, schemas: &[String]) -> Result<Value, Undecided> {
        let defined = schemas.iter().map(|at| self.define(at));
        let branches = defined.map(|id| json!({"$ref": format!("#/$defs/{id}")}));
        let branches: Vec<Value> = branches.collect();
        let mut definitions = self.definitions()?;
        definitions.insert("all".to_owned(), json!({"allOf": branches}));
        Ok(json!({"$defs": definitions, "$ref": "#/$defs/all"}))
    }

    /// Writes the schemas that were referred to.
    fn definitions(&mut self) -> Result<Map<String, Value>, Undecided> {
        let mut definitions = Map::new();
        while let Some(open) = self.queue.pop() {
            self.prune = open.prune;
            let write = |writer: &mut Self| writer.schema(&open.at, &Scope::All, &Names::new(), 0);
            let schema = match open.new {
                true => self.in_new(write)?,
                false => write(self)?,
            };
            definitions.insert(open.id, schema);
        }
        Ok(definitions)
    }

    pub(super) fn define(&mut self, at: &str) -> String {
        let key = (self.new, self.prune, at.to_owned());
        if let Some(known) = self.defined.get(&key) {
            return known.clone();
        }
        let id = self.defined.len().to_string();
        self.defined.insert(key, id.clone());
        self.queue.push(Open {
            new: self.new,
            prune: self.prune,
            at: at.to_owned(),
            id: id.clone(),
        });
        id
    }
}
