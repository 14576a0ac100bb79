//! The jobs of the writer that wait: in which order they are done, and how long they wait where they cannot be.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::super::StoreError;

/// How many jobs may wait: beyond it callers wait to hand theirs in.
pub(super) const QUEUE: usize = 4_096;

/// How much earlier than that a job is told: SQLite looks for the lock now and then, and jobs that came one after the other should not
/// be told one by one.
pub(super) const TOGETHER: Duration = Duration::from_millis(50);

/// How long a commit waits for more jobs: much less than a caller notices, and time enough for those whose callers were answered together
/// to come together again.
const GATHER: Duration = Duration::from_micros(250);

/// For how many commits after one that several callers waited for others are expected to come.
const EXPECTED: u32 = 16;

/// So many jobs whose callers wait for the disk are worth a commit of their own.
const ENOUGH: usize = 8;

/// When a caller is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// When the commit survives a loss of power.
    Durable,
    /// When the commit survives the end of the process.
    Committed,
}

/// One caller's write.
pub(super) trait Job: Send {
    /// Works inside the transaction; says whether what it wrote is to be kept. May be called again after a rollback.
    fn run(&mut self, connection: &Connection) -> bool;

    /// When its caller is answered.
    fn wanted(&self) -> Answer;

    /// When it was handed in.
    fn handed_in(&self) -> Instant;

    /// Answers the caller, now that the shared transaction is as durable as wanted or has failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// The jobs of one transaction.
pub(super) type Batch = Vec<Box<dyn Job>>;

/// The jobs that were handed in and have not been run. Claims and results come before all others, or publications would keep back the
/// deliveries of those before them.
#[derive(Default)]
pub(super) struct Waiting {
    ahead: VecDeque<Box<dyn Job>>,
    others: VecDeque<Box<dyn Job>>,
    /// For how many more commits several callers are expected at a time.
    expected: u32,
}

impl Waiting {
    /// Waits until there is a job; gives false when there will be none any more.
    pub(super) fn fill(&mut self, queue: &mut mpsc::Receiver<Box<dyn Job>>) -> bool {
        if self.ahead.is_empty() && self.others.is_empty() {
            let Some(first) = queue.blocking_recv() else {
                return false;
            };
            self.push(first);
        }
        true
    }

    /// Waits a moment for jobs to share the next commit, where several callers come at a time: not for one that publishes one event after
    /// the other. Each commit costs a sync of the log and wakes several threads, so that few large ones leave more of the machine to
    /// everything else.
    pub(super) fn gather(&mut self, queue: &mut mpsc::Receiver<Box<dyn Job>>) {
        self.take_all(queue);
        if self.expected > 0 && self.others.len() < ENOUGH {
            // A wait on the queue would end with the first job.
            std::thread::sleep(GATHER);
        }
    }

    /// Learns from a commit how many callers waited for it.
    pub(super) fn learn(&mut self, callers: usize) {
        self.expected = match callers {
            0 | 1 => self.expected.saturating_sub(1),
            _ => EXPECTED,
        };
    }

    /// Takes over the jobs of the queue, as many as fit: the others wait where their callers wait too.
    pub(super) fn take_all(&mut self, queue: &mut mpsc::Receiver<Box<dyn Job>>) {
        while self.ahead.len() + self.others.len() < QUEUE {
            let Ok(job) = queue.try_recv() else {
                return;
            };
            self.push(job);
        }
    }

    fn push(&mut self, job: Box<dyn Job>) {
        match job.wanted() {
            Answer::Committed => self.ahead.push_back(job),
            Answer::Durable => self.others.push_back(job),
        }
    }

    pub(super) fn next(&mut self) -> Option<Box<dyn Job>> {
        self.ahead.pop_front().or_else(|| self.others.pop_front())
    }

    /// How much longer the one that waited longest may wait.
    pub(super) fn patience(&self, patience: Duration) -> Duration {
        let oldest = [&self.ahead, &self.others].into_iter();
        let oldest = oldest
            .filter_map(VecDeque::front)
            .map(|job| job.handed_in());
        let waited = oldest
            .min()
            .map_or(Duration::ZERO, |oldest| oldest.elapsed());
        patience.saturating_sub(waited)
    }

    /// Takes the jobs that have waited too long; one at least, where there is one.
    pub(super) fn impatient(&mut self, patience: Duration) -> Batch {
        let mut batch = Batch::new();
        for jobs in [&mut self.ahead, &mut self.others] {
            while let Some(job) =
                jobs.pop_front_if(|job| job.handed_in().elapsed() + TOGETHER >= patience)
            {
                batch.push(job);
            }
        }
        if batch.is_empty() {
            batch.extend(self.next());
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_is_expected_for_a_while_after_several_callers_and_never_by_a_single_one() {
        let mut waiting = Waiting::default();
        let mut expected = |callers: &[usize]| {
            callers.iter().for_each(|callers| waiting.learn(*callers));
            waiting.expected > 0
        };
        assert!(!expected(&[1, 0, 1, 1]));
        assert!(expected(&[2]));
        // Results, for which nobody waits, come between.
        assert!(expected(&[0; EXPECTED as usize - 1]));
        assert!(!expected(&[1]));
    }
}
