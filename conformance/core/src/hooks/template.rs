//! Texts with placeholders: what is signed, and what a handshake is answered with. A template is taken apart before any value is known,
//! so a value that looks like a placeholder stays a value.
//!
//! `{body}` is a placeholder, `{{` and `}}` are braces. A filter follows a bar: `{body|sha256|hex}`.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use ring::digest;
use serde::{Serialize, Serializer};
use serde_json::Value;
use url::Url;

use super::message::{Message, scalar};

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Value(Source, Vec<Filter>),
}

/// The source of a placeholder's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Timestamp,
    Id,
    Body,
    Member(String),
    /// The members of a form, sorted by name, each name followed by its value.
    Form,
    Method,
    Url,
    Path,
    RawQuery,
    Host,
    Header(String),
    Query(String),
    Registration(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Sha1,
    Sha256,
    Sha512,
    Crc32,
    Hex,
    Base64,
    Base64Url,
    Lower,
    Upper,
    HmacSha256,
}

const FILTERS: [(&str, Filter); 10] = [
    ("sha1", Filter::Sha1),
    ("sha256", Filter::Sha256),
    ("sha512", Filter::Sha512),
    ("crc32", Filter::Crc32),
    ("hex", Filter::Hex),
    ("base64", Filter::Base64),
    ("base64url", Filter::Base64Url),
    ("lower", Filter::Lower),
    ("upper", Filter::Upper),
    ("hmac-sha256", Filter::HmacSha256),
];

/// The values that are not in the message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Values<'v> {
    /// The timestamp as it stands in the message.
    pub(super) timestamp: &'v str,
    /// The id as it stands in the message.
    pub(super) id: &'v str,
    /// The answer to the registration.
    pub(super) registration: Option<&'v Value>,
    /// The key of `hmac-sha256`.
    pub(super) key: &'v [u8],
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Errors
    /// A sentence on the first brace, placeholder or filter that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(after) = tail.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = tail.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else if let Some(inner) = tail.strip_prefix('{') {
                let (inside, after) = inner
                    .split_once('}')
                    .ok_or("has a `{` without a `}`; write `{{` for a brace")?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(placeholder(inside)?);
                rest = after;
            } else {
                return Err("has a `}` without a `{`; write `}}` for a brace".to_owned());
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// The text as it stands in the document.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(source, _) => Some(source),
            Part::Literal(_) => None,
        })
    }

    /// Whether the timestamp is in it.
    pub fn has_timestamp(&self) -> bool {
        self.sources().any(|source| *source == Source::Timestamp)
    }

    /// Whether the id is in it.
    pub fn has_id(&self) -> bool {
        self.sources().any(|source| *source == Source::Id)
    }

    /// Whether the whole body is in it, or a digest of it.
    pub fn has_body(&self) -> bool {
        self.sources()
            .any(|source| matches!(source, Source::Body | Source::Form))
    }

    /// The members of the body that are in it.
    pub(super) fn members(&self) -> Vec<&str> {
        self.sources()
            .filter_map(|source| match source {
                Source::Member(pointer) => Some(pointer.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Returns the bytes that the template stands for. Parts that a message does not have are empty.
    pub(super) fn fill(&self, message: &Message, values: &Values<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => bytes.extend_from_slice(text.as_bytes()),
                Part::Value(source, filters) => {
                    let mut value = source.bytes(message, values);
                    for filter in filters {
                        value = filter.apply(value, values.key);
                    }
                    bytes.extend_from_slice(&value);
                }
            }
        }
        bytes
    }
}

fn placeholder(inside: &str) -> Result<Part, String> {
    let mut steps = inside.split('|');
    let name = steps.next().unwrap_or_default();
    let source = match name {
        "timestamp" => Source::Timestamp,
        "id" => Source::Id,
        "body" => Source::Body,
        "form" => Source::Form,
        "method" => Source::Method,
        "url" => Source::Url,
        "path" => Source::Path,
        "query" => Source::RawQuery,
        "host" => Source::Host,
        _ => {
            if let Some(pointer) = name
                .strip_prefix("body#")
                .filter(|rest| rest.starts_with('/'))
            {
                Source::Member(pointer.to_owned())
            } else if let Some(pointer) = name
                .strip_prefix("registration#")
                .filter(|rest| rest.starts_with('/'))
            {
                Source::Registration(pointer.to_owned())
            } else if let Some(header) =
                name.strip_prefix("header.").filter(|rest| !rest.is_empty())
            {
                Source::Header(header.to_ascii_lowercase())
            } else if let Some(query) = name.strip_prefix("query.").filter(|rest| !rest.is_empty())
            {
                Source::Query(query.to_owned())
            } else {
                return Err(format!(
                    "has the unknown placeholder `{{{name}}}`; use {{timestamp}}, {{id}}, {{body}}, {{body#/member}}, {{form}}, {{method}}, {{url}}, {{path}}, {{query}}, {{query.name}}, {{host}}, {{header.name}} or {{registration#/member}}"
                ));
            }
        }
    };
    let filters = steps
        .map(|step| {
            let found = FILTERS.iter().find(|(name, _)| *name == step);
            found.map(|(_, filter)| *filter).ok_or_else(|| {
                let names: Vec<&str> = FILTERS.iter().map(|(name, _)| *name).collect();
                format!("has the unknown filter `{step}`; use {}", names.join(", "))
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Part::Value(source, filters))
}

impl Source {
    fn bytes(&self, message: &Message, values: &Values<'_>) -> Vec<u8> {
        let url = || Url::parse(&message.url).ok();
        let text = match self {
            Self::Body => return message.body.clone(),
            Self::Timestamp => values.timestamp.to_owned(),
            Self::Id => values.id.to_owned(),
            Self::Member(pointer) => message
                .member(pointer)
                .as_ref()
                .map(scalar)
                .unwrap_or_default(),
            Self::Registration(pointer) => values
                .registration
                .and_then(|registration| registration.pointer(pointer))
                .map(scalar)
                .unwrap_or_default(),
            Self::Form => {
                let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(&message.body)
                    .into_owned()
                    .collect();
                pairs.sort();
                pairs
                    .into_iter()
                    .map(|(name, value)| name + &value)
                    .collect()
            }
            Self::Method => message.method.clone(),
            Self::Url => message.url.clone(),
            Self::Path => url().map_or_else(String::new, |url| url.path().to_owned()),
            Self::RawQuery => url()
                .and_then(|url| url.query().map(str::to_owned))
                .unwrap_or_default(),
            Self::Host => url()
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_default(),
            Self::Header(name) => message.header(name).next().unwrap_or_default().to_owned(),
            Self::Query(name) => message.query(name).unwrap_or_default(),
        };
        text.into_bytes()
    }
}

impl Filter {
    fn apply(self, value: Vec<u8>, key: &[u8]) -> Vec<u8> {
        let digest = |algorithm| digest::digest(algorithm, &value).as_ref().to_vec();
        match self {
            Self::Sha1 => digest(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => digest(&digest::SHA256),
            Self::Sha512 => digest(&digest::SHA512),
            Self::Crc32 => crc32fast::hash(&value).to_string().into_bytes(),
            Self::Hex => HEXLOWER.encode(&value).into_bytes(),
            Self::Base64 => BASE64.encode(&value).into_bytes(),
            Self::Base64Url => BASE64URL_NOPAD.encode(&value).into_bytes(),
            Self::Lower => value.to_ascii_lowercase(),
            Self::Upper => value.to_ascii_uppercase(),
            Self::HmacSha256 => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
                ring::hmac::sign(&key, &value).as_ref().to_vec()
            }
        }
    }
}
