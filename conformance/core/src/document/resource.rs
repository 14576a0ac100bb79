//! Schemas that are documents of their own: those with an `$id`, and what refers to them or from within them.
//!
//! References to and in such a schema are written as pointers into the file when it is read, so that nobody else has to know of
//! them. Relative URIs are resolved as RFC 3986 says, against the `$id` around them, else against the file.

use std::collections::HashMap;

use serde_json::Value;
use url::Url;

use super::keyword::{has_free_names, is_data};
use super::pointer;

/// Where a file is taken to be that has no URL: only what is relative to it counts.
const NOWHERE: &str = "file:///";

/// A schema with an `$id`, or the file itself.
#[derive(Debug, Default)]
struct Resource {
    at: String,
    /// Pointers by `$anchor` and `$dynamicAnchor`.
    anchors: HashMap<String, String>,
}

/// The resources of a file by URI.
struct Resources {
    all: HashMap<String, Resource>,
    embedded: bool,
}

/// Whether a text may have an `$id`; one whose key is written with escapes is not read.
pub(super) fn may_have_id(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"$id").is_some()
}

/// Rewrites the references of a file that is known by `id`, if it has any schema with an `$id`.
pub(super) fn flatten(value: &mut Value, id: &str) {
    let base = Url::parse(id).ok().filter(|url| url.scheme().len() > 1);
    let file = || Url::parse(NOWHERE).and_then(|url| url.join(&id.replace('\\', "/")));
    let Some(base) = base.or_else(|| file().ok()) else {
        return;
    };
    let mut resources = Resources {
        all: HashMap::from([(plain(&base), Resource::default())]),
        embedded: false,
    };
    gather(value, &mut String::new(), false, &base, &mut resources);
    if resources.embedded {
        let whole = value.clone();
        rewrite(value, &mut String::new(), false, &base, &whole, &resources);
    }
}

/// A URI without its fragment.
fn plain(uri: &Url) -> String {
    let mut uri = uri.clone();
    uri.set_fragment(None);
    uri.into()
}

/// The URI that holds inside of an object.
fn base_of(members: &serde_json::Map<String, Value>, named: bool, around: &Url) -> Option<Url> {
    let id = members
        .get("$id")
        .and_then(Value::as_str)
        .filter(|_| !named)?;
    // `$id: '#name'` of older drafts is an anchor.
    (!id.starts_with('#'))
        .then(|| around.join(id).ok())
        .flatten()
}

fn gather(value: &Value, at: &mut String, named: bool, around: &Url, all: &mut Resources) {
    let length = at.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer::push(at, &index.to_string());
                gather(item, at, false, around, all);
                at.truncate(length);
            }
        }
        Value::Object(members) => {
            let own = base_of(members, named, around);
            if let Some(uri) = &own {
                all.embedded = true;
                let resource = all.all.entry(plain(uri)).or_default();
                resource.at.clone_from(at);
            }
            let around = own.as_ref().unwrap_or(around);
            if !named && let Some(resource) = all.all.get_mut(&plain(around)) {
                for keyword in ["$anchor", "$dynamicAnchor"] {
                    if let Some(Value::String(name)) = members.get(keyword) {
                        let anchors = &mut resource.anchors;
                        anchors.entry(name.clone()).or_insert_with(|| at.clone());
                    }
                }
            }
            for (key, member) in members {
                if named || !is_data(key, member) {
                    pointer::push(at, key);
                    gather(member, at, !named && has_free_names(key), around, all);
                    at.truncate(length);
                }
            }
        }
        _ => {}
    }
}

fn rewrite(
    value: &mut Value,
    at: &mut String,
    named: bool,
    around: &Url,
    whole: &Value,
    all: &Resources,
) {
    let length = at.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                pointer::push(at, &index.to_string());
                rewrite(item, at, false, around, whole, all);
                at.truncate(length);
            }
        }
        Value::Object(members) => {
            let own = base_of(members, named, around);
            let around = own.as_ref().unwrap_or(around);
            for (key, member) in members.iter_mut() {
                match member {
                    Value::String(reference) if !named && key == "$ref" => {
                        if let Some(local) = all.local(reference, around, whole) {
                            *reference = local;
                        }
                    }
                    _ if named || !is_data(key, member) => {
                        pointer::push(at, key);
                        let named = !named && has_free_names(key);
                        rewrite(member, at, named, around, whole, all);
                        at.truncate(length);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

impl Resources {
    /// A reference as a pointer into the file; `None` where it stays as it is.
    fn local(&self, reference: &str, around: &Url, whole: &Value) -> Option<String> {
        let target = around.join(reference).ok()?;
        let resource = self.all.get(&plain(&target))?;
        let fragment = reference
            .split_once('#')
            .map_or("", |(_, fragment)| fragment);
        let at = if fragment.is_empty() {
            resource.at.clone()
        } else if fragment.starts_with('/') {
            let inside = pointer::from_reference(&format!("#{fragment}"))?;
            let inside = format!("{}{inside}", resource.at);
            // Many write pointers from the file's root wherever they stand.
            pointer::find(whole, &inside).map(|_| inside)?
        } else {
            resource.anchors.get(fragment)?.clone()
        };
        Some(pointer::to_reference(&at))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_to_and_within_a_resource_are_pointers_of_the_file() {
        let mut file = json!({"components": {"schemas": {
            "A": {"$id": "https://example.com/a", "$defs": {"d": {"$anchor": "x", "type": "string"}}, "properties": {
                "own": {"$ref": "#/$defs/d"}, "anchor": {"$ref": "#x"}, "root": {"$ref": "#"}, "other": {"$ref": "b#/properties/p"},
                "file": {"$ref": "#/components/schemas/C"},
                "$id": {"type": "string"},
            }},
            "B": {"$id": "https://example.com/b", "properties": {"p": {"$ref": "https://example.com/a"}}},
            "C": {"properties": {"a": {"$ref": "https://example.com/a#x"}, "none": {"$ref": "other.json"}}, "example": {"$ref": "https://example.com/a"}},
        }}});
        flatten(&mut file, "folder/api.json");
        let schemas = &file["components"]["schemas"];
        for (at, expected) in [
            ("/A/properties/own", "#/components/schemas/A/$defs/d"),
            ("/A/properties/anchor", "#/components/schemas/A/$defs/d"),
            ("/A/properties/root", "#/components/schemas/A"),
            ("/A/properties/other", "#/components/schemas/B/properties/p"),
            ("/A/properties/file", "#/components/schemas/C"),
            ("/B/properties/p", "#/components/schemas/A"),
            ("/C/properties/a", "#/components/schemas/A/$defs/d"),
            ("/C/properties/none", "other.json"),
            ("/C/example", "https://example.com/a"),
        ] {
            let found = schemas.pointer(at).map(|one| &one["$ref"]);
            assert_eq!(found, Some(&json!(expected)), "{at}");
        }
    }

    #[test]
    fn a_file_without_resources_stays_as_it_is() {
        let file = json!({"a": {"$ref": "#x"}, "b": {"$anchor": "x"}, "properties": {"$id": {"$ref": "#/a"}}});
        let mut other = file.clone();
        flatten(&mut other, "api.json");
        assert_eq!(file, other);
    }
}
