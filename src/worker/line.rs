//! The lines of [`super::lanes`]: starts the next delivery when an attempt ends, and moves deliveries to the queue that cannot start soon.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::lanes::PATIENCE;
use super::{Claimed, Worker};
use crate::causes::with_causes;
use crate::storage::Slots;

impl Worker {
    /// Notes that an attempt ended, and starts the next delivery in the line. `queued` says whether the queue holds deliveries for this
    /// webhook.
    pub(super) fn pass_on(self: &Arc<Self>, lane: i64, queued: bool) {
        if let Some(next) = self.settings.lanes.end(lane, queued) {
            self.spawn_attempt(next);
        }
    }

    /// Moves the deliveries in a line to the queue when their receiver is no longer quick.
    pub(super) async fn dissolve_for_ever(self: Arc<Self>) {
        while !self.is_stopping() {
            self.settings.lanes.filled().await;
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(PATIENCE / 2, never).await;
            let Some(since) = Instant::now().checked_sub(PATIENCE) else {
                continue;
            };
            let out = self.settings.lanes.dissolve(since);
            if !out.is_empty() {
                // Without waiting: a slow commit must not hold up other lines.
                let worker = self.clone();
                self.runtime
                    .spawn(async move { worker.queue_again(out).await });
            }
        }
    }

    /// Moves the deliveries of all lines to the queue, because this process stops.
    pub(super) async fn dissolve_all(&self) {
        self.queue_again(self.settings.lanes.dissolve(Instant::now()))
            .await;
    }

    /// Moves deliveries whose attempts have not started to the queue. They are not counted as attempts.
    pub(super) async fn queue_again(&self, mut claimed: Vec<Claimed>) {
        // A stop may have given back what was under way; another process may have claimed it since.
        claimed.retain(|claimed| self.forget(claimed.due.id, claimed.due.attempt));
        if claimed.is_empty() {
            return;
        }
        let lanes = &self.settings.lanes;
        // Before they can be claimed, which takes them off the count.
        let first = || claimed.iter().filter(|claimed| claimed.due.attempt == 1);
        first().for_each(|claimed| lanes.wait(claimed.due.target.lane));
        let attempts: Vec<(Uuid, u32)> = claimed
            .iter()
            .map(|claimed| (claimed.due.id, claimed.due.attempt))
            .collect();
        let steady = self.settings.clock.steady();
        if let Err(error) = self.settings.store.postpone(attempts, steady).await {
            first().for_each(|claimed| lanes.wait_not(claimed.due.target.lane));
            tracing::error!(
                error = with_causes(&error),
                count = claimed.len(),
                "deliveries that were not attempted could not be given to the queue; they are attempted when their leases end"
            );
        }
        self.wake();
    }
}
