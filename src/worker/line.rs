//! The lines of [`super::lanes`]: starts the next delivery when an attempt ends, and moves deliveries to the queue that cannot start soon
//! or whose webhook may have changed.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::lanes::PATIENCE;
use super::{Claimed, Worker};
use crate::storage::Slots;

impl Worker {
    /// Notes that an attempt ended, and starts the next delivery in the line. `queued` says whether the queue holds deliveries for this
    /// webhook.
    pub(super) fn pass_on(self: &Arc<Self>, lane: i64, queued: bool) {
        let mut outdated = Vec::new();
        while let Some(next) = self.settings.lanes.end(lane, queued) {
            if next.webhook_changes == self.settings.store.webhook_changes() {
                self.spawn_attempt(next);
                break;
            }
            // A claim reads the webhook anew.
            outdated.push(next);
        }
        self.spawn_queue_again(outdated);
    }

    /// Moves the deliveries in a line to the queue when their receiver is no longer quick.
    pub(super) async fn dissolve_for_ever(self: Arc<Self>) {
        while !self.is_stopping() {
            self.settings.lanes.filled().await;
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(PATIENCE / 2, never).await;
            if let Some(since) = Instant::now().checked_sub(PATIENCE) {
                let out = self.settings.lanes.dissolve(since);
                self.spawn_queue_again(out);
            }
        }
    }

    /// Moves the deliveries of all lines to the queue, because this process stops.
    pub(super) async fn dissolve_all(&self) {
        self.queue_again(self.settings.lanes.dissolve(Instant::now()))
            .await;
    }

    /// As [`Self::queue_again`], but without waiting: a slow commit must hold up neither attempts nor other lines.
    fn spawn_queue_again(self: &Arc<Self>, claimed: Vec<Claimed>) {
        if !claimed.is_empty() {
            let worker = self.clone();
            self.runtime
                .spawn(async move { worker.queue_again(claimed).await });
        }
    }

    /// Moves deliveries whose attempts have not started to the queue. They are not counted as attempts.
    async fn queue_again(&self, mut claimed: Vec<Claimed>) {
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
                error = &error as &dyn std::error::Error,
                count = claimed.len(),
                "deliveries that waited for a slot could not be given to the queue; they are attempted when their leases end"
            );
        }
        self.wake();
    }
}
