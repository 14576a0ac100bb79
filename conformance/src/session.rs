//! One server under test: sends requests for many units of work at once and keeps what they share.
//!
//! Where to plug in:
//!
//! - A *unit* is work whose requests depend on each other: the generated cases of one operation, a flow. It borrows the [`Session`], runs as
//!   one future, and returns a [`Part`]. Parts are put together in document order, never in the order in which units end, so that the
//!   findings are the same whatever `--workers` is.
//! - [`Session::send`] is the only way to the server. It waits for a free worker and for the load limits, sends, and hands the exchange to
//!   the recorder, if there is one. A missing or broken answer is data ([`Exchange::failure`]).
//! - A unit checks [`Session::stopped`] before each case and ends early with what it has.
//! - What a unit creates it puts into [`Part::created`], and removes it from there when it deletes it; the run deletes the rest at its end.
//! - Units share no state that the answers change. What one unit needs of another (what the samples created) is handed over between the
//!   phases of a run, when no unit is running.
//!
//! All units run on one thread. This module judges nothing: see [`crate::check`].

mod base;
pub(crate) mod identity;
mod limits;
mod options;
mod part;
pub(crate) mod template;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use thiserror::Error;
use tokio::time::Instant;

use crate::case::Case;
use crate::check::Judge;
use crate::document::{Document, Operation};
use crate::exchange::{Client, Exchange, Request, Secrets, USER_AGENT};
use crate::finding::{ReplayStep, Unwritable};
use crate::samples::{self, Plan};
use crate::schema::Schemas;

use limits::Limits;

pub use limits::Stop;
pub use options::{FlowSettings, Generate, Limited, Options, SecondUser, Watched};
pub(crate) use options::{header, rate};
pub use part::{Created, Observed, Part};

/// The server could not be checked at all.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error("--server {url}: {problem}")]
    Server { url: String, problem: String },
    #[error("--header {name}: {problem}")]
    Header { name: String, problem: String },
    #[error(
        "{url} does not answer: {cause}; check that the server runs there and that --server names it"
    )]
    Unreachable { url: String, cause: String },
}

/// Path parameters with their values as they stand in the URL, percent-encoded.
pub type PathValues = Vec<(String, String)>;

/// Called with each exchange when it ends, and with the index of its operation, where it belongs to one. With several workers the order
/// is that of time.
pub type Recorder<'s> = Box<dyn Fn(Option<usize>, &Exchange) + 's>;

/// What a session needs of a document; it outlives the session.
pub struct Subject<'d> {
    document: &'d Document,
    schemas: Schemas<'d>,
    secrets: Secrets,
    operations: Vec<Operation<'d>>,
    plans: Vec<Plan>,
}

impl<'d> Subject<'d> {
    /// Reads the operations and samples of a document; sends nothing.
    #[must_use]
    pub fn new(document: &'d Document, options: &Options) -> Self {
        let operations = document.operations();
        let plan = |operation: &Operation<'_>| {
            let mut plan = samples::plan(document, operation);
            plan.cases
                .retain(|case| !options.safe() || is_safe(&case.method));
            plan
        };
        Self {
            document,
            schemas: Schemas::new(document),
            secrets: Secrets::new(document, &options.credentials(), options.show_secrets),
            plans: operations.iter().map(plan).collect(),
            operations,
        }
    }
}

/// The server, and what units share.
pub struct Session<'s> {
    pub document: &'s Document,
    /// In document order; units name operations by their index.
    pub operations: &'s [Operation<'s>],
    /// The samples of each operation.
    pub plans: &'s [Plan],
    /// The operations that `--include` and `--exclude` leave.
    pub selected: Vec<usize>,
    pub judge: Judge<'s>,
    /// The URL that path templates are appended to.
    pub base: String,
    pub options: &'s Options,
    client: Client,
    limits: Limits,
    recorder: Option<Recorder<'s>>,
    progress: &'s dyn Fn(ReplayStep),
}

impl<'s> Session<'s> {
    /// Connects to the server.
    ///
    /// # Errors
    /// When the server's URL or a header cannot be used, or when no connection is made.
    pub async fn open(
        subject: &'s Subject<'_>,
        options: &'s Options,
        progress: &'s dyn Fn(ReplayStep),
    ) -> Result<Self, SessionError> {
        options.check()?;
        let base = base::url(&options.server, subject.document)?;
        progress(ReplayStep::Started { url: base.clone() });
        let client = Client::new(options.timeout());
        client
            .reach(&base)
            .await
            .map_err(|cause| SessionError::Unreachable {
                url: base.clone(),
                cause,
            })?;
        let selection = options.selection();
        let operations = &subject.operations;
        Ok(Self {
            document: subject.document,
            operations,
            plans: &subject.plans,
            selected: (0..operations.len())
                .filter(|index| selection.selects(&operations[*index]))
                .collect(),
            judge: Judge {
                document: subject.document,
                schemas: &subject.schemas,
                secrets: &subject.secrets,
                limits: options.limits(),
            },
            base,
            options,
            client,
            limits: Limits::new(
                options.workers,
                options.rate,
                options.rates(operations),
                options.max_time(),
            ),
            recorder: None,
            progress,
        })
    }

    /// Hands each exchange to `recorder` too.
    #[must_use]
    pub fn recorded(mut self, recorder: Recorder<'s>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Sends a request as soon as a worker is free and the load limits allow it, and waits for the whole answer; repeats it where the
    /// server asks to wait (429). `operation` is the index of the operation that it belongs to, where there is one.
    ///
    /// # Errors
    /// When the request cannot be written as HTTP.
    pub async fn send(
        &self,
        operation: Option<usize>,
        request: Request,
    ) -> Result<Exchange, Unwritable> {
        let _worker = self.limits.worker().await;
        let mut repeats = 0;
        loop {
            let exchange = self.exchange(operation, &request).await?;
            if self.options.stop.is_stopped()
                || !self.limits.repeat(&exchange, repeats, Instant::now())
            {
                return Ok(exchange);
            }
            repeats += 1;
        }
    }

    /// Sends a request once, whatever the answer is.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub async fn send_once(
        &self,
        operation: Option<usize>,
        request: Request,
    ) -> Result<Exchange, Unwritable> {
        let _worker = self.limits.worker().await;
        self.exchange(operation, &request).await
    }

    async fn exchange(
        &self,
        operation: Option<usize>,
        request: &Request,
    ) -> Result<Exchange, Unwritable> {
        self.limits.wait(operation).await;
        self.options.count.fetch_add(1, Ordering::Relaxed);
        let stop = &self.options.stop;
        // What is sent after the end deletes what was created.
        let exchange = if stop.is_stopped() {
            self.client.send(request.clone()).await?
        } else {
            tokio::select! {
                biased;
                sent = self.client.send(request.clone()) => sent?,
                () = stop.abandoned() => Exchange::interrupted(request.clone()),
            }
        };
        if let Some(record) = &self.recorder {
            record(operation, &exchange);
        }
        Ok(exchange)
    }

    /// Whether units have to end early: the run was stopped, or its time is over.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.options.stop.is_stopped() || self.limits.is_over()
    }

    /// Notes that a unit of this operation ended before all of its requests were sent.
    pub fn note_unfinished(&self, operation: usize) {
        self.limits.note_unfinished(operation);
    }

    /// The operations of units that ended early, in document order.
    #[must_use]
    pub fn unfinished(&self) -> Vec<usize> {
        self.limits.unfinished()
    }

    /// Tells those who watch. With several workers the order of steps is that of time.
    pub fn tell(&self, step: ReplayStep) {
        (self.progress)(step);
    }

    /// The request of a case: the document's headers, replaced by those of the command line, replaced by those of `x-replay`.
    #[must_use]
    pub fn request(&self, case: &Case, path: &[(String, String)]) -> Request {
        // Without its slash a path could change the host.
        let target = on_the_wire(&template::expand(&case.template, path));
        let slash = if target.starts_with('/') { "" } else { "/" };
        let mut url = format!("{}{slash}{target}", self.base);
        let secrets = self.judge.secrets;
        let mut query: Vec<(String, String)> = case
            .query
            .iter()
            .filter(|(name, _)| !case.anonymous || !secrets.is_credential_query(name))
            .cloned()
            .collect();
        let mut headers = vec![
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            ("Accept".to_owned(), "*/*".to_owned()),
        ];
        let mut set = |name: &str, values: &[&str]| {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.extend(
                values
                    .iter()
                    .map(|value| (name.to_owned(), (*value).to_owned())),
            );
        };
        for (name, value) in &case.headers {
            set(name, &[value]);
        }
        if let Some(content_type) = case
            .body
            .as_ref()
            .and_then(|body| body.content_type.as_deref())
        {
            set("Content-Type", &[content_type]);
        }
        let mut given: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, value) in &self.options.headers {
            given
                .entry(name.to_ascii_lowercase())
                .or_default()
                .push(value);
        }
        for (name, values) in &given {
            set(name, values);
        }
        if case.anonymous {
            headers.retain(|(name, _)| !secrets.is_credential(name));
        }
        let overrides: HashMap<String, &Option<String>> = case
            .overrides
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        headers.retain(|(name, _)| !overrides.contains_key(&name.to_ascii_lowercase()));
        headers.extend(
            case.overrides
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.clone()?))),
        );
        case.change(&mut query, &mut headers);
        if !query.is_empty() {
            url = format!("{url}?{}", crate::case::serialize::query_string(&query));
        }
        let body = case.body.as_ref().map(|body| body.bytes.clone());
        Request {
            method: case.method.clone(),
            url,
            headers,
            body,
        }
    }
}

/// A path without what cannot stand in a request line: that is percent-encoded.
fn on_the_wire(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"#<>?\\^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whether a method changes nothing on a server that keeps to HTTP.
#[must_use]
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_path_whatever_the_document_has_in_it() {
        assert_eq!(on_the_wire("/a%20b/@c:1/d.e;f,g"), "/a%20b/@c:1/d.e;f,g");
        assert_eq!(
            on_the_wire("/a b/{c}/\u{e4}#?"),
            "/a%20b/%7Bc%7D/%C3%A4%23%3F"
        );
    }
}
