//! Copies the database log into the file, beside the writer.
//!
//! SQLite would do it inside a commit, and everybody who writes would wait while thousands of pages are copied and synced. A thread with
//! a connection of its own does it instead; the writer begins its log anew once all of it was copied. Under a load that never pauses
//! the thread does not get to the end, so it asks the writer to copy the rest: what came while it copied, which is little.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};

/// How many pages of the log are worth a copy: 32 MB.
pub(super) const WORTH: i32 = 8_000;

/// How often the thread goes over the log before it asks for help: each time less is left.
const PASSES: usize = 2;

/// The state that the writer and the thread share.
#[derive(Default)]
struct Shared {
    /// How many pages the log has.
    pages: AtomicI32,
    /// Whether the writer is to copy what is left.
    help: AtomicBool,
}

/// The arguments of the thread of [`beside`].
pub(super) struct Checkpoints {
    connection: Connection,
    wanted: Receiver<()>,
    shared: Arc<Shared>,
}

/// Takes checkpoints out of the commits of `writer`; they are made by the returned value, on `connection`, in a thread of its own, when
/// the log has `worth` pages.
///
/// # Errors
/// Never in practice: SQLite has no memory for the hook.
pub(super) fn beside(
    writer: &mut Connection,
    connection: Connection,
    worth: i32,
) -> rusqlite::Result<Checkpoints> {
    let (want, wanted) = sync_channel(1);
    let shared = Arc::new(Shared::default());
    let told = shared.clone();
    writer.wal_hook(Some(move |log: &mut Wal, pages| {
        told.pages.store(pages, Ordering::Release);
        if told.help.swap(false, Ordering::AcqRel) {
            // The commit stands whatever comes of it, so no error leaves the hook.
            if let Err(error) = log.checkpoint() {
                warn(&error);
            }
        } else if pages >= worth {
            // It is full when the thread was told already.
            let _ = want.try_send(());
        }
        Ok(())
    }))?;
    Ok(Checkpoints {
        connection,
        wanted,
        shared,
    })
}

/// Makes no more checkpoints beside `writer`: their thread ends.
///
/// # Errors
/// As there.
pub(super) fn end(writer: &mut Connection) -> rusqlite::Result<()> {
    writer.wal_hook(None::<fn(&mut Wal, i32) -> rusqlite::Result<()>>)
}

impl Checkpoints {
    /// Copies the log each time that it is long, until there is an [`end`] of it or the writer is closed.
    pub(super) fn make(self) {
        while self.wanted.recv().is_ok() {
            if (0..PASSES).any(|_| self.is_complete()) {
                continue;
            }
            // Requests that come meanwhile are served by the writer: two at a time get into each other's way.
            while self.wanted.try_recv().is_ok() {}
            self.shared.help.store(true, Ordering::Release);
        }
    }

    /// Copies what is in the log; says whether nothing was left, what was written meanwhile included.
    fn is_complete(&self) -> bool {
        // Passive: nobody waits for it. It answers for the log as it was when it began.
        let copied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                let (busy, copied): (bool, i64) = (row.get(0)?, row.get(2)?);
                Ok((!busy).then_some(copied))
            });
        match copied {
            Ok(copied) => {
                let pages = i64::from(self.shared.pages.load(Ordering::Acquire));
                copied.is_some_and(|copied| copied >= pages)
            }
            Err(error) => {
                warn(&error);
                false
            }
        }
    }
}

fn warn(error: &rusqlite::Error) {
    // Another process makes a checkpoint: there will be a next time.
    if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) {
        tracing::warn!(%error, "the database log could not be copied into the file; it grows until it can");
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::path::Path;

    use super::*;

    const SHORT: i32 = 50;

    fn open(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
            .unwrap();
        connection
    }

    /// How often the log was begun anew: the checkpoint sequence number in its header.
    fn beginnings(log: &Path) -> u32 {
        let mut header = [0; 16];
        File::open(log).unwrap().read_exact(&mut header).unwrap();
        u32::from_be_bytes(*header.last_chunk().unwrap())
    }

    /// The writer never pauses, and yet its log is begun anew again and again, so that it stays short.
    #[test]
    fn the_log_stays_short_under_a_load_that_never_pauses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let log = folder.path().join("t.db-wal");
        let mut writer = open(&path);
        writer
            .execute_batch("CREATE TABLE kept (value BLOB)")
            .unwrap();
        let checkpoints = beside(&mut writer, open(&path), SHORT).unwrap();
        let thread = std::thread::spawn(move || checkpoints.make());
        let first = beginnings(&log);
        let row = 16 * 1024;
        let mut written = 0;
        while beginnings(&log) < first + 5 {
            writer
                .execute("INSERT INTO kept VALUES (zeroblob(?1))", [row])
                .unwrap();
            written += row;
            assert!(written < 2 << 30, "the log is never begun anew");
        }
        drop(writer);
        thread.join().unwrap();
        let kept: i64 = open(&path)
            .query_row("SELECT sum(length(value)) FROM kept", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, written);
    }

    #[test]
    fn a_short_log_is_left_alone_and_a_long_one_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut writer = open(&path);
        let checkpoints = beside(&mut writer, open(&path), SHORT).unwrap();
        let write = |pages: usize| {
            let table = format!("CREATE TABLE t{pages} AS SELECT zeroblob({})", 4096 * pages);
            writer.execute_batch(&table).unwrap();
        };
        write(10);
        assert!(
            checkpoints.wanted.try_recv().is_err(),
            "a copy was asked for"
        );
        write(100);
        assert!(
            checkpoints.wanted.try_recv().is_ok(),
            "no copy was asked for"
        );
        assert!(checkpoints.is_complete());
        assert!(path.metadata().unwrap().len() > 110 * 4096);
        // Pages that are written while it copies are left.
        checkpoints.shared.pages.store(i32::MAX, Ordering::Release);
        assert!(!checkpoints.is_complete());
    }

    #[test]
    fn the_writer_copies_what_is_left_when_it_is_asked_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut writer = open(&path);
        let checkpoints = beside(&mut writer, open(&path), SHORT).unwrap();
        checkpoints.shared.help.store(true, Ordering::Release);
        writer
            .execute_batch("CREATE TABLE kept AS SELECT zeroblob(409600)")
            .unwrap();
        assert!(
            path.metadata().unwrap().len() > 409_600,
            "it was not copied"
        );
        assert!(!checkpoints.shared.help.load(Ordering::Acquire));
    }
}
