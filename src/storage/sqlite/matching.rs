//! Which webhooks want an event: looked for in the tables, and kept until any webhook changes.
//!
//! Triggers give the row `webhooks` of the table `meta` another random value with each change of a webhook or a subscription, whoever
//! makes it. It is read in the transaction of each publication, so that what is kept is never older than what that transaction sees, nor
//! newer after a rollback.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Row, params};

use super::super::targets::SealedTarget;
use super::super::{Addressee, StoreError};
use super::claim::target_columns;
use crate::domain::{Audience, Event};

type Result<T> = std::result::Result<T, StoreError>;

/// How much is kept in all: a few hundred bytes for each addressee, and for each webhook in a list.
const KEPT: usize = 10_000;

/// The webhooks that want events, as far as they were looked for.
pub(super) type Matching = UntilChanged<Arc<[Wanting]>>;

/// Answers of the tables of webhooks about addressees, kept until a webhook changes.
pub(super) struct UntilChanged<T>(Mutex<Kept<T>>);

struct Kept<T> {
    /// The value in the file for which the answers hold.
    version: [u8; 8],
    answers: HashMap<Addressee, T>,
    /// How much is kept, in the unit of [`KEPT`].
    size: usize,
}

impl<T> Default for UntilChanged<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept::of([0; 8])))
    }
}

impl<T> Kept<T> {
    fn of(version: [u8; 8]) -> Self {
        Self {
            version,
            answers: HashMap::new(),
            size: 0,
        }
    }
}

impl<T: Clone> UntilChanged<T> {
    /// The answer for this addressee: the kept one, or that of `find`, whose cost to keep is its `size`.
    pub(super) fn get_or_find(
        &self,
        connection: &Connection,
        addressee: Addressee,
        size: impl FnOnce(&T) -> usize,
        find: impl FnOnce(&Addressee) -> Result<T>,
    ) -> Result<T> {
        // Read first: what is found after it may be newer, and is then dropped at the next look; it is never older.
        let version: [u8; 8] = connection
            .prepare_cached("SELECT value FROM meta WHERE name = 'webhooks'")?
            .query_row([], |row| row.get(0))?;
        let mut kept = self.lock();
        if kept.version != version {
            *kept = Kept::of(version);
        }
        if let Some(answer) = kept.answers.get(&addressee) {
            return Ok(answer.clone());
        }
        drop(kept);
        let answer = find(&addressee)?;
        let mut kept = self.lock();
        if kept.version == version {
            if kept.size > KEPT {
                *kept = Kept::of(version);
            }
            kept.size += 1 + size(&answer);
            kept.answers.insert(addressee, answer.clone());
        }
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Matching {
    /// The webhooks that want an event, in the order of their registration.
    pub(super) fn of(
        &self,
        connection: &Connection,
        event: &Event,
        audience: Audience,
    ) -> Result<Arc<[Wanting]>> {
        let addressee = Addressee::of(event, audience);
        let find = |_: &Addressee| Ok(find(connection, event, audience)?.into());
        self.get_or_find(connection, addressee, |list| list.len(), find)
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
        target: Arc::new(SealedTarget::of(&target_columns(row, 0)?)),
        suspended: row.get(5)?,
    })
}
