//! One delivery against the document: which webhook it is, and its method, parameters, content type, body and signature.

use std::collections::BTreeMap;

use serde_json::Value;

use super::receiver::Arrival;
use crate::case::serialize::is_json;
use crate::document::{Document, Operation, pointer};
use crate::exchange::{Exchange, Request, Response, Secrets as Hidden};
use crate::finding::{DeliveryFault, Finding, Place, Sender, Severity, Violation};
use crate::hooks::{Description, Refusal, Secrets, Verdict};
use crate::rule::deliveries as rules;
use crate::samples::media_types;
use crate::schema::Schemas;

/// A webhook of the document.
#[derive(Debug, Clone)]
pub(super) struct Event<'d> {
    /// The event type: the name of the webhook or callback.
    pub(super) name: String,
    pub(super) operation: Operation<'d>,
    pub(super) description: Description,
}

/// What deliveries are judged by.
pub(super) struct Judge<'d> {
    pub(super) document: &'d Document,
    pub(super) schemas: &'d Schemas<'d>,
    pub(super) hidden: &'d Hidden,
    pub(super) events: Vec<Event<'d>>,
}

/// The findings so far; equal ones are counted and not repeated.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) findings: Vec<Finding>,
    seen: BTreeMap<String, usize>,
}

impl Sheet {
    pub(super) fn add(&mut self, finding: Finding) {
        let identity = match &finding.message {
            crate::finding::Message::Delivery(fault) => fault.identity().to_string(),
            other => other.key(),
        };
        let key = format!("{}\n{}\n{identity}", finding.rule, finding.subject);
        match self.seen.get(&key) {
            Some(&known) => self.findings[known].cases += 1,
            None => {
                self.seen.insert(key, self.findings.len());
                self.findings.push(finding);
            }
        }
    }
}

/// A delivery as reports show it, with a command that sends it again.
pub(super) fn exchange(arrival: &Arrival) -> Exchange {
    let message = &arrival.message;
    Exchange {
        request: Request {
            method: message.method.clone(),
            url: message.url.clone(),
            headers: message
                .headers
                .iter()
                .filter(|(name, _)| {
                    !matches!(name.as_str(), "host" | "content-length" | "connection")
                })
                .cloned()
                .collect(),
            body: Some(message.body.clone()),
        },
        response: arrival.reply.answered().map(|status| Response {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }),
        failure: None,
        duration: std::time::Duration::ZERO,
    }
}

impl<'d> Judge<'d> {
    /// A finding about a webhook, at a place of the document.
    pub(super) fn finding(
        &self,
        rule: &'static str,
        severity: Severity,
        (subject, at): (&str, &str),
        fault: DeliveryFault,
        arrival: Option<&Arrival>,
    ) -> Finding {
        Finding {
            old: Some(Place::of(self.document, at)),
            exchange: arrival.map(|arrival| exchange(arrival).record(self.hidden)),
            ..Finding::new(rule, severity, subject, fault)
        }
    }

    /// The webhook that a delivery is: the one whose name it carries, among those that were subscribed to, if these are known; else the
    /// only one whose schema accepts the body.
    pub(super) fn event(&self, arrival: &Arrival, subscribed: &[String]) -> Option<&Event<'d>> {
        if let [only] = &self.events[..] {
            return Some(only);
        }
        let body = arrival.message.json();
        let mut texts: Vec<&str> = Vec::new();
        if let Some(body) = &body {
            strings(body, 0, &mut texts);
        }
        texts.extend(
            arrival
                .message
                .headers
                .iter()
                .map(|(_, value)| value.as_str()),
        );
        // Some documents spell the names of webhooks like paths.
        let named = |text: &&str| {
            let mut events = self.events.iter();
            events.find(|event| event.name.trim_start_matches('/') == *text)
        };
        let by_name = texts.iter().find_map(named);
        if by_name.is_some() {
            return by_name;
        }
        if let [only] = subscribed {
            return self.events.iter().find(|event| event.name == *only);
        }
        let body = body?;
        let mut accepting = self.events.iter().filter(|event| {
            let schema = self.schema(event, &arrival.message.media_type());
            schema.is_some_and(|schema| {
                self.schemas.accepts(&schema, &body, Some(Sender::Server)) == Ok(true)
            })
        });
        accepting.next().filter(|_| accepting.next().is_none())
    }

    fn schema(&self, event: &Event<'_>, media_type: &str) -> Option<String> {
        let owner = event.operation.request_body(self.document)?;
        let types = media_types(self.document, &owner);
        let (_, media) = types.iter().find(|(name, _)| matches(name, media_type))?;
        let at = pointer::join(&media.pointer, "schema");
        self.document.at(&at).map(|_| at)
    }

    /// The findings of a delivery of a known webhook, the signature apart.
    pub(super) fn judge(&self, event: &Event<'_>, arrival: &Arrival, sheet: &mut Sheet) {
        let subject = event.operation.subject();
        let at = event.operation.pointer.as_str();
        let mut add = |rule, severity, at: &str, fault| {
            sheet.add(self.finding(rule, severity, (&subject, at), fault, Some(arrival)));
        };
        if arrival.message.method != event.operation.method {
            let fault = DeliveryFault::Method {
                documented: event.operation.method.clone(),
                found: arrival.message.method.clone(),
            };
            add(rules::METHOD, Severity::Breaking, at, fault);
        }
        for parameter in event.operation.parameters(self.document) {
            if let Some(fault) = self.parameter(parameter.value, &parameter.pointer, arrival) {
                add(
                    rules::PARAMETER,
                    Severity::Breaking,
                    &parameter.pointer,
                    fault,
                );
            }
        }
        let Some(owner) = event.operation.request_body(self.document) else {
            return;
        };
        let types = media_types(self.document, &owner);
        let body = &arrival.message.body;
        if body.is_empty() {
            if owner.value.get("required") == Some(&Value::Bool(true)) {
                add(
                    rules::BODY,
                    Severity::Breaking,
                    &owner.pointer,
                    DeliveryFault::BodyMissing,
                );
            }
            return;
        }
        let media_type = arrival.message.media_type();
        let Some((_, media)) = types.iter().find(|(name, _)| matches(name, &media_type)) else {
            let fault = DeliveryFault::ContentType {
                found: arrival
                    .message
                    .header("content-type")
                    .next()
                    .map(str::to_owned),
                documented: types.iter().map(|(name, _)| name.clone()).collect(),
            };
            add(
                rules::CONTENT_TYPE,
                Severity::Breaking,
                &owner.pointer,
                fault,
            );
            return;
        };
        if !is_json(&media_type) {
            return;
        }
        let value: Value = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(error) => {
                let fault = DeliveryFault::BodyUnreadable {
                    cause: error.to_string(),
                };
                add(rules::BODY, Severity::Breaking, &media.pointer, fault);
                return;
            }
        };
        let schema = pointer::join(&media.pointer, "schema");
        if self.document.at(&schema).is_some()
            && let Ok(faults) = self.schemas.faults(&schema, &value, Some(Sender::Server))
            && let Some(first) = faults.first()
        {
            let fault = DeliveryFault::BodySchema {
                violation: first.violation.clone(),
                more: faults.len() - 1,
            };
            add(rules::BODY, Severity::Breaking, &first.schema, fault);
        }
        let sample = media
            .value
            .get("examples")
            .and_then(Value::as_object)
            .and_then(|map| {
                let named: Vec<&Value> = map
                    .values()
                    .filter_map(|example| example.get("value"))
                    .collect();
                // What one sample lacks is no shape that all have.
                (named.len() == 1).then(|| named[0])
            });
        if let Some(sample) = sample.or_else(|| media.value.get("example")) {
            let mut missing = Vec::new();
            lacking(sample, &value, String::new(), &mut missing);
            if !missing.is_empty() {
                add(
                    rules::SAMPLE,
                    Severity::Warning,
                    &media.pointer,
                    DeliveryFault::SampleMembers { missing },
                );
            }
        }
    }

    fn parameter(&self, parameter: &Value, at: &str, arrival: &Arrival) -> Option<DeliveryFault> {
        let name = parameter.get("name")?.as_str()?;
        let place = match parameter.get("in")?.as_str()? {
            "header" => "header",
            "query" => "query",
            _ => return None,
        };
        // OpenAPI: these are described elsewhere.
        if place == "header"
            && ["accept", "content-type", "authorization"]
                .contains(&name.to_ascii_lowercase().as_str())
        {
            return None;
        }
        let found = match place {
            "header" => arrival.message.header(name).next().map(str::to_owned),
            _ => arrival.message.query(name),
        };
        let name = name.to_owned();
        let Some(found) = found else {
            let required = parameter.get("required") == Some(&Value::Bool(true));
            return required.then_some(DeliveryFault::ParameterMissing { place, name });
        };
        let schema = pointer::join(at, "schema");
        self.document.at(&schema)?;
        // A text may stand for a number, a boolean or itself.
        let text = Value::from(found.clone());
        let read = serde_json::from_str::<Value>(&found)
            .ok()
            .filter(|value| value.is_number() || value.is_boolean());
        let accepts =
            |value: &Value| self.schemas.accepts(&schema, value, Some(Sender::Server)) != Ok(false);
        if accepts(&text) || read.as_ref().is_some_and(accepts) {
            return None;
        }
        let faults = self
            .schemas
            .faults(&schema, &text, Some(Sender::Server))
            .ok()?;
        let violation: Violation = faults.first()?.violation.clone();
        Some(DeliveryFault::ParameterInvalid {
            place,
            name,
            found,
            violation,
        })
    }

    /// The findings of the signature of a delivery; `now` is the server's time, where it is known well enough to judge the age.
    pub(super) fn signature(
        &self,
        event: &Event<'_>,
        secrets: &Secrets,
        arrival: &Arrival,
        now: Option<jiff::Timestamp>,
        sheet: &mut Sheet,
    ) {
        let Some(signing) = &event.description.signing else {
            return;
        };
        let subject = event.operation.subject();
        let at = extension(self.document, &event.operation.pointer);
        let place = (subject.as_str(), at.as_str());
        match signing.verify(secrets, &arrival.message, now) {
            Verdict::Verified | Verdict::Unsigned => {}
            #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
            Verdict::Refused(Refusal::Stale {
                seconds, tolerance, ..
            }) => {
                let fault = DeliveryFault::Time {
                    age: seconds as f64,
                    tolerance: tolerance as f64,
                };
                sheet.add(self.finding(
                    rules::TIME,
                    Severity::Breaking,
                    place,
                    fault,
                    Some(arrival),
                ));
            }
            Verdict::Refused(refusal) => {
                let fault = DeliveryFault::Signature { refusal };
                sheet.add(self.finding(
                    rules::SIGNATURE,
                    Severity::Breaking,
                    place,
                    fault,
                    Some(arrival),
                ));
            }
        }
    }

    /// What the description of the signature leaves open for everybody.
    pub(super) fn weaknesses(&self, sheet: &mut Sheet) {
        for event in &self.events {
            let Some(signing) = &event.description.signing else {
                continue;
            };
            let at = extension(self.document, &event.operation.pointer);
            let signs =
                |scheme: &&crate::hooks::Scheme| scheme.algorithm != crate::hooks::Algorithm::Token;
            for scheme in signing.schemes.iter().filter(signs) {
                let parts = [
                    ("body", !scheme.covers_body() && scheme.signed.is_some()),
                    (
                        "timestamp",
                        scheme.timestamp.is_some() && !scheme.covers_timestamp(),
                    ),
                ];
                for (part, weak) in parts {
                    if weak {
                        let fault = DeliveryFault::Weak { part };
                        sheet.add(self.finding(
                            rules::SIGNATURE_WEAK,
                            Severity::Warning,
                            ("webhooks", &at),
                            fault,
                            None,
                        ));
                    }
                }
            }
        }
    }

    /// Whether changes of a good delivery are noticed: of its body, its time, its secret.
    pub(super) fn proves(&self, event: &Event<'_>, secrets: &Secrets, arrival: &Arrival) -> bool {
        let Some(signing) = &event.description.signing else {
            return false;
        };
        let mut changed = arrival.message.clone();
        changed.body.push(b' ');
        let covers = signing
            .schemes
            .iter()
            .any(crate::hooks::Scheme::covers_body);
        !covers || matches!(signing.verify(secrets, &changed, None), Verdict::Refused(_))
    }
}

/// The place of the extension that says how a webhook is signed.
pub(super) fn extension(document: &Document, operation: &str) -> String {
    let own = format!("{operation}/{}", crate::hooks::SIGNATURE);
    if document.at(&own).is_some() {
        own
    } else {
        format!("/{}", crate::hooks::SIGNATURE)
    }
}

/// Whether a media type is that of a documented name, which may be a range.
fn matches(documented: &str, found: &str) -> bool {
    let essence = documented
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => found.split('/').next() == Some(kind),
        None => essence == found,
    }
}

/// The strings near the top of a body, where event types are.
fn strings<'v>(value: &'v Value, depth: usize, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Object(members) if depth < 3 => members
            .values()
            .for_each(|value| strings(value, depth + 1, found)),
        Value::Array(items) if depth < 3 => items
            .iter()
            .take(3)
            .for_each(|value| strings(value, depth + 1, found)),
        _ => {}
    }
}

/// The members of a sample that a value lacks.
fn lacking(sample: &Value, value: &Value, at: String, missing: &mut Vec<String>) {
    if let (Value::Object(sample), Value::Object(value)) = (sample, value) {
        for (name, inner) in sample {
            let below = pointer::join(&at, name);
            match value.get(name) {
                Some(own) => lacking(inner, own, below, missing),
                None => missing.push(below),
            }
        }
    }
}
