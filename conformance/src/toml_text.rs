//! Reading TOML files: bounded, and with the line and column of what is wrong in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::document::Position;

/// Largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 4 * 1024 * 1024;

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum TextError {
    /// It could not be opened or read.
    #[error("{name}: cannot be read: {source}; check the path and its permissions")]
    Read {
        /// The file.
        name: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// What it says is wrong.
    #[error("{name}:{}:{}: {problem}", position.line, position.column)]
    Invalid {
        /// The file.
        name: String,
        /// Where in it.
        position: Position,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// A text with the name of its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) name: &'t str,
    pub(crate) content: &'t str,
}

impl Text<'_> {
    pub(crate) fn position(&self, offset: usize) -> Position {
        Position::after(self.content.get(..offset).unwrap_or(self.content))
    }

    /// An error at a byte of the text.
    pub(crate) fn error(&self, offset: usize, problem: impl Into<String>) -> TextError {
        TextError::Invalid {
            name: self.name.to_owned(),
            position: self.position(offset),
            problem: problem.into().trim().replace(['\n', '\r'], "; "),
        }
    }

    /// Parses the text as TOML.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, TextError> {
        toml::from_str(self.content).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            self.error(offset, error.message())
        })
    }
}

/// The content of the file `name`.
pub(crate) fn read(name: &str) -> Result<String, TextError> {
    let failed = |source| TextError::Read {
        name: name.to_owned(),
        source,
    };
    let mut content = String::new();
    File::open(Path::new(name))
        .map_err(failed)?
        .take(SIZE_LIMIT + 1)
        .read_to_string(&mut content)
        .map_err(failed)?;
    if content.len() as u64 > SIZE_LIMIT {
        return Err(failed(io::Error::other("it is larger than 4 MB")));
    }
    Ok(content)
}
