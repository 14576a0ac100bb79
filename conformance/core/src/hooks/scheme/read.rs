//! Reads `x-webhook-signature` strictly: presets are written out, and what is well formed and of no use is a fault.

use serde_json::{Map, Value};

use super::{
    Digest, Encoding, Hash, KeyRule, KeySource, Required, Scheme, Signature, TimeFormat, Timestamp,
};
use crate::hooks::algorithm::{ALGORITHMS, Algorithm};
use crate::hooks::certificate::Certificate;
use crate::hooks::key::KeyEncoding;
use crate::hooks::location::{Carrier, Location};
use crate::hooks::read::{Faults, Object};
use crate::hooks::template::Template;
use crate::hooks::{jws, message_signature, preset, vector};

/// The version of the extension that is read here.
const VERSION: u32 = 1;

const ENCODINGS: [(&str, Encoding); 4] = [
    ("hex", Encoding::Hex),
    ("base64", Encoding::Base64),
    ("base64url", Encoding::Base64url),
    ("text", Encoding::Text),
];

/// Reads the extension: an object, or an array of schemes that all hold.
pub(in crate::hooks) fn read(value: &Value, at: &str, faults: &Faults) -> Vec<Scheme> {
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

pub(in crate::hooks) fn version(object: &Object<'_>) {
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
            (Some(Value::Object(known)), Value::Object(own)) if name == "key" => {
                replace_key(known, own);
            }
            // The members of a part are replaced one by one; in another kind of carrier the part is another one.
            (Some(Value::Object(known)), Value::Object(own)) if is_carried_alike(known, own) => {
                known.extend(own.clone());
            }
            _ => {
                members.insert(name.clone(), own.clone());
            }
        }
    }
    follow(preset, value, &mut members);
    Some(Value::Object(members))
}

/// Whether the members of a part name no carrier, or one of the same kind: another header in place of a header.
fn is_carried_alike(known: &Map<String, Value>, own: &Map<String, Value>) -> bool {
    let mut named = CARRIERS.iter().filter(|kind| own.contains_key(**kind));
    named.all(|kind| known.contains_key(*kind))
}

/// Moves the parts of a preset that are in the header of its signature to the header that the signature has here.
fn follow(preset: &Value, own: &Value, members: &mut Map<String, Value>) {
    let before = &preset["signature"]["header"];
    let Some(now) = members.get("signature").map(|part| part["header"].clone()) else {
        return;
    };
    if !before.is_string() || !now.is_string() {
        return;
    }
    for name in ["timestamp", "id", "digest"] {
        let names_own = own
            .get(name)
            .is_some_and(|part| part.get("header").is_some());
        if let Some(part) = members.get_mut(name)
            && part["header"] == *before
            && !names_own
        {
            part["header"] = now.clone();
        }
    }
}

/// Replaces the members of a preset's key. A key from elsewhere is written as that of the preset; a set of keys and a certificate have
/// forms of their own.
fn replace_key(known: &mut Map<String, Value>, own: &Map<String, Value>) {
    const SOURCES: [&str; 5] = ["request", "response", "value", "jwks", "certificate"];
    if SOURCES.iter().any(|source| own.contains_key(*source)) {
        known.retain(|name, _| !SOURCES.contains(&name.as_str()) && name != "hosts");
    }
    if own.contains_key("jwks") || own.contains_key("certificate") {
        known.clear();
    }
    known.extend(own.clone());
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
        Certificate::read(&object, algorithm).map(KeySource::Certificate),
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
        if let KeySource::Value(text) = &self.key.from
            && let Err(problem) = self.key(text)
        {
            let at = format!("{}/value", object.at("key"));
            object.faults().add(&at, problem);
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
}
