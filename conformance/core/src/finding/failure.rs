//! Why there is no complete response, and why something was not created or deleted, as data.

use serde::Serialize;

use super::Unwritable;

/// Why there is no complete response.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Failure {
    /// No connection was made.
    Connect {
        /// The error of the operating system.
        cause: String,
    },
    /// The time was over.
    Timeout {
        /// The limit.
        seconds: f64,
    },
    /// The body is larger than what is read.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// This side ended the exchange, as the run was stopped.
    Interrupted,
    /// The connection broke.
    Broken {
        /// The error of the client.
        cause: String,
    },
}

/// Why something was not created, or not deleted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StepFailure {
    /// There was no complete response.
    NoResponse {
        /// Why not.
        failure: Failure,
    },
    /// The response is not a successful one.
    Status {
        /// Its status.
        status: u16,
    },
    /// The response does not say what was created.
    NoId {
        /// The parameter that needs the id.
        name: String,
    },
    /// The request cannot be written as HTTP.
    Unwritable {
        /// Why not.
        reason: Unwritable,
    },
    /// The document has no operation for it.
    NoOperation,
}
