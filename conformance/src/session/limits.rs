//! Load manners: how many requests at once, how many a second, when to wait for a server that says so, and when to stop.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::exchange::Exchange;

/// How often a request is repeated that was answered with 429.
const REPEATS: u32 = 3;
/// The longest wait that a server may ask for; an answer that asks for more stands as it is.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// After this many requests that were refused with 429 to the end, none is repeated any more: the server refuses all.
const HOPELESS: u32 = 3;
/// How long a request that is under way may still take when the run is stopped.
const GRACE: Duration = Duration::from_secs(2);

/// Ends a run early from outside, for example on Ctrl-C.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(AtomicBool, Notify)>);

impl Stop {
    /// Asks all units to end, and abandons requests that take longer than 2 s more.
    pub fn stop(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Whether the run was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until the run was stopped.
    pub async fn stopped(&self) {
        let stopped = self.0.1.notified();
        if !self.is_stopped() {
            stopped.await;
        }
    }

    /// Waits until the run was stopped and its requests had time to end.
    pub(super) async fn abandoned(&self) {
        let stopped = self.0.1.notified();
        if !self.is_stopped() {
            stopped.await;
        }
        sleep_until(Instant::now() + GRACE).await;
    }
}

/// An even pace of requests.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Cell<Option<Instant>>,
}

impl Pace {
    fn new(rate: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / rate),
            next: Cell::new(None),
        }
    }

    /// Takes the next turn.
    fn turn(&self, now: Instant) -> Instant {
        let turn = self.next.get().map_or(now, |next| next.max(now));
        self.next.set(Some(turn + self.interval));
        turn
    }
}

#[derive(Debug)]
pub(super) struct Limits {
    workers: Semaphore,
    pace: Option<Pace>,
    /// By the index of the operation.
    paces: HashMap<usize, Pace>,
    /// Nothing is sent before, as the server asked for.
    paused: Cell<Option<Instant>>,
    refused: Cell<u32>,
    deadline: Option<Instant>,
    /// The operations that were not finished.
    unfinished: RefCell<Vec<usize>>,
}

impl Limits {
    /// `rates` are requests a second by the index of the operation.
    pub(super) fn new(
        workers: usize,
        rate: Option<f64>,
        rates: HashMap<usize, f64>,
        time: Option<Duration>,
    ) -> Self {
        Self {
            workers: Semaphore::new(workers.max(1)),
            pace: rate.map(Pace::new),
            paces: rates
                .into_iter()
                .map(|(index, rate)| (index, Pace::new(rate)))
                .collect(),
            paused: Cell::new(None),
            refused: Cell::new(0),
            deadline: time.map(|time| Instant::now() + time),
            unfinished: RefCell::default(),
        }
    }

    /// Waits for a free worker.
    pub(super) async fn worker(&self) -> Option<SemaphorePermit<'_>> {
        self.workers.acquire().await.ok()
    }

    /// Waits for the turn of a request.
    pub(super) async fn wait(&self, operation: Option<usize>) {
        let now = Instant::now();
        let turn = self.turn(operation, now);
        // A timer waits for its next tick, up to a millisecond, even where its time has come.
        if turn > now {
            sleep_until(turn).await;
        }
        while let Some(until) = self.paused.get().filter(|until| *until > Instant::now()) {
            sleep_until(until).await;
        }
    }

    /// When a request may be sent that is ready now.
    fn turn(&self, operation: Option<usize>, now: Instant) -> Instant {
        let own = operation.and_then(|index| self.paces.get(&index));
        let paces = [own, self.pace.as_ref()].into_iter().flatten();
        let turns = paces.map(|pace| pace.turn(now));
        turns.chain(self.paused.get()).fold(now, Instant::max)
    }

    /// Whether to repeat a request that was answered with `exchange`; if so, nothing is sent until the server is ready.
    pub(super) fn repeat(&self, exchange: &Exchange, repeats: u32, now: Instant) -> bool {
        let status = exchange.response.as_ref().map(|response| response.status);
        if status != Some(429) {
            self.refused.set(0);
            return false;
        }
        let wait = retry_after(exchange, clock::now()).unwrap_or(Duration::from_secs(1 << repeats));
        let until = now + wait;
        let too_late = self.deadline.is_some_and(|deadline| until > deadline);
        if repeats >= REPEATS || wait > LONGEST_WAIT || too_late || self.refused.get() >= HOPELESS {
            self.refused.set(self.refused.get() + 1);
            return false;
        }
        let before = self.paused.get();
        self.paused
            .set(Some(before.map_or(until, |before| before.max(until))));
        true
    }

    /// Whether the time is over.
    pub(super) fn is_over(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    pub(super) fn note_unfinished(&self, operation: usize) {
        let mut unfinished = self.unfinished.borrow_mut();
        if !unfinished.contains(&operation) {
            unfinished.push(operation);
        }
    }

    pub(super) fn unfinished(&self) -> Vec<usize> {
        let mut unfinished = self.unfinished.borrow().clone();
        unfinished.sort_unstable();
        unfinished
    }
}

/// How long `Retry-After` asks to wait (RFC 9110, 10.2.3): seconds, or a date. A date is counted from that of the response where it has
/// one, as the clocks of two machines differ.
fn retry_after(exchange: &Exchange, now: Timestamp) -> Option<Duration> {
    let response = exchange.response.as_ref()?;
    let text = |name: &str| {
        let value = response.header(name).next()?;
        std::str::from_utf8(value).ok().map(str::trim)
    };
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let until = date(value)?;
    let from = text("date").and_then(date).unwrap_or(now);
    // The past is no reason to wait.
    Some(Duration::try_from(until.duration_since(from)).unwrap_or_default())
}

/// A date as HTTP has it, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Request, Response};

    fn answered(status: u16, retry_after: Option<&str>) -> Exchange {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.into()));
        Exchange {
            request: Request {
                method: "GET".to_owned(),
                url: "http://h/".to_owned(),
                headers: Vec::new(),
                body: None,
            },
            response: Some(Response {
                status,
                headers: headers.into_iter().collect(),
                body: Vec::new(),
            }),
            failure: None,
            duration: Duration::ZERO,
        }
    }

    fn limits(rate: Option<f64>, rates: &[(usize, f64)], time: Option<Duration>) -> Limits {
        Limits::new(1, rate, rates.iter().copied().collect(), time)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn requests_are_sent_at_an_even_pace() {
        let now = Instant::now();
        let limits = limits(Some(10.0), &[], None);
        for turn in 0..10 {
            assert_eq!(
                limits.turn(None, now),
                now + Duration::from_millis(100) * turn
            );
        }
        // Turns that nobody took are not made up for.
        let later = now + seconds(60);
        assert_eq!(limits.turn(None, later), later);
        assert!(limits.turn(None, later) > later);
    }

    #[test]
    fn an_operation_has_a_pace_of_its_own() {
        let now = Instant::now();
        let limits = limits(None, &[(3, 1.0)], None);
        for turn in 0..3 {
            assert_eq!(limits.turn(Some(3), now), now + seconds(turn));
            assert_eq!(limits.turn(Some(4), now), now);
            assert_eq!(limits.turn(None, now), now);
        }
    }

    #[test]
    fn a_server_that_asks_to_wait_is_waited_for_and_one_that_always_refuses_is_not() {
        let mut now = Instant::now();
        let limits = limits(None, &[], None);
        assert!(!limits.repeat(&answered(200, Some("9")), 0, now));
        assert!(limits.repeat(&answered(429, Some("7")), 0, now));
        assert_eq!(limits.turn(None, now), now + seconds(7));
        now += seconds(7);
        // More than is waited for.
        assert!(!limits.repeat(&answered(429, Some("3600")), 0, now));
        for (repeats, wait) in [(0, 1), (1, 2), (2, 4)] {
            assert!(limits.repeat(&answered(429, None), repeats, now));
            assert_eq!(limits.turn(None, now), now + seconds(wait));
            now += seconds(wait);
        }
        assert!(!limits.repeat(&answered(429, None), REPEATS, now));
        assert!(!limits.repeat(&answered(429, None), REPEATS, now));
        assert!(
            !limits.repeat(&answered(429, Some("1")), 0, now),
            "hopeless"
        );
        assert!(!limits.repeat(&answered(200, None), 0, now));
        assert!(
            limits.repeat(&answered(429, Some("1")), 0, now),
            "hope again"
        );
    }

    #[test]
    fn a_date_to_retry_after_is_counted_from_the_date_of_the_response() {
        let now: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        let wait = |after: &str, sent: Option<&str>| {
            let mut exchange = answered(429, Some(after));
            let response = exchange.response.as_mut().unwrap();
            let date = sent.map(|sent| ("date".to_owned(), sent.into()));
            response.headers.extend(date);
            retry_after(&exchange, now)
        };
        let at = |second: u8| format!("Wed, 04 Mar 2026 05:06:{second:02} GMT");
        assert_eq!(wait(&at(17), None), Some(seconds(10)));
        assert_eq!(wait(&at(17), Some(&at(15))), Some(seconds(2)));
        assert_eq!(wait(&at(1), None), Some(seconds(0)));
        assert_eq!(wait("3", Some(&at(1))), Some(seconds(3)));
        for odd in ["", "soon", "-1", "Wed, 04 Mar 2026", "99999999999"] {
            assert_eq!(wait(odd, None), None, "{odd}");
        }
    }

    #[test]
    fn a_wait_beyond_the_end_of_the_run_is_not_waited_for() {
        let limits = limits(None, &[], Some(seconds(500)));
        let now = Instant::now() + seconds(450);
        assert!(limits.repeat(&answered(429, Some("40")), 0, now));
        assert!(!limits.repeat(&answered(429, Some("55")), 0, now));
    }
}
