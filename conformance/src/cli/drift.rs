//! `conformance drift`.

use anyhow::Result;
use clap::Args;

use super::output::{BaselineArgs, OutputArgs, write_reports};
use super::progress::ProgressLine;
use super::{input, refuse_unmatched, uncompared};
use crate::document::{Document, Selection};
use crate::finding::{Comparison, Verdict};
use crate::report::{DocumentInfo, Report};
use crate::{drift, fingerprint};

pub(super) const HELP: &str = "A document is a file, an http or https URL, `-` for standard input, or REV:path for a file of a git revision. The path begins
at the root of the repository, or in the working directory as in main:./api.yaml. A file that exists is read even if its
name has a colon; ./ in front says that a name is a file's.

Examples:
  conformance drift main:openapi.yaml openapi.yaml
  conformance drift v1.yaml https://example.com/openapi.json --fail-on breaking
  curl -s http://localhost:8080/openapi.json | conformance drift openapi.yaml -
  conformance drift old.yaml new.yaml --include 'tag:Orders' --show breaking
  conformance drift old.yaml new.yaml --format json > drift.json
  conformance drift old.yaml new.yaml --report sarif=drift.sarif --report html=drift.html
  conformance drift old.yaml new.yaml --write-baseline accepted.toml --reason 'agreed with all clients'
  conformance drift old.yaml new.yaml --baseline accepted.toml
  conformance drift --lockstep openapi/orders.yaml target/orders.json";

#[derive(Debug, Args)]
pub(super) struct DriftArgs {
    /// The old version; with --lockstep the source document.
    #[arg(value_name = "OLD")]
    old: String,
    /// The new version; with --lockstep the document that the server emits.
    #[arg(value_name = "NEW")]
    new: String,
    /// Compare a source document with an emitted one, which must agree; reports say which one to change.
    #[arg(long)]
    lockstep: bool,
    /// Also compare descriptions, summaries and titles, at severity info.
    #[arg(long)]
    prose: bool,
    /// Compare only operations with this operationId, method, path or tag; `*` stands for any text, and the prefixes `id:`,
    /// `method:`, `path:` and `tag:` say which one is meant (repeatable).
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Leave out operations with this operationId, method, path or tag (repeatable).
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: DriftArgs) -> Result<Verdict> {
    let mut settings = args.output.settle()?;
    input::refuse_two_stdins([&args.old, &args.new])?;
    let line = ProgressLine::start();
    let old = load(&args.old, &line).await?;
    let new = load(&args.new, &line).await?;
    // The process ends with the comparison, and freeing a large document takes as long as a quarter of reading it.
    let documents = std::mem::ManuallyDrop::new([old, new]);
    let [old, new] = &*documents;
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
    refuse_unmatched(&selection, &*documents)?;
    let unchecked = uncompared(&selection, &*documents);
    let whole = selection.is_everything();
    let options = drift::Options {
        prose: args.prose || settings.config.prose.unwrap_or_default(),
        selection,
        progress: line.comparing(),
    };
    let comparison = drift::compare_counted(old, new, &options);
    drop(line);
    let relation = if args.lockstep {
        Comparison::Lockstep
    } else {
        Comparison::Versions
    };
    let entries = fingerprint::entries(comparison.findings, relation, Some(old), Some(new));
    let (findings, ignored) = args.baseline.judge(entries, whole, &settings)?;
    let report = Report {
        command: "drift",
        documents: vec![DocumentInfo::of("old", old), DocumentInfo::of("new", new)],
        server: None,
        checked: comparison.checked,
        fail_on: settings.fail_on,
        findings,
        sent: Vec::new(),
        coverage: None,
        ignored,
        unchecked,
        notes: Vec::new(),
    };
    write_reports(&report, &settings)
}

async fn load(source: &str, line: &ProgressLine) -> Result<Document> {
    line.loading(source);
    let document = input::load(source).await?;
    document.check_references()?;
    Ok(document)
}
