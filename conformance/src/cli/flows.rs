//! `conformance flows`.

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Result;
use clap::Args;

use super::access::{AccessArgs, settle_server};
use super::output::{BaselineArgs, OutputArgs, write_reports};
use super::progress::ProgressLine;
use super::replay::stop_on_signal;
use super::{Given, input, refuse_unmatched, unchecked};
use crate::finding::{Comparison, Unchecked, Verdict};
use crate::report::{DocumentInfo, Report, words};
use crate::{clock, fingerprint, flows, replay};

pub(super) const HELP: &str = "Examples:
  conformance flows openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance flows openapi.yaml --server https://test.example.com --header 'Authorization: Bearer A' \\
      --second-user 'Authorization: Bearer B'
  conformance flows openapi.yaml --server https://test.example.com --safe

Which operations belong together, what is sent, and what is expected: conformance/FLOWS.md";

#[derive(Debug, Args)]
pub(super) struct FlowsArgs {
    /// The document: a file, a URL, REV:path for a file of a git revision, or `-` for standard input.
    document: String,
    #[command(flatten)]
    options: replay::Options,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    flows: flows::Settings,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: FlowsArgs, given: &Given) -> Result<Verdict> {
    let mut settings = args.output.settle()?;
    let mut options = args.options;
    if options.include.is_empty() {
        options.include = std::mem::take(&mut settings.config.include);
    }
    if options.exclude.is_empty() {
        options.exclude = std::mem::take(&mut settings.config.exclude);
    }
    for (name, value) in settings.config.headers(&|name| std::env::var(name).ok())? {
        let given = |(known, _): &(String, String)| known.eq_ignore_ascii_case(&name);
        if !options.headers.iter().any(given) {
            options.headers.push((name, value));
        }
    }
    settle_server(&settings.config, given, &mut options)?;
    args.access.settle(&settings.config, &mut options)?;
    let document = input::load(&args.document).await?;
    let selection = options.selection();
    let documents = [document];
    refuse_unmatched(&selection, &documents)?;
    let [document] = &documents;
    stop_on_signal(&options.stop);
    let line = ProgressLine::start();
    line.sending(Arc::clone(&options.count));
    let mut progress = |step| {
        line.erase();
        // Progress that cannot be written is no reason to stop.
        let _ = writeln!(io::stderr(), "{}", words::progress(&step));
    };
    let how = flows::Settings {
        nonce: clock::nonce(),
        ..args.flows
    };
    let outcome = flows::check(&options, &how, document, &mut progress).await?;
    drop(line);
    let excluded = || unchecked(&selection, &documents) == Some(Unchecked::Excluded);
    let reason = |found| {
        if excluded() {
            Unchecked::Excluded
        } else {
            found
        }
    };
    let entries = fingerprint::entries(outcome.findings, Comparison::Single, Some(document), None);
    let (findings, ignored) = args
        .baseline
        .judge(entries, selection.is_everything(), &settings)?;
    let report = Report {
        command: "flows",
        documents: vec![DocumentInfo::of("document", document)],
        server: Some(outcome.server),
        checked: outcome.checked,
        fail_on: settings.fail_on,
        findings,
        sent: outcome.sent,
        ignored,
        unchecked: outcome.unchecked.map(reason),
        notes: outcome.notes,
    };
    write_reports(&report, &settings)
}
