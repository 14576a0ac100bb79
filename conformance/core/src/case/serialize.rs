//! Parameter values to text: `style` and `explode` for path, query, header and cookie; bodies by media type.

use std::fmt::Write as _;

use serde_json::Value;

use super::Body;
use super::form::{self, Encodings};
use crate::document::media::essence;
pub use crate::document::media::is_json;
use crate::finding::Unreplayable;

/// How a parameter is written, as its Parameter Object says.
#[derive(Debug, Clone)]
pub struct Style {
    pub style: String,
    pub explode: bool,
    /// `allowReserved`: reserved characters of a query value stay as they are.
    pub reserved: bool,
    /// The parameter has `content`: its value is JSON text.
    pub json: bool,
}

impl Style {
    /// Reads the Parameter Object; what it leaves out has the default of its place.
    #[must_use]
    pub fn of(parameter: &Value, place: &str) -> Self {
        let default = if matches!(place, "query" | "cookie") {
            "form"
        } else {
            "simple"
        };
        let style = parameter
            .get("style")
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned();
        let explode = parameter
            .get("explode")
            .and_then(Value::as_bool)
            .unwrap_or(style == "form");
        Self {
            style,
            explode,
            reserved: parameter
                .get("allowReserved")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            json: parameter.get("content").is_some(),
        }
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    encode_but(text, "")
}

/// Undoes percent-encoding; what is no UTF-8 stays readable.
#[must_use]
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode_but(text: &str, keep: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let kept = byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || keep.as_bytes().contains(&byte);
        if kept {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A value as plain text; arrays and objects below the first level have no defined form and become JSON.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `[name, value, ...]` or `[name=value, ...]` of an object, the items of an array, or the value itself.
fn parts(value: &Value, explode: bool, encode: &dyn Fn(&str) -> String) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(|item| encode(&text(item))).collect(),
        Value::Object(members) if explode => members
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(&text(value))))
            .collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| [encode(name), encode(&text(value))])
            .collect(),
        other => vec![encode(&text(other))],
    }
}

/// A path parameter: `simple`, `label` or `matrix`.
#[must_use]
pub fn path(name: &str, value: &Value, style: &Style) -> String {
    if style.json {
        return encode(&value.to_string());
    }
    let parts = parts(value, style.explode, &encode);
    match style.style.as_str() {
        "label" => format!(".{}", parts.join(if style.explode { "." } else { "," })),
        "matrix" => match value {
            Value::Object(_) if style.explode => {
                parts.iter().map(|part| format!(";{part}")).collect()
            }
            Value::Array(_) if style.explode => {
                parts.iter().map(|part| format!(";{name}={part}")).collect()
            }
            _ => format!(";{name}={}", parts.join(",")),
        },
        _ => parts.join(","),
    }
}

/// A query parameter as pairs of decoded name and encoded value: `form`, `deepObject`, `spaceDelimited` or `pipeDelimited`.
#[must_use]
pub fn query(name: &str, value: &Value, style: &Style) -> Vec<(String, String)> {
    let keep = if style.reserved { ":/?@!$'()*,;" } else { "" };
    let encode = |text: &str| encode_but(text, keep);
    if style.json {
        return vec![(name.to_owned(), encode(&value.to_string()))];
    }
    match (value, style.style.as_str()) {
        (Value::Object(members), "deepObject") => {
            let pair =
                |(key, value): (&String, &Value)| (format!("{name}[{key}]"), encode(&text(value)));
            members.iter().map(pair).collect()
        }
        (Value::Object(members), "form") if style.explode => members
            .iter()
            .map(|(key, value)| (key.clone(), encode(&text(value))))
            .collect(),
        (Value::Array(items), _) if style.explode => items
            .iter()
            .map(|item| (name.to_owned(), encode(&text(item))))
            .collect(),
        (_, kind) => {
            let separator = match kind {
                "spaceDelimited" => "%20",
                "pipeDelimited" => "%7C",
                _ => ",",
            };
            vec![(
                name.to_owned(),
                parts(value, false, &encode).join(separator),
            )]
        }
    }
}

/// A header parameter: always `simple`, never percent-encoded.
#[must_use]
pub fn header(value: &Value, style: &Style) -> String {
    if style.json {
        return value.to_string();
    }
    parts(value, style.explode, &str::to_owned).join(",")
}

/// A cookie parameter: `form`; an exploded array or object is several cookies.
#[must_use]
pub fn cookie(name: &str, value: &Value, style: &Style) -> String {
    let pairs = query(name, value, style);
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("; ")
}

/// A parameter that is the whole query string, as pairs of decoded name and encoded value: a form is pairs, and anything else one pair
/// without a name.
///
/// # Errors
/// When the media type cannot represent the value.
pub fn whole_query(
    media_type: &str,
    value: &Value,
    encodings: &Encodings,
) -> Result<Vec<(String, String)>, Unreplayable> {
    let written = body(media_type, value, encodings)?;
    let text = String::from_utf8_lossy(&written.bytes);
    Ok(match essence(media_type).as_str() {
        "application/x-www-form-urlencoded" => form::read_urlencoded(&text),
        _ => vec![(String::new(), encode(&text))],
    })
}

/// Joins pairs of decoded name and encoded value to a query string. A pair without a name is its value alone.
#[must_use]
pub fn query_string(pairs: &[(String, String)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| match name.is_empty() {
            true => value.clone(),
            false => format!("{}={value}", encode(name)),
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// A sample as a request body of that media type; the properties of a form are written as `encodings` say.
///
/// # Errors
/// When the media type cannot represent the value.
pub fn body(media_type: &str, value: &Value, encodings: &Encodings) -> Result<Body, Unreplayable> {
    let essence = essence(media_type);
    // A range is no content type: JSON answers it best.
    let content_type = if essence.contains('*') {
        "application/json"
    } else {
        media_type
    };
    let body = |content_type: &str, bytes: Vec<u8>, value: Option<Value>| Body {
        content_type: Some(content_type.to_owned()),
        bytes,
        value,
    };
    if is_json(content_type) {
        return Ok(body(
            content_type,
            value.to_string().into_bytes(),
            Some(value.clone()),
        ));
    }
    match (essence.as_str(), value) {
        ("application/x-www-form-urlencoded", Value::Object(members)) => Ok(body(
            content_type,
            form::urlencoded(members, encodings),
            Some(value.clone()),
        )),
        ("multipart/form-data", Value::Object(members)) => {
            let (bytes, boundary) = form::multipart(members, encodings);
            let content_type = format!("multipart/form-data; boundary={boundary}");
            Ok(body(&content_type, bytes, Some(value.clone())))
        }
        // The documented texts of scalars: `7` under `text/plain`.
        (name, Value::Number(_) | Value::Bool(_)) if name.starts_with("text/") => Ok(body(
            content_type,
            text(value).into_bytes(),
            Some(value.clone()),
        )),
        (_, Value::String(text)) => Ok(body(
            content_type,
            text.clone().into_bytes(),
            Some(value.clone()),
        )),
        _ => Err(Unreplayable::NoForm {
            value: kind(value),
            media_type: essence,
        }),
    }
}

/// The JSON type of a value, in words.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn style(name: &str, explode: bool) -> Style {
        Style {
            style: name.into(),
            explode,
            reserved: false,
            json: false,
        }
    }

    #[test]
    fn every_style_and_explode_of_a_path_is_written_as_the_specification_tabulates_it() {
        let (array, object) = (json!(["blue", "black"]), json!({"R": 100, "G": 200}));
        for (name, explode, primitive, list, map) in [
            ("simple", false, "blue", "blue,black", "R,100,G,200"),
            ("simple", true, "blue", "blue,black", "R=100,G=200"),
            ("label", false, ".blue", ".blue,black", ".R,100,G,200"),
            ("label", true, ".blue", ".blue.black", ".R=100.G=200"),
            (
                "matrix",
                false,
                ";color=blue",
                ";color=blue,black",
                ";color=R,100,G,200",
            ),
            (
                "matrix",
                true,
                ";color=blue",
                ";color=blue;color=black",
                ";R=100;G=200",
            ),
        ] {
            let style = style(name, explode);
            assert_eq!(path("color", &json!("blue"), &style), primitive);
            assert_eq!(path("color", &array, &style), list);
            assert_eq!(path("color", &object, &style), map);
        }
    }

    #[test]
    fn every_style_and_explode_of_a_query_is_written_as_the_specification_tabulates_it() {
        let (array, object) = (json!(["blue", "black"]), json!({"R": 100, "G": 200}));
        for (name, explode, list, map) in [
            ("form", true, "color=blue&color=black", "R=100&G=200"),
            ("form", false, "color=blue,black", "color=R,100,G,200"),
            (
                "spaceDelimited",
                false,
                "color=blue%20black",
                "color=R%20100%20G%20200",
            ),
            (
                "pipeDelimited",
                false,
                "color=blue%7Cblack",
                "color=R%7C100%7CG%7C200",
            ),
            (
                "deepObject",
                true,
                "color=blue&color=black",
                "color%5BR%5D=100&color%5BG%5D=200",
            ),
        ] {
            let style = style(name, explode);
            assert_eq!(query_string(&query("color", &array, &style)), list);
            assert_eq!(query_string(&query("color", &object, &style)), map);
        }
    }

    #[test]
    fn a_query_string_that_is_one_value_is_a_form_or_stands_alone() {
        let value = json!({"a b": "c&d", "l": [1, 2]});
        for (media_type, expected) in [
            ("application/x-www-form-urlencoded", "a%20b=c%26d&l=1&l=2"),
            (
                "application/json",
                "%7B%22a%20b%22%3A%22c%26d%22%2C%22l%22%3A%5B1%2C2%5D%7D",
            ),
        ] {
            let pairs = whole_query(media_type, &value, &Encodings::new()).expect("is written");
            assert_eq!(query_string(&pairs), expected);
        }
    }

    #[test]
    fn names_with_brackets_and_values_with_separators_are_percent_encoded() {
        let pairs = query("page[size]", &json!("a,b&c=d e/é"), &style("form", true));
        assert_eq!(
            query_string(&pairs),
            "page%5Bsize%5D=a%2Cb%26c%3Dd%20e%2F%C3%A9"
        );
        assert_eq!(
            path("id", &json!("a/b?c"), &style("simple", false)),
            "a%2Fb%3Fc"
        );
    }

    #[test]
    fn headers_and_cookies_are_written_in_their_own_styles() {
        let object = json!({"R": 100, "G": 200});
        assert_eq!(
            header(&json!(["a", "b c"]), &style("simple", false)),
            "a,b c"
        );
        assert_eq!(header(&object, &style("simple", true)), "R=100,G=200");
        assert_eq!(
            cookie("color", &json!(["a", "b"]), &style("form", true)),
            "color=a; color=b"
        );
    }

    #[test]
    fn a_form_body_is_encoded_and_an_object_has_no_plain_text_form() {
        let none = Encodings::new();
        let form = body(
            "application/x-www-form-urlencoded",
            &json!({"a b": "c&d"}),
            &none,
        )
        .unwrap();
        assert_eq!(form.bytes, b"a%20b=c%26d");
        assert!(body("text/plain", &json!({"a": 1}), &none).is_err());
        let text = body("text/plain", &json!("hello"), &none).unwrap();
        assert_eq!(text.bytes, b"hello");
    }
}
