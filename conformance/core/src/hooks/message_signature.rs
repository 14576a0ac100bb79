//! HTTP message signatures (RFC 9421) with the digest of the body (RFC 9530).
//!
//! Not supported: components with parameters (such as `;req` or `;sf`), and derived components of responses.

use std::fmt::Write;

use data_encoding::BASE64;
use ring::digest;
use url::Url;

use super::algorithm::Algorithm;
use super::message::Message;

/// The names of `alg` that are known here, and what they are.
pub(super) const NAMES: [(&str, Algorithm); 4] = [
    ("hmac-sha256", Algorithm::HmacSha256),
    ("ed25519", Algorithm::Ed25519),
    ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256),
    ("rsa-v1_5-sha256", Algorithm::RsaSha256),
];

/// The content of one member of `Signature-Input`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) components: Vec<String>,
    pub(super) created: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) algorithm: Option<String>,
    pub(super) key_id: Option<String>,
    /// The text as it stands in the header; it is signed so.
    text: String,
}

/// The members of a dictionary of structured fields (RFC 9651), each as text.
fn members(text: &str) -> Vec<(&str, &str)> {
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_u32, false, false);
    let mut parts = Vec::new();
    for (index, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
        .into_iter()
        .filter_map(|part| part.trim().split_once('='))
        .collect()
}

/// The input with a label, or the first one.
pub(super) fn input(message: &Message, label: Option<&str>) -> Option<(String, Input)> {
    let header: Vec<&str> = message.header("signature-input").collect();
    let header = header.join(", ");
    let (name, text) = members(&header)
        .into_iter()
        .find(|(name, _)| label.is_none_or(|label| label == *name))?;
    let inner = text.strip_prefix('(')?;
    let (list, parameters) = inner.split_once(')')?;
    let components = list
        .split_whitespace()
        .map(|item| Some(item.strip_prefix('"')?.strip_suffix('"')?.to_owned()))
        .collect::<Option<Vec<_>>>()?;
    let mut input = Input {
        components,
        created: None,
        expires: None,
        algorithm: None,
        key_id: None,
        text: text.to_owned(),
    };
    for parameter in parameters.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        let text = || Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned());
        match name.trim() {
            "created" => input.created = Some(value.parse().ok()?),
            "expires" => input.expires = Some(value.parse().ok()?),
            "alg" => input.algorithm = Some(text()?),
            "keyid" => input.key_id = Some(text()?),
            _ => {}
        }
    }
    Some((name.to_owned(), input))
}

/// The signature with a label.
pub(super) fn signature(message: &Message, label: &str) -> Option<Vec<u8>> {
    let header: Vec<&str> = message.header("signature").collect();
    let header = header.join(", ");
    let (_, text) = members(&header)
        .into_iter()
        .find(|(name, _)| *name == label)?;
    let inner = text.strip_prefix(':')?.strip_suffix(':')?;
    BASE64.decode(inner.as_bytes()).ok()
}

/// The text that is signed; none where the message lacks a component, or it is not known here.
pub(super) fn base(message: &Message, input: &Input) -> Option<String> {
    let mut text = String::new();
    for (index, name) in input.components.iter().enumerate() {
        if input.components[..index].contains(name) {
            return None;
        }
        let value = component(message, name)?;
        let _ = writeln!(text, "\"{name}\": {value}");
    }
    let _ = write!(text, "\"@signature-params\": {}", input.text);
    Some(text)
}

fn component(message: &Message, name: &str) -> Option<String> {
    let url = || Url::parse(&message.url).ok();
    let authority = |url: &Url| {
        let host = url.host_str()?.to_ascii_lowercase();
        Some(
            url.port()
                .map_or(host.clone(), |port| format!("{host}:{port}")),
        )
    };
    match name {
        "@method" => Some(message.method.clone()),
        "@target-uri" => Some(message.url.clone()),
        "@authority" => authority(&url()?),
        "@scheme" => Some(url()?.scheme().to_owned()),
        "@path" => Some(url()?.path().to_owned()),
        "@query" => Some(format!("?{}", url()?.query().unwrap_or_default())),
        "@request-target" => {
            let url = url()?;
            let query = url
                .query()
                .map_or(String::new(), |query| format!("?{query}"));
            Some(format!("{}{query}", url.path()))
        }
        _ if name.starts_with('@') => None,
        _ => {
            let values: Vec<&str> = message.header(name).map(str::trim).collect();
            (!values.is_empty()).then(|| values.join(", "))
        }
    }
}

/// Whether each digest of `Content-Digest` is that of the body; none where the header has none that is known here.
pub(super) fn digest_matches(message: &Message) -> Option<bool> {
    let header: Vec<&str> = message.header("content-digest").collect();
    let header = header.join(", ");
    let known = members(&header).into_iter().filter_map(|(name, text)| {
        let algorithm = match name {
            "sha-256" => &digest::SHA256,
            "sha-512" => &digest::SHA512,
            _ => return None,
        };
        let expected = text.strip_prefix(':')?.strip_suffix(':')?;
        let own = digest::digest(algorithm, &message.body);
        Some(BASE64.encode(own.as_ref()) == expected)
    });
    known.reduce(|one, other| one && other)
}

/// The value of `Content-Digest`.
pub(super) fn content_digest(body: &[u8]) -> String {
    let own = digest::digest(&digest::SHA256, body);
    format!("sha-256=:{}:", BASE64.encode(own.as_ref()))
}

/// An input that is to be signed.
pub(super) fn new_input(
    components: &[String],
    created: i64,
    algorithm: &str,
    key_id: Option<&str>,
) -> Input {
    let quoted: Vec<String> = components
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let mut text = format!("({});created={created}", quoted.join(" "));
    if let Some(id) = key_id {
        let _ = write!(text, ";keyid=\"{id}\"");
    }
    let _ = write!(text, ";alg=\"{algorithm}\"");
    Input {
        components: components.to_vec(),
        created: Some(created),
        expires: None,
        algorithm: Some(algorithm.to_owned()),
        key_id: key_id.map(str::to_owned),
        text,
    }
}

impl Input {
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}
