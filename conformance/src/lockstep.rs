//! Compares the pairs of a configuration, and each document with what it was at a merge base. Called by `conformance check`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;

use crate::baseline::Baseline;
use crate::document::{Document, Selection, is_url};
use crate::drift;
use crate::finding::{Comparison, Severity};
use crate::fingerprint::{self, Entry};
use crate::git::{Commit, GitError, folder_of};

/// The documents of a pair: files or URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Documents {
    /// Two that must agree.
    Two {
        /// The source document.
        documented: String,
        /// The document that a server emits.
        emitted: String,
    },
    /// One that is only compared with its merge base.
    One(String),
}

impl Documents {
    /// The same documents, each named by what `change` makes of its name.
    #[must_use]
    pub fn map(self, change: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::Two {
                documented,
                emitted,
            } => Self::Two {
                documented: change(&documented),
                emitted: change(&emitted),
            },
            Self::One(document) => Self::One(change(&document)),
        }
    }

    /// Each document, with what follows the pair's name in the name of its changes.
    pub fn list(&self) -> Vec<(&str, &'static str)> {
        match self {
            Self::Two {
                documented,
                emitted,
            } => vec![(documented, ": documented"), (emitted, ": emitted")],
            Self::One(document) => vec![(document, "")],
        }
    }
}

/// A pair of documents that `conformance check` compares under one name.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The name in reports.
    pub name: String,
    /// The choice of what is compared.
    pub documents: Documents,
    /// Which operations are compared.
    pub selection: Selection,
    /// Whether text for readers is compared.
    pub prose: bool,
    /// The differences between the two that are accepted.
    pub allowed: Baseline,
    /// The changes since a merge base that are accepted.
    pub changes: Baseline,
    /// Whether its documents are compared with what they were at a merge base.
    pub base: bool,
}

/// The result of a comparison.
#[derive(Debug)]
pub struct Compared {
    /// In the order of the comparison, then what is wrong with the accepted differences.
    pub entries: Vec<Entry>,
    /// How many findings were accepted.
    pub ignored: usize,
    /// How many were compared, by plural noun.
    pub checked: BTreeMap<&'static str, usize>,
}

/// A document of a pair as it is, and as it was.
#[derive(Debug)]
pub struct Change {
    /// The name of the comparison in reports.
    pub name: String,
    /// The document at the merge base.
    pub before: Document,
    /// The document in the working tree.
    pub after: Document,
}

impl Pair {
    fn options(&self, progress: &drift::Progress) -> drift::Options {
        drift::Options {
            prose: self.prose,
            selection: self.selection.clone(),
            progress: progress.clone(),
        }
    }

    /// Compares the two documents.
    pub fn compare(
        &self,
        documented: &Document,
        emitted: &Document,
        today: Date,
        progress: &drift::Progress,
    ) -> Compared {
        let comparison = drift::compare_counted(documented, emitted, &self.options(progress));
        let mut entries = fingerprint::entries(
            comparison.findings,
            Comparison::Lockstep,
            Some(documented),
            Some(emitted),
        );
        let stale = self.selection.is_everything().then_some(Severity::Breaking);
        let ignored;
        (entries, ignored) = self.allowed.apply(entries, today, stale);
        for entry in &mut entries {
            entry.pair = Some(self.name.clone());
        }
        Compared {
            entries,
            ignored,
            checked: comparison.checked,
        }
    }

    /// Loads the documents of this pair that are files as they were at the merge base of `revision` and `HEAD`; `documents` are those
    /// of the working tree.
    ///
    /// # Errors
    /// When git cannot read one.
    pub fn changes(
        &self,
        revision: &str,
        documents: Vec<Document>,
    ) -> Result<Vec<Change>, GitError> {
        let listed = self.documents.list().into_iter().map(|(_, word)| word);
        let files = listed
            .zip(documents)
            .filter(|(_, document)| self.base && !is_url(document.name()));
        files
            .map(|(word, after)| {
                let commit = Commit::merge_base(folder_of(Path::new(after.name())), revision)?;
                Ok(Change {
                    name: format!("{}{word} since {}", self.name, commit.short()),
                    before: commit.document(after.name())?,
                    after,
                })
            })
            .collect()
    }

    /// Compares the documents with what they were. An accepted change that is in the merge base by now is only a warning: whoever merged
    /// it need not remove it from the list at once.
    pub fn judge(&self, changes: &[Change], today: Date, progress: &drift::Progress) -> Compared {
        let mut found: Vec<Entry> = Vec::new();
        let mut checked = BTreeMap::new();
        for change in changes {
            let (before, after) = (&change.before, &change.after);
            let comparison = drift::compare_counted(before, after, &self.options(progress));
            let findings = comparison.findings;
            let entries =
                fingerprint::entries(findings, Comparison::Versions, Some(before), Some(after));
            for mut entry in entries {
                entry.pair = Some(change.name.clone());
                found.push(entry);
            }
            // Those of two documents were counted when they were compared with each other.
            if let Documents::One(_) = self.documents {
                checked = comparison.checked;
            }
        }
        checked.insert("revisions", changes.len());
        let stale = self.selection.is_everything().then_some(Severity::Warning);
        let (mut entries, ignored) = self.changes.apply(found, today, stale);
        for entry in &mut entries {
            entry.pair.get_or_insert_with(|| self.name.clone());
        }
        Compared {
            entries,
            ignored,
            checked,
        }
    }
}
