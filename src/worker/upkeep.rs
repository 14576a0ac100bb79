//! The upkeep beside attempts: goes on with replays, deletes old events, and starts a part again that panicked.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{IDLE, Worker};
use crate::causes::with_causes;
use crate::clock::Clock;
use crate::storage::PurgeTerms;

/// How many rows a step of a replay or of retention works on: bounds the time that it holds the writer.
const STEP: u32 = 200;

/// How often old events are looked for, by the server's clock; in reality once a second at most.
const RETENTION_PAUSE: Duration = Duration::from_secs(60);
const SHORTEST_RETENTION_PAUSE: Duration = Duration::from_secs(1);

/// How long an idempotency key is kept at least.
const KEY_AGE: SignedDuration = SignedDuration::from_hours(24);

impl Worker {
    /// Runs a part of the worker until it ends, and starts it again after a panic: without claims, for instance, nothing would be attempted
    /// any more, and nobody be told.
    pub(super) fn keep_going<F>(
        self: &Arc<Self>,
        part: &'static str,
        run: impl Fn(Arc<Self>) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let worker = self.clone();
        self.runtime.spawn(async move {
            while let Err(ended) = tokio::spawn(run(worker.clone())).await {
                if !ended.is_panic() {
                    return;
                }
                tracing::error!(part, "a part of the worker panicked and is started again");
                let _ = tokio::time::timeout(IDLE, std::future::pending::<()>()).await;
            }
        });
    }

    pub(super) async fn replay_for_ever(self: Arc<Self>) {
        while !self.is_stopping() {
            match self
                .settings
                .store
                .step_replay(STEP, self.settings.clock.moment())
                .await
            {
                Ok(true) => self.wake(),
                Ok(false) => self.replays.notified().await,
                Err(error) => {
                    tracing::error!(error = with_causes(&error), "cannot go on with a replay");
                    let _ = tokio::time::timeout(IDLE, self.replays.notified()).await;
                }
            }
        }
    }

    pub(super) async fn purge_for_ever(self: Arc<Self>) {
        let mut after = 0;
        while !self.is_stopping() {
            let pause = match self.purge(after).await {
                Some(next) => {
                    after = next;
                    Duration::from_millis(10)
                }
                None => {
                    after = 0;
                    retention_pause(&self.settings.clock)
                }
            };
            // Between steps others write.
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(pause, never).await;
        }
    }

    /// One step of retention; says where to go on.
    async fn purge(&self, after: i64) -> Option<i64> {
        let steady = self.settings.clock.steady();
        let events_before = match self.settings.retention {
            Some(age) => steady.checked_sub(age).ok()?,
            None => Timestamp::MIN,
        };
        let keys_before = steady.checked_sub(KEY_AGE).ok()?;
        let terms = PurgeTerms {
            events_before,
            keys_before,
            after,
            limit: STEP,
        };
        match self.settings.store.purge(terms).await {
            Ok(purged) => {
                if purged.in_use {
                    self.settings.metrics.retention_failed();
                }
                purged.next
            }
            Err(error) => {
                self.settings.metrics.retention_failed();
                tracing::error!(error = with_causes(&error), "cannot delete what is old");
                None
            }
        }
    }
}

/// How long it really takes until old events are looked for again. A fast clock ages them faster; a slow one does not put it off.
fn retention_pause(clock: &Clock) -> Duration {
    let next = clock.steady().checked_add(RETENTION_PAUSE);
    let pause = next.map_or(RETENTION_PAUSE, |next| clock.until(next));
    pause.clamp(SHORTEST_RETENTION_PAUSE, RETENTION_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::Machine;

    #[test]
    fn old_events_are_looked_for_as_often_as_the_clock_runs_fast() {
        let machine = Machine::at("2026-11-28T12:00:00Z".parse().unwrap());
        for (speed, seconds) in [(1.0, 60), (0.5, 60), (12.0, 5), (60.0, 1), (1e9, 1)] {
            let pause = retention_pause(&machine.clock(speed, None));
            assert_eq!(pause.as_secs_f64().round(), f64::from(seconds), "{speed}");
        }
    }
}
