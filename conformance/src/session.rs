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
mod contact;
pub(crate) mod identity;
mod limits;
mod options;
mod part;
pub(crate) mod template;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use thiserror::Error;
use tokio::time::Instant;

use crate::case::Case;
use crate::check::Judge;
use crate::credentials::{self, Beside, CredentialError, Credentials};
use crate::document::{Document, Operation};
use crate::exchange::{
    Client, Exchange, Request, Secrets, TransportError, USER_AGENT, Unreachable,
};
use crate::finding::{ReplayStep, Unwritable};
use crate::samples::{self, Plan};
use crate::schema::Schemas;

use contact::Contact;
use limits::Limits;

pub use base::server_urls;
pub use contact::Silence;
pub use limits::Stop;
use options::Own;
pub use options::{FlowSettings, Generate, OperationOptions, Options, SecondUser, Watched};
pub(crate) use options::{header, rate, seconds, workers};
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
    #[error("{url}: {problem}")]
    Refused { url: String, problem: String },
    #[error("cannot write the HTTP Archive {}: {source}", path.display())]
    Archive { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

impl SessionError {
    fn unreachable(url: &str, cause: Unreachable) -> Self {
        let url = url.to_owned();
        match cause {
            Unreachable::Dead(cause) => Self::Unreachable { url, cause },
            Unreachable::Proxy(problem) | Unreachable::Tls(problem) => {
                Self::Refused { url, problem }
            }
        }
    }
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
            secrets: options.secrets(document),
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
    credentials: Credentials,
    limits: Limits,
    contact: Contact,
    /// Settings of operations, by the pointer of each.
    own: HashMap<String, Own>,
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
        let client = Client::new(options.timeout(), &options.transport)?;
        client
            .reach(&base)
            .await
            .map_err(|cause| SessionError::unreachable(&base, cause))?;
        let selection = options.selection();
        let operations = &subject.operations;
        let beside = Beside {
            headers: &options.headers,
            queries: &options.queries,
            cookies: &options.cookies,
            certificate: options.transport.cert.is_some(),
        };
        let given = &options.credentials;
        let credentials = Credentials::new(subject.document, operations, given, &base, beside)?;
        credentials
            .open(&client, &subject.secrets, options.timeout())
            .await?;
        Ok(Self {
            document: subject.document,
            operations,
            plans: &subject.plans,
            selected: (0..operations.len())
                .filter(|index| selection.selects(&operations[*index]))
                .filter(|index| !options.skips(&operations[*index]))
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
            credentials,
            limits: Limits::new(
                options.workers,
                options.rate,
                options.rates(operations),
                options.max_time(),
            ),
            contact: Contact::default(),
            own: options.own(operations),
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
            let exchange = self.authorized(operation, &request).await?;
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
        self.authorized(operation, &request).await
    }

    /// Sends a request with the newest tokens; once more where they are refused.
    async fn authorized(
        &self,
        operation: Option<usize>,
        request: &Request,
    ) -> Result<Exchange, Unwritable> {
        let (client, secrets) = (&self.client, self.judge.secrets);
        let mut request = request.clone();
        self.credentials
            .refresh(&mut request, client, secrets)
            .await;
        let exchange = self.exchange(operation, &request).await?;
        let renewed = self
            .credentials
            .renewed(operation, &exchange, client, secrets);
        match renewed.await {
            Some(request) => self.exchange(operation, &request).await,
            None => Ok(exchange),
        }
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
        let proxied = self.options.transport.proxy.is_some();
        self.contact.note(operation, &exchange, proxied);
        if let Some(record) = &self.recorder {
            record(operation, &exchange);
        }
        Ok(exchange)
    }

    /// Whether units have to end early: the run was stopped, or its time is over.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.options.stop.is_stopped() || self.limits.is_over() || self.contact.is_hopeless()
    }

    /// What there is to say of a server that answered none of the requests: nothing was checked then.
    pub async fn silence(&self) -> Option<Silence> {
        let mut silence = self.contact.silence()?;
        if self.client.speaks_tls(&self.base).await {
            "the port speaks TLS; write https:// instead of http://".clone_into(&mut silence.cause);
        }
        Some(silence)
    }

    /// Whether the settings say that an operation may answer with this status, whatever the document says.
    #[must_use]
    pub fn expects(&self, operation: usize, exchange: &Exchange) -> bool {
        let own = self.own.get(&self.operations[operation].pointer);
        let status = exchange.response.as_ref().map(|response| response.status);
        own.zip(status)
            .is_some_and(|(own, status)| own.expected.contains(&status))
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

    /// The users whose credentials were given, the first one first.
    #[must_use]
    pub fn users(&self) -> &[String] {
        self.credentials.users()
    }

    /// Whether a user has credentials of its own for an operation.
    #[must_use]
    pub fn is_known(&self, user: usize, operation: usize) -> bool {
        let pointer = &self.operations[operation].pointer;
        self.credentials.is_known(user, pointer)
    }

    /// How to give the credentials that an operation needs and that were not given.
    #[must_use]
    pub fn lacking(&self, operation: usize) -> &[String] {
        self.credentials
            .lacking(&self.operations[operation].pointer)
    }

    /// Why tokens could not be renewed, if so.
    #[must_use]
    pub fn token_problem(&self) -> Option<String> {
        self.credentials.problem()
    }

    /// The request of a case by the first user.
    #[must_use]
    pub fn request(&self, case: &Case, path: &[(String, String)]) -> Request {
        self.request_of(0, case, path)
    }

    /// The request of a case by a user, given by its index: what the document gives, replaced by the credentials of the user, replaced
    /// by what the options give for every request, replaced by `x-replay`.
    #[must_use]
    pub fn request_of(&self, user: usize, case: &Case, path: &[(String, String)]) -> Request {
        // Without its slash a path could change the host.
        let target = on_the_wire(&template::expand(&case.template, path));
        let slash = if target.starts_with('/') { "" } else { "/" };
        let mut url = format!("{}{slash}{target}", self.base);
        let secrets = self.judge.secrets;
        let mut query = case.query.clone();
        let mut headers = vec![
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            ("Accept".to_owned(), "*/*".to_owned()),
        ];
        for (name, value) in &case.headers {
            set(&mut headers, name, &[value]);
        }
        if let Some(content_type) = case
            .body
            .as_ref()
            .and_then(|body| body.content_type.as_deref())
        {
            set(&mut headers, "Content-Type", &[content_type]);
        }
        self.credentials
            .apply(user, &case.pointer, &mut query, &mut headers);
        let mut given: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, value) in &self.options.headers {
            // The credentials among them are those of the first user.
            if user == 0 || !secrets.is_credential(name) {
                given
                    .entry(name.to_ascii_lowercase())
                    .or_default()
                    .push(value);
            }
        }
        for (name, values) in &given {
            set(&mut headers, name, values);
        }
        let own = self.own.get(&case.pointer);
        for (name, value) in own.into_iter().flat_map(|own| &own.headers) {
            set(&mut headers, name, &[value]);
        }
        for (name, value) in &self.options.queries {
            credentials::set_query(&mut query, name, value);
        }
        for (name, value) in &self.options.cookies {
            credentials::set_cookie(&mut headers, name, value);
        }
        if case.anonymous {
            query.retain(|(name, _)| !secrets.is_credential_query(name));
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

/// Replaces all values of a header.
fn set(headers: &mut Vec<(String, String)>, name: &str, values: &[&str]) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.extend(
        values
            .iter()
            .map(|value| (name.to_owned(), (*value).to_owned())),
    );
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
