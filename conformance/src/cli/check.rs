//! `conformance check`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::output::{BaselineArgs, OutputArgs, Settings, write_reports};
use super::refuse_unmatched;
use crate::clock;
use crate::config::DEFAULT_FILE;
use crate::document::Document;
use crate::fetch;
use crate::finding::Verdict;
use crate::lockstep::{Compared, Pair};
use crate::report::{DocumentInfo, Report};

pub(super) const HELP: &str =
    "A pair in conformance.toml, where everything behind `ours` is optional:
  [[pair]]
  name = \"orders\"
  theirs = \"openapi/orders.yaml\"
  ours = \"target/orders.json\"
  include = [\"tag:Orders\"]         # also: exclude, prose
  baseline = \"accepted.toml\"       # made by conformance drift --write-baseline
  changes = \"changes.toml\"         # made by check --write-changes; base = false leaves the pair out of --base
  [[pair.allow]]                   # a difference that is accepted
  fingerprint = \"0123456789abcdef\" # from a report in JSON or HTML
  reason = \"decided on 3 May\"
  expires = 2027-01-31             # the last day; also: owner

Examples:
  conformance check
  conformance check --base origin/main --format github
  conformance check --base origin/main --write-changes changes.toml --reason 'agreed with all clients'
  conformance check --pair orders --report sarif=check.sarif";

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Compare only the pair of this name (repeatable).
    #[arg(long, value_name = "NAME")]
    pair: Vec<String>,
    /// Compare each document also with what it was at the merge base of this git revision and HEAD.
    #[arg(long, value_name = "REV", allow_hyphen_values = true)]
    base: Option<String>,
    /// Write the changes since --base that fail to this file, which `changes` of a pair may name; reasons that it has already are
    /// kept.
    #[arg(long, value_name = "FILE", requires = "base", group = "written")]
    write_changes: Option<String>,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// What the pairs have come to so far.
#[derive(Default)]
struct Sum {
    documents: Vec<DocumentInfo>,
    checked: BTreeMap<&'static str, usize>,
    findings: Vec<crate::fingerprint::Entry>,
    ignored: usize,
    /// The names of the comparisons with a merge base.
    changes: BTreeSet<String>,
}

pub(super) async fn run(args: CheckArgs) -> Result<Verdict> {
    let settings = args.output.settle()?;
    let mut sum = Sum::default();
    let pairs = chosen(&settings, &args.pair)?;
    let whole = args.pair.is_empty() && pairs.iter().all(|pair| pair.selection.is_everything());
    for pair in pairs {
        sum.pair(pair, args.base.as_deref())
            .await
            .with_context(|| format!("pair {}", pair.name))?;
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
        ignored: sum.ignored + ignored,
        unchecked: None,
    };
    write_reports(&report, &settings)
}

fn chosen<'s>(settings: &'s Settings, names: &[String]) -> Result<Vec<&'s Pair>> {
    let pairs = &settings.config.pairs;
    if pairs.is_empty() {
        bail!(
            "there is nothing to compare: write a [[pair]] into {DEFAULT_FILE}, or name another file with --config"
        );
    }
    if let Some(name) = names
        .iter()
        .find(|name| !pairs.iter().any(|pair| pair.name == **name))
    {
        let known: Vec<&str> = pairs.iter().map(|pair| pair.name.as_str()).collect();
        bail!(
            "there is no pair `{name}`; the pairs are {}",
            known.join(", ")
        );
    }
    let wanted = |pair: &&Pair| names.is_empty() || names.contains(&pair.name);
    Ok(pairs.iter().filter(wanted).collect())
}

impl Sum {
    async fn pair(&mut self, pair: &Pair, base: Option<&str>) -> Result<()> {
        let theirs = fetch::load(&pair.theirs).await?;
        let ours = fetch::load(&pair.ours).await?;
        for document in [&theirs, &ours] {
            document.check_references()?;
        }
        let unmatched = pair.unmatched(&theirs, &ours);
        refuse_unmatched(&unmatched.iter().map(String::as_str).collect::<Vec<_>>())?;
        self.document("old", &pair.name, &theirs);
        self.document("new", &pair.name, &ours);
        self.add(pair.compare(&theirs, &ours, clock::today()));
        if let Some(revision) = base {
            let changes = pair.changes(revision, [("theirs", theirs), ("ours", ours)])?;
            for change in &changes {
                self.changes.insert(change.name.clone());
                self.document("old", &change.name, &change.before);
                self.document("new", &change.name, &change.after);
            }
            self.add(pair.judge(&changes, clock::today()));
        }
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
