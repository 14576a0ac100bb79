//! Which webhooks want an event: looked for in the tables, and kept until any webhook changes.
//!
//! Triggers give the row `webhooks` of the table `meta` another random value with each change of a webhook or a subscription, whoever
//! makes it. It is read in the transaction of each publication, so that what is kept is never older than what that transaction sees, nor
//! newer after a rollback.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Row, params};

use super::super::StoreError;
use super::claim::SealedTarget;
use crate::domain::{Audience, Event, ProviderName};

type Result<T> = std::result::Result<T, StoreError>;

/// How many webhooks are kept in all lists together: a few hundred bytes each.
const KEPT: usize = 10_000;

/// The webhooks that want events, as far as they were looked for.
#[derive(Default)]
pub(super) struct Matching(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The value in the file for which the lists hold.
    version: [u8; 8],
    lists: HashMap<Key, Arc<[Wanting]>>,
    /// How many webhooks and lists there are.
    size: usize,
}

/// What decides which webhooks want an event.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    provider: ProviderName,
    audience: Audience,
    event_type: String,
    owner: Option<String>,
    account_id: Option<String>,
}

impl Matching {
    /// The webhooks that want an event, in the order of their registration.
    pub(super) fn of(
        &self,
        connection: &Connection,
        event: &Event,
        audience: Audience,
    ) -> Result<Arc<[Wanting]>> {
        let version: [u8; 8] = connection
            .prepare_cached("SELECT value FROM meta WHERE name = 'webhooks'")?
            .query_row([], |row| row.get(0))?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.version != version {
            *kept = Kept {
                version,
                ..Kept::default()
            };
        }
        let key = Key {
            provider: event.provider,
            audience,
            event_type: event.event_type.clone(),
            owner: event.owner.clone(),
            account_id: event.account_id.clone(),
        };
        if let Some(list) = kept.lists.get(&key) {
            return Ok(list.clone());
        }
        let list: Arc<[Wanting]> = find(connection, event, audience)?.into();
        if kept.size > KEPT {
            kept.lists.clear();
            kept.size = 0;
        }
        kept.size += 1 + list.len();
        kept.lists.insert(key, list.clone());
        Ok(list)
    }
}

/// A webhook that wants an event.
#[derive(Debug)]
pub(super) struct Wanting {
    /// Its number.
    pub(super) lane: i64,
    /// Where to send, its secrets sealed.
    pub(super) target: Arc<SealedTarget>,
    /// Whether its deliveries wait (E-57).
    pub(super) suspended: bool,
}

/// The columns that [`wanting`] reads, in its order.
macro_rules! wanting_columns {
    () => {
        "webhook.number, webhook.id, webhook.url, webhook.signing_secret, webhook.authorization_header, webhook.suspended"
    };
}

/// The webhooks that want an event, in the order of their registration.
pub(super) fn find(
    connection: &Connection,
    event: &Event,
    audience: Audience,
) -> Result<Vec<Wanting>> {
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
    Ok(Wanting {
        lane: row.get(0)?,
        target: Arc::new(SealedTarget::read(row, 1)?),
        suspended: row.get(5)?,
    })
}
