//! `conformance reproduce`.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::access::{AccessArgs, settle_server};
use super::flows::WorkflowArgs;
use super::input::{self, STDIN};
use super::live::stop_on_signal;
use super::output::{OutputArgs, write_reports};
use super::{Given, print};
use crate::case::key::RunId;
use crate::finding::{Comparison, ReplayStep, Severity, Unchecked, Verdict};
use crate::flows::Work;
use crate::report::{DocumentInfo, Report, plain_line, words};
use crate::reproduce::{self, Kept, Recorded};
use crate::session::{FlowSettings, Generate, Options, SecondUser, header, seconds};
use crate::{clock, fingerprint};

pub(super) const HELP: &str = "Examples:
  conformance run openapi.yaml --server http://localhost:8080 --report json=report.json
  conformance reproduce report.json
  conformance reproduce report.json --finding 0123456789abcdef --server http://localhost:9090
  jq '.findings[0]' report.json | conformance reproduce - --document openapi.yaml
  conformance reproduce report.json --flows flows.arazzo.yaml

Credentials are given as in the run, or as environment variables by the names that they have in the report. Findings without a request,
such as those about samples, are left out. Findings about steps of a workflow file need that file: --flows.";

/// The exit codes of this command.
pub(super) const EXIT_CODES: &str = "Exit codes:
  0  gone: no finding is still there
  1  at least one finding is still there
  2  could not check one of them, and none is still there; or bad arguments, unreadable report, no server";

/// The largest report that is read, in bytes.
const SIZE_LIMIT: u64 = 256 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct ReproduceArgs {
    /// JSON report, or one finding of it; `-` is standard input.
    file: String,

    /// Fingerprint of a finding to send again, or how it begins (repeatable); without it, all that have a request.
    #[arg(long, value_name = "FINGERPRINT")]
    finding: Vec<String>,

    /// The document, if it is not where the report says.
    #[arg(long, value_name = "FILE")]
    document: Option<String>,

    /// The server, if it is another one than in the report.
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// A header for every request, such as 'Authorization: Bearer TOKEN' (repeatable). It replaces that of the report.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// Seconds that one exchange may take in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    timeout: f64,

    /// Send only requests that change nothing on a server that keeps to HTTP.
    #[arg(long)]
    safe: bool,

    /// Show the values of credentials.
    #[arg(long)]
    show_secrets: bool,

    #[command(flatten)]
    workflows: WorkflowArgs,
    #[command(flatten)]
    second: SecondUser,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: ReproduceArgs, given: &Given) -> Result<Verdict> {
    let mut settings = args.output.settle()?;
    if !given.contains("fail_on") {
        settings.fail_on = Severity::Info;
    }
    let shown = if args.file == STDIN {
        "standard input"
    } else {
        &args.file
    };
    let recorded = read(&args.file).with_context(|| shown.to_owned())?;
    let findings = chosen(&recorded, &args.finding).with_context(|| shown.to_owned())?;
    let mut options = Options::new("");
    options.headers = args.headers;
    options.timeout = args.timeout;
    options.show_secrets = args.show_secrets;
    options.run_id = Some(RunId::new(clock::nonce()));
    for (name, value) in settings.config.headers(&|name| env::var(name).ok())? {
        let given = |(known, _): &(String, String)| known.eq_ignore_ascii_case(&name);
        if !options.headers.iter().any(given) {
            options.headers.push((name, value));
        }
    }
    let sent_to = recorded.server.clone().or_else(|| {
        let mut origins = findings.iter().filter_map(|finding| finding.origin());
        origins.next()
    });
    options.server = args.server.or(sent_to).unwrap_or_default();
    if options.server.is_empty() {
        settle_server(&settings.config, given, &mut options)?;
    }
    args.access.settle(&settings.config, &mut options)?;
    // The requirements of the run beyond the document.
    options.strict = findings.iter().any(|one| one.is_strict());
    let limits = findings.iter().filter_map(|one| one.response_time());
    options.max_response_time = limits.min_by(f64::total_cmp);
    options.generate = Some(Generate {
        safe: args.safe,
        ..Generate::default()
    });
    options.flows = Some(FlowSettings {
        safe: args.safe,
        second: args.second,
        ..FlowSettings::default()
    });
    let Some(name) = args.document.or_else(|| recorded.document.clone()) else {
        bail!("{shown} does not name the document: give --document FILE");
    };
    let document = input::load(&name)
        .await
        .context("if the document is elsewhere, give --document FILE")?;
    let description = args.workflows.load(&document)?;
    let work = Work {
        description: description.as_ref(),
        inputs: &args.workflows.inputs,
        write: false,
    };
    stop_on_signal(&options.stop);
    let server = options.server.clone();
    let mut progress = |step: ReplayStep| {
        if !matches!(step, ReplayStep::Left { .. } | ReplayStep::Started { .. }) {
            return;
        }
        // Progress that cannot be written is no reason to stop.
        let _ = writeln!(io::stderr(), "{}", words::progress(&step));
    };
    let variable = |name: &str| {
        let value = env::var(name).ok().filter(|value| !value.is_empty())?;
        let line = format!("uses the environment variable {name} for {server}");
        let _ = writeln!(io::stderr(), "{}", plain_line(&line));
        Some(value)
    };
    let base = recorded.server.as_deref();
    let outcome = reproduce::run(
        &options,
        &document,
        base,
        &findings,
        &work,
        &variable,
        &mut progress,
    )
    .await?;
    let counts = Counts::of(&outcome.verdicts, &findings, settings.fail_on);
    if settings.is_text() {
        print(&text(&findings, &outcome.verdicts, &counts))?;
    }
    let mut entries = Vec::new();
    for (verdict, old) in outcome.verdicts.into_iter().zip(&findings) {
        if let reproduce::Verdict::There(finding) = verdict {
            let found = vec![*finding];
            let own = fingerprint::entries(found, Comparison::Single, Some(&document), None);
            entries.extend(own.into_iter().map(|mut entry| {
                entry.fingerprint.clone_from(&old.fingerprint);
                entry
            }));
        }
    }
    let mut notes = vec![counts.line()];
    if outcome.left > 0 {
        notes.push(format!(
            "things that are left on the server: {}",
            outcome.left
        ));
    }
    let report = Report {
        command: "reproduce",
        documents: vec![DocumentInfo::of("document", &document)],
        server: Some(outcome.server),
        checked: [("findings", counts.there + counts.gone)].into(),
        fail_on: settings.fail_on,
        findings: entries,
        sent: Vec::new(),
        coverage: None,
        ignored: 0,
        unchecked: (counts.there + counts.gone == 0).then_some(Unchecked::NothingSent {
            samples: findings.len(),
        }),
        notes,
    };
    if settings.is_text() {
        settings.write_files(&report)?;
    } else {
        write_reports(&report, &settings)?;
    }
    Ok(counts.verdict())
}

/// Reads the report.
fn read(file: &str) -> Result<Recorded> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = match file {
        STDIN => Box::new(io::stdin().lock()),
        file => Box::new(File::open(file).context("cannot be read")?),
    };
    source
        .take(SIZE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .context("cannot be read")?;
    if bytes.len() as u64 > SIZE_LIMIT {
        bail!("is larger than {} MB", SIZE_LIMIT / 1024 / 1024);
    }
    Ok(reproduce::read(&bytes)?)
}

/// The findings to send again.
fn chosen<'r>(recorded: &'r Recorded, wanted: &[String]) -> Result<Vec<&'r Kept>> {
    let mut chosen = Vec::new();
    for wanted in wanted {
        let fits = |one: &&Kept| !wanted.is_empty() && one.fingerprint.starts_with(wanted.as_str());
        let mut found = recorded.findings.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(one), None) if one.has_request() => chosen.push(one),
            (Some(_), None) => bail!("the finding {wanted} has no request"),
            (Some(_), Some(_)) => bail!("several findings begin with {wanted}"),
            (None, _) => bail!("there is no finding {wanted}"),
        }
    }
    if wanted.is_empty() {
        chosen.extend(recorded.findings.iter().filter(|one| one.has_request()));
    }
    match chosen.is_empty() {
        true => bail!("no finding has a request, so there is nothing to send again"),
        false => Ok(chosen),
    }
}

/// How many findings are still there, gone, and not checked.
struct Counts {
    there: usize,
    gone: usize,
    unchecked: usize,
    /// Whether one is still there that fails.
    fails: bool,
}

impl Counts {
    fn of(verdicts: &[reproduce::Verdict], findings: &[&Kept], fail_on: Severity) -> Self {
        let mut counts = Self {
            there: 0,
            gone: 0,
            unchecked: 0,
            fails: false,
        };
        for (verdict, old) in verdicts.iter().zip(findings) {
            match verdict {
                reproduce::Verdict::There(_) => {
                    counts.there += 1;
                    counts.fails |= old.severity <= fail_on;
                }
                reproduce::Verdict::Gone => counts.gone += 1,
                reproduce::Verdict::Unchecked(_) => counts.unchecked += 1,
            }
        }
        counts
    }

    fn line(&self) -> String {
        let mut line = format!("{} still there, {} gone", self.there, self.gone);
        if self.unchecked > 0 {
            line += &format!(", {} not checked", self.unchecked);
        }
        line
    }

    fn verdict(&self) -> Verdict {
        match (self.fails, self.unchecked) {
            (true, _) => Verdict::Deviates,
            (false, 0) => Verdict::Conforms,
            (false, _) => Verdict::NothingChecked,
        }
    }
}

fn text(findings: &[&Kept], verdicts: &[reproduce::Verdict], counts: &Counts) -> String {
    let mut out = String::new();
    for (old, verdict) in findings.iter().zip(verdicts) {
        let (word, lines) = match verdict {
            reproduce::Verdict::There(found) => {
                let mut lines = vec![words::of(found, Comparison::Single)];
                lines.extend(
                    found
                        .exchange
                        .iter()
                        .map(|one| format!("again: {}", one.curl)),
                );
                ("still there", lines)
            }
            reproduce::Verdict::Gone => ("gone", Vec::new()),
            reproduce::Verdict::Unchecked(reason) => ("not checked", vec![reason.clone()]),
        };
        let title = format!(
            "{word:<11}  {}  {} {}",
            old.subject, old.rule, old.fingerprint
        );
        out += &format!("{}\n", plain_line(&title));
        for line in lines {
            out += &format!("  {}\n", plain_line(&line));
        }
    }
    out + &format!("{}\n", counts.line())
}
