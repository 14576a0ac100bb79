//! Walks a value with its schemas, and changes it at one place at a time.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

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
    /// Shared with other places, as there may be many in a large value.
    pub(super) whole: Rc<Value>,
    pub(super) at: String,
    pub(super) schemas: Vec<String>,
    /// What has to be put there first.
    put: Option<Value>,
    /// Whether another alternative was put there: then its own alternatives are no news.
    is_alternative: bool,
    /// The change that made the whole what it is.
    builds_on: Option<String>,
}

impl<'a> Source<'a> {
    /// The changes of a value, those of the whole before those of its parts. They are made when they are asked for, as there may be many.
    pub(super) fn changes<'n>(
        self,
        subject: Subject<'n>,
        value: &Value,
        schema: &str,
    ) -> Changes<'a, 'n> {
        Changes {
            source: self,
            subject,
            known: references(value),
            open: VecDeque::from([Placed::whole(value, schema)]),
            whole: Rc::default(),
            at: String::new(),
            ready: VecDeque::new(),
            places: 0,
            made: 0,
        }
    }

    /// The members and items of a place, and the members that it might have.
    pub(super) fn parts(&self, place: &Placed) -> Vec<Part> {
        let spot = self.spot(&place.schemas);
        let subschemas = self.schemas.subschemas();
        let part = |token: String, schemas: Vec<String>| Part {
            token,
            schemas,
            added: None,
        };
        match place.whole.pointer(&place.at) {
            Some(Value::Object(members)) => {
                let schemas = |name: &str| subschemas.member(&spot.all, name).schemas();
                let named = members.keys().map(|name| part(name.clone(), schemas(name)));
                let absent = absent(self, &spot, members).into_iter();
                let added = absent.map(|(name, value)| Part {
                    added: Some(value),
                    ..part(name.clone(), schemas(&name))
                });
                named.chain(added).collect()
            }
            Some(Value::Array(items)) => {
                let tuple = spot.each("prefixItems").filter_map(Value::as_array);
                let count = tuple.map(Vec::len).max().unwrap_or(0).max(1);
                let item =
                    |index| part(usize::to_string(&index), subschemas.item(&spot.all, index));
                (0..count.min(items.len())).map(item).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A place below another one.
pub(super) struct Part {
    token: String,
    schemas: Vec<String>,
    /// The value that has to be put there first.
    added: Option<Value>,
}

impl Part {
    /// The part of a place.
    pub(super) fn of(self, place: &Placed) -> Placed {
        Placed {
            whole: Rc::clone(&place.whole),
            at: pointer::join(&place.at, &self.token),
            schemas: self.schemas,
            put: self.added,
            is_alternative: false,
            builds_on: place.builds_on.clone(),
        }
    }
}

/// The changes of one value.
pub(super) struct Changes<'a, 'n> {
    source: Source<'a>,
    subject: Subject<'n>,
    known: Known,
    /// The places that are not changed yet.
    open: VecDeque<Placed>,
    /// The last place, and its edges that are left.
    whole: Rc<Value>,
    at: String,
    ready: VecDeque<Change>,
    places: usize,
    made: usize,
}

impl Iterator for Changes<'_, '_> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        while self.ready.is_empty() {
            let mut place = self.open.pop_front()?;
            if place.settle().is_none() {
                continue;
            }
            self.places += 1;
            if self.places > PLACES || self.made > CHANGES {
                self.open.clear();
                return None;
            }
            self.change(&place);
        }
        let mut change = self.ready.pop_front()?;
        // Made now: one large value for each change of a place would be too many.
        let own = std::mem::take(&mut change.value);
        change.value = with(&self.whole, &self.at, own)?;
        let is_valid = matches!(change.expect, Expect::Valid | Expect::Either);
        if is_valid && !references(&change.value).is_subset(&self.known) {
            change.expect = Expect::Open;
        }
        Some(change)
    }
}

impl Changes<'_, '_> {
    /// Makes the changes of one place.
    fn change(&mut self, place: &Placed) {
        let source = self.source;
        let Some(value) = place.whole.pointer(&place.at) else {
            return;
        };
        let name = self.subject.at(&place.at);
        let spot = source.spot(&place.schemas);
        self.whole = Rc::clone(&place.whole);
        self.at.clone_from(&place.at);
        for edge in source.edges(&spot, value) {
            let about = format!("{name} {}", edge.what);
            if edge.what.starts_with("as alternative") && !place.is_alternative {
                self.open.push_back(Placed {
                    whole: Rc::clone(&place.whole),
                    at: place.at.clone(),
                    schemas: place.schemas.clone(),
                    put: Some(edge.value.clone()),
                    is_alternative: true,
                    builds_on: Some(about.clone()),
                });
            }
            self.made += 1;
            self.ready.push_back(Change {
                value: edge.value,
                expect: edge.expect,
                builds_on: place.builds_on.clone(),
                group: (self.places, about.clone()),
                name: about,
            });
        }
        if pointer::tokens(&place.at).count() < DEPTH {
            for part in source.parts(place) {
                let is_added = part.added.is_some();
                let builds_on = is_added.then(|| format!("{name} with `{}`", part.token));
                let below = part.of(place);
                self.open.push_back(Placed {
                    builds_on: builds_on.or(below.builds_on),
                    ..below
                });
            }
        }
    }
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
            whole: Rc::new(value.clone()),
            at: String::new(),
            schemas: vec![schema.to_owned()],
            put: None,
            is_alternative: false,
            builds_on: None,
        }
    }

    /// Puts there what has to be there; none where that is not possible.
    pub(super) fn settle(&mut self) -> Option<()> {
        let Some(value) = self.put.take() else {
            return Some(());
        };
        let mut whole = Value::clone(&self.whole);
        match whole.pointer_mut(&self.at) {
            Some(place) => *place = value,
            None => {
                let members = whole.pointer_mut(pointer::parent(&self.at))?;
                let name = pointer::tokens(&self.at).last()?;
                members.as_object_mut()?.insert(name, value);
            }
        }
        self.whole = Rc::new(whole);
        Some(())
    }
}

/// `whole` with another value at a pointer.
pub(super) fn with(whole: &Value, at: &str, new: Value) -> Option<Value> {
    let mut whole = whole.clone();
    *whole.pointer_mut(at)? = new;
    Some(whole)
}
