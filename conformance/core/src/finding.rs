//! One deviation, with its proof: what drift and replay produce and reports print.

mod baseline;
mod coverage;
mod delivery;
mod document;
mod failure;
mod flow;
mod message;
mod progress;
mod receiver;
mod record;
mod redaction;
mod replay;
mod sample;
mod violation;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::Document;

pub use baseline::{Acceptance, BaselineFault};
pub use coverage::{
    Coverage, KeywordCoverage, OperationCoverage, ReceivedPart, SampleCoverage, SecurityCoverage,
    SentPart, Share,
};
pub use delivery::{DeliveryFault, Ended, Untested};
pub use document::first_difference;
pub use document::{Credential, DocumentChange, Format, Part};
pub use failure::{Failure, StepFailure};
pub use flow::{Access, FlowFault, NotObserved, Trace, Writing};
pub use message::{
    Effect, Impact, Keyword, Message, SchemaChange, Sender, Shape, Turned, Undecided,
};
pub use progress::{ReplayStep, Tally, ToldExchange};
pub use receiver::{Flaw, HandlerGap, ReceiverFault, Repeat};
pub use record::{CaseRecord, FlowPart, FlowRecord, FlowStep, HeaderRecord, SentRequest};
pub use replay::{ReplayFault, SentSample, Unobserved};
pub use sample::{RecipeProblem, Unreplayable, Unwritable};
pub use violation::{Broken, Echoed, ShapeDifference, Violation};

/// How much a finding matters; the order is that of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The two sides contradict each other.
    Breaking,
    /// It could not be decided whether they do; never counts as conforming.
    Undecided,
    /// A client or server that reads its document strictly may notice.
    Warning,
    /// Worth knowing; nothing that happens on the wire.
    Info,
}

impl Severity {
    /// All severities, the gravest first.
    pub const ALL: [Self; 4] = [Self::Breaking, Self::Undecided, Self::Warning, Self::Info];

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Undecided => "undecided",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A node of a document, for a reader and for a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The document as the user named it.
    pub document: String,
    /// JSON pointer of the node; its nearest existing ancestor where the node itself is missing.
    pub pointer: String,
    /// JSON pointer of the same node in the model, where a document of several files or of OpenAPI 2.0 has it elsewhere.
    #[serde(skip)]
    pub node: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The place of the node at `pointer`, or of its nearest existing ancestor.
    pub fn of(document: &Document, pointer: &str) -> Self {
        let mut existing = pointer;
        while !existing.is_empty() && document.at(existing).is_none() {
            existing = crate::document::pointer::parent(existing);
        }
        let (name, pointer, position) = document.whereabouts(existing);
        Self {
            document: name.to_owned(),
            pointer,
            node: existing.to_owned(),
            line: position.line,
            column: position.column,
        }
    }
}

/// A request and its response as they went over the wire, secrets redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRecord {
    /// The request line, headers and body, as text.
    pub request: String,
    /// The status line, headers and body, as text; absent when there was no answer.
    #[serde(default, with = "text")]
    pub response: Option<Arc<str>>,
    /// A command that sends the same request again.
    pub curl: String,
    /// The request for a program that sends it again.
    pub sent: SentRequest,
    /// The case that the response was judged by; none where the exchange was only recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseRecord>,
}

/// A text that several records share.
mod text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        text: &Option<Arc<str>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        text.as_deref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<str>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.map(Arc::from))
    }
}

/// One of the two documents of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The first: the earlier version, or the source document.
    Old,
    /// The second: the later version, or the emitted document.
    New,
}

impl Side {
    /// The other document.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
        }
    }
}

/// The relation of the documents of a run; it decides how reports name them, and whether they advise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Two versions of one API, which differ on purpose: *old* and *new*.
    Versions,
    /// A source document and what is emitted, which must agree: *documented* and *emitted*, with advice.
    Lockstep,
    /// There is one document only.
    Single,
}

/// Which value a witness is, and which document allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The operation that the value belongs to, such as `POST /webhooks (createWebhook)`.
    pub subject: String,
    /// The part of the operation that carries the value, such as `request body`.
    pub part: String,
    /// The document that allows the value.
    pub accepted_by: Side,
    /// The document that rejects the value.
    pub refused_by: Side,
    /// JSON pointer within the value to what matters.
    pub at: String,
}

impl Proof {
    /// A value that is `part` of `subject` and that only `accepted_by` allows, because of what it has at the JSON pointer `at`.
    pub fn new(subject: &str, part: &str, accepted_by: Side, at: String) -> Self {
        Self {
            subject: subject.to_owned(),
            part: part.to_owned(),
            accepted_by,
            refused_by: accepted_by.other(),
            at,
        }
    }
}

/// One deviation. `report::words` makes a sentence of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable id of the rule, in kebab-case.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The subject, such as `POST /webhooks (createWebhook)`.
    pub subject: String,
    /// The difference, or the fault.
    pub message: Message,
    /// The place in the old document, or in the only one.
    pub old: Option<Place>,
    /// The place in the new document.
    pub new: Option<Place>,
    /// The people affected, and how.
    pub effect: Option<Effect>,
    /// How the change comes to have this effect.
    pub turned: Turned,
    /// Why it is not known whether anybody is.
    pub undecided: Option<Undecided>,
    /// A value that proves the finding.
    pub witness: Option<Value>,
    /// Facts about the witness, where two schemas were compared.
    pub proof: Option<Proof>,
    /// The exchange that proves the finding.
    pub exchange: Option<ExchangeRecord>,
    /// The exchange that showed it first, where `exchange` is a smaller one.
    pub original: Option<Box<ExchangeRecord>>,
    /// The users of the place, where it is shared.
    pub used_by: Users,
    /// The parameter or header that the place is in, such as ``query parameter `limit` ``.
    pub part: Option<String>,
    /// How many requests showed it, where it was looked for with several.
    pub cases: usize,
}

impl Finding {
    /// A finding with neither places nor proof.
    pub fn new(
        rule: &'static str,
        severity: Severity,
        subject: impl Into<String>,
        message: impl Into<Message>,
    ) -> Self {
        Self {
            rule,
            severity,
            subject: subject.into(),
            message: message.into(),
            old: None,
            new: None,
            effect: None,
            turned: Turned::No,
            undecided: None,
            witness: None,
            proof: None,
            exchange: None,
            original: None,
            used_by: Users::default(),
            part: None,
            cases: 1,
        }
    }
}

/// The users of a shared place: a tree from subjects over their parts to the components on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Users {
    /// How many subjects use it, those that are not named included.
    pub count: usize,
    /// The first of them, in document order.
    pub tree: Vec<User>,
}

impl Users {
    /// Whether nobody else uses it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The subjects that are named, where there is more than one that uses it.
    pub fn others(&self) -> Vec<&str> {
        let several = self.tree.iter().filter(|_| self.count > 1);
        several.map(|user| user.subject.as_str()).collect()
    }

    /// Adds a subject of which nothing else is known.
    pub fn add(&mut self, subject: String) {
        self.count += 1;
        self.tree.push(User {
            subject,
            uses: Vec::new(),
        });
    }
}

/// A subject that uses a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Such as `POST /webhooks (createWebhook)`.
    pub subject: String,
    /// How it does, as far as that is known: the shortest way from each of its parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
}

/// A way from a part of a subject to a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Use {
    /// Such as `request body`; empty where the subject as a whole is meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// The components on the way, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
}

impl Use {
    /// The way in one line, such as `request body > Order > Item`.
    pub fn line(&self) -> String {
        let part = (!self.part.is_empty()).then_some(&self.part);
        let steps: Vec<&str> = part
            .into_iter()
            .chain(&self.through)
            .map(String::as_str)
            .collect();
        steps.join(" > ")
    }
}

/// Why a run has no result: it compared nothing, sent nothing, or was not let in.
#[derive(Debug, Clone, PartialEq)]
pub enum Unchecked {
    /// The documents have no operation, no webhook and no schema.
    Empty,
    /// The patterns of `--include` and `--exclude` leave no operation.
    Excluded,
    /// Each pair has only one document, and there is no merge base to compare it with.
    NoBase,
    /// The document has this many operations, and none of them has a sample.
    NoSamples {
        /// How many operations there are.
        operations: usize,
    },
    /// The document has neither webhooks nor callbacks.
    NoWebhooks,
    /// No operation creates or lists anything, so there is no sequence to send.
    NoFlows,
    /// The document has this many samples, and none of them could be sent.
    NothingSent {
        /// How many samples there are.
        samples: usize,
    },
    /// No request could be made for any of this many operations.
    NoRequests {
        /// How many operations there are.
        operations: usize,
        /// Whether only requests were wanted that change nothing.
        safe: bool,
    },
    /// The server answered none of the requests.
    NoAnswer {
        /// How many requests there were.
        requests: usize,
        /// Why the last one was not answered.
        cause: String,
    },
    /// The server answered every request with 404 or the like, also where no id was wrong.
    Elsewhere {
        /// How many requests there were.
        requests: usize,
        /// The base URL.
        server: String,
        /// The same with the path of a server URL of the document, where it has none of its own.
        other: Option<String>,
    },
    /// The server answered every request with 401 or 403.
    Unauthorized {
        /// How many requests there were.
        requests: usize,
        /// How to give the credentials that the operations need and that were not given.
        missing: Vec<String>,
    },
    /// None of the entries of an HTTP Archive belongs to an operation of the document.
    NothingRecorded {
        /// How many entries there are.
        exchanges: usize,
    },
    /// No delivery arrived.
    NoDelivery {
        /// The URL that was waited at.
        url: String,
        /// For how many seconds.
        seconds: f64,
    },
    /// The run was stopped before everything was sent.
    Stopped {
        /// How many requests were sent.
        requests: usize,
    },
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No finding is as severe as the threshold.
    Conforms,
    /// At least one finding is.
    Deviates,
    /// Nothing was compared or sent, so there is no result.
    NothingChecked,
}

impl Verdict {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Deviates => "deviates",
            Self::NothingChecked => "nothing checked",
        }
    }
}
