//! `conformance drift`.

use anyhow::Result;
use clap::Args;

use super::output::{BaselineArgs, OutputArgs, write_reports};
use super::refuse_unmatched;
use crate::document::{Operation, Selection};
use crate::fetch;
use crate::finding::{Comparison, Verdict};
use crate::report::{DocumentInfo, Report};
use crate::{drift, fingerprint};

pub(super) const HELP: &str = "Examples:
  conformance drift openapi/conduit.yaml snapshots/conduit.snap.json
  conformance drift openapi/conduit.yaml http://localhost:8080/openapi/conduit.json
  conformance drift theirs.yaml ours.yaml --include 'tag:Webhooks' --fail-on any
  conformance drift theirs.yaml ours.yaml --format json > drift.json
  conformance drift theirs.yaml ours.yaml --report sarif=drift.sarif --report html=drift.html
  conformance drift theirs.yaml ours.yaml --write-baseline accepted.toml --reason 'fixed in May'
  conformance drift theirs.yaml ours.yaml --baseline accepted.toml";

#[derive(Debug, Args)]
pub(super) struct DriftArgs {
    /// The source document, what must be true: a file or URL.
    theirs: String,
    /// The emitted document, what the server says of itself: a file or URL.
    ours: String,
    /// Compare text for readers too (descriptions, summaries, titles), at severity info.
    #[arg(long)]
    prose: bool,
    /// Compare only operations of this operationId, method, path or tag; `*` stands for any text, `id:`, `method:`, `path:` or
    /// `tag:` in front says which is meant (repeatable).
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Leave out operations of this operationId, method, path or tag (repeatable).
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: DriftArgs) -> Result<Verdict> {
    let mut settings = args.output.settle()?;
    let theirs = fetch::load(&args.theirs).await?;
    let ours = fetch::load(&args.ours).await?;
    for document in [&theirs, &ours] {
        document.check_references()?;
    }
    let given = |flags: Vec<String>, file: &mut Vec<String>| {
        if flags.is_empty() {
            std::mem::take(file)
        } else {
            flags
        }
    };
    let include = given(args.include, &mut settings.config.include);
    let exclude = given(args.exclude, &mut settings.config.exclude);
    let selection = Selection::new(include, exclude);
    let all: Vec<Operation<'_>> = [&theirs, &ours]
        .into_iter()
        .flat_map(|one| [one.operations(), one.webhooks()])
        .flatten()
        .collect();
    refuse_unmatched(&selection.unmatched(&all))?;
    let whole = selection.is_everything();
    let options = drift::Options {
        prose: args.prose || settings.config.prose.unwrap_or_default(),
        selection,
    };
    let comparison = drift::compare_counted(&theirs, &ours, &options);
    let entries = fingerprint::entries(
        comparison.findings,
        Comparison::Versions,
        Some(&theirs),
        Some(&ours),
    );
    let (findings, ignored) = args.baseline.judge(entries, whole, &settings)?;
    let report = Report {
        command: "drift",
        documents: vec![
            DocumentInfo::of("old", &theirs),
            DocumentInfo::of("new", &ours),
        ],
        server: None,
        checked: comparison.checked,
        fail_on: settings.fail_on,
        findings,
        ignored,
        unchecked: None,
    };
    write_reports(&report, &settings)
}
