//! How much space the file takes: for a delivery, and after old ones are deleted.

use std::time::Duration;

use super::super::{AttemptResult, PurgeTerms, Store};
use super::damage::filled;
use super::file::open;
use super::{at, event, webhook, with_folder};
use crate::domain::{Attempt, Next, Outcome, Timing};

#[tokio::test]
async fn a_purge_gives_space_back_to_the_disk() {
    let folder = filled().await;
    let path = folder.path().join("t.db");
    let store = open(&path).unwrap();
    for number in 300..6_500 {
        let mut event = event(&number.to_string(), number);
        event.data = format!("\"{}\"", "x".repeat(2_000));
        let publication = super::publication(event, &super::slots(0, 0));
        store.publish(publication).await.unwrap();
    }
    drop(store);
    let before = path.metadata().unwrap().len();
    let store = open(&path).unwrap();
    let mut terms = PurgeTerms {
        events_before: at(10_000),
        keys_before: at(10_000),
        after: 0,
        limit: 200,
    };
    while let Some(next) = store.purge(terms).await.unwrap().next {
        terms.after = next;
    }
    drop(store);
    let after = path.metadata().unwrap().len();
    assert!(before > 12 << 20, "{before}");
    // Some is kept for what comes.
    assert!(after < 6 << 20, "{before} -> {after}");
    open(&path).unwrap().examine().unwrap();
}

#[tokio::test]
async fn a_delivery_that_succeeds_at_once_takes_few_bytes() {
    let (subject, home) = with_folder();
    for number in 0..100 {
        let webhook = webhook(&number.to_string());
        subject.store.insert_webhook(webhook).await.unwrap();
    }
    let pages = || {
        let file = rusqlite::Connection::open(home.path().join("t.db")).unwrap();
        let pragma = |name| file.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        pragma("page_count").unwrap() - pragma("freelist_count").unwrap()
    };
    let headers = |pairs: &[(&str, &str)]| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect::<Vec<_>>()
    };
    let mut before = 0;
    for round in 0..51 {
        let slots = super::slots(100, 1);
        let publication = super::publication(event("", round), &slots);
        let published = subject.store.publish(publication).await.unwrap();
        let results = super::stored(published).1.into_iter().map(|due| {
            let timing = Timing {
                queue: Duration::from_micros(20_000),
                connect: None,
                first_byte: Some(Duration::from_micros(2_000)),
                total: Duration::from_micros(2_000),
            };
            let attempt = Attempt {
                number: 1,
                started_at: at(round) + Duration::from_millis(20),
                timing,
                request_headers: headers(&[
                    ("content-type", "application/json"),
                    ("user-agent", "truehook/0.1.0"),
                    (
                        "x-signature",
                        "ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes=",
                    ),
                    ("x-id", &due.id.to_string()),
                ])
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
                outcome: Outcome::Answered {
                    status: 200,
                    retry_after: None,
                },
                response_headers: headers(&[("content-length", "0")]),
                response_body: Vec::new(),
                response_truncated: false,
            };
            AttemptResult {
                delivery: due.id,
                number: due.number,
                lane: due.target.lane,
                attempt,
                next: Next::Delivered,
                now: at(round) + Duration::from_millis(30),
            }
        });
        subject.record_all(results.collect()).await;
        if round == 0 {
            before = pages();
        }
    }
    // With headers as text, times in full and outcomes in words it was more than 300.
    let each = (pages() - before) * 4_096 / 5_000;
    assert!(each < 140, "{each} bytes");
}
