//! Requests as reports keep them, so that a later run can send them again and judge the answers.

use serde::{Deserialize, Serialize};

/// A request with names in the places of secrets. Texts are templates: `${NAME}` stands for a credential, `${NAME[..-1]}` for one without
/// its last byte, `${NAME[-2..]}` for its last two bytes, `${base64:...}` for the Base64 form of a template, and `${$}` for `$`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers in order, without those that the client adds: `Host` and `Content-Length`.
    pub headers: Vec<HeaderRecord>,
    /// The body where it is UTF-8; a template as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body where it is not UTF-8; absent where it has a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// A header of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderRecord {
    /// Its name as it was written.
    pub name: String,
    /// Its value; a template.
    pub value: String,
}

/// The purpose of a request: the case that its response is judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseRecord {
    /// The name of the sample or generated case.
    pub sample: String,
    /// JSON pointer of what gave rise to it in the document.
    pub at: String,
    /// The documented status that should answer it: `201`, `2XX` or `default`.
    pub expected: String,
    /// The expected reaction of the server, such as `valid` or `refused-invalid`.
    pub intent: String,
    /// The path parameters whose values the run found out, most often by creating something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub created: Vec<String>,
    /// The sequence of requests that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowRecord>,
}

/// A sequence of operations, which shows its faults only as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowRecord {
    /// The resource whose life it is; empty where the sequence is that of a file.
    pub resource: String,
    /// The number that decided which values were sent.
    pub seed: u64,
    /// The parts of the life that are left, besides the creation, where it was made shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<FlowPart>>,
    /// Whether the values of its bodies are the plainest that the schemas allow, as the document has them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// The members that its bodies lack, as the fault shows without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The requests before the one that shows the fault, where the sequence was made shorter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<FlowStep>,
    /// The part that showed the fault first.
    #[serde(skip)]
    pub shown_in: Option<FlowPart>,
}

/// A part of the life of a resource, after the creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowPart {
    /// What was created is where `Location` says.
    Location,
    /// It is read, twice.
    Read,
    /// It is looked for in the list.
    List,
    /// Others are created: with values that are easily misread, and without the members that have a default.
    Defaults,
    /// More are created, and the list is read page by page.
    Pages,
    /// The list is asked for some of the items, and for another order.
    Filters,
    /// Its members are updated one by one.
    Updates,
    /// It is replaced.
    Replacement,
    /// A second user tries to read, list, change and delete it.
    SecondUser,
    /// Another one is created twice with the same idempotency key.
    Keys,
    /// It is read below another thing than that it was created below.
    Parent,
    /// Another one is created with the same id.
    Duplicate,
    /// Invalid requests, which have no effect where they are refused.
    Refusals,
    /// It is changed on a condition that it does not meet.
    Conditions,
    /// It is deleted and looked for, updated and deleted again.
    Deletion,
}

impl FlowPart {
    /// All parts in the order of the life.
    pub const ALL: [Self; 15] = [
        Self::Location,
        Self::Read,
        Self::List,
        Self::Pages,
        Self::Defaults,
        Self::Filters,
        Self::Updates,
        Self::Replacement,
        Self::SecondUser,
        Self::Keys,
        Self::Parent,
        Self::Duplicate,
        Self::Refusals,
        Self::Conditions,
        Self::Deletion,
    ];
}

/// A request of a sequence before the one that shows the fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowStep {
    /// The method and the URL.
    pub request: String,
    /// The status of the response; none where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A command that sends the same request again.
    pub curl: String,
}
