//! Checks the samples of a document against its own schemas:
//! `cargo run -p conformance --example samples -- openapi.yaml`.

use std::process::ExitCode;

use conformance::document::Document;
use conformance::finding::Comparison;
use conformance::report::words;
use conformance::samples;
use conformance::schema::Schemas;

#[expect(clippy::print_stdout, reason = "a program prints")]
fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let [document] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: samples DOCUMENT".into());
    };
    let document = Document::load(document)?;
    let schemas = Schemas::new(&document);
    let findings = samples::faults(&document, &schemas, &|_| true);
    for finding in &findings {
        let sentence = words::of(finding, Comparison::Single);
        println!(
            "{}: {}: {sentence}",
            finding.severity.word(),
            finding.subject
        );
    }
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}
