//! What a run found, in the formats that a person or a program reads. The only writer of standard output besides the CLI.

mod json;
mod text;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::document::{Document, Version};
use crate::finding::{Finding, Severity, Verdict};

/// The JSON Schema (2020-12) of the JSON report.
pub const SCHEMA: &str = include_str!("schema.json");

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a reader.
    Text,
    /// For a program; see `conformance schema report`.
    Json,
}

/// A document that a run looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentInfo {
    /// What it stands for: `theirs`, `ours`, or `document` where there is only one.
    pub role: &'static str,
    /// The file or URL, as the user gave it.
    pub name: String,
    /// The minor version of OpenAPI, such as `3.1`.
    pub openapi: &'static str,
}

impl DocumentInfo {
    /// Describes `document`.
    pub fn of(role: &'static str, document: &Document) -> Self {
        let openapi = match document.version() {
            Version::V30 => "3.0",
            Version::V31 => "3.1",
            Version::V32 => "3.2",
        };
        Self {
            role,
            name: document.name().to_owned(),
            openapi,
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
    /// What was found, in a stable order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether the findings let the run pass.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.findings, self.fail_on)
    }

    /// How many findings have this severity.
    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

/// Writes `report` to `out`; only text has colors.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(format: Format, report: &Report, color: bool, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, color, out),
        Format::Json => json::write(report, out),
    }
}

#[cfg(test)]
pub(crate) mod sample {
    //! A report with one of everything, for the tests of the formats.

    use serde_json::json;

    use super::*;
    use crate::finding::{ExchangeRecord, Place};

    pub(crate) fn report() -> Report {
        let place = |document: &str, line| Place {
            document: document.to_owned(),
            pointer: "/info/title".to_owned(),
            line,
            column: 3,
        };
        let finding = |rule, severity, subject: &str| Finding {
            rule,
            severity,
            subject: subject.to_owned(),
            message: "theirs says A, ours says B; say A in ours".to_owned(),
            theirs: Some(place("theirs.yaml", 4)),
            ours: Some(place("ours.json", 1)),
            witness: None,
            exchange: None,
            used_by: Vec::new(),
        };
        let mut shared = finding("schema-type-changed", Severity::Undecided, "GET /a (getA)");
        shared.used_by = vec!["GET /a (getA)".to_owned(), "POST /a (createA)".to_owned()];
        shared.witness = Some(json!({"a": 1}));
        shared.ours = None;
        let mut wire = finding("status-undocumented", Severity::Warning, "document");
        let request = "GET /a HTTP/1.1\n".to_owned();
        wire.exchange = Some(ExchangeRecord {
            request,
            response: None,
            curl: "curl http://localhost/a".to_owned(),
        });
        Report {
            command: "drift",
            documents: vec![DocumentInfo {
                role: "theirs",
                name: "theirs.yaml".to_owned(),
                openapi: "3.1",
            }],
            server: None,
            checked: BTreeMap::from([("operations", 2), ("schemas", 5)]),
            fail_on: Severity::Undecided,
            findings: vec![
                finding("operation-removed", Severity::Breaking, "GET /a (getA)"),
                shared,
                wire,
            ],
        }
    }
}
