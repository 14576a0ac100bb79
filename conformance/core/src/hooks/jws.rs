//! JSON Web Signatures in compact form (RFC 7515), with claims or with a detached payload.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::algorithm::Algorithm;
use super::key::Key;

/// The names of `alg` that are known here, and what they are.
pub(super) const NAMES: [(&str, Algorithm); 6] = [
    ("HS256", Algorithm::HmacSha256),
    ("HS384", Algorithm::HmacSha384),
    ("HS512", Algorithm::HmacSha512),
    ("RS256", Algorithm::RsaSha256),
    ("ES256", Algorithm::EcdsaP256Sha256),
    ("EdDSA", Algorithm::Ed25519),
];

/// A token that was taken apart.
pub(super) struct Token {
    pub(super) header: Value,
    payload: String,
    signed: String,
    signature: Vec<u8>,
}

impl Token {
    /// Takes a token apart; none where it is not in compact form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let decoded = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
        Some(Self {
            header: serde_json::from_slice::<Value>(&decoded)
                .ok()
                .filter(Value::is_object)?,
            payload: payload.to_owned(),
            signed: header.to_owned(),
            signature: BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?,
        })
    }

    /// The claims, where the payload is a JSON object.
    pub(super) fn claims(&self) -> Option<Value> {
        let bytes = BASE64URL_NOPAD.decode(self.payload.as_bytes()).ok()?;
        serde_json::from_slice(&bytes).ok().filter(Value::is_object)
    }

    pub(super) fn algorithm(&self) -> &str {
        self.header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether the signature is right for the payload: its own, or `detached`.
    pub(super) fn verify(&self, key: &Key, detached: Option<&[u8]>) -> bool {
        let Some((_, algorithm)) = NAMES.iter().find(|(name, _)| *name == self.algorithm()) else {
            return false;
        };
        if let (Some(id), Some(wanted)) = (&key.id, self.header.get("kid").and_then(Value::as_str))
            && id != wanted
        {
            return false;
        }
        let payload = match detached {
            Some(_) if !self.payload.is_empty() => return false,
            // RFC 7797: the payload may be signed as it is.
            Some(bytes) if self.header.get("b64") == Some(&Value::Bool(false)) => {
                let text = [self.signed.as_bytes(), b".", bytes].concat();
                return algorithm.verify(key, &text, &self.signature, true);
            }
            Some(bytes) => BASE64URL_NOPAD.encode(bytes),
            None => self.payload.clone(),
        };
        let text = format!("{}.{payload}", self.signed);
        algorithm.verify(key, text.as_bytes(), &self.signature, true)
    }
}

/// Makes a token of claims, or one with a detached payload.
pub(super) fn sign(name: &str, key: &Key, payload: &[u8], detached: bool) -> Option<String> {
    let (_, algorithm) = NAMES.iter().find(|(known, _)| *known == name)?;
    let mut header = json!({ "alg": name, "typ": "JWT" });
    if let Some(id) = &key.id {
        header["kid"] = json!(id);
    }
    let header = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
    let payload = BASE64URL_NOPAD.encode(payload);
    let text = format!("{header}.{payload}");
    let signature = BASE64URL_NOPAD.encode(&algorithm.sign(key, text.as_bytes(), true)?);
    let middle = if detached { "" } else { &payload };
    Some(format!("{header}.{middle}.{signature}"))
}
