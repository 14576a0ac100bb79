//! The HTTP client that traces are posted with. A collector that fails is told of once, and once more when it works again.
//!
//! It runs on a runtime of its own, so that neither requests nor deliveries wait for it. It follows no redirects, uses no proxy for a
//! collector on this machine, and never reads more of an answer than the cap.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::redirect;
use tokio::runtime::Handle;
use url::{Host, Url};

/// How long one exchange with the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of an answer is read: it counts what was rejected and why.
const ANSWER_CAP: usize = 64 * 1024;

/// Posts to the collector.
#[derive(Debug)]
pub(super) struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    failing: AtomicBool,
}

/// Why a batch was not taken, without the URL.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no complete answer: {0}")]
    Broken(String),
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer is none of OTLP")]
    Strange,
    #[error("it rejected {0} spans")]
    Rejected(i64),
    #[error("the exporter is stopped")]
    Stopped,
}

impl Collector {
    /// # Errors
    /// When the platform gives no TLS roots or no DNS configuration.
    pub(super) fn new(url: &Url, runtime: Handle) -> Result<Self, reqwest::Error> {
        // The process-wide provider may have been installed before; either way there is one now.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("truehook/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(PATIENCE);
        let local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if local {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            runtime,
            failing: AtomicBool::new(false),
        })
    }

    /// Says once for each spell that the collector fails, and that it works again.
    fn judge(&self, fault: Option<&Failure>) {
        match fault {
            Some(Failure::Stopped) => {}
            Some(fault) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(reason = %fault, "the OTLP endpoint does not take traces: they are lost until it does");
                }
            }
            None => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the OTLP endpoint takes traces again");
                }
            }
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        // The exporter's thread has no runtime; the exchange needs one.
        let exchange = self
            .runtime
            .spawn(async move { exchange(&http, request).await });
        let answer = exchange.await.unwrap_or(Err(Failure::Stopped));
        match &answer {
            Ok(answer) => self.judge(fault(answer).as_ref()),
            Err(failure) => self.judge(Some(failure)),
        }
        Ok(answer?)
    }
}

async fn exchange(
    http: &reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Failure> {
    let broken = |error: reqwest::Error| Failure::Broken(chain(&error.without_url()));
    let request = reqwest::Request::try_from(request).map_err(broken)?;
    let mut answer = http.execute(request).await.map_err(broken)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > ANSWER_CAP {
            return Err(Failure::Strange);
        }
        body.extend_from_slice(&chunk);
    }
    let mut told = Response::new(Bytes::from(body));
    *told.status_mut() = answer.status();
    *told.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(told)
}

/// Returns the fault of an answer. A request is not repeated because its answer is not OTLP: the receiver may have taken the traces.
fn fault(answer: &Response<Bytes>) -> Option<Failure> {
    if !answer.status().is_success() {
        return Some(Failure::Status(answer.status().as_u16()));
    }
    match ExportTraceServiceResponse::decode(answer.body().as_ref()) {
        Err(_) => Some(Failure::Strange),
        Ok(told) => told
            .partial_success
            .filter(|partial| partial.rejected_spans > 0)
            .map(|partial| Failure::Rejected(partial.rejected_spans)),
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn each_spell_of_failures_is_one_line() {
        let url = "http://127.0.0.1:4318/v1/traces".parse().unwrap();
        let collector = Collector::new(&url, Handle::current()).unwrap();
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            collector.judge(None);
            collector.judge(Some(&Failure::Status(503)));
            collector.judge(Some(&Failure::Strange));
            collector.judge(None);
            collector.judge(None);
            collector.judge(Some(&Failure::Rejected(3)));
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].contains("WARN") && lines[0].contains("it answered 503"));
        assert!(lines[1].contains("INFO") && lines[1].contains("again"));
        assert!(lines[2].contains("WARN") && lines[2].contains("rejected 3 spans"));
    }

    #[test]
    fn an_answer_is_judged_by_its_status_and_by_what_it_says() {
        let answer = |status: u16, body: &'static [u8]| {
            let mut answer = Response::new(Bytes::from_static(body));
            *answer.status_mut() = status.try_into().unwrap();
            fault(&answer).map(|fault| fault.to_string())
        };
        assert_eq!(answer(200, b""), None);
        // partial_success { rejected_spans: 5 }
        assert_eq!(
            answer(200, b"\x0a\x02\x08\x05").unwrap(),
            "it rejected 5 spans"
        );
        assert_eq!(
            answer(200, b"<html>").unwrap(),
            "its answer is none of OTLP"
        );
        assert_eq!(answer(307, b"").unwrap(), "it answered 307");
        assert_eq!(answer(500, b"").unwrap(), "it answered 500");
    }
}
