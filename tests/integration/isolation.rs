//! A receiver that hangs, with a long backlog, costs the healthy ones nothing.
//!
//! Here the bound is wide, because tests share their machine with others. The measurement proper:
//! `TRUEHOOK_ISOLATION_BACKLOG=20000 TRUEHOOK_ISOLATION_EVENTS=1000 TRUEHOOK_ISOLATION_RISE=0.2 cargo test --release --test integration
//! isolation:: -- --nocapture` on an idle machine: the p99 rises by less than 20 %.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::process::client::{CONDUIT_CLIENT, Client, transaction_number};
use crate::process::receiver::{self, Receiver};
use crate::process::{QUIET, Server, wait_until};
use serde_json::json;

const HEALTHY: usize = 20;

/// From one publication to the next.
const PACE: Duration = Duration::from_millis(50);

/// The events that the healthy receivers got, and when.
type Received = Arc<Mutex<Vec<(usize, Instant)>>>;

fn from_environment(name: &str) -> Option<f64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn count(name: &str, default: u32) -> u32 {
    from_environment(name).map_or(default, |number| {
        format!("{number:.0}").parse().expect("a count")
    })
}

/// Publishes at a steady pace; gives the median and the p99 from before the publication to a healthy receiver.
fn measure(
    server: &Server,
    received: &Received,
    first: usize,
    events: u32,
) -> (Duration, Duration) {
    received.lock().expect("nobody panicked").clear();
    let mut operator = server.operator();
    let mut published = Vec::new();
    let begun = Instant::now();
    for number in 0..events {
        // Load at a pace that does not depend on the server: one that slows down is given no less to do.
        let due = begun + PACE * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        published.push(Instant::now());
        operator.publish(first + usize::try_from(number).expect("a number"));
    }
    let all = published.len() * HEALTHY;
    wait_until("all healthy receivers have everything", || {
        received.lock().expect("nobody panicked").len() >= all
    });
    let received = received.lock().expect("nobody panicked");
    let mut latencies: Vec<Duration> = received
        .iter()
        .map(|(number, at)| at.saturating_duration_since(published[number - first]))
        .collect();
    assert_eq!(latencies.len(), all, "duplicates");
    latencies.sort_unstable();
    (latencies[all / 2], latencies[all * 99 / 100])
}

/// Publishes what only the hanging receiver wants.
fn publish_backlog(server: &Server, backlog: u32) {
    let body =
        json!({ "provider": "conduit", "type": "customer.created", "clientId": CONDUIT_CLIENT })
            .to_string();
    let publish = |mut operator: Client| {
        for _ in 0..backlog / 8 {
            let answer = operator
                .send("POST", "/operator/v1/events", &[], &body)
                .expect("an answer");
            assert!(
                answer.status == 202 && answer.json()["deliveries"] == 1,
                "{answer}"
            );
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let operator = server.operator();
            scope.spawn(|| publish(operator));
        }
    });
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are wanted")]
fn a_receiver_that_hangs_does_not_slow_the_others_down() {
    let backlog = count("TRUEHOOK_ISOLATION_BACKLOG", 2_000);
    let events = count("TRUEHOOK_ISOLATION_EVENTS", 100);
    let server = Server::start(&QUIET);
    let received = Received::default();
    let healthy: Vec<Receiver> = (0..HEALTHY)
        .map(|_| {
            let received = received.clone();
            Receiver::start(move |request, stream| {
                let at = Instant::now();
                let number = transaction_number(&request.json());
                received.lock().expect("nobody panicked").push((number, at));
                receiver::accept(stream)
            })
        })
        .collect();
    for receiver in &healthy {
        server
            .conduit()
            .register(&receiver.url, &["transaction.completed"]);
    }
    // The first requests open the connections.
    measure(&server, &received, 0, 10);
    let (median, p99) = measure(&server, &received, 1_000_000, events);

    let hanging = Receiver::start(|_, stream| receiver::hang(stream));
    let wanted = ["transaction.completed", "customer.created"];
    server.conduit().register(&hanging.url, &wanted);
    publish_backlog(&server, backlog);
    let (median_beside, p99_beside) = measure(&server, &received, 2_000_000, events);
    println!(
        "{} samples: p50 {median:?}, p99 {p99:?}; beside a hanging receiver with a backlog of {backlog}: p50 {median_beside:?}, \
         p99 {p99_beside:?}",
        usize::try_from(events).unwrap() * HEALTHY
    );
    let pending = server.operator().metric("truehook_deliveries_pending");
    assert!(
        pending >= f64::from(backlog),
        "the backlog is gone: {pending}"
    );
    let in_flight = server.operator().metric("truehook_attempts_in_flight");
    assert!(in_flight > 0.0, "nothing hangs");
    match from_environment("TRUEHOOK_ISOLATION_RISE") {
        Some(rise) => assert!(p99_beside < p99.mul_f64(1.0 + rise)),
        None => assert!(p99_beside < p99 * 5 + Duration::from_millis(200)),
    }
}
