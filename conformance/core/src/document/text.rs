//! Bytes as text, and text as JSON or YAML.

use super::error::{LoadError, Problem};
use super::position::Position;
use super::{Parsed, json, yaml};

/// Bytes as text, without a byte order mark.
pub(super) fn decode(name: &str, bytes: Vec<u8>) -> Result<String, LoadError> {
    if is_utf16(&bytes) {
        let problem = "the text is UTF-16, and a document is UTF-8";
        let remedy = "save the document as UTF-8 (JSON or YAML)";
        return Err(Problem::new(Position::START, problem, remedy).at(name));
    }
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
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Whether bytes begin with the byte order mark of UTF-16, or with ASCII in that encoding.
fn is_utf16(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xfe, ..]
            | [0xfe, 0xff, ..]
            | [0, 1..=0xff, 0, 1..=0xff, ..]
            | [1..=0xff, 0, 1..=0xff, 0, ..]
    )
}

/// Parses the text of the file `name` as JSON or YAML, without asking whether it is OpenAPI.
///
/// A text that begins with `{` may be either: YAML in flow style is tried where JSON is refused. `copied` counts what aliases added
/// to the files before.
pub(super) fn parse(name: &str, text: &str, copied: &mut usize) -> Result<Parsed, Problem> {
    if let Some(index) = memchr::memchr(0, text.as_bytes()) {
        return Err(Problem::new(
            Position::after(&text[..index]),
            "the text contains a NUL byte",
            "save the document as plain UTF-8 text (JSON or YAML)",
        ));
    }
    let start = text.trim_start();
    if start.starts_with("//") || start.starts_with("/*") {
        return Err(Problem::new(
            Position::after(&text[..text.len() - start.len()]),
            "this begins with a comment of JavaScript, which neither JSON nor YAML has",
            "remove the comments (YAML has `#`)",
        ));
    }
    match start.chars().next() {
        None => Err(Problem::new(
            Position::START,
            "the document is empty",
            "write an OpenAPI 3.x document (JSON or YAML)",
        )),
        Some('{') => json::parse(text).or_else(|problem| {
            if !problem.syntax || name.ends_with(".json") {
                return Err(problem);
            }
            let quoted = start[1..].trim_start().starts_with(['"', '}']);
            yaml::parse(text, copied).map_err(|other| {
                // Text that begins as JSON is most likely meant as JSON.
                if other.syntax && quoted {
                    problem
                } else {
                    other
                }
            })
        }),
        Some(_) => yaml::parse(text, copied),
    }
}
