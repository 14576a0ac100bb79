//! An OpenAPI document as a JSON value that remembers where each of its nodes stands in the text.
//!
//! Everything else in this crate reads documents through this module. It never judges what a document says beyond "this is
//! OpenAPI 3.x"; it follows local references only (`#/...`), a reference to another file stays unresolved.

mod error;
pub mod fetch;
mod json;
pub mod normalize;
mod operation;
pub mod pointer;
mod position;
mod reference;
mod scalar;
mod select;
mod yaml;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

pub use error::LoadError;
pub use operation::{Located, Operation};
pub use position::Position;
pub use select::Selection;

use error::Problem;
use position::Spot;

/// Largest text that is read, in bytes; real documents stay below 10 MB.
pub const SIZE_LIMIT: usize = 32 * 1024 * 1024;

/// Deepest nesting that is read; everything that walks a document may recurse this deep.
pub const DEPTH_LIMIT: usize = 200;

/// How many values a document may have; real documents have fewer than 200,000.
const NODE_LIMIT: usize = 2_000_000;

/// A parsed value and, node by node, where it stands.
type Parsed = (Value, Spot);

/// The minor version of OpenAPI that a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// OpenAPI 3.0: its own schema dialect, see [`normalize`].
    V30,
    /// OpenAPI 3.1: JSON Schema 2020-12.
    V31,
    /// OpenAPI 3.2: JSON Schema 2020-12.
    V32,
}

/// An OpenAPI document with the position of each of its nodes.
#[derive(Debug)]
pub struct Document {
    name: String,
    value: Value,
    spots: Spot,
    version: Version,
}

impl Document {
    /// Reads and parses the file at `source`.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than [`SIZE_LIMIT`], or is refused by [`Document::parse`].
    pub fn load(source: &str) -> Result<Self, LoadError> {
        let failed = |source_error| LoadError::Read {
            name: source.to_owned(),
            source: source_error,
        };
        if Path::new(source).is_dir() {
            return Err(LoadError::Directory {
                name: source.to_owned(),
            });
        }
        let mut bytes = Vec::new();
        // A fifo or a device tells no size, so the limit is that of what is read.
        let limit = SIZE_LIMIT as u64 + 1;
        File::open(source)
            .map_err(failed)?
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() > SIZE_LIMIT {
            return Err(LoadError::TooLarge {
                name: source.to_owned(),
                limit: SIZE_LIMIT,
            });
        }
        Self::from_bytes(source, bytes)
    }

    /// Parses bytes that were read or fetched.
    ///
    /// # Errors
    /// When the bytes are not UTF-8, or are refused by [`Document::parse`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, LoadError> {
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
            Problem::new(
                Position::after(&before),
                "the text is not UTF-8",
                "save the document as UTF-8 (JSON or YAML)",
            )
            .at(name)
        })?;
        Self::parse(name, &text)
    }

    /// Parses YAML 1.2 or JSON text; JSON is what starts with `{`.
    ///
    /// # Errors
    /// When the text is too large, too deep, not JSON or YAML, repeats a key, or is not OpenAPI 3.0, 3.1 or 3.2.
    pub fn parse(name: &str, text: &str) -> Result<Self, LoadError> {
        if text.len() > SIZE_LIMIT {
            return Err(LoadError::TooLarge {
                name: name.to_owned(),
                limit: SIZE_LIMIT,
            });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (value, spots) = parse_text(text).map_err(|problem| problem.at(name))?;
        let version = version_of(&value, &spots).map_err(|problem| problem.at(name))?;
        Ok(Self {
            name: name.to_owned(),
            value,
            spots,
            version,
        })
    }

    /// The file or URL, as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole document.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The minor version of OpenAPI.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where the node at `pointer` stands: a member at its key, an array item at its first character, and a node that does not
    /// exist where its nearest ancestor stands.
    pub fn position(&self, pointer: &str) -> Position {
        self.spots.find(pointer)
    }

    /// The node at `pointer`, without following references.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        pointer::find(&self.value, pointer)
    }
}

/// Parses text as JSON or YAML, without asking whether it is OpenAPI.
fn parse_text(text: &str) -> Result<Parsed, Problem> {
    if let Some(index) = text.find('\0') {
        return Err(Problem::new(
            Position::after(&text[..index]),
            "the text contains a NUL byte",
            "save the document as plain UTF-8 text (JSON or YAML)",
        ));
    }
    match text.trim_start().chars().next() {
        None => Err(Problem::new(
            Position::START,
            "the document is empty",
            "write an OpenAPI 3.x document (JSON or YAML)",
        )),
        Some('{') => json::parse(text),
        Some(_) => yaml::parse(text),
    }
}

fn version_of(value: &Value, spots: &Spot) -> Result<Version, Problem> {
    const REMEDY: &str = "the root needs a member such as `openapi: 3.1.0`";
    let Value::Object(root) = value else {
        return Err(Problem::new(
            Position::START,
            "this is not an OpenAPI document: the root is not an object",
            REMEDY,
        ));
    };
    if root.contains_key("swagger") {
        return Err(Problem::new(
            spots.find("/swagger"),
            "OpenAPI 2.0 (`swagger`) is not supported by this version",
            "convert the document to OpenAPI 3.0 or later",
        ));
    }
    let Some(version) = root.get("openapi") else {
        return Err(Problem::new(
            Position::START,
            "this is not an OpenAPI document: the root has no member `openapi`",
            REMEDY,
        ));
    };
    let Value::String(text) = version else {
        return Err(Problem::new(
            spots.find("/openapi"),
            format!("`openapi` is {version}, which is not a string"),
            "write the version with its patch number and in quotes, such as \"3.1.0\"",
        ));
    };
    let minor = |prefix: &str| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match () {
        () if minor("3.0") => Ok(Version::V30),
        () if minor("3.1") => Ok(Version::V31),
        () if minor("3.2") => Ok(Version::V32),
        () => Err(Problem::new(
            spots.find("/openapi"),
            format!("OpenAPI version {text:?} is not supported"),
            "use a document of version 3.0, 3.1 or 3.2",
        )),
    }
}
