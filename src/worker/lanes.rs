//! How many attempts may be under way: in all, and for each webhook, so that a hanging receiver holds its own slots only.
//!
//! However many receivers hang, they do not take every slot: a webhook may have a quarter as many as are free, so each that hangs
//! leaves less to the next, and one that has none under way gets its first.
//!
//! When all slots of a webhook are taken and its receiver answers quickly, new deliveries to it wait in memory, in a line. Going through
//! the queue would cost each of them a row and a claim, only to be read back a few milliseconds later. A line is short enough to
//! empty within [`PATIENCE`]. If it does not, the deliveries in it go to the queue, and no new line is started for a while. While the
//! queue holds deliveries for the same webhook, every other slot that becomes free is left to them. Webhooks that may have a single slot
//! have no line.
//!
//! The slots of one webhook are interchangeable: an attempt starts in any slot that was taken and is not running an attempt.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::pressure::Pressure;
use crate::storage::Slots;

/// How long a delivery may wait in a line.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// How many places a line has for each slot of its webhook.
const LINE: usize = 4;

/// How long after a line moved too slowly its webhook gets no new one.
const RECOVERY: Duration = Duration::from_secs(1);

/// For how many webhooks the time that their receivers take is remembered while they have no attempts. The next ones may follow at once.
const REMEMBERED: usize = 1_024;

/// How much of the estimate of a receiver's time the latest answer makes up.
const SMOOTHING: f64 = 0.2;

/// Counts the attempts under way, and keeps the deliveries `T` that wait in lines for a slot.
pub(crate) struct Lanes<T> {
    limit: usize,
    lane_limit: usize,
    taken: Mutex<Taken<T>>,
    /// How many deliveries wait in lines.
    standing: AtomicUsize,
    /// The first delivery has come into a line.
    filled: Notify,
    pressure: Pressure,
}

struct Taken<T> {
    slots: usize,
    places: usize,
    lanes: HashMap<i64, Lane<T>>,
}

/// A webhook with slots that are taken, or that had some.
struct Lane<T> {
    slots: usize,
    /// How many slots are running an attempt. While the line is not empty this is at least one: the attempt that ends starts the next.
    running: usize,
    /// Places taken in the line, including those of publications that are not stored yet. Without a slot there are none.
    places: usize,
    line: VecDeque<(Instant, T)>,
    /// How long the receiver takes, in seconds; zero before its first answer.
    answer: f64,
    accepts: bool,
    /// Whether the last slot that came back was left to the queue.
    yielded: bool,
    /// When the line last moved too slowly.
    dissolved: Option<Instant>,
}

impl<T> Lanes<T> {
    /// At most `limit` attempts in all and `lane_limit` for each webhook.
    pub(crate) fn new(limit: usize, lane_limit: usize) -> Self {
        Self {
            limit,
            lane_limit,
            taken: Mutex::new(Taken {
                slots: 0,
                places: 0,
                lanes: HashMap::new(),
            }),
            standing: AtomicUsize::new(0),
            filled: Notify::new(),
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

    /// Whether no slot and no place is taken.
    #[cfg(test)]
    pub(super) fn is_unused(&self) -> bool {
        let taken = self.lock();
        let mut lanes = taken.lanes.values();
        lanes.all(|lane| lane.slots + lane.running + lane.places + lane.line.len() == 0)
            && taken.slots == 0
            && taken.places == 0
    }

    /// How many slots are free.
    #[cfg(test)]
    fn free(&self) -> usize {
        self.limit.saturating_sub(self.lock().slots)
    }

    /// Whether one of these webhooks could have a slot.
    pub(crate) fn have_room(&self, lanes: &[i64]) -> bool {
        if lanes.is_empty() {
            return false;
        }
        let taken = self.lock();
        let share = self.share(&taken);
        share > 0 && lanes.iter().any(|lane| taken.of(*lane) < share)
    }

    /// Takes a delivery for which a slot or a place was taken. Returns it if its attempt is to start now; otherwise it waits in the line.
    pub(super) fn begin(&self, lane: i64, delivery: T, now: Instant) -> Option<T> {
        let mut taken = self.lock();
        let Some(lane) = taken.lanes.get_mut(&lane) else {
            debug_assert!(false, "nothing was taken for this delivery");
            return Some(delivery);
        };
        if lane.running < lane.slots {
            lane.running += 1;
            return Some(delivery);
        }
        lane.line.push_back((now, delivery));
        if self.standing.fetch_add(1, Ordering::Relaxed) == 0 {
            self.filled.notify_one();
        }
        None
    }

    /// Notes how long a receiver took, and whether it accepted the delivery.
    pub(super) fn answered(&self, lane: i64, took: Duration, accepted: bool) {
        self.pressure.answered(lane, took, accepted);
        if let Some(lane) = self.lock().lanes.get_mut(&lane) {
            let took = took.as_secs_f64();
            lane.accepts = accepted;
            if lane.answer > 0.0 {
                lane.answer += (took - lane.answer) * SMOOTHING;
            } else {
                lane.answer = took;
            }
        }
    }

    /// Notes that an attempt ended, and returns the next delivery of the line, whose attempt is to start now. Without one, the slot is
    /// free. `queued` says whether the queue holds deliveries for this webhook.
    pub(super) fn end(&self, number: i64, queued: bool) -> Option<T> {
        let mut taken = self.lock();
        let share = self.share(&taken).max(1);
        let lane = taken.lanes.get_mut(&number)?;
        lane.running -= 1;
        let yields = queued && !lane.yielded;
        lane.yielded = yields;
        let keeps = lane.running == 0 || (lane.slots <= share && !yields);
        if lane.places == 0 || !keeps {
            taken.give_back_slot(number);
            return None;
        }
        lane.places -= 1;
        let next = lane.line.pop_front().map(|(_, delivery)| delivery);
        if next.is_some() {
            lane.running += 1;
            self.standing.fetch_sub(1, Ordering::Relaxed);
        }
        taken.places -= 1;
        next
    }

    /// Returns when a delivery waits in a line.
    pub(super) async fn filled(&self) {
        while self.standing.load(Ordering::Relaxed) == 0 {
            self.filled.notified().await;
        }
    }

    /// Empties every line whose first delivery came into it at `since` or before, and returns the deliveries: the receiver is no longer
    /// quick.
    pub(super) fn dissolve(&self, since: Instant) -> Vec<T> {
        let mut out = Vec::new();
        let mut taken = self.lock();
        let Taken { lanes, places, .. } = &mut *taken;
        for lane in lanes.values_mut() {
            if lane.line.front().is_none_or(|(stood, _)| *stood > since) {
                continue;
            }
            lane.dissolved = Some(Instant::now());
            lane.places -= lane.line.len();
            *places -= lane.line.len();
            out.extend(lane.line.drain(..).map(|(_, delivery)| delivery));
        }
        self.standing.fetch_sub(out.len(), Ordering::Relaxed);
        out
    }

    /// How many slots a webhook may have at this moment.
    fn share(&self, taken: &Taken<T>) -> usize {
        match self.limit.saturating_sub(taken.slots) {
            0 => 0,
            free => (free / 4).clamp(1, self.lane_limit),
        }
    }

    /// Takes a slot or, if none is free, a place in the line. While deliveries wait in the line, only a place can be taken: a slot that is
    /// free then was left to the queue.
    fn take_slot_or_place(&self, lane: i64, now: Instant) -> bool {
        let mut taken = self.lock();
        let share = self.share(&taken);
        if !taken.has_line(lane) && taken.take_slot(lane, share) {
            return true;
        }
        if self.lane_limit == 1 || taken.places >= self.limit {
            return false;
        }
        let Some(lane) = taken.lanes.get_mut(&lane) else {
            return false;
        };
        let is_full = lane.slots >= self.lane_limit || !lane.line.is_empty();
        let takes = is_full && lane.places < LINE * self.lane_limit && lane.is_quick(now);
        if takes {
            lane.places += 1;
            taken.places += 1;
        }
        takes
    }

    fn lock(&self) -> MutexGuard<'_, Taken<T>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Taken<T> {
    fn of(&self, lane: i64) -> usize {
        self.lanes.get(&lane).map_or(0, |lane| lane.slots)
    }

    fn has_line(&self, lane: i64) -> bool {
        let lane = self.lanes.get(&lane);
        lane.is_some_and(|lane| !lane.line.is_empty())
    }

    /// Takes a slot of a webhook that may have `share` of them.
    fn take_slot(&mut self, lane: i64, share: usize) -> bool {
        if self.of(lane) >= share {
            return false;
        }
        let lane = self.lanes.entry(lane).or_insert(Lane {
            slots: 0,
            running: 0,
            places: 0,
            line: VecDeque::new(),
            answer: 0.0,
            accepts: false,
            yielded: false,
            dissolved: None,
        });
        lane.slots += 1;
        self.slots += 1;
        true
    }

    fn give_back_slot(&mut self, number: i64) {
        let known = self.lanes.len();
        // One that nobody took changes nothing.
        let lane = self.lanes.get_mut(&number);
        let Some(lane) = lane.filter(|lane| lane.slots > 0) else {
            return;
        };
        lane.slots -= 1;
        self.slots -= 1;
        if lane.slots == 0 && known > REMEMBERED {
            self.lanes.retain(|_, lane| lane.slots > 0);
        }
    }
}

impl<T> Lane<T> {
    /// Whether one more delivery in the line would start within [`PATIENCE`], given how quickly the receiver has answered.
    fn is_quick(&self, now: Instant) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let wait = self.answer * (self.places + 1) as f64 / self.slots as f64;
        let dissolved = self.dissolved;
        let recovers = dissolved.is_some_and(|at| now.saturating_duration_since(at) < RECOVERY);
        self.accepts && self.answer > 0.0 && wait <= PATIENCE.as_secs_f64() && !recovers
    }
}

impl<T: Send> Slots for Lanes<T> {
    fn take(&self, lane: i64) -> bool {
        let mut taken = self.lock();
        let share = self.share(&taken);
        taken.take_slot(lane, share)
    }

    fn give_back(&self, number: i64) {
        let mut taken = self.lock();
        let Some(lane) = taken.lanes.get_mut(&number) else {
            return;
        };
        // Places first: the slots are needed to start the deliveries that wait in the line.
        if lane.places > lane.line.len() {
            lane.places -= 1;
            taken.places -= 1;
        } else {
            taken.give_back_slot(number);
        }
    }

    fn free(&self, lane: i64) -> usize {
        let taken = self.lock();
        self.share(&taken).saturating_sub(taken.of(lane))
    }

    fn wait(&self, lane: i64) {
        self.pressure.waits(lane, Instant::now());
    }

    fn wait_not(&self, lane: i64) {
        self.pressure.waits_not(lane);
    }
}

/// What a publisher can take: slots, and places in lines.
pub(super) struct WithPlaces<T>(pub(super) Arc<Lanes<T>>);

impl<T: Send> Slots for WithPlaces<T> {
    fn take(&self, lane: i64) -> bool {
        self.0.take_slot_or_place(lane, Instant::now())
    }

    fn give_back(&self, lane: i64) {
        self.0.give_back(lane);
    }

    fn free(&self, lane: i64) -> usize {
        Slots::free(&*self.0, lane)
    }

    fn wait(&self, lane: i64) {
        self.0.wait(lane);
    }

    fn wait_not(&self, lane: i64) {
        self.0.wait_not(lane);
    }
}

#[cfg(test)]
mod tests;
