//! `--from-har`: judging recorded traffic instead of a live server. `--samples-from-har`: sending it again.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::live::LiveArgs;
use super::output::write_reports;
use super::{input, refuse_unmatched};
use crate::case::Case;
use crate::document::Document;
use crate::finding::{Comparison, Unchecked, Verdict};
use crate::report::{DocumentInfo, Report};
use crate::{fingerprint, recorded};

/// The requests of an HTTP Archive that are samples of the document.
pub(super) fn samples(document: &Document, archive: &Path, server: &str) -> Result<Vec<Case>> {
    let shown = archive.display();
    let file = File::open(archive).with_context(|| format!("cannot read {shown}"))?;
    let samples = recorded::samples(document, BufReader::new(file), server)
        .with_context(|| format!("{shown} is not an HTTP Archive"))?;
    if samples.is_empty() {
        bail!(
            "{shown} has no request that belongs to an operation, is allowed by the document, and was answered with 2xx"
        );
    }
    Ok(samples)
}

/// Judges the exchanges of an HTTP Archive; sends nothing.
pub(super) async fn judge(args: LiveArgs, archive: &Path) -> Result<Verdict> {
    let settings = args.output.settle()?;
    let document = input::load(&args.document).await?;
    let mut options = args.options;
    if options.include.is_empty() {
        options.include.clone_from(&settings.config.include);
    }
    if options.exclude.is_empty() {
        options.exclude.clone_from(&settings.config.exclude);
    }
    let selection = options.selection();
    let documents = [document];
    refuse_unmatched(&selection, &documents)?;
    let [document] = &documents;
    let base = Some(options.server.clone()).filter(|server| !server.is_empty());
    let shown = archive.display();
    let file = File::open(archive).with_context(|| format!("cannot read {shown}"))?;
    let whole = selection.is_everything();
    let options = recorded::Options {
        base: base.clone(),
        selection,
        limits: options.limits(),
        show_secrets: options.show_secrets,
    };
    let outcome = recorded::judge(document, BufReader::new(file), &options)
        .with_context(|| format!("{shown} is not an HTTP Archive"))?;
    let entries = fingerprint::entries(outcome.findings, Comparison::Single, Some(document), None);
    let (findings, ignored) = args.baseline.judge(entries, whole, &settings)?;
    let exchanges = outcome.others;
    let report = Report {
        command: "run",
        documents: vec![DocumentInfo::of("document", document)],
        server: base,
        checked: outcome.checked,
        fail_on: settings.fail_on,
        findings,
        sent: Vec::new(),
        coverage: Some(outcome.coverage),
        ignored,
        unchecked: (outcome.judged == 0).then_some(Unchecked::NothingRecorded { exchanges }),
        notes: Vec::new(),
    };
    write_reports(&report, &settings)
}
