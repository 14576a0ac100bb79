//! Several nodes on one PostgreSQL database, killed and started again at random while events are published, and the database with them.
//! What was answered 202 reaches every receiver, and no receiver gets again what it was recorded to have accepted.
//!
//! The secrets of the webhooks change meanwhile. An event that is published after a change was answered is signed with the new secret by
//! every node. Attempts that were under way when it was answered may still arrive with the old one. One node's clock is five minutes
//! ahead, another's five minutes behind.
//!
//! `scripts/crash-nodes` runs it longer. Words of the report are those of [`crate::crash`].

mod clocks;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::crash::from_environment;
use crate::process::client::Client;
use crate::process::clock::shift_clock;
use crate::process::database::Database;
use crate::process::receiver::{self, Receiver};
use crate::process::seed::{self, Seeded};
use crate::process::{PATIENCE, QUIET, Server, fixed_address, truehook, wait_until};

const NODES: usize = 3;
/// By how much the clock of each node is off.
const CLOCKS: [Option<&str>; NODES] = [None, Some("-5m"), Some("+5m")];
const RECEIVERS: usize = 3;
const PUBLISHERS: usize = 6;

/// How many attempts a node may have under way, which bounds what one kill can cost.
const IN_FLIGHT: usize = 64;

/// As short as may be: longer than the deadline of an attempt.
const LEASE: Duration = Duration::from_secs(11);

/// How many times the secret of a webhook changes.
const ROTATIONS: usize = 6;

/// The longest pause of a receiver before it answers: a kill shall find attempts in flight.
const ANSWER_PAUSE: Duration = Duration::from_millis(20);

/// The longest time for which a node or the database is away.
const LONGEST_ABSENCE: Duration = Duration::from_millis(500);

/// The pause before a publication that was refused is sent again.
const REFUSED_PAUSE: Duration = Duration::from_millis(20);

/// A request that a receiver has read whole.
struct Receipt {
    delivery: String,
    event: usize,
    receiver: usize,
    /// Which of the webhook's secrets it is signed with.
    secret: usize,
    /// Whether the change to a later secret had been answered before it came.
    late: bool,
}

/// What receivers, publishers and the test share.
struct Field {
    receipts: Mutex<Vec<Receipt>>,
    /// How many secrets each webhook has had, counted before the change is asked for, and after it was answered.
    begun: [AtomicUsize; RECEIVERS],
    answered: [AtomicUsize; RECEIVERS],
    /// The secrets whose changes had been answered when the event with this number was sent for the first time.
    published_after: Mutex<Vec<[usize; RECEIVERS]>>,
    next: AtomicUsize,
    accepted: AtomicUsize,
    repeated: AtomicUsize,
    refused: AtomicUsize,
    over: AtomicBool,
    surprises: Mutex<Vec<String>>,
}

impl Field {
    fn surprise(&self, what: String) {
        self.surprises.lock().expect("nobody panicked").push(what);
        self.over.store(true, Ordering::SeqCst);
    }

    fn answered(&self) -> [usize; RECEIVERS] {
        std::array::from_fn(|receiver| self.answered[receiver].load(Ordering::SeqCst))
    }
}

/// Ends the publishers when the test fails in between.
struct Over<'a>(&'a Field);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

fn secret(number: usize) -> String {
    format!("secret-{number}")
}

fn signature(number: usize, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret(number).as_bytes()).expect("any length");
    mac.update(body);
    BASE64.encode(&mac.finalize().into_bytes())
}

fn start_receiver(number: usize, field: &Arc<Field>, seed: u64) -> Receiver {
    let field = field.clone();
    let random = Mutex::new(Seeded::new(seed));
    Receiver::start(move |request, stream| {
        // Read first: a change that is answered from here on came too late for this request.
        let answered = field.answered[number].load(Ordering::SeqCst);
        let begun = field.begun[number].load(Ordering::SeqCst);
        let found = request.header("x-em-signature").unwrap_or_default();
        let is_signed_with = |secret: &usize| signature(*secret, &request.body) == found;
        let signed = (0..begun).rev().find(is_signed_with);
        let body = request.json();
        let event = body["body"]["data"]["n"]
            .as_u64()
            .or(body["body"]["n"].as_u64());
        let delivery = body["body"]["messageId"].as_str();
        let (Some(secret), Some(event), Some(delivery)) = (signed, event, delivery) else {
            field.surprise(format!(
                "not what was published, or not signed: {request:?}"
            ));
            return receiver::accept(stream);
        };
        let receipt = Receipt {
            delivery: delivery.to_owned(),
            event: usize::try_from(event).expect("a number of an event"),
            receiver: number,
            secret,
            late: secret + 1 < answered,
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

fn publication(number: usize) -> String {
    json!({
        "provider": "equals-money", "type": "BoxCredited", "accountId": "F12345",
        "data": {
            "n": number, "accountId": "F12345", "boxId": "0f2b1c52-6a7e-4f0e-9a53-6d9c1b1f0e42", "currency": "GBP", "amount": 1250.0,
            "reference": "INV-2025-000123", "createdAt": "2025-11-04T15:05:00.000Z",
        },
    })
    .to_string()
}

/// Publishes on any node until all events are accepted; repeats what was refused or not answered, under its idempotency key.
fn publish(field: &Field, urls: &[String], events: usize, seed: u64) {
    let mut random = Seeded::new(seed);
    let operator = |url: &String| Client::new(url, &[("Authorization", "Bearer sandbox-operator")]);
    let mut clients: Vec<Client> = urls.iter().map(operator).collect();
    loop {
        let number = field.next.fetch_add(1, Ordering::SeqCst);
        if number >= events {
            return;
        }
        let key = format!("event-{number}");
        let body = publication(number);
        field.published_after.lock().expect("nobody panicked")[number] = field.answered();
        loop {
            if field.over.load(Ordering::SeqCst) {
                return;
            }
            let node = usize::try_from(random.below(NODES as u64)).expect("a node");
            let headers = [("Idempotency-Key", key.as_str())];
            match clients[node].send("POST", "/operator/v1/events", &headers, &body) {
                Ok(answer) if answer.status == 202 && answer.json()["deliveries"] == RECEIVERS => {
                    break;
                }
                Ok(answer) if answer.status == 503 => {
                    field.refused.fetch_add(1, Ordering::SeqCst);
                }
                Ok(answer) => field.surprise(format!("event {number} was answered {answer}")),
                // Killed before the answer was out: it may be stored or not.
                Err(_) => {
                    field.repeated.fetch_add(1, Ordering::SeqCst);
                }
            }
            // As a publisher that respects Retry-After would, in less time.
            std::thread::sleep(REFUSED_PAUSE);
        }
        field.accepted.fetch_add(1, Ordering::SeqCst);
    }
}

/// What is done to the nodes when so many events are accepted.
#[derive(Debug, Clone, Copy)]
enum Act {
    Kill,
    CrashDatabase,
    /// The database crashes for good, and its standby takes over.
    FailOver,
    /// A node stands still until its leases have ended, and goes on as if nothing had been.
    StandStill,
    ChangeSecret(usize),
}

/// The nodes, and how they are started again.
struct Cluster<'a> {
    folder: &'a Path,
    database: Database,
    listen: Vec<String>,
    nodes: Vec<Option<Server>>,
    field: &'a Field,
    webhooks: Vec<String>,
    kills: usize,
    stops: usize,
}

impl Cluster<'_> {
    fn start(&mut self, number: usize) {
        let mut command = truehook(self.folder);
        command.env("TRUEHOOK_ENCRYPTION_KEY", "01".repeat(32));
        if let Some(by) = CLOCKS[number] {
            shift_clock(&mut command, by);
        }
        let mut arguments = QUIET.to_vec();
        let in_flight = IN_FLIGHT.to_string();
        arguments.extend(["--database", &self.database.url]);
        arguments.extend(["--attempts-in-flight", &in_flight]);
        let lease = LEASE.as_secs().to_string();
        arguments.extend(["--lease-seconds", &lease]);
        let listen = &self.listen[number];
        let server = Server::spawn_as(command, self.folder, listen, &arguments);
        server.wait_for_log("listening on ");
        self.nodes[number] = Some(server);
    }

    fn node(&self, number: usize) -> &Server {
        self.nodes[number].as_ref().expect("it was started again")
    }

    fn kill(&mut self, number: usize) {
        let node = self.nodes[number].take().expect("it was started again");
        complain(node.kill());
        self.kills += 1;
    }

    /// Waits until so many events are accepted, or the publishers have ended.
    fn wait_for(&mut self, count: usize) {
        let begun = Instant::now();
        while self.field.accepted.load(Ordering::SeqCst) < count
            && !self.field.over.load(Ordering::SeqCst)
        {
            for node in self.nodes.iter_mut().flatten() {
                if let Some(status) = node.ended() {
                    panic!("a node ended by itself: {status}, {:#?}", node.log());
                }
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{count} events are not accepted"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn act(&mut self, act: Act, random: &mut Seeded) {
        let any = usize::try_from(random.below(NODES as u64)).expect("a node");
        // The moments are random, as what they find under way is: nothing is waited for.
        match act {
            Act::Kill => {
                self.kill(any);
                std::thread::sleep(random.pause(LONGEST_ABSENCE));
                self.start(any);
            }
            Act::CrashDatabase => {
                self.database.crash();
                std::thread::sleep(random.pause(LONGEST_ABSENCE));
                // What it could not record is lost with it.
                self.kill(any);
                self.database.restart();
                self.start(any);
            }
            Act::FailOver => {
                self.database.crash();
                std::thread::sleep(random.pause(LONGEST_ABSENCE));
                self.database.promote();
            }
            Act::StandStill => {
                self.node(any).signal("STOP");
                std::thread::sleep(LEASE + Duration::from_secs(1));
                self.node(any).signal("CONT");
                self.stops += 1;
            }
            Act::ChangeSecret(receiver) => self.change_secret(any, receiver),
        }
    }

    fn change_secret(&self, node: usize, receiver: usize) {
        let number = self.field.begun[receiver].fetch_add(1, Ordering::SeqCst);
        let path = format!("/equals-money/v2/webhooks/{}", self.webhooks[receiver]);
        let body = json!({ "enabled": true, "sharedSecret": secret(number) }).to_string();
        let mut client = self.node(node).equals();
        wait_until("a secret is changed", || {
            let answer = client.send("PATCH", &path, &[], &body);
            answer.is_ok_and(|answer| answer.status == 200)
        });
        self.field.answered[receiver].store(number + 1, Ordering::SeqCst);
    }
}

/// No process may panic. Errors of a database that is away are logged, as they should be.
#[track_caller]
fn complain(lines: Vec<String>) {
    let is_panic = |line: &String| line.contains("panicked");
    let panics: Vec<String> = lines.into_iter().filter(is_panic).collect();
    assert!(panics.is_empty(), "{panics:#?}");
}

fn register(server: &Server, url: &str) -> String {
    let body = json!({
        "enabled": true, "accountId": "F12345", "webhookEventTypeName": "BoxCredited", "url": url, "sharedSecret": secret(0),
    });
    let answer = server
        .equals()
        .send("POST", "/equals-money/v2/webhooks", &[], &body.to_string());
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 201, "{answer}");
    answer.json()["id"].as_str().expect("an id").to_owned()
}

/// When something happens, by the number of events that are accepted before.
fn plan(events: usize, acts: &[Act], kills: usize, random: &mut Seeded) -> Vec<(usize, Act)> {
    let end = u64::try_from(events * 3 / 4).expect("a number");
    let mut anywhere = || usize::try_from(random.below(end)).expect("one");
    let mut plan: Vec<(usize, Act)> = (0..kills).map(|_| (anywhere(), Act::Kill)).collect();
    for (number, act) in acts.iter().enumerate() {
        plan.push((events * (number + 1) / (acts.len() + 1), *act));
    }
    for number in 0..ROTATIONS {
        plan.push((anywhere(), Act::ChangeSecret(number % RECEIVERS)));
    }
    plan.sort_by_key(|(point, _)| *point);
    plan
}

#[test]
fn whatever_is_accepted_reaches_every_receiver_however_often_nodes_and_their_database_crash() {
    let kills = usize::try_from(from_environment("TRUEHOOK_CRASH_KILLS", 4)).unwrap();
    let events = usize::try_from(from_environment("TRUEHOOK_CRASH_EVENTS", 600)).unwrap();
    // Late, so that the leases of those that were killed end meanwhile.
    let acts = [Act::CrashDatabase, Act::CrashDatabase, Act::StandStill];
    run(Database::start(), events, &acts, kills);
}

#[test]
fn whatever_is_accepted_reaches_every_receiver_after_a_failover_to_a_synchronous_standby() {
    let events = usize::try_from(from_environment("TRUEHOOK_CRASH_EVENTS", 300)).unwrap();
    let mut database = Database::start();
    database.add_standby();
    run(database, events, &[Act::FailOver], 1);
}

#[expect(clippy::print_stdout, reason = "the figures are wanted")]
fn run(database: Database, events: usize, acts: &[Act], kills: usize) {
    let seed = from_environment("TRUEHOOK_CRASH_SEED", seed::fresh());
    println!("TRUEHOOK_CRASH_SEED={seed}");
    let mut random = Seeded::new(seed);
    let field = Arc::new(Field {
        receipts: Mutex::default(),
        begun: std::array::from_fn(|_| AtomicUsize::new(1)),
        answered: std::array::from_fn(|_| AtomicUsize::new(1)),
        // One more for each node, which tells how its clock stands.
        published_after: Mutex::new(vec![[1; RECEIVERS]; events + NODES]),
        next: AtomicUsize::new(0),
        accepted: AtomicUsize::new(0),
        repeated: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
        over: AtomicBool::new(false),
        surprises: Mutex::default(),
    });
    let receivers: Vec<Receiver> = (0..RECEIVERS)
        .map(|number| start_receiver(number, &field, random.next()))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let mut cluster = Cluster {
        folder: folder.path(),
        database,
        listen: (0..NODES).map(|_| fixed_address(&mut random)).collect(),
        nodes: (0..NODES).map(|_| None).collect(),
        field: &field,
        webhooks: Vec::new(),
        kills: 0,
        stops: 0,
    };
    for node in 0..NODES {
        cluster.start(node);
    }
    for receiver in &receivers {
        let id = register(cluster.node(0), &receiver.url);
        cluster.webhooks.push(id);
    }
    let urls: Vec<String> = cluster
        .listen
        .iter()
        .map(|at| format!("http://{at}"))
        .collect();
    let plan = plan(events, acts, kills, &mut random);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let over = Over(&field);
        for _ in 0..PUBLISHERS {
            let seed = random.next();
            let (field, urls) = (&field, &urls);
            scope.spawn(move || publish(field, urls, events, seed));
        }
        for (point, act) in plan {
            cluster.wait_for(point);
            cluster.act(act, &mut random);
        }
        cluster.wait_for(events);
        drop(over);
    });
    let published_in = begun.elapsed();
    let clocks = clocks(&cluster, events);
    let nothing = Value::Array(Vec::new());
    let mut operator = cluster.node(0).operator();
    wait_until("nothing is pending", || {
        let answer = operator.send(
            "GET",
            "/operator/v1/deliveries?state=pending&limit=1",
            &[],
            "",
        );
        answer.is_ok_and(|answer| answer.status == 200 && answer.json()["data"] == nothing)
    });
    let settled_in = begun.elapsed();
    let surprises = field.surprises.lock().expect("nobody panicked").clone();
    assert_eq!(surprises, Vec::<String>::new());
    let receipts = field.receipts.lock().expect("nobody panicked");
    let published_after = field.published_after.lock().expect("nobody panicked");
    let report = judge(&receipts, &published_after, cluster.node(0));
    println!(
        "{events} events accepted, {} publications repeated, {} answered 503, {} nodes killed, {acts:?}, \
         {ROTATIONS} secrets changed, clocks off by {clocks:?} s, published in {published_in:?}, settled in {settled_in:?}\n{report:#?}",
        field.repeated.load(Ordering::SeqCst),
        field.refused.load(Ordering::SeqCst),
        cluster.kills,
    );
    assert_eq!(report.requests, report.deliveries + report.duplicates);
    assert!(report.duplicates <= report.in_flight);
    assert!(report.in_flight <= (cluster.kills + cluster.stops) * IN_FLIGHT);
    assert!(report.late <= ROTATIONS * NODES * IN_FLIGHT);
    assert!(clocks[1] < -200 && clocks[2] > 200, "{clocks:?}");
    for node in cluster.nodes.iter_mut().map(Option::take) {
        let (status, log) = node.expect("it was started again").stop();
        assert!(status.success(), "{status}: {log:#?}");
        complain(log);
    }
}

/// By how many seconds the clock of each node is ahead of that of the first, as events that are published there tell.
fn clocks(cluster: &Cluster<'_>, events: usize) -> [i64; NODES] {
    let times: [jiff::Timestamp; NODES] = std::array::from_fn(|node| {
        let mut operator = cluster.node(node).operator();
        let body = publication(events + node);
        let answer = operator.send("POST", "/operator/v1/events", &[], &body);
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 202, "{answer}");
        let created_at = answer.json()["createdAt"].as_str().map(str::to_owned);
        let created_at = created_at.expect("a time of publication");
        created_at.parse().expect("a time")
    });
    times.map(|time| time.duration_since(times[0]).as_secs())
}

/// What came of it.
#[derive(Debug, Default)]
struct Report {
    deliveries: usize,
    requests: usize,
    /// Requests beyond the first of their delivery.
    duplicates: usize,
    /// Attempts that were counted and have no record.
    in_flight: usize,
    /// Requests with an old secret that came after the change was answered: their attempts were under way.
    late: usize,
}

/// Compares what the receivers got with what a node says that the nodes did.
fn judge(receipts: &[Receipt], published_after: &[[usize; RECEIVERS]], node: &Server) -> Report {
    let mut report = Report {
        requests: receipts.len(),
        late: receipts.iter().filter(|receipt| receipt.late).count(),
        ..Report::default()
    };
    let mut received: HashMap<&str, usize> = HashMap::new();
    let mut told: HashMap<(usize, usize), &str> = HashMap::new();
    for receipt in receipts {
        *received.entry(&receipt.delivery).or_default() += 1;
        let place = (receipt.event, receipt.receiver);
        let delivery = told.entry(place).or_insert(&receipt.delivery);
        assert_eq!(*delivery, receipt.delivery, "{place:?} was published twice");
        let answered = published_after[receipt.event][receipt.receiver];
        assert!(
            receipt.secret + 1 >= answered,
            "event {} was published after the change to secret {} was answered, and signed with secret {}",
            receipt.event,
            answered - 1,
            receipt.secret
        );
    }
    let expected = (0..published_after.len())
        .flat_map(|event| (0..RECEIVERS).map(move |receiver| (event, receiver)));
    let lost: Vec<(usize, usize)> = expected.filter(|place| !told.contains_key(place)).collect();
    assert!(lost.is_empty(), "lost: (event, receiver) {lost:?}");

    let mut operator = node.operator();
    let listed = operator.list("/operator/v1/deliveries");
    report.deliveries = listed.len();
    assert_eq!(listed.len(), published_after.len() * RECEIVERS);
    let mut ids = HashSet::new();
    for delivery in &listed {
        assert_eq!(delivery["state"], "delivered", "{delivery}");
        let id = delivery["id"].as_str().expect("an id");
        assert!(ids.insert(id), "listed twice: {delivery}");
        let requests = received.get(id).copied().unwrap_or_default();
        if delivery["attemptCount"] == 1 && requests == 1 {
            continue;
        }
        let detail = operator.delivery(id);
        let attempts = detail["attempts"].as_array().expect("attempts");
        assert!(
            requests <= attempts.len(),
            "sent without being counted: {detail:#}"
        );
        for (index, attempt) in attempts.iter().enumerate() {
            let is_accepted = attempt["status"]
                .as_u64()
                .is_some_and(|status| (200..300).contains(&status));
            let is_last = index + 1 == attempts.len();
            assert_eq!(
                is_accepted, is_last,
                "attempts after a recorded 2xx, or none: {detail:#}"
            );
            // Receivers accept everything at once.
            assert_eq!(attempt["recorded"] == true, is_accepted, "{detail:#}");
            report.in_flight += usize::from(!is_accepted);
        }
        report.duplicates += requests.saturating_sub(1);
    }
    report
}
