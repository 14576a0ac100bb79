//! Reads the command line: a number below zero is a value, not a flag, and usage shows what was typed.

use std::ffi::OsString;

use clap::error::ContextKind;
use clap::{Arg, Command, CommandFactory, Error, FromArgMatches};

use super::Cli;

/// Reads the command line of this process; ends the process where that asks for help or is wrong.
pub(super) fn parse() -> Cli {
    try_parse(std::env::args_os()).unwrap_or_else(|error| error.exit())
}

/// Reads a command line, the name of the program first.
///
/// # Errors
/// What is wrong with it, or the help that it asks for.
pub(super) fn try_parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, Error> {
    let words: Vec<OsString> = words.into_iter().collect();
    let mut command = with_negative_numbers();
    let mut matches = command
        .try_get_matches_from_mut(&words)
        .map_err(|error| with_usage_as_typed(error, &words))?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn with_negative_numbers() -> Command {
    each_argument(Cli::command(), &|argument| {
        let takes_values = argument.get_action().takes_values();
        if takes_values {
            argument.allow_negative_numbers(true)
        } else {
            argument
        }
    })
}

fn each_argument(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    command
        .mut_args(change)
        .mut_subcommands(|command| each_argument(command, change))
}

/// An error with the usage of the words alone: clap's own names every option that the environment sets.
fn with_usage_as_typed(mut error: Error, words: &[OsString]) -> Error {
    let without_environment = each_argument(with_negative_numbers(), &|argument| {
        argument.env(None::<&'static str>)
    });
    if let Err(typed) = without_environment.try_get_matches_from(words)
        && typed.kind() == error.kind()
        && let Some(usage) = typed.get(ContextKind::Usage)
    {
        error.insert(ContextKind::Usage, usage.clone());
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_below_zero_is_a_wrong_value_of_its_option() {
        for (words, expected) in [
            (
                ["serve", "--retention-days", "-1"],
                "invalid value '-1' for '--retention-days <DAYS>'",
            ),
            (
                ["serve", "--max-body-bytes", "-5"],
                "invalid value '-5' for '--max-body-bytes <BYTES>'",
            ),
            (
                ["deliveries", "--limit", "-1"],
                "invalid value '-1' for '--limit <NUMBER>'",
            ),
            (
                ["deliveries", "--limit", "-x"],
                "unexpected argument '-x' found",
            ),
        ] {
            let words = ["truehook"].into_iter().chain(words).map(OsString::from);
            let said = try_parse(words).expect_err("a refusal").to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
