//! API keys: who may call, and what is kept of their credentials.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::ProviderName;

/// SHA-256 of a credential: all that is kept of it. Our credentials are random with 256 bits, so no slow hash is needed.
#[derive(Clone, Copy)]
pub struct Fingerprint([u8; 32]);

/// A credential pair (Conduit: key and secret) or a single key of one owner with one provider.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Our name for it: `key_` and a KSUID.
    pub id: String,
    /// The API that it opens.
    pub provider: ProviderName,
    /// The client id (Conduit), the product id (Equals Money), or `operator`.
    pub owner: String,
    /// The name that a person gave it.
    pub name: Option<String>,
    /// Fingerprint of the key.
    pub key: Fingerprint,
    /// Fingerprint of the secret that belongs to the key (Conduit only).
    pub secret: Option<Fingerprint>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it opens nothing.
    pub revoked_at: Option<Timestamp>,
}

impl Fingerprint {
    /// The fingerprint of a credential.
    pub fn of(credential: &[u8]) -> Self {
        Self(Sha256::digest(credential).into())
    }

    /// A fingerprint as storage keeps it.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes that storage keeps.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Compares in constant time.
impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Fingerprint {}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[fingerprint]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_credentials_have_equal_fingerprints_and_others_do_not() {
        assert_eq!(
            Fingerprint::of(b"sandbox-key"),
            Fingerprint::of(b"sandbox-key")
        );
        assert_ne!(
            Fingerprint::of(b"sandbox-key"),
            Fingerprint::of(b"sandbox-kez")
        );
    }
}
