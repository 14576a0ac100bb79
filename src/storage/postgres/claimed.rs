//! Claimed deliveries, until the secrets of their webhooks are opened.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use super::Result;
use crate::domain::{DueDelivery, Event};
use crate::storage::seal::Sealer;
use crate::storage::targets::{SealedTarget, TargetColumns};

/// A claimed delivery, the secrets of its webhook still sealed.
#[derive(Debug)]
pub(super) struct ClaimedRow {
    pub(super) number: i64,
    pub(super) id: Uuid,
    pub(super) attempt: u32,
    pub(super) due_at: Timestamp,
    pub(super) first_attempt_at: Timestamp,
    pub(super) once: bool,
    pub(super) manual: u32,
    pub(super) resume_at: Option<Timestamp>,
    pub(super) target: Arc<SealedTarget>,
    pub(super) event: Arc<Event>,
}

impl ClaimedRow {
    /// The first attempt of a delivery that is handed over from memory.
    pub(super) fn first(
        number: i64,
        id: Uuid,
        target: Arc<SealedTarget>,
        event: &Arc<Event>,
        steady: Timestamp,
    ) -> Self {
        Self {
            number,
            id,
            attempt: 1,
            due_at: steady,
            first_attempt_at: steady,
            once: false,
            manual: 0,
            resume_at: None,
            target,
            event: event.clone(),
        }
    }

    /// The number of its webhook.
    pub(super) fn lane(&self) -> i64 {
        self.target.lane()
    }

    /// When it was due.
    pub(super) fn due_at(&self) -> Timestamp {
        self.due_at
    }

    /// The delivery, with the secrets of its webhook opened.
    pub(super) fn open(self, sealer: &Sealer) -> Result<DueDelivery> {
        Ok(DueDelivery {
            number: self.number,
            id: self.id,
            attempt: self.attempt,
            due_at: self.due_at,
            first_attempt_at: self.first_attempt_at,
            once: self.once,
            manual: self.manual,
            resume_at: self.resume_at,
            event: self.event,
            target: self.target.open(sealer)?,
        })
    }
}

/// Reads id, URL, signing secret and authorization header of a webhook from the columns that start at `first`.
pub(super) fn target_columns(row: &Row, lane: i64, first: usize) -> Result<TargetColumns<'_>> {
    Ok(TargetColumns {
        lane,
        id: row.try_get(first)?,
        url: row.try_get(first + 1)?,
        signing_secret: row.try_get(first + 2)?,
        authorization: row.try_get(first + 3)?,
    })
}

/// When a lease ends; at the end of time on a clock that runs that fast.
pub(super) fn later(steady: Timestamp, lease: SignedDuration) -> Timestamp {
    steady.checked_add(lease).unwrap_or(Timestamp::MAX)
}
