//! What changes of webhooks do to their deliveries.

use serde_json::{Value, json};

use super::app::TestApp;
use super::delivering::{
    accepted, conduit_event, conduit_webhook, deliveries, delivery_of, delivery_when, equals_event,
    equals_webhook, publish, recorded,
};
use super::receiver::{Receiver, Reply};

/// E-58.
#[actix_web::test]
async fn a_changed_webhook_is_used_from_the_next_attempt_on() {
    let (app, old, new) = (TestApp::start().await, Receiver::start(), Receiver::start());
    let client = app.operator();
    let webhook = equals_webhook(&app, &old.url).await;
    old.reply([Reply::status(500)]);
    let told = publish(&client, equals_event()).await;
    let id = delivery_of(&client, &told).await;
    delivery_when(&client, &id, recorded(1)).await;
    let change = json!({ "url": new.url, "sharedSecret": "other", "authorizationHeader": null, "enabled": true });
    accepted(
        &app.equals()
            .patch(&format!("/v2/webhooks/{webhook}"), change)
            .await,
        200,
    );
    client
        .send("POST", &format!("/deliveries/{id}/retry"), None, b"")
        .await;
    let received = new.wait_for(1).await.remove(0);
    let expected = super::delivering::equals_signature("other", &received);
    assert_eq!(received.header("x-em-signature"), Some(expected.as_str()));
    assert_eq!(received.header("authorization"), None);
    let delivery = delivery_when(&client, &id, recorded(2)).await;
    assert_eq!(
        (&delivery["state"], &delivery["url"]),
        (&json!("delivered"), &json!(new.url))
    );
}

/// E-57.
#[actix_web::test]
async fn deliveries_of_a_disabled_equals_money_webhook_wait_until_it_is_enabled() {
    let receiver = Receiver::start();
    let app = TestApp::start_with(|config| config.clock_speed = 3_600.0).await;
    let client = app.operator();
    let webhook = equals_webhook(&app, &receiver.url).await;
    receiver.reply([Reply::status(500)]);
    // The answer to the change may come before or after a retry: what counts is what happens behind it.
    let told = publish(&client, equals_event()).await;
    let id = delivery_of(&client, &told).await;
    receiver.wait_for(1).await;
    let enable = async |enabled: bool| {
        let change = json!({ "url": receiver.url, "enabled": enabled, "sharedSecret": "s", "authorizationHeader": null });
        accepted(
            &app.equals()
                .patch(&format!("/v2/webhooks/{webhook}"), change)
                .await,
            200,
        )
    };
    receiver.reply(std::iter::repeat_n(Reply::status(500), 50));
    enable(false).await;
    assert_eq!(
        publish(&client, equals_event()).await["deliveries"],
        0,
        "a disabled webhook gets nothing new"
    );
    let attempts = delivery_when(&client, &id, |delivery| {
        delivery["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|attempt| attempt["recorded"] == true)
    })
    .await["attemptCount"]
        .as_u64()
        .unwrap();
    // More than five minutes pass in the time that another webhook's delivery takes.
    let other = conduit_webhook(&app, &receiver.url).await;
    publish(&client, conduit_event()).await;
    super::delivering::until(async || {
        let found = deliveries(&client, &format!("webhookId={other}")).await;
        if found[0]["attemptCount"].as_u64() >= Some(6) {
            Ok(())
        } else {
            Err(json!(found))
        }
    })
    .await;
    let waiting = delivery_when(&client, &id, |_| true).await;
    assert_eq!(waiting["attemptCount"], attempts);
    assert_eq!(waiting["state"], "pending");
    enable(true).await;
    delivery_when(&client, &id, |delivery| {
        delivery["attemptCount"].as_u64() > Some(attempts)
    })
    .await;
}

/// C-38, C-39, E-57.
#[actix_web::test]
async fn deliveries_of_a_deleted_or_disabled_conduit_webhook_go_on_and_those_of_equals_money_end() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    let (deleted, equals) = (
        conduit_webhook(&app, &receiver.url).await,
        equals_webhook(&app, &receiver.url).await,
    );
    let disabled = conduit_webhook(&app, &receiver.url).await;
    receiver.reply(std::iter::repeat_n(Reply::status(500), 3));
    let told = publish(&client, conduit_event()).await;
    assert_eq!(told["deliveries"], 2);
    publish(&client, equals_event()).await;
    for webhook in [&deleted, &equals, &disabled] {
        let id = deliveries(&client, &format!("webhookId={webhook}")).await[0]["id"].clone();
        delivery_when(&client, id.as_str().unwrap(), recorded(1)).await;
    }
    assert_eq!(
        app.conduit()
            .delete(&format!("/webhooks/{deleted}"))
            .await
            .status,
        204
    );
    assert_eq!(
        app.equals()
            .delete(&format!("/v2/webhooks/{equals}"))
            .await
            .status,
        204
    );
    let change = json!({ "status": "disabled" });
    accepted(
        &app.conduit()
            .patch(&format!("/webhooks/{disabled}"), change)
            .await,
        200,
    );
    let of_equals = &deliveries(&client, &format!("webhookId={equals}")).await[0];
    assert_eq!(of_equals["state"], "cancelled");
    assert_eq!(of_equals["nextAttemptAt"], Value::Null);
    for webhook in [&deleted, &disabled] {
        let delivery = deliveries(&client, &format!("webhookId={webhook}"))
            .await
            .remove(0);
        assert_eq!(delivery["state"], "pending");
        let id = delivery["id"].as_str().unwrap();
        client
            .send("POST", &format!("/deliveries/{id}/retry"), None, b"")
            .await;
        delivery_when(&client, id, |delivery| delivery["state"] == "delivered").await;
    }
    assert_eq!(publish(&client, conduit_event()).await["deliveries"], 0);
}
