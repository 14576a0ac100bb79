//! Holds the server to its source documents with the conformance tool: the emitted documents do not drift, every planted edit is seen
//! at its place, and the documented samples replay clean against a real `truehook` process.

use std::path::{Path, PathBuf};

use crate::process::Server;
use conformance::document::Document;
use conformance::drift;
use conformance::finding::{Finding, Severity};
use conformance::{flows, replay};
use serde_json::{Value, json};

const CONDUIT: &str = "conduit";
const EQUALS_MONEY: &str = "equals-money";
const OPERATOR: &str = "operator";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn source(name: &str) -> Document {
    let path = root().join(format!("openapi/{name}.yaml"));
    Document::load(path.to_str().expect("the path is UTF-8")).expect("the source document loads")
}

fn emitted(name: &str) -> Value {
    let path = root().join(format!("snapshots/{name}.snap.json"));
    let text = std::fs::read_to_string(path).expect("the emitted document is under snapshot");
    serde_json::from_str(&text).expect("the emitted document is JSON")
}

fn compare(source: &Document, emitted: &Value) -> Vec<Finding> {
    let text = serde_json::to_string_pretty(emitted).expect("a document is JSON");
    let emitted = Document::parse("emitted", &text).expect("the emitted document loads");
    drift::compare(source, &emitted, &drift::Options::default())
}

#[test]
fn the_emitted_documents_do_not_drift_from_the_source_documents() {
    for name in [CONDUIT, EQUALS_MONEY, OPERATOR] {
        assert_eq!(compare(&source(name), &emitted(name)), Vec::new(), "{name}");
    }
}

/// One edit of an emitted document: the place, and the new value or none to remove it.
type Edit = (&'static str, &'static str, Option<Value>);

/// Single edits over everything that a document says.
#[rustfmt::skip]
fn edits() -> Vec<Edit> {
    let (c, e, o) = (CONDUIT, EQUALS_MONEY, OPERATOR);
    vec![
        // Document, servers, tags.
        (c, "/info/title", Some(json!("Other API"))),
        (c, "/info/version", Some(json!("2025-01-01"))),
        (c, "/servers/0/url", Some(json!("/other"))),
        (c, "/servers/2", None),
        (c, "/tags/1/name", Some(json!("Other"))),
        // Paths and operations.
        (c, "/paths/~1webhooks~1{id}", None),
        (c, "/paths/~1webhooks~1{id}/patch", None),
        (c, "/paths/~1webhooks/put", Some(json!({ "operationId": "replaceWebhooks", "responses": { "200": { "description": "" } } }))),
        (c, "/paths/~1webhooks/post/operationId", Some(json!("addWebhook"))),
        (c, "/paths/~1webhooks/post/tags/0", Some(json!("Other"))),
        (c, "/paths/~1webhooks/post/deprecated", Some(json!(true))),
        // Security.
        (c, "/paths/~1webhooks/post/security/0/ApiSecret", None),
        (c, "/paths/~1webhooks/get/security", Some(json!([]))),
        (c, "/components/securitySchemes/ApiKey/name", Some(json!("X-Key"))),
        (e, "/components/securitySchemes/CommonAuth/in", Some(json!("query"))),
        // Parameters.
        (c, "/paths/~1webhooks/get/parameters/1", None),
        (c, "/paths/~1webhooks/get/parameters/1/required", Some(json!(true))),
        (c, "/paths/~1webhooks/get/parameters/1/schema/maximum", Some(json!(200))),
        (c, "/paths/~1webhooks/get/parameters/1/schema/default", Some(json!(21))),
        (c, "/paths/~1webhooks/get/parameters/1/examples/first-page/value", Some(json!(3))),
        (e, "/paths/~1v2~1webhooks/get/parameters/3/schema/enum/1", None),
        (e, "/paths/~1v2~1webhooks~1{webhookId}/get/parameters/0/schema/format", None),
        // Request bodies and samples.
        (c, "/paths/~1webhooks/post/requestBody/required", None),
        (c, "/paths/~1webhooks/post/requestBody/content/text~1plain", Some(json!({ "schema": { "type": "string" } }))),
        (c, "/paths/~1webhooks/post/requestBody/content/application~1json/examples/guide/value/status", Some(json!("disabled"))),
        (c, "/paths/~1webhooks/post/requestBody/content/application~1json/examples/guide", None),
        // Responses.
        (c, "/paths/~1webhooks/post/responses/415", None),
        (c, "/paths/~1webhooks/post/responses/409", Some(json!({ "description": "Conflict" }))),
        (c, "/paths/~1webhooks/post/responses/405/headers/Allow", None),
        (c, "/paths/~1webhooks/post/responses/405/headers/Allow/required", None),
        (c, "/paths/~1webhooks/post/responses/401/content/application~1json/examples/no-credentials/x-replay/headers/X-API-Key", Some(json!("k"))),
        (c, "/paths/~1webhooks/post/responses/201/content/application~1json/examples/guide/value/secret", Some(json!("s"))),
        (c, "/paths/~1webhooks~1{id}/delete/responses/204/content", Some(json!({ "application/json": {} }))),
        (e, "/paths/~1v2~1webhooks/get/responses/429/headers/Retry-After/schema/type", Some(json!("string"))),
        (e, "/paths/~1v2~1webhooks~1event-types/get/responses/200/content/application~1json/schema/type", Some(json!("object"))),
        // Schemas, keyword by keyword.
        (c, "/components/schemas/CreateWebhookRequest/required/2", None),
        (c, "/components/schemas/CreateWebhookRequest/properties/url/maxLength", Some(json!(2047))),
        (c, "/components/schemas/CreateWebhookRequest/properties/url/format", Some(json!("uri-reference"))),
        (c, "/components/schemas/CreateWebhookRequest/properties/url/pattern", None),
        (c, "/components/schemas/CreateWebhookRequest/properties/events/minItems", None),
        (c, "/components/schemas/CreateWebhookRequest/properties/events/uniqueItems", Some(json!(true))),
        (c, "/components/schemas/CreateWebhookRequest/additionalProperties", Some(json!(false))),
        (c, "/components/schemas/WebhookEvent/enum/0", None),
        (c, "/components/schemas/Pagination/properties/next/type", Some(json!("string"))),
        (c, "/components/schemas/RetrievedWebhook/properties/secret", None),
        (c, "/components/schemas/Amount/properties/amount/type", Some(json!("integer"))),
        (e, "/components/schemas/CreateWebhookRequest/allOf", None),
        (e, "/components/schemas/CreateWebhookRequest/allOf/0/anyOf/0/required/0", Some(json!("url"))),
        (e, "/components/schemas/CreateWebhookRequest/properties/sharedSecret/type", Some(json!("string"))),
        (e, "/components/schemas/Webhook/required/0", None),
        (e, "/components/schemas/WebhookList/properties/limit/minimum", Some(json!(0))),
        (o, "/components/schemas/PublishRequest/additionalProperties", None),
        (o, "/components/schemas/PublishRequest/then/required/0", Some(json!("accountId"))),
        (o, "/components/schemas/PublishRequest/else", None),
        (o, "/components/schemas/ReplayRequest/allOf/0/anyOf/3", None),
        (o, "/components/schemas/Delivery/properties/nextAttemptAt/type", Some(json!("string"))),
        (o, "/components/schemas/Attempt/properties/status/maximum", Some(json!(599))),
        (o, "/components/securitySchemes/Operator/scheme", Some(json!("basic"))),
        (o, "/paths/~1events/post/parameters/0/schema/maxLength", Some(json!(64))),
        (o, "/paths/~1events/post/responses/409", None),
        (o, "/paths/~1events/get/responses/401/headers/WWW-Authenticate/schema/const", None),
        (o, "/paths/~1keys/post/responses/422/content/application~1problem+json/examples/unknown-provider/value/status", Some(json!(400))),
        // Webhooks.
        (c, "/webhooks/transaction.completed", None),
        (c, "/webhooks/transaction.completed/post/operationId", Some(json!("onCompleted"))),
        (c, "/webhooks/transaction.completed/post/parameters/0/required", Some(json!(false))),
        (c, "/webhooks/transaction.completed/post/requestBody/content/application~1json/schema/allOf/1/properties/event/const", Some(json!("x"))),
        (c, "/webhooks/transaction.completed/post/requestBody/content/application~1json/examples/sample/value/event_sequence", Some(json!(0))),
        (c, "/webhooks/transaction.completed/post/responses/2XX", None),
        (e, "/webhooks/BoxCredited/post/parameters/0/schema/pattern", Some(json!("^[A-Za-z0-9+/]{42}==$"))),
        (e, "/x-webhook-signature/0/signature/encoding", Some(json!("hex"))),
        (c, "/x-webhook-signature/testVectors/0/signature", Some(json!("00"))),
        (c, "/x-webhook-delivery/retry/offsets/0", Some(json!(30))),
        (e, "/x-webhook-delivery/deadline", None),
    ]
}

fn apply(document: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, last) = pointer.rsplit_once('/').expect("an edit is below the root");
    let last = last.replace("~1", "/").replace("~0", "~");
    let parent = document
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("nothing at {parent}"));
    match (parent, value) {
        (Value::Object(object), Some(value)) => {
            object.insert(last, value);
        }
        (Value::Object(object), None) => {
            assert!(object.shift_remove(&last).is_some(), "nothing at {pointer}");
        }
        (Value::Array(items), Some(value)) => {
            items[last.parse::<usize>().expect("an index")] = value;
        }
        (Value::Array(items), None) => {
            items.remove(last.parse().expect("an index"));
        }
        (other, _) => panic!("{pointer} leads into {other}"),
    }
}

/// Whether a finding points at the edited place, at what holds it, or at what lies in it, in either document: an answer that the edit
/// removes is found in the source document, and in the emitted one the `default` that covers it.
fn points_at(finding: &Finding, edited: &str) -> bool {
    finding.new.iter().chain(&finding.old).any(|place| {
        let (shorter, longer) = if place.pointer.len() < edited.len() {
            (place.pointer.as_str(), edited)
        } else {
            (edited, place.pointer.as_str())
        };
        // At most three steps away: a list, and the object that holds it.
        longer
            .strip_prefix(shorter)
            .is_some_and(|rest| rest.matches('/').count() <= 3)
    })
}

#[test]
fn every_planted_edit_is_reported_at_its_place() {
    let edits = edits();
    assert!(edits.len() >= 25);
    let sources = [CONDUIT, EQUALS_MONEY, OPERATOR].map(|name| (name, source(name), emitted(name)));
    for (name, pointer, value) in edits {
        let (_, source, emitted) = sources
            .iter()
            .find(|(given, ..)| *given == name)
            .expect("a document of ours");
        let mut edited = emitted.clone();
        apply(&mut edited, pointer, value);
        let findings = compare(source, &edited);
        assert!(
            findings.iter().any(|finding| points_at(finding, pointer)),
            "{name} {pointer}: {findings:#?}"
        );
        assert!(
            findings
                .iter()
                .all(|finding| finding.severity <= Severity::Warning),
            "{name} {pointer}: {findings:#?}"
        );
    }
}

async fn replay(name: &str, server: &str, headers: &[(&str, &str)]) -> replay::Outcome {
    let mut options = replay::Options::new(server);
    options.headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    replay::run(&options, &source(name), &mut |_| {})
        .await
        .expect("the server can be reached")
}

#[tokio::test]
async fn the_documented_samples_of_every_api_replay_clean_against_a_real_process() {
    let server = Server::start(&[]);
    let conduit = [
        ("X-API-Key", "sandbox-key"),
        ("X-API-Secret", "sandbox-secret"),
    ];
    let equals_money = [("Authorization", "ApiKey sandbox-key")];
    let operator = [("Authorization", "Bearer sandbox-operator")];
    for (name, headers, samples) in [
        (CONDUIT, &conduit[..], 40),
        (EQUALS_MONEY, &equals_money[..], 60),
        (OPERATOR, &operator[..], 60),
    ] {
        let outcome = replay(name, &server.url, headers).await;
        assert_eq!(outcome.findings, Vec::new(), "{name}");
        assert!(
            outcome.checked["replayed samples"] >= samples,
            "{name}: {:?}",
            outcome.checked
        );
        assert_eq!(
            outcome.checked["passed samples"], outcome.checked["replayed samples"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn sequences_of_operations_of_every_api_are_clean_on_a_real_process() {
    let server = Server::start(&[]);
    let conduit = [
        ("X-API-Key", "sandbox-key"),
        ("X-API-Secret", "sandbox-secret"),
    ];
    let equals_money = [("Authorization", "ApiKey sandbox-key")];
    let operator = [("Authorization", "Bearer sandbox-operator")];
    for (name, headers, requests) in [
        (CONDUIT, &conduit[..], 25),
        (EQUALS_MONEY, &equals_money[..], 25),
        (OPERATOR, &operator[..], 25),
    ] {
        let mut options = replay::Options::new(&server.url);
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        options.headers = headers.iter().map(header).collect();
        let settings = flows::Settings::default();
        let outcome = flows::check(&options, &settings, &source(name), &mut |_| {}).await;
        let outcome = outcome.expect("the server can be reached");
        assert_eq!(outcome.findings, Vec::new(), "{name}");
        assert!(
            outcome.checked["requests"] >= requests,
            "{name}: {:?}",
            outcome.checked
        );
    }
}

#[tokio::test]
async fn the_replay_is_not_clean_with_wrong_credentials() {
    let server = Server::start(&[]);
    let outcome = replay(
        CONDUIT,
        &server.url,
        &[("X-API-Key", "sandbox-key"), ("X-API-Secret", "wrong")],
    )
    .await;
    assert!(
        outcome
            .findings
            .iter()
            .any(|finding| finding.rule == "status-as-sample"),
        "{:#?}",
        outcome.findings
    );
}
