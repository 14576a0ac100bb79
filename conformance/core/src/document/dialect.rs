//! Versions of OpenAPI, and what is done to a document so that its model is of one dialect.
//!
//! The steps: members of 3.1 that authors of 3.0 write as extensions ([`extended`]), 2.0 as 3.0 ([`swagger`]), members beside
//! references ([`siblings`]), schemas of 3.0 as JSON Schema 2020-12 ([`fold`](mod@super::fold)).

use serde_json::Value;

use super::bundle::Bundled;
use super::error::{LoadError, Problem};
use super::origin::{BUNDLED, File, Moves};
use super::position::Position;
use super::{extended, fold, siblings, swagger};

/// The minor version of OpenAPI that a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// OpenAPI 3.0, whose schemas are JSON Schema 2020-12 in the model.
    V30,
    /// OpenAPI 3.1: JSON Schema 2020-12.
    V31,
    /// OpenAPI 3.2: JSON Schema 2020-12.
    V32,
}

/// The versions of the model and of the file, such as [`Version::V30`] and `2.0`.
pub(super) type Written = (Version, &'static str);

/// Asks whether the first file is OpenAPI, and gives extensions that are read the names that they stand for.
///
/// # Errors
/// When it is not a version that is read.
pub(super) fn begin(value: &mut Value, file: &File, moves: &mut Moves) -> Result<(), LoadError> {
    let written = version_of(value, |at| file.position(at));
    let (version, name) = written.map_err(|problem| problem.at(&file.name))?;
    if version == Version::V30 && name != "2.0" {
        extended::read(value, moves);
    }
    Ok(())
}

/// A model of one dialect, with the steps that lead to it.
pub(super) struct Folded {
    pub(super) value: Value,
    pub(super) steps: Vec<Moves>,
    pub(super) version: Version,
    pub(super) written_in: &'static str,
}

/// Makes a model of one dialect of what was gathered.
///
/// # Errors
/// When parts would have to be repeated too often.
pub(super) fn fold(name: &str, bundled: Bundled) -> Result<(Folded, Vec<File>), LoadError> {
    let Bundled {
        mut value,
        files,
        moves,
        ..
    } = bundled;
    let failed = |problem: Problem| problem.at(name);
    let (version, written_in) = version_of(&value, |_| Position::START).map_err(failed)?;
    let mut steps = vec![moves];
    // A file that says its version is of that one, and a part of a document is of the document's.
    let mut old = vec![version == Version::V30];
    for number in 1..files.len() {
        let other = value
            .get(BUNDLED)
            .and_then(|all| all.get(number.to_string()));
        let version = other.and_then(|one| version_of(one, |_| Position::START).ok());
        old.push(version.map_or(old[0], |(version, _)| version == Version::V30));
    }
    if written_in == "2.0" {
        let (new, moves) = swagger::fold(&value).map_err(failed)?;
        value = new;
        steps.push(moves);
    }
    steps.push(siblings::merge(&mut value, version).map_err(failed)?);
    if old.contains(&true) {
        steps.push(fold::fold(&mut value, &old));
    }
    steps.retain(|moves| !moves.is_empty());
    let folded = Folded {
        value,
        steps,
        version,
        written_in,
    };
    Ok((folded, files))
}

/// The version of the model, and of the file; `place` is the position of a node.
fn version_of(value: &Value, place: impl Fn(&str) -> Position) -> Result<Written, Problem> {
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
    let place = || place(&format!("/{key}"));
    let text = match found {
        Value::String(text) => text.clone(),
        // Without quotes, `2.0` is a number.
        Value::Number(number) => number.to_string(),
        other => {
            return Err(Problem::new(
                place(),
                format!("`{key}` is {other}, which is not a version"),
                "write the version as the specification does, such as \"3.1.0\" or \"2.0\"",
            ));
        }
    };
    let minor = |prefix: &str| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match key {
        "swagger" if text == "2.0" || (text == "2" && found.is_number()) => {
            Ok((Version::V30, "2.0"))
        }
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
