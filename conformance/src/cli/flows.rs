//! `conformance flows`.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use super::Given;
use super::live::{Live, LiveArgs};
use crate::document::Document;
use crate::finding::Verdict;
use crate::flows::Description;
use crate::{flows, near};

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
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    flows: flows::Settings,
    #[command(flatten)]
    workflows: WorkflowArgs,
    /// Write the inferred flows as an Arazzo description, to be edited and run with --flows.
    #[arg(long, value_name = "FILE", conflicts_with = "workflows")]
    write_flows: Option<String>,
}

/// Workflows of a file.
#[derive(Debug, Args)]
pub(super) struct WorkflowArgs {
    /// The Arazzo description to run instead of the flows that are inferred.
    #[arg(id = "workflows", long = "flows", value_name = "FILE")]
    file: Option<String>,
    /// An input of the workflows, such as petId=7; the value is JSON, or else a string (repeatable).
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = input_value, requires = "workflows")]
    pub(super) inputs: Vec<(String, Value)>,
}

impl WorkflowArgs {
    /// Reads the file, if one is given.
    ///
    /// # Errors
    /// When the file is not an Arazzo description of this document, or a given input has a name that it does not define.
    pub(super) fn load(&self, document: &Document) -> Result<Option<Description>> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let description = flows::arazzo::load(file, document)?;
        for (name, _) in &self.inputs {
            if !description.inputs().any(|known| known == name) {
                let hint = near::nearest(name, description.inputs())
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                bail!("--input: no workflow declares an input `{name}`{hint}");
            }
        }
        Ok(Some(description))
    }
}

pub(super) async fn run(args: FlowsArgs, given: &Given) -> Result<Verdict> {
    let live = Live::prepare("flows", args.live, given).await?;
    let document = live.document();
    let how = args.flows;
    let description = args.workflows.load(document)?;
    let work = flows::Work {
        description: description.as_ref(),
        inputs: &args.workflows.inputs,
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
    live.report(outcome)
}

fn input_value(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}
