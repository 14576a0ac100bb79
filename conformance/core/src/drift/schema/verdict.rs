//! The effect of a difference in one direction.

use super::shown::Shown;
use crate::finding::{Impact, Severity, Undecided};

/// The effect of a difference in one direction.
pub(super) enum Verdict {
    /// Nothing, for certain.
    None,
    /// The receiver rejects what is sent, or gets what it reads no more.
    Breaks(Impact, Option<Shown>),
    /// Only who relies on more than is documented notices.
    Harmless(Impact, Option<Shown>),
    /// It could not be found out.
    Undecided(Undecided),
}

impl Verdict {
    pub(super) fn severity(&self) -> Option<Severity> {
        match self {
            Self::None => None,
            Self::Breaks(..) => Some(Severity::Breaking),
            Self::Harmless(..) => Some(Severity::Warning),
            Self::Undecided(_) => Some(Severity::Undecided),
        }
    }
}
