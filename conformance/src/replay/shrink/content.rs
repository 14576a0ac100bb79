//! The body of a request as something that parts can be taken from.

use serde_json::Value;

use crate::case::serialize::{decode, encode, is_json};
use crate::replay::again::Revived;

/// A body by its media type.
#[derive(Debug)]
pub(super) enum Content<'r> {
    None,
    Json(&'r Value),
    /// The pairs of `application/x-www-form-urlencoded`, as they are written.
    Form(Vec<&'r str>),
    /// The parts of `multipart/form-data`: headers, an empty line, and content.
    Multipart {
        boundary: &'r str,
        fields: Vec<&'r [u8]>,
    },
    /// Anything else, JSON that cannot be read among it.
    Raw(&'r [u8]),
}

/// The bytes of a body, and its value where that is JSON.
pub(super) type Written = Option<(Vec<u8>, Option<Value>)>;

impl<'r> Content<'r> {
    pub(super) fn of(revived: &'r Revived) -> Self {
        let Some(body) = &revived.case.body else {
            return Self::None;
        };
        let content_type = body.content_type.as_deref().unwrap_or_default();
        if is_json(content_type)
            && let Some(value) = &body.value
        {
            return Self::Json(value);
        }
        let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let essence = essence.trim().to_ascii_lowercase();
        let read = match essence.as_str() {
            "application/x-www-form-urlencoded" => std::str::from_utf8(&body.bytes)
                .ok()
                .map(|text| Self::Form(text.split('&').collect())),
            "multipart/form-data" => multipart(parameters, &body.bytes),
            _ => None,
        };
        read.unwrap_or(Self::Raw(&body.bytes))
    }

    /// JSON without the member or item at a pointer.
    pub(super) fn without_member(&self, at: &str) -> Written {
        let Self::Json(value) = self else { return None };
        let mut less = (*value).clone();
        let (parent, key) = at.rsplit_once('/')?;
        match less.pointer_mut(parent)? {
            Value::Object(members) => {
                let key = key.replace("~1", "/").replace("~0", "~");
                members.shift_remove(&key)?;
            }
            Value::Array(items) => {
                let index = key.parse().ok().filter(|index| *index < items.len())?;
                items.remove(index);
            }
            _ => return None,
        }
        written(less)
    }

    /// JSON with another value at a pointer.
    pub(super) fn with_value(&self, at: &str, other: impl FnOnce(&Value) -> Value) -> Written {
        let Self::Json(value) = self else { return None };
        let mut less = (*value).clone();
        let place = less.pointer_mut(at)?;
        *place = other(place);
        written(less)
    }

    /// A form without a field.
    pub(super) fn without_field(&self, index: usize) -> Written {
        match self {
            Self::Form(fields) => {
                let mut fields = fields.clone();
                fields.remove(index);
                Some((fields.join("&").into_bytes(), None))
            }
            Self::Multipart { boundary, fields } => {
                let mut fields = fields.clone();
                fields.remove(index);
                Some((join(boundary, &fields), None))
            }
            Self::None | Self::Json(_) | Self::Raw(_) => None,
        }
    }

    /// How long the value of a field of a form is.
    pub(super) fn field_length(&self, index: usize) -> usize {
        match self {
            Self::Form(fields) => form_value(fields[index]).1.chars().count(),
            Self::Multipart { fields, .. } => part_content(fields[index]).1.length(),
            Self::None | Self::Json(_) | Self::Raw(_) => 0,
        }
    }

    /// A form with the beginning of the value of a field.
    pub(super) fn with_field_of(&self, index: usize, length: usize) -> Written {
        match self {
            Self::Form(fields) => {
                let (name, value) = form_value(fields[index]);
                let short: String = value.chars().take(length).collect();
                let pair = format!("{name}={}", encode(&short));
                let mut fields = fields.clone();
                fields[index] = &pair;
                Some((fields.join("&").into_bytes(), None))
            }
            Self::Multipart { boundary, fields } => {
                let (head, content) = part_content(fields[index]);
                let part = [head, content.beginning(length)].concat();
                let mut fields = fields.clone();
                fields[index] = &part;
                Some((join(boundary, &fields), None))
            }
            Self::None | Self::Json(_) | Self::Raw(_) => None,
        }
    }

    /// The beginning of a body whose parts are not known.
    pub(super) fn cut(&self, length: usize) -> Written {
        let Self::Raw(bytes) = self else { return None };
        Some((bytes.beginning(length).to_vec(), None))
    }
}

fn written(value: Value) -> Written {
    Some((value.to_string().into_bytes(), Some(value)))
}

/// The name as it is written, and the decoded value.
fn form_value(pair: &str) -> (&str, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (name, decode(&value.replace('+', "%20")))
}

/// The parts of a body that is written as [`join`] does.
fn multipart<'r>(parameters: &'r str, bytes: &'r [u8]) -> Option<Content<'r>> {
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        let is_it = name.eq_ignore_ascii_case("boundary");
        is_it.then(|| value.trim_matches('"'))
    })?;
    let first = format!("--{boundary}\r\n");
    let next = format!("\r\n--{boundary}");
    let mut rest = bytes.strip_prefix(first.as_bytes())?;
    let mut fields = Vec::new();
    loop {
        let end = position(rest, next.as_bytes())?;
        fields.push(&rest[..end]);
        rest = &rest[end + next.len()..];
        match rest.strip_prefix(b"\r\n") {
            Some(more) => rest = more,
            None => break,
        }
    }
    (join(boundary, &fields) == bytes).then_some(Content::Multipart { boundary, fields })
}

fn join(boundary: &str, fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        bytes.extend_from_slice(field);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    bytes
}

/// The headers of a part with the empty line, and its content.
fn part_content(part: &[u8]) -> (&[u8], &[u8]) {
    let end = position(part, b"\r\n\r\n").map_or(part.len(), |end| end + 4);
    part.split_at(end)
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}

/// Bytes that are counted and cut as characters where they are text.
pub(super) trait Length {
    fn length(&self) -> usize;
    fn beginning(&self, length: usize) -> &[u8];
}

impl Length for [u8] {
    fn length(&self) -> usize {
        std::str::from_utf8(self).map_or(self.len(), |text| text.chars().count())
    }

    fn beginning(&self, length: usize) -> &[u8] {
        let end = match std::str::from_utf8(self) {
            Ok(text) => text.char_indices().nth(length).map(|(end, _)| end),
            Err(_) => Some(length),
        };
        &self[..end.unwrap_or(self.len()).min(self.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Content<'_> {
        Content::Form(text.split('&').collect())
    }

    fn text(written: Written) -> String {
        String::from_utf8(written.unwrap().0).unwrap()
    }

    #[test]
    fn a_form_loses_fields_and_ends_of_values_and_keeps_the_rest_as_it_is_written() {
        let whole = form("a=1&b=x+y%21&c");
        assert_eq!(text(whole.without_field(0)), "b=x+y%21&c");
        assert_eq!(whole.field_length(1), 4);
        assert_eq!(text(whole.with_field_of(1, 3)), "a=1&b=x%20y&c");
        assert_eq!(whole.field_length(2), 0);
    }

    #[test]
    fn the_parts_of_a_multipart_form_are_told_apart_by_its_boundary() {
        let bytes = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\xff\xfe\r\n--x--\r\n";
        let whole = multipart(" boundary=x", bytes).unwrap();
        assert_eq!(whole.field_length(1), 2);
        let (one, _) = whole.without_field(1).unwrap();
        let expected = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
        assert_eq!(one, expected);
        let (short, _) = whole.with_field_of(1, 1).unwrap();
        assert!(position(&short, b"\xff\r\n--x--").is_some());
        // What is written in another way is not taken apart.
        assert!(multipart(" boundary=x", b"--x\n\n1\n--x--").is_none());
        assert!(multipart("", bytes).is_none());
    }
}
