//! A handler with one fault at a time: each is found by its rule, and nothing is found on the right handler.

mod handler;
mod presets;
mod table;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use conformance::document::Document;
use conformance::finding::{Comparison, Finding, Severity};
use conformance::receiver::{self, Options, Outcome};
use conformance::report::words;

use crate::fault_table::{all_found, each, is_complete};
use crate::replay::server::{Request, Server};
use handler::{Handler, SECRET};
use table::FAULTS;

const SHOP: &str = include_str!("../../cases/receiver/shop.yaml");

/// How many handlers are judged at once.
const AT_ONCE: usize = 4;

/// Ids are new in each run.
static RUNS: AtomicU64 = AtomicU64::new(1);

fn judge(handler: Handler, text: &str, change: &dyn Fn(&mut Options)) -> Outcome {
    let server = Server::start(Box::new(move |request: &Request, _| {
        handler.answer(request)
    }));
    let mut options = Options::new(&format!("{}/hook", server.url));
    options.secrets = vec![SECRET.to_owned()];
    options.effect = Some(format!("{}/effect", server.url));
    options.effect_wait = 1.0;
    options.nonce = RUNS.fetch_add(1, Ordering::Relaxed) << 32;
    change(&mut options);
    let document = Document::parse("shop.yaml", text).expect("the document parses");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(receiver::check(&options, &document));
    outcome.expect("the handler can be judged")
}

/// Returns the findings of a run with the default options, from the gravest to warnings.
fn found(fault: &'static str, change: &dyn Fn(&mut Options)) -> Vec<Finding> {
    let findings = judge(Handler::new(fault), SHOP, change).findings;
    let graver = |finding: &Finding| finding.severity <= Severity::Warning;
    findings.into_iter().filter(graver).collect()
}

fn shown(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|one| {
        let sentence = words::of(one, Comparison::Single);
        format!(
            "  {} {}: {}: {sentence}\n",
            one.severity.word(),
            one.rule,
            one.subject
        )
    });
    lines.collect()
}

#[test]
fn each_fault_of_a_handler_is_found_by_its_rule_and_by_nothing_else() {
    let results = each(AT_ONCE, FAULTS, |fault| {
        let findings = found(fault.id, &|_| {});
        let own = findings.iter().find(|one| {
            one.rule == fault.rule && words::of(one, Comparison::Single).contains(fault.part)
        });
        let other = findings
            .iter()
            .any(|one| one.rule != fault.rule && !fault.also.contains(&one.rule));
        match own {
            Some(own) if !other => Ok(own.severity),
            _ => Err(format!(
                "{} ({} with `{}`):\n{}",
                fault.id,
                fault.rule,
                fault.part,
                shown(&findings)
            )),
        }
    });
    let severities = all_found(results);
    let page = table::page(&severities);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/HANDLER_FAULTS.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, &page).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == page,
        "HANDLER_FAULTS.md is out of date: run this test with INSTA_UPDATE=always"
    );
}

#[test]
fn nothing_is_found_on_the_right_handler() {
    let outcome = judge(Handler::new(""), SHOP, &|_| {});
    assert!(outcome.findings.is_empty(), "{}", shown(&outcome.findings));
    assert_eq!(outcome.checked["events"], 3);
    assert!(outcome.checked["requests"] > 200, "{:?}", outcome.checked);
}

#[test]
fn nothing_is_found_on_a_handler_that_answers_first_and_works_then() {
    let handler = Handler::late(Duration::from_millis(30));
    let outcome = judge(handler, SHOP, &|options| {
        options.effect_wait = 5.0;
        options.max_cases = 10;
    });
    assert!(outcome.findings.is_empty(), "{}", shown(&outcome.findings));
}

#[test]
fn nothing_is_found_on_the_right_handler_with_200_seeds() {
    let seeds: Vec<u64> = (0..200).collect();
    let results = each(AT_ONCE, &seeds, |seed| {
        let findings = found("", &|options| {
            // Coverage does not depend on the seed.
            options.max_cases = 1;
            options.random = 20;
            options.seed = *seed;
        });
        (!findings.is_empty()).then(|| format!("seed {seed}:\n{}", shown(&findings)))
    });
    let wrong: Vec<String> = results.into_iter().flatten().take(5).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_of_handlers_has_enough_faults_and_names_none_twice() {
    is_complete(FAULTS, 20);
}

#[test]
fn without_an_effect_the_finding_says_what_to_name() {
    let findings = found("twice", &|options| options.effect = None);
    let text = shown(&findings);
    assert_eq!(findings.len(), 1, "{text}");
    assert!(text.contains("undecided effect-undecided"), "{text}");
    assert!(
        text.contains("name with --effect a URL or command"),
        "{text}"
    );
}

#[test]
fn a_command_shows_the_effect_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("count");
    std::fs::write(&file, "0").expect("a file");
    let command = format!("cat '{}'", file.display());
    // Nothing writes there: the command is run, and the effect does not move.
    let findings = found("", &|options| {
        options.effect = Some(command.clone());
        options.effect_wait = 0.1;
    });
    let text = shown(&findings);
    assert!(
        text.contains("changed nothing of what --effect shows"),
        "{text}"
    );
    let findings = found("", &|options| options.effect = Some("exit 3".to_owned()));
    let text = shown(&findings);
    assert!(
        text.contains("--effect failed: the command failed"),
        "{text}"
    );
}

#[test]
fn a_finding_shows_the_forged_delivery_and_no_secret() {
    let curl = |findings: &[Finding]| {
        let exchange = findings[0].exchange.as_ref().expect("an exchange");
        exchange.curl.to_ascii_lowercase()
    };
    let unsigned = curl(&found("signature-optional", &|_| {}));
    assert!(unsigned.starts_with("curl "), "{unsigned}");
    assert!(!unsigned.contains("webhook-signature"), "{unsigned}");
    assert!(unsigned.contains("webhook-timestamp: 1"), "{unsigned}");
    let findings = found("sha1", &|_| {});
    let forged = curl(&findings);
    assert!(forged.contains("webhook-signature: v1,"), "{forged}");
    assert!(!format!("{findings:?}").contains(&SECRET[6..]));
}

#[test]
fn unsigned_and_untimed_documents_leave_what_they_do_not_say_undecided() {
    let unsigned = SHOP.replace("x-webhook-signature: {preset: standard-webhooks}\n", "");
    let findings = judge(Handler::new("open"), &unsigned, &|options| {
        options.effect = None;
    })
    .findings;
    let text = shown(&findings);
    assert!(
        text.contains("the document does not say how they are signed"),
        "{text}"
    );
    let lasting = SHOP.replace(
        "{preset: standard-webhooks}",
        "{algorithm: hmac-sha256, signature: {header: webhook-signature, items: ' ', prefix: 'v1,', encoding: base64}, \
         signed: '{id}.{timestamp}.{body}', timestamp: {header: webhook-timestamp}, id: {header: webhook-id}, \
         key: {encoding: base64, prefix: whsec_}}",
    );
    let findings = judge(Handler::new(""), &lasting, &|_| {}).findings;
    let text = shown(&findings);
    assert!(
        text.contains("say in `x-webhook-signature` how old they may be"),
        "{text}"
    );
    assert_eq!(findings.len(), 1, "{text}");
}

#[test]
fn recorded_deliveries_are_signed_anew_and_sent() {
    let line = r#"{"type":"order.paid","headers":{"content-type":"application/json","webhook-id":"msg_old","webhook-timestamp":"1","webhook-signature":"v1,x"},"body":{"type":"order.paid","timestamp":"2026-01-01T00:00:00Z","data":{"order":"o-7","amount":12}}}"#;
    let recorded = receiver::recorded::read(line.as_bytes()).expect("a delivery");
    let outcome = judge(Handler::new(""), SHOP, &|options| {
        options.recorded = recorded.clone();
    });
    assert!(outcome.findings.is_empty(), "{}", shown(&outcome.findings));
    assert_eq!(outcome.checked["requests"], 1);
    let outcome = judge(Handler::new("refuses-all"), SHOP, &|options| {
        options.recorded = recorded.clone();
    });
    let text = shown(&outcome.findings);
    assert!(
        text.contains("the recorded delivery 1 (order.paid) got 401"),
        "{text}"
    );
}

/// A handler that ends with its first broken delivery, and whose supervisor starts it again after a while, or never.
fn mortal(restarts: bool) -> (String, std::sync::Arc<AtomicU64>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let deaths = std::sync::Arc::new(AtomicU64::new(0));
    let count = std::sync::Arc::clone(&deaths);
    std::thread::spawn(move || {
        let mut listener = Some(listener);
        while let Some(open) = listener.take() {
            let mut died = false;
            for mut stream in open.incoming().flatten() {
                let mut bytes = Vec::new();
                let mut piece = [0; 65536];
                let whole = |bytes: &[u8]| {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    let (head, body) = text.split_once("\r\n\r\n")?;
                    let length = head
                        .lines()
                        .find_map(|line| {
                            line.to_ascii_lowercase()
                                .strip_prefix("content-length: ")?
                                .parse()
                                .ok()
                        })
                        .unwrap_or(0);
                    (bytes.len() - head.len() - 4 >= length).then(|| body.to_owned())
                };
                let body = loop {
                    if let Some(body) = whole(&bytes) {
                        break body;
                    }
                    match stream.read(&mut piece) {
                        Ok(read @ 1..) => bytes.extend_from_slice(&piece[..read]),
                        _ => break String::new(),
                    }
                };
                if bytes.is_empty() {
                    continue;
                }
                // As a program that ends with an exception which nobody catches.
                let is_delivery = bytes.starts_with(b"POST ");
                if is_delivery && serde_json::from_str::<serde_json::Value>(&body).is_err() {
                    died = true;
                    count.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            }
            // Until it has ended, the system accepts connections for it.
            std::thread::sleep(Duration::from_millis(30));
            drop(open);
            if died && restarts {
                std::thread::sleep(Duration::from_millis(300));
                listener = std::net::TcpListener::bind(address).ok();
            }
        }
    });
    (format!("http://{address}/hook"), deaths)
}

#[test]
fn a_handler_that_ends_is_blamed_for_what_ended_it_and_not_for_what_follows() {
    let unsigned = SHOP.replace("x-webhook-signature: {preset: standard-webhooks}\n", "");
    let (before, after) = unsigned.split_once("  handshake:\n").expect("a handshake");
    let unsigned = format!("{before}{}", after.split_once('\n').expect("one").1);
    let judged = |restarts| {
        let (url, deaths) = mortal(restarts);
        let mut options = Options::new(&url);
        options.nonce = RUNS.fetch_add(1, Ordering::Relaxed) << 32;
        options.max_cases = 5;
        options.random = 0;
        let document = Document::parse("shop.yaml", &unsigned).expect("the document parses");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let outcome = runtime.block_on(receiver::check(&options, &document));
        let findings = outcome.expect("the handler can be judged").findings;
        let broken: Vec<String> = findings
            .iter()
            .filter(|one| one.severity == Severity::Breaking)
            .map(|one| words::of(one, Comparison::Single))
            .collect();
        (broken, deaths.load(Ordering::SeqCst))
    };
    let (broken, deaths) = judged(true);
    assert!(deaths > 2, "{deaths}");
    for sentence in &broken {
        let own = [
            "that breaks off",
            "an empty body",
            "not UTF-8",
            "10,000 deep",
        ];
        assert!(
            sentence.starts_with("your handler breaks: ")
                && own.iter().any(|part| sentence.contains(part)),
            "{broken:#?}"
        );
    }
    let (broken, deaths) = judged(false);
    assert_eq!(deaths, 1);
    assert_eq!(broken.len(), 2, "{broken:#?}");
    assert!(
        broken[0].contains("a body that breaks off got no response"),
        "{broken:#?}"
    );
    assert!(
        broken[1].contains("ended after this delivery"),
        "{broken:#?}"
    );
}
