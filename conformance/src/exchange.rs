//! Sending one request and keeping what went over the wire.
//!
//! HTTP/1.1, no redirects, no decompression, a deadline for the whole exchange, and a limit for the body. Proxies and certificates are
//! those of the [`Transport`], never those of the environment. It judges nothing.

mod cause;
mod client;
mod connector;
mod curl;
mod masked;
mod proxy;
mod secrets;
mod transport;

use std::time::Duration;

use data_encoding::BASE64;
use hyper::header::{HeaderName, HeaderValue};

use crate::finding::{ExchangeRecord, Failure, HeaderRecord, SentRequest, Unwritable};

pub use client::Client;
pub use connector::Unreachable;
pub(crate) use masked::{Unfilled, fill, is_spoiled, variable};
pub use secrets::Secrets;
pub(crate) use secrets::{BASIC, TOKEN};
pub use transport::{Proxy, Transport, TransportError};

/// Largest body that is read; a larger one ends the exchange.
pub const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// How much of a body stands in a report.
const SHOWN: usize = 16 * 1024;

/// The name of this program.
pub const USER_AGENT: &str = concat!("conformance/", env!("CARGO_PKG_VERSION"));

/// A request as it goes over the wire; the client adds `host` and, where there is a body, `content-length`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

/// An answer: complete, or as much of it as came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Lower-case names and all values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// A request, and its answer or why there is none.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub request: Request,
    pub response: Option<Response>,
    pub failure: Option<Failure>,
    pub duration: Duration,
}

/// What came of a request.
#[derive(Debug)]
pub struct Answer {
    pub response: Option<Response>,
    pub failure: Option<Failure>,
    pub duration: Duration,
}

impl Answer {
    /// None, as this side ended the exchange before one came.
    #[must_use]
    pub fn interrupted() -> Self {
        Self {
            response: None,
            failure: Some(Failure::Interrupted),
            duration: Duration::ZERO,
        }
    }

    /// The exchange of the request that it came of.
    #[must_use]
    pub fn to(self, request: Request) -> Exchange {
        Exchange {
            request,
            response: self.response,
            failure: self.failure,
            duration: self.duration,
        }
    }
}

/// A header as HTTP can carry it.
///
/// # Errors
/// When the name or the value is not one that HTTP allows.
pub fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Unwritable> {
    let header = HeaderName::from_bytes(name.as_bytes());
    let header = header.map_err(|_| Unwritable::HeaderName {
        name: name.to_owned(),
    })?;
    let value = HeaderValue::from_bytes(value.as_bytes());
    let value = value.map_err(|_| Unwritable::HeaderValue {
        name: name.to_owned(),
    })?;
    Ok((header, value))
}

/// The value of `Authorization` for a user and a password.
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    format!(
        "Basic {}",
        BASE64.encode(format!("{user}:{password}").as_bytes())
    )
}

impl Response {
    /// All values of a header, in order.
    pub fn header<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let name = name.to_ascii_lowercase();
        self.headers
            .iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value.as_slice())
    }
}

impl Exchange {
    /// The exchange as reports show it.
    #[must_use]
    pub fn record(&self, secrets: &Secrets) -> ExchangeRecord {
        let response = self.response.as_ref().map(|response| {
            let mut text = format!("HTTP/1.1 {}\n", response.status);
            for (name, value) in &response.headers {
                text += &format!(
                    "{name}: {}\n",
                    secrets.header(name, &String::from_utf8_lossy(value))
                );
            }
            if !response.body.is_empty() {
                text += &format!("\n{}", shown(&response.body));
            }
            secrets.hide(&text).into()
        });
        ExchangeRecord {
            request: self.request.shown(secrets),
            response,
            curl: secrets.hide(&curl::line(&self.request, secrets)),
            sent: self.request.sent(secrets),
            case: None,
        }
    }
}

impl Request {
    /// The request as reports show it; a long body in part.
    #[must_use]
    pub fn shown(&self, secrets: &Secrets) -> String {
        let text = |pieces: &[_]| String::from_utf8_lossy(&masked::shown(pieces)).into_owned();
        let url = text(&secrets.masked_url(&self.url));
        let mut request = format!("{} {url} HTTP/1.1\n", self.method);
        for (name, value) in &self.headers {
            let value = text(&secrets.masked_header(name, value));
            request += &format!("{}: {value}\n", wire_name(name));
        }
        if let Some(body) = &self.body {
            let body = masked::shown(&secrets.masked_body(body));
            request += &format!("\n{}", shown(&body));
        }
        secrets.hide(&request)
    }

    /// The request with names in the places of secrets.
    fn sent(&self, secrets: &Secrets) -> SentRequest {
        let text = |pieces: &[_]| masked::template(pieces).map(|text| secrets.hide(&text));
        let header = |(name, value): &(String, String)| HeaderRecord {
            name: wire_name(name),
            value: text(&secrets.masked_header(name, value)).unwrap_or_default(),
        };
        let body = self.body.as_deref();
        let is_binary = body.is_some_and(|body| std::str::from_utf8(body).is_err());
        SentRequest {
            method: self.method.clone(),
            url: text(&secrets.masked_url(&self.url)).unwrap_or_default(),
            headers: self.headers.iter().map(header).collect(),
            body: body
                .filter(|_| !is_binary)
                .and_then(|body| text(&secrets.masked_body(body))),
            body_base64: body
                .filter(|body| is_binary && !secrets.is_in(body))
                .map(|body| BASE64.encode(body)),
        }
    }
}

/// The name of a header as the client writes it: its words begin with capital letters, as those of curl do.
fn wire_name(name: &str) -> String {
    let mut before = '-';
    let title = |letter: char| {
        let letter = match before {
            '-' => letter.to_ascii_uppercase(),
            _ => letter.to_ascii_lowercase(),
        };
        before = letter;
        letter
    };
    name.chars().map(title).collect()
}

/// A body as text; long ones in part.
fn shown(body: &[u8]) -> String {
    let head = &body[..body.len().min(SHOWN)];
    let mut text = String::from_utf8_lossy(head).into_owned();
    if body.len() > SHOWN {
        text += &format!("\n... {} more bytes", body.len() - SHOWN);
    }
    text
}
