//! Comparing the pairs of a configuration, and each document with what it was at a merge base. Called by `conformance check`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;

use crate::baseline::Baseline;
use crate::document::{Document, Operation, Selection, is_url};
use crate::drift;
use crate::finding::{Comparison, Severity};
use crate::fingerprint::{self, Entry};
use crate::git::{Commit, GitError, folder_of};

/// Two documents that are to say the same.
#[derive(Debug, Clone)]
pub struct Pair {
    /// What reports call it.
    pub name: String,
    /// The source document: a file or URL.
    pub theirs: String,
    /// The emitted document: a file or URL.
    pub ours: String,
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

/// What a comparison found.
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
    /// What reports call the comparison.
    pub name: String,
    /// The document at the merge base.
    pub before: Document,
    /// The document in the working tree.
    pub after: Document,
}

impl Pair {
    /// The operations and webhooks of both documents that no pattern of the pair matches, by pattern.
    pub fn unmatched(&self, theirs: &Document, ours: &Document) -> Vec<String> {
        let all: Vec<Operation<'_>> = [theirs, ours]
            .into_iter()
            .flat_map(|one| [one.operations(), one.webhooks()])
            .flatten()
            .collect();
        let unmatched = self.selection.unmatched(&all);
        unmatched.into_iter().map(str::to_owned).collect()
    }

    fn options(&self) -> drift::Options {
        drift::Options {
            prose: self.prose,
            selection: self.selection.clone(),
        }
    }

    /// Compares the two documents.
    pub fn compare(&self, theirs: &Document, ours: &Document, today: Date) -> Compared {
        let comparison = drift::compare_counted(theirs, ours, &self.options());
        let mut entries = fingerprint::entries(
            comparison.findings,
            Comparison::Lockstep,
            Some(theirs),
            Some(ours),
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

    /// The documents of this pair that are files, as they were at the merge base of `revision` and `HEAD`.
    ///
    /// # Errors
    /// When git cannot say it.
    pub fn changes(
        &self,
        revision: &str,
        documents: [(&str, Document); 2],
    ) -> Result<Vec<Change>, GitError> {
        let files = documents
            .into_iter()
            .filter(|(_, document)| self.base && !is_url(document.name()));
        files
            .map(|(role, after)| {
                let commit = Commit::merge_base(folder_of(Path::new(after.name())), revision)?;
                Ok(Change {
                    name: format!("{}: {role} since {}", self.name, commit.short()),
                    before: commit.document(after.name())?,
                    after,
                })
            })
            .collect()
    }

    /// Judges what the documents were against what they are. An accepted change that is in the merge base by now is only told: whoever
    /// merged it need not come back at once to take it off the list.
    pub fn judge(&self, changes: &[Change], today: Date) -> Compared {
        let mut found: Vec<Entry> = Vec::new();
        for change in changes {
            let (before, after) = (&change.before, &change.after);
            let findings = drift::compare(before, after, &self.options());
            let entries =
                fingerprint::entries(findings, Comparison::Versions, Some(before), Some(after));
            for mut entry in entries {
                entry.pair = Some(change.name.clone());
                found.push(entry);
            }
        }
        let stale = self.selection.is_everything().then_some(Severity::Warning);
        let (mut entries, ignored) = self.changes.apply(found, today, stale);
        for entry in &mut entries {
            entry.pair.get_or_insert_with(|| self.name.clone());
        }
        Compared {
            entries,
            ignored,
            checked: BTreeMap::from([("revisions", changes.len())]),
        }
    }
}
