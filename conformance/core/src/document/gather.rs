//! Reading a document with the files that it refers to, by whoever can read them: from a disk, a repository or the network.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::bundle::{Bundle, Wanted};
use super::{Document, LoadError, SIZE_LIMIT, text};

/// A document while the files that it refers to are read.
pub struct Gathering {
    name: String,
    bundle: Bundle,
    wanted: Option<Wanted>,
}

impl Gathering {
    /// Starts with the bytes of the file `path`. The names of all files begin with `prefix`.
    ///
    /// # Errors
    /// When these are not a document.
    pub fn new(prefix: &str, path: &str, bytes: Vec<u8>) -> Result<Self, LoadError> {
        let name = format!("{prefix}{path}");
        let text = text::decode(&name, bytes)?;
        Ok(Self {
            bundle: Bundle::new(prefix, &name, text)?,
            name,
            wanted: None,
        })
    }

    /// The path or URL of the next file to read, which [`Self::give`] takes.
    ///
    /// # Errors
    /// When a reference leads out of what may be read.
    pub fn wanted(&mut self) -> Result<Option<String>, LoadError> {
        self.wanted = self.bundle.next()?;
        Ok(self.wanted.as_ref().map(|wanted| wanted.id.clone()))
    }

    /// Takes the bytes of the file that was wanted, or why there are none.
    ///
    /// # Errors
    /// When the file is not JSON or YAML, all are too large together, or this one is needed and cannot be read.
    pub fn give(&mut self, found: Result<Vec<u8>, String>) -> Result<(), LoadError> {
        match (self.wanted.take(), found) {
            (None, _) => Ok(()),
            (Some(wanted), Ok(bytes)) => self.bundle.add(wanted, bytes),
            (Some(wanted), Err(cause)) => self.bundle.missing(wanted, &cause),
        }
    }

    /// The document of all that was read.
    ///
    /// # Errors
    /// When parts of it would have to be repeated too often.
    pub fn finish(self) -> Result<Document, LoadError> {
        Document::of(&self.name, self.bundle)
    }
}

/// Reads a file, up to the limit.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn read(source: &str) -> Result<Vec<u8>, LoadError> {
    let failed = |error| LoadError::Read {
        name: source.to_owned(),
        source: error,
    };
    if Path::new(source).is_dir() {
        return Err(LoadError::Directory {
            name: source.to_owned(),
        });
    }
    let file = File::open(source).map_err(failed)?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let size = usize::try_from(size).unwrap_or_default().min(SIZE_LIMIT);
    let mut bytes = Vec::with_capacity(size + 1);
    // A fifo or a device tells no size, so the limit is that of what is read.
    let limit = SIZE_LIMIT as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > SIZE_LIMIT {
        return Err(LoadError::TooLarge {
            name: source.to_owned(),
            limit: SIZE_LIMIT,
        });
    }
    Ok(bytes)
}

/// Tells a file that cannot be read, which may be meant otherwise, from one that must not be.
///
/// # Errors
/// When the file is too large.
pub fn unread(read: Result<Vec<u8>, LoadError>) -> Result<Result<Vec<u8>, String>, LoadError> {
    match read {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(LoadError::Read { source, .. }) => Ok(Err(source.to_string())),
        Err(LoadError::Fetch { problem, .. }) => Ok(Err(problem)),
        Err(LoadError::Directory { .. }) => Ok(Err("it is a directory".to_owned())),
        Err(other) => Err(other),
    }
}
