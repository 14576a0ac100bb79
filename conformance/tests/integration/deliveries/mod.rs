//! A sender with one fault at a time: each is found by its rule, and nothing is found on the right sender.

mod certificates;
mod generic;
mod receiver;
mod sender;
mod table;

use conformance::deliveries::{self, Outcome, Settings};
use conformance::document::Document;
use conformance::finding::{Comparison, Finding, Severity};
use conformance::report::words;
use conformance::session::Options;

use crate::fault_table::{all_found, each, is_complete, rows};
use sender::{SPEED, Sender};
use table::FAULTS;

const SHOP: &str = include_str!("../../cases/deliveries/shop.yaml");

/// How many senders are judged at once: they wait most of the time.
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

/// Returns the findings of a run on a sender, from the gravest to warnings.
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
    assert_eq!(
        sender.registered(),
        0,
        "{fault}: webhooks are left: {:?}",
        outcome.notes
    );
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

#[test]
fn each_fault_of_a_sender_is_found_by_its_rule() {
    let results = each(AT_ONCE, FAULTS, |fault| {
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
    let severities = all_found(results);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/DELIVERIES.md");
    let kept = std::fs::read_to_string(path).expect("the page is there");
    let (head, _) = kept
        .split_once("| the sender ... |")
        .expect("the page has the table");
    let page = format!("{head}{}", rows(FAULTS, &severities, "the sender"));
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
    let results = each(AT_ONCE, &seeds, |seed| (*seed, found("", *seed)));
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
fn pending_deliveries_of_disabled_and_deleted_webhooks_are_held_to_what_is_promised() {
    let pause = "gone: disable\n  afterDisable: pause";
    let go_on = "gone: disable\n  afterDisable: continue\n  afterDelete: continue";
    let cases: [(&str, &str, &[&str]); 5] = [
        ("pauses", pause, &[]),
        ("continues", go_on, &[]),
        (
            "",
            pause,
            &["not attempted any more after the webhook was enabled again"],
        ),
        (
            "pending-after-disable",
            pause,
            &["disabled, which should pause it"],
        ),
        (
            "",
            go_on,
            &[
                "ended when the webhook was disabled",
                "ended when the webhook was deleted",
            ],
        ),
    ];
    let results = each(AT_ONCE, &cases, |(fault, promise, _)| {
        let document = SHOP.replace("gone: disable", promise);
        let sender = Sender::start(fault, SPEED, 1);
        let mut findings = run(&document, &sender.url, &settings(), 1).findings;
        findings.retain(|finding| finding.severity <= Severity::Warning);
        findings
    });
    for ((fault, promise, expected), findings) in cases.iter().zip(results) {
        let text = shown(&findings);
        assert_eq!(findings.len(), expected.len(), "{fault}, {promise}: {text}");
        for part in *expected {
            assert!(text.contains(part), "{fault}, {promise}: {text}");
        }
    }
}

/// A tenth of the retries could be missing where they are due at multiples from the first attempt, as a busy sender may skip some.
#[test]
fn a_single_missing_retry_of_many_is_found() {
    let many = "retry: { every: 20, from: first, until: 400 }";
    let document = SHOP.replace("retry: { offsets: [80, 200]", "RETRY");
    let (before, after) = document.split_once("RETRY").expect("the retries");
    let (_, after) = after.split_once('}').expect("their end");
    let document = format!("{before}{many}{after}");
    let cases: [(&str, &[&str]); 2] = [
        ("every-20", &[]),
        ("every-20-but-one", &["20 attempts came, promised are 21"]),
    ];
    let results = each(AT_ONCE, &cases, |(fault, _)| {
        let sender = Sender::start(fault, SPEED, 1);
        let mut findings = run(&document, &sender.url, &settings(), 1).findings;
        findings.retain(|finding| finding.severity <= Severity::Warning);
        findings
    });
    for ((fault, expected), findings) in cases.iter().zip(results) {
        let text = shown(&findings);
        assert_eq!(findings.is_empty(), expected.is_empty(), "{fault}: {text}");
        for part in *expected {
            assert!(text.contains(part), "{fault}: {text}");
        }
    }
}

/// What is under way when a webhook is disabled or deleted may arrive within `grace`.
#[test]
fn deliveries_may_come_within_the_grace_after_the_end_of_a_webhook_and_no_later() {
    let rules = ["delivery-ended", "delivery-ended"];
    let for_ever = ["delivery-ended", "delivery-pending", "delivery-ended"];
    let cases: [(&str, &str, &[&str]); 5] = [
        ("lingers", "gone: disable", &rules),
        // Half a second here, and the sender lingers for one and a half.
        ("lingers", "gone: disable\n  grace: 20", &rules),
        ("lingers", "gone: disable\n  grace: 80", &[]),
        (
            "sends-after-disable",
            "gone: disable\n  grace: 80",
            &for_ever,
        ),
        ("", "gone: disable\n  grace: 80", &[]),
    ];
    let results = each(AT_ONCE, &cases, |(fault, promise, _)| {
        let document = SHOP.replace("gone: disable", promise);
        let sender = Sender::start(fault, SPEED, 1);
        let mut findings = run(&document, &sender.url, &settings(), 1).findings;
        findings.retain(|finding| finding.severity <= Severity::Warning);
        findings
    });
    for ((fault, promise, expected), findings) in cases.iter().zip(results) {
        let rules: Vec<&str> = findings.iter().map(|one| one.rule).collect();
        let text = shown(&findings);
        assert_eq!(rules, *expected, "{fault}, {promise}: {text}");
    }
}

/// Each webhook was verified with the keys of the first one's description.
#[test]
fn a_webhook_that_is_described_by_itself_is_verified_with_its_own_keys() {
    let own = "operationId: onSent\n      x-webhook-signature: { algorithm: hmac-sha256, signature: { header: X-Signature, field: v1, encoding: hex }, \
               signed: '{timestamp}.{body}', timestamp: { header: X-Signature, field: t }, key: { value: another } }";
    let document = SHOP.replace("operationId: onSent", own);
    let sender = Sender::start("", SPEED, 1);
    let mut settings = settings();
    settings.no_promises = true;
    let mut findings = run(&document, &sender.url, &settings, 1).findings;
    findings.retain(|finding| finding.severity <= Severity::Warning);
    let text = shown(&findings);
    assert_eq!(findings.len(), 1, "{text}");
    assert!(
        text.contains("delivery-signature: POST order.sent"),
        "{text}"
    );
}

#[test]
fn the_table_has_enough_faults_and_names_none_twice() {
    is_complete(FAULTS, 70);
}
