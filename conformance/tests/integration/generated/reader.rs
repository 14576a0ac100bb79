//! Reads generated requests as a server does, by hand and without the tool: percent-decoding, forms, parts, and values by their types.

use conformance::case::Case;
use serde_json::{Map, Value};

/// Where the value of a schema stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Json,
    Form,
    Multipart,
    Text,
    Query { explode: bool },
    Path,
    Header,
    Cookie,
}

/// How many values one request is read as at most.
const READINGS: usize = 5_000;

/// The values that a request may stand for; none where it has none, or cannot be read.
pub(super) fn read(place: Place, schema: &Value, case: &Case) -> Vec<Value> {
    let body = case.body.as_ref().map(|body| body.bytes.as_slice());
    match place {
        Place::Json => body
            .and_then(|body| serde_json::from_slice(body).ok())
            .into_iter()
            .collect(),
        Place::Text => body
            .and_then(|body| std::str::from_utf8(body).ok())
            .map_or_else(Vec::new, |text| scalars(schema, text)),
        Place::Form => {
            let text = body.and_then(|body| std::str::from_utf8(body).ok());
            let pairs = text.map(|text| {
                let pairs = text.split('&').filter(|pair| !pair.is_empty());
                pairs
                    .map(|pair| {
                        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                        (decoded(name), decoded(value))
                    })
                    .collect()
            });
            pairs.map_or_else(Vec::new, |pairs| object(schema, pairs))
        }
        Place::Multipart => {
            let content_type = case
                .body
                .as_ref()
                .and_then(|body| body.content_type.clone());
            let pairs = body.and_then(|body| parts(&content_type?, body));
            pairs.map_or_else(Vec::new, |pairs| object(schema, pairs))
        }
        Place::Query { explode } => {
            let own: Vec<String> = case
                .query
                .iter()
                .filter(|(name, _)| name == "p")
                .map(|(_, value)| decoded(value))
                .collect();
            let texts = match (own.as_slice(), explode) {
                ([one], false) if takes(schema, "array") => {
                    one.split(',').map(str::to_owned).collect()
                }
                _ => own,
            };
            several(schema, &texts)
        }
        Place::Path => {
            let literal = case.path.first().and_then(|value| value.literal.as_deref());
            literal.map_or_else(Vec::new, |text| comma_list(schema, &decoded(text)))
        }
        Place::Header => {
            let own = case.overrides.iter().rev().find(|(name, _)| name == "p");
            let text = match own {
                Some((_, text)) => text.clone(),
                None => {
                    let sent = case.headers.iter().find(|(name, _)| name == "p");
                    sent.map(|(_, text)| text.clone())
                }
            };
            text.map_or_else(Vec::new, |text| comma_list(schema, &text))
        }
        Place::Cookie => {
            let (mut headers, mut query) = (case.headers.clone(), Vec::new());
            case.change(&mut query, &mut headers);
            let cookies = headers.iter().find(|(name, _)| name == "Cookie");
            let own = cookies.and_then(|(_, text)| {
                let mut pairs = text.split("; ");
                pairs.find_map(|pair| pair.strip_prefix("p="))
            });
            own.map_or_else(Vec::new, |text| scalars(schema, text))
        }
    }
}

/// The types that a schema names, and those of its alternatives.
fn types(schema: &Value) -> Vec<&str> {
    let mut all = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array);
        all.extend(branches.into_iter().flatten().flat_map(types));
    }
    all
}

fn takes(schema: &Value, name: &str) -> bool {
    types(schema).contains(&name)
}

/// The values of one text: as the types of the schema have it, and as text where it has none or is one.
fn scalars(schema: &Value, text: &str) -> Vec<Value> {
    let mut all = Vec::new();
    if takes(schema, "integer") || takes(schema, "number") {
        all.extend(text.parse::<i64>().map(Value::from).ok());
        all.extend(
            text.trim()
                .parse::<f64>()
                .ok()
                .and_then(|number| serde_json::Number::from_f64(number).map(Value::Number)),
        );
    }
    if takes(schema, "boolean") {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => all.push(Value::Bool(true)),
            "false" | "0" | "no" | "off" => all.push(Value::Bool(false)),
            _ => {}
        }
    }
    if takes(schema, "null") && (text.is_empty() || text == "null") {
        all.push(Value::Null);
    }
    if takes(schema, "object") || takes(schema, "array") {
        let json: Option<Value> = serde_json::from_str(text).ok();
        all.extend(json.filter(|json| json.is_object() || json.is_array()));
    }
    let typed = ["integer", "number", "boolean", "null", "object", "array"];
    let untyped = !typed.iter().any(|name| takes(schema, name));
    if takes(schema, "string") || untyped {
        all.push(Value::from(text));
    }
    all
}

/// The values of texts that are given under one name.
fn several(schema: &Value, texts: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    if let [one] = texts {
        all.extend(scalars(schema, one));
    }
    if takes(schema, "array") && !texts.is_empty() {
        let none = Value::Bool(true);
        let item = schema.get("items").unwrap_or(&none);
        let mut lists: Vec<Vec<Value>> = vec![Vec::new()];
        for text in texts {
            let items = scalars(item, text);
            lists = lists
                .iter()
                .flat_map(|list| {
                    items
                        .iter()
                        .map(|item| [list.as_slice(), std::slice::from_ref(item)].concat())
                })
                .take(READINGS)
                .collect();
        }
        all.extend(lists.into_iter().map(Value::Array));
    }
    all
}

fn comma_list(schema: &Value, text: &str) -> Vec<Value> {
    let mut all = scalars(schema, text);
    if takes(schema, "array") {
        let texts: Vec<String> = text.split(',').map(|text| text.trim().to_owned()).collect();
        all.extend(several(schema, &texts));
    }
    all
}

/// The objects of the fields of a form.
fn object(schema: &Value, pairs: Vec<(String, String)>) -> Vec<Value> {
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    for (name, text) in pairs {
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, texts)) => texts.push(text),
            None => fields.push((name, vec![text])),
        }
    }
    let mut objects = vec![Map::new()];
    for (name, texts) in fields {
        let own = schema.get("properties").and_then(|all| all.get(&name));
        let additional = schema
            .get("additionalProperties")
            .filter(|one| one.is_object());
        let none = Value::Bool(true);
        let mut values = several(own.or(additional).unwrap_or(&none), &texts);
        if values.is_empty() {
            values = texts
                .iter()
                .take(1)
                .map(|text| Value::from(text.as_str()))
                .collect();
        }
        objects = objects
            .iter()
            .flat_map(|object| {
                values.iter().map(|value| {
                    let mut object = object.clone();
                    object.insert(name.clone(), value.clone());
                    object
                })
            })
            .take(READINGS)
            .collect();
    }
    objects.into_iter().map(Value::Object).collect()
}

fn parts(content_type: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
    let (_, boundary) = content_type.split_once("boundary=")?;
    let text = std::str::from_utf8(body).ok()?;
    let text = text.strip_suffix(&format!("--{boundary}--\r\n"))?;
    let line = format!("--{boundary}\r\n");
    let parts = text.split(line.as_str()).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (head, content) = part.split_once("\r\n\r\n")?;
            let (_, name) = head.split_once("name=\"")?;
            let (name, _) = name.split_once('"')?;
            Some((name.to_owned(), content.strip_suffix("\r\n")?.to_owned()))
        })
        .collect()
}

/// Undoes percent-encoding; what is not UTF-8 becomes the replacement character.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
