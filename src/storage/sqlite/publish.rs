//! Storing events, each with one delivery for every webhook that wants it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::super::queue::{Idempotency, Publication, Receipt};
use super::super::{NotMatched, Replay, StoreError};
use super::claim::{ClaimedRow, SealedTarget, later};
use super::queue::wake;
use super::rows;
use crate::clock::Moment;
use crate::domain::{Audience, Event};
use crate::entropy;

type Result<T> = std::result::Result<T, StoreError>;

/// The result of a publication, with secrets still sealed.
pub(super) enum Stored {
    New {
        receipt: Receipt,
        claimed: Vec<ClaimedRow>,
        waiting: bool,
    },
    Repeated(Receipt),
    Conflict,
}

/// Stores an event and one delivery for each webhook that wants it.
pub(super) fn publish(connection: &Connection, publication: &Publication) -> Result<Stored> {
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
    let event = Arc::new(event);
    let wanting = matching(connection, &event, publication.audience)?;
    let at = Moment {
        now: event.created_at,
        steady: publication.steady,
    };
    let number = insert_event(connection, &event, publication, wanting.len())?;
    let mut claimed = Vec::new();
    let deliveries = count(wanting.len());
    for webhook in wanting {
        let lane = webhook.lane;
        let fast = publication.slots.take(lane);
        let (delivery, id) = insert_delivery(
            connection,
            number,
            &webhook,
            at,
            fast.then_some(publication.lease),
        )?;
        if fast {
            let target = Arc::new(webhook.target);
            claimed.push(ClaimedRow::first(
                delivery, id, lane, target, &event, at.steady,
            ));
        }
    }
    let waiting = count(claimed.len()) < deliveries;
    let receipt = Receipt {
        id: event.id.clone(),
        created_at: event.created_at,
        deliveries,
        not_matched: publication.not_matched,
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

fn insert_event(
    connection: &Connection,
    event: &Event,
    publication: &Publication,
    matched: usize,
) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO event (number, id, provider, event_type, owner, account_id, data, sequence, created_at, audience, matched, trace,
                 kept_since)
             VALUES (1 + max(coalesce((SELECT max(number) FROM event), 0), (SELECT event FROM last_purged)),
                 ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            event.id,
            event.provider.as_str(),
            event.event_type,
            event.owner,
            event.account_id,
            event.data,
            i64::try_from(event.sequence).unwrap_or(i64::MAX),
            event.created_at.as_microsecond(),
            rows::audience(publication.audience),
            i64::try_from(matched).unwrap_or(i64::MAX),
            event.trace.map(|trace| trace.to_string()),
            publication.steady.as_microsecond(),
        ])?;
    Ok(connection.last_insert_rowid())
}

/// A webhook that wants an event.
struct Wanting {
    lane: i64,
    target: SealedTarget,
    /// Whether its deliveries wait (E-57).
    suspended: bool,
    /// When its deliveries are looked at next, if ever.
    next_due: Option<Timestamp>,
}

/// The columns that [`wanting`] reads, in its order.
macro_rules! wanting_columns {
    () => {
        "webhook.number, webhook.id, webhook.url, webhook.signing_secret, webhook.authorization_header, webhook.suspended, \
         webhook.next_due"
    };
}

/// The webhooks that want an event, in the order of their registration.
fn matching(connection: &Connection, event: &Event, audience: Audience) -> Result<Vec<Wanting>> {
    // CROSS JOIN fixes the order: an owner has few webhooks; otherwise type and account lead to those that want the event, however many
    // others there are.
    const OF_OWNER: &str = concat!(
        "SELECT ", wanting_columns!(), " FROM webhook CROSS JOIN subscription
             ON subscription.event_type = ?1 AND subscription.account = coalesce(webhook.account_id, '')
             AND subscription.webhook = webhook.number
         WHERE webhook.provider = ?2 AND webhook.owner = ?3 AND webhook.deleted_at IS NULL AND webhook.enabled = 1"
    );
    const OF_ACCOUNT: &str = concat!(
        "SELECT ", wanting_columns!(), " FROM subscription CROSS JOIN webhook ON webhook.number = subscription.webhook
         WHERE subscription.event_type = ?1 AND subscription.account = ?4 AND webhook.provider = ?2
             AND (?3 IS NULL OR webhook.owner = ?3) AND webhook.deleted_at IS NULL AND webhook.enabled = 1"
    );
    let provider = event.provider.as_str();
    let mut found = Vec::new();
    if audience == Audience::Owner {
        let mut statement = connection.prepare_cached(OF_OWNER)?;
        let mut rows = statement.query(params![event.event_type, provider, event.owner])?;
        while let Some(row) = rows.next()? {
            found.push(wanting(row)?);
        }
    } else {
        let account = match audience {
            Audience::Account => event.account_id.as_deref(),
            Audience::Owner | Audience::Platform => None,
        };
        // Asked twice, and put in order here: for a list of accounts, or an order, SQLite makes a table of its own at each use.
        let every_account = [""].into_iter();
        for account in every_account.chain(account.filter(|account| !account.is_empty())) {
            let mut statement = connection.prepare_cached(OF_ACCOUNT)?;
            let mut rows =
                statement.query(params![event.event_type, provider, event.owner, account])?;
            while let Some(row) = rows.next()? {
                found.push(wanting(row)?);
            }
        }
    }
    found.sort_unstable_by_key(|wanting| wanting.lane);
    Ok(found)
}

fn wanting(row: &Row<'_>) -> Result<Wanting> {
    let next_due: Option<i64> = row.get(6)?;
    Ok(Wanting {
        lane: row.get(0)?,
        target: SealedTarget::read(row, 1)?,
        suspended: row.get(5)?,
        next_due: next_due.map(rows::time).transpose()?,
    })
}

/// Inserts a delivery, claimed already where it gets a lease; gives its number and id.
fn insert_delivery(
    connection: &Connection,
    event_number: i64,
    webhook: &Wanting,
    at: Moment,
    lease: Option<SignedDuration>,
) -> Result<(i64, Uuid)> {
    let id = entropy::time_ordered_uuid(at.now);
    let due_at = lease.map_or(at.steady, |lease| later(at.steady, lease));
    let claimed = lease.is_some();
    connection
        .prepare_cached(
            "INSERT INTO delivery (id, event, webhook, state, attempts, due_at, first_attempt_at, claimed, created_at)
             VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6, ?4, ?7)",
        )?
        .execute(params![
            id.as_bytes(),
            event_number,
            webhook.lane,
            claimed,
            due_at.as_microsecond(),
            claimed.then(|| at.steady.as_microsecond()),
            at.now.as_microsecond(),
        ])?;
    let number = connection.last_insert_rowid();
    // Known from the same transaction, so most publications need no look at the webhook.
    let earlier = webhook.next_due.is_none_or(|next_due| next_due > due_at);
    if !claimed && !webhook.suspended && earlier {
        wake(connection, webhook.lane, due_at)?;
    }
    Ok((number, id))
}

/// Matches an unmatched event anew for a replay and makes the deliveries that it did not get; gives how many. A dry run only counts.
pub(super) fn match_anew(
    connection: &Connection,
    number: i64,
    replay: &Replay,
    at: Moment,
) -> Result<u64> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, event.audience FROM event WHERE event.number = ?1",
        rows::EVENT_COLUMNS
    ))?;
    let (event, audience) = statement.query_row([number], |row| {
        Ok((
            rows::event(row, 0),
            row.get::<_, String>(rows::EVENT_COLUMN_COUNT)?,
        ))
    })?;
    let (event, audience) = (event?, rows::parse_audience(&audience)?);
    let mut wanting = matching(connection, &event, audience)?;
    if let Some(id) = &replay.filter.webhook_id {
        let only: Option<i64> = connection
            .prepare_cached("SELECT number FROM webhook WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        wanting.retain(|webhook| Some(webhook.lane) == only);
    }
    let made = wanting.len();
    if !replay.dry_run {
        for webhook in &wanting {
            insert_delivery(connection, number, webhook, at, None)?;
        }
        connection
            .prepare_cached("UPDATE event SET matched = ?2 WHERE number = ?1")?
            .execute(params![number, i64::try_from(made).unwrap_or(i64::MAX)])?;
    }
    Ok(count(made))
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
