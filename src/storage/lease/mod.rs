//! The lease of a delivery as a state machine: what the store promises of claims, results, crashes and time, without a database.
//!
//! `explorer` goes through every state that a delivery and the attempts at it can come to, and holds them to the promises; `schedules`
//! holds the real store to this machine, under seeded random schedules.

mod explorer;
mod schedules;

/// How long a claim holds, in ticks.
const LEASE: i64 = 3;

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Pending,
    Delivered,
    Exhausted,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Then {
    Delivered,
    Exhausted,
    RetryAt(i64),
}

/// What a retry by hand comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByHand {
    Due,
    UnderWay,
}

/// A delivery, as far as its lease is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Delivery {
    state: State,
    /// How many attempts were claimed.
    attempts: u32,
    /// Whether an attempt was claimed and has no result yet.
    claimed: bool,
    /// When it is due, or when the lease of its attempt ends.
    due: i64,
    /// The attempts whose results are recorded, a bit each.
    recorded: u64,
}

/// The checks by which a result is recorded. Without one of them the promises do not hold, which shows that the explorer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Checks {
    /// The attempt must be the last that was claimed.
    number: bool,
    /// It must have no result yet.
    claimed: bool,
}

const ALL: Checks = Checks {
    number: true,
    claimed: true,
};

impl Delivery {
    /// A delivery that waits to be claimed.
    fn waiting(now: i64) -> Self {
        Self {
            state: State::Pending,
            attempts: 0,
            claimed: false,
            due: now,
            recorded: 0,
        }
    }

    /// A delivery whose first attempt is claimed by the publisher.
    fn under_way(now: i64) -> Self {
        Self {
            attempts: 1,
            claimed: true,
            due: now + LEASE,
            ..Self::waiting(now)
        }
    }

    fn is_claimable(&self, now: i64) -> bool {
        self.state == State::Pending && self.due <= now
    }

    /// Claims the next attempt; gives its number.
    fn claim(&mut self, now: i64) -> u32 {
        self.attempts += 1;
        self.claimed = true;
        self.due = now + LEASE;
        self.attempts
    }

    /// Whether the lease is that of this attempt.
    fn is_held_by(&self, attempt: u32, checks: Checks) -> bool {
        self.state == State::Pending
            && (self.attempts == attempt || !checks.number)
            && (self.claimed || !checks.claimed)
    }

    /// Records the result of an attempt; says whether it was in time.
    fn record(&mut self, attempt: u32, then: Then, checks: Checks) -> bool {
        if !self.is_held_by(attempt, checks) {
            return false;
        }
        self.recorded |= 1 << attempt;
        self.claimed = false;
        match then {
            Then::Delivered => self.state = State::Delivered,
            Then::Exhausted => self.state = State::Exhausted,
            Then::RetryAt(at) => self.due = at,
        }
        true
    }

    /// Ends the lease of an attempt that its process will not end.
    fn release(&mut self, attempt: u32, now: i64) {
        if self.is_held_by(attempt, ALL) {
            self.due = now;
        }
    }

    /// Takes back the claim of an attempt that was not made.
    fn postpone(&mut self, attempt: u32, due: i64) {
        if self.is_held_by(attempt, ALL) {
            self.attempts -= 1;
            self.claimed = false;
            self.due = due;
        }
    }

    /// Makes it due by hand, whatever its state.
    fn retry(&mut self, now: i64) -> ByHand {
        if self.state == State::Pending && self.claimed && self.due > now {
            return ByHand::UnderWay;
        }
        self.state = State::Pending;
        self.due = now;
        ByHand::Due
    }
}
