//! The attempts of a delivery: when they are made, how they are signed, and what counts as a success.

use std::thread;
use std::time::Duration;

use ring::hmac;

use super::http::{self, Message};
use super::{DEADLINE, DELETED, Job, OFFSETS, Shared};

/// Retries at all multiples of 20 s for 400 s.
fn every_20() -> impl Iterator<Item = f64> {
    (1..=20).map(|count| f64::from(count) * 20.0)
}

impl Shared {
    fn pause(&self, seconds: f64) {
        thread::sleep(Duration::from_secs_f64((seconds / self.speed).max(0.0)));
    }

    pub(super) fn deliver(&self, id: &str, job: &Job) {
        let first = self.now();
        let mut attempt = 1;
        let mut offsets: Vec<f64> = match self.fault {
            "too-few-retries" => vec![80.0],
            "too-many-retries" => vec![80.0, 200.0, 215.0],
            "retry-early" => vec![10.0, 200.0],
            "retry-late" => vec![150.0, 200.0],
            "no-retries" => Vec::new(),
            "every-20" => every_20().collect(),
            "every-20-but-one" => every_20().filter(|at| *at != 200.0).collect(),
            _ => OFFSETS.to_vec(),
        };
        offsets.reverse();
        loop {
            self.paused(id);
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

    /// Waits while the webhook is disabled, where that pauses what is pending.
    fn paused(&self, id: &str) {
        let is_paused = || {
            let state = self.state.lock().expect("no thread panics");
            state.hooks.get(id).is_some_and(|hook| !hook.active)
        };
        while self.is("pauses") && is_paused() {
            thread::sleep(Duration::from_millis(5));
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
            let kept = state.hooks.get(&format!("{DELETED}{id}"));
            let hook = state.hooks.get(id).or(kept)?;
            let continues = ["pending-after-disable", "sends-after-disable", "continues"];
            if !hook.active && !continues.contains(&self.fault) {
                return None;
            }
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
        if self.is("huge-body-fails") && answer.header("transfer-encoding").is_some() {
            return Some((None, None));
        }
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

    pub(super) fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
        limit: f64,
    ) -> Option<Message> {
        let to_end = self.is("drip-endless") || self.is("huge-body-read");
        http::send(method, url, headers, body, limit, to_end)
    }
}
