//! `conformance deliveries`.

use anyhow::Result;
use clap::Args;

use super::Given;
use super::access::AccessArgs;
use super::live::Live;
use super::output::{BaselineArgs, OutputArgs};
use crate::deliveries::{self, Settings};
use crate::finding::Verdict;
use crate::{clock, replay};

pub(super) const HELP: &str = "Settings of conformance.toml, each of which is a flag too:
  [deliveries]
  register = \"createWebhook\"             # found by its callbacks, or by its path, where it is not named
  trigger = \"POST /operator/v1/events\"   # an operation, or a request; {event} is the event type
  trigger-header = [\"Authorization: Bearer sandbox-operator\"]
  trigger-body = '{\"provider\": \"conduit\", \"type\": \"{event}\", \"clientId\": \"client_2ofTA13AD0xBtbEvBl20aEb1hEu\"}'

Examples:
  conformance deliveries openapi.yaml --server http://localhost:8080 --trigger sendTestEvent
  conformance deliveries openapi.yaml --server http://localhost:8080 --trigger-command './trigger \"$EVENT\"'
  conformance deliveries openapi.yaml --server http://localhost:8080 --clock-speed 3600 --retry-wait 60
  conformance deliveries openapi.yaml --server https://test.example.com --public-url https://tunnel.example.net --listen 127.0.0.1:9000
  conformance deliveries openapi.yaml --server http://localhost:8080 --register none --trigger none --secret whsec_... --wait 60

How signatures and promises are described: docs/webhook-extensions.md. What is judged: conformance/DELIVERIES.md";

#[derive(Debug, Args)]
pub(super) struct DeliveriesArgs {
    /// The document: a file, a URL, REV:path for a file of a git revision, or `-` for standard input.
    document: String,
    #[command(flatten)]
    options: replay::Options,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    deliveries: Settings,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: DeliveriesArgs, given: &Given) -> Result<Verdict> {
    let (access, output) = (args.access, args.output);
    let options = args.options;
    let live = Live::prepare("deliveries", &args.document, options, access, output, given).await?;
    let mut settings = args.deliveries;
    settings.how = settings.how.or(live.deliveries());
    let tell = |step| live.tell(&step, true);
    let document = live.document();
    let checked = deliveries::check(&live.options, &settings, document, clock::nonce(), &tell);
    let outcome = checked.await?;
    live.report(outcome, &args.baseline)
}
