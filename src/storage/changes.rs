//! The changes of webhooks that this process knows of, so that a delivery that was read before one of them is not attempted as it was
//! then: its URL or secret may be old, or its webhook disabled or gone. Each backend notes them, and the worker asks before each attempt.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// For how many webhooks the last change is kept; beyond it all of them count as changed.
const KEPT: usize = 4_096;

/// The process makes every change itself, so it is always informed.
const FOR_EVER: u64 = u64::MAX;

/// The number of changes known at a moment. Take it before reading a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known(u64);

/// The changes of webhooks, named by their lanes.
#[derive(Debug)]
pub struct WebhookChanges {
    latest: AtomicU64,
    last: Mutex<Last>,
    began: Instant,
    /// Until when every change that is answered is known here, in microseconds since `began`.
    informed_until: AtomicU64,
    informed: Notify,
}

#[derive(Debug, Default)]
struct Last {
    /// The last change that may have been of any webhook.
    of_any: u64,
    of: HashMap<i64, u64>,
}

impl WebhookChanges {
    /// For a process that makes all changes itself.
    pub(super) fn own() -> Self {
        Self::until(FOR_EVER)
    }

    /// For a process that learns of the changes that others make. It is not informed before [`Self::inform_until`] is called.
    pub(super) fn shared() -> Self {
        Self::until(0)
    }

    fn until(informed_until: u64) -> Self {
        Self {
            latest: AtomicU64::new(0),
            last: Mutex::default(),
            began: Instant::now(),
            informed_until: AtomicU64::new(informed_until),
            informed: Notify::new(),
        }
    }

    /// How many changes are known.
    pub fn known(&self) -> Known {
        Known(self.latest.load(Ordering::Acquire))
    }

    /// Whether a webhook is as it was when so many changes were known.
    pub fn is_current(&self, lane: i64, then: Known) -> bool {
        if self.known() == then {
            return true;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let change = last.of.get(&lane).copied().unwrap_or_default();
        change.max(last.of_any) <= then.0
    }

    /// Notes that a webhook was changed.
    pub(super) fn changed(&self, lane: i64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.latest.load(Ordering::Relaxed) + 1;
        if last.of.len() >= KEPT && !last.of.contains_key(&lane) {
            last.of.clear();
            last.of_any = number;
        } else {
            last.of.insert(lane, number);
        }
        // Under the lock, so that whoever sees the number finds the webhook.
        self.latest.store(number, Ordering::Release);
    }

    /// Notes that any webhook may have been changed.
    pub(super) fn any_changed(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.latest.load(Ordering::Relaxed) + 1;
        last.of.clear();
        last.of_any = number;
        self.latest.store(number, Ordering::Release);
    }

    /// Notes that every change that is answered by then is known here before its answer.
    pub(super) fn inform_until(&self, until: Instant) {
        let until = until.saturating_duration_since(self.began).as_micros();
        let until = u64::try_from(until).unwrap_or(FOR_EVER - 1);
        self.informed_until.fetch_max(until, Ordering::AcqRel);
        self.informed.notify_waiters();
    }

    /// Returns whether every change that has been answered is known here.
    pub fn is_informed(&self, now: Instant) -> bool {
        let until = self.informed_until.load(Ordering::Acquire);
        until == FOR_EVER
            || now.saturating_duration_since(self.began) < Duration::from_micros(until)
    }

    /// Returns when [`Self::is_informed`] may have become true.
    pub async fn informed(&self) {
        self.informed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_concerns_its_webhook_alone_and_what_was_read_before_it() {
        let changes = WebhookChanges::own();
        let before = changes.known();
        changes.changed(1);
        let after = changes.known();
        assert!(!changes.is_current(1, before));
        assert!(changes.is_current(2, before));
        assert!(changes.is_current(1, after));
        changes.changed(2);
        assert!(changes.is_current(1, after));
        assert!(!changes.is_current(2, after));
        changes.any_changed();
        assert!(!changes.is_current(1, after));
        assert!(!changes.is_current(3, after));
        assert!(changes.is_current(1, changes.known()));
    }

    #[test]
    fn changes_of_more_webhooks_than_are_kept_lose_none() {
        let changes = WebhookChanges::own();
        let before = changes.known();
        let lanes = 0..i64::try_from(3 * KEPT).unwrap();
        for lane in lanes.clone() {
            changes.changed(lane);
        }
        for lane in lanes {
            assert!(!changes.is_current(lane, before), "{lane}");
            assert!(changes.is_current(lane, changes.known()), "{lane}");
        }
        assert!(changes.last.lock().unwrap().of.len() <= KEPT);
    }

    #[test]
    fn a_process_that_is_told_by_others_is_informed_for_as_long_as_it_says() {
        let changes = WebhookChanges::shared();
        let now = Instant::now();
        assert!(!changes.is_informed(now));
        changes.inform_until(now + Duration::from_secs(5));
        assert!(changes.is_informed(now + Duration::from_secs(4)));
        // What ends earlier takes nothing back.
        changes.inform_until(now + Duration::from_secs(3));
        assert!(changes.is_informed(now + Duration::from_secs(4)));
        assert!(!changes.is_informed(now + Duration::from_secs(5)));
        assert!(WebhookChanges::own().is_informed(now + Duration::from_secs(1_000_000)));
    }
}
