//! The rows of publications that share a transaction.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use deadpool_postgres::Transaction;
use futures_util::try_join;
use uuid::Uuid;

use super::claimed::{ClaimedRow, later};
use super::matching::Wanting;
use super::publish::{Known, Outcome};
use super::queue::wake;
use super::{Result, partitions, rows, run_cached};
use crate::clock::Moment;
use crate::domain::{Audience, Event, ProviderName};
use crate::storage::queue::{Idempotency, Publication, Receipt};
use crate::storage::taken::Taken;
use crate::storage::{NotMatched, Slots};

/// Returns the provider and owner whose events this one is numbered among (C-49).
pub(super) fn numbered_for(publication: &Publication) -> Option<(ProviderName, String)> {
    match (&publication.event.owner, publication.audience) {
        (Some(owner), Audience::Owner) => {
            Some((publication.event.provider, rows::text(owner).into_owned()))
        }
        _ => None,
    }
}

/// The rows of one transaction.
#[derive(Default)]
pub(super) struct Batch {
    earlier: Known,
    owners: BTreeMap<(ProviderName, String), i64>,
    numbered: HashSet<(ProviderName, String)>,
    events: Vec<EventRow>,
    waiting: Vec<WaitingRow>,
    remembered: Vec<(Idempotency, Receipt, i64)>,
}

struct EventRow {
    number: i64,
    event: Arc<Event>,
    audience: &'static str,
    steady: i64,
    matched: i32,
    base: Uuid,
    lanes: Option<String>,
    lease_end: i64,
}

/// A delivery that waits to be claimed.
pub(super) struct WaitingRow {
    pub(super) number: i64,
    pub(super) id: Uuid,
    pub(super) event: i64,
    pub(super) lane: i64,
    pub(super) at: Moment,
}

impl Batch {
    /// No rows yet, with what is known of idempotency keys, and the highest number that events of each owner have.
    pub(super) fn new(earlier: Known, owners: BTreeMap<(ProviderName, String), i64>) -> Self {
        Self {
            earlier,
            owners,
            ..Self::default()
        }
    }

    pub(super) fn add(
        &mut self,
        publication: &Publication,
        slots: &Arc<Taken>,
        number: i64,
        (wanting, not_matched): (&[Wanting], NotMatched),
    ) -> Outcome {
        let known_as = |key: &Idempotency| (key.caller.clone(), rows::text(&key.key).into_owned());
        if let Some(key) = &publication.idempotency
            && let Some((request, receipt)) = self.earlier.get(&known_as(key))
        {
            return if request == key.request.as_bytes() {
                Outcome::Repeated(receipt.clone())
            } else {
                Outcome::Conflict
            };
        }
        let mut event = publication.event.clone();
        event.sequence = 0;
        if let Some(owner) = numbered_for(publication) {
            let value = self.owners.entry(owner.clone()).or_default();
            *value += 1;
            event.sequence = value.unsigned_abs();
            self.numbered.insert(owner);
        }
        let event = Arc::new(event);
        let at = Moment {
            now: event.created_at,
            steady: publication.steady,
        };
        let (base, first) = (rows::new_base(at.now), number << partitions::FAN_OUT_BITS);
        let mut claimed = Vec::new();
        let mut waiting = Vec::new();
        for (index, webhook) in (0..).zip(wanting) {
            let (delivery, id) = (first + index, rows::delivery_id(base, index));
            if slots.take(webhook.lane) {
                claimed.push(ClaimedRow::first(
                    delivery,
                    id,
                    webhook.target.clone(),
                    &event,
                    at.steady,
                ));
            } else {
                waiting.push(webhook.lane);
                self.waiting.push(WaitingRow {
                    number: delivery,
                    id,
                    event: number,
                    lane: webhook.lane,
                    at,
                });
            }
        }
        let lanes = (!claimed.is_empty()).then(|| {
            let lanes: Vec<String> = wanting.iter().map(|one| one.lane.to_string()).collect();
            format!("{{{}}}", lanes.join(","))
        });
        self.events.push(EventRow {
            number,
            event: event.clone(),
            audience: rows::audience(publication.audience),
            steady: at.steady.as_microsecond(),
            matched: i32::try_from(wanting.len()).unwrap_or(i32::MAX),
            base,
            lanes,
            lease_end: later(at.steady, publication.lease).as_microsecond(),
        });
        let receipt = Receipt {
            id: event.id.clone(),
            created_at: event.created_at,
            deliveries: u64::try_from(wanting.len()).unwrap_or(u64::MAX),
            not_matched,
        };
        if let Some(key) = &publication.idempotency {
            let remembered = (key.request.as_bytes().to_vec(), receipt.clone());
            self.earlier.insert(known_as(key), remembered);
            let steady = at.steady.as_microsecond();
            self.remembered.push((key.clone(), receipt.clone(), steady));
        }
        Outcome::Stored {
            receipt,
            claimed,
            waiting,
        }
    }

    pub(super) async fn write(self, tx: &Transaction<'_>) -> Result<()> {
        try_join!(
            insert_events(tx, &self.events),
            insert_waiting(tx, &self.waiting),
            insert_sequences(tx, &self.owners, &self.numbered),
            remember(tx, &self.remembered),
        )?;
        // After the rows are there: a claim that has not seen them ended before its lane could be locked here.
        wake(
            tx,
            self.waiting
                .iter()
                .map(|row| (row.lane, row.at.steady.as_microsecond())),
        )
        .await
    }
}

async fn insert_events(tx: &Transaction<'_>, events: &[EventRow]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($row:ident => $value:expr) => {
            events.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    run_cached(
        tx,
        "INSERT INTO event (number, id, provider, event_type, owner, account_id, data, sequence, created_at, kept_since, audience,
             matched, trace, base, first, lanes, lease_end)
         SELECT number, id, provider, event_type, owner, account_id, data, sequence, created_at, kept_since, audience,
             matched, trace, base, number << 20, lanes::bigint[], lease_end
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
             $10::bigint[], $11::text[], $12::integer[], $13::text[], $14::uuid[], $15::text[], $16::bigint[])
             AS new (number, id, provider, event_type, owner, account_id, data, sequence, created_at, kept_since, audience, matched,
                 trace, base, lanes, lease_end)",
        &[
            &column!(row => row.number),
            &column!(row => row.event.id.as_str()),
            &column!(row => row.event.provider.as_str()),
            &column!(row => rows::text(&row.event.event_type)),
            &column!(row => rows::optional_text(row.event.owner.as_deref())),
            &column!(row => rows::optional_text(row.event.account_id.as_deref())),
            &column!(row => rows::text(&row.event.data)),
            &column!(row => rows::stored(row.event.sequence)),
            &column!(row => row.event.created_at.as_microsecond()),
            &column!(row => row.steady),
            &column!(row => row.audience),
            &column!(row => row.matched),
            &column!(row => row.event.trace.map(|trace| trace.to_string())),
            &column!(row => row.base),
            &column!(row => row.lanes.as_deref()),
            &column!(row => row.lease_end),
        ],
    )
    .await?;
    Ok(())
}

/// Inserts deliveries that wait; their lanes are to be woken afterwards.
pub(super) async fn insert_waiting(tx: &Transaction<'_>, waiting: &[WaitingRow]) -> Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i64> = waiting.iter().map(|row| row.number).collect();
    let ids: Vec<Uuid> = waiting.iter().map(|row| row.id).collect();
    let events: Vec<i64> = waiting.iter().map(|row| row.event).collect();
    let lanes: Vec<i64> = waiting.iter().map(|row| row.lane).collect();
    let due: Vec<i64> = waiting
        .iter()
        .map(|row| row.at.steady.as_microsecond())
        .collect();
    let created: Vec<i64> = waiting
        .iter()
        .map(|row| row.at.now.as_microsecond())
        .collect();
    run_cached(
        tx,
        "INSERT INTO pending (number, id, event, webhook, attempts, due_at, claimed, created_at)
         SELECT number, id, event, webhook, 0, due_at, false, created_at
         FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS new (number, id, event, webhook, due_at, created_at)",
        &[&numbers, &ids, &events, &lanes, &due, &created],
    )
    .await?;
    Ok(())
}

async fn insert_sequences(
    tx: &Transaction<'_>,
    values: &BTreeMap<(ProviderName, String), i64>,
    numbered: &HashSet<(ProviderName, String)>,
) -> Result<()> {
    if numbered.is_empty() {
        return Ok(());
    }
    let providers: Vec<&str> = numbered
        .iter()
        .map(|(provider, _)| provider.as_str())
        .collect();
    let owners: Vec<&str> = numbered.iter().map(|(_, owner)| owner.as_str()).collect();
    let values: Vec<i64> = numbered.iter().map(|owner| values[owner]).collect();
    run_cached(
        tx,
        "INSERT INTO sequence (provider, owner, value) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])",
        &[&providers, &owners, &values],
    )
    .await?;
    Ok(())
}

async fn remember(tx: &Transaction<'_>, remembered: &[(Idempotency, Receipt, i64)]) -> Result<()> {
    if remembered.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($key:pat, $receipt:pat, $steady:pat => $value:expr) => {
            remembered
                .iter()
                .map(|($key, $receipt, $steady)| $value)
                .collect::<Vec<_>>()
        };
    }
    run_cached(
        tx,
        "INSERT INTO idempotency (caller, key, request, event_id, deliveries, created_at, kept_since, disabled, other_account,
             other_owner)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
             $9::bigint[], $10::bigint[])",
        &[
            &column!(key, _, _ => key.caller.as_str()),
            &column!(key, _, _ => rows::text(&key.key)),
            &column!(key, _, _ => key.request.as_bytes().as_slice()),
            &column!(_, receipt, _ => receipt.id.as_str()),
            &column!(_, receipt, _ => rows::stored(receipt.deliveries)),
            &column!(_, receipt, _ => receipt.created_at.as_microsecond()),
            &column!(_, _, steady => *steady),
            &column!(_, receipt, _ => rows::stored(receipt.not_matched.disabled)),
            &column!(_, receipt, _ => rows::stored(receipt.not_matched.other_account)),
            &column!(_, receipt, _ => rows::stored(receipt.not_matched.other_owner)),
        ],
    )
    .await?;
    Ok(())
}
