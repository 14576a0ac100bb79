//! Whether the file can still be trusted: that it is where it was opened, has one log, and is undamaged.
//!
//! SQLite goes on writing into a file that was deleted, and keeps one log for each name of a file. Data accepted after that is lost or
//! overwritten. So nothing is promised before the file was looked at.

use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::super::StoreError;
use super::super::access::hint;

/// How many steps of SQLite's virtual machine pass between two looks at the time.
const STEPS: i32 = 10_000;

/// How much is written, in bytes, to see whether a disk that was full has room again: more than all but the largest publications.
pub(super) const AMPLE: u32 = 256 << 10;

/// How many links may lead to the file: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Looks after the file of an open database.
pub(super) struct Health {
    path: PathBuf,
    /// The file, whatever its name is by now.
    file: Option<File>,
    log: PathBuf,
    file_is: Option<Identity>,
    log_is: Option<Identity>,
    /// Whether the last look found a fault, so that each is logged once.
    lost: AtomicBool,
    damaged: AtomicBool,
    /// Whether the disk has refused something since it last took as much as [`AMPLE`].
    refused: AtomicBool,
    /// Whether the log is being folded into the file, and deleted.
    closing: AtomicBool,
}

/// The identity of a file, whatever its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// Why nothing can be promised any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Gone,
    Replaced,
    Linked,
    LogGone,
    Unreachable,
    Damaged,
}

impl Identity {
    fn of(data: &Metadata) -> Self {
        Self {
            device: data.dev(),
            inode: data.ino(),
        }
    }
}

impl Fault {
    fn reason(self) -> &'static str {
        match self {
            Self::Gone => "the file was deleted or renamed",
            Self::Replaced => "another file has taken its place",
            Self::Linked => {
                "the file has a second name (a hard link), and SQLite keeps a log for each name: remove one of them"
            }
            Self::LogGone => "its log (the file with the suffix -wal) was deleted or replaced",
            Self::Unreachable => "the file cannot be looked at",
            Self::Damaged => "its content is damaged",
        }
    }
}

/// Makes the file with access for its owner only, unless it exists already, and refuses one with several names.
///
/// # Errors
/// [`StoreError::Unusable`] with what is wrong.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let unusable = |reason: String| StoreError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let mut file = path.to_owned();
    for _ in 0..MOST_LINKS {
        let mut new = OpenOptions::new();
        match new.write(true).create_new(true).mode(0o600).open(&file) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(format!("{error}{}", hint(&file, &error)))),
        }
        // Not opened to look at it: closing it would take SQLite's locks from another connection of this process.
        match file.metadata() {
            Ok(data) if data.is_file() && data.nlink() > 1 => {
                return Err(unusable(Fault::Linked.reason().to_owned()));
            }
            // No file at all, for one: SQLite says what it makes of it.
            Ok(_) => return Ok(()),
            // A link to what is not there yet.
            Err(_) => {
                let to = file
                    .read_link()
                    .map_err(|error| unusable(error.to_string()))?;
                file = file.parent().map_or(to.clone(), |folder| folder.join(&to));
            }
        }
    }
    Err(unusable("it is a link that leads nowhere".to_owned()))
}

/// A handle that tells of a file and can do nothing with it: when one that can is closed, the locks of all others in this process end.
fn handle(path: &Path) -> Result<File, StoreError> {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, rustix::fs::Mode::empty());
    let opened = opened.map_err(|error| StoreError::Unusable {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(opened.into())
}

impl Health {
    /// Remembers which files an open database has: itself and its log.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] with what the operating system says.
    pub(super) fn of(path: &Path, log: &Path) -> Result<Self, StoreError> {
        let look = |file: &Path| {
            let data = file.metadata().map_err(|error| StoreError::Unusable {
                path: path.to_owned(),
                reason: error.to_string(),
            });
            data.map(|data| Identity::of(&data))
        };
        Ok(Self {
            // The folder of the process may change.
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            file: Some(handle(path)?),
            log: log.to_owned(),
            file_is: Some(look(path)?),
            log_is: Some(look(log)?),
            lost: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        })
    }

    /// Of a database that has no file.
    #[cfg(test)]
    pub(super) fn of_memory() -> Self {
        Self {
            path: PathBuf::new(),
            file: None,
            log: PathBuf::new(),
            file_is: None,
            log_is: None,
            lost: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }
    }

    /// Looks at the files; an error says why nothing can be promised any more. It may be mended: by the old name, for one.
    ///
    /// # Errors
    /// [`StoreError::Lost`].
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let fault = self.fault();
        if self.lost.swap(fault.is_some(), Ordering::AcqRel) != fault.is_some() {
            match fault {
                Some(fault) => tracing::error!(
                    database = %self.path.display(),
                    "nothing is accepted and nothing is sent any more: {}", fault.reason()
                ),
                None => tracing::info!(
                    database = %self.path.display(),
                    "the database is in its place again"
                ),
            }
        }
        fault.map_or(Ok(()), |fault| Err(self.error(fault)))
    }

    /// As [`Self::check`], and that no damage was met so far.
    ///
    /// # Errors
    /// As there.
    pub(super) fn check_content(&self) -> Result<(), StoreError> {
        self.check()?;
        if self.damaged.load(Ordering::Acquire) {
            return Err(self.error(Fault::Damaged));
        }
        Ok(())
    }

    /// The log will be gone, as it should: what was committed before is in the file.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether the log may be copied into the file at the end. Not where another process may have a log of its own for it, and not where the
    /// file was deleted: it ends with this process, and the log would be all that is left.
    pub(super) fn may_fold(&self) -> bool {
        match self.fault() {
            None => true,
            Some(Fault::Linked | Fault::LogGone | Fault::Unreachable) => false,
            Some(Fault::Gone | Fault::Replaced | Fault::Damaged) => {
                let data = self.file.as_ref().map(File::metadata);
                let is_left = data.is_none_or(|data| data.is_ok_and(|data| data.nlink() > 0));
                if !is_left {
                    tracing::error!(
                        log = %self.log.display(),
                        "the database file was deleted while the server ran: its log is kept, with what was written last"
                    );
                }
                is_left
            }
        }
    }

    /// Whether the disk refused something, and may refuse what is larger than a probe.
    pub(super) fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// The disk took [`AMPLE`].
    pub(super) fn is_taken_again(&self) {
        self.refused.store(false, Ordering::Release);
    }

    /// Notices when SQLite met a damaged page, or a disk that takes nothing.
    pub(super) fn notice<T>(&self, result: &Result<T, StoreError>) {
        if let Err(StoreError::Statement(error)) = result {
            self.notice_error(error);
        }
    }

    /// As [`Self::notice`].
    pub(super) fn notice_error(&self, error: &rusqlite::Error) {
        if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly)
        ) {
            self.refused.store(true, Ordering::Release);
        }
        let damage = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        );
        if damage && !self.damaged.swap(true, Ordering::AcqRel) {
            tracing::error!(
                database = %self.path.display(),
                %error,
                "the database is damaged: stop the server and put a backup in its place"
            );
        }
    }

    /// Has SQLite look for damage, for as long as `limit` at most.
    ///
    /// # Errors
    /// [`StoreError::Lost`] with what is damaged.
    pub(super) fn examine(
        &self,
        connection: &mut Connection,
        limit: Duration,
    ) -> Result<(), StoreError> {
        let begun = Instant::now();
        connection.progress_handler(STEPS, Some(move || begun.elapsed() > limit))?;
        let said: rusqlite::Result<String> =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        let reason = match said {
            Ok(said) if said == "ok" => return Ok(()),
            Ok(said) => said,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                tracing::info!(
                    seconds = limit.as_secs(),
                    "the database is too large to be looked through at the start; as far as that went it is not damaged"
                );
                return Ok(());
            }
            Err(error) => error.to_string(),
        };
        Err(StoreError::Damage {
            path: self.path.clone(),
            reason,
        })
    }

    fn fault(&self) -> Option<Fault> {
        let file_is = self.file_is?;
        match self.path.metadata() {
            Ok(data) if Identity::of(&data) != file_is => return Some(Fault::Replaced),
            Ok(data) if data.nlink() > 1 => return Some(Fault::Linked),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Some(Fault::Gone),
            Err(_) => return Some(Fault::Unreachable),
        }
        if self.closing.load(Ordering::Acquire) {
            return None;
        }
        match self.log.metadata() {
            Ok(data) if Some(Identity::of(&data)) == self.log_is => None,
            _ => Some(Fault::LogGone),
        }
    }

    fn error(&self, fault: Fault) -> StoreError {
        StoreError::Lost {
            path: self.path.clone(),
            reason: fault.reason(),
        }
    }
}
