//! `conformance replay` and `conformance generate`.

use std::io::{self, Write};

use anyhow::Result;
use clap::Args;

use super::output::{BaselineArgs, OutputArgs, write_reports};
use super::{input, refuse_unmatched, unchecked};
use crate::finding::{Comparison, Unchecked, Verdict};
use crate::report::{DocumentInfo, Report, words};
use crate::{fingerprint, replay};

pub(super) const HELP: &str = "Examples:
  conformance replay openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --include createWebhook
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --report junit=replay.xml
  curl -s http://localhost:8080/openapi.json | conformance replay - --server http://localhost:8080

Which request gets which answer, how bodies are written and read, and `x-replay`: conformance/REPLAY.md";

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The document: a file, a URL, REV:path for a file of a git revision, or `-` for standard input.
    document: String,
    #[command(flatten)]
    options: replay::Options,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) const GENERATE_HELP: &str = "Examples:
  conformance generate openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance generate openapi/conduit.yaml --server http://localhost:8080 --include createWebhook --max-cases 50
  conformance generate openapi/conduit.yaml --server https://test.example.com --safe

Which requests are generated, and what is expected of the answers: conformance/REPLAY.md";

#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    replay: ReplayArgs,
    #[command(flatten)]
    generate: replay::Generate,
}

pub(super) async fn generate(args: GenerateArgs) -> Result<Verdict> {
    let mut replay = args.replay;
    replay.options.generate = Some(args.generate);
    run(replay).await
}

pub(super) async fn run(args: ReplayArgs) -> Result<Verdict> {
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
    let document = input::load(&args.document).await?;
    let selection = options.selection();
    let documents = [document];
    refuse_unmatched(&selection, &documents)?;
    let [document] = &documents;
    let mut progress = |step| {
        // Progress that cannot be written is no reason to stop.
        let _ = writeln!(io::stderr(), "{}", words::progress(&step));
    };
    let outcome = replay::run(&options, document, &mut progress).await?;
    let excluded = || unchecked(&selection, &documents) == Some(Unchecked::Excluded);
    let reason = |found| match found {
        Unchecked::NoSamples { operations: 0 } if excluded() => Unchecked::Excluded,
        other => other,
    };
    let entries = fingerprint::entries(outcome.findings, Comparison::Single, Some(document), None);
    let whole = selection.is_everything();
    let (findings, ignored) = args.baseline.judge(entries, whole, &settings)?;
    let report = Report {
        command: match options.generate {
            Some(_) => "generate",
            None => "replay",
        },
        documents: vec![DocumentInfo::of("document", document)],
        server: Some(outcome.server),
        checked: outcome.checked.clone(),
        fail_on: settings.fail_on,
        findings,
        sent: outcome.sent,
        ignored,
        unchecked: outcome.unchecked.map(reason),
    };
    write_reports(&report, &settings)
}
