//! How the steady time stands: one row.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::StoreError;
use super::rows;
use crate::clock::SavedTime;

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn save(connection: &Connection, time: SavedTime) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO clock (id, steady, real) VALUES (1, ?1, ?2)")?
        .execute(params![
            time.steady.as_microsecond(),
            time.real.as_microsecond()
        ])?;
    Ok(())
}

pub(super) fn saved(connection: &Connection) -> Result<Option<SavedTime>> {
    let row: Option<(i64, i64)> = connection
        .query_row("SELECT steady, real FROM clock", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(steady, real)| {
        Ok(SavedTime {
            steady: rows::time(steady)?,
            real: rows::time(real)?,
        })
    })
    .transpose()
}
