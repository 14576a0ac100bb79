//! The parts that 2.0 spells in another way than 3.0: media types, servers, security schemes, references and keywords of schemas.

use foldhash::HashMap;
use serde_json::{Map, Value, json};

use crate::document::keyword::{has_free_names, is_data};
use crate::document::pointer;

/// Media types where a document names none.
const DEFAULT: &str = "application/json";

/// The media types that the innermost of `levels` names.
pub(super) fn types(levels: &[&Value], key: &str) -> Vec<String> {
    let named = levels
        .iter()
        .find_map(|level| level.get(key).and_then(Value::as_array));
    let names = named.into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.is_empty() {
        vec![DEFAULT.to_owned()]
    } else {
        names
    }
}

/// The servers by `schemes` of one level, and `host` and `basePath` of the document.
pub(super) fn servers(level: &Value, root: &Value) -> Option<Value> {
    let base = root
        .get("basePath")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let host = root.get("host").and_then(Value::as_str);
    let schemes = level.get("schemes").or_else(|| root.get("schemes"));
    let schemes: Vec<&str> = schemes
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let url = match (host, schemes.as_slice()) {
        (None, _) if base.is_empty() => return None,
        (None, _) => vec![base.to_owned()],
        (Some(host), []) => vec![format!("//{host}{base}")],
        (Some(host), schemes) => schemes
            .iter()
            .map(|scheme| format!("{scheme}://{host}{base}"))
            .collect(),
    };
    Some(url.into_iter().map(|url| json!({"url": url})).collect())
}

pub(super) fn scheme(old: &Value) -> Value {
    let text = |key: &str| old.get(key).and_then(Value::as_str);
    let mut new = match text("type") {
        Some("basic") => json!({"type": "http", "scheme": "basic"}),
        Some("oauth2") => {
            let flow = match text("flow") {
                Some("application") => "clientCredentials",
                Some("accessCode") => "authorizationCode",
                Some(other) => other,
                None => "implicit",
            };
            let mut inside = Map::new();
            for key in ["authorizationUrl", "tokenUrl", "scopes"] {
                if let Some(value) = old.get(key) {
                    inside.insert(key.to_owned(), value.clone());
                }
            }
            json!({"type": "oauth2", "flows": {flow: inside}})
        }
        _ => return old.clone(),
    };
    if let (Some(description), Some(new)) = (old.get("description"), new.as_object_mut()) {
        new.insert("description".to_owned(), description.clone());
    }
    new
}

/// Rewrites references and spellings of schemas, at every level. The depth is that of the document, which is limited.
pub(super) fn rewrite(value: &mut Value, named: bool, moved: &HashMap<&str, &str>) {
    match value {
        Value::Array(items) => {
            for item in items {
                rewrite(item, false, moved);
            }
        }
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(new) = new_reference(reference, moved)
            {
                *reference = new;
            }
            if !named {
                schema(members);
            }
            for (key, member) in members.iter_mut() {
                if named || !is_data(key, member) {
                    rewrite(member, !named && has_free_names(key), moved);
                }
            }
        }
        _ => {}
    }
}

/// A reference as it is in the new document, by the nearest ancestor of its target that moved.
fn new_reference(reference: &str, moved: &HashMap<&str, &str>) -> Option<String> {
    for (old, new) in [
        ("#/definitions/", "#/components/schemas/"),
        ("#/parameters/", "#/components/parameters/"),
        ("#/responses/", "#/components/responses/"),
    ] {
        if let Some(rest) = reference.strip_prefix(old) {
            return Some(format!("{new}{rest}"));
        }
    }
    let at = pointer::from_reference(reference).filter(|at| at.starts_with("/paths/"))?;
    let mut known = at.as_str();
    while !known.is_empty() {
        if let Some(new) = moved.get(known) {
            return Some(pointer::to_reference(&format!(
                "{new}{}",
                &at[known.len()..]
            )));
        }
        known = pointer::parent(known);
    }
    None
}

/// Writes the spellings of 2.0 in an object, if it is a schema, as those of 3.0.
fn schema(members: &mut Map<String, Value>) {
    if members.get("type") == Some(&json!("file")) {
        members.insert("type".to_owned(), json!("string"));
        members.insert("format".to_owned(), json!("binary"));
    }
    if let Some(Value::String(name)) = members.get("discriminator") {
        let name = name.clone();
        members.insert("discriminator".to_owned(), json!({"propertyName": name}));
    }
    if members.get("x-nullable").is_some_and(Value::is_boolean)
        && let Some(nullable) = members.shift_remove("x-nullable")
    {
        members.insert("nullable".to_owned(), nullable);
    }
}
