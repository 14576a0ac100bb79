//! `FAULTS.md`: two tests write it, each its own part.

use std::fs;
use std::sync::{Mutex, PoisonError};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/FAULTS.md");

/// The heading of the second part.
pub(crate) const STATE: &str = "\n# Faults of state\n";

/// A part of the page.
pub(crate) enum Part {
    /// Faults that single requests show: up to the second heading.
    Requests,
    /// Faults that sequences of requests show: from the second heading on.
    State,
}

/// Compares a part of the page with what it should be, or writes it with `INSTA_UPDATE=always`.
pub(crate) fn hold(part: &Part, text: &str) {
    /// The tests run at the same time.
    static PAGE: Mutex<()> = Mutex::new(());
    let _page = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = fs::read_to_string(PATH).unwrap_or_default();
    let (requests, state) = kept.split_at(kept.find(STATE).unwrap_or(kept.len()));
    let (own, page) = match part {
        Part::Requests => (requests, format!("{text}{state}")),
        Part::State => (state, format!("{requests}{text}")),
    };
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(PATH, page).expect("the page can be written");
    } else {
        let what = "FAULTS.md is out of date: run this test with INSTA_UPDATE=always";
        assert!(own == text, "{what}");
    }
}
