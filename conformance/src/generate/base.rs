//! A request of generated values, for operations without a sample.

use serde_json::Value;

use super::{GENERATED, Source};
use crate::case::serialize::{self, Style};
use crate::case::{Case, Intent, PathValue};
use crate::document::{Located, pointer};
use crate::drift::example_values;
use crate::finding::Sender;
use crate::samples::{encodings, media_types, template_names};

impl Source<'_> {
    /// The request with what is required; none where a value was not found for something.
    pub(super) fn base(&self) -> Option<Case> {
        let operation = self.operation;
        let responses = operation.responses(self.document);
        let expected = responses.iter().map(|(status, _)| status.as_str());
        let expected = expected.clone().find(|status| status.starts_with('2'));
        let mut case = Case {
            operation: operation.subject(),
            pointer: operation.pointer.clone(),
            sample: format!("{GENERATED}what is required"),
            at: operation.pointer.clone(),
            method: operation.method.clone(),
            template: operation.path.to_owned(),
            path: Vec::new(),
            query: Vec::new(),
            inputs: Vec::new(),
            headers: Vec::new(),
            overrides: Vec::new(),
            body: None,
            anonymous: false,
            expected: expected.unwrap_or("2XX").to_owned(),
            answer: None,
            intent: Intent::Valid,
        };
        for parameter in operation.parameters(self.document) {
            let member = |name| parameter.value.get(name).and_then(Value::as_str);
            let (name, place) = (member("name")?, member("in")?);
            let required = parameter.value.get("required") == Some(&Value::Bool(true));
            if place != "path" && !required {
                continue;
            }
            let value = self.example(&pointer::join(&parameter.pointer, "schema"))?;
            let style = Style::of(parameter.value, place);
            match place {
                "path" => case.path.push(PathValue {
                    name: name.to_owned(),
                    literal: Some(serialize::path(name, &value, &style)),
                    documented: Some(value),
                    create: true,
                }),
                "query" => case.query.extend(serialize::query(name, &value, &style)),
                "header" => {
                    let text = serialize::header(&value, &style);
                    case.headers.push((name.to_owned(), text));
                }
                _ => return None,
            }
        }
        for name in template_names(operation.path) {
            if !case.path.iter().any(|known| known.name == name) {
                return None;
            }
        }
        if let Some(body) = operation.request_body(self.document) {
            let (media_type, media) = media_types(self.document, &body).into_iter().next()?;
            case.body = Some(self.body(&media_type, &media)?);
        }
        Some(case)
    }

    fn body(&self, media_type: &str, media: &Located<'_>) -> Option<crate::case::Body> {
        let value = self.example(&pointer::join(&media.pointer, "schema"))?;
        let encodings = encodings(self.document, media);
        serialize::body(media_type, &value, &encodings).ok()
    }

    /// A value that the schema accepts.
    pub(super) fn example(&self, schema: &str) -> Option<Value> {
        self.document.at(schema)?;
        let values = example_values(self.document, schema, Sender::Client);
        let valid = |value: &Value| {
            let faults = self.schemas.faults(schema, value, Some(Sender::Client));
            faults.is_ok_and(|faults| faults.is_empty())
        };
        values.into_iter().find(valid)
    }
}
