//! A client with one connection that it keeps: plain HTTP/1.1, so that a test knows what is sent once and what is not.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::PATIENCE;

/// The organization of the sandbox's Conduit credentials.
pub(crate) const CONDUIT_CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";

/// Sends requests one after the other. It never repeats one by itself.
pub(crate) struct Client {
    address: String,
    headers: String,
    stream: Option<BufReader<TcpStream>>,
}

/// The response to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Client {
    /// A client that sends these headers with every request.
    pub(crate) fn new(url: &str, headers: &[(&str, &str)]) -> Self {
        let lines = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        Self {
            address: url.strip_prefix("http://").expect("an http URL").to_owned(),
            headers: lines.collect(),
            stream: None,
        }
    }

    /// Sends a request and reads the answer. After an error the next request takes a new connection.
    ///
    /// # Errors
    /// When there is no complete answer; the server may have done what was asked all the same.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                BufReader::new(stream)
            }
        };
        let more: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}{more}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.headers,
            body.len()
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let answer = read(&mut stream)?;
        self.stream = Some(stream);
        Ok(answer)
    }

    /// GETs what is sure to be there.
    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Value {
        let answer = self.send("GET", path, &[], "").expect("an answer");
        assert_eq!(answer.status, 200, "GET {path}: {answer}");
        answer.json()
    }

    /// All items of a list, page by page.
    #[track_caller]
    pub(crate) fn list(&mut self, path: &str) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{separator}limit=1000");
        let (mut items, mut next) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{first}{next}"));
            match page["data"].take() {
                Value::Array(data) => items.extend(data),
                other => panic!("{path}: no list of items but {other}"),
            }
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return items,
            }
        }
    }

    /// The value of a metric without labels.
    #[track_caller]
    pub(crate) fn metric(&mut self, name: &str) -> f64 {
        let answer = self.send("GET", "/metrics", &[], "").expect("an answer");
        let text = String::from_utf8(answer.body).expect("metrics are UTF-8");
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or_else(|| panic!("no metric {name} in:\n{text}"))
    }

    /// Registers a Conduit webhook; gives its id. For clients with Conduit's credentials.
    #[track_caller]
    pub(crate) fn register(&mut self, url: &str, events: &[&str]) -> String {
        let webhook = json!({ "url": url, "status": "enabled", "events": events });
        let answer = self
            .send("POST", "/conduit/webhooks", &[], &webhook.to_string())
            .expect("an answer");
        assert_eq!(answer.status, 201, "{answer}");
        let id = answer.json()["id"].as_str().map(str::to_owned);
        id.unwrap_or_else(|| panic!("a webhook without id: {answer}"))
    }

    /// Publishes `transaction.completed` of the transaction with this number; gives the event.
    #[track_caller]
    pub(crate) fn publish(&mut self, number: usize) -> Value {
        let body = transaction_event(number);
        let answer = self
            .send("POST", "/operator/v1/events", &[], &body)
            .expect("an answer");
        assert_eq!(answer.status, 202, "{answer}");
        answer.json()
    }

    /// The deliveries of an event, each with its attempts.
    #[track_caller]
    pub(crate) fn deliveries(&mut self, event: &Value) -> Vec<Value> {
        let id = event["id"].as_str().expect("an event has an id");
        let listed = self.list(&format!("/operator/v1/deliveries?eventId={id}"));
        listed
            .iter()
            .map(|delivery| self.delivery(delivery["id"].as_str().expect("an id")))
            .collect()
    }

    /// A delivery with its attempts.
    #[track_caller]
    pub(crate) fn delivery(&mut self, id: &str) -> Value {
        self.get(&format!("/operator/v1/deliveries/{id}"))
    }
}

/// The publication of a transaction that its number makes unique.
pub(crate) fn transaction_event(number: usize) -> String {
    let transaction =
        json!({ "type": "deposit", "id": transaction_id(number), "status": "COMPLETED" });
    json!({
        "provider": "conduit",
        "type": "transaction.completed",
        "clientId": CONDUIT_CLIENT,
        "data": { "transaction": transaction },
    })
    .to_string()
}

/// The id of the transaction with this number.
pub(crate) fn transaction_id(number: usize) -> String {
    format!("trxn_{number:027}")
}

/// The number of the transaction that a received body tells of.
#[track_caller]
pub(crate) fn transaction_number(payload: &Value) -> usize {
    let id = payload["data"]["transaction"]["id"].as_str();
    let number = id.and_then(|id| id.strip_prefix("trxn_")?.parse().ok());
    number.unwrap_or_else(|| panic!("not what was published: {payload}"))
}

fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let malformed = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let status_line = line(stream)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| malformed(status_line))?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line(stream)?.to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value
                .trim()
                .parse()
                .map_err(|_| malformed(header.clone()))?;
        }
        chunked |= header.starts_with("transfer-encoding:") && header.ends_with("chunked");
    }
    let mut body = Vec::new();
    while chunked {
        let size = line(stream)?;
        let size = usize::from_str_radix(&size, 16).map_err(|_| malformed(size))?;
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        line(stream)?;
        chunked = size > 0;
    }
    let start = body.len();
    body.resize(start + length, 0);
    stream.read_exact(&mut body[start..])?;
    Ok(Answer { status, body })
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}
