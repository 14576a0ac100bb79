//! Findings that are sent again: still there while the fault is, gone when it is mended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conformance::finding::ReplayStep;
use conformance::fingerprint;
use conformance::flows::Work;
use conformance::report::{self, DocumentInfo, Format, Report, View};
use conformance::reproduce::{self, Kept, Verdict};

use super::*;

/// Findings whose request alone does not show them.
const NOT_ALONE: [&str; 0] = [];

fn json(findings: Vec<Finding>, document: &Document, server: &str) -> Vec<u8> {
    let report = Report {
        command: "run",
        documents: vec![DocumentInfo::of("document", document)],
        server: Some(server.to_owned()),
        checked: [("operations", 1)].into(),
        fail_on: Severity::Undecided,
        findings: fingerprint::entries(findings, Comparison::Single, Some(document), None),
        sent: Vec::new(),
        coverage: None,
        ignored: 0,
        unchecked: None,
        notes: Vec::new(),
    };
    let mut out = Vec::new();
    report::write(Format::Json, &report, View::default(), &mut out).expect("is written");
    out
}

/// A run against a server with one fault.
pub(super) struct Ran {
    /// All that it found.
    pub(super) findings: Vec<Finding>,
    /// Findings that are not there when they are sent again, or still there when the fault is mended.
    wrong: Vec<String>,
}

/// The requests of a run on the right server.
fn requests(right: &'static str) -> Vec<Request> {
    let shop = Shop(right);
    let server = Server::start(Box::new(move |request: &Request, _| shop.answer(request)));
    let (mut options, text) = options(&server.url, right);
    options.generate = Some(Generate::default());
    let document = Document::parse("shop.yaml", text).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(replay::run(&options, &document, &mut |_| {}));
    outcome.expect("the server can be checked");
    let seen = server.seen.lock().expect("no thread panics");
    seen.clone()
}

/// The paths of the document with answers that a fault changes. The shop keeps nothing between requests, so on all other paths a run is that
/// on the right server, which finds nothing.
fn affected(fault: &Fault, document: &Document) -> Vec<String> {
    static SHOP: OnceLock<Vec<Request>> = OnceLock::new();
    static BASIC: OnceLock<Vec<Request>> = OnceLock::new();
    let (requests, right) = match fault.id.starts_with("basic-") {
        true => (BASIC.get_or_init(|| requests("basic-none")), "basic-none"),
        false => (SHOP.get_or_init(|| requests("")), ""),
    };
    let (broken, right) = (Shop(fault.id), Shop(right));
    let area = |path: &str| {
        path.trim_start_matches('/')
            .split('/')
            .next()
            .map(str::to_owned)
    };
    let changed: BTreeSet<Option<String>> = requests
        .iter()
        .filter(|request| broken.answer(request) != right.answer(request))
        .map(|request| area(&request.path))
        .collect();
    let operations = document.operations();
    let paths = operations.iter().map(|one| one.path);
    let own = paths.filter(|path| changed.contains(&area(path)));
    own.map(|path| format!("path:{path}")).collect()
}

/// Runs against a server with a fault, and sends the findings again before and after it is mended.
pub(super) fn run(fault: &Fault) -> Ran {
    let mended = Arc::new(AtomicBool::new(false));
    let (broken, right) = (
        Shop(fault.id),
        Shop(if fault.id.starts_with("basic-") {
            "basic-none"
        } else {
            ""
        }),
    );
    let state = Arc::clone(&mended);
    let server = Server::start(Box::new(move |request: &Request, _| {
        match state.load(Ordering::SeqCst) {
            false => broken.answer(request),
            true => right.answer(request),
        }
    }));
    let (mut options, text) = options(&server.url, fault.id);
    options.generate = Some(Generate::default());
    options_for(fault, &mut options);
    let document = Document::parse("shop.yaml", text).expect("the document parses");
    options.include = affected(fault, &document);
    assert!(!options.include.is_empty(), "{} changes nothing", fault.id);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(replay::run(&options, &document, &mut |_| {}));
    let outcome = outcome.expect("the server can be checked");
    let report = json(outcome.findings.clone(), &document, &outcome.server);
    for secret in [BEARER, KEY, SECRET, SESSION, BASIC] {
        assert!(
            !String::from_utf8_lossy(&report).contains(secret),
            "{secret}"
        );
    }
    let recorded = reproduce::read(&report).expect("is a report");
    let with_request = recorded.findings.iter();
    let findings: Vec<&Kept> = with_request.filter(|one| one.has_request()).collect();
    let base = recorded.server.as_deref();
    assert!(base.is_some());
    let mut wrong = Vec::new();
    for is_mended in [false, true] {
        mended.store(is_mended, Ordering::SeqCst);
        let mut left = 0;
        let mut progress = |step| left += usize::from(matches!(step, ReplayStep::Left { .. }));
        let none = |_: &str| None;
        let work = Work::default();
        let again = reproduce::run(
            &options,
            &document,
            base,
            &findings,
            &work,
            &none,
            &mut progress,
        );
        let again = runtime.block_on(again).expect("the server can be reached");
        for (verdict, old) in again.verdicts.iter().zip(&findings) {
            let is_right = match verdict {
                Verdict::There(_) => !is_mended,
                Verdict::Gone => is_mended,
                Verdict::Unchecked(_) => false,
            };
            if !is_right && !NOT_ALONE.contains(&fault.id) {
                let verdict = match verdict {
                    Verdict::There(_) => "there".to_owned(),
                    Verdict::Gone => "gone".to_owned(),
                    Verdict::Unchecked(reason) => reason.clone(),
                };
                let state = if is_mended { "mended" } else { "broken" };
                wrong.push(format!(
                    "{} {state}: {} {}: {verdict}: {}",
                    fault.id, old.rule, old.subject, old.message
                ));
            }
        }
    }
    Ran {
        findings: outcome.findings,
        wrong,
    }
}

#[test]
fn every_finding_is_still_there_until_its_fault_is_mended() {
    let wrong: Vec<&str> = runs()
        .iter()
        .flat_map(|ran| ran.wrong.iter().map(String::as_str))
        .collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
