//! Records the outcomes of attempts. An outcome that cannot be written is kept and written again, as its receiver would otherwise be sent
//! the event again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{IDLE, UNRECORDED, Worker};
use crate::causes::with_causes;
use crate::domain::Next;
use crate::storage::{AttemptResult, Recorded};

/// The pause before results that could not be written are written again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Worker {
    /// How many results of attempts could not be written so far. While there are any, nothing more is claimed: a lease of theirs may
    /// have run out.
    pub(crate) fn unwritten(&self) -> usize {
        self.unwritten.load(Ordering::Acquire)
    }

    /// Records the results of attempts, as many at once as ended while the ones before were recorded. Those that cannot be written are
    /// bounded: where there is no room for more, attempts keep their slots.
    pub(super) async fn record_for_ever(
        self: Arc<Self>,
        mut unrecorded: mpsc::Receiver<AttemptResult>,
    ) {
        let mut results: Vec<Arc<AttemptResult>> = Vec::new();
        let mut arrived = Vec::new();
        let mut pause = FIRST_PAUSE;
        let mut together = 0;
        loop {
            if results.is_empty() {
                if unrecorded.recv_many(&mut arrived, UNRECORDED).await == 0 {
                    return;
                }
                let gather = self.settings.store.gather(together.max(arrived.len()));
                if !gather.is_zero() && !self.is_stopping() {
                    let _ = tokio::time::timeout(gather, std::future::pending::<()>()).await;
                    take_more(&mut unrecorded, &mut arrived, UNRECORDED);
                }
            } else {
                let never = std::future::pending::<()>();
                let _ = tokio::time::timeout(pause, never).await;
                // Before a stop gives up there should be one more try.
                pause = if self.is_stopping() {
                    FIRST_PAUSE
                } else {
                    (pause * 2).min(LONGEST_PAUSE)
                };
                let room = UNRECORDED.saturating_sub(results.len());
                take_more(&mut unrecorded, &mut arrived, room);
            }
            together = arrived.len();
            results.extend(arrived.drain(..).map(Arc::new));
            let waited = self.unwritten() > 0;
            results = self.record(results).await;
            self.unwritten.store(results.len(), Ordering::Release);
            self.settings.metrics.unwritten(results.len());
            if results.is_empty() {
                pause = FIRST_PAUSE;
                if waited {
                    tracing::info!("results of attempts can be written again");
                    self.wake();
                }
            }
        }
    }

    /// Records results; gives back those that could not be written and may be later.
    async fn record(&self, results: Vec<Arc<AttemptResult>>) -> Vec<Arc<AttemptResult>> {
        let recorded = self.settings.store.record(results.clone()).await;
        let mut ended: Vec<(Uuid, u32)> = Vec::with_capacity(results.len());
        let mut left = Vec::new();
        let mut soon = false;
        for (result, recorded) in results.into_iter().zip(recorded.each) {
            let (delivery, attempt) = (result.delivery, result.attempt.number);
            match recorded {
                // The claims know of no retry that is due before they look again, as on a clock that runs fast.
                Recorded::Yes => {
                    if let Next::RetryAt(at) = result.next {
                        soon |= self.settings.clock.until(at) < IDLE;
                    }
                }
                Recorded::TooLate => {
                    self.settings.metrics.superseded();
                    tracing::warn!(%delivery, attempt, "the result came too late and was refused");
                }
                Recorded::NotNow => {
                    left.push(result);
                    continue;
                }
                // Its lease runs out and it is attempted again: better twice than never.
                Recorded::Never => {
                    tracing::error!(%delivery, attempt, "the result cannot be recorded");
                }
            }
            ended.push((delivery, attempt));
        }
        if let Some(error) = recorded.error {
            tracing::error!(
                error = with_causes(&error),
                waiting = left.len(),
                "not every result could be recorded; those that wait are kept and written again"
            );
        }
        self.end(ended);
        if soon {
            self.wake();
        }
        left
    }
}

/// Takes what is there already, up to so many in all.
fn take_more(
    unrecorded: &mut mpsc::Receiver<AttemptResult>,
    arrived: &mut Vec<AttemptResult>,
    most: usize,
) {
    while arrived.len() < most
        && let Ok(result) = unrecorded.try_recv()
    {
        arrived.push(result);
    }
}
