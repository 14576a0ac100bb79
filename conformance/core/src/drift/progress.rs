//! How far a comparison has come, for a thread that shows it.

use std::sync::{Arc, Mutex, PoisonError};

/// How far a comparison has come; shared by all clones.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Phase>>);

/// A part of a comparison, which has its own steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phase {
    /// The things that are processed, as a plural noun; empty before the first phase.
    pub noun: &'static str,
    /// How many of them were.
    pub done: usize,
    /// How many there are, as far as is known.
    pub all: usize,
}

impl Progress {
    /// The phase that is under way.
    pub fn now(&self) -> Phase {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds steps to the phase with this noun, or begins it.
    pub(super) fn expect(&self, noun: &'static str, steps: usize) {
        let mut phase = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if phase.noun != noun {
            *phase = Phase {
                noun,
                ..Phase::default()
            };
        }
        phase.all += steps;
    }

    /// Counts a step as done.
    pub(super) fn step(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).done += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_counts_from_its_own_start() {
        let progress = Progress::default();
        assert_eq!(progress.now(), Phase::default());
        progress.expect("operations", 2);
        progress.step();
        progress.expect("operations", 1);
        progress.step();
        let phase = |noun, done, all| Phase { noun, done, all };
        assert_eq!(progress.now(), phase("operations", 2, 3));
        progress.expect("schemas", 5);
        assert_eq!(progress.now(), phase("schemas", 0, 5));
    }
}
