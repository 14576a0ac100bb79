//! The settings of a TOML file. Each key is read alone, so that a fault names it and its line, also when the value is of the right type
//! and makes no sense.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::{ConfigError, Settings, known_keys};
use crate::near::nearest;

/// What serde calls the kinds of numbers, and what people do.
const NUMBERS: [(&str, &str); 4] = [
    ("expected usize", "expected a whole number from 0"),
    ("expected u64", "expected a whole number from 0"),
    ("expected u32", "expected a whole number from 0"),
    ("expected f64", "expected a number"),
];

/// The settings that come from the file: where it is, and the lines of their keys, from 1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    path: PathBuf,
    lines: Vec<(String, usize)>,
}

impl Origin {
    /// Adds to a fault the line of the key that it names first, if that one comes from the file.
    pub(super) fn locate(&self, error: ConfigError) -> ConfigError {
        let message = error.to_string();
        let known = known_keys().into_iter();
        let named = known.filter_map(|key| Some((position(&message, &format!("--{key}"))?, key)));
        let first = named.min().map(|(_, key)| key);
        match self
            .lines
            .iter()
            .find(|(key, _)| Some(key) == first.as_ref())
        {
            Some((_, line)) => ConfigError::Located {
                path: self.path.clone(),
                line: *line,
                source: Box::new(error),
            },
            None => error,
        }
    }
}

/// Where `name` stands in `message`, and is not the beginning of a longer name.
fn position(message: &str, name: &str) -> Option<usize> {
    let is_of_name =
        |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let ends = |at: &usize| !message[at + name.len()..].starts_with(is_of_name);
    message.match_indices(name).map(|(at, _)| at).find(ends)
}

/// Fills in what `given`, the settings of flags and environment, lack, from the text of the file at `path`.
///
/// # Errors
/// [`ConfigError::Malformed`] when it is not TOML, has a key that is not a setting, or a value of the wrong type.
pub(super) fn fill(given: Settings, path: &Path, text: &str) -> Result<Settings, ConfigError> {
    let line = |at: usize| {
        let before = &text.as_bytes()[..at.min(text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    };
    let malformed = |at: usize, reason: String| ConfigError::Malformed {
        path: path.to_owned(),
        line: line(at),
        reason,
    };
    let table: BTreeMap<Spanned<String>, Spanned<toml::Value>> =
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            malformed(at, error.message().replace('\n', ", "))
        })?;
    let known = known_keys();
    let mut settings = given;
    let mut lines = Vec::new();
    for (key, value) in table {
        let at = key.span().start;
        let key = key.into_inner();
        if !known.contains(&key) {
            let hint = match nearest(&key, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the settings are {}", known.join(", ")),
            };
            return Err(malformed(at, format!("`{key}` is not a setting; {hint}")));
        }
        let one = toml::Table::from_iter([(key.clone(), value.into_inner())]);
        let one: Settings = one
            .try_into()
            .map_err(|error: toml::de::Error| malformed(at, of_key(&key, error.message())))?;
        let before = format!("{settings:?}");
        settings = settings.or(one);
        if format!("{settings:?}") != before {
            lines.push((key, line(at)));
        }
    }
    settings.origin = Origin {
        path: path.to_owned(),
        lines,
    };
    Ok(settings)
}

/// A fault of the value of `key`, which it names, in words for people.
fn of_key(key: &str, message: &str) -> String {
    let message = NUMBERS
        .iter()
        .fold(message.trim_end().to_owned(), |text, (serde, people)| {
            text.replace(serde, people)
        });
    let name = format!("`{key}`");
    if message.contains(&name) {
        message
    } else {
        format!("{name}: {message}")
    }
}
