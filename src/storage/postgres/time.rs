//! How the steady time stands, and the clock that all nodes share.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;

use super::{Result, query, rotation, rows, run_cached};
use crate::clock::SavedTime;

pub(super) async fn save(client: &impl GenericClient, time: SavedTime) -> Result<()> {
    run_cached(
        client,
        "INSERT INTO clock (id, steady, real) VALUES (1, $1, $2)
         ON CONFLICT (id) DO UPDATE SET steady = excluded.steady, real = excluded.real",
        &[&time.steady.as_microsecond(), &time.real.as_microsecond()],
    )
    .await?;
    Ok(())
}

pub(super) async fn saved(client: &impl GenericClient) -> Result<Option<SavedTime>> {
    let found = query(client, "SELECT steady, real FROM clock", &[]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    Ok(Some(SavedTime {
        steady: rows::time(row.try_get(0)?)?,
        real: rows::time(row.try_get(1)?)?,
    }))
}

/// Notes how fast the clock of this node runs, and returns the speed that was noted before.
pub(super) async fn note_speed(client: &impl GenericClient, speed: f64) -> Result<Option<f64>> {
    let noted = rotation::meta(client, "clock-speed").await?;
    run_cached(
        client,
        "INSERT INTO meta (name, value) VALUES ('clock-speed', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[&speed.to_string().as_bytes()],
    )
    .await?;
    let read = |text: Vec<u8>| String::from_utf8(text).ok()?.parse().ok();
    Ok(noted.and_then(read))
}

/// The time of the database.
pub(super) async fn shared(client: &impl GenericClient) -> Result<Timestamp> {
    let found = query(
        client,
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        &[],
    )
    .await?;
    rows::time(found[0].try_get(0)?)
}
