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
//! - A unit puts the things that it creates into [`Part::created`], and removes them from there when it deletes them; the run deletes the
//!   rest at its end.
//! - Units share no state that the answers change. The things that one unit needs of another (those that the samples created) are handed
//!   over between the phases of a run, when no unit is running.
//!
//! All units run on one thread, and their generated cases are made on another one. This module judges nothing: see [`crate::check`].

mod base;
mod contact;
pub(crate) mod identity;
mod key;
mod limits;
mod options;
mod part;
pub(crate) mod references;
mod request;
pub(crate) mod template;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde_json::Value;
use thiserror::Error;
use tokio::time::Instant;

use crate::case::key::is_key;
use crate::check::{Judge, Places};
use crate::credentials::{Beside, CredentialError, Credentials};
use crate::document::{Document, Operation};
use crate::exchange::{Answer, Client, Exchange, Request, Secrets, TransportError, Unreachable};
use crate::finding::{Finding, ReplayStep, ToldExchange, Unwritable};
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
pub use part::{Created, Observed, Outcome, Part};
use references::References;

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
    #[error("cannot start the thread that generates requests: {0}")]
    Thread(io::Error),
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

/// The parts of a document that a session needs; they outlive the session.
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
            let mut more = options.samples.iter();
            let own = more
                .by_ref()
                .filter(|case| case.pointer == operation.pointer);
            plan.cases.extend(own.cloned());
            plan.bare &= plan.cases.is_empty();
            plan.cases
                .retain(|case| !options.safe() || is_safe(&case.method));
            plan
        };
        let mut secrets = options.secrets(document);
        let has_keys = |operation: &Operation<'_>| {
            let parameters = operation.parameters(document);
            let names = parameters.iter().filter_map(|one| one.value.get("name"));
            names.filter_map(Value::as_str).any(is_key)
        };
        if operations.iter().any(has_keys) {
            secrets.of_run(options.run_id());
        }
        Self {
            document,
            schemas: Schemas::new(document),
            secrets,
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
    /// Whether all credentials stay as they are.
    has_fixed_credentials: bool,
    limits: Limits,
    contact: Contact,
    /// Settings of operations, by the pointer of each.
    own: HashMap<String, Own>,
    /// The things that bodies refer to: created before any unit runs, and the same for all of them.
    pub(crate) references: RefCell<References>,
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
                places: Places::default(),
            },
            base,
            options,
            client,
            has_fixed_credentials: credentials.are_fixed(),
            credentials,
            limits: Limits::new(
                options.workers,
                options.rate,
                options.rates(operations),
                options.max_time(),
            ),
            contact: Contact::default(),
            own: options.own(operations),
            references: RefCell::default(),
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
        let mut request = request;
        loop {
            // Credentials that change are put into the request anew.
            let original = (!self.has_fixed_credentials).then(|| request.clone());
            let exchange = self.authorized(operation, request).await?;
            if self.options.stop.is_stopped()
                || !self.limits.repeat(&exchange, repeats, Instant::now())
            {
                return Ok(exchange);
            }
            request = original.unwrap_or(exchange.request);
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
        self.authorized(operation, request).await
    }

    /// Sends a request with the newest tokens; once more where they are refused.
    async fn authorized(
        &self,
        operation: Option<usize>,
        mut request: Request,
    ) -> Result<Exchange, Unwritable> {
        if self.has_fixed_credentials {
            return self.exchange(operation, request).await;
        }
        let (client, secrets) = (&self.client, self.judge.secrets);
        self.credentials
            .refresh(&mut request, client, secrets)
            .await;
        let mut exchange = {
            let mut answered = request.clone();
            let needs_answer = self.credentials.answer_challenge(&mut answered);
            let exchange = self.exchange(operation, answered).await?;
            if !needs_answer || !self.credentials.take_challenge(&exchange) {
                exchange
            } else {
                self.credentials.answer_challenge(&mut request);
                self.exchange(operation, request).await?
            }
        };
        let renewed = self
            .credentials
            .renewed(operation, &exchange, client, secrets);
        if let Some(request) = renewed.await {
            exchange = self.exchange(operation, request).await?;
        }
        Ok(exchange)
    }

    async fn exchange(
        &self,
        operation: Option<usize>,
        request: Request,
    ) -> Result<Exchange, Unwritable> {
        self.limits.wait(operation).await;
        self.options.count.fetch_add(1, Ordering::Relaxed);
        let stop = &self.options.stop;
        let pointer = operation.map(|operation| &self.operations[operation].pointer);
        let own = pointer.and_then(|pointer| self.own.get(pointer));
        let timeout = own.and_then(|own| own.timeout);
        let timeout = timeout.unwrap_or_else(|| self.options.timeout());
        let answer = self.client.answer(&request, timeout);
        // Requests after the end clean up: they delete what was created.
        let answer = if stop.is_stopped() {
            answer.await?
        } else {
            tokio::select! {
                biased;
                answer = answer => answer?,
                () = stop.abandoned() => Answer::interrupted(),
            }
        };
        let exchange = answer.to(request);
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

    /// Describes the silence of a server that answered none of the requests: nothing was checked then.
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

    /// Tells those who follow the exchanges of one that is over, with what is wrong with it.
    pub fn tell_exchange(
        &self,
        operation: usize,
        case: &str,
        exchange: &Exchange,
        findings: &[Finding],
    ) {
        if !self.options.watch {
            return;
        }
        let secrets = self.judge.secrets;
        let mut findings = findings.to_vec();
        for finding in &mut findings {
            finding.message.redact(&|text| secrets.hide(text));
        }
        let request = &exchange.request;
        self.tell(ReplayStep::Exchange(Box::new(ToldExchange {
            operation: self.operations[operation].subject(),
            case: case.to_owned(),
            method: request.method.clone(),
            url: secrets.hide(&secrets.url(&request.url)),
            status: exchange.response.as_ref().map(|response| response.status),
            failure: exchange.failure.clone(),
            duration: exchange.duration,
            findings,
        })));
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
}

/// Whether a method changes nothing on a server that keeps to HTTP.
#[must_use]
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY")
}
