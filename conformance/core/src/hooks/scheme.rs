//! `x-webhook-signature`: how deliveries are signed, as types. [`mod@super::read`] makes them of JSON.

mod read;

use serde::Serialize;

use super::algorithm::Algorithm;
use super::certificate::Certificate;
use super::key::KeyEncoding;
use super::location::{Carrier, Location};
use super::template::Template;
use super::vector;

pub(super) use read::{read, version};

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
    /// The separator between several signatures of one value.
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
    /// A certificate whose URL the delivery names.
    Certificate(Certificate),
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

impl Scheme {
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
