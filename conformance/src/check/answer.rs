//! Content type, headers and body of an answer against its Response Object.

use std::collections::HashSet;

use serde_json::Value;

use super::Sheet;
use super::media_type::MediaType;
use super::read::{Read, read};
use crate::case::serialize::is_json;
use crate::document::{Located, pointer};
use crate::exchange::Response;
use crate::finding::{Broken, ReplayFault, Sender, Severity, Undecided, Violation};
use crate::rule::replay as rules;
use crate::samples::media_types;
use crate::schema::Fault;

/// Most faults of one body that are told; the last one says how many more there are.
const FAULT_LIMIT: usize = 50;

/// A body that was read, with the schema that it was validated against and the faults that were found.
pub(super) struct Body {
    pub(super) value: Value,
    pub(super) schema: Option<String>,
    pub(super) faults: Vec<Fault>,
    /// Whether it is JSON, as its sample is; text and sequences may be written in several ways.
    pub(super) is_json: bool,
}

impl Body {
    /// Whether the schema finds fault with what stands there.
    pub(super) fn is_faulty(&self, at: &str) -> bool {
        self.violations(at)
            .any(|broken| !matches!(broken, Broken::Missing { .. }))
    }

    /// Whether the schema misses a member there.
    pub(super) fn lacks(&self, at: &str, member: &str) -> bool {
        self.violations(at)
            .any(|broken| matches!(broken, Broken::Missing { name } if name == member))
    }

    fn violations(&self, at: &str) -> impl Iterator<Item = &Broken> {
        let violations = self.faults.iter().map(|fault| &fault.violation);
        let there = violations.filter(move |violation| violation.at == at);
        there.map(|violation| &violation.broken)
    }
}

/// The faults of a string that holds JSON, which is at `at` in an item and whose schema gives `contentSchema`. This is how OpenAPI describes
/// the data of server-sent events (3.2.0, 4.14.3).
fn content_faults(
    at: &str,
    schema: &str,
    text: &str,
    faults: &mut dyn FnMut(&str, &Value) -> Vec<Fault>,
) -> Vec<Fault> {
    let content = pointer::join(schema, "contentSchema");
    match serde_json::from_str(text) {
        Ok(value) => {
            let mut found = faults(&content, &value);
            for fault in &mut found {
                fault.violation.at = format!("{at}{}", fault.violation.at);
            }
            found
        }
        Err(_) => vec![Fault {
            violation: Violation {
                at: at.to_owned(),
                keyword: "contentMediaType".to_owned(),
                broken: Broken::Value {
                    expected: Some(Value::from("application/json")),
                    found: Value::from(text),
                },
            },
            schema: pointer::join(schema, "contentMediaType"),
        }],
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
                let fault = ReplayFault::HeaderMissing {
                    sample: self.sample(),
                    header: name.to_owned(),
                };
                self.breaking(rules::HEADER_DOCUMENTED, &header.pointer, fault);
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
            Some((_, media)) => {
                let value = serde_json::from_str(text).map_err(HeaderError::NotJson)?;
                let schema = pointer::join(&media.pointer, "schema");
                let faults = schemas.faults(&schema, &value, Some(Sender::Server));
                faults.map_err(HeaderError::Schema)
            }
            None => schemas
                .text_faults(&schema, text, explode, Some(Sender::Server))
                .map_err(HeaderError::Schema),
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
            let (sample, header_name) = (self.sample(), name.to_owned());
            match faults_of(value) {
                Ok(faults) => {
                    let shown = self.judge.secrets.header(name, value);
                    let value = (shown == *value).then_some(shown);
                    for fault in faults {
                        let violation = ReplayFault::Header {
                            sample: sample.clone(),
                            header: header_name.clone(),
                            value: value.clone(),
                            violation: fault.violation,
                        };
                        self.breaking(rules::HEADER_DOCUMENTED, &fault.schema, violation);
                    }
                }
                Err(HeaderError::NotJson(error)) => {
                    let fault = ReplayFault::HeaderNotJson {
                        sample,
                        header: header_name,
                        cause: error.to_string(),
                    };
                    self.breaking(rules::HEADER_DOCUMENTED, &header.pointer, fault);
                }
                Err(HeaderError::Schema(reason)) => self.unusable(&schema, reason),
            }
        }
    }

    /// Holds the body against the documented content; gives it back when it can be read.
    pub(super) fn body(&mut self, promised: &Located<'_>, response: &Response) -> Option<Body> {
        let documented = media_types(self.judge.document, promised);
        if documented.is_empty() {
            self.nothing(promised, response);
            return None;
        }
        let content = pointer::join(&promised.pointer, "content");
        if response.body.is_empty() {
            let fault = ReplayFault::BodyMissing {
                sample: self.sample(),
                documented: names(&documented),
            };
            self.breaking(rules::BODY_SCHEMA, &content, fault);
            return None;
        }
        let (media_type, media) = self.content_type(&content, documented, response)?;
        let read = match read(&media_type, response) {
            Ok(read) => read?,
            Err(unreadable) => {
                let fault = unreadable.fault(self.sample());
                self.breaking(rules::BODY_SCHEMA, &media.pointer, fault);
                return None;
            }
        };
        let at = |keyword: &str| {
            let schema = pointer::join(&media.pointer, keyword);
            self.judge.document.at(&schema).is_some().then_some(schema)
        };
        let (schema, items) = (at("schema"), at("itemSchema"));
        let is_json = matches!(read, Read::Json(_));
        let (value, faults) = self.validated(read, schema.as_deref(), items.as_deref());
        self.faults(&value, &faults);
        if let Some(schema) = schema.as_deref().filter(|_| self.judge.limits.strict) {
            self.undeclared(&value, schema);
        }
        Some(Body {
            value,
            schema,
            faults,
            is_json,
        })
    }

    /// The value of a body, and its faults under its schema and that of its items.
    fn validated(
        &mut self,
        read: Read,
        schema: Option<&str>,
        items: Option<&str>,
    ) -> (Value, Vec<Fault>) {
        let schemas = self.judge.schemas;
        let sender = Some(Sender::Server);
        let mut unusable = Vec::new();
        let mut faults = |schema: &str, value: &Value| {
            schemas
                .faults(schema, value, sender)
                .unwrap_or_else(|reason| {
                    unusable.push((schema.to_owned(), reason));
                    Vec::new()
                })
        };
        let (value, faults) = match (read, schema) {
            (Read::Text(text), Some(schema)) => match schemas.body_text(schema, &text, sender) {
                Ok(read) => read,
                Err(reason) => {
                    unusable.push((schema.to_owned(), reason));
                    (Value::from(text), Vec::new())
                }
            },
            (Read::Text(text), None) => (Value::from(text), Vec::new()),
            (Read::Json(value), schema) => {
                let found = schema.map_or_else(Vec::new, |schema| faults(schema, &value));
                (value, found)
            }
            (Read::Items(list), schema) => {
                let mut found = Vec::new();
                for (index, item) in list.iter().enumerate() {
                    let mut of_item = items.map_or_else(Vec::new, |schema| faults(schema, item));
                    let texts = items.map(|schema| schemas.texts_with_content(schema, item));
                    for (at, content, text) in texts.into_iter().flatten() {
                        of_item.extend(content_faults(&at, &content, &text, &mut faults));
                    }
                    found.extend(of_item.into_iter().map(|mut fault| {
                        let place = pointer::index("", index);
                        fault.violation.at = format!("{place}{}", fault.violation.at);
                        fault
                    }));
                }
                let value = Value::Array(list);
                found.extend(schema.map_or_else(Vec::new, |schema| faults(schema, &value)));
                (value, found)
            }
        };
        unusable.dedup();
        for (schema, reason) in unusable {
            self.unusable(&schema, reason);
        }
        (value, faults)
    }

    /// Holds an answer that is documented without content.
    fn nothing(&mut self, promised: &Located<'_>, response: &Response) {
        // After a 204 nothing is read, but its headers may announce what must not be there (RFC 9110, 8.6).
        let announced = response
            .header("content-length")
            .find_map(|length| std::str::from_utf8(length).ok()?.parse().ok());
        let length = announced.unwrap_or(0_usize).max(response.body.len());
        if length > 0
            || (response.status == 204 && response.header("transfer-encoding").next().is_some())
        {
            let fault = ReplayFault::BodyUnexpected {
                sample: self.sample(),
                status: response.status,
                bytes: (length > 0).then_some(length),
            };
            self.breaking(rules::BODY_EMPTY, &promised.pointer, fault);
        } else if let Some(content_type) = response.header("content-type").next() {
            let fault = ReplayFault::ContentType {
                sample: self.sample(),
                found: vec![String::from_utf8_lossy(content_type).into_owned()],
                documented: Vec::new(),
            };
            let rule = rules::CONTENT_TYPE_DOCUMENTED;
            self.add(rule, Severity::Warning, &promised.pointer, fault, None);
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
        let given: Vec<String> = response
            .header("content-type")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        if let [one] = given.as_slice()
            && let Some(parsed) = MediaType::parse(one)
        {
            let fit = |(name, _): &(String, Located<'a>)| parsed.fits(&MediaType::parse(name)?);
            let best = documented
                .iter()
                .filter_map(|entry| Some((fit(entry)?, entry)))
                .max_by_key(|(fit, _)| *fit);
            if let Some((_, (name, media))) = best {
                // A range says nothing about how to read the body, the answer does.
                let name = if name.contains('*') { one } else { name };
                return Some((name.clone(), media.clone()));
            }
        }
        let fault = ReplayFault::ContentType {
            sample: self.sample(),
            found: given,
            documented: names(&documented),
        };
        self.breaking(rules::CONTENT_TYPE_DOCUMENTED, at, fault);
        let readable = serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_ok();
        let mut json = documented.into_iter().filter(|(name, _)| is_json(name));
        json.next().filter(|_| readable && json.next().is_none())
    }

    fn faults(&mut self, value: &Value, faults: &[Fault]) {
        let mut causes = HashSet::new();
        let mut more = 0;
        for (index, fault) in faults.iter().enumerate() {
            let Fault { violation, schema } = fault;
            let missing = match &violation.broken {
                Broken::Missing { name } => Some(name),
                Broken::Unexpected { .. } | Broken::Alternatives { .. } | Broken::Value { .. } => {
                    None
                }
            };
            // That each item of a long list breaks the same constraint is one cause.
            let is_new = causes.insert((schema, missing));
            if index >= FAULT_LIMIT && !(is_new && causes.len() <= FAULT_LIMIT) {
                more += usize::from(is_new);
                continue;
            }
            let witness = value.pointer(&violation.at).cloned();
            let fault = ReplayFault::Body {
                sample: self.sample(),
                violation: violation.clone(),
            };
            let rule = rules::BODY_SCHEMA;
            self.add(rule, Severity::Breaking, schema, fault, witness);
        }
        if more > 0 {
            let fault = ReplayFault::MoreViolations {
                sample: self.sample(),
                count: more,
            };
            self.breaking(rules::BODY_SCHEMA, &self.case.pointer, fault);
        }
    }

    fn unusable(&mut self, schema: &str, reason: Undecided) {
        let fault = ReplayFault::UnusableSchema { reason };
        let rule = rules::SCHEMA_UNUSABLE;
        self.add(rule, Severity::Undecided, schema, fault, None);
    }
}

/// Why a header cannot be validated.
enum HeaderError {
    NotJson(serde_json::Error),
    Schema(Undecided),
}

/// The documented media types.
fn names(documented: &[(String, Located<'_>)]) -> Vec<String> {
    documented.iter().map(|(name, _)| name.clone()).collect()
}
