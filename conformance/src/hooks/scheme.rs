//! `x-webhook-signature`: how deliveries are signed, as types, and their strict reading from JSON.

use serde::Serialize;
use serde_json::{Map, Value};

use super::algorithm::{ALGORITHMS, Algorithm};
use super::key::KeyEncoding;
use super::location::{Carrier, Location};
use super::read::{Faults, Object};
use super::template::Template;
use super::{jws, message_signature, preset, vector};

/// The version of the extension that is read here.
pub(super) const VERSION: u32 = 1;

/// One way in which deliveries are signed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scheme {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Where the signature is, and how it is written.
    pub signature: Signature,
    /// The signed text. A token (`jws`) with one has it as its detached payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<Template>,
    /// Components that an HTTP message signature must cover.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// The algorithms that a token or an HTTP message signature may name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// The label of an HTTP message signature; any, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When the delivery was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The id that is part of the signed text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Location>,
    /// A digest of the body that the message carries and that is signed in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where the key comes from.
    pub key: KeyRule,
    /// Whether every delivery is signed.
    pub required: Required,
    /// The media type of the deliveries that are signed so; any, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Messages with their signatures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_vectors: Vec<vector::Vector>,
}

/// Where a signature is, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// Where it is.
    #[serde(flatten)]
    pub location: Location,
    /// What is between several signatures of one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Text before each signature.
    #[serde(skip_serializing_if = "String::is_empty", rename = "before")]
    pub prefix: String,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// Whether an ECDSA signature is the 64 bytes of both numbers, and not DER.
    pub fixed: bool,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Lower-case hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64 for URLs without padding.
    Base64url,
    /// As they are.
    Text,
}

/// Where the time of signing is, and how it is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timestamp {
    /// Where it is; none for an HTTP message signature, which has it as `created`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// How it is written.
    pub format: TimeFormat,
    /// How many seconds a receiver tolerates, each way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFormat {
    /// Seconds since 1970 in decimal digits.
    UnixSeconds,
    /// Milliseconds since 1970 in decimal digits.
    UnixMilliseconds,
    /// A date and time with its offset.
    Rfc3339,
}

/// A digest of the body that the message carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// Where it is.
    #[serde(flatten)]
    pub location: Location,
    /// The hash function.
    pub algorithm: Hash,
    /// How it is written.
    pub encoding: Encoding,
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Where the key of a scheme comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRule {
    /// The source.
    pub from: KeySource,
    /// How its text is written.
    pub encoding: KeyEncoding,
    /// Text before it that is not part of the key, such as `whsec_`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// Where the text of a key comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// A member of the request that registers the webhook, as a JSON pointer.
    Request(String),
    /// A member of the webhook as the API shows it: in the answer to the registration or in that to a later read.
    Response(String),
    /// The same for all webhooks, and public.
    Value(String),
    /// A set of JSON Web Keys at a URL.
    Jwks(String),
    /// A certificate whose URL a header names.
    Certificate(String),
    /// The user has it from elsewhere.
    Given,
}

/// Whether every delivery is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Required {
    /// It is.
    Always,
    /// Only where the webhook has a key.
    WhenKeyIsSet,
}

const ENCODINGS: [(&str, Encoding); 4] = [
    ("hex", Encoding::Hex),
    ("base64", Encoding::Base64),
    ("base64url", Encoding::Base64url),
    ("text", Encoding::Text),
];

/// Reads the extension: an object, or an array of schemes that all hold.
pub(super) fn read(value: &Value, at: &str, faults: &Faults) -> Vec<Scheme> {
    match value {
        Value::Array(items) if items.is_empty() => {
            faults.add(
                at,
                "has no scheme; leave the extension out where deliveries are not signed",
            );
            Vec::new()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| one(item, &format!("{at}/{index}"), faults))
            .collect(),
        value => one(value, at, faults).into_iter().collect(),
    }
}

fn one(value: &Value, at: &str, faults: &Faults) -> Option<Scheme> {
    let expanded = expand(value, at, faults)?;
    let object = Object::new(&expanded, at, faults)?;
    version(&object);
    object.value("preset");
    let algorithm = object.word("algorithm", &ALGORITHMS);
    if !object.has("algorithm") {
        object.fault_here("`algorithm` is missing");
    }
    let signature = object
        .object("signature")
        .and_then(|signature| read_signature(signature, algorithm));
    if !object.has("signature") && algorithm != Some(Algorithm::HttpMessageSignature) {
        object.fault_here("`signature` is missing: where the value is");
    }
    let signed = object.text("signed").and_then(|text| {
        Template::parse(text)
            .map_err(|problem| object.fault("signed", format!("`{text}` {problem}")))
            .ok()
    });
    let components = object.texts("components").unwrap_or_default();
    let accept = object.texts("accept").unwrap_or_default();
    let label = object.text("label").map(str::to_owned);
    let timestamp = object
        .object("timestamp")
        .and_then(|time| read_time(time, algorithm));
    let id = object.object("id").and_then(|id| {
        let location = Location::read(&id, algorithm == Some(Algorithm::Jws));
        id.close();
        location
    });
    let digest = object
        .object("digest")
        .and_then(|digest| read_digest(digest, algorithm));
    let key = match object.object("key") {
        Some(key) => read_key(key, algorithm),
        None => KeyRule {
            from: KeySource::Given,
            encoding: default_encoding(algorithm),
            prefix: String::new(),
        },
    };
    let words = [
        ("always", Required::Always),
        ("when-key-is-set", Required::WhenKeyIsSet),
    ];
    let required = object.word("required", &words).unwrap_or(Required::Always);
    let content_type = object.text("contentType").map(str::to_ascii_lowercase);
    let test_vectors = object
        .items("testVectors")
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(at, value)| vector::read(value, &at, faults))
        .collect();
    let algorithm = algorithm?;
    let signature = match algorithm {
        Algorithm::HttpMessageSignature => {
            if object.has("signature") {
                object.fault("signature", "RFC 9421 says where it is: leave this out");
            }
            Some(Signature {
                location: Location {
                    carrier: Carrier::Header("signature".to_owned()),
                    field: None,
                    prefix: String::new(),
                },
                items: None,
                prefix: String::new(),
                encoding: Encoding::Base64,
                fixed: true,
            })
        }
        _ => signature,
    };
    let scheme = Scheme {
        algorithm,
        signature: signature?,
        signed,
        components,
        accept,
        label,
        timestamp,
        id,
        digest,
        key,
        required,
        content_type,
        test_vectors,
    };
    scheme.check(&object);
    object.close();
    Some(scheme)
}

pub(super) fn version(object: &Object<'_>) {
    if let Some(version) = object.count("version")
        && version != VERSION
    {
        object.fault(
            "version",
            format!("version {version} is not known; this is version {VERSION}"),
        );
    }
}

/// The object with the members of its preset, which its own members replace.
fn expand(value: &Value, at: &str, faults: &Faults) -> Option<Value> {
    let Some(name) = value.get("preset") else {
        return Some(value.clone());
    };
    let Some(name) = name.as_str() else {
        faults.add(&format!("{at}/preset"), "expected a string");
        return None;
    };
    let Some(preset) = preset::find(name) else {
        faults.add(&format!("{at}/preset"), preset::unknown(name));
        return None;
    };
    let mut members: Map<String, Value> = preset.as_object().cloned().unwrap_or_default();
    for (name, own) in value.as_object()? {
        match (members.get_mut(name), own) {
            // The members of a part are replaced one by one; with another carrier the part is another one.
            (Some(Value::Object(known)), Value::Object(own))
                if name != "key" && !CARRIERS.iter().any(|carrier| own.contains_key(*carrier)) =>
            {
                known.extend(own.clone());
            }
            _ => {
                members.insert(name.clone(), own.clone());
            }
        }
    }
    Some(Value::Object(members))
}

const CARRIERS: [&str; 4] = ["header", "query", "member", "claim"];

fn read_signature(object: Object<'_>, algorithm: Option<Algorithm>) -> Option<Signature> {
    let location = Location::read(&object, false);
    let items = object.text("items").map(str::to_owned);
    if items.as_deref() == Some("") {
        object.fault("items", "must not be empty");
    }
    let encoding = object.word("encoding", &ENCODINGS);
    let fixed = object.word("form", &[("der", false), ("fixed", true)]);
    if fixed.is_some() && algorithm != Some(Algorithm::EcdsaP256Sha256) {
        object.fault("form", "has a meaning for ecdsa-p256-sha256 only");
    }
    let encoding = match algorithm {
        Some(Algorithm::Jws) => {
            if encoding.is_some() {
                object.fault("encoding", "a token has one form only: leave this out");
            }
            Encoding::Text
        }
        Some(Algorithm::Token) => encoding.unwrap_or(Encoding::Text),
        _ => {
            if encoding.is_none() && !object.has("encoding") {
                object.fault_here("`encoding` is missing");
            }
            if encoding == Some(Encoding::Text) {
                object.fault(
                    "encoding",
                    "the bytes of a signature are not a text; use `hex`, `base64` or `base64url`",
                );
            }
            encoding.unwrap_or(Encoding::Hex)
        }
    };
    object.close();
    let mut location = location?;
    let prefix = std::mem::take(&mut location.prefix);
    Some(Signature {
        location,
        items,
        prefix,
        encoding,
        fixed: fixed.unwrap_or(false),
    })
}

fn read_time(object: Object<'_>, algorithm: Option<Algorithm>) -> Option<Timestamp> {
    let formats = [
        ("unix-seconds", TimeFormat::UnixSeconds),
        ("unix-milliseconds", TimeFormat::UnixMilliseconds),
        ("rfc3339", TimeFormat::Rfc3339),
    ];
    let own = algorithm == Some(Algorithm::HttpMessageSignature);
    let location = if own {
        None
    } else {
        Some(Location::read(&object, algorithm == Some(Algorithm::Jws)))
    };
    let format = object
        .word("format", &formats)
        .unwrap_or(TimeFormat::UnixSeconds);
    let tolerance = object.amount("tolerance");
    object.close();
    Some(Timestamp {
        location: match location {
            Some(location) => Some(location?),
            None => None,
        },
        format,
        tolerance,
    })
}

fn read_digest(object: Object<'_>, algorithm: Option<Algorithm>) -> Option<Digest> {
    let location = Location::read(&object, algorithm == Some(Algorithm::Jws));
    let hashes = [
        ("sha1", Hash::Sha1),
        ("sha256", Hash::Sha256),
        ("sha512", Hash::Sha512),
    ];
    let hash = object.word("algorithm", &hashes);
    let encoding = object.word("encoding", &ENCODINGS[..3]);
    for name in ["algorithm", "encoding"] {
        if !object.has(name) {
            object.fault_here(format!("`{name}` is missing"));
        }
    }
    object.close();
    Some(Digest {
        location: location?,
        algorithm: hash?,
        encoding: encoding?,
    })
}

fn default_encoding(algorithm: Option<Algorithm>) -> KeyEncoding {
    match algorithm {
        Some(Algorithm::Ed25519 | Algorithm::EcdsaP256Sha256 | Algorithm::RsaSha256) => {
            KeyEncoding::Pem
        }
        Some(Algorithm::Jws | Algorithm::HttpMessageSignature) => KeyEncoding::Jwk,
        _ => KeyEncoding::Utf8,
    }
}

fn read_key(object: Object<'_>, algorithm: Option<Algorithm>) -> KeyRule {
    let sources = [
        object.pointer("request").map(KeySource::Request),
        object.pointer("response").map(KeySource::Response),
        object
            .text("value")
            .map(|text| KeySource::Value(text.to_owned())),
        object
            .text("jwks")
            .map(|url| KeySource::Jwks(url.to_owned())),
        object
            .text("certificate")
            .map(|header| KeySource::Certificate(header.to_ascii_lowercase())),
    ];
    let mut given = sources.into_iter().flatten();
    let from = given.next().unwrap_or(KeySource::Given);
    if given.next().is_some() {
        object.fault_here(
            "only one of `request`, `response`, `value`, `jwks` or `certificate` may be there",
        );
    }
    let words = [
        ("utf-8", KeyEncoding::Utf8),
        ("hex", KeyEncoding::Hex),
        ("base64", KeyEncoding::Base64),
        ("base64url", KeyEncoding::Base64url),
        ("pem", KeyEncoding::Pem),
        ("jwk", KeyEncoding::Jwk),
    ];
    let encoding = object.word("encoding", &words).unwrap_or(match from {
        KeySource::Jwks(_) => KeyEncoding::Jwk,
        KeySource::Certificate(_) => KeyEncoding::Pem,
        _ => default_encoding(algorithm),
    });
    let prefix = object.text("prefix").unwrap_or_default().to_owned();
    object.close();
    KeyRule {
        from,
        encoding,
        prefix,
    }
}

impl Scheme {
    /// Reports what is well formed and of no use.
    fn check(&self, object: &Object<'_>) {
        let is = |algorithm| self.algorithm == algorithm;
        if self.algorithm.signs_text()
            && !is(Algorithm::Jws)
            && self.signed.is_none()
            && !object.has("signed")
        {
            object.fault_here(
                "`signed` is missing: the text that is signed, such as `{timestamp}.{body}`",
            );
        }
        if !self.algorithm.signs_text() && self.signed.is_some() {
            object.fault("signed", "has no effect with this algorithm");
        }
        let names: Option<Vec<&str>> = match self.algorithm {
            Algorithm::Jws => Some(jws::NAMES.iter().map(|(name, _)| *name).collect()),
            Algorithm::HttpMessageSignature => Some(
                message_signature::NAMES
                    .iter()
                    .map(|(name, _)| *name)
                    .collect(),
            ),
            _ => None,
        };
        match names {
            Some(names) => {
                if self.accept.is_empty() {
                    object.fault_here(format!(
                        "`accept` is missing: the algorithms that a sender may use, of {}",
                        names.join(", ")
                    ));
                }
                for (index, name) in self.accept.iter().enumerate() {
                    if !names.contains(&name.as_str()) {
                        object.faults().add(
                            &format!("{}/{index}", object.at("accept")),
                            format!("unknown algorithm `{name}`; use {}", names.join(", ")),
                        );
                    }
                }
            }
            None if !self.accept.is_empty() => {
                object.fault("accept", "has no effect with this algorithm");
            }
            None => {}
        }
        if is(Algorithm::HttpMessageSignature) {
            if self.components.is_empty() {
                object.fault_here(
                    "`components` is missing: what a signature must cover, such as `@method`",
                );
            }
        } else {
            for (name, given) in [
                ("components", !self.components.is_empty()),
                ("label", self.label.is_some()),
            ] {
                if given {
                    object.fault(name, "has no effect with this algorithm");
                }
            }
        }
        if let Some(template) = &self.signed {
            if template.has_timestamp() && self.timestamp.is_none() {
                object.fault(
                    "signed",
                    "has `{timestamp}`, but `timestamp` does not say where it is",
                );
            }
            if template.has_id() && self.id.is_none() {
                object.fault("signed", "has `{id}`, but `id` does not say where it is");
            }
            let in_body = matches!(self.signature.location.carrier, Carrier::Member(_));
            if template.has_body() && in_body {
                object.fault(
                    "signed",
                    "has the body, which contains the signature; name the members that are signed",
                );
            }
        }
    }

    /// Whether a change of any byte of the body is noticed.
    pub fn covers_body(&self) -> bool {
        let template = self.signed.as_ref().is_some_and(Template::has_body);
        template
            || self.digest.is_some()
            || self.components.iter().any(|name| name == "content-digest")
    }

    /// Whether a change of the timestamp is noticed.
    pub fn covers_timestamp(&self) -> bool {
        let Some(timestamp) = &self.timestamp else {
            return false;
        };
        match timestamp
            .location
            .as_ref()
            .map(|location| &location.carrier)
        {
            None | Some(Carrier::Claim(_)) => true,
            Some(Carrier::Member(pointer)) if self.covers_member(pointer) => true,
            Some(_) => self.signed.as_ref().is_some_and(Template::has_timestamp),
        }
    }

    /// Whether a change of a member of the body is noticed.
    pub fn covers_member(&self, pointer: &str) -> bool {
        let named = self
            .signed
            .as_ref()
            .is_some_and(|template| template.members().contains(&pointer));
        named || self.covers_body()
    }
}
