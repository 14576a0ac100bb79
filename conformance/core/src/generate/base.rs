//! The request that cases start from: a sample, or generated values where there is none.

use serde_json::Value;

use super::markup::is_xml;
use super::query_string::QUERY_STRING;
use super::{GENERATED, Source, span};
use crate::case::form::Encodings;
use crate::case::key::{Part, forms, is_key};
use crate::case::serialize::{self, Style, is_json};
use crate::case::{Case, Intent, PathValue};
use crate::document::{Located, pointer};
use crate::samples::{encodings, media_types, template_names};

/// The request that the cases of an operation start from.
pub(super) struct Base {
    pub(super) case: Case,
    /// Whether it was generated, so that it is a case of its own.
    pub(super) is_new: bool,
}

impl Source<'_> {
    /// The first sample that is documented to succeed and valid itself; a generated request where there is none.
    pub(super) fn base(&self, samples: &[Case]) -> Option<Base> {
        let mut usable = samples
            .iter()
            .filter(|case| case.succeeds() && case.overrides.is_empty() && !case.anonymous);
        let first = usable.clone().next();
        let is_valid = |case: &&Case| self.is_valid(case);
        let (mut case, is_new) = match usable.find(is_valid) {
            Some(sample) => (sample.clone(), false),
            None => match self.generated().ok() {
                Some(case) => (case, true),
                None => (first?.clone(), false),
            },
        };
        case.answer = None;
        // Two requests with one key are the same request to the server.
        let required = |name: &str| {
            self.operation
                .parameters(self.document)
                .iter()
                .any(|parameter| {
                    let named = parameter.value.get("name").and_then(Value::as_str);
                    named.is_some_and(|known| known.eq_ignore_ascii_case(name))
                        && parameter.value.get("required") == Some(&Value::Bool(true))
                })
        };
        case.headers
            .retain(|(name, _)| !is_key(name) || required(name));
        Some(Base { case, is_new })
    }

    /// Gives each case an idempotency key of its own, where the operation needs one.
    pub(super) fn keyed(
        self,
        cases: impl Iterator<Item = Case>,
        part: Part,
    ) -> impl Iterator<Item = Case> {
        let parameters = self.operation.parameters(self.document);
        let schema = move |name: &str| {
            let own = parameters.iter().find(|parameter| {
                let named = parameter.value.get("name").and_then(Value::as_str);
                named.is_some_and(|known| known.eq_ignore_ascii_case(name))
            });
            own.and_then(|own| self.schema_of(own))
        };
        let operation = &self.operation.pointer;
        (0..).zip(cases).map(move |(number, mut case)| {
            let keys = case.headers.iter_mut();
            for (name, value) in keys.filter(|(name, _)| is_key(name)) {
                let texts = forms(self.run, part, operation, number);
                let fits = |text: &String| {
                    let text = Value::from(text.as_str());
                    schema(name).is_none_or(|schema| self.accepts(&schema, &text))
                };
                if let Some(text) = texts.into_iter().find(fits) {
                    *value = text;
                }
            }
            case
        })
    }

    /// Whether the parameters and the body of a sample are valid themselves.
    pub(super) fn is_valid(&self, case: &Case) -> bool {
        let parameters = self.operation.parameters(self.document);
        let of_query = case.inputs.iter().map(|(name, value)| (name, Some(value)));
        let of_path = case
            .path
            .iter()
            .map(|value| (&value.name, value.documented.as_ref()));
        let valid = of_query.chain(of_path).all(|(name, value)| {
            let owner = parameters
                .iter()
                .find(|one| one.value.get("name").and_then(Value::as_str) == Some(name));
            let schema = owner.and_then(|owner| self.schema_of(owner));
            match (schema, value) {
                (Some(schema), Some(value)) => self.accepts(&schema, value),
                _ => true,
            }
        });
        let body = case.body.as_ref();
        let value = body.and_then(|body| body.value.as_ref());
        let schema = body
            .and_then(|body| body.content_type.as_deref())
            .and_then(|content_type| self.media(content_type))
            .map(|(_, media)| pointer::join(&media.pointer, "schema"))
            .filter(|schema| self.document.at(schema).is_some());
        valid
            && value
                .zip(schema)
                .is_none_or(|(value, schema)| self.accepts(&schema, value))
    }

    /// The schema of a parameter, which may stand in its content.
    pub(super) fn schema_of(&self, parameter: &Located<'_>) -> Option<String> {
        let own = pointer::join(&parameter.pointer, "schema");
        if self.document.at(&own).is_some() {
            return Some(own);
        }
        let (_, media) = media_types(self.document, parameter).into_iter().next()?;
        let schema = pointer::join(&media.pointer, "schema");
        self.document.at(&schema).is_some().then_some(schema)
    }

    /// How the properties of a form are written; nothing for JSON.
    pub(super) fn encodings(&self, media_type: &str, media: &Located<'_>) -> Encodings {
        match is_json(media_type) {
            true => Encodings::new(),
            false => encodings(self.document, media),
        }
    }

    /// The documented content of a request body that a content type falls under.
    pub(super) fn media(&self, content_type: &str) -> Option<(String, Located<'_>)> {
        let essence = |name: &str| {
            let name = name.split(';').next().unwrap_or_default();
            name.trim().to_ascii_lowercase()
        };
        let owner = self.operation.request_body(self.document)?;
        let all = media_types(self.document, &owner);
        let own = all
            .iter()
            .find(|(name, _)| essence(name) == essence(content_type));
        own.cloned()
    }

    /// The request with what is required.
    ///
    /// # Errors
    /// Returns the part that no value was found for, and its schema.
    pub(super) fn generated(&self) -> Result<Case, (String, Option<String>)> {
        let operation = self.operation;
        let responses = operation.responses(self.document);
        let mut statuses = responses.iter().map(|(status, _)| status.as_str());
        let expected = statuses.find(|status| status.starts_with('2'));
        let sample = format!("{GENERATED}what is required");
        let mut case = Case {
            intent: Intent::Valid,
            ..Case::new(operation, sample, expected.unwrap_or("2XX"))
        };
        let mut cookies = Vec::new();
        for parameter in operation.parameters(self.document) {
            let member = |name| parameter.value.get(name).and_then(Value::as_str);
            let (Some(name), Some(place)) = (member("name"), member("in")) else {
                continue;
            };
            let required = parameter.value.get("required") == Some(&Value::Bool(true));
            let ignored = ["accept", "content-type", "authorization"];
            if place != "path" && !required
                || place == "header" && ignored.contains(&name.to_ascii_lowercase().as_str())
                || self.is_credential(place, name)
            {
                continue;
            }
            if place == "querystring" {
                let slot = self.query_string_of(&parameter, None);
                let slot = slot.ok_or_else(|| (QUERY_STRING.to_owned(), None))?;
                case.query
                    .extend(slot.with(&slot.value).unwrap_or_default());
                case.inputs.push((name.to_owned(), slot.value));
                continue;
            }
            let schema = self.schema_of(&parameter);
            let value = match &schema {
                Some(schema) => self.sendable(place, schema),
                None => Some(Value::from("a")),
            };
            let Some(value) = value else {
                return Err((format!("{place} parameter `{name}`"), schema));
            };
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
                "cookie" => cookies.push(serialize::cookie(name, &value, &style)),
                _ => return Err((format!("{place} parameter `{name}`"), None)),
            }
        }
        if !cookies.is_empty() {
            case.headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        for name in template_names(operation.path) {
            if !case.path.iter().any(|known| known.name == name) {
                return Err((format!("path parameter `{name}`"), None));
            }
        }
        if let Some(body) = operation.request_body(self.document) {
            let required = body.value.get("required") == Some(&Value::Bool(true));
            let content = media_types(self.document, &body);
            let made = content
                .iter()
                .find_map(|(name, media)| self.example_body(name, media));
            match (made, content.first()) {
                (Some(body), _) => {
                    let media_type = body.content_type.as_deref().unwrap_or_default();
                    let own = content.iter().find(|(name, _)| name == media_type);
                    let own = own.and_then(|(name, media)| self.binary_body(name, media));
                    // A server may look into what it is given.
                    if own.is_some_and(|(_, is_sure)| !is_sure) {
                        case.intent = Intent::Open;
                    }
                    case.body = Some(body);
                }
                (None, Some((_, media))) if required => {
                    let schema = pointer::join(&media.pointer, "schema");
                    return Err(("body".to_owned(), Some(schema)));
                }
                _ => {}
            }
        }
        Ok(case)
    }

    /// A value that a parameter can have where it stands.
    fn sendable(&self, place: &str, schema: &str) -> Option<Value> {
        let examples = self.examples(schema);
        let fits = |value: &&Value| super::parameter::is_sendable(place, &serialize::text(value));
        examples.iter().find(fits).cloned()
    }

    /// A valid body of a media type.
    pub(super) fn example_body(
        &self,
        media_type: &str,
        media: &Located<'_>,
    ) -> Option<crate::case::Body> {
        let schema = pointer::join(&media.pointer, "schema");
        let examples = self.examples(&schema);
        let encodings = self.encodings(media_type, media);
        if is_xml(media_type) {
            let mut written = examples
                .iter()
                .filter(|value| value.is_object() || value.is_array())
                .map(|value| self.xml_body(media_type, media, value));
            if let Some(body) = written.find_map(|body| body) {
                return Some(body);
            }
        }
        if let Some((body, _)) = self.binary_body(media_type, media) {
            return Some(body);
        }
        examples.iter().find_map(|value| {
            let ordered = span::in_order(value, &Value::Null).into_iter();
            let valid = ordered.filter(|one| self.accepts(&schema, one));
            let mut all = valid.chain(std::iter::once(value.clone()));
            all.find_map(|one| serialize::body(media_type, &one, &encodings).ok())
        })
    }
}
