//! `truehook openapi`.

use std::borrow::Cow;
use std::io::Write;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::openapi::v3_0;
use crate::operator;
use crate::provider::{conduit, equals_money};

pub(super) const EXAMPLES: &str = "\
Examples:
  truehook openapi conduit
  truehook openapi equals-money --format yaml > equals-money.yaml
  truehook openapi operator --openapi-version 3.0    for tools that do not read 3.1

The form of 3.0 says the same. What 3.0 has no place for is kept as extensions: x-webhooks, x-examples of a schema that has
more than one, x-identifier of the license. conformance reads these like the members of 3.1; other tools may ignore them.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The API
    #[arg(value_enum)]
    api: Api,
    /// How to write the document
    #[arg(long, value_enum, default_value_t = Format::Json, env = "TRUEHOOK_FORMAT")]
    format: Format,
    /// The version of OpenAPI to write the document in
    #[arg(long, value_enum, value_name = "VERSION", default_value_t = Version::V3_1, env = "TRUEHOOK_OPENAPI_VERSION")]
    openapi_version: Version,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Api {
    Conduit,
    EqualsMoney,
    Operator,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Version {
    #[value(name = "3.0")]
    V3_0,
    #[value(name = "3.1")]
    V3_1,
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
    let document = match arguments.openapi_version {
        Version::V3_0 => Cow::Owned(v3_0::write(document)),
        Version::V3_1 => Cow::Borrowed(document),
    };
    let text = match arguments.format {
        Format::Json => serde_json::to_string_pretty(&*document)? + "\n",
        Format::Yaml => yaml_serde::to_string(&*document)?,
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}
