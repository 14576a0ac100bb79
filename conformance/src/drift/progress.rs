//! How far a comparison has come, for a thread that shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A counter that is shared by all its clones.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: AtomicUsize,
    all: AtomicUsize,
}

impl Progress {
    /// How many steps are done, and how many there are as far as is known.
    pub fn now(&self) -> (usize, usize) {
        (self.0.done.load(Relaxed), self.0.all.load(Relaxed))
    }

    /// Adds steps that are still to be done.
    pub(super) fn expect(&self, steps: usize) {
        self.0.all.fetch_add(steps, Relaxed);
    }

    /// Counts a step as done.
    pub(super) fn step(&self) {
        self.0.done.fetch_add(1, Relaxed);
    }
}
