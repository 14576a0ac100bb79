//! Finishes a change of the encryption key, beside everything else.

use std::sync::Arc;
use std::time::Duration;

use super::{IDLE, Worker};
use crate::causes::with_causes;

/// How many webhooks a step works on: bounds the time that it holds the writer.
const STEP: u32 = 200;

/// The pause between two steps, in which others write.
const PAUSE: Duration = Duration::from_millis(10);

impl Worker {
    /// Seals what is sealed with an earlier key again, until nothing is left.
    pub(super) async fn finish_rotation(self: Arc<Self>) {
        let mut begun = false;
        while !self.is_stopping() {
            let pause = match self.settings.store.step_rotation(STEP).await {
                Ok(true) => {
                    if !begun {
                        tracing::info!("the encryption key has changed: secrets are sealed again");
                    }
                    begun = true;
                    PAUSE
                }
                Ok(false) => {
                    if begun {
                        tracing::info!(
                            "every secret is sealed with the new encryption key: the previous one is of use for older backups only"
                        );
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(
                        error = with_causes(&error),
                        "cannot seal secrets with the new encryption key"
                    );
                    IDLE
                }
            };
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(pause, never).await;
        }
    }
}
