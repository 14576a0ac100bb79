//! What is wrong with a server's response, or with a sample, as data. `report::words::replay` makes sentences of it.

use serde::Serialize;

/// What is wrong with an exchange, or why there was none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ReplayFault {
    /// The response has another status than the one that the sample stands under.
    Status {
        /// The name of the sample.
        sample: String,
        /// The documented status.
        expected: String,
        /// The status of the response.
        found: u16,
    },
}

impl ReplayFault {
    /// The sample that it is about.
    pub fn sample(&self) -> Option<&str> {
        match self {
            Self::Status { sample, .. } => Some(sample),
        }
    }

    /// Replaces secrets in everything that came from a server or was sent to it.
    pub fn redact(&mut self, _hide: &dyn Fn(&str) -> String) {
        match self {
            Self::Status { .. } => {}
        }
    }
}
