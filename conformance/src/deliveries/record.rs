//! Deliveries as lines of JSON, for `conformance receiver --from` and for people. Secrets are hidden.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::receiver::Arrival;
use crate::exchange::Secrets;

/// Writes one line for each delivery: `at`, `method`, `url`, `headers`, `body` (or `bodyBase64`), `answered`.
pub(super) fn write(file: &Path, arrivals: &[Arrival], hidden: &Secrets) -> io::Result<()> {
    let mut text = String::new();
    for arrival in arrivals {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", line(arrival, hidden));
    }
    std::fs::write(file, text)
}

fn line(arrival: &Arrival, hidden: &Secrets) -> Value {
    let message = &arrival.message;
    let headers: Map<String, Value> = message
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(hidden.hide(value))))
        .collect();
    let mut line = json!({
        "at": arrival.wall.to_string(),
        "method": message.method,
        "url": message.url,
        "headers": headers,
    });
    match std::str::from_utf8(&message.body) {
        Ok(text) => line["body"] = json!(hidden.hide(text)),
        Err(_) => line["bodyBase64"] = json!(BASE64.encode(&message.body)),
    }
    line["answered"] = json!(arrival.reply.words());
    line
}
