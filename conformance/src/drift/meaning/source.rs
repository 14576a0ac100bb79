//! Where schemas are read from, and who writes the values that they describe.

use std::cell::Cell;

use serde_json::{Map, Value};

use crate::document::Document;
use crate::finding::Sender;
use crate::schema::direction::Unsent;
use crate::schema::{Member, Subschemas};

/// The schemas of values that one side writes.
pub(super) struct Source<'a> {
    pub(super) schemas: Subschemas<'a>,
    /// The members that this side does not send.
    pub(super) unsent: Unsent<'a>,
    /// Counts the schemas that values were held against.
    spent: Option<&'a Cell<usize>>,
}

impl<'a> Source<'a> {
    /// `flagged` says whether any member is `readOnly` or `writeOnly`.
    pub(super) fn of(
        document: &'a Document,
        sender: Sender,
        flagged: bool,
        spent: &'a Cell<usize>,
    ) -> Self {
        let schemas = Subschemas::of(document);
        let unsent = match flagged {
            true => Unsent::new(schemas, Some(sender)),
            false => Unsent::nothing(schemas),
        };
        Self {
            schemas,
            unsent,
            spent: Some(spent),
        }
    }

    /// A schema that stands alone, with its `$defs`.
    pub(super) fn alone(value: &'a Value) -> Self {
        let schemas = Subschemas::alone(value);
        Self {
            schemas,
            unsent: Unsent::nothing(schemas),
            spent: None,
        }
    }

    /// Counts schemas that values were held against.
    pub(super) fn spend(&self, count: usize) {
        if let Some(spent) = self.spent {
            spent.set(spent.get().saturating_add(count));
        }
    }

    /// The schemas of the member `name`, by all that apply to an object; none where they do not speak of it. An object of which no
    /// member is named is a map, whose members are all meant.
    pub(super) fn member(&self, schemas: &[String], name: &str) -> Option<Vec<String>> {
        match self.schemas.member(schemas, name) {
            Member::Declared(below) | Member::Entry(below) => Some(below),
            Member::Undeclared => {
                let all = || schemas.iter().filter_map(|at| self.schemas.object(at));
                let meant = all().any(|schema| demands(schema, name)) || !all().any(names_any);
                meant.then(Vec::new)
            }
        }
    }
}

/// Whether the schema demands the member `name`, or says what it demands besides.
fn demands(schema: &Map<String, Value>, name: &str) -> bool {
    let has = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|one| one == name))
    };
    let needs = schema.get("dependentRequired").and_then(Value::as_object);
    schema.get("required").is_some_and(has)
        || needs.is_some_and(|needs| needs.contains_key(name) || needs.values().any(has))
}

/// Whether the schema names members.
fn names_any(schema: &Map<String, Value>) -> bool {
    ["properties", "patternProperties", "required"]
        .iter()
        .any(|keyword| match schema.get(*keyword) {
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::Array(names)) => !names.is_empty(),
            _ => false,
        })
}
