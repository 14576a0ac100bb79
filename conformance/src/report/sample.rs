//! Reports for the tests of the formats: one with one of everything, one with everything that is hostile.

use serde_json::json;

use super::*;
use crate::finding::{
    CaseRecord, Comparison, DocumentChange, Effect, ExchangeRecord, FlowPart, FlowRecord, FlowStep,
    HeaderRecord, Impact, KeywordCoverage, Message, OperationCoverage, Proof, ReceivedPart,
    ReplayFault, SampleCoverage, SchemaChange, SecurityCoverage, Sender, SentPart, SentRequest,
    Undecided, Use, User, Users,
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
        old: Some(json!(100).into()),
        new: Some(json!(50).into()),
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
        sent: Vec::new(),
        coverage: None,
        ignored: 0,
        unchecked: None,
        notes: Vec::new(),
    }
}

/// A run against a live server, with coverage.
pub(crate) fn live() -> Report {
    let sent = |name: &str, sent, accepted| SentPart {
        name: name.to_owned(),
        sent,
        accepted,
    };
    let received = |name: &str, observed| ReceivedPart {
        name: name.to_owned(),
        observed,
        at: String::new(),
    };
    let operation = |operation: &str, requests: usize| OperationCoverage {
        operation: operation.to_owned(),
        requests,
        accepted: requests / 2,
        refused: requests - requests / 2,
        parameters: vec![
            sent("query limit", requests, requests / 2),
            sent("query <b>", 0, 0),
        ],
        request_types: vec![sent("application/json", requests, 1)],
        statuses: vec![received("200", requests / 2), received("404", 0)],
        undocumented: vec![received("418", 1)],
        response_types: vec![received("200 application/json", requests / 2)],
        samples: vec![SampleCoverage {
            name: "one".to_owned(),
            sent: requests > 0,
            at: String::new(),
        }],
        request_keywords: KeywordCoverage::default(),
        response_keywords: KeywordCoverage {
            observed: 3,
            all: 4,
            missing: vec!["/components/schemas/A/maxLength".to_owned()],
        },
        security: vec![SecurityCoverage {
            schemes: vec!["key".to_owned()],
            accepted: requests / 2,
        }],
        unauthorized: 1,
        at: String::new(),
    };
    let mut report = report();
    report.command = "run";
    report.server = Some("http://localhost:8080".to_owned());
    report.documents.truncate(1);
    report.documents[0].role = "document";
    let operations = vec![operation("GET /b (getB)", 12), operation("POST /never", 0)];
    report.coverage = Some(Coverage::of(operations));
    report
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
        response: Some("HTTP/1.1 500 Internal Server Error\n\noops\n".into()),
        curl: "curl http://localhost/a".to_owned(),
        sent: SentRequest {
            method: "GET".to_owned(),
            url: "http://localhost/a".to_owned(),
            headers: vec![HeaderRecord {
                name: "X-Key".to_owned(),
                value: "${X_KEY}".to_owned(),
            }],
            body: None,
            body_base64: Some("AP8=".to_owned()),
        },
        case: Some(CaseRecord {
            sample: "ok".to_owned(),
            at: "/paths/~1a/get".to_owned(),
            expected: "200".to_owned(),
            intent: "sample".to_owned(),
            created: vec!["id".to_owned()],
            flow: Some(FlowRecord {
                resource: "/a".to_owned(),
                seed: 1,
                parts: Some(vec![FlowPart::Read]),
                plain: true,
                without: vec!["note".to_owned()],
                steps: vec![FlowStep {
                    request: "POST http://localhost/a".to_owned(),
                    status: Some(201),
                    curl: "curl -X POST http://localhost/a".to_owned(),
                }],
                shown_in: None,
            }),
        }),
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

/// Texts in documents and answers that try to break out of a report.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script> a|b `c` ::error::x %0A\n::warning file=y::z\r\n\u{1b}[31mred\u{7}\u{202e}\u{fffe}\u{2028} ]]> --> \"q\" 'r' & @team #1 [x](javascript:y) ![i](http://e/i) $m$ \u{9b}1m </pre></details>\u{e0041}";

/// A message with any text.
pub(crate) fn unresolved(reference: &str) -> Message {
    Message::Document(DocumentChange::ReferenceUnresolved {
        side: Side::New,
        reference: reference.to_owned(),
    })
}

pub(crate) fn hostile() -> Report {
    let at = |line| Place {
        document: format!("a b%,:{HOSTILE}.yaml"),
        pointer: format!("/{HOSTILE}"),
        node: format!("/{HOSTILE}"),
        line,
        column: 1,
    };
    let mut finding = finding("operation-removed", Severity::Breaking, HOSTILE);
    finding.message = unresolved(HOSTILE);
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
        response: Some(HOSTILE.into()),
        curl: HOSTILE.to_owned(),
        sent: SentRequest {
            body: Some(HOSTILE.to_owned()),
            ..SentRequest::default()
        },
        case: Some(CaseRecord {
            sample: HOSTILE.to_owned(),
            ..CaseRecord::default()
        }),
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
