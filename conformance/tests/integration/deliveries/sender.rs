//! A sender of webhooks with one fault at a time. It signs with its own code, so that it shares nothing with what judges it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender as Queue};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ring::hmac;
use serde_json::{Value, json};

/// How fast the sender's clock runs.
pub(crate) const SPEED: f64 = 40.0;

/// Seconds from the first attempt, by the sender's clock.
const OFFSETS: [f64; 2] = [80.0, 200.0];

/// Seconds that two secrets sign.
const OVERLAP: f64 = 160.0;

/// Real seconds that an attempt may take.
const DEADLINE: f64 = 2.0;

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
}

struct Shared {
    fault: &'static str,
    speed: f64,
    seed: u64,
    state: Mutex<State>,
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
            }),
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
            .len()
    }
}

struct Message {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Reads a request or a response, whose body has a length; of others the body is left.
fn read(stream: &TcpStream) -> Option<Message> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader
            .read_line(&mut header)
            .ok()
            .filter(|read| *read > 0)?;
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length.min(1 << 20)];
    reader.read_exact(&mut body).ok()?;
    Some(Message {
        line,
        headers,
        body,
    })
}

impl Message {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
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
                        if let Some(active) = body["active"].as_bool() {
                            hook.active = active;
                        }
                        (200, shown(id, hook))
                    }
                    "DELETE" => {
                        if self.is("sends-after-delete") {
                            // It is not shown any more, and gets everything.
                            let hook = state.hooks.remove(*id).expect("it is there");
                            state.hooks.insert(format!("deleted-{id}"), hook);
                        } else {
                            state.hooks.remove(*id);
                        }
                        (204, Value::Null)
                    }
                    _ => (405, json!({})),
                }
            }
            _ => (404, json!({})),
        }
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
        drop(state);
        if self.is("order-reversed") {
            // Two events at once go out the other way round.
            let me = Arc::clone(self);
            let late = event == "order.paid";
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(if late { 250 } else { 0 }));
                me.enqueue(queued);
            });
        } else {
            self.enqueue(queued);
        }
    }

    fn enqueue(&self, queued: Vec<(String, Job)>) {
        let state = self.state.lock().expect("no thread panics");
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

    fn pause(&self, seconds: f64) {
        thread::sleep(Duration::from_secs_f64((seconds / self.speed).max(0.0)));
    }

    fn deliver(&self, id: &str, job: &Job) {
        let first = self.now();
        let mut attempt = 1;
        let mut offsets: Vec<f64> = match self.fault {
            "too-few-retries" => vec![80.0],
            "too-many-retries" => vec![80.0, 200.0, 215.0],
            "retry-early" => vec![10.0, 200.0],
            "retry-late" => vec![150.0, 200.0],
            "no-retries" => Vec::new(),
            _ => OFFSETS.to_vec(),
        };
        offsets.reverse();
        loop {
            let Some((outcome, retry_after)) = self.attempt(id, job, attempt, first) else {
                return;
            };
            let failed = match outcome {
                Some(204) if self.is("204-fails") => true,
                Some(201) if self.is("201-fails") => true,
                Some(202) if self.is("202-fails") => true,
                Some(status) if (200..300).contains(&status) => false,
                Some(302 | 307) if self.is("redirect-succeeds") => false,
                Some(404) if self.is("404-succeeds") => false,
                Some(500) if self.is("500-succeeds") => false,
                Some(503) if self.is("503-succeeds") => false,
                Some(410) if self.is("410-retried") => true,
                Some(410) => {
                    if !self.is("gone-ignored")
                        && let Some(hook) = self
                            .state
                            .lock()
                            .expect("no thread panics")
                            .hooks
                            .get_mut(id)
                    {
                        hook.active = false;
                    }
                    false
                }
                None if self.is("reset-succeeds") => false,
                _ => true,
            };
            if !failed {
                return;
            }
            let Some(offset) = offsets.pop() else { return };
            let asked = retry_after
                .filter(|_| !self.is("retry-after-ignored"))
                .unwrap_or(0.0);
            let due = (first + offset).max(self.now() + asked);
            self.pause(due - self.now());
            attempt += 1;
        }
    }

    /// One attempt: the status, where there was an answer, and `Retry-After`; none where the webhook is gone.
    fn attempt(
        &self,
        id: &str,
        job: &Job,
        attempt: usize,
        first: f64,
    ) -> Option<(Option<u16>, Option<f64>)> {
        let _one = self
            .is("one-at-a-time")
            .then(|| self.one.lock().expect("no thread panics"));
        let (url, secrets, other) = {
            let state = self.state.lock().expect("no thread panics");
            // One that was deleted is kept by a sender that sends to it all the same.
            let kept = state.hooks.get(&format!("deleted-{id}"));
            let hook = state.hooks.get(id).or(kept)?;
            let other = state
                .hooks
                .iter()
                .find(|(known, _)| *known != id)
                .map(|(_, other)| other.secrets[0].0.clone());
            (hook.url.clone(), hook.secrets.clone(), other)
        };
        let mut body = job.body.clone();
        if self.is("body-changes") && attempt > 1 {
            body.extend_from_slice(b" ");
        }
        let signed_at = match self.fault {
            "old-time-on-retries" => first,
            "stale-time" => self.now() - 3600.0,
            "future-time" => self.now() + 3600.0,
            _ => self.now(),
        };
        let time = match self.fault {
            "milliseconds" => format!("{:.0}", signed_at * 1000.0),
            _ => format!("{}", signed_at.floor()),
        };
        let mut live: Vec<String> = secrets
            .iter()
            .filter(|(_, end)| *end > self.now())
            .map(|(text, _)| text.clone())
            .collect();
        if self.is("wrong-secret") {
            live = vec!["another secret".to_owned()];
        }
        if self.is("secret-of-another") {
            live = vec![other.clone().unwrap_or_else(|| "none".to_owned())];
        }
        let mut signature = format!("t={time}");
        for secret in &live {
            let text = match self.fault {
                "body-only" => body.clone(),
                "other-separator" => [time.as_bytes(), b":", &body].concat(),
                "other-body" => [time.as_bytes(), b".", &body, b"\n"].concat(),
                _ => [time.as_bytes(), b".", &body].concat(),
            };
            let algorithm = if self.is("sha1") {
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY
            } else {
                hmac::HMAC_SHA256
            };
            let mac = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), &text);
            let hex: String = mac
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let text = match self.fault {
                "upper-case" => hex.to_uppercase(),
                "base64" => data_encoding::BASE64.encode(mac.as_ref()),
                _ => hex,
            };
            signature += &format!(",v1={text}");
        }
        if self.is("time-changed") {
            signature = signature.replacen("t=1", "t=2", 1);
        }
        if self.is("no-time") {
            signature = signature
                .split_once(',')
                .map(|(_, rest)| rest.to_owned())
                .unwrap_or_default();
        }
        if self.is("other-field") {
            signature = signature.replace("v1=", "v2=");
        }
        let delivery = if self.is("id-changes") {
            format!("{}-{attempt}", job.id)
        } else {
            job.id.clone()
        };
        let event = if self.is("undocumented") {
            "order.odd"
        } else {
            &job.event
        };
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        if !self.is("no-header") {
            add(
                "X-Event",
                if self.is("wrong-header") {
                    "order.wrong".to_owned()
                } else {
                    event.to_owned()
                },
            );
        }
        add(
            "X-Attempt",
            if self.is("bad-header") {
                "one".to_owned()
            } else {
                attempt.to_string()
            },
        );
        if !self.is("no-id") {
            add("X-Delivery", delivery);
        }
        if !self.is("unsigned") {
            add("X-Signature", signature);
        }
        if self.is("secret-in-header") {
            add("X-Debug", secrets[0].0.clone());
        }
        if let (true, Some(other)) = (self.is("secret-of-another-in-header"), other) {
            add("X-Debug", other);
        }
        match self.fault {
            "text-plain" => headers[0].1 = "text/plain".to_owned(),
            "no-content-type" => drop(headers.remove(0)),
            _ => {}
        }
        let method = if self.is("put") { "PUT" } else { "POST" };
        if self.is("body-after-signing") {
            body = String::from_utf8_lossy(&body)
                .replace(':', ": ")
                .into_bytes();
        }
        let limit = match self.fault {
            "deadline-short" => 0.2,
            "deadline-never" => 30.0,
            _ => DEADLINE,
        };
        let answer = self.send(method, &url, &headers, &body, limit);
        let Some(answer) = answer else {
            return Some((None, None));
        };
        let status: Option<u16> = answer
            .line
            .split_whitespace()
            .nth(1)
            .and_then(|text| text.parse().ok());
        if let (Some(302 | 307), true, Some(to)) = (
            status,
            self.is("redirect-followed"),
            answer.header("location"),
        ) {
            let base = url::Url::parse(&url).expect("a URL");
            let target = base.join(to).expect("a URL");
            self.send(method, target.as_str(), &headers, &body, limit);
        }
        let retry_after = answer
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        Some((status, retry_after))
    }

    /// Sends a request and reads the head of the answer; none where there is none in time.
    fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
        limit: f64,
    ) -> Option<Message> {
        let url = url::Url::parse(url).ok()?;
        let address = format!("{}:{}", url.host_str()?, url.port()?);
        let mut stream = TcpStream::connect(&address).ok()?;
        let end = Instant::now() + Duration::from_secs_f64(limit);
        let mut head = format!(
            "{method} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n",
            url.path()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        stream
            .set_read_timeout(Some(
                end.saturating_duration_since(Instant::now())
                    .max(Duration::from_millis(1)),
            ))
            .ok()?;
        read(&stream)
    }
}

fn shown(id: &str, hook: &Hook) -> Value {
    json!({
        "id": id, "url": hook.url, "events": hook.events, "active": hook.active, "secret": hook.secrets[0].0,
    })
}
