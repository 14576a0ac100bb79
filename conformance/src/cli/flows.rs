//! `conformance flows`.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use super::Given;
use super::access::AccessArgs;
use super::live::Live;
use super::output::{BaselineArgs, OutputArgs};
use crate::finding::Verdict;
use crate::flows::Description;
use crate::{clock, flows, near, replay};

pub(super) const HELP: &str = "Examples:
  conformance flows openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance flows openapi.yaml --server https://test.example.com --header 'Authorization: Bearer A' \\
      --second-user 'Authorization: Bearer B'
  conformance flows openapi.yaml --server https://test.example.com --safe
  conformance flows openapi.yaml --server http://localhost:8080 --write-flows flows.arazzo.yaml
  conformance flows openapi.yaml --server http://localhost:8080 --flows flows.arazzo.yaml --input petId=7

Which operations belong together, what is sent, and what is expected: conformance/FLOWS.md";

#[derive(Debug, Args)]
pub(super) struct FlowsArgs {
    /// The document: a file, a URL, REV:path for a file of a git revision, or `-` for standard input.
    document: String,
    #[command(flatten)]
    options: replay::Options,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    flows: flows::Settings,
    /// Run the workflows of this Arazzo description instead of those that are inferred.
    #[arg(long = "flows", value_name = "FILE")]
    file: Option<String>,
    /// An input of the workflows, such as petId=7; the value is JSON, or else a string (repeatable).
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = input_value, requires = "file")]
    inputs: Vec<(String, Value)>,
    /// Write the inferred flows as an Arazzo description, to be edited and run with --flows.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    write_flows: Option<String>,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: FlowsArgs, given: &Given) -> Result<Verdict> {
    let (access, output) = (args.access, args.output);
    let options = args.options;
    let live = Live::prepare("flows", &args.document, options, access, output, given).await?;
    let document = live.document();
    let how = flows::Settings {
        nonce: clock::nonce(),
        ..args.flows
    };
    let description = match &args.file {
        None => None,
        Some(file) => Some(flows::arazzo::load(file, document)?),
    };
    for (name, _) in &args.inputs {
        let mut known = description.iter().flat_map(Description::inputs);
        if !known.any(|known| known == name) {
            let known = description.iter().flat_map(Description::inputs);
            let hint = near::nearest(name, known)
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            bail!("--input: no workflow declares an input `{name}`{hint}");
        }
    }
    let work = flows::Work {
        description: description.as_ref(),
        inputs: &args.inputs,
        write: args.write_flows.is_some(),
    };
    let mut progress = |step| live.tell(&step, true);
    let checked = flows::check_with(&live.options, &how, &work, document, &mut progress).await;
    let (mut outcome, written) = checked?;
    match (&args.write_flows, &written) {
        (Some(file), Some(text)) => std::fs::write(file, text)
            .with_context(|| format!("{file}: cannot be written; check the path"))?,
        (Some(file), None) => outcome.notes.push(format!(
            "{file} was not written: no operation creates anything whose id can be told"
        )),
        (None, _) => {}
    }
    live.report(outcome, &args.baseline)
}

fn input_value(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}
