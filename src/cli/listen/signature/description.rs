//! How a document describes the signatures of its webhooks: its `x-webhook-signature`, read strictly, and the id of its
//! `x-webhook-delivery`. Both are specified in `docs/webhook-extensions.md`; of all that they may say, what our own documents need is known
//! here.

use serde::Deserialize;
use serde_json::Value;

use super::Scheme;

/// The member of a document that describes how its webhooks are signed.
pub(super) const MEMBER: &str = "x-webhook-signature";

/// The member that says where deliveries carry an id.
const DELIVERY: &str = "x-webhook-delivery";

/// The object as it stands in the document; members that only a sender needs are left out.
#[derive(Debug, Deserialize)]
pub(super) struct Description {
    #[expect(dead_code, reason = "there is one, and others must be refused")]
    algorithm: Algorithm,
    pub(super) signature: Signature,
    signed: String,
    pub(super) timestamp: Option<TimestampHeader>,
    pub(super) key: Key,
    pub(super) required: Required,
}

#[derive(Debug, Deserialize)]
enum Algorithm {
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signature {
    pub(super) header: String,
    pub(super) encoding: Encoding,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    /// Lower case.
    Hex,
    /// The standard alphabet, padded.
    Base64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimestampHeader {
    pub(super) header: String,
    #[expect(dead_code, reason = "there is one, and others must be refused")]
    format: TimestampFormat,
    /// Seconds, each way.
    pub(super) tolerance: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TimestampFormat {
    UnixSeconds,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    request: Option<String>,
    response: Option<String>,
    #[expect(dead_code, reason = "there is one, and others must be refused")]
    encoding: KeyEncoding,
}

impl Key {
    /// The member of a webhook that has it.
    pub(super) fn member(&self) -> &str {
        let pointer = self.request.as_deref().or(self.response.as_deref());
        pointer.unwrap_or_default().trim_start_matches('/')
    }
}

#[derive(Debug, Deserialize)]
enum KeyEncoding {
    #[serde(rename = "utf-8")]
    Utf8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Required {
    Always,
    WhenKeyIsSet,
}

/// Where a delivery carries its id.
#[derive(Debug, Deserialize)]
pub(super) struct Identity {
    pub(super) header: Option<String>,
    pub(super) member: Option<String>,
}

/// A part of what is signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Timestamp,
    Body,
}

/// Why a document's description of its signatures is of no use.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli::listen) enum SchemeError {
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
        /// The fault.
        reason: &'static str,
    },
}

impl Scheme {
    /// Reads the scheme of a document.
    ///
    /// # Errors
    /// [`SchemeError`] when there is none, or it asks for something that is not known here.
    pub(in crate::cli::listen) fn read(document: &Value) -> Result<Self, SchemeError> {
        let member = document.get(MEMBER).ok_or(SchemeError::Missing)?;
        // Beside a signature there may be a token, which the receiver chose itself.
        let signed = |scheme: &&Value| scheme.get("algorithm") != Some(&Value::from("token"));
        let member = match member {
            Value::Array(schemes) => schemes.iter().find(signed).ok_or(SchemeError::Missing)?,
            scheme => scheme,
        };
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
        let id = document
            .get(DELIVERY)
            .and_then(|delivery| delivery.get("id"));
        let identity = id
            .map(Identity::deserialize)
            .transpose()
            .map_err(SchemeError::Unknown)?;
        Ok(Self {
            description,
            signed,
            identity,
        })
    }
}

/// The parts of a template. It is taken apart before any value is known, so a value that looks like a placeholder stays a value.
pub(super) fn parts(template: &str) -> Result<Vec<Part>, &'static str> {
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
