//! Steps of the scenario, and what each needs.

use std::error::Error;
use std::fmt::Debug;
use std::sync::mpsc;
use std::time::Duration;

use async_trait::async_trait;
use http::{Extensions, HeaderName, HeaderValue, Method};
use reqwest::header::HeaderMap;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How a step ends.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Says that a step was taken, or which one failed.
///
/// # Errors
/// When the step failed.
pub fn step<T>(name: &str, taken: Outcome<T>) -> Outcome<T> {
    let taken = taken.map_err(|error| format!("failed: {name}: {error}"))?;
    println!("ok {name}");
    Ok(taken)
}

/// Says what is not as it has to be.
///
/// # Errors
/// When the condition does not hold.
pub fn check(holds: bool, what: impl Debug) -> Outcome {
    if holds { Ok(()) } else { Err(format!("{what:?}").into()) }
}

/// The typed body of an error. The variants of the generated enums are told apart by their members, not by their status, and many have
/// the same type: it is taken out as JSON and read as the type that the document has for the status.
///
/// # Errors
/// When the status is another, or the body is not the documented one.
pub fn typed<T: DeserializeOwned>(status: u16, expected: u16, entity: Option<impl Serialize>) -> Outcome<T> {
    check(status == expected, (status, expected))?;
    Ok(serde_json::from_value(serde_json::to_value(entity.ok_or("no body")?)?)?)
}

/// Gives the body of a refusal with this status as a type, whichever API's client it comes from.
#[macro_export]
macro_rules! refused {
    ($api:ident, $answer:expr, $status:expr) => {
        match $answer {
            Err($api::apis::Error::ResponseError(refusal)) => {
                $crate::step::typed(refusal.status.as_u16(), $status, refusal.entity)
            }
            other => Err(format!("{other:?}").into()),
        }
    };
}

/// A change of every request, to send what no typed call can.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Another method.
    pub method: Option<Method>,
    /// Another content type.
    pub content_type: Option<HeaderValue>,
}

#[async_trait]
impl Middleware for Change {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        if let Some(method) = &self.method {
            *request.method_mut() = method.clone();
        }
        if let Some(value) = &self.content_type {
            request.headers_mut().insert(http::header::CONTENT_TYPE, value.clone());
        }
        next.run(request, extensions).await
    }
}

impl Change {
    /// Sends another method.
    pub fn method(method: Method) -> Self {
        Self { method: Some(method), content_type: None }
    }

    /// Says that the body is plain text.
    pub fn plain_text() -> Self {
        Self { method: None, content_type: Some(HeaderValue::from_static("text/plain")) }
    }

    /// A client that sends these headers with every request, and this change in it.
    ///
    /// # Errors
    /// When a header is none.
    pub fn client(self, headers: &[(&'static str, &str)]) -> Outcome<ClientWithMiddleware> {
        let mut defaults = HeaderMap::new();
        for (name, value) in headers {
            defaults.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        }
        let client = reqwest::Client::builder().default_headers(defaults).build()?;
        Ok(ClientBuilder::new(client).with(self).build())
    }
}

/// What a receiver was sent.
#[derive(Debug)]
pub struct Received {
    headers: Vec<tiny_http::Header>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &'static str) -> Option<&str> {
        let found = self.headers.iter().find(|header| header.field.equiv(name));
        found.map(|header| header.value.as_str())
    }
}

/// A real receiver.
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    received: mpsc::Receiver<Received>,
}

impl Receiver {
    /// Listens on a free port until the process ends.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> Outcome<Self> {
        let server = tiny_http::Server::http("127.0.0.1:0")?;
        let url = format!("http://{}/hook", server.server_addr());
        let (sender, received) = mpsc::channel();
        std::thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let mut body = Vec::new();
                let status = if request.as_reader().read_to_end(&mut body).is_ok() { 204 } else { 400 };
                let headers = request.headers().to_vec();
                let sent = request.respond(tiny_http::Response::empty(status));
                if sent.is_ok() && sender.send(Received { headers, body }).is_err() {
                    return;
                }
            }
        });
        Ok(Self { url, received })
    }

    /// What comes next.
    ///
    /// # Errors
    /// When nothing comes within a minute.
    pub fn next(&self) -> Outcome<Received> {
        Ok(self.received.recv_timeout(Duration::from_secs(60))?)
    }
}
