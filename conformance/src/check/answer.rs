//! Content type, headers and body of an answer against its Response Object.

use serde_json::Value;

use super::Sheet;
use super::media_type::MediaType;
use crate::case::serialize::is_json;
use crate::document::{Located, pointer};
use crate::exchange::Response;
use crate::finding::{Sender, Severity};
use crate::rule::replay as rules;
use crate::samples::media_types;
use crate::schema::Fault;

/// Most faults of one body that are told; the last one says how many more there are.
const FAULT_LIMIT: usize = 50;

/// A body that was read as JSON, with the schema it was held against and the faults that were found.
pub(super) struct Body {
    pub(super) value: Value,
    pub(super) schema: Option<String>,
    pub(super) faults: Vec<Fault>,
}

impl Body {
    /// Whether the schema finds fault with what stands there.
    pub(super) fn is_faulty(&self, at: &str) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.at == at && fault.missing.is_none())
    }

    /// Whether the schema misses a member there.
    pub(super) fn lacks(&self, at: &str, member: &str) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.at == at && fault.missing.as_deref() == Some(member))
    }
}

impl Sheet<'_> {
    /// Holds the documented headers against those of the answer.
    pub(super) fn headers(&mut self, promised: &Located<'_>, response: &Response) {
        let below = pointer::join(&promised.pointer, "headers");
        let names = promised.value.get("headers").and_then(Value::as_object);
        for name in names.into_iter().flat_map(|names| names.keys()) {
            let Some((at, header)) = self.judge.document.resolve(&pointer::join(&below, name))
            else {
                continue;
            };
            // The specification gives `Content-Type` to the content, not to the headers.
            if !name.eq_ignore_ascii_case("content-type") {
                self.header(
                    name,
                    &Located {
                        pointer: at,
                        value: header,
                    },
                    response,
                );
            }
        }
    }

    fn header(&mut self, name: &str, header: &Located<'_>, response: &Response) {
        let values: Vec<String> = response
            .header(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        if values.is_empty() {
            if header.value.get("required") == Some(&Value::Bool(true)) {
                let message = format!(
                    "{}: the required header `{name}` is missing",
                    self.case.title()
                );
                self.breaking(rules::HEADER_DOCUMENTED, &header.pointer, message, None);
            }
            return;
        }
        let explode = header
            .value
            .get("explode")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let schema = pointer::join(&header.pointer, "schema");
        let content = media_types(self.judge.document, header).into_iter().next();
        let schemas = self.judge.schemas;
        let faults_of = |text: &str| match &content {
            Some((_, media)) => match serde_json::from_str(text) {
                Ok(value) => schemas.faults(
                    &pointer::join(&media.pointer, "schema"),
                    &value,
                    Some(Sender::Server),
                ),
                Err(error) => Err(format!("is not JSON: {error}")),
            },
            None => schemas.text_faults(&schema, text, explode, Some(Sender::Server)),
        };
        if content.is_none() && self.judge.document.at(&schema).is_none() {
            return;
        }
        // A list may come as several headers (RFC 9110, 5.3); `Set-Cookie` is the one that cannot be joined.
        if values.len() > 1
            && !name.eq_ignore_ascii_case("set-cookie")
            && faults_of(&values.join(", ")).is_ok_and(|faults| faults.is_empty())
        {
            return;
        }
        for value in &values {
            let shown = self.judge.secrets.header(name, value);
            match faults_of(value) {
                Ok(faults) => {
                    for fault in faults {
                        let message = format!(
                            "{}: header `{name}: {shown}`: {} (keyword `{}`)",
                            self.case.title(),
                            if shown == *value {
                                fault.message.as_str()
                            } else {
                                "the value is not valid"
                            },
                            fault.keyword
                        );
                        self.breaking(rules::HEADER_DOCUMENTED, &fault.schema, message, None);
                    }
                }
                Err(reason) => self.unusable(&schema, &reason),
            }
        }
    }

    /// Holds the body against the documented content; gives it back when it is JSON.
    pub(super) fn body(&mut self, promised: &Located<'_>, response: &Response) -> Option<Body> {
        let title = self.case.title();
        let documented = media_types(self.judge.document, promised);
        if documented.is_empty() {
            self.nothing(promised, response);
            return None;
        }
        let content = pointer::join(&promised.pointer, "content");
        if response.body.is_empty() {
            let message = format!(
                "{title}: the body is empty where {} is documented",
                names(&documented)
            );
            self.breaking(rules::BODY_SCHEMA, &content, message, None);
            return None;
        }
        let (media_type, media) = self.content_type(&content, documented, response)?;
        let schema = pointer::join(&media.pointer, "schema");
        let schema = self.judge.document.at(&schema).is_some().then_some(schema);
        let value = self.read(&media_type, &media, response)?;
        let faults = match schema.as_ref().map(|schema| {
            self.judge
                .schemas
                .faults(schema, &value, Some(Sender::Server))
        }) {
            Some(Ok(faults)) => faults,
            Some(Err(reason)) => {
                self.unusable(schema.as_deref().unwrap_or_default(), &reason);
                Vec::new()
            }
            None => Vec::new(),
        };
        self.faults(&value, &faults);
        Some(Body {
            value,
            schema,
            faults,
        })
    }

    /// Holds an answer that is documented without content.
    fn nothing(&mut self, promised: &Located<'_>, response: &Response) {
        let title = self.case.title();
        // After a 204 nothing is read, but its headers may announce what must not be there (RFC 9110, 8.6).
        let announced = response
            .header("content-length")
            .find_map(|length| std::str::from_utf8(length).ok()?.parse().ok());
        let length = announced.unwrap_or(0_usize).max(response.body.len());
        if length > 0
            || (response.status == 204 && response.header("transfer-encoding").next().is_some())
        {
            let size = if length > 0 {
                format!("of {length} bytes")
            } else {
                "in chunks".to_owned()
            };
            let message = format!(
                "{title}: {} is documented without content, yet a body {size} came",
                response.status
            );
            self.breaking(rules::BODY_EMPTY, &promised.pointer, message, None);
        } else if let Some(content_type) = response.header("content-type").next() {
            let content_type = String::from_utf8_lossy(content_type);
            let message =
                format!("{title}: the content type is `{content_type}` though there is no content");
            self.add(
                rules::CONTENT_TYPE_DOCUMENTED,
                Severity::Warning,
                &promised.pointer,
                message,
                None,
            );
        }
    }

    /// The documented content that the answer's type falls under. Where the type is wrong the only JSON content stands in, so that
    /// a wrong type does not hide a wrong body.
    fn content_type<'a>(
        &mut self,
        at: &str,
        documented: Vec<(String, Located<'a>)>,
        response: &Response,
    ) -> Option<(String, Located<'a>)> {
        let title = self.case.title();
        let given: Vec<String> = response
            .header("content-type")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        let fault = match given.as_slice() {
            [] => format!(
                "{title}: the content type is missing; documented is {}",
                names(&documented)
            ),
            [one] => match MediaType::parse(one) {
                None => format!(
                    "{title}: `{one}` is no media type; documented is {}",
                    names(&documented)
                ),
                Some(given) => {
                    let fit =
                        |(name, _): &(String, Located<'a>)| given.fits(&MediaType::parse(name)?);
                    let best = documented
                        .iter()
                        .filter_map(|entry| Some((fit(entry)?, entry)))
                        .max_by_key(|(fit, _)| *fit);
                    if let Some((_, (name, media))) = best {
                        // A range says nothing about how to read the body, the answer does.
                        let name = if name.contains('*') { one } else { name };
                        return Some((name.clone(), media.clone()));
                    }
                    format!(
                        "{title}: the content type is `{one}`; documented is {}",
                        names(&documented)
                    )
                }
            },
            [..] => format!(
                "{title}: the content type is given {} times: {}",
                given.len(),
                given.join(" | ")
            ),
        };
        self.breaking(rules::CONTENT_TYPE_DOCUMENTED, at, fault, None);
        let readable = serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_ok();
        let mut json = documented.into_iter().filter(|(name, _)| is_json(name));
        json.next().filter(|_| readable && json.next().is_none())
    }

    /// The body as a JSON value: parsed where it is JSON, a string where it is text.
    fn read(
        &mut self,
        media_type: &str,
        media: &Located<'_>,
        response: &Response,
    ) -> Option<Value> {
        let title = self.case.title();
        let textual = media_type
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("text/");
        if !is_json(media_type) && !textual {
            return None;
        }
        let text = match std::str::from_utf8(&response.body) {
            Ok(text) => text,
            Err(error) => {
                let message = format!(
                    "{title}: the body is not UTF-8 at byte {}",
                    error.valid_up_to()
                );
                self.breaking(rules::BODY_SCHEMA, &media.pointer, message, None);
                return None;
            }
        };
        if textual && !is_json(media_type) {
            return Some(Value::from(text));
        }
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.breaking(
                    rules::BODY_SCHEMA,
                    &media.pointer,
                    format!("{title}: the body is not JSON: {error}"),
                    None,
                );
                None
            }
        }
    }

    fn faults(&mut self, value: &Value, faults: &[Fault]) {
        let title = self.case.title();
        for fault in faults.iter().take(FAULT_LIMIT) {
            let place = if fault.at.is_empty() {
                "the body"
            } else {
                fault.at.as_str()
            };
            let message = format!(
                "{title}: {place}: {} (keyword `{}`)",
                fault.message, fault.keyword
            );
            self.breaking(
                rules::BODY_SCHEMA,
                &fault.schema,
                message,
                value.pointer(&fault.at).cloned(),
            );
        }
        if faults.len() > FAULT_LIMIT {
            let message = format!(
                "{title}: the body has {} more faults",
                faults.len() - FAULT_LIMIT
            );
            self.breaking(
                rules::BODY_SCHEMA,
                &self.case.pointer.clone(),
                message,
                None,
            );
        }
    }

    fn unusable(&mut self, schema: &str, reason: &str) {
        let message = format!("nothing can be held against this schema: {reason}");
        self.add(
            rules::SCHEMA_UNUSABLE,
            Severity::Undecided,
            schema,
            message,
            None,
        );
    }
}

fn names(documented: &[(String, Located<'_>)]) -> String {
    documented
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" or ")
}
