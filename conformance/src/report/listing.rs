//! The entries of a report that are shown, in order, and the line that sums up.

use std::collections::HashMap;

use super::{Report, View, words};
use crate::finding::{Severity, Verdict};
use crate::fingerprint::Entry;

/// Such as `2 warnings`.
pub(super) fn counted(severity: Severity, count: usize) -> String {
    match (severity, count) {
        (Severity::Warning, 2..) => format!("{count} warnings"),
        _ => format!("{count} {}", severity.word()),
    }
}

/// A report as it is written: the entries that are shown, in order.
pub(super) struct Listing<'r> {
    pub(super) report: &'r Report,
    pub(super) view: View,
    /// By pair in the order of the run, then by severity, then by place.
    pub(super) entries: Vec<&'r Entry>,
}

impl<'r> Listing<'r> {
    pub(super) fn new(report: &'r Report, view: View) -> Self {
        let mut pairs: HashMap<Option<&str>, usize> = HashMap::new();
        for entry in &report.findings {
            let next = pairs.len();
            pairs.entry(entry.pair.as_deref()).or_insert(next);
        }
        let shown = report.findings.iter();
        let mut entries: Vec<&Entry> = shown
            .filter(|entry| entry.finding.severity <= view.show)
            .collect();
        let place = |entry: &'r Entry| {
            let finding = &entry.finding;
            let place = finding.new.as_ref().or(finding.old.as_ref());
            place.map(|place| (&place.document, place.line, place.column, &place.pointer))
        };
        // The sort is stable: the order of the run decides the rest.
        entries.sort_by_key(|&entry| {
            (
                pairs.get(&entry.pair.as_deref()),
                entry.finding.severity,
                place(entry),
            )
        });
        Self {
            report,
            view,
            entries,
        }
    }

    /// The entries whatever pair they belong to, by severity.
    pub(super) fn by_severity(&self) -> Vec<&'r Entry> {
        let mut entries = self.entries.clone();
        entries.sort_by_key(|entry| entry.finding.severity);
        entries
    }

    /// How many findings are not shown.
    pub(super) fn hidden(&self) -> usize {
        self.report.findings.len() - self.entries.len()
    }

    /// The result without the verdict, such as `1 breaking; 2 operations checked`.
    pub(super) fn counts(&self) -> String {
        let report = self.report;
        let mut parts = Vec::new();
        let unchecked = report
            .unchecked
            .as_ref()
            .filter(|_| report.verdict() == Verdict::NothingChecked);
        parts.extend(unchecked.map(words::unchecked));
        let found: Vec<String> = Severity::ALL
            .iter()
            .map(|&severity| (severity, report.count(severity)))
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| counted(severity, count))
            .collect();
        if !found.is_empty() {
            parts.push(found.join(", "));
        }
        if unchecked.is_none() {
            let checked = report.checked_words();
            parts.push(match found.is_empty() {
                true => format!("{checked} checked, nothing found"),
                false => format!("{checked} checked"),
            });
        }
        if report.ignored > 0 {
            parts.push(format!("{} accepted by the baseline", report.ignored));
        }
        if self.hidden() > 0 {
            parts.push(format!("{} not shown", self.hidden()));
        }
        parts.join("; ")
    }

    /// The result in one line, the verdict first.
    pub(super) fn summary(&self) -> String {
        format!("{}: {}", self.report.verdict().word(), self.counts())
    }
}
