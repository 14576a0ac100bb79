//! A process that is stopped in an attempt until its lease has ended, and then goes on: the history has one winner, and a result that comes
//! too late is refused.
//!
//! Alone, a process cannot lose a delivery while it is stopped; after it goes on, the claim and the late result race, and both orders are
//! right. With a second process on the same database the late result is always too late.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::process::receiver::{self, Gate, Receiver};
use crate::process::{QUIET, Server, wait_until};
use serde_json::Value;

/// Longer than an attempt may take, as it has to be.
const LEASE: Duration = Duration::from_secs(11);

/// A receiver that holds its first answer back, and answers the others as they are numbered.
struct Holding {
    receiver: Receiver,
    received: Arc<AtomicUsize>,
    gate: Arc<Gate>,
}

impl Holding {
    /// Accepts everything but these requests, counted from 1.
    fn start(refused: &'static [usize]) -> Self {
        let (received, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Gate::default()));
        let (counter, held) = (received.clone(), gate.clone());
        let receiver = Receiver::start(move |_, stream| {
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            if number == 1 {
                held.pass();
            }
            if refused.contains(&number) {
                receiver::fail(stream)
            } else {
                receiver::accept(stream)
            }
        });
        Self {
            receiver,
            received,
            gate,
        }
    }

    #[track_caller]
    fn wait_for(&self, requests: usize) {
        let what = format!("{requests} requests at the receiver");
        wait_until(&what, || self.received.load(Ordering::SeqCst) >= requests);
    }
}

fn start(folder: &Path, arguments: &[&str]) -> Server {
    let lease = LEASE.as_secs().to_string();
    let always = [&QUIET[..], &["--lease-seconds", &lease]].concat();
    Server::start_in(folder, &[&always, arguments].concat())
}

/// Stops the process, but not while it holds the lock of the database: the other process could never write.
fn freeze(server: &Server) {
    let path = server.folder().join("truehook.db");
    wait_until("the server is stopped between two writes", || {
        server.signal("STOP");
        let database = rusqlite::Connection::open(&path).expect("the database opens");
        database
            .busy_timeout(Duration::from_millis(100))
            .expect("a timeout is set");
        let is_free = database.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok();
        if !is_free {
            server.signal("CONT");
        }
        is_free
    });
}

/// Lets the lease of the attempt under way end at once, for another process.
fn end_lease(server: &Server) {
    let path = server.folder().join("truehook.db");
    let database = rusqlite::Connection::open(path).expect("the database opens");
    let ended = database.execute("UPDATE in_flight SET due_at = first_attempt_at", []);
    assert_eq!(ended.expect("the lease is changed"), 1);
}

/// The state of the one delivery, and its attempts as status (or none where there was no answer) and whether they are recorded.
#[track_caller]
fn history(server: &Server, event: &Value) -> (String, Vec<(bool, Option<u64>)>) {
    let deliveries = server.operator().deliveries(event);
    assert_eq!(deliveries.len(), 1, "{deliveries:#?}");
    let attempts = deliveries[0]["attempts"].as_array().expect("attempts");
    let state = deliveries[0]["state"].as_str().expect("a state");
    let outcome = |attempt: &Value| (attempt["recorded"] == true, attempt["status"].as_u64());
    (state.to_owned(), attempts.iter().map(outcome).collect())
}

fn refused_results(server: &Server) -> f64 {
    server.operator().metric("truehook_results_refused_total")
}

#[test]
fn a_result_that_comes_after_another_process_has_delivered_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stalled = start(folder.path(), &[]);
    let holding = Holding::start(&[]);
    stalled
        .conduit()
        .register(&holding.receiver.url, &["transaction.completed"]);
    let event = stalled.operator().publish(1);
    holding.wait_for(1);
    freeze(&stalled);
    end_lease(&stalled);

    let other = start(folder.path(), &[]);
    holding.wait_for(2);
    let delivered = (
        "delivered".to_owned(),
        vec![(false, None), (true, Some(200))],
    );
    wait_until("the other process records", || {
        history(&other, &event).0 == "delivered"
    });
    assert_eq!(history(&other, &event), delivered);

    holding.gate.open();
    stalled.signal("CONT");
    wait_until("the late result is refused", || {
        refused_results(&stalled) > 0.0
    });
    assert_eq!(refused_results(&stalled), 1.0);
    for server in [&stalled, &other] {
        assert_eq!(
            history(server, &event),
            delivered,
            "the late result changed something"
        );
    }
    assert_eq!(holding.received.load(Ordering::SeqCst), 2, "duplicates");
    assert_eq!(
        other.operator().metric("truehook_lease_expiries_total"),
        1.0
    );
}

#[test]
fn a_late_success_does_not_end_a_delivery_whose_later_attempt_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    // At this speed the first retry, after a minute, leaves the time to look at what was before it.
    let speed = ["--clock-speed", "12"];
    let stalled = start(folder.path(), &speed);
    let holding = Holding::start(&[2]);
    stalled
        .conduit()
        .register(&holding.receiver.url, &["transaction.completed"]);
    let event = stalled.operator().publish(1);
    holding.wait_for(1);
    freeze(&stalled);
    end_lease(&stalled);

    let other = start(folder.path(), &speed);
    wait_until("the other process records", || {
        history(&other, &event).1.contains(&(true, Some(500)))
    });
    holding.gate.open();
    stalled.signal("CONT");
    wait_until("the late result is refused", || {
        refused_results(&stalled) > 0.0
    });
    wait_until("the retry is recorded", || {
        history(&other, &event).0 == "delivered"
    });
    let attempts = vec![(false, None), (true, Some(500)), (true, Some(200))];
    assert_eq!(history(&other, &event).1, attempts);
    assert_eq!(holding.received.load(Ordering::SeqCst), 3);
}

#[test]
fn a_process_that_was_stopped_past_its_own_lease_delivers_once_more_and_records_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--clock-speed", "60"]);
    let holding = Holding::start(&[]);
    server
        .conduit()
        .register(&holding.receiver.url, &["transaction.completed"]);
    let event = server.operator().publish(1);
    holding.wait_for(1);
    server.signal("STOP");
    // Real time: a lease has to be longer than the deadline of an attempt, and nobody else could tell when the process missed its own.
    std::thread::sleep(LEASE + Duration::from_secs(1));
    server.signal("CONT");
    // The first answer is held back until the second request is there.
    holding.wait_for(2);
    holding.gate.open();
    wait_until("the second attempt is recorded", || {
        history(&server, &event).0 == "delivered"
    });

    let (_, attempts) = history(&server, &event);
    let refused = refused_results(&server);
    // Either the claim came first, and the deadline of the first attempt is refused as its result, or the deadline was recorded.
    assert!(
        attempts.len() == 2 && attempts[0].1.is_none(),
        "{attempts:?}"
    );
    assert_eq!(attempts[1], (true, Some(200)));
    assert_eq!(
        refused,
        if attempts[0].0 { 0.0 } else { 1.0 },
        "{attempts:?}"
    );
    assert_eq!(holding.received.load(Ordering::SeqCst), 2, "duplicates");
}
