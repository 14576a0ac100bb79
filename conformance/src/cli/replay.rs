//! `conformance replay`, `conformance generate` and `conformance run`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::live::{Live, LiveArgs};
use super::{Given, recorded};
use crate::finding::{ReplayStep, StepFailure, Verdict};
use crate::replay;
use crate::session::{FlowSettings, SecondUser, Watched};

pub(super) const HELP: &str = "Examples:
  conformance replay openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --include createWebhook
  conformance replay openapi/conduit.yaml --server http://localhost:8080 --report junit=replay.xml
  curl -s http://localhost:8080/openapi.json | conformance replay - --server http://localhost:8080

Which request gets which answer, how bodies are written and read, and `x-replay`: conformance/REPLAY.md";

pub(super) const GENERATE_HELP: &str = "Examples:
  conformance generate openapi/conduit.yaml --server http://localhost:8080 \\
      --header 'X-API-Key: sandbox-key' --header 'X-API-Secret: sandbox-secret'
  conformance generate openapi/conduit.yaml --server http://localhost:8080 --include createWebhook --max-cases 50
  conformance generate openapi/conduit.yaml --server https://test.example.com --safe

Which requests are generated, and what is expected of the answers: conformance/REPLAY.md";

#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    generate: replay::Generate,
}

pub(super) const RUN_HELP: &str = "Examples:
  conformance run openapi.yaml --server http://localhost:8080
  conformance run openapi.yaml --server http://localhost:8080 --header \"Authorization: Bearer $TOKEN\"
  conformance run openapi.yaml --server https://test.example.com --safe --rate 20
  conformance run openapi.yaml --server http://localhost:8080 --include tag:Orders --report html=report.html
  conformance run openapi.yaml --from-har traffic.har
  conformance run openapi.yaml --server http://localhost:8080 --samples-from-har traffic.har
  conformance run openapi.yaml --server http://localhost:8080 --fail-on-unobserved operation,sample --report junit=run.xml

Which requests are sent and what is expected of the answers: conformance/REPLAY.md";

/// Seconds that `conformance run` takes at most unless told otherwise.
const RUN_TIME: f64 = 60.0;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    generate: replay::Generate,
    #[command(flatten)]
    second: SecondUser,

    /// Make it a finding that something was not observed: a documented status, a sample, an operation (comma-separated).
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    fail_on_unobserved: Vec<Watched>,

    /// Judge the exchanges of this HTTP Archive (HAR 1.2), as browsers and proxies record them, and send nothing. `--server` is then the
    /// base URL of the API in the archive; without it, that of the document's servers.
    #[arg(long, value_name = "FILE", conflicts_with = "har")]
    from_har: Option<PathBuf>,

    /// Send the requests of this HTTP Archive that the document allows and that were accepted, besides its samples; generated requests
    /// start from them where the document has none. Their credentials are left out.
    #[arg(long, value_name = "FILE", conflicts_with = "from_har")]
    samples_from_har: Option<PathBuf>,
}

pub(super) async fn everything(args: RunArgs, given: &Given) -> Result<Verdict> {
    let mut live = args.live;
    if let Some(archive) = &args.from_har {
        return recorded::judge(live, archive).await;
    }
    let options = &mut live.options;
    let archive = args.samples_from_har;
    options.flows = Some(FlowSettings {
        seed: args.generate.seed,
        safe: args.generate.safe,
        second: args.second,
    });
    options.generate = Some(args.generate);
    options.watched = args.fail_on_unobserved;
    options.max_time.get_or_insert(RUN_TIME);
    check(live, "run", archive.as_deref(), given).await
}

pub(super) async fn generate(args: GenerateArgs, given: &Given) -> Result<Verdict> {
    let mut live = args.live;
    live.options.generate = Some(args.generate);
    check(live, "generate", None, given).await
}

pub(super) async fn run(args: LiveArgs, given: &Given) -> Result<Verdict> {
    check(args, "replay", None, given).await
}

async fn check(
    args: LiveArgs,
    command: &'static str,
    archive: Option<&Path>,
    given: &Given,
) -> Result<Verdict> {
    let mut live = Live::prepare(command, args, given).await?;
    if let Some(archive) = archive {
        let samples = recorded::samples(live.document(), archive, &live.options.server)?;
        live.options.samples = samples;
    }
    let mut progress = |step: ReplayStep| {
        // `run` is for readers who want the findings; what is left behind they have to know.
        let detail = matches!(
            step,
            ReplayStep::Operation { .. }
                | ReplayStep::Generated { .. }
                | ReplayStep::Flow { .. }
                | ReplayStep::Finished(_)
                // Told before, and counted in the report.
                | ReplayStep::Left {
                    reason: StepFailure::NoOperation,
                    ..
                }
        );
        live.tell(&step, command != "run" || !detail || live.is_verbose());
    };
    let outcome = replay::run(&live.options, live.document(), &mut progress).await?;
    live.report(outcome)
}
