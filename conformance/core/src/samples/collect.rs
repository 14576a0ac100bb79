//! Finding the samples: the examples of media types, parameters and headers, with names, values and places.

use serde_json::Value;

use crate::document::{Document, Located, pointer};

/// One documented sample.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// The key in `examples`; `None` for an unnamed `example`.
    pub(super) name: Option<String>,
    /// The value; `None` where the document only names another file.
    pub(super) value: Option<Value>,
    /// Pointer of the value.
    pub(super) pointer: String,
    /// Pointer of the Example Object, or of the value where there is none.
    pub(super) at: String,
    /// The media type it stands in; empty for parameters and headers.
    pub(super) media_type: String,
    /// It is the example of the schema, taken because there is no other.
    pub(super) last_resort: bool,
}

impl Sample {
    /// The name in messages.
    pub(super) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("example")
    }
}

/// The Media Type Objects of a request body or response, with their media types, in document order.
#[must_use]
pub fn media_types<'a>(document: &'a Document, owner: &Located<'a>) -> Vec<(String, Located<'a>)> {
    let below = pointer::join(&owner.pointer, "content");
    let content = owner.value.get("content").and_then(Value::as_object);
    let find = |name: &String| {
        let (pointer, value) = document.resolve(&pointer::join(&below, name))?;
        Some((name.clone(), Located { pointer, value }))
    };
    content
        .into_iter()
        .flat_map(|content| content.keys())
        .filter_map(find)
        .collect()
}

/// The samples of a request body or response, of all its media types.
pub(super) fn of_content(document: &Document, owner: &Located<'_>) -> Vec<Sample> {
    let mut found = Vec::new();
    for (name, media) in media_types(document, owner) {
        let mut samples = examples(document, &media);
        if samples.is_empty() {
            samples.extend(of_schema(
                document,
                &pointer::join(&media.pointer, "schema"),
            ));
        }
        found.extend(samples.into_iter().map(|sample| Sample {
            media_type: name.clone(),
            ..sample
        }));
    }
    found
}

/// The samples of a parameter or header: `examples`, `example`, those of its `content`, of its schema, and the schema's `default`.
pub(super) fn of_parameter(document: &Document, parameter: &Located<'_>) -> Vec<Sample> {
    let mut found = examples(document, parameter);
    if found.is_empty() {
        found = of_content(document, parameter);
    }
    if found.is_empty() {
        let schema = pointer::join(&parameter.pointer, "schema");
        found.extend(of_schema(document, &schema).or_else(|| constant(document, &schema)));
    }
    found
}

/// `example` and the entries of `examples` of a Media Type, Parameter or Header Object.
pub(super) fn examples(document: &Document, owner: &Located<'_>) -> Vec<Sample> {
    let mut found = Vec::new();
    let sample =
        |name: Option<&String>, value: Option<&Value>, pointer: String, at: String| Sample {
            name: name.cloned(),
            value: value.cloned(),
            pointer,
            at,
            media_type: String::new(),
            last_resort: false,
        };
    if let Some(value) = owner.value.get("example") {
        let at = pointer::join(&owner.pointer, "example");
        found.push(sample(None, Some(value), at.clone(), at));
    }
    if let Some(Value::Object(named)) = owner.value.get("examples") {
        let below = pointer::join(&owner.pointer, "examples");
        for name in named.keys() {
            let Some((at, example)) = document.resolve(&pointer::join(&below, name)) else {
                continue;
            };
            // `dataValue` is the name of OpenAPI 3.2.
            let key = if example.get("value").is_none() && example.get("dataValue").is_some() {
                "dataValue"
            } else {
                "value"
            };
            found.push(sample(
                Some(name),
                example.get(key),
                pointer::join(&at, key),
                at,
            ));
        }
    }
    found
}

/// The `example` or first of the `examples` of a schema, references followed.
pub(super) fn of_schema(document: &Document, schema: &str) -> Option<Sample> {
    let (at, schema) = document.resolve(schema)?;
    let (pointer, value) = match (schema.get("example"), schema.get("examples")) {
        (Some(value), _) => (pointer::join(&at, "example"), value),
        (None, Some(Value::Array(values))) => (
            pointer::index(&pointer::join(&at, "examples"), 0),
            values.first()?,
        ),
        _ => return None,
    };
    Some(last_resort(pointer, value))
}

/// A value that a schema gives without calling it an example.
fn constant(document: &Document, schema: &str) -> Option<Sample> {
    let (at, schema) = document.resolve(schema)?;
    if let Some(key) = ["default", "const"]
        .into_iter()
        .find(|key| schema.get(key).is_some())
    {
        return Some(last_resort(pointer::join(&at, key), schema.get(key)?));
    }
    let values = schema.get("enum").and_then(Value::as_array)?;
    Some(last_resort(
        pointer::index(&pointer::join(&at, "enum"), 0),
        values.first()?,
    ))
}

fn last_resort(pointer: String, value: &Value) -> Sample {
    Sample {
        name: None,
        value: Some(value.clone()),
        at: pointer.clone(),
        pointer,
        media_type: String::new(),
        last_resort: true,
    }
}
