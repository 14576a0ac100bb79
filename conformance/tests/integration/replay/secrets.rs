//! Secrets in reports.

use clap::ValueEnum;
use conformance::fingerprint;
use conformance::report::{self, DocumentInfo, Format, Report, View};

use super::*;

#[test]
fn secrets_appear_in_no_report_unless_they_are_asked_for() {
    // The server repeats the credential in header and body.
    let leak = |reply: Reply| {
        reply
            .header("X-Leak", TOKEN)
            .header("X-RateLimit-Remaining", TOKEN)
            .edit(|body| body["title"] = json!(format!("your token is {TOKEN}")))
    };
    let server = server_with("POST", "/api/notes", only_success(leak));
    for show in [false, true] {
        let mut options = options(&server);
        options.show_secrets = show;
        let (outcome, progress) = replay_with(NOTES, &options);
        let outcome = outcome.expect("the server can be checked");
        let document = Document::parse("notes.yaml", NOTES).expect("the document parses");
        let report = Report {
            command: "replay",
            documents: vec![DocumentInfo::of("document", &document)],
            server: Some(outcome.server),
            checked: outcome.checked,
            fail_on: Severity::Undecided,
            findings: fingerprint::entries(
                outcome.findings,
                Comparison::Single,
                Some(&document),
                None,
            ),
            sent: Vec::new(),
            coverage: None,
            ignored: 0,
            unchecked: None,
            notes: Vec::new(),
        };
        for format in Format::value_variants().iter().copied() {
            let mut out = Vec::new();
            report::write(format, &report, View::default(), &mut out)
                .expect("the report is written");
            let text = String::from_utf8(out).expect("a report is UTF-8");
            assert_eq!(text.contains(TOKEN), show, "{text}");
            // Markdown has no square brackets of others.
            assert_eq!(text.contains("redacted"), !show, "{text}");
        }
        assert!(!progress.contains(TOKEN));
    }
}
