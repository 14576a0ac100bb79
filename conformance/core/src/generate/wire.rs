//! Reads what is sent as a server does: from the bytes, by the schema. It decides whether a request is valid.
//!
//! In a URL, a header or a form a value is text. `1` is an integer where the schema names that type, one item is a list, and a list
//! without items is not there. A change that is lost on the way makes no difference, so nothing is expected of it.

use serde_json::{Map, Value};

use super::Source;
use super::edge::Expect;
use crate::case::form::{Encoding, Encodings, read_urlencoded};
use crate::case::serialize::{Style, decode, is_json};
use crate::case::{Body, Intent, Refusal};
use crate::schema::{Raw, with_member};

/// A server's reading of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It reads the value, which is valid.
    Valid,
    /// It reads no valid value.
    Invalid,
    /// It may read a valid value, but another one.
    Unclear,
}

impl Verdict {
    /// Returns the intent of a case that should be valid or invalid; none where it is not what it should be.
    pub(super) fn intent(self, expect: Expect) -> Option<Intent> {
        match (self, expect) {
            (Self::Valid, Expect::Valid | Expect::Either) => Some(Intent::Valid),
            (Self::Invalid, Expect::Invalid | Expect::Either | Expect::Open) => {
                Some(Intent::Refused(Refusal::Invalid))
            }
            (Self::Valid | Self::Unclear, Expect::Open) => Some(Intent::Open),
            _ => None,
        }
    }
}

impl Source<'_> {
    /// The verdict on texts that stand for `value`.
    pub(super) fn of_raw(&self, schema: &str, value: &Value, raws: &[Raw]) -> Verdict {
        let schemas = [schema.to_owned()];
        let mut read = Vec::new();
        for raw in raws {
            match self.schemas.readings(&schemas, raw) {
                Some(values) => read.extend(values),
                None => return Verdict::Unclear,
            }
        }
        self.of_readings(schema, value, &read)
    }

    fn of_readings(&self, schema: &str, value: &Value, read: &[Value]) -> Verdict {
        let sender = Some(self.sender());
        // Nothing is known of a schema that cannot be used.
        let Ok(accepted) = self.schemas.accepts(schema, value, sender) else {
            return Verdict::Unclear;
        };
        // What is read is most often what was written.
        let valid = |one: &Value| match one == value {
            true => accepted,
            false => self.schemas.accepts(schema, one, sender).unwrap_or(true),
        };
        let any = read.iter().any(valid);
        match any {
            false => Verdict::Invalid,
            true if accepted && read.contains(value) => Verdict::Valid,
            true => Verdict::Unclear,
        }
    }

    /// The verdict on a body; none where it is not known how a server reads it.
    pub(super) fn of_body(
        &self,
        schema: &str,
        value: &Value,
        body: &Body,
        encodings: &Encodings,
    ) -> Option<Verdict> {
        let content_type = body.content_type.as_deref()?;
        let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
        if is_json(&essence) {
            let read: Value = serde_json::from_slice(&body.bytes).ok()?;
            return Some(self.of_readings(schema, value, &[read]));
        }
        let text = std::str::from_utf8(&body.bytes).ok()?;
        let pairs = match essence.as_str() {
            "application/x-www-form-urlencoded" => read_urlencoded(text),
            "multipart/form-data" => multipart(text, content_type)?,
            name if name.starts_with("text/") => {
                if text.trim() != text || text.is_empty() {
                    return None;
                }
                let (read, faults) = self.schemas.body_text(schema, text, None).ok()?;
                return Some(match faults.is_empty() {
                    true if read == *value => Verdict::Valid,
                    true => Verdict::Unclear,
                    false => Verdict::Invalid,
                });
            }
            _ => return None,
        };
        let Some(read) = self.form(schema, &pairs, encodings) else {
            return Some(Verdict::Unclear);
        };
        Some(self.of_readings(schema, value, &read))
    }

    /// The objects that a form may be read as; none where there are too many.
    pub(super) fn form(
        &self,
        schema: &str,
        pairs: &[(String, String)],
        encodings: &Encodings,
    ) -> Option<Vec<Value>> {
        let all = self.schemas.in_place(&[schema.to_owned()]);
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in pairs {
            // `filter[a]` belongs to `filter` where that is written so.
            let owner = encodings.iter().find(|(owner, encoding)| {
                encoding.style.is_some() && name.starts_with(&format!("{owner}["))
            });
            let name = owner.map_or(name.as_str(), |(owner, _)| owner.as_str());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let none = Encoding::default();
        let mut objects = vec![Map::new()];
        for name in names {
            let encoding = encodings.get(name).unwrap_or(&none);
            let below = self.schemas.subschemas().member(&all, name).schemas();
            let own = || pairs.iter().filter(|(known, _)| known == name);
            let raws = match &encoding.style {
                Some(style) => of_query(name, style, pairs),
                None if encoding.content_type.as_deref().is_some_and(is_json) => {
                    let texts: Vec<String> = own().map(|(_, text)| decode(text)).collect();
                    texts.into_iter().map(Raw::Json).collect()
                }
                None => exploded(own().map(|(_, text)| decode(text)).collect()),
            };
            let mut values = Vec::new();
            for raw in &raws {
                values.extend(self.schemas.readings(&below, raw)?);
            }
            values.dedup();
            if values.is_empty() {
                // A value that cannot be read stays the text that it is.
                values.extend(own().map(|(_, text)| Value::from(decode(text))).next());
            }
            objects = with_member(&objects, name, &values)?;
        }
        Some(objects.into_iter().map(Value::Object).collect())
    }
}

/// Returns the raw values of a parameter in a query; its pairs have decoded names and encoded values.
pub(super) fn of_query(name: &str, style: &Style, pairs: &[(String, String)]) -> Vec<Raw> {
    let own: Vec<&String> = pairs
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value)
        .collect();
    if style.json {
        return own.iter().map(|text| Raw::Json(decode(text))).collect();
    }
    let deep: Vec<(String, String)> = pairs
        .iter()
        .filter_map(|(known, value)| {
            let key = known.strip_prefix(name)?.strip_prefix('[')?;
            Some((key.strip_suffix(']')?.to_owned(), decode(value)))
        })
        .collect();
    let mut raws = Vec::new();
    if !deep.is_empty() {
        raws.push(Raw::Pairs(deep));
    }
    let others: Vec<(String, String)> = pairs
        .iter()
        .filter(|(known, _)| known != name && !known.contains('['))
        .map(|(known, value)| (known.clone(), decode(value)))
        .collect();
    if !others.is_empty() {
        raws.push(Raw::Pairs(others));
    }
    match own.as_slice() {
        [one] if !style.explode => {
            let (separator, plain) = match style.style.as_str() {
                "spaceDelimited" => ("%20", " "),
                "pipeDelimited" => ("%7C", "|"),
                _ => (",", ","),
            };
            raws.extend(delimited(one, separator, plain));
        }
        own => raws.extend(exploded(own.iter().map(|text| decode(text)).collect())),
    }
    raws
}

/// One text between separators, which servers split before or after they decode it.
fn delimited(text: &str, separator: &str, plain: &str) -> Vec<Raw> {
    let before: Vec<String> = text.split(separator).map(decode).collect();
    let whole = decode(text);
    let after: Vec<String> = whole.split(plain).map(str::to_owned).collect();
    let mut raws = vec![Raw::Text(whole)];
    for list in [before, after] {
        if list.len().is_multiple_of(2) {
            let pairs = list
                .chunks(2)
                .map(|pair| (pair[0].clone(), pair[1].clone()));
            raws.push(Raw::Pairs(pairs.collect()));
        }
        raws.push(Raw::List(list));
    }
    raws.dedup();
    raws
}

/// Texts of one name: one of them may be a value, or a list of one.
fn exploded(texts: Vec<String>) -> Vec<Raw> {
    match texts.as_slice() {
        [] => Vec::new(),
        [one] => vec![Raw::Text(one.clone()), Raw::List(vec![one.clone()])],
        _ => vec![Raw::List(texts)],
    }
}

/// Returns the raw values of a parameter in a path.
pub(super) fn of_path(name: &str, style: &Style, text: &str) -> Vec<Raw> {
    if style.json {
        return vec![Raw::Json(decode(text))];
    }
    let exploded = |text: &str, separator: &str| -> Option<Vec<(String, String)>> {
        let pair = |part: &str| {
            let (key, value) = part.split_once('=')?;
            Some((decode(key), decode(value)))
        };
        text.split(separator).map(pair).collect()
    };
    match (style.style.as_str(), style.explode) {
        ("label", explode) => {
            let Some(rest) = text.strip_prefix('.') else {
                return Vec::new();
            };
            let mut raws = delimited(rest, if explode { "." } else { "," }, ",");
            raws.extend(exploded(rest, ".").map(Raw::Pairs));
            raws
        }
        ("matrix", explode) => {
            let Some(rest) = text.strip_prefix(';') else {
                return Vec::new();
            };
            let Some(pairs) = exploded(rest, ";") else {
                return Vec::new();
            };
            let own: Vec<String> = pairs
                .iter()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
                .collect();
            match (own.as_slice(), explode) {
                ([], _) => vec![Raw::Pairs(pairs)],
                ([one], false) => delimited(one, ",", ","),
                ([one], true) => vec![Raw::Text(one.clone()), Raw::List(own)],
                _ => vec![Raw::List(own)],
            }
        }
        (_, explode) => {
            let mut raws = delimited(text, ",", ",");
            raws.extend(exploded(text, ",").filter(|_| explode).map(Raw::Pairs));
            raws
        }
    }
}

/// Returns the raw values of a parameter in a header.
pub(super) fn of_header(style: &Style, text: &str) -> Vec<Raw> {
    if style.json {
        return vec![Raw::Json(text.to_owned())];
    }
    let parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
    let pair = |part: &String| {
        let (key, value) = part.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    };
    let mut raws = vec![Raw::Text(text.to_owned())];
    if style.explode {
        let pairs: Option<Vec<(String, String)>> = parts.iter().map(pair).collect();
        raws.extend(pairs.map(Raw::Pairs));
    } else if parts.len().is_multiple_of(2) {
        let pairs = parts
            .chunks(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()));
        raws.push(Raw::Pairs(pairs.collect()));
    }
    raws.push(Raw::List(parts));
    raws
}

/// The parts of a form as pairs of names and encoded values.
pub(super) fn multipart(text: &str, content_type: &str) -> Option<Vec<(String, String)>> {
    let (_, boundary) = content_type.split_once("boundary=")?;
    let line = format!("--{boundary}");
    let parts = text.split(line.as_str()).skip(1);
    let mut pairs = Vec::new();
    for part in parts.filter(|part| !part.starts_with("--")) {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("; name=\"")?;
        let (name, _) = name.split_once('"')?;
        let content = content.strip_suffix("\r\n")?;
        pairs.push((decode(name), crate::case::serialize::encode(content)));
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::case::serialize;

    fn style(name: &str, explode: bool) -> Style {
        Style {
            style: name.to_owned(),
            explode,
            reserved: false,
            json: false,
        }
    }

    #[test]
    fn what_is_written_in_a_style_is_read_in_it() {
        let texts = |list: &[&str]| Raw::List(list.iter().map(|text| (*text).to_owned()).collect());
        let pairs = Raw::Pairs(vec![
            ("r".to_owned(), "1".to_owned()),
            ("g".to_owned(), "a,b".to_owned()),
        ]);
        let (list, object) = (json!(["a", "b c"]), json!({"r": 1, "g": "a,b"}));
        for (name, explode) in [
            ("form", true),
            ("form", false),
            ("spaceDelimited", false),
            ("pipeDelimited", false),
            ("deepObject", true),
        ] {
            let style = style(name, explode);
            let wire = serialize::query("c", &list, &style);
            let raws = of_query("c", &style, &wire);
            assert!(
                raws.contains(&texts(&["a", "b c"])) || name == "spaceDelimited",
                "{name} {raws:?}"
            );
            let wire = serialize::query("c", &object, &style);
            let raws = of_query("c", &style, &wire);
            assert!(raws.contains(&pairs), "{name} {explode} {raws:?}");
        }
        for (name, explode) in [
            ("simple", false),
            ("simple", true),
            ("label", false),
            ("label", true),
            ("matrix", false),
            ("matrix", true),
        ] {
            let style = style(name, explode);
            let raws = of_path("c", &style, &serialize::path("c", &list, &style));
            assert!(
                raws.contains(&texts(&["a", "b c"])),
                "{name} {explode} {raws:?}"
            );
            let raws = of_path("c", &style, &serialize::path("c", &object, &style));
            let is_read = raws.contains(&pairs) || !explode;
            assert!(is_read, "{name} {explode} {raws:?}");
        }
    }

    #[test]
    fn forms_are_read_as_they_are_written() {
        let value = json!({"a": "x y", "b": ["1", "2"]});
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let expected = [pair("a", "x%20y"), pair("b", "1"), pair("b", "2")];
        for media_type in ["application/x-www-form-urlencoded", "multipart/form-data"] {
            let body = serialize::body(media_type, &value, &Encodings::new()).expect("a form");
            let text = std::str::from_utf8(&body.bytes).expect("text");
            let content_type = body.content_type.expect("a content type");
            let pairs = match media_type.starts_with("multipart") {
                true => multipart(text, &content_type).expect("parts"),
                false => read_urlencoded(text),
            };
            assert_eq!(pairs, expected, "{media_type}");
        }
    }
}
