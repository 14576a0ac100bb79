//! `conformance receiver`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::access::filled;
use super::output::{BaselineArgs, OutputArgs, write_reports};
use super::progress::ProgressLine;
use super::{input, refuse_unmatched_of};
use crate::exchange::{Proxy, Transport};
use crate::finding::{Comparison, Unchecked, Verdict};
use crate::receiver::{Options, operations, recorded};
use crate::report::{DocumentInfo, Report};
use crate::session::{Stop, header, seconds, workers};
use crate::{clock, fingerprint, receiver};

pub(super) const HELP: &str = "Examples:
  conformance receiver openapi.yaml --target http://localhost:3000/webhooks --secret '${WEBHOOK_SECRET}'
  conformance receiver openapi.yaml --target http://localhost:3000/webhooks --secret '${WEBHOOK_SECRET}' \\
      --effect http://localhost:3000/orders/count
  conformance receiver openapi.yaml --target http://localhost:3000/webhooks --secret '${WEBHOOK_SECRET}' \\
      --effect \"psql -Atc 'select count(*) from orders'\"
  truehook listen --server http://localhost:8080 conduit customer.created --json > deliveries.ndjson
  conformance receiver openapi.yaml --target http://localhost:3000/webhooks --secret '${WEBHOOK_SECRET}' --from deliveries.ndjson

What is sent, what is expected, and how signatures are described: conformance/RECEIVER.md";

#[derive(Debug, Args)]
pub(super) struct ReceiverArgs {
    /// The document that describes the webhooks: a file, a URL, REV:path for a file of a git revision, or `-` for standard input.
    document: String,

    /// The URL of your handler. Deliveries are signed for this URL where the URL is signed.
    #[arg(long, value_name = "URL")]
    target: String,

    /// Secret that your handler verifies with, as the provider shows it; a private key in PEM (PKCS #8) for asymmetric signatures. It may
    /// name an environment variable, as '${NAME}': what stands on a command line can be read by other users of the machine
    /// (repeatable). With several schemes `NAME=SECRET` is that of the one whose header, parameter or member has this name.
    #[arg(
        long,
        value_name = "[NAME=]SECRET",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    secret: Vec<String>,

    /// What shows what your handler did: a URL that is read, or a command whose output is compared. Best a number, such as that of
    /// handled events.
    #[arg(long, value_name = "URL|COMMAND")]
    effect: Option<String>,

    /// Seconds after the answer in which a delivery may have its effect.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds, allow_negative_numbers = true)]
    effect_wait: f64,

    /// Seconds that the provider waits for an answer, in place of those of the document.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    deadline: Option<f64>,

    /// Send the deliveries of this file (NDJSON of `truehook listen --json` or `conformance deliveries`), signed anew, and nothing else.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// A header of every delivery, such as 'X-Forwarded-Proto: https' (repeatable).
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// Send only webhooks of this name, operationId or tag; `*` stands for any text (repeatable).
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,

    /// Leave out webhooks of this name, operationId or tag (repeatable).
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,

    /// Number that decides which random payloads are generated; the same one gives the same payloads.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Most generated payloads for each webhook.
    #[arg(long, value_name = "N", default_value_t = 200)]
    max_cases: usize,

    /// Random payloads for each webhook besides.
    #[arg(long, value_name = "N", default_value_t = 20)]
    random: usize,

    /// Most generated payloads that are under way at once. The findings do not depend on it.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = workers)]
    workers: usize,

    /// Seconds that one exchange may take in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds, allow_negative_numbers = true)]
    timeout: f64,

    /// Show secrets in reports.
    #[arg(long)]
    show_secrets: bool,

    /// PEM file of certificate authorities to trust besides those of the system.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Trust any certificate of the handler.
    #[arg(long)]
    insecure: bool,

    /// Proxy for all connections, `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`. Those of the environment are not used.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: ReceiverArgs) -> Result<Verdict> {
    let mut settings = args.output.settle()?;
    let list = |own: Vec<String>, of_file: Vec<String>| if own.is_empty() { of_file } else { own };
    let include = list(args.include, std::mem::take(&mut settings.config.include));
    let exclude = list(args.exclude, std::mem::take(&mut settings.config.exclude));
    let secrets = args.secret.iter().map(|text| filled("secret", text));
    let proxy = match &args.proxy {
        Some(proxy) => {
            let url = filled("proxy", proxy)?;
            Some(Proxy::parse(&url).map_err(|problem| anyhow!("--proxy: {problem}"))?)
        }
        None => None,
    };
    let recorded = match &args.from {
        Some(path) => {
            let shown = path.display();
            let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
            recorded::read(BufReader::new(file)).with_context(|| format!("--from {shown}"))?
        }
        None => Vec::new(),
    };
    let nothing = args.from.is_some() && recorded.is_empty();
    let mut headers = args.headers;
    for (_, value) in &mut headers {
        *value = filled("header", value)?;
    }
    let options = Options {
        target: args.target,
        secrets: secrets.collect::<Result<_>>()?,
        headers,
        effect: args.effect,
        effect_wait: args.effect_wait,
        deadline: args.deadline,
        timeout: args.timeout,
        include,
        exclude,
        seed: args.seed,
        max_cases: args.max_cases,
        random: args.random,
        workers: args.workers,
        show_secrets: args.show_secrets,
        transport: Transport {
            ca_file: args.ca_file,
            insecure: args.insecure,
            proxy,
            ..Transport::default()
        },
        nonce: clock::nonce(),
        recorded,
        stop: Stop::default(),
        count: Arc::default(),
    };
    let document = input::load(&args.document).await?;
    let selection = options.selection();
    let all = operations(&document);
    refuse_unmatched_of(&selection, &all)?;
    let mut unchecked = match all.is_empty() {
        true => Some(Unchecked::NoWebhooks),
        false => nothing.then_some(Unchecked::NothingRecorded { exchanges: 0 }),
    };
    let excluded = !all.is_empty() && !all.iter().any(|one| selection.selects(one));
    if excluded {
        unchecked = Some(Unchecked::Excluded);
    }
    let outcome = match unchecked {
        Some(reason) => receiver::Outcome::unchecked(reason),
        None => {
            stop_on_signal(&options.stop);
            let line = ProgressLine::start();
            line.sending(Arc::clone(&options.count));
            let outcome = receiver::check(&options, &document).await?;
            drop(line);
            outcome
        }
    };
    let entries = fingerprint::entries(outcome.findings, Comparison::Single, Some(&document), None);
    let whole = selection.is_everything() && args.from.is_none();
    let (findings, ignored) = args.baseline.judge(entries, whole, &settings)?;
    let report = Report {
        command: "receiver",
        documents: vec![DocumentInfo::of("document", &document)],
        server: Some(options.target),
        checked: outcome.checked,
        fail_on: settings.fail_on,
        findings,
        sent: Vec::new(),
        coverage: None,
        ignored,
        unchecked: outcome.unchecked,
        notes: outcome.notes,
    };
    write_reports(&report, &settings)
}

/// Ends the run early on Ctrl-C, with the report so far; a second one ends the process at once.
fn stop_on_signal(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        stop.stop();
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(2);
        }
    });
}
