//! Keys: from the text that a registration, a document or a person gives, to what signs and verifies.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde::Serialize;
use serde_json::Value;

use super::der;

/// How the text of a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyEncoding {
    /// The bytes of the text are the key.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64 with or without padding.
    Base64,
    /// Base64 with the alphabet for URLs, with or without padding.
    Base64url,
    /// A PEM block: a public key, a PKCS #8 private key or a certificate.
    Pem,
    /// A JSON Web Key, or a set of them.
    Jwk,
}

/// The kind of key that an algorithm needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Shared,
    Ed25519,
    P256,
    Rsa,
    /// Whatever the key says: the message names the algorithm.
    Any,
}

/// A key. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    pub(super) id: Option<String>,
    pub(super) material: Material,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Material {
    Shared(Vec<u8>),
    Public(PublicKey),
    Private(PrivateKey),
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// 32 bytes.
    Ed25519(Vec<u8>),
    /// An uncompressed point.
    P256(Vec<u8>),
    /// An `RSAPublicKey` in DER.
    Rsa(Vec<u8>),
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519(_) => "Ed25519",
            Self::P256(_) => "P256",
            Self::Rsa(_) => "Rsa",
        })
    }
}

/// A private key in PKCS #8.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PrivateKey {
    der: Vec<u8>,
    pub(super) public: PublicKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

impl Key {
    /// Bytes that sender and receiver share.
    pub fn shared(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(Material::Shared(bytes.into()))
    }

    fn of(material: Material) -> Self {
        Self { id: None, material }
    }

    /// Reads the text of a key; a set has several.
    pub(super) fn read(text: &str, encoding: KeyEncoding, kind: Kind) -> Result<Vec<Self>, String> {
        let text = text.trim();
        // However the keys of a sender are written, those of other tools come as PEM.
        if kind != Kind::Shared && text.starts_with("-----BEGIN ") {
            return pem(text).map(|key| vec![key]);
        }
        let bytes = match encoding {
            KeyEncoding::Jwk => return jwk(text),
            KeyEncoding::Pem => return pem(text).map(|key| vec![key]),
            KeyEncoding::Utf8 => text.as_bytes().to_vec(),
            KeyEncoding::Hex => HEXLOWER_PERMISSIVE
                .decode(text.as_bytes())
                .map_err(|_| "the key is not hexadecimal".to_owned())?,
            KeyEncoding::Base64 => BASE64_NOPAD
                .decode(text.trim_end_matches('=').as_bytes())
                .map_err(|_| "the key is not Base64".to_owned())?,
            KeyEncoding::Base64url => BASE64URL_NOPAD
                .decode(text.trim_end_matches('=').as_bytes())
                .map_err(|_| "the key is not Base64 for URLs".to_owned())?,
        };
        let material = match kind {
            Kind::Shared => Material::Shared(bytes),
            // A token may be signed with a shared secret as well as with a key pair.
            Kind::Any => material(&bytes).unwrap_or(Material::Shared(bytes)),
            // A private key with its public one behind it, as Standard Webhooks has them.
            Kind::Ed25519 if bytes.len() == 64 => {
                let der = [ED25519_PKCS8, &bytes[..32]].concat();
                let private = PrivateKey::read(&der)
                    .filter(|private| private.public == PublicKey::Ed25519(bytes[32..].to_vec()));
                let wrong = "the second half of the private key is not its public key";
                Material::Private(private.ok_or(wrong)?)
            }
            Kind::Ed25519 | Kind::P256 | Kind::Rsa => material(&bytes)
                .ok_or("the key is not a public key, a private key (PKCS #8) or a certificate")?,
        };
        Ok(vec![Self::of(material)])
    }

    pub(super) fn shared_bytes(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Shared(bytes) => Some(bytes),
            Material::Public(_) | Material::Private(_) => None,
        }
    }

    /// Changes a shared key; returns whether it is one.
    pub(super) fn alter(&mut self) -> bool {
        match &mut self.material {
            Material::Shared(bytes) => {
                match bytes.last_mut() {
                    Some(last) => *last ^= 1,
                    None => bytes.push(1),
                }
                true
            }
            Material::Public(_) | Material::Private(_) => false,
        }
    }

    pub(super) fn public(&self) -> Option<&PublicKey> {
        match &self.material {
            Material::Shared(_) => None,
            Material::Public(key) => Some(key),
            Material::Private(key) => Some(&key.public),
        }
    }
}

impl PublicKey {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Ed25519(_) => Kind::Ed25519,
            Self::P256(_) => Kind::P256,
            Self::Rsa(_) => Kind::Rsa,
        }
    }
}

impl PrivateKey {
    fn read(der: &[u8]) -> Option<Self> {
        let public = if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            PublicKey::Ed25519(pair.public_key().as_ref().to_vec())
        } else if let Ok(pair) =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &SystemRandom::new())
        {
            PublicKey::P256(pair.public_key().as_ref().to_vec())
        } else {
            let pair = RsaKeyPair::from_pkcs8(der).ok()?;
            PublicKey::Rsa(pair.public_key().as_ref().to_vec())
        };
        Some(Self {
            der: der.to_vec(),
            public,
        })
    }

    /// The signature of a text. For ECDSA `fixed` is the form of 64 bytes, otherwise DER.
    pub(super) fn sign(&self, text: &[u8], fixed: bool) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.public {
            PublicKey::Ed25519(_) => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.der).ok()?;
                Some(pair.sign(text).as_ref().to_vec())
            }
            PublicKey::P256(_) => {
                let form = if fixed {
                    &ECDSA_P256_SHA256_FIXED_SIGNING
                } else {
                    &ECDSA_P256_SHA256_ASN1_SIGNING
                };
                let pair = EcdsaKeyPair::from_pkcs8(form, &self.der, &random).ok()?;
                Some(pair.sign(&random, text).ok()?.as_ref().to_vec())
            }
            PublicKey::Rsa(_) => {
                let pair = RsaKeyPair::from_pkcs8(&self.der).ok()?;
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

/// What comes before the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410, 7).
const ED25519_PKCS8: &[u8] = &[
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A key pair or public key from its bytes: raw Ed25519, or DER.
fn material(bytes: &[u8]) -> Option<Material> {
    if bytes.len() == 32 {
        return Some(Material::Public(PublicKey::Ed25519(bytes.to_vec())));
    }
    if let Some(private) = PrivateKey::read(bytes) {
        return Some(Material::Private(private));
    }
    der::public_key(bytes)
        .or_else(|| der::certificate_key(bytes))
        .map(Material::Public)
}

fn pem(text: &str) -> Result<Key, String> {
    let wrong = || {
        "the key is not a PEM block of a public key, a private key (PKCS #8) or a certificate"
            .to_owned()
    };
    let body = text.split_once("-----BEGIN ").ok_or_else(wrong)?.1;
    let (_, body) = body.split_once("-----").ok_or_else(wrong)?;
    let (body, _) = body.split_once("-----END ").ok_or_else(wrong)?;
    let digits: String = body.split_whitespace().collect();
    let bytes = BASE64.decode(digits.as_bytes()).map_err(|_| wrong())?;
    material(&bytes).map(Key::of).ok_or_else(wrong)
}

fn jwk(text: &str) -> Result<Vec<Key>, String> {
    let wrong = || "the key is not a JSON Web Key, nor a set of them".to_owned();
    let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let list = match value.get("keys").and_then(Value::as_array) {
        Some(keys) => keys.clone(),
        None => vec![value],
    };
    // Keys of other kinds may stand in a set beside those that are of use.
    let keys: Vec<Key> = list.iter().filter_map(one_jwk).collect();
    if keys.is_empty() {
        Err(wrong())
    } else {
        Ok(keys)
    }
}

fn one_jwk(value: &Value) -> Option<Key> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let bytes = |name: &str| BASE64URL_NOPAD.decode(text(name)?.as_bytes()).ok();
    let material = match (text("kty")?, text("crv")) {
        ("oct", _) => Material::Shared(bytes("k")?),
        ("OKP", Some("Ed25519")) => Material::Public(PublicKey::Ed25519(bytes("x")?)),
        ("EC", Some("P-256")) => Material::Public(PublicKey::P256(
            [vec![4], bytes("x")?, bytes("y")?].concat(),
        )),
        ("RSA", _) => Material::Public(PublicKey::Rsa(der::rsa_key(&bytes("n")?, &bytes("e")?))),
        _ => return None,
    };
    Some(Key {
        id: text("kid").map(str::to_owned),
        material,
    })
}
