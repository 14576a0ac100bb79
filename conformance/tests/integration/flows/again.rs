//! Findings about sequences, sent again: still there while the fault is, gone when it is mended.

use conformance::credentials::Given;
use conformance::finding::Severity;
use conformance::fingerprint;
use conformance::flows::Work;
use conformance::report::{self, DocumentInfo, Format, Report, View};
use conformance::reproduce::{self, Kept, Verdict};
use conformance::session::Generate;

use super::*;
use crate::program::Folder;

pub(super) fn report_of(outcome: Outcome, document: &Document) -> Vec<u8> {
    let report = Report {
        command: "flows",
        documents: vec![DocumentInfo::of("document", document)],
        server: Some(outcome.server),
        checked: [("operations", 1)].into(),
        fail_on: Severity::Undecided,
        findings: fingerprint::entries(outcome.findings, Comparison::Single, Some(document), None),
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

/// How many findings are still there on a server, and which are not.
fn again(
    server: &Server,
    base: Option<&str>,
    findings: &[&Kept],
    second: bool,
) -> (usize, Vec<String>) {
    again_with(server, base, findings, second, &Work::default())
}

pub(super) fn again_with(
    server: &Server,
    base: Option<&str>,
    findings: &[&Kept],
    second: bool,
    work: &Work<'_>,
) -> (usize, Vec<String>) {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    let mut options = Options::new(&server.url);
    options.headers = vec![("X-Token".to_owned(), FIRST.to_owned())];
    options.generate = Some(Generate::default());
    options.flows = Some(match second {
        true => settings(),
        false => Settings::default(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let none = |_: &str| None;
    let mut quiet = |_| {};
    let outcome = reproduce::run(&options, &document, base, findings, work, &none, &mut quiet);
    let outcome = runtime
        .block_on(outcome)
        .expect("the server can be reached");
    let mut there = 0;
    let mut others = Vec::new();
    for (verdict, finding) in outcome.verdicts.iter().zip(findings) {
        let word = match verdict {
            Verdict::There(_) => {
                there += 1;
                continue;
            }
            Verdict::Gone => "gone".to_owned(),
            Verdict::Unchecked(reason) => reason.clone(),
        };
        others.push(format!("{} {}: {word}", finding.rule, finding.subject));
    }
    (there, others)
}

#[test]
fn a_fault_of_state_is_still_there_until_it_is_mended() {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    let all: Vec<_> = FAULTS.iter().zip(runs()).collect();
    let wrong = each(AT_ONCE, &all, |((fault, ..), (server, outcome))| {
        let mut wrong = Vec::new();
        let report = report_of(outcome.clone(), &document);
        let recorded = reproduce::read(&report).expect("is a report");
        let base = recorded.server.as_deref();
        let with_request = recorded.findings.iter();
        let findings: Vec<&Kept> = with_request.filter(|one| one.has_request()).collect();
        assert!(!findings.is_empty(), "{fault:?}");
        let (_, others) = again(server, base, &findings, true);
        if !others.is_empty() {
            wrong.push(format!("{fault:?} broken: {others:?}"));
        }
        let right = Server::start(Fault::None);
        let (there, others) = again(&right, base, &findings, true);
        if there > 0 || others.iter().any(|one| !one.ends_with(": gone")) {
            wrong.push(format!("{fault:?} mended: {there} there, {others:?}"));
        }
        wrong
    });
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_step_of_a_workflow_file_is_sent_again_with_its_file_and_not_without() {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    let right = Server::start(Fault::None);
    let write = Work {
        write: true,
        ..Work::default()
    };
    let text = super::arazzo::both(&right, &write).1.expect("a text");
    let description = super::arazzo::description(&text);
    let work = Work {
        description: Some(&description),
        ..Work::default()
    };
    let broken = Server::start(Fault::UpdateIgnored);
    let (outcome, _) = super::arazzo::both(&broken, &work);
    let recorded = reproduce::read(&report_of(outcome, &document)).expect("is a report");
    let base = recorded.server.as_deref();
    let findings: Vec<&Kept> = recorded.findings.iter().collect();
    assert!(findings.iter().any(|one| one.rule == "flow-criterion"));
    let (there, others) = again_with(&broken, base, &findings, false, &work);
    assert_eq!((there, others), (findings.len(), Vec::new()));
    let (there, others) = again_with(&right, base, &findings, false, &work);
    assert_eq!(there, 0);
    assert!(
        others.iter().all(|one| one.ends_with(": gone")),
        "{others:?}"
    );
    // What was created is deleted.
    assert_eq!((right.titles().len(), right.notes()), (2, 0));
    let (there, others) = again(&broken, base, &findings, false);
    assert_eq!(there, 0);
    assert!(
        others.iter().all(|one| one.contains("--flows FILE")),
        "{others:?}"
    );
}

#[test]
fn what_a_second_user_may_do_is_not_checked_without_one() {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    let server = Server::start(Fault::ForeignRead);
    let (outcome, _) = run(&server, &settings());
    let recorded = reproduce::read(&report_of(outcome, &document)).expect("is a report");
    let base = recorded.server.as_deref();
    let findings: Vec<&Kept> = recorded.findings.iter().collect();
    let (there, others) = again(&server, base, &findings, false);
    assert_eq!(there, 0);
    assert!(
        others.iter().all(|one| !one.ends_with(": gone")),
        "{others:?}"
    );
    assert!(others[0].contains("--second-user"), "{others:?}");
}

#[test]
fn a_second_user_may_be_one_of_the_credentials() {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    for (fault, rule) in [
        (Fault::None, None),
        (Fault::ForeignRead, Some("foreign-read")),
        (Fault::ForeignList, Some("foreign-list")),
    ] {
        let server = Server::start(fault);
        let mut options = Options::new(&server.url);
        options.credentials = vec![
            Given::scheme("Token", FIRST),
            Given::scheme("Token", SECOND).of_user("user-b"),
        ];
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let mut quiet = |_| {};
        let settings = Settings::default();
        let outcome = runtime.block_on(flows::check(&options, &settings, &document, &mut quiet));
        let found = outcome.expect("the server can be checked").findings;
        let rules: Vec<&str> = found.iter().map(|one| one.rule).collect();
        assert_eq!(
            rules.first().copied(),
            rule,
            "{fault:?}: {:?}",
            told(&found)
        );
        // Each secret has a name of its own.
        for finding in &found {
            let exchange = finding.exchange.as_ref().expect("has a request");
            assert!(
                exchange.curl.contains("${TOKEN_USER_B:?}"),
                "{}",
                exchange.curl
            );
        }
    }
}

#[test]
fn a_fault_of_a_list_is_the_same_however_much_there_is() {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    for fault in [
        Fault::TotalOneMore,
        Fault::FilterTotal,
        Fault::PageSkipsOne,
        Fault::PageRepeatsOne,
    ] {
        let (outcome, _) = run(&Server::start(fault), &settings());
        let recorded = reproduce::read(&report_of(outcome, &document)).expect("is a report");
        let findings: Vec<&Kept> = recorded.findings.iter().collect();
        let fuller = Server::start(fault);
        fuller.stock(7);
        let (there, others) = again(&fuller, recorded.server.as_deref(), &findings, true);
        assert!(there > 0 && others.is_empty(), "{fault:?}: {others:?}");
    }
}

#[test]
fn the_first_user_may_be_the_one_of_headers_and_cookies_and_come_last() {
    let second = || Given::scheme("Token", SECOND).of_user("user-b");
    let header = |options: &mut Options| {
        options.headers = vec![("X-Token".to_owned(), FIRST.to_owned())];
        options.credentials = vec![second()];
    };
    let reversed = |options: &mut Options| {
        options.credentials = vec![second(), Given::scheme("Token", FIRST)];
    };
    let cookie = |options: &mut Options| {
        options.cookies = vec![("token".to_owned(), FIRST.to_owned())];
        options.credentials = vec![second()];
    };
    let in_cookie = BOOKS.replace("in: header, name: X-Token", "in: cookie, name: token");
    let gives: [&dyn Fn(&mut Options); 3] = [&header, &reversed, &cookie];
    for (text, give) in [BOOKS, BOOKS, &in_cookie].into_iter().zip(gives) {
        let document = Document::parse("books.yaml", text).expect("the document parses");
        for (fault, expected) in [
            (Fault::None, vec![]),
            (Fault::ForeignRead, vec!["foreign-read"]),
        ] {
            let server = Server::start(fault);
            let mut options = Options::new(&server.url);
            give(&mut options);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let mut quiet = |_| {};
            let settings = Settings::default();
            let checked = flows::check(&options, &settings, &document, &mut quiet);
            let outcome = runtime
                .block_on(checked)
                .expect("the server can be checked");
            let rules: Vec<&str> = outcome.findings.iter().map(|one| one.rule).collect();
            assert_eq!(rules, expected, "{fault:?}: {:?}", told(&outcome.findings));
            assert!(outcome.checked["requests"] > 60);
        }
    }
}

/// The requests of a sequence are made anew, and none has the credential in it.
#[test]
fn a_sequence_is_sent_again_with_the_credential_of_a_variable() {
    let server = Server::start(Fault::UpdateIgnored);
    let folder = Folder::with(&[("books.yaml", BOOKS)]);
    let token = format!("X-Token:{FIRST}");
    let url = &server.url;
    let run = folder.run(&format!(
        "flows books.yaml --server {url} --header {token} --report json=report.json"
    ));
    assert_eq!(run.code, 1, "{run:?}");
    let again = ["reproduce", "report.json"];
    let run = folder.run_as(&again, &[]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.out.contains("set the environment variable X_TOKEN"),
        "{run:?}"
    );
    let run = folder.run_as(&again, &[("X_TOKEN", FIRST)]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.ends_with("still there, 0 gone\n"), "{run:?}");
    assert!(
        run.error.contains("uses the environment variable X_TOKEN"),
        "{run:?}"
    );
    assert!(!format!("{run:?}").contains(FIRST), "{run:?}");
    // One that the command line gives counts more.
    let given = [&again[..], &["--header", &token]].concat();
    let run = folder.run_as(&given, &[("X_TOKEN", "another")]);
    assert_eq!(run.code, 1, "{run:?}");
    let right = Server::start(Fault::None);
    let elsewhere = [&again[..], &["--server", &right.url]].concat();
    let run = folder.run_as(&elsewhere, &[("X_TOKEN", FIRST)]);
    assert_eq!(run.code, 0, "{run:?}");
}
