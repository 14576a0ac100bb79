//! Rows to domain values and back. Times are microseconds since 1970 in UTC.

use jiff::Timestamp;
use rusqlite::Row;

use super::super::StoreError;
use super::super::queue::Rows;
use super::super::seal::Sealer;
use super::super::targets;
use super::ids::SealedIds;
use crate::domain::{
    ApiKey, Audience, Event, Fingerprint, ProviderName, ReceiverUrl, Secret, Webhook,
};

/// The columns that [`webhook`] reads, in its order.
pub(super) const WEBHOOK_COLUMNS: &str = "webhook.provider, webhook.id, webhook.owner, webhook.account_id, webhook.url, \
     webhook.enabled, webhook.signing_secret, webhook.authorization_header, webhook.created_at, webhook.updated_at, \
     (SELECT json_group_array(event_type ORDER BY position) FROM subscription WHERE webhook = webhook.number)";

/// The columns that [`api_key`] reads, in its order.
pub(super) const KEY_COLUMNS: &str =
    "id, provider, owner, name, key_fingerprint, secret_fingerprint, created_at, revoked_at";

/// Events with what those of a kind have in common; CROSS JOIN fixes the order.
pub(super) const EVENTS: &str = "event CROSS JOIN event_kind AS kind ON kind.number = event.kind";

/// The columns of [`EVENTS`] that [`event`] reads, in its order.
pub(super) const EVENT_COLUMNS: &str = "event.id, kind.provider, kind.event_type, event.owner, event.account_id, event.data, \
     event.sequence, event.created_at, event.trace, event.number";

/// How many columns these are.
pub(super) const EVENT_COLUMN_COUNT: usize = 10;

pub(super) fn webhook(row: &Row<'_>, sealer: &Sealer) -> Result<Webhook, StoreError> {
    let id: String = row.get(1)?;
    let open = |column: usize, place: String| -> Result<Option<Secret>, StoreError> {
        let sealed: Option<Vec<u8>> = row.get(column)?;
        Ok(sealed
            .map(|sealed| sealer.open(&place, &sealed))
            .transpose()?)
    };
    let event_types: String = row.get(10)?;
    Ok(Webhook {
        provider: provider(row, 0)?,
        owner: row.get(2)?,
        account_id: row.get(3)?,
        url: ReceiverUrl::from_stored(row.get(4)?),
        enabled: row.get(5)?,
        signing_secret: open(6, targets::secret_place(&id))?,
        authorization: open(7, targets::authorization_place(&id))?,
        created_at: time(row.get(8)?)?,
        updated_at: time(row.get(9)?)?,
        event_types: serde_json::from_str(&event_types)
            .map_err(|error| StoreError::Damaged(error.to_string()))?,
        id,
    })
}

pub(super) fn api_key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.get(0)?,
        provider: provider(row, 1)?,
        owner: row.get(2)?,
        name: row.get(3)?,
        key: Fingerprint::from_bytes(row.get(4)?),
        secret: row
            .get::<_, Option<[u8; 32]>>(5)?
            .map(Fingerprint::from_bytes),
        created_at: time(row.get(6)?)?,
        revoked_at: row.get::<_, Option<i64>>(7)?.map(time).transpose()?,
    })
}

/// Reads an event from the columns that start at `first`.
pub(super) fn event(row: &Row<'_>, first: usize, ids: &SealedIds) -> Result<Event, StoreError> {
    let created_at = time(row.get(first + 7)?)?;
    Ok(Event {
        id: ids.of_event(row.get(first)?, row.get(first + 9)?, created_at),
        provider: provider(row, first + 1)?,
        event_type: row.get(first + 2)?,
        owner: row.get(first + 3)?,
        account_id: row.get(first + 4)?,
        data: row.get(first + 5)?,
        sequence: row.get::<_, i64>(first + 6)?.unsigned_abs(),
        created_at,
        // A damaged one must not keep an event from its receivers.
        trace: row
            .get_ref(first + 8)?
            .as_str_or_null()
            .ok()
            .flatten()
            .and_then(|text| text.parse().ok()),
    })
}

pub(super) fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Owner => "owner",
        Audience::Account => "account",
        Audience::Platform => "platform",
    }
}

pub(super) fn parse_audience(name: &str) -> Result<Audience, StoreError> {
    let all = [Audience::Owner, Audience::Account, Audience::Platform];
    let found = all.into_iter().find(|known| audience(*known) == name);
    found.ok_or_else(|| StoreError::Damaged(format!("audience {name}")))
}

pub(super) fn provider(row: &Row<'_>, column: usize) -> Result<ProviderName, StoreError> {
    row.get::<_, String>(column)?
        .parse()
        .map_err(|error: crate::domain::InvalidProviderName| StoreError::Damaged(error.to_string()))
}

pub(super) fn time(microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| StoreError::Damaged(error.to_string()))
}

/// How many rows a search looks at: what no index leads to is looked for in this many of the newest, and then page by page.
pub(super) const SEARCH: i64 = 50_000;

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
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (end, more): (Option<i64>, bool) = (row.get(0)?, row.get(1)?);
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
