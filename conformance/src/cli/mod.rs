//! The command line: from arguments to reports and an exit code. Called by `main`; decides nothing about documents itself.

mod access;
mod check;
mod deliveries;
mod drift;
mod explain;
mod flows;
mod init;
mod input;
mod live;
mod output;
mod progress;
mod receiver;
mod recorded;
mod replay;
mod reproduce;
mod rules;

use std::collections::HashSet;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::document::{Document, Operation, Selection};
use crate::drift::compares_schemas;
use crate::finding::Verdict;
use crate::report::Unchecked;
use crate::{config, hooks, near, report};

/// Prefixes allowed before the colon of an `--include` pattern.
const KINDS: [&str; 4] = ["id", "method", "path", "tag"];

const EXIT_CODES: &str = "Exit codes:
  0  conforms
  1  findings at or above --fail-on
  2  could not check: bad arguments, unreadable document, no server, or nothing to check";

const PRINTED: &str = "Exit codes:
  0  printed
  2  bad arguments, or cannot write to standard output";

const WRITTEN: &str = "Exit codes:
  0  written
  2  bad arguments, the file exists, or cannot write it";

const OVERVIEW: &str = "Examples:
  conformance drift main:openapi.yaml openapi.yaml
  conformance check --base origin/main
  conformance replay openapi.yaml --server http://localhost:8080
  conformance run openapi.yaml --server http://localhost:8080
  conformance flows openapi.yaml --server http://localhost:8080
  conformance reproduce report.json
  conformance receiver openapi.yaml --target http://localhost:3000/webhooks --secret '${SECRET}'
  conformance explain schema-enum-changed

Settings are read from conformance.toml in the working directory, or from the file that --config names; `conformance init`
writes a first one.";

const SCHEMA_HELP: &str = "Examples:
  conformance schema report > report.schema.json
  conformance schema config > conformance.schema.json
  conformance schema webhook-signature > webhook-signature.schema.json";

const COMPLETIONS_HELP: &str = "Examples:
  conformance completions bash > ~/.local/share/bash-completion/completions/conformance
  conformance completions zsh > \"${fpath[1]}/_conformance\"
  conformance completions fish > ~/.config/fish/completions/conformance.fish
  conformance completions powershell >> $PROFILE";

/// Compares OpenAPI documents, and checks servers and handlers of webhooks against them.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, about, after_help = join(OVERVIEW), disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare two versions of a document, or a source document with an emitted one.
    ///
    /// Documents are YAML or JSON of OpenAPI 2.0, 3.0, 3.1 or 3.2, with the files that they refer to. Each difference is one
    /// finding: who is affected, where it is in both documents and, in a schema, a value that only one of them allows. Another
    /// spelling of the same thing is not a difference.
    #[command(after_help = join(drift::HELP))]
    Drift(drift::DriftArgs),
    /// Send the samples of a document to a live server and check the answers against the document.
    #[command(after_help = join(replay::HELP))]
    Replay(live::LiveArgs),
    /// Send generated requests to a live server besides the samples: valid ones, and ones with a flaw that it should refuse.
    ///
    /// Each constraint of bodies and parameters is tried just inside and just outside its bound; required members are left out, types,
    /// formats and patterns broken, credentials omitted, other methods and content types used. The same document gives the same
    /// requests. What the run creates it deletes. Do not point it at a server whose data matters.
    #[command(after_help = join(replay::GENERATE_HELP))]
    Generate(replay::GenerateArgs),
    /// Check a live server against its document: samples, generated requests, valid and invalid, and sequences of operations.
    ///
    /// Sends the samples of the document, then requests of its own: each constraint of bodies and parameters just inside and just outside
    /// its bound, required members left out, types, formats and patterns broken, credentials omitted, other methods and content types
    /// used; then sequences that create, read, list, update and delete. The report names the most serious findings first, each with a command that shows it again. The same document, seed and server
    /// give the same findings. What the run creates it deletes. Do not point it at a server whose data matters, or use --safe.
    #[command(after_help = join(replay::RUN_HELP))]
    Run(replay::RunArgs),
    /// Run sequences of operations against a live server: create, read, list, update, delete.
    ///
    /// The document tells which operations belong together. What was created can be read and is listed, what was written is what is
    /// read, an update changes only what was sent, what was deleted is gone, lists give every item once. What the run creates it
    /// deletes. Do not point it at a server whose data matters, except with --safe.
    #[command(after_help = join(flows::HELP))]
    Flows(flows::FlowsArgs),
    /// Send the requests of a JSON report again, and say whether its findings are still there.
    ///
    /// The document and the server are those of the report, unless options name others. What a request is about is created anew, and
    /// deleted afterwards; a finding about a sequence of requests is shown by the whole sequence.
    #[command(after_help = format!("{}\n\n{}", reproduce::HELP, reproduce::EXIT_CODES))]
    Reproduce(reproduce::ReproduceArgs),
    /// Receive the webhooks that a server sends, and judge them: bodies, signatures, retries.
    ///
    /// Opens a receiver on loopback, registers it through the API's own operation, triggers each event type of the document and judges
    /// what arrives. Then answers by script, and holds the server to the promises of x-webhook-delivery. What the run registers it deletes.
    #[command(after_help = join(deliveries::HELP))]
    Deliveries(Box<deliveries::DeliveriesArgs>),
    /// Send good and broken deliveries of webhooks to your handler, and judge its answers.
    ///
    /// Samples and generated payloads, signed as the document says, must be accepted in time. Forged, changed and old deliveries must be
    /// refused. Unknown event types and members, broken bodies and repetitions must not break the handler; with --effect, a delivery
    /// that comes twice, also at once, must have its effect once. The report has a curl command for each finding. Do not point it at a
    /// handler whose data matters.
    #[command(after_help = join(receiver::HELP))]
    Receiver(Box<receiver::ReceiverArgs>),
    /// Compare all pairs of documents of conformance.toml, for example in CI.
    ///
    /// The two documents of a pair must agree. With --base, each document is also compared with what it was at the merge base, which
    /// finds changes that break clients although both documents agree on them.
    #[command(after_help = join(check::HELP))]
    Check(check::CheckArgs),
    /// List all rules: id, severity, meaning and an example.
    #[command(after_help = printed(rules::HELP))]
    Rules(rules::RulesArgs),
    /// Explain a rule: its meaning, severity, an example, and how to accept what it finds.
    #[command(after_help = printed(explain::HELP))]
    Explain(explain::ExplainArgs),
    /// Write a first conformance.toml, with a pair for each OpenAPI document that is found.
    #[command(after_help = format!("{}\n\n{WRITTEN}", init::HELP))]
    Init(init::InitArgs),
    /// Print the JSON Schema of reports, of conformance.toml, or of an extension for webhooks.
    #[command(after_help = printed(SCHEMA_HELP))]
    Schema {
        /// Schema to print.
        what: Published,
    },
    /// Print a script that completes commands and options in a shell.
    #[command(after_help = printed(COMPLETIONS_HELP))]
    Completions {
        /// Shell to write the script for.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Published {
    /// Schema of the reports of `--format json`.
    Report,
    /// Schema of conformance.toml, for editors.
    Config,
    /// Schema of the extension x-webhook-signature.
    WebhookSignature,
    /// Schema of the extension x-webhook-delivery.
    WebhookDelivery,
}

fn join(text: &str) -> String {
    format!("{text}\n\n{EXIT_CODES}")
}

/// The help of a command that only prints.
fn printed(text: &str) -> String {
    format!("{text}\n\n{PRINTED}")
}

/// Parses the command line, runs the command, and returns the exit code.
pub async fn main() -> ExitCode {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(cli.command, &Given::of(&matches)).await {
        Ok(Verdict::Conforms) => ExitCode::SUCCESS,
        Ok(Verdict::Deviates) => ExitCode::from(1),
        Ok(Verdict::NothingChecked) => ExitCode::from(2),
        Err(error) => {
            // Standard error may be closed; the exit code says it as well.
            let _ = writeln!(io::stderr(), "error: {}", one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// The command line as clap has it, for tests that hold other files to it.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// The chain of causes in one line, without those that the message before them contains.
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
    report::plain_line(&line)
}

/// The options that the command line gives, by name: the settings replace the defaults of all others.
#[derive(Debug, Default)]
struct Given(HashSet<String>);

impl Given {
    fn of(matches: &ArgMatches) -> Self {
        let Some((_, matches)) = matches.subcommand() else {
            return Self::default();
        };
        let ids = matches.ids().map(clap::Id::as_str);
        let given = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
        Self(ids.filter(given).map(str::to_owned).collect())
    }

    fn contains(&self, option: &str) -> bool {
        self.0.contains(option)
    }
}

async fn run(command: Command, given: &Given) -> Result<Verdict> {
    match command {
        Command::Drift(args) => drift::run(args).await,
        Command::Replay(args) => replay::run(args, given).await,
        Command::Generate(args) => replay::generate(args, given).await,
        Command::Run(args) => replay::everything(args, given).await,
        Command::Flows(args) => flows::run(args, given).await,
        Command::Reproduce(args) => reproduce::run(args, given).await,
        Command::Deliveries(args) => Box::pin(deliveries::run(*args, given)).await,
        Command::Receiver(args) => receiver::run(*args).await,
        Command::Check(args) => check::run(args).await,
        Command::Rules(args) => print(&rules::list(&args)),
        Command::Explain(args) => print(&explain::explain(&args)?),
        Command::Init(args) => print(&init::init(&args)?),
        Command::Schema {
            what: Published::Report,
        } => print(report::SCHEMA),
        Command::Schema {
            what: Published::Config,
        } => print(&config::schema()),
        Command::Schema {
            what: Published::WebhookSignature,
        } => print(hooks::SIGNATURE_SCHEMA),
        Command::Schema {
            what: Published::WebhookDelivery,
        } => print(hooks::DELIVERY_SCHEMA),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut self::command(), "conformance", &mut script);
            write(&script)
        }
    }
}

fn print(text: &str) -> Result<Verdict> {
    write(text.as_bytes())
}

fn write(text: &[u8]) -> Result<Verdict> {
    tolerate_closed(io::stdout().lock().write_all(text))?;
    Ok(Verdict::Conforms)
}

/// All operations and webhooks of some documents.
fn operations(documents: &[Document]) -> Vec<Operation<'_>> {
    let both = documents
        .iter()
        .flat_map(|document| [document.operations(), document.webhooks()]);
    both.flatten().collect()
}

/// Why a run that looks at these documents has no result, if it looks at nothing in them.
fn unchecked(selection: &Selection, documents: &[Document]) -> Option<Unchecked> {
    if !documents.iter().any(Document::has_operations) {
        return Some(Unchecked::Empty);
    }
    let selects = || {
        let operations = operations(documents);
        operations.iter().any(|one| selection.selects(one))
    };
    (!selection.is_everything() && !selects()).then_some(Unchecked::Excluded)
}

/// Why a comparison of these documents has no result, if it looks at nothing in them. Schemas alone are compared too.
fn uncompared(selection: &Selection, documents: &[Document]) -> Option<Unchecked> {
    let compared = match documents {
        [old, new] => compares_schemas(old, new),
        documents => documents.iter().all(Document::is_schemas_only),
    };
    let schemas = selection.is_everything() && compared;
    unchecked(selection, documents).filter(|_| !schemas)
}

/// Refuses patterns that match no operation or webhook: they are misspelled, and the check would pass by looking at nothing.
fn refuse_unmatched(selection: &Selection, documents: &[Document]) -> Result<()> {
    refuse_unmatched_of(selection, &operations(documents))
}

/// As [`refuse_unmatched`], for some operations.
fn refuse_unmatched_of(selection: &Selection, operations: &[Operation<'_>]) -> Result<()> {
    if selection.is_everything() {
        return Ok(());
    }
    let unmatched = selection.unmatched(operations);
    let [first, ..] = unmatched[..] else {
        return Ok(());
    };
    let (kind, name) = first
        .split_once(':')
        .filter(|(kind, _)| KINDS.contains(kind))
        .unwrap_or(("", first));
    let names = operations.iter().flat_map(|operation| {
        let id = operation.id.map(|id| ("id", id.to_owned()));
        let both = format!("{} {}", operation.method, operation.path);
        let tags = operation
            .tags()
            .into_iter()
            .map(|tag| ("tag", tag.to_owned()));
        let own = [("path", operation.path.to_owned()), ("", both)];
        own.into_iter().chain(id).chain(tags)
    });
    let names: Vec<String> = names
        .filter(|(of, _)| kind.is_empty() || kind == *of)
        .map(|(_, name)| name)
        .collect();
    let hint = near::nearest(name, names.iter().map(String::as_str)).map_or_else(
        || "correct --include or --exclude".to_owned(),
        |near| {
            let colon = if kind.is_empty() { "" } else { ":" };
            format!("did you mean `{kind}{colon}{near}`?")
        },
    );
    let quoted: Vec<String> = unmatched
        .iter()
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    bail!(
        "no operation has the operationId, method, path or tag {}; {hint}",
        quoted.join(", ")
    )
}

/// A reader that closes the pipe, such as `head`, has read enough.
fn tolerate_closed(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output cannot be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn a_cause_is_not_said_twice() {
        let error = anyhow::Error::msg("inner")
            .context("outer: inner; do this")
            .context("first");
        assert_eq!(one_line(&error), "first: outer: inner; do this");
    }
}
