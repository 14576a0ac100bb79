//! Which connections of a thread wait for a request: where too many are open, the one that waited longest is closed.
//!
//! Idle connections are kept for long, because clients use them again. Each is an open file, so clients that hold many would keep others
//! out. Closed first is a connection that never had a request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Waker};

thread_local! {
    static OPEN: RefCell<Open> = RefCell::default();
}

/// The connections of this thread.
#[derive(Default)]
struct Open {
    next: u64,
    seats: BTreeMap<u64, Rc<State>>,
}

/// A connection's place among those of its thread, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    state: Rc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when it waits for a request, in an order of all that happens on this thread; none while it does not wait.
    idle_since: Cell<Option<u64>>,
    has_served: Cell<bool>,
    is_leaving: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Seat {
    /// Takes a seat for a new connection, and asks another that is idle to leave where more than `most` are taken.
    pub(super) fn take(most: usize) -> Self {
        OPEN.with_borrow_mut(|open| {
            let staying = open.seats.values().filter(|state| !state.is_leaving.get());
            if open.seats.len() >= most && staying.clone().count() >= most {
                let idle = staying.filter(|state| state.idle_since.get().is_some());
                let oldest =
                    idle.min_by_key(|state| (state.has_served.get(), state.idle_since.get()));
                if let Some(state) = oldest {
                    state.is_leaving.set(true);
                    if let Some(waker) = state.waker.take() {
                        waker.wake();
                    }
                }
            }
            let number = open.tick();
            let state = Rc::new(State::default());
            state.idle_since.set(Some(number));
            open.seats.insert(number, state.clone());
            Self { number, state }
        })
    }

    /// Notes that a request arrives. It is served, whether or not the connection was asked to leave.
    pub(super) fn is_busy(&self) {
        self.state.idle_since.set(None);
        self.state.is_leaving.set(false);
        self.state.has_served.set(true);
    }

    /// Notes that an answer was written.
    pub(super) fn is_idle(&self) {
        let now = OPEN.with_borrow_mut(Open::tick);
        self.state.idle_since.set(Some(now));
    }

    /// Whether the connection, which waits for a request, was asked to leave; wakes it when it is.
    pub(super) fn leaves(&self, context: &Context<'_>) -> bool {
        *self.state.waker.borrow_mut() = Some(context.waker().clone());
        self.state.is_leaving.get()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Where the thread ends, there is nothing to give it back to.
        let _ = OPEN.try_with(|open| open.borrow_mut().seats.remove(&self.number));
    }
}

impl Open {
    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(seats: &[&Seat]) -> Vec<bool> {
        let context = Context::from_waker(Waker::noop());
        seats.iter().map(|seat| seat.leaves(&context)).collect()
    }

    #[test]
    fn the_connection_that_waited_longest_leaves_for_a_new_one() {
        let [a, b, c] = [(); 3].map(|()| Seat::take(3));
        for seat in [&b, &a, &c] {
            seat.is_busy();
            seat.is_idle();
        }
        assert_eq!(leaves(&[&a, &b, &c]), [false; 3]);
        let d = Seat::take(3);
        assert_eq!(leaves(&[&a, &b, &c, &d]), [false, true, false, false]);
        // One that is about to leave makes room already, and is still there until it is dropped.
        let e = Seat::take(4);
        assert_eq!(leaves(&[&a, &c, &d, &e]), [false; 4]);
        drop(b);
        let f = Seat::take(4);
        assert_eq!(
            leaves(&[&a, &c, &d, &e, &f]),
            [false, false, true, false, false]
        );
    }

    #[test]
    fn connections_with_a_request_stay_and_those_that_never_had_one_leave_first() {
        let [served, busy, fresh] = [(); 3].map(|()| Seat::take(3));
        served.is_busy();
        served.is_idle();
        busy.is_busy();
        let first = Seat::take(3);
        assert_eq!(leaves(&[&served, &busy, &fresh]), [false, false, true]);
        // Its request came just in time.
        fresh.is_busy();
        assert_eq!(leaves(&[&fresh]), [false]);
        let second = Seat::take(3);
        assert_eq!(leaves(&[&served, &first, &second]), [false, true, false]);
        for seat in [&first, &second, &served] {
            seat.is_busy();
        }
        let third = Seat::take(3);
        assert_eq!(
            leaves(&[&third]),
            [false],
            "nobody is asked to leave for itself"
        );
    }
}
