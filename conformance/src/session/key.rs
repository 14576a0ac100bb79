//! The idempotency keys that a session gives to requests besides those of generated cases.

use serde_json::Value;

use super::Session;
use crate::case::Case;
use crate::case::key::{Part, forms, is_key};
use crate::document::pointer;
use crate::finding::Sender;

/// The header of an operation that makes it safe to send a request twice.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) value: String,
}

impl Session<'_> {
    /// A key for a request of an operation; none where the operation has no such header, or its schema asks for more than is made.
    /// `number` is the place of the request among those of that part of the run.
    pub(crate) fn key(&self, operation: usize, part: Part, number: u64) -> Option<Key> {
        let operation = &self.operations[operation];
        let parameters = operation.parameters(self.document);
        let text = |value: &Value, member: &str| {
            value.get(member).and_then(Value::as_str).map(str::to_owned)
        };
        let found = parameters.iter().find(|one| {
            text(one.value, "in").as_deref() == Some("header")
                && text(one.value, "name").is_some_and(|name| is_key(&name))
        })?;
        let schema = pointer::join(&found.pointer, "schema");
        let is_described = self.document.at(&schema).is_some();
        let fits = |key: &String| {
            let key = Value::from(key.as_str());
            let accepted = self
                .judge
                .schemas
                .accepts(&schema, &key, Some(Sender::Client));
            !is_described || accepted.unwrap_or(false)
        };
        let keys = forms(self.options.run_id(), part, &operation.pointer, number);
        Some(Key {
            name: text(found.value, "name")?,
            required: found.value.get("required") == Some(&Value::Bool(true)),
            value: keys.into_iter().find(fits)?,
        })
    }

    /// A case with a key of its own, where it has one: that of a document shows how keys look, and two requests with the same one are one.
    pub(crate) fn with_key(&self, operation: usize, part: Part, number: u64, case: &Case) -> Case {
        let mut case = case.clone();
        let mut own = case.headers.iter_mut().filter(|(name, _)| is_key(name));
        if let Some((_, value)) = own.next()
            && let Some(key) = self.key(operation, part, number)
        {
            *value = key.value;
        }
        case
    }
}
