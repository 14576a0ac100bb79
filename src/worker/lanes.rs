//! How many attempts may be under way: in all, and for each webhook, so that a hanging receiver holds its own slots only.
//!
//! However many receivers hang, they do not take every slot: a webhook may have a quarter as many as are free, so each that hangs
//! leaves less to the next, and one that has none under way gets its first.
//!
//! Where a webhook has all the slots that it may ever have, more than one, and its receiver answers quickly, deliveries of new
//! publications stand in line in memory: the queue would cost each a row and a claim, only to be read back a few milliseconds later. The
//! line is no longer than what leaves within [`PATIENCE`]; what stands in it for longer goes to the queue after all, and no line is made
//! for a while. Where the queue holds deliveries for the same webhook, every other slot that comes back is left to them.
//!
//! Deliveries of one webhook are alike: whoever begins takes any slot of it that was taken and in which no attempt runs.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::pressure::Pressure;
use crate::storage::Slots;

/// How long a delivery may stand in line.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// By how many times the slots of a webhook its line may be longer.
const LINE: usize = 4;

/// How long no line is made for a webhook whose line moved too slowly.
const RECOVERY: Duration = Duration::from_secs(1);

/// Of how many webhooks without attempts it is remembered how quick they are: they may have some again in a moment.
const REMEMBERED: usize = 1_024;

/// How much of the estimate of a receiver's time the latest answer makes up.
const SMOOTHING: f64 = 0.2;

/// Counts the attempts under way, and keeps the deliveries `T` that stand in line for a slot.
pub(crate) struct Lanes<T> {
    limit: usize,
    lane_limit: usize,
    taken: Mutex<Taken<T>>,
    /// How many deliveries stand in line.
    standing: AtomicUsize,
    /// One stands in line where none did.
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
    /// In how many slots an attempt runs: in one at least while a delivery stands in line, as an attempt that ends calls the next.
    running: usize,
    /// Places in line, with those of publications that are not stored yet. There are none without a slot.
    places: usize,
    line: VecDeque<(Instant, T)>,
    /// How long the receiver takes, in seconds; zero before its first answer.
    answer: f64,
    accepts: bool,
    /// Whether the last slot that came back was left to the queue.
    yielded: bool,
    /// When the line moved too slowly.
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

    /// Begins with a delivery whose slot or place was taken: gives it back if its attempt runs from now on, and otherwise keeps it in line.
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

    /// Gives the slot of an attempt that ended to the next in line, whose attempt runs from now on; without one, the slot comes back.
    /// `queued` says whether the queue holds deliveries for this webhook.
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

    /// Returns when a delivery stands in line.
    pub(super) async fn filled(&self) {
        while self.standing.load(Ordering::Relaxed) == 0 {
            self.filled.notified().await;
        }
    }

    /// Takes out of every line whose first has stood there since before `since` all that stand in it: the receiver is no longer quick.
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

    /// Takes a slot, or a place in line where there is none. Behind a line that stands there is only a place: a slot is free then because
    /// it was left to the queue.
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
    /// Whether one more in line would begin within [`PATIENCE`], as far as is known of the receiver.
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
        // Of what was taken and not begun with, the places go first: who has begun in a slot calls those that stand in line.
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

/// The slots of a publisher: with places in line.
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
mod tests {
    use super::*;

    fn lanes(limit: usize, lane_limit: usize) -> Lanes<u32> {
        Lanes::new(limit, lane_limit)
    }

    /// A webhook that has all its slots, with an attempt in each, and whose receiver takes this long.
    fn busy(lane_limit: usize, answer: Duration) -> (Arc<Lanes<u32>>, WithPlaces<u32>) {
        let lanes = Arc::new(lanes(256, lane_limit));
        let publisher = WithPlaces(lanes.clone());
        for delivery in 0..u32::try_from(lane_limit).unwrap() {
            assert!(publisher.take(1));
            let begun = lanes.begin(1, delivery, Instant::now());
            assert_eq!(begun, Some(delivery));
        }
        lanes.answered(1, answer, true);
        (lanes, publisher)
    }

    const QUICK: Duration = Duration::from_millis(1);

    #[test]
    fn slots_are_limited_in_all_and_for_each_webhook_and_come_back() {
        let lanes = lanes(16, 2);
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
        assert!(lanes.is_unused());
    }

    #[test]
    fn however_many_webhooks_hang_others_get_a_slot() {
        let lanes = lanes(256, 32);
        for lane in 0..20 {
            while lanes.take(lane) {}
        }
        let hold = |lane| lanes.lock().of(lane);
        assert_eq!(hold(0), 32, "one alone gets all that a webhook may have");
        assert!(hold(19) >= 1);
        assert!(lanes.free() >= 4, "{}", lanes.free());
        assert!(lanes.take(20));
    }

    #[test]
    fn deliveries_for_a_quick_receiver_stand_in_line_and_begin_in_order() {
        let (lanes, publisher) = busy(2, QUICK);
        assert!(!lanes.take(1), "a claim takes no place");
        for delivery in 10..18 {
            assert!(publisher.take(1), "{delivery}");
            assert_eq!(lanes.begin(1, delivery, Instant::now()), None);
        }
        assert!(!publisher.take(1), "the line is full");
        for delivery in 10..18 {
            assert_eq!(lanes.end(1, false), Some(delivery));
        }
        assert_eq!(lanes.end(1, false), None);
        assert_eq!(lanes.end(1, false), None);
        assert!(lanes.is_unused());
    }

    #[test]
    fn nothing_stands_in_line_for_a_receiver_that_is_unknown_slow_or_failing() {
        let (lanes, publisher) = busy(2, Duration::ZERO);
        assert!(!publisher.take(1), "unknown");
        lanes.answered(1, Duration::from_millis(300), true);
        assert!(!publisher.take(1), "slow");
        let (lanes, publisher) = busy(2, QUICK);
        lanes.answered(1, QUICK, false);
        assert!(!publisher.take(1), "failing");
        // No more than leaves within the patience: two at once, each in 40 ms.
        let (_, publisher) = busy(2, Duration::from_millis(40));
        let places = (0..10).take_while(|_| publisher.take(1)).count();
        assert_eq!(places, 5);
    }

    #[test]
    fn a_slot_that_comes_back_before_its_place_is_begun_with_waits_for_it() {
        let (lanes, publisher) = busy(2, QUICK);
        assert!(publisher.take(1), "the publication is being stored");
        assert_eq!(lanes.end(1, false), None);
        assert!(!lanes.take(1), "its slot is kept");
        assert_eq!(lanes.begin(1, 7, Instant::now()), Some(7));
        assert!(publisher.take(1));
        lanes.give_back(1);
        assert_eq!(lanes.end(1, false), None, "what was not stored");
        assert_eq!(lanes.end(1, false), None);
        assert!(lanes.is_unused());
    }

    #[test]
    fn every_other_slot_is_left_to_the_queue_while_it_holds_any() {
        let (lanes, publisher) = busy(4, QUICK);
        for delivery in 10..14 {
            assert!(publisher.take(1));
            lanes.begin(1, delivery, Instant::now());
        }
        assert_eq!(lanes.end(1, true), None);
        assert!(publisher.take(1), "a place, behind the line");
        lanes.give_back(1);
        assert!(lanes.take(1), "for a claim");
        assert_eq!(lanes.begin(1, 99, Instant::now()), Some(99));
        assert_eq!(lanes.end(1, true), Some(10));
        assert_eq!(lanes.end(1, true), None);
        assert_eq!(lanes.end(1, true), Some(11));
    }

    #[test]
    fn a_webhook_with_a_single_slot_has_no_line() {
        let lanes = Arc::new(lanes(256, 1));
        let publisher = WithPlaces(lanes.clone());
        assert!(publisher.take(1));
        lanes.begin(1, 1, Instant::now());
        lanes.answered(1, QUICK, true);
        // The queue would never have a slot while publishers keep the line filled.
        assert!(!publisher.take(1));
    }

    #[test]
    fn a_quick_receiver_is_remembered_and_as_many_as_may_be() {
        let (lanes, publisher) = busy(2, QUICK);
        assert!(lanes.end(1, false).is_none() && lanes.end(1, false).is_none());
        assert!(publisher.take(1) && publisher.take(1) && publisher.take(1));
        for lane in 2..5_000 {
            assert!(lanes.take(lane));
            lanes.give_back(lane);
        }
        assert!(lanes.lock().lanes.len() <= REMEMBERED + 1);
    }

    #[test]
    fn what_stands_in_line_for_too_long_is_taken_out_and_no_more_comes_in() {
        let (lanes, publisher) = busy(2, QUICK);
        let began = Instant::now();
        for delivery in 10..13 {
            assert!(publisher.take(1));
            lanes.begin(1, delivery, began);
        }
        assert!(publisher.take(1), "one that is being stored");
        assert!(lanes.dissolve(began - QUICK).is_empty());
        assert_eq!(lanes.dissolve(began), [10, 11, 12]);
        lanes.answered(1, QUICK, true);
        assert!(!publisher.take(1), "it has to recover");
        assert!(lanes.take_slot_or_place(1, Instant::now() + RECOVERY));
        assert_eq!(lanes.begin(1, 20, began), None);
        assert_eq!(lanes.begin(1, 21, began), None);
        assert_eq!(lanes.end(1, false), Some(20));
    }

    /// Publishers, claims and attempts in random order: whatever is taken ends as an attempt that ran, was taken out, or came back.
    #[test]
    fn nothing_is_lost_and_no_limit_passed_in_any_order() {
        for seed in 1..=300_u64 {
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut below = |bound: usize| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                usize::try_from(random % 1_000_003).unwrap() % bound
            };
            let (limit, lane_limit) = (1 + below(40), 1 + below(4));
            let lanes = Arc::new(lanes(limit, lane_limit));
            let publisher = WithPlaces(lanes.clone());
            // By webhook: taken and not begun with, standing in line, running.
            let mut state = [[0_usize; 3]; 4];
            let began = Instant::now();
            for step in 0..600 {
                let lane = below(4);
                let number = i64::try_from(lane).unwrap();
                let [taken, standing, running] = &mut state[lane];
                match below(if step < 500 { 10 } else { 4 }) {
                    0 | 1 if *running > 0 => {
                        *running -= 1;
                        if lanes.end(number, below(2) == 0).is_some() {
                            *standing -= 1;
                            *running += 1;
                        }
                    }
                    2 | 3 if *taken > 0 => {
                        *taken -= 1;
                        match lanes.begin(number, 0, began) {
                            Some(_) => *running += 1,
                            None => *standing += 1,
                        }
                    }
                    4 if *taken > 0 => {
                        lanes.give_back(number);
                        *taken -= 1;
                    }
                    5 => lanes.answered(number, QUICK, below(9) > 0),
                    6 => *taken += usize::from(lanes.take(number)),
                    7 if below(50) == 0 => {
                        let out = lanes.dissolve(began).len();
                        let stood: usize = state.iter().map(|[_, standing, _]| standing).sum();
                        assert_eq!(out, stood, "{seed}");
                        for [_, standing, _] in &mut state {
                            *standing = 0;
                        }
                    }
                    8 | 9 => *taken += usize::from(publisher.take(number)),
                    _ => {}
                }
                let now = lanes.lock();
                let mut slots = 0;
                for ([taken, standing, running], number) in state.iter().zip(0..) {
                    let Some(lane) = now.lanes.get(&number) else {
                        assert_eq!(taken + standing + running, 0, "{seed}");
                        continue;
                    };
                    slots += lane.slots;
                    assert_eq!(lane.slots + lane.places, taken + standing + running);
                    assert_eq!((lane.line.len(), lane.running), (*standing, *running));
                    assert!(lane.slots <= lane_limit, "{seed}");
                    assert!(lane.places == 0 || lane.slots > 0, "{seed}");
                    assert!(lane.line.is_empty() || lane.running > 0, "{seed}");
                }
                assert!(slots == now.slots && slots <= limit, "{seed}");
            }
            for (lane, [taken, mut standing, mut running]) in (0..).zip(state) {
                for _ in 0..taken {
                    match lanes.begin(lane, 0, began) {
                        Some(_) => running += 1,
                        None => standing += 1,
                    }
                }
                while running > 0 {
                    running -= 1;
                    if lanes.end(lane, false).is_some() {
                        standing -= 1;
                        running += 1;
                    }
                }
                assert_eq!(standing, 0, "{seed}: they are never attempted");
            }
            assert!(lanes.is_unused(), "{seed}");
        }
    }
}
