//! A request of a flow, and its answer.

use serde_json::Value;

use crate::exchange::Exchange;
use crate::finding::StepFailure;

/// How much of a response stands in a finding, in characters.
const SHOWN: usize = 200;

/// The user whose credentials a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    First,
    Second,
}

/// A request to make: what differs from the plain call of the operation.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) operation: usize,
    /// The values of the path parameters in order, percent-encoded.
    pub(super) path: Vec<String>,
    /// The body; the documented one where there is none.
    pub(super) body: Option<Value>,
    /// Decoded names and values.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    /// The URL in the place of the operation's.
    pub(super) url: Option<String>,
    pub(super) user: User,
}

impl Call {
    pub(super) fn new(operation: usize, path: &[String]) -> Self {
        Self {
            operation,
            path: path.to_vec(),
            body: None,
            query: Vec::new(),
            headers: Vec::new(),
            url: None,
            user: User::First,
        }
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn by(mut self, user: User) -> Self {
        self.user = user;
        self
    }
}

/// An exchange of a flow.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) exchange: Exchange,
    /// 0 where there is no complete response.
    pub(super) status: u16,
    /// The body where it is JSON.
    pub(super) body: Option<Value>,
}

impl Answer {
    pub(super) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.status, 404 | 410)
    }

    /// The values of a header as text.
    pub(super) fn header(&self, name: &str) -> Vec<String> {
        let response = self.exchange.response.iter();
        let values = response.flat_map(|response| response.header(name));
        values
            .filter_map(|value| String::from_utf8(value.to_vec()).ok())
            .collect()
    }

    /// How the server refused.
    pub(super) fn failure(&self) -> StepFailure {
        match &self.exchange.failure {
            Some(failure) => StepFailure::NoResponse {
                failure: failure.clone(),
            },
            None => StepFailure::Status {
                status: self.status,
            },
        }
    }

    /// How the body begins, in one line.
    pub(super) fn words(&self) -> Option<String> {
        let body = &self.exchange.response.as_ref()?.body;
        let text = String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]).into_owned();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = line.chars().take(SHOWN).collect();
        (!short.is_empty()).then_some(short)
    }
}

/// Something that the run created and did not delete yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) resource: usize,
    pub(super) path: Vec<String>,
}
