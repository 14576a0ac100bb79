//! Certificates that a delivery names by URL: fetched from the declared hosts, and from no other.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::deliveries::{self, Outcome, Settings};
use conformance::document::Document;
use conformance::finding::ReplayStep;
use conformance::hooks;
use conformance::session::Options;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;

use super::receiver::PLAIN;
use super::sender::{Sender, post};
use super::shown;

/// A server of certificates that counts how often it was asked.
struct Authority {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Authority {
    fn start(status: &'static str, text: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, text) = (Arc::clone(&asked), text.to_owned());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]);
                let length = text.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\nLocation: /other\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = stream.write_all(format!("{head}{text}").as_bytes());
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn url(&self) -> String {
        format!("http://{}/cert.pem", self.address)
    }
}

/// The certificate and the private key of the vector `paypal`, which another library made.
fn pair() -> (String, RsaKeyPair) {
    let text = include_str!("../../hooks/signatures.json");
    let list: Vec<Value> = serde_json::from_str(text).expect("JSON");
    let paypal = list.iter().find(|one| one["name"] == "paypal");
    let paypal = paypal.expect("a vector for PayPal");
    let text = |name: &str| paypal[name].as_str().expect("a text");
    let lines = text("signingKey").lines();
    let digits: String = lines.filter(|line| !line.starts_with('-')).collect();
    let der = BASE64.decode(digits.as_bytes()).expect("Base64");
    let key = RsaKeyPair::from_pkcs8(&der).expect("a private key");
    (text("key").to_owned(), key)
}

fn signature(key: &RsaKeyPair, text: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text,
        &mut signature,
    )
    .expect("it can be signed");
    signature
}

/// Judges one delivery by a document with this description of its signature.
fn judged(description: &str, secrets: &[&str], message: hooks::Message) -> Outcome {
    let text = format!("{PLAIN}x-webhook-signature: {description}\n");
    let document = Document::parse("plain.yaml", &text).expect("it parses");
    let server = Sender::start("", 1.0, 0);
    let mut settings = Settings {
        wait: 30.0,
        deliveries: Some(1),
        secrets: secrets.iter().map(|text| (*text).to_owned()).collect(),
        ..Settings::default()
    };
    settings.how.register = Some("none".to_owned());
    let deliver = |step: ReplayStep| {
        if let ReplayStep::Waiting { url, .. } = step {
            let message = hooks::Message {
                url,
                ..message.clone()
            };
            std::thread::spawn(move || post(&message));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let options = Options::new(&server.url);
    let checked = deliveries::check(&options, &settings, &document, 1, &deliver);
    runtime.block_on(checked).expect("it begins")
}

/// A delivery whose body is signed, with the URL of the certificate in a header.
fn signed(key: &RsaKeyPair, url: &str, body: &str) -> hooks::Message {
    let mut message = hooks::Message::post("", body);
    let value = BASE64.encode(&signature(key, body.as_bytes()));
    message.set_header("X-Signature", value);
    message.set_header("X-Cert-Url", url);
    message
}

fn scheme(key: &str) -> String {
    format!(
        "{{algorithm: rsa-sha256, signature: {{header: X-Signature, encoding: base64}}, signed: '{{body}}', key: {key}}}"
    )
}

fn said(outcome: &Outcome) -> String {
    shown(&outcome.findings)
}

#[test]
fn a_certificate_is_fetched_once_from_the_host_that_the_document_declares() {
    let (certificate, key) = pair();
    let authority = Authority::start("200 OK", &certificate);
    let rule = |host: &str| scheme(&format!("{{certificate: X-Cert-Url, hosts: ['{host}']}}"));
    let message = signed(&key, &authority.url(), "{\"id\":7}");
    let right = judged(&rule(&authority.address), &[], message.clone());
    assert!(right.findings.is_empty(), "{}", said(&right));
    assert_eq!((right.checked["deliveries"], authority.asked()), (1, 1));

    let mut changed = message.clone();
    changed.body = b"{\"id\":8}".to_vec();
    let wrong = said(&judged(&rule(&authority.address), &[], changed));
    assert!(
        wrong.contains("does not belong to this message and key"),
        "{wrong}"
    );

    // A host that is not declared is not asked, and a certificate of the user takes the place of one that is.
    let asked = authority.asked();
    let foreign = said(&judged(&rule("certs.example.com"), &[], message.clone()));
    assert!(
        foreign.contains("header `x-cert-url` names a certificate that cannot be used")
            && foreign.contains("`hosts` has certs.example.com"),
        "{foreign}"
    );
    let given = judged(&rule(&authority.address), &[&certificate], message.clone());
    assert!(given.findings.is_empty(), "{}", said(&given));
    let by_hand = judged(
        &scheme("{certificate: X-Cert-Url}"),
        &[&certificate],
        message,
    );
    assert!(by_hand.findings.is_empty(), "{}", said(&by_hand));
    assert_eq!(authority.asked(), asked);
}

#[test]
fn a_certificate_that_cannot_be_had_is_said_with_its_url() {
    let (_, key) = pair();
    for (status, text, part) in [
        ("404 Not Found", "", "answered 404"),
        ("302 Found", "", "answered 302"),
        ("200 OK", "no certificate", "not a PEM block"),
    ] {
        let authority = Authority::start(status, text);
        let hosts = format!(
            "{{certificate: X-Cert-Url, hosts: ['{}']}}",
            authority.address
        );
        let message = signed(&key, &authority.url(), "{\"id\":7}");
        let text = said(&judged(&scheme(&hosts), &[], message));
        assert!(
            text.contains(part) && text.contains(&authority.url()),
            "{text}"
        );
        assert_eq!(authority.asked(), 1, "redirects are not followed");
    }
}

#[test]
fn the_url_of_a_certificate_may_be_a_member_or_a_parameter_of_the_token() {
    let (certificate, key) = pair();
    let authority = Authority::start("200 OK", &certificate);
    let hosts = format!("hosts: ['{}']", authority.address);
    // AWS SNS signs chosen members, and has the URL in another one.
    let body = format!(r#"{{"id":7,"SigningCertURL":"{}"}}"#, authority.url());
    let mut message = hooks::Message::post("", body);
    let value = BASE64.encode(&signature(&key, b"id\n7\n"));
    message.set_header("X-Signature", value);
    let member = format!(
        r#"{{algorithm: rsa-sha256, signature: {{header: X-Signature, encoding: base64}}, signed: "id\n{{body#/id}}\n", key: {{certificate: {{member: /SigningCertURL}}, {hosts}}}}}"#
    );
    let right = judged(&member, &[], message);
    // Other members may be changed, and that is said of the description.
    let rules: Vec<&str> = right.findings.iter().map(|one| one.rule).collect();
    assert_eq!(rules, ["delivery-signature-weak"], "{}", said(&right));

    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let head = format!(r#"{{"alg":"RS256","x5u":"{}"}}"#, authority.url());
    let text = format!("{}.{}", encode(&head), encode("{\"id\":7}"));
    let value = BASE64URL_NOPAD.encode(&signature(&key, text.as_bytes()));
    let mut message = hooks::Message::post("", "{\"id\":7}");
    message.set_header("X-Token", format!("{}..{value}", encode(&head)));
    let token = format!(
        "{{algorithm: jws, accept: [RS256], signature: {{header: X-Token}}, signed: '{{body}}', key: {{certificate: {{token: x5u}}, {hosts}}}}}"
    );
    let right = judged(&token, &[], message);
    assert!(right.findings.is_empty(), "{}", said(&right));
    assert_eq!(authority.asked(), 2);
}
