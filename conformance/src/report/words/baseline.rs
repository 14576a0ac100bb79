//! Sentences about entries of a list of accepted findings.

use crate::finding::{Acceptance, BaselineFault};

pub(super) fn sentence(fault: &BaselineFault) -> String {
    match fault {
        BaselineFault::Stale { accepted } => format!(
            "{} matches no finding any more: --write-baseline drops the entry",
            entry(accepted)
        ),
        BaselineFault::Expired { accepted, until } => format!(
            "{} expired on {until}: fix the finding, or renew the entry",
            entry(accepted)
        ),
    }
}

/// The entry in a few words: what it accepts, and why.
fn entry(accepted: &Acceptance) -> String {
    let mut words = match &accepted.rule {
        Some(rule) => format!("`{rule}`"),
        None => format!("`{}`", accepted.fingerprint),
    };
    if let Some(subject) = &accepted.subject {
        words.push_str(&format!(" of {subject}"));
    }
    if let Some(place) = &accepted.place {
        words.push_str(&format!(" at {place}"));
    }
    let owner = accepted
        .owner
        .as_ref()
        .map_or_else(String::new, |owner| format!(", owner {owner}"));
    format!("{words}, accepted because \"{}\"{owner},", accepted.reason)
}
