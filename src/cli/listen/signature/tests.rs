//! Tests of signatures: the documents' own vectors, and all that can be wrong.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::receiver::Delivery;
use super::description::{MEMBER, Part, parts};
use super::{Fault, Scheme, Verdict};
use crate::domain::Secret;
use crate::provider::fixtures::api;
use crate::provider::{conduit, equals_money};

/// Our documents and theirs.
fn documents() -> Vec<Value> {
    let source = |name: &str| -> Value {
        let path = format!("{}/openapi/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let emitted = [
        (*api(conduit::NAME).document).clone(),
        (*api(equals_money::NAME).document).clone(),
    ];
    let sources = ["conduit", "equals-money"].map(source);
    emitted.into_iter().chain(sources).collect()
}

fn conduit() -> Scheme {
    Scheme::read(&api(conduit::NAME).document).unwrap()
}

fn equals_money() -> Scheme {
    Scheme::read(&api(equals_money::NAME).document).unwrap()
}

fn delivery(headers: &[(&str, &str)], body: &str, now: i64) -> Delivery {
    Delivery::example(headers, body, Timestamp::from_second(now).unwrap())
}

/// The scheme of a document that signs.
fn scheme(document: &Value) -> &Value {
    match &document[MEMBER] {
        Value::Array(schemes) => &schemes[0],
        scheme => scheme,
    }
}

/// The delivery that a test vector describes, at the time that it names, and its key.
fn vector(document: &Value) -> (Delivery, Secret) {
    let scheme = self::scheme(document);
    let vector = &scheme["testVectors"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut headers = vec![(
        text(&scheme["signature"]["header"]),
        text(&vector["signature"]),
    )];
    let mut now = 0;
    if let Some(header) = scheme["timestamp"]["header"].as_str() {
        headers.push((header.to_owned(), text(&vector["timestamp"])));
        now = text(&vector["timestamp"]).parse().unwrap();
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (&**a, &**b)).collect();
    (
        delivery(&headers, vector["body"].as_str().unwrap(), now),
        Secret::new(text(&vector["key"])),
    )
}

fn wrong(verdict: Verdict) -> String {
    match verdict {
        Verdict::Wrong(fault) => fault.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_test_vectors_of_every_document_verify() {
    for document in documents() {
        let scheme = Scheme::read(&document).unwrap();
        let count = self::scheme(&document)["testVectors"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(count, 1, "a vector is not looked at");
        let (delivery, key) = vector(&document);
        assert_eq!(
            scheme.judge(&delivery, Some(&key)),
            Verdict::Verified { warning: None }
        );
    }
}

#[test]
fn a_changed_body_secret_or_signature_is_found() {
    for document in documents() {
        let scheme = Scheme::read(&document).unwrap();
        let (good, key) = vector(&document);
        let header = self::scheme(&document)["signature"]["header"]
            .as_str()
            .unwrap();
        let mismatch = Fault::Mismatch(header.to_owned()).to_string();
        let judge =
            |delivery: &Delivery, key: &str| wrong(scheme.judge(delivery, Some(&Secret::new(key))));
        for other in ["", "x", &format!("{}x", key.expose())] {
            assert_eq!(judge(&good, other), mismatch);
        }
        let mut body = good.clone();
        body.body = [&good.body[..], b" "].concat();
        assert_eq!(judge(&body, key.expose()), mismatch);
        let right = String::from_utf8(good.headers[0].1.clone()).unwrap();
        let swapped = right.chars().rev().collect::<String>();
        for signature in [
            "",
            &right[1..],
            &right.to_uppercase(),
            &swapped,
            &format!("{right}="),
        ] {
            let mut changed = good.clone();
            changed.headers[0].1 = signature.as_bytes().to_vec();
            assert_eq!(judge(&changed, key.expose()), mismatch, "{signature}");
        }
    }
}

#[test]
fn a_changed_time_is_found_and_a_distant_one_warned_of() {
    let (good, key) = vector(&api(conduit::NAME).document);
    let mut changed = good.clone();
    changed.headers[1].1 = b"1762270801".to_vec();
    assert!(wrong(conduit().judge(&changed, Some(&key))).contains("does not belong"));
    for (seconds, expected) in [
        (0, None),
        (300, None),
        (-300, None),
        (301, Some("301 s behind")),
        (-86_400, Some("86400 s ahead")),
    ] {
        let mut distant = good.clone();
        distant.received_at = Timestamp::from_second(1_762_270_800 + seconds).unwrap();
        let Verdict::Verified { warning } = conduit().judge(&distant, Some(&key)) else {
            panic!("it is signed all the same");
        };
        assert_eq!(warning.is_some(), expected.is_some(), "{seconds}");
        assert!(
            warning
                .unwrap_or_default()
                .contains(expected.unwrap_or_default())
        );
    }
}

#[test]
fn a_signed_time_that_is_none_is_wrong() {
    let scheme = conduit();
    let key = Secret::new("k");
    for time in [
        "",
        "soon",
        "+1",
        "-1",
        "1.5",
        "99999999999999999999",
        "{body}",
        "{timestamp}",
    ] {
        let signature = HEXLOWER.encode(&scheme.sign(&key, Some(time.as_bytes()), b"{}"));
        let headers = [
            ("conduit-signature", &*signature),
            ("conduit-signature-timestamp", time),
        ];
        let said = wrong(scheme.judge(&delivery(&headers, "{}", 0), Some(&key)));
        assert_eq!(
            said,
            "the header conduit-signature-timestamp is not a Unix time in seconds"
        );
    }
}

#[test]
fn missing_and_repeated_headers_are_named() {
    let (good, key) = vector(&api(conduit::NAME).document);
    for name in ["conduit-signature", "conduit-signature-timestamp"] {
        let mut missing = good.clone();
        missing.headers.retain(|(header, _)| header != name);
        assert_eq!(
            wrong(conduit().judge(&missing, Some(&key))),
            format!("the header {name} is missing")
        );
        let mut repeated = good.clone();
        let value = repeated.values(name).next().unwrap().to_vec();
        repeated.headers.push((name.to_owned(), value));
        assert_eq!(
            wrong(conduit().judge(&repeated, Some(&key))),
            format!("the header {name} is there 2 times")
        );
    }
}

#[test]
fn without_a_key_nothing_is_signed_where_the_document_allows_it() {
    let plain = delivery(&[], "{}", 0);
    assert_eq!(equals_money().judge(&plain, None), Verdict::Unsigned);
    assert_eq!(conduit().judge(&plain, None), Verdict::Wrong(Fault::NoKey));
}

#[test]
fn a_value_that_looks_like_a_placeholder_stays_a_value() {
    let scheme = conduit();
    let key = Secret::new("k");
    let mac = |text: &str| scheme.sign(&key, Some(text.as_bytes()), b"B");
    assert_ne!(mac("{body}"), mac("B"));
    assert_eq!(
        scheme.signed,
        [Part::Timestamp, Part::Literal(".".to_owned()), Part::Body]
    );
}

#[test]
fn a_template_is_read_exactly_or_refused() {
    assert_eq!(parts("a{body}b").unwrap().len(), 3);
    assert_eq!(parts("{body}").unwrap(), [Part::Body]);
    for template in [
        "{body",
        "body}",
        "{}",
        "{Body}",
        "{{body}}",
        "{body}{",
        "{body}}",
        "{ body }",
        "{secret}{body}",
    ] {
        assert!(parts(template).is_err(), "{template}");
    }
}

#[test]
fn a_scheme_that_is_not_known_is_refused_with_a_reason() {
    let reason = |pointer: &str, value: Value| {
        let mut document = json!({ MEMBER: api(conduit::NAME).document[MEMBER] });
        *document[MEMBER].pointer_mut(pointer).unwrap() = value;
        format!(
            "{:#}",
            anyhow::Error::from(Scheme::read(&document).unwrap_err())
        )
    };
    assert!(reason("/algorithm", json!("hmac-sha1")).contains("hmac-sha1"));
    assert!(reason("/signature/encoding", json!("base32")).contains("base32"));
    assert!(reason("/timestamp/format", json!("iso")).contains("iso"));
    assert!(reason("/key/encoding", json!("hex")).contains("hex"));
    assert!(reason("/required", json!("never")).contains("never"));
    assert!(reason("/signed", json!("{timestamp}")).contains("does not cover the body"));
    assert!(reason("/signed", json!("")).contains("does not cover the body"));
    assert!(reason("/timestamp", Value::Null).contains("no header for it"));
    assert!(reason("/signature/header", json!(1)).contains("integer"));
    assert!(
        Scheme::read(&json!({}))
            .unwrap_err()
            .to_string()
            .contains("has no")
    );
}

#[test]
fn the_identity_of_a_delivery_is_where_the_document_says() {
    let conduit_delivery = delivery(&[("conduit-webhook-idempotency-key", "k1")], "{}", 0);
    let body = json!({ "body": { "messageId": "m1" } });
    assert_eq!(conduit().identity(&conduit_delivery, None).unwrap(), "k1");
    let plain = delivery(&[], "", 0);
    assert_eq!(equals_money().identity(&plain, Some(&body)).unwrap(), "m1");
    assert_eq!(equals_money().identity(&plain, None), None);
    assert_eq!(conduit().identity(&plain, Some(&body)), None);
}
