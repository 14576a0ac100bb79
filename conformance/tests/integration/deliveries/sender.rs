//! A sender of webhooks with one fault at a time. It signs with its own code, so that it shares nothing with what judges it.

mod attempt;
mod http;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender as Queue};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use http::read;

/// How fast the sender's clock runs.
pub(crate) const SPEED: f64 = 40.0;

/// Seconds from the first attempt, by the sender's clock.
const OFFSETS: [f64; 2] = [80.0, 200.0];

/// Seconds that two secrets sign.
const OVERLAP: f64 = 160.0;

/// Real seconds that an attempt may take.
const DEADLINE: f64 = 2.0;

/// Seconds by the sender's clock for which one that lingers goes on after a webhook was disabled or deleted.
const LINGER: f64 = 60.0;

/// How long one that reverses the order waits for another event.
const HELD: Duration = Duration::from_secs(1);

/// What the ids of webhooks begin with that are kept although they were deleted.
const DELETED: &str = "deleted-";

struct Hook {
    url: String,
    events: Vec<String>,
    owner: String,
    active: bool,
    /// The newest first, each with the time at which it ends.
    secrets: Vec<(String, f64)>,
    queue: Option<Queue<Job>>,
}

#[derive(Clone)]
struct Job {
    event: String,
    id: String,
    body: Vec<u8>,
}

struct State {
    hooks: BTreeMap<String, Hook>,
    next: u64,
    events: Vec<(String, String)>,
    /// How many events went to the queues of their webhooks.
    queued: u64,
}

struct Shared {
    fault: &'static str,
    speed: f64,
    seed: u64,
    state: Mutex<State>,
    /// Notified when an event went to the queues.
    queue_grew: Condvar,
    begun: Instant,
    wall: f64,
    stopped: AtomicBool,
    /// Held during an attempt by a sender that has only one.
    one: Mutex<()>,
}

/// A running sender.
pub(crate) struct Sender {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared
            .state
            .lock()
            .expect("no thread panics")
            .hooks
            .clear();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

impl Sender {
    pub(crate) fn start(fault: &'static str, speed: f64, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let wall = std::time::UNIX_EPOCH
            .elapsed()
            .expect("a time after 1970")
            .as_secs_f64();
        let shared = Arc::new(Shared {
            fault,
            speed,
            seed,
            state: Mutex::new(State {
                hooks: BTreeMap::new(),
                next: 0,
                events: Vec::new(),
                queued: 0,
            }),
            queue_grew: Condvar::new(),
            begun: Instant::now(),
            wall,
            stopped: AtomicBool::new(false),
            one: Mutex::new(()),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let server = Arc::clone(&server);
                thread::spawn(move || server.serve(&stream));
            }
        });
        Self { url, shared }
    }

    /// How many webhooks are registered.
    pub(crate) fn registered(&self) -> usize {
        self.shared
            .state
            .lock()
            .expect("no thread panics")
            .hooks
            .keys()
            .filter(|id| !id.starts_with(DELETED))
            .count()
    }
}

impl Shared {
    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }

    /// Seconds since 1970 by the sender's clock.
    fn now(&self) -> f64 {
        self.wall + self.begun.elapsed().as_secs_f64() * self.speed
    }

    fn serve(self: &Arc<Self>, stream: &TcpStream) {
        let Some(request) = read(stream) else { return };
        let mut words = request.line.split_whitespace();
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let owner = request
            .header("authorization")
            .unwrap_or("first")
            .to_owned();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (status, answer) = self.answer(method, path, &owner, &body);
        let text = if status == 204 {
            String::new()
        } else {
            answer.to_string()
        };
        let mut stream = stream;
        let _ = write!(
            stream,
            "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
    }

    fn answer(
        self: &Arc<Self>,
        method: &str,
        path: &str,
        owner: &str,
        body: &Value,
    ) -> (u16, Value) {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("POST", ["webhooks"]) => self.create(owner, body),
            ("POST", ["events"]) => {
                self.publish(owner, body["type"].as_str().unwrap_or_default());
                (202, json!({}))
            }
            ("GET", ["events"]) => {
                let state = self.state.lock().expect("no thread panics");
                let mut list: Vec<Value> = state
                    .events
                    .iter()
                    .map(|(id, event)| json!({ "id": id, "type": event }))
                    .collect();
                if self.is("listed-only") {
                    list.push(json!({ "id": "evt_lost", "type": "order.paid" }));
                }
                (200, Value::Array(list))
            }
            ("POST", ["webhooks", id, "rotate"]) => {
                let mut state = self.state.lock().expect("no thread panics");
                state.next += 1;
                let secret = format!("secret-rotated-{:08}", state.next);
                let now = self.now();
                let Some(hook) = state.hooks.get_mut(*id) else {
                    return (404, json!({}));
                };
                let overlap = if self.is("no-overlap") { 0.0 } else { OVERLAP };
                if self.is("old-secret-stays") {
                    hook.secrets[0].1 = f64::MAX;
                    hook.secrets.insert(0, (secret.clone(), f64::MAX));
                } else if self.is("rotation-ignored") {
                    hook.secrets.insert(0, (secret.clone(), 0.0));
                } else {
                    hook.secrets[0].1 = now + overlap;
                    hook.secrets.insert(0, (secret.clone(), f64::MAX));
                }
                (200, shown(id, hook))
            }
            (_, ["webhooks", id]) => {
                let mut state = self.state.lock().expect("no thread panics");
                let Some(hook) = state.hooks.get_mut(*id) else {
                    return (404, json!({}));
                };
                match method {
                    "GET" => (200, shown(id, hook)),
                    "PATCH" => {
                        let active = body["active"].as_bool().unwrap_or(hook.active);
                        if self.is("lingers") && !active {
                            self.later(id, move |state, id| {
                                if let Some(hook) = state.hooks.get_mut(id) {
                                    hook.active = false;
                                }
                            });
                        } else {
                            hook.active = active;
                        }
                        (200, shown(id, hook))
                    }
                    "DELETE" => {
                        let mut hook = state.hooks.remove(*id).expect("it is there");
                        // It is not shown any more, and gets everything, or what was pending.
                        if self.is("lingers") {
                            let kept = format!("{DELETED}{id}");
                            self.later(&kept, |state, id| drop(state.hooks.remove(id)));
                            state.hooks.insert(kept, hook);
                        } else if self.is("sends-after-delete") {
                            state.hooks.insert(format!("{DELETED}{id}"), hook);
                        } else if self.is("pending-after-delete") || self.is("continues") {
                            hook.events.clear();
                            state.hooks.insert(format!("{DELETED}{id}"), hook);
                        }
                        (204, Value::Null)
                    }
                    _ => (405, json!({})),
                }
            }
            _ => (404, json!({})),
        }
    }

    /// Changes something about a webhook when this sender has lingered.
    fn later(self: &Arc<Self>, id: &str, change: impl FnOnce(&mut State, &str) + Send + 'static) {
        let (me, id) = (Arc::clone(self), id.to_owned());
        thread::spawn(move || {
            thread::sleep(Duration::from_secs_f64(LINGER / me.speed));
            change(&mut me.state.lock().expect("no thread panics"), &id);
        });
    }

    fn create(self: &Arc<Self>, owner: &str, body: &Value) -> (u16, Value) {
        let url = body["url"].as_str().unwrap_or_default().to_owned();
        if !self.is("no-handshake") {
            let challenge = [("X-Challenge".to_owned(), "c-1".to_owned())];
            let answer = self.send("POST", &url, &challenge, b"", 5.0);
            if answer.is_none_or(|answer| answer.header("x-challenge") != Some("c-1")) {
                return (422, json!({ "error": "the challenge was not answered" }));
            }
        }
        let mut state = self.state.lock().expect("no thread panics");
        state.next += 1;
        let id = format!("wh-{}", state.next);
        let (queue, jobs) = mpsc::channel();
        let hook = Hook {
            url,
            events: body["events"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            owner: owner.to_owned(),
            active: true,
            secrets: vec![(format!("secret-{:012}", state.next), f64::MAX)],
            queue: Some(queue),
        };
        let answer = shown(&id, &hook);
        state.hooks.insert(id.clone(), hook);
        drop(state);
        let sender = Arc::clone(self);
        thread::spawn(move || sender.work(&id, &jobs));
        (201, answer)
    }

    fn publish(self: &Arc<Self>, owner: &str, event: &str) {
        let mut state = self.state.lock().expect("no thread panics");
        state.next += 1;
        let event_id = format!("evt-{}-{}", self.seed, state.next);
        state.events.push((event_id.clone(), event.to_owned()));
        if self.is("never-sent") && event == "order.lost" {
            return;
        }
        let body = self.body(event, &event_id, state.next);
        let mut skipped = false;
        let count = state.hooks.len();
        let mut queued: Vec<(String, Job)> = Vec::new();
        for (index, (id, hook)) in state.hooks.iter().enumerate() {
            let subscribed = hook.events.iter().any(|one| one == event) || self.is("unsubscribed");
            let owned = hook.owner == owner || self.is("foreign");
            let active = hook.active || self.is("sends-after-disable");
            if !subscribed || !owned || !active {
                continue;
            }
            if self.is("one-skipped") && count > 1 && index == count - 1 && !skipped {
                skipped = true;
                continue;
            }
            let delivery = if self.is("id-shared") {
                "d-1".to_owned()
            } else {
                format!("d-{event_id}-{index}")
            };
            queued.push((
                id.clone(),
                Job {
                    event: event.to_owned(),
                    id: delivery,
                    body: body.clone(),
                },
            ));
        }
        let before = state.queued;
        drop(state);
        if self.is("order-reversed") && event == "order.paid" {
            // Two events at once go out the other way round; one that comes alone is held for nothing.
            let me = Arc::clone(self);
            thread::spawn(move || {
                let state = me.state.lock().expect("no thread panics");
                let held = me
                    .queue_grew
                    .wait_timeout_while(state, HELD, |state| state.queued == before);
                drop(held.expect("no thread panics"));
                me.enqueue(queued);
            });
        } else {
            self.enqueue(queued);
        }
    }

    fn enqueue(&self, queued: Vec<(String, Job)>) {
        let mut state = self.state.lock().expect("no thread panics");
        state.queued += 1;
        self.queue_grew.notify_all();
        for (id, job) in queued {
            if let Some(queue) = state.hooks.get(&id).and_then(|hook| hook.queue.as_ref()) {
                let _ = queue.send(job.clone());
                if self.is("sent-twice") {
                    let _ = queue.send(job);
                }
            }
        }
    }

    fn body(&self, event: &str, id: &str, number: u64) -> Vec<u8> {
        let total = self.seed.wrapping_mul(2_654_435_761).wrapping_add(number) % 100_000;
        let mut data = json!({ "id": id, "total": total, "note": "thanks" });
        match self.fault {
            "wrong-type" => data["total"] = json!("12.50"),
            "missing-member" => drop(
                data.as_object_mut()
                    .expect("an object")
                    .shift_remove("total"),
            ),
            "unknown-member" => data["internal"] = json!(true),
            "out-of-range" => data["total"] = json!(-1),
            "too-long" => data["note"] = json!("x".repeat(21)),
            "sample-member" => drop(
                data.as_object_mut()
                    .expect("an object")
                    .shift_remove("note"),
            ),
            "write-only" => data["card"] = json!("4111"),
            _ => {}
        }
        let event = if self.is("undocumented") {
            "order.odd"
        } else {
            event
        };
        let body = json!({ "type": event, "data": data });
        match self.fault {
            "not-json" => b"type=order.paid".to_vec(),
            "empty-body" => Vec::new(),
            _ => body.to_string().into_bytes(),
        }
    }

    /// Sends the deliveries of one webhook, one after the other.
    fn work(self: &Arc<Self>, id: &str, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            if self.is("concurrent") {
                let (me, id) = (Arc::clone(self), id.to_owned());
                thread::spawn(move || me.deliver(&id, &job));
            } else {
                self.deliver(id, &job);
            }
        }
    }
}

fn shown(id: &str, hook: &Hook) -> Value {
    json!({
        "id": id, "url": hook.url, "events": hook.events, "active": hook.active, "secret": hook.secrets[0].0,
    })
}

/// Sends a delivery that is signed already.
pub(crate) fn post(message: &conformance::hooks::Message) {
    let (method, url, headers) = (&message.method, &message.url, &message.headers);
    let answer = http::send(method, url, headers, &message.body, 10.0, false);
    assert!(answer.is_some(), "the receiver answers");
}
