//! A sender with one fault at a time: each is found by its rule, and nothing is found on the right sender.

mod generic;
mod receiver;
mod sender;
mod table;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use conformance::deliveries::{self, Outcome, Settings};
use conformance::document::Document;
use conformance::finding::{Comparison, Finding, Severity};
use conformance::report::words;
use conformance::session::Options;

use sender::{SPEED, Sender};
use table::FAULTS;

const SHOP: &str = include_str!("../../cases/deliveries/shop.yaml");

/// How many senders run at once: they wait most of the time.
const AT_ONCE: usize = 24;

fn settings() -> Settings {
    let mut settings = Settings {
        clock_speed: SPEED,
        ..Settings::default()
    };
    settings.how.trigger = Some("publish".to_owned());
    settings.how.rotate = Some("rotateSecret".to_owned());
    settings.second.headers = vec![("Authorization".to_owned(), "second".to_owned())];
    settings
}

fn run(document: &str, url: &str, settings: &Settings, nonce: u64) -> Outcome {
    let document = Document::parse("shop.yaml", document).expect("the document parses");
    let mut options = Options::new(url);
    options.headers = vec![("Authorization".to_owned(), "first".to_owned())];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(deliveries::check(
        &options,
        settings,
        &document,
        nonce,
        &|_| {},
    ));
    outcome.expect("the server can be checked")
}

/// What a run finds on a sender, from the gravest to warnings.
fn found(fault: &'static str, seed: u64) -> Vec<Finding> {
    let mut settings = settings();
    match fault {
        "future-time" => {
            settings.clock_speed = 1.0;
            settings.no_promises = true;
        }
        "listed-only" => {
            settings.reconcile = Some("listEvents".to_owned());
            settings.no_promises = true;
        }
        _ => {}
    }
    let sender = Sender::start(fault, settings.clock_speed, seed);
    let outcome = run(SHOP, &sender.url, &settings, seed + 1);
    let mut findings = outcome.findings;
    findings.retain(|finding| finding.severity <= Severity::Warning);
    if fault != "sends-after-delete" {
        assert_eq!(
            sender.registered(),
            0,
            "{fault}: webhooks are left: {:?}",
            outcome.notes
        );
    }
    findings
}

fn said(finding: &Finding) -> String {
    words::of(finding, Comparison::Single)
}

fn shown(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|one| {
        format!(
            "  {} {}: {}: {}\n",
            one.severity.word(),
            one.rule,
            one.subject,
            said(one)
        )
    });
    lines.collect()
}

/// Does `work` for all items on a few threads, and puts the results in the order of the items.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0..items.len());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let index = next.lock().expect("no thread panics").next();
                    let Some(index) = index else { return };
                    let result = work(&items[index]);
                    done.lock().expect("no thread panics").push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panics");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn each_fault_of_a_sender_is_found_by_its_rule() {
    let results = each(FAULTS, |fault| {
        let findings = found(fault.id, 0);
        let own = findings
            .iter()
            .find(|one| one.rule == fault.rule && said(one).contains(fault.part));
        own.map(|one| one.severity).ok_or_else(|| {
            format!(
                "{} ({} with `{}`):\n{}",
                fault.id,
                fault.rule,
                fault.part,
                shown(&findings)
            )
        })
    });
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
    let severities: Vec<Severity> = results.into_iter().flatten().collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/DELIVERIES.md");
    let kept = std::fs::read_to_string(path).expect("the page is there");
    let (head, _) = kept
        .split_once("| the sender ... |")
        .expect("the page has the table");
    let page = format!("{head}{}", table::rows(&severities));
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, &page).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == page,
        "DELIVERIES.md is out of date: run this test with INSTA_UPDATE=always"
    );
}

#[test]
fn nothing_is_found_on_the_right_sender() {
    let rounds = std::env::var("CONFORMANCE_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12_u64);
    let seeds: Vec<u64> = (0..rounds).collect();
    let results = each(&seeds, |seed| (*seed, found("", *seed)));
    let wrong: Vec<String> = results
        .iter()
        .filter(|(_, findings)| !findings.is_empty())
        .map(|(seed, findings)| format!("seed {seed}:\n{}", shown(findings)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {rounds}\n{}",
        wrong.len(),
        wrong.concat()
    );
}

#[test]
fn the_table_has_enough_faults_and_names_none_twice() {
    let ids: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.id).collect();
    assert_eq!(ids.len(), FAULTS.len());
    assert!(FAULTS.len() >= 60, "{}", FAULTS.len());
}
