//! Reads the members of an extension strictly: what is unknown, missing or of another type is a fault with its place.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::document::pointer;
use crate::near;

/// A part of an extension that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the document.
    pub at: String,
    /// The problem, and what to write instead.
    pub problem: String,
}

/// The faults of one extension.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(super) fn add(&self, at: &str, problem: impl Into<String>) {
        self.0.borrow_mut().push(Fault {
            at: at.to_owned(),
            problem: problem.into(),
        });
    }

    pub(super) fn take(self) -> Vec<Fault> {
        self.0.into_inner()
    }
}

/// One object, whose members are asked for by name. [`Object::close`] reports those that nobody asked for.
pub(super) struct Object<'a> {
    members: &'a Map<String, Value>,
    at: String,
    faults: &'a Faults,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Object<'a> {
    /// The object that `value` is; a fault where it is none.
    pub(super) fn new(value: &'a Value, at: &str, faults: &'a Faults) -> Option<Self> {
        let Value::Object(members) = value else {
            faults.add(at, format!("expected an object, not {}", kind(value)));
            return None;
        };
        Some(Self {
            members,
            at: at.to_owned(),
            faults,
            known: RefCell::default(),
        })
    }

    pub(super) fn at(&self, name: &str) -> String {
        pointer::join(&self.at, name)
    }

    pub(super) fn fault(&self, name: &str, problem: impl Into<String>) {
        self.faults.add(&self.at(name), problem);
    }

    pub(super) fn fault_here(&self, problem: impl Into<String>) {
        self.faults.add(&self.at, problem);
    }

    pub(super) fn faults(&self) -> &'a Faults {
        self.faults
    }

    pub(super) fn value(&self, name: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().push(name);
        self.members.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    fn typed<T>(
        &self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            self.fault(name, format!("expected {expected}, not {}", kind(value)));
        }
        read
    }

    pub(super) fn text(&self, name: &'static str) -> Option<&'a str> {
        self.typed(name, "a string", Value::as_str)
    }

    pub(super) fn flag(&self, name: &'static str) -> Option<bool> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A number of seconds, or another amount that is not negative.
    pub(super) fn amount(&self, name: &'static str) -> Option<f64> {
        let number = self.typed(name, "a number", Value::as_f64)?;
        if number < 0.0 || !number.is_finite() {
            self.fault(name, "must not be negative");
            return None;
        }
        Some(number)
    }

    pub(super) fn count(&self, name: &'static str) -> Option<u32> {
        self.typed(name, "a whole number from 0", |value| {
            u32::try_from(value.as_u64()?).ok()
        })
    }

    /// An object whose names are free.
    pub(super) fn members(&self, name: &'static str) -> Option<&'a Map<String, Value>> {
        self.typed(name, "an object", Value::as_object)
    }

    pub(super) fn object(&self, name: &'static str) -> Option<Object<'a>> {
        let value = self.value(name)?;
        Object::new(value, &self.at(name), self.faults)
    }

    /// The items of an array, each with its place.
    pub(super) fn items(&self, name: &'static str) -> Option<Vec<(String, &'a Value)>> {
        let items = self.typed(name, "an array", Value::as_array)?;
        let at = self.at(name);
        let placed = items.iter().enumerate();
        Some(
            placed
                .map(|(index, item)| (pointer::join(&at, &index.to_string()), item))
                .collect(),
        )
    }

    pub(super) fn texts(&self, name: &'static str) -> Option<Vec<String>> {
        let items = self.items(name)?;
        let text = |(at, item): (String, &Value)| {
            let text = item.as_str().map(str::to_owned);
            if text.is_none() {
                self.faults
                    .add(&at, format!("expected a string, not {}", kind(item)));
            }
            text
        };
        Some(items.into_iter().filter_map(text).collect())
    }

    /// A member that is one of some words.
    pub(super) fn word<T: Copy>(&self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let word = self.text(name)?;
        let found = words.iter().find(|(known, _)| *known == word);
        if found.is_none() {
            let names: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let hint = near::hint(word, words.iter().map(|(word, _)| *word));
            self.fault(
                name,
                format!("unknown value `{word}`; use {}{hint}", names.join(", ")),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// A JSON pointer.
    pub(super) fn pointer(&self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        if !text.is_empty() && !text.starts_with('/') {
            self.fault(
                name,
                format!("`{text}` is not a JSON pointer; it must begin with `/`"),
            );
            return None;
        }
        Some(text.to_owned())
    }

    /// Reports the members that were not asked for. Extensions (`x-...`) are left alone.
    pub(super) fn close(self) {
        let known = self.known.into_inner();
        for name in self.members.keys() {
            if !known.contains(&name.as_str()) && !name.starts_with("x-") {
                let hint = near::hint(name, known.iter().copied());
                self.faults.add(
                    &pointer::join(&self.at, name),
                    format!("unknown member `{name}`{hint}"),
                );
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
