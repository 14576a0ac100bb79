//! The Encoding Objects of a form, and which of its properties are files.

use serde_json::{Map, Value};

use super::collect;
use crate::case::form::{Encoding, Encodings};
use crate::case::serialize::{Style, header};
use crate::document::{Document, Located, pointer};
use crate::schema::Subschemas;

/// How the properties of the form that a Media Type Object describes are written.
pub fn of(document: &Document, media: &Located<'_>) -> Encodings {
    let below = pointer::join(&media.pointer, "encoding");
    let given = media.value.get("encoding").and_then(Value::as_object);
    let mut encodings: Encodings = given
        .into_iter()
        .flat_map(Map::keys)
        .filter_map(|name| {
            let (pointer, value) = document.resolve(&pointer::join(&below, name))?;
            Some((
                name.clone(),
                encoding(document, &Located { pointer, value }),
            ))
        })
        .collect();
    let schemas = Subschemas::of(document);
    let whole = schemas.in_place(&[pointer::join(&media.pointer, "schema")]);
    let names = whole
        .iter()
        .filter_map(|at| schemas.object(at)?.get("properties"));
    for name in names.filter_map(Value::as_object).flat_map(Map::keys) {
        let member = schemas.member(&whole, name).schemas();
        let items = schemas.item(&schemas.in_place(&member), 0);
        let all = [member, items].concat();
        if schemas
            .in_place(&all)
            .iter()
            .any(|at| is_binary(schemas, at))
        {
            encodings.entry(name.clone()).or_default().binary = true;
        }
    }
    encodings
}

fn encoding(document: &Document, given: &Located<'_>) -> Encoding {
    let styled = ["style", "explode", "allowReserved"]
        .iter()
        .any(|member| given.value.get(member).is_some());
    let content_type = given.value.get("contentType").and_then(Value::as_str);
    let first = content_type.and_then(|list| list.split(',').map(str::trim).next());
    let below = pointer::join(&given.pointer, "headers");
    let headers = given.value.get("headers").and_then(Value::as_object);
    let headers = headers.into_iter().flat_map(Map::keys).filter_map(|name| {
        // The type of a part is said by `contentType`.
        if name.eq_ignore_ascii_case("content-type") {
            return None;
        }
        let (pointer, value) = document.resolve(&pointer::join(&below, name))?;
        let samples = collect::of_parameter(document, &Located { pointer, value });
        let sample = samples.into_iter().find_map(|sample| sample.value)?;
        Some((name.clone(), header(&sample, &Style::of(value, "header"))))
    });
    Encoding {
        content_type: first.map(str::to_owned),
        style: styled.then(|| Style::of(given.value, "query")),
        headers: headers.collect(),
        binary: false,
    }
}

/// Whether a schema describes bytes: `format: binary` of OpenAPI 3.0, `contentMediaType` without an encoding since.
fn is_binary(schemas: Subschemas<'_>, at: &str) -> bool {
    let Some(schema) = schemas.object(at) else {
        return false;
    };
    schema
        .get("format")
        .is_some_and(|format| format == "binary")
        || schema.contains_key("contentMediaType") && !schema.contains_key("contentEncoding")
}
