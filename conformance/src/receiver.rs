//! Judges a handler of webhooks: sends it good and broken deliveries, as its provider and as others would, and looks at its answers.
//!
//! Called by the command line. Right deliveries (samples and generated payloads, signed as the document says) must be accepted in time;
//! what the provider did not send must be refused; what is unusual must not break the handler; what comes twice must have its effect
//! once. The effect is seen only where the user names what shows it. Not judged: whether signatures are compared in constant time, what a
//! handler does with an event, and events that reach it by another way than HTTP.

mod broken;
mod effect;
mod event;
mod forge;
mod forged;
mod handshake;
mod identity;
mod payload;
pub mod recorded;
mod repeats;
mod run;
mod send;
mod variants;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use thiserror::Error;
use url::Url;

use crate::document::{Document, Operation, Selection};
use crate::exchange::{Transport, TransportError};
use crate::finding::{Finding, Unchecked};
use crate::schema::Schemas;
use crate::session::Stop;

use recorded::Recorded;
use run::Run;

/// The deliveries to send, their target, and how to judge the handler.
#[derive(Debug, Clone)]
pub struct Options {
    /// The URL of the handler.
    pub target: String,
    /// Secrets to sign with: texts as the provider shows them, or private keys.
    pub secrets: Vec<String>,
    /// Headers of every delivery, besides those of the document.
    pub headers: Vec<(String, String)>,
    /// A URL or a command that shows what the handler did.
    pub effect: Option<String>,
    /// Seconds after the response in which a delivery may have its effect.
    pub effect_wait: f64,
    /// Seconds that the provider waits for a response, where the document does not say it.
    pub deadline: Option<f64>,
    /// Seconds that one exchange may take in all.
    pub timeout: f64,
    /// Patterns of the events that are sent.
    pub include: Vec<String>,
    /// Patterns of those that are not.
    pub exclude: Vec<String>,
    /// Decides which random payloads are generated.
    pub seed: u64,
    /// Most generated payloads for each event, random ones apart.
    pub max_cases: usize,
    /// Random payloads for each event.
    pub random: usize,
    /// Most generated payloads that are under way at once.
    pub workers: usize,
    /// Whether reports show secrets.
    pub show_secrets: bool,
    /// How connections are made.
    pub transport: Transport,
    /// A number that no run before had, for the ids of deliveries.
    pub nonce: u64,
    /// Recorded deliveries to send in place of everything else.
    pub recorded: Vec<Recorded>,
    /// Ends the run early.
    pub stop: Stop,
    /// How many requests were sent, for those who watch.
    pub count: Arc<AtomicUsize>,
}

impl Options {
    /// Options with the defaults of the command line.
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            secrets: Vec::new(),
            headers: Vec::new(),
            effect: None,
            effect_wait: 5.0,
            deadline: None,
            timeout: 30.0,
            include: Vec::new(),
            exclude: Vec::new(),
            seed: 1,
            max_cases: 200,
            random: 20,
            workers: 8,
            show_secrets: false,
            transport: Transport::default(),
            nonce: 1,
            recorded: Vec::new(),
            stop: Stop::default(),
            count: Arc::default(),
        }
    }

    /// Which events are sent.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection::new(self.include.clone(), self.exclude.clone())
    }
}

/// Why a handler cannot be judged.
#[derive(Debug, Error)]
pub enum ReceiverError {
    /// The URL of the handler is not one.
    #[error("--target {url}: {problem}")]
    Target {
        /// The URL.
        url: String,
        /// The problem with the URL.
        problem: String,
    },
    /// Nothing answers at the URL.
    #[error(
        "{url} does not answer: {cause}; check that your handler runs there and that --target names it"
    )]
    Unreachable {
        /// The URL.
        url: String,
        /// Why not.
        cause: String,
    },
    /// The document describes its deliveries wrongly.
    #[error("the document describes its webhooks wrongly: {0}")]
    Description(String),
    /// A secret is not a key for the signature.
    #[error("--secret: {0}")]
    Secret(String),
    /// Deliveries must be signed, and there is no secret.
    #[error(
        "deliveries of {0} must be signed: give the secret that your handler has with --secret, such as --secret '${{WEBHOOK_SECRET}}'"
    )]
    NoSecret(String),
    /// Deliveries must be signed with a private key, and there is none.
    #[error(
        "deliveries of {0} must be signed: give the private key whose public key your handler has with --secret, such as --secret \"$(cat private.pem)\""
    )]
    NoPrivateKey(String),
    /// The certificate or the proxy cannot be used.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The findings, in the order of the checks.
    pub findings: Vec<Finding>,
    /// Events and requests, by plural noun.
    pub checked: BTreeMap<&'static str, usize>,
    /// Why there is no result, if nothing was judged.
    pub unchecked: Option<Unchecked>,
    /// Further notes for the reader.
    pub notes: Vec<String>,
}

impl Outcome {
    /// That of a run that sent nothing.
    #[must_use]
    pub fn unchecked(reason: Unchecked) -> Self {
        Self {
            findings: Vec::new(),
            checked: BTreeMap::new(),
            unchecked: Some(reason),
            notes: Vec::new(),
        }
    }
}

/// The webhooks and callbacks of a document: what a handler may be sent.
#[must_use]
pub fn operations(document: &Document) -> Vec<Operation<'_>> {
    event::operations(document)
}

/// Judges the handler at a URL by a document.
///
/// # Errors
/// When the handler cannot be reached, a secret is missing or wrong, or the document describes its deliveries wrongly.
pub async fn check(options: &Options, document: &Document) -> Result<Outcome, ReceiverError> {
    let options = &Options {
        target: target(&options.target)?,
        ..options.clone()
    };
    let schemas = Schemas::new(document);
    let events = event::collect(document, &schemas, options)?;
    let run = Run::open(options, document, &events).await?;
    if options.recorded.is_empty() {
        run.everything(&events).await;
    } else {
        run.recorded(&events).await;
    }
    Ok(run.outcome(&events))
}

/// The URL of the handler as it is signed and sent.
fn target(text: &str) -> Result<String, ReceiverError> {
    let wrong = |problem: &str| ReceiverError::Target {
        url: text.to_owned(),
        problem: problem.to_owned(),
    };
    let url = Url::parse(text).map_err(|error| {
        wrong(&format!(
            "{error}; write it as http://localhost:3000/webhooks"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("write it as http://HOST:PORT/PATH or https://..."));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong(
            "leave out the user, the password and what starts with `#`; give credentials with --header",
        ));
    }
    Ok(url.into())
}
