//! The report for a program; its form is published as `schema.json` and by `conformance schema report`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{DocumentInfo, Report};
use crate::finding::{Finding, Severity, Verdict};

/// Rises when a reader of the report has to change.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Root<'a> {
    #[serde(rename = "formatVersion")]
    format_version: u32,
    tool: Tool,
    command: &'a str,
    documents: &'a [DocumentInfo],
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    summary: Summary<'a>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary<'a> {
    verdict: &'static str,
    #[serde(rename = "failOn")]
    fail_on: &'static str,
    findings: BTreeMap<&'static str, usize>,
    checked: &'a BTreeMap<&'static str, usize>,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let root = Root {
        format_version: FORMAT_VERSION,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        command: report.command,
        documents: &report.documents,
        server: report.server.as_deref(),
        summary: Summary {
            verdict: match report.verdict() {
                Verdict::Conforms => "conforms",
                Verdict::Deviates => "deviates",
            },
            fail_on: report.fail_on.word(),
            findings: Severity::ALL
                .iter()
                .map(|&severity| (severity.word(), report.count(severity)))
                .collect(),
            checked: &report.checked,
        },
        findings: &report.findings,
    };
    serde_json::to_writer_pretty(&mut *out, &root)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{SCHEMA, sample};
    use super::*;

    #[test]
    fn the_report_is_valid_against_its_published_schema() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert!(jsonschema::meta::is_valid(&schema));
        let mut out = Vec::new();
        write(&sample::report(), &mut out).unwrap();
        let report: Value = serde_json::from_slice(&out).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(report["summary"]["verdict"], "deviates");
    }
}
