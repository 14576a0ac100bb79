//! A node whose clock is wrong by five minutes keeps the times of the database: leases end, retries are made and old events are deleted
//! when they should be.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::LEASE;
use crate::process::client::{Client, transaction_number};
use crate::process::clock::shift_clock;
use crate::process::database::Database;
use crate::process::receiver::{self, Receiver};
use crate::process::seed::{self, Seeded};
use crate::process::{QUIET, Server, fixed_address, truehook, wait_until};

/// By how much two clocks that are meant to be one may differ: a node follows that of the database when it is off by a second.
const NOISE: Duration = Duration::from_millis(1_500);

/// How long after a change of its due time a retry is made.
const RETRY: Duration = Duration::from_secs(4);

/// The time of the database, in the unit of its tables.
const NOW: &str = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

/// The requests that came, by the number of their event, and when.
type Receipts = Arc<Mutex<Vec<(usize, Instant)>>>;

/// The number of the first event that is accepted at once.
const ACCEPTED: usize = 10;

/// Receives, and answers the first request of an event as its number says: nothing to an odd one, as its sender is killed, and 500 to an
/// even one, below [`ACCEPTED`]. Other requests are accepted.
fn start_receiver(receipts: &Receipts) -> Receiver {
    let receipts = receipts.clone();
    Receiver::start(move |request, stream| -> io::Result<()> {
        let event = transaction_number(&request.json());
        let mut all = receipts.lock().expect("nobody panicked");
        let is_first = event < ACCEPTED && all.iter().all(|(other, _)| *other != event);
        all.push((event, Instant::now()));
        drop(all);
        match (is_first, event % 2) {
            (true, 1) => receiver::hang(stream),
            (true, _) => receiver::fail(stream),
            (false, _) => receiver::accept(stream),
        }
    })
}

/// When the requests of an event came, once there are so many.
fn received(receipts: &Receipts, event: usize, count: usize) -> Vec<Instant> {
    let of_event = || -> Vec<Instant> {
        let all = receipts.lock().expect("nobody panicked");
        let of_event = all.iter().filter(|(other, _)| *other == event);
        of_event.map(|(_, at)| *at).collect()
    };
    wait_until("a request comes", || of_event().len() >= count);
    of_event()
}

fn start(folder: &Path, database: &Database, clock: Option<&str>) -> Server {
    let mut command = truehook(folder);
    command.env("TRUEHOOK_ENCRYPTION_KEY", "01".repeat(32));
    if let Some(by) = clock {
        shift_clock(&mut command, by);
    }
    let lease = LEASE.as_secs().to_string();
    let mut arguments = QUIET.to_vec();
    arguments.extend(["--database", &database.url, "--retention-days", "1"]);
    arguments.extend(["--lease-seconds", &lease]);
    let address = fixed_address(&mut Seeded::new(seed::fresh()));
    let server = Server::spawn_as(command, folder, &address, &arguments);
    server.wait_for_log("listening on ");
    server
}

/// Waits until an event is delivered, and that is recorded.
#[track_caller]
fn delivered(operator: &mut Client, event: &Value) {
    wait_until("it is delivered", || {
        let deliveries = operator.deliveries(event);
        let mut states = deliveries.iter().map(|delivery| &delivery["state"]);
        states.all(|state| state == "delivered")
    });
}

fn keeps_the_times_of_the_database(off: &str) {
    let database = Database::start();
    let folder = tempfile::tempdir().expect("a folder");
    let start = |clock| start(folder.path(), &database, clock);
    let receipts = Receipts::default();
    let receiver = start_receiver(&receipts);
    let mut node = start(None);
    let mut conduit = node.conduit();
    conduit.register(&receiver.url, &["transaction.completed"]);

    // What a node has claimed when it dies is claimed by another when the lease ends, whichever of the two has the wrong clock.
    let mut event = 1;
    for then in [Some(off), None] {
        let published = node.operator().publish(event);
        received(&receipts, event, 1);
        node.kill();
        node = start(then);
        let came = received(&receipts, event, 2);
        let between = came[1] - came[0];
        assert!(between + NOISE > LEASE, "claimed again after {between:?}");
        delivered(&mut node.operator(), &published);
        event += 2;
    }
    node.kill();

    // A node tells how wrong its clock is.
    let node = start(Some(off));
    let mut operator = node.operator();
    let minutes = off.trim_end_matches('m').parse::<f64>().expect("minutes");
    let mut offset = || operator.metric("truehook_clock_offset_seconds");
    wait_until("the clocks are compared", || {
        (offset() - minutes * 60.0).abs() < 30.0
    });

    // A retry is made when it is due.
    let failed = operator.publish(2);
    received(&receipts, 2, 1);
    let retry = format!(
        "SELECT due_at - first_attempt_at, abs(first_attempt_at - {NOW}) < 120000000 FROM pending WHERE NOT claimed"
    );
    wait_until("the failure is recorded", || {
        !database.ask(&retry).is_empty()
    });
    let row = database.ask(&retry).remove(0);
    let (delay, is_near) = row.split_once('|').expect("two columns");
    assert_eq!(is_near, "t", "the first attempt is not of this time");
    let delay: u64 = delay.parse().expect("a number");
    assert!((54_000_000..=60_000_000).contains(&delay), "{delay} µs");
    let changed = Instant::now();
    let due = format!("{NOW} + {}", RETRY.as_micros());
    database.ask(&format!(
        "BEGIN; UPDATE pending SET due_at = {due}; UPDATE lane SET next_due = (SELECT due_at FROM pending); COMMIT"
    ));
    let retried = received(&receipts, 2, 2)[1] - changed;
    assert!(retried + NOISE > RETRY, "retried after {retried:?}");
    delivered(&mut operator, &failed);

    // An event is kept for as long as it should be, and no longer.
    let kept = operator.publish(ACCEPTED);
    delivered(&mut operator, &kept);
    assert!(node.stop().0.success());
    let [old, kept] = [failed, kept].map(|event| event["id"].as_str().expect("an id").to_owned());
    let age = |id: &str, seconds: i64| {
        let since = format!("{NOW} - {} * 1000000::bigint", 86_400 + seconds);
        // Events stand in the order of their time.
        database.ask(&format!(
            "UPDATE event SET kept_since = {since} WHERE number <= (SELECT number FROM event WHERE id = '{id}')"
        ));
    };
    age(&kept, -150);
    age(&old, 150);
    let node = start(Some(off));
    let stored = |id: &str| database.ask(&format!("SELECT count(*) FROM event WHERE id = '{id}'"));
    wait_until("the old event is deleted", || stored(&old) == ["0"]);
    assert_eq!(stored(&kept), ["1"]);
    let (status, log) = node.stop();
    assert!(status.success(), "{log:#?}");
}

#[test]
fn a_node_whose_clock_is_behind_keeps_the_times_of_the_database() {
    keeps_the_times_of_the_database("-5m");
}

#[test]
fn a_node_whose_clock_is_ahead_keeps_the_times_of_the_database() {
    keeps_the_times_of_the_database("+5m");
}
