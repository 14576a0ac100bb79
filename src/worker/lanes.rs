//! How many attempts may be under way: in all, and for each webhook, so that a hanging receiver holds its own slots only.
//!
//! However many receivers hang, they do not take every slot: a webhook may have a quarter as many as are free, so each that hangs
//! leaves less to the next, and one that has none under way gets its first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::pressure::Pressure;
use crate::storage::Slots;

/// Counts the attempts under way.
pub(crate) struct Lanes {
    limit: usize,
    lane_limit: usize,
    taken: Mutex<Taken>,
    pressure: Pressure,
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
            pressure: Pressure::new(Duration::ZERO, limit, Instant::now()),
        }
    }

    /// With a time that deliveries should wait at most, and how many may always wait; see [`Pressure`].
    pub(crate) fn with_target_delay(self, target: Duration, floor: usize) -> Self {
        Self {
            pressure: Pressure::new(target, floor, Instant::now()),
            ..self
        }
    }

    /// Holds publications back while deliveries wait.
    pub(super) fn pressure(&self) -> &Pressure {
        &self.pressure
    }

    /// No attempts: others make them.
    pub(crate) fn none() -> Self {
        Self::new(0, 1)
    }

    /// How many slots are free.
    #[cfg(test)]
    fn free(&self) -> usize {
        self.limit.saturating_sub(self.lock().all)
    }

    /// Whether one of these webhooks could have a slot.
    pub(crate) fn have_room(&self, lanes: &[i64]) -> bool {
        let taken = self.lock();
        let share = self.share(&taken);
        let of_lane = |lane| taken.lanes.get(lane).copied().unwrap_or_default();
        share > 0 && lanes.iter().any(|lane| of_lane(lane) < share)
    }

    /// How many slots a webhook may have at this moment.
    fn share(&self, taken: &Taken) -> usize {
        match self.limit.saturating_sub(taken.all) {
            0 => 0,
            free => (free / 4).clamp(1, self.lane_limit),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots for Lanes {
    fn take(&self, lane: i64) -> bool {
        let mut taken = self.lock();
        let share = self.share(&taken);
        let of_lane = taken.lanes.get(&lane).copied().unwrap_or_default();
        if of_lane >= share {
            return false;
        }
        taken.lanes.insert(lane, of_lane + 1);
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

    fn free(&self, lane: i64) -> usize {
        let taken = self.lock();
        let of_lane = taken.lanes.get(&lane).copied().unwrap_or_default();
        self.share(&taken).saturating_sub(of_lane)
    }

    fn wait(&self, lane: i64) {
        self.pressure.waits(lane, Instant::now());
    }

    fn wait_not(&self, lane: i64) {
        self.pressure.waits_not(lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_limited_in_all_and_for_each_webhook_and_come_back() {
        let lanes = Lanes::new(16, 2);
        assert!(
            lanes.take(1) && lanes.take(1) && !lanes.take(1),
            "two for one webhook"
        );
        for lane in 2..16 {
            assert!(lanes.take(lane), "the first of {lane}");
        }
        assert!(!lanes.take(16), "16 in all");
        assert_eq!(lanes.free(), 0);
        assert!(!lanes.have_room(&[1, 99]));
        lanes.give_back(1);
        assert!(lanes.take(16));
        lanes.give_back(99);
        assert_eq!(lanes.free(), 0, "a slot that nobody took came back");
        for lane in 1..=16 {
            lanes.give_back(lane);
        }
        assert_eq!(lanes.free(), 16);
        assert!(lanes.have_room(&[1]) && !lanes.have_room(&[]));
        assert!(lanes.lock().lanes.is_empty());
    }

    #[test]
    fn however_many_webhooks_hang_others_get_a_slot() {
        let lanes = Lanes::new(256, 32);
        for lane in 0..20 {
            while lanes.take(lane) {}
        }
        let hold = |lane| lanes.lock().lanes.get(&lane).copied().unwrap_or_default();
        assert_eq!(hold(0), 32, "one alone gets all that a webhook may have");
        assert!(hold(19) >= 1);
        assert!(lanes.free() >= 4, "{}", lanes.free());
        assert!(lanes.take(20));
    }
}
