//! A server with one fault at a time: each is found by its rule, and nothing is found on the right server.

mod again;
mod shop;
mod table;

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};
use std::thread;

use conformance::document::Document;
use conformance::finding::{Comparison, Finding, Severity};
use conformance::replay::{self, Generate, Options};
use conformance::report::words;

use crate::fault_page::{self, Part};
use crate::replay::server::{Request, Server};
use shop::{BASIC, BEARER, KEY, SECRET, SESSION, Shop};
use table::{FAULTS, Fault};

const SHOP: &str = include_str!("../../cases/faults/shop.yaml");

/// `Basic` needs the header that `Bearer` has in the shop.
const BASIC_AREA: &str = "{openapi: 3.1.0, info: {title: Basic, version: '1'}, security: [{basic: []}], paths: {/basic: {get: {responses: {'200': {description: d, content: {application/json: {schema: {type: object}}}}, '401': {description: d, content: {application/json: {schema: {type: object}}}}}}}}, components: {securitySchemes: {basic: {type: http, scheme: basic}}}}";

/// Returns the findings of a run with the default options, from the gravest to warnings.
fn found(fault: &'static str, change: &dyn Fn(&mut Options)) -> Vec<Finding> {
    let shop = Shop(fault);
    let server = Server::start(Box::new(move |request: &Request, _| shop.answer(request)));
    let (mut options, text) = options(&server.url, fault);
    options.generate = Some(Generate::default());
    change(&mut options);
    let document = Document::parse("shop.yaml", text).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(replay::run(&options, &document, &mut |_| {}));
    let findings = outcome.expect("the server can be checked").findings;
    findings
        .into_iter()
        .filter(|finding| finding.severity <= Severity::Warning)
        .collect()
}

/// A run for each fault, made once for all tests that look at them.
fn runs() -> &'static [again::Ran] {
    static RUNS: OnceLock<Vec<again::Ran>> = OnceLock::new();
    RUNS.get_or_init(|| each(FAULTS, again::run))
}

/// The credentials of the shop, and its document.
fn options(url: &str, fault: &str) -> (Options, &'static str) {
    let mut options = Options::new(url);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let (text, authorization) = match fault.starts_with("basic-") {
        true => (BASIC_AREA, format!("Basic {BASIC}")),
        false => (SHOP, format!("Bearer {BEARER}")),
    };
    options.headers = vec![
        header("Authorization", &authorization),
        header("X-Key", KEY),
        header("X-Secret", SECRET),
        header("Cookie", &format!("sid={SESSION}")),
    ];
    (options, text)
}

fn said(finding: &Finding) -> String {
    let sentence = words::of(finding, Comparison::Single);
    format!("{}: {sentence}", finding.subject)
}

fn shown(findings: &[Finding]) -> String {
    let lines = findings
        .iter()
        .map(|one| format!("  {} {}: {}\n", one.severity.word(), one.rule, said(one)));
    lines.collect()
}

/// Does `work` for all items on a few threads, and puts the results in the order of the items.
pub(crate) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0..items.len());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let index = next.lock().expect("no thread panics").next();
                    let Some(index) = index else { return };
                    let result = work(&items[index]);
                    let mut done = done.lock().expect("no thread panics");
                    done.push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panics");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Sets the options that a fault needs to be seen.
fn options_for(fault: &Fault, options: &mut Options) {
    match fault.id {
        "extra-member" => options.strict = true,
        "slow" => options.max_response_time = Some(1.0),
        "hangs" => options.timeout = 3.0,
        _ => {}
    }
}

#[test]
fn each_fault_is_found_by_its_rule_and_by_nothing_else() {
    let judged = FAULTS.iter().zip(runs()).map(|(fault, ran)| {
        let findings: Vec<Finding> = ran
            .findings
            .iter()
            .filter(|finding| finding.severity <= Severity::Warning)
            .cloned()
            .collect();
        let own: Vec<&Finding> = findings
            .iter()
            .filter(|one| one.rule == fault.rule && said(one).contains(fault.part))
            .collect();
        let other = findings
            .iter()
            .any(|one| one.rule != fault.rule && !fault.also.contains(&one.rule));
        match own.first() {
            Some(first) if !other => Ok((first.severity, findings.len())),
            _ => Err(format!(
                "{} ({} with `{}`):\n{}",
                fault.id,
                fault.rule,
                fault.part,
                shown(&findings)
            )),
        }
    });
    let results: Vec<Result<_, String>> = judged.collect();
    let wrong: Vec<&String> = results
        .iter()
        .filter_map(|one| one.as_ref().err())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        FAULTS.len(),
        wrong.iter().map(|one| one.as_str()).collect::<String>()
    );
    let severities: Vec<Severity> = results
        .into_iter()
        .flatten()
        .map(|(severity, _)| severity)
        .collect();
    fault_page::hold(&Part::Requests, &table::page(&severities));
}

#[test]
fn nothing_is_found_on_the_right_server() {
    for fault in ["", "basic-none"] {
        let findings = found(fault, &|options| options.strict = true);
        assert!(findings.is_empty(), "{}", shown(&findings));
    }
}

#[test]
fn nothing_is_found_on_the_right_server_with_200_seeds() {
    let seeds: Vec<u64> = (0..200).collect();
    let results = each(&seeds, |seed| {
        let findings = found("", &|options| {
            // Coverage does not depend on the seed; its first case is a valid one.
            options.generate = Some(Generate {
                max_cases: 1,
                random: 12,
                seed: *seed,
                ..Generate::default()
            });
        });
        (
            findings.is_empty(),
            format!("seed {seed}:\n{}", shown(&findings)),
        )
    });
    let wrong: Vec<&String> = results
        .iter()
        .filter(|(clean, _)| !clean)
        .map(|(_, shown)| shown)
        .take(5)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_has_enough_faults_and_names_none_twice() {
    let ids: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.id).collect();
    assert_eq!(ids.len(), FAULTS.len());
    assert!(FAULTS.len() >= 60, "{}", FAULTS.len());
}
