//! Tests of `/metrics`: the names are a promise to dashboards, the form one to scrapers.

use std::collections::BTreeSet;

use super::app::TestApp;
use super::delivering::{
    conduit_event, conduit_webhook, delivery_of, delivery_when, publish, recorded,
};
use super::exposition::{Form, read};
use super::receiver::Receiver;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

#[actix_web::test]
async fn the_metrics_have_the_reviewed_names_and_count_what_happened() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    let told = publish(&client, conduit_event()).await;
    delivery_when(&client, &delivery_of(&client, &told).await, recorded(1)).await;
    let answer = app.anonymous("").get("/metrics").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some(TEXT))
    );
    let text = answer.text();
    for line in [
        "truehook_events_published_total{provider=\"conduit\"} 1",
        "truehook_attempts_total{provider=\"conduit\",result=\"2xx\"} 1",
        "truehook_attempts_total{provider=\"equals-money\",result=\"2xx\"} 0",
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

/// Every metric is there from the start, so that what happens first is seen as a change too.
#[actix_web::test]
async fn a_scraper_gets_all_metrics_in_the_form_that_it_asks_for() {
    let (app, receiver) = (TestApp::start().await, Receiver::start());
    let mut names = Vec::new();
    for (accept, content_type, form) in [
        ("*/*", TEXT, Form::Text),
        (
            "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OPEN_METRICS,
            Form::OpenMetrics,
        ),
    ] {
        let client = app.anonymous("").with_header("Accept", accept);
        let answer = client.get("/metrics").await;
        assert_eq!(
            (answer.header("content-type"), answer.header("vary")),
            (Some(content_type), Some("Accept"))
        );
        let families = read(&answer.text(), form).unwrap();
        let found = families.iter().map(|family| {
            let name = family.name.strip_suffix("_total").unwrap_or(&family.name);
            (name.to_owned(), family.kind.clone())
        });
        names.push(found.collect::<BTreeSet<_>>());
        let with_unit = families.iter().filter(|family| family.unit.is_some());
        assert_eq!(with_unit.count() > 0, form == Form::OpenMetrics);
    }
    assert_eq!(names[0], names[1]);
    // The same once there is something in them.
    let client = app.operator();
    conduit_webhook(&app, &receiver.url).await;
    let told = publish(&client, conduit_event()).await;
    delivery_when(&client, &delivery_of(&client, &told).await, recorded(1)).await;
    let later = read(&app.anonymous("").get("/metrics").await.text(), Form::Text).unwrap();
    assert_eq!(later.len(), names[0].len());
}

#[actix_web::test]
async fn a_queue_that_cannot_be_read_is_left_out_and_not_called_empty() {
    let app = TestApp::start().await;
    let client = app.anonymous("");
    let whole = client.get("/metrics").await.text();
    assert!(whole.contains("truehook_deliveries_pending 0"), "{whole}");
    app.damage();
    let answer = client.get("/metrics").await;
    assert_eq!(answer.status, 200);
    let families = read(&answer.text(), Form::Text).unwrap();
    let names: BTreeSet<&str> = families.iter().map(|family| family.name.as_str()).collect();
    assert!(!names.contains("truehook_deliveries_pending"), "{names:?}");
    assert!(!names.contains("truehook_oldest_due_age_seconds"));
    assert!(names.contains("truehook_attempts_in_flight"));
}
