//! Where a database is, whichever kind it has, and opening it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::postgres::check_sealed_on_server;
use super::{
    EncryptionKeys, PostgresAddress, PostgresStore, Purpose, SqliteStore, Store, StoreError,
    check_sealed,
};
use crate::clock::SavedTime;
use crate::metrics::Metrics;

/// Where a database is. Its `Display` has no password.
#[derive(Debug, Clone)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<PostgresAddress>),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(address) => write!(f, "{address}"),
        }
    }
}

/// A store, and the time that was saved in it.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// How the steady time stood when it was saved last.
    pub saved_time: Option<SavedTime>,
    /// How fast the clock of the last server ran, where that is known.
    pub earlier_speed: Option<f64>,
    /// The time of the clock that all processes with this database share, where there is one.
    pub shared_time: Option<Timestamp>,
}

/// Opens the database, creating what is missing, and brings its schema up to date. A SQLite file is looked through for damage, for a few
/// seconds at most.
///
/// A server says how fast its clock runs; a file refuses servers whose clocks run at different speeds.
///
/// # Errors
/// [`StoreError`] says in one line why it cannot be used.
pub fn open(
    location: &Location,
    keys: &EncryptionKeys,
    purpose: Purpose,
    clock_speed: Option<f64>,
    metrics: Arc<Metrics>,
) -> Result<Opened, StoreError> {
    Ok(match location {
        Location::Sqlite(path) => {
            let store = SqliteStore::open(path, keys, purpose, metrics)?;
            store.examine()?;
            let hold = |speed| store.hold_clock_speed(speed);
            Opened {
                earlier_speed: clock_speed.map(hold).transpose()?.flatten(),
                saved_time: store.saved_time(),
                shared_time: None,
                store: Arc::new(store),
            }
        }
        Location::Postgres(address) => {
            let store = PostgresStore::open(address, keys, purpose, metrics)?;
            let note = |speed| store.note_clock_speed(speed);
            Opened {
                earlier_speed: clock_speed.map(note).transpose()?.flatten(),
                saved_time: store.saved_time(),
                shared_time: store.time_at_start(),
                store: Arc::new(store),
            }
        }
    })
}

/// Checks that one of `keys` is the current key of the database, without changing that.
///
/// # Errors
/// [`StoreError`] says in one line why it is not: another key, or none was ever used with it.
pub fn check_sealed_at(location: &Location, keys: &EncryptionKeys) -> Result<(), StoreError> {
    match location {
        Location::Sqlite(path) => check_sealed(path, keys),
        Location::Postgres(address) => check_sealed_on_server(address, keys),
    }
}
