//! One delivery against the document: which webhook it is, and its method, parameters, content type, body and signature.

use serde_json::Value;

use super::event::{Event, Names, Parameter};
use super::receiver::Arrival;
use super::sheet::Sheet;
use crate::case::serialize::is_json;
use crate::document::{Document, pointer};
use crate::exchange::{Exchange, Request, Response, Secrets as Hidden};
use crate::finding::{DeliveryFault, Finding, Place, Sender, Severity, Violation};
use crate::hooks::{Algorithm, Refusal, Scheme, Secrets, Verdict};
use crate::rule::deliveries as rules;
use crate::schema::direction::Unsent;
use crate::schema::{Member, Schemas};

/// The context for judging deliveries.
pub(super) struct Judge<'d> {
    pub(super) document: &'d Document,
    pub(super) schemas: &'d Schemas<'d>,
    pub(super) hidden: &'d Hidden,
    pub(super) events: Vec<Event<'d>>,
    names: Names,
    /// What servers do not send.
    unsent: Option<Unsent<'d>>,
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
    pub(super) fn new(
        document: &'d Document,
        schemas: &'d Schemas<'d>,
        hidden: &'d Hidden,
        events: Vec<Event<'d>>,
    ) -> Self {
        let flagged = schemas.is_flagged();
        Self {
            document,
            schemas,
            hidden,
            names: Names::of(&events),
            events,
            unsent: flagged.then(|| Unsent::new(schemas.subschemas(), Some(Sender::Server))),
        }
    }

    /// The webhook of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Event<'d>> {
        self.events.iter().find(|event| event.name == name)
    }

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
    pub(super) fn event(
        &self,
        arrival: &Arrival,
        body: Option<&Value>,
        subscribed: &[String],
    ) -> Option<&Event<'d>> {
        if let [only] = &self.events[..] {
            return Some(only);
        }
        let headers = arrival.message.headers.iter();
        let in_body = body.and_then(|body| self.names.within(body, 0));
        let by_name =
            in_body.or_else(|| self.names.first(headers.map(|(_, value)| value.as_str())));
        if let Some(index) = by_name {
            return self.events.get(index);
        }
        if let [only] = subscribed {
            return self.named(only);
        }
        let body = body?;
        let media_type = arrival.message.media_type();
        let mut accepting = self.events.iter().filter(|event| {
            let schema = event.media(&media_type).and_then(|one| one.schema.as_ref());
            schema.is_some_and(|schema| {
                self.schemas.accepts(schema, body, Some(Sender::Server)) == Ok(true)
            })
        });
        accepting.next().filter(|_| accepting.next().is_none())
    }

    /// The findings of a delivery of a known webhook, the signature apart. `parsed` is its body, where that is JSON.
    pub(super) fn judge(
        &self,
        event: &Event<'_>,
        arrival: &Arrival,
        parsed: Option<&Value>,
        sheet: &mut Sheet,
    ) {
        let mut add = |rule, severity, at: &str, fault| {
            let subject = event.operation.subject();
            sheet.add(self.finding(rule, severity, (&subject, at), fault, Some(arrival)));
        };
        if arrival.message.method != event.operation.method {
            let fault = DeliveryFault::Method {
                documented: event.operation.method.clone(),
                found: arrival.message.method.clone(),
            };
            add(
                rules::METHOD,
                Severity::Breaking,
                &event.operation.pointer,
                fault,
            );
        }
        for parameter in &event.parameters {
            if let Some(fault) = self.parameter(parameter, arrival) {
                add(rules::PARAMETER, Severity::Breaking, &parameter.at, fault);
            }
        }
        let Some(owner) = &event.body else { return };
        let bytes = &arrival.message.body;
        if bytes.is_empty() {
            if owner.required {
                let fault = DeliveryFault::BodyMissing;
                add(rules::BODY, Severity::Breaking, &owner.at, fault);
            }
            return;
        }
        let media_type = arrival.message.media_type();
        let Some(media) = event.media(&media_type) else {
            let found = arrival.message.header("content-type").next();
            let fault = DeliveryFault::ContentType {
                found: found.map(str::to_owned),
                documented: owner.media.iter().map(|one| one.name.clone()).collect(),
            };
            add(rules::CONTENT_TYPE, Severity::Breaking, &owner.at, fault);
            return;
        };
        if !is_json(&media_type) {
            return;
        }
        let Some(value) = parsed else {
            let error = serde_json::from_slice::<Value>(bytes).err();
            let fault = DeliveryFault::BodyUnreadable {
                cause: error.map(|error| error.to_string()).unwrap_or_default(),
            };
            add(rules::BODY, Severity::Breaking, &media.at, fault);
            return;
        };
        let server = Some(Sender::Server);
        if let Some(schema) = &media.schema {
            if self.schemas.accepts(schema, value, server) == Ok(false)
                && let Ok(faults) = self.schemas.faults(schema, value, server)
                && let Some(first) = faults.first()
            {
                let fault = DeliveryFault::BodySchema {
                    violation: first.violation.clone(),
                    more: faults.len() - 1,
                };
                add(rules::BODY, Severity::Breaking, &first.schema, fault);
            }
            let mut unsent = Vec::new();
            self.unsent(std::slice::from_ref(schema), value, "", &mut unsent);
            for (member, at) in unsent {
                let fault = DeliveryFault::WriteOnly { member };
                add(rules::WRITE_ONLY, Severity::Breaking, &at, fault);
            }
        }
        if let Some(sample) = media.sample {
            let mut missing = Vec::new();
            lacking(sample, value, "", &mut missing);
            if !missing.is_empty() {
                let fault = DeliveryFault::SampleMembers { missing };
                add(rules::SAMPLE, Severity::Warning, &media.at, fault);
            }
        }
    }

    /// The members of a value that only clients send, with the places of their schemas.
    fn unsent(
        &self,
        schemas: &[String],
        value: &Value,
        at: &str,
        found: &mut Vec<(String, String)>,
    ) {
        let Some(unsent) = &self.unsent else { return };
        let subschemas = self.schemas.subschemas();
        match value {
            Value::Object(members) => {
                let all = subschemas.in_place(schemas);
                for (name, value) in members {
                    let below = match subschemas.member(&all, name) {
                        Member::Declared(below) | Member::Entry(below) => below,
                        Member::Undeclared => continue,
                    };
                    let at = pointer::join(at, name);
                    match below.iter().find(|schema| unsent.is_unsent(schema)) {
                        Some(schema) => found.push((at, schema.clone())),
                        None => self.unsent(&below, value, &at, found),
                    }
                }
            }
            Value::Array(items) => {
                let all = subschemas.in_place(schemas);
                for (index, value) in items.iter().enumerate() {
                    let below = subschemas.item(&all, index);
                    if !below.is_empty() {
                        self.unsent(&below, value, &pointer::index(at, index), found);
                    }
                }
            }
            _ => {}
        }
    }

    fn parameter(&self, parameter: &Parameter, arrival: &Arrival) -> Option<DeliveryFault> {
        let Parameter { place, name, .. } = parameter;
        let found = match *place {
            "header" => arrival.message.header(name).next().map(str::to_owned),
            _ => arrival.message.query(name),
        };
        let (place, name) = (*place, name.clone());
        let Some(found) = found else {
            return parameter
                .required
                .then_some(DeliveryFault::ParameterMissing { place, name });
        };
        let schema = parameter.schema.as_ref()?;
        // A text may stand for a number, a boolean or itself.
        let text = Value::from(found.as_str());
        let accepts =
            |value: &Value| self.schemas.accepts(schema, value, Some(Sender::Server)) != Ok(false);
        if accepts(&text) {
            return None;
        }
        let read = serde_json::from_str::<Value>(&found)
            .ok()
            .filter(|value| value.is_number() || value.is_boolean());
        if read.as_ref().is_some_and(accepts) {
            return None;
        }
        let faults = self
            .schemas
            .faults(schema, &text, Some(Sender::Server))
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
        let (rule, fault) = match signing.verify(secrets, &arrival.message, now) {
            Verdict::Verified | Verdict::Unsigned => return,
            #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
            Verdict::Refused(Refusal::Stale {
                seconds, tolerance, ..
            }) => {
                let (age, tolerance) = (seconds as f64, tolerance as f64);
                (rules::TIME, DeliveryFault::Time { age, tolerance })
            }
            Verdict::Refused(refusal) => (rules::SIGNATURE, DeliveryFault::Signature { refusal }),
        };
        let subject = event.operation.subject();
        let at = extension(self.document, &event.operation.pointer);
        let place = (subject.as_str(), at.as_str());
        sheet.add(self.finding(rule, Severity::Breaking, place, fault, Some(arrival)));
    }

    /// Reports weaknesses in the description of the signature, which affect everybody.
    pub(super) fn weaknesses(&self, sheet: &mut Sheet) {
        for event in &self.events {
            let Some(signing) = &event.description.signing else {
                continue;
            };
            let at = extension(self.document, &event.operation.pointer);
            let signs = |scheme: &&Scheme| scheme.algorithm != Algorithm::Token;
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

    /// The parts of a good delivery whose change its signature does not show, although the description says that it covers them: its body,
    /// its time, its secret. Nothing where it does not verify as it is.
    pub(super) fn unproven(
        &self,
        event: &Event<'_>,
        secrets: &Secrets,
        arrival: &Arrival,
    ) -> Vec<&'static str> {
        let Some(signing) = &event.description.signing else {
            return Vec::new();
        };
        if signing.verify(secrets, &arrival.message, None) != Verdict::Verified {
            return Vec::new();
        }
        let verifies = |secrets: &Secrets, message: &crate::hooks::Message| {
            signing.verify(secrets, message, None) == Verdict::Verified
        };
        let mut unproven = Vec::new();
        if signing
            .used(secrets, &arrival.message)
            .any(Scheme::covers_body)
        {
            let mut changed = (*arrival.message).clone();
            changed.body.push(b' ');
            if verifies(secrets, &changed) {
                unproven.push("body");
            }
        }
        let used = signing.used(secrets, &arrival.message);
        for scheme in used.filter(|scheme| scheme.covers_timestamp()) {
            let mut changed = (*arrival.message).clone();
            let place = scheme
                .timestamp
                .as_ref()
                .and_then(|one| one.location.as_ref());
            let is_changed = place.is_some_and(|place| {
                place.change(&mut changed, |text| {
                    let last = text.chars().last()?.to_digit(10)?;
                    Some(format!("{}{}", &text[..text.len() - 1], (last + 1) % 10))
                })
            });
            if is_changed && verifies(secrets, &changed) {
                unproven.push("timestamp");
            }
        }
        if let Some(others) = secrets.altered()
            && verifies(&others, &arrival.message)
        {
            unproven.push("secret");
        }
        unproven
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

/// The members of a sample that a value lacks.
fn lacking(sample: &Value, value: &Value, at: &str, missing: &mut Vec<String>) {
    if let (Value::Object(sample), Value::Object(value)) = (sample, value) {
        for (name, inner) in sample {
            match value.get(name) {
                Some(own) if inner.is_object() => {
                    lacking(inner, own, &pointer::join(at, name), missing);
                }
                Some(_) => {}
                None => missing.push(pointer::join(at, name)),
            }
        }
    }
}
