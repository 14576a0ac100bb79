//! The only reader of the clock. Everything else takes the time as an argument.
//!
//! There are two times. [`Clock::now`] is the time of day: it is signed, shown and written down, and follows the machine's clock when that
//! is corrected. [`Clock::steady`] is for whatever waits: due times, leases, retention. It runs on evenly when the time of day jumps, so a
//! correction neither stalls what waits nor makes all of it due at once, and it is saved in the database, so that it goes on after a
//! restart.
//!
//! In sandbox mode both may run faster than real time, so that an integrator sees two weeks of retries in minutes.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// By how many microseconds a shared clock may be off: less is noise of the measurement, and does no harm to a lease.
const NOISE: i64 = 1_000_000;

/// How long this machine may take for a step, in reality, without its being late by a clock that runs fast.
const OWN_DELAY: Duration = Duration::from_secs(1);

/// How far behind a schedule such steps may bring this machine altogether, in reality.
const OWN_BACKLOG: Duration = Duration::from_secs(30);

/// Tells the time of day and the steady time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    source: Source,
    speed: f64,
    /// The reading of the source when the clock was started.
    began: Reading,
    /// The steady time at that moment.
    steady: Timestamp,
    /// By how many microseconds it was set right since, by a clock that several processes share. Clocks are copied, so it is never freed.
    shift: &'static AtomicI64,
}

/// One moment in both times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time of day.
    pub now: Timestamp,
    /// The steady time.
    pub steady: Timestamp,
}

/// How the steady time stood at some moment: what a later process needs to go on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedTime {
    /// The steady time.
    pub steady: Timestamp,
    /// The reading of the machine's clock.
    pub real: Timestamp,
}

impl SavedTime {
    /// How far the steady time was ahead of the machine's clock, in whole seconds.
    pub fn lead(self) -> SignedDuration {
        whole_seconds(self.steady.duration_since(self.real))
    }
}

/// A reading of the machine's clocks.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// The time of day.
    wall: Timestamp,
    /// The time since some moment in the past, which no correction changes. It stands still while the machine is suspended.
    elapsed: Duration,
}

/// Where readings come from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The machine. Time is counted from this moment.
    Machine(Instant),
    /// A test.
    #[cfg(test)]
    Test(&'static tests::Machine),
}

impl Source {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    fn read(self) -> Reading {
        match self {
            Self::Machine(since) => Reading {
                wall: Timestamp::now(),
                elapsed: since.elapsed(),
            },
            #[cfg(test)]
            Self::Test(machine) => machine.read(),
        }
    }
}

impl Clock {
    /// A clock that shows the real time.
    pub fn real() -> Self {
        Self::resume(1.0, None)
    }

    /// A clock that shows the real time now and runs `speed` times as fast. Its steady time goes on from what an earlier process saved,
    /// and otherwise begins at the real time.
    pub fn resume(speed: f64, saved: Option<SavedTime>) -> Self {
        Self::with_source(Source::Machine(Instant::now()), speed, saved)
    }

    fn with_source(source: Source, speed: f64, saved: Option<SavedTime>) -> Self {
        let began = source.read();
        // Between the processes time went on as the machine's clock says. Where that was set back meanwhile, none has passed.
        let steady = saved.map_or(began.wall, |saved| {
            let down = began.wall.duration_since(saved.real);
            later(saved.steady, down.max(SignedDuration::ZERO))
        });
        Self {
            source,
            speed,
            began,
            steady: to_microseconds(steady),
            shift: Box::leak(Box::default()),
        }
    }

    /// Sets the steady time to that of a clock which all processes with one database share, so that their leases are of one time, where it
    /// is off by a second or more. A clock that runs faster has a time of its own.
    pub fn follow(&self, shared: Timestamp) {
        if self.is_real() && matches!(self.source, Source::Machine(_)) {
            let ahead = shared.as_microsecond() - self.steady().as_microsecond();
            if ahead.abs() >= NOISE {
                self.shift.fetch_add(ahead, Ordering::Relaxed);
            }
        }
    }

    /// The time of day, to the microsecond: the precision that storage keeps.
    pub fn now(&self) -> Timestamp {
        self.moment().now
    }

    /// The steady time, to the microsecond.
    pub fn steady(&self) -> Timestamp {
        self.moment().steady
    }

    /// Both times at this moment.
    pub fn moment(&self) -> Moment {
        let reading = self.source.read();
        let passed = self.span(reading.elapsed.saturating_sub(self.began.elapsed));
        let now = if self.is_real() {
            reading.wall
        } else {
            later(self.began.wall, passed)
        };
        Moment {
            now: to_microseconds(now),
            steady: to_microseconds(later(
                self.steady,
                passed.saturating_add(SignedDuration::from_micros(
                    self.shift.load(Ordering::Relaxed),
                )),
            )),
        }
    }

    /// How much time passes on this clock while `real` passes in reality.
    pub fn span(&self, real: Duration) -> SignedDuration {
        if self.is_real() {
            // Exact: a product of floating point numbers is not.
            return SignedDuration::try_from(real).unwrap_or(SignedDuration::MAX);
        }
        SignedDuration::try_from_secs_f64(real.as_secs_f64() * self.speed)
            .unwrap_or(SignedDuration::MAX)
    }

    /// How long it really takes until the steady time is `at`; nothing when it has passed.
    pub fn until(&self, at: Timestamp) -> Duration {
        let left = at.duration_since(self.steady()).as_secs_f64() / self.speed;
        Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX)
    }

    /// The steady time from which a schedule goes on, after a step that was due at `due_at`, could begin at `ready_at` and is done at
    /// `steady`. On a clock that runs fast, what this machine takes for the step is not made longer: 20 ms are hours at the highest speeds,
    /// in which retries would be missed that no machine could have made. A delay of more than a second is not the machine's, and counts in
    /// full. Where the step before ended later than this one was due, that is when this one could begin: a machine that needs longer for
    /// its steps than there is time between them falls behind, and misses none.
    pub fn without_own_delay(
        &self,
        due_at: Timestamp,
        ready_at: Timestamp,
        steady: Timestamp,
    ) -> Timestamp {
        let took = steady.duration_since(ready_at.max(due_at)).as_secs_f64() / self.speed;
        if self.speed <= 1.0 || !(0.0..=OWN_DELAY.as_secs_f64()).contains(&took) {
            return steady;
        }
        to_microseconds(later(due_at, SignedDuration::from_secs_f64(took)))
    }

    /// How much later than it should be a step may begin on a clock that runs fast, for the sake of this machine.
    pub fn own_delay(&self) -> SignedDuration {
        if self.speed > 1.0 {
            self.span(OWN_BACKLOG)
        } else {
            SignedDuration::ZERO
        }
    }

    /// The time of day when the steady time is `at`, as far as is known now.
    pub fn time_of_day(&self, at: Timestamp) -> Timestamp {
        later(at, -self.steady_lead())
    }

    /// How far the steady time is ahead of the time of day, in whole seconds: what it is ahead by less is noise of the measurement.
    pub fn steady_lead(&self) -> SignedDuration {
        let Moment { now, steady } = self.moment();
        whole_seconds(steady.duration_since(now))
    }

    /// Returns the state from which a later process continues the steady time, if this one lives on for `ahead` and then ends without
    /// saving it again.
    pub fn saved(&self, ahead: Duration) -> SavedTime {
        // At the speed of real time nothing is lost however this process ends: the machine's clock tells how long ago it was.
        let ahead = if self.is_real() {
            SignedDuration::ZERO
        } else {
            self.span(ahead)
        };
        let real = to_microseconds(self.source.read().wall);
        SavedTime {
            steady: later(self.steady(), ahead),
            real,
        }
    }

    #[expect(clippy::float_cmp, reason = "exactly the default is meant")]
    /// Whether it runs at the speed of real time.
    pub fn is_real(&self) -> bool {
        self.speed == 1.0
    }
}

/// A duration in milliseconds, as it is shown and logged: to the microsecond, and without the noise of floating point numbers.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(microseconds) / 1e3
}

fn whole_seconds(time: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs_f64(time.as_secs_f64().round())
}

/// At the end of time on a clock that runs that fast.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    at.checked_add(by).unwrap_or(end)
}

fn to_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A machine whose clocks a test sets.
    #[derive(Debug)]
    pub(crate) struct Machine(Mutex<Reading>);

    impl Machine {
        /// A machine at this time of day. It is never freed, since clocks are copied.
        pub(crate) fn at(wall: Timestamp) -> &'static Self {
            let elapsed = Duration::from_secs(1_000);
            Box::leak(Box::new(Self(Mutex::new(Reading { wall, elapsed }))))
        }

        pub(super) fn read(&self) -> Reading {
            *self.0.lock().unwrap()
        }

        /// Time passes.
        pub(crate) fn pass(&self, time: Duration) {
            let mut reading = self.0.lock().unwrap();
            reading.elapsed += time;
            reading.wall += time;
        }

        /// The time of day is corrected.
        pub(crate) fn correct(&self, by: SignedDuration) {
            self.0.lock().unwrap().wall += by;
        }

        /// A clock that reads this machine.
        pub(crate) fn clock(&'static self, speed: f64, saved: Option<SavedTime>) -> Clock {
            Clock::with_source(Source::Test(self), speed, saved)
        }
    }

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn noon() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_clock_follows_one_that_is_shared_and_so_do_its_copies() {
        let clock = Clock::real();
        let copy = clock;
        for hours in [-5, 9] {
            let shared = clock.now() + SignedDuration::from_hours(hours);
            clock.follow(shared);
            let off = copy.steady().duration_since(shared);
            assert!(off.abs() < SignedDuration::from_mins(30), "{off}");
            // The time of day is the machine's.
            assert!(copy.now().duration_since(shared).abs() > SignedDuration::from_hours(4));
        }
        let fast = Clock::resume(2.0, None);
        let before = fast.steady();
        fast.follow(before + DAY);
        assert!(fast.steady() < before + DAY);
    }

    #[test]
    fn time_goes_forward_and_has_no_nanoseconds() {
        let clock = Clock::real();
        let (first, second) = (clock.steady(), clock.steady());
        assert!(first <= second);
        assert_eq!(first.subsec_nanosecond() % 1_000, 0);
        assert_eq!(clock.now().subsec_nanosecond() % 1_000, 0);
    }

    #[test]
    fn a_fast_clock_runs_ahead_of_a_real_one_and_never_overflows() {
        let machine = Machine::at(noon());
        let (real, fast) = (machine.clock(1.0, None), machine.clock(3_600.0, None));
        machine.pass(Duration::from_secs(1));
        assert_eq!(real.now(), noon() + Duration::from_secs(1));
        assert_eq!(fast.now(), noon() + HOUR);
        assert_eq!(fast.steady(), fast.now());
        let fastest = machine.clock(f64::MAX, None);
        machine.pass(HOUR);
        assert_eq!(fastest.now(), to_microseconds(Timestamp::MAX));
    }

    #[test]
    fn the_time_of_day_follows_a_correction_and_the_steady_time_does_not() {
        for by in [DAY, -DAY, DAY * 10_000, -DAY * 10_000] {
            let machine = Machine::at(noon());
            let clock = machine.clock(1.0, None);
            let due = clock.steady() + HOUR;
            machine.pass(HOUR / 2);
            machine.correct(by);
            assert_eq!(clock.now(), noon() + HOUR / 2 + by);
            assert_eq!(clock.until(due), HOUR / 2);
            assert_eq!(clock.time_of_day(due), noon() + HOUR + by);
            machine.pass(HOUR / 2);
            assert_eq!(clock.steady(), due);
            assert_eq!(clock.until(due), Duration::ZERO);
        }
    }

    #[test]
    fn a_fast_clock_takes_no_notice_of_a_correction() {
        let machine = Machine::at(noon());
        let clock = machine.clock(60.0, None);
        machine.correct(DAY);
        machine.pass(Duration::from_mins(1));
        assert_eq!(clock.now(), noon() + HOUR);
        assert_eq!(clock.steady(), noon() + HOUR);
    }

    #[test]
    fn what_waits_goes_on_waiting_as_long_after_a_restart_at_any_speed() {
        for (before, after) in [(3_600.0, 1.0), (1.0, 3_600.0), (3_600.0, 60.0), (0.5, 1.0)] {
            let machine = Machine::at(noon());
            let clock = machine.clock(before, None);
            machine.pass(HOUR);
            let due = clock.steady() + HOUR;
            let saved = clock.saved(Duration::ZERO);
            let clock = machine.clock(after, Some(saved));
            let wait = HOUR.div_f64(after);
            assert!(
                clock.until(due).abs_diff(wait) < Duration::from_millis(1),
                "{before} {after}"
            );
            // The time of day is right again.
            assert_eq!(clock.now(), noon() + HOUR);
            assert_eq!(clock.time_of_day(due), noon() + HOUR * 2);
        }
    }

    #[test]
    fn a_correction_before_a_restart_is_remembered_and_one_meanwhile_never_turns_time_back() {
        for by in [DAY, -DAY] {
            let machine = Machine::at(noon());
            let clock = machine.clock(1.0, None);
            machine.correct(by);
            let due = clock.steady() + HOUR;
            let saved = clock.saved(Duration::from_secs(1));
            machine.pass(HOUR / 4);
            assert_eq!(machine.clock(1.0, Some(saved)).until(due), HOUR * 3 / 4);
            machine.correct(-DAY * 9);
            assert_eq!(machine.clock(1.0, Some(saved)).until(due), HOUR);
        }
    }

    #[test]
    fn what_a_fast_clock_saves_covers_the_time_until_it_saves_again() {
        let machine = Machine::at(noon());
        let clock = machine.clock(3_600.0, None);
        let saved = clock.saved(Duration::from_secs(1));
        machine.pass(Duration::from_secs(1));
        assert!(machine.clock(1.0, Some(saved)).steady() >= clock.steady());
    }

    #[test]
    fn what_the_machine_takes_is_not_made_longer_by_a_fast_clock() {
        let late = |speed: f64, real: Duration| {
            let machine = Machine::at(noon());
            let clock = machine.clock(speed, None);
            machine.pass(real);
            clock
                .without_own_delay(noon(), noon(), clock.steady())
                .duration_since(noon())
        };
        let (short, long) = (Duration::from_millis(20), Duration::from_secs(2));
        assert_eq!(late(1.0, short), SignedDuration::from_millis(20));
        assert_eq!(late(1.0, long), SignedDuration::from_secs(2));
        assert_eq!(late(20_000.0, short), SignedDuration::from_millis(20));
        assert_eq!(late(20_000.0, long), SignedDuration::from_secs(40_000));
        assert_eq!(late(0.5, long), SignedDuration::from_secs(1));
        let clock = Machine::at(noon()).clock(60.0, None);
        assert_eq!(clock.own_delay(), SignedDuration::from_mins(30));
        // A step that is not due yet is not late.
        let early = clock.without_own_delay(noon() + HOUR, noon(), noon());
        assert_eq!(early, noon());
        // A step that had to wait for the one before is as late as that, and no later.
        let behind = clock.without_own_delay(noon(), noon() + HOUR, noon() + HOUR);
        assert_eq!(behind, noon());
        assert_eq!(Clock::real().own_delay(), SignedDuration::ZERO);
    }

    #[test]
    fn a_due_time_is_shown_the_same_each_time() {
        let clock = Clock::real();
        let due = clock.steady() + HOUR;
        assert!((0..1_000).all(|_| clock.time_of_day(due) == due));
    }
}
