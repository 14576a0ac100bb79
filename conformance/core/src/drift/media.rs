//! Names of media types, compared by what they mean.

use std::collections::BTreeMap;

use crate::document::media::{essence, is_json};

/// A media type as [`normalized`] writes it.
///
/// RFC 9110: types, subtypes and the names of parameters ignore case, and so do charsets; the order of parameters means nothing.
/// RFC 8259: JSON has no `charset`, and a receiver ignores one. The values of other parameters are compared as they are written,
/// because some of them (`profile`, `boundary`) depend on case.
pub(super) fn normalized(name: &str) -> String {
    let mut parts = name.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_lowercase();
    let mut parameters = BTreeMap::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let key = key.trim().to_lowercase();
        let value = value.trim();
        let unquoted = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let value = unquoted.unwrap_or(value);
        if key != "charset" {
            parameters.insert(key, value.to_owned());
        } else if !is_json(&essence) {
            // The name that is registered has a hyphen.
            let charset = value.to_lowercase().replace("utf8", "utf-8");
            parameters.insert(key, charset);
        }
    }
    let mut text = essence;
    for (key, value) in parameters {
        text.push_str(&format!(";{key}={value}"));
    }
    text
}

/// The entries that speak for a normalized media type without one of its own: the type without parameters, then its ranges.
pub(super) fn wider(name: &str) -> Vec<String> {
    let essence = essence(name);
    let kind = essence.split('/').next().unwrap_or_default();
    let range = format!("{kind}/*");
    vec![essence, range, "*/*".to_owned()]
}

/// Whether the media type is a form that has one part for each property.
pub(super) fn is_multipart(name: &str) -> bool {
    essence(name).starts_with("multipart/")
}

/// Whether the media type is the form that browsers send without files.
pub(super) fn is_urlencoded(name: &str) -> bool {
    essence(name) == "application/x-www-form-urlencoded"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_media_type_are_one() {
        for (one, other) in [
            ("application/json", "Application/JSON"),
            ("application/json", "application/json; charset=utf-8"),
            (
                "application/problem+json",
                "application/problem+json;charset=\"UTF-8\"",
            ),
            ("text/html;charset=utf-8", "text/html; Charset=UTF-8"),
            ("text/html;charset=utf-8", "text/html; charset=utf8"),
            ("text/x; a=1; b=2", "text/x;b=2;a=1"),
        ] {
            assert_eq!(normalized(one), normalized(other));
        }
    }

    #[test]
    fn other_media_types_stay_others() {
        for (one, other) in [
            ("application/json", "text/json"),
            ("application/json", "application/json;v=1"),
            ("text/html", "text/html;charset=utf-8"),
            ("text/x;profile=A", "text/x;profile=a"),
        ] {
            assert_ne!(normalized(one), normalized(other));
        }
    }
}
