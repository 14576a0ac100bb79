//! Sending one request and keeping what went over the wire.
//!
//! One connection a request (a reused one may die under the next request, which would look like a fault of the server), HTTP/1.1,
//! no redirects, no proxy, no decompression, a deadline for the whole exchange, and a limit for the body. It judges nothing.

mod curl;
mod secrets;

use std::time::{Duration, Instant};

use reqwest::header::{HeaderName, HeaderValue};
use thiserror::Error;

use crate::finding::{ExchangeRecord, Failure, Unwritable};

pub use secrets::Secrets;

/// Largest body that is read; a larger one ends the exchange.
pub const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// How much of a body stands in a report.
const SHOWN: usize = 16 * 1024;

/// The name of this program.
pub const USER_AGENT: &str = concat!("conformance/", env!("CARGO_PKG_VERSION"));

/// A request as it goes over the wire; the client adds `host` and `content-length`.
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

/// The client could not be made.
#[derive(Debug, Error)]
pub enum SendError {
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// Sends requests, any number at a time.
#[derive(Debug)]
pub struct Client {
    inner: reqwest::Client,
    timeout: Duration,
}

impl Client {
    /// # Errors
    /// When the platform gives no TLS roots or no DNS configuration.
    pub fn new(timeout: Duration) -> Result<Self, SendError> {
        // The process-wide provider may have been installed before; either way there is one now.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(timeout)
            .build()
            .map_err(SendError::Client)?;
        Ok(Self { inner, timeout })
    }

    /// Makes a connection to the origin of a URL, to learn whether anything listens there.
    ///
    /// # Errors
    /// The reason why there is no connection.
    pub async fn reach(&self, url: &str) -> Result<(), String> {
        let url = url::Url::parse(url).map_err(|error| error.to_string())?;
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().unwrap_or(80);
        let connected = tokio::net::TcpStream::connect((host, port));
        match tokio::time::timeout(self.timeout, connected).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no connection in {} s", self.timeout.as_secs_f64())),
        }
    }

    /// Sends a request and waits for the whole answer. A missing or broken answer is data, not an error.
    ///
    /// # Errors
    /// When the request cannot be written as HTTP.
    pub async fn send(&self, request: Request) -> Result<Exchange, Unwritable> {
        let built = self.build(&request)?;
        let start = Instant::now();
        let mut exchange = Exchange {
            request,
            response: None,
            failure: None,
            duration: Duration::ZERO,
        };
        match self.inner.execute(built).await {
            Err(error) => exchange.failure = Some(self.failure(&error)),
            Ok(mut incoming) => {
                let headers = incoming.headers().iter();
                let headers = headers
                    .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                    .collect();
                let mut response = Response {
                    status: incoming.status().as_u16(),
                    headers,
                    body: Vec::new(),
                };
                exchange.failure = self.read(&mut incoming, &mut response.body).await;
                exchange.response = Some(response);
            }
        }
        exchange.duration = start.elapsed();
        Ok(exchange)
    }

    async fn read(&self, incoming: &mut reqwest::Response, body: &mut Vec<u8>) -> Option<Failure> {
        loop {
            match incoming.chunk().await {
                Ok(None) => return None,
                Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => {
                    return Some(Failure::TooLarge { limit: BODY_LIMIT });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => return Some(self.failure(&error)),
            }
        }
    }

    fn build(&self, request: &Request) -> Result<reqwest::Request, Unwritable> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|_| Unwritable::Method {
            method: request.method.clone(),
        })?;
        let url = url::Url::parse(&request.url).map_err(|error| Unwritable::Url {
            url: request.url.clone(),
            cause: error.to_string(),
        })?;
        let mut builder = self.inner.request(method, url);
        for (name, value) in &request.headers {
            let (name, value) = header(name, value)?;
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        builder.build().map_err(|error| Unwritable::Other {
            cause: root_cause(&error),
        })
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        match error {
            error if error.is_connect() => Failure::Connect {
                cause: root_cause(error),
            },
            error if error.is_timeout() => Failure::Timeout {
                seconds: self.timeout.as_secs_f64(),
            },
            error => Failure::Broken {
                cause: root_cause(error),
            },
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

/// The innermost message of a chain: "Connection refused" says more than "error sending request".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
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
    /// An exchange that this side ended before the answer came.
    #[must_use]
    pub fn interrupted(request: Request) -> Self {
        Self {
            request,
            response: None,
            failure: Some(Failure::Interrupted),
            duration: Duration::ZERO,
        }
    }

    /// The exchange as reports show it.
    #[must_use]
    pub fn record(&self, secrets: &Secrets) -> ExchangeRecord {
        let mut request = format!("{} {} HTTP/1.1\n", self.request.method, self.request.url);
        for (name, value) in &self.request.headers {
            request += &format!(
                "{}: {}\n",
                name.to_ascii_lowercase(),
                secrets.header(name, value)
            );
        }
        if let Some(body) = &self.request.body {
            request += &format!("\n{}", shown(body));
        }
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
            secrets.hide(&text)
        });
        ExchangeRecord {
            request: secrets.hide(&request),
            response,
            curl: secrets.hide(&curl::line(&self.request, secrets)),
        }
    }
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
