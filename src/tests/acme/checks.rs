//! The checks that every provider has to pass: drift, the contract of wire types, replay, and deliveries to a real receiver.

use std::sync::LazyLock;

use conformance::document::Document;
use conformance::{drift, replay};
use serde_json::{Value, json};

use super::outbound::sign;
use super::{NAME, SANDBOX_OWNER, openapi, table};
use crate::provider::Settings;
use crate::server::Apis;
use crate::tests::app::{Client, TestApp};
use crate::tests::delivering::{accepted, deliveries, delivery_of, delivery_when, publish};
use crate::tests::receiver::{Receiver, Reply};
use crate::tests::schemas::assert_agreement;

static WITH_ACME: LazyLock<Apis> =
    LazyLock::new(|| Apis::build(&table(), &Settings::default()).unwrap());

fn acme(app: &TestApp) -> Client {
    app.anonymous("/acme")
        .with_header("Acme-Token", "sandbox-key")
}

fn compare(emitted: &Value) -> Vec<conformance::finding::Finding> {
    let source = Document::parse("openapi.yaml", openapi::SOURCE).unwrap();
    let emitted = Document::parse("emitted", &emitted.to_string()).unwrap();
    drift::compare(&source, &emitted, &drift::Options::default())
}

#[test]
fn the_emitted_document_does_not_drift_from_the_source_document() {
    let document = WITH_ACME.document("acme");
    assert_eq!(compare(&document), Vec::new());
    let mut other = (*document).clone();
    other["components"]["schemas"]["Parcel"]["properties"]["weight"]["minimum"] = json!(2);
    assert_ne!(compare(&other), Vec::new());
}

#[test]
fn the_wire_types_agree_with_the_document() {
    let types = crate::provider::Provider::wire_types(&super::Acme);
    assert_agreement(&WITH_ACME.document("acme"), types);
}

#[actix_web::test]
async fn the_samples_of_the_source_document_replay_clean() {
    let app = TestApp::start_with_apis(&WITH_ACME).await;
    let mut options = replay::Options::new(&app.base);
    options.headers = vec![("Acme-Token".to_owned(), "sandbox-key".to_owned())];
    let source = Document::parse("openapi.yaml", openapi::SOURCE).unwrap();
    let outcome = replay::run(&options, &source, &mut |_| {}).await.unwrap();
    assert_eq!(outcome.findings, Vec::new());
    assert!(
        outcome.checked["replayed samples"] >= 8,
        "{:?}",
        outcome.checked
    );
}

#[actix_web::test]
async fn everything_that_reads_the_table_knows_the_provider() {
    let app = TestApp::start_with_apis(&WITH_ACME).await;
    let (pages, operator) = (app.anonymous(""), app.operator());
    // Documents, Swagger UI, metrics, and what is said at other paths.
    let document = pages.get("/openapi/acme.json").await.json();
    assert_eq!(document["info"]["title"], "Acme parcels");
    let initializer = pages.get("/docs/swagger-initializer.js").await.text();
    assert!(initializer.contains("/docs/acme.json"), "{initializer}");
    let metrics = pages.get("/metrics").await.text();
    let zero = r#"truehook_events_published_total{provider="acme"} 0"#;
    assert!(metrics.contains(zero), "{metrics}");
    let elsewhere = pages.get("/nothing").await.text();
    assert!(elsewhere.contains("/acme"), "{elsewhere}");
    // Keys.
    let wanted = json!({ "provider": "acme", "name": "n" });
    let key = accepted(&operator.post("/keys", wanted).await, 201);
    let token = key["headers"]["Acme-Token"].as_str().unwrap();
    let other = app.anonymous("/acme").with_header("Acme-Token", token);
    assert_eq!(other.get("/webhooks/x").await.status, 404);
    // Publications: the members that they need and must not have.
    let event =
        json!({ "provider": "acme", "type": "parcel.sent", "accountId": "a", "clientId": "c" });
    let refused = operator.post("/events", event).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(
        refused.pointers(),
        ["/accountId", "/clientId", "/productId"]
    );
    let unknown = operator.get("/events?provider=nobody").await.text();
    let names = "must be conduit, equals-money or acme";
    assert!(unknown.contains(names), "{unknown}");
}

#[actix_web::test]
async fn an_event_reaches_its_receiver_signed_after_a_retry_by_hand() {
    let app = TestApp::start_with_apis(&WITH_ACME).await;
    let (receiver, operator) = (Receiver::start(), app.operator());
    receiver.reply([Reply::With(500, String::new())]);
    let body = json!({ "url": receiver.url, "events": ["parcel.sent"] });
    let webhook = accepted(&acme(&app).post("/webhooks", body).await, 201);
    let event = json!({
        "provider": NAME, "type": "parcel.sent", "productId": SANDBOX_OWNER, "data": { "parcel": "P-2", "weight": 5 },
    });
    let published = publish(&operator, event).await;
    assert_eq!(published["deliveries"], 1);
    let id = delivery_of(&operator, &published).await;
    // An hour from now, as the provider has it.
    delivery_when(&operator, &id, |delivery| {
        delivery["attemptCount"] == 1 && delivery["attempts"][0]["status"] == 500
    })
    .await;
    operator
        .send("POST", &format!("/deliveries/{id}/retry"), None, b"")
        .await;
    delivery_when(&operator, &id, |delivery| delivery["state"] == "delivered").await;
    let received = receiver.wait_for(2).await;
    let text =
        format!(r#"{{"id":"{id}","event":"parcel.sent","data":{{"parcel":"P-2","weight":5}}}}"#);
    let secret = webhook["secret"].as_str().unwrap();
    for request in &received {
        assert_eq!(String::from_utf8_lossy(&request.body), text);
        assert_eq!(
            request.header("acme-signature"),
            Some(sign(secret, &request.body).as_str())
        );
    }
    assert_eq!(deliveries(&operator, "provider=acme").await.len(), 1);
    assert_eq!(deliveries(&operator, "provider=conduit").await.len(), 0);
}
