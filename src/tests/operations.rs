//! One answer of every kind from every operation of the providers' APIs, under snapshot; and what all APIs share.

use serde_json::{Value, json};

use super::app::TestApp;
use super::recorder::{Recorder, refusals};

#[actix_web::test]
async fn conduit_operations_answer_as_reviewed() {
    let app = TestApp::start().await;
    let client = app.conduit();
    let webhook = json!({ "url": "https://www.example.com/webhooks", "status": "enabled", "events": ["counterparty.active"] });

    let mut create = Recorder::default();
    let created = client.post("/webhooks", webhook.clone()).await;
    create.record("a webhook", &created);
    let bad = json!({ "url": "x", "events": [], "status": 1, "organizationId": null });
    create.record(
        "every member at fault",
        &client.post("/webhooks", bad).await,
    );
    create.record("nothing", &client.post("/webhooks", json!({})).await);
    create.record("an array", &client.post("/webhooks", json!([])).await);
    refusals(&mut create, &app, "/conduit", &client, "POST", "/webhooks").await;
    create.assert("conduit-createWebhook");

    client.post("/webhooks", webhook).await;
    let mut list = Recorder::default();
    list.record("all", &client.get("/webhooks").await);
    list.record("a page of one", &client.get("/webhooks?page[size]=1").await);
    list.record(
        "a bad query",
        &client.get("/webhooks?page[size]=x&page[after]=y").await,
    );
    refusals(&mut list, &app, "/conduit", &client, "GET", "/webhooks").await;
    list.assert("conduit-listWebhooks");

    let path = format!("/webhooks/{}", created.json()["id"].as_str().unwrap());
    let mut get = Recorder::default();
    get.record("a webhook", &client.get(&path).await);
    get.record("an unknown one", &client.get("/webhooks/whk_0").await);
    refusals(&mut get, &app, "/conduit", &client, "GET", &path).await;
    get.assert("conduit-getWebhook");

    let mut patch = Recorder::default();
    patch.record(
        "a change",
        &client.patch(&path, json!({ "status": "disabled" })).await,
    );
    patch.record(
        "every member at fault",
        &client
            .patch(&path, json!({ "url": 1, "events": [1], "status": "x" }))
            .await,
    );
    patch.record(
        "an unknown one",
        &client.patch("/webhooks/whk_0", json!({})).await,
    );
    refusals(&mut patch, &app, "/conduit", &client, "PATCH", &path).await;
    patch.assert("conduit-patchWebhook");

    let mut delete = Recorder::default();
    refusals(&mut delete, &app, "/conduit", &client, "DELETE", &path).await;
    delete.record("a webhook", &client.delete(&path).await);
    delete.record("again", &client.delete(&path).await);
    delete.record("an unknown path", &client.get("/nothing").await);
    delete.assert("conduit-deleteWebhook");
}

#[actix_web::test]
async fn equals_money_operations_answer_as_reviewed() {
    let app = TestApp::start().await;
    let client = app.equals();
    let prefix = "/equals-money";
    let webhook = json!({
        "url": "https://api.url.com", "enabled": true, "webhookEventTypeName": "BoxCredited", "accountId": "F12345",
        "sharedSecret": "123e4567-e89b-12d3-a456-426614174000", "authorizationHeader": "Basic AXVubzpwQDU1dzByYM==",
    });

    let mut types = Recorder::default();
    types.record("all", &client.get("/v2/webhooks/event-types").await);
    refusals(
        &mut types,
        &app,
        prefix,
        &client,
        "GET",
        "/v2/webhooks/event-types",
    )
    .await;
    types.assert("equals-money-findAllWebhookEventTypes");

    let one = "/v2/webhooks/event-types/7e71bf60-40f3-489f-bd09-e03035d5cd0a";
    let mut kind = Recorder::default();
    kind.record("an event type", &client.get(one).await);
    kind.record(
        "an unknown one",
        &client
            .get("/v2/webhooks/event-types/66854098-aac7-4084-938e-bc2e62fb6a44")
            .await,
    );
    kind.record("no UUID", &client.get("/v2/webhooks/event-types/x").await);
    refusals(&mut kind, &app, prefix, &client, "GET", one).await;
    kind.assert("equals-money-findOneWebhookEventType");

    let mut create = Recorder::default();
    let created = client.post("/v2/webhooks", webhook).await;
    create.record("every member", &created);
    let least = json!({ "url": "https://api.url.com", "enabled": false, "webhookEventTypeName": "BoxDebited" });
    create.record(
        "the required members",
        &client.post("/v2/webhooks", least).await,
    );
    let bad = json!({
        "url": 1, "enabled": "x", "webhookEventTypeName": 1, "webhookEventTypeId": 1, "accountId": 1, "sharedSecret": 1,
        "authorizationHeader": 1,
    });
    create.record(
        "every member at fault",
        &client.post("/v2/webhooks", bad).await,
    );
    create.record("nothing", &client.post("/v2/webhooks", json!({})).await);
    create.record("an array", &client.post("/v2/webhooks", json!([])).await);
    create.record(
        "no type",
        &client.send("POST", "/v2/webhooks", None, b"{}").await,
    );
    refusals(&mut create, &app, prefix, &client, "POST", "/v2/webhooks").await;
    let stranger = app
        .anonymous(prefix)
        .with_header("Authorization", "ApiKey not-a-key");
    create.record(
        "an unknown key",
        &stranger.post("/v2/webhooks", json!({})).await,
    );
    create.assert("equals-money-createWebhook");

    let mut list = Recorder::default();
    list.record("all", &client.get("/v2/webhooks").await);
    list.record(
        "a page of one",
        &client.get("/v2/webhooks?limit=1&offset=1").await,
    );
    list.record(
        "filtered",
        &client
            .get("/v2/webhooks?enabled=false&webhookEventTypeName=BoxCredited")
            .await,
    );
    let bad =
        "/v2/webhooks?limit=0&offset=x&enabled=1&webhookEventTypeId=1&accountId=1&accountId=2";
    list.record("a bad query", &client.get(bad).await);
    refusals(&mut list, &app, prefix, &client, "GET", "/v2/webhooks").await;
    list.assert("equals-money-findAllWebhooks");

    let path = format!("/v2/webhooks/{}", created.json()["id"].as_str().unwrap());
    let unknown = "/v2/webhooks/0b2f6c1e-5a47-4d39-8e10-93c7d5b6a284";
    let mut get = Recorder::default();
    get.record("a webhook", &client.get(&path).await);
    get.record(
        "of another account",
        &client.get(&format!("{path}?accountId=F1")).await,
    );
    get.record("an unknown one", &client.get(unknown).await);
    get.record("no UUID", &client.get("/v2/webhooks/x").await);
    refusals(&mut get, &app, prefix, &client, "GET", &path).await;
    get.assert("equals-money-findOneWebhook");

    let mut update = Recorder::default();
    let change = json!({ "enabled": false, "sharedSecret": null, "url": "https://api.url.com/2" });
    update.record("a change", &client.patch(&path, change).await);
    let bad = json!({ "url": null, "sharedSecret": "", "authorizationHeader": "a\nb" });
    update.record("every member at fault", &client.patch(&path, bad).await);
    update.record(
        "an unknown one",
        &client.patch(unknown, json!({ "enabled": true })).await,
    );
    refusals(&mut update, &app, prefix, &client, "PATCH", &path).await;
    update.assert("equals-money-updateWebhook");

    let mut delete = Recorder::default();
    refusals(&mut delete, &app, prefix, &client, "DELETE", &path).await;
    delete.record("a webhook", &client.delete(&path).await);
    delete.record("again", &client.delete(&path).await);
    delete.record("an unknown path", &client.get("/v2/nothing").await);
    delete.assert("equals-money-deleteWebhook");
}

/// C-72, E-69: whatever keeps the database from being used for a while, every operation says that the same request may be sent again, and
/// when; a damaged database is an error of ours (500) that a repetition does not mend.
#[actix_web::test]
async fn while_the_database_cannot_be_used_every_operation_says_when_to_try_again() {
    let [away, damaged] = [TestApp::start().await, TestApp::start().await];
    // The credentials of a sandbox are not read from the database.
    let keyed = [
        [away.conduit_other().await, away.equals_other().await],
        [damaged.conduit_other().await, damaged.equals_other().await],
    ];
    away.take_away();
    damaged.damage();
    let conduit = json!({ "url": "https://www.example.com/webhooks", "status": "enabled", "events": ["customer.created"] });
    let equals = json!({ "url": "https://api.url.com", "enabled": true, "webhookEventTypeName": "BoxCredited" });
    let id = "0b2f6c1e-5a47-4d39-8e10-93c7d5b6a284";
    let (hook, item) = (
        format!("/webhooks/whk_{}", "0".repeat(27)),
        format!("/v2/webhooks/{id}"),
    );
    let kind = "/v2/webhooks/event-types/7e71bf60-40f3-489f-bd09-e03035d5cd0a";
    type Call<'a> = (&'a str, &'a str, &'a Value);
    let operations: [(&str, Vec<Call<'_>>); 2] = [
        (
            "conduit",
            vec![
                ("POST", "/webhooks", &conduit),
                ("GET", "/webhooks", &Value::Null),
                ("GET", &hook, &Value::Null),
                ("PATCH", &hook, &conduit),
                ("DELETE", &hook, &Value::Null),
            ],
        ),
        (
            "equals-money",
            vec![
                ("GET", "/v2/webhooks/event-types", &Value::Null),
                ("GET", kind, &Value::Null),
                ("POST", "/v2/webhooks", &equals),
                ("GET", "/v2/webhooks", &Value::Null),
                ("GET", &item, &Value::Null),
                ("PATCH", &item, &equals),
                ("DELETE", &item, &Value::Null),
            ],
        ),
    ];
    for (index, (name, calls)) in operations.iter().enumerate() {
        let mut recorder = Recorder::default();
        for (method, path, body) in calls {
            let (json, body) = if body.is_null() {
                (None, Vec::new())
            } else {
                (Some("application/json"), body.to_string().into_bytes())
            };
            let [unusable, broken] = [&keyed[0][index], &keyed[1][index]];
            let answer = unusable.send(method, path, json, &body).await;
            assert_eq!(
                answer.header("retry-after"),
                Some("5"),
                "{method} {path}: {}",
                answer.text()
            );
            recorder.record(&format!("{method} while the database is away"), &answer);
            let answer = broken.send(method, path, json, &body).await;
            assert_eq!(answer.header("retry-after"), None, "{method} {path}");
            recorder.record(&format!("{method} with a damaged database"), &answer);
        }
        recorder.assert(&format!("{name}-database"));
    }
}

/// C-72, E-69: another program holds a lock for longer than a write waits for it.
#[actix_web::test]
async fn a_registration_is_told_to_come_back_while_the_database_is_locked() {
    let app = TestApp::start().await;
    let other = app.lock();
    let conduit = json!({ "url": "https://www.example.com/webhooks", "status": "enabled", "events": ["customer.created"] });
    let equals = json!({ "url": "https://api.url.com", "enabled": true, "webhookEventTypeName": "BoxCredited" });
    let calls = [
        (app.conduit(), "/webhooks", conduit),
        (app.equals(), "/v2/webhooks", equals),
    ];
    for (client, path, body) in &calls {
        let refused = client.post(path, body.clone()).await;
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (503, Some("5")),
            "{}",
            refused.text()
        );
    }
    drop(other);
    for (client, path, body) in calls {
        assert_eq!(client.post(path, body).await.status, 201);
    }
}

#[actix_web::test]
async fn over_the_rate_limit_the_answer_is_429_with_the_seconds_to_wait() {
    // E-8.
    let app = TestApp::start_with(|config| {
        config.providers.set("equals-money-rate-limit", ["1"]);
    })
    .await;
    let client = app.equals();
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(client.get("/v2/webhooks").await);
    }
    assert_eq!(answers[0].status, 200);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["error"], "Too Many Requests");
    // A stranger uses up nobody's requests and learns nothing of the limit.
    let stranger = app
        .anonymous("/equals-money")
        .with_header("Authorization", "ApiKey not-a-key");
    assert_eq!(stranger.get("/v2/webhooks").await.status, 403);
    // Each key has its own.
    assert_eq!(
        app.equals_other().await.get("/v2/webhooks").await.status,
        200
    );
}

#[actix_web::test]
async fn probes_answer_without_credentials_and_paths_outside_every_api_with_a_problem() {
    let app = TestApp::start().await;
    let client = app.anonymous("");
    assert_eq!(
        client.get("/health/live").await.json(),
        json!({ "status": "live" })
    );
    assert_eq!(
        client.get("/health/ready").await.json(),
        json!({ "status": "ready" })
    );
    let answer = client.get("/nothing").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (404, Some("application/problem+json"))
    );
    assert_eq!(answer.json()["status"], 404);
    for path in [
        "/",
        "/docs/",
        "/openapi/conduit.json",
        "/health/live",
        "/metrics",
    ] {
        let read = client.get(path).await;
        let head = client.send("HEAD", path, None, b"").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-type"), read.header("content-type"));
        for method in ["POST", "DELETE", "OPTIONS"] {
            let refused = client.send(method, path, None, b"").await;
            assert_eq!(
                (refused.status, refused.header("allow")),
                (405, Some("GET, HEAD")),
                "{method} {path}"
            );
            assert_eq!(refused.json()["status"], 405);
        }
    }
}

#[actix_web::test]
async fn every_answer_has_a_request_id_the_callers_own_where_it_can_stand_in_a_log() {
    let app = TestApp::start().await;
    let client = app.anonymous("");
    let given = client
        .with_header("X-Request-Id", "abc-1")
        .get("/health/live")
        .await;
    assert_eq!(given.header("x-request-id"), Some("abc-1"));
    let made = client
        .with_header("X-Request-Id", "a b")
        .get("/health/live")
        .await;
    assert_eq!(made.header("x-request-id").unwrap().len(), 36);
}
