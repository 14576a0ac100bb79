//! Rows to domain values and back. Times are microseconds since 1970 in UTC.

use std::borrow::Cow;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Result;
use super::partitions::FAN_OUT_BITS;
use crate::domain::{
    ApiKey, Audience, Event, Fingerprint, InvalidProviderName, ProviderName, ReceiverUrl, Secret,
    Webhook,
};
use crate::storage::StoreError;
use crate::storage::queue::Rows;
use crate::storage::seal::Sealer;
use crate::storage::targets;

/// Values of a statement.
pub(super) type Values<'a> = Vec<&'a (dyn ToSql + Sync)>;

/// The columns that [`webhook`] reads, in its order.
pub(super) const WEBHOOK_COLUMNS: &str = "webhook.provider, webhook.id, webhook.owner, webhook.account_id, webhook.url, \
     webhook.enabled, webhook.signing_secret, webhook.authorization_header, webhook.created_at, webhook.updated_at, \
     ARRAY(SELECT event_type FROM subscription WHERE webhook = webhook.number ORDER BY position)";

/// How many columns these are.
pub(super) const WEBHOOK_COLUMN_COUNT: usize = 11;

/// The columns that [`api_key`] reads, in its order.
pub(super) const KEY_COLUMNS: &str =
    "id, provider, owner, name, key_fingerprint, secret_fingerprint, created_at, revoked_at";

/// The columns that [`event`] reads, in its order.
pub(super) const EVENT_COLUMNS: &str = "event.id, event.provider, event.event_type, event.owner, event.account_id, event.data, \
     event.sequence, event.created_at, event.trace";

/// How many columns these are.
pub(super) const EVENT_COLUMN_COUNT: usize = 9;

/// Stands for NUL, which PostgreSQL cannot store: a code point that is no character, and that nobody sends.
const NUL: &str = "\u{10ffff}";

/// A text as PostgreSQL can hold it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', NUL))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text as it was before [`text`].
pub(super) fn given(text: String) -> String {
    if text.contains(NUL) {
        text.replace(NUL, "\0")
    } else {
        text
    }
}

/// As [`text`], of one that may be missing.
pub(super) fn optional_text(value: Option<&str>) -> Option<Cow<'_, str>> {
    value.map(text)
}

pub(super) fn webhook(row: &Row, sealer: &Sealer) -> Result<Webhook> {
    let id: String = row.try_get(1)?;
    let open = |column: usize, place: String| -> Result<Option<Secret>> {
        let sealed: Option<&[u8]> = row.try_get(column)?;
        Ok(sealed
            .map(|sealed| sealer.open(&place, sealed))
            .transpose()?)
    };
    Ok(Webhook {
        provider: provider(row, 0)?,
        owner: given(row.try_get(2)?),
        account_id: row.try_get::<_, Option<String>>(3)?.map(given),
        url: ReceiverUrl::from_stored(row.try_get(4)?),
        enabled: row.try_get(5)?,
        signing_secret: open(6, targets::secret_place(&id))?,
        authorization: open(7, targets::authorization_place(&id))?,
        created_at: time(row.try_get(8)?)?,
        updated_at: time(row.try_get(9)?)?,
        event_types: row.try_get(10)?,
        id,
    })
}

pub(super) fn api_key(row: &Row) -> Result<ApiKey> {
    let fingerprint = |bytes: &[u8]| -> Result<Fingerprint> {
        let bytes = bytes.try_into();
        let bytes = bytes.map_err(|_| StoreError::Damaged("a fingerprint".to_owned()))?;
        Ok(Fingerprint::from_bytes(bytes))
    };
    Ok(ApiKey {
        id: row.try_get(0)?,
        provider: provider(row, 1)?,
        owner: given(row.try_get(2)?),
        name: row.try_get::<_, Option<String>>(3)?.map(given),
        key: fingerprint(row.try_get(4)?)?,
        secret: row
            .try_get::<_, Option<&[u8]>>(5)?
            .map(fingerprint)
            .transpose()?,
        created_at: time(row.try_get(6)?)?,
        revoked_at: optional_time(row, 7)?,
    })
}

/// Reads an event from the columns that start at `first`.
pub(super) fn event(row: &Row, first: usize) -> Result<Event> {
    let trace: Option<&str> = row.try_get(first + 8)?;
    Ok(Event {
        id: row.try_get(first)?,
        provider: provider(row, first + 1)?,
        event_type: row.try_get(first + 2)?,
        owner: row.try_get::<_, Option<String>>(first + 3)?.map(given),
        account_id: row.try_get::<_, Option<String>>(first + 4)?.map(given),
        data: row.try_get(first + 5)?,
        sequence: row.try_get::<_, i64>(first + 6)?.unsigned_abs(),
        created_at: time(row.try_get(first + 7)?)?,
        // A damaged one must not keep an event from its receivers.
        trace: trace.and_then(|text| text.parse().ok()),
    })
}

pub(super) fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Owner => "owner",
        Audience::Account => "account",
        Audience::Platform => "platform",
    }
}

pub(super) fn parse_audience(name: &str) -> Result<Audience> {
    let all = [Audience::Owner, Audience::Account, Audience::Platform];
    let found = all.into_iter().find(|known| audience(*known) == name);
    found.ok_or_else(|| StoreError::Damaged(format!("audience {name}")))
}

pub(super) fn provider(row: &Row, column: usize) -> Result<ProviderName> {
    row.try_get::<_, &str>(column)?
        .parse()
        .map_err(|error: InvalidProviderName| StoreError::Damaged(error.to_string()))
}

pub(super) fn time(microseconds: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| StoreError::Damaged(error.to_string()))
}

pub(super) fn optional_time(row: &Row, column: usize) -> Result<Option<Timestamp>> {
    row.try_get::<_, Option<i64>>(column)?.map(time).transpose()
}

/// A count, which is never negative.
pub(super) fn count(row: &Row, column: usize) -> Result<u64> {
    Ok(row.try_get::<_, i64>(column)?.unsigned_abs())
}

/// A count as it is stored.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const INDEX: i64 = (1 << FAN_OUT_BITS) - 1;

/// Which of its event's deliveries has this number.
pub(super) fn index_of(number: i64) -> i64 {
    number & INDEX
}

/// The id of one of an event's deliveries.
pub(super) fn delivery_id(base: Uuid, index: i64) -> Uuid {
    let index = u128::try_from(index & INDEX).unwrap_or_default();
    Uuid::from_u128(base_of(base).as_u128() | index)
}

/// The id of the first delivery of the event that one with this id is of, and which one it is.
pub(super) fn base_and_index(id: Uuid) -> (Uuid, i64) {
    let mask = u128::try_from(INDEX).unwrap_or_default();
    let index = i64::try_from(id.as_u128() & mask).unwrap_or_default();
    (base_of(id), index)
}

fn base_of(id: Uuid) -> Uuid {
    let mask = u128::try_from(INDEX).unwrap_or_default();
    Uuid::from_u128(id.as_u128() & !mask)
}

/// A new id for the first delivery of an event that is published now.
pub(super) fn new_base(now: Timestamp) -> Uuid {
    base_of(crate::entropy::time_ordered_uuid(now))
}

/// How many rows a search looks at: what no index leads to is looked for in this many of the newest, and then page by page.
pub(super) const SEARCH: i64 = 10_000;

/// How far a search goes.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Search {
    /// The last number that it looks at.
    pub(super) end: i64,
    /// Whether there may be more behind it.
    pub(super) more: bool,
}

impl Search {
    /// Reads the last number, and whether as many rows were counted as are looked at.
    pub(super) fn read(row: &Row) -> Result<Self> {
        let (end, more): (Option<i64>, bool) = (row.try_get(0)?, row.try_get(1)?);
        // Behind the last of fewer rows there is none, but there may be deliveries that have no row yet.
        let end = end.filter(|_| more).unwrap_or_default();
        Ok(Self { end, more })
    }

    /// The page: one row more than it holds tells that more follow.
    pub(super) fn cut<T>(self, mut all: Vec<(i64, T)>, limit: u32) -> Rows<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = all.len() > limit;
        all.truncate(limit);
        let next = if more {
            all.last().map(|(number, _)| *number)
        } else {
            Some(self.end).filter(|_| self.more)
        };
        Rows {
            rows: all.into_iter().map(|(_, row)| row).collect(),
            next,
        }
    }
}

/// Conditions of a statement that is put together, with their values numbered in order.
#[derive(Default)]
pub(super) struct Conditions<'a> {
    pub(super) text: String,
    pub(super) values: Values<'a>,
}

impl<'a> Conditions<'a> {
    /// Adds a value; gives the name by which the statement has it.
    pub(super) fn value(&mut self, value: &'a (dyn ToSql + Sync)) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// Adds `AND column = value`, or another comparison.
    pub(super) fn and(&mut self, left: &str, value: &'a (dyn ToSql + Sync)) {
        let name = self.value(value);
        self.text += &format!(" AND {left} {name}");
    }
}
