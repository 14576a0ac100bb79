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
}
