//! XML bodies: values written as the XML Objects of their schemas say.
//!
//! Names, prefixes, namespaces, attributes and wrapped lists are honored, and `nodeType` of OpenAPI 3.2 where it says `attribute` or `text`.
//! Not written: values with characters that XML 1.0 does not have.

use serde_json::{Map, Value};

use super::Source;
use crate::case::{Body, serialize};
use crate::document::{Located, pointer};

/// The name of the root element where neither the schema nor its component has one.
const ROOT: &str = "root";

/// Whether a media type is XML: `application/xml`, `text/xml` or a `+xml` suffix.
pub(super) fn is_xml(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/xml" | "text/xml") || essence.ends_with("+xml")
}

impl Source<'_> {
    /// A value as a body of a media type of XML; none where it cannot be written.
    pub(super) fn xml_body(
        &self,
        media_type: &str,
        media: &Located<'_>,
        value: &Value,
    ) -> Option<Body> {
        let schema = pointer::join(&media.pointer, "schema");
        let (at, _) = self.document.resolve(&schema)?;
        let component = at.strip_prefix("/components/schemas/");
        let component = component.filter(|name| !name.contains('/') && is_name(name));
        let mut text = String::new();
        let name = component.unwrap_or(ROOT);
        self.element(name, &schema, value, &mut text)?;
        Some(Body {
            content_type: Some(media_type.to_owned()),
            bytes: format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}").into_bytes(),
            value: None,
        })
    }

    /// Merges the XML settings of a value's schemas.
    fn xml(&self, schemas: &[String]) -> Map<String, Value> {
        let mut merged = Map::new();
        for at in schemas {
            let schema = self.schemas.subschemas().object(at);
            let own = schema.and_then(|schema| schema.get("xml")?.as_object());
            for (name, value) in own.into_iter().flatten() {
                merged.entry(name).or_insert_with(|| value.clone());
            }
        }
        merged
    }

    /// The names of declared members, in their order.
    fn declared(&self, schemas: &[String]) -> Vec<&String> {
        let objects = schemas
            .iter()
            .filter_map(|at| self.schemas.subschemas().object(at));
        let properties = objects.filter_map(|object| object.get("properties")?.as_object());
        properties.flat_map(Map::keys).collect()
    }

    fn all_of(&self, schema: &str) -> Vec<String> {
        self.schemas.subschemas().in_place(&[schema.to_owned()])
    }

    /// Adds the element of a value, which is called `name` unless its schema says otherwise.
    fn element(&self, name: &str, schema: &str, value: &Value, out: &mut String) -> Option<()> {
        let schemas = self.all_of(schema);
        let xml = self.xml(&schemas);
        let text = |member: &str| xml.get(member).and_then(Value::as_str);
        let is_wrapped = xml.get("wrapped") == Some(&Value::Bool(true));
        // The name of a list that is not wrapped is that of its items.
        let own = text("name").filter(|_| !value.is_array() || is_wrapped || name == ROOT);
        let name = qualified(own.unwrap_or(name), text("prefix"))?;
        let mut attributes = String::new();
        if let Some(namespace) = text("namespace") {
            let prefix = text("prefix").map_or_else(String::new, |prefix| format!(":{prefix}"));
            attributes += &format!(" xmlns{prefix}=\"{}\"", escaped(namespace)?);
        }
        let mut inner = String::new();
        match value {
            Value::Object(members) => {
                // In the order of the schema, which some readers ask for.
                let declared = self.declared(&schemas);
                let mut members: Vec<(&String, &Value)> = members.iter().collect();
                members.sort_by_key(|(name, _)| {
                    let mut names = declared.iter();
                    names.position(|known| known == name).unwrap_or(usize::MAX)
                });
                for (member, value) in members {
                    self.member(member, &schemas, value, &mut attributes, &mut inner)?;
                }
            }
            Value::Array(items) => self.items(&name, &schemas, items, &mut inner)?,
            scalar => inner = escaped(&serialize::text(scalar))?,
        }
        *out += &match inner.is_empty() {
            true => format!("<{name}{attributes}/>"),
            false => format!("<{name}{attributes}>{inner}</{name}>"),
        };
        Some(())
    }

    /// Adds a member of an object: an attribute, text, an element, or an element for each item of a list.
    fn member(
        &self,
        name: &str,
        schemas: &[String],
        value: &Value,
        attributes: &mut String,
        inner: &mut String,
    ) -> Option<()> {
        let below = self.schemas.subschemas().member(schemas, name).schemas();
        let own = below.first().cloned().unwrap_or_default();
        let all = self.all_of(&own);
        let xml = self.xml(&all);
        let text = |member: &str| xml.get(member).and_then(Value::as_str);
        let is_true = |member: &str| xml.get(member) == Some(&Value::Bool(true));
        let kind = text("nodeType");
        if is_true("attribute") || kind == Some("attribute") {
            if value.is_object() || value.is_array() {
                return None;
            }
            let name = qualified(text("name").unwrap_or(name), text("prefix"))?;
            *attributes += &format!(" {name}=\"{}\"", escaped(&serialize::text(value))?);
            return Some(());
        }
        if matches!(kind, Some("text" | "cdata")) {
            *inner += &escaped(&serialize::text(value))?;
            return Some(());
        }
        match value {
            Value::Array(items) if !is_true("wrapped") => {
                self.items(text("name").unwrap_or(name), &all, items, inner)
            }
            value => self.element(name, &own, value, inner),
        }
    }

    /// Adds an element for each item of a list.
    fn items(
        &self,
        name: &str,
        schemas: &[String],
        items: &[Value],
        inner: &mut String,
    ) -> Option<()> {
        let subschemas = self.schemas.subschemas();
        let has_items = |at: &&String| {
            let schema = subschemas.object(at);
            schema.is_some_and(|schema| schema.contains_key("items"))
        };
        let own = schemas.iter().find(has_items);
        let own = own.map_or_else(String::new, |at| pointer::join(at, "items"));
        items
            .iter()
            .try_for_each(|item| self.element(name, &own, item, inner))
    }
}

fn qualified(name: &str, prefix: Option<&str>) -> Option<String> {
    let name = match prefix {
        Some(prefix) if !name.contains(':') => format!("{prefix}:{name}"),
        _ => name.to_owned(),
    };
    is_name(&name).then_some(name)
}

/// Whether a text can be the name of an element, as far as its letters are those of ASCII.
fn is_name(name: &str) -> bool {
    let start = |letter: char| letter.is_alphabetic() || letter == '_';
    let other = |letter: char| letter.is_alphanumeric() || "_-.:".contains(letter);
    name.starts_with(start) && name.chars().all(other)
}

/// A text as content or as the value of an attribute; none where XML 1.0 does not have one of its characters.
fn escaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\t' => out += "&#9;",
            '\n' => out += "&#10;",
            '\r' => out += "&#13;",
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}
