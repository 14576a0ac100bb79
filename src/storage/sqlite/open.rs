//! Opening the SQLite file: what is refused as one, and how each connection is set up.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::super::access::hint_of;
use super::super::key_file::EncryptionKeys;
use super::super::seal::Sealer;
use super::super::{Purpose, StoreError};
use super::health::AMPLE;
use super::{in_flight, rotation, schema, time};

/// How long another process may take to open the file.
const OPENING: Duration = Duration::from_secs(2);

/// How many prepared statements a connection keeps: more than there are, so that none is prepared twice.
const STATEMENTS: usize = 128;

/// Opens (and creates, if need be) the file for writing, and brings its schema up to date.
///
/// # Errors
/// [`StoreError`] says in one line why the file cannot be used: unwritable, foreign, newer, or sealed with another key.
pub(super) fn open_writer(
    path: &Path,
    sealer: &Sealer,
    purpose: Purpose,
) -> Result<Connection, StoreError> {
    let unusable = |error: rusqlite::Error| unusable(path, &error);
    let mut connection = Connection::open(path).map_err(unusable)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(unusable)?;
    schema::refuse_foreign(&connection, path, unusable)?;
    // The journal mode stands in the file; the others are properties of this connection. The writer syncs the log itself.
    // How space is given back is fixed by the first table, so it comes first.
    connection
        .execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL;
             PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF;
             PRAGMA cache_size = -8192;",
        )
        .map_err(unusable)?;
    schema::migrate(&mut connection, path).map_err(|error| match error {
        StoreError::Statement(error) => unusable(error),
        other => other,
    })?;
    connection
        .execute_batch("PRAGMA foreign_keys = ON")
        .map_err(unusable)?;
    check_purpose(&connection, path, purpose).map_err(|error| match error {
        StoreError::Statement(error) => unusable(error),
        other => other,
    })?;
    check_key(&mut connection, path, sealer)?;
    settle(&mut connection, path)?;
    keep_plans(&connection).map_err(unusable)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Refuses to make a new database beside the log of one that is gone: SQLite would delete the log, with what was acknowledged last. A
/// server that still runs would go on writing to the log of the new one.
pub(super) fn refuse_orphaned_log(path: &Path) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    let is_gone = path.metadata().map_or(true, |file| file.len() == 0);
    if is_gone && time::is_in_use(&log) {
        return Err(StoreError::Unusable {
            path: path.to_owned(),
            reason: format!(
                "it was renamed or deleted while another server has it open, which still writes {}: stop that server first, then put the \
                 database back or choose another file",
                log.display()
            ),
        });
    }
    if is_gone && log.metadata().is_ok_and(|log| log.len() > 0) {
        return Err(StoreError::Unusable {
            path: path.to_owned(),
            reason: format!(
                "it is gone, and {} still has its last events: put the database back beside it, or move that file away to begin with a new one",
                log.display()
            ),
        });
    }
    Ok(())
}

/// Refuses a file that another process has open by another name: each would have a log of its own for it, and overwrite what the other
/// has written. By the same name they share the log.
pub(super) fn refuse_other_name(path: &Path) -> Result<(), StoreError> {
    let Ok(file) = path.canonicalize() else {
        return Ok(());
    };
    // One that has two names is refused for that.
    if file.metadata().is_ok_and(|data| data.nlink() > 1) {
        return Ok(());
    }
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    let began = Instant::now();
    // Only where nobody has it open by this name: to close a file takes SQLite's locks from other connections of this process.
    while !Path::new(&log).exists() && is_locked(&file) {
        // One that just opens it by this name makes the log in a moment.
        if began.elapsed() >= OPENING {
            return Err(StoreError::Unusable {
                path: path.to_owned(),
                reason: "another process has it open by another name, from before it was renamed, and keeps its last events in a log of that \
                         name: stop that process first, and give the file its old name back"
                    .to_owned(),
            });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Whether another process has a lock on the file, as SQLite has on each that is open.
fn is_locked(file: &Path) -> bool {
    let asked = Flock::from(FlockType::WriteLock);
    File::open(file).is_ok_and(|file| matches!(fcntl_getlk(&file, &asked), Ok(Some(_))))
}

/// Checks that the file exists and is not empty.
///
/// # Errors
/// [`StoreError::Missing`], or [`StoreError::Unusable`] with what the operating system says.
pub fn check_exists(path: &Path) -> Result<(), StoreError> {
    match path.metadata() {
        Ok(data) if data.is_file() && data.len() == 0 => Err(StoreError::Unusable {
            path: path.to_owned(),
            reason: "it is an empty file; give another one with --database sqlite://FILE"
                .to_owned(),
        }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(StoreError::Missing {
            path: path.to_owned(),
        }),
        Err(error) => Err(StoreError::Unusable {
            path: path.to_owned(),
            reason: error.to_string(),
        }),
    }
}

/// Checks that one of `keys` is the current key of the database, without changing that.
///
/// # Errors
/// [`StoreError`] says in one line why it is not: another key, or none was ever used with the file.
pub fn check_sealed(path: &Path, keys: &EncryptionKeys) -> Result<(), StoreError> {
    let connection = open_ours(path)?;
    match rotation::opens(&connection, &Sealer::new(keys)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::UnusedKey {
            path: path.to_owned(),
        }),
        Err(StoreError::Seal(_)) => Err(StoreError::WrongKey {
            path: path.to_owned(),
        }),
        Err(error) => Err(error),
    }
}

/// Opens a file of ours that exists, to copy it. It is not written to, but SQLite would not write the copy either if it were opened for
/// reading.
///
/// # Errors
/// [`StoreError`] says in one line why it cannot be read: not there, foreign, or newer.
pub(super) fn open_ours(path: &Path) -> Result<Connection, StoreError> {
    check_exists(path)?;
    let unusable = |error: rusqlite::Error| unusable(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(unusable)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(unusable)?;
    let number = |pragma: &str| -> Result<i64, StoreError> {
        connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(unusable)
    };
    if number("application_id")? != schema::APPLICATION_ID {
        return Err(StoreError::Foreign {
            path: path.to_owned(),
        });
    }
    let (found, known) = (number("user_version")?, schema::latest());
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(connection)
}

pub(super) fn unusable(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign {
            path: path.to_owned(),
        },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damage {
            path: path.to_owned(),
            reason: error.to_string(),
        },
        code => {
            // SQLite does not say why: most often because of permissions.
            let kind = match code {
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    ErrorKind::PermissionDenied
                }
                _ => ErrorKind::Other,
            };
            StoreError::Unusable {
                path: path.to_owned(),
                reason: format!("{error}{}", hint_of(path, kind)),
            }
        }
    }
}

/// Opens the log of a file that is open, for syncing it, and says where it is. It is one file as long as the database is open.
///
/// # Errors
/// [`StoreError::Unusable`] with what the operating system says.
pub(super) fn open_log(path: &Path) -> Result<(File, PathBuf), StoreError> {
    let unusable = |error: std::io::Error| StoreError::Unusable {
        path: path.to_owned(),
        reason: format!("its log cannot be opened: {error}"),
    };
    // It stands beside the file itself, wherever a link to it stands.
    let mut log = path.canonicalize().map_err(unusable)?.into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    let file = File::options().write(true).open(&log).map_err(unusable)?;
    Ok((file, log))
}

/// Opens the file for checkpoints beside the writer.
///
/// # Errors
/// [`StoreError::Statement`] with what SQLite says.
pub(super) fn open_beside(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = NORMAL;")?;
    Ok(connection)
}

/// Opens the file for reading beside the writer.
pub(super) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Plans do not depend on bound values. Otherwise a value that meets a partial index has its statement prepared anew at every use, which
/// cost more than the use itself.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Refuses a file that was made in the other mode. A file from before this was noted is taken for one of the mode that opens it first.
fn check_purpose(connection: &Connection, path: &Path, purpose: Purpose) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO meta (name, value) SELECT 'purpose', ?1 WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'purpose')",
        [purpose.as_str().as_bytes()],
    )?;
    let found: Vec<u8> =
        connection.query_row("SELECT value FROM meta WHERE name = 'purpose'", [], |row| {
            row.get(0)
        })?;
    let other = [Purpose::Sandbox, Purpose::Production]
        .into_iter()
        .find(|known| known.as_str().as_bytes() == found)
        .ok_or_else(|| StoreError::Damaged("the mode of the database".to_owned()))?;
    if other == purpose {
        return Ok(());
    }
    Err(StoreError::OtherMode {
        path: path.to_owned(),
        made_in: other.as_str(),
    })
}

/// Holds the keys to a value that was sealed when the file was made, so that a wrong key is refused at start and not at first use. Where
/// that was sealed with an earlier key, a change to the current one begins.
fn check_key(connection: &mut Connection, path: &Path, sealer: &Sealer) -> Result<(), StoreError> {
    let unusable = |error: rusqlite::Error| StoreError::Unusable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(unusable)?;
    rotation::check_key(&transaction, sealer).map_err(|error| match error {
        StoreError::Seal(_) => StoreError::WrongKey {
            path: path.to_owned(),
        },
        StoreError::Statement(error) => unusable(error),
        other => other,
    })?;
    transaction.commit().map_err(unusable)
}

/// Gives what was under way when a process died rows of its own: it falls due when its lease ends.
fn settle(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let mut settle = || -> Result<(), StoreError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        in_flight::settle_all(&transaction)?;
        Ok(transaction.commit()?)
    };
    settle().map_err(|error| match error {
        StoreError::Statement(error) => unusable(path, &error),
        other => other,
    })
}

/// Writes as much as a large publication, to see whether that works.
pub(super) fn write_ample(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', zeroblob(?1))")?
        .execute([AMPLE])?;
    Ok(())
}

/// Takes away what [`write_ample`] wrote: in another transaction, or SQLite would write neither.
pub(super) fn remove_ample(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM meta WHERE name = 'probe'")?
        .execute([])?;
    Ok(())
}

/// Writes something, to see whether that works.
pub(super) fn probe(connection: &Connection) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached("UPDATE meta SET value = value WHERE name = 'purpose'")?
        .execute([])?;
    if changed == 0 {
        return Err(StoreError::Damaged("the table meta".to_owned()));
    }
    Ok(())
}
