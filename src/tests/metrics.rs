//! Tests of `/metrics`: the names are a promise to dashboards.

use super::app::TestApp;
use super::delivering::{
    conduit_event, conduit_webhook, delivery_of, delivery_when, publish, recorded,
};
use super::receiver::Receiver;

#[actix_web::test]
async fn the_metrics_have_the_reviewed_names_and_count_what_happened() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    let told = publish(&client, conduit_event()).await;
    delivery_when(&client, &delivery_of(&client, &told).await, recorded(1)).await;
    let answer = app.anonymous("").get("/metrics").await;
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some(content_type))
    );
    let text = answer.text();
    for line in [
        "truehook_events_published_total{provider=\"conduit\"} 1",
        "truehook_attempts_total{provider=\"conduit\",result=\"2xx\"} 1",
        "truehook_attempts_in_flight 0",
        "truehook_deliveries_pending 0",
    ] {
        assert!(
            text.lines().any(|given| given == line),
            "{line} is not in\n{text}"
        );
    }
    let described: Vec<&str> = text.lines().filter(|line| line.starts_with("# ")).collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("metrics", described.join("\n")));
}
