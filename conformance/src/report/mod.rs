//! The findings of a run, in the formats that a person or a program reads. Besides the CLI nothing else writes to standard output.
//!
//! A report is a function of the run's findings alone: no clock, no host, no random number, so the same findings give the same bytes.
//! Everything that comes from a document or a server is escaped for its format; see `plain` for the characters that no format lets
//! through.

mod github;
mod html;
mod json;
mod junit;
mod listing;
mod location;
mod markdown;
mod ndjson;
mod oneline;
mod plain;
#[cfg(test)]
pub(crate) mod sample;
mod sarif;
mod text;
pub mod words;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::document::Document;
pub use crate::finding::Unchecked;
use crate::finding::{
    Coverage, ExchangeRecord, Finding, FlowStep, Impact, Message, Place, SentSample, Severity,
    Side, Verdict,
};
use crate::fingerprint::Entry;

use listing::{Listing, counted};
pub use ndjson::Stream;

/// The JSON Schema (2020-12) of the JSON report.
pub const SCHEMA: &str = include_str!("schema.json");

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For a reader.
    Text,
    /// One line for each finding, for `grep` and editors.
    Oneline,
    /// For a program; see `conformance schema report`.
    Json,
    /// For a program that reads line by line: the run, each finding, the summary; of a live check each exchange, as it happens.
    Ndjson,
    /// JUnit XML, for CI servers.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One file for a browser, without scripts and without network.
    Html,
    /// A comment on a pull request, at most 60,000 bytes.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Oneline,
        Self::Json,
        Self::Ndjson,
        Self::Junit,
        Self::Sarif,
        Self::Html,
        Self::Markdown,
        Self::Github,
    ];

    /// The word for the format in options and settings, and what it is for.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "For a reader"),
            Self::Oneline => ("oneline", "One line for each finding, for grep and editors"),
            Self::Json => ("json", "For a program; see `conformance schema report`"),
            Self::Ndjson => (
                "ndjson",
                "For a program that reads line by line, while a live check runs: run, exchanges, findings, summary",
            ),
            Self::Junit => ("junit", "JUnit XML, for CI servers"),
            Self::Sarif => ("sarif", "SARIF 2.1.0, for code scanning"),
            Self::Html => ("html", "One file for a browser that needs no network"),
            Self::Markdown => (
                "markdown",
                "A comment on a pull request, at most 60,000 bytes",
            ),
            Self::Github => ("github", "Annotations of GitHub Actions"),
        }
    }
}

/// A document that a run looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentInfo {
    /// The role: `old`, `new`, or `document` where there is only one.
    pub role: &'static str,
    /// The file or URL, as the user gave it.
    pub name: String,
    /// The minor version of OpenAPI, such as `3.1`.
    pub openapi: &'static str,
    /// The comparison that it belongs to, where a run makes several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
}

impl DocumentInfo {
    /// Describes `document`.
    pub fn of(role: &'static str, document: &Document) -> Self {
        Self {
            role,
            name: document.name().to_owned(),
            openapi: document.written_in(),
            pair: None,
        }
    }
}

/// The whole of what a run has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The subcommand, such as `drift`.
    pub command: &'static str,
    /// The documents that were looked at.
    pub documents: Vec<DocumentInfo>,
    /// The server that was asked.
    pub server: Option<String>,
    /// How many of what were looked at, by plural noun, such as `operations`.
    pub checked: BTreeMap<&'static str, usize>,
    /// The least severity that makes the run fail.
    pub fail_on: Severity,
    /// The findings.
    pub findings: Vec<Entry>,
    /// The samples that were sent to the server.
    pub sent: Vec<SentSample>,
    /// The parts of the document that were exercised and observed, where a server was asked.
    pub coverage: Option<Coverage>,
    /// How many findings a baseline or allowed differences took away.
    pub ignored: usize,
    /// Why nothing was checked, if so.
    pub unchecked: Option<Unchecked>,
    /// Further notes on the run for the reader: one sentence each.
    pub notes: Vec<String>,
}

/// How much of a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The lowest severity that is shown.
    pub show: Severity,
    /// Whether text shows findings in full.
    pub verbose: bool,
    /// Whether text has colors.
    pub color: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            show: Severity::Info,
            verbose: false,
            color: false,
        }
    }
}

impl Report {
    /// Whether the findings let the run pass.
    pub fn verdict(&self) -> Verdict {
        if matches!(
            self.unchecked,
            Some(
                Unchecked::Unauthorized { .. }
                    | Unchecked::NoAnswer { .. }
                    | Unchecked::Elsewhere { .. }
            )
        ) {
            // Findings on such a server show only how it treats strangers.
            Verdict::NothingChecked
        } else if self.findings.iter().any(|entry| self.fails(entry)) {
            Verdict::Deviates
        } else if self.unchecked.is_some() {
            Verdict::NothingChecked
        } else {
            Verdict::Conforms
        }
    }

    /// Whether this finding makes the run fail.
    fn fails(&self, entry: &Entry) -> bool {
        entry.finding.severity <= self.fail_on
    }

    /// How many findings have this severity.
    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|entry| entry.finding.severity == severity)
            .count()
    }

    /// `2 operations, 1 schema`; nouns without a count are left out.
    fn checked_words(&self) -> String {
        let one = |(noun, count): (&&'static str, &usize)| match count {
            1 => format!("1 {}", noun.strip_suffix('s').unwrap_or(noun)),
            _ => format!("{count} {noun}"),
        };
        let some = self.checked.iter().filter(|(_, count)| **count > 0);
        some.map(one).collect::<Vec<_>>().join(", ")
    }
}

/// The places of an entry with the names of their documents.
fn places(entry: &Entry) -> Vec<(&'static str, &Place)> {
    let finding = &entry.finding;
    [(Side::Old, &finding.old), (Side::New, &finding.new)]
        .into_iter()
        .filter_map(|(side, place)| Some((words::side(side, entry.comparison), place.as_ref()?)))
        .collect()
}

/// The sentence of an entry, with the advice where there is some.
fn message(entry: &Entry) -> String {
    let context = words::Context::of(&entry.finding, entry.comparison);
    let mut sentence = words::sentence(&entry.finding.message, &context);
    if entry.finding.cases > 1 {
        sentence += &format!(" ({} requests showed it)", entry.finding.cases);
    }
    match words::advice(&entry.finding.message, &context) {
        Some(advice) => format!("{sentence}; {advice}"),
        None => sentence,
    }
}

/// The clause before a witness: which value it is, and which document allows it.
fn witness_title(entry: &Entry) -> String {
    let Some(proof) = &entry.finding.proof else {
        return "value".to_owned();
    };
    let named = |side| words::side(side, entry.comparison);
    let of = match proof.subject == entry.finding.subject {
        true => String::new(),
        false => format!(" of {}", proof.subject),
    };
    format!(
        "for example, {} allows this {}{of}, {} does not",
        named(proof.accepted_by),
        proof.part,
        named(proof.refused_by)
    )
}

/// The witness on one line, with the path to what matters.
fn witness_line(entry: &Entry) -> Option<String> {
    let witness = entry.finding.witness.as_ref()?;
    let at = entry.finding.proof.as_ref().map(|proof| proof.at.as_str());
    Some(words::elided(witness, at.unwrap_or_default()))
}

/// Why a change of a schema that breaks somebody comes without an example.
fn without_witness(finding: &Finding) -> Option<&'static str> {
    let is_schema = matches!(finding.message, Message::Schema(_));
    let is_shown = finding.witness.is_some() || finding.exchange.is_some();
    if !is_schema || is_shown || finding.severity != Severity::Breaking {
        return None;
    }
    Some(match finding.effect?.impact {
        Impact::Withdrawn => "no example: only the absence of the member shows it",
        Impact::Rejected | Impact::Emptied => {
            "no example: no value was found that only this change explains"
        }
        Impact::Compatible | Impact::Undocumented => return None,
    })
}

/// The requests before the one that shows a fault, where its sequence was made shorter.
fn steps(exchange: &ExchangeRecord) -> &[FlowStep] {
    let flow = exchange.case.as_ref().and_then(|case| case.flow.as_ref());
    flow.map_or(&[], |flow| &flow.steps)
}

/// The tree of who uses the place of a finding, one line each with how deep it is indented: at most `most` users, and how many
/// there are besides.
fn users(finding: &Finding, most: usize) -> Vec<(usize, String)> {
    let users = &finding.used_by;
    let mut lines = Vec::new();
    for user in users.tree.iter().take(most) {
        lines.push((0, user.subject.clone()));
        lines.extend(user.uses.iter().map(|one| (1, one.line())));
    }
    let more = users.count - users.tree.len().min(most);
    if more > 0 {
        lines.push((0, format!("and {more} more")));
    }
    lines
}

/// Text on one line without what a terminal obeys, for messages beside reports.
pub(crate) fn plain_line(text: &str) -> String {
    plain::line(text)
}

/// Writes `report` to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(format: Format, report: &Report, view: View, out: &mut dyn Write) -> io::Result<()> {
    let listing = Listing::new(report, view);
    match format {
        Format::Text => text::write(&listing, out),
        Format::Oneline => oneline::write(&listing, out),
        Format::Json => json::write(&listing, out),
        Format::Ndjson => ndjson::write(&listing, out),
        Format::Junit => junit::write(&listing, out),
        Format::Sarif => sarif::write(&listing, out),
        Format::Html => html::write(&listing, out),
        Format::Markdown => markdown::write(&listing, out),
        Format::Github => github::write(&listing, out),
    }
}
