//! Bodies of forms: `application/x-www-form-urlencoded` and `multipart/form-data`, each property as its Encoding Object says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::serialize::{Style, decode, encode, query, query_string, text};

/// How the properties of a form are written, by name; the others have the defaults of the specification.
pub type Encodings = BTreeMap<String, Encoding>;

/// How one property of a form is written (OpenAPI 3.1.1, Encoding Object).
#[derive(Debug, Clone, Default)]
pub struct Encoding {
    /// The media type of its parts; the first of a list.
    pub content_type: Option<String>,
    /// How it is written as a parameter, where `style`, `explode` or `allowReserved` is given; then `contentType` does not count.
    pub style: Option<Style>,
    /// Headers of its parts, with the values that the document gives.
    pub headers: Vec<(String, String)>,
    /// Whether it is a file: its schema says that it is binary.
    pub binary: bool,
}

impl Encoding {
    /// The media type that a value is sent as.
    fn media_type(&self, value: &Value) -> &str {
        let named = self.content_type.as_deref();
        // A range says what may be sent, and not what is.
        match named.filter(|name| !name.contains('*')) {
            Some(name) => name,
            None if self.binary => "application/octet-stream",
            None if value.is_object() || value.is_array() => "application/json",
            None => "text/plain",
        }
    }

    fn text(&self, value: &Value) -> String {
        match super::serialize::is_json(self.media_type(value)) {
            true => value.to_string(),
            false => text(value),
        }
    }
}

/// A form as pairs of names and values. An array is one pair for each item; an object is JSON, unless a style says otherwise.
pub(super) fn urlencoded(members: &Map<String, Value>, encodings: &Encodings) -> Vec<u8> {
    let default = Encoding::default();
    let pairs: Vec<(String, String)> = members
        .iter()
        .flat_map(|(name, value)| {
            let encoding = encodings.get(name).unwrap_or(&default);
            let pair = |value: &Value| (name.clone(), encode(&encoding.text(value)));
            match (value, &encoding.style) {
                (_, Some(style)) => query(name, value, style),
                // The media type is that of the whole value where it is given, else of each item.
                (Value::Array(items), None) if encoding.content_type.is_none() => {
                    items.iter().map(pair).collect()
                }
                (value, None) => vec![pair(value)],
            }
        })
        .collect();
    query_string(&pairs).into_bytes()
}

/// The pairs of a form: decoded names and encoded values.
pub(crate) fn read_urlencoded(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), value.to_owned())
        })
        .collect()
}

/// A form as parts, and the boundary between them. An array is one part for each item.
pub(super) fn multipart(members: &Map<String, Value>, encodings: &Encodings) -> (Vec<u8>, String) {
    let default = Encoding::default();
    let mut parts: Vec<(String, String)> = Vec::new();
    for (name, value) in members {
        let encoding = encodings.get(name).unwrap_or(&default);
        if let Some(style) = &encoding.style {
            for (name, value) in query(name, value, style) {
                let value = super::serialize::decode(&value);
                parts.push((head(&name, None, &encoding.headers, false), value));
            }
            continue;
        }
        let items = match value {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for item in items {
            // Plain text is the default and needs no header.
            let kind = encoding.media_type(item);
            let kind = (kind != "text/plain" || encoding.content_type.is_some()).then_some(kind);
            let head = head(name, kind, &encoding.headers, encoding.binary);
            parts.push((head, encoding.text(item)));
        }
    }
    let mut boundary = "conformance-7d1f0c2e".to_owned();
    while parts.iter().any(|(_, content)| content.contains(&boundary)) {
        boundary.push('x');
    }
    let mut out = String::new();
    for (head, content) in parts {
        out.push_str(&format!("--{boundary}\r\n{head}\r\n{content}\r\n"));
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    (out.into_bytes(), boundary)
}

/// The headers of a part, each with the end of its line.
fn head(name: &str, kind: Option<&str>, headers: &[(String, String)], file: bool) -> String {
    // RFC 7578, 4.2, and what browsers do.
    let quoted = name
        .replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    let mut head = format!("Content-Disposition: form-data; name=\"{quoted}\"");
    if file {
        head.push_str(&format!("; filename=\"{quoted}\""));
    }
    head.push_str("\r\n");
    if let Some(kind) = kind {
        head.push_str(&format!("Content-Type: {kind}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encodings(name: &str, encoding: Encoding) -> Encodings {
        Encodings::from([(name.to_owned(), encoding)])
    }

    fn styled(style: &str, explode: bool) -> Encoding {
        Encoding {
            style: Some(Style {
                style: style.to_owned(),
                explode,
                reserved: false,
                json: false,
            }),
            ..Encoding::default()
        }
    }

    fn typed(content_type: &str) -> Encoding {
        Encoding {
            content_type: Some(content_type.to_owned()),
            ..Encoding::default()
        }
    }

    #[test]
    fn properties_of_a_form_are_written_as_their_encodings_say() {
        let value = json!({"l": ["a", "b"], "o": {"k": 1, "m": 2}});
        let members = value.as_object().expect("an object");
        let json = "o=%7B%22k%22%3A1%2C%22m%22%3A2%7D";
        for (encodings, expected) in [
            (Encodings::new(), format!("l=a&l=b&{json}")),
            (
                encodings("l", styled("form", false)),
                format!("l=a,b&{json}"),
            ),
            (
                encodings("l", styled("spaceDelimited", false)),
                format!("l=a%20b&{json}"),
            ),
            (
                encodings("l", styled("pipeDelimited", false)),
                format!("l=a%7Cb&{json}"),
            ),
            (
                encodings("l", typed("application/json")),
                format!("l=%5B%22a%22%2C%22b%22%5D&{json}"),
            ),
            (
                encodings("o", typed("application/json")),
                format!("l=a&l=b&{json}"),
            ),
            (
                encodings("o", styled("deepObject", true)),
                "l=a&l=b&o%5Bk%5D=1&o%5Bm%5D=2".to_owned(),
            ),
            (
                encodings("o", styled("form", true)),
                "l=a&l=b&k=1&m=2".to_owned(),
            ),
        ] {
            let form = urlencoded(members, &encodings);
            assert_eq!(String::from_utf8(form).expect("is text"), expected);
        }
    }

    #[test]
    fn parts_have_their_types_headers_and_file_names_and_a_boundary_that_none_contains() {
        let value = json!({"f": "conformance-7d1f0c2e", "o": {"k": 1}, "l": [1, 2], "t\"": "x"});
        let file = Encoding {
            content_type: Some("image/png".to_owned()),
            headers: vec![("X-Part".to_owned(), "7".to_owned())],
            binary: true,
            ..Encoding::default()
        };
        let members = value.as_object().expect("an object");
        let (form, boundary) = multipart(members, &encodings("f", file));
        let form = String::from_utf8(form).expect("is text");
        assert_eq!(boundary, "conformance-7d1f0c2ex");
        let parts: Vec<&str> = form.split("--conformance-7d1f0c2ex").collect();
        assert_eq!(
            parts,
            [
                "",
                "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\nContent-Type: image/png\r\nX-Part: 7\r\n\r\nconformance-7d1f0c2e\r\n",
                "\r\nContent-Disposition: form-data; name=\"o\"\r\nContent-Type: application/json\r\n\r\n{\"k\":1}\r\n",
                "\r\nContent-Disposition: form-data; name=\"l\"\r\n\r\n1\r\n",
                "\r\nContent-Disposition: form-data; name=\"l\"\r\n\r\n2\r\n",
                "\r\nContent-Disposition: form-data; name=\"t%22\"\r\n\r\nx\r\n",
                "--\r\n",
            ]
        );
    }
}
