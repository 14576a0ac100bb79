//! A handler of the shop's events: right by itself, and wrong in one way where it is told so. It verifies by itself: `ring` and nothing of
//! the program under test.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use ring::hmac;
use serde_json::{Value, json};

use crate::replay::server::{Reply, Request, Wire};

/// The secret as the provider shows it.
pub(super) const SECRET: &str = "whsec_dGhlIHNob3AncyBzZWNyZXQsIDMyIGJ5dGVzIGxvbmc=";

const TOLERANCE: i64 = 300;

/// How long one with a race waits between its look and its note for the same delivery to come again.
const RACE: Duration = Duration::from_millis(100);

#[derive(Default)]
struct State {
    done: HashSet<String>,
    /// How many times each delivery was looked for and not found.
    missed: HashMap<String, u32>,
    last: Option<String>,
    newest: i64,
    effects: u32,
    answers: u32,
    seen_slow: bool,
}

/// The handler, with the fault of this name.
pub(super) struct Handler {
    fault: &'static str,
    /// How long its effect takes after the answer.
    later: Duration,
    state: Arc<Mutex<State>>,
    /// Notified when a delivery was not found.
    looked: Condvar,
}

fn key() -> Vec<u8> {
    let text = SECRET.strip_prefix("whsec_").expect("the prefix");
    BASE64.decode(text.as_bytes()).expect("Base64")
}

fn mac(algorithm: hmac::Algorithm, key: &[u8], text: &[u8]) -> String {
    let key = hmac::Key::new(algorithm, key);
    BASE64.encode(hmac::sign(&key, text).as_ref())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the handler is another program, with a clock of its own"
)]
fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(now.as_secs()).expect("a time")
}

/// Now, for those who verify by the description.
pub(super) fn instant() -> jiff::Timestamp {
    jiff::Timestamp::from_second(now()).expect("a time")
}

impl Handler {
    pub(super) fn new(fault: &'static str) -> Self {
        Self {
            fault,
            later: Duration::ZERO,
            state: Arc::default(),
            looked: Condvar::new(),
        }
    }

    /// One that answers first and works then.
    pub(super) fn late(later: Duration) -> Self {
        Self {
            later,
            ..Self::new("")
        }
    }

    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }

    pub(super) fn answer(&self, request: &Request) -> Reply {
        if request.path == "/effect" {
            let state = self.state.lock().expect("no thread panics");
            // One that shows something else each time it is looked at.
            if self.is("restless") {
                return Reply::json(200, &json!([state.effects, nanoseconds().to_string()]));
            }
            return Reply::json(200, &json!(state.effects));
        }
        if request.method == "GET" {
            let challenge = request
                .query
                .strip_prefix("?challenge=")
                .unwrap_or_default();
            return match self.is("handshake") {
                true => Reply::new(404),
                false => Reply::new(200).body(challenge.as_bytes()),
            };
        }
        match self.receive(request) {
            Ok(reply) | Err(reply) => reply,
        }
    }

    fn receive(&self, request: &Request) -> Result<Reply, Reply> {
        if self.is("refuses-all") {
            return Err(Reply::new(401));
        }
        if self.is("hangs-up") {
            return Err(Reply::new(204).wire(Wire::Closed));
        }
        if self.is("ping") && request.body.is_empty() {
            return Err(Reply::new(204));
        }
        if self.is("acts-first") {
            let id = request
                .headers
                .get("webhook-id")
                .cloned()
                .unwrap_or_default();
            self.act(&id);
        }
        let verified = self.verify(request);
        if let Err(reply) = verified {
            return Err(match reply.status {
                _ if self.is("says-yes-to-forged") => Reply::new(204),
                _ if self.is("fails-forged") => Reply::new(500),
                _ if self.is("redirects-forged") => Reply::new(302).header("Location", "/login"),
                _ if self.is("hangs-up-on-forged") => Reply::new(204).wire(Wire::Closed),
                _ => reply,
            });
        }
        if self.is("redirects") {
            return Err(Reply::new(307).header("Location", "/other"));
        }
        let (id, time) = verified.unwrap_or_default();
        let event = self.read(request)?;
        self.handle(request, &event, &id, time)
    }

    /// The id and the time of a delivery that is signed.
    fn verify(&self, request: &Request) -> Result<(String, i64), Reply> {
        let header = |name: &str| request.headers.get(name).cloned();
        let refuse = || Reply::json(401, &json!({ "error": "not signed" }));
        if self.is("open") {
            return Ok((String::new(), now()));
        }
        let id = header("webhook-id").ok_or_else(refuse)?;
        let time = header("webhook-timestamp");
        if time.is_none() && self.is("time-optional") {
            return Ok((id, now()));
        }
        let time = time.ok_or_else(refuse)?;
        let seconds: i64 = time.parse().map_err(|_| refuse())?;
        if self.is("verifies-nothing") {
            return Ok((id, seconds));
        }
        let signature = header("webhook-signature");
        if signature.is_none() && self.is("signature-optional") {
            return Ok((id, seconds));
        }
        let signature = signature.ok_or_else(refuse)?;
        if self.is("empty-signature") && signature.trim_start_matches("v1,").is_empty() {
            return Ok((id, seconds));
        }
        let age = now() - seconds;
        let tolerance = if self.is("narrow") { 60 } else { TOLERANCE };
        let too_old = age > tolerance && !self.is("old") && !self.is("any-time");
        let too_early = age < -tolerance && !self.is("early") && !self.is("any-time");
        if too_old || too_early {
            return Err(refuse());
        }
        let mut body = request.body.clone();
        if self.is("rewrites")
            && let Ok(value) = serde_json::from_slice::<Value>(&body)
        {
            body = value.to_string().into_bytes();
        }
        if self.is("trims") {
            body = body.trim_ascii().to_vec();
        }
        let text = [format!("{id}.{time}.").as_bytes(), &body].concat();
        let right = mac(hmac::HMAC_SHA256, &key(), &text);
        let mut known = vec![right.clone()];
        match self.fault {
            "default-secret" => known.push(mac(hmac::HMAC_SHA256, b"", &text)),
            "sha1" => known.push(mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key(), &text)),
            "sha512" => known.push(mac(hmac::HMAC_SHA512, &key(), &text)),
            _ => {}
        }
        let items: Vec<&str> = signature
            .split(' ')
            .filter_map(|item| item.strip_prefix("v1,"))
            .collect();
        let considered = match self.fault {
            "first-signature" => &items[..items.len().min(1)],
            "last-signature" => &items[items.len().saturating_sub(1)..],
            _ => &items[..],
        };
        let fits = considered.iter().any(|item| match self.fault {
            "as-much-as-given" => right.starts_with(*item),
            "start-only" => item.get(..8) == right.get(..8),
            "end-only" => item.get(30..) == right.get(30..),
            _ => known.iter().any(|known| known == item),
        });
        match fits {
            true => Ok((id, seconds)),
            false => Err(refuse()),
        }
    }

    /// The event, if it is one.
    fn read(&self, request: &Request) -> Result<Value, Reply> {
        let bad = |title: &str| Reply::json(400, &json!({ "error": title }));
        let content_type = request.headers.get("content-type");
        if self.is("fails-without-type") && content_type.is_none() {
            return Err(Reply::new(500));
        }
        if self.is("fails-on-text") && content_type.is_some_and(|one| one.starts_with("text/")) {
            return Err(Reply::new(500));
        }
        if !content_type.is_some_and(|one| one.starts_with("application/json")) {
            return Err(Reply::new(415));
        }
        if self.is("fails-empty") && request.body.is_empty() {
            return Err(Reply::new(500));
        }
        if self.is("hangs-up-on-deep") && request.body.starts_with(b"[[[[") {
            return Err(Reply::new(204).wire(Wire::Closed));
        }
        if self.is("fails-on-bytes") && std::str::from_utf8(&request.body).is_err() {
            return Err(Reply::new(500));
        }
        let value: Value = serde_json::from_slice(&request.body).map_err(|_| {
            match self.is("fails-json") && !request.body.is_empty() {
                true => Reply::new(500),
                false => bad("not JSON"),
            }
        })?;
        let Some(members) = value.as_object() else {
            return Err(match self.is("fails-on-lists") {
                true => Reply::new(500),
                false => bad("not an object"),
            });
        };
        if self.is("fails-on-null") && members.values().any(Value::is_null) {
            return Err(Reply::new(500));
        }
        Ok(value)
    }

    fn handle(
        &self,
        request: &Request,
        event: &Value,
        id: &str,
        time: i64,
    ) -> Result<Reply, Reply> {
        let bad = |title: &str| Reply::json(400, &json!({ "error": title }));
        let kind = event["type"].as_str().ok_or_else(|| bad("no type"))?;
        if !["order.created", "order.paid", "stock.low"].contains(&kind) {
            return Err(match self.fault {
                "fails-on-unknown-types" => Reply::new(500),
                "refuses-unknown-types" => bad("unknown type"),
                _ => Reply::new(204),
            });
        }
        let data = event["data"].as_object().ok_or_else(|| bad("no data"))?;
        self.check(kind, event, data)?;
        if self.is("refuses-late") || self.is("loses-late") {
            let mut state = self.state.lock().expect("no thread panics");
            if time < state.newest {
                return Err(Reply::new(if self.is("refuses-late") { 409 } else { 204 }));
            }
            state.newest = time;
        }
        let name = match self.fault {
            "by-signature" => request.headers["webhook-signature"].clone(),
            "by-body" => String::from_utf8_lossy(&request.body).into_owned(),
            "by-id-and-body" => format!("{id} {}", String::from_utf8_lossy(&request.body)),
            _ => id.to_owned(),
        };
        let is_new = self.act(&name);
        if self.is("refuses-repeats") && !is_new {
            return Err(Reply::new(409));
        }
        if self.is("fails-on-repeats") && !is_new {
            return Err(Reply::new(500));
        }
        let slow = {
            let mut state = self.state.lock().expect("no thread panics");
            state.answers += 1;
            let slow = self.is("slow") && !state.seen_slow && kind == "stock.low";
            state.seen_slow |= slow;
            slow
        };
        match slow {
            true => Ok(Reply::new(204).wire(Wire::Late(Duration::from_millis(1_200)))),
            false => Ok(Reply::new(204)),
        }
    }

    /// Checks the requirements of the handler on events of a type.
    fn check(
        &self,
        kind: &str,
        event: &Value,
        data: &serde_json::Map<String, Value>,
    ) -> Result<(), Reply> {
        let bad = |title: &str| Reply::json(400, &json!({ "error": title }));
        let members = event.as_object().expect("checked before");
        if self.is("refuses-new-members") && members.len() > 3 {
            return Err(bad("unknown member"));
        }
        if kind == "stock.low" {
            return match self.is("lacks-an-event") {
                true => Err(Reply::new(404)),
                false => Ok(()),
            };
        }
        let amount = data
            .get("amount")
            .and_then(Value::as_f64)
            .ok_or_else(|| bad("no amount"))?;
        if amount > 2_147_483_647.0 {
            match self.fault {
                "small-amounts" => return Err(bad("amount")),
                "fails-on-amounts" => return Err(Reply::new(500)),
                _ => {}
            }
        }
        if kind != "order.created" {
            return Ok(());
        }
        let note = data.get("note").and_then(Value::as_str);
        if self.is("needs-optional") && note.is_none() {
            return Err(bad("no note"));
        }
        if self.is("fails-without-optional") && note.is_none() {
            return Err(Reply::new(500));
        }
        if self.is("short-notes") && note.is_some_and(|note| note.len() > 255) {
            return Err(bad("note"));
        }
        if self.is("one-currency") && data.get("currency") == Some(&json!("JPY")) {
            return Err(bad("currency"));
        }
        Ok(())
    }

    /// Has the effect of a delivery, once; whether it is a new one.
    fn act(&self, name: &str) -> bool {
        let mut state = self.state.lock().expect("no thread panics");
        let known = match self.fault {
            "twice" => false,
            "remembers-one" => state.last.as_deref() == Some(name),
            _ => state.done.contains(name),
        };
        if known {
            return false;
        }
        if self.is("race") {
            // A handler with this fault looks first and writes later.
            *state.missed.entry(name.to_owned()).or_default() += 1;
            self.looked.notify_all();
            let alone = |state: &mut State| state.missed[name] < 2;
            let waited = self.looked.wait_timeout_while(state, RACE, alone);
            state = waited.expect("no thread panics").0;
        }
        state.done.insert(name.to_owned());
        if self.is("remembers-one") {
            state.last = Some(name.to_owned());
        }
        if self.later.is_zero() {
            state.effects += 1;
            return true;
        }
        let (state, later) = (Arc::clone(&self.state), self.later);
        thread::spawn(move || {
            thread::sleep(later);
            state.lock().expect("no thread panics").effects += 1;
        });
        true
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the handler is another program, with a clock of its own"
)]
fn nanoseconds() -> u128 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    now.as_nanos()
}
