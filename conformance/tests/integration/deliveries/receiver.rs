//! The receiver and the course of a run: ports, TLS, silence, the end on Ctrl-C, and documents without a registration.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use conformance::deliveries::{self, DeliveriesError, Outcome, Settings};
use conformance::document::Document;
use conformance::finding::{DeliveryFault, Message, ReplayStep, Severity, Unchecked};
use conformance::hooks::{self, Description, Known};
use conformance::session::Options;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::sender::Sender;
use super::{SHOP, run, settings, shown};

/// A document of one webhook, whose receiver is registered by other means.
pub(super) const PLAIN: &str = "openapi: 3.1.0\ninfo: {title: Plain, version: '1'}\nwebhooks:\n  paid:\n    post:\n      operationId: onPaid\n      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}\n      responses: {2XX: {description: d}}\n";

fn plain(change: impl FnOnce(&mut Settings)) -> Outcome {
    // Something has to answer at the server's address.
    let sender = Sender::start("", 1.0, 0);
    let mut settings = Settings {
        wait: 2.0,
        slack: 0.2,
        ..Settings::default()
    };
    settings.how.register = Some("none".to_owned());
    change(&mut settings);
    run(PLAIN, &sender.url, &settings, 7)
}

fn with_curl(body: &str, more: &str) -> Option<String> {
    Some(format!(
        "curl -sS {more} -H 'Content-Type: application/json' -d '{body}' \"$URL\""
    ))
}

#[test]
fn a_command_triggers_events_where_something_else_registers() {
    let good = plain(|settings| settings.how.trigger_command = with_curl("{\"id\": 7}", ""));
    assert!(good.findings.is_empty(), "{}", shown(&good.findings));
    assert_eq!(good.checked["deliveries"], 1);
    let bad = plain(|settings| settings.how.trigger_command = with_curl("{\"id\": \"7\"}", ""));
    assert_eq!(bad.findings[0].rule, "delivery-body");
    let exchange = bad.findings[0].exchange.as_ref().expect("the delivery");
    assert!(
        exchange.curl.starts_with("curl ") && exchange.curl.contains("{\"id\": \"7\"}"),
        "{}",
        exchange.curl
    );
    let none = plain(|settings| {
        settings.how.trigger_command = Some("echo no such event >&2; exit 3".to_owned());
    });
    let said = shown(&none.findings);
    assert!(
        said.contains("could not be triggered") && said.contains("no such event"),
        "{said}"
    );
}

#[test]
fn deliveries_arrive_over_tls_with_the_given_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let outcome = plain(|settings| {
        settings.tls_cert = Some(certificate.clone());
        settings.tls_key = Some(key.clone());
        settings.how.trigger_command = with_curl("{\"id\": 7}", "--insecure");
    });
    assert!(outcome.findings.is_empty(), "{}", shown(&outcome.findings));
    assert_eq!(outcome.checked["deliveries"], 1);
}

#[test]
fn silence_is_said_with_the_address_and_the_time_that_was_waited() {
    let silent = plain(|settings| settings.wait = 0.3);
    let Some(Unchecked::NoDelivery { url, seconds }) = silent.unchecked else {
        panic!("{:?}", silent.unchecked)
    };
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert!((seconds - 0.3).abs() < f64::EPSILON);
    let never = plain(|settings| {
        settings.wait = 0.3;
        settings.how.trigger_command = Some("true".to_owned());
    });
    assert_eq!(never.findings[0].rule, "delivery-arrives");
    assert_eq!(never.findings[0].severity, Severity::Breaking);
}

fn error(document: &str, change: impl FnOnce(&mut Settings, &mut Options)) -> DeliveriesError {
    let sender = Sender::start("", 1.0, 0);
    let document = Document::parse("shop.yaml", document).expect("the document parses");
    let mut settings = settings();
    let mut options = Options::new(&sender.url);
    change(&mut settings, &mut options);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let result = runtime.block_on(deliveries::check(
        &options,
        &settings,
        &document,
        1,
        &|_| {},
    ));
    result.expect_err("it cannot begin")
}

#[test]
fn what_keeps_a_run_from_beginning_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let said = error(SHOP, |settings, _| settings.listen = Some(address)).to_string();
    assert!(
        said.contains(&address.to_string()) && said.contains("--listen"),
        "{said}"
    );
    let said = error(SHOP, |settings, _| {
        settings.how.register = Some("createWebhok".to_owned());
    })
    .to_string();
    assert!(said.ends_with("did you mean `createWebhook`?"), "{said}");
    let said = error(SHOP, |settings, _| {
        settings.how.trigger = Some("publsh".to_owned());
    })
    .to_string();
    assert!(
        said.contains("--trigger") && said.ends_with("did you mean `publish`?"),
        "{said}"
    );
    let said = error(PLAIN, |_, _| {}).to_string();
    assert!(said.contains("--register none"), "{said}");
    let said = error(
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\n",
        |_, _| {},
    )
    .to_string();
    assert!(said.contains("neither webhooks nor callbacks"), "{said}");
    let wrong = SHOP.replace("deadline: 2", "dead-line: 2");
    let said = error(&wrong, |_, _| {}).to_string();
    assert!(
        said.contains("/x-webhook-delivery/dead-line") && said.contains("did you mean `deadline`?"),
        "{said}"
    );
    let said = error(SHOP, |_, options| {
        options.server = "http://127.0.0.1:9".to_owned();
    })
    .to_string();
    assert!(said.contains("does not answer"), "{said}");
}

#[test]
fn a_run_that_is_stopped_deletes_what_it_registered() {
    let sender = Sender::start("", super::SPEED, 0);
    let document = Document::parse("shop.yaml", SHOP).expect("the document parses");
    let mut options = Options::new(&sender.url);
    options.headers = vec![("Authorization".to_owned(), "first".to_owned())];
    let settings = settings();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            while sender.registered() == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            options.stop.stop();
        });
        runtime.block_on(deliveries::check(
            &options,
            &settings,
            &document,
            1,
            &|_| {},
        ))
    });
    let outcome = outcome.expect("it began");
    assert!(
        matches!(outcome.unchecked, Some(Unchecked::Stopped { .. })),
        "{:?}",
        outcome.unchecked
    );
    assert_eq!(sender.registered(), 0);
}

#[test]
fn each_delivery_is_recorded_as_a_line_of_json_without_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("deliveries.ndjson");
    let mut settings = settings();
    settings.no_promises = true;
    settings.record = Some(file.clone());
    let sender = Sender::start("secret-in-header", super::SPEED, 0);
    run(SHOP, &sender.url, &settings, 1);
    let text = std::fs::read_to_string(&file).expect("the record");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    // One handshake and three events.
    assert_eq!(lines.len(), 4, "{text}");
    assert!(
        lines[1]["headers"]["x-signature"].is_string() && lines[1]["text"].is_string(),
        "{text}"
    );
    let told: Vec<(&str, Option<&str>)> = lines
        .iter()
        .map(|line| {
            (
                line["kind"].as_str().expect("a kind"),
                line["type"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("handshake", None),
            ("delivery", Some("order.paid")),
            ("delivery", Some("order.sent")),
            ("delivery", Some("order.lost")),
        ]
    );
    assert!(!text.contains("secret-0000"), "{text}");
}

#[test]
#[ignore = "needs the document of Adyen/adyen-openapi, json/Webhooks-v1.json, at CONFORMANCE_ADYEN"]
fn every_webhook_of_adyen_is_received_and_judged() {
    let path = std::env::var("CONFORMANCE_ADYEN").expect("the path of the document");
    let text = std::fs::read_to_string(path).expect("the document");
    let (sender, count) = super::generic::start(&text);
    for generated in [false, true] {
        let mut settings = Settings {
            wait: 30.0,
            ..Settings::default()
        };
        settings.how.register = Some("none".to_owned());
        settings.how.trigger = Some("POST /send".to_owned());
        settings.how.trigger_body = Some(format!(
            "{{\"event\": \"{{event}}\", \"url\": \"{{url}}\", \"generated\": {generated}}}"
        ));
        settings.no_promises = true;
        let outcome = run(&text, &sender, &settings, 1);
        let unseen = outcome.findings.iter().filter(|one| {
            matches!(
                &one.message,
                Message::Delivery(
                    DeliveryFault::Missing { .. }
                        | DeliveryFault::NotObserved
                        | DeliveryFault::Undocumented { .. }
                )
            )
        });
        assert_eq!(unseen.count(), 0, "{}", shown(&outcome.findings));
        assert_eq!(outcome.checked["webhooks"], count);
    }
}

/// A server of one text; gives its URL. It ends with the test binary.
fn serve(status: &'static str, text: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let length = text.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{text}").as_bytes());
        }
    });
    url
}

/// Judges one delivery, signed with this private key, by a document whose keys are at `url`.
fn signed_by(private: &str, url: &str, secrets: &[&str]) -> Outcome {
    let scheme = |key: &str| {
        format!(
            "{PLAIN}x-webhook-signature: {{algorithm: ed25519, signature: {{header: X-Signature, encoding: base64}}, signed: '{{body}}', key: {key}}}\n"
        )
    };
    let own = Document::parse("own.yaml", &scheme("{encoding: pem}")).expect("it parses");
    let signing = Description::of(&own, "")
        .expect("a well-formed description")
        .signing
        .expect("deliveries are signed");
    let known = Known {
        given: &[private.to_owned()],
        ..Known::default()
    };
    let keys = signing.secrets(&known).expect("a key");
    let document = scheme(&format!("{{jwks: '{url}', encoding: jwk}}"));
    let document = Document::parse("plain.yaml", &document).expect("it parses");
    let server = Sender::start("", 1.0, 0);
    let mut settings = Settings {
        wait: 30.0,
        deliveries: Some(1),
        secrets: secrets.iter().map(|text| (*text).to_owned()).collect(),
        ..Settings::default()
    };
    settings.how.register = Some("none".to_owned());
    let deliver = |step: ReplayStep| {
        let ReplayStep::Waiting { url, .. } = step else {
            return;
        };
        let mut message = hooks::Message::post(&url, "{\"id\":7}");
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        signing
            .sign(&keys, &mut message, "1", now)
            .expect("it can be signed");
        std::thread::spawn(move || super::sender::post(&message));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let options = Options::new(&server.url);
    let checked = deliveries::check(&options, &settings, &document, 1, &deliver);
    runtime.block_on(checked).expect("it begins")
}

#[test]
fn public_keys_are_fetched_from_the_url_that_the_document_names() {
    let pair = || {
        let random = SystemRandom::new();
        let private = Ed25519KeyPair::generate_pkcs8(&random).expect("a pair of keys");
        let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).expect("a pair of keys");
        let public = data_encoding::BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        let private = data_encoding::BASE64.encode(private.as_ref());
        let set = format!(
            r#"{{"keys":[{{"kty":"RSA"}},{{"kty":"OKP","crv":"Ed25519","kid":"1","x":"{public}"}}]}}"#
        );
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n");
        (pem, set)
    };
    let ((private, set), (_, other)) = (pair(), pair());
    let url = serve("200 OK", set.clone());
    let right = signed_by(&private, &url, &[]);
    assert!(right.findings.is_empty(), "{}", shown(&right.findings));
    assert_eq!(right.checked["deliveries"], 1);
    let wrong = signed_by(&private, &serve("200 OK", other.clone()), &[]);
    assert_eq!(wrong.findings[0].rule, "delivery-signature");
    // A set that is given takes the place of the one that would be fetched.
    let given = signed_by(&private, &url, &[&format!("x-signature={other}")]);
    assert_eq!(given.findings[0].rule, "delivery-signature");
    for (url, part) in [
        (serve("404 Not Found", String::new()), "answered 404"),
        (serve("200 OK", "no keys".to_owned()), "not a JSON Web Key"),
        ("http://127.0.0.1:9/keys".to_owned(), "does not answer"),
    ] {
        let unknown = signed_by(&private, &url, &[]);
        let said = shown(&unknown.findings);
        assert!(
            said.contains("signatures were not verified") && said.contains(part),
            "{said}"
        );
    }
}
