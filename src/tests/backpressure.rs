//! Tests of backpressure: publishers are answered no faster than deliveries leave, and no receiver holds back what is for others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::app::TestApp;
use super::delivering::{
    assert_problem, conduit_event, conduit_webhook, equals_event, equals_webhook, publish,
};
use super::receiver::{Receiver, Reply};

/// The value of a metric without labels.
pub(super) async fn metric(app: &TestApp, name: &str) -> f64 {
    let text = app.anonymous("").get("/metrics").await.text();
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {name} in {text}"));
    value.parse().unwrap()
}

pub(super) const HELD: &str = "truehook_publications_held_total";
pub(super) const REFUSED: &str = "truehook_publications_refused_total";

#[actix_web::test]
async fn publications_are_answered_later_while_deliveries_wait_and_refused_while_far_more_do() {
    let app = TestApp::start_with(|config| {
        config.delivery.in_flight = 1;
        // Long enough for the receiver to be taken for a quick one to the end.
        config.delivery.target_delay = Duration::from_secs(15);
    })
    .await;
    let receiver = Receiver::start();
    let open = Arc::new(Notify::new());
    receiver.reply([Reply::When(open.clone())]);
    equals_webhook(&app, &receiver.url).await;
    let client = app.operator();
    publish(&client, equals_event()).await;
    receiver.wait_for(1).await;
    let mut publications = Vec::new();
    // Those that were stored are held once they are committed, by a rate that is only estimated until then.
    while metric(&app, REFUSED).await == 0.0 || metric(&app, HELD).await == 0.0 {
        for _ in 0..20 {
            let client = client.clone();
            let post = async move { client.post("/events", equals_event()).await };
            publications.push(actix_web::rt::spawn(post));
        }
        assert!(
            publications.len() < 5_000,
            "nothing is refused, or nothing held"
        );
    }
    assert!(publications.iter().any(|answer| !answer.is_finished()));

    open.notify_one();
    // Publications answered with 202 are delivered; those answered with 503 were not stored.
    let (mut accepted, mut sent_away) = (1, 0);
    for publication in publications {
        let answer = publication.await.unwrap();
        match answer.status {
            202 => accepted += 1,
            _ => {
                assert_problem(&answer, 503, &[]);
                let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=60).contains(&seconds), "{seconds}");
                sent_away += 1;
            }
        }
    }
    assert!(sent_away > 0);
    let received = receiver.wait_for(accepted).await;
    let refused = metric(&app, REFUSED).await;
    publish(&client, equals_event()).await;
    assert_eq!(receiver.wait_for(accepted + 1).await.len(), accepted + 1);
    assert_eq!(received.len(), accepted);
    assert_eq!(metric(&app, REFUSED).await, refused);
}

#[actix_web::test]
async fn a_receiver_that_hangs_holds_back_no_publication() {
    let app = TestApp::start_with(|config| {
        config.delivery.in_flight = 8;
        config.delivery.per_webhook = 2;
        config.delivery.target_delay = Duration::from_millis(20);
    })
    .await;
    let (hanging, healthy) = (Receiver::start(), Receiver::start());
    hanging.reply(vec![Reply::Nothing; 1_000]);
    conduit_webhook(&app, &hanging.url).await;
    equals_webhook(&app, &healthy.url).await;
    let client = app.operator();
    // It hangs, and far more waits for it than may: once that is noticed, nobody is held back.
    let (mut published, mut answered_at_once) = (0, 0);
    while answered_at_once < 300 {
        published += 1;
        assert!(
            published < 20_000,
            "publications are held back again and again"
        );
        let before = metric(&app, HELD).await;
        publish(&client, conduit_event()).await;
        let held = metric(&app, HELD).await > before;
        answered_at_once = if held { 0 } else { answered_at_once + 1 };
    }
    let before = metric(&app, HELD).await;
    for count in 1..=50 {
        publish(&client, equals_event()).await;
        healthy.wait_for(count).await;
    }
    assert_eq!(metric(&app, HELD).await, before);
    assert_eq!(metric(&app, REFUSED).await, 0.0);
}

#[actix_web::test]
async fn without_a_target_delay_every_publication_is_answered_at_once() {
    let app = TestApp::start_with(|config| {
        config.delivery.in_flight = 1;
        config.delivery.target_delay = Duration::ZERO;
    })
    .await;
    let receiver = Receiver::start();
    receiver.reply([Reply::Nothing]);
    equals_webhook(&app, &receiver.url).await;
    for _ in 0..50 {
        publish(&app.operator(), equals_event()).await;
    }
    assert_eq!(metric(&app, HELD).await, 0.0);
}
