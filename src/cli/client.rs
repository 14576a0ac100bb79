//! How `publish` and `listen` call a server: one request, its answer, and every failure in words that say what to do.
//!
//! It follows no redirects and uses no proxy for a server on this machine. It never tries a request twice.

use std::error::Error as _;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use super::terminal::printable;
use crate::domain::{ProviderName, Secret};
use crate::near::nearest;

/// How long a whole exchange with the server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The address of a server: an http or https URL, kept without a slash at its end.
#[derive(Debug, Clone)]
pub(super) struct ServerUrl(String);

impl ServerUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is on this machine.
    pub(super) fn is_local(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_local(&url))
    }
}

/// Whether a URL leads to this machine.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl CallError {
    /// The failure with the hint that the server is another one, where it has no API at the path that was asked for.
    pub(super) fn or_elsewhere(self, server: &ServerUrl) -> anyhow::Error {
        match self {
            Self::Refused(refusal) if refusal.is_outside => anyhow::anyhow!(
                "{refusal}\n  is {} a truehook server? One that was started with --admin-listen has the operator API and the documents \
                 at that address only: give it with --server",
                server.as_str()
            ),
            other => other.into(),
        }
    }
}

impl FromStr for ServerUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a URL such as http://127.0.0.1:8080";
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        let usable = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none();
        if usable {
            Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
        } else {
            Err(EXPECTED)
        }
    }
}

/// The failure of a call.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// Nobody listens there.
    #[error("no server answers at {0}; start one with `truehook serve`")]
    NoServer(String),
    /// The server is there but takes too long. Whether it has done what was asked is unknown.
    #[error("the server at {0} did not answer within 30 s")]
    Slow(String),
    /// The connection failed in another way. Whether the server has done what was asked is unknown.
    #[error("no complete answer from the server at {server}")]
    Broken {
        /// The server.
        server: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// A header value or URL that HTTP cannot carry.
    #[error(
        "the request cannot be written as HTTP; are there line breaks or control characters in {0}?"
    )]
    Unwritable(&'static str),
    /// The server answered with something else than success.
    #[error("{0}")]
    Refused(Refusal),
    /// The server answered something that it never answers.
    #[error("the answer of {url} is not the expected JSON; is that a truehook server?")]
    Strange {
        /// The URL of the request.
        url: String,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

/// An answer other than success, in words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// The summary, then a line for each fault.
    pub(super) lines: Vec<String>,
    /// Whether there is no API at all at the path, and not only no such thing in the API.
    pub(super) is_outside: bool,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server answered {}", self.status)?;
        for (index, line) in self.lines.iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { "\n  " })?;
            f.write_str(&printable(line))?;
        }
        Ok(())
    }
}

/// A request below the server's address.
#[derive(Debug)]
pub(super) struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Call {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// Adds a header; `what` names its value where it cannot be sent.
    ///
    /// # Errors
    /// [`CallError::Unwritable`] when HTTP cannot carry the value.
    pub(super) fn header(
        mut self,
        name: HeaderName,
        value: &Secret,
        what: &'static str,
    ) -> Result<Self, CallError> {
        let mut value = HeaderValue::from_bytes(value.expose().as_bytes())
            .map_err(|_| CallError::Unwritable(what))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sends JSON text, byte for byte.
    pub(super) fn json(mut self, body: Vec<u8>) -> Self {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Some(body);
        self
    }
}

/// Calls one server.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    server: ServerUrl,
}

impl Client {
    /// The server that it calls.
    pub(super) fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// # Errors
    /// When the platform gives no TLS roots or no DNS configuration.
    pub(super) fn new(server: ServerUrl) -> anyhow::Result<Self> {
        // The process-wide provider may have been installed before; either way there is one now.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("truehook/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(PATIENCE);
        if server.is_local() {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            server,
        })
    }

    /// Sends a call and reads the answer, which has to be a success.
    ///
    /// # Errors
    /// Every [`CallError`].
    pub(super) async fn send(&self, call: Call) -> Result<Vec<u8>, CallError> {
        let url = format!("{}{}", self.server.0, call.path);
        let mut request = self.http.request(call.method, url).headers(call.headers);
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let answer = request.send().await.map_err(|error| self.failure(error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.failure(error))?;
        if status.is_success() {
            return Ok(body.into());
        }
        let lines = faults(&body);
        let is_outside =
            status == StatusCode::NOT_FOUND && (lines.is_empty() || is_site_problem(&body));
        Err(CallError::Refused(Refusal {
            status,
            lines,
            is_outside,
        }))
    }

    /// Sends a call whose answer is JSON.
    ///
    /// # Errors
    /// Every [`CallError`].
    pub(super) async fn send_for_json(&self, call: Call) -> Result<Value, CallError> {
        self.send_for(call).await
    }

    /// Sends a call whose answer is JSON of this form.
    ///
    /// # Errors
    /// Every [`CallError`].
    pub(super) async fn send_for<T: DeserializeOwned>(&self, call: Call) -> Result<T, CallError> {
        let url = format!("{}{}", self.server.0, call.path);
        let body = self.send(call).await?;
        serde_json::from_slice(&body).map_err(|source| CallError::Strange { url, source })
    }

    fn failure(&self, error: reqwest::Error) -> CallError {
        let server = self.server.0.clone();
        let error = error.without_url();
        if error.is_timeout() {
            return CallError::Slow(server);
        }
        let mut cause = error.source();
        while let Some(inner) = cause {
            let io = inner.downcast_ref::<std::io::Error>();
            if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused) {
                return CallError::NoServer(server);
            }
            cause = inner.source();
        }
        CallError::Broken {
            server,
            source: error,
        }
    }
}

/// Checks the name of an event type against the emitted document of its API; `None` when the document has it.
pub(super) fn unknown_event_type(
    document: &Value,
    provider: ProviderName,
    name: &str,
) -> Option<String> {
    let known = document["webhooks"].as_object()?;
    if known.contains_key(name) {
        return None;
    }
    let known = known.keys().map(String::as_str);
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose one of {}", known.collect::<Vec<_>>().join(", ")),
    };
    Some(format!(
        "unknown {} event type `{}`; {}",
        provider,
        printable(name),
        printable(&hint)
    ))
}

/// Whether the server itself answered, and none of its APIs: only its problems name the path.
fn is_site_problem(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["instance"].is_string()
}

/// Reads the faults of an answer in any of the shapes that our APIs have: RFC 9457 (operator), C-19 and C-21 (Conduit), E-10 (Equals
/// Money).
fn faults(body: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    let text = |value: &Value, names: &[&str]| {
        let found = names.iter().find_map(|name| value.get(name)?.as_str());
        found.map(str::to_owned)
    };
    let summary = text(&body, &["detail", "message", "title"]);
    let mut lines: Vec<String> = summary.into_iter().collect();
    for list in ["errors", "details"] {
        for fault in body
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let pointer = text(fault, &["pointer"]).filter(|pointer| !pointer.is_empty());
            let pointer = pointer.unwrap_or_else(|| "the body".to_owned());
            let wrong = text(fault, &["detail", "details", "message"]).unwrap_or_default();
            lines.push(format!("{pointer}: {wrong}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_all_three_apis_become_lines() {
        let operator = br#"{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"The request body is not valid.",
            "errors":[{"pointer":"/data/transaction/status","detail":"must be a string"},{"pointer":"","detail":"must be an object"}]}"#;
        assert_eq!(
            faults(operator),
            [
                "The request body is not valid.",
                "/data/transaction/status: must be a string",
                "the body: must be an object"
            ]
        );
        let conduit = br#"{"title":"Request body validation failed","errors":[{"details":"Must be x.","pointer":"/events/0"}]}"#;
        assert_eq!(
            faults(conduit),
            ["Request body validation failed", "/events/0: Must be x."]
        );
        let equals = br#"{"statusCode":400,"error":"Bad Request","message":"m","details":[{"pointer":"/url","message":"must be y"}]}"#;
        assert_eq!(faults(equals), ["m", "/url: must be y"]);
        assert_eq!(faults(b"<html>"), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_event_type_is_named_beside_the_nearest_or_beside_all() {
        let document = serde_json::json!({ "webhooks": { "order.paid": {}, "c.d": {} } });
        let said = |name| unknown_event_type(&document, ProviderName::new("conduit"), name);
        assert_eq!(said("order.paid"), None);
        assert_eq!(
            said("Order.payed").as_deref(),
            Some("unknown conduit event type `Order.payed`; did you mean `order.paid`?")
        );
        assert_eq!(
            said("no.such.type").as_deref(),
            Some("unknown conduit event type `no.such.type`; choose one of order.paid, c.d")
        );
        let provider = ProviderName::new("conduit");
        assert_eq!(unknown_event_type(&Value::Null, provider, "a"), None);
    }

    #[test]
    fn a_refusal_cannot_steer_the_terminal() {
        let refusal = Refusal {
            status: StatusCode::CONFLICT,
            lines: vec!["a\u{1b}[2J".to_owned(), "/b: c".to_owned()],
            is_outside: false,
        };
        assert_eq!(
            refusal.to_string(),
            "the server answered 409 Conflict: a\\u001b[2J\n  /b: c"
        );
    }

    #[test]
    fn a_server_is_an_http_url_without_query() {
        let url = |text: &str| ServerUrl::from_str(text).map(|url| url.0);
        assert_eq!(
            url("http://127.0.0.1:8080/").unwrap(),
            "http://127.0.0.1:8080"
        );
        assert_eq!(
            url("https://a.example/hooks/").unwrap(),
            "https://a.example/hooks"
        );
        for wrong in [
            "127.0.0.1:8080",
            "localhost:8080",
            "ftp://a",
            "http://a?b",
            "http://a#b",
            "",
        ] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_loopback_is_local() {
        let local = |text: &str| ServerUrl::from_str(text).unwrap().is_local();
        for here in [
            "http://127.0.0.1:1",
            "http://localhost",
            "http://[::1]:8080",
            "http://127.9.9.9",
        ] {
            assert!(local(here), "{here}");
        }
        for there in [
            "http://10.0.0.1",
            "https://a.example",
            "http://localhost.example",
        ] {
            assert!(!local(there), "{there}");
        }
    }
}
