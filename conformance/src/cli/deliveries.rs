//! `conformance deliveries`.

use anyhow::Result;
use clap::Args;

use super::Given;
use super::live::{Live, LiveArgs};
use crate::clock;
use crate::deliveries::{self, Settings};
use crate::finding::Verdict;

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
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    deliveries: Settings,
}

pub(super) async fn run(args: DeliveriesArgs, given: &Given) -> Result<Verdict> {
    let live = Live::prepare("deliveries", args.live, given).await?;
    let mut settings = args.deliveries;
    settings.how = settings.how.or(live.deliveries());
    let tell = |step| live.tell(&step, true);
    let document = live.document();
    let checked = deliveries::check(&live.options, &settings, document, clock::nonce(), &tell);
    let outcome = checked.await?;
    live.report(outcome)
}
