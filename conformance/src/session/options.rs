//! The options of a replay run on the command line.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::SessionError;
use super::limits::Stop;
use crate::case::Case;
use crate::case::key::RunId;
use crate::check::Limits;
use crate::credentials::Given;
use crate::document::{Document, Operation, Selection};
use crate::exchange::{self, Proxy, Secrets, Transport};

/// Options of `conformance replay` beyond those of reports.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The server to ask. An origin alone, such as `http://localhost:8080`, is joined with the document's first relative server
    /// URL; a URL with a path is used as it is.
    #[arg(
        long,
        value_name = "URL",
        default_value = "",
        hide_default_value = true
    )]
    pub server: String,

    /// A header for every request, such as 'Authorization: Bearer TOKEN' (repeatable). It replaces what the document gives;
    /// `x-replay` of a sample replaces it.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,

    /// Seconds that one exchange may take in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    pub timeout: f64,

    /// Replay only operations of this operationId, method, path or tag; `*` stands for any text, `id:`, `method:`, `path:` or
    /// `tag:` in front says which is meant (repeatable).
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,

    /// Leave out operations of this operationId, method, path or tag (repeatable).
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,

    /// Report members of bodies that their schemas do not declare, even where the schema is open.
    #[arg(long)]
    pub strict: bool,

    /// Report responses that take longer than this; without it they may take any time within --timeout.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub max_response_time: Option<f64>,

    /// Write every exchange to this file as an HTTP Archive (HAR 1.2), for browsers and proxies to show.
    #[arg(long, value_name = "FILE")]
    pub har: Option<PathBuf>,

    /// Show the values of credentials in reports.
    #[arg(long)]
    pub show_secrets: bool,

    /// Most requests that are under way at once. The findings do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = workers)]
    pub workers: usize,

    /// Most requests a second. Whatever it is, a request that is answered with 429 is sent again after the time that
    /// `Retry-After` names.
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,

    /// Seconds after which no further request is sent; the report says what was not reached.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub max_time: Option<f64>,

    /// Id of the run, eight hexadecimal digits: idempotency keys and names that have to be new are made of it. Without it, each run has one
    /// of its own, so that a server that remembers keys takes the requests for new.
    #[arg(long, value_name = "ID")]
    pub run_id: Option<RunId>,

    /// What is different for some operations; the last one that selects an operation counts.
    #[arg(skip)]
    pub operations: Vec<OperationOptions>,

    /// Ends the run early.
    #[arg(skip)]
    pub stop: Stop,

    /// How many requests were sent, for those who watch.
    #[arg(skip)]
    pub count: Arc<AtomicUsize>,

    /// Whether each exchange is told when it is over.
    #[arg(skip)]
    pub watch: bool,

    /// Kinds of things whose absence is a finding.
    #[arg(skip)]
    pub watched: Vec<Watched>,

    /// Credentials, for the security schemes of the document.
    #[arg(skip)]
    pub credentials: Vec<Given>,

    /// Query parameters of every request.
    #[arg(skip)]
    pub queries: Vec<(String, String)>,

    /// Cookies of every request.
    #[arg(skip)]
    pub cookies: Vec<(String, String)>,

    /// How connections are made.
    #[arg(skip)]
    pub transport: Transport,

    /// Samples besides those of the document, by the pointer of their operation.
    #[arg(skip)]
    pub samples: Vec<Case>,

    /// Which requests are generated besides the samples; none where there is nothing.
    #[arg(skip)]
    pub generate: Option<Generate>,

    /// Which sequences of operations are sent; none where there is nothing.
    #[arg(skip)]
    pub flows: Option<FlowSettings>,
}

/// Settings that differ for some operations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OperationOptions {
    /// The pattern that selects them, as of `--include`.
    pub pattern: String,
    /// Whether no request is sent to them.
    pub skip: bool,
    /// Most requests a second to each of them.
    pub rate: Option<f64>,
    /// Seconds that one exchange may take in all, in place of those for all.
    pub timeout: Option<f64>,
    /// Headers of their requests, besides those of all.
    pub headers: Vec<(String, String)>,
    /// Statuses that they may answer with, whatever the document says: such an answer is not judged.
    pub expected: Vec<u16>,
}

impl OperationOptions {
    fn selects(&self, operation: &Operation<'_>) -> bool {
        Selection::new(vec![self.pattern.clone()], Vec::new()).selects(operation)
    }
}

/// Settings that differ for one operation.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) headers: Vec<(String, String)>,
    pub(super) expected: Vec<u16>,
    pub(super) timeout: Option<Duration>,
}

/// Suffix of the names of the second user's credentials.
const SECOND: &str = "_SECOND_USER";

/// A kind of things that a run may be required to observe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Watched {
    /// Each documented status of each operation, except `default`.
    Status,
    /// Each sample.
    Sample,
    /// Each operation.
    Operation,
}

/// Which sequences of operations are sent.
#[derive(Debug, Clone, Args)]
pub struct FlowSettings {
    /// Number that decides which values are sent: 1 shows the most, others vary it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Send only requests that change nothing: lists are read page by page, and some of their items.
    #[arg(long)]
    pub safe: bool,

    /// Credentials of a second user.
    #[command(flatten)]
    pub second: SecondUser,
}

/// Credentials of a second user.
#[derive(Debug, Clone, Default, Args)]
pub struct SecondUser {
    /// A header with the credentials of a second user, such as 'Authorization: Bearer TOKEN' (repeatable). That user must not see or
    /// change what the first one, whose credentials --header gives, creates.
    #[arg(id = "second_user", long = "second-user", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            safe: false,
            second: SecondUser::default(),
        }
    }
}

/// Which requests are generated.
#[derive(Debug, Clone, Copy, Args)]
pub struct Generate {
    /// Number that decides which random requests are generated; the same one gives the same requests.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Most generated requests for each operation.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub max_cases: usize,

    /// Random requests for each operation besides.
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub random: usize,

    /// Send only requests that change nothing on a server that keeps to HTTP, such as GET.
    #[arg(long)]
    pub safe: bool,

    /// Seconds for making the requests of findings as small as they can be while they still show the fault, with at most 1000 requests a
    /// second; 0 leaves them as they are.
    #[arg(long, value_name = "SECONDS", default_value_t = SHRINK_TIME, value_parser = some_seconds)]
    pub shrink_time: f64,
}

/// Seconds for shrinking unless told otherwise.
const SHRINK_TIME: f64 = 3.0;

impl Default for Generate {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            max_cases: 1_000,
            random: 40,
            seed: 1,
            safe: false,
            shrink_time: SHRINK_TIME,
        }
    }
}

impl Options {
    /// Options with the defaults of the command line.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            headers: Vec::new(),
            timeout: 30.0,
            include: Vec::new(),
            exclude: Vec::new(),
            strict: false,
            max_response_time: None,
            har: None,
            show_secrets: false,
            workers: 8,
            rate: None,
            max_time: None,
            run_id: None,
            operations: Vec::new(),
            stop: Stop::default(),
            count: Arc::default(),
            watch: false,
            watched: Vec::new(),
            credentials: Vec::new(),
            queries: Vec::new(),
            cookies: Vec::new(),
            transport: Transport::default(),
            samples: Vec::new(),
            generate: None,
            flows: None,
        }
    }

    /// The headers of the second user.
    fn second_user(&self) -> impl Iterator<Item = &(String, String)> {
        self.flows.iter().flat_map(|flows| &flows.second.headers)
    }

    /// The id of the run.
    pub(crate) fn run_id(&self) -> RunId {
        self.run_id.unwrap_or_default()
    }

    /// Whether only requests are sent that change nothing.
    pub(crate) fn safe(&self) -> bool {
        self.generate.is_some_and(|generate| generate.safe)
    }

    /// Returns the requirements on responses beyond those of the document.
    pub(crate) fn limits(&self) -> Limits {
        let limit = |seconds| Duration::try_from_secs_f64(seconds).ok();
        Limits {
            strict: self.strict,
            response_time: self.max_response_time.and_then(limit),
        }
    }

    /// Collects the secrets that reports must not show.
    pub(super) fn secrets(&self, document: &Document) -> Secrets {
        let mut secrets = Secrets::new(document, &self.headers, self.show_secrets);
        secrets.complete();
        secrets.connected_by(&self.transport);
        for (name, value) in &self.queries {
            secrets.remember_query(name, value);
        }
        let own = self.operations.iter().flat_map(|one| &one.headers);
        for (name, value) in own {
            secrets.remember_header(name, value);
        }
        for (name, value) in self.second_user() {
            secrets.know(name, SECOND, value);
            secrets.remember_header(name, value);
        }
        for (name, value) in &self.cookies {
            secrets.know_cookie(name, "", value);
        }
        for given in &self.credentials {
            for (name, value) in given.named() {
                secrets.know_as(&name, &value);
            }
        }
        let given = self.credentials.iter().flat_map(Given::secrets);
        let proxy = self.transport.proxy.as_ref().and_then(Proxy::password);
        for value in given.chain(proxy) {
            secrets.remember(&value);
        }
        secrets
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::try_from_secs_f64(self.timeout).unwrap_or(Duration::from_secs(30))
    }

    /// How long the requests of findings are made smaller; none where they are left as they are.
    pub(crate) fn shrink_time(&self) -> Option<Duration> {
        let time = Duration::try_from_secs_f64(self.generate?.shrink_time).ok()?;
        (!time.is_zero()).then_some(time)
    }

    pub(super) fn max_time(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.max_time?).ok()
    }

    /// The requests a second of operations that have a limit of their own, by index; the last one that selects an operation counts.
    pub(super) fn rates(&self, operations: &[Operation<'_>]) -> HashMap<usize, f64> {
        let mut rates = HashMap::new();
        for one in &self.operations {
            for (index, operation) in operations.iter().enumerate() {
                if let Some(rate) = one.rate.filter(|_| one.selects(operation)) {
                    rates.insert(index, rate);
                }
            }
        }
        rates
    }

    /// Whether no request is sent to an operation.
    pub(super) fn skips(&self, operation: &Operation<'_>) -> bool {
        let mut selecting = self.operations.iter().filter(|one| one.selects(operation));
        selecting.any(|one| one.skip)
    }

    /// Headers and expected statuses of operations, by the pointer of each.
    pub(super) fn own(&self, operations: &[Operation<'_>]) -> HashMap<String, Own> {
        let mut all: HashMap<String, Own> = HashMap::new();
        for one in &self.operations {
            for operation in operations {
                if one.selects(operation) {
                    let own = all.entry(operation.pointer.clone()).or_default();
                    own.headers.extend(one.headers.iter().cloned());
                    own.expected.extend(&one.expected);
                    let seconds = one.timeout;
                    let timeout = seconds.and_then(|one| Duration::try_from_secs_f64(one).ok());
                    own.timeout = timeout.or(own.timeout);
                }
            }
        }
        all
    }

    pub(super) fn check(&self) -> Result<(), SessionError> {
        let own = self.operations.iter().flat_map(|one| &one.headers);
        for (name, value) in self.headers.iter().chain(own) {
            exchange::header(name, value).map_err(|problem| SessionError::Header {
                name: name.clone(),
                problem: problem.to_string(),
            })?;
        }
        Ok(())
    }

    /// Which operations are replayed.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection::new(self.include.clone(), self.exclude.clone())
    }
}

/// `Name: value`, as curl takes it.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    // The value may be a secret, so no message repeats it.
    let (name, value) = text
        .split_once(':')
        .ok_or("write it as 'Name: value', with a colon")?;
    let (name, value) = (name.trim(), value.trim());
    exchange::header(name, value).map_err(|problem| problem.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "write a number of seconds, such as 30 or 0.5".to_owned())?;
    let usable = seconds.is_finite() && (0.001..=86_400.0).contains(&seconds);
    usable
        .then_some(seconds)
        .ok_or_else(|| "write a number of seconds from 0.001 to 86400".to_owned())
}

/// Seconds, or none.
fn some_seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(0.0) => Ok(0.0),
        _ => seconds(text),
    }
}

pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| "write a number of requests a second, such as 20 or 0.5".to_owned())?;
    let usable = rate.is_finite() && (0.001..=1_000_000.0).contains(&rate);
    usable
        .then_some(rate)
        .ok_or_else(|| "write a number of requests a second from 0.001 to 1000000".to_owned())
}

pub(crate) fn workers(text: &str) -> Result<usize, String> {
    let workers: usize = text.parse().unwrap_or_default();
    (1..=1000)
        .contains(&workers)
        .then_some(workers)
        .ok_or_else(|| "write a number from 1 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value_and_no_message_repeats_a_secret() {
        assert_eq!(
            header("X-A:  b: c ").unwrap(),
            ("X-A".to_owned(), "b: c".to_owned())
        );
        for text in [
            "hunter22",
            "hunter22 hunter22",
            "na me: hunter22",
            ": hunter22",
            "X: hunter22\u{1}",
        ] {
            let message = header(text).unwrap_err();
            assert!(!message.contains("hunter22"), "{message}");
        }
    }

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert!(seconds("0.5").is_ok() && seconds("30").is_ok());
        for text in ["0", "-1", "nan", "inf", "1e99", "x", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
