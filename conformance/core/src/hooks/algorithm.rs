//! The algorithms: from bytes and a key to a signature, and back to a verdict. All cryptography is ring's.

use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Serialize;

use super::key::{Key, Kind, Material, PublicKey};

/// How a delivery is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Ed25519, RFC 8032.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// A JSON Web Signature in compact form, RFC 7515; the token names one of the accepted algorithms.
    Jws,
    /// An HTTP message signature, RFC 9421.
    HttpMessageSignature,
    /// No signature: the value is the key itself.
    Token,
}

pub(super) const ALGORITHMS: [(&str, Algorithm); 10] = [
    ("hmac-sha1", Algorithm::HmacSha1),
    ("hmac-sha256", Algorithm::HmacSha256),
    ("hmac-sha384", Algorithm::HmacSha384),
    ("hmac-sha512", Algorithm::HmacSha512),
    ("ed25519", Algorithm::Ed25519),
    ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256),
    ("rsa-sha256", Algorithm::RsaSha256),
    ("jws", Algorithm::Jws),
    ("http-message-signature", Algorithm::HttpMessageSignature),
    ("token", Algorithm::Token),
];

impl Algorithm {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::HmacSha1
            | Self::HmacSha256
            | Self::HmacSha384
            | Self::HmacSha512
            | Self::Token => Kind::Shared,
            Self::Ed25519 => Kind::Ed25519,
            Self::EcdsaP256Sha256 => Kind::P256,
            Self::RsaSha256 => Kind::Rsa,
            Self::Jws | Self::HttpMessageSignature => Kind::Any,
        }
    }

    /// Whether a text is signed that the document gives as a template.
    pub fn signs_text(self) -> bool {
        !matches!(self, Self::Token | Self::HttpMessageSignature)
    }

    fn hmac(self) -> Option<hmac::Algorithm> {
        match self {
            Self::HmacSha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::HmacSha256 => Some(hmac::HMAC_SHA256),
            Self::HmacSha384 => Some(hmac::HMAC_SHA384),
            Self::HmacSha512 => Some(hmac::HMAC_SHA512),
            Self::Ed25519
            | Self::EcdsaP256Sha256
            | Self::RsaSha256
            | Self::Jws
            | Self::HttpMessageSignature
            | Self::Token => None,
        }
    }

    /// The signature of a text; none where the key cannot sign for this algorithm. `fixed` is the form of an ECDSA signature.
    pub(super) fn sign(self, key: &Key, text: &[u8], fixed: bool) -> Option<Vec<u8>> {
        if let Some(algorithm) = self.hmac() {
            let key = hmac::Key::new(algorithm, key.shared_bytes()?);
            return Some(hmac::sign(&key, text).as_ref().to_vec());
        }
        match &key.material {
            Material::Shared(bytes) if self == Self::Token => Some(bytes.clone()),
            Material::Private(private) if private.public.kind() == self.kind() => {
                private.sign(text, fixed)
            }
            Material::Shared(_) | Material::Public(_) | Material::Private(_) => None,
        }
    }

    /// Whether a signature belongs to a text and a key.
    pub(super) fn verify(self, key: &Key, text: &[u8], signature: &[u8], fixed: bool) -> bool {
        if let Some(algorithm) = self.hmac() {
            return key.shared_bytes().is_some_and(|bytes| {
                hmac::verify(&hmac::Key::new(algorithm, bytes), text, signature).is_ok()
            });
        }
        if self == Self::Token {
            return key
                .shared_bytes()
                .is_some_and(|bytes| equal(bytes, signature));
        }
        let Some(public) = key.public().filter(|public| public.kind() == self.kind()) else {
            return false;
        };
        let (algorithm, bytes): (&'static dyn VerificationAlgorithm, _) = match public {
            PublicKey::Ed25519(bytes) => (&ED25519, bytes),
            PublicKey::P256(bytes) if fixed => (&ECDSA_P256_SHA256_FIXED, bytes),
            PublicKey::P256(bytes) => (&ECDSA_P256_SHA256_ASN1, bytes),
            PublicKey::Rsa(bytes) => (&RSA_PKCS1_2048_8192_SHA256, bytes),
        };
        UnparsedPublicKey::new(algorithm, bytes)
            .verify(text, signature)
            .is_ok()
    }
}

/// Whether two secrets are equal, in a time that does not depend on where they differ.
pub(super) fn equal(one: &[u8], other: &[u8]) -> bool {
    // Two codes of the same key are compared in constant time by ring.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"equality");
    hmac::verify(&key, one, hmac::sign(&key, other).as_ref()).is_ok()
}
