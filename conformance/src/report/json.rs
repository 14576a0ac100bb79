//! The report for a program; its form is published as `schema.json` and by `conformance schema report`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::words::{self, Context};
use super::{DocumentInfo, Listing, plain};
use crate::finding::{
    Comparison, Effect, ExchangeRecord, Finding, Message, OperationCoverage, Place, Proof,
    Severity, Share, Users, Verdict,
};
use crate::fingerprint::Entry;

/// Rises when a reader of the report has to change.
const FORMAT_VERSION: u32 = 2;

#[derive(Serialize)]
struct Root<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    summary: Summary<'a>,
    findings: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a [OperationCoverage]>,
}

/// The run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head<'a> {
    format_version: u32,
    tool: Tool,
    command: &'a str,
    documents: &'a [DocumentInfo],
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// The result of a run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'a> {
    verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    fail_on: &'static str,
    findings: BTreeMap<&'static str, usize>,
    ignored: usize,
    hidden: usize,
    checked: &'a BTreeMap<&'static str, usize>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a BTreeMap<&'static str, Share>>,
}

/// One finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<&'a str>,
    rule: &'static str,
    severity: Severity,
    subject: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'a Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<Effect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undecided: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'a Proof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<&'a ExchangeRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<&'a ExchangeRecord>,
    #[serde(skip_serializing_if = "Users::is_empty")]
    used_by: &'a Users,
    #[serde(skip_serializing_if = "is_one")]
    cases: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_one(count: &usize) -> bool {
    *count == 1
}

/// Returns the data of a message, where that is more than its sentence.
pub(super) fn data(message: &Message) -> Option<Value> {
    Some(words::without_bundles(&serde_json::to_value(message).ok()?))
}

/// Why a finding is undecided.
pub(super) fn undecided(finding: &Finding) -> Option<Value> {
    let reason = serde_json::to_value(finding.undecided.as_ref()?).ok()?;
    Some(words::without_bundles(&reason))
}

impl<'a> Head<'a> {
    pub(super) fn new(
        command: &'a str,
        documents: &'a [DocumentInfo],
        server: Option<&'a str>,
    ) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            tool: Tool {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            command,
            documents,
            server,
        }
    }
}

pub(super) fn head<'r>(listing: &Listing<'r>) -> Head<'r> {
    let report = listing.report;
    Head::new(report.command, &report.documents, report.server.as_deref())
}

pub(super) fn summary<'r>(listing: &Listing<'r>) -> Summary<'r> {
    let report = listing.report;
    let verdict = report.verdict();
    Summary {
        verdict: verdict.word().replace(' ', "-"),
        reason: match verdict {
            Verdict::NothingChecked => report.unchecked.as_ref().map(words::unchecked),
            Verdict::Conforms | Verdict::Deviates => None,
        },
        fail_on: report.fail_on.word(),
        findings: Severity::ALL
            .iter()
            .map(|&severity| (severity.word(), report.count(severity)))
            .collect(),
        ignored: report.ignored,
        hidden: listing.hidden(),
        checked: &report.checked,
        notes: &report.notes,
        coverage: report.coverage.as_ref().map(|coverage| &coverage.totals),
    }
}

pub(super) fn finding(entry: &Entry) -> Line<'_> {
    let finding = &entry.finding;
    let context = Context::of(finding, entry.comparison);
    let place = |wanted| {
        let mut places = places(entry).into_iter();
        places.find_map(|(member, place)| (member == wanted).then_some(place))
    };
    Line {
        fingerprint: &entry.fingerprint,
        pair: entry.pair.as_deref(),
        rule: finding.rule,
        severity: finding.severity,
        subject: &finding.subject,
        message: words::sentence(&finding.message, &context),
        advice: words::advice(&finding.message, &context),
        data: data(&finding.message),
        old: place("old"),
        new: place("new"),
        place: place("place"),
        effect: finding.effect,
        undecided: undecided(finding),
        witness: finding.witness.as_ref(),
        proof: finding.proof.as_ref(),
        exchange: finding.exchange.as_ref(),
        original: finding.original.as_deref(),
        used_by: &finding.used_by,
        cases: finding.cases,
    }
}

/// The places of an entry with the names of their members: `place` where there is one document only.
pub(super) fn places(entry: &Entry) -> Vec<(&'static str, &Place)> {
    let finding = &entry.finding;
    let names = match entry.comparison {
        Comparison::Single => ["place", "place"],
        Comparison::Versions | Comparison::Lockstep => ["old", "new"],
    };
    let places = names.into_iter().zip([&finding.old, &finding.new]);
    places
        .filter_map(|(name, place)| Some((name, place.as_ref()?)))
        .collect()
}

pub(super) fn write(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let coverage = listing.report.coverage.as_ref();
    let root = Root {
        head: head(listing),
        summary: summary(listing),
        findings: listing.entries.iter().map(|entry| finding(entry)).collect(),
        coverage: coverage.map(|coverage| coverage.operations.as_slice()),
    };
    writeln!(out, "{}", plain::pretty_json(&root))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Format, SCHEMA, sample};

    #[test]
    fn the_report_is_valid_against_its_published_schema() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert!(jsonschema::meta::is_valid(&schema));
        let validator = jsonschema::validator_for(&schema).unwrap();
        for report in [sample::report(), sample::hostile(), sample::live()] {
            let report: Value =
                serde_json::from_str(&sample::written(Format::Json, &report)).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&report)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, Vec::<String>::new());
            assert_eq!(report["summary"]["verdict"], "deviates");
        }
    }

    #[test]
    fn findings_have_their_proof() {
        insta::assert_snapshot!(sample::versionless(Format::Json));
    }

    #[test]
    fn hostile_text_comes_back_as_it_was() {
        let report: Value =
            serde_json::from_str(&sample::written(Format::Json, &sample::hostile())).unwrap();
        let message = report["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains(sample::HOSTILE), "{message}");
        assert_eq!(
            report["findings"][0]["witness"][sample::HOSTILE][0],
            sample::HOSTILE
        );
    }
}
