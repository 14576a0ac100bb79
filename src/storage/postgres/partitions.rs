//! The partitions of events, deliveries and attempts: ranges of numbers, a new one each day, so that what is old is dropped as tables.

use deadpool_postgres::{GenericClient, Transaction};
use jiff::Timestamp;

use super::Result;

/// How many bits of a delivery's number tell which of its event's it is: an event is for at most this power of two webhooks.
pub(super) const FAN_OUT_BITS: u32 = 20;

/// How many bits of an event's number count within a partition.
const RANGE_BITS: u32 = 30;

/// After how long the next partition is used.
const SPAN: &str = "1 day";

/// The first number of a partition of events.
fn start(ordinal: i32) -> i64 {
    i64::from(ordinal) << RANGE_BITS
}

/// Makes the first partitions of a new schema.
pub(super) async fn begin(tx: &Transaction<'_>) -> Result<()> {
    let count: i64 = tx
        .query_one("SELECT count(*) FROM partition", &[])
        .await?
        .get(0);
    if count == 0 {
        create(tx, 0).await?;
        create(tx, 1).await?;
        tx.execute(
            "UPDATE partition SET begun_at = now() WHERE ordinal = 0",
            &[],
        )
        .await?;
    }
    Ok(())
}

/// Makes a partition. Attaching a table, other than creating it as a partition, does not keep others from using the rest.
async fn create(tx: &Transaction<'_>, ordinal: i32) -> Result<()> {
    let (from, to) = (start(ordinal), start(ordinal + 1));
    for (table, shift) in [
        ("event", 0),
        ("delivery", FAN_OUT_BITS),
        ("attempt", FAN_OUT_BITS),
    ] {
        let (from, to) = (from << shift, to << shift);
        tx.batch_execute(&format!(
            "CREATE TABLE {table}_{ordinal} (LIKE {table} INCLUDING ALL);
             ALTER TABLE {table} ATTACH PARTITION {table}_{ordinal} FOR VALUES FROM ({from}) TO ({to});"
        ))
        .await?;
    }
    // Over all partitions an index of ids could not be unique without the number in it.
    tx.batch_execute(&format!(
        "CREATE UNIQUE INDEX event_{ordinal}_unique_id ON event_{ordinal} (id)"
    ))
    .await?;
    tx.execute("INSERT INTO partition (ordinal) VALUES ($1)", &[&ordinal])
        .await?;
    Ok(())
}

/// Goes on to the next partition where the current one has been used long enough, and makes the one after. The caller holds the lock of
/// publications.
pub(super) async fn roll(tx: &Transaction<'_>) -> Result<bool> {
    let due = tx
        .query_opt(
            &format!(
                "SELECT ordinal FROM partition WHERE begun_at < now() - interval '{SPAN}'
                     AND ordinal = (SELECT max(ordinal) FROM partition WHERE begun_at IS NOT NULL)"
            ),
            &[],
        )
        .await?;
    let Some(row) = due else {
        return Ok(false);
    };
    let current: i32 = row.get(0);
    advance(tx, current + 1).await?;
    Ok(true)
}

/// Uses this partition from now on.
pub(super) async fn advance(tx: &Transaction<'_>, ordinal: i32) -> Result<()> {
    create(tx, ordinal + 1).await?;
    tx.execute("SELECT setval('event_number', $1)", &[&start(ordinal)])
        .await?;
    tx.execute(
        "UPDATE partition SET begun_at = now() WHERE ordinal = $1",
        &[&ordinal],
    )
    .await?;
    Ok(())
}

/// Where old events stand.
pub(super) struct Old {
    /// The partitions of which all is old and that others follow, the oldest first.
    pub(super) whole: Vec<i32>,
    /// Events that are looked at one by one have smaller numbers: they are in partitions that are old as a whole, but hold something
    /// that is pending; or in the current one, where that is the only one left.
    pub(super) end: i64,
}

/// Finds what is old.
pub(super) async fn old(client: &impl GenericClient, before: Timestamp) -> Result<Old> {
    let rows = client
        .query(
            "SELECT ordinal, begun_at IS NOT NULL FROM partition ORDER BY ordinal",
            &[],
        )
        .await?;
    let all: Vec<(i32, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let current = all.iter().rfind(|(_, begun)| *begun).map_or(0, |row| row.0);
    let mut whole = Vec::new();
    for (ordinal, _) in &all {
        if *ordinal >= current {
            return Ok(Old {
                whole,
                end: i64::MAX,
            });
        }
        let newest = client
            .query_opt(
                "SELECT kept_since FROM event WHERE number >= $1 AND number < $2 ORDER BY number DESC LIMIT 1",
                &[&start(*ordinal), &start(*ordinal + 1)],
            )
            .await?;
        if newest.is_some_and(|row| row.get::<_, i64>(0) >= before.as_microsecond()) {
            return Ok(Old {
                whole,
                end: start(*ordinal),
            });
        }
        whole.push(*ordinal);
    }
    Ok(Old {
        whole,
        end: i64::MAX,
    })
}

/// Drops a partition where nothing in it is pending; gives how many events it had, or `None` where it must stay.
///
/// It waits briefly for transactions that read the tables, for all others wait behind it: one that is left open, or a dump, must not stall
/// the nodes each time that this is tried.
pub(super) async fn drop_whole(tx: &Transaction<'_>, ordinal: i32) -> Result<Option<u64>> {
    let (from, to) = (start(ordinal), start(ordinal + 1));
    tx.batch_execute("SET LOCAL lock_timeout = '50ms'; SET LOCAL statement_timeout = '30s'")
        .await?;
    let pending: bool = tx
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM pending WHERE event >= $1 AND event < $2)
                 OR (SELECT event FROM settled) < (SELECT coalesce(max(number), 0) FROM event WHERE number >= $1 AND number < $2)",
            &[&from, &to],
        )
        .await?
        .get(0);
    if pending {
        return Ok(None);
    }
    let events: i64 = tx
        .query_one(&format!("SELECT count(*) FROM event_{ordinal}"), &[])
        .await?
        .get(0);
    tx.execute(
        "UPDATE last_purged SET event = greatest(event, coalesce((SELECT max(number) FROM event WHERE number >= $1 AND number < $2), 0))",
        &[&from, &to],
    )
    .await?;
    tx.batch_execute(&format!(
        "DROP TABLE event_{ordinal}, delivery_{ordinal}, attempt_{ordinal}; DELETE FROM partition WHERE ordinal = {ordinal}"
    ))
    .await?;
    Ok(Some(events.unsigned_abs()))
}
