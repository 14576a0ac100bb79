//! Slots that are taken inside a transaction, and come back where it fails.

use std::sync::{Arc, Mutex, PoisonError};

use super::Slots;

/// Slots that were taken inside a transaction. They come back when they are dropped: the transaction failed, or its caller went away
/// and nobody will attempt what was claimed.
pub(super) struct Taken {
    slots: Arc<dyn Slots>,
    lanes: Mutex<Vec<i64>>,
}

impl Taken {
    pub(super) fn of(slots: &Arc<dyn Slots>) -> Arc<Self> {
        Arc::new(Self {
            slots: slots.clone(),
            lanes: Mutex::new(Vec::new()),
        })
    }

    /// Gives all slots back: nothing is claimed, or not yet again.
    pub(super) fn give_back_all(&self) {
        let lanes = std::mem::take(&mut *self.lanes.lock().unwrap_or_else(PoisonError::into_inner));
        for lane in lanes {
            self.slots.give_back(lane);
        }
    }

    /// Leaves the slots to the caller, who has what was claimed.
    pub(super) fn hand_over(&self) {
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back_all();
    }
}

impl Slots for Taken {
    fn take(&self, lane: i64) -> bool {
        let taken = self.slots.take(lane);
        if taken {
            self.lanes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(lane);
        }
        taken
    }

    fn give_back(&self, lane: i64) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = lanes.iter().rposition(|taken| *taken == lane) {
            lanes.swap_remove(position);
            self.slots.give_back(lane);
        }
    }
}
