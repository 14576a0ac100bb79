//! A process that may have few files open: connections of one kind leave room for the others, and what this machine lacks is not held
//! against a receiver.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::process::client::Client;
use crate::process::receiver::{self, Receiver};
use crate::process::{PATIENCE, QUIET, Server, wait_until};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

/// The states of an event's deliveries with the number of attempts and the error of each that failed.
#[track_caller]
fn outcomes(deliveries: &[Value]) -> Vec<(String, u64, Vec<String>)> {
    let outcome = |delivery: &Value| {
        let attempts = delivery["attempts"].as_array().expect("attempts");
        let errors = attempts
            .iter()
            .filter(|attempt| attempt["status"] != 200)
            .map(|attempt| attempt["error"].to_string());
        (
            delivery["state"].as_str().expect("a state").to_owned(),
            delivery["attemptCount"].as_u64().expect("a count"),
            errors.collect(),
        )
    };
    deliveries.iter().map(outcome).collect()
}

#[track_caller]
fn all_delivered_at_once(operator: &mut Client, event: &Value, count: usize) {
    let id = event["id"].as_str().expect("an id").to_owned();
    let pending = format!("/operator/v1/deliveries?eventId={id}&state=pending");
    wait_until("no delivery is pending", || {
        operator.list(&pending).is_empty()
    });
    let found = outcomes(&operator.deliveries(event));
    assert_eq!(found.len(), count);
    for outcome in found {
        assert_eq!(outcome, ("delivered".to_owned(), 1, Vec::new()));
    }
}

#[test]
fn more_receivers_than_open_files_are_all_reached_at_the_first_attempt() {
    const RECEIVERS: usize = 250;
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_limited(folder.path(), "-n 192", &QUIET);
    let mut conduit = server.conduit();
    let receivers: Vec<Receiver> = (0..RECEIVERS)
        .map(|_| Receiver::start(|_, stream| receiver::accept(stream)))
        .collect();
    for receiver in &receivers {
        conduit.register(&receiver.url, &["transaction.completed"]);
    }
    for number in 1..=2 {
        let event = server.operator().publish(number);
        // A new connection is answered while the deliveries are under way.
        let began = Instant::now();
        server.operator().get("/operator/v1/events");
        assert!(began.elapsed() < PATIENCE);
        all_delivered_at_once(&mut server.operator(), &event, RECEIVERS);
    }
}

#[test]
fn idle_connections_to_the_api_do_not_stop_deliveries() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_limited(folder.path(), "-n 192", &QUIET);
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    let fresh = Receiver::start(|_, stream| receiver::accept(stream));
    for url in [&receiver.url, &fresh.url] {
        server.conduit().register(url, &["transaction.completed"]);
    }
    let mut operator = server.operator();
    operator.get("/operator/v1/events");
    let address = server.url.trim_start_matches("http://");
    let idle: Vec<TcpStream> = (0..400)
        .map(|_| TcpStream::connect(address).expect("the kernel accepts it"))
        .collect();
    let event = operator.publish(1);
    // Over a connection that had a request before: those that never had one are closed first.
    all_delivered_at_once(&mut operator, &event, 2);
    drop(idle);
}

#[test]
fn clients_that_keep_their_connections_do_not_keep_others_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_limited(folder.path(), "-n 192", &QUIET);
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    server
        .conduit()
        .register(&receiver.url, &["transaction.completed"]);
    // Far more than there are files, each idle for up to 75 s once it was answered.
    let begun = Instant::now();
    let mut kept = Vec::new();
    for number in 0..200 {
        let mut operator = server.operator();
        let event = operator.publish(number);
        if number % 50 == 0 {
            all_delivered_at_once(&mut operator, &event, 1);
        }
        kept.push(operator);
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    drop(kept);
}

#[test]
fn clients_that_all_ask_at_once_and_stay_do_not_keep_others_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_limited(folder.path(), "-n 192", &QUIET);
    let address = server.url.trim_start_matches("http://");
    // Each request is there before the server looks at its connection, so that none is idle while they come in.
    let crowd: Vec<TcpStream> = (0..400)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("the kernel accepts it");
            stream
                .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .expect("the kernel takes it");
            stream
        })
        .collect();
    let begun = Instant::now();
    server.operator().get("/operator/v1/events");
    // Each of the crowd may stay for 75 s.
    let bound = Duration::from_secs(50);
    assert!(begun.elapsed() < bound, "{:?}", begun.elapsed());
    drop(crowd);
}

#[test]
fn without_an_open_file_deliveries_wait_and_no_attempt_is_counted() {
    let server = Server::start(&QUIET);
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    server
        .conduit()
        .register(&receiver.url, &["transaction.completed"]);
    let mut operator = server.operator();
    operator.get("/operator/v1/events");
    let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
    let limit = |files| {
        let limit = Rlimit {
            current: Some(files),
            maximum: rustix::process::getrlimit(Resource::Nofile).maximum,
        };
        prlimit(pid, Resource::Nofile, limit).expect("the limit is set")
    };
    let before = limit(3);
    let event = operator.publish(1);
    let metric = "truehook_attempts_postponed_total{lack=\"files\"}";
    wait_until("attempts are postponed", || operator.metric(metric) >= 2.0);
    let found = outcomes(&operator.deliveries(&event));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "pending");

    prlimit(pid, Resource::Nofile, before).expect("the limit is set");
    all_delivered_at_once(&mut operator, &event, 1);
    let log = server.log();
    let told = log
        .iter()
        .filter(|line| line.contains("no open file is left"));
    assert!(told.count() >= 1, "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("ERROR")), "{log:#?}");
}

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_limited(folder.path(), "-S -n 64", &QUIET);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid()));
    let limits = limits.expect("the process is there");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let columns: Vec<&str> = line.expect("a limit").split_whitespace().collect();
    assert_eq!(columns[3], columns[4], "{columns:?}");
}
