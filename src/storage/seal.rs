//! Secrets at rest: sealed with XChaCha20-Poly1305 before they reach a row, opened when they leave it.
//!
//! A sealed value is `key id (8) | nonce (24) | ciphertext and tag`. The row that it belongs to is authenticated with it, so that a
//! sealed value copied into another row does not open there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use super::key_file::{EncryptionKey, EncryptionKeys};
use crate::domain::Secret;
use crate::entropy;

const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

/// The id of a key: the beginning of its SHA-256.
pub(super) type KeyId = [u8; KEY_ID_BYTES];

/// Seals and opens secrets.
pub(super) struct Sealer {
    /// Those that the process was started with, then those that came to the file later.
    keys: RwLock<Vec<Arc<SealingKey>>>,
    at_start: usize,
    newest: KeyId,
    file: Option<PathBuf>,
}

struct SealingKey {
    id: KeyId,
    cipher: XChaCha20Poly1305,
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

impl SealingKey {
    fn new(key: &EncryptionKey) -> Arc<Self> {
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&Sha256::digest(key.bytes())[..KEY_ID_BYTES]);
        Arc::new(Self {
            id,
            cipher: XChaCha20Poly1305::new(&Key::from(*key.bytes())),
        })
    }
}

impl Sealer {
    pub(super) fn new(keys: &EncryptionKeys) -> Self {
        let all: Vec<Arc<SealingKey>> = keys.all().map(SealingKey::new).collect();
        Self {
            newest: all[0].id,
            at_start: all.len(),
            keys: RwLock::new(all),
            file: keys.file().map(Path::to_owned),
        }
    }

    /// The newest key that this process was started with.
    pub(super) fn newest(&self) -> KeyId {
        self.newest
    }

    /// Whether the key came to the file after this process was started, so that it is newer than [`Self::newest`].
    pub(super) fn came_later(&self, id: KeyId) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().skip(self.at_start).any(|key| key.id == id)
    }

    /// Seals `secret` with this key for the place that `place` names (table, row and column).
    ///
    /// # Errors
    /// [`SealError::OtherKey`] when the key is not known here.
    pub(super) fn seal(
        &self,
        key: KeyId,
        place: &str,
        secret: &Secret,
    ) -> Result<Vec<u8>, SealError> {
        let key = self.key(key).ok_or(SealError::OtherKey)?;
        let nonce: [u8; NONCE_BYTES] = entropy::bytes();
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: place.as_bytes(),
        };
        let ciphertext = key
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a secret is far below the cipher's limit of 256 GiB");
        Ok([key.id.as_slice(), nonce.as_slice(), ciphertext.as_slice()].concat())
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let (key, rest) = sealed
            .split_first_chunk::<KEY_ID_BYTES>()
            .ok_or(SealError::Damaged)?;
        let key = self.key(*key).ok_or(SealError::OtherKey)?;
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Damaged)?;
        let plain = key
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

    /// The key with this id. One that is not known may have come to the file since: another process changes the key.
    fn key(&self, id: KeyId) -> Option<Arc<SealingKey>> {
        let known = |keys: &[Arc<SealingKey>]| keys.iter().find(|key| key.id == id).cloned();
        let found = known(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        if found.is_some() {
            return found;
        }
        let read = EncryptionKeys::from_file(self.file.as_deref()?).ok()?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        for key in read.all() {
            let key = SealingKey::new(key);
            if !keys.iter().any(|known| known.id == key.id) {
                keys.push(key);
            }
        }
        known(&keys)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn sealer_of(byte: u8) -> Sealer {
        Sealer::new(
            &EncryptionKey::from_hex(&format!("{byte:02x}").repeat(32))
                .unwrap()
                .into(),
        )
    }

    fn seal(sealer: &Sealer, place: &str, secret: &str) -> Vec<u8> {
        sealer
            .seal(sealer.newest(), place, &Secret::new(secret))
            .unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_in_its_place_with_its_key_and_nowhere_else() {
        let sealer = sealer_of(1);
        let sealed = seal(&sealer, "webhook/1/secret", "hunter2");
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
            sealer_of(2).open("webhook/1/secret", &sealed),
            Err(SealError::OtherKey)
        ));
        assert_ne!(
            sealed,
            seal(&sealer, "webhook/1/secret", "hunter2"),
            "nonces repeat"
        );
    }

    #[test]
    fn a_damaged_value_is_refused_whatever_is_cut_or_changed() {
        let sealer = sealer_of(1);
        let sealed = seal(&sealer, "p", "s");
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
    fn a_key_that_comes_to_the_file_is_known_without_a_restart_and_one_that_leaves_it_stays_known()
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let old = EncryptionKeys::from_file_or_new(&path).unwrap();
        let running = Sealer::new(&old);
        let before = seal(&running, "p", "old");
        let new = old.with_new();
        new.replace_file().unwrap();
        let after = seal(&Sealer::new(&new), "p", "new");
        assert_eq!(running.open("p", &after).unwrap(), Secret::new("new"));
        EncryptionKeys::from_file(&path)
            .unwrap()
            .without_earlier()
            .replace_file()
            .unwrap();
        assert_eq!(running.open("p", &before).unwrap(), Secret::new("old"));
        let restarted = Sealer::new(&EncryptionKeys::from_file(&path).unwrap());
        assert_eq!(restarted.open("p", &after).unwrap(), Secret::new("new"));
        assert!(matches!(
            restarted.open("p", &before),
            Err(SealError::OtherKey)
        ));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        // Users who could read the old file can read the new one.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        EncryptionKeys::from_file(&path)
            .unwrap()
            .with_new()
            .replace_file()
            .unwrap();
        assert_eq!(mode(&path), 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
