//! Copies the database log into the file, beside the writer.
//!
//! SQLite would do it inside a commit, and everybody who writes would wait while thousands of pages are copied and synced. A thread with
//! a connection of its own does it instead; the writer begins its log anew once all of it was copied. Under a load that never pauses
//! the thread does not get to the end, so it asks the writer to copy the rest: what came while it copied, which is little.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

/// How many pages of the log are worth a copy: 32 MB.
const WORTH: i32 = 8_000;

/// How often the thread goes over the log before it asks for help: each time less is left.
const PASSES: usize = 2;

/// What the thread of [`beside`] needs.
pub(super) struct Checkpoints {
    connection: Connection,
    wanted: Receiver<()>,
    help: Arc<AtomicBool>,
}

/// Takes checkpoints out of the commits of `writer`; they are made by the returned value, on `connection`, in a thread of its own.
///
/// # Errors
/// Never in practice: SQLite has no memory for the hook.
pub(super) fn beside(
    writer: &mut Connection,
    connection: Connection,
) -> rusqlite::Result<Checkpoints> {
    let (want, wanted) = sync_channel(1);
    let help = Arc::new(AtomicBool::new(false));
    let helped = help.clone();
    writer.wal_hook(Some(move |log: &mut Wal, pages| {
        if helped.swap(false, Ordering::AcqRel) {
            // The commit stands whatever comes of it, so no error leaves the hook.
            if let Err(error) = log.checkpoint() {
                told(&error);
            }
        } else if pages >= WORTH {
            // It is full when the thread was told already.
            let _ = want.try_send(());
        }
        Ok(())
    }))?;
    Ok(Checkpoints {
        connection,
        wanted,
        help,
    })
}

impl Checkpoints {
    /// Copies the log each time that it is long, until the writer is closed.
    pub(super) fn make(self) {
        while self.wanted.recv().is_ok() {
            if !(0..PASSES).any(|_| self.is_complete()) {
                self.help.store(true, Ordering::Release);
            }
        }
    }

    /// Copies what is in the log; says whether nothing was left.
    fn is_complete(&self) -> bool {
        // Passive: nobody waits for it.
        let copied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                let (pages, copied): (i64, i64) = (row.get(1)?, row.get(2)?);
                Ok(pages == copied)
            });
        copied.unwrap_or_else(|error| {
            told(&error);
            false
        })
    }
}

fn told(error: &rusqlite::Error) {
    tracing::warn!(%error, "the database log could not be copied into the file; it grows until it can");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn open(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")
            .unwrap();
        connection
    }

    /// The writer never pauses, and yet its log is begun anew, so that it stays short.
    #[test]
    fn the_log_stays_short_under_a_load_that_never_pauses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut writer = open(&path);
        writer
            .execute_batch("CREATE TABLE kept (value BLOB)")
            .unwrap();
        let checkpoints = beside(&mut writer, open(&path)).unwrap();
        let thread = std::thread::spawn(move || checkpoints.make());
        let row = 64 * 1024;
        let mut written = 0;
        loop {
            writer
                .execute("INSERT INTO kept VALUES (zeroblob(?1))", [row])
                .unwrap();
            written += row;
            let log = folder.path().join("t.db-wal").metadata().unwrap().len();
            // More than the log has ever held was written, so it was begun anew.
            if written > 2 * i64::try_from(log).unwrap() {
                break;
            }
            assert!(written < 4 << 30, "the log grows: {log} of {written} bytes");
        }
        drop(writer);
        thread.join().unwrap();
        let kept: i64 = open(&path)
            .query_row("SELECT sum(length(value)) FROM kept", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, written);
    }

    #[test]
    fn a_short_log_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut writer = open(&path);
        let checkpoints = beside(&mut writer, open(&path)).unwrap();
        for table in 0..100 {
            writer
                .execute_batch(&format!("CREATE TABLE t{table} (value BLOB)"))
                .unwrap();
        }
        drop(writer);
        assert!(
            checkpoints.wanted.try_recv().is_err(),
            "a copy was asked for"
        );
    }
}
