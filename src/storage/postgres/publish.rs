//! Storing events, each with one delivery for every webhook that wants it: many publications in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use deadpool_postgres::Transaction;
use futures_util::try_join;
use tokio::sync::oneshot;
use tokio_postgres::Row;
use uuid::Uuid;

use super::claim::{ClaimedRow, SealedTarget, later};
use super::queue::wake;
use super::{Db, Result, partitions, query, rows, run_cached};
use crate::clock::Moment;
use crate::domain::{Audience, DueDelivery, Event, ProviderName};
use crate::storage::queue::{Idempotency, Publication, Published, Receipt};
use crate::storage::taken::Taken;
use crate::storage::{NotMatched, Replay, Slots, StoreError};

/// How many publications one commit may hold: bounds the memory of a batch and the wait of its first one.
pub(super) const BATCH: usize = 512;

/// A publication that waits for its commit.
pub(super) struct Job {
    pub(super) publication: Publication,
    /// The slots that were taken for it.
    pub(super) taken: Arc<Taken>,
    pub(super) caller: oneshot::Sender<Result<Published>>,
}

/// What becomes of a publication when the transaction is committed.
enum Outcome {
    Stored {
        receipt: Receipt,
        claimed: Vec<ClaimedRow>,
        waiting: Vec<i64>,
    },
    Repeated(Receipt),
    Conflict,
}

/// Which webhooks want an event: events for the same have the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    audience: &'static str,
    provider: ProviderName,
    event_type: String,
    owner: Option<String>,
    account: Option<String>,
}

/// A webhook that wants an event.
struct Wanting {
    lane: i64,
    target: Arc<SealedTarget>,
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
                    error = &error as &dyn std::error::Error,
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
    let outcomes = publish(&tx, jobs).await?;
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

async fn publish(tx: &Transaction<'_>, jobs: &[Job]) -> Result<Vec<Outcome>> {
    let publications: Vec<&Publication> = jobs.iter().map(|job| &job.publication).collect();
    let mut keys: HashMap<Key, usize> = HashMap::new();
    let mut owners: BTreeMap<(ProviderName, String), i64> = BTreeMap::new();
    for publication in &publications {
        let next = keys.len();
        keys.entry(key(&publication.event, publication.audience))
            .or_insert(next);
        if let Some(owner) = numbered_for(publication) {
            owners.insert(owner, 0);
        }
    }
    let idempotency: Vec<&Idempotency> = publications
        .iter()
        .filter_map(|publication| publication.idempotency.as_ref())
        .collect();
    lock_numbers(tx).await?;
    let (wanting, earlier, (), numbers) = try_join!(
        matching(tx, &keys),
        earlier(tx, &idempotency),
        highest(tx, &mut owners),
        new_numbers(tx, publications.len()),
    )?;
    let mut batch = Batch {
        earlier,
        owners,
        ..Batch::default()
    };
    let mut outcomes = Vec::with_capacity(jobs.len());
    for ((job, publication), number) in jobs.iter().zip(&publications).zip(numbers) {
        let key = keys[&key(&publication.event, publication.audience)];
        outcomes.push(batch.add(publication, &job.taken, number, &wanting[key]));
    }
    batch.write(tx).await?;
    Ok(outcomes)
}

/// Whose events this one is numbered among (C-49).
fn numbered_for(publication: &Publication) -> Option<(ProviderName, String)> {
    match (&publication.event.owner, publication.audience) {
        (Some(owner), Audience::Owner) => {
            Some((publication.event.provider, rows::text(owner).into_owned()))
        }
        _ => None,
    }
}

fn key(event: &Event, audience: Audience) -> Key {
    let clean = |value: &Option<String>| rows::optional_text(value.as_deref()).map(Into::into);
    Key {
        audience: rows::audience(audience),
        provider: event.provider,
        event_type: rows::text(&event.event_type).into_owned(),
        owner: clean(&event.owner),
        account: match audience {
            Audience::Account => clean(&event.account_id),
            Audience::Owner | Audience::Platform => None,
        },
    }
}

/// The webhooks that want events of each key, in the order of their registration.
async fn matching(tx: &Transaction<'_>, keys: &HashMap<Key, usize>) -> Result<Vec<Vec<Wanting>>> {
    let mut ordered: Vec<(&Key, usize)> = keys.iter().map(|(key, place)| (key, *place)).collect();
    ordered.sort_unstable_by_key(|(_, place)| *place);
    let column = |of: fn(&Key) -> Option<&str>| -> Vec<Option<&str>> {
        ordered.iter().map(|(key, _)| of(key)).collect()
    };
    let places: Vec<i32> = (0..).take(ordered.len()).collect();
    let found = query(
        tx,
        "SELECT wanted.place, webhook.number, webhook.id, webhook.url, webhook.signing_secret, webhook.authorization_header
         FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
             AS wanted (place, audience, provider, event_type, owner, account)
         CROSS JOIN LATERAL (
             SELECT webhook.number FROM webhook
             WHERE wanted.audience = 'owner' AND webhook.provider = wanted.provider AND webhook.owner = wanted.owner
                 AND EXISTS (SELECT 1 FROM subscription
                     WHERE subscription.webhook = webhook.number AND subscription.event_type = wanted.event_type)
             UNION ALL
             SELECT subscription.webhook FROM subscription
             WHERE wanted.audience <> 'owner' AND subscription.event_type = wanted.event_type
                 AND subscription.account = ANY (ARRAY['', wanted.account])
         ) AS found
         JOIN webhook ON webhook.number = found.number AND webhook.deleted_at IS NULL AND webhook.enabled
             AND webhook.provider = wanted.provider AND (wanted.owner IS NULL OR webhook.owner = wanted.owner)
         ORDER BY wanted.place, webhook.number",
        &[
            &places,
            &column(|key| Some(key.audience)),
            &column(|key| Some(key.provider.as_str())),
            &column(|key| Some(&key.event_type)),
            &column(|key| key.owner.as_deref()),
            &column(|key| key.account.as_deref()),
        ],
    )
    .await?;
    let mut wanting: Vec<Vec<Wanting>> = ordered.iter().map(|_| Vec::new()).collect();
    for row in found {
        let place = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default();
        wanting[place].push(Wanting {
            lane: row.try_get(1)?,
            target: Arc::new(SealedTarget::read(&row, 2)?),
        });
    }
    for wanting in &wanting {
        if wanting.len() >= 1 << partitions::FAN_OUT_BITS {
            return Err(StoreError::Damaged(
                "more webhooks want an event than there are numbers for its deliveries".to_owned(),
            ));
        }
    }
    Ok(wanting)
}

/// What is known of an idempotency key: the request and the receipt.
type Known = HashMap<KnownAs, (Vec<u8>, Receipt)>;

/// An idempotency key with its caller.
type KnownAs = (String, String);

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

/// The rows of one transaction.
#[derive(Default)]
struct Batch {
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
    fn add(
        &mut self,
        publication: &Publication,
        slots: &Arc<Taken>,
        number: i64,
        wanting: &[Wanting],
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
                    webhook.lane,
                    webhook.target.clone(),
                    &event,
                    at.steady,
                ));
            } else {
                // Other nodes may claim it, unseen from here, so it is not counted as waiting for this one.
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
            not_matched: publication.not_matched,
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

    async fn write(self, tx: &Transaction<'_>) -> Result<()> {
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
    for row in found {
        let event = rows::event(&row, 0)?;
        let audience = rows::parse_audience(row.try_get(rows::EVENT_COLUMN_COUNT)?)?;
        let event_number: i64 = row.try_get(rows::EVENT_COLUMN_COUNT + 1)?;
        let mut wanting = matching(tx, &HashMap::from([(key(&event, audience), 0)])).await?;
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
