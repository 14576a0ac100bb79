//! Claiming due deliveries for a while.
//!
//! A webhook with something waiting stands in the index `webhook_due`; a claim walks it in the order of waiting and takes of each webhook
//! no more than it has free slots. So a claim costs as much as it claims, however long the queue of one webhook is, and a webhook
//! whose slots are all taken is passed over in one step. A claimed delivery no longer waits: it is in the index `delivery_leased` until its
//! result is recorded, and a claim looks there first for deliveries that have none at the end of their lease.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, params};

use super::super::StoreError;
use super::super::queue::{ClaimTerms, Slots};
use super::super::seal::Sealer;
use super::super::targets::{SealedTarget, TargetColumns, Targets};
use super::ids::SealedIds;
use super::{in_flight, rows};
use crate::causes::with_causes;
use crate::domain::{DueDelivery, Event};

type Result<T> = std::result::Result<T, StoreError>;

/// A claimed delivery, the secrets of its webhook still sealed.
#[derive(Debug)]
pub(super) struct ClaimedRow {
    number: i64,
    /// The id in its row; without, it is computed.
    id: Option<[u8; 16]>,
    created_at: i64,
    attempt: u32,
    due_at: Timestamp,
    first_attempt_at: Timestamp,
    once: bool,
    manual: u32,
    resume_at: Option<Timestamp>,
    target: Arc<SealedTarget>,
    event: Arc<Event>,
}

/// The result of a claim.
#[derive(Default)]
pub(super) struct ClaimedRows {
    pub(super) rows: Vec<ClaimedRow>,
    pub(super) next_due_at: Option<Timestamp>,
    pub(super) left: Vec<i64>,
    pub(super) expired_leases: u64,
    /// Whether something is due that was beyond the limit.
    limited: bool,
}

impl ClaimedRow {
    /// The first attempt of a delivery that is inserted already claimed.
    pub(super) fn first(
        number: i64,
        target: Arc<SealedTarget>,
        event: &Arc<Event>,
        steady: Timestamp,
    ) -> Self {
        Self {
            number,
            id: None,
            created_at: event.created_at.as_microsecond(),
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

    /// The delivery, with the secrets of its webhook opened.
    pub(super) fn open(self, sealer: &Sealer, ids: &SealedIds) -> Result<DueDelivery> {
        Ok(DueDelivery {
            number: self.number,
            id: ids.of_row(self.id, self.number, self.created_at)?,
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

/// Reads number, id, URL, signing secret and authorization header of a webhook from the columns that start at `first`.
pub(super) fn target_columns<'r>(row: &'r Row<'_>, first: usize) -> Result<TargetColumns<'r>> {
    let damaged = |error: FromSqlError| StoreError::Damaged(error.to_string());
    let text = |column| row.get_ref(column)?.as_str().map_err(damaged);
    let bytes = |column| row.get_ref(column)?.as_blob_or_null().map_err(damaged);
    Ok(TargetColumns {
        lane: row.get(first)?,
        id: text(first + 1)?,
        url: text(first + 2)?,
        signing_secret: bytes(first + 3)?,
        authorization: bytes(first + 4)?,
    })
}

/// When a lease ends; at the end of time on a clock that runs that fast.
pub(super) fn later(steady: Timestamp, lease: SignedDuration) -> Timestamp {
    steady.checked_add(lease).unwrap_or(Timestamp::MAX)
}

/// Moves due deliveries forward by the lease and counts an attempt for each.
pub(super) fn claim(
    connection: &Connection,
    ids: &SealedIds,
    targets: &Targets,
    terms: &ClaimTerms,
) -> Result<ClaimedRows> {
    let mut claim = Claim {
        connection,
        ids,
        targets,
        terms,
        steady: terms.at.steady.as_microsecond(),
        events: HashMap::new(),
        given_up: 0,
        found: ClaimedRows::default(),
    };
    in_flight::settle_expired(connection, claim.steady)?;
    claim.expired()?;
    claim.waiting()?;
    claim.found.next_due_at = claim.next_due_at()?;
    Ok(claim.found)
}

/// A claim while it is made.
struct Claim<'c> {
    connection: &'c Connection,
    ids: &'c SealedIds,
    targets: &'c Targets,
    terms: &'c ClaimTerms,
    /// The steady time.
    steady: i64,
    /// The events that were read: many deliveries are of one event.
    events: HashMap<i64, Arc<Event>>,
    given_up: usize,
    found: ClaimedRows,
}

/// A delivery that may be claimed.
struct Candidate {
    number: i64,
    id: Option<[u8; 16]>,
    created_at: i64,
    attempts: u32,
    due_at: i64,
    first_attempt_at: Option<Timestamp>,
    once: bool,
    manual: u32,
    resume_at: Option<Timestamp>,
    event: Arc<Event>,
    /// Whether it is past the time until which it is attempted.
    late: bool,
}

/// The columns that [`Claim::candidate`] reads, in its order.
const CANDIDATE_COLUMNS: &str = "delivery.number, delivery.id, delivery.attempts, delivery.due_at, delivery.created_at + delivery.first_attempt_us, \
     delivery.once, delivery.event, delivery.manual, delivery.resume_at, delivery.created_at";

/// How many columns these are.
const CANDIDATE_COLUMN_COUNT: usize = 10;

impl Claim<'_> {
    /// Claims again what was claimed before and has no result at the end of its lease. That is never much: what was under way when a
    /// process died, or was too slow.
    fn expired(&mut self) -> Result<()> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {CANDIDATE_COLUMNS}, webhook.number, webhook.id, webhook.url, webhook.signing_secret, webhook.authorization_header
             FROM delivery JOIN webhook ON webhook.number = delivery.webhook
             WHERE delivery.claimed = 1 AND delivery.due_at <= ?1 AND webhook.suspended = 0 ORDER BY delivery.due_at"
        ))?;
        // Read before the first is changed: the statement walks the index that the change moves it in.
        let mut expired = Vec::new();
        let mut without_slot = HashSet::new();
        let mut cursor = statement.query([self.steady])?;
        while let Some(row) = cursor.next()? {
            if expired.len() == self.room() {
                self.found.limited = true;
                break;
            }
            let lane: i64 = row.get(CANDIDATE_COLUMN_COUNT)?;
            if without_slot.contains(&lane) {
                continue;
            }
            let candidate = self.candidate(row)?;
            if candidate.late || self.terms.slots.take(lane) {
                let target = self
                    .targets
                    .get(&target_columns(row, CANDIDATE_COLUMN_COUNT)?);
                self.found.expired_leases += u64::from(!candidate.late);
                expired.push((candidate, target));
            } else {
                without_slot.insert(lane);
            }
        }
        drop(cursor);
        self.found.left.extend(without_slot);
        for (candidate, target) in expired {
            self.take(candidate, &target)?;
        }
        Ok(())
    }

    /// Claims what waits, webhook by webhook.
    fn waiting(&mut self) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, id, url, signing_secret, authorization_header FROM webhook WHERE next_due <= ?1 ORDER BY next_due",
        )?;
        // Read before the first is changed, as above.
        let mut lanes = Vec::new();
        let mut cursor = statement.query([self.steady])?;
        while let Some(row) = cursor.next()? {
            if lanes.len() == self.room() {
                self.found.limited = true;
                break;
            }
            let lane: i64 = row.get(0)?;
            if self.terms.slots.take(lane) {
                lanes.push(self.targets.get(&target_columns(row, 0)?));
            } else {
                self.found.left.push(lane);
            }
        }
        drop(cursor);
        for target in lanes {
            self.waiting_for(&target)?;
        }
        Ok(())
    }

    /// Claims of one webhook what it has slots for. One slot is taken already, and given back when nothing was there to claim.
    fn waiting_for(&mut self, target: &Arc<SealedTarget>) -> Result<()> {
        let lane = target.lane();
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {CANDIDATE_COLUMNS} FROM delivery
             WHERE webhook = ?1 AND state = 'pending' AND claimed = 0 ORDER BY due_at LIMIT ?2"
        ))?;
        // One row more than there is room for tells that more is due.
        let room = self.room();
        let with_next = i64::try_from(room).unwrap_or(i64::MAX).saturating_add(1);
        let mut due = Vec::new();
        let mut slot = true;
        // The earliest of those that go on waiting.
        let mut next_due = None;
        let mut cursor = statement.query(params![lane, with_next])?;
        while let Some(row) = cursor.next()? {
            let candidate = self.candidate(row)?;
            let is_due = candidate.due_at <= self.steady;
            next_due = Some(candidate.due_at);
            if !is_due {
                break;
            }
            if due.len() == room {
                self.found.limited = true;
                break;
            }
            if !candidate.late {
                if !slot && !self.terms.slots.take(lane) {
                    self.found.left.push(lane);
                    break;
                }
                slot = false;
            }
            due.push(candidate);
            next_due = None;
        }
        drop(cursor);
        if slot {
            self.terms.slots.give_back(lane);
        }
        for candidate in due {
            self.take(candidate, target)?;
        }
        self.connection
            .prepare_cached("UPDATE webhook SET next_due = ?2 WHERE number = ?1")?
            .execute(params![lane, next_due])?;
        Ok(())
    }

    /// Returns how many more deliveries it may take. Those that are given up count too, so that no claim is long.
    fn room(&self) -> usize {
        let taken = self.found.rows.len() + self.given_up;
        self.terms.limit.saturating_sub(taken)
    }

    fn candidate(&mut self, row: &Row<'_>) -> Result<Candidate> {
        let first_attempt_at: Option<i64> = row.get(4)?;
        let first_attempt_at = first_attempt_at.map(rows::time).transpose()?;
        let once: bool = row.get(5)?;
        let event = self.event(row.get(6)?)?;
        let resume_at: Option<i64> = row.get(8)?;
        let first = first_attempt_at.unwrap_or(self.terms.at.steady);
        let gives_up_at = (self.terms.gives_up_at)(event.provider, first);
        Ok(Candidate {
            number: row.get(0)?,
            id: row.get(1)?,
            created_at: row.get(9)?,
            attempts: row.get(2)?,
            due_at: row.get(3)?,
            first_attempt_at,
            once,
            manual: row.get(7)?,
            resume_at: resume_at.map(rows::time).transpose()?,
            event,
            late: !once && self.terms.at.steady > gives_up_at,
        })
    }

    fn event(&mut self, number: i64) -> Result<Arc<Event>> {
        if let Some(event) = self.events.get(&number) {
            return Ok(event.clone());
        }
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {} FROM {} WHERE event.number = ?1",
            rows::EVENT_COLUMNS,
            rows::EVENTS
        ))?;
        let event =
            Arc::new(statement.query_row([number], |row| Ok(rows::event(row, 0, self.ids)))??);
        self.events.insert(number, event.clone());
        Ok(event)
    }

    /// Claims a delivery that has a slot, or gives up one that is late.
    fn take(&mut self, candidate: Candidate, target: &Arc<SealedTarget>) -> Result<()> {
        if candidate.late {
            self.given_up += 1;
            self.connection
                .prepare_cached(
                    "UPDATE delivery SET state = 'exhausted', claimed = 0, completed_us = ?2 - created_at, due_at = NULL WHERE number = ?1",
                )?
                .execute([candidate.number, self.terms.at.now.as_microsecond()])?;
            return Ok(());
        }
        let attempt = candidate.attempts + 1;
        let first_attempt_at = candidate.first_attempt_at.unwrap_or(self.terms.at.steady);
        let lease_end = later(self.terms.at.steady, self.terms.lease);
        self.connection
            .prepare_cached(
                "UPDATE delivery SET attempts = ?2, due_at = ?3, first_attempt_us = ?4 - created_at, claimed = 1 WHERE number = ?1",
            )?
            .execute(params![
                candidate.number,
                attempt,
                lease_end.as_microsecond(),
                first_attempt_at.as_microsecond(),
            ])?;
        self.found.rows.push(ClaimedRow {
            number: candidate.number,
            id: candidate.id,
            created_at: candidate.created_at,
            attempt,
            due_at: rows::time(candidate.due_at)?,
            first_attempt_at,
            once: candidate.once,
            manual: candidate.manual,
            resume_at: candidate.resume_at,
            target: target.clone(),
            event: candidate.event,
        });
        Ok(())
    }

    /// When something falls due that was not claimed now.
    fn next_due_at(&self) -> Result<Option<Timestamp>> {
        if self.found.limited {
            return Ok(Some(self.terms.at.steady));
        }
        let next: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT min(due_at) FROM (SELECT min(next_due) AS due_at FROM webhook WHERE next_due > ?1
                     UNION ALL SELECT min(due_at) FROM delivery WHERE claimed = 1 AND due_at > ?1
                     UNION ALL SELECT (SELECT due_at FROM in_flight ORDER BY first LIMIT 1))",
            )?
            .query_row([self.steady], |row| row.get(0))?;
        next.map(rows::time).transpose()
    }
}

/// Opens the secrets of claimed deliveries, outside the writer's thread. One that does not open is left for the next claim: the
/// others must not suffer for it.
pub(super) fn open_all(
    rows: Vec<ClaimedRow>,
    sealer: &Sealer,
    ids: &SealedIds,
    slots: &dyn Slots,
) -> Vec<DueDelivery> {
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        let lane = row.lane();
        match row.open(sealer, ids) {
            Ok(delivery) => due.push(delivery),
            Err(error) => {
                tracing::error!(
                    error = with_causes(&error),
                    "a delivery cannot be attempted"
                );
                slots.give_back(lane);
            }
        }
    }
    due
}
