//! Whether a delivery is signed as its document says. Pure, and generic: the scheme is read from the `x-webhook-signature` object of an
//! emitted document, so this shares no code with the side that signs.
//!
//! Not checked: that a timestamp is fresh. One outside the tolerance is a warning only, as a sandbox's clock may run ahead.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::receiver::Delivery;
use crate::domain::Secret;

/// The member of a document that describes how its webhooks are signed.
const MEMBER: &str = "x-webhook-signature";

/// How the webhooks of an API are signed, and where their deliveries carry an identity.
#[derive(Debug)]
pub(super) struct Scheme {
    description: Description,
    signed: Vec<Part>,
}

/// The object as it stands in the document; members that only a sender needs are left out.
#[derive(Debug, Deserialize)]
struct Description {
    header: String,
    #[expect(dead_code, reason = "there is one, and others must be refused")]
    algorithm: Algorithm,
    encoding: Encoding,
    signed: String,
    timestamp: Option<TimestampHeader>,
    key: Key,
    required: Required,
    idempotency: Option<Identity>,
    tolerance: Option<Tolerance>,
}

#[derive(Debug, Deserialize)]
enum Algorithm {
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    /// Lower case.
    Hex,
    /// The standard alphabet, padded.
    Base64,
}

#[derive(Debug, Deserialize)]
struct TimestampHeader {
    header: String,
    #[expect(dead_code, reason = "there is one, and others must be refused")]
    format: TimestampFormat,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TimestampFormat {
    UnixSeconds,
}

#[derive(Debug, Deserialize)]
struct Key {
    from: String,
    #[expect(dead_code, reason = "there is one, and others must be refused")]
    encoding: KeyEncoding,
}

#[derive(Debug, Deserialize)]
enum KeyEncoding {
    #[serde(rename = "utf-8")]
    Utf8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Required {
    Always,
    WhenKeyIsSet,
}

#[derive(Debug, Deserialize)]
struct Identity {
    header: Option<String>,
    member: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Tolerance {
    seconds: u32,
}

/// A part of what is signed.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Timestamp,
    Body,
}

/// Why a document's description of its signatures is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum SchemeError {
    /// It has none.
    #[error("the document has no {MEMBER}")]
    Missing,
    /// A member is missing, or has a value that is not known here.
    #[error("{MEMBER} cannot be understood")]
    Unknown(#[source] serde_json::Error),
    /// The template of the signed text.
    #[error("{MEMBER}/signed `{template}` {reason}")]
    Template {
        /// The template.
        template: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// What the signature of a delivery came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is right; there may be something to know all the same.
    Verified { warning: Option<String> },
    /// The webhook has no key, so nothing had to be signed.
    Unsigned,
    /// It is not as documented.
    Wrong(Fault),
}

/// Why a signature is not as documented.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the header {0} is missing")]
    Missing(String),
    #[error("the header {0} is there {1} times")]
    Repeated(String, usize),
    #[error("the signature in {0} does not belong to this body, time and secret")]
    Mismatch(String),
    #[error("the header {0} is no Unix time in seconds")]
    NoTime(String),
    #[error("the webhook has no secret, yet the document says that every delivery is signed")]
    NoKey,
}

impl Scheme {
    /// Reads the scheme of a document.
    ///
    /// # Errors
    /// [`SchemeError`] when there is none, or it asks for something that is not known here.
    pub(super) fn read(document: &Value) -> Result<Self, SchemeError> {
        let member = document.get(MEMBER).ok_or(SchemeError::Missing)?;
        let description = Description::deserialize(member).map_err(SchemeError::Unknown)?;
        let signed = parts(&description.signed)
            .and_then(|parts| {
                let timed = parts.contains(&Part::Timestamp);
                if !parts.contains(&Part::Body) {
                    Err("does not cover the body")
                } else if timed && description.timestamp.is_none() {
                    Err("has a timestamp, but no header for it is named")
                } else {
                    Ok(parts)
                }
            })
            .map_err(|reason| SchemeError::Template {
                template: description.signed.clone(),
                reason,
            })?;
        Ok(Self {
            description,
            signed,
        })
    }

    /// The member of a webhook that holds its key.
    pub(super) fn key_member(&self) -> &str {
        &self.description.key.from
    }

    /// The identity of a delivery, the same on all its attempts, where it carries one.
    pub(super) fn identity(&self, delivery: &Delivery, body: Option<&Value>) -> Option<String> {
        let identity = self.description.idempotency.as_ref()?;
        let header = identity.header.as_deref().and_then(|name| {
            let value = delivery.values(name).next()?;
            Some(String::from_utf8_lossy(value).into_owned())
        });
        let member = || {
            let member = body?.pointer(identity.member.as_deref()?)?;
            member.as_str().map(str::to_owned)
        };
        header.or_else(member)
    }

    /// Judges the signature of a delivery under the key of its webhook.
    pub(super) fn judge(&self, delivery: &Delivery, key: Option<&Secret>) -> Verdict {
        let Some(key) = key else {
            return match self.description.required {
                Required::Always => Verdict::Wrong(Fault::NoKey),
                Required::WhenKeyIsSet => Verdict::Unsigned,
            };
        };
        match self.check(delivery, key) {
            Ok(warning) => Verdict::Verified { warning },
            Err(fault) => Verdict::Wrong(fault),
        }
    }

    fn check(&self, delivery: &Delivery, key: &Secret) -> Result<Option<String>, Fault> {
        let header = &self.description.header;
        let signature = only(delivery, header)?;
        let timestamp = match &self.description.timestamp {
            Some(timestamp) => Some((only(delivery, &timestamp.header)?, &timestamp.header)),
            None => None,
        };
        let expected = self.sign(key, timestamp.map(|(value, _)| value), &delivery.body);
        let expected = match self.description.encoding {
            Encoding::Hex => HEXLOWER.encode(&expected),
            Encoding::Base64 => BASE64.encode(&expected),
        };
        // The texts are compared, not what they encode: each signature has one documented spelling.
        if !bool::from(expected.as_bytes().ct_eq(signature)) {
            return Err(Fault::Mismatch(header.clone()));
        }
        timestamp.map_or(Ok(None), |(value, header)| {
            self.drift(value, header, delivery.received_at)
        })
    }

    fn sign(&self, key: &Secret, timestamp: Option<&[u8]>, body: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
            .expect("HMAC takes keys of every length");
        for part in &self.signed {
            mac.update(match part {
                Part::Literal(text) => text.as_bytes(),
                Part::Timestamp => timestamp.unwrap_or_default(),
                Part::Body => body,
            });
        }
        mac.finalize().into_bytes().into()
    }

    /// A warning when a timestamp is farther from `now` than the document tolerates.
    fn drift(&self, value: &[u8], header: &str, now: Timestamp) -> Result<Option<String>, Fault> {
        let digits = value.iter().all(u8::is_ascii_digit);
        let seconds = std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .filter(|_| digits)
            .ok_or_else(|| Fault::NoTime(header.to_owned()))?;
        let Some(tolerance) = &self.description.tolerance else {
            return Ok(None);
        };
        let ahead = seconds.saturating_sub(now.as_second());
        if ahead.unsigned_abs() <= u64::from(tolerance.seconds) {
            return Ok(None);
        }
        let (by, side) = (
            ahead.unsigned_abs(),
            if ahead > 0 { "ahead" } else { "behind" },
        );
        Ok(Some(format!(
            "{header} is {by} s {side} of this machine's clock and receivers tolerate {} s; a sandbox with --clock-speed runs ahead",
            tolerance.seconds
        )))
    }
}

/// The one value of a header.
fn only<'a>(delivery: &'a Delivery, name: &str) -> Result<&'a [u8], Fault> {
    let mut values = delivery.values(name);
    let value = values
        .next()
        .ok_or_else(|| Fault::Missing(name.to_owned()))?;
    match values.count() {
        0 => Ok(value),
        more => Err(Fault::Repeated(name.to_owned(), more + 1)),
    }
}

/// The parts of a template. It is taken apart before any value is known, so a value that looks like a placeholder stays a value.
fn parts(template: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (literal, tail) = rest.split_at(at);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        let inner = tail.strip_prefix('{').ok_or("has a } without a {")?;
        let (name, after) = inner.split_once('}').ok_or("has a { without a }")?;
        parts.push(match name {
            "timestamp" => Part::Timestamp,
            "body" => Part::Body,
            _ => return Err("has a placeholder other than {timestamp} and {body}"),
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{conduit, equals_money};

    /// Our documents and theirs.
    fn documents() -> Vec<Value> {
        let source = |name: &str| -> Value {
            let path = format!("{}/openapi/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
            yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        };
        let emitted = [
            (*conduit::DOCUMENT).clone(),
            (*equals_money::DOCUMENT).clone(),
        ];
        let sources = ["conduit", "equals-money"].map(source);
        emitted.into_iter().chain(sources).collect()
    }

    fn conduit() -> Scheme {
        Scheme::read(&conduit::DOCUMENT).unwrap()
    }

    fn equals_money() -> Scheme {
        Scheme::read(&equals_money::DOCUMENT).unwrap()
    }

    fn delivery(headers: &[(&str, &str)], body: &str, now: i64) -> Delivery {
        Delivery::example(headers, body, Timestamp::from_second(now).unwrap())
    }

    /// The delivery that a test vector describes, at the time that it names, and its key.
    fn vector(document: &Value) -> (Delivery, Secret) {
        let scheme = &document[MEMBER];
        let vector = &scheme["testVectors"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut headers = vec![(text(&scheme["header"]), text(&vector["signature"]))];
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
            let count = document[MEMBER]["testVectors"].as_array().unwrap().len();
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
            let header = document[MEMBER]["header"].as_str().unwrap();
            let mismatch = Fault::Mismatch(header.to_owned()).to_string();
            let judge = |delivery: &Delivery, key: &str| {
                wrong(scheme.judge(delivery, Some(&Secret::new(key))))
            };
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
        let (good, key) = vector(&conduit::DOCUMENT);
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
                "the header conduit-signature-timestamp is no Unix time in seconds"
            );
        }
    }

    #[test]
    fn missing_and_repeated_headers_are_named() {
        let (good, key) = vector(&conduit::DOCUMENT);
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
            let mut document = json!({ MEMBER: conduit::DOCUMENT[MEMBER] });
            *document[MEMBER].pointer_mut(pointer).unwrap() = value;
            format!(
                "{:#}",
                anyhow::Error::from(Scheme::read(&document).unwrap_err())
            )
        };
        assert!(reason("/algorithm", json!("hmac-sha1")).contains("hmac-sha1"));
        assert!(reason("/encoding", json!("base32")).contains("base32"));
        assert!(reason("/timestamp/format", json!("iso")).contains("iso"));
        assert!(reason("/key/encoding", json!("hex")).contains("hex"));
        assert!(reason("/required", json!("never")).contains("never"));
        assert!(reason("/signed", json!("{timestamp}")).contains("does not cover the body"));
        assert!(reason("/signed", json!("")).contains("does not cover the body"));
        assert!(reason("/timestamp", Value::Null).contains("no header for it"));
        assert!(reason("/header", json!(1)).contains("integer"));
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
}
