//! Slots that a transaction takes while it claims, and deliveries that it lets wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Slots;

/// Slots that were taken inside a transaction. They come back when they are dropped: the transaction failed, or its caller went away
/// and nobody will attempt what was claimed.
pub(super) struct Taken {
    slots: Arc<dyn Slots>,
    lanes: Mutex<Vec<i64>>,
    waiting: Mutex<Vec<i64>>,
}

impl Taken {
    pub(super) fn of(slots: &Arc<dyn Slots>) -> Arc<Self> {
        Arc::new(Self {
            slots: slots.clone(),
            lanes: Mutex::default(),
            waiting: Mutex::default(),
        })
    }

    /// Gives all slots back: nothing is claimed and nothing waits, or not yet again.
    pub(super) fn give_back_all(&self) {
        for lane in std::mem::take(&mut *lock(&self.lanes)) {
            self.slots.give_back(lane);
        }
        for lane in std::mem::take(&mut *lock(&self.waiting)) {
            self.slots.wait_not(lane);
        }
    }

    /// Leaves the slots to the caller, who has what was claimed.
    pub(super) fn hand_over(&self) {
        lock(&self.lanes).clear();
        lock(&self.waiting).clear();
    }
}

fn lock(lanes: &Mutex<Vec<i64>>) -> MutexGuard<'_, Vec<i64>> {
    lanes.lock().unwrap_or_else(PoisonError::into_inner)
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
            lock(&self.lanes).push(lane);
        }
        taken
    }

    fn give_back(&self, lane: i64) {
        let mut lanes = lock(&self.lanes);
        if let Some(position) = lanes.iter().rposition(|taken| *taken == lane) {
            lanes.swap_remove(position);
            self.slots.give_back(lane);
        }
    }

    fn free(&self, lane: i64) -> usize {
        self.slots.free(lane)
    }

    fn wait(&self, lane: i64) {
        lock(&self.waiting).push(lane);
        self.slots.wait(lane);
    }

    fn wait_not(&self, lane: i64) {
        let mut waiting = lock(&self.waiting);
        if let Some(position) = waiting.iter().rposition(|waits| *waits == lane) {
            waiting.swap_remove(position);
            self.slots.wait_not(lane);
        }
    }
}
