//! Saves how the steady time stands, so that what waits goes on waiting as long after a restart.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::Worker;
use crate::causes::with_causes;

/// How often it is looked whether there is something to save.
const LOOK: Duration = Duration::from_secs(1);

/// After how many looks the time is saved though nothing has happened.
const QUIET_LOOKS: u32 = 60;

impl Worker {
    /// Saves the steady time now and then, and at once when the machine's clock was corrected, or where this clock runs faster.
    pub(super) async fn save_time_for_ever(self: Arc<Self>) {
        let clock = &self.settings.clock;
        let mut lead = clock.steady_lead();
        let mut looks = QUIET_LOOKS;
        while !self.is_stopping() {
            let moved = clock.steady_lead() - lead;
            if !moved.is_zero() {
                lead += moved;
                warn_of_correction(moved);
            }
            if looks >= QUIET_LOOKS || !moved.is_zero() || !clock.is_real() {
                self.save_time(LOOK * 2).await;
                // Where the database is away the clock runs on by itself.
                if let Ok(Some(shared)) = self.settings.store.shared_time().await {
                    if clock.is_real() {
                        let offset = clock.now().duration_since(shared);
                        self.settings.metrics.clock_offset(offset.as_secs());
                    }
                    clock.follow(shared);
                    lead = clock.steady_lead();
                }
                looks = 0;
            }
            looks += 1;
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(LOOK, never).await;
        }
    }

    /// Saves the steady time as it will be after `ahead`.
    pub(super) async fn save_time(&self, ahead: Duration) {
        let time = self.settings.clock.saved(ahead);
        if let Err(error) = self.settings.store.save_time(time).await {
            // It is saved again soon. The caller of a write that fails gets the error.
            tracing::debug!(error = with_causes(&error), "the time could not be saved");
        }
    }
}

fn warn_of_correction(moved: SignedDuration) {
    let direction = if moved.is_negative() { "ahead" } else { "back" };
    tracing::warn!(
        seconds = moved.abs().as_secs(),
        "the clock of this machine was set {direction}; timestamps follow it, and what waits goes on waiting as long as before"
    );
}
