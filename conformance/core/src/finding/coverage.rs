//! The parts of a document that a run exercised and observed, as data.

use std::collections::BTreeMap;

use serde::Serialize;

/// The coverage of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// By kind of thing, such as `statuses`.
    pub totals: BTreeMap<&'static str, Share>,
    /// In document order.
    pub operations: Vec<OperationCoverage>,
}

/// How many of all things of a kind were observed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    pub observed: usize,
    pub all: usize,
}

/// The exercised and observed parts of one operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationCoverage {
    /// As findings name it.
    pub operation: String,
    /// How many requests were sent.
    pub requests: usize,
    /// How many responses were 2xx or 3xx, and 4xx or 5xx.
    pub accepted: usize,
    pub refused: usize,
    pub parameters: Vec<SentPart>,
    /// Media types of request bodies.
    pub request_types: Vec<SentPart>,
    pub statuses: Vec<ReceivedPart>,
    /// Statuses that no documented one covers.
    pub undocumented: Vec<ReceivedPart>,
    /// Media types of responses, each with its status.
    pub response_types: Vec<ReceivedPart>,
    pub samples: Vec<SampleCoverage>,
    pub request_keywords: KeywordCoverage,
    pub response_keywords: KeywordCoverage,
    pub security: Vec<SecurityCoverage>,
    /// How many responses were 401 or 403.
    pub unauthorized: usize,
    /// Pointer of the operation.
    #[serde(skip)]
    pub at: String,
}

/// Something that requests have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentPart {
    /// Such as `query limit`, or a media type.
    pub name: String,
    /// How many requests had it.
    pub sent: usize,
    /// How many of these were accepted.
    pub accepted: usize,
}

/// Something that responses have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedPart {
    /// Such as `404`, or `200 application/json`.
    pub name: String,
    /// How many responses had it.
    pub observed: usize,
    /// Pointer of the Response Object.
    #[serde(skip)]
    pub at: String,
}

/// A sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SampleCoverage {
    pub name: String,
    pub sent: bool,
    /// Pointer of the sample.
    #[serde(skip)]
    pub at: String,
}

/// Keywords of the schemas that a part of an operation uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeywordCoverage {
    pub observed: usize,
    pub all: usize,
    /// Pointers of the first that were not observed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// One alternative of the security requirements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecurityCoverage {
    /// The schemes that are needed together; none where no credential is needed.
    pub schemes: Vec<String>,
    /// How many requests with these credentials were accepted.
    pub accepted: usize,
}

impl Coverage {
    /// The coverage of some operations, with its totals.
    #[must_use]
    pub fn of(operations: Vec<OperationCoverage>) -> Self {
        let mut totals: BTreeMap<&'static str, Share> = BTreeMap::new();
        for (kind, share) in operations.iter().flat_map(OperationCoverage::shares) {
            let total = totals.entry(kind).or_default();
            total.observed += share.observed;
            total.all += share.all;
        }
        Self { totals, operations }
    }
}

impl OperationCoverage {
    /// How much was observed, by kind of thing.
    #[must_use]
    pub fn shares(&self) -> [(&'static str, Share); 9] {
        let share = |observed: usize, all: usize| Share { observed, all };
        let sent = |list: &[SentPart]| {
            let accepted = list.iter().filter(|one| one.accepted > 0);
            share(accepted.count(), list.len())
        };
        let observed = |list: &[ReceivedPart]| {
            let some = list.iter().filter(|one| one.observed > 0);
            share(some.count(), list.len())
        };
        let samples = self.samples.iter().filter(|one| one.sent).count();
        let security = self.security.iter().filter(|one| one.accepted > 0).count();
        [
            ("operations", share(usize::from(self.requests > 0), 1)),
            ("parameters", sent(&self.parameters)),
            ("request media types", sent(&self.request_types)),
            ("statuses", observed(&self.statuses)),
            ("response media types", observed(&self.response_types)),
            ("samples", share(samples, self.samples.len())),
            ("request keywords", self.request_keywords.share()),
            ("response keywords", self.response_keywords.share()),
            (
                "security requirements",
                share(security, self.security.len()),
            ),
        ]
    }
}

impl KeywordCoverage {
    fn share(&self) -> Share {
        Share {
            observed: self.observed,
            all: self.all,
        }
    }
}
