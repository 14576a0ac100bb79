//! Passes deliveries on to another receiver, byte for byte, and takes its response back. It follows no redirects, decodes nothing and
//! tries nothing twice: the sender sees what the target answered.

use std::error::Error as _;
use std::str::FromStr;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect;
use url::Url;

use crate::cli::client::is_local;
use crate::domain::ATTEMPT_DEADLINE;

/// The largest response body that is handed back.
const BODY_LIMIT: usize = 1024 * 1024;

/// Headers of one connection (RFC 9110, 7.6.1), and those that each side writes for its own message.
const OF_THE_CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// The receiver that deliveries are passed on to.
#[derive(Debug, Clone)]
pub(super) struct Target(Url);

impl Target {
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected an http or https URL without credentials, such as http://127.0.0.1:3000/webhooks";
        let text = match text.contains("://") {
            true => text.to_owned(),
            // As people write it: localhost:3000/webhooks.
            false => format!("http://{text}"),
        };
        let url = Url::parse(&text).map_err(|_| EXPECTED)?;
        let usable = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if usable { Ok(Self(url)) } else { Err(EXPECTED) }
    }
}

/// Lower-case names with their values.
pub(super) type Headers = Vec<(String, Vec<u8>)>;

/// The answer of the target.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    /// Without those of the connection.
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

/// The result of passing a delivery on.
#[derive(Debug, Clone)]
pub(super) struct Forwarded {
    pub(super) took: Duration,
    /// Why there is no answer to hand back.
    pub(super) error: Option<String>,
}

/// Passes deliveries on.
#[derive(Debug)]
pub(super) struct Forwarder {
    http: reqwest::Client,
    target: Target,
}

impl Forwarder {
    /// # Errors
    /// When the platform gives no TLS roots or no DNS configuration.
    pub(super) fn new(target: Target) -> anyhow::Result<Self> {
        // The process-wide provider may have been installed before; either way there is one now.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(ATTEMPT_DEADLINE);
        if is_local(&target.0) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            target,
        })
    }

    /// Sends a delivery on and reads the answer. Takes no longer than the sender waits.
    pub(super) async fn forward(
        &self,
        headers: &Headers,
        body: Vec<u8>,
    ) -> (Forwarded, Option<Response>) {
        let started = Instant::now();
        let answered = self.exchange(headers, body).await;
        let took = started.elapsed();
        match answered {
            Ok(response) => (Forwarded { took, error: None }, Some(response)),
            Err(error) => {
                let error = Some(error);
                (Forwarded { took, error }, None)
            }
        }
    }

    async fn exchange(&self, headers: &Headers, body: Vec<u8>) -> Result<Response, String> {
        let given = headers.iter().map(|(name, value)| (&**name, &**value));
        let headers: HeaderMap = end_to_end(&given.collect::<Vec<_>>())
            .into_iter()
            .filter_map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                Some((name, HeaderValue::from_bytes(&value).ok()?))
            })
            .collect();
        let request = self.http.post(self.target.0.clone()).headers(headers);
        let mut answer = request.body(body).send().await.map_err(reason)?;
        let status = answer.status().as_u16();
        let own = answer.headers().iter();
        let own = own.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let headers = end_to_end(&own.collect::<Vec<_>>());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reason)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(format!("its answer has more than {BODY_LIMIT} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status,
            headers,
            body,
        })
    }
}

/// The headers that concern the message and not its connection.
fn end_to_end(headers: &[(&str, &[u8])]) -> Headers {
    let listed = headers.iter().filter(|(name, _)| *name == "connection");
    let listed: Vec<String> = listed
        .map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase())
        .collect();
    let listed = listed.iter().flat_map(|names| names.split(','));
    let listed: Vec<&str> = listed.map(str::trim).collect();
    let kept = headers
        .iter()
        .filter(|(name, _)| !OF_THE_CONNECTION.contains(name) && !listed.contains(name));
    kept.map(|(name, value)| ((*name).to_owned(), value.to_vec()))
        .collect()
}

/// Why there is no answer: what the innermost cause says.
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", ATTEMPT_DEADLINE.as_secs());
    }
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason = match inner.downcast_ref::<std::io::Error>() {
            Some(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                "connection refused; does the target run?".to_owned()
            }
            _ => inner.to_string(),
        };
        cause = inner.source();
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_http_url_and_may_lack_its_scheme() {
        for (text, expected) in [
            ("http://127.0.0.1:3000/a?b=c", "http://127.0.0.1:3000/a?b=c"),
            ("localhost:3000/hooks", "http://localhost:3000/hooks"),
            ("https://a.example", "https://a.example/"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().as_str(), expected);
        }
        for wrong in [
            "",
            "ftp://a",
            "http://u:p@a",
            "http://a#b",
            "http://",
            "a b",
        ] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_of_the_connection_stay_behind() {
        let headers: [(&str, &[u8]); 5] = [
            ("connection", b"close, X-Hop"),
            ("x-hop", b"1"),
            ("content-length", b"2"),
            ("x-kept", b"\xff"),
            ("x-kept", b"2"),
        ];
        let kept = end_to_end(&headers);
        let expected: [(String, Vec<u8>); 2] = [
            ("x-kept".to_owned(), vec![0xff]),
            ("x-kept".to_owned(), b"2".to_vec()),
        ];
        assert_eq!(kept, expected);
    }
}
