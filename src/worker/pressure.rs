//! Backpressure: a publisher is answered no faster than deliveries leave.
//!
//! Deliveries that found no slot wait in the queue. While more of them wait than leave within the target delay, a publication whose own
//! deliveries are among them is answered later: when enough have left. So the wait at the receivers' side stays bounded, however fast
//! publishers are. Far beyond the target, publications are refused before anything is stored.
//!
//! Only deliveries that wait for this machine count. A webhook does not count while its receiver fails, takes longer than the target to
//! answer, or lets nothing leave at all: such a backlog is the receiver's, and nobody else is to wait for it. A publication that waits for
//! no such delivery is never held.
//!
//! Where other nodes share the database, they claim what this one stored, and store what waits for the same webhooks. So the count of
//! each webhook is corrected now and then by that of the database, while anything waits; what left through others counts as left.
//!
//! Not counted: deliveries that a process before this one stored, and retries.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use crate::storage::Waiting;

/// By how many times the target a publication is held at most, and how much may wait before publications are refused.
const BOUND: u32 = 10;

/// After how long a webhook is forgotten that still has deliveries waiting, none of which leaves.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How much of the estimates the latest value makes up.
const SMOOTHING: f64 = 0.3;

/// The time that rates are measured over.
const WINDOW: Duration = Duration::from_millis(50);

/// Which part of what waits for a webhook has to have left, by the count of the database, for one that stood still to count again.
const MOVES: usize = 10;

/// How many webhooks are corrected at once at most.
const CORRECTED: usize = 256;

/// Publications are refused for now: far more deliveries wait than leave within the target delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more deliveries wait than leave within ten times the target delay")]
pub(crate) struct Overloaded {
    /// After how many seconds what waits now has left.
    pub(crate) retry_after: u64,
}

/// Holds publications back while deliveries wait.
pub(crate) struct Pressure {
    /// How long a delivery should wait at most; zero holds nothing back.
    target: Duration,
    /// As many may always wait: they keep the attempts supplied.
    floor: usize,
    /// How many webhooks are known, so that nothing is locked while none has a delivery that waits.
    known: AtomicUsize,
    /// Something waits where nothing did.
    filled: Notify,
    state: Mutex<State>,
}

struct State {
    lanes: HashMap<i64, Lane>,
    /// How many deliveries wait for webhooks that count.
    waiting: usize,
    /// The publications that are held, the longest first.
    held: VecDeque<Held>,
    /// First attempts that began in this window.
    left: u32,
    window: Instant,
    /// First attempts a second.
    rate: f64,
    reviewed: Instant,
}

/// A webhook with deliveries that wait.
struct Lane {
    waiting: usize,
    /// How many of them were added since the last correction began, of which the database may not have known.
    added: usize,
    /// By how many the count may be too high since the last correction: they were added while the database counted.
    over: usize,
    counts: bool,
    failing: bool,
    /// Whether it was attempted here: otherwise the database tells how its receiver answers.
    heard: bool,
    /// How long its receiver takes, in seconds; zero before its first answer.
    answer: f64,
    /// When a delivery left.
    left: Instant,
}

struct Held {
    lanes: Vec<i64>,
    release: oneshot::Sender<()>,
}

impl Pressure {
    /// Holds publications back while more deliveries wait than leave within `target`, and more than `floor`.
    pub(crate) fn new(target: Duration, floor: usize, now: Instant) -> Self {
        Self {
            target,
            floor,
            known: AtomicUsize::new(0),
            filled: Notify::new(),
            state: Mutex::new(State {
                lanes: HashMap::new(),
                waiting: 0,
                held: VecDeque::new(),
                left: 0,
                window: now,
                rate: 0.0,
                reviewed: now,
            }),
        }
    }

    /// Whether a publication may be stored at all.
    ///
    /// # Errors
    /// [`Overloaded`] while more deliveries wait than leave within ten times the target.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Overloaded> {
        if self.is_idle() {
            return Ok(());
        }
        let mut state = self.state();
        self.review(&mut state, now);
        let bound = self.budget(&state).saturating_mul(BOUND as usize);
        if state.waiting <= bound {
            return Ok(());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "between 1 and 60"
        )]
        let retry_after = (state.waiting as f64 / state.rate.max(1.0)).clamp(1.0, 60.0) as u64;
        Err(Overloaded { retry_after })
    }

    /// Counts a delivery that waits for this webhook.
    pub(crate) fn waits(&self, lane: i64, now: Instant) {
        if self.target.is_zero() {
            return;
        }
        let mut state = self.state();
        let lane = state.lanes.entry(lane).or_insert(Lane {
            waiting: 0,
            added: 0,
            over: 0,
            counts: true,
            failing: false,
            heard: false,
            answer: 0.0,
            left: now,
        });
        lane.waiting += 1;
        lane.added += 1;
        state.waiting += usize::from(lane.counts);
        if self.known.swap(state.lanes.len(), Ordering::Relaxed) == 0 {
            self.filled.notify_one();
        }
    }

    /// Takes [`Self::waits`] back: the delivery was not stored after all.
    pub(crate) fn waits_not(&self, lane: i64) {
        if !self.is_idle() {
            self.leaves(&mut self.state(), lane, None);
        }
    }

    /// Gives what the publisher has to wait for, for [`Self::longest_hold`] at most, before it is answered: its deliveries for these
    /// webhooks wait.
    pub(crate) fn hold(&self, lanes: Vec<i64>, now: Instant) -> Option<oneshot::Receiver<()>> {
        if lanes.is_empty() || self.is_idle() {
            return None;
        }
        let mut state = self.state();
        self.review(&mut state, now);
        let counts = |lane: &i64| state.lanes.get(lane).is_some_and(|lane| lane.counts);
        if state.waiting <= self.budget(&state) || !lanes.iter().any(counts) {
            return None;
        }
        let (release, released) = oneshot::channel();
        state.held.push_back(Held { lanes, release });
        Some(released)
    }

    /// Notes that first attempts begin: `claimed` names the webhooks of those that waited, each as often as it has one among them, and
    /// `straight` counts the others.
    pub(crate) fn began(&self, claimed: impl Iterator<Item = i64>, straight: usize, now: Instant) {
        if self.target.is_zero() {
            return;
        }
        let mut state = self.state();
        let mut left = straight;
        for number in claimed {
            left += 1;
            self.leaves(&mut state, number, Some(now));
        }
        measure(&mut state, left, now);
        self.release(&mut state);
    }

    /// Returns when something waits.
    pub(crate) async fn filled(&self) {
        while self.is_idle() {
            self.filled.notified().await;
        }
    }

    /// The webhooks with deliveries that wait, for [`Self::correct`]: where there are very many, those with the most.
    pub(crate) fn begin_correction(&self) -> Vec<i64> {
        let mut state = self.state();
        for lane in state.lanes.values_mut() {
            lane.added = 0;
        }
        let mut lanes: Vec<(usize, i64)> = state
            .lanes
            .iter()
            .map(|(number, lane)| (lane.waiting, *number))
            .collect();
        lanes.sort_unstable_by(|one, other| other.cmp(one));
        lanes.truncate(CORRECTED);
        lanes.into_iter().map(|(_, number)| number).collect()
    }

    /// Takes over how many deliveries wait for these webhooks, counted after [`Self::begin_correction`]: others store and claim too.
    pub(crate) fn correct(&self, found: &[Waiting], now: Instant) {
        let mut state = self.state();
        let mut left = 0;
        for found in found {
            let State { lanes, waiting, .. } = &mut *state;
            let Some(lane) = lanes.get_mut(&found.lane) else {
                continue;
            };
            if let Some((took, accepts)) = found.answered.filter(|_| !lane.heard) {
                lane.answer = took.as_secs_f64();
                lane.failing = !accepts;
            }
            let count = found.count + lane.added;
            // Those that were counted twice have not left.
            let sure = lane.waiting.saturating_sub(lane.over);
            if count < sure {
                left += sure - count;
                // The counts differ by what is committed just then. A few less do not show that a receiver that hung answers again: all
                // that waits for it would count at once, and publications would be refused.
                if lane.counts || sure - count >= sure / MOVES {
                    lane.left = now;
                }
            }
            lane.over = lane.added;
            if lane.counts {
                *waiting = *waiting - lane.waiting + count;
            }
            lane.waiting = count;
            if count == 0 {
                lanes.remove(&found.lane);
            }
        }
        self.known.store(state.lanes.len(), Ordering::Relaxed);
        measure(&mut state, left, now);
        self.review(&mut state, now);
        self.release(&mut state);
    }

    /// Notes how long a receiver took, and whether it accepted the delivery.
    pub(crate) fn answered(&self, lane: i64, took: Duration, accepted: bool) {
        if self.is_idle() {
            return;
        }
        let mut state = self.state();
        if let Some(lane) = state.lanes.get_mut(&lane) {
            lane.heard = true;
            lane.failing = !accepted;
            let took = took.as_secs_f64();
            if lane.answer > 0.0 {
                lane.answer += (took - lane.answer) * SMOOTHING;
            } else {
                lane.answer = took;
            }
        }
    }

    /// Looks again at what counts: a receiver that hangs lets nothing leave, so nothing else would be noticed of it.
    pub(crate) fn look(&self, now: Instant) {
        if self.is_idle() {
            return;
        }
        let mut state = self.state();
        self.review(&mut state, now);
        self.release(&mut state);
    }

    /// How long a publication is held at most.
    pub(crate) fn longest_hold(&self) -> Duration {
        self.target * BOUND
    }

    /// How often [`Self::look`] is worth its cost while a publication is held.
    pub(crate) fn pause(&self) -> Duration {
        self.target / 2
    }

    fn is_idle(&self) -> bool {
        self.known.load(Ordering::Relaxed) == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many deliveries may wait.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of deliveries, and not negative"
    )]
    fn budget(&self, state: &State) -> usize {
        ((state.rate * self.target.as_secs_f64()) as usize).max(self.floor)
    }

    fn leaves(&self, state: &mut State, number: i64, left: Option<Instant>) {
        // One that is not known was stored by a process before this one.
        let Some(lane) = state.lanes.get_mut(&number) else {
            return;
        };
        lane.left = left.unwrap_or(lane.left);
        lane.waiting -= 1;
        state.waiting -= usize::from(lane.counts);
        if lane.waiting == 0 {
            state.lanes.remove(&number);
            self.known.store(state.lanes.len(), Ordering::Relaxed);
        }
    }

    /// Decides anew which webhooks count, now and then.
    fn review(&self, state: &mut State, now: Instant) {
        if now.saturating_duration_since(state.reviewed) < self.target / 4 {
            return;
        }
        state.reviewed = now;
        let mut waiting = 0;
        let mut fewer = false;
        state.lanes.retain(|_, lane| {
            let stalled = now.saturating_duration_since(lane.left);
            let quick = lane.answer <= self.target.as_secs_f64() && stalled <= self.target * 2;
            let counts = quick && !lane.failing;
            fewer |= lane.counts && !counts;
            lane.counts = counts;
            waiting += if counts { lane.waiting } else { 0 };
            stalled < FORGOTTEN
        });
        state.waiting = waiting;
        self.known.store(state.lanes.len(), Ordering::Relaxed);
        if fewer {
            let lanes = &state.lanes;
            let counts = |lane: &i64| lanes.get(lane).is_some_and(|lane| lane.counts);
            // Dropping its sender releases a publication.
            state.held.retain(|held| held.lanes.iter().any(counts));
        }
    }

    /// Releases the publications that have waited longest, as many as keep the queue supplied.
    fn release(&self, state: &mut State) {
        let mut room = self.budget(state).saturating_sub(state.waiting);
        while room > 0 {
            let Some(held) = state.held.pop_front() else {
                return;
            };
            // One that was given up needs no answer, and takes no room.
            if held.release.send(()).is_ok() {
                room = room.saturating_sub(held.lanes.len());
            }
        }
    }
}

/// Counts what left, and estimates the rate anew.
fn measure(state: &mut State, left: usize, now: Instant) {
    state.left = state
        .left
        .saturating_add(u32::try_from(left).unwrap_or(u32::MAX));
    let elapsed = now.saturating_duration_since(state.window);
    if elapsed >= WINDOW {
        let rate = f64::from(state.left) / elapsed.as_secs_f64();
        state.rate += (rate - state.rate) * SMOOTHING;
        state.left = 0;
        state.window = now;
    }
}

#[cfg(test)]
mod tests;
