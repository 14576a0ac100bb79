//! Open files: how many this process may have, and how they are divided.
//!
//! Every connection is an open file. Without a division, idle connections to receivers or clients that hold connections to the API
//! would leave none for deliveries. Called by the server when it starts.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are reserved for everything but connections: the database with its log and its readers, listening sockets, look-ups of names,
/// the exporter of traces.
const RESERVED: usize = 96;

/// The fewest files that the server can work with: beside the reserved ones, some for connections of each kind.
const LEAST: usize = RESERVED + 32;

/// The most connections to receivers that wait for their next request.
const MOST_IDLE: usize = 1_024;

/// The most connections that each thread of the API takes.
const MOST_FOR_THREAD: usize = 25_000;

/// How open files are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileBudget {
    /// Attempts under way at once, each with a connection.
    pub(crate) attempts: usize,
    /// Connections to receivers that wait for their next request.
    pub(crate) idle: usize,
    /// Connections to each thread of the API.
    pub(crate) for_thread: usize,
}

/// Too few open files are allowed.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process may have {files} files open, and {LEAST} are needed: raise the limit with `ulimit -n` or LimitNOFILE="
)]
pub struct TooFewFiles {
    files: usize,
}

impl FileBudget {
    /// Divides so many files: a quarter at most for attempts and for idle connections each, the rest for the API.
    ///
    /// # Errors
    /// When they are too few for a server.
    pub(crate) fn new(files: usize, attempts: usize, threads: usize) -> Result<Self, TooFewFiles> {
        if files < LEAST {
            return Err(TooFewFiles { files });
        }
        let left = files - RESERVED;
        let attempts = attempts.min(left / 4);
        let idle = MOST_IDLE.min(left / 4);
        let api = left - attempts - idle;
        let threads = threads.max(1);
        Ok(Self {
            attempts,
            idle,
            for_thread: (api / threads).clamp(1, MOST_FOR_THREAD),
        })
    }
}

/// Lets this process have as many files open as the system allows it (the hard limit), and gives their number. The soft limit, 1,024 in
/// most shells, is meant for programs that use `select`, and none is used here.
pub(crate) fn raise_open_files() -> usize {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        ..before
    };
    // Where the system refuses, there are as many as there were.
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => before.current,
    };
    allowed.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_is_never_more_than_there_is() {
        for files in (LEAST..2_048).chain([4_096, 65_536, 1_048_576, usize::MAX]) {
            for threads in [1, 2, 16] {
                let budget = FileBudget::new(files, 256, threads).unwrap();
                let connections =
                    budget.attempts + budget.idle + budget.for_thread.saturating_mul(threads);
                assert!(
                    connections <= (files - RESERVED).max(threads),
                    "{files}: {budget:?}"
                );
                assert!(budget.attempts >= 8 && budget.idle >= 8 && budget.for_thread >= 1);
            }
        }
    }

    #[test]
    fn a_usual_limit_leaves_the_settings_as_they_are() {
        let budget = FileBudget::new(65_536, 256, 2).unwrap();
        assert_eq!((budget.attempts, budget.idle), (256, MOST_IDLE));
        assert_eq!(budget.for_thread, MOST_FOR_THREAD);
    }

    #[test]
    fn too_few_files_are_refused_with_what_to_do() {
        let message = FileBudget::new(LEAST - 1, 256, 2).unwrap_err().to_string();
        assert!(message.contains("ulimit -n"), "{message}");
    }
}
