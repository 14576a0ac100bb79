//! Case: a request to make and what the document promises for it. Samples become cases; the run turns a case into an exchange.

mod change;
pub mod form;
pub mod key;
pub mod route;
pub mod serialize;

use serde_json::Value;

use crate::document::Operation;
use crate::finding::CaseRecord;

pub use change::{Change, Place, Tamper, UNKNOWN};

/// A request to make and what is promised.
#[derive(Debug, Clone)]
pub struct Case {
    /// The operation as findings name it, e.g. `POST /webhooks (createWebhook)`.
    pub operation: String,
    /// Pointer of the operation in the document.
    pub pointer: String,
    /// Name of the sample; `example` where it has none.
    pub sample: String,
    /// Pointer of the sample that gave rise to this case, for the place of its findings.
    pub at: String,
    pub method: String,
    /// Path template as documented, e.g. `/webhooks/{webhookId}`.
    pub template: String,
    pub path: Vec<PathValue>,
    /// Decoded name and percent-encoded value, in order.
    pub query: Vec<(String, String)>,
    /// Query parameters as the sample gives them, before serialising.
    pub inputs: Vec<(String, Value)>,
    /// Headers that the document gives; those of the command line replace them.
    pub headers: Vec<(String, String)>,
    /// Headers that `x-replay` sets, or removes where there is no value; these replace those of the command line.
    pub overrides: Vec<(String, Option<String>)>,
    pub body: Option<Body>,
    /// Whether to leave credentials out.
    pub anonymous: bool,
    /// The changes to the complete request, which has the headers of the command line.
    pub changes: Vec<Change>,
    /// Documented status that answers it: `201`, `2XX` or `default`.
    pub expected: String,
    pub answer: Option<Answer>,
    pub intent: Intent,
    /// The name of the case whose request this one changes further, where that is not the one that all start from.
    pub builds_on: Option<String>,
}

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To get the answer that the document has for a sample.
    Sample,
    /// The document allows it, so the server should accept it.
    Valid,
    /// The document does not say whether it is allowed: any documented answer will do.
    Open,
    /// The document does not allow it, so the server should refuse it.
    Refused(Refusal),
    /// Its path cannot be decoded: any status below 500 will do, as most servers refuse it before an operation has a say.
    Unreadable,
    /// `HEAD` where the document has only `GET`.
    Head,
    /// `OPTIONS` where the document does not have it.
    Options,
}

impl Intent {
    /// All intents.
    const ALL: [Self; 11] = [
        Self::Sample,
        Self::Valid,
        Self::Open,
        Self::Refused(Refusal::Invalid),
        Self::Refused(Refusal::MediaType),
        Self::Refused(Refusal::Credentials),
        Self::Refused(Refusal::WrongCredentials),
        Self::Refused(Refusal::Method),
        Self::Unreadable,
        Self::Head,
        Self::Options,
    ];

    /// The word of reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Valid => "valid",
            Self::Open => "open",
            Self::Refused(Refusal::Invalid) => "refused-invalid",
            Self::Refused(Refusal::MediaType) => "refused-media-type",
            Self::Refused(Refusal::Credentials) => "refused-credentials",
            Self::Refused(Refusal::WrongCredentials) => "refused-wrong-credentials",
            Self::Refused(Refusal::Method) => "refused-method",
            Self::Unreadable => "unreadable",
            Self::Head => "head",
            Self::Options => "options",
        }
    }

    /// The intent of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|intent| intent.word() == word)
    }
}

/// Why a request should be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A value breaks its schema, or is missing, or cannot be read.
    Invalid,
    /// The body has a content type that the operation does not take.
    MediaType,
    /// A credential is missing.
    Credentials,
    /// A credential is wrong.
    WrongCredentials,
    /// The path does not have the method.
    Method,
}

impl Refusal {
    /// The statuses that say so; any 4xx where there are none.
    #[must_use]
    pub fn statuses(self) -> &'static [u16] {
        match self {
            Self::Invalid => &[],
            Self::MediaType => &[415],
            Self::Credentials | Self::WrongCredentials => &[401, 403],
            Self::Method => &[405],
        }
    }
}

/// A value for a parameter of the path template.
#[derive(Debug, Clone)]
pub struct PathValue {
    pub name: String,
    /// As the document gives it, before serialising.
    pub documented: Option<Value>,
    /// As it stands in the URL, percent-encoded.
    pub literal: Option<String>,
    /// Whether the run should create something and use its id, where it can.
    pub create: bool,
}

/// A request body as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Body {
    pub content_type: Option<String>,
    pub bytes: Vec<u8>,
    /// The value that `bytes` is the serialisation of; `None` for raw bytes.
    pub value: Option<Value>,
}

/// The documented sample of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub value: Value,
    /// Pointer of the value in the document.
    pub pointer: String,
    pub media_type: String,
}

impl Case {
    /// A call of an operation without parameters and body. `expected` is the documented status that answers it.
    #[must_use]
    pub fn new(operation: &Operation<'_>, sample: String, expected: &str) -> Self {
        Self {
            operation: operation.subject(),
            pointer: operation.pointer.clone(),
            sample,
            at: operation.pointer.clone(),
            method: operation.method.clone(),
            template: operation.path.to_owned(),
            path: Vec::new(),
            query: Vec::new(),
            inputs: Vec::new(),
            headers: Vec::new(),
            overrides: Vec::new(),
            body: None,
            anonymous: false,
            changes: Vec::new(),
            expected: expected.to_owned(),
            answer: None,
            intent: Intent::Sample,
            builds_on: None,
        }
    }

    /// The case as reports keep it. `path` are the values that were sent, percent-encoded or not.
    #[must_use]
    pub fn record(&self, path: &[(String, String)]) -> CaseRecord {
        let was_found = |(name, value): &&(String, String)| {
            let own = self.path.iter().find(|one| one.name == *name);
            let literal = own.and_then(|one| one.literal.as_deref());
            own.is_none_or(|one| one.create)
                && literal
                    .is_none_or(|literal| serialize::decode(literal) != serialize::decode(value))
        };
        CaseRecord {
            sample: self.sample.clone(),
            at: self.at.clone(),
            expected: self.expected.clone(),
            intent: self.intent.word().to_owned(),
            created: path
                .iter()
                .filter(was_found)
                .map(|(name, _)| name.clone())
                .collect(),
            flow: None,
        }
    }

    /// Makes the changes of the case to a complete request: pairs of the query, with encoded values, and headers.
    pub fn change(&self, query: &mut Vec<(String, String)>, headers: &mut Vec<(String, String)>) {
        for change in &self.changes {
            change.make(query, headers);
        }
    }

    /// The case without its changes, where one of them may leave the credential as it was.
    #[must_use]
    pub fn unchanged(&self) -> Option<Self> {
        let other_case = |change: &Change| {
            matches!(
                change,
                Change::Credential {
                    tamper: Tamper::OtherCase,
                    ..
                }
            )
        };
        self.changes.iter().any(other_case).then(|| {
            let mut same = self.clone();
            same.changes.retain(|change| !other_case(change));
            same
        })
    }

    /// Whether a 2xx answer is promised.
    #[must_use]
    pub fn succeeds(&self) -> bool {
        is_success(&self.expected)
    }

    /// The sample as findings name it, with the status that should answer it.
    #[must_use]
    pub fn title(&self) -> String {
        format!("sample `{}` ({})", self.sample, self.expected)
    }
}

/// Whether a documented status key (`200`, `2XX`) stands for success.
#[must_use]
pub fn is_success(status: &str) -> bool {
    status.starts_with('2')
}
