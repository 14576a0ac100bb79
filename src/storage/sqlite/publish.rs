//! Storing events, each with one delivery for every webhook that wants it.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::queue::{Idempotency, Publication, Receipt};
use super::super::{NotMatched, Replay, StoreError};
use super::claim::{ClaimedRow, later};
use super::ids::SealedIds;
use super::in_flight::InFlight;
use super::matching::{self, Matching, Wanting};
use super::queue::wake;
use super::rows;
use crate::clock::Moment;
use crate::domain::{Audience, Event};

type Result<T> = std::result::Result<T, StoreError>;

/// The result of a publication, with secrets still sealed.
pub(super) enum Stored {
    New {
        receipt: Receipt,
        claimed: Vec<ClaimedRow>,
        waiting: Vec<i64>,
    },
    Repeated(Receipt),
    Conflict,
}

/// Stores an event and one delivery for each webhook that wants it; `not_matched` are those that the receipt says do not get it.
pub(super) fn publish(
    connection: &Connection,
    ids: &SealedIds,
    matching: &Matching,
    publication: &Publication,
    not_matched: NotMatched,
) -> Result<Stored> {
    if let Some(idempotency) = &publication.idempotency
        && let Some((request, receipt)) = earlier(connection, idempotency)?
    {
        let same = request == *idempotency.request.as_bytes();
        return Ok(if same {
            Stored::Repeated(receipt)
        } else {
            Stored::Conflict
        });
    }
    let mut event = publication.event.clone();
    event.sequence = match (&event.owner, publication.audience) {
        (Some(owner), Audience::Owner) => next_in_sequence(connection, &event, owner)?,
        _ => 0,
    };
    let number = next_event(connection)?;
    let has_id = !event.id.is_empty();
    if !has_id {
        event.id = ids.seal_event(number, event.created_at);
    }
    let event = Arc::new(event);
    let wanting = matching.of(connection, &event, publication.audience)?;
    let at = Moment {
        now: event.created_at,
        steady: publication.steady,
    };
    let first = next_delivery(connection)?;
    let id = has_id.then_some(event.id.as_str());
    insert_event(
        connection,
        number,
        id,
        &event,
        publication,
        wanting.len(),
        first,
    )?;
    let mut waiting = Vec::new();
    let deliveries = count(wanting.len());
    // Those that are attempted at once come first, and have no rows before they have results.
    let slots = &publication.slots;
    let (fast, slow): (Vec<&Wanting>, Vec<&Wanting>) =
        wanting.iter().partition(|webhook| slots.take(webhook.lane));
    let lease_end = later(at.steady, publication.lease);
    if !fast.is_empty() {
        let in_flight = InFlight {
            first,
            event: number,
            webhooks: fast.iter().map(|webhook| webhook.lane).collect(),
            open: fast.len(),
            due_at: lease_end.as_microsecond(),
            first_attempt_at: at.steady.as_microsecond(),
            created_at: at.now.as_microsecond(),
        };
        in_flight.insert(connection)?;
    }
    let claimed = (first..)
        .zip(fast)
        .map(|(delivery, webhook)| {
            let target = webhook.target.clone();
            ClaimedRow::first(delivery, target, &event, at.steady)
        })
        .collect();
    let next = first + stored(deliveries) - i64::try_from(slow.len()).unwrap_or(i64::MAX);
    for (delivery, webhook) in (next..).zip(slow) {
        insert_delivery(connection, delivery, number, webhook, at)?;
        if !webhook.suspended {
            slots.wait(webhook.lane);
            waiting.push(webhook.lane);
        }
    }
    let receipt = Receipt {
        id: event.id.clone(),
        created_at: event.created_at,
        deliveries,
        not_matched,
    };
    if let Some(idempotency) = &publication.idempotency {
        remember(connection, idempotency, &receipt, at.steady)?;
    }
    Ok(Stored::New {
        receipt,
        claimed,
        waiting,
    })
}

fn earlier(
    connection: &Connection,
    idempotency: &Idempotency,
) -> Result<Option<([u8; 32], Receipt)>> {
    let mut statement = connection.prepare_cached(
        "SELECT request, event_id, created_at, deliveries, disabled, other_account, other_owner FROM idempotency
         WHERE caller = ?1 AND key = ?2",
    )?;
    let mut found = statement.query([&idempotency.caller, &idempotency.key])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    let count = |column: usize| -> Result<u64> { Ok(row.get::<_, i64>(column)?.unsigned_abs()) };
    let receipt = Receipt {
        id: row.get(1)?,
        created_at: rows::time(row.get(2)?)?,
        deliveries: count(3)?,
        not_matched: NotMatched {
            disabled: count(4)?,
            other_account: count(5)?,
            other_owner: count(6)?,
        },
    };
    Ok(Some((row.get(0)?, receipt)))
}

fn remember(
    connection: &Connection,
    idempotency: &Idempotency,
    receipt: &Receipt,
    steady: Timestamp,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO idempotency (caller, key, request, event_id, deliveries, created_at, kept_since, disabled, other_account,
                 other_owner)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            idempotency.caller,
            idempotency.key,
            idempotency.request.as_bytes(),
            receipt.id,
            stored(receipt.deliveries),
            receipt.created_at.as_microsecond(),
            steady.as_microsecond(),
            stored(receipt.not_matched.disabled),
            stored(receipt.not_matched.other_account),
            stored(receipt.not_matched.other_owner),
        ])?;
    Ok(())
}

fn next_in_sequence(connection: &Connection, event: &Event, owner: &str) -> Result<u64> {
    let sequence = [event.provider.as_str(), owner];
    // Read apart: for RETURNING SQLite makes a table of its own at each use.
    connection
        .prepare_cached(
            "INSERT INTO sequence (provider, owner, value) VALUES (?1, ?2, 1)
             ON CONFLICT (provider, owner) DO UPDATE SET value = value + 1",
        )?
        .execute(sequence)?;
    let value: i64 = connection
        .prepare_cached("SELECT value FROM sequence WHERE provider = ?1 AND owner = ?2")?
        .query_row(sequence, |row| row.get(0))?;
    Ok(value.unsigned_abs())
}

/// The number of an event's kind, which it gets with the first of its events.
fn kind(connection: &Connection, event: &Event, audience: Audience) -> Result<i64> {
    let kind = params![
        event.provider.as_str(),
        event.event_type,
        rows::audience(audience)
    ];
    let known: Option<i64> = connection
        .prepare_cached(
            "SELECT number FROM event_kind WHERE provider = ?1 AND event_type = ?2 AND audience = ?3",
        )?
        .query_row(kind, |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    connection
        .prepare_cached(
            "INSERT INTO event_kind (provider, event_type, audience) VALUES (?1, ?2, ?3)",
        )?
        .execute(kind)?;
    Ok(connection.last_insert_rowid())
}

/// The number of the next event; none is given twice.
fn next_event(connection: &Connection) -> Result<i64> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 + max(coalesce((SELECT max(number) FROM event), 0), (SELECT event FROM last_purged))",
        )?
        .query_row([], |row| row.get(0))?)
}

/// Inserts an event; its id is stored where it is not computed from the number.
fn insert_event(
    connection: &Connection,
    number: i64,
    id: Option<&str>,
    event: &Event,
    publication: &Publication,
    matched: usize,
    first_delivery: i64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO event (number, id, kind, owner, account_id, data, sequence, created_at, matched, trace, kept_us, first_delivery)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            number,
            id,
            kind(connection, event, publication.audience)?,
            event.owner,
            event.account_id,
            event.data,
            i64::try_from(event.sequence).unwrap_or(i64::MAX),
            event.created_at.as_microsecond(),
            i64::try_from(matched).unwrap_or(i64::MAX),
            event.trace.map(|trace| trace.to_string()),
            // The steady time is what retention counts; it mostly is that of the clock on the wall.
            publication.steady.as_microsecond() - event.created_at.as_microsecond(),
            (matched > 0).then_some(first_delivery),
        ])?;
    Ok(())
}

/// The number of the next delivery; none is given twice.
fn next_delivery(connection: &Connection) -> Result<i64> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 + max(coalesce((SELECT max(number) FROM delivery), 0), (SELECT delivery FROM last_purged),
                 coalesce((SELECT first + length(webhooks) / 8 - 1 FROM in_flight ORDER BY first DESC LIMIT 1), 0))",
        )?
        .query_row([], |row| row.get(0))?)
}

/// Inserts a delivery that waits.
fn insert_delivery(
    connection: &Connection,
    number: i64,
    event_number: i64,
    webhook: &Wanting,
    at: Moment,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO delivery (number, event, webhook, state, attempts, due_at, claimed, created_at)
             VALUES (?1, ?2, ?3, 'pending', 0, ?4, 0, ?5)",
        )?
        .execute(params![
            number,
            event_number,
            webhook.lane,
            at.steady.as_microsecond(),
            at.now.as_microsecond(),
        ])?;
    if !webhook.suspended {
        wake(connection, webhook.lane, at.steady)?;
    }
    Ok(())
}

/// Matches an unmatched event anew for a replay and makes the deliveries that it did not get; gives how many. A dry run only counts.
pub(super) fn match_anew(
    connection: &Connection,
    ids: &SealedIds,
    number: i64,
    replay: &Replay,
    at: Moment,
) -> Result<u64> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, kind.audience FROM {} WHERE event.number = ?1",
        rows::EVENT_COLUMNS,
        rows::EVENTS
    ))?;
    let (event, audience) = statement.query_row([number], |row| {
        Ok((
            rows::event(row, 0, ids),
            row.get::<_, String>(rows::EVENT_COLUMN_COUNT)?,
        ))
    })?;
    let (event, audience) = (event?, rows::parse_audience(&audience)?);
    let mut wanting = matching::find(connection, &event, audience)?;
    if let Some(id) = &replay.filter.webhook_id {
        let only: Option<i64> = connection
            .prepare_cached("SELECT number FROM webhook WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        wanting.retain(|webhook| Some(webhook.lane) == only);
    }
    let made = wanting.len();
    if !replay.dry_run {
        let first = next_delivery(connection)?;
        for (delivery, webhook) in (first..).zip(&wanting) {
            insert_delivery(connection, delivery, number, webhook, at)?;
        }
        connection
            .prepare_cached("UPDATE event SET matched = ?2, first_delivery = ?3 WHERE number = ?1")?
            .execute(params![
                number,
                i64::try_from(made).unwrap_or(i64::MAX),
                (made > 0).then_some(first)
            ])?;
    }
    Ok(count(made))
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
