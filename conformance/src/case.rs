//! Case: a request to make and what the document promises for it. Samples become cases; the run turns a case into an exchange.

pub mod form;
pub mod serialize;

use serde_json::Value;

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
    /// Documented status that answers it: `201`, `2XX` or `default`.
    pub expected: String,
    pub answer: Option<Answer>,
    pub intent: Intent,
}

/// What a request is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To get the answer that the document has for a sample.
    Sample,
    /// The document allows it, so the server should accept it.
    Valid,
    /// The document does not allow it, so the server should refuse it: with one of these statuses, or with any 4xx where none is named.
    Refused(&'static [u16]),
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
