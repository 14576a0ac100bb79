//! What `truehook listen --json` and `conformance deliveries --record` write is what `conformance receiver --from` sends: the same bytes to a
//! handler, signed anew with its secret.

use std::io::Write;
use std::sync::{Arc, Mutex};

use conformance::document::Document;
use conformance::hooks::{Description, Known, Message, Verdict};
use conformance::session::Options;
use conformance::{deliveries, receiver};

use crate::forwarding::Listener;
use crate::process::Server;
use crate::process::client::CONDUIT_CLIENT;
use crate::process::receiver::{Receiver, fail};

const EVENT: &str = "transaction.completed";
const SECRET: &str = "the secret of the handler";

fn document() -> Document {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/conduit.yaml");
    Document::load(path).expect("the document loads")
}

/// A handler that verifies what comes, and keeps the bodies.
fn handler(document: &Document) -> (Receiver, Arc<Mutex<Vec<Vec<u8>>>>) {
    let description = Description::of(document, "").expect("a well-formed description");
    let signing = description.signing.expect("deliveries are signed");
    let known = Known {
        given: &[SECRET.to_owned()],
        ..Known::default()
    };
    let secrets = signing.secrets(&known).expect("a key");
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&bodies);
    let handler = Receiver::start(move |request, stream| {
        let mut message = Message::post("http://127.0.0.1/hook", request.body.clone());
        for name in ["conduit-signature", "conduit-signature-timestamp"] {
            let value = request.header(name).unwrap_or_default();
            message.headers.push((name.to_owned(), value.to_owned()));
        }
        if signing.verify(&secrets, &message, None) != Verdict::Verified {
            return fail(stream);
        }
        keep.lock()
            .expect("nobody panicked")
            .push(request.body.clone());
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
    });
    (handler, bodies)
}

/// Sends the lines to the handler, which has to accept all of them; gives how many there were.
fn replay(document: &Document, target: &str, lines: &[u8]) -> usize {
    let recorded = receiver::recorded::read(lines).expect("deliveries");
    let options = receiver::Options {
        secrets: vec![SECRET.to_owned()],
        recorded: recorded.clone(),
        ..receiver::Options::new(target)
    };
    let outcome = run(receiver::check(&options, document)).expect("the handler can be judged");
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
    recorded.len()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

#[test]
fn what_listen_writes_is_sent_to_a_handler_byte_for_byte() {
    let server = Server::start(&[]);
    let document = document();
    let (handler, bodies) = handler(&document);
    let arguments = ["conduit", EVENT, "--count", "1"];
    let mut listener = Listener::start(server.folder(), &server.url, &arguments);
    let event = format!(
        r#"{{"provider":"conduit","type":"{EVENT}","clientId":"{CONDUIT_CLIENT}","data":{{"transaction":{{"id":"trxn_2ofTA13AD0xBtbEvBl20aEb1hEu","status":"COMPLETED","rate":1.10,"text":"\u00e9\/"}}}}}}"#
    );
    let published = server
        .operator()
        .send("POST", "/operator/v1/events", &[], &event);
    assert_eq!(published.expect("an answer").status, 202);
    let line = listener.line();
    assert_eq!(replay(&document, &handler.url, line.as_bytes()), 1);
    let bodies = bodies.lock().expect("nobody panicked");
    let body = std::str::from_utf8(&bodies[0]).expect("text");
    assert!(body.contains(r#""rate":1.10,"text":"\u00e9\/""#), "{body}");
}

#[test]
fn what_deliveries_records_is_sent_to_a_handler_byte_for_byte() {
    let server = Server::start(&[]);
    let document = document();
    let (handler, bodies) = handler(&document);
    let mut options = Options::new(&server.url);
    options.headers = vec![
        ("X-API-Key".to_owned(), "sandbox-key".to_owned()),
        ("X-API-Secret".to_owned(), "sandbox-secret".to_owned()),
    ];
    options.include = vec!["transaction.*".to_owned()];
    let file = server.folder().join("deliveries.ndjson");
    let mut settings = deliveries::Settings {
        no_promises: true,
        record: Some(file.clone()),
        ..deliveries::Settings::default()
    };
    settings.how.trigger = Some("POST /operator/v1/events".to_owned());
    settings.how.trigger_header = vec!["Authorization: Bearer sandbox-operator".to_owned()];
    settings.how.trigger_body = Some(format!(
        r#"{{"provider":"conduit","type":"{{event}}","clientId":"{CONDUIT_CLIENT}"}}"#
    ));
    let checked = deliveries::check(&options, &settings, &document, 1, &|_| {});
    let outcome = run(checked).expect("the server can be checked");
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
    let lines = std::fs::read(&file).expect("the record");
    let count = replay(&document, &handler.url, &lines);
    assert!(count > 3, "{count} deliveries");
    let bodies = bodies.lock().expect("nobody panicked");
    assert_eq!(bodies.len(), count);
    let text = String::from_utf8(lines).expect("text");
    for (line, body) in text.lines().zip(bodies.iter()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["text"].as_str().map(str::as_bytes), Some(&body[..]));
        assert!(
            line["type"]
                .as_str()
                .is_some_and(|name| name.starts_with("transaction."))
        );
    }
}
