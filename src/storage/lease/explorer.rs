//! Every state that a delivery and the attempts at it can come to, breadth first.
//!
//! Three processes attempt one delivery. Each may crash, stand still for as long as it likes, lose the answer to what it has recorded,
//! give its claim back or take it back. Assumed of the worker: an attempt begins within its lease (`worker/attempt.rs`), and is over
//! before the lease ends, since its deadline is shorter.

use std::collections::{HashMap, VecDeque};

use super::{ALL, Checks, Delivery, LEASE, State, Then};

const PROCESSES: usize = 3;

/// Attempts and ticks beyond these are not followed: more of either repeat what fewer do.
const ATTEMPTS: u32 = 4;
const TICKS: i64 = 3 * LEASE + 2;

/// The pause before a retry, in ticks.
const PAUSE: i64 = 1;

/// An attempt of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Hand {
    Empty,
    /// Claimed, and not yet sent.
    Claimed {
        attempt: u32,
        lease_end: i64,
    },
    /// The receiver has answered.
    Answered {
        attempt: u32,
        accepted: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    now: i64,
    delivery: Delivery,
    /// In order: which process has which attempt makes no difference.
    hands: [Hand; PROCESSES],
    /// How many requests the receiver has accepted.
    accepted: u32,
    /// Whether an attempt was sent after a result with a 2xx was recorded.
    sent_again: bool,
    /// Whether a second result of one attempt was recorded.
    recorded_twice: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Tick,
    Claim(usize),
    Send(usize, bool),
    Record(usize),
    /// The result is recorded, and the process does not hear of it.
    RecordUnheard(usize),
    Release(usize),
    Postpone(usize),
    Crash(usize),
}

impl World {
    fn begin(delivery: Delivery, hand: Hand) -> Self {
        let mut hands = [Hand::Empty; PROCESSES];
        hands[PROCESSES - 1] = hand;
        Self {
            now: 0,
            delivery,
            hands,
            accepted: 0,
            sent_again: false,
            recorded_twice: false,
        }
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.now < TICKS {
            steps.push(Step::Tick);
        }
        let claimable = self.delivery.is_claimable(self.now) && self.delivery.attempts < ATTEMPTS;
        for (process, hand) in self.hands.iter().enumerate() {
            match hand {
                Hand::Empty if claimable => steps.push(Step::Claim(process)),
                Hand::Empty => {}
                Hand::Claimed { lease_end, .. } => {
                    if self.now < *lease_end {
                        steps.extend([Step::Send(process, true), Step::Send(process, false)]);
                    }
                    steps.extend([
                        Step::Release(process),
                        Step::Postpone(process),
                        Step::Crash(process),
                    ]);
                }
                Hand::Answered { .. } => steps.extend([
                    Step::Record(process),
                    Step::RecordUnheard(process),
                    Step::Crash(process),
                ]),
            }
        }
        steps
    }

    fn after(&self, step: Step, checks: Checks) -> Self {
        let mut world = self.clone();
        match step {
            Step::Tick => world.now += 1,
            Step::Claim(process) => {
                let attempt = world.delivery.claim(world.now);
                let lease_end = world.now + LEASE;
                world.hands[process] = Hand::Claimed { attempt, lease_end };
            }
            Step::Send(process, accepted) => {
                if let Hand::Claimed { attempt, .. } = world.hands[process] {
                    world.sent_again |= world.delivery.state == State::Delivered;
                    world.accepted += u32::from(accepted);
                    world.hands[process] = Hand::Answered { attempt, accepted };
                }
            }
            Step::Record(process) => {
                world.record(process, checks);
                world.hands[process] = Hand::Empty;
            }
            Step::RecordUnheard(process) => world.record(process, checks),
            Step::Release(process) => {
                if let Hand::Claimed { attempt, .. } = world.hands[process] {
                    world.delivery.release(attempt, world.now);
                }
                world.hands[process] = Hand::Empty;
            }
            Step::Postpone(process) => {
                if let Hand::Claimed { attempt, .. } = world.hands[process] {
                    world.delivery.postpone(attempt, world.now + PAUSE);
                }
                world.hands[process] = Hand::Empty;
            }
            Step::Crash(process) => world.hands[process] = Hand::Empty,
        }
        world.hands.sort_unstable();
        world
    }

    fn record(&mut self, process: usize, checks: Checks) {
        let Hand::Answered { attempt, accepted } = self.hands[process] else {
            return;
        };
        let before = self.delivery.recorded & (1 << attempt) != 0;
        let then = if accepted {
            Then::Delivered
        } else {
            Then::RetryAt(self.now + PAUSE)
        };
        let recorded = self.delivery.record(attempt, then, checks);
        self.recorded_twice |= recorded && before;
    }

    /// The promise that does not hold, if there is one.
    fn broken(&self) -> Option<&'static str> {
        let recorded = self.delivery.recorded.count_ones();
        if self.sent_again {
            return Some("sent again after a recorded 2xx");
        }
        if self.recorded_twice {
            return Some("two recorded results of one attempt");
        }
        if self.delivery.state == State::Delivered && self.accepted == 0 {
            return Some("delivered, and accepted by nobody");
        }
        // A duplicate follows an attempt without a record.
        if self.accepted
            > u32::from(self.delivery.state == State::Delivered)
                + (self.delivery.attempts - recorded.min(self.delivery.attempts))
        {
            return Some("more duplicates than attempts without a record");
        }
        None
    }

    /// Whether it is delivered where nothing goes wrong any more: at least once.
    fn ends_delivered(mut self) -> bool {
        self.hands = [Hand::Empty; PROCESSES];
        while self.delivery.state == State::Pending {
            if self.delivery.is_claimable(self.now) {
                // The one that is not empty is the last.
                let last = PROCESSES - 1;
                for step in [Step::Claim(0), Step::Send(last, true), Step::Record(last)] {
                    self = self.after(step, ALL);
                }
            } else if self.delivery.due > self.now + LEASE {
                return false;
            } else {
                self = self.after(Step::Tick, ALL);
            }
        }
        self.delivery.state == State::Delivered && self.accepted > 0
    }
}

/// How many states there are; or the steps that lead to one in which a promise does not hold.
fn explore(checks: Checks) -> Result<usize, (&'static str, Vec<Step>)> {
    let under_way = Hand::Claimed {
        attempt: 1,
        lease_end: LEASE,
    };
    let begin = [
        World::begin(Delivery::waiting(0), Hand::Empty),
        World::begin(Delivery::under_way(0), under_way),
    ];
    let mut from: HashMap<World, Option<(World, Step)>> = HashMap::new();
    let mut queue = VecDeque::new();
    for world in begin {
        from.insert(world.clone(), None);
        queue.push_back(world);
    }
    while let Some(world) = queue.pop_front() {
        let broken = world.broken().or_else(|| {
            let ends = world.clone().ends_delivered();
            (!ends).then_some("never delivered")
        });
        if let Some(promise) = broken {
            let mut steps = Vec::new();
            let mut place = world;
            while let Some(Some((before, step))) = from.get(&place) {
                steps.push(*step);
                place = before.clone();
            }
            steps.reverse();
            return Err((promise, steps));
        }
        for step in world.steps() {
            let next = world.after(step, checks);
            if !from.contains_key(&next) {
                from.insert(next.clone(), Some((world.clone(), step)));
                queue.push_back(next);
            }
        }
    }
    Ok(from.len())
}

#[test]
fn in_every_state_a_delivery_ends_delivered_and_never_again_after_a_recorded_2xx() {
    let states = explore(ALL).unwrap_or_else(|(promise, steps)| panic!("{promise}: {steps:#?}"));
    assert!(
        states > 10_000,
        "{states} states are too few to mean anything"
    );
}

#[test]
fn without_its_checks_a_result_would_be_recorded_that_must_not_be() {
    for checks in [
        Checks {
            number: false,
            ..ALL
        },
        Checks {
            claimed: false,
            ..ALL
        },
    ] {
        let (promise, steps) = explore(checks).expect_err("the explorer finds it");
        assert!(
            !promise.is_empty() && steps.len() > 2,
            "{promise}: {steps:?}"
        );
    }
}
