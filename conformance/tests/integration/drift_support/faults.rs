//! Failing once for all faults that a test has found.

/// Fails with all of `faults`, if there are any.
pub(crate) fn assert_none(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} wrong\n{}",
        faults.len(),
        faults.join("\n")
    );
}
