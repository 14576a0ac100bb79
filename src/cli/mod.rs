//! The commands. Each reads its arguments, calls the library and prints; nothing below prints.

mod backup;
mod client;
mod deliveries;
mod environment;
mod events;
mod follow;
mod health;
mod keys;
mod layout;
mod list;
mod listen;
mod names;
mod openapi;
mod operator;
mod publish;
mod retry;
mod serve;
mod table;
mod terminal;
mod usage;
mod webhooks;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::ConfigError;
use crate::server::StartError;
use crate::storage::{KeyFileError, StoreError};
use crate::telemetry::LogError;

/// A webhook API server that is true to its documentation.
#[derive(Debug, Parser)]
#[command(name = "truehook", version, about, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the APIs, their documents and Swagger UI
    #[command(after_help = serve::EXAMPLES)]
    Serve(Box<serve::Arguments>),
    /// Ask a server whether it is ready, as the health check of a container does
    #[command(after_help = health::EXAMPLES)]
    Health(health::Arguments),
    /// Print the OpenAPI document that an API emits
    #[command(after_help = openapi::EXAMPLES)]
    Openapi(openapi::Arguments),
    /// Make, list and revoke API keys; change the encryption key
    #[command(after_help = keys::EXAMPLES)]
    Keys(keys::Arguments),
    /// Copy the database while a server runs
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Arguments),
    /// Publish an event; its type's sample payload is used unless --data gives another
    #[command(after_help = publish::EXAMPLES)]
    Publish(publish::Arguments),
    /// Register a receiver on this machine, print each delivery, and verify its signature
    #[command(after_help = listen::EXAMPLES)]
    Listen(listen::Arguments),
    /// List deliveries, or show one with all its attempts
    #[command(after_help = deliveries::EXAMPLES)]
    Deliveries(deliveries::Arguments),
    /// List events, or show one with its payload
    #[command(after_help = events::EXAMPLES)]
    Events(events::Arguments),
    /// List the webhooks of every provider and owner, or show one
    #[command(after_help = webhooks::EXAMPLES)]
    Webhooks(webhooks::Arguments),
    /// Attempt deliveries again now
    #[command(after_help = retry::EXAMPLES)]
    Retry(retry::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  truehook serve                             a sandbox on http://127.0.0.1:8080/docs/
  truehook openapi conduit --format yaml     the document of the Conduit API
  truehook keys create --provider conduit    credentials for a new client
  truehook listen conduit customer.created   register a receiver and print what it gets
  truehook publish conduit customer.created  publish an event
  truehook deliveries                        what became of it
  truehook backup truehook-copy.db           copy the database

Exit codes: 0 done, 1 failed, 2 wrong usage or a setting that cannot be used.";

/// Whether the program takes this command line.
#[cfg(test)]
pub(crate) fn parses(words: impl IntoIterator<Item = std::ffi::OsString>) -> bool {
    usage::try_parse(words).is_ok()
}

/// The exit code of wrong usage, as clap has it, and of settings that cannot be used.
const WRONG_USAGE: u8 = 2;

/// Runs the command that the arguments name. Failures are a line on standard error, one more for each fault that an API names, and an exit
/// code: 2 for settings that cannot be used, 1 for everything else.
pub fn main() -> ExitCode {
    let command = usage::parse().command;
    // The server says so in its log.
    if !matches!(command, Command::Serve(_)) {
        for warning in unknown_variables() {
            say(format_args!("warning: {warning}"));
        }
    }
    let result = match command {
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Health(arguments) => health::run(&arguments),
        Command::Openapi(arguments) => openapi::run(&arguments),
        Command::Keys(arguments) => keys::run(arguments),
        Command::Backup(arguments) => backup::run(arguments),
        Command::Publish(arguments) => publish::run(arguments),
        Command::Listen(arguments) => listen::run(arguments),
        Command::Deliveries(arguments) => deliveries::run(&arguments),
        Command::Events(arguments) => events::run(&arguments),
        Command::Webhooks(arguments) => webhooks::run(&arguments),
        Command::Retry(arguments) => retry::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("{}", in_one_line(&error)));
            if is_wrong_usage(&error) {
                ExitCode::from(WRONG_USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Writes a line to standard error. Where nobody reads that any more, the exit code has to do.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "truehook: {line}");
}

/// Warns of variables of the environment that look like settings and are none: a sentence for each.
fn unknown_variables() -> Vec<String> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    environment::unknown(&Cli::command(), std::env::vars_os().filter_map(text))
}

/// Whether a setting is at fault, and not the machine or the server: the same command fails until it is changed.
fn is_wrong_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let config = cause.downcast_ref::<ConfigError>();
        let start = cause.downcast_ref::<StartError>();
        cause.is::<LogError>()
            || config.is_some_and(|error| match error {
                ConfigError::Key(key) => {
                    matches!(key, KeyFileError::Io { .. } | KeyFileError::Malformed)
                }
                _ => true,
            })
            || matches!(start, Some(StartError::Setting(_) | StartError::Roots(_)))
            // Another start with this database changes nothing.
            || matches!(
                start,
                Some(StartError::Storage(
                    StoreError::OtherMode { .. }
                        | StoreError::OtherServerMode { .. }
                        | StoreError::OtherClockSpeed { .. }
                ))
            )
    })
}

/// An error and its causes in one line. A cause that its error quotes in the midst of what it says is not said twice.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn each_cause_is_said_once() {
        let cause = || std::io::Error::other("the port is taken");
        let plain = Err::<(), _>(cause()).context("cannot listen").unwrap_err();
        assert_eq!(in_one_line(&plain), "cannot listen: the port is taken");
        let quoted = format!("cannot listen: {}; choose another", cause());
        let quoting = Err::<(), _>(cause()).context(quoted.clone()).unwrap_err();
        assert_eq!(in_one_line(&quoting), quoted);
    }
}
