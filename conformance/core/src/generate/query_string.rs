//! The query string as one value (`in: querystring` of OpenAPI 3.2): written and read like a body, in the media type of its content.

use std::collections::HashSet;

use serde_json::Value;

use super::base::Base;
use super::case_name::Subject;
use super::wire::Verdict;
use super::{GENERATED, Source, derived};
use crate::case::form::Encodings;
use crate::case::serialize;
use crate::case::{Case, Intent, Refusal};
use crate::document::{Located, pointer};
use crate::samples::media_types;

/// How the names of its changes begin.
pub(super) const QUERY_STRING: &str = "query string";

/// A query string that is changed.
pub(super) struct Slot {
    media_type: String,
    schema: String,
    encodings: Encodings,
    required: bool,
    /// The value in the request that cases start from, or another valid one.
    pub(super) value: Value,
}

impl Slot {
    /// Another value, as pairs of decoded names and encoded values.
    pub(super) fn with(&self, value: &Value) -> Option<Vec<(String, String)>> {
        serialize::whole_query(&self.media_type, value, &self.encodings).ok()
    }
}

impl Source<'_> {
    /// The query string that a parameter describes; none where no value of it can be written.
    pub(super) fn query_string_of(
        &self,
        parameter: &Located<'_>,
        given: Option<&Value>,
    ) -> Option<Slot> {
        let (media_type, media) = media_types(self.document, parameter).into_iter().next()?;
        let schema = pointer::join(&media.pointer, "schema");
        let encodings = self.encodings(&media_type, &media);
        let is_written =
            |value: &&Value| serialize::whole_query(&media_type, value, &encodings).is_ok();
        let given = given.filter(|value| self.accepts(&schema, value));
        let examples = self.examples(&schema);
        let value = given
            .or_else(|| examples.iter().find(is_written))
            .cloned()?;
        Some(Slot {
            schema,
            encodings,
            media_type,
            required: parameter.value.get("required") == Some(&Value::Bool(true)),
            value,
        })
    }

    /// The cases with another query string, or without it.
    pub(super) fn query_strings(&self, base: &Base) -> Vec<Case> {
        let parameters = self.operation.parameters(self.document);
        let is_own = |one: &&Located<'_>| {
            let place = one.value.get("in").and_then(Value::as_str);
            place == Some("querystring")
        };
        let Some(parameter) = parameters.iter().find(is_own) else {
            return Vec::new();
        };
        let name = parameter.value.get("name").and_then(Value::as_str);
        let inputs = &base.case.inputs;
        let given = inputs
            .iter()
            .find(|(known, _)| Some(known.as_str()) == name);
        let given = given.map(|(_, value)| value);
        let Some(slot) = self.query_string_of(parameter, given) else {
            return Vec::new();
        };
        // It is all that the query has (OpenAPI 3.2.0, 4.12.1): credentials are added when it is sent.
        let with = |name: &str, query: Vec<(String, String)>, intent| Case {
            query,
            ..derived(base, name, intent)
        };
        let mut cases = Vec::new();
        let is_sent = given.is_some();
        if slot.required || is_sent {
            let intent = match slot.required {
                true => Intent::Refused(Refusal::Invalid),
                false => Intent::Valid,
            };
            let name = format!("without the {QUERY_STRING}");
            cases.push(with(&name, Vec::new(), intent));
        }
        let start = format!("with the {QUERY_STRING}");
        if let Some(query) = slot.with(&slot.value).filter(|_| !is_sent)
            && self.query_verdict(&slot, &slot.value) == Some(Verdict::Valid)
        {
            cases.push(with(&start, query, Intent::Valid));
        }
        let subject = Subject {
            whole: QUERY_STRING,
            is_body: true,
        };
        let mut done = HashSet::new();
        for change in self.changes(subject, &slot.value, &slot.schema) {
            if done.contains(&change.group) {
                continue;
            }
            let verdict = self.query_verdict(&slot, &change.value);
            let intent = verdict.and_then(|verdict| verdict.intent(change.expect));
            let (Some(intent), Some(query)) = (intent, slot.with(&change.value)) else {
                continue;
            };
            done.insert(change.group);
            let before = change.builds_on.map(|name| format!("{GENERATED}{name}"));
            let first = (!is_sent).then(|| format!("{GENERATED}{start}"));
            cases.push(Case {
                builds_on: before.or(first),
                ..with(&change.name, query, intent)
            });
        }
        cases
    }

    /// How a server reads a value that is written as a query string: as it reads the same body.
    fn query_verdict(&self, slot: &Slot, value: &Value) -> Option<Verdict> {
        let Slot {
            media_type,
            schema,
            encodings,
            ..
        } = slot;
        let body = serialize::body(media_type, value, encodings).ok()?;
        self.of_body(schema, value, &body, encodings)
    }
}
