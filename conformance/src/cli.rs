//! The command line: arguments in, reports and an exit code out. Called by `main`; decides nothing about documents itself.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::document::{Document, Operation, Selection, fetch};
use crate::finding::{Severity, Verdict};
use crate::report::{self, DocumentInfo, Format, Report};
use crate::{drift, fingerprint, replay};

const EXIT_CODES: &str = "Exit codes:
  0  conforms
  1  findings at or above --fail-on
  2  could not check (bad arguments, unreadable document, no server)";

const DRIFT_HELP: &str = "Examples:
  conformance drift openapi/conduit.yaml snapshots/conduit.snap.json
  conformance drift openapi/conduit.yaml http://localhost:8080/openapi/conduit.json
  conformance drift theirs.yaml ours.yaml --include 'tag:Webhooks' --fail-on any
  conformance drift theirs.yaml ours.yaml --format json > drift.json
  conformance drift theirs.yaml ours.yaml --report json=drift.json";

const REPLAY_HELP: &str = "Examples:
  conformance replay openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --include createWebhook
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --report json=replay.json";

const SCHEMA_HELP: &str = "Examples:
  conformance schema report > report.schema.json";

/// Holds a server to its OpenAPI document.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, about, after_help = EXIT_CODES, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare two documents: where does OURS differ from THEIRS?
    ///
    /// Documents are YAML or JSON, OpenAPI 3.0, 3.1 or 3.2, in files or at http or https URLs. Equivalent spellings are no
    /// difference; each difference is one finding, with its place in both documents.
    #[command(after_help = join(DRIFT_HELP))]
    Drift(DriftArgs),
    /// Send the samples of a document to a live server and hold the answers to it.
    #[command(after_help = join(REPLAY_HELP))]
    Replay(ReplayArgs),
    /// Print a JSON Schema that this tool publishes.
    #[command(after_help = SCHEMA_HELP)]
    Schema {
        /// Which one.
        what: Published,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Published {
    /// The schema of `--format json`.
    Report,
}

fn join(examples: &str) -> String {
    format!("{examples}\n\n{EXIT_CODES}")
}

#[derive(Debug, Args)]
struct DriftArgs {
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
    output: OutputArgs,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    /// The document: a file or URL.
    document: String,
    #[command(flatten)]
    options: replay::Options,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
struct OutputArgs {
    /// How findings are written to standard output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
    /// Write a report to a file as well, such as `json=report.json` (repeatable).
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report_file)]
    reports: Vec<(Format, PathBuf)>,
    /// The least severity that fails; each includes those before it.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Undecided)]
    fail_on: FailOn,
    /// Whether text has colors; `auto` is on a terminal without `NO_COLOR`.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    Breaking,
    Undecided,
    Warning,
    Any,
}

impl FailOn {
    fn severity(self) -> Severity {
        match self {
            Self::Breaking => Severity::Breaking,
            Self::Undecided => Severity::Undecided,
            Self::Warning => Severity::Warning,
            Self::Any => Severity::Info,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    fn is_on(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // See no-color.org: set and not empty.
            Self::Auto => {
                let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
                io::stdout().is_terminal()
                    && set("NO_COLOR").is_none()
                    && set("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

fn report_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .ok_or("write it as FORMAT=FILE, such as json=report.json")?;
    let known = || {
        Format::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value)
            .map(|value| value.get_name().to_owned())
    };
    let format = Format::from_str(format, false).map_err(|_| {
        format!(
            "there is no format `{format}`; the formats are {}",
            known().collect::<Vec<_>>().join(", ")
        )
    })?;
    if file.is_empty() {
        return Err("the file is missing after `=`".to_owned());
    }
    Ok((format, PathBuf::from(file)))
}

/// Parses the command line, does what it says, and gives the exit code.
pub async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command).await {
        Ok(Verdict::Conforms) => ExitCode::SUCCESS,
        Ok(Verdict::Deviates) => ExitCode::from(1),
        Err(error) => {
            // Standard error may be closed; the exit code says it as well.
            let _ = writeln!(io::stderr(), "error: {}", one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// The chain of causes in one line; messages that contain their cause are not followed by it again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.contains(&cause) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&cause);
        }
    }
    line.replace(['\n', '\r'], " ")
}

async fn run(command: Command) -> Result<Verdict> {
    match command {
        Command::Drift(args) => run_drift(args).await,
        Command::Replay(args) => run_replay(args).await,
        Command::Schema {
            what: Published::Report,
        } => {
            tolerate_closed(io::stdout().lock().write_all(report::SCHEMA.as_bytes()))?;
            Ok(Verdict::Conforms)
        }
    }
}

async fn run_drift(args: DriftArgs) -> Result<Verdict> {
    let theirs = fetch::load(&args.theirs).await?;
    let ours = fetch::load(&args.ours).await?;
    let selection = Selection::new(args.include, args.exclude);
    let all: Vec<Operation<'_>> = [&theirs, &ours]
        .into_iter()
        .flat_map(|one| [one.operations(), one.webhooks()])
        .flatten()
        .collect();
    refuse_unmatched(&selection.unmatched(&all))?;
    let options = drift::Options {
        prose: args.prose,
        selection,
    };
    let comparison = drift::compare_counted(&theirs, &ours, &options);
    let report = Report {
        command: "drift",
        documents: vec![
            DocumentInfo::of("theirs", &theirs),
            DocumentInfo::of("ours", &ours),
        ],
        server: None,
        checked: comparison.checked,
        fail_on: args.output.fail_on.severity(),
        findings: fingerprint::entries(comparison.findings, Some(&theirs), Some(&ours)),
        ignored: 0,
    };
    write_reports(&report, &args.output)
}

async fn run_replay(args: ReplayArgs) -> Result<Verdict> {
    let document: Document = fetch::load(&args.document).await?;
    let operations = document.operations();
    let patterns = args.options.include.iter().chain(&args.options.exclude);
    let unmatched = patterns.map(String::as_str).filter(|pattern| {
        let alone = replay::Options {
            include: vec![(*pattern).to_owned()],
            exclude: Vec::new(),
            ..args.options.clone()
        };
        !operations.iter().any(|operation| alone.selects(operation))
    });
    refuse_unmatched(&unmatched.collect::<Vec<_>>())?;
    let outcome = replay::run(&args.options, &document, &mut io::stderr()).await?;
    let report = Report {
        command: "replay",
        documents: vec![DocumentInfo::of("document", &document)],
        server: Some(outcome.server),
        checked: outcome.checked,
        fail_on: args.output.fail_on.severity(),
        findings: fingerprint::entries(outcome.findings, Some(&document), None),
        ignored: 0,
    };
    write_reports(&report, &args.output)
}

/// A pattern that chooses nothing is a typing error; without this a check would pass by looking at nothing.
fn refuse_unmatched(patterns: &[&str]) -> Result<()> {
    if patterns.is_empty() {
        return Ok(());
    }
    let quoted: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    bail!(
        "no operation has the operationId, method, path or tag {}; correct --include or --exclude",
        quoted.join(", ")
    )
}

fn write_reports(report: &Report, output: &OutputArgs) -> Result<Verdict> {
    for (format, path) in &output.reports {
        let context = || {
            format!(
                "{}: the report cannot be written; check the path",
                path.display()
            )
        };
        let mut file = BufWriter::new(File::create(path).with_context(context)?);
        report::write(*format, report, false, &mut file)
            .and_then(|()| file.flush())
            .with_context(context)?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = report::write(output.format, report, output.color.is_on(), &mut out)
        .and_then(|()| out.flush());
    tolerate_closed(written)?;
    Ok(report.verdict())
}

/// Whoever closes the pipe, such as `head`, has read enough.
fn tolerate_closed(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output cannot be written"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_report_is_a_format_and_a_file() {
        assert_eq!(
            report_file("json=a=b.json"),
            Ok((Format::Json, PathBuf::from("a=b.json")))
        );
        for text in ["json", "pdf=a", "json="] {
            assert!(report_file(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cause_is_not_said_twice() {
        let error = anyhow::Error::msg("inner")
            .context("outer: inner; do this")
            .context("first");
        assert_eq!(one_line(&error), "first: outer: inner; do this");
    }
}
