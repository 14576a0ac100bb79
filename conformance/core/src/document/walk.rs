//! Visiting the references of a document, wherever they stand.

use serde_json::{Map, Value};

use super::keyword::{has_free_names, is_data};
use super::pointer;

/// Where a node is, as a list from the node to the root: its pointer is only written where somebody asks for it.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    /// A node whose pointer is known.
    At(&'p str),
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    pub(super) fn pointer(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Root => {}
            Self::At(at) => text.push_str(at),
            Self::Key(parent, key) => {
                parent.write(text);
                pointer::push(text, key);
            }
            Self::Index(parent, index) => {
                parent.write(text);
                pointer::push(text, &index.to_string());
            }
        }
    }
}

/// A value that refers to another node.
pub(super) enum Reference<'v> {
    /// The value of a `$ref`, which should be a string.
    Ref(&'v mut Value),
    /// A value of a discriminator's mapping: a reference, or the name of a component.
    Mapping(&'v mut String),
}

/// Visits the references below `value`. Recurses as deep as the document, which is limited.
///
/// # Errors
/// The first of `visit`.
pub(super) fn each_reference<E>(
    value: &mut Value,
    visit: &mut impl FnMut(Path<'_>, Reference<'_>) -> Result<(), E>,
) -> Result<(), E> {
    below(value, &Path::Root, false, visit)
}

fn below<E>(
    value: &mut Value,
    at: &Path<'_>,
    named: bool,
    visit: &mut impl FnMut(Path<'_>, Reference<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                if item.is_object() || item.is_array() {
                    below(item, &Path::Index(at, index), false, visit)?;
                }
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let here = Path::Key(at, key);
                match member {
                    // A member of a map may be called `$ref`; a string there refers all the same.
                    _ if key == "$ref" && (!named || member.is_string()) => {
                        visit(here, Reference::Ref(member))?;
                    }
                    Value::Object(_) | Value::Array(_) => {
                        if !named && key == "discriminator" {
                            mapping(member, &here, visit)?;
                        } else if named || !is_data(key, member) {
                            let named = !named && has_free_names(key);
                            below(member, &here, named, visit)?;
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn mapping<E>(
    discriminator: &mut Value,
    at: &Path<'_>,
    visit: &mut impl FnMut(Path<'_>, Reference<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mapping = discriminator.get_mut("mapping");
    let Some(Value::Object(mapping)) = mapping else {
        return Ok(());
    };
    let at = Path::Key(at, "mapping");
    for (name, value) in mapping {
        if let Value::String(text) = value {
            visit(Path::Key(&at, name), Reference::Mapping(text))?;
        }
    }
    Ok(())
}

/// The `$ref` of an object.
pub(super) fn reference(members: &Map<String, Value>) -> Option<&str> {
    pointer::member(members, "$ref")?.as_str()
}

/// Whether a value of a discriminator's mapping is a reference, and not the name of a component.
pub(super) fn is_reference(text: &str) -> bool {
    let file = [".yaml", ".yml", ".json"];
    text.contains(['#', '/']) || file.iter().any(|ending| text.ends_with(ending))
}

/// Whether the references of a text may have to be rewritten: not in JSON in which the values of `$ref` and `mapping` begin with `#`,
/// and are spelled as URIs.
pub(super) fn may_change(text: &str) -> bool {
    let bytes = text.as_bytes();
    // A key may also be written with escapes.
    if !text.trim_start().starts_with('{') || memchr::memmem::find(bytes, b"\\u00").is_some() {
        return true;
    }
    let names_file = |at: usize| {
        let map = text[at..].split('}').next().unwrap_or_default();
        map.split('"')
            .any(|one| is_reference(one) && !one.starts_with('#'))
    };
    if memchr::memmem::find_iter(bytes, b"\"mapping\"").any(names_file) {
        return true;
    }
    memchr::memmem::find_iter(bytes, b"$ref").any(|at| {
        let rest = text[at + "$ref".len()..].strip_prefix('"');
        let rest = rest.and_then(|rest| rest.trim_start().strip_prefix(':'));
        let rest = rest.and_then(|rest| rest.trim_start().strip_prefix("\"#"));
        let value = rest.and_then(|rest| rest.split('"').next());
        !value.is_some_and(|fragment| fragment.bytes().all(pointer::is_plain))
    })
}

/// How many values there are at and below `value`.
pub(super) fn count(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    };
    below + 1
}
