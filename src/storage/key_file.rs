//! The encryption keys of a database, and the file that keeps them.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::Zeroizing;

use super::access::hint;
use crate::entropy;

const KEY_BYTES: usize = 32;

/// The key that secrets are sealed with: 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone)]
pub struct EncryptionKey(Zeroizing<[u8; KEY_BYTES]>);

/// The keys of a database. The current one seals; the others open what was sealed before a change of the key.
#[derive(Debug, Clone)]
pub struct EncryptionKeys {
    current: EncryptionKey,
    earlier: Vec<EncryptionKey>,
    /// The file that they were read from, which is read again when a secret is met that none of them opens.
    file: Option<PathBuf>,
}

/// Why a key file gives no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("cannot read the encryption key file {path}: {source}{}", hint(.path, .source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file cannot be created or replaced.
    #[error("cannot write the encryption key file {path}: {source}{}", hint(.path, .source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file to be created exists.
    #[error("{path} already exists and is not replaced; choose another name")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another process changes the keys in the file.
    #[error("another rotation of the key in {path} is running; wait until it ends")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The text is not a key.
    #[error(
        "the encryption key must be 64 hexadecimal digits (32 bytes); make one with `openssl rand -hex 32`"
    )]
    Malformed,
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

    /// A new key.
    pub fn generate() -> Self {
        Self(Zeroizing::new(entropy::bytes()))
    }

    /// Its bytes, for the cipher.
    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Its 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER_PERMISSIVE.encode(&self.0[..]))
    }
}

impl From<EncryptionKey> for EncryptionKeys {
    fn from(current: EncryptionKey) -> Self {
        Self {
            current,
            earlier: Vec::new(),
            file: None,
        }
    }
}

impl EncryptionKeys {
    /// Reads the keys from a file, one a line: the current one, then earlier ones.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file cannot be read or holds anything but keys.
    pub fn from_file(path: &Path) -> Result<Self, KeyFileError> {
        let mut text = Zeroizing::new(String::new());
        // A key has 64 digits: more than this is some other file.
        fs::File::open(path)
            .and_then(|file| file.take(1024).read_to_string(&mut text))
            .map_err(|source| KeyFileError::at(path, source))?;
        let mut keys = Vec::new();
        for line in text.trim().lines() {
            keys.push(EncryptionKey::from_hex(line)?);
        }
        let mut keys = keys.into_iter();
        Ok(Self {
            current: keys.next().ok_or(KeyFileError::Malformed)?,
            earlier: keys.collect(),
            file: Some(path.to_owned()),
        })
    }

    /// Reads the keys from a file, or makes one there with a new key that only the owner may read (mode 0600).
    ///
    /// # Errors
    /// [`KeyFileError`] when the file can neither be read nor created, or holds anything but keys.
    pub fn from_file_or_new(path: &Path) -> Result<Self, KeyFileError> {
        let keys = Self {
            file: Some(path.to_owned()),
            ..EncryptionKey::generate().into()
        };
        match keys.create_file(path) {
            Ok(()) => Ok(keys),
            Err(KeyFileError::Exists { .. }) => Self::from_file(path),
            Err(error) => Err(error),
        }
    }

    /// With one more key that secrets may have been sealed with.
    #[must_use]
    pub fn with_earlier(mut self, key: EncryptionKey) -> Self {
        self.earlier.push(key);
        self
    }

    /// With a new current key; the one of before becomes an earlier one.
    #[must_use]
    pub fn with_new(self) -> Self {
        let mut earlier = self.earlier;
        earlier.insert(0, self.current);
        Self {
            current: EncryptionKey::generate(),
            earlier,
            file: self.file,
        }
    }

    /// Only the current key.
    #[must_use]
    pub fn without_earlier(self) -> Self {
        Self {
            earlier: Vec::new(),
            ..self
        }
    }

    /// All keys, the current one first.
    pub(super) fn all(&self) -> impl Iterator<Item = &EncryptionKey> {
        std::iter::once(&self.current).chain(&self.earlier)
    }

    /// The earlier keys alone, the latest of them as the current one; `None` when there are none.
    pub fn earlier(&self) -> Option<Self> {
        let (latest, others) = self.earlier.split_first()?;
        Some(Self {
            current: latest.clone(),
            earlier: others.to_vec(),
            file: None,
        })
    }

    /// Whether these are the same keys in the same order.
    pub fn are(&self, other: &Self) -> bool {
        self.all()
            .map(EncryptionKey::bytes)
            .eq(other.all().map(EncryptionKey::bytes))
    }

    /// The file that they were read from.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Writes the keys to a new file that only the owner may read (mode 0600).
    ///
    /// # Errors
    /// [`KeyFileError`] when the file cannot be created, or exists.
    pub fn create_file(&self, path: &Path) -> Result<(), KeyFileError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| {
                for key in self.all() {
                    file.write_all(key.to_hex().as_bytes())?;
                    file.write_all(b"\n")?;
                }
                file.sync_all()
            })
            .map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => KeyFileError::Exists {
                    path: path.to_owned(),
                },
                _ => KeyFileError::writing(path, source),
            })
    }

    /// Writes the keys to a new file that the same users may read as `like`.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file cannot be created, or exists.
    pub fn create_file_like(&self, path: &Path, like: &Path) -> Result<(), KeyFileError> {
        self.create_file(path)?;
        let made = same_access(like, path).and_then(|()| sync_folder(path));
        if made.is_err() {
            // The error is the news, whatever becomes of the rest.
            let _ = fs::remove_file(path);
        }
        made.map_err(|source| KeyFileError::writing(path, source))
    }

    /// Replaces the keys in the file that they were read from; a reader finds either the old ones or the new ones.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file cannot be replaced.
    pub fn replace_file(&self) -> Result<(), KeyFileError> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let at_path = |source| KeyFileError::writing(path, source);
        // A link to the file stays one.
        let path = path.canonicalize().map_err(at_path)?;
        let mut new = path.clone().into_os_string();
        new.push(format!(".{}.new", std::process::id()));
        let new = PathBuf::from(new);
        self.create_file(&new)?;
        let replaced = same_access(&path, &new)
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| sync_folder(&path));
        if replaced.is_err() {
            // The error is the news, whatever becomes of the rest.
            let _ = fs::remove_file(&new);
        }
        replaced.map_err(at_path)
    }
}

/// The right to change the keys in a file, which one process has at a time. It ends with the process, however that ends.
#[derive(Debug)]
pub struct KeyFileLock {
    path: PathBuf,
    _file: fs::File,
}

impl KeyFileLock {
    /// Takes the lock, a file beside the key file with the suffix `.lock`.
    ///
    /// # Errors
    /// [`KeyFileError::Locked`] when another process has it.
    pub fn take(key_file: &Path) -> Result<Self, KeyFileError> {
        let key_file = key_file
            .canonicalize()
            .map_err(|source| KeyFileError::at(key_file, source))?;
        let mut path = key_file.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let at_path = |source| KeyFileError::writing(&path, source);
        loop {
            let mut lock = OpenOptions::new();
            lock.write(true).create(true).truncate(false).mode(0o600);
            let file = lock.open(&path).map_err(at_path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(KeyFileError::Locked { path: key_file });
                }
                Err(TryLockError::Error(source)) => return Err(at_path(source)),
            }
            // The process that had the lock may have removed the file after it was opened here.
            let locked = file.metadata().map_err(at_path)?;
            let is_there = path
                .metadata()
                .is_ok_and(|found| (found.dev(), found.ino()) == (locked.dev(), locked.ino()));
            if is_there {
                same_access(&key_file, &path).map_err(at_path)?;
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for KeyFileLock {
    fn drop(&mut self) {
        // One that stays does no harm: the lock is what counts, not the file.
        let _ = fs::remove_file(&self.path);
    }
}

/// A file is there after a loss of power only when its folder says so.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::File::open(folder)?.sync_all()
}

/// Lets the same users at `new` as at `old`: the server may be another user than the one who changes the key.
fn same_access(old: &Path, new: &Path) -> io::Result<()> {
    let (wanted, found) = (old.metadata()?, new.metadata()?);
    if (wanted.uid(), wanted.gid()) != (found.uid(), found.gid()) {
        std::os::unix::fs::chown(new, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    fs::set_permissions(new, wanted.permissions())
}

impl KeyFileError {
    fn at(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    fn writing(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_key_file_is_private_and_read_again_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truehook.db.key");
        let first = EncryptionKeys::from_file_or_new(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            EncryptionKeys::from_file_or_new(&path).unwrap().current.0,
            first.current.0
        );
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
