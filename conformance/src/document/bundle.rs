//! Putting a document together with the files that it refers to.
//!
//! Each file is read once and stands in the model below `x-bundled`, by number; references to it become local ones. So circles
//! between files are circles within one document. Relative references are relative to the file that they stand in.

use std::collections::VecDeque;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};
use url::Url;

use super::error::{LoadError, Problem};
use super::origin::{BUNDLED, File};
use super::{SIZE_LIMIT, parse_text, resource};
use crate::document::pointer;

/// How many files one document may refer to.
const FILE_LIMIT: usize = 200;

/// A document while its files are gathered.
pub(super) struct Bundle {
    /// What stands before the names of files, such as the revision that they are of.
    prefix: String,
    /// What each file is known by: its URL or its path.
    ids: Vec<String>,
    values: Vec<Value>,
    files: Vec<File>,
    /// References to other files that were not looked at yet.
    open: VecDeque<Wanted>,
    /// Bytes that may still be read.
    left: usize,
}

impl Bundle {
    /// Starts with the document itself, whose name begins with `prefix`.
    pub(super) fn new(prefix: &str, value: Value, file: File, size: usize) -> Self {
        let mut bundle = Self {
            prefix: prefix.to_owned(),
            ids: Vec::new(),
            values: Vec::new(),
            files: Vec::new(),
            open: VecDeque::new(),
            left: SIZE_LIMIT.saturating_sub(size),
        };
        let path = file.name.strip_prefix(prefix).unwrap_or(&file.name);
        bundle.push(identity(path), value, file);
        bundle
    }

    fn push(&mut self, id: String, mut value: Value, file: File) {
        let number = self.ids.len();
        resource::flatten(&mut value, &id);
        let open = &mut self.open;
        each_reference(&mut value, &mut String::new(), &mut |at, reference| {
            if !reference.starts_with('#') {
                let (at, reference) = (at.to_owned(), reference.clone());
                open.push_back(Wanted {
                    id: String::new(),
                    number,
                    at,
                    reference,
                });
            }
        });
        self.ids.push(id);
        self.values.push(value);
        self.files.push(file);
    }

    /// The next file to read.
    ///
    /// # Errors
    /// When a reference leads out of what may be read.
    pub(super) fn next(&mut self) -> Result<Option<Wanted>, LoadError> {
        while let Some(mut wanted) = self.open.pop_front() {
            match resolve(&self.ids[wanted.number], &wanted.reference) {
                Ok(id) if self.ids.contains(&id) => {}
                Ok(_) if self.ids.len() >= FILE_LIMIT => {
                    let problem = format!("the document refers to more than {FILE_LIMIT} files");
                    return Err(self.unreadable(&wanted, &problem));
                }
                Ok(id) => {
                    wanted.id = id;
                    return Ok(Some(wanted));
                }
                Err(problem) => return Err(self.unreadable(&wanted, &problem)),
            }
        }
        Ok(None)
    }

    /// Adds a file that was read.
    ///
    /// # Errors
    /// When it is not JSON or YAML, or all files together are too large.
    pub(super) fn add(&mut self, wanted: Wanted, bytes: Vec<u8>) -> Result<(), LoadError> {
        let name = format!("{}{}", self.prefix, wanted.id);
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return Err(LoadError::TooLarge {
                name,
                limit: SIZE_LIMIT,
            });
        };
        self.left = left;
        let text = super::utf8(&name, bytes)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let (value, spots) = parse_text(text).map_err(|problem| problem.at(&name))?;
        self.push(wanted.id, value, File { name, spots });
        Ok(())
    }

    /// Says that a file could not be read, at the reference that leads to it.
    pub(super) fn unreadable(&self, wanted: &Wanted, cause: &str) -> LoadError {
        let file = &self.files[wanted.number];
        Problem::new(
            file.spots.find(&wanted.at),
            format!(
                "the reference `{}` leads nowhere: {cause}",
                wanted.reference
            ),
            "correct the reference, or put the file where it leads",
        )
        .at(&file.name)
    }

    /// The model, and the files that it came from.
    pub(super) fn finish(mut self) -> (Value, Vec<File>) {
        let mut values = std::mem::take(&mut self.values);
        if values.len() > 1 {
            for (number, value) in values.iter_mut().enumerate() {
                each_reference(value, &mut String::new(), &mut |_, reference| {
                    if let Some(local) = self.local(reference, number) {
                        *reference = local;
                    }
                });
            }
        }
        let others: Map<String, Value> = values
            .drain(1..)
            .enumerate()
            .map(|(index, value)| ((index + 1).to_string(), value))
            .collect();
        let mut value = values.pop().unwrap_or_default();
        if let (Value::Object(root), false) = (&mut value, others.is_empty()) {
            root.insert(BUNDLED.to_owned(), Value::Object(others));
        }
        (value, self.files)
    }

    /// What a reference of the file `number` is in the model.
    fn local(&self, reference: &str, number: usize) -> Option<String> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let number = if file.is_empty() {
            number
        } else {
            let id = resolve(&self.ids[number], reference).ok()?;
            self.ids.iter().position(|known| *known == id)?
        };
        let pointer = fragment.is_empty() || fragment.starts_with('/');
        Some(match number {
            0 => format!("#{fragment}"),
            _ if pointer => format!("#/{BUNDLED}/{number}{fragment}"),
            _ => reference.to_owned(),
        })
    }
}

/// Visits all references below `value`, with their pointers.
fn each_reference(value: &mut Value, at: &mut String, visit: &mut dyn FnMut(&str, &mut String)) {
    let length = at.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                if item.is_object() || item.is_array() {
                    pointer::push(at, &index.to_string());
                    each_reference(item, at, visit);
                    at.truncate(length);
                }
            }
        }
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                match member {
                    Value::String(reference) if key == "$ref" => {
                        pointer::push(at, key);
                        visit(at, reference);
                    }
                    Value::Object(_) | Value::Array(_) if !is_data(at, key, member) => {
                        pointer::push(at, key);
                        each_reference(member, at, visit);
                    }
                    _ => {}
                }
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// A file that a reference leads to.
pub(super) struct Wanted {
    /// Its URL or path.
    pub(super) id: String,
    number: usize,
    at: String,
    reference: String,
}

/// Whether the member `key` of the node at `at` holds data, in which `$ref` is no reference.
pub(super) fn is_data(at: &str, key: &str, value: &Value) -> bool {
    holds_data(at.rsplit('/').next().unwrap_or_default(), key, value)
}

/// Whether the member called `name` is a map whose own members have names that anybody may choose.
pub(crate) fn has_free_names(name: &str) -> bool {
    matches!(
        name,
        "properties"
            | "patternProperties"
            | "dependentSchemas"
            | "$defs"
            | "definitions"
            | "responses"
            | "schemas"
            | "parameters"
            | "examples"
            | "headers"
            | "links"
            | "callbacks"
            | "paths"
            | "pathItems"
            | "requestBodies"
            | "securitySchemes"
            | "content"
            | "encoding"
            | "webhooks"
            | "variables"
    )
}

/// Whether the member `key` of an object that is itself called `name` holds data.
pub(crate) fn holds_data(name: &str, key: &str, value: &Value) -> bool {
    let data = match key {
        "example" | "value" | "default" | "enum" | "const" | "externalValue" => true,
        "examples" => value.is_array(),
        BUNDLED => false,
        _ => key.starts_with("x-"),
    };
    data && !has_free_names(name)
}

/// What a file is known by, so that two ways of writing its name are one.
fn identity(name: &str) -> String {
    if super::fetch::is_url(name) {
        return name.split('#').next().unwrap_or(name).to_owned();
    }
    plain(Path::new(name)).to_string_lossy().into_owned()
}

/// A path without `.` and, where something stands in front of it, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut all = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(all.components().next_back(), Some(Component::Normal(_))) =>
            {
                all.pop();
            }
            other => all.push(other),
        }
    }
    all
}

/// The file that `reference` leads to from the file `base`.
fn resolve(base: &str, reference: &str) -> Result<String, String> {
    let file = reference.split('#').next().unwrap_or(reference);
    if super::fetch::is_url(file) {
        return Ok(file.to_owned());
    }
    if super::fetch::is_url(base) {
        let url = Url::parse(base)
            .and_then(|base| base.join(file))
            .map_err(|error| error.to_string())?;
        return match url.scheme() {
            "http" | "https" => Ok(url.to_string()),
            other => Err(format!("`{other}` is no scheme that is read")),
        };
    }
    if let Some((scheme, _)) = file.split_once(':')
        && scheme.len() > 1
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return Err(format!("`{scheme}` is no scheme that is read"));
    }
    let folder = Path::new(base).parent().unwrap_or(Path::new(""));
    let file = file.replace("%20", " ");
    Ok(plain(&folder.join(file)).to_string_lossy().into_owned())
}
