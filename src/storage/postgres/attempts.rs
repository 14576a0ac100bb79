//! Results of attempts as they are written: one row each, and by columns as a statement takes them.

use std::sync::Arc;

use serde::Serialize;

use super::{Result, rows};
use crate::domain::Outcome;
use crate::storage::StoreError;
use crate::storage::queue::AttemptResult;

/// A result as it is written.
pub(super) struct ResultRow {
    pub(super) result: Arc<AttemptResult>,
    request_headers: String,
    response_headers: String,
    pub(super) error: Option<String>,
}

impl ResultRow {
    pub(super) fn new(result: Arc<AttemptResult>) -> Result<Self> {
        let error = match &result.attempt.outcome {
            Outcome::Refused(reason) | Outcome::Failed { reason, .. } => {
                Some(rows::text(reason).into_owned())
            }
            Outcome::Answered { .. } | Outcome::TimedOut { .. } => None,
        };
        Ok(Self {
            request_headers: json(&result.attempt.request_headers)?,
            response_headers: json(&result.attempt.response_headers)?,
            error,
            result,
        })
    }

    pub(super) fn outcome(&self) -> &'static str {
        match &self.result.attempt.outcome {
            Outcome::Answered { .. } => "answered",
            Outcome::TimedOut { .. } => "timed-out",
            Outcome::Refused(_) => "refused",
            Outcome::Failed { .. } => "failed",
        }
    }

    pub(super) fn status(&self) -> Option<i32> {
        match &self.result.attempt.outcome {
            Outcome::Answered { status, .. } => Some(i32::from(*status)),
            Outcome::TimedOut { status } | Outcome::Failed { status, .. } => status.map(i32::from),
            Outcome::Refused(_) => None,
        }
    }

    pub(super) fn retry_after(&self) -> Option<i64> {
        match &self.result.attempt.outcome {
            Outcome::Answered { retry_after, .. } => {
                retry_after.map(|wait| i64::from(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)))
            }
            Outcome::TimedOut { .. } | Outcome::Refused(_) | Outcome::Failed { .. } => None,
        }
    }

    pub(super) fn number(&self) -> i32 {
        i32::try_from(self.result.attempt.number).unwrap_or(i32::MAX)
    }
}

fn json<T: Serialize>(headers: &[T]) -> Result<String> {
    serde_json::to_string(headers).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Attempts by columns, as a statement takes them.
#[derive(Default)]
pub(super) struct Attempts<'a> {
    pub(super) delivery: Vec<i64>,
    pub(super) number: Vec<i32>,
    pub(super) started_at: Vec<i64>,
    pub(super) queue_us: Vec<i64>,
    pub(super) connect_us: Vec<Option<i64>>,
    pub(super) first_byte_us: Vec<Option<i64>>,
    pub(super) total_us: Vec<i64>,
    pub(super) request_headers: Vec<&'a str>,
    pub(super) outcome: Vec<&'static str>,
    pub(super) status: Vec<Option<i32>>,
    pub(super) retry_after_s: Vec<Option<i64>>,
    pub(super) error: Vec<Option<&'a str>>,
    pub(super) response_body: Vec<&'a [u8]>,
    pub(super) response_truncated: Vec<bool>,
    pub(super) response_headers: Vec<&'a str>,
}

impl<'a> Attempts<'a> {
    pub(super) fn of(results: impl Iterator<Item = &'a ResultRow>) -> Self {
        let microseconds =
            |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let mut all = Self::default();
        for row in results {
            let attempt = &row.result.attempt;
            all.delivery.push(row.result.number);
            all.number.push(row.number());
            all.started_at.push(attempt.started_at.as_microsecond());
            all.queue_us.push(microseconds(attempt.timing.queue));
            all.connect_us
                .push(attempt.timing.connect.map(microseconds));
            all.first_byte_us
                .push(attempt.timing.first_byte.map(microseconds));
            all.total_us.push(microseconds(attempt.timing.total));
            all.request_headers.push(&row.request_headers);
            all.outcome.push(row.outcome());
            all.status.push(row.status());
            all.retry_after_s.push(row.retry_after());
            all.error.push(row.error.as_deref());
            all.response_body.push(&attempt.response_body);
            all.response_truncated.push(attempt.response_truncated);
            all.response_headers.push(&row.response_headers);
        }
        all
    }
}
