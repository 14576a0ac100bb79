//! `truehook openapi`.

use std::io::Write;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::operator;
use crate::provider::{conduit, equals_money};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook openapi conduit
  truehook openapi equals-money --format yaml > equals-money.yaml";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The API
    #[arg(value_enum)]
    api: Api,
    /// How to write the document
    #[arg(long, value_enum, default_value_t = Format::Json, env = "TRUEHOOK_FORMAT")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Api {
    Conduit,
    EqualsMoney,
    Operator,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let document = match arguments.api {
        Api::Conduit => &*conduit::DOCUMENT,
        Api::EqualsMoney => &*equals_money::DOCUMENT,
        Api::Operator => &*operator::DOCUMENT,
    };
    let text = match arguments.format {
        Format::Json => serde_json::to_string_pretty(document)? + "\n",
        Format::Yaml => yaml_serde::to_string(document)?,
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}
