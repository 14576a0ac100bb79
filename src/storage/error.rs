//! Why storage could not do its job, and whether trying again helps.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::postgres;
use super::seal::SealError;

/// Storage could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, created or written.
    #[error("cannot open the database {path}: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system or of SQLite.
        reason: String,
    },
    /// There is no file.
    #[error(
        "the database {path} does not exist: give the path of an existing one with --database sqlite://FILE"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database of something else.
    #[error("{path} is not a Truehook database: choose another file with --database sqlite://FILE")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer Truehook wrote the file.
    #[error(
        "{path} was written by a newer Truehook (schema {found}, this one knows {known}): use that version or newer"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The encryption key is not the one that the file's secrets were sealed with.
    #[error(
        "the encryption key does not open the secrets in {path}: start with the key that it was created with"
    )]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// The key has never sealed anything in the file.
    #[error(
        "no key in the encryption key file has been used with {path}: check --database and --encryption-key-file"
    )]
    UnusedKey {
        /// The file.
        path: PathBuf,
    },
    /// The file was made in the other mode.
    #[error(
        "{path} was made in {made_in} mode: start with --mode {made_in}, or choose another file with --database sqlite://FILE"
    )]
    OtherMode {
        /// The file.
        path: PathBuf,
        /// The mode that it was made in.
        made_in: &'static str,
    },
    /// Another server uses the file, whose clock runs at another speed: the two would not agree on when a lease ends.
    #[error(
        "{path} is used by another server with --clock-speed {speed}: start with the same, stop the other server, or choose another file \
         with --database sqlite://FILE"
    )]
    OtherClockSpeed {
        /// The file.
        path: PathBuf,
        /// The speed of the other server's clock.
        speed: f64,
    },
    /// The file is not where it was opened, is shared in a way that loses data, or is damaged: nothing can be promised.
    #[error("the database {path} cannot be trusted any more: {reason}")]
    Lost {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: &'static str,
    },
    /// The file is damaged, as was found when it was looked through.
    #[error("the database {path} is damaged: {reason}; put a backup in its place")]
    Damage {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        reason: String,
    },
    /// A backup cannot be made.
    #[error("cannot back up to {path}: {reason}")]
    Backup {
        /// The file to be made.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The database cannot be connected to, or cannot be used.
    #[error("cannot use the database {database}: {reason}")]
    UnusableServer {
        /// The database.
        database: String,
        /// The error of the server or of the operating system.
        reason: String,
    },
    /// The schema has tables of something else.
    #[error(
        "the schema in {database} has tables that are not Truehook's: give it a schema of its own"
    )]
    ForeignServer {
        /// The database.
        database: String,
    },
    /// A newer Truehook changed the schema.
    #[error(
        "{database} was changed by a newer Truehook (schema {found}, this one knows {known}): use that version or newer"
    )]
    NewerServer {
        /// The database.
        database: String,
        /// Its schema version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The encryption key is not the one that the database's secrets were sealed with.
    #[error(
        "the encryption key does not open the secrets in {database}: start with the key that it was created with"
    )]
    WrongServerKey {
        /// The database.
        database: String,
    },
    /// The key has never sealed anything in the database.
    #[error(
        "no key in the encryption key file has been used with {database}: check --database and --encryption-key-file"
    )]
    UnusedServerKey {
        /// The database.
        database: String,
    },
    /// The database was made in the other mode.
    #[error(
        "{database} was made in {made_in} mode: start with --mode {made_in}, or choose another database or schema"
    )]
    OtherServerMode {
        /// The database.
        database: String,
        /// The mode that it was made in.
        made_in: &'static str,
    },
    /// There is no connection to the database.
    #[error("the database cannot be reached: {reason}")]
    Unreachable {
        /// The reason.
        reason: String,
    },
    /// The database refused a statement, or the connection broke.
    #[error("database statement failed")]
    Query(#[from] tokio_postgres::Error),
    /// A sealed secret is damaged, or was sealed with another key.
    #[error("cannot read a sealed secret")]
    Seal(#[from] SealError),
    /// A statement failed.
    #[error("database statement failed")]
    Statement(#[from] rusqlite::Error),
    /// The shared commit of this write failed: nothing of it is kept.
    #[error("database commit failed: {0}")]
    Commit(String),
    /// A row holds what this program never writes.
    #[error("a stored row is damaged: {0}")]
    Damaged(String),
    /// The writer has stopped.
    #[error("storage is shut down")]
    Closed,
}

/// After how many seconds a request may be sent again when the database cannot be used: about as long as a write waits for a lock.
const RETRY_AFTER: u64 = 5;

impl StoreError {
    /// After how many seconds the same call may succeed; `None` when it will not without a change of what is stored.
    pub fn retry_after(&self) -> Option<u64> {
        self.is_temporary().then_some(RETRY_AFTER)
    }

    /// Whether the same call may succeed later without a change of what is stored: the disk is full, the file is locked or away.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Commit(_)
            | Self::Closed
            | Self::Lost { .. }
            | Self::Unusable { .. }
            | Self::UnusableServer { .. }
            | Self::Unreachable { .. } => true,
            Self::Query(error) => postgres::is_temporary(error),
            Self::Statement(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                        | ErrorCode::ReadOnly
                        | ErrorCode::OutOfMemory
                )
            ),
            Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::WrongKey { .. }
            | Self::OtherMode { .. }
            | Self::OtherClockSpeed { .. }
            | Self::Damage { .. }
            | Self::Backup { .. }
            | Self::Seal(_)
            | Self::Damaged(_)
            | Self::Missing { .. }
            | Self::UnusedKey { .. }
            | Self::ForeignServer { .. }
            | Self::NewerServer { .. }
            | Self::WrongServerKey { .. }
            | Self::UnusedServerKey { .. }
            | Self::OtherServerMode { .. } => false,
        }
    }

    /// The same error for another caller of what failed for all of them.
    pub(super) fn for_another(&self) -> Self {
        if self.is_temporary() {
            Self::Unreachable {
                reason: self.to_string(),
            }
        } else {
            Self::Damaged(self.to_string())
        }
    }
}
