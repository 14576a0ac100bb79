//! Several nodes on one PostgreSQL database, whatever the other tests run on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::app::TestApp;
use super::backpressure::{HELD, REFUSED, metric};
use super::delivering::{conduit_event, conduit_webhook, equals_event, equals_webhook, publish};
use super::receiver::{Receiver, Reply};
use crate::config::Role;
use crate::storage::cluster;

#[actix_web::test]
async fn a_node_that_answers_requests_leaves_attempts_to_nodes_that_make_them() {
    let url = cluster::new_schema();
    let api = TestApp::start_node(&url, |config| config.role = Role::Api).await;
    let receiver = Receiver::start();
    equals_webhook(&api, &receiver.url).await;
    publish(&api.operator(), equals_event()).await;
    assert_eq!(metric(&api, "truehook_attempts_in_flight").await, 0.0);
    let listed = api.operator().get("/deliveries").await.json();
    assert_eq!(listed["data"][0]["attemptCount"], 0, "{listed}");

    let worker = TestApp::start_node(&url, |config| config.role = Role::Worker).await;
    receiver.wait_for(1).await;
    assert_eq!(worker.operator().get("/deliveries").await.status, 404);
    let probe = worker.anonymous("").get("/health/ready").await;
    assert_eq!(probe.status, 200, "{}", probe.text());
    // From now on the worker is told.
    for count in 2..20 {
        publish(&api.operator(), equals_event()).await;
        receiver.wait_for(count).await;
    }
}

#[actix_web::test]
async fn publications_on_one_node_are_held_back_by_what_waits_for_others_and_go_on_when_it_leaves()
{
    let url = cluster::new_schema();
    let small = |config: &mut crate::config::Config| {
        config.delivery.in_flight = 1;
        // Long enough for the receiver to be taken for a quick one to the end.
        config.delivery.target_delay = Duration::from_secs(3);
    };
    let api = TestApp::start_node(&url, |config| {
        small(config);
        config.delivery.in_flight = 4;
        config.role = Role::Api;
    })
    .await;
    let worker = TestApp::start_node(&url, |config| {
        small(config);
        config.role = Role::Worker;
    })
    .await;
    let receiver = Receiver::start();
    let open = Arc::new(Notify::new());
    receiver.reply([Reply::When(open.clone())]);
    equals_webhook(&api, &receiver.url).await;
    let client = api.operator();
    publish(&client, equals_event()).await;
    receiver.wait_for(1).await;
    let mut publications = Vec::new();
    while metric(&api, REFUSED).await == 0.0 {
        for _ in 0..20 {
            let client = client.clone();
            let post = async move { client.post("/events", equals_event()).await.status };
            publications.push(actix_web::rt::spawn(post));
        }
        assert!(publications.len() < 5_000, "nothing is refused");
    }
    assert!(metric(&api, HELD).await > 0.0);
    assert_eq!(metric(&worker, HELD).await, 0.0);
    open.notify_one();
    let mut accepted = 1;
    for publication in publications {
        match publication.await.unwrap() {
            202 => accepted += 1,
            status => assert_eq!(status, 503),
        }
    }
    assert_eq!(receiver.wait_for(accepted).await.len(), accepted);
    let refused = metric(&api, REFUSED).await;
    publish(&client, equals_event()).await;
    receiver.wait_for(accepted + 1).await;
    assert_eq!(metric(&api, REFUSED).await, refused);
}

#[actix_web::test]
async fn a_receiver_that_is_slow_for_other_nodes_holds_back_no_publication() {
    let url = cluster::new_schema();
    let target = Duration::from_millis(20);
    let api = TestApp::start_node(&url, |config| {
        config.delivery.in_flight = 1;
        config.delivery.target_delay = target;
        config.role = Role::Api;
    })
    .await;
    let _worker = TestApp::start_node(&url, |config| {
        config.delivery.in_flight = 8;
        config.delivery.per_webhook = 2;
        config.delivery.target_delay = target;
        config.role = Role::Worker;
    })
    .await;
    let (hanging, healthy) = (Receiver::start(), Receiver::start());
    hanging.reply(vec![Reply::Nothing; 1_000]);
    conduit_webhook(&api, &hanging.url).await;
    equals_webhook(&api, &healthy.url).await;
    let client = api.operator();
    let mut answered_at_once = 0;
    while answered_at_once < 100 {
        let before = metric(&api, HELD).await;
        let answer = client.post("/events", conduit_event()).await;
        let held = metric(&api, HELD).await > before || answer.status == 503;
        answered_at_once = if held { 0 } else { answered_at_once + 1 };
    }
    let refused = metric(&api, REFUSED).await;
    for count in 1..=30 {
        publish(&client, equals_event()).await;
        healthy.wait_for(count).await;
    }
    assert_eq!(metric(&api, REFUSED).await, refused);
}
