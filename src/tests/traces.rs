//! Traces, as a collector gets them: what is one trace, what is told, and that nothing waits for the collector.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use serde_json::{Value, json};

use super::app::{Client, TestApp};
use super::delivering::{
    accepted, conduit_event, conduit_signature, conduit_webhook, delivery_of, delivery_when,
    equals_event, equals_webhook, publish, recorded, until,
};
use super::receiver::{Receiver, Reply};
use super::shape::create_equals;
use crate::config::Tracing;

const PUBLISHER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PUBLISHER_SPAN: &str = "00f067aa0ba902b7";

/// A span as the collector got it.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    name: String,
    kind: i32,
    trace: String,
    id: String,
    parent: String,
    failed: bool,
    attributes: BTreeMap<String, String>,
}

async fn traced(collector: &Receiver, send_traceparent: bool) -> TestApp {
    let endpoint = collector.url.clone();
    TestApp::start_with(|config| {
        config.tracing = Some(Tracing {
            traces_url: format!("{endpoint}/v1/traces").parse().unwrap(),
            send_traceparent,
        });
    })
    .await
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &any_value::Value| match value {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let all = all.iter().map(|attribute| {
        let value = attribute.value.as_ref().unwrap().value.as_ref().unwrap();
        (attribute.key.clone(), text(value))
    });
    all.collect()
}

fn spans(collector: &Receiver) -> Vec<Span> {
    let mut found = Vec::new();
    for received in collector.received() {
        assert_eq!(received.path, "/v1/traces");
        assert_eq!(
            received.header("content-type"),
            Some("application/x-protobuf")
        );
        let request = ExportTraceServiceRequest::decode(received.body.as_slice()).unwrap();
        for of_resource in request.resource_spans {
            let resource = attributes(&of_resource.resource.unwrap().attributes);
            assert_eq!(resource["service.name"], "truehook");
            let all = of_resource.scope_spans.into_iter();
            found.extend(all.flat_map(|scope| scope.spans).map(|span| Span {
                name: span.name,
                kind: span.kind,
                trace: HEXLOWER.encode(&span.trace_id),
                id: HEXLOWER.encode(&span.span_id),
                parent: HEXLOWER.encode(&span.parent_span_id),
                failed: span.status.is_some_and(|status| status.code == 2),
                attributes: attributes(&span.attributes),
            }));
        }
    }
    found
}

/// The spans of this kind, once there are so many of them.
async fn spans_of(collector: &Receiver, kind: SpanKind, count: usize) -> Vec<Span> {
    until(async || {
        let mut found = spans(collector);
        found.retain(|span| span.kind == kind as i32);
        if found.len() >= count {
            Ok(found)
        } else {
            Err(json!(format!("{found:?}")))
        }
    })
    .await
}

fn traced_publisher(app: &TestApp, flags: &str) -> Client {
    let traceparent = format!("00-{PUBLISHER_TRACE}-{PUBLISHER_SPAN}-{flags}");
    app.operator().with_header("traceparent", &traceparent)
}

fn sent_headers(delivery: &Value) -> Vec<String> {
    let headers = delivery["attempts"][0]["requestHeaders"]
        .as_array()
        .unwrap();
    let shown = headers.iter().map(|header| {
        let text = |name: &str| header[name].as_str().unwrap();
        format!("{}: {}", text("name"), text("value"))
    });
    shown.collect()
}

#[actix_web::test]
async fn a_publication_and_its_attempts_are_one_trace_that_goes_on_from_the_publisher() {
    let (collector, receiver) = (Receiver::start(), Receiver::start());
    let app = traced(&collector, false).await;
    let webhook = conduit_webhook(&app, &receiver.url).await;
    let told = publish(&traced_publisher(&app, "01"), conduit_event()).await;
    let delivery = delivery_of(&app.operator(), &told).await;
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("traceparent"), None);

    let request = spans_of(&collector, SpanKind::Server, 1).await.remove(0);
    let publication = spans_of(&collector, SpanKind::Producer, 1).await.remove(0);
    let attempt = spans_of(&collector, SpanKind::Client, 1).await.remove(0);
    for span in [&request, &publication, &attempt] {
        assert_eq!(span.trace, PUBLISHER_TRACE, "{span:?}");
        assert!(!span.failed, "{span:?}");
    }
    assert_eq!(request.parent, PUBLISHER_SPAN);
    assert_eq!(publication.parent, request.id);
    assert_eq!(attempt.parent, publication.id);

    assert_eq!(request.name, "POST /operator/v1/events");
    assert_eq!(request.attributes["http.response.status_code"], "202");
    assert_eq!(publication.name, "publish event");
    assert_eq!(publication.attributes["truehook.deliveries"], "1");
    let port = receiver.url.rsplit(':').next().unwrap();
    let url = format!("{}/", receiver.url);
    let expected = [
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
        ("server.port", port),
        ("truehook.attempt", "1"),
        ("truehook.delivery.id", &delivery),
        ("truehook.event.id", told["id"].as_str().unwrap()),
        ("truehook.event.type", "transaction.completed"),
        ("truehook.provider", "conduit"),
        ("truehook.webhook.id", &webhook),
        ("url.full", &url),
        ("url.scheme", "http"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(attempt.name, "POST");
    assert_eq!(attempt.attributes, BTreeMap::from(expected));
}

#[actix_web::test]
async fn what_is_no_traceparent_is_ignored() {
    let collector = Receiver::start();
    let app = traced(&collector, false).await;
    let malformed = format!("00-{PUBLISHER_TRACE}-{PUBLISHER_SPAN}-01-more");
    let client = app.operator().with_header("traceparent", &malformed);
    publish(&client, conduit_event()).await;
    let request = spans_of(&collector, SpanKind::Server, 1).await.remove(0);
    assert_eq!(request.parent, "");
    assert_ne!(request.trace, PUBLISHER_TRACE);
}

#[actix_web::test]
async fn later_attempts_are_children_of_the_publication_even_after_a_restart() {
    let (collector, receiver) = (Receiver::start(), Receiver::start());
    let app = traced(&collector, false).await;
    equals_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::status(503)]);
    let told = publish(&app.operator(), equals_event()).await;
    let id = delivery_of(&app.operator(), &told).await;
    delivery_when(&app.operator(), &id, recorded(1)).await;
    // A graceful stop sends what was not sent yet.
    let app = app.restart().await;
    assert_eq!(spans(&collector).len(), 3);
    let retry = format!("/deliveries/{id}/retry");
    accepted(&app.operator().send("POST", &retry, None, b"").await, 202);

    let attempts = spans_of(&collector, SpanKind::Client, 2).await;
    let publication = spans_of(&collector, SpanKind::Producer, 1).await.remove(0);
    for (number, attempt) in attempts.iter().enumerate() {
        assert_eq!(
            attempt.attributes["truehook.attempt"],
            (number + 1).to_string()
        );
        assert_eq!(
            (&attempt.trace, &attempt.parent),
            (&publication.trace, &publication.id)
        );
    }
    assert_ne!(attempts[0].id, attempts[1].id);
    let failed = &attempts[0];
    assert!(failed.failed && !attempts[1].failed);
    assert_eq!(failed.attributes["error.type"], "503");
    assert_eq!(failed.attributes["http.response.status_code"], "503");
}

#[actix_web::test]
async fn without_an_endpoint_nothing_is_traced() {
    let receiver = Receiver::start();
    let app = TestApp::start().await;
    conduit_webhook(&app, &receiver.url).await;
    let told = publish(&traced_publisher(&app, "01"), conduit_event()).await;
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("traceparent"), None);
    let stored = app.store.event(told["id"].as_str().unwrap().to_owned());
    assert_eq!(stored.await.unwrap().unwrap().event.trace, None);
}

#[actix_web::test]
async fn a_receiver_is_told_of_its_attempt_where_that_is_configured() {
    let (collector, receiver) = (Receiver::start(), Receiver::start());
    let app = traced(&collector, true).await;
    let webhook = conduit_webhook(&app, &receiver.url).await;
    let told = publish(&app.operator(), conduit_event()).await;
    let received = receiver.wait_for(1).await.remove(0);
    let attempt = spans_of(&collector, SpanKind::Client, 1).await.remove(0);
    let expected = format!("00-{}-{}-01", attempt.trace, attempt.id);
    assert_eq!(received.header("traceparent"), Some(expected.as_str()));
    // It is kept like any other header, and no part of what is signed.
    let id = delivery_of(&app.operator(), &told).await;
    let delivery = delivery_when(&app.operator(), &id, recorded(1)).await;
    let shown = format!("traceparent: {expected}");
    assert!(sent_headers(&delivery).contains(&shown), "{delivery}");
    let webhook = accepted(
        &app.conduit().get(&format!("/webhooks/{webhook}")).await,
        200,
    );
    let signature = conduit_signature(webhook["secret"].as_str().unwrap(), &received);
    assert_eq!(
        received.header("conduit-signature"),
        Some(signature.as_str())
    );
}

#[actix_web::test]
async fn what_the_publisher_does_not_record_is_not_recorded_but_goes_on() {
    let (collector, receiver) = (Receiver::start(), Receiver::start());
    let app = traced(&collector, true).await;
    conduit_webhook(&app, &receiver.url).await;
    publish(&traced_publisher(&app, "00"), conduit_event()).await;
    let received = receiver.wait_for(1).await.remove(0);
    let traceparent = received.header("traceparent").unwrap();
    assert!(
        traceparent.starts_with(&format!("00-{PUBLISHER_TRACE}-")) && traceparent.ends_with("-00"),
        "{traceparent}"
    );
    let _app = app.restart().await;
    assert_eq!(spans(&collector), []);
}

#[actix_web::test]
async fn nothing_waits_for_a_collector_that_hangs() {
    let (collector, receiver) = (Receiver::start(), Receiver::start());
    collector.reply(std::iter::repeat_n(Reply::Nothing, 1_000));
    let app = traced(&collector, false).await;
    conduit_webhook(&app, &receiver.url).await;
    // The exporter hangs before the first event is published.
    publish(&app.operator(), equals_event()).await;
    collector.wait_for(1).await;
    let started = Instant::now();
    for _ in 0..20 {
        publish(&app.operator(), conduit_event()).await;
    }
    receiver.wait_for(20).await;
    // Each would take the five seconds of an exchange with the collector.
    assert!(started.elapsed() < Duration::from_secs(20));
    let started = Instant::now();
    let _app = app.restart().await;
    assert!(started.elapsed() < Duration::from_secs(8));
}

#[actix_web::test]
async fn a_collector_that_refuses_or_talks_nonsense_changes_nothing() {
    let (collector, receiver) = (Receiver::start(), Receiver::start());
    let app = traced(&collector, false).await;
    conduit_webhook(&app, &receiver.url).await;
    let replies = [
        Reply::With(400, "no".to_owned()),
        Reply::With(200, "garbage".to_owned()),
        Reply::Redirect(receiver.url.clone()),
    ];
    let count = replies.len();
    collector.reply(replies);
    for number in 1..=count {
        publish(&app.operator(), conduit_event()).await;
        receiver.wait_for(number).await;
        collector.wait_for(number).await;
    }
    publish(&app.operator(), conduit_event()).await;
    spans_of(&collector, SpanKind::Client, count + 1).await;
    assert_eq!(
        receiver.received().len(),
        count + 1,
        "no redirect is followed"
    );
}

#[actix_web::test]
async fn nothing_secret_is_told() {
    let (collector, receiver) = (Receiver::start(), Receiver::start());
    let app = traced(&collector, true).await;
    let secret = "hunter2";
    let with_secrets = format!("{}/in?token={secret}", receiver.url);
    let webhook = json!({
        "url": with_secrets, "enabled": true, "webhookEventTypeName": "BoxCredited",
        "sharedSecret": secret, "authorizationHeader": format!("Bearer {secret}"),
    });
    create_equals(&app.equals(), webhook).await;
    receiver.reply([Reply::With(500, secret.to_owned())]);
    let client = app.operator().with_header("Idempotency-Key", secret);
    let told = publish(&client, equals_event()).await;
    let id = delivery_of(&app.operator(), &told).await;
    delivery_when(&app.operator(), &id, recorded(1)).await;
    let faulty = json!({
        "provider": "equals-money", "type": "BoxCredited", "accountId": "F1", "data": { secret: secret },
    });
    client.post("/events", faulty).await;
    let _app = app.restart().await;
    let attempt = spans_of(&collector, SpanKind::Client, 1).await.remove(0);
    assert_eq!(
        attempt.attributes["url.full"],
        format!("{}/in", receiver.url)
    );
    for received in collector.received() {
        for needle in [secret, "sandbox-operator", "token="] {
            let mut windows = received.body.windows(needle.len());
            assert!(
                !windows.any(|window| window == needle.as_bytes()),
                "{needle}"
            );
        }
    }
}
