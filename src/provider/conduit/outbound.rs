//! Outbound: what the rest of the server asks about the webhooks we send.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::catalogue::{CATALOGUE, Resource};
use super::recent_bodies::RecentBodies;
use super::{payload, retry, signature};
use crate::domain::{Audience, DueDelivery, Event, Outcome, SentHeader};
use crate::http::{Faults, RequestSchema, member};
use crate::openapi::sample;
use crate::provider::{MOST_HEADERS, Outbound, OutboundRequest, RequestHeader, USER_AGENT, sent};

/// The webhooks that Conduit sends.
pub(super) struct ConduitOutbound {
    event_types: HashMap<String, EventType>,
    // The event types of a resource differ in `event` alone, which is ours: one schema serves them all.
    counterparty: RequestSchema,
    customer: RequestSchema,
    transaction: RequestSchema,
    bodies: RecentBodies,
}

struct EventType {
    resource: Resource,
    sample: String,
}

impl ConduitOutbound {
    /// Compiles the schemas of payloads that the emitted document has.
    pub(super) fn new(document: &Value) -> Self {
        let event_types = CATALOGUE.iter().map(|entry| {
            let (name, resource) = (entry.name(), entry.resource);
            let sample = sample(document, &name)["data"].to_string();
            (name, EventType { resource, sample })
        });
        let compile = |name| RequestSchema::compile(document, name, &[]);
        Self {
            event_types: event_types.collect(),
            counterparty: compile("CounterpartyNotification"),
            customer: compile("CustomerNotification"),
            transaction: compile("TransactionNotification"),
            bodies: RecentBodies::default(),
        }
    }

    fn schema(&self, resource: Resource) -> &RequestSchema {
        match resource {
            Resource::Counterparty => &self.counterparty,
            Resource::Customer => &self.customer,
            Resource::Transaction => &self.transaction,
        }
    }
}

impl Outbound for ConduitOutbound {
    fn audience(&self, event_type: &str) -> Option<Audience> {
        self.event_types.get(event_type).map(|_| Audience::Owner)
    }

    fn event_types(&self) -> Vec<String> {
        CATALOGUE.iter().map(|entry| entry.name()).collect()
    }

    fn sample(&self, event_type: &str) -> Option<String> {
        self.event_types
            .get(event_type)
            .map(|found| found.sample.clone())
    }

    fn faults(&self, event_type: &str, data: Value) -> Faults {
        let mut faults = Faults::default();
        let Some(found) = self.event_types.get(event_type) else {
            faults.add("/data", "has no schema: the event type is not known");
            return faults;
        };
        if !data.is_object() {
            faults.add("/data", "must be an object");
            return faults;
        }
        // The other members are ours: any that the schema takes will do.
        let mut body = json!({
            "event": event_type, "version": "1.0", "event_timestamp": "2025-11-04T15:00:00.000Z", "event_sequence": 1,
        });
        // Moved there: the macro would copy it.
        body["data"] = data;
        faults = self.schema(found.resource).faults(&body);
        let resource = found.resource.member();
        let members = body["data"].as_object().into_iter().flatten();
        for (name, _) in members.filter(|(name, _)| *name != resource) {
            let message = format!("must not be there: the one member is `{resource}`");
            faults.add(member("/data", name), message);
        }
        faults
    }

    /// C-45 to C-47. Every webhook of Conduit has a secret (C-10). If one had none, its deliveries would go out without a signature and
    /// its receiver would refuse them, which shows in their attempts.
    fn request(&self, due: &DueDelivery, now: Timestamp) -> OutboundRequest {
        let body = self.bodies.of(&due.event);
        let timestamp = now.as_second().to_string();
        let mut headers = Vec::with_capacity(MOST_HEADERS);
        headers.extend([
            RequestHeader::plain("content-type", "application/json"),
            RequestHeader::plain("user-agent", USER_AGENT),
        ]);
        if let Some(secret) = &due.target.signing_secret {
            let signature = signature::sign(secret, &timestamp, &body);
            headers.push(RequestHeader::plain("conduit-signature", signature));
        }
        headers.push(RequestHeader::plain(
            "conduit-signature-timestamp",
            timestamp,
        ));
        headers.push(RequestHeader::plain(
            "conduit-webhook-idempotency-key",
            due.id.to_string(),
        ));
        OutboundRequest { headers, body }
    }

    fn body(&self, event: &Event, _: Uuid) -> Vec<u8> {
        payload::compose(event)
    }

    /// C-46: the timestamp, a dot, the body.
    fn signed_bytes(&self, headers: &[SentHeader], body: &[u8]) -> Option<Vec<u8>> {
        sent(headers, "conduit-signature")?;
        let timestamp = sent(headers, "conduit-signature-timestamp")?;
        Some([timestamp.as_bytes(), b".", body].concat())
    }

    fn retry_at(
        &self,
        due: &DueDelivery,
        outcome: &Outcome,
        now: Timestamp,
        jitter: f64,
    ) -> Option<Timestamp> {
        retry::retry_at(
            due.scheduled_attempt(),
            due.first_attempt_at,
            outcome,
            now,
            jitter,
        )
    }

    fn gives_up_at(&self, first_attempt_at: Timestamp) -> Timestamp {
        retry::gives_up_at(first_attempt_at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jsonschema::Validator;

    use super::super::NAME;
    use super::*;
    use crate::domain::Secret;
    use crate::http::compact;
    use crate::provider::fixtures::{Random, api, due, header, text_of};

    const COMPLETED: &str = "transaction.completed";

    fn document() -> &'static Value {
        &api(NAME).document
    }

    fn outbound() -> &'static dyn Outbound {
        &*api(NAME).outbound
    }

    fn faults(event_type: &str, data: &Value) -> Vec<(String, String)> {
        let faults = outbound().faults(event_type, data.clone());
        let mut found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.pointer.clone(), fault.message.clone()))
            .collect();
        found.sort();
        found
    }

    /// The schema of the whole body, as the emitted document gives it for this event type.
    fn webhook_schema(event_type: &str) -> Validator {
        let content = "post/requestBody/content/application~1json/schema";
        let pointer = format!("/webhooks/{event_type}/{content}");
        let mut schema = document().pointer(&pointer).unwrap().clone();
        schema["components"] = document()["components"].clone();
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap()
    }

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_event_is_for_every_webhook_of_its_owner() {
        // C-40.
        for entry in &CATALOGUE {
            assert_eq!(outbound().audience(&entry.name()), Some(Audience::Owner));
        }
        for unknown in [
            "",
            "customer.failed_to_create",
            "Customer.active",
            "BoxCredited",
        ] {
            assert_eq!(outbound().audience(unknown), None);
            assert_eq!(outbound().sample(unknown), None);
        }
    }

    #[test]
    fn every_sample_is_without_fault_and_makes_the_body_that_the_document_shows() {
        for entry in &CATALOGUE {
            let name = entry.name();
            let sample = outbound().sample(&name).unwrap();
            assert_eq!(compact(&sample), sample, "{name}");
            assert_eq!(faults(&name, &value(&sample)), [], "{name}");

            let operation = &document()["webhooks"][&name]["post"];
            let content = &operation["requestBody"]["content"]["application/json"];
            let shown = &content["examples"]["sample"]["value"];
            let mut delivery = due(NAME, &name, &sample);
            let event = Arc::make_mut(&mut delivery.event);
            event.created_at = shown["event_timestamp"].as_str().unwrap().parse().unwrap();
            event.sequence = shown["event_sequence"].as_u64().unwrap();
            let body = outbound().request(&delivery, delivery.due_at).body;
            // C-48 determines all of it, the order of the members too.
            assert_eq!(text_of(&body), shown.to_string(), "{name}");

            let validator = webhook_schema(&name);
            assert!(validator.is_valid(&value(text_of(&body))), "{name}");
        }
    }

    #[test]
    fn a_request_has_the_documented_headers_and_a_signature_of_what_is_sent() {
        let mut delivery = due(NAME, COMPLETED, r#"{"transaction":{"id":"trxn_1"}}"#);
        std::sync::Arc::make_mut(&mut delivery.target).signing_secret =
            Some(Secret::new("test_secret_key"));
        std::sync::Arc::make_mut(&mut delivery.target).authorization =
            Some(Secret::new("not of Conduit"));
        let now: Timestamp = "2025-11-04T15:40:00.999Z".parse().unwrap();
        let request = outbound().request(&delivery, now);
        assert_eq!(
            text_of(&request.body),
            r#"{"event":"transaction.completed","version":"1.0","event_timestamp":"2025-11-04T15:05:00.000Z","event_sequence":15,"data":{"transaction":{"id":"trxn_1"}}}"#
        );
        let names: Vec<_> = request.headers.iter().map(|header| header.name).collect();
        let expected = [
            "content-type",
            "user-agent",
            "conduit-signature",
            "conduit-signature-timestamp",
            "conduit-webhook-idempotency-key",
        ];
        assert_eq!(names, expected);
        assert!(request.headers.iter().all(|header| !header.secret));
        assert_eq!(header(&request, "content-type"), Some("application/json"));
        assert_eq!(
            header(&request, "user-agent"),
            Some(concat!("truehook/", env!("CARGO_PKG_VERSION")))
        );
        assert_eq!(
            header(&request, "conduit-signature-timestamp"),
            Some("1762270800")
        );
        assert_eq!(
            header(&request, "conduit-webhook-idempotency-key"),
            Some(delivery.id.to_string().as_str())
        );
        let signature =
            signature::sign(&Secret::new("test_secret_key"), "1762270800", &request.body);
        assert_eq!(
            header(&request, "conduit-signature"),
            Some(signature.as_str())
        );
    }

    #[test]
    fn attempts_differ_in_time_and_signature_only() {
        // C-46, C-47, C-50.
        let mut delivery = due(NAME, COMPLETED, "{}");
        std::sync::Arc::make_mut(&mut delivery.target).signing_secret = Some(Secret::new("s"));
        let first = outbound().request(&delivery, delivery.due_at);
        delivery.attempt = 2;
        let second = outbound().request(
            &delivery,
            delivery.due_at + jiff::SignedDuration::from_mins(1),
        );
        assert_eq!(first.body, second.body);
        for (one, other) in first.headers.iter().zip(&second.headers) {
            let fresh = ["conduit-signature", "conduit-signature-timestamp"].contains(&one.name);
            assert_eq!(one != other, fresh, "{one:?}");
        }
    }

    #[test]
    fn a_time_is_cut_to_milliseconds_and_written_in_utc() {
        // C-49.
        let mut delivery = due(NAME, COMPLETED, "{}");
        for (time, written) in [
            ("2025-11-04T15:05:00Z", "2025-11-04T15:05:00.000Z"),
            ("2025-11-04T15:05:00.999999Z", "2025-11-04T15:05:00.999Z"),
            ("2025-11-04T17:05:00.12+02:00", "2025-11-04T15:05:00.120Z"),
        ] {
            Arc::make_mut(&mut delivery.event).created_at = time.parse().unwrap();
            let body = outbound().request(&delivery, delivery.due_at).body;
            assert!(text_of(&body).contains(&format!("\"event_timestamp\":\"{written}\"")));
        }
    }

    #[test]
    fn a_webhook_without_a_secret_gets_no_signature() {
        let mut delivery = due(NAME, COMPLETED, "{}");
        std::sync::Arc::make_mut(&mut delivery.target).signing_secret = None;
        let request = outbound().request(&delivery, delivery.due_at);
        assert_eq!(header(&request, "conduit-signature"), None);
        assert!(header(&request, "conduit-signature-timestamp").is_some());
    }

    #[test]
    fn what_was_published_arrives_token_by_token() {
        let mut random = Random::from_seed(0x00c0_4d17);
        for _ in 0..1_000 {
            let tokens = random.object_tokens();
            let published = random.spaced(&tokens);
            serde_json::from_str::<serde::de::IgnoredAny>(&published).unwrap();
            let delivery = due(NAME, COMPLETED, &compact(&published));
            let body = outbound().request(&delivery, delivery.due_at).body;
            let expected = format!(
                "{{\"event\":\"transaction.completed\",\"version\":\"1.0\",\"event_timestamp\":\"2025-11-04T15:05:00.000Z\",\
                 \"event_sequence\":15,\"data\":{}}}",
                tokens.concat()
            );
            assert_eq!(text_of(&body), expected);
        }
    }

    #[test]
    fn every_fault_is_named_at_its_place_in_data() {
        let mut data = value(&outbound().sample(COMPLETED).unwrap());
        data["transaction"]["status"] = json!("completed");
        data["transaction"]["source"]["amount"]["amount"] = json!("1.5");
        data["transaction"]["purpose"] = json!(1);
        data["transaction"]["createdAt"] = json!("yesterday");
        data["transaction"]
            .as_object_mut()
            .unwrap()
            .shift_remove("id");
        data["a/b~c"] = json!(null);
        let found = faults(COMPLETED, &data);
        let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        let expected = [
            "/data/a~1b~0c",
            "/data/transaction/createdAt",
            "/data/transaction/id",
            "/data/transaction/purpose",
            "/data/transaction/source/amount/amount",
            "/data/transaction/status",
        ];
        assert_eq!(pointers, expected);
        assert_eq!(
            found[0].1,
            "must not be there: the one member is `transaction`"
        );
        assert_eq!(found[2].1, "is required");
        assert_eq!(found[3].1, "must be a string or null");
    }

    #[test]
    fn data_is_an_object_with_the_resource_as_its_one_member() {
        // C-52.
        let fault = |pointer: &str, message: &str| vec![(pointer.to_owned(), message.to_owned())];
        for data in [json!(null), json!([]), json!("x"), json!(1)] {
            assert_eq!(
                faults(COMPLETED, &data),
                fault("/data", "must be an object")
            );
        }
        assert_eq!(
            faults(COMPLETED, &json!({})),
            fault("/data/transaction", "is required")
        );
        assert_eq!(
            faults(COMPLETED, &json!({ "transaction": 1 })),
            fault("/data/transaction", "must be an object")
        );
        assert_eq!(
            faults("customer.failed_to_create", &json!({})),
            fault("/data", "has no schema: the event type is not known")
        );
        // The resource may have further members (C-54).
        assert_eq!(
            faults(
                COMPLETED,
                &json!({ "transaction": { "id": "t", "status": "COMPLETED", "new": [1] } })
            ),
            []
        );
    }

    #[test]
    fn a_thousand_bad_payloads_have_faults_below_data() {
        let mut random = Random::from_seed(0x0bad_c0de);
        for number in 0..1_000 {
            let entry = random.pick(&CATALOGUE);
            let (name, resource) = (entry.name(), entry.resource.member());
            let mut data = value(&outbound().sample(&name).unwrap());
            match number % 5 {
                0 => data = random.value_but_object(),
                1 => drop(data.as_object_mut().unwrap().shift_remove(resource)),
                2 => {
                    let required = random.pick(&["id", "status"]);
                    data[resource]
                        .as_object_mut()
                        .unwrap()
                        .shift_remove(*required);
                }
                3 => data[random.name().as_str()] = random.value(3),
                _ => random.spoil(&mut data[resource]),
            }
            let found = faults(&name, &data);
            assert!(!found.is_empty(), "{name}: {data}");
            for (pointer, _) in found {
                assert!(
                    pointer == "/data" || pointer.starts_with("/data/"),
                    "{name}: {pointer}"
                );
            }
        }
    }

    #[test]
    fn payloads_have_faults_where_the_document_refuses_the_body_and_only_there() {
        let mut random = Random::from_seed(0x0a11);
        let mut judged = [0, 0];
        for entry in &CATALOGUE {
            let (name, resource) = (entry.name(), entry.resource.member());
            let sample = outbound().sample(&name).unwrap();
            let validator = webhook_schema(&name);
            for number in 0..40 {
                let mut data = value(&sample);
                match number % 4 {
                    0 => data[resource] = random.value(4),
                    1 => random.spoil(&mut data[resource]),
                    2 => data[resource][random.name().as_str()] = random.value(2),
                    _ => random.leave_out(&mut data[resource]),
                }
                let delivery = due(NAME, &name, &data.to_string());
                let body = outbound().request(&delivery, delivery.due_at).body;
                let found = faults(&name, &data);
                let valid = validator.is_valid(&value(text_of(&body)));
                assert_eq!(found.is_empty(), valid, "{name}: {data}");
                let pointer = format!("/data/{resource}");
                for (at, _) in &found {
                    assert!(at.starts_with(&pointer), "{name}: {at}");
                }
                judged[usize::from(valid)] += 1;
            }
        }
        assert!(judged.iter().all(|count| *count > 100), "{judged:?}");
    }

    #[test]
    fn retries_count_from_the_first_attempt_by_the_number_of_this_one() {
        let mut delivery = due(NAME, COMPLETED, "{}");
        delivery.attempt = 3;
        let first = delivery.first_attempt_at;
        let minutes = |count| first + jiff::SignedDuration::from_mins(count);
        let retry_at = outbound().retry_at(
            &delivery,
            &Outcome::TimedOut { status: None },
            minutes(4),
            0.0,
        );
        assert_eq!(retry_at, Some(minutes(8)));
        assert_eq!(outbound().gives_up_at(first), minutes(25 * 60));
    }
}
