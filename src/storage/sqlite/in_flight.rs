//! Deliveries that are attempted from memory and have no row yet.
//!
//! A publication stores one row for all of its deliveries that got a slot; each gets a row of its own with the result of its attempt, so
//! that one that succeeds at once is written once. A delivery without a result at the end of the lease, or when the file is opened again,
//! gets a row as if it had been claimed from the queue; so does one that is to be changed before its result is there. A delivery without a
//! row is pending, and its first attempt is counted.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// The deliveries of one publication.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    /// The number of the first; the others follow it.
    pub(super) first: i64,
    /// The number of the event.
    pub(super) event: i64,
    /// The numbers of the webhooks.
    pub(super) webhooks: Vec<i64>,
    /// How many of the deliveries have no row.
    pub(super) open: usize,
    /// When their lease ends, in steady time.
    pub(super) due_at: i64,
    /// When their attempts were claimed, in steady time.
    pub(super) first_attempt_at: i64,
    /// When they were made.
    pub(super) created_at: i64,
}

const COLUMNS: &str = "first, event, webhooks, open, due_at, first_attempt_at, created_at";

impl InFlight {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let webhooks: Vec<u8> = row.get(2)?;
        let open: i64 = row.get(3)?;
        Ok(Self {
            first: row.get(0)?,
            event: row.get(1)?,
            webhooks: webhooks
                .as_chunks()
                .0
                .iter()
                .copied()
                .map(i64::from_be_bytes)
                .collect(),
            open: usize::try_from(open).unwrap_or_default(),
            due_at: row.get(4)?,
            first_attempt_at: row.get(5)?,
            created_at: row.get(6)?,
        })
    }

    /// The deliveries and their webhooks, by number, those that have rows by now among them.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = (i64, i64)> {
        (self.first..).zip(self.webhooks.iter().copied())
    }

    /// The webhook of one of the deliveries.
    pub(super) fn webhook(&self, number: i64) -> Option<i64> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.webhooks.get(place).copied()
    }

    /// Stores it.
    pub(super) fn insert(&self, connection: &Connection) -> Result<()> {
        let webhooks: Vec<u8> = self
            .webhooks
            .iter()
            .flat_map(|number| number.to_be_bytes())
            .collect();
        connection
            .prepare_cached(&format!(
                "INSERT INTO in_flight ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            ))?
            .execute(params![
                self.first,
                self.event,
                webhooks,
                i64::try_from(self.open).unwrap_or(i64::MAX),
                self.due_at,
                self.first_attempt_at,
                self.created_at,
            ])?;
        Ok(())
    }

    /// Notes that `closed` more of the deliveries have rows.
    pub(super) fn close(&self, connection: &Connection, closed: usize) -> Result<()> {
        if closed >= self.open {
            connection
                .prepare_cached("DELETE FROM in_flight WHERE first = ?1")?
                .execute([self.first])?;
        } else if closed > 0 {
            let open = i64::try_from(self.open - closed).unwrap_or(i64::MAX);
            connection
                .prepare_cached("UPDATE in_flight SET open = ?2 WHERE first = ?1")?
                .execute([self.first, open])?;
        }
        Ok(())
    }

    /// Gives each of the deliveries that has none a row, as if it had been claimed from the queue.
    fn settle(&self, connection: &Connection) -> Result<()> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO delivery (number, event, webhook, state, attempts, due_at, first_attempt_us, claimed, created_at)
             VALUES (?1, ?2, ?3, 'pending', 1, ?4, ?5, 1, ?6) ON CONFLICT (number) DO NOTHING",
        )?;
        for (number, webhook) in self.deliveries() {
            insert.execute([
                number,
                self.event,
                webhook,
                self.due_at,
                self.first_attempt_at - self.created_at,
                self.created_at,
            ])?;
        }
        self.close(connection, self.open)
    }
}

/// The publication that the delivery with this number belongs to, if that may have no row.
pub(super) fn of(connection: &Connection, number: i64) -> Result<Option<InFlight>> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM in_flight WHERE first <= ?1 ORDER BY first DESC LIMIT 1"
        ))?
        .query_row([number], InFlight::read)
        .optional()?;
    Ok(found.filter(|found| found.webhook(number).is_some()))
}

/// All publications with deliveries that have no rows: no more than attempts that are under way.
pub(super) fn all(connection: &Connection) -> Result<Vec<InFlight>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM in_flight ORDER BY first"))?;
    let found = statement.query_map([], InFlight::read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// How many deliveries without rows each webhook has.
pub(super) fn by_webhook(connection: &Connection) -> Result<HashMap<i64, u64>> {
    let mut counts = HashMap::new();
    for found in all(connection)? {
        for (number, webhook) in found.deliveries() {
            if !has_row(connection, number)? {
                *counts.entry(webhook).or_default() += 1;
            }
        }
    }
    Ok(counts)
}

/// Whether a delivery has a row.
pub(super) fn has_row(connection: &Connection, number: i64) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM delivery WHERE number = ?1")?
        .exists([number])?)
}

/// Gives every delivery a row.
pub(super) fn settle_all(connection: &Connection) -> Result<()> {
    for found in all(connection)? {
        found.settle(connection)?;
    }
    Ok(())
}

/// Gives the delivery with this number, and those of the same event, rows.
pub(super) fn settle(connection: &Connection, number: i64) -> Result<()> {
    match of(connection, number)? {
        Some(found) => found.settle(connection),
        None => Ok(()),
    }
}

/// Gives deliveries rows whose lease has ended at this steady time. Leases end in the order in which they began.
pub(super) fn settle_expired(connection: &Connection, steady: i64) -> Result<()> {
    loop {
        let found = connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM in_flight ORDER BY first LIMIT 1"
            ))?
            .query_row([], InFlight::read)
            .optional()?;
        match found {
            Some(found) if found.due_at <= steady => found.settle(connection)?,
            _ => return Ok(()),
        }
    }
}
