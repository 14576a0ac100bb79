//! The command line: arguments in, reports and an exit code out. Called by `main`; decides nothing about documents itself.

mod check;
mod drift;
mod output;
mod replay;
mod rules;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};

use crate::finding::Verdict;
use crate::report;

const EXIT_CODES: &str = "Exit codes:
  0  conforms
  1  findings at or above --fail-on
  2  could not check (bad arguments, unreadable document, no server)";

const PRINTED: &str = "Exit codes:
  0  printed
  2  bad arguments, or standard output cannot be written";

const OVERVIEW: &str = "Settings are read from conformance.toml in the working directory, or from the file that --config names.";

const SCHEMA_HELP: &str = "Examples:
  conformance schema report > report.schema.json";

/// Holds a server to its OpenAPI document.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, about, after_help = join(OVERVIEW), disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare two documents: where does OURS differ from THEIRS?
    ///
    /// Documents are YAML or JSON, OpenAPI 2.0, 3.0, 3.1 or 3.2, in files or at http or https URLs, with the files that they refer
    /// to. Equivalent spellings are no difference; each difference is one finding, with its place in both documents and, in a
    /// schema, a payload that one side accepts and the other refuses.
    #[command(after_help = join(drift::HELP))]
    Drift(drift::DriftArgs),
    /// Send the samples of a document to a live server and hold the answers to it.
    #[command(after_help = join(replay::HELP))]
    Replay(replay::ReplayArgs),
    /// Compare all pairs of documents that conformance.toml names, in CI for example.
    ///
    /// With --base, each document is also compared with what it was at the merge base, so that a change is judged against what was
    /// published.
    #[command(after_help = join(check::HELP))]
    Check(check::CheckArgs),
    /// List all rules: id, severity, meaning and an example.
    #[command(after_help = printed(rules::HELP))]
    Rules(rules::RulesArgs),
    /// Print a JSON Schema that this tool publishes.
    #[command(after_help = printed(SCHEMA_HELP))]
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

fn join(text: &str) -> String {
    format!("{text}\n\n{EXIT_CODES}")
}

/// The help of a command that judges nothing.
fn printed(text: &str) -> String {
    format!("{text}\n\n{PRINTED}")
}

/// Parses the command line, does what it says, and gives the exit code.
pub async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command).await {
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
    report::plain_line(&line)
}

async fn run(command: Command) -> Result<Verdict> {
    match command {
        Command::Drift(args) => drift::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Rules(args) => print(&rules::list(&args)),
        Command::Schema {
            what: Published::Report,
        } => print(report::SCHEMA),
    }
}

fn print(text: &str) -> Result<Verdict> {
    tolerate_closed(io::stdout().lock().write_all(text.as_bytes()))?;
    Ok(Verdict::Conforms)
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

/// Whoever closes the pipe, such as `head`, has read enough.
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
