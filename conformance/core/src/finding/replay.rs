//! Faults in a server's response, or in a sample, as data. `report::words::replay` makes sentences of it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{
    Echoed, Failure, RecipeProblem, ShapeDifference, StepFailure, Undecided, Unreplayable,
    Violation,
};

/// A fault of an exchange or a sample, or the reason why there was no exchange.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ReplayFault {
    /// There was no complete response.
    NoResponse {
        /// The name of the sample.
        sample: String,
        /// Why not.
        failure: Failure,
    },
    /// The response has another status than the one that the sample is documented under.
    Status {
        /// The name of the sample.
        sample: String,
        /// The status that the sample is documented under.
        expected: String,
        /// The status of the response.
        found: u16,
        /// The documented statuses, where this is not one of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        documented: Option<Vec<String>>,
        /// The security schemes that the operation needs, where the request was refused and had no credential.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        credentials: Vec<String>,
    },
    /// A required header is missing.
    HeaderMissing {
        /// The name of the sample.
        sample: String,
        /// The name of the header.
        header: String,
    },
    /// A header violates its schema.
    Header {
        /// The name of the sample.
        sample: String,
        /// The name of the header.
        header: String,
        /// Its value, unless that is secret.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        /// The fault.
        violation: Violation,
    },
    /// A header with `content` is not JSON.
    HeaderNotJson {
        /// The name of the sample.
        sample: String,
        /// The name of the header.
        header: String,
        /// The error of the parser.
        cause: String,
    },
    /// The content type is missing, given several times, or not one of those documented.
    ContentType {
        /// The name of the sample.
        sample: String,
        /// The values of the header.
        found: Vec<String>,
        /// The documented media types; none where no content is documented.
        documented: Vec<String>,
    },
    /// There is no body where one is documented.
    BodyMissing {
        /// The name of the sample.
        sample: String,
        /// The documented media types.
        documented: Vec<String>,
    },
    /// There is a body where none is documented.
    BodyUnexpected {
        /// The name of the sample.
        sample: String,
        /// The status of the response.
        status: u16,
        /// Its length; none where it comes in chunks.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    },
    /// The body has a content encoding, such as gzip, that the request did not ask for.
    BodyEncoded {
        /// The name of the sample.
        sample: String,
        /// The encoding.
        encoding: String,
    },
    /// The body is not UTF-8.
    BodyNotUtf8 {
        /// The name of the sample.
        sample: String,
        /// The first byte that is not.
        byte: usize,
    },
    /// The body is not text in the charset that its content type declares.
    BodyCharset {
        /// The name of the sample.
        sample: String,
        /// The charset.
        charset: String,
        /// Whether there is such a charset.
        known: bool,
    },
    /// The body is not JSON.
    BodyNotJson {
        /// The name of the sample.
        sample: String,
        /// The error of the parser.
        cause: String,
    },
    /// The body violates its schema.
    Body {
        /// The name of the sample.
        sample: String,
        /// The fault.
        violation: Violation,
    },
    /// The body violates its schema in more places than are reported one by one.
    MoreViolations {
        /// The name of the sample.
        sample: String,
        /// How many more.
        count: usize,
    },
    /// The body has another shape than the documented sample.
    Shape {
        /// The name of the sample.
        sample: String,
        /// JSON pointer into the body.
        at: String,
        /// The differences there.
        difference: ShapeDifference,
        /// In how many more items of a list it differs likewise.
        more: usize,
    },
    /// A value that the documented sample repeats from its request is not the one that was sent.
    Echo {
        /// The name of the sample.
        sample: String,
        /// JSON pointer into the body.
        at: String,
        /// The value in the body.
        found: Value,
        /// Where the sample repeats it from.
        source: Echoed,
        /// The value that was sent.
        sent: Value,
        /// In how many more places it is not repeated.
        more: usize,
    },
    /// A request that the document does not allow was not refused as it should be.
    NotRefused {
        /// The name of the case.
        sample: String,
        /// The status of the response.
        found: u16,
        /// The statuses that it should be refused with; any 4xx where there are none.
        expected: Vec<u16>,
    },
    /// A request that the document allows was refused.
    NotAccepted {
        /// The name of the case.
        sample: String,
        /// The status of the response.
        found: u16,
    },
    /// The `Allow` header of a response is missing, or does not fit the documented methods.
    Allow {
        /// The name of the case.
        sample: String,
        /// The methods that it names; none where there is no such header.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<Vec<String>>,
        /// The documented methods that it does not name.
        missing: Vec<String>,
        /// The method that it names although it was just refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// Recorded requests that no operation describes.
    Unknown {
        /// How many there are.
        requests: usize,
        /// Whether the document has the path, with other methods.
        method_is_missing: bool,
    },
    /// `HEAD` was answered with a status that does not fit `GET`.
    Head {
        /// The name of the case.
        sample: String,
        /// The status of the response.
        found: u16,
    },
    /// The response has another media type than the request accepts.
    NotNegotiated {
        /// The name of the case.
        sample: String,
        /// The media type that the request accepts.
        accepted: String,
        /// The media type of the response.
        found: String,
    },
    /// The `Location` header cannot be followed.
    Location {
        /// The name of the case.
        sample: String,
        /// The values of the header.
        found: Vec<String>,
    },
    /// The body has a member that its schema does not declare.
    Undeclared {
        /// The name of the case.
        sample: String,
        /// JSON pointer of the member in the body.
        at: String,
        /// In how many more items of a list there is such a member.
        more: usize,
    },
    /// The response took too long.
    Slow {
        /// The name of the case.
        sample: String,
        /// The limit in seconds.
        limit: f64,
    },
    /// No request of an operation can be generated.
    NoValue {
        /// The part that there is no value for, such as `query parameter limit`.
        part: String,
        /// Whether there certainly is none.
        proven: bool,
        /// Whether requests can do without it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        optional: bool,
    },
    /// No request to an operation was accepted.
    NeverAccepted {
        /// How many requests there were.
        requests: usize,
        /// The status of the last response.
        #[serde(skip_serializing_if = "Option::is_none")]
        last: Option<u16>,
        /// The beginning of its body.
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// Something that had to be observed was not.
    Unobserved {
        /// The thing.
        what: Unobserved,
    },
    /// A sample of the document violates its own schema.
    Sample {
        /// The fault.
        violation: Violation,
    },
    /// A schema cannot be used, so that nothing was validated against it.
    UnusableSchema {
        /// Why not.
        reason: Undecided,
    },
    /// An operation has no sample.
    NoSamples,
    /// A sample could not be sent, as there is no value for a path parameter.
    Unchecked {
        /// The name of the sample.
        sample: String,
        /// The name of the parameter.
        parameter: String,
    },
    /// A sample cannot be made into a request.
    NotReplayable {
        /// The name of the sample.
        sample: String,
        /// Why not.
        reason: Unreplayable,
    },
    /// The `x-replay` of a sample cannot be followed.
    Recipe {
        /// The name of the sample.
        sample: String,
        /// The fault.
        problem: RecipeProblem,
    },
    /// The server did not create what other samples need.
    NotCreated {
        /// The name of the sample that should create it.
        sample: String,
        /// Why it did not.
        reason: StepFailure,
        /// How many samples need it.
        samples: usize,
    },
}

/// Something of an operation that a run did not observe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Unobserved {
    /// No request was sent to it.
    Operation,
    /// No response had this documented status.
    Status {
        /// The status as documented, such as `404` or `4XX`.
        status: String,
    },
    /// The sample was not sent.
    Sample {
        /// Its name.
        sample: String,
    },
}

/// A sample that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentSample {
    /// The operation as findings name it; one text for all samples of an operation, as there may be thousands.
    pub operation: Arc<str>,
    /// The name of the sample.
    pub sample: Box<str>,
}

impl ReplayFault {
    /// The sample that it is about.
    pub fn sample(&self) -> Option<&str> {
        match self {
            Self::NoResponse { sample, .. }
            | Self::Status { sample, .. }
            | Self::HeaderMissing { sample, .. }
            | Self::Header { sample, .. }
            | Self::HeaderNotJson { sample, .. }
            | Self::ContentType { sample, .. }
            | Self::BodyMissing { sample, .. }
            | Self::BodyUnexpected { sample, .. }
            | Self::BodyEncoded { sample, .. }
            | Self::BodyNotUtf8 { sample, .. }
            | Self::BodyCharset { sample, .. }
            | Self::NotRefused { sample, .. }
            | Self::Allow { sample, .. }
            | Self::Head { sample, .. }
            | Self::NotNegotiated { sample, .. }
            | Self::Location { sample, .. }
            | Self::Undeclared { sample, .. }
            | Self::Slow { sample, .. }
            | Self::NotAccepted { sample, .. }
            | Self::BodyNotJson { sample, .. }
            | Self::Body { sample, .. }
            | Self::MoreViolations { sample, .. }
            | Self::Shape { sample, .. }
            | Self::Echo { sample, .. }
            | Self::Unchecked { sample, .. }
            | Self::NotReplayable { sample, .. }
            | Self::Recipe { sample, .. }
            | Self::NotCreated { sample, .. } => Some(sample),
            Self::Sample { .. }
            | Self::UnusableSchema { .. }
            | Self::NoSamples
            | Self::Unobserved { .. }
            | Self::Unknown { .. }
            | Self::NoValue { .. }
            | Self::NeverAccepted { .. } => None,
        }
    }
}
