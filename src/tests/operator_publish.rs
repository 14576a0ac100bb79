//! Tests of `POST /operator/v1/events` and of what arrives at receivers.

use serde_json::{Value, json};

use super::app::{CONDUIT_CLIENT, EQUALS_PRODUCT, TestApp};
use super::delivering::{
    TRANSACTION, accepted, assert_problem, conduit_event, conduit_signature, conduit_webhook,
    deliveries, delivery_of, equals_event, equals_signature, equals_webhook, publish,
};
use super::receiver::Receiver;
use super::shape::{assert_ksuid, assert_millis, malformed_bodies, read_conduit};

const JSON: Option<&str> = Some("application/json");

#[actix_web::test]
async fn an_event_of_conduit_reaches_its_webhook_signed_with_its_secret() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let webhook = conduit_webhook(&app, &format!("{}/hook?a=b", receiver.url)).await;
    let told = publish(&app.operator(), conduit_event()).await;
    assert_ksuid("evt", told["id"].as_str().unwrap());
    assert_millis(&told["createdAt"]);
    assert_eq!(told["deliveries"], 1);
    let received = receiver.wait_for(1).await;
    assert_eq!(received[0].path, "/hook?a=b");
    let secret = read_conduit(&app.conduit(), &webhook).await["secret"].clone();
    let expected = conduit_signature(secret.as_str().unwrap(), &received[0]);
    assert_eq!(
        received[0].header("conduit-signature"),
        Some(expected.as_str())
    );
    let delivery = delivery_of(&app.operator(), &told).await;
    let key = received[0].header("conduit-webhook-idempotency-key");
    assert_eq!(key, Some(delivery.as_str()));
    let body = received[0].json();
    assert_eq!(body["event"], TRANSACTION);
    assert_eq!(body["event_timestamp"], told["createdAt"]);
    assert!(body["data"]["transaction"].is_object(), "{body}");
}

#[actix_web::test]
async fn an_event_of_equals_money_reaches_its_webhook_with_its_signature_and_authorization() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    equals_webhook(&app, &receiver.url).await;
    let told = publish(&app.operator(), equals_event()).await;
    let received = receiver.wait_for(1).await;
    let expected = equals_signature("s", &received[0]);
    assert_eq!(
        received[0].header("x-em-signature"),
        Some(expected.as_str())
    );
    assert_eq!(received[0].header("authorization"), Some("Basic c2VjcmV0"));
    let body = received[0].json();
    assert_eq!(body["body"]["webhookEventTypeName"], "BoxCredited");
    let delivery = delivery_of(&app.operator(), &told).await;
    assert_eq!(body["body"]["messageId"], json!(delivery));
}

#[actix_web::test]
async fn every_token_of_the_payload_arrives_as_it_was_published() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    equals_webhook(&app, &receiver.url).await;
    conduit_webhook(&app, &receiver.url).await;
    let members = r#""z": 1.10, "big": 9007199254740993, "a": [ 1e5, -0, 0.1e-7, 1E+2 ], "é": "\u00e9\/ \ud83d\ude00 😀", "A": { } "#;
    let compact = r#""z":1.10,"big":9007199254740993,"a":[1e5,-0,0.1e-7,1E+2],"é":"\u00e9\/ \ud83d\ude00 😀","A":{}"#;
    let equals = format!(
        r#"{{ "data" : {{ {members} }}, "type": "BoxCredited", "provider": "equals-money" }}"#
    );
    let id = r#""id":"trxn_2ofTA13AD0xBtbEvBl20aEb1hEu","status":"COMPLETED""#;
    let conduit = format!(
        r#"{{"provider":"conduit","type":"{TRANSACTION}","clientId":"{CONDUIT_CLIENT}","data":{{"transaction":{{ {id},{members} }}}}}}"#
    );
    let client = app.operator();
    for (number, (request, expected)) in [
        (equals, format!(r#"{{"body":{{{compact},"#)),
        (
            conduit,
            format!(r#""data":{{"transaction":{{{id},{compact}}}}}}}"#),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = client
            .send("POST", "/events", JSON, request.as_bytes())
            .await;
        let told = accepted(&answer, 202);
        let received = receiver.wait_for(number + 1).await;
        let text = received[number].text();
        assert!(text.contains(&expected), "{text}");
        let read = client
            .get(&format!("/events/{}", told["id"].as_str().unwrap()))
            .await;
        assert!(read.text().contains(compact), "{}", read.text());
    }
}

#[actix_web::test]
async fn an_event_goes_to_the_webhooks_that_its_provider_documents() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let (client, equals) = (app.operator(), app.equals());
    for (name, account) in [
        ("BoxCredited", Some("F12345")),
        ("BoxCredited", None),
        ("BoxDebited", None),
        ("AccountActivated", Some("F12345")),
        ("AccountActivated", None),
    ] {
        let body = json!({ "url": receiver.url, "enabled": true, "webhookEventTypeName": name, "accountId": account });
        accepted(&equals.post("/v2/webhooks", body).await, 201);
    }
    let event = |members: Value| {
        let mut event = json!({ "provider": "equals-money", "type": "BoxCredited" });
        event
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        event
    };
    for (members, expected) in [
        (json!({ "accountId": "F12345" }), 2),
        (json!({ "accountId": "F99999" }), 1),
        (json!({}), 1),
        (
            json!({ "productId": EQUALS_PRODUCT, "accountId": "F12345" }),
            2,
        ),
        (json!({ "productId": EQUALS_PRODUCT.to_uppercase() }), 1),
        (
            json!({ "productId": "0ad52e33-8662-4923-b15f-d45a73c6e973" }),
            0,
        ),
        // E-25: onboarding belongs to no account.
        (
            json!({ "type": "AccountActivated", "accountId": "F12345" }),
            1,
        ),
        (json!({ "type": "OrderCreated" }), 0),
    ] {
        let told = publish(&client, event(members.clone())).await;
        assert_eq!(told["deliveries"], expected, "{members}");
    }
    conduit_webhook(&app, &receiver.url).await;
    let mut stranger = conduit_event();
    stranger["clientId"] = json!("client_351DrC4WBIbx4qsWVxMI3fYlL8w");
    assert_eq!(publish(&client, stranger).await["deliveries"], 0);
    assert_eq!(publish(&client, conduit_event()).await["deliveries"], 1);
}

#[actix_web::test]
async fn a_publisher_is_told_how_many_webhooks_of_the_type_it_missed_and_why() {
    let app = TestApp::start().await;
    let (client, equals) = (app.operator(), app.equals());
    for (account, enabled) in [
        (Some("F12345"), false),
        (Some("F99999"), true),
        (None, false),
    ] {
        let body = json!({
            "url": "http://127.0.0.1:9/", "enabled": enabled, "webhookEventTypeName": "BoxCredited", "accountId": account,
        });
        accepted(&equals.post("/v2/webhooks", body).await, 201);
    }
    let mut event = equals_event();
    let told = publish(&client, event.clone()).await;
    assert_eq!(told["deliveries"], 0);
    let not_matched = json!({ "otherOwner": 0, "otherAccount": 1, "disabled": 2 });
    assert_eq!(told["notMatched"], not_matched);
    event["productId"] = json!("0ad52e33-8662-4923-b15f-d45a73c6e973");
    let not_matched = json!({ "otherOwner": 3, "otherAccount": 0, "disabled": 0 });
    assert_eq!(publish(&client, event).await["notMatched"], not_matched);
    // The same request gets the same answer, whatever has become of the webhooks since.
    let keyed = client.with_header("Idempotency-Key", "k");
    let first = publish(&keyed, equals_event()).await;
    let body = json!({ "url": "http://127.0.0.1:9/", "enabled": false, "webhookEventTypeName": "BoxCredited" });
    accepted(&equals.post("/v2/webhooks", body).await, 201);
    assert_eq!(publish(&keyed, equals_event()).await, first);
}

#[actix_web::test]
async fn every_fault_of_a_publication_is_named_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let client = app.operator();
    let transaction = |data: Value| json!({ "provider": "conduit", "type": TRANSACTION, "clientId": CONDUIT_CLIENT, "data": data });
    for (body, pointers) in [
        (json!({}), vec!["/provider", "/type"]),
        (json!([]), vec![""]),
        (json!(null), vec![""]),
        (
            json!({ "provider": "operator", "type": "x" }),
            vec!["/provider"],
        ),
        (
            json!({ "provider": "equals-money", "type": "boxCredited" }),
            vec!["/type"],
        ),
        (
            json!({ "provider": "equals-money", "type": TRANSACTION }),
            vec!["/type"],
        ),
        (
            json!({ "provider": "conduit", "type": "BoxCredited", "clientId": CONDUIT_CLIENT }),
            vec!["/type"],
        ),
        (
            json!({ "provider": "conduit", "type": TRANSACTION }),
            vec!["/clientId"],
        ),
        (
            json!({ "provider": "conduit", "type": TRANSACTION, "accountId": "", "productId": 1, "clientId": "x" }),
            vec!["/accountId", "/clientId", "/productId"],
        ),
        (
            json!({ "provider": "equals-money", "type": "BoxCredited", "clientId": "x", "accountId": "a".repeat(37), "a/b": 1 }),
            vec!["/accountId", "/a~1b", "/clientId"],
        ),
        (
            json!({ "provider": "equals-money", "type": "BoxCredited", "data": null }),
            vec!["/data"],
        ),
        (
            json!({ "provider": "equals-money", "type": "BoxCredited", "accountId": null }),
            vec!["/accountId"],
        ),
        (transaction(json!({})), vec!["/data/transaction"]),
        (
            transaction(json!({ "transaction": { "status": 7 }, "other": 1 })),
            vec![
                "/data/other",
                "/data/transaction/id",
                "/data/transaction/status",
            ],
        ),
    ] {
        let answer = client.post("/events", body).await;
        assert_problem(&answer, 422, &pointers);
    }
    for (what, body) in malformed_bodies() {
        let answer = client.send("POST", "/events", JSON, &body).await;
        assert!(
            matches!(answer.status, 400 | 422),
            "{what}: {}",
            answer.text()
        );
    }
    let answer = client.send("POST", "/events", JSON, b"").await;
    assert_problem(&answer, 400, &[""]);
    let answer = client
        .send("POST", "/events", Some("text/plain"), b"{}")
        .await;
    assert_problem(&answer, 415, &[]);
    let answer = client.send("POST", "/events", None, b"{}").await;
    assert_problem(&answer, 415, &[]);
    let large = vec![b' '; 262_145];
    assert_problem(
        &client.send("POST", "/events", JSON, &large).await,
        413,
        &[],
    );
    let listed = accepted(&client.get("/events").await, 200);
    assert_eq!(
        listed,
        json!({ "data": [], "next": null, "since": "c2luY2UvMA" })
    );
}

#[actix_web::test]
async fn a_member_that_stands_twice_is_refused_wherever_it_stands() {
    let app = TestApp::start().await;
    let client = app.operator();
    for (members, pointers) in [
        (r#""data":{"a":1},"data":{"a":2}"#, vec!["/data"]),
        (r#""data":{"a":1},"d\u0061ta":{"a":2}"#, vec!["/data"]),
        (r#""data":{"b":[{"c":1,"c":1}]}"#, vec!["/data/b/0/c"]),
        (r#""type":"BoxDebited""#, vec!["/type"]),
    ] {
        let body = format!(r#"{{"provider":"equals-money","type":"BoxCredited",{members}}}"#);
        let answer = client.send("POST", "/events", JSON, body.as_bytes()).await;
        assert_problem(&answer, 422, &pointers);
    }
}

#[actix_web::test]
async fn the_same_key_with_the_same_body_publishes_once_and_with_another_it_conflicts() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    equals_webhook(&app, &receiver.url).await;
    let client = app.operator();
    let keyed = client.with_header("Idempotency-Key", "a key");
    let body = r#"{"provider":"equals-money","type":"BoxCredited","data":{"a":1.10,"b":2}}"#;
    let first = accepted(
        &keyed.send("POST", "/events", JSON, body.as_bytes()).await,
        202,
    );
    let spaced =
        r#" { "data":{ "a" : 1.10 , "b":2}, "type": "BoxCredited", "provider":"equals-money" } "#;
    for same in [body, spaced] {
        let again = keyed.send("POST", "/events", JSON, same.as_bytes()).await;
        assert_eq!(accepted(&again, 202), first);
    }
    for other in [
        r#"{"provider":"equals-money","type":"BoxCredited","data":{"a":1.1,"b":2}}"#,
        r#"{"provider":"equals-money","type":"BoxCredited","data":{"b":2,"a":1.10}}"#,
        r#"{"provider":"equals-money","type":"BoxDebited","data":{"a":1.10,"b":2}}"#,
        r#"{"provider":"equals-money","type":"BoxCredited"}"#,
        r#"{"provider":"equals-money","type":"BoxCredited","accountId":"a","data":{"a":1.10,"b":2}}"#,
    ] {
        let answer = keyed.send("POST", "/events", JSON, other.as_bytes()).await;
        assert_problem(&answer, 409, &[]);
    }
    assert_eq!(deliveries(&client, "").await.len(), 1);
    // The key belongs to its caller.
    let stranger = app
        .operator_other()
        .await
        .with_header("Idempotency-Key", "a key");
    let other = accepted(
        &stranger
            .send("POST", "/events", JSON, body.as_bytes())
            .await,
        202,
    );
    assert_ne!(other["id"], first["id"]);
    // And it is durable.
    let app = app.restart().await;
    let keyed = app.operator().with_header("Idempotency-Key", "a key");
    let again = keyed.send("POST", "/events", JSON, body.as_bytes()).await;
    assert_eq!(accepted(&again, 202), first);
}

#[actix_web::test]
async fn a_refused_publication_does_not_use_its_key_up() {
    let app = TestApp::start().await;
    let keyed = app.operator().with_header("Idempotency-Key", "k");
    let bad = json!({ "provider": "equals-money", "type": "Nothing" });
    assert_problem(&keyed.post("/events", bad).await, 422, &["/type"]);
    publish(&keyed, equals_event()).await;
}

#[actix_web::test]
async fn a_hundred_identical_requests_at_once_publish_one_event() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    equals_webhook(&app, &receiver.url).await;
    let keyed = app.operator().with_header("Idempotency-Key", "once");
    let requests = (0..100).map(|_| keyed.post("/events", equals_event()));
    let answers = futures_util::future::join_all(requests).await;
    let told: Vec<Value> = answers.iter().map(|answer| accepted(answer, 202)).collect();
    assert!(told.iter().all(|one| *one == told[0]));
    let listed = accepted(&app.operator().get("/events").await, 200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(receiver.wait_for(1).await.len(), 1);
}

#[actix_web::test]
async fn an_idempotency_key_has_1_to_255_printable_characters_and_is_given_once() {
    let app = TestApp::start().await;
    let client = app.operator();
    for bad in ["", "ä", "a\tb", &"x".repeat(256)] {
        let answer = client
            .with_header("Idempotency-Key", bad)
            .post("/events", equals_event())
            .await;
        assert_problem(&answer, 400, &["Idempotency-Key"]);
    }
    for good in ["x", "a b", &"x".repeat(255)] {
        publish(&client.with_header("Idempotency-Key", good), equals_event()).await;
    }
}

/// Another program holds a lock for longer than a write waits for it.
#[actix_web::test]
async fn a_publisher_is_told_to_come_back_while_the_database_is_locked() {
    let app = TestApp::start().await;
    let other = app.lock();
    let client = app.operator();
    let refused = client.post("/events", conduit_event()).await;
    assert_problem(&refused, 503, &[]);
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(app.anonymous("").get("/health/ready").await.status, 503);
    let metrics = app.anonymous("").get("/metrics").await.text();
    assert!(metrics.contains("\ntruehook_readiness_failures_total 1\n"));
    drop(other);
    publish(&client, conduit_event()).await;
    assert_eq!(app.anonymous("").get("/health/ready").await.status, 200);
}
