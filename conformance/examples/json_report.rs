//! Compares two files and prints the report in JSON, as `conformance drift --format json` does:
//! `cargo run -p conformance --example json_report -- old.yaml new.yaml`.

use std::io;

use conformance::document::Document;
use conformance::drift::{self, Options};
use conformance::finding::{Comparison, Severity};
use conformance::fingerprint;
use conformance::report::{self, DocumentInfo, Format, Report, View};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [old, new] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: json_report OLD NEW".into());
    };
    let old = Document::load(old)?;
    let new = Document::load(new)?;
    let compared = drift::compare_counted(&old, &new, &Options::default());
    let report = Report {
        command: "drift",
        documents: vec![DocumentInfo::of("old", &old), DocumentInfo::of("new", &new)],
        server: None,
        checked: compared.checked,
        fail_on: Severity::Breaking,
        findings: fingerprint::entries(
            compared.findings,
            Comparison::Versions,
            Some(&old),
            Some(&new),
        ),
        sent: Vec::new(),
        coverage: None,
        ignored: 0,
        unchecked: None,
        notes: Vec::new(),
    };
    report::write(
        Format::Json,
        &report,
        View::default(),
        &mut io::stdout().lock(),
    )?;
    Ok(())
}
