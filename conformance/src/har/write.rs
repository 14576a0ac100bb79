//! Writing HTTP Archives.

use std::io::{self, Write};

use data_encoding::BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::exchange::{Exchange, Secrets};

/// Writes exchanges as they end, so that the file is an archive whenever the run ends.
pub struct Writer<W: Write> {
    out: W,
    empty: bool,
}

impl<W: Write> Writer<W> {
    /// Starts an archive.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        let creator = json!({"name": "conformance", "version": env!("CARGO_PKG_VERSION")});
        write!(
            out,
            "{{\"log\": {{\"version\": \"1.2\", \"creator\": {creator}, \"entries\": ["
        )?;
        Ok(Self { out, empty: true })
    }

    /// Adds an exchange that ended at this time; credentials are redacted as in reports.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn add(
        &mut self,
        exchange: &Exchange,
        ended: Timestamp,
        secrets: &Secrets,
    ) -> io::Result<()> {
        let comma = if self.empty { "" } else { "," };
        self.empty = false;
        write!(self.out, "{comma}\n{}", entry(exchange, ended, secrets))
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When not everything can be written.
    pub fn finish(mut self) -> io::Result<()> {
        writeln!(self.out, "\n]}}}}")?;
        self.out.flush()
    }
}

fn entry(exchange: &Exchange, ended: Timestamp, secrets: &Secrets) -> Value {
    let milliseconds = exchange.duration.as_secs_f64() * 1000.0;
    let started = ended.checked_sub(exchange.duration).unwrap_or(ended);
    let mut entry = json!({
        "startedDateTime": started.to_string(),
        "time": milliseconds,
        "request": request(exchange, secrets),
        "response": response(exchange, secrets),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    });
    if let Some(failure) = &exchange.failure {
        entry["_error"] = serde_json::to_value(failure).unwrap_or_default();
    }
    entry
}

fn request(exchange: &Exchange, secrets: &Secrets) -> Value {
    let request = &exchange.request;
    let url = secrets.hide(&secrets.url(&request.url));
    let query = url::Url::parse(&url).ok().map_or_else(Vec::new, |url| {
        url.query_pairs()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    });
    let headers = request.headers.iter().map(
        |(name, value)| json!({"name": name, "value": secrets.hide(&secrets.header(name, value))}),
    );
    let mut written = json!({
        "method": request.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers.collect::<Vec<_>>(),
        "queryString": query,
        "headersSize": -1,
        "bodySize": request.body.as_ref().map_or(0, Vec::len),
    });
    if let Some(body) = &request.body {
        let content_type = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let mut data =
            json!({"mimeType": content_type.map_or("", |(_, value)| value), "params": []});
        let (text, encoding) = text(body, secrets);
        data["text"] = text.into();
        if let Some(encoding) = encoding {
            data["_encoding"] = encoding.into();
        }
        written["postData"] = data;
    }
    written
}

fn response(exchange: &Exchange, secrets: &Secrets) -> Value {
    let (status, headers, body) = match &exchange.response {
        Some(response) => (
            response.status,
            response.headers.as_slice(),
            response.body.as_slice(),
        ),
        None => (0, [].as_slice(), [].as_slice()),
    };
    let named = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name == wanted);
        found.map_or_else(String::new, |(_, value)| {
            secrets.hide(&String::from_utf8_lossy(value))
        })
    };
    let (text, encoding) = text(body, secrets);
    let mut content = json!({"size": body.len(), "mimeType": named("content-type"), "text": text});
    if let Some(encoding) = encoding {
        content["encoding"] = encoding.into();
    }
    let pairs = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value);
        json!({"name": name, "value": secrets.hide(&secrets.header(name, &value))})
    });
    json!({
        "status": status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": pairs.collect::<Vec<_>>(),
        "content": content,
        "redirectURL": named("location"),
        "headersSize": -1,
        "bodySize": body.len(),
    })
}

/// A body as text, or in Base64 where it is not text.
fn text(body: &[u8], secrets: &Secrets) -> (String, Option<&'static str>) {
    match std::str::from_utf8(body) {
        Ok(text) => (secrets.hide(text), None),
        // A secret cannot be taken out of bytes that are not text, so a body that has one is written as the text that is left.
        Err(_) => {
            let lossy = String::from_utf8_lossy(body);
            let hidden = secrets.hide(&lossy);
            match hidden == lossy {
                true => (BASE64.encode(body), Some("base64")),
                false => (hidden, None),
            }
        }
    }
}
