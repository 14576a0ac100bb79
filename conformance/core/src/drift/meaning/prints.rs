//! Prints of schemas, equal for those that say the same.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hash};

use foldhash::HashMap;
use foldhash::fast::FixedState;
use serde_json::Value;

use super::facts::Facts;
use super::generate::Maker;

/// How deep references are followed to tell schemas apart.
const DEPTH: usize = 16;

/// What tells the schemas of one side apart: equal for schemas that say the same, wherever they stand.
pub(super) struct Prints<'m, 'a> {
    maker: &'m Maker<'a>,
    references: RefCell<HashMap<String, u64>>,
    places: RefCell<HashMap<String, u64>>,
}

impl<'m, 'a> Prints<'m, 'a> {
    pub(super) fn of(maker: &'m Maker<'a>) -> Self {
        Self {
            maker,
            references: RefCell::default(),
            places: RefCell::default(),
        }
    }

    fn at(&self, at: &str) -> u64 {
        if let Some(known) = self.places.borrow().get(at) {
            return *known;
        }
        let found = self.maker.source.schemas.at(at);
        let print = found.map_or(1, |value| self.value(value, DEPTH));
        self.places.borrow_mut().insert(at.to_owned(), print);
        print
    }

    /// What tells the schemas of a list from others.
    pub(super) fn list(&self, list: &[String]) -> u64 {
        let all = list.iter().map(|at| self.at(at));
        all.fold(list.len() as u64, |known, one| mixed((known, one)))
    }

    fn value(&self, value: &Value, depth: usize) -> u64 {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("$ref", Value::String(reference)) => {
                        mixed((name, self.target(reference, depth)))
                    }
                    _ => mixed((name, self.value(value, depth))),
                })
                .fold(2, u64::wrapping_add),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item, depth));
                items.fold(3, |known, item| mixed((known, item)))
            }
            scalar => mixed(scalar),
        }
    }

    /// What a reference leads to. Of a schema that refers to itself, the name says enough.
    fn target(&self, reference: &str, depth: usize) -> u64 {
        if let Some(known) = self.references.borrow().get(reference) {
            return *known;
        }
        let Some(depth) = depth.checked_sub(1) else {
            return mixed(reference);
        };
        let mut open = self.references.borrow_mut();
        open.insert(reference.to_owned(), 4);
        drop(open);
        let schemas = &self.maker.source.schemas;
        let target = schemas.target("$ref", reference);
        let value = target.and_then(|target| schemas.at(&target));
        let print = value.map_or(5, |value| self.value(value, depth));
        let mut known = self.references.borrow_mut();
        known.insert(reference.to_owned(), print);
        print
    }

    /// What tells an alternative from others.
    pub(super) fn facts(&self, facts: &Facts) -> u64 {
        let mut facts = facts.clone();
        let replace = |at: &mut String| *at = self.at(at).to_string();
        let lists = [
            &mut facts.additional,
            &mut facts.names,
            &mut facts.items,
            &mut facts.refused,
        ];
        lists.into_iter().flatten().for_each(replace);
        facts.properties.values_mut().flatten().for_each(replace);
        facts.tuple.iter_mut().flatten().for_each(replace);
        facts.by_pattern.iter_mut().for_each(|(_, at)| replace(at));
        facts.contains.iter_mut().for_each(|(at, _)| replace(at));
        mixed(format!("{facts:?}"))
    }
}

fn mixed(value: impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}
