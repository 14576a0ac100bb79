//! Walks a value with its schemas, and changes it at one place at a time.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

use super::Source;
use super::case_name::{Subject, is_reference};
use super::edge::Expect;
use super::object::absent;
use crate::document::pointer;

/// How many places of one value are changed.
const PLACES: usize = 300;

/// How many changes are made to one value.
const CHANGES: usize = 4_000;

/// How deep values are changed.
const DEPTH: usize = 8;

/// A value with a change at one place.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The place and what is there: `qty` one above its maximum.
    pub(super) name: String,
    /// The value as a whole.
    pub(super) value: Value,
    pub(super) expect: Expect,
    /// The change that this one goes on from.
    pub(super) builds_on: Option<String>,
    /// Several ways to say the same of one place have one number: one of them is enough.
    pub(super) group: (usize, String),
}

/// The values of members that name something that the server has.
pub(super) type Known = HashSet<(String, String)>;

/// A place of a value.
pub(super) struct Placed {
    pub(super) whole: Value,
    pub(super) at: String,
    pub(super) schemas: Vec<String>,
    /// Whether another alternative was put there: then its own alternatives are no news.
    is_alternative: bool,
    /// The change that made the whole what it is.
    builds_on: Option<String>,
}

impl Source<'_> {
    /// The changes of a value, those of the whole before those of its parts.
    pub(super) fn changes(&self, subject: Subject<'_>, value: &Value, schema: &str) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut open = VecDeque::from([Placed::whole(value, schema)]);
        let known = references(value);
        let mut places = 0;
        while let Some(place) = open.pop_front() {
            places += 1;
            if places > PLACES || changes.len() > CHANGES {
                break;
            }
            let Some(value) = place.whole.pointer(&place.at) else {
                continue;
            };
            let name = subject.at(&place.at);
            let spot = self.spot(&place.schemas);
            for edge in self.edges(&spot, value) {
                let Some(whole) = with(&place.whole, &place.at, edge.value) else {
                    continue;
                };
                let about = format!("{name} {}", edge.what);
                if edge.what.starts_with("as alternative") && !place.is_alternative {
                    open.push_back(Placed {
                        whole: whole.clone(),
                        at: place.at.clone(),
                        schemas: place.schemas.clone(),
                        is_alternative: true,
                        builds_on: Some(about.clone()),
                    });
                }
                let is_made_up = !references(&whole).is_subset(&known);
                changes.push(Change {
                    value: whole,
                    expect: match edge.expect {
                        Expect::Valid | Expect::Either if is_made_up => Expect::Open,
                        expect => expect,
                    },
                    builds_on: place.builds_on.clone(),
                    group: (places, about.clone()),
                    name: about,
                });
            }
            if pointer::tokens(&place.at).count() < DEPTH {
                for mut part in self.parts(&place) {
                    if let Some(member) = &part.added {
                        part.place.builds_on = Some(format!("{name} with `{member}`"));
                    }
                    open.push_back(part.place);
                }
            }
        }
        changes
    }

    /// The members and items of a place, and the members that it might have.
    pub(super) fn parts(&self, place: &Placed) -> Vec<Part> {
        let spot = self.spot(&place.schemas);
        let subschemas = self.schemas.subschemas();
        let part = |whole: &Value, token: &str, schemas: Vec<String>| Placed {
            whole: whole.clone(),
            at: pointer::join(&place.at, token),
            schemas,
            is_alternative: false,
            builds_on: place.builds_on.clone(),
        };
        match place.whole.pointer(&place.at) {
            Some(Value::Object(members)) => {
                let named = members.keys().map(|name| {
                    let schemas = subschemas.member(&spot.all, name).schemas();
                    Part {
                        place: part(&place.whole, name, schemas),
                        added: None,
                    }
                });
                let mut parts: Vec<Part> = named.collect();
                for (name, value) in absent(self, &spot, members) {
                    let mut more = members.clone();
                    more.insert(name.clone(), value);
                    let whole = with(&place.whole, &place.at, Value::Object(more));
                    let schemas = subschemas.member(&spot.all, &name).schemas();
                    parts.extend(whole.map(|whole| Part {
                        place: part(&whole, &name, schemas),
                        added: Some(name),
                    }));
                }
                parts
            }
            Some(Value::Array(items)) => {
                let tuple = spot.each("prefixItems").filter_map(Value::as_array);
                let count = tuple.map(Vec::len).max().unwrap_or(0).max(1);
                (0..count.min(items.len()))
                    .map(|index| {
                        let schemas = subschemas.item(&spot.all, index);
                        Part {
                            place: part(&place.whole, &index.to_string(), schemas),
                            added: None,
                        }
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A place below another one.
pub(super) struct Part {
    pub(super) place: Placed,
    /// The name of a member that was put there first.
    added: Option<String>,
}

/// The members of a value that name something that the server has.
pub(super) fn references(value: &Value) -> Known {
    let mut found = Known::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let (true, Value::String(text)) = (is_reference(name), member) {
                        found.insert((name.clone(), text.clone()));
                    }
                    open.push(member);
                }
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

impl Placed {
    /// All of a value.
    pub(super) fn whole(value: &Value, schema: &str) -> Self {
        Self {
            whole: value.clone(),
            at: String::new(),
            schemas: vec![schema.to_owned()],
            is_alternative: false,
            builds_on: None,
        }
    }
}

/// `whole` with another value at a pointer.
pub(super) fn with(whole: &Value, at: &str, new: Value) -> Option<Value> {
    let mut whole = whole.clone();
    *whole.pointer_mut(at)? = new;
    Some(whole)
}
