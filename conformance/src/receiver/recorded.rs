//! Recorded deliveries: lines of JSON as `truehook listen --json` and `conformance deliveries` write them.

use std::io::BufRead;

use data_encoding::BASE64;
use serde_json::Value;
use thiserror::Error;

use super::event::Event;
use super::identity;
use super::run::Run;
use crate::clock;
use crate::hooks::Message;

/// The longest line that is read, in bytes.
const LONGEST: u64 = 20 * 1024 * 1024;

/// Headers that belong to the connection, not to the delivery.
const HOPS: [&str; 7] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "keep-alive",
    "accept-encoding",
    "expect",
];

/// A delivery that was received before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The type of the event, where it is known.
    kind: Option<String>,
    method: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Why a file of deliveries cannot be read.
#[derive(Debug, Error)]
pub enum RecordedError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A line is not a delivery.
    #[error("line {line} is not a delivery: {problem}; write it with `truehook listen --json`")]
    Line {
        /// The line, from 1.
        line: usize,
        /// The problem with the line.
        problem: String,
    },
}

/// Reads all deliveries. Empty lines, and objects whose `kind` is another one than `delivery`, are left out.
///
/// # Errors
/// When the file cannot be read, or a line is not a delivery.
pub fn read(mut source: impl BufRead) -> Result<Vec<Recorded>, RecordedError> {
    let mut all = Vec::new();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let length = std::io::Read::take(&mut source, LONGEST).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            break;
        }
        let problem = |problem: &str| RecordedError::Line {
            line,
            problem: problem.to_owned(),
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| problem("it is not UTF-8"))?;
        if text.trim().is_empty() {
            continue;
        }
        if let Some(one) = one(text).map_err(|error| problem(&error))? {
            all.push(one);
        }
    }
    Ok(all)
}

fn one(text: &str) -> Result<Option<Recorded>, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    if value.get("kind").is_some_and(|kind| kind != "delivery") {
        return Ok(None);
    }
    let headers = value.get("headers").ok_or("it has no `headers`")?;
    let string = |name: &str| value.get(name).and_then(Value::as_str);
    let body = if let Some(text) = string("bodyBase64") {
        let decoded = BASE64.decode(text.as_bytes());
        decoded.map_err(|_| "`bodyBase64` is not Base64".to_owned())?
    } else if let Some(text) = string("text") {
        text.as_bytes().to_vec()
    } else {
        // As it stands in the line: reading and writing it again would change numbers.
        let raw = raw_member(text, "body").ok_or("it has no `body`")?;
        raw.as_bytes().to_vec()
    };
    let mut pairs = Vec::new();
    match headers {
        Value::Object(members) => {
            for (name, value) in members {
                let value = value.as_str().ok_or("a header is not a string")?;
                pairs.push((name.clone(), value.to_owned()));
            }
        }
        Value::Array(items) => {
            for item in items {
                let pair = (
                    item.get(0).and_then(Value::as_str),
                    item.get(1).and_then(Value::as_str),
                );
                let (Some(name), Some(value)) = pair else {
                    return Err("a header is not a pair of strings".to_owned());
                };
                pairs.push((name.to_owned(), value.to_owned()));
            }
        }
        _ => return Err("`headers` is not an object".to_owned()),
    }
    pairs.retain(|(name, _)| !HOPS.contains(&name.to_ascii_lowercase().as_str()));
    Ok(Some(Recorded {
        kind: string("type").map(str::to_owned),
        method: string("method").unwrap_or("POST").to_owned(),
        headers: pairs,
        body,
    }))
}

/// The text of a member of an object, from JSON that is well-formed.
fn raw_member<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    let mut key: Option<&str> = None;
    let mut start = None;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let begin = at + 1;
                at += 1;
                while *bytes.get(at)? != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if depth == 1 && start.is_none() && key.is_none() {
                    key = Some(&text[begin..at]);
                }
            }
            b'{' | b'[' => depth += 1,
            b':' if depth == 1 && start.is_none() => start = Some(at + 1),
            b',' | b'}' | b']' => {
                if depth == 1 {
                    if key == Some(wanted) {
                        return Some(text[start?..at].trim());
                    }
                    (key, start) = (None, None);
                }
                if bytes[at] != b',' {
                    depth = depth.checked_sub(1)?;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

impl Recorded {
    /// The event that it is of: by its type, or else the first whose document allows its body.
    pub(super) fn event<'e, 'd>(&self, events: &'e [Event<'d>]) -> Option<&'e Event<'d>> {
        let named = |event: &&Event<'_>| {
            let kind = self.kind.as_deref();
            kind == Some(event.operation.path) || kind.is_some() && kind == event.operation.id
        };
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        let allows = |event: &&Event<'_>| body.as_ref().is_some_and(|body| event.allows_body(body));
        events
            .iter()
            .find(named)
            .or_else(|| events.iter().find(allows))
            .or(events.first())
    }

    /// The delivery as it is sent to a target.
    pub(super) fn message(&self, target: &str) -> Message {
        Message {
            method: self.method.clone(),
            url: target.to_owned(),
            headers: self.headers.clone(),
            body: self.body.clone(),
        }
    }
}

impl Run<'_> {
    /// Sends recorded deliveries, signed anew where there is a secret.
    pub(super) async fn recorded(&self, events: &[Event<'_>]) {
        for (index, recorded) in self.options.recorded.iter().enumerate() {
            let Some(event) = recorded.event(events) else {
                continue;
            };
            let message = recorded.message(&self.options.target);
            let id = identity::location(event).and_then(|place| place.value(&message));
            let id = id.unwrap_or_else(|| format!("{:016x}", self.next_number()));
            let Ok(message) = self.sign(event, message, &id, clock::now()) else {
                continue;
            };
            let Some(exchange) = self.send(&message).await else {
                return;
            };
            let name = format!(
                "the recorded delivery {} ({})",
                index + 1,
                event.operation.path
            );
            self.accepted(event, &name, &exchange);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_as_it_stands_in_the_line() {
        let line = "{\"type\":\"a\",\"signature\":{\"body\":[1]},\"headers\":{\"X-A\":\"1\",\"Host\":\"h\"},\"body\":{\"n\":1.10,\"s\":\"}\\\"\"}}\n";
        let all = read(line.as_bytes()).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].body, b"{\"n\":1.10,\"s\":\"}\\\"\"}");
        assert_eq!(all[0].headers, [("X-A".to_owned(), "1".to_owned())]);
        let text =
            "{\"headers\":[[\"A\",\"b\"]],\"body\":null,\"text\":\"{x\"}\n\n{\"kind\":\"summary\"}";
        assert_eq!(read(text.as_bytes()).unwrap()[0].body, b"{x");
        for wrong in [
            "x",
            "{}",
            "{\"headers\":{}}",
            "{\"headers\":1,\"text\":\"\"}",
        ] {
            let error = read(wrong.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("line 1 is not a delivery"), "{error}");
        }
    }
}
