//! A delivery that a claim may take.

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Result, rows};

/// A delivery that may be claimed.
pub(super) struct Candidate {
    pub(super) number: i64,
    pub(super) id: Uuid,
    pub(super) attempts: u32,
    pub(super) due_at: i64,
    pub(super) first_attempt_at: Option<Timestamp>,
    pub(super) once: bool,
    pub(super) manual: u32,
    pub(super) resume_at: Option<Timestamp>,
    pub(super) event: i64,
    pub(super) lane: i64,
}

/// The columns that [`Candidate::read`] reads, in its order.
pub(super) const CANDIDATE_COLUMNS: &str = "pending.number, pending.id, pending.attempts, pending.due_at, pending.first_attempt_at, \
     pending.once, pending.event, pending.manual, pending.resume_at, pending.webhook";

/// How many columns these are.
pub(super) const CANDIDATE_COLUMN_COUNT: usize = 10;

impl Candidate {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let count = |column| -> Result<u32> {
            Ok(u32::try_from(row.try_get::<_, i32>(column)?).unwrap_or_default())
        };
        Ok(Self {
            number: row.try_get(0)?,
            id: row.try_get(1)?,
            attempts: count(2)?,
            due_at: row.try_get(3)?,
            first_attempt_at: rows::optional_time(row, 4)?,
            once: row.try_get(5)?,
            event: row.try_get(6)?,
            manual: count(7)?,
            resume_at: rows::optional_time(row, 8)?,
            lane: row.try_get(9)?,
        })
    }
}
