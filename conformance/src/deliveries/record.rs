//! Deliveries as lines of JSON, for `conformance receiver --from` and for people. Secrets are hidden.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::receiver::Arrival;
use crate::exchange::Secrets;

/// Makes the file, or empties it.
pub(super) fn open(file: &Path) -> io::Result<File> {
    File::create(file)
}

/// Writes one line for each request: `kind`, `at`, `type` where it is known, `method`, `url`, `headers`, `text` (or `bodyBase64`),
/// `answered`. The body is text even where it is JSON, as its spelling is part of what was signed.
pub(super) fn write(
    file: &Path,
    arrivals: &[Arrival],
    hidden: &Secrets,
    event: impl Fn(&Arrival) -> Option<String>,
) -> io::Result<()> {
    let mut out = BufWriter::new(open(file)?);
    for arrival in arrivals {
        writeln!(out, "{}", line(arrival, hidden, event(arrival)))?;
    }
    out.flush()
}

fn line(arrival: &Arrival, hidden: &Secrets, event: Option<String>) -> Value {
    let message = &arrival.message;
    let headers: Map<String, Value> = message
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(hidden.hide(value))))
        .collect();
    let kind = match (arrival.handshake, arrival.below.is_empty()) {
        (true, _) => "handshake",
        (false, true) => "delivery",
        (false, false) => "redirected",
    };
    let mut line = json!({
        "kind": kind,
        "at": arrival.wall.to_string(),
        "method": message.method,
        "url": message.url,
        "headers": headers,
    });
    match std::str::from_utf8(&message.body) {
        Ok(text) => line["text"] = json!(hidden.hide(text)),
        Err(_) => line["bodyBase64"] = json!(BASE64.encode(&message.body)),
    }
    if let Some(event) = event.filter(|_| arrival.is_delivery()) {
        line["type"] = json!(event);
    }
    line["answered"] = json!(arrival.reply.words());
    line
}
