//! Faults of an accepted finding, as data.

use serde::Serialize;

/// A fault of an entry of a list of accepted findings.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum BaselineFault {
    /// It accepts a finding that is not there any more.
    Stale {
        /// The finding that it accepts.
        accepted: Acceptance,
    },
    /// It accepted a finding until a date that is over.
    Expired {
        /// The finding that it accepts.
        accepted: Acceptance,
        /// The last day that it counted.
        until: String,
    },
}

/// An accepted finding, as far as the list says what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Why it was accepted.
    pub reason: String,
    /// The person or team responsible for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The rule of the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The subject of the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Where the finding was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}
