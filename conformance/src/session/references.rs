//! Ids in bodies: a member such as `customerId` names something that has to exist, so it gets the id of something that the run created.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Session;
use crate::case::form::Encodings;
use crate::case::{Case, serialize};
use crate::document::pointer;
use crate::finding::Sender;

/// The things that members of bodies refer to.
#[derive(Debug, Clone, Default)]
pub(crate) struct References {
    /// Ids by the names of the members that take them, in lower case and without separators.
    ids: HashMap<String, String>,
    /// The schemas of the bodies that have such members, by operation.
    schemas: HashMap<usize, String>,
}

/// The form of a member's name in which `customer_id` and `customerId` are the same.
pub(crate) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

impl References {
    /// Notes that the bodies of an operation, which have this schema, refer to things.
    pub(crate) fn note_body(&mut self, operation: usize, schema: &str) {
        self.schemas.insert(operation, schema.to_owned());
    }

    /// Notes the id of something of a kind: `customerId`, and `customerIds` for a list.
    pub(crate) fn note_id(&mut self, singular: &str, id: &str) {
        for ending in ["id", "ids"] {
            let name = format!("{}{ending}", plain(singular));
            self.ids.insert(name, id.to_owned());
        }
    }
}

impl Session<'_> {
    /// The case with ids of existing things in the members of its JSON body that refer to such. Left as they are: members whose value
    /// their schema does not allow, as they are what the request is about.
    pub(crate) fn referring(&self, operation: usize, mut case: Case) -> Case {
        let references = self.references.borrow();
        let Some(schema) = references.schemas.get(&operation) else {
            return case;
        };
        let Some(body) = &case.body else { return case };
        let (Some(value), Some(content_type)) = (&body.value, &body.content_type) else {
            return case;
        };
        if references.ids.is_empty() || !serialize::is_json(content_type) {
            return case;
        }
        let mut changed = value.clone();
        self.refer(&references, std::slice::from_ref(schema), &mut changed);
        if changed != *value
            && let Ok(written) = serialize::body(content_type, &changed, &Encodings::default())
        {
            case.body = Some(written);
        }
        case
    }

    fn refer(&self, references: &References, roots: &[String], value: &mut Value) {
        let subschemas = self.judge.schemas.subschemas();
        match value {
            Value::Object(members) => {
                let all = subschemas.in_place(roots);
                for (name, member) in members {
                    let below = subschemas.member(&all, name).schemas();
                    match references.ids.get(&plain(name)) {
                        Some(id) => self.replace(&below, member, id),
                        None => self.refer(references, &below, member),
                    }
                }
            }
            Value::Array(items) => {
                let all = subschemas.in_place(roots);
                for (index, item) in items.iter_mut().enumerate() {
                    self.refer(references, &subschemas.item(&all, index), item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Puts an id in the place of a value, where the schema allows both.
    fn replace(&self, roots: &[String], value: &mut Value, id: &str) {
        let schemas = self.judge.schemas;
        let is_valid = |value: &Value| {
            roots.iter().all(|root| {
                let faults = schemas.faults(root, value, Some(Sender::Client));
                faults.is_ok_and(|faults| faults.is_empty())
            })
        };
        let like = |value: &Value| match value {
            Value::String(_) => Some(json!(id)),
            Value::Number(_) => id.parse::<i64>().ok().map(Value::from),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let other = match &*value {
            Value::Array(items) => items.first().and_then(like).map(|id| json!([id])),
            _ => like(value),
        };
        if let Some(other) = other.filter(|other| is_valid(value) && is_valid(other)) {
            *value = other;
        }
    }

    /// The schema of the JSON body of an operation.
    pub(crate) fn body_schema(&self, operation: usize) -> Option<String> {
        let body = self.operations[operation].request_body(self.document)?;
        let media = crate::samples::media_types(self.document, &body).into_iter();
        let json = media.filter(|(name, _)| serialize::is_json(name));
        let mut schemas = json.map(|(_, media)| pointer::join(&media.pointer, "schema"));
        schemas.find(|at| self.document.at(at).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_each_way_of_writing() {
        assert_eq!(plain("customer_id"), plain("customerId"));
        assert_eq!(plain("Customer-ID"), "customerid");
    }

    #[test]
    fn an_id_is_known_for_one_and_for_a_list() {
        let mut references = References::default();
        references.note_id("orderItem", "7");
        assert_eq!(
            references.ids.get("orderitemid").map(String::as_str),
            Some("7")
        );
        assert_eq!(
            references.ids.get("orderitemids").map(String::as_str),
            Some("7")
        );
    }
}
