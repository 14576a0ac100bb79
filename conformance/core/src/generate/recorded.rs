//! Requests that others made: whether the document allows them.

use serde_json::Value;

use super::{Generator, Source, wire};
use crate::case::Body;
use crate::case::form::{Encodings, read_urlencoded};
use crate::case::serialize::{Style, is_json};
use crate::document::{Located, Operation};
use crate::finding::Sender;
use crate::schema::Raw;

/// A request as it was recorded.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The values of the path parameters, percent-encoded.
    pub path: &'a [(String, String)],
    /// The query in order: decoded names and percent-encoded values.
    pub query: &'a [(String, String)],
    /// The header fields in order.
    pub headers: &'a [(String, String)],
    /// The body, where there is one.
    pub body: Option<&'a Body>,
}

impl Generator<'_> {
    /// The part of a request that the document surely does not allow, such as ``query parameter `limit` ``: no reading of its bytes is
    /// valid, or it is required and missing. None where everything may be read as something valid. Credentials are not looked at.
    #[must_use]
    pub fn flaw(&self, operation: &Operation<'_>, sent: Sent<'_>) -> Option<String> {
        let source = self.source(operation);
        let parameters = operation.parameters(self.document);
        let mut parameters = parameters.iter();
        let parameter = parameters.find_map(|parameter| source.parameter_flaw(parameter, sent));
        parameter.or_else(|| source.body_flaw(sent.body))
    }

    /// The value that a body most likely stands for; none where that is not known.
    #[must_use]
    pub fn value_of(&self, operation: &Operation<'_>, body: &Body) -> Option<Value> {
        let source = self.source(operation);
        let (name, media) = source.media(body.content_type.as_deref()?)?;
        let schema = crate::document::pointer::join(&media.pointer, "schema");
        let read = source.body_readings(&schema, body, &source.encodings(&name, &media))?;
        read.into_iter().next()
    }
}

impl Source<'_> {
    fn parameter_flaw(&self, parameter: &Located<'_>, sent: Sent<'_>) -> Option<String> {
        let member = |name: &str| parameter.value.get(name).and_then(Value::as_str);
        let (name, place) = (member("name")?, member("in")?);
        let style = Style::of(parameter.value, place);
        let raws = match place {
            "path" => {
                let (_, text) = sent.path.iter().find(|(known, _)| known == name)?;
                wire::of_path(name, &style, text)
            }
            "query" => {
                let is_own = |(known, _): &&(String, String)| {
                    known == name || known.starts_with(&format!("{name}["))
                };
                // An object in form style has its members as parameters, and which are its own is not known.
                match sent.query.iter().any(|pair| is_own(&pair)) {
                    true => wire::of_query(name, &style, sent.query),
                    false => Vec::new(),
                }
            }
            "header" => {
                let mut own = sent.headers.iter();
                let own = own.find(|(known, _)| known.eq_ignore_ascii_case(name));
                own.map_or_else(Vec::new, |(_, text)| wire::of_header(&style, text))
            }
            _ => return None,
        };
        let title = || format!("{place} parameter `{name}`");
        let required = parameter.value.get("required") == Some(&Value::Bool(true));
        if raws.is_empty() {
            let spread = place == "query" && style.explode && !sent.query.is_empty();
            let ignored =
                self.is_credential(place, name) || place == "header" && is_of_http(name) || spread;
            return (required && !ignored).then(title);
        }
        let schema = self.schema_of(parameter)?;
        (!self.may_read(&schema, &raws)).then(title)
    }

    /// Whether one of the readings is valid, or may be.
    fn may_read(&self, schema: &str, raws: &[Raw]) -> bool {
        let schemas = [schema.to_owned()];
        raws.iter().any(|raw| {
            let read = self.schemas.readings(&schemas, raw);
            read.is_none_or(|read| read.iter().any(|value| self.may_accept(schema, value)))
        })
    }

    fn may_accept(&self, schema: &str, value: &Value) -> bool {
        let faults = self.schemas.faults(schema, value, Some(Sender::Client));
        faults.is_ok_and(|faults| faults.is_empty()) || self.document.at(schema).is_none()
    }

    fn body_flaw(&self, body: Option<&Body>) -> Option<String> {
        let owner = self.operation.request_body(self.document)?;
        let title = || "body".to_owned();
        let Some(body) = body else {
            let required = owner.value.get("required") == Some(&Value::Bool(true));
            return required.then(title);
        };
        let (name, media) = self.media(body.content_type.as_deref()?)?;
        let schema = crate::document::pointer::join(&media.pointer, "schema");
        self.document.at(&schema)?;
        let read = self.body_readings(&schema, body, &self.encodings(&name, &media))?;
        let valid = read.iter().any(|value| self.may_accept(&schema, value));
        (!valid).then(title)
    }

    /// Returns the possible readings of a body; none where they are not known.
    fn body_readings(
        &self,
        schema: &str,
        body: &Body,
        encodings: &Encodings,
    ) -> Option<Vec<Value>> {
        let content_type = body.content_type.as_deref()?;
        let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
        if is_json(&essence) {
            return Some(serde_json::from_slice(&body.bytes).into_iter().collect());
        }
        let text = std::str::from_utf8(&body.bytes).ok()?;
        let pairs = match essence.as_str() {
            "application/x-www-form-urlencoded" => read_urlencoded(text),
            "multipart/form-data" => wire::multipart(text, content_type)?,
            _ => return None,
        };
        self.form(schema, &pairs, encodings)
    }
}

/// Header parameters that describe the message, and that OpenAPI ignores.
fn is_of_http(name: &str) -> bool {
    ["accept", "content-type", "authorization"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}
