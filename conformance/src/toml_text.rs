//! Reading TOML files, up to a size limit and with the line and column of each error; and writing strings of TOML.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use crate::document::Position;
use crate::near;

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
        /// The error of the operating system.
        source: io::Error,
    },
    /// The content of the file is invalid.
    #[error("{name}:{}:{}: {problem}", position.line, position.column)]
    Invalid {
        /// The file.
        name: String,
        /// Where in it.
        position: Position,
        /// The fault and the remedy.
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
    pub(crate) fn parse<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, TextError> {
        toml::from_str(self.content).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let unknown = DeTable::parse(self.content)
                .ok()
                .and_then(|table| unknown_key(table.get_ref(), &schema::<T>()))
                .filter(|(at, _)| *at == offset);
            match unknown {
                Some((_, problem)) => self.error(offset, problem),
                None => self.error(offset, error.message()),
            }
        })
    }
}

/// The JSON Schema of what is read as `T`. Draft 7, because few editors know a newer one for TOML.
pub(crate) fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    without_null(&mut schema);
    schema.to_value()
}

/// Takes null away: TOML has none, an optional key is left out.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    schemars::transform::transform_subschemas(&mut without_null, schema);
}

/// The first key of a table that its schema does not know, by its offset in the text, and what to say about it.
fn unknown_key(table: &DeTable<'_>, schema: &Value) -> Option<(usize, String)> {
    let known = schema.get("properties")?.as_object()?;
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref().as_ref();
        let Some(schema) = known.get(name) else {
            let hint = near::hint(name, known.keys().map(String::as_str));
            return Some((key.span().start, format!("unknown key `{name}`{hint}")));
        };
        match value.get_ref() {
            DeValue::Table(table) => unknown_key(table, schema),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(table) => unknown_key(table, schema.get("items")?),
                _ => None,
            }),
            _ => None,
        }
    })
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
        return Err(failed(io::Error::other("larger than 4 MB")));
    }
    Ok(content)
}

/// Writes a string of TOML, with all characters escaped that are not printable.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control()
                || matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
