//! What a replay has come to so far, for those who watch it, and whether it checked anything.

use crate::finding::StepFailure;

/// A step of a replay.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The run begins.
    Started {
        /// The base URL.
        url: String,
    },
    /// All samples of an operation were sent.
    Operation {
        /// The operation as findings name it.
        operation: String,
        /// How many samples were sent.
        replayed: usize,
        /// How many of them passed.
        passed: usize,
        /// Whether the operation has no sample.
        bare: bool,
    },
    /// What other samples need was not created.
    NotCreated {
        /// The operation that should have created it.
        operation: String,
        /// Why it did not.
        reason: StepFailure,
        /// How many samples need it.
        samples: usize,
    },
    /// What the run created was not deleted.
    Left {
        /// Its path.
        path: String,
        /// Why it was not.
        reason: StepFailure,
    },
    /// The run is over.
    Finished(Tally),
}

/// How many operations and samples there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Operations.
    pub operations: usize,
    /// Samples that were sent.
    pub replayed: usize,
    /// Those of them that passed.
    pub passed: usize,
    /// Samples that cannot be made into a request.
    pub not_replayable: usize,
    /// Samples that were not sent as what they need was not there.
    pub unchecked: usize,
    /// Operations without a sample.
    pub bare: Vec<String>,
}

/// Why no sample was sent, so that the run has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nothing {
    /// There is no operation.
    NoOperations,
    /// None of the operations has a sample.
    NoSamples {
        /// How many operations there are.
        operations: usize,
    },
    /// There are samples, and none of them could be sent; the findings say why.
    NoneSent {
        /// How many samples there are.
        samples: usize,
    },
}

impl Tally {
    /// Samples that were sent and did not pass.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.replayed - self.passed
    }

    /// Why no sample was sent, if none was.
    #[must_use]
    pub fn nothing(&self) -> Option<Nothing> {
        let samples = self.not_replayable + self.unchecked;
        match (self.replayed, self.operations, samples) {
            (0, 0, _) => Some(Nothing::NoOperations),
            (0, operations, 0) => Some(Nothing::NoSamples { operations }),
            (0, _, samples) => Some(Nothing::NoneSent { samples }),
            _ => None,
        }
    }
}
