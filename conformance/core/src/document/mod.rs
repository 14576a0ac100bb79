//! An OpenAPI document as a JSON value that remembers where each of its nodes stands in the text.
//!
//! Everything else in this crate reads documents through this module. It never judges what a document says beyond "this is
//! OpenAPI". The files that a document refers to become part of it, so that all references are local, and everything is written as
//! OpenAPI 3.1: documents of 2.0 and 3.0 with their schemas. Positions and pointers of findings stay those of the files.

mod anchor;
mod bundle;
mod component;
mod dialect;
mod error;
mod extended;
mod fold;
mod gather;
mod json;
pub mod keyword;
mod literal;
pub mod media;
mod merge_key;
mod number;
mod object;
mod operation;
mod origin;
pub mod pointer;
mod position;
mod reference;
mod resource;
mod scalar;
mod select;
mod siblings;
mod swagger;
mod text;
mod walk;
mod yaml;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use dialect::Version;
pub use error::LoadError;
pub use literal::Literal;
pub use merge_key::MergeKey;
pub use number::Decimal;
pub use operation::{Located, Operation};
pub use position::Position;
pub use select::Selection;

pub use gather::{Gathering, read, unread};
pub use keyword::{has_free_names, holds_data};
pub use operation::METHODS;
pub use origin::BUNDLED;

use anchor::Anchors;
use bundle::Bundle;
use dialect::Folded;
use origin::Origin;
use position::Spots;

/// Why a URL is not followed where only files are read.
const NOT_FETCHED: &str = "it is a URL, and nothing is fetched here";

/// Largest text that is read, in bytes, all files of a document together; real documents stay below 14 MB.
pub const SIZE_LIMIT: usize = 32 * 1024 * 1024;

/// Deepest nesting that is read; everything that walks a document may recurse this deep.
pub const DEPTH_LIMIT: usize = 200;

/// How many values a document may have; the largest real ones have 300,000.
const NODE_LIMIT: usize = 2_000_000;

/// How many values may be repeated where members beside a reference, or OpenAPI 2.0, leave no other way.
const REPEAT_LIMIT: usize = 500_000;

/// A parsed value, and what is known of its nodes, which are numbered in the order of the text.
#[derive(Debug, Default)]
struct Parsed {
    value: Value,
    spots: Spots,
    /// Numbers that the value does not hold exactly, by node.
    exact: Vec<(usize, Decimal)>,
    /// Mappings with a merge key that their document does not allow, by node, and the byte of the key.
    merged: Vec<(usize, u32)>,
}

/// Reads a file as text.
///
/// # Errors
/// When it cannot be read, is too large, or is not UTF-8.
pub fn plain_text(name: &str) -> Result<String, LoadError> {
    text::decode(name, read(name)?)
}

/// Reads YAML or JSON that is not OpenAPI.
///
/// # Errors
/// When the text is neither, too large, too deep, or repeats a key.
pub fn plain_value(name: &str, text: &str) -> Result<Value, LoadError> {
    if text.len() > SIZE_LIMIT {
        return Err(LoadError::TooLarge {
            name: name.to_owned(),
            limit: SIZE_LIMIT,
        });
    }
    let parsed = text::parse(name, text, &mut 0).map_err(|problem| problem.at(name))?;
    Ok(parsed.value)
}

/// An OpenAPI document with the position of each of its nodes. A clone shares all of it, so that another thread can read it.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    value: Arc<Value>,
    origin: Arc<Origin>,
    /// The numbers that the value does not hold exactly, by their pointers.
    exact: Arc<BTreeMap<String, Decimal>>,
    version: Version,
    written_in: &'static str,
    /// References as the files spell them, by what they are in the model.
    spelled: Arc<HashMap<String, String>>,
    /// Once a reference asks for one.
    anchors: Arc<OnceLock<Anchors>>,
}

/// Whether `source` is a URL to fetch and not a file.
pub fn is_url(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}

impl Document {
    /// Reads and parses the file at `source`, with the files that it refers to.
    ///
    /// # Errors
    /// When a file cannot be read, they are larger than [`SIZE_LIMIT`], or are refused by [`Document::parse`].
    pub fn load(source: &str) -> Result<Self, LoadError> {
        let mut gathering = Gathering::new("", source, read(source)?)?;
        while let Some(path) = gathering.wanted()? {
            let found = if is_url(&path) {
                Err(NOT_FETCHED.to_owned())
            } else {
                unread(read(&path))?
            };
            gathering.give(found)?;
        }
        gathering.finish()
    }

    /// Loads the file `path` with the files that it refers to, each of which `read` gives by its path, or none where there is none.
    /// Their names begin with `prefix`.
    ///
    /// # Errors
    /// When `read` fails, or the document is refused by [`Document::parse`].
    pub fn gather<E: From<LoadError>>(
        prefix: &str,
        path: &str,
        bytes: Vec<u8>,
        mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let mut gathering = Gathering::new(prefix, path, bytes)?;
        while let Some(path) = gathering.wanted()? {
            let found = if is_url(&path) {
                Err(NOT_FETCHED.to_owned())
            } else {
                read(&path)?.ok_or_else(|| "there is no such file".to_owned())
            };
            gathering.give(found)?;
        }
        Ok(gathering.finish()?)
    }

    fn of(name: &str, bundle: Bundle) -> Result<Self, LoadError> {
        let mut bundled = bundle.finish();
        let spelled = std::mem::take(&mut bundled.spelled);
        let (folded, files) = dialect::fold(name, bundled)?;
        let Folded {
            value,
            steps,
            version,
            written_in,
        } = folded;
        let origin = Origin { files, steps };
        Ok(Self {
            name: name.to_owned(),
            exact: Arc::new(origin.exact(&value)),
            value: Arc::new(value),
            origin: Arc::new(origin),
            version,
            written_in,
            spelled: Arc::new(spelled),
            anchors: Arc::default(),
        })
    }

    /// Parses bytes that were read or fetched.
    ///
    /// # Errors
    /// When the bytes are not UTF-8, or are refused by [`Document::parse`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, LoadError> {
        Self::of(name, Bundle::new("", name, text::decode(name, bytes)?)?)
    }

    /// Parses YAML 1.2 or JSON text. References to other files stay as they are, and lead nowhere.
    ///
    /// # Errors
    /// When the text is too large, too deep, not JSON or YAML, repeats a key, or is not OpenAPI 2.0, 3.0, 3.1 or 3.2.
    pub fn parse(name: &str, text: &str) -> Result<Self, LoadError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        Self::of(name, Bundle::new("", name, text)?)
    }

    /// The file or URL, as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole document.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The minor version of OpenAPI that the document is written in; 3.0 for 2.0.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The minor version of OpenAPI that the file is written in, such as `2.0`.
    pub fn written_in(&self) -> &'static str {
        self.written_in
    }

    /// Where the node at `pointer` is: a member at its key, an array item at its first character, and a node that does not exist
    /// where its nearest ancestor is.
    pub fn position(&self, pointer: &str) -> Position {
        self.origin.find(pointer).2
    }

    /// What [`Self::origin`] and [`Self::position`] say of a node, at once.
    pub(crate) fn whereabouts(&self, pointer: &str) -> (&str, String, Position) {
        self.origin.find(pointer)
    }

    /// The file that the node at `pointer` is in, and its pointer there; that of its nearest ancestor, where the file has no such
    /// node. The last token of a keyword's pointer is how the file spells it: a null may be at `nullable`, and an
    /// `exclusiveMinimum` at `minimum`.
    pub fn origin(&self, pointer: &str) -> (&str, String) {
        let (name, pointer, _) = self.origin.find(pointer);
        (name, pointer)
    }

    /// The value at `pointer` with all digits of its numbers.
    pub fn literal(&self, pointer: &str) -> Option<Literal> {
        Some(Literal::new(self.at(pointer)?.clone(), self.exact(pointer)))
    }

    /// How the file spells the number `value` that the model has at `pointer`; none where the file does not have it there.
    pub(crate) fn spelled_number(&self, pointer: &str, value: &Decimal) -> Option<&str> {
        let text = self.origin.text(pointer)?;
        let number = |text: &'_ str| -> usize {
            let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            text.bytes().take_while(|byte| is_part(byte)).count()
        };
        let is_it = |text: &str| Decimal::parse(text).is_some_and(|known| known == *value);
        let item = &text[..number(text)];
        if is_it(item) {
            return Some(item);
        }
        // A member stands at its key.
        let after = match text.chars().next()? {
            quote @ ('"' | '\'') => text[1..].split_once(quote)?.1,
            _ => text,
        };
        let (key, rest) = after.split_once(':')?;
        let rest = rest.trim_start();
        let member = &rest[..number(rest)];
        (!key.contains('\n') && is_it(member)).then_some(member)
    }

    /// Whether the model holds all numbers of the document exactly.
    pub(crate) fn holds_all(&self) -> bool {
        self.exact.is_empty()
    }

    /// The numbers at and below `pointer` that the model does not hold exactly, by their pointers below it: integers beyond 64 bits,
    /// and fractions with more digits than a 64-bit float keeps. All other numbers are what [`Decimal::of`] says.
    pub(crate) fn exact(&self, pointer: &str) -> Vec<(String, Decimal)> {
        if self.exact.is_empty() {
            return Vec::new();
        }
        let known = self.exact.range(pointer.to_owned()..);
        known
            .take_while(|(at, _)| at.starts_with(pointer))
            .map(|(at, exact)| (&at[pointer.len()..], exact))
            .filter(|(inside, _)| inside.is_empty() || inside.starts_with('/'))
            .map(|(inside, exact)| (inside.to_owned(), exact.clone()))
            .collect()
    }

    /// The schema that has this `$anchor` or `$dynamicAnchor`; the first one where there are several.
    fn anchored(&self, name: &str) -> Option<String> {
        self.anchors().first.get(name).cloned()
    }

    fn anchors(&self) -> &Anchors {
        self.anchors.get_or_init(|| Anchors::of(&self.value))
    }

    /// Returns the target of a `$dynamicRef`, unless it depends on how the reference was reached: where several schemas have the anchor, it
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
