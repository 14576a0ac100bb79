//! The progress of a replay, for those who watch it, and whether it checked anything.

use std::time::Duration;

use super::{Failure, Finding, StepFailure, Unchecked};

/// A step of a replay.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplayStep {
    /// The run begins.
    Started {
        /// The base URL.
        url: String,
    },
    /// Deliveries are waited for at an address that something else has to register.
    Waiting {
        /// The URL.
        url: String,
        /// For how many seconds.
        seconds: f64,
    },
    /// The changes that the run will make on the server.
    Changes {
        /// How many operations are sent requests that may change something.
        operations: usize,
        /// Those that create something that no operation deletes.
        lasting: Vec<String>,
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
    /// All generated requests of an operation were sent.
    Generated {
        /// The operation as findings name it.
        operation: String,
        /// How many requests were sent.
        sent: usize,
        /// How many of them had no grave finding.
        passed: usize,
    },
    /// A resource that other samples need was not created.
    NotCreated {
        /// The operation that should have created it.
        operation: String,
        /// Why it did not.
        reason: StepFailure,
        /// How many samples need it.
        samples: usize,
    },
    /// The collections in which the run will create items, announced before it does.
    Announced {
        /// Collections whose items it deletes at its end.
        deleted: Vec<String>,
        /// Collections whose items stay, as no operation deletes them.
        kept: Vec<String>,
    },
    /// The flow of a resource is over.
    Flow {
        /// The name of the collection.
        resource: String,
        /// How many requests it took.
        requests: usize,
        /// How many findings it has.
        findings: usize,
    },
    /// A resource that the run created was not deleted.
    Left {
        /// Its path.
        path: String,
        /// Why it was not.
        reason: StepFailure,
    },
    /// An exchange is over; told only where somebody follows them.
    Exchange(Box<ToldExchange>),
    /// The run is over.
    Finished(Tally),
}

/// An exchange as it is told while a run goes on, secrets hidden.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldExchange {
    /// The operation as findings name it.
    pub operation: String,
    /// The sample or generated case; what else the request was for.
    pub case: String,
    /// The method that was sent.
    pub method: String,
    /// The URL that was asked for.
    pub url: String,
    /// The status of the response.
    pub status: Option<u16>,
    /// Why there is no complete response, if so.
    pub failure: Option<Failure>,
    /// From the first byte sent to the last one received.
    pub duration: Duration,
    /// Its findings, before findings of one cause are joined.
    pub findings: Vec<Finding>,
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
    /// Generated requests that were sent.
    pub generated: usize,
    /// Those of them that passed.
    pub generated_passed: usize,
}

impl Tally {
    /// Adds the counts of another part of the run.
    pub fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.replayed += other.replayed;
        self.passed += other.passed;
        self.not_replayable += other.not_replayable;
        self.unchecked += other.unchecked;
        self.bare.extend(other.bare);
        self.generated += other.generated;
        self.generated_passed += other.generated_passed;
    }

    /// Samples that were sent and did not pass.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.replayed - self.passed
    }

    /// Why the run has no result, if it sent no sample.
    #[must_use]
    pub fn unchecked(&self) -> Option<Unchecked> {
        let operations = self.operations;
        if self.generated > 0 {
            return None;
        }
        match (self.replayed, self.not_replayable + self.unchecked) {
            (0, 0) => Some(Unchecked::NoSamples { operations }),
            (0, samples) => Some(Unchecked::NothingSent { samples }),
            _ => None,
        }
    }
}
