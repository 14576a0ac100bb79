//! How many attempts may be under way: in all, and for each webhook, so that a hanging receiver holds its own slots only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::storage::Slots;

/// Counts the attempts under way.
pub(crate) struct Lanes {
    limit: usize,
    lane_limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    lanes: HashMap<i64, usize>,
}

impl Lanes {
    /// At most `limit` attempts in all and `lane_limit` for each webhook.
    pub(crate) fn new(limit: usize, lane_limit: usize) -> Self {
        Self {
            limit,
            lane_limit,
            taken: Mutex::new(Taken::default()),
        }
    }

    /// How many slots are free.
    pub(crate) fn free(&self) -> usize {
        self.limit.saturating_sub(self.lock().all)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots for Lanes {
    fn take(&self, lane: i64) -> bool {
        let mut taken = self.lock();
        if taken.all >= self.limit {
            return false;
        }
        let of_lane = taken.lanes.entry(lane).or_default();
        if *of_lane >= self.lane_limit {
            return false;
        }
        *of_lane += 1;
        taken.all += 1;
        true
    }

    fn give_back(&self, lane: i64) {
        let mut taken = self.lock();
        if let Some(of_lane) = taken.lanes.get_mut(&lane) {
            *of_lane -= 1;
            // A webhook without attempts is forgotten: the map stays as small as what is under way.
            if *of_lane == 0 {
                taken.lanes.remove(&lane);
            }
            taken.all -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_limited_in_all_and_for_each_webhook_and_come_back() {
        let lanes = Lanes::new(3, 2);
        assert!(
            lanes.take(1) && lanes.take(1) && !lanes.take(1),
            "two for one webhook"
        );
        assert!(lanes.take(2) && !lanes.take(3), "three in all");
        assert_eq!(lanes.free(), 0);
        lanes.give_back(1);
        assert!(lanes.take(3));
        lanes.give_back(9);
        assert_eq!(lanes.free(), 0, "a slot that nobody took came back");
        for lane in [1, 2, 3] {
            lanes.give_back(lane);
        }
        assert_eq!(lanes.free(), 3);
        assert!(lanes.lock().lanes.is_empty());
    }
}
