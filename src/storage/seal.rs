//! Secrets at rest: sealed with XChaCha20-Poly1305 before they reach a row, opened when they leave it.
//!
//! A sealed value is `key id (8) | nonce (24) | ciphertext and tag`. The row that it belongs to is authenticated with it, so that a
//! sealed value copied into another row does not open there.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::Secret;
use crate::entropy;

const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

/// The key that secrets are sealed with: 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone)]
pub struct EncryptionKey(Zeroizing<[u8; KEY_BYTES]>);

/// Seals and opens secrets with one key.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
    key_id: [u8; KEY_ID_BYTES],
}

/// Why a key file gives no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or created.
    #[error("cannot read the encryption key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The text is not a key.
    #[error(
        "the encryption key must be 64 hexadecimal digits (32 bytes); make one with `openssl rand -hex 32`"
    )]
    Malformed,
}

/// Why a sealed value does not open.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It was sealed with another key.
    #[error("sealed with another key")]
    OtherKey,
    /// It was cut, changed or moved from another row.
    #[error("damaged or moved from another row")]
    Damaged,
}

impl EncryptionKey {
    /// Reads a key from its 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyFileError::Malformed`] when the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, KeyFileError> {
        let bytes = Zeroizing::new(
            HEXLOWER_PERMISSIVE
                .decode(text.trim().as_bytes())
                .map_err(|_| KeyFileError::Malformed)?,
        );
        let key = bytes
            .as_slice()
            .try_into()
            .map_err(|_| KeyFileError::Malformed)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Reads the key from a file.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file cannot be read or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, KeyFileError> {
        let mut text = Zeroizing::new(String::new());
        let at_path = |source| KeyFileError::Io {
            path: path.to_owned(),
            source,
        };
        // A key has 64 digits: more than this is some other file.
        fs::File::open(path)
            .and_then(|file| file.take(1024).read_to_string(&mut text))
            .map_err(at_path)?;
        Self::from_hex(&text)
    }

    /// Reads the key from a file, or makes one there that only the owner may read (mode 0600).
    ///
    /// # Errors
    /// [`KeyFileError`] when the file can neither be read nor created, or holds no key.
    pub fn from_file_or_new(path: &Path) -> Result<Self, KeyFileError> {
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
        {
            Ok(mut file) => {
                let key = Self(Zeroizing::new(entropy::bytes()));
                let text = Zeroizing::new(HEXLOWER_PERMISSIVE.encode(&key.0[..]));
                file.write_all(text.as_bytes())
                    .and_then(|()| file.write_all(b"\n"))
                    .and_then(|()| file.sync_all())
                    .map_err(|source| KeyFileError::Io {
                        path: path.to_owned(),
                        source,
                    })?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::from_file(path),
            Err(source) => Err(KeyFileError::Io {
                path: path.to_owned(),
                source,
            }),
        }
    }
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Sealer {
    pub(super) fn new(key: &EncryptionKey) -> Self {
        let mut key_id = [0; KEY_ID_BYTES];
        key_id.copy_from_slice(&Sha256::digest(key.0.as_slice())[..KEY_ID_BYTES]);
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(*key.0)),
            key_id,
        }
    }

    /// Seals `secret` for the place that `place` names (table, row and column).
    pub(super) fn seal(&self, place: &str, secret: &Secret) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = entropy::bytes();
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: place.as_bytes(),
        };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a secret is far below the cipher's limit of 256 GiB");
        [
            self.key_id.as_slice(),
            nonce.as_slice(),
            ciphertext.as_slice(),
        ]
        .concat()
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let (key_id, rest) = sealed
            .split_at_checked(KEY_ID_BYTES)
            .ok_or(SealError::Damaged)?;
        if key_id != self.key_id {
            return Err(SealError::OtherKey);
        }
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Damaged)?;
        let plain = self
            .cipher
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| SealError::Damaged)?;
        String::from_utf8(plain)
            .map(Secret::new)
            .map_err(|_| SealError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn key(byte: u8) -> EncryptionKey {
        EncryptionKey(Zeroizing::new([byte; KEY_BYTES]))
    }

    #[test]
    fn a_sealed_secret_opens_in_its_place_with_its_key_and_nowhere_else() {
        let sealer = Sealer::new(&key(1));
        let sealed = sealer.seal("webhook/1/secret", &Secret::new("hunter2"));
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(
            sealer.open("webhook/1/secret", &sealed).unwrap(),
            Secret::new("hunter2")
        );
        assert!(matches!(
            sealer.open("webhook/2/secret", &sealed),
            Err(SealError::Damaged)
        ));
        assert!(matches!(
            Sealer::new(&key(2)).open("webhook/1/secret", &sealed),
            Err(SealError::OtherKey)
        ));
        assert_ne!(
            sealed,
            sealer.seal("webhook/1/secret", &Secret::new("hunter2")),
            "nonces repeat"
        );
    }

    #[test]
    fn a_damaged_value_is_refused_whatever_is_cut_or_changed() {
        let sealer = Sealer::new(&key(1));
        let sealed = sealer.seal("p", &Secret::new("s"));
        for length in 0..sealed.len() {
            assert!(sealer.open("p", &sealed[..length]).is_err());
        }
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(sealer.open("p", &changed).is_err());
        }
    }

    #[test]
    fn a_new_key_file_is_private_and_read_again_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truehook.db.key");
        let first = EncryptionKey::from_file_or_new(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(EncryptionKey::from_file_or_new(&path).unwrap().0, first.0);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            assert!(
                matches!(EncryptionKey::from_hex(text), Err(KeyFileError::Malformed)),
                "{text}"
            );
        }
        assert!(EncryptionKey::from_hex(&"aB".repeat(32)).is_ok());
    }
}
