//! Tests of `/operator/v1/replays`.

use serde_json::{Value, json};

use super::app::{Client, TestApp};
use super::delivering::{
    accepted, assert_problem, conduit_event, conduit_webhook, deliveries, equals_event,
    equals_webhook, publish, until,
};
use super::receiver::Receiver;
use super::shape::assert_ksuid;

/// Starts a replay and waits for its end.
async fn replay(client: &Client, body: Value) -> Value {
    let started = accepted(&client.post("/replays", body).await, 202);
    assert_ksuid("rpl", started["id"].as_str().unwrap());
    assert_eq!(
        (&started["status"], &started["matched"]),
        (&json!("running"), &json!(0))
    );
    let path = format!("/replays/{}", started["id"].as_str().unwrap());
    let done = until(async || {
        let replay = accepted(&client.get(&path).await, 200);
        if replay["status"] == "done" {
            Ok(replay)
        } else {
            Err(replay)
        }
    })
    .await;
    assert!(
        done["finishedAt"].as_str() >= done["createdAt"].as_str(),
        "{done}"
    );
    assert_eq!(done["filter"], started["filter"]);
    done
}

#[actix_web::test]
async fn events_that_nobody_wanted_reach_who_subscribes_later() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    let told = publish(&client, equals_event()).await;
    assert_eq!(told["deliveries"], 0);
    publish(&client, conduit_event()).await;
    equals_webhook(&app, &receiver.url).await;
    let counted = replay(&client, json!({ "state": "unmatched", "dryRun": true })).await;
    assert_eq!(
        (&counted["dryRun"], &counted["enqueued"]),
        (&json!(true), &json!(0))
    );
    assert!(deliveries(&client, "").await.is_empty());
    let done = replay(
        &client,
        json!({ "state": "unmatched", "provider": "equals-money" }),
    )
    .await;
    assert_eq!(done["enqueued"], 1);
    receiver.wait_for(1).await;
    assert_eq!(deliveries(&client, "").await[0]["eventId"], told["id"]);
    // They are matched now.
    let again = replay(
        &client,
        json!({ "state": "unmatched", "provider": "equals-money" }),
    )
    .await;
    assert_eq!(
        (&again["matched"], &again["enqueued"]),
        (&json!(0), &json!(0))
    );
}

#[actix_web::test]
async fn what_the_filter_picks_is_attempted_again_and_nothing_else() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    let (webhook, _) = (
        conduit_webhook(&app, &receiver.url).await,
        equals_webhook(&app, &receiver.url).await,
    );
    publish(&client, equals_event()).await;
    for _ in 0..3 {
        publish(&client, conduit_event()).await;
    }
    let all_delivered = async || {
        let found = deliveries(&client, "").await;
        let delivered = found
            .iter()
            .all(|delivery| delivery["state"] == "delivered");
        if delivered {
            Ok(found)
        } else {
            Err(json!(found))
        }
    };
    until(all_delivered).await;
    for (filter, picked) in [
        (json!({ "webhookId": webhook, "state": "delivered" }), 3),
        (
            json!({ "from": "2020-01-01T00:00:00Z", "provider": "equals-money" }),
            1,
        ),
        (json!({ "to": "2020-01-01T00:00:00+01:00" }), 0),
        (json!({ "state": "exhausted" }), 0),
    ] {
        let before = receiver.received().len();
        let done = replay(&client, filter.clone()).await;
        assert_eq!(
            (&done["matched"], &done["enqueued"]),
            (&json!(picked), &json!(picked)),
            "{filter}"
        );
        receiver.wait_for(before + picked).await;
        until(all_delivered).await;
        assert_eq!(receiver.received().len(), before + picked, "{filter}");
    }
}

#[actix_web::test]
async fn every_fault_of_a_replay_is_named_and_none_is_started() {
    let app = TestApp::start().await;
    let client = app.operator();
    for (body, pointers) in [
        (json!({}), vec![""]),
        (json!({ "provider": "conduit" }), vec![""]),
        (json!([]), vec![""]),
        (
            json!({ "from": "2025-11-04T15:00:00", "to": 1 }),
            vec!["/from", "/to"],
        ),
        (
            json!({ "from": "2025-11-04T15:00:00Z", "to": "2025-11-04T16:00:00+01:00" }),
            vec!["/to"],
        ),
        (
            json!({ "state": "done", "eventId": "x" }),
            vec!["/eventId", "/state"],
        ),
        (
            json!({ "state": "exhausted", "dryRun": null, "webhookId": "" }),
            vec!["/dryRun", "/webhookId"],
        ),
    ] {
        assert_problem(&client.post("/replays", body).await, 422, &pointers);
    }
    let answer = client
        .send("POST", "/replays", Some("application/json"), b"{")
        .await;
    assert_problem(&answer, 400, &[""]);
    assert_problem(&client.get("/replays/rpl_0").await, 404, &[]);
}
