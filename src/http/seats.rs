//! Which connections of a thread wait for a request: where too many are open, the one that waited longest is closed.
//!
//! Idle connections are kept for long, because clients use them again. Each is an open file, so clients that hold many would keep others
//! out. Closed first is a connection that never had a request, or will have none any more.

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
    /// Counts all that happens on this thread, to tell which connection waited longest.
    ticks: u64,
    taken: usize,
    leaving: usize,
    /// Those that may be asked to leave, in the order in which they are.
    idle: BTreeMap<Turn, Rc<State>>,
}

/// Whether a connection had a request and may have another one, and since which tick it waits.
type Turn = (bool, u64);

/// A connection's place among those of its thread, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    /// The number of seats beyond which idle connections are asked to leave.
    most: usize,
    state: Rc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Its place among the idle ones; none while it does not wait for a request, or is leaving.
    turn: Cell<Option<Turn>>,
    is_leaving: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Seat {
    /// Takes a seat for a new connection, and asks another that is idle to leave where more than `most` are taken.
    pub(super) fn take(most: usize) -> Self {
        OPEN.with_borrow_mut(|open| {
            let state = Rc::new(State::default());
            open.taken += 1;
            // Before it is idle itself: nobody is asked to leave at once.
            open.make_room(most);
            open.wait(&state, false);
            Self { most, state }
        })
    }

    /// Notes that a request arrives. It is served, whether or not the connection was asked to leave: then another has to.
    pub(super) fn is_busy(&self) {
        OPEN.with_borrow_mut(|open| {
            open.stay(&self.state);
            open.make_room(self.most);
        });
    }

    /// Notes that an answer was written.
    pub(super) fn is_idle(&self) {
        self.waits(true);
    }

    /// Notes that the last answer was written: nothing is lost when the connection is closed, so it is among the first to leave.
    pub(super) fn is_done(&self) {
        self.waits(false);
    }

    fn waits(&self, has_served: bool) {
        OPEN.with_borrow_mut(|open| {
            open.stay(&self.state);
            open.wait(&self.state, has_served);
            // Those that came while all were busy found nobody to ask.
            open.make_room(self.most);
        });
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
        let _ = OPEN.try_with(|open| {
            let mut open = open.borrow_mut();
            open.stay(&self.state);
            open.taken -= 1;
        });
    }
}

impl Open {
    /// Asks idle connections to leave until no more than `most` stay.
    fn make_room(&mut self, most: usize) {
        while self.taken - self.leaving > most {
            let Some((_, state)) = self.idle.pop_first() else {
                break;
            };
            state.turn.set(None);
            state.is_leaving.set(true);
            self.leaving += 1;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }

    /// The connection is neither idle nor asked to leave any more.
    fn stay(&mut self, state: &State) {
        if let Some(turn) = state.turn.take() {
            self.idle.remove(&turn);
        }
        if state.is_leaving.replace(false) {
            self.leaving -= 1;
        }
    }

    /// The connection waits for a request from now on.
    fn wait(&mut self, state: &Rc<State>, has_served: bool) {
        self.ticks += 1;
        let turn = (has_served, self.ticks);
        state.turn.set(Some(turn));
        self.idle.insert(turn, state.clone());
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
    fn where_a_request_comes_just_in_time_another_connection_leaves() {
        let [a, b] = [(); 2].map(|()| Seat::take(2));
        // More than may stay, and each has sent its request before it was looked at.
        let [c, d] = [(); 2].map(|()| Seat::take(2));
        let all = [&a, &b, &c, &d];
        assert_eq!(leaves(&all), [true, true, false, false]);
        for seat in all {
            seat.is_busy();
        }
        assert_eq!(leaves(&all), [false; 4], "all have a request");
        for seat in all {
            seat.is_idle();
        }
        assert_eq!(leaves(&all), [true, true, false, false]);
        c.is_busy();
        assert_eq!(leaves(&all), [true, true, false, false]);
        a.is_busy();
        assert_eq!(leaves(&all), [false, true, false, true], "in place of a");
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
        assert_eq!(leaves(&[&fresh, &first]), [false, true], "in its place");
        let second = Seat::take(3);
        assert_eq!(leaves(&[&served, &first, &second]), [true, true, false]);
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
