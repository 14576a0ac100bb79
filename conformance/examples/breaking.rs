//! Compares two files and prints the breaking findings:
//! `cargo run -p conformance --example breaking -- old.yaml new.yaml`.

use std::process::ExitCode;

use conformance::document::Document;
use conformance::drift::{self, Options};
use conformance::finding::{Comparison, Severity};
use conformance::report::words;

#[expect(clippy::print_stdout, reason = "a program prints")]
fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let [old, new] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: breaking OLD NEW".into());
    };
    let old = Document::load(old)?;
    let new = Document::load(new)?;
    let mut findings = drift::compare(&old, &new, &Options::default());
    findings.retain(|finding| finding.severity == Severity::Breaking);
    for finding in &findings {
        let sentence = words::of(finding, Comparison::Versions);
        println!("{}: {sentence}", finding.subject);
        if let Some(place) = &finding.new {
            println!("  at {}:{}:{}", place.document, place.line, place.column);
        }
    }
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}
