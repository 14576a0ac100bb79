//! When this process stood still: a timer that goes off late shows it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Shared;

/// How often it is looked.
const TICK: Duration = Duration::from_millis(5);

/// How late a timer may be on a machine that has nothing else to do, in seconds.
const NOISE: f64 = 0.002;

/// Most stalls that are kept: those of hours on a busy machine.
const KEPT: usize = 1_000_000;

/// The times in which this process stood still, in seconds since the receiver was opened.
#[derive(Debug, Default)]
pub(super) struct Stalls(Vec<(f64, f64)>);

impl Stalls {
    /// For how many seconds of a time it stood still.
    pub(super) fn between(&self, from: f64, to: f64) -> f64 {
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let stalls = self.0[first..].iter().take_while(|(begin, _)| *begin < to);
        stalls
            .map(|(begin, end)| end.min(to) - begin.max(from))
            .sum()
    }

    fn note(&mut self, begin: f64, end: f64) {
        if end - begin > NOISE && self.0.len() < KEPT {
            self.0.push((begin, end));
        }
    }
}

/// Notes when this process stands still, for ever.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = ticks.tick().await;
        let end = shared.now();
        let begin = due.saturating_duration_since(shared.opened).as_secs_f64();
        shared.stalls().note(begin, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_two_moments_counts() {
        let mut stalls = Stalls::default();
        for (begin, end) in [(1.0, 1.001), (2.0, 3.0), (5.0, 5.5)] {
            stalls.note(begin, end);
        }
        assert_eq!(stalls.between(0.0, 10.0), 1.5);
        assert_eq!(stalls.between(0.0, 2.0), 0.0);
        assert_eq!(stalls.between(2.5, 5.25), 0.75);
        assert_eq!(stalls.between(3.0, 5.0), 0.0);
        assert_eq!(stalls.between(6.0, 7.0), 0.0);
    }
}
