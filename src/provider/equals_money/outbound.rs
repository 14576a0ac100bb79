//! Outbound: what the rest of the server asks about the webhooks we send.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::catalogue::{CATALOGUE, Entry, Payload};
use super::{payload, retry, signature};
use crate::domain::{Audience, DueDelivery, Event, Outcome, SentHeader};
use crate::http::{Faults, RequestSchema, member};
use crate::openapi::sample;
use crate::provider::{MOST_HEADERS, Outbound, OutboundRequest, RequestHeader, USER_AGENT, sent};

/// The webhooks that Equals Money sends.
pub(super) struct EqualsMoneyOutbound {
    event_types: HashMap<String, EventType>,
    // Schemas of `body`. Event types with the same payload differ in `webhookEventTypeName` alone, which is ours: they share one.
    account_created: RequestSchema,
    account_activated: RequestSchema,
    identity_verification: RequestSchema,
    unknown: RequestSchema,
}

struct EventType {
    audience: Audience,
    sample: String,
    payload: Payload,
}

impl EventType {
    fn of(entry: &Entry, document: &Value) -> Self {
        let mut body = sample(document, &entry.name.as_str())["body"].clone();
        if let Value::Object(members) = &mut body {
            members.retain(|name, _| !payload::ADDED.contains(&name.as_str()));
        }
        Self {
            audience: entry.audience(),
            sample: body.to_string(),
            payload: entry.payload,
        }
    }
}

impl EqualsMoneyOutbound {
    /// Compiles the schemas of payloads that the emitted document has.
    pub(super) fn new(document: &Value) -> Self {
        let event_types = CATALOGUE.iter();
        let compile = |name| RequestSchema::compile(document, name, &[]);
        Self {
            event_types: event_types
                .map(|entry| (entry.name.as_str(), EventType::of(entry, document)))
                .collect(),
            account_created: compile("AccountCreatedPayload"),
            account_activated: compile("AccountActivatedPayload"),
            identity_verification: compile("IdentityVerificationRequestPayload"),
            unknown: compile("NotificationPayload"),
        }
    }

    fn schema(&self, payload: Payload) -> &RequestSchema {
        match payload {
            Payload::AccountCreated => &self.account_created,
            Payload::AccountActivated => &self.account_activated,
            Payload::IdentityVerificationRequest => &self.identity_verification,
            Payload::Unknown => &self.unknown,
        }
    }
}

impl Outbound for EqualsMoneyOutbound {
    fn audience(&self, event_type: &str) -> Option<Audience> {
        self.event_types.get(event_type).map(|found| found.audience)
    }

    fn event_types(&self) -> Vec<String> {
        let names = CATALOGUE.iter().map(|entry| entry.name.as_str().to_owned());
        names.collect()
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
        let Value::Object(mut body) = data else {
            faults.add("/data", "must be an object");
            return faults;
        };
        let given = payload::ADDED.map(|name| body.contains_key(name));
        // The members that the server adds: any message id will do.
        let message_id = "00000000-0000-4000-8000-000000000000";
        for (name, value) in payload::ADDED.iter().zip([message_id, event_type]) {
            body.insert((*name).to_owned(), json!(value));
        }
        faults = self
            .schema(found.payload)
            .faults(&Value::Object(body))
            .below("/data");
        for (name, is_given) in payload::ADDED.into_iter().zip(given) {
            if is_given {
                faults.add(member("/data", name), "is set by the server");
            }
        }
        faults
    }

    /// E-49 to E-53.
    fn request(&self, due: &DueDelivery, _now: Timestamp) -> OutboundRequest {
        let body = payload::compose(&due.event, due.id);
        let mut headers = Vec::with_capacity(MOST_HEADERS);
        headers.extend([
            RequestHeader::plain("content-type", "application/json"),
            RequestHeader::plain("user-agent", USER_AGENT),
        ]);
        if let Some(secret) = &due.target.signing_secret {
            let signature = signature::sign(secret, &body);
            headers.push(RequestHeader::plain("x-em-signature", signature));
        }
        if let Some(authorization) = &due.target.authorization {
            headers.push(RequestHeader::secret("authorization", authorization));
        }
        OutboundRequest {
            headers,
            body: body.into(),
        }
    }

    fn body(&self, event: &Event, delivery: Uuid) -> Vec<u8> {
        payload::compose(event, delivery)
    }

    /// E-51: the body alone.
    fn signed_bytes(&self, headers: &[SentHeader], body: &[u8]) -> Option<Vec<u8>> {
        sent(headers, "x-em-signature").map(|_| body.to_vec())
    }

    fn retry_at(
        &self,
        due: &DueDelivery,
        _outcome: &Outcome,
        now: Timestamp,
        _jitter: f64,
    ) -> Option<Timestamp> {
        retry::retry_at(due.first_attempt_at, now)
    }

    fn gives_up_at(&self, first_attempt_at: Timestamp) -> Timestamp {
        retry::gives_up_at(first_attempt_at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jsonschema::Validator;

    use super::super::NAME;
    use super::*;
    use crate::domain::Secret;
    use crate::http::compact;
    use crate::provider::fixtures::{Random, api, due, header, text_of};

    const SECRET: &str = "123e4567-e89b-12d3-a456-426614174000";

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

    fn body_of(due: &DueDelivery) -> Vec<u8> {
        outbound().request(due, due.due_at).body.to_vec()
    }

    #[test]
    fn the_events_of_onboarding_are_of_the_platform_and_the_others_of_an_account() {
        // E-25, E-59.
        let onboarding = [
            "AccountActivated",
            "IdentityVerificationRequest",
            "KycInformationRequested",
            "KybInformationRequested",
            "ApplicationStatusUpdated",
            "AccountStatusUpdated",
        ];
        for entry in &CATALOGUE {
            let name = entry.name.as_str();
            let expected = if onboarding.contains(&name.as_str()) {
                Audience::Platform
            } else {
                Audience::Account
            };
            assert_eq!(outbound().audience(&name), Some(expected), "{name}");
        }
        for unknown in [
            "",
            "boxCredited",
            "KybInformationRequest",
            "customer.created",
        ] {
            assert_eq!(outbound().audience(unknown), None);
            assert_eq!(outbound().sample(unknown), None);
        }
    }

    #[test]
    fn every_sample_is_without_fault_and_makes_the_body_that_the_document_shows() {
        for entry in &CATALOGUE {
            let name = entry.name.as_str();
            let sample = outbound().sample(&name).unwrap();
            assert_eq!(compact(&sample), sample, "{name}");
            assert_eq!(faults(&name, &value(&sample)), [], "{name}");

            let operation = &document()["webhooks"][&name]["post"];
            let content = &operation["requestBody"]["content"]["application/json"];
            let shown = &content["examples"]["sample"]["value"];
            let mut delivery = due(NAME, &name, &sample);
            delivery.id = shown["body"]["messageId"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            let body = body_of(&delivery);
            // E-50 and E-61 determine all of it, the order of the members too.
            assert_eq!(text_of(&body), shown.to_string(), "{name}");

            let validator = webhook_schema(&name);
            assert!(validator.is_valid(&value(text_of(&body))), "{name}");
        }
    }

    #[test]
    fn the_body_of_the_page_is_composed_byte_by_byte_and_signed() {
        // "About event types", older revision; the signature is the contract's test vector.
        let data = r#"{"accountId":"F12345","customerId":"123456789","eventTime":"2023-05-31T15:59:17.613Z","status":"applicationPending","type":"Business"}"#;
        let mut delivery = due(NAME, "AccountCreated", data);
        delivery.id = "0473b4d0-2f69-4bc5-ab7b-94589a4e48ba".parse().unwrap();
        std::sync::Arc::make_mut(&mut delivery.target).signing_secret = Some(Secret::new(SECRET));
        let request = outbound().request(&delivery, delivery.due_at);
        assert_eq!(
            text_of(&request.body),
            r#"{"body":{"accountId":"F12345","customerId":"123456789","eventTime":"2023-05-31T15:59:17.613Z","status":"applicationPending","type":"Business","messageId":"0473b4d0-2f69-4bc5-ab7b-94589a4e48ba","webhookEventTypeName":"AccountCreated"}}"#
        );
        assert_eq!(
            header(&request, "x-em-signature"),
            Some("ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes=")
        );
    }

    #[test]
    fn an_event_without_members_has_those_that_every_payload_has() {
        let mut delivery = due(NAME, "BoxCredited", "{}");
        delivery.id = "86ac7bc5-729f-4e14-bb7c-d907892120dd".parse().unwrap();
        assert_eq!(
            text_of(&body_of(&delivery)),
            r#"{"body":{"messageId":"86ac7bc5-729f-4e14-bb7c-d907892120dd","webhookEventTypeName":"BoxCredited"}}"#
        );
    }

    #[test]
    fn signature_and_authorization_are_sent_only_where_they_are_set() {
        // E-49, E-53: verbatim, the trailing space of the reference too.
        let mut delivery = due(NAME, "BoxCredited", "{}");
        std::sync::Arc::make_mut(&mut delivery.target).signing_secret = None;
        std::sync::Arc::make_mut(&mut delivery.target).authorization = None;
        let bare = outbound().request(&delivery, delivery.due_at);
        let names: Vec<_> = bare.headers.iter().map(|header| header.name).collect();
        assert_eq!(names, ["content-type", "user-agent"]);
        assert_eq!(header(&bare, "content-type"), Some("application/json"));
        assert_eq!(
            header(&bare, "user-agent"),
            Some(concat!("truehook/", env!("CARGO_PKG_VERSION")))
        );

        let authorization = "Basic AXVubzpwQDU1dzByYM== ";
        std::sync::Arc::make_mut(&mut delivery.target).signing_secret = Some(Secret::new(SECRET));
        std::sync::Arc::make_mut(&mut delivery.target).authorization =
            Some(Secret::new(authorization));
        let full = outbound().request(&delivery, delivery.due_at);
        assert_eq!(header(&full, "x-em-signature").unwrap().len(), 44);
        assert_eq!(header(&full, "authorization"), Some(authorization));
        let secret: Vec<_> = full
            .headers
            .iter()
            .filter(|header| header.secret)
            .map(|header| header.clone().shown())
            .collect();
        assert_eq!(secret, [("authorization".into(), "[redacted]".into())]);
        assert!(!format!("{full:?}").contains("AXVubzpwQDU1dzByYM"));
        assert_eq!(full.body, bare.body);
    }

    #[test]
    fn every_attempt_is_the_same_request() {
        // E-51, E-63.
        let mut delivery = due(NAME, "BoxCredited", r#"{"a":1}"#);
        std::sync::Arc::make_mut(&mut delivery.target).signing_secret = Some(Secret::new(SECRET));
        let first = outbound().request(&delivery, delivery.due_at);
        delivery.attempt = 4_033;
        let later = delivery.due_at + Duration::from_hours(336);
        assert_eq!(outbound().request(&delivery, later), first);
    }

    #[test]
    fn what_was_published_arrives_token_by_token() {
        let mut random = Random::from_seed(0x00e0_a15e);
        for _ in 0..1_000 {
            let tokens = random.object_tokens();
            let published = random.spaced(&tokens);
            serde_json::from_str::<serde::de::IgnoredAny>(&published).unwrap();
            let delivery = due(NAME, "BoxCredited", &compact(&published));
            let mut expected = vec!["{\"body\":".to_owned()];
            expected.extend_from_slice(&tokens[..tokens.len() - 1]);
            if tokens.len() > 2 {
                expected.push(",".to_owned());
            }
            expected.push(format!(
                "\"messageId\":\"{}\",\"webhookEventTypeName\":\"BoxCredited\"}}}}",
                delivery.id
            ));
            assert_eq!(text_of(&body_of(&delivery)), expected.concat());
        }
    }

    #[test]
    fn every_fault_is_named_at_its_place_in_data() {
        let data = json!({
            "messageId": "mine", "details": { "name": 1 }, "status": "closed", "type": "business", "marketId": "m".repeat(37),
            "settlementDetails": [{}, 1], "webhookEventTypeName": "AccountActivated", "a/b~c": null,
        });
        let expected = [
            ("/data/details/name", "must be a string"),
            ("/data/marketId", "must have at most 36 characters"),
            ("/data/messageId", "is set by the server"),
            ("/data/settlementDetails/1", "must be an object"),
            ("/data/status", "must be one of [\"active\"]"),
            ("/data/type", "must be one of [\"Business\",\"Personal\"]"),
            ("/data/webhookEventTypeName", "is set by the server"),
        ];
        assert_eq!(
            faults("AccountActivated", &data),
            expected.map(|(pointer, message)| (pointer.to_owned(), message.to_owned()))
        );
    }

    #[test]
    fn data_is_an_object_with_members_of_any_name_where_none_are_documented() {
        // E-61.
        for data in [json!(null), json!([]), json!("x"), json!(1)] {
            assert_eq!(
                faults("BoxCredited", &data),
                [("/data".to_owned(), "must be an object".to_owned())]
            );
        }
        for data in [json!({}), json!({ "accountId": 1, "": null, "body": {} })] {
            assert_eq!(faults("BoxCredited", &data), []);
        }
        assert_eq!(
            faults("RecipientUpdated", &json!({})),
            [(
                "/data".to_owned(),
                "has no schema: the event type is not known".to_owned()
            )]
        );
    }

    #[test]
    fn a_thousand_bad_payloads_have_faults_below_data() {
        let mut random = Random::from_seed(0x0bad_c0de);
        let documented: Vec<_> = CATALOGUE
            .iter()
            .filter(|entry| entry.payload != Payload::Unknown)
            .collect();
        for number in 0..1_000 {
            let entry = match number % 3 {
                2 => *random.pick(&documented),
                _ => random.pick(&CATALOGUE),
            };
            let name = entry.name.as_str();
            let mut data = value(&outbound().sample(&name).unwrap());
            match number % 3 {
                0 => data = random.value_but_object(),
                1 => data[*random.pick(&payload::ADDED)] = random.value(3),
                _ => {
                    let members = data.as_object_mut().unwrap();
                    let names: Vec<String> = members.keys().cloned().collect();
                    let name = random.pick(&names);
                    random.spoil(&mut members[name.as_str()]);
                }
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
            let name = entry.name.as_str();
            let sample = outbound().sample(&name).unwrap();
            let validator = webhook_schema(&name);
            for number in 0..40 {
                let mut data = value(&sample);
                match number % 4 {
                    0 => data["details"] = random.value(3),
                    1 => data["status"] = random.value(1),
                    2 => data[random.name().as_str()] = random.value(2),
                    _ => random.leave_out(&mut data),
                }
                let body = body_of(&due(NAME, &name, &data.to_string()));
                let found = faults(&name, &data);
                let valid = validator.is_valid(&value(text_of(&body)));
                assert_eq!(found.is_empty(), valid, "{name}: {data}");
                for (at, _) in &found {
                    assert!(at.starts_with("/data/"), "{name}: {at}");
                }
                judged[usize::from(valid)] += 1;
            }
        }
        assert!(judged[0] > 20 && judged[1] > 100, "{judged:?}");
    }

    #[test]
    fn neither_jitter_nor_retry_after_nor_the_kind_of_failure_moves_the_documented_interval() {
        let mut delivery = due(NAME, "BoxCredited", "{}");
        delivery.attempt = 2;
        let first = delivery.first_attempt_at;
        let answered = |status| Outcome::Answered {
            status,
            retry_after: Some(Duration::from_hours(1)),
        };
        for outcome in [
            answered(429),
            answered(503),
            answered(302),
            Outcome::TimedOut { status: None },
            Outcome::Refused("no".into()),
            Outcome::failed("no"),
        ] {
            for jitter in [0.0, 0.5, 1.0] {
                let now = first + Duration::from_secs(310);
                assert_eq!(
                    outbound().retry_at(&delivery, &outcome, now, jitter),
                    Some(first + Duration::from_secs(600))
                );
            }
        }
        assert_eq!(
            outbound().gives_up_at(first),
            first + Duration::from_hours(337)
        );
    }
}
