//! Kills the server at random points while events are published, and holds it to its promise: what was answered 202 reaches every
//! receiver, and no receiver gets again what it was recorded to have accepted.
//!
//! Words of the report: an attempt that was counted and has no record was *in flight* at a kill, which is the only way to lose a record
//! here. A *duplicate* is a request for a delivery that its receiver had a whole request of before. Every duplicate must follow an
//! attempt that was in flight, and a process must never send a delivery twice.
//!
//! `scripts/crash-long` runs it longer. Not covered: losing power, where the disk forgets what it said that it had.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::process::client::{Client, transaction_event, transaction_number};
use crate::process::receiver::{self, Receiver};
use crate::process::seed::{self, Seeded};
use crate::process::{PATIENCE, QUIET, Server, fixed_address, wait_until};
use serde_json::Value;

const RECEIVERS: usize = 3;
const PUBLISHERS: usize = 8;

/// How many attempts the server may have under way, which bounds what one kill can cost.
const IN_FLIGHT: usize = 64;

/// The longest pause of a receiver before it answers: a kill shall find attempts in flight.
const ANSWER_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause from when enough is published to the kill.
const KILL_PAUSE: Duration = Duration::from_millis(40);

/// The longest life of a process that is killed while it starts.
const SHORT_LIFE: Duration = Duration::from_millis(400);

/// How often the test looks whether the server has ended by itself.
const LOOK_AFTER_SERVER: Duration = Duration::from_millis(200);

/// A request that a receiver has read whole.
struct Receipt {
    delivery: String,
    /// The process that sent it, by the kills before.
    process: usize,
    receiver: usize,
    body: Value,
}

/// The state that receivers, publishers and the test share.
struct Field {
    receipts: Mutex<Vec<Receipt>>,
    process: AtomicUsize,
    next: AtomicUsize,
    repeated: AtomicUsize,
    surprises: Mutex<Vec<String>>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// How far the run is.
struct Progress {
    /// Whether the server is there. A client that tried to connect while it is not there would only take the processor from it.
    up: bool,
    /// Ends the publishers.
    over: bool,
    /// How many events are accepted.
    accepted: usize,
}

impl Field {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().expect("nobody panicked")
    }

    /// Changes the progress and wakes whoever waits for it.
    fn proceed(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress());
        self.changed.notify_all();
    }

    /// Waits until the server is there; gives false when the publishers shall end.
    fn wait_until_up(&self) -> bool {
        let waited = self
            .changed
            .wait_while(self.progress(), |progress| !progress.up && !progress.over);
        !waited.expect("nobody panicked").over
    }
}

/// Ends the publishers when the test fails in between.
struct Over<'a>(&'a Field);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.proceed(|progress| progress.over = true);
    }
}

#[derive(Default, Debug)]
struct Figures {
    kills: usize,
    kills_while_starting: usize,
    slowest_start: Duration,
}

/// A number that an environment variable gives.
pub(crate) fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}

fn start_receiver(number: usize, field: &Arc<Field>, seed: u64) -> Receiver {
    let field = field.clone();
    let random = Mutex::new(Seeded::new(seed));
    Receiver::start(move |request, stream| {
        let receipt = Receipt {
            delivery: request.delivery(),
            process: field.process.load(Ordering::SeqCst),
            receiver: number,
            body: request.json(),
        };
        field
            .receipts
            .lock()
            .expect("nobody panicked")
            .push(receipt);
        // A slow receiver: its pauses are what is tested.
        let pause = random.lock().expect("nobody panicked").pause(ANSWER_PAUSE);
        std::thread::sleep(pause);
        receiver::accept(stream)
    })
}

/// Publishes until all events are accepted; repeats what was not answered, under its idempotency key.
fn publish(field: &Field, url: &str, events: usize) {
    let mut client = Client::new(url, &[("Authorization", "Bearer sandbox-operator")]);
    loop {
        let number = field.next.fetch_add(1, Ordering::SeqCst);
        if number >= events {
            return;
        }
        let key = format!("transaction-{number}");
        loop {
            if !field.wait_until_up() {
                return;
            }
            let headers = [("Idempotency-Key", key.as_str())];
            let body = transaction_event(number);
            match client.send("POST", "/operator/v1/events", &headers, &body) {
                Ok(answer) if answer.status == 202 && answer.json()["deliveries"] == RECEIVERS => {
                    break;
                }
                Ok(answer) => {
                    let surprise = format!("event {number} was answered {answer}");
                    field
                        .surprises
                        .lock()
                        .expect("nobody panicked")
                        .push(surprise);
                    field.proceed(|progress| progress.over = true);
                }
                // Killed before the answer was out: it may be stored or not.
                Err(_) => {
                    field.repeated.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        field.proceed(|progress| progress.accepted += 1);
    }
}

/// The server, and how it is started again.
struct Victim<'a> {
    folder: &'a Path,
    listen: &'a str,
    field: &'a Field,
    receivers: &'a [Receiver],
    server: Option<Server>,
    figures: Figures,
}

fn arguments() -> Vec<String> {
    let mut arguments: Vec<String> = QUIET.map(str::to_owned).to_vec();
    // A retry after a minute is made after a second. The lease is real time, and longer than the deadline of an attempt.
    for (flag, value) in [
        ("--clock-speed", "60"),
        ("--lease-seconds", "15"),
        ("--attempts-in-flight", &IN_FLIGHT.to_string()),
    ] {
        arguments.extend([flag.to_owned(), value.to_owned()]);
    }
    arguments
}

fn start(folder: &Path, listen: &str) -> Server {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Server::start_at(folder, listen, &arguments)
}

impl Victim<'_> {
    /// Waits until so many events are accepted, or the publishers have ended. A server that ended although nobody here killed it, and one
    /// that is there and accepts nothing, are told apart.
    fn wait_for(&mut self, count: usize) {
        let server = self.server.as_mut().expect("it was started again");
        let begun = Instant::now();
        let is_short = |progress: &mut Progress| progress.accepted < count && !progress.over;
        loop {
            // Nothing signals that the server has ended, so the loop looks for that now and then.
            let waited = self.field.changed.wait_timeout_while(
                self.field.progress(),
                LOOK_AFTER_SERVER,
                is_short,
            );
            let (progress, timeout) = waited.expect("nobody panicked");
            let accepted = progress.accepted;
            drop(progress);
            if !timeout.timed_out() {
                return;
            }
            if let Some(status) = server.ended() {
                panic!(
                    "the server ended by itself, or by a stranger: {status}, {:#?}",
                    server.log()
                );
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server is there and {accepted} of {count} events are accepted; {} publications were repeated; {:#?}",
                self.field.repeated.load(Ordering::SeqCst),
                server.log()
            );
        }
    }

    fn kill(&mut self, random: &mut Seeded) {
        self.field.proceed(|progress| progress.up = false);
        let server = self.server.take().expect("it was started again");
        complain(server.kill());
        self.next_process();
        self.figures.kills += 1;
        if random.below(8) == 0 {
            let arguments = arguments();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let starting = Server::spawn(self.folder, self.listen, &arguments);
            // The moment of the kill is random, as that of the others: nothing is waited for.
            std::thread::sleep(random.pause(SHORT_LIFE));
            complain(starting.kill());
            self.next_process();
            self.figures.kills += 1;
            self.figures.kills_while_starting += 1;
        }
        let begun = Instant::now();
        self.server = Some(start(self.folder, self.listen));
        self.figures.slowest_start = self.figures.slowest_start.max(begun.elapsed());
        self.field.proceed(|progress| progress.up = true);
    }

    /// All that the dead process has sent is read before the next one is counted.
    fn next_process(&self) {
        for receiver in self.receivers {
            receiver.drain();
        }
        self.field.process.fetch_add(1, Ordering::SeqCst);
    }
}

/// No process may log an error: it was killed, and that is no error of its own.
#[track_caller]
fn complain(lines: Vec<String>) {
    let errors: Vec<String> = lines
        .into_iter()
        .filter(|line| line.contains("ERROR") || line.contains("panicked"))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are wanted")]
fn whatever_was_accepted_reaches_every_receiver_however_often_the_server_is_killed() {
    let kills = usize::try_from(from_environment("TRUEHOOK_CRASH_KILLS", 50)).unwrap();
    let events = usize::try_from(from_environment("TRUEHOOK_CRASH_EVENTS", 5_000)).unwrap();
    let seed = from_environment("TRUEHOOK_CRASH_SEED", seed::fresh());
    println!("TRUEHOOK_CRASH_SEED={seed}");
    let mut random = Seeded::new(seed);

    let field = Arc::new(Field {
        receipts: Mutex::default(),
        process: AtomicUsize::new(0),
        next: AtomicUsize::new(0),
        repeated: AtomicUsize::new(0),
        surprises: Mutex::default(),
        progress: Mutex::new(Progress {
            up: true,
            over: false,
            accepted: 0,
        }),
        changed: Condvar::new(),
    });
    let receivers: Vec<Receiver> = (0..RECEIVERS)
        .map(|number| start_receiver(number, &field, random.next()))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let listen = fixed_address(&mut random);
    let server = start(folder.path(), &listen);
    let url = server.url.clone();
    for receiver in &receivers {
        server
            .conduit()
            .register(&receiver.url, &["transaction.completed"]);
    }

    let mut points: Vec<usize> = (0..kills)
        .map(|_| usize::try_from(random.below(u64::try_from(events).unwrap())).unwrap())
        .collect();
    points.sort_unstable();
    let mut victim = Victim {
        folder: folder.path(),
        listen: &listen,
        field: &field,
        receivers: &receivers,
        server: Some(server),
        figures: Figures::default(),
    };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let over = Over(&field);
        for _ in 0..PUBLISHERS {
            scope.spawn(|| publish(&field, &url, events));
        }
        for point in points {
            victim.wait_for(point);
            std::thread::sleep(random.pause(KILL_PAUSE));
            victim.kill(&mut random);
        }
        victim.wait_for(events);
        drop(over);
    });
    let surprises = field.surprises.lock().unwrap().clone();
    assert_eq!(surprises, Vec::<String>::new());
    let published_in = begun.elapsed();

    let server = victim.server.take().unwrap();
    let mut operator = server.operator();
    let pending = "/operator/v1/deliveries?state=pending&limit=1";
    wait_until("nothing is pending", || {
        operator.get(pending)["data"] == Value::Array(Vec::new())
    });
    let settled_in = begun.elapsed();

    let receipts = field.receipts.lock().unwrap();
    let report = judge(&receipts, &server, events);
    assert_eq!(
        server.operator().metric("truehook_results_refused_total"),
        0.0,
        "of the last process"
    );
    let figures = &victim.figures;
    println!(
        "{} events accepted, {} publications repeated, {} kills ({} while starting), slowest start {:?}, published in {published_in:?}, \
         settled in {settled_in:?}\n{report:#?}",
        field.progress().accepted,
        field.repeated.load(Ordering::SeqCst),
        figures.kills,
        figures.kills_while_starting,
        figures.slowest_start,
    );
    assert!(figures.kills >= kills);
    assert_eq!(
        report.recorded_failures, 0,
        "the receivers accept everything at once"
    );
    assert_eq!(
        report.requests,
        report.deliveries + report.duplicates,
        "requests that belong to no delivery"
    );
    assert!(report.duplicates <= report.in_flight_at_kills);
    assert!(report.in_flight_at_kills <= figures.kills * IN_FLIGHT);
    assert!(report.most_duplicates_of_a_kill <= IN_FLIGHT);
    complain(server.stop().1);
}

/// The results of the test.
#[derive(Debug, Default)]
struct Report {
    deliveries: usize,
    requests: usize,
    /// Requests beyond the first of their delivery.
    duplicates: usize,
    /// The duplicates of the kill that cost most of them.
    most_duplicates_of_a_kill: usize,
    /// Attempts that were counted and have no record.
    in_flight_at_kills: usize,
    /// Attempts that failed and were recorded.
    recorded_failures: usize,
    /// Events and the receivers that did not get them.
    lost: Vec<(usize, usize)>,
}

/// Compares what the receivers got with what the server says that it did.
fn judge(receipts: &[Receipt], server: &Server, events: usize) -> Report {
    let mut report = Report {
        requests: receipts.len(),
        ..Report::default()
    };
    let mut received: HashMap<&str, Vec<&Receipt>> = HashMap::new();
    let mut told: HashMap<(usize, usize), &str> = HashMap::new();
    let mut sequences: BTreeMap<u64, usize> = BTreeMap::new();
    let mut clashes = Vec::new();
    for receipt in receipts {
        let event = transaction_number(&receipt.body);
        received.entry(&receipt.delivery).or_default().push(receipt);
        let delivery = told
            .entry((event, receipt.receiver))
            .or_insert(&receipt.delivery);
        assert_eq!(
            *delivery, receipt.delivery,
            "event {event} was published twice"
        );
        let sequence = receipt.body["event_sequence"]
            .as_u64()
            .expect("a sequence (C-49)");
        if *sequences.entry(sequence).or_insert(event) != event {
            clashes.push(sequence);
        }
    }
    for event in 0..events {
        for receiver in 0..RECEIVERS {
            if !told.contains_key(&(event, receiver)) {
                report.lost.push((event, receiver));
            }
        }
    }

    // Told first: it is the worst, and may have the others for consequences.
    let Report { lost, .. } = &report;
    assert!(lost.is_empty(), "lost: (event, receiver) {lost:?}");
    assert!(clashes.is_empty(), "sequences of two events: {clashes:?}");

    // Over a new connection: the server closes one on which it hears nothing while the requests are compared.
    let mut operator = server.operator();
    let listed = operator.list("/operator/v1/deliveries");
    report.deliveries = listed.len();
    assert_eq!(
        listed.len(),
        events * RECEIVERS,
        "a publication that was repeated is one event"
    );
    let complete = 1..=u64::try_from(events).expect("a number");
    assert!(sequences.into_keys().eq(complete), "sequences have gaps");

    let mut duplicates_of: HashMap<usize, usize> = HashMap::new();
    for delivery in &listed {
        assert_eq!(delivery["state"], "delivered", "{delivery}");
        let id = delivery["id"].as_str().expect("an id");
        let requests = received.get(id).map_or(&[][..], Vec::as_slice);
        if delivery["attemptCount"] == 1 && requests.len() == 1 {
            continue;
        }
        let detail = operator.delivery(id);
        let attempts = detail["attempts"].as_array().expect("attempts");
        assert!(
            requests.len() <= attempts.len(),
            "sent without being counted: {detail:#}"
        );
        for (index, attempt) in attempts.iter().enumerate() {
            let is_recorded = attempt["recorded"] == true;
            let is_accepted = attempt["status"]
                .as_u64()
                .is_some_and(|status| (200..300).contains(&status));
            let is_last = index + 1 == attempts.len();
            assert_eq!(
                is_accepted, is_last,
                "attempts after a recorded 2xx, or none: {detail:#}"
            );
            report.in_flight_at_kills += usize::from(!is_recorded);
            report.recorded_failures += usize::from(is_recorded && !is_accepted);
        }
        for pair in requests.windows(2) {
            assert_eq!(pair[0].body, pair[1].body, "a repetition differs");
            assert!(
                pair[0].process < pair[1].process,
                "sent twice by one process: {detail:#}"
            );
            *duplicates_of.entry(pair[0].process).or_default() += 1;
        }
        report.duplicates += requests.len().saturating_sub(1);
    }
    report.most_duplicates_of_a_kill = duplicates_of.into_values().max().unwrap_or(0);
    report
}
