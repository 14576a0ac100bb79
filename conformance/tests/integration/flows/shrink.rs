//! Sequences that are made shorter: what is left shows the fault, and nothing of it can be left out.

use conformance::finding::{FlowPart, FlowRecord};
use conformance::flows::Work;
use conformance::replay;
use conformance::reproduce::{self, Kept};
use conformance::session::Generate;

use super::again::{again_with, report_of};
use super::*;

/// Runs everything against a server, and makes the sequences of findings shorter.
fn run_all(server: &Server) -> Outcome {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    let mut options = Options::new(&server.url);
    options.headers = vec![("X-Token".to_owned(), FIRST.to_owned())];
    options.generate = Some(Generate {
        max_cases: 1,
        random: 0,
        shrink_time: 600.0,
        ..Generate::default()
    });
    options.flows = Some(settings());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(replay::run(&options, &document, &mut |_| {}));
    outcome.expect("the server can be checked")
}

fn flow(finding: &Finding) -> Option<&FlowRecord> {
    finding.exchange.as_ref()?.case.as_ref()?.flow.as_ref()
}

/// The finding of a rule, and its sequence.
#[track_caller]
fn of_rule<'o>(outcome: &'o Outcome, rule: &str) -> (&'o Finding, &'o FlowRecord) {
    let mut all = outcome.findings.iter().filter(|one| one.rule == rule);
    let found = all.find_map(|one| Some((one, flow(one)?)));
    found.unwrap_or_else(|| panic!("{rule}: {:?}", told(&outcome.findings)))
}

/// The methods of the steps, and that of the request that shows the fault.
fn methods(finding: &Finding) -> Vec<String> {
    let steps = flow(finding).into_iter().flat_map(|flow| &flow.steps);
    let steps = steps.filter_map(|step| step.request.split(' ').next());
    let last = finding.exchange.iter().map(|one| one.sent.method.as_str());
    steps.chain(last).map(str::to_owned).collect()
}

#[test]
fn a_sequence_has_only_the_steps_and_members_that_show_the_fault() {
    for (fault, rule, parts, expected) in [
        (
            Fault::StoredInUpperCase,
            "written-read",
            vec![FlowPart::Read],
            vec!["POST", "GET"],
        ),
        (
            Fault::UpdateIgnored,
            "update-applied",
            vec![FlowPart::Updates],
            vec!["POST", "GET", "PATCH", "GET"],
        ),
        (
            Fault::DeletedStillListed,
            "deleted-unlisted",
            vec![FlowPart::Deletion],
            vec!["POST", "DELETE", "GET"],
        ),
        (
            Fault::SecondDeleteSucceeds,
            "deleted-once",
            vec![FlowPart::Deletion],
            vec!["POST", "DELETE", "DELETE"],
        ),
        (
            Fault::PageSkipsOne,
            "pages-complete",
            vec![FlowPart::Pages],
            vec!["POST", "POST", "POST", "POST", "POST", "GET"],
        ),
    ] {
        let server = Server::start(fault);
        let outcome = run_all(&server);
        let (finding, flow) = of_rule(&outcome, rule);
        assert_eq!(flow.parts.as_deref(), Some(&parts[..]), "{fault:?}");
        let methods = methods(finding);
        // What paths are below is created before.
        assert!(
            methods.ends_with(
                &expected
                    .iter()
                    .map(|one| (*one).to_owned())
                    .collect::<Vec<_>>()
            ),
            "{fault:?}: {methods:?}"
        );
        assert!(finding.original.is_some(), "{fault:?}");
        assert_eq!(server.notes(), 0, "{fault:?}");
        assert_eq!(
            server.titles(),
            ["There before", "There before"],
            "{fault:?}"
        );
    }
}

#[test]
fn a_shorter_sequence_is_sent_again_as_it_is() {
    let document = Document::parse("books.yaml", BOOKS).expect("the document parses");
    let mut wrong = Vec::new();
    for fault in [
        Fault::NotStored,
        Fault::MemberLost,
        Fault::UpdateResetsWhatIsNotSent,
        Fault::PutMerges,
        Fault::ForeignUpdate,
        Fault::PageSkipsOne,
    ] {
        let server = Server::start(fault);
        let recorded =
            reproduce::read(&report_of(run_all(&server), &document)).expect("is a report");
        let base = recorded.server.as_deref();
        let all = recorded.findings.iter().filter(|one| one.has_request());
        let findings: Vec<&Kept> = all.collect();
        assert!(!findings.is_empty(), "{fault:?}");
        let (_, others) = again_with(&server, base, &findings, true, &Work::default());
        if !others.is_empty() {
            wrong.push(format!("{fault:?} broken: {others:?}"));
        }
        let right = Server::start(Fault::None);
        let (there, others) = again_with(&right, base, &findings, true, &Work::default());
        if there > 0 || others.iter().any(|one| !one.ends_with(": gone")) {
            wrong.push(format!("{fault:?} mended: {there} there, {others:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
