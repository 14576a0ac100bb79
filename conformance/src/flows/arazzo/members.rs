//! Reading the members of an object, so that misspelled ones are told and not ignored.

use serde_json::{Map, Value};

use super::ArazzoError;
use crate::document::pointer;
use crate::near;

/// An object of the file, and where it is.
#[derive(Clone)]
pub(super) struct Node<'v> {
    pub(super) file: &'v str,
    pub(super) at: String,
    members: &'v Map<String, Value>,
}

impl<'v> Node<'v> {
    /// Reads an object whose members are these, besides extensions.
    pub(super) fn new(
        file: &'v str,
        at: String,
        value: &'v Value,
        known: &[&str],
    ) -> Result<Self, ArazzoError> {
        let Some(members) = value.as_object() else {
            return Err(invalid(file, &at, "expected an object"));
        };
        let node = Self { file, at, members };
        for name in members.keys().filter(|name| !name.starts_with("x-")) {
            if !known.contains(&name.as_str()) {
                let hint = near::nearest(name, known.iter().copied());
                let hint = hint.map_or_else(
                    || format!("expected one of {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(node.invalid(&format!("unknown member `{name}`; {hint}")));
            }
        }
        Ok(node)
    }

    pub(super) fn invalid(&self, problem: &str) -> ArazzoError {
        invalid(self.file, &self.at, problem)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.members.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, ArazzoError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.invalid(&format!("`{name}` has to be a string"))),
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<String, ArazzoError> {
        self.text(name)?
            .ok_or_else(|| self.invalid(&format!("`{name}` is missing")))
    }

    /// The items of a list, with their places; none where it is missing.
    pub(super) fn list(&self, name: &str) -> Result<Vec<(String, &'v Value)>, ArazzoError> {
        let below = pointer::join(&self.at, name);
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, item)| (pointer::index(&below, index), item))
                .collect()),
            Some(_) => Err(self.invalid(&format!("`{name}` has to be a list"))),
        }
    }

    /// The members of a map; none where it is missing.
    pub(super) fn map(&self, name: &str) -> Result<Vec<(String, Value)>, ArazzoError> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Object(members)) => Ok(members
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()),
            Some(_) => Err(self.invalid(&format!("`{name}` has to be an object"))),
        }
    }
}

pub(super) fn invalid(file: &str, at: &str, problem: &str) -> ArazzoError {
    let at = if at.is_empty() { "/" } else { at };
    ArazzoError::Invalid {
        name: file.to_owned(),
        at: at.to_owned(),
        problem: problem.to_owned(),
    }
}
