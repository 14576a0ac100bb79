//! One answer of every kind from every operation of the operator API, under snapshot: each status that the document has for it.

use serde_json::{Value, json};

use super::app::{APIS, Answer, CONDUIT_CLIENT, Client, EQUALS_PRODUCT, TestApp};
use super::delivering::{
    conduit_event, conduit_webhook, deliveries, delivery_of, delivery_when, equals_event,
    equals_webhook, publish, recorded, until,
};
use super::receiver::{Receiver, Reply};
use super::recorder::{Recorder, refusals, refusals_without_body};

const PREFIX: &str = "/operator/v1";

/// Records the answers of an operation when the database is of no use, and compares all its answers.
async fn finish(
    mut recorder: Recorder,
    operation: &str,
    unfit: &Unfit,
    call: impl AsyncFn(&Client) -> Answer,
) {
    let [damaged, away] = unfit.apps.each_ref().map(TestApp::operator);
    recorder.record("when the database is damaged", &call(&damaged).await);
    recorder.record("when the database is taken away", &call(&away).await);
    recorder.assert_documented(&APIS.document("operator"), operation);
    recorder.assert(&format!("operator-{operation}"));
}

/// Records the answer to a query parameter that the operation does not have.
async fn unknown_parameter(recorder: &mut Recorder, client: &Client, method: &str, path: &str) {
    let path = format!("{path}?unknown=1");
    let json = (method == "POST").then_some("application/json");
    let body: &[u8] = if method == "POST" { b"{}" } else { b"" };
    let answer = client.send(method, &path, json, body).await;
    recorder.record("an unknown query parameter", &answer);
}

/// A server whose database has lost its tables, and one whose database is not there any more.
struct Unfit {
    apps: [TestApp; 2],
}

impl Unfit {
    async fn start() -> Self {
        let apps = [TestApp::start().await, TestApp::start().await];
        apps[0].damage();
        apps[1].take_away();
        Self { apps }
    }
}

/// A server with a receiver, and one delivery of either provider: accepted, and refused once.
struct Delivered {
    app: TestApp,
    client: Client,
    receiver: Receiver,
    /// The answers to the publishers.
    told: [Value; 2],
    /// The ids of the deliveries.
    ids: [String; 2],
}

impl Delivered {
    async fn start() -> Self {
        let (app, receiver) = (TestApp::start().await, Receiver::start());
        let client = app.operator();
        conduit_webhook(&app, &format!("{}/conduit", receiver.url)).await;
        equals_webhook(&app, &format!("{}/equals-money", receiver.url)).await;
        let accepted = publish(&client, conduit_event()).await;
        let first = delivery_of(&client, &accepted).await;
        delivery_when(&client, &first, recorded(1)).await;
        receiver.reply([Reply::With(503, "come back".to_owned())]);
        let refused = publish(&client, equals_event()).await;
        let second = delivery_of(&client, &refused).await;
        delivery_when(&client, &second, recorded(1)).await;
        Self {
            app,
            client,
            receiver,
            told: [accepted, refused],
            ids: [first, second],
        }
    }
}

#[actix_web::test]
async fn events_answer_as_reviewed() {
    let Delivered {
        app, client, told, ..
    } = &Delivered::start().await;
    let unfit = Unfit::start().await;

    let mut publication = Recorder::default();
    let of_conduit = json!({
        "provider": "conduit", "type": "customer.created", "clientId": CONDUIT_CLIENT,
        "data": { "customer": { "id": "cus_2ofTA13AD0xBtbEvBl20aEb1hEu", "status": "created" } },
    });
    let of_equals = json!({
        "provider": "equals-money", "type": "BoxCredited", "accountId": "F12345", "productId": EQUALS_PRODUCT,
        "data": { "currency": "GBP" },
    });
    let keyed = client.with_header("Idempotency-Key", "a key");
    for (call, caller, event) in [
        ("an event of Conduit with data", client, &of_conduit),
        ("every member, with a key", &keyed, &of_equals),
        ("the same again", &keyed, &of_equals),
        ("the key with another body", &keyed, &of_conduit),
    ] {
        publication.record(call, &caller.post("/events", event.clone()).await);
    }
    let empty_key = client.with_header("Idempotency-Key", "");
    publication.record("an empty key", &empty_key.post("/events", of_equals).await);
    for (call, event) in [
        (
            "every member at fault",
            json!({
                "provider": "equals-money", "type": 1, "accountId": "", "clientId": "x", "productId": 1, "data": [],
                "unknown": 1,
            }),
        ),
        (
            "a payload at fault",
            json!({
                "provider": "conduit", "type": "transaction.completed", "clientId": CONDUIT_CLIENT,
                "data": { "transaction": { "status": 7 }, "other": 1 },
            }),
        ),
        (
            "a member of the other provider",
            json!({ "provider": "conduit", "type": "transaction.completed", "accountId": "F12345" }),
        ),
        ("nothing", json!({})),
        ("an array", json!([])),
    ] {
        publication.record(call, &client.post("/events", event).await);
    }
    let twice = br#"{"provider":"equals-money","type":"BoxCredited","data":{"a":1,"a":2}}"#;
    let answer = client.send("POST", "/events", Some("application/json"), twice);
    publication.record("a member twice", &answer.await);
    refusals(&mut publication, app, PREFIX, client, "POST", "/events").await;
    unknown_parameter(&mut publication, client, "POST", "/events").await;
    let call = async |client: &Client| client.post("/events", equals_event()).await;
    finish(publication, "publishEvent", &unfit, call).await;

    // The events that were published meanwhile have arrived, so that the counts of the lists stand still.
    until(async || {
        let pending = deliveries(client, "state=pending").await;
        if pending.len() == 1 {
            Ok(())
        } else {
            Err(json!(pending))
        }
    })
    .await;
    let mut list = Recorder::default();
    for (call, query) in [
        ("all", ""),
        ("a page of one", "?limit=1"),
        ("filtered", "?provider=conduit&type=transaction.completed"),
        ("nothing found", "?provider=conduit&type=BoxCredited"),
        ("from the beginning on", "?since=c2luY2UvMA&limit=1"),
        (
            "a bad query",
            "?limit=0&cursor=x&provider=operator&type=a&type=b&since=x",
        ),
    ] {
        list.record(call, &client.get(&format!("/events{query}")).await);
    }
    refusals(&mut list, app, PREFIX, client, "GET", "/events").await;
    unknown_parameter(&mut list, client, "GET", "/events").await;
    finish(list, "listEvents", &unfit, async |client: &Client| {
        client.get("/events").await
    })
    .await;

    let mut get = Recorder::default();
    let path = |event: &Value| format!("/events/{}", event["id"].as_str().unwrap());
    get.record("of Conduit", &client.get(&path(&told[0])).await);
    get.record("of Equals Money", &client.get(&path(&told[1])).await);
    let unknown = "/events/evt_000000000000000000000000000";
    get.record("an unknown one", &client.get(unknown).await);
    refusals(&mut get, app, PREFIX, client, "GET", unknown).await;
    unknown_parameter(&mut get, client, "GET", unknown).await;
    finish(get, "getEvent", &unfit, async |client: &Client| {
        client.get(unknown).await
    })
    .await;
}

#[actix_web::test]
async fn deliveries_answer_as_reviewed() {
    let Delivered {
        app,
        client,
        ids,
        receiver,
        ..
    } = &Delivered::start().await;
    let unfit = Unfit::start().await;

    let mut list = Recorder::default();
    for (call, query) in [
        ("all", ""),
        ("a page of one", "?limit=1"),
        (
            "filtered",
            "?provider=conduit&state=delivered&type=transaction.completed&outcome=2xx&from=2020-01-01T00:00:00Z",
        ),
        ("nothing found", "?eventId=evt_0&webhookId=x"),
        (
            "a bad query",
            "?limit=1001&cursor=x&provider=operator&state=failed&webhookId=a&webhookId=b&outcome=418&from=x&to=2025-11-04&type=boxCredit",
        ),
    ] {
        list.record(call, &client.get(&format!("/deliveries{query}")).await);
    }
    refusals(&mut list, app, PREFIX, client, "GET", "/deliveries").await;
    unknown_parameter(&mut list, client, "GET", "/deliveries").await;
    finish(list, "listDeliveries", &unfit, async |client: &Client| {
        client.get("/deliveries").await
    })
    .await;

    let mut get = Recorder::default();
    let [accepted, refused] = [0, 1].map(|index| format!("/deliveries/{}", ids[index]));
    let unknown = "/deliveries/0ad52e33-8662-4923-b15f-d45a73c6e973";
    get.record("an accepted one", &client.get(&accepted).await);
    get.record("one to be attempted again", &client.get(&refused).await);
    get.record("an unknown one", &client.get(unknown).await);
    get.record("no UUID", &client.get("/deliveries/x").await);
    refusals(&mut get, app, PREFIX, client, "GET", unknown).await;
    unknown_parameter(&mut get, client, "GET", unknown).await;
    finish(get, "getDelivery", &unfit, async |client: &Client| {
        client.get(unknown).await
    })
    .await;

    let mut retry = Recorder::default();
    let retried = async |client: &Client, path: &str| {
        let path = format!("{path}/retry");
        client.send("POST", &path, None, b"").await
    };
    retry.record("an accepted one", &retried(client, &accepted).await);
    retry.record("one that is pending", &retried(client, &refused).await);
    retry.record("an unknown one", &retried(client, unknown).await);
    receiver.wait_for(4).await;
    receiver.reply([Reply::Nothing]);
    let waiting = delivery_of(client, &publish(client, conduit_event()).await).await;
    receiver.wait_for(5).await;
    let waiting = format!("/deliveries/{waiting}");
    retry.record("one that is attempted", &retried(client, &waiting).await);
    let path = format!("{unknown}/retry");
    refusals_without_body(&mut retry, app, PREFIX, client, "POST", &path).await;
    unknown_parameter(&mut retry, client, "POST", &path).await;
    finish(retry, "retryDelivery", &unfit, async |client: &Client| {
        retried(client, unknown).await
    })
    .await;
}

#[actix_web::test]
async fn webhooks_answer_as_reviewed() {
    let Delivered { app, client, .. } = &Delivered::start().await;
    let unfit = Unfit::start().await;

    let mut list = Recorder::default();
    for (call, query) in [
        ("all", ""),
        ("a page of one", "?limit=1"),
        (
            "filtered",
            "?provider=equals-money&type=BoxCredited&enabled=true",
        ),
        ("nothing found", "?owner=x&accountId=F12345"),
        (
            "a bad query",
            "?limit=1001&cursor=x&provider=operator&enabled=1&type=a&type=b",
        ),
    ] {
        list.record(call, &client.get(&format!("/webhooks{query}")).await);
    }
    refusals(&mut list, app, PREFIX, client, "GET", "/webhooks").await;
    unknown_parameter(&mut list, client, "GET", "/webhooks").await;
    finish(list, "listWebhooks", &unfit, async |client: &Client| {
        client.get("/webhooks").await
    })
    .await;

    let mut get = Recorder::default();
    let all = client.get("/webhooks").await.json();
    for (call, index) in [("of Equals Money", 0), ("of Conduit", 1)] {
        let id = all["data"][index]["id"].as_str().unwrap();
        get.record(call, &client.get(&format!("/webhooks/{id}")).await);
    }
    let unknown = "/webhooks/whk_000000000000000000000000000";
    get.record("an unknown one", &client.get(unknown).await);
    refusals(&mut get, app, PREFIX, client, "GET", unknown).await;
    unknown_parameter(&mut get, client, "GET", unknown).await;
    finish(get, "getWebhook", &unfit, async |client: &Client| {
        client.get(unknown).await
    })
    .await;
}

#[actix_web::test]
async fn replays_answer_as_reviewed() {
    let Delivered { app, client, .. } = &Delivered::start().await;
    let unfit = Unfit::start().await;

    let mut create = Recorder::default();
    let dry = json!({ "state": "delivered", "dryRun": true });
    let started = client.post("/replays", dry.clone()).await;
    create.record("a dry run", &started);
    for (call, filter) in [
        (
            "every member",
            json!({
                "from": "2025-11-04T16:00:00+01:00", "to": "2025-11-04T15:30:00.5Z",
                "webhookId": "whk_31BbTJ0ORWosbmona9WP0ThJYT5", "provider": "conduit", "state": "unmatched", "dryRun": false,
            }),
        ),
        (
            "every member at fault",
            json!({
                "from": "yesterday", "to": 1, "webhookId": "", "provider": "operator", "state": "failed", "dryRun": 1,
                "unknown": 1,
            }),
        ),
        ("no filter", json!({ "provider": "conduit" })),
        (
            "ends before it begins",
            json!({ "from": "2025-11-04T16:00:00Z", "to": "2025-11-04T16:00:00+01:00" }),
        ),
        ("an array", json!([])),
    ] {
        create.record(call, &client.post("/replays", filter).await);
    }
    refusals(&mut create, app, PREFIX, client, "POST", "/replays").await;
    unknown_parameter(&mut create, client, "POST", "/replays").await;
    let call = async |client: &Client| client.post("/replays", dry.clone()).await;
    finish(create, "createReplay", &unfit, call).await;

    let mut get = Recorder::default();
    let path = format!("/replays/{}", started.json()["id"].as_str().unwrap());
    until(async || {
        let replay = client.get(&path).await.json();
        if replay["status"] == "done" {
            Ok(())
        } else {
            Err(replay)
        }
    })
    .await;
    get.record("a dry run that is done", &client.get(&path).await);
    get.record("an unknown one", &client.get("/replays/rpl_0").await);
    refusals(&mut get, app, PREFIX, client, "GET", &path).await;
    unknown_parameter(&mut get, client, "GET", &path).await;
    finish(get, "getReplay", &unfit, async |client: &Client| {
        client.get(&path).await
    })
    .await;
}

#[actix_web::test]
async fn keys_answer_as_reviewed() {
    let app = TestApp::start().await;
    let client = &app.operator();
    let unfit = Unfit::start().await;

    let mut create = Recorder::default();
    let named =
        json!({ "provider": "conduit", "owner": CONDUIT_CLIENT, "name": "ACME back office" });
    let created = client.post("/keys", named).await;
    create.record("of Conduit, with every member", &created);
    for (call, key) in [
        ("of Conduit", json!({ "provider": "conduit" })),
        ("of Equals Money", json!({ "provider": "equals-money" })),
        ("of this API", json!({ "provider": "operator" })),
        (
            "every member at fault",
            json!({ "provider": "operator", "owner": "operator", "name": "", "unknown": 1 }),
        ),
        (
            "no owner of the provider",
            json!({ "provider": "conduit", "owner": EQUALS_PRODUCT }),
        ),
        ("nothing", json!({})),
        ("an array", json!([])),
    ] {
        create.record(call, &client.post("/keys", key).await);
    }
    refusals(&mut create, &app, PREFIX, client, "POST", "/keys").await;
    unknown_parameter(&mut create, client, "POST", "/keys").await;
    let call = async |client: &Client| client.post("/keys", json!({ "provider": "conduit" })).await;
    finish(create, "createKey", &unfit, call).await;

    let path = format!("/keys/{}", created.json()["id"].as_str().unwrap());
    let mut revoke = Recorder::default();
    refusals(&mut revoke, &app, PREFIX, client, "DELETE", &path).await;
    unknown_parameter(&mut revoke, client, "DELETE", &path).await;
    revoke.record("a key", &client.delete(&path).await);
    revoke.record("again", &client.delete(&path).await);
    finish(revoke, "revokeKey", &unfit, async |client: &Client| {
        client.delete(&path).await
    })
    .await;

    let mut list = Recorder::default();
    list.record("all, one of them revoked", &client.get("/keys").await);
    refusals(&mut list, &app, PREFIX, client, "GET", "/keys").await;
    unknown_parameter(&mut list, client, "GET", "/keys").await;
    finish(list, "listKeys", &unfit, async |client: &Client| {
        client.get("/keys").await
    })
    .await;
}
