//! Storing events, each with one delivery for every webhook that wants it: many publications in one transaction.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use deadpool_postgres::Transaction;
use futures_util::try_join;
use tokio::sync::oneshot;
use tokio_postgres::Row;

use super::batch::{Batch, WaitingRow, insert_waiting, numbered_for};
use super::claimed::{ClaimedRow, later};
use super::inspect::not_matched;
use super::matching::{Key, key, matching};
use super::queue::wake;
use super::{Db, Result, partitions, query, rows, run_cached};
use crate::causes::with_causes;
use crate::clock::Moment;
use crate::domain::{DueDelivery, ProviderName};
use crate::storage::queue::{Idempotency, Publication, Published, Receipt};
use crate::storage::taken::Taken;
use crate::storage::targets::Targets;
use crate::storage::{Addressee, NotMatched, Replay, Slots, StoreError};

/// How many publications one commit may hold: bounds the memory of a batch and the wait of its first one.
pub(super) const BATCH: usize = 512;

/// A publication that waits for its commit.
pub(super) struct Job {
    pub(super) publication: Publication,
    /// The slots that were taken for it.
    pub(super) taken: Arc<Taken>,
    pub(super) caller: oneshot::Sender<Result<Published>>,
}

/// The outcome of a publication, once the transaction is committed.
pub(super) enum Outcome {
    Stored {
        receipt: Receipt,
        claimed: Vec<ClaimedRow>,
        waiting: Vec<i64>,
    },
    Repeated(Receipt),
    Conflict,
}

/// Stores what waits, and answers. Where one publication cannot be stored, each is stored alone.
pub(super) async fn publish_all(db: &Db, jobs: Vec<Job>) {
    let (jobs, outcome) = match attempt(db, &jobs).await {
        Ok(outcomes) => (jobs, outcomes),
        Err(error) if jobs.len() == 1 || error.is_temporary() => {
            let message = error.to_string();
            let mut error = Some(error);
            for job in jobs {
                let error = error
                    .take()
                    .unwrap_or_else(|| StoreError::Commit(message.clone()));
                job.taken.give_back_all();
                let _ = job.caller.send(Err(error));
            }
            return;
        }
        Err(_) => {
            for job in jobs {
                Box::pin(publish_all(db, vec![job])).await;
            }
            return;
        }
    };
    let mut waits = false;
    for (job, outcome) in jobs.into_iter().zip(outcome) {
        let published = match outcome {
            Outcome::Stored {
                receipt,
                claimed,
                waiting,
            } => {
                waits |= !waiting.is_empty();
                // Now that it is committed, so that the database counts no fewer than are counted here.
                for lane in &waiting {
                    job.taken.wait(*lane);
                }
                if let Some(first) = claimed.first() {
                    db.sweep
                        .lease_ends(later(first.due_at(), job.publication.lease));
                }
                Published::Stored {
                    receipt,
                    claimed: open_all(db, claimed, &*job.taken),
                    waiting,
                }
            }
            Outcome::Repeated(receipt) => Published::Repeated(receipt),
            Outcome::Conflict => Published::Conflict,
        };
        // A caller that has gone away attempts nothing: its slots come back, and its claims run out.
        let _ = job.caller.send(Ok(published));
    }
    if waits {
        db.wake.tell();
    }
}

/// Opens the secrets of claimed deliveries. One that does not open is left for the next claim: the others must not suffer for it.
pub(super) fn open_all(db: &Db, claimed: Vec<ClaimedRow>, slots: &dyn Slots) -> Vec<DueDelivery> {
    let mut due = Vec::with_capacity(claimed.len());
    for row in claimed {
        let lane = row.lane();
        match row.open(&db.sealer) {
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

async fn attempt(db: &Db, jobs: &[Job]) -> Result<Vec<Outcome>> {
    for job in jobs {
        job.taken.give_back_all();
    }
    let mut client = db.client().await?;
    let tx = client.transaction().await?;
    let outcomes = publish(&tx, &db.targets, jobs).await?;
    tx.commit().await?;
    Ok(outcomes)
}

/// Takes the lock under which numbers of events are given: it is held until the commit.
pub(super) async fn lock_numbers(tx: &Transaction<'_>) -> Result<()> {
    run_cached(
        tx,
        "SELECT pg_advisory_xact_lock('event_number'::regclass::oid::integer, 1)",
        &[],
    )
    .await?;
    Ok(())
}

async fn publish(tx: &Transaction<'_>, targets: &Targets, jobs: &[Job]) -> Result<Vec<Outcome>> {
    let publications: Vec<&Publication> = jobs.iter().map(|job| &job.publication).collect();
    let mut keys: HashMap<Key, usize> = HashMap::new();
    let mut addressees = Vec::new();
    let mut owners: BTreeMap<(ProviderName, String), i64> = BTreeMap::new();
    for publication in &publications {
        if let Entry::Vacant(new) = keys.entry(key(&publication.event, publication.audience)) {
            new.insert(addressees.len());
            addressees.push(Addressee::of(&publication.event, publication.audience));
        }
        if let Some(owner) = numbered_for(publication) {
            owners.insert(owner, 0);
        }
    }
    let idempotency: Vec<&Idempotency> = publications
        .iter()
        .filter_map(|publication| publication.idempotency.as_ref())
        .collect();
    // Counted first: other publications must not wait for what is told of other webhooks.
    let (not_matched, ()) = try_join!(not_matched(tx, &addressees), lock_numbers(tx))?;
    let (wanting, earlier, (), numbers) = try_join!(
        matching(tx, targets, &keys),
        earlier(tx, &idempotency),
        highest(tx, &mut owners),
        new_numbers(tx, publications.len()),
    )?;
    let mut batch = Batch::new(earlier, owners);
    let mut outcomes = Vec::with_capacity(jobs.len());
    for ((job, publication), number) in jobs.iter().zip(&publications).zip(numbers) {
        let key = keys[&key(&publication.event, publication.audience)];
        let webhooks = (&*wanting[key], not_matched[key]);
        outcomes.push(batch.add(publication, &job.taken, number, webhooks));
    }
    batch.write(tx).await?;
    Ok(outcomes)
}

/// The request and the receipt of an idempotency key.
pub(super) type Known = HashMap<KnownAs, (Vec<u8>, Receipt)>;

/// An idempotency key with its caller.
pub(super) type KnownAs = (String, String);

async fn earlier(tx: &Transaction<'_>, keys: &[&Idempotency]) -> Result<Known> {
    if keys.is_empty() {
        return Ok(Known::new());
    }
    let callers: Vec<&str> = keys.iter().map(|key| key.caller.as_str()).collect();
    let names: Vec<_> = keys.iter().map(|key| rows::text(&key.key)).collect();
    let found = query(
        tx,
        "SELECT caller, key, request, event_id, created_at, deliveries, disabled, other_account, other_owner
         FROM unnest($1::text[], $2::text[]) AS asked (caller, key) JOIN idempotency USING (caller, key)",
        &[&callers, &names],
    )
    .await?;
    found.iter().map(known).collect()
}

fn known(row: &Row) -> Result<(KnownAs, (Vec<u8>, Receipt))> {
    let receipt = Receipt {
        id: row.try_get(3)?,
        created_at: rows::time(row.try_get(4)?)?,
        deliveries: rows::count(row, 5)?,
        not_matched: NotMatched {
            disabled: rows::count(row, 6)?,
            other_account: rows::count(row, 7)?,
            other_owner: rows::count(row, 8)?,
        },
    };
    Ok((
        (row.try_get(0)?, row.try_get(1)?),
        (row.try_get(2)?, receipt),
    ))
}

/// Reads the highest number that each owner's events have.
async fn highest(
    tx: &Transaction<'_>,
    owners: &mut BTreeMap<(ProviderName, String), i64>,
) -> Result<()> {
    if owners.is_empty() {
        return Ok(());
    }
    let providers: Vec<&str> = owners
        .keys()
        .map(|(provider, _)| provider.as_str())
        .collect();
    let names: Vec<&str> = owners.keys().map(|(_, owner)| owner.as_str()).collect();
    let found = query(
        tx,
        "SELECT coalesce((SELECT value FROM sequence WHERE sequence.provider = asked.provider AND sequence.owner = asked.owner
             ORDER BY value DESC LIMIT 1), 0)
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (provider, owner, place) ORDER BY place",
        &[&providers, &names],
    )
    .await?;
    for (value, row) in owners.values_mut().zip(found) {
        *value = row.try_get(0)?;
    }
    Ok(())
}

/// Numbers of events. Where the publication is not stored, a number is not used.
pub(super) async fn new_numbers(tx: &Transaction<'_>, count: usize) -> Result<Vec<i64>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let found = query(
        tx,
        "SELECT nextval('event_number') FROM generate_series(1, $1::bigint)",
        &[&count],
    )
    .await?;
    let mut numbers = Vec::with_capacity(found.len());
    for row in found {
        numbers.push(row.try_get(0)?);
    }
    Ok(numbers)
}

/// Matches unmatched events anew for a replay and makes the deliveries that they did not get; gives how many. A dry run only counts.
pub(super) async fn match_anew(
    tx: &Transaction<'_>,
    numbers: &[i64],
    replay: &Replay,
    at: Moment,
) -> Result<u64> {
    let found = query(
        tx,
        &format!(
            "SELECT {}, event.audience, event.number FROM event WHERE event.number = ANY ($1) ORDER BY event.number",
            rows::EVENT_COLUMNS
        ),
        &[&numbers],
    )
    .await?;
    let only: Option<Option<i64>> = match &replay.filter.webhook_id {
        Some(id) => {
            let found = query(
                tx,
                "SELECT number FROM webhook WHERE id = $1",
                &[&rows::text(id)],
            )
            .await?;
            Some(found.first().map(|row| row.try_get(0)).transpose()?)
        }
        None => None,
    };
    let mut made = 0;
    // Its deliveries wait in the queue: nobody opens these.
    let targets = Targets::default();
    for row in found {
        let event = rows::event(&row, 0)?;
        let audience = rows::parse_audience(row.try_get(rows::EVENT_COLUMN_COUNT)?)?;
        let event_number: i64 = row.try_get(rows::EVENT_COLUMN_COUNT + 1)?;
        let mut wanting =
            matching(tx, &targets, &HashMap::from([(key(&event, audience), 0)])).await?;
        let mut wanting = wanting.pop().unwrap_or_default();
        if let Some(only) = only {
            wanting.retain(|webhook| Some(webhook.lane) == only);
        }
        made += u64::try_from(wanting.len()).unwrap_or(u64::MAX);
        if replay.dry_run || wanting.is_empty() {
            continue;
        }
        // Numbers of their own: they come after all deliveries that there are.
        let number = new_numbers(tx, 1).await?[0];
        let (base, first) = (rows::new_base(at.now), number << partitions::FAN_OUT_BITS);
        let waiting: Vec<WaitingRow> = (0..)
            .zip(&wanting)
            .map(|(index, webhook)| WaitingRow {
                number: first + index,
                id: rows::delivery_id(base, index),
                event: event_number,
                lane: webhook.lane,
                at,
            })
            .collect();
        insert_waiting(tx, &waiting).await?;
        let matched = i32::try_from(wanting.len()).unwrap_or(i32::MAX);
        run_cached(
            tx,
            "UPDATE event SET matched = $2, base = $3, first = $4 WHERE number = $1",
            &[&event_number, &matched, &base, &first],
        )
        .await?;
        let due = at.steady.as_microsecond();
        wake(tx, waiting.iter().map(|row| (row.lane, due))).await?;
    }
    Ok(made)
}
