//! Why a document could not be loaded: one line that names the file, the place and what to do.

use std::error::Error;
use std::io;

use thiserror::Error as ThisError;

use super::Position;

/// A document could not be loaded.
#[derive(Debug, ThisError)]
pub enum LoadError {
    /// The file could not be opened or read.
    #[error("{name}: cannot be read: {source}; check the path and its permissions")]
    Read {
        /// The file as the user gave it.
        name: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The path names a directory.
    #[error("{name}: is a directory; name the document's file")]
    Directory {
        /// The path as the user gave it.
        name: String,
    },
    /// The document could not be fetched.
    #[error("{name}: cannot be fetched: {problem}; check the URL and that its server answers")]
    Fetch {
        /// The URL as the user gave it.
        name: String,
        /// The fault, for a reader.
        problem: String,
        /// The error of the HTTP client, if it was not the server's answer.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The text is larger than this version reads.
    #[error("{name}: is larger than {} MB, the largest document that is read; split it", limit / 1024 / 1024)]
    TooLarge {
        /// The file or URL as the user gave it.
        name: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The text is not a document that this version can use.
    #[error("{name}:{}:{}: {problem}; {remedy}", position.line, position.column)]
    Invalid {
        /// The file or URL as the user gave it.
        name: String,
        /// Where in the text.
        position: Position,
        /// The fault.
        problem: String,
        /// The remedy.
        remedy: String,
    },
}

/// A fault of a text, before it is known which file it came from.
#[derive(Debug)]
pub(super) struct Problem {
    position: Position,
    problem: String,
    remedy: String,
    /// Whether the text is not of the format that it was read as.
    pub(super) syntax: bool,
}

impl Problem {
    pub(super) fn new(
        position: Position,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        // The message is one line, whatever the text contains.
        let line = |text: String| text.replace(['\n', '\r'], " ");
        Self {
            position,
            problem: line(problem.into()),
            remedy: line(remedy.into()),
            syntax: false,
        }
    }

    /// As [`Self::new`], of a text that is not of the format that it was read as.
    pub(super) fn syntax(
        position: Position,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            syntax: true,
            ..Self::new(position, problem, remedy)
        }
    }

    pub(super) fn at(self, name: &str) -> LoadError {
        LoadError::Invalid {
            name: name.to_owned(),
            position: self.position,
            problem: self.problem,
            remedy: self.remedy,
        }
    }
}
