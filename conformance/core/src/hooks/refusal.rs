//! Why a delivery is not signed as its document says, as data and in words.

use std::fmt;

use serde::Serialize;

/// Why a delivery is not signed as its document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "reason",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Refusal {
    /// There is no signature, timestamp, id or digest.
    Missing {
        /// Where it should be.
        place: String,
    },
    /// A value is written in another form.
    Malformed {
        /// Where it is.
        place: String,
        /// The expected form.
        expected: &'static str,
    },
    /// The signature does not belong to this message and any of the keys.
    Mismatch {
        /// Where the signature is.
        place: String,
    },
    /// The digest in the message is not that of the body.
    Digest {
        /// Where the digest is.
        place: String,
    },
    /// The signature does not cover what it must cover.
    NotCovered {
        /// The component.
        component: String,
    },
    /// The message names an algorithm that is not accepted.
    Algorithm {
        /// The name.
        found: String,
    },
    /// The time of signing is too far from now.
    Stale {
        /// Where the time is.
        place: String,
        /// How many seconds ago it is; negative where it is to come.
        seconds: i64,
        /// How many are tolerated.
        tolerance: i64,
    },
    /// The certificate that the message names is not one to trust, or cannot be had.
    Certificate {
        /// Where its URL is.
        place: String,
        /// The problem with it.
        problem: String,
    },
    /// Every delivery must be signed, and no key is known.
    NoKey,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { place } => write!(f, "{place} is missing"),
            Self::Malformed { place, expected } => write!(f, "{place} is not {expected}"),
            Self::Mismatch { place } => write!(
                f,
                "the signature in {place} does not belong to this message and key"
            ),
            Self::Digest { place } => write!(f, "{place} is not the digest of the body"),
            Self::NotCovered { component } => {
                write!(f, "the signature does not cover `{component}`")
            }
            Self::Algorithm { found } => write!(
                f,
                "the message names the algorithm `{found}`, which is not accepted"
            ),
            Self::Stale {
                place,
                seconds,
                tolerance,
            } if *seconds < 0 => {
                write!(
                    f,
                    "{place} is {} s ahead, and {tolerance} s are tolerated",
                    -seconds
                )
            }
            Self::Stale {
                place,
                seconds,
                tolerance,
            } => {
                write!(
                    f,
                    "{place} is {seconds} s old, and {tolerance} s are tolerated"
                )
            }
            Self::Certificate { place, problem } => {
                write!(
                    f,
                    "{place} names a certificate that cannot be used: {problem}"
                )
            }
            Self::NoKey => f.write_str("every delivery must be signed, and no key is known"),
        }
    }
}
