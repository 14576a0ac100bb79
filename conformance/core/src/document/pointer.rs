//! JSON pointers (RFC 6901) as strings.

use serde_json::{Map, Value};

/// Appends `token` to `pointer`, escaped.
pub fn join(pointer: &str, token: &str) -> String {
    let mut joined = String::with_capacity(pointer.len() + token.len() + 1);
    joined.push_str(pointer);
    push(&mut joined, token);
    joined
}

/// As [`join`], in place.
pub(crate) fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    if !token.contains(['~', '/']) {
        pointer.push_str(token);
        return;
    }
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Appends an array index to `pointer`.
pub fn index(pointer: &str, index: usize) -> String {
    format!("{pointer}/{index}")
}

/// The unescaped tokens of `pointer`.
pub fn tokens(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(unescaped)
}

/// The text that a token stands for.
pub(super) fn unescaped(token: &str) -> String {
    let mut text = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(tilde) = rest.bytes().position(|byte| byte == b'~') {
        text.push_str(&rest[..tilde]);
        let (escaped, length) = match rest.as_bytes().get(tilde + 1) {
            Some(b'0') => ('~', 2),
            Some(b'1') => ('/', 2),
            // A tilde that begins no escape stands for itself.
            _ => ('~', 1),
        };
        text.push(escaped);
        rest = &rest[tilde + length..];
    }
    text.push_str(rest);
    text
}

/// The node of `value` at `pointer`; does not allocate unless a token is escaped, which few are.
pub(crate) fn find<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    let step = |value: &'v Value, token: &str, escaped: bool| match value {
        Value::Object(members) if escaped => member(members, &unescaped(token)),
        Value::Object(members) => member(members, token),
        // `01` and `+1` are no indexes.
        Value::Array(_) if token.len() > 1 && token.starts_with('0') => None,
        Value::Array(items) if token.bytes().all(|byte| byte.is_ascii_digit()) => {
            items.get(token.parse::<usize>().ok()?)
        }
        _ => None,
    };
    // Tokens are short, and this is quicker for them than a search.
    let bytes = pointer.as_bytes();
    let (mut found, mut start) = (value, 1);
    while start <= bytes.len() {
        let mut escaped = false;
        let mut end = start;
        while end < bytes.len() && bytes[end] != b'/' {
            escaped |= bytes[end] == b'~';
            end += 1;
        }
        found = step(found, &pointer[start..end], escaped)?;
        start = end + 1;
    }
    Some(found)
}

/// The member `key` of an object. Few objects have many members, and comparing their keys is cheaper than hashing.
pub(crate) fn member<'v>(members: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    match members.len() {
        0..=16 => Some(members.iter().find(|(known, _)| *known == key)?.1),
        _ => members.get(key),
    }
}

/// The pointer of the node that contains the one at `pointer`; the root contains itself.
pub fn parent(pointer: &str) -> &str {
    pointer.rfind('/').map_or("", |slash| &pointer[..slash])
}

/// The pointer that the fragment of a local reference stands for: percent-decoded, with the `#` taken off.
pub(crate) fn from_reference(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    percent_decoded(fragment)
}

/// The local reference to the node at `pointer`.
pub(super) fn to_reference(pointer: &str) -> String {
    let mut reference = String::from("#");
    encode(&mut reference, pointer, false);
    reference
}

/// A fragment with everything encoded that a URI must not have as it is, its `%XX` as they are.
pub(super) fn encoded_fragment(fragment: &str) -> String {
    let mut encoded = String::with_capacity(fragment.len());
    encode(&mut encoded, fragment, true);
    encoded
}

/// Whether a byte may be part of a fragment as it is (RFC 3986, 3.5), `%` apart.
pub(super) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte)
}

fn encode(to: &mut String, text: &str, keep_escapes: bool) {
    let bytes = text.as_bytes();
    for (at, character) in text.char_indices() {
        let is_escape = || {
            let digits = bytes.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let mut buffer = [0; 4];
        for byte in character.encode_utf8(&mut buffer).bytes() {
            if is_plain(byte) || (byte == b'%' && keep_escapes && is_escape()) {
                to.push(char::from(byte));
            } else {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
                to.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}

/// A text with its `%XX` decoded, which stay where they are no hexadecimal digits; none where that is not UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |at: usize| {
            let digit = tail.get(at).copied().map(char::from)?.to_digit(16)?;
            u8::try_from(digit).ok()
        };
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high * 16 + low);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_join_are_each_others_reverse() {
        let pointer = join(&join("", "a/b~c"), "d");
        assert_eq!(pointer, "/a~1b~0c/d");
        assert_eq!(tokens(&pointer).collect::<Vec<_>>(), ["a/b~c", "d"]);
        assert_eq!(parent(&pointer), "/a~1b~0c");
    }

    #[test]
    fn nodes_are_found_as_serde_json_finds_them() {
        let value = serde_json::json!({"a/b": [{"~": 1}, 2], "": {"01": 3}, "0": [4]});
        for pointer in [
            "",
            "/",
            "/a~1b",
            "/a~1b/0/~0",
            "/a~1b/1",
            "/a~1b/01",
            "/a~1b/+1",
            "/a~1b/2",
            "/a~1b/-",
            "//01",
            "/0/0",
            "/0/0/0",
            "0",
            "/none",
        ] {
            assert_eq!(find(&value, pointer), value.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn a_reference_is_percent_decoded() {
        assert_eq!(
            from_reference("#/paths/~1a~1%7Bid%7D").as_deref(),
            Some("/paths/~1a~1{id}")
        );
        assert_eq!(
            to_reference("/paths/~1a~1{id}/%/é"),
            "#/paths/~1a~1%7Bid%7D/%25/%C3%A9"
        );
        assert_eq!(encoded_fragment("/a b%20c%"), "/a%20b%20c%25");
        assert_eq!(from_reference("#").as_deref(), Some(""));
        assert_eq!(from_reference("#anchor"), None);
        assert_eq!(from_reference("other.yaml#/a"), None);
    }
}
