//! Stopping in the middle of attempts, and deleting what is old: what is given up is given back, and what is kept is complete.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::process::receiver::{self, Gate, Receiver};
use crate::process::{QUIET, Server, wait_until};
use serde_json::Value;

const EVENTS: usize = 12;

/// States of deliveries and the outcomes of their attempts: whether recorded, and the status.
type Histories = Vec<(String, Vec<(bool, Option<u64>)>)>;

#[track_caller]
fn histories(server: &Server, events: &[Value]) -> Histories {
    let mut operator = server.operator();
    let deliveries = events.iter().flat_map(|event| operator.deliveries(event));
    deliveries
        .map(|delivery| {
            let outcome =
                |attempt: &Value| (attempt["recorded"] == true, attempt["status"].as_u64());
            let attempts = delivery["attempts"].as_array().expect("attempts");
            let state = delivery["state"].as_str().expect("a state");
            (state.to_owned(), attempts.iter().map(outcome).collect())
        })
        .collect()
}

#[test]
fn attempts_in_flight_are_ended_and_recorded_before_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let (received, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Gate::default()));
    let (counter, held) = (received.clone(), gate.clone());
    let slow = Receiver::start(move |_, stream| {
        counter.fetch_add(1, Ordering::SeqCst);
        held.pass();
        receiver::accept(stream)
    });
    let mut server = Server::start_in(folder.path(), &["--stop-seconds", "30"]);
    server
        .conduit()
        .register(&slow.url, &["transaction.completed"]);
    let mut operator = server.operator();
    let events: Vec<Value> = (0..EVENTS).map(|number| operator.publish(number)).collect();
    drop(operator);
    wait_until("all attempts are in flight", || {
        received.load(Ordering::SeqCst) == EVENTS
    });
    server.signal("TERM");
    server.wait_for_log("stopping");
    assert_eq!(server.ended(), None, "it did not wait for the attempts");
    gate.open();
    let (status, lines) = server.wait();
    assert!(status.success(), "{status:?} {lines:#?}");

    let server = Server::start_in(folder.path(), &QUIET);
    let delivered = ("delivered".to_owned(), vec![(true, Some(200))]);
    assert_eq!(histories(&server, &events), vec![delivered; EVENTS]);
    assert_eq!(
        received.load(Ordering::SeqCst),
        EVENTS,
        "something was sent again"
    );
}

#[test]
fn attempts_that_outlast_a_stop_are_given_back_and_made_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let received = Arc::new(AtomicUsize::new(0));
    let counter = received.clone();
    let hanging = Receiver::start(move |_, stream| {
        if counter.fetch_add(1, Ordering::SeqCst) < EVENTS {
            receiver::hang(stream)
        } else {
            receiver::accept(stream)
        }
    });
    // A lease that the test could not wait for.
    let arguments = [
        &QUIET[..],
        &["--stop-seconds", "1", "--lease-seconds", "3600"],
    ]
    .concat();
    let server = Server::start_in(folder.path(), &arguments);
    server
        .conduit()
        .register(&hanging.url, &["transaction.completed"]);
    let mut operator = server.operator();
    let events: Vec<Value> = (0..EVENTS).map(|number| operator.publish(number)).collect();
    drop(operator);
    wait_until("all attempts are in flight", || {
        received.load(Ordering::SeqCst) == EVENTS
    });
    let (status, lines) = server.stop();
    assert!(status.success(), "{status:?} {lines:#?}");
    // It did not wait for the deadline of the attempts, which would have been recorded.
    let given_back = "attempts were still under way and were given back";
    assert!(
        lines.iter().any(|line| line.contains(given_back)),
        "{lines:#?}"
    );

    let server = Server::start_in(folder.path(), &arguments);
    let mut operator = server.operator();
    let pending = "/operator/v1/deliveries?state=pending";
    wait_until("all is delivered", || operator.list(pending).is_empty());
    let delivered = (
        "delivered".to_owned(),
        vec![(false, None), (true, Some(200))],
    );
    assert_eq!(histories(&server, &events), vec![delivered; EVENTS]);
    assert_eq!(received.load(Ordering::SeqCst), 2 * EVENTS);
}

#[test]
fn a_second_signal_ends_the_server_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let received = Arc::new(AtomicUsize::new(0));
    let counter = received.clone();
    let hanging = Receiver::start(move |_, stream| {
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            receiver::hang(stream)
        } else {
            receiver::accept(stream)
        }
    });
    let mut server = Server::start_in(
        folder.path(),
        &["--stop-seconds", "600", "--lease-seconds", "11"],
    );
    server
        .conduit()
        .register(&hanging.url, &["transaction.completed"]);
    let mut operator = server.operator();
    let events = [operator.publish(1)];
    drop(operator);
    wait_until("the attempt is in flight", || {
        received.load(Ordering::SeqCst) == 1
    });
    server.signal("INT");
    server.wait_for_log("stopping");
    // Two within a second are one.
    wait_until("it ends", || {
        server.signal("INT");
        server.ended().is_some()
    });
    let (status, lines) = server.wait();
    assert_eq!(status.code(), Some(1), "{lines:#?}");

    let server = Server::start_in(folder.path(), &QUIET);
    let mut operator = server.operator();
    let pending = "/operator/v1/deliveries?state=pending";
    wait_until("it is delivered", || operator.list(pending).is_empty());
    let delivered = (
        "delivered".to_owned(),
        vec![(false, None), (true, Some(200))],
    );
    assert_eq!(histories(&server, &events), [delivered]);
}

#[test]
fn an_idle_server_with_open_connections_stops_at_once() {
    let quick = Receiver::start(|_, stream| receiver::accept(stream));
    let server = Server::start(&QUIET);
    server
        .conduit()
        .register(&quick.url, &["transaction.completed"]);
    let mut operator = server.operator();
    operator.publish(1);
    wait_until("it is delivered", || {
        operator
            .list("/operator/v1/deliveries?state=pending")
            .is_empty()
    });
    let begun = Instant::now();
    let (status, lines) = server.stop();
    assert!(status.success(), "{status:?} {lines:#?}");
    // The client's connection is open, and so is the one to the receiver; the default would be to wait for 30 seconds.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    drop(operator);
}

#[test]
fn what_is_older_than_the_retention_is_deleted_with_its_deliveries_and_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let quick = Receiver::start(|_, stream| receiver::accept(stream));
    let server = Server::start_in(folder.path(), &QUIET);
    server
        .conduit()
        .register(&quick.url, &["transaction.completed"]);
    let mut operator = server.operator();
    // More than one step of the deletion.
    let events: Vec<Value> = (0..450).map(|number| operator.publish(number)).collect();
    let pending = "/operator/v1/deliveries?state=pending";
    wait_until("all is delivered", || operator.list(pending).is_empty());
    let deliveries = operator.list("/operator/v1/deliveries");
    assert_eq!(deliveries.len(), events.len());
    drop(operator);
    assert!(server.stop().0.success());

    // A clock on which a day has passed before the first look at what is old.
    let fast = [
        &QUIET[..],
        &["--clock-speed", "1e9", "--retention-days", "1"],
    ]
    .concat();
    let server = Server::start_in(folder.path(), &fast);
    let mut operator = server.operator();
    wait_until("the events are deleted", || {
        operator.list("/operator/v1/events").is_empty()
    });
    assert_eq!(
        operator.list("/operator/v1/deliveries"),
        Vec::<Value>::new()
    );
    for (list, gone) in [("events", &events[0]), ("deliveries", &deliveries[0])] {
        let path = format!("/operator/v1/{list}/{}", gone["id"].as_str().unwrap());
        assert_eq!(
            operator.send("GET", &path, &[], "").unwrap().status,
            404,
            "{path}"
        );
    }
    drop(operator);
    assert!(server.stop().0.success());

    let database = rusqlite::Connection::open(folder.path().join("truehook.db")).unwrap();
    for table in ["event", "delivery", "attempt"] {
        let count = format!("SELECT count(*) FROM {table}");
        let left: i64 = database.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
