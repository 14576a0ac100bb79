//! An OpenAPI document as a JSON value that remembers where each of its nodes stands in the text.
//!
//! Everything else in this crate reads documents through this module. It never judges what a document says beyond "this is
//! OpenAPI". OpenAPI 2.0 is written as 3.0 when it is read, and the files that a document refers to are put into it, so that all
//! references are local; positions stay those of the files.

mod bundle;
mod error;
mod extended;
pub mod fetch;
mod json;
pub mod normalize;
mod operation;
mod origin;
pub mod pointer;
mod position;
mod reference;
mod resource;
mod scalar;
mod select;
mod swagger;
mod yaml;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

pub use error::LoadError;
pub use operation::{Located, Operation};
pub use position::Position;
pub use select::Selection;

pub(crate) use bundle::{has_free_names, holds_data};
pub(crate) use operation::METHODS;
pub(crate) use origin::BUNDLED;

use bundle::Bundle;
use error::Problem;
use origin::{File as Source, Moves, Origin};
use position::Spots;

/// Why a URL is not followed where only files are read.
const NOT_FETCHED: &str = "it is a URL, and nothing is fetched here";

/// Largest text that is read, in bytes; real documents stay below 10 MB.
pub const SIZE_LIMIT: usize = 32 * 1024 * 1024;

/// Deepest nesting that is read; everything that walks a document may recurse this deep.
pub const DEPTH_LIMIT: usize = 200;

/// How many values a document may have; real documents have fewer than 200,000.
const NODE_LIMIT: usize = 2_000_000;

/// A parsed value and, node by node, where it stands.
type Parsed = (Value, Spots);

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
    origin: Origin,
    version: Version,
    written_in: &'static str,
    /// Once a reference asks for one.
    anchors: OnceLock<Anchors>,
}

/// Schemas by `$anchor` and `$dynamicAnchor`.
#[derive(Debug, Default)]
struct Anchors {
    /// The first of each name.
    first: HashMap<String, String>,
    /// Names of `$dynamicAnchor` that several schemas have.
    ambiguous: HashSet<String>,
}

impl Document {
    /// Reads and parses the file at `source`.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than [`SIZE_LIMIT`], or is refused by [`Document::parse`].
    pub fn load(source: &str) -> Result<Self, LoadError> {
        let mut bundle = Self::start("", source, read(source)?)?;
        while let Some(wanted) = bundle.next()? {
            if fetch::is_url(&wanted.id) {
                return Err(bundle.unreadable(&wanted, NOT_FETCHED));
            }
            match read(&wanted.id) {
                Ok(bytes) => bundle.add(wanted, bytes)?,
                Err(LoadError::Read { source, .. }) => {
                    return Err(bundle.unreadable(&wanted, &source.to_string()));
                }
                Err(other) => return Err(other),
            }
        }
        Self::finish(source, bundle)
    }

    /// Loads the file `path` with the files that it refers to, each of which `read` gives by its path, or none where there is none.
    /// Their names begin with `prefix`.
    ///
    /// # Errors
    /// When `read` fails, or the document is refused by [`Document::parse`].
    pub(crate) fn gather<E: From<LoadError>>(
        prefix: &str,
        path: &str,
        bytes: Vec<u8>,
        mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let mut bundle = Self::start(prefix, path, bytes)?;
        while let Some(wanted) = bundle.next()? {
            if fetch::is_url(&wanted.id) {
                return Err(bundle.unreadable(&wanted, NOT_FETCHED).into());
            }
            match read(&wanted.id)? {
                Some(bytes) => bundle.add(wanted, bytes)?,
                None => return Err(bundle.unreadable(&wanted, "there is no such file").into()),
            }
        }
        Ok(Self::finish(&format!("{prefix}{path}"), bundle)?)
    }

    /// Parses the first file of a document.
    fn start(prefix: &str, path: &str, bytes: Vec<u8>) -> Result<Bundle, LoadError> {
        let size = bytes.len();
        let name = format!("{prefix}{path}");
        let text = utf8(&name, bytes)?;
        let (value, spots) = root(&name, &text)?;
        Ok(Bundle::new(prefix, value, Source { name, spots }, size))
    }

    /// Makes one model of what was gathered.
    fn finish(name: &str, bundle: Bundle) -> Result<Self, LoadError> {
        let (value, files) = bundle.finish();
        Self::of(name, value, files)
    }

    fn of(name: &str, mut value: Value, files: Vec<Source>) -> Result<Self, LoadError> {
        let spots = &files[0].spots;
        let (version, written_in) =
            version_of(&value, spots).map_err(|problem| problem.at(name))?;
        let mut moves = Moves::default();
        if written_in == "2.0" {
            (value, moves) = swagger::fold(&value);
        } else if version == Version::V30 {
            extended::read(&mut value, &mut moves);
        }
        Ok(Self {
            name: name.to_owned(),
            value,
            origin: Origin { files, moves },
            version,
            written_in,
            anchors: OnceLock::new(),
        })
    }

    /// Parses bytes that were read or fetched.
    ///
    /// # Errors
    /// When the bytes are not UTF-8, or are refused by [`Document::parse`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, LoadError> {
        Self::parse(name, &utf8(name, bytes)?)
    }

    /// Parses YAML 1.2 or JSON text; JSON is what starts with `{`. References to other files stay as they are, and lead nowhere.
    ///
    /// # Errors
    /// When the text is too large, too deep, not JSON or YAML, repeats a key, or is not OpenAPI 2.0, 3.0, 3.1 or 3.2.
    pub fn parse(name: &str, text: &str) -> Result<Self, LoadError> {
        let (mut value, spots) = root(name, text)?;
        resource::flatten(&mut value, name);
        let file = Source {
            name: name.to_owned(),
            spots,
        };
        Self::of(name, value, vec![file])
    }

    /// The file or URL, as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole document.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The minor version of OpenAPI that the model is written in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The minor version of OpenAPI that the file is written in, such as `2.0`.
    pub fn written_in(&self) -> &'static str {
        self.written_in
    }

    /// Where the node at `pointer` stands: a member at its key, an array item at its first character, and a node that does not
    /// exist where its nearest ancestor stands.
    pub fn position(&self, pointer: &str) -> Position {
        self.origin.find(pointer).2
    }

    /// The file that the node at `pointer` stands in, and its pointer there.
    pub fn origin(&self, pointer: &str) -> (&str, String) {
        let (name, pointer, _) = self.origin.find(pointer);
        (name, pointer)
    }

    /// The schema that has this `$anchor` or `$dynamicAnchor`; the first one where there are several.
    fn anchored(&self, name: &str) -> Option<String> {
        self.anchors().first.get(name).cloned()
    }

    fn anchors(&self) -> &Anchors {
        fn gather(
            value: &Value,
            at: &mut String,
            all: &mut Anchors,
            dynamic: &mut HashSet<String>,
        ) {
            let length = at.len();
            match value {
                Value::Object(members) => {
                    for keyword in ["$anchor", "$dynamicAnchor"] {
                        let Some(Value::String(name)) = members.get(keyword) else {
                            continue;
                        };
                        all.first.entry(name.clone()).or_insert_with(|| at.clone());
                        if keyword == "$dynamicAnchor" && !dynamic.insert(name.clone()) {
                            all.ambiguous.insert(name.clone());
                        }
                    }
                    for (key, member) in members {
                        if !bundle::is_data(at, key, member) {
                            pointer::push(at, key);
                            gather(member, at, all, dynamic);
                            at.truncate(length);
                        }
                    }
                }
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        pointer::push(at, &index.to_string());
                        gather(item, at, all, dynamic);
                        at.truncate(length);
                    }
                }
                _ => {}
            }
        }
        self.anchors.get_or_init(|| {
            let mut all = Anchors::default();
            gather(
                &self.value,
                &mut String::new(),
                &mut all,
                &mut HashSet::new(),
            );
            all
        })
    }

    /// What a `$dynamicRef` stands for, if that does not depend on how one came there: where several schemas have the anchor, it
    /// does.
    pub(crate) fn dynamic_target(&self, reference: &str) -> Option<String> {
        let name = reference.strip_prefix('#').filter(|name| !name.is_empty());
        let anchor = name.filter(|name| !name.starts_with('/'));
        if anchor.is_some_and(|name| self.anchors().ambiguous.contains(name)) {
            return None;
        }
        self.target(reference)
    }

    /// The node at `pointer`, without following references.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        pointer::find(&self.value, pointer)
    }
}

/// Reads a file, up to the limit.
fn read(source: &str) -> Result<Vec<u8>, LoadError> {
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

/// Bytes as text.
fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, LoadError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        Problem::new(
            Position::after(&before),
            "the text is not UTF-8",
            "save the document as UTF-8 (JSON or YAML)",
        )
        .at(name)
    })
}

/// Parses the text of a document's first file, and asks whether it is OpenAPI.
fn root(name: &str, text: &str) -> Result<Parsed, LoadError> {
    if text.len() > SIZE_LIMIT {
        return Err(LoadError::TooLarge {
            name: name.to_owned(),
            limit: SIZE_LIMIT,
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (value, spots) = parse_text(text).map_err(|problem| problem.at(name))?;
    version_of(&value, &spots).map_err(|problem| problem.at(name))?;
    Ok((value, spots))
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

/// The version of the model, and of the file.
fn version_of(value: &Value, spots: &Spots) -> Result<(Version, &'static str), Problem> {
    const REMEDY: &str = "the root needs a member such as `openapi: 3.1.0`";
    const KNOWN: &str = "use a document of version 2.0, 3.0, 3.1 or 3.2";
    let Value::Object(root) = value else {
        return Err(Problem::new(
            Position::START,
            "this is not an OpenAPI document: the root is not an object",
            REMEDY,
        ));
    };
    let (key, found) = match (root.get("openapi"), root.get("swagger")) {
        (Some(found), _) => ("openapi", found),
        (None, Some(found)) => ("swagger", found),
        (None, None) => {
            return Err(Problem::new(
                Position::START,
                "this is not an OpenAPI document: the root has no member `openapi`",
                REMEDY,
            ));
        }
    };
    let place = || spots.find(&pointer::join("", key));
    let Value::String(text) = found else {
        return Err(Problem::new(
            place(),
            format!("`{key}` is {found}, which is not a string"),
            "write the version in quotes and as the specification does, such as \"3.1.0\" or \"2.0\"",
        ));
    };
    let minor = |prefix: &str| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match key {
        "swagger" if text == "2.0" => Ok((Version::V30, "2.0")),
        "openapi" if minor("3.0") => Ok((Version::V30, "3.0")),
        "openapi" if minor("3.1") => Ok((Version::V31, "3.1")),
        "openapi" if minor("3.2") => Ok((Version::V32, "3.2")),
        _ => Err(Problem::new(
            place(),
            format!("OpenAPI version {text:?} is not supported"),
            KNOWN,
        )),
    }
}
