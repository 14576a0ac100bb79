//! `conformance check`.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::output::{BaselineArgs, OutputArgs, Settings, write_reports};
use super::progress::ProgressLine;
use super::{refuse_unmatched, uncompared};
use crate::config::DEFAULT_FILE;
use crate::document::Document;
use crate::fetch;
use crate::finding::Verdict;
use crate::lockstep::{Change, Compared, Documents, Pair};
use crate::report::{DocumentInfo, Report, Unchecked};
use crate::{clock, near};

pub(super) const HELP: &str =
    "A pair in conformance.toml; all keys after `emitted` are optional:
  [[pair]]
  name = \"orders\"
  documented = \"openapi/orders.yaml\"  # the source document: a file or URL
  emitted = \"target/orders.json\"      # what the server says of itself; the two must agree
  include = [\"tag:Orders\"]            # also: exclude, prose
  baseline = \"accepted.toml\"          # accepted differences, written by drift --write-baseline
  changes = \"changes.toml\"            # accepted changes, written by check --write-changes
  base = true                         # false: --base does not apply to this pair
  [[pair.allow]]                      # one accepted difference
  fingerprint = \"0123456789abcdef\"    # as reports show it
  reason = \"decided on 3 May\"
  expires = 2027-01-31                # the last day; also: owner

A pair of one document, which is only compared with its merge base:
  [[pair]]
  name = \"payments\"
  document = \"openapi/payments.yaml\"

Examples:
  conformance check
  conformance check --base origin/main --format github
  conformance check --base origin/main --write-changes changes.toml --reason 'agreed with all clients'
  conformance check --pair orders --report sarif=check.sarif";

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Compare only the pair with this name (repeatable).
    #[arg(long, value_name = "NAME")]
    pair: Vec<String>,
    /// Also compare each document with what it was at the merge base of this git revision and HEAD.
    #[arg(long, value_name = "REV", allow_hyphen_values = true)]
    base: Option<String>,
    /// Write the changes since --base that fail the run to this file, which `changes` of a pair can name; reasons already in it
    /// are kept.
    #[arg(long, value_name = "FILE", requires = "base", group = "written")]
    write_changes: Option<String>,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// The findings of the pairs compared so far.
#[derive(Default)]
struct Sum {
    documents: Vec<DocumentInfo>,
    checked: BTreeMap<&'static str, usize>,
    findings: Vec<crate::fingerprint::Entry>,
    ignored: usize,
    /// The names of the comparisons with a merge base.
    changes: BTreeSet<String>,
    /// Why nothing of a pair was compared, where that is so.
    unchecked: Option<Unchecked>,
}

pub(super) async fn run(args: CheckArgs) -> Result<Verdict> {
    let settings = args.output.settle()?;
    let mut sum = Sum::default();
    let pairs = chosen(&settings, &args.pair)?;
    let whole = args.pair.is_empty() && pairs.iter().all(|pair| pair.selection.is_everything());
    let line = ProgressLine::start();
    for pair in &pairs {
        sum.pair(pair, args.base.as_deref(), &line)
            .await
            .with_context(|| format!("pair {}", pair.name))?;
    }
    drop(line);
    if sum.documents.is_empty() {
        sum.unchecked = Some(Unchecked::NoBase);
    }
    let (findings, ignored) = args.baseline.judge(sum.findings, whole, &settings)?;
    if let Some(file) = &args.write_changes {
        let is_change = |pair: &String| sum.changes.contains(pair);
        let failing = findings.iter().filter(|entry| {
            entry.finding.severity <= settings.fail_on && entry.pair.as_ref().is_some_and(is_change)
        });
        args.baseline.write(file, &failing.collect::<Vec<_>>())?;
    }
    let report = Report {
        command: "check",
        documents: sum.documents,
        server: None,
        checked: sum.checked,
        fail_on: settings.fail_on,
        findings,
        sent: Vec::new(),
        coverage: None,
        ignored: sum.ignored + ignored,
        unchecked: sum.unchecked,
        notes: Vec::new(),
    };
    write_reports(&report, &settings)
}

fn chosen<'s>(settings: &'s Settings, names: &[String]) -> Result<Vec<&'s Pair>> {
    let pairs = &settings.config.pairs;
    if pairs.is_empty() {
        bail!(
            "there is no pair to compare; add a [[pair]] to {DEFAULT_FILE} (`conformance init` writes a first one), or choose another file with --config"
        );
    }
    if let Some(name) = names
        .iter()
        .find(|name| !pairs.iter().any(|pair| pair.name == **name))
    {
        let known: Vec<&str> = pairs.iter().map(|pair| pair.name.as_str()).collect();
        let hint = near::hint(name, known.iter().copied());
        let pairs = known.join(", ");
        bail!("there is no pair `{name}`; the pairs are {pairs}{hint}");
    }
    let wanted = |pair: &&Pair| names.is_empty() || names.contains(&pair.name);
    Ok(pairs.iter().filter(wanted).collect())
}

impl Sum {
    async fn pair(&mut self, pair: &Pair, base: Option<&str>, line: &ProgressLine) -> Result<()> {
        if matches!(pair.documents, Documents::One(_)) && base.is_none() {
            return Ok(());
        }
        let mut documents = Vec::new();
        for (source, _) in pair.documents.list() {
            line.loading(source);
            let document = fetch::load(source).await?;
            document.check_references()?;
            documents.push(document);
        }
        refuse_unmatched(&pair.selection, &documents)?;
        let mut nothing = uncompared(&pair.selection, &documents);
        if let [documented, emitted] = &documents[..] {
            self.document("old", &pair.name, documented);
            self.document("new", &pair.name, emitted);
            let progress = line.comparing();
            self.add(pair.compare(documented, emitted, clock::today(), &progress));
        }
        if let Some(revision) = base {
            let changes = pair
                .changes(revision, documents)
                .with_context(|| format!("--base {revision}"))?;
            for change in &changes {
                self.changes.insert(change.name.clone());
                self.document("old", &change.name, &change.before);
                self.document("new", &change.name, &change.after);
            }
            self.add(pair.judge(&changes, clock::today(), &line.comparing()));
            // A document that was emptied was compared with what it had.
            let had =
                |change: &Change| uncompared(&pair.selection, slice::from_ref(&change.before));
            nothing = nothing.filter(|_| changes.iter().all(|change| had(change).is_some()));
        }
        self.unchecked = self.unchecked.take().or(nothing);
        Ok(())
    }

    fn document(&mut self, role: &'static str, pair: &str, document: &Document) {
        let mut info = DocumentInfo::of(role, document);
        info.pair = Some(pair.to_owned());
        self.documents.push(info);
    }

    fn add(&mut self, compared: Compared) {
        self.findings.extend(compared.entries);
        self.ignored += compared.ignored;
        for (noun, count) in compared.checked {
            *self.checked.entry(noun).or_default() += count;
        }
        self.checked.insert("documents", self.documents.len());
    }
}
