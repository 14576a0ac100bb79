//! The report line by line: one JSON object for the run, one for each finding, one for the summary. Each has a member `kind`; the other
//! members are those of the JSON report, whose published schema describes them.
//!
//! Checks of live servers write it while they run, see [`Stream`]: there is a line for each exchange too, and one for the coverage of each
//! operation.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::words::{self, Context};
use super::{DocumentInfo, Listing, Report, View, json, plain};
use crate::finding::{Comparison, Finding, ToldExchange};

#[derive(Serialize)]
struct Line<T> {
    kind: &'static str,
    #[serde(flatten)]
    content: T,
}

/// An exchange that is over.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeLine<'a> {
    operation: &'a str,
    case: &'a str,
    method: &'a str,
    url: &'a str,
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Value>,
}

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    line("run", json::head(listing), out)?;
    write_result(listing, out)
}

fn write_result(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    for entry in &listing.entries {
        line("finding", json::finding(entry), out)?;
    }
    let coverage = listing.report.coverage.as_ref();
    for operation in coverage.into_iter().flat_map(|one| &one.operations) {
        line("coverage", operation, out)?;
    }
    line("summary", json::summary(listing), out)
}

fn line(kind: &'static str, content: impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    // In one piece: whoever follows a file sees no half of a line.
    let line = format!("{}\n", plain::json(&Line { kind, content }));
    out.write_all(line.as_bytes())
}

/// The report of a live check, written while it runs.
#[derive(Debug)]
pub struct Stream<W> {
    out: W,
    started: bool,
}

impl<W: Write> Stream<W> {
    /// A stream into which nothing is written yet.
    pub fn new(out: W) -> Self {
        Self {
            out,
            started: false,
        }
    }

    /// Writes the line of the run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn start(
        &mut self,
        command: &str,
        documents: &[DocumentInfo],
        server: &str,
    ) -> io::Result<()> {
        self.started = true;
        let head = json::Head::new(command, documents, Some(server));
        line("run", head, &mut self.out)
    }

    /// Writes the line of an exchange.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn exchange(&mut self, exchange: &ToldExchange) -> io::Result<()> {
        let failure = exchange.failure.as_ref();
        let content = ExchangeLine {
            operation: &exchange.operation,
            case: &exchange.case,
            method: &exchange.method,
            url: &exchange.url,
            status: exchange.status,
            failure: failure.and_then(|failure| serde_json::to_value(failure).ok()),
            // Microseconds are more than enough.
            duration_ms: (exchange.duration.as_secs_f64() * 1e6).round() / 1e3,
            faults: exchange.findings.iter().map(fault).collect(),
        };
        line("exchange", content, &mut self.out)
    }

    /// Writes the lines of the findings, the coverage and the summary.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn finish(&mut self, report: &Report, view: View) -> io::Result<()> {
        let listing = Listing::new(report, view);
        if !self.started {
            line("run", json::head(&listing), &mut self.out)?;
        }
        write_result(&listing, &mut self.out)?;
        self.out.flush()
    }
}

fn fault(finding: &Finding) -> Value {
    let context = Context::of(finding, Comparison::Single);
    json!({
        "rule": finding.rule,
        "severity": finding.severity,
        "message": words::sentence(&finding.message, &context),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::super::{Format, SCHEMA, sample};
    use super::*;
    use crate::finding::{Failure, ReplayFault, Severity};

    #[test]
    fn findings_are_lines() {
        insta::assert_snapshot!(sample::versionless(Format::Ndjson));
    }

    fn assert_valid(text: &str) {
        let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let root = schema.as_object_mut().unwrap();
        root.retain(|key, _| key == "$defs" || key == "$schema");
        root.insert("$ref".into(), "#/$defs/line".into());
        let validator = jsonschema::validator_for(&schema).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&line)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn every_line_is_valid_against_its_part_of_the_published_schema() {
        for report in [sample::report(), sample::hostile()] {
            assert_valid(&sample::written(Format::Ndjson, &report));
        }
    }

    #[test]
    fn a_stream_has_a_line_for_each_event() {
        let mut out = Vec::new();
        let mut stream = Stream::new(&mut out);
        let report = sample::live();
        let server = "http://localhost:8080";
        stream.start("run", &report.documents, server).unwrap();
        let fault = ReplayFault::HeaderMissing {
            sample: "a".to_owned(),
            header: "X-A".to_owned(),
        };
        let mut exchange = ToldExchange {
            operation: "GET /a (getA)".to_owned(),
            case: "a".to_owned(),
            method: "GET".to_owned(),
            url: "http://localhost:8080/a\u{1b}".to_owned(),
            status: Some(200),
            failure: None,
            duration: Duration::from_nanos(1_234_567),
            findings: vec![Finding::new(
                "header-documented",
                Severity::Breaking,
                "GET /a",
                fault,
            )],
        };
        stream.exchange(&exchange).unwrap();
        exchange.status = None;
        exchange.failure = Some(Failure::Timeout { seconds: 3.0 });
        exchange.findings.clear();
        stream.exchange(&exchange).unwrap();
        stream.finish(&report, View::default()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(sample::is_plain(&text));
        assert_valid(&text);
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let kinds: Vec<&str> = lines
            .iter()
            .map(|line| line["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds[..3], ["run", "exchange", "exchange"]);
        assert_eq!(kinds.last(), Some(&"summary"));
        assert!(kinds.contains(&"finding") && kinds.contains(&"coverage"));
        assert_eq!(lines[1]["durationMs"], 1.235);
        assert_eq!(lines[1]["faults"][0]["rule"], "header-documented");
        assert_eq!(lines[2]["failure"]["kind"], "timeout");
    }
}
