//! Recorded traffic: holds exchanges of an HTTP Archive to a document, without sending anything.
//!
//! An exchange belongs to the document if its URL starts with the base URL that is given; without one, if it starts with a server URL
//! of the document, or is on this machine and its path starts with that of a server URL. Of those, method and path say which operation
//! it is. The answers are judged as those of a live server are; a request that the document does not allow should have been refused.
//!
//! Not checked: credentials, whether an allowed request should have been accepted, bodies that were not recorded.

mod samples;

use std::collections::BTreeMap;
use std::io::Read;

use url::{Host, Url};

use crate::case::route::{Route, Routes};
use crate::case::serialize::decode;
use crate::case::{Body, Case, Intent, Refusal};
use crate::check::{Judge, Limits, Places};
use crate::coverage::{self, Seen};
use crate::document::{Document, Operation, Selection};
use crate::exchange::{Request, Secrets};
use crate::finding::{Coverage, Finding, Message, Place, ReplayFault, Severity};
use crate::generate::{Generator, Sent};
use crate::har::{self, HarError, Recorded, Skipped};
use crate::replay::causes;
use crate::rule::replay as rules;
use crate::schema::Schemas;
use crate::session::server_urls;

pub use samples::samples;

/// Most requests to operations that the document does not have that are told one by one.
const UNKNOWN_LIMIT: usize = 50;

/// The result of reading an archive.
#[derive(Debug)]
pub struct Outcome {
    /// In document order, secrets hidden.
    pub findings: Vec<Finding>,
    /// Counts by plural noun, for the report.
    pub checked: BTreeMap<&'static str, usize>,
    /// The parts of the document that the exchanges cover.
    pub coverage: Coverage,
    /// How many exchanges were held to the document.
    pub judged: usize,
    /// How many entries of the archive were not.
    pub others: usize,
}

/// How an archive is judged.
#[derive(Debug)]
pub struct Options {
    /// The base URL of the API; that of the document's servers where there is none.
    pub base: Option<String>,
    /// The operations that are judged.
    pub selection: Selection,
    /// Requirements beyond those of the document.
    pub limits: Limits,
    /// Whether credentials are shown.
    pub show_secrets: bool,
}

/// Judges the exchanges of an archive.
///
/// # Errors
/// When it is not an HTTP Archive.
pub fn judge(
    document: &Document,
    archive: impl Read,
    options: &Options,
) -> Result<Outcome, HarError> {
    let schemas = Schemas::new(document);
    let secrets = Secrets::new(document, &[], options.show_secrets);
    let operations = document.operations();
    let routes = Routes::new(&operations);
    let mut archived = Archived {
        document,
        judge: Judge {
            document,
            schemas: &schemas,
            secrets: &secrets,
            limits: options.limits,
            places: Places::default(),
        },
        generator: Generator::new(document, &schemas),
        operations: &operations,
        routes,
        bases: Bases::new(document, options.base.as_deref()),
        selection: &options.selection,
        findings: BTreeMap::new(),
        unknown: Vec::new(),
        counts: BTreeMap::new(),
        seen: BTreeMap::new(),
    };
    har::read(archive, &mut |entry| archived.entry(entry))?;
    Ok(archived.finish())
}

struct Archived<'a> {
    document: &'a Document,
    judge: Judge<'a>,
    generator: Generator<'a>,
    operations: &'a [Operation<'a>],
    routes: Routes,
    bases: Bases,
    selection: &'a Selection,
    /// By operation.
    findings: BTreeMap<usize, Vec<Finding>>,
    /// Requests below the base URL that no operation describes, by method and path, with their number.
    unknown: Vec<((String, String), usize)>,
    counts: BTreeMap<&'static str, usize>,
    /// By operation.
    seen: BTreeMap<usize, Seen>,
}

impl Archived<'_> {
    fn entry(&mut self, entry: Result<Recorded, Skipped>) {
        let counted = match entry {
            Ok(recorded) => self.exchange(&recorded),
            Err(Skipped::NoResponse) => "recorded requests without a response",
            Err(Skipped::NotHttp) => "recorded messages that are not HTTP",
        };
        *self.counts.entry(counted).or_default() += 1;
    }

    /// Judges an exchange, and says what it counts as.
    fn exchange(&mut self, recorded: &Recorded) -> &'static str {
        let exchange = &recorded.exchange;
        let Ok(url) = Url::parse(&exchange.request.url) else {
            return "recorded messages that are not HTTP";
        };
        let Some(path) = self.bases.path(&url) else {
            return "recorded exchanges of other servers";
        };
        let method = &exchange.request.method;
        let Some(route) = self.routes.find(method, path) else {
            // A browser asks before it sends a request to another origin (CORS).
            if method != "OPTIONS" {
                self.unknown(method, path);
            }
            return "recorded exchanges of no operation";
        };
        let operation = &self.operations[route.operation];
        if !self.selection.selects(operation) {
            return "recorded exchanges left out";
        }
        let case = self.case(operation, &exchange.request, &url, &route);
        let seen = self.seen.entry(route.operation).or_default();
        seen.note(exchange, true);
        seen.note_values(&self.judge, operation, &case, exchange);
        let decoded: Vec<(String, String)> = route
            .values
            .iter()
            .map(|(name, value)| (name.clone(), decode(value)))
            .collect();
        let mut findings = self.judge.judge(&case, exchange, &decoded);
        findings.retain(|finding| recorded.has_body || !is_about_a_missing_body(finding));
        for finding in &mut findings {
            self.judge.prove(finding, &case, exchange, &decoded);
        }
        let known = self.findings.entry(route.operation).or_default();
        known.extend(findings);
        JUDGED
    }

    fn unknown(&mut self, method: &str, path: &str) {
        let key = (method.to_owned(), path.to_owned());
        match self.unknown.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => self.unknown.push((key, 1)),
        }
    }

    /// Builds the case of a recorded request from the document.
    fn case(&self, operation: &Operation<'_>, request: &Request, url: &Url, route: &Route) -> Case {
        let query = pairs(url.query().unwrap_or_default());
        let content_type = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.clone());
        let body = request.body.as_ref().map(|bytes| Body {
            content_type,
            value: serde_json::from_slice(bytes).ok(),
            bytes: bytes.clone(),
        });
        let sent = Sent {
            path: &route.values,
            query: &query,
            headers: &request.headers,
            body: body.as_ref(),
        };
        let (name, intent) = match self.generator.flaw(operation, sent) {
            Some(flaw) => (
                format!("recorded request with an invalid or missing {flaw}"),
                Intent::Refused(Refusal::Invalid),
            ),
            None => ("recorded request".to_owned(), Intent::Open),
        };
        Case {
            query,
            headers: request.headers.clone(),
            body,
            intent,
            ..Case::new(operation, name, "a documented status")
        }
    }

    fn finish(self) -> Outcome {
        let secrets = self.judge.secrets;
        let findings = self.findings.into_values().flatten().collect();
        let mut findings = causes::of_run(findings);
        let more = self.unknown.len().saturating_sub(UNKNOWN_LIMIT);
        for ((method, path), requests) in self.unknown.into_iter().take(UNKNOWN_LIMIT) {
            let method_is_missing = self.routes.has_path(&path);
            let fault = ReplayFault::Unknown {
                requests,
                method_is_missing,
            };
            let subject = format!("{method} {path}");
            let rule = rules::OPERATION_UNDOCUMENTED;
            findings.push(Finding {
                old: Some(Place::of(self.document, "/paths")),
                ..Finding::new(rule, Severity::Warning, subject, fault)
            });
        }
        for finding in &mut findings {
            finding.message.redact(&|text| secrets.hide(text));
            if let Some(witness) = &mut finding.witness {
                secrets.hide_in(witness);
            }
        }
        let mut checked = self.counts;
        let judged = checked.get(JUDGED).copied().unwrap_or_default();
        let others = checked.values().sum::<usize>() - judged;
        let operations = self.seen.len();
        checked.insert("operations", operations);
        let unseen = self.operations.len() - operations;
        if unseen > 0 {
            checked.insert("operations without recorded exchanges", unseen);
        }
        if more > 0 {
            checked.insert("undocumented requests that are not told", more);
        }
        let selected: Vec<usize> = (0..self.operations.len())
            .filter(|index| self.selection.selects(&self.operations[*index]))
            .collect();
        let seen = self.seen.iter().map(|(index, seen)| (*index, seen));
        let coverage = coverage::measure(
            self.document,
            self.operations,
            &selected,
            &|_| Vec::new(),
            &seen.collect(),
        );
        Outcome {
            findings,
            checked,
            coverage,
            judged,
            others,
        }
    }
}

/// Noun under which judged exchanges are counted.
const JUDGED: &str = "recorded exchanges";

/// Whether a finding says that there is no body: an archive may leave bodies out.
fn is_about_a_missing_body(finding: &Finding) -> bool {
    matches!(
        finding.message,
        Message::Replay(ReplayFault::BodyMissing { .. } | ReplayFault::BodyUnexpected { .. })
    )
}

/// Where an API is.
struct Bases {
    urls: Vec<Url>,
    /// Whether the paths of these URLs will do on this machine too.
    or_local: bool,
}

impl Bases {
    fn new(document: &Document, given: Option<&str>) -> Self {
        // A server URL may be relative; the host is then unknown.
        const NOWHERE: &str = "http://localhost";
        if let Some(given) = given {
            return Self {
                urls: Url::parse(given).into_iter().collect(),
                or_local: false,
            };
        }
        let nowhere = Url::parse(NOWHERE).ok();
        let mut urls: Vec<Url> = server_urls(document)
            .iter()
            .filter_map(|url| nowhere.as_ref()?.join(url).ok())
            .collect();
        if urls.is_empty() {
            urls.extend(nowhere);
        }
        Self {
            urls,
            or_local: true,
        }
    }

    /// Returns the part of a URL's path after its base URL, if it is below one; the longest base counts.
    fn path<'u>(&self, url: &'u Url) -> Option<&'u str> {
        let local = self.or_local && is_local(url);
        let below = self.urls.iter().filter_map(|base| {
            let same = base.host() == url.host()
                && base.port_or_known_default() == url.port_or_known_default();
            let rest = url.path().strip_prefix(base.path().trim_end_matches('/'))?;
            (rest.starts_with('/') && (same || local)).then_some(rest)
        });
        below.min_by_key(|rest| rest.len())
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The pairs of a query: decoded names and percent-encoded values.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), value.to_owned())
        })
        .collect()
}
