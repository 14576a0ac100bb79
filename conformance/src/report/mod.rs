//! The findings of a run, in the formats that a person or a program reads. Besides the CLI nothing else writes to standard output.
//!
//! A report is a function of the run's findings alone: no clock, no host, no random number, so the same findings give the same bytes.
//! Everything that comes from a document or a server is escaped for its format; see `plain` for the characters that no format lets
//! through.

mod github;
mod html;
mod json;
mod junit;
mod location;
mod markdown;
mod ndjson;
mod oneline;
mod plain;
mod sarif;
mod text;
pub mod words;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::document::Document;
pub use crate::finding::Unchecked;
use crate::finding::{Finding, Place, Severity, Side, Verdict};
use crate::fingerprint::Entry;

/// The JSON Schema (2020-12) of the JSON report.
pub const SCHEMA: &str = include_str!("schema.json");

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For a reader.
    Text,
    /// One line for each finding, for `grep` and editors.
    Oneline,
    /// For a program; see `conformance schema report`.
    Json,
    /// For a program that reads line by line: the run, each finding, the summary.
    Ndjson,
    /// JUnit XML, for CI servers.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One file for a browser, without scripts and without network.
    Html,
    /// A comment on a pull request, at most 60,000 bytes.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Oneline,
        Self::Json,
        Self::Ndjson,
        Self::Junit,
        Self::Sarif,
        Self::Html,
        Self::Markdown,
        Self::Github,
    ];

    /// The word for the format in options and settings, and what it is for.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "For a reader"),
            Self::Oneline => ("oneline", "One line for each finding, for grep and editors"),
            Self::Json => ("json", "For a program; see `conformance schema report`"),
            Self::Ndjson => (
                "ndjson",
                "For a program that reads line by line: the run, each finding, the summary",
            ),
            Self::Junit => ("junit", "JUnit XML, for CI servers"),
            Self::Sarif => ("sarif", "SARIF 2.1.0, for code scanning"),
            Self::Html => ("html", "One file for a browser that needs no network"),
            Self::Markdown => (
                "markdown",
                "A comment on a pull request, at most 60,000 bytes",
            ),
            Self::Github => ("github", "Annotations of GitHub Actions"),
        }
    }
}

/// A document that a run looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentInfo {
    /// What it stands for: `old`, `new`, or `document` where there is only one.
    pub role: &'static str,
    /// The file or URL, as the user gave it.
    pub name: String,
    /// The minor version of OpenAPI, such as `3.1`.
    pub openapi: &'static str,
    /// The comparison that it belongs to, where a run makes several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
}

impl DocumentInfo {
    /// Describes `document`.
    pub fn of(role: &'static str, document: &Document) -> Self {
        Self {
            role,
            name: document.name().to_owned(),
            openapi: document.written_in(),
            pair: None,
        }
    }
}

/// The whole of what a run has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The subcommand, such as `drift`.
    pub command: &'static str,
    /// The documents that were looked at.
    pub documents: Vec<DocumentInfo>,
    /// The server that was asked.
    pub server: Option<String>,
    /// How many of what were looked at, by plural noun, such as `operations`.
    pub checked: BTreeMap<&'static str, usize>,
    /// The least severity that makes the run fail.
    pub fail_on: Severity,
    /// The findings.
    pub findings: Vec<Entry>,
    /// How many findings a baseline or allowed differences took away.
    pub ignored: usize,
    /// Why nothing was checked, if so.
    pub unchecked: Option<Unchecked>,
}

/// How much of a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The lowest severity that is shown.
    pub show: Severity,
    /// Whether text shows findings in full.
    pub verbose: bool,
    /// Whether text has colors.
    pub color: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            show: Severity::Info,
            verbose: false,
            color: false,
        }
    }
}

impl Unchecked {
    /// The reason in words.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Excluded => "--include and --exclude leave no operation".to_owned(),
            Self::NoBase => {
                "every pair has only one document, which is compared with its merge base: add --base REV"
                    .to_owned()
            }
            Self::Empty => "there is no operation, webhook or schema to compare".to_owned(),
            Self::NoSamples { operations: 0 } => "the document has no operation".to_owned(),
            Self::NoSamples { operations: 1 } => "the only operation has no sample".to_owned(),
            Self::NoSamples { operations } => {
                format!("none of {operations} operations has a sample")
            }
            Self::NothingSent { samples: 1 } => "the only sample could not be sent".to_owned(),
            Self::NothingSent { samples } => format!("none of {samples} samples could be sent"),
        }
    }
}

impl Report {
    /// Whether the findings let the run pass.
    pub fn verdict(&self) -> Verdict {
        if self.findings.iter().any(|entry| self.fails(entry)) {
            Verdict::Deviates
        } else if self.unchecked.is_some() {
            Verdict::NothingChecked
        } else {
            Verdict::Conforms
        }
    }

    /// Whether this finding makes the run fail.
    fn fails(&self, entry: &Entry) -> bool {
        entry.finding.severity <= self.fail_on
    }

    /// How many findings have this severity.
    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|entry| entry.finding.severity == severity)
            .count()
    }

    /// `2 operations, 1 schema`; nouns without a count are left out.
    fn checked_words(&self) -> String {
        let one = |(noun, count): (&&'static str, &usize)| match count {
            1 => format!("1 {}", noun.strip_suffix('s').unwrap_or(noun)),
            _ => format!("{count} {noun}"),
        };
        let some = self.checked.iter().filter(|(_, count)| **count > 0);
        some.map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Such as `2 warnings`.
fn counted(severity: Severity, count: usize) -> String {
    match (severity, count) {
        (Severity::Warning, 2..) => format!("{count} warnings"),
        _ => format!("{count} {}", severity.word()),
    }
}

/// A report as it is written: the entries that are shown, in order.
struct Listing<'r> {
    report: &'r Report,
    view: View,
    /// By pair in the order of the run, then by severity, then by place.
    entries: Vec<&'r Entry>,
}

impl<'r> Listing<'r> {
    fn new(report: &'r Report, view: View) -> Self {
        let mut pairs: HashMap<Option<&str>, usize> = HashMap::new();
        for entry in &report.findings {
            let next = pairs.len();
            pairs.entry(entry.pair.as_deref()).or_insert(next);
        }
        let shown = report.findings.iter();
        let mut entries: Vec<&Entry> = shown
            .filter(|entry| entry.finding.severity <= view.show)
            .collect();
        let place = |entry: &'r Entry| {
            let finding = &entry.finding;
            let place = finding.new.as_ref().or(finding.old.as_ref());
            place.map(|place| (&place.document, place.line, place.column, &place.pointer))
        };
        // The sort is stable: the order of the run decides the rest.
        entries.sort_by_key(|&entry| {
            (
                pairs.get(&entry.pair.as_deref()),
                entry.finding.severity,
                place(entry),
            )
        });
        Self {
            report,
            view,
            entries,
        }
    }

    /// The entries whatever pair they belong to, by severity.
    fn by_severity(&self) -> Vec<&'r Entry> {
        let mut entries = self.entries.clone();
        entries.sort_by_key(|entry| entry.finding.severity);
        entries
    }

    /// How many findings are not shown.
    fn hidden(&self) -> usize {
        self.report.findings.len() - self.entries.len()
    }

    /// The result without the verdict, such as `1 breaking; 2 operations checked`.
    fn counts(&self) -> String {
        let report = self.report;
        let mut parts = Vec::new();
        let unchecked = report
            .unchecked
            .filter(|_| report.verdict() == Verdict::NothingChecked);
        parts.extend(unchecked.map(Unchecked::reason));
        let found: Vec<String> = Severity::ALL
            .iter()
            .map(|&severity| (severity, report.count(severity)))
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| counted(severity, count))
            .collect();
        if !found.is_empty() {
            parts.push(found.join(", "));
        }
        if unchecked.is_none() {
            let checked = report.checked_words();
            parts.push(match found.is_empty() {
                true => format!("{checked} checked, nothing found"),
                false => format!("{checked} checked"),
            });
        }
        if report.ignored > 0 {
            parts.push(format!("{} accepted by the baseline", report.ignored));
        }
        if self.hidden() > 0 {
            parts.push(format!("{} not shown", self.hidden()));
        }
        parts.join("; ")
    }

    /// The result in one line, the verdict first.
    fn summary(&self) -> String {
        format!("{}: {}", self.report.verdict().word(), self.counts())
    }
}

/// The places of an entry with the names of their documents.
fn places(entry: &Entry) -> Vec<(&'static str, &Place)> {
    let finding = &entry.finding;
    [(Side::Old, &finding.old), (Side::New, &finding.new)]
        .into_iter()
        .filter_map(|(side, place)| Some((words::side(side, entry.comparison), place.as_ref()?)))
        .collect()
}

/// The sentence of an entry, with the advice where there is some.
fn message(entry: &Entry) -> String {
    let context = words::Context::of(&entry.finding, entry.comparison);
    let sentence = words::sentence(&entry.finding.message, &context);
    match words::advice(&entry.finding.message, &context) {
        Some(advice) => format!("{sentence}; {advice}"),
        None => sentence,
    }
}

/// The clause before a witness: which value it is, and which document allows it.
fn witness_title(entry: &Entry) -> String {
    let Some(proof) = &entry.finding.proof else {
        return "value".to_owned();
    };
    let named = |side| words::side(side, entry.comparison);
    let of = match proof.subject == entry.finding.subject {
        true => String::new(),
        false => format!(" of {}", proof.subject),
    };
    format!(
        "for example, {} allows this {}{of}, {} does not",
        named(proof.accepted_by),
        proof.part,
        named(proof.refused_by)
    )
}

/// The witness on one line, with the path to what matters.
fn witness_line(entry: &Entry) -> Option<String> {
    let witness = entry.finding.witness.as_ref()?;
    let at = entry.finding.proof.as_ref().map(|proof| proof.at.as_str());
    Some(words::elided(witness, at.unwrap_or_default()))
}

/// The tree of who uses the place of a finding, one line each with how deep it is indented: at most `most` users, and how many
/// there are besides.
fn users(finding: &Finding, most: usize) -> Vec<(usize, String)> {
    let users = &finding.used_by;
    let mut lines = Vec::new();
    for user in users.tree.iter().take(most) {
        lines.push((0, user.subject.clone()));
        lines.extend(user.uses.iter().map(|one| (1, one.line())));
    }
    let more = users.count - users.tree.len().min(most);
    if more > 0 {
        lines.push((0, format!("and {more} more")));
    }
    lines
}

/// Text on one line without what a terminal obeys, for messages beside reports.
pub(crate) fn plain_line(text: &str) -> String {
    plain::line(text)
}

/// Writes `report` to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(format: Format, report: &Report, view: View, out: &mut dyn Write) -> io::Result<()> {
    let listing = Listing::new(report, view);
    match format {
        Format::Text => text::write(&listing, out),
        Format::Oneline => oneline::write(&listing, out),
        Format::Json => json::write(&listing, out),
        Format::Ndjson => ndjson::write(&listing, out),
        Format::Junit => junit::write(&listing, out),
        Format::Sarif => sarif::write(&listing, out),
        Format::Html => html::write(&listing, out),
        Format::Markdown => markdown::write(&listing, out),
        Format::Github => github::write(&listing, out),
    }
}

#[cfg(test)]
pub(crate) mod sample {
    //! Reports for the tests of the formats: one with one of everything, one with everything that is hostile.

    use serde_json::json;

    use super::*;
    use crate::finding::{
        Comparison, Effect, ExchangeRecord, Impact, Message, Proof, ReplayFault, SchemaChange,
        Sender, Undecided, Use, User, Users,
    };

    fn place(document: &str, line: u32) -> Place {
        Place {
            document: document.to_owned(),
            pointer: "/info/title".to_owned(),
            node: "/info/title".to_owned(),
            line,
            column: 3,
        }
    }

    fn finding(rule: &'static str, severity: Severity, subject: &str) -> Finding {
        let change = SchemaChange::KeywordChanged {
            keyword: "maxLength".to_owned(),
            old: Some(json!(100)),
            new: Some(json!(50)),
        };
        Finding {
            old: Some(place("old.yaml", 4)),
            new: Some(place("new.json", 1)),
            effect: (severity == Severity::Breaking).then_some(Effect {
                sender: Sender::Client,
                impact: Impact::Rejected,
            }),
            undecided: (severity == Severity::Undecided).then(|| Undecided::NotFound {
                keyword: "maxLength".to_owned(),
            }),
            ..Finding::new(rule, severity, subject, change)
        }
    }

    fn wrap(findings: Vec<Finding>) -> Report {
        Report {
            command: "drift",
            documents: vec![DocumentInfo {
                role: "old",
                name: "old.yaml".to_owned(),
                openapi: "3.1",
                pair: None,
            }],
            server: None,
            checked: BTreeMap::from([("operations", 2), ("schemas", 5)]),
            fail_on: Severity::Undecided,
            findings: crate::fingerprint::entries(findings, Comparison::Versions, None, None),
            ignored: 0,
            unchecked: None,
        }
    }

    pub(crate) fn report() -> Report {
        let mut shared = finding("schema-type-changed", Severity::Undecided, "GET /a (getA)");
        let way = |part: &str, through: &[&str]| Use {
            part: part.to_owned(),
            through: through.iter().map(|&name| name.to_owned()).collect(),
        };
        let user = |subject: &str, uses: Vec<Use>| User {
            subject: subject.to_owned(),
            uses,
        };
        shared.used_by = Users {
            count: 7,
            tree: vec![
                user("GET /a (getA)", vec![way("answer 200", &["List", "A"])]),
                user(
                    "POST /a (createA)",
                    vec![way("request body", &["A"]), way("answer 201", &["A"])],
                ),
                user("DELETE /a (deleteA)", vec![way("", &["parameters/Id"])]),
            ],
        };
        shared.witness = Some(json!({"a": 1}));
        shared.proof = Some(Proof::new(
            "POST /a (createA)",
            "request body",
            Side::Old,
            "/a".to_owned(),
        ));
        shared.new = None;
        let mut wire = finding("status-documented", Severity::Warning, "GET /b (getB)");
        wire.message = Message::Replay(ReplayFault::Status {
            sample: "ok".to_owned(),
            expected: "200".to_owned(),
            found: 500,
            documented: None,
            credentials: Vec::new(),
        });
        wire.new = None;
        wire.exchange = Some(ExchangeRecord {
            request: "GET /a HTTP/1.1\n".to_owned(),
            response: Some("HTTP/1.1 500 Internal Server Error\n\noops\n".to_owned()),
            curl: "curl http://localhost/a".to_owned(),
        });
        let first = finding(
            "schema-keyword-changed",
            Severity::Breaking,
            "GET /a (getA)",
        );
        let mut report = wrap(vec![wire, first, shared]);
        report.findings[0].comparison = Comparison::Single;
        report.findings[2].comparison = Comparison::Lockstep;
        report
    }

    /// What documents and servers may contain to break out of a report.
    pub(crate) const HOSTILE: &str = "<script>alert(1)</script> a|b `c` ::error::x %0A\n::warning file=y::z\r\n\u{1b}[31mred\u{7}\u{202e}\u{fffe}\u{2028} ]]> --> \"q\" 'r' & @team #1 [x](javascript:y) ![i](http://e/i) $m$ \u{9b}1m </pre></details>\u{e0041}";

    pub(crate) fn hostile() -> Report {
        let at = |line| Place {
            document: format!("a b%,:{HOSTILE}.yaml"),
            pointer: format!("/{HOSTILE}"),
            node: format!("/{HOSTILE}"),
            line,
            column: 1,
        };
        let mut finding = finding("operation-removed", Severity::Breaking, HOSTILE);
        finding.message = Message::Text(HOSTILE.to_owned());
        finding.old = Some(at(1));
        finding.new = Some(at(2));
        finding.witness = Some(json!({HOSTILE: [HOSTILE]}));
        finding.proof = Some(Proof::new(HOSTILE, HOSTILE, Side::New, String::new()));
        let (part, through) = (HOSTILE.to_owned(), vec![HOSTILE.to_owned()]);
        finding.used_by = Users {
            count: 2,
            tree: vec![User {
                subject: HOSTILE.to_owned(),
                uses: vec![Use { part, through }],
            }],
        };
        finding.exchange = Some(ExchangeRecord {
            request: HOSTILE.to_owned(),
            response: Some(HOSTILE.to_owned()),
            curl: HOSTILE.to_owned(),
        });
        let mut report = wrap(vec![finding]);
        report.documents[0].name = HOSTILE.to_owned();
        report.server = Some(HOSTILE.to_owned());
        report.findings[0].pair = Some(HOSTILE.to_owned());
        report
    }

    /// The report in a format without color.
    pub(crate) fn written(format: Format, report: &Report) -> String {
        let mut out = Vec::new();
        write(format, report, View::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The first report in a format that names the tool's version, without it.
    pub(crate) fn versionless(format: Format) -> String {
        let version = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
        let text = written(format, &report());
        assert!(text.contains(&version));
        text.replace(&version, "\"VERSION\"")
    }

    /// Whether a text has only characters that no terminal and no browser takes for a command.
    pub(crate) fn is_plain(text: &str) -> bool {
        !text
            .chars()
            .any(|character| character != '\n' && plain::is_unsafe(character))
    }
}
