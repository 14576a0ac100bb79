//! Which members the documents speak of, and who sends them.

use std::collections::BTreeMap;

use foldhash::HashSet;
use serde_json::{Map, Value};

use super::edit::Edit;
use super::generate::Maker;
use super::marks::Marks;
use super::source::{Source, demands};
use super::tried::is_alike;
use super::{At, Meaning, Spot, judge};
use crate::document::pointer;
use crate::finding::{Sender, Side};
use crate::schema::Member;

/// A name that no document has: a noncharacter.
const UNNAMED: &str = "\u{fdd0}";

/// Whether the sender of a member documents it.
pub(super) enum Documented {
    /// It does.
    Now,
    /// A server did, in the old document, and sends the member as long as no difference is about it.
    Before,
    /// It does not.
    No,
}

impl Meaning<'_> {
    /// Whether the sender of each value documents all members of it. A server sends what its new document has, and what the old one
    /// has besides, as long as no edit is about that: all other differences are others' to tell.
    pub(super) fn documents(
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
        let (old, new) = self.sources();
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
            .filter(|edit| {
                // A flag is about the member that the schema is of, not about those that it describes.
                let is_flag = matches!(edit, Edit::Flag { .. });
                !is_flag && before.iter().any(|at| edit.is_of(at))
            })
            .collect();
        let whole = own.iter().any(|edit| edit.member().is_none());
        let opens = own.iter().any(|edit| edit.is_about_others());
        let speak = |source: &Source<'_>, schemas: &[String], name: &str| match schemas {
            [] => None,
            schemas => source.member(schemas, name),
        };
        for (name, inside) in members {
            let named = own.iter().any(|edit| edit.member() == Some(name));
            let edited = whole || named;
            let in_old = speak(old, &before, name);
            // Where the new document names a member that the old one does not, that is another difference.
            let in_new = match opens && in_old.is_none() && !named {
                true => speak(new, &after, UNNAMED),
                false => speak(new, &after, name),
            };
            let in_old = in_old.filter(|_| !edited);
            let speaks = in_new.is_some() || in_old.is_some();
            let schemas = (in_old.unwrap_or_default(), in_new.unwrap_or_default());
            below(speaks.then_some(schemas), inside);
        }
        spoken
    }

    /// Tells whether the sender documents a member.
    pub(super) fn documented(&self, spot: Spot<'_>) -> impl Fn(&str) -> Documented {
        let (old, new) = self.sources();
        let before = old.schemas.in_place(&[spot.at.0.to_owned()]);
        let after = new.schemas.in_place(&[spot.at.1.to_owned()]);
        let named = |source: &Source<'_>, schemas: &[String]| -> HashSet<String> {
            let schemas = schemas.iter().filter_map(|at| source.schemas.object(at));
            let members = schemas.filter_map(|schema| schema.get("properties")?.as_object());
            members.flat_map(Map::keys).cloned().collect()
        };
        let (in_old, in_new) = (named(old, &before), named(new, &after));
        move |name| {
            let speaks = |source: &Source<'_>, schemas: &[String], named: &HashSet<String>| {
                named.contains(name) || source.member(schemas, name).is_some()
            };
            let (before, after) = (speaks(old, &before, &in_old), speaks(new, &after, &in_new));
            match (spot.sender, before, after) {
                (Sender::Client, true, _) | (Sender::Server, _, true) => Documented::Now,
                (Sender::Server, true, false) => Documented::Before,
                (Sender::Client, false, _) | (Sender::Server, false, false) => Documented::No,
            }
        }
    }

    /// The member that tells which alternative of the schemas of one side a value is of: one that can only be what it is.
    pub(in super::super) fn telling(
        &self,
        spot: Spot<'_>,
        side: Side,
        value: &Value,
    ) -> Option<String> {
        let (old, new) = self.makers(spot.sender);
        let (maker, at) = match side {
            Side::Old => (old, spot.at.0),
            Side::New => (new, spot.at.1),
        };
        let members = value.as_object()?;
        let is_only = |at: &String, value: &Value| {
            maker.source.schemas.object(at).is_some_and(|schema| {
                let listed = schema.get("enum").and_then(Value::as_array);
                schema.get("const") == Some(value)
                    || listed.is_some_and(|all| matches!(&all[..], [only] if only == value))
            })
        };
        let ways = maker.ways(at);
        let mut fitting = ways.iter().filter(|facts| {
            let mut required = facts.required.iter();
            required.all(|name| members.contains_key(name))
        });
        fitting.find_map(|facts| {
            let mut properties = facts.properties.iter();
            let telling = properties.find(|(name, schemas)| {
                members
                    .get(*name)
                    .is_some_and(|value| schemas.iter().any(|at| is_only(at, value)))
            });
            telling.map(|(name, _)| name.clone())
        })
    }

    /// Whether no value is of both schemas of one document, as far as their marks say so; whoever sends it.
    pub(in super::super) fn are_apart(&self, side: Side, one: &str, other: &str) -> bool {
        [Sender::Client, Sender::Server].into_iter().all(|sender| {
            let (old, new) = self.makers(sender);
            let source = match side {
                Side::Old => &old.source,
                Side::New => &new.source,
            };
            source.marks(one).are_apart(&source.marks(other))
        })
    }

    /// Whether one required member tells all of these schemas of one document apart.
    pub(in super::super) fn are_all_apart(&self, side: Side, all: &[&str]) -> bool {
        [Sender::Client, Sender::Server].into_iter().all(|sender| {
            let (old, new) = self.makers(sender);
            let source = match side {
                Side::Old => &old.source,
                Side::New => &new.source,
            };
            let marks: Vec<_> = all.iter().map(|at| source.marks(at)).collect();
            Marks::are_all_apart(&marks)
        })
    }

    /// Whether every value of the old schema at `at` has to meet all of `schemas`.
    pub(in super::super) fn has_to_meet(&self, at: &str, schemas: &[&str]) -> bool {
        let marks = self.sources().0.marks(at);
        schemas.iter().all(|one| marks.conjuncts().contains(*one))
    }

    /// The schemas of the member `name` that values of the old schema at `at` have to meet, the one of the schema `own` left out.
    pub(in super::super) fn demands_of(&self, at: &str, own: &str, name: &str) -> Vec<String> {
        let source = self.sources().0;
        let marks = source.marks(at);
        let others = marks.conjuncts().iter().filter(|one| *one != own);
        let members = others.map(|one| pointer::join(&pointer::join(one, "properties"), name));
        members
            .filter(|at| source.schemas.at(at).is_some())
            .collect()
    }

    /// Whether the old schema at `at` rejects all of `values`.
    pub(in super::super) fn rejects_all(&self, at: &str, values: &[Value], sender: Sender) -> bool {
        let (old, _) = self.makers(sender);
        let accepted = judge::accepted(&old.source, at, values, None);
        accepted.is_ok_and(|accepted| accepted.iter().all(|one| !one))
    }

    /// Whether no schema that applies to the old schema's value at `at` speaks of the member `name`.
    pub(in super::super) fn is_silent(&self, at: &str, name: &str) -> bool {
        let schemas = self.sources().0.schemas;
        schemas.member(&schemas.in_place(&[at.to_owned()]), name) == Member::Undeclared
    }

    /// Whether the old and the new schema speak of the member `name`.
    pub(in super::super) fn names(&self, at: At<'_>, name: &str) -> (bool, bool) {
        let speaks = |source: &Source<'_>, at: &str| {
            let schemas = source.schemas;
            let member = schemas.member(&schemas.in_place(&[at.to_owned()]), name);
            let below = member.schemas();
            below
                .iter()
                .any(|at| at.ends_with(&pointer::join("/properties", name)))
        };
        let (old, new) = self.sources();
        (speaks(old, at.0), speaks(new, at.1))
    }

    /// Whether a schema that applies to the value at `at` may require the member `name`, in either document.
    pub(in super::super) fn requires(&self, at: At<'_>, name: &str) -> bool {
        let requires = |source: &Source<'_>, at: &str| {
            let schemas = source.schemas;
            let all = schemas.in_place(&[at.to_owned()]);
            let mut all = all.iter().filter_map(|at| schemas.object(at));
            all.any(|schema| demands(schema, name))
        };
        let (old, new) = self.sources();
        requires(old, at.0) || requires(new, at.1)
    }

    /// Whether the member `name` is not sent by the old and the new document.
    pub(in super::super) fn hides(&self, at: At<'_>, sender: Sender, name: &str) -> (bool, bool) {
        let (old, new) = self.makers(sender);
        let hides = |maker: &Maker<'_>, at: &str| maker.source.unsent.names(at).contains(name);
        (hides(old, at.0), hides(new, at.1))
    }
}
