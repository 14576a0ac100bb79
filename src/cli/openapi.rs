//! `truehook openapi`.

use std::io::Write;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::names;
use crate::domain::ProviderName;
use crate::openapi::v3_0;
use crate::operator;
use crate::provider::PROVIDERS;

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
    #[arg(value_parser = names::api())]
    api: ProviderName,
    /// How to write the document
    #[arg(long, value_enum, default_value_t = Format::Json, env = "TRUEHOOK_FORMAT")]
    format: Format,
    /// The version of OpenAPI to write the document in
    #[arg(long, value_enum, value_name = "VERSION", default_value_t = Version::V3_1, env = "TRUEHOOK_OPENAPI_VERSION")]
    openapi_version: Version,
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
    let mut providers = PROVIDERS.iter();
    let provider = providers.find(|provider| provider.name() == arguments.api);
    let document = match provider {
        Some(provider) => provider.document(),
        None => operator::emit(PROVIDERS),
    };
    let document = match arguments.openapi_version {
        Version::V3_0 => v3_0::write(&document),
        Version::V3_1 => document,
    };
    let text = match arguments.format {
        Format::Json => serde_json::to_string_pretty(&document)? + "\n",
        Format::Yaml => yaml_serde::to_string(&document)?,
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}
