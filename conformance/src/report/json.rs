//! The report for a program; its form is published as `schema.json` and by `conformance schema report`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{DocumentInfo, Report, plain};
use crate::finding::{Finding, Severity};
use crate::fingerprint::Entry;

/// Rises when a reader of the report has to change.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Root<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    summary: Summary<'a>,
    findings: Vec<Line<'a>>,
}

/// What a run was about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head<'a> {
    format_version: u32,
    tool: Tool,
    command: &'a str,
    documents: &'a [DocumentInfo],
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// What a run came to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'a> {
    verdict: &'static str,
    fail_on: &'static str,
    findings: BTreeMap<&'static str, usize>,
    ignored: usize,
    checked: &'a BTreeMap<&'static str, usize>,
}

/// One finding.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<&'a str>,
    #[serde(flatten)]
    finding: &'a Finding,
}

pub(super) fn head(report: &Report) -> Head<'_> {
    Head {
        format_version: FORMAT_VERSION,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        command: report.command,
        documents: &report.documents,
        server: report.server.as_deref(),
    }
}

pub(super) fn summary(report: &Report) -> Summary<'_> {
    Summary {
        verdict: report.verdict_word(),
        fail_on: report.fail_on.word(),
        findings: Severity::ALL
            .iter()
            .map(|&severity| (severity.word(), report.count(severity)))
            .collect(),
        ignored: report.ignored,
        checked: &report.checked,
    }
}

pub(super) fn finding(entry: &Entry) -> Line<'_> {
    Line {
        fingerprint: &entry.fingerprint,
        pair: entry.pair.as_deref(),
        finding: &entry.finding,
    }
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let root = Root {
        head: head(report),
        summary: summary(report),
        findings: report.findings.iter().map(finding).collect(),
    };
    writeln!(out, "{}", plain::pretty_json(&root))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Format, SCHEMA, sample};

    #[test]
    fn the_report_is_valid_against_its_published_schema() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert!(jsonschema::meta::is_valid(&schema));
        let validator = jsonschema::validator_for(&schema).unwrap();
        for report in [sample::report(), sample::hostile()] {
            let report: Value =
                serde_json::from_str(&sample::written(Format::Json, &report)).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&report)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, Vec::<String>::new());
            assert_eq!(report["summary"]["verdict"], "deviates");
        }
    }

    #[test]
    fn findings_have_their_proof() {
        insta::assert_snapshot!(sample::versionless(Format::Json));
    }

    #[test]
    fn hostile_text_comes_back_as_it_was() {
        let report: Value =
            serde_json::from_str(&sample::written(Format::Json, &sample::hostile())).unwrap();
        assert_eq!(report["findings"][0]["message"], sample::HOSTILE);
        assert_eq!(
            report["findings"][0]["witness"][sample::HOSTILE][0],
            sample::HOSTILE
        );
    }
}
