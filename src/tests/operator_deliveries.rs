//! Tests of `/operator/v1/events` and `/operator/v1/deliveries`: lists, attempts and retries.

use serde_json::{Value, json};

use super::app::{Client, TestApp};
use super::delivering::{
    accepted, assert_problem, conduit_event, conduit_webhook, deliveries, delivery_of,
    delivery_when, equals_event, equals_webhook, publish, recorded,
};
use super::receiver::{Receiver, Reply};
use super::shape::assert_millis;

/// Follows a list page by page to its end.
async fn pages(client: &Client, path: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let list = accepted(&client.get(&format!("{path}{cursor}")).await, 200);
        pages.push(list["data"].as_array().unwrap().clone());
        match list["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

fn seconds_between(earlier: &Value, later: &Value) -> f64 {
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    time(later).duration_since(time(earlier)).as_secs_f64()
}

#[actix_web::test]
async fn lists_are_newest_first_filtered_and_paged() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let (conduit, equals) = (
        conduit_webhook(&app, &receiver.url).await,
        equals_webhook(&app, &receiver.url).await,
    );
    let client = app.operator();
    let mut published = Vec::new();
    for number in 0..5 {
        let event = if number % 2 == 0 {
            conduit_event()
        } else {
            equals_event()
        };
        published.push(publish(&client, event).await["id"].clone());
    }
    published.reverse();
    receiver.wait_for(5).await;
    for (path, member) in [
        ("/events?limit=2", "id"),
        ("/deliveries?limit=2", "eventId"),
    ] {
        let found = pages(&client, path).await;
        let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2, 1]);
        let ids: Vec<Value> = found
            .concat()
            .iter()
            .map(|one| one[member].clone())
            .collect();
        assert_eq!(ids, published, "{path}");
    }
    for (query, expected) in [
        ("provider=conduit", 3),
        ("type=BoxCredited", 2),
        ("provider=conduit&type=BoxCredited", 0),
    ] {
        let found = pages(&client, &format!("/events?{query}")).await.concat();
        assert_eq!(found.len(), expected, "{query}");
    }
    for (query, expected) in [
        ("provider=equals-money".to_owned(), 2),
        (format!("webhookId={conduit}"), 3),
        (format!("webhookId={equals}&provider=conduit"), 0),
        (format!("eventId={}", published[0].as_str().unwrap()), 1),
        ("state=exhausted".to_owned(), 0),
        ("eventId=evt_0".to_owned(), 0),
    ] {
        assert_eq!(deliveries(&client, &query).await.len(), expected, "{query}");
    }
    for (path, pointers) in [
        (
            "/events?limit=0&cursor=x&provider=operator&type=a&type=b",
            vec!["cursor", "limit", "provider", "type"],
        ),
        (
            "/deliveries?limit=1001&cursor=&state=done&provider=x",
            vec!["cursor", "limit", "provider", "state"],
        ),
        (
            "/deliveries?webhookId=a&webhookId=a&eventId=a&eventId=b",
            vec!["eventId", "webhookId"],
        ),
        ("/events?type=Nothing", vec!["type"]),
        ("/deliveries?type=", vec!["type"]),
        ("/webhooks?type=a.b&provider=conduit", vec!["type"]),
    ] {
        assert_problem(&client.get(path).await, 400, &pointers);
    }
}

/// A mistyped type must not pass for one without deliveries. The types of every provider are known, whichever is asked for.
#[actix_web::test]
async fn a_type_of_no_provider_is_refused_beside_the_one_that_is_meant() {
    let app = TestApp::start().await;
    let client = app.operator();
    for list in ["events", "deliveries", "webhooks"] {
        for known in ["BoxCredited", "customer.created"] {
            let query = format!("/{list}?type={known}");
            assert_eq!(client.get(&query).await.status, 200, "{query}");
        }
        for (mistyped, meant) in [
            ("BoxCredted", "BoxCredited"),
            ("customer.craeted", "customer.created"),
        ] {
            let answer = client.get(&format!("/{list}?type={mistyped}")).await;
            assert_problem(&answer, 400, &["type"]);
            let expected = format!("must be an event type of a provider; did you mean `{meant}`?");
            assert_eq!(answer.json()["errors"][0]["detail"], json!(expected));
        }
    }
}

#[actix_web::test]
async fn a_delivery_shows_its_attempts_without_secrets_and_when_the_next_is_due() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    let webhook = equals_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::With(503, "come back\u{1F600}".to_owned())]);
    let told = publish(&client, equals_event()).await;
    let id = delivery_of(&client, &told).await;
    let delivery = delivery_when(&client, &id, recorded(1)).await;
    assert_eq!(delivery["state"], "pending");
    assert_eq!(delivery["attemptCount"], 1);
    assert_eq!(delivery["webhookId"], json!(webhook));
    assert_eq!(delivery["eventId"], told["id"]);
    assert_eq!(delivery["url"], json!(receiver.url));
    assert_eq!(delivery["completedAt"], Value::Null);
    let attempt = &delivery["attempts"][0];
    // E-55: 5 minutes after the first attempt was claimed, between the publication and its start. The clock may be corrected meanwhile.
    let next = &delivery["nextAttemptAt"];
    assert!(seconds_between(&told["createdAt"], next) >= 299.9);
    assert!(seconds_between(&attempt["startedAt"], next) <= 300.1);
    assert_eq!(attempt["status"], 503);
    assert_eq!(attempt["responseBody"], "come back\u{1F600}");
    assert_eq!(
        (&attempt["responseTruncated"], &attempt["error"]),
        (&json!(false), &Value::Null)
    );
    assert_millis(&attempt["startedAt"]);
    let total = attempt["durationMs"]["total"].as_f64().unwrap();
    assert!(attempt["durationMs"]["firstByte"].as_f64().unwrap() <= total && total < 60_000.0);
    let headers = attempt["requestHeaders"].as_array().unwrap();
    let value = |name: &str| {
        let header = headers.iter().find(|header| header["name"] == name);
        header.map(|header| header["value"].as_str().unwrap())
    };
    assert_eq!(value("authorization"), Some("[redacted]"));
    let sent = receiver.wait_for(1).await.remove(0);
    assert_eq!(value("x-em-signature"), sent.header("x-em-signature"));
    let text = client.get(&format!("/deliveries/{id}")).await.text();
    assert!(!text.contains("c2VjcmV0"), "{text}");
}

#[actix_web::test]
async fn a_failed_delivery_of_conduit_is_attempted_again_by_its_schedule() {
    let receiver = Receiver::start();
    // A minute passes in a tenth of a second.
    let app = TestApp::start_with(|config| config.clock_speed = 600.0).await;
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::status(500), Reply::status(404)]);
    let told = publish(&client, conduit_event()).await;
    let id = delivery_of(&client, &told).await;
    let received = receiver.wait_for(3).await;
    let delivery = delivery_when(&client, &id, |delivery| delivery["state"] == "delivered").await;
    let attempts = delivery["attempts"].as_array().unwrap();
    let statuses: Vec<&Value> = attempts.iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, [500, 404, 200]);
    assert_eq!(delivery["nextAttemptAt"], Value::Null);
    assert_millis(&delivery["completedAt"]);
    // C-42, with 10 % to and fro, from the claim of the first attempt, which may begin a little later.
    assert!(seconds_between(&delivery["createdAt"], &attempts[1]["startedAt"]) >= 53.9);
    assert!(received.iter().all(|one| one.body == received[0].body));
}

#[actix_web::test]
async fn a_retry_makes_one_more_attempt_at_once_whatever_the_state() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    equals_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::status(500), Reply::status(200), Reply::status(500)]);
    let told = publish(&client, equals_event()).await;
    let id = delivery_of(&client, &told).await;
    delivery_when(&client, &id, recorded(1)).await;
    // Pending, and due in 5 minutes.
    let retried = accepted(
        &client
            .send("POST", &format!("/deliveries/{id}/retry"), None, b"")
            .await,
        202,
    );
    assert_eq!(
        (&retried["id"], &retried["state"]),
        (&json!(id), &json!("pending"))
    );
    assert_eq!(retried.get("attempts"), None);
    delivery_when(&client, &id, |delivery| delivery["state"] == "delivered").await;
    // Delivered: an attempt by hand that fails is not retried.
    let path = format!("/deliveries/{id}/retry");
    assert_eq!(
        accepted(&client.send("POST", &path, None, b"").await, 202)["completedAt"],
        Value::Null
    );
    let ended = delivery_when(&client, &id, recorded(3)).await;
    assert_eq!(ended["state"], "exhausted");
    client.send("POST", &path, None, b"").await;
    delivery_when(&client, &id, |delivery| delivery["state"] == "delivered").await;
    let received = receiver.received();
    assert!(received.len() == 4 && received.iter().all(|one| one.body == received[0].body));
}

#[actix_web::test]
async fn a_retry_is_refused_while_an_attempt_is_under_way_and_made_when_it_has_a_result() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::Nothing]);
    let told = publish(&client, conduit_event()).await;
    let id = delivery_of(&client, &told).await;
    let path = format!("/deliveries/{id}/retry");
    receiver.wait_for(1).await;
    for _ in 0..2 {
        let answer = client.send("POST", &path, None, b"").await;
        assert_problem(&answer, 409, &[]);
        assert!(answer.text().contains("under way"), "{}", answer.text());
    }
    // The attempt ends with its deadline, and was the only one until then.
    let delivery = delivery_when(&client, &id, recorded(1)).await;
    assert_eq!(delivery["attemptCount"], 1);
    accepted(&client.send("POST", &path, None, b"").await, 202);
    let delivery = delivery_when(&client, &id, |delivery| delivery["state"] == "delivered").await;
    assert_eq!(delivery["attemptCount"], 2);
    let known = delivery["attempts"].as_array().unwrap().iter();
    assert!(
        known.clone().all(|attempt| attempt["recorded"] == true),
        "{delivery}"
    );
}

#[actix_web::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (app, receiver, elsewhere) = (TestApp::start().await, Receiver::start(), Receiver::start());
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::Redirect(elsewhere.url.clone())]);
    let told = publish(&client, conduit_event()).await;
    let delivery = delivery_when(&client, &delivery_of(&client, &told).await, recorded(1)).await;
    assert_eq!(
        (&delivery["state"], &delivery["attempts"][0]["status"]),
        (&json!("pending"), &json!(307))
    );
    assert_eq!(elsewhere.received().len(), 0);
}

#[actix_web::test]
async fn a_receiver_that_cannot_be_reached_is_explained() {
    let app = TestApp::start_with(|config| config.delivery.policy.loopback = false).await;
    let client = app.operator();
    conduit_webhook(&app, "http://127.0.0.1:9/").await;
    let told = publish(&client, conduit_event()).await;
    let delivery = delivery_when(&client, &delivery_of(&client, &told).await, recorded(1)).await;
    let attempt = &delivery["attempts"][0];
    assert_eq!(
        (&attempt["status"], &attempt["responseBody"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        attempt["error"].as_str().unwrap().contains("loopback"),
        "{attempt}"
    );
}

#[actix_web::test]
async fn an_attempt_that_a_stop_cuts_off_is_made_again_at_the_next_start() {
    let receiver = Receiver::start();
    let app = TestApp::start_with(|config| config.stop_seconds = 1).await;
    conduit_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::Nothing]);
    let told = publish(&app.operator(), conduit_event()).await;
    receiver.wait_for(1).await;
    let app = app.restart().await;
    let client = app.operator();
    let id = delivery_of(&client, &told).await;
    let delivery = delivery_when(&client, &id, |delivery| delivery["state"] == "delivered").await;
    // Nobody knows what came of the first.
    let known: Vec<&Value> = delivery["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["recorded"])
        .collect();
    assert_eq!(known, [false, true]);
    let received = receiver.wait_for(2).await;
    assert_eq!(received[0].body, received[1].body);
}

#[actix_web::test]
async fn what_does_not_exist_is_not_found() {
    let app = TestApp::start().await;
    let client = app.operator();
    for path in [
        "/events/evt_000000000000000000000000000",
        "/events/evt_0",
        "/events/%ff",
        "/deliveries/0ad52e33-8662-4923-b15f-d45a73c6e973",
        "/deliveries/x",
        "/nothing",
    ] {
        assert_problem(&client.get(path).await, 404, &[]);
    }
    for id in ["0ad52e33-8662-4923-b15f-d45a73c6e973", "x"] {
        let answer = client
            .send("POST", &format!("/deliveries/{id}/retry"), None, b"")
            .await;
        assert_problem(&answer, 404, &[]);
    }
}

#[actix_web::test]
async fn a_delivery_shows_the_body_as_it_was_sent_and_the_headers_of_the_answer() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    equals_webhook(&app, &receiver.url).await;
    for event in [conduit_event(), equals_event()] {
        let id = delivery_of(&client, &publish(&client, event).await).await;
        let delivery = delivery_when(&client, &id, recorded(1)).await;
        let received = receiver.wait_for(1).await.pop().unwrap();
        let sent = delivery["requestBody"].as_str().unwrap();
        assert_eq!(sent.as_bytes(), received.body);
        let heard = delivery["attempts"][0]["responseHeaders"]
            .as_array()
            .unwrap();
        assert!(
            heard.contains(&json!({ "name": "content-length", "value": "0" })),
            "{heard:?}"
        );
    }
}

#[actix_web::test]
async fn a_list_tells_what_the_last_attempts_came_to() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::With(503, "come back".to_owned())]);
    let id = delivery_of(&client, &publish(&client, conduit_event()).await).await;
    let detail = delivery_when(&client, &id, recorded(1)).await;
    let found = deliveries(
        &client,
        "outcome=5xx&type=transaction.completed&from=2020-01-01T00:00:00Z",
    )
    .await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["lastStatus"], &found[0]["lastError"]),
        (&json!(503), &Value::Null)
    );
    assert_eq!(
        found[0]["lastAttemptAt"],
        detail["attempts"][0]["startedAt"]
    );
    for nothing in [
        "outcome=2xx",
        "type=customer.created",
        "to=2020-01-01T00:00:00Z",
    ] {
        assert!(deliveries(&client, nothing).await.is_empty(), "{nothing}");
    }
    assert_eq!(deliveries(&client, "outcome=failure").await.len(), 1);
}

#[actix_web::test]
async fn who_follows_events_gets_each_of_them_once_and_in_order() {
    let app = TestApp::start().await;
    let client = app.operator();
    let list = async |query: &str| accepted(&client.get(&format!("/events?{query}")).await, 200);
    publish(&client, equals_event()).await;
    let mut since = list("limit=1").await["since"].as_str().unwrap().to_owned();
    let mut published = Vec::new();
    for _ in 0..5 {
        published.push(publish(&client, conduit_event()).await["id"].clone());
    }
    let mut followed = Vec::new();
    loop {
        let page = list(&format!("since={since}&limit=2")).await;
        assert_eq!(page["next"], Value::Null);
        let data = page["data"].as_array().unwrap();
        if data.is_empty() {
            break;
        }
        followed.extend(data.iter().map(|event| event["id"].clone()));
        page["since"].as_str().unwrap().clone_into(&mut since);
    }
    assert_eq!(followed, published);
    let both = client
        .get(&format!("/events?since={since}&cursor=MS80Mg"))
        .await;
    assert_problem(&both, 400, &["since"]);
}
