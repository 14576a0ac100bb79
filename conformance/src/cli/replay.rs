//! `conformance replay`.

use std::collections::BTreeMap;
use std::io;

use anyhow::Result;
use clap::Args;

use super::output::{BaselineArgs, OutputArgs, write_reports};
use super::{input, refuse_unmatched, unchecked};
use crate::document::{Document, Selection};
use crate::finding::{Comparison, Verdict};
use crate::report::{DocumentInfo, Report, Unchecked};
use crate::{fingerprint, replay};

pub(super) const HELP: &str = "Examples:
  conformance replay openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --include createWebhook
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --report junit=replay.xml
  curl -s http://localhost:8080/openapi.json | conformance replay - --server http://localhost:8080";

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The document: a file, a URL, `REV:path` for a file of a git revision, or `-` for standard input.
    document: String,
    #[command(flatten)]
    options: replay::Options,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
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
    let outcome = replay::run(&options, document, &mut io::stderr()).await?;
    let entries = fingerprint::entries(outcome.findings, Comparison::Single, Some(document), None);
    let whole = selection.is_everything();
    let (findings, ignored) = args.baseline.judge(entries, whole, &settings)?;
    let report = Report {
        command: "replay",
        documents: vec![DocumentInfo::of("document", document)],
        server: Some(outcome.server),
        checked: outcome.checked.clone(),
        fail_on: settings.fail_on,
        findings,
        ignored,
        unchecked: nothing_sent(&outcome.checked, &selection, &documents),
    };
    write_reports(&report, &settings)
}

/// Why a run that sent nothing has no result.
fn nothing_sent(
    checked: &BTreeMap<&'static str, usize>,
    selection: &Selection,
    documents: &[Document],
) -> Option<Unchecked> {
    let count = |noun| checked.get(noun).copied().unwrap_or_default();
    if count("replayed samples") > 0 {
        return None;
    }
    let samples = count("unreplayable samples") + count("unchecked samples");
    let operations = count("operations");
    match (operations, samples) {
        (0, _) => unchecked(selection, documents)
            .filter(|reason| *reason == Unchecked::Excluded)
            .or(Some(Unchecked::NoSamples { operations })),
        (_, 0) => Some(Unchecked::NoSamples { operations }),
        _ => Some(Unchecked::NothingSent { samples }),
    }
}
