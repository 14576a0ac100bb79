//! The same node in both documents.

use crate::document::pointer;

/// The same node in both documents.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) old: String,
    pub(super) new: String,
}

impl Pair {
    pub(super) fn new(old: impl Into<String>, new: impl Into<String>) -> Self {
        Self {
            old: old.into(),
            new: new.into(),
        }
    }

    /// The name of the node in the old document.
    pub(super) fn name(&self) -> &str {
        self.old.rsplit('/').next().unwrap_or_default()
    }

    /// The member `key` of both.
    pub(super) fn member(&self, key: &str) -> Self {
        Self {
            old: pointer::join(&self.old, key),
            new: pointer::join(&self.new, key),
        }
    }
}
