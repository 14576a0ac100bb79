//! A copy of the database at one moment, made while a server writes to it.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::super::StoreError;
use super::open;

/// The contents of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// How large it is.
    pub bytes: u64,
    /// How many webhooks, those included that were deleted and have deliveries.
    pub webhooks: u64,
    /// How many events.
    pub events: u64,
    /// How many deliveries.
    pub deliveries: u64,
}

/// Copies the database to `copy`, which must not exist yet, as it is at one moment, and looks through the copy. Writers are not held up;
/// the log grows meanwhile. Secrets stay sealed: the copy is of use with the encryption key only.
///
/// # Errors
/// [`StoreError`] says in one line why there is no copy; what was made of it is removed.
pub fn back_up(path: &Path, copy: &Path) -> Result<BackedUp, StoreError> {
    let failed = |reason: String| StoreError::Backup {
        path: copy.to_owned(),
        reason,
    };
    let source = open::open_ours(path)?;
    if copy.to_str().is_none() {
        return Err(failed("its name is not UTF-8".to_owned()));
    }
    // Also a link that leads nowhere: what it is for is not known.
    if copy.symlink_metadata().is_ok() {
        return Err(failed("it exists already; choose another name".to_owned()));
    }
    // Under a name of its own until it is complete, so that half a backup is never taken for one.
    let mut partial = copy.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(|error| failed(error.to_string()))?;
    let made = copy_to(&source, &partial)
        .map_err(|error| failed(error.to_string()))
        .and_then(|()| look_through(&partial, copy))
        .and_then(|backed_up| {
            File::open(&partial)
                .and_then(|file| file.sync_all())
                .and_then(|()| fs::rename(&partial, copy))
                .and_then(|()| sync_folder(copy))
                .map_err(|error| failed(error.to_string()))?;
            Ok(backed_up)
        });
    if made.is_err() {
        // The error is the news, whatever becomes of the rest.
        let _ = fs::remove_file(&partial);
    }
    made
}

fn copy_to(source: &Connection, copy: &Path) -> rusqlite::Result<()> {
    // A file of an earlier version learns to give space back.
    source.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    source.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    Ok(())
}

fn look_through(partial: &Path, copy: &Path) -> Result<BackedUp, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(partial, flags)?;
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let mut dangling = connection.prepare("PRAGMA foreign_key_check")?;
    if said != "ok" || dangling.exists([])? {
        return Err(StoreError::Backup {
            path: copy.to_owned(),
            reason: format!("the copy is damaged, and so may the database be: {said}"),
        });
    }
    let count = |table: &str| -> Result<u64, StoreError> {
        let count: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })?;
        Ok(count.unsigned_abs())
    };
    let in_flight: i64 =
        connection.query_row("SELECT coalesce(sum(open), 0) FROM in_flight", [], |row| {
            row.get(0)
        })?;
    let in_flight = in_flight.unsigned_abs();
    Ok(BackedUp {
        bytes: fs::metadata(partial).map_or(0, |data| data.len()),
        webhooks: count("webhook")?,
        events: count("event")?,
        deliveries: count("delivery")? + in_flight,
    })
}

/// A file is there after a loss of power only when its folder says so.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
