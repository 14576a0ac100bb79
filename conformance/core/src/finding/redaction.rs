//! Hiding secrets in what findings about exchanges say.

use serde_json::Value;

use super::{Broken, Failure, ReplayFault, StepFailure, Unreplayable, Unwritable, Violation};

impl ReplayFault {
    /// Replaces secrets in everything that came from a server or was sent to it.
    pub fn redact(&mut self, hide: &dyn Fn(&str) -> String) {
        let text = |text: &mut String| *text = hide(text);
        match self {
            Self::NoResponse { failure, .. }
            | Self::NotCreated {
                reason: StepFailure::NoResponse { failure },
                ..
            } => match failure {
                Failure::Connect { cause } | Failure::Broken { cause } => text(cause),
                Failure::Timeout { .. } | Failure::TooLarge { .. } | Failure::Interrupted => {}
            },
            Self::NotReplayable {
                reason: Unreplayable::Unwritable { reason },
                ..
            }
            | Self::NotCreated {
                reason: StepFailure::Unwritable { reason },
                ..
            } => match reason {
                Unwritable::Method { method: other }
                | Unwritable::Url { url: other, .. }
                | Unwritable::HeaderName { name: other }
                | Unwritable::HeaderValue { name: other }
                | Unwritable::Other { cause: other } => text(other),
            },
            Self::Header {
                value, violation, ..
            } => {
                value.iter_mut().for_each(text);
                violation.redact(hide);
            }
            Self::Body { violation, .. } | Self::Sample { violation } => violation.redact(hide),
            Self::NeverAccepted { words, .. } => words.iter_mut().for_each(text),
            Self::HeaderNotJson { cause, .. } | Self::BodyNotJson { cause, .. } => text(cause),
            Self::ContentType { found, .. } | Self::Location { found, .. } => {
                found.iter_mut().for_each(text);
            }
            Self::Allow { found, .. } => found.iter_mut().flatten().for_each(text),
            Self::NotNegotiated { found, .. } => text(found),
            Self::BodyEncoded { encoding, .. } => text(encoding),
            Self::Shape { at, .. } | Self::Undeclared { at, .. } => text(at),
            Self::Echo {
                at, found, sent, ..
            } => {
                text(at);
                redact(found, hide);
                redact(sent, hide);
            }
            Self::Status { .. }
            | Self::HeaderMissing { .. }
            | Self::BodyMissing { .. }
            | Self::BodyUnexpected { .. }
            | Self::BodyNotUtf8 { .. }
            | Self::BodyCharset { .. }
            | Self::NotRefused { .. }
            | Self::NotAccepted { .. }
            | Self::Unobserved { .. }
            | Self::Unknown { .. }
            | Self::Head { .. }
            | Self::Slow { .. }
            | Self::NoValue { .. }
            | Self::MoreViolations { .. }
            | Self::UnusableSchema { .. }
            | Self::NoSamples
            | Self::Unchecked { .. }
            | Self::NotReplayable { .. }
            | Self::Recipe { .. }
            | Self::NotCreated { .. } => {}
        }
    }
}

impl Violation {
    fn redact(&mut self, hide: &dyn Fn(&str) -> String) {
        self.at = hide(&self.at);
        match &mut self.broken {
            Broken::Unexpected { name } => *name = hide(name),
            Broken::Value { expected, found } => {
                expected.iter_mut().for_each(|value| redact(value, hide));
                redact(found, hide);
            }
            Broken::Missing { .. } | Broken::Alternatives { .. } => {}
        }
    }
}

pub(super) fn redact(value: &mut Value, hide: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = hide(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, hide)),
        Value::Object(members) => members.values_mut().for_each(|member| redact(member, hide)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
