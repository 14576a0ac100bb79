//! Outbound: the bodies of events that are being delivered. One is the same for every webhook (C-50), so it is composed once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use super::payload;
use crate::domain::Event;

/// How many bodies are kept: deliveries of one event are attempted one after another, of a few events at a time.
const KEPT: usize = 4;

/// The longest body that is kept, in bytes; composing is not what takes the time of a longer one.
const LONGEST: usize = 64 * 1024;

/// The bodies that were composed last.
#[derive(Default)]
pub(super) struct RecentBodies(Mutex<VecDeque<(Weak<Event>, Bytes)>>);

impl RecentBodies {
    /// The body that tells of an event.
    pub(super) fn of(&self, event: &Arc<Event>) -> Bytes {
        // No other event gets this address while the reference is kept.
        let is_of_it = |(one, _): &&(Weak<Event>, Bytes)| one.as_ptr() == Arc::as_ptr(event);
        if let Some((_, body)) = self.lock().iter().find(is_of_it) {
            return body.clone();
        }
        // Without the lock: others must not wait for a long one.
        let body = Bytes::from(payload::compose(event));
        if body.len() <= LONGEST {
            let mut kept = self.lock();
            kept.truncate(KEPT - 1);
            kept.push_front((Arc::downgrade(event), body.clone()));
        }
        body
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Weak<Event>, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::NAME;
    use super::*;
    use crate::provider::fixtures::due;

    #[test]
    fn deliveries_of_one_event_share_a_body_and_those_of_others_do_not() {
        let bodies = RecentBodies::default();
        let event = |data: &str| due(NAME, "customer.created", data).event;
        let (first, second) = (event(r#"{"a":1}"#), event(r#"{"a":2}"#));
        let body = bodies.of(&first);
        assert_eq!(body, payload::compose(&first));
        assert_eq!(bodies.of(&first.clone()).as_ptr(), body.as_ptr());
        assert_eq!(bodies.of(&second), payload::compose(&second));
        // An equal event that was read again is another one, whose sequence number could differ.
        let mut read_again = Event::clone(&first);
        read_again.sequence += 1;
        let read_again = Arc::new(read_again);
        assert_eq!(bodies.of(&read_again), payload::compose(&read_again));
    }

    #[test]
    fn few_and_short_bodies_are_kept_and_none_is_that_of_an_event_that_is_gone() {
        let bodies = RecentBodies::default();
        for number in 0..1_000 {
            let data = format!(r#"{{"number":{number}}}"#);
            let event = due(NAME, "customer.created", &data).event;
            assert_eq!(bodies.of(&event), payload::compose(&event));
        }
        assert_eq!(bodies.0.lock().unwrap().len(), KEPT);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(LONGEST));
        let event = due(NAME, "customer.created", &long).event;
        assert_eq!(bodies.of(&event), payload::compose(&event));
        let kept = bodies.0.lock().unwrap();
        assert!(kept.iter().all(|(_, body)| body.len() <= LONGEST));
    }
}
