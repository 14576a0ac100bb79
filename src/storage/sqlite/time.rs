//! How the steady time stands, in one row, and how fast the clocks run that it is told by.

use std::fs::{File, TryLockError};
use std::path::Path;

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

/// Notes how fast the clock of this server runs, and returns the speed that was noted before. Other servers that have the file open must
/// have noted the same: their leases would be of another time.
///
/// Each server holds a shared lock on the log, which is one file as long as any of them has the database open. The one that is alone may
/// change the note. SQLite locks other files.
///
/// # Errors
/// [`StoreError::OtherClockSpeed`] when another server has noted another speed.
pub(super) fn hold_speed(
    connection: &Connection,
    path: &Path,
    log: &File,
    speed: f64,
) -> Result<Option<f64>> {
    let noted = noted_speed(connection)?;
    match log.try_lock() {
        Ok(()) => {
            connection.execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('clock-speed', ?1)",
                [speed.to_string().into_bytes()],
            )?;
        }
        Err(TryLockError::WouldBlock) => {}
        // A file system without locks: nobody can be told apart.
        Err(TryLockError::Error(_)) => return Ok(noted),
    }
    // Waits for one that just notes its speed.
    if log.lock_shared().is_err() {
        return Ok(noted);
    }
    match noted_speed(connection)? {
        #[expect(clippy::float_cmp, reason = "exactly the same is meant")]
        Some(found) if found != speed => Err(StoreError::OtherClockSpeed {
            path: path.to_owned(),
            speed: found,
        }),
        _ => Ok(noted),
    }
}

fn noted_speed(connection: &Connection) -> Result<Option<f64>> {
    let noted: Option<Vec<u8>> = connection
        .query_row(
            "SELECT value FROM meta WHERE name = 'clock-speed'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let read = |text: Vec<u8>| String::from_utf8(text).ok()?.parse().ok();
    Ok(noted.and_then(read))
}

/// Whether a server has the log at `path` open.
pub(super) fn is_in_use(path: &Path) -> bool {
    let Ok(log) = File::open(path) else {
        return false;
    };
    matches!(log.try_lock(), Err(TryLockError::WouldBlock))
}
