//! Text from documents and servers without what terminals, browsers and XML readers obey or refuse: control characters, marks that
//! turn the direction of writing, invisible tags, noncharacters.

use std::fmt::Write;

use serde::Serialize;

const INFALLIBLE: &str = "what reports consist of has string keys and no failing serializers";

/// Whether a character is shown as its number.
pub(super) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
        || ('\u{e0000}'..='\u{e007f}').contains(&character)
        || u32::from(character) & 0xfffe == 0xfffe
}

/// Several lines: line feeds and tabs stay, all else that is unsafe is shown as its number, such as `\u{1b}`.
pub(super) fn lines(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        if matches!(character, '\n' | '\t') || !is_unsafe(character) {
            plain.push(character);
        } else {
            let _ = write!(plain, "\\u{{{:x}}}", u32::from(character));
        }
    }
    plain
}

/// One line: as [`lines`], with line feeds and tabs as spaces.
pub(super) fn line(text: &str) -> String {
    lines(text).replace(['\n', '\t'], " ")
}

/// JSON on one line that is equal to `value` for a reader of JSON, and plain.
pub(super) fn json(value: &impl Serialize) -> String {
    escaped(serde_json::to_string(value).expect(INFALLIBLE))
}

/// As [`json`], on several lines.
pub(super) fn pretty_json(value: &impl Serialize) -> String {
    escaped(serde_json::to_string_pretty(value).expect(INFALLIBLE))
}

fn escaped(json: String) -> String {
    // As most lines are, of which a run that is followed has one for each request.
    if json.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
        return json;
    }
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        // Outside of strings JSON has no other unsafe character than the line feed.
        if character == '\n' || !is_unsafe(character) {
            plain.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(plain, "\\u{unit:04x}");
            }
        }
    }
    plain
}

/// At most `limit` characters, with a mark where some were cut off.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_as_its_number() {
        assert_eq!(
            line("a\u{1b}[31m\r\nb\rc\u{202e}\u{9b}ü\u{1f600}"),
            "a\\u{1b}[31m b\\u{d}c\\u{202e}\\u{9b}ü\u{1f600}"
        );
        assert_eq!(lines("a\n\tb\0"), "a\n\tb\\u{0}");
        assert_eq!(cut("äbc", 2), "äb...");
        assert_eq!(cut("äb", 2), "äb");
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = json!({"\u{1b}\u{7f}\u{2028}": ["\u{e0041}\n\"\\", 1.5, null]});
        for text in [super::json(&value), pretty_json(&value)] {
            assert!(text.chars().all(|one| one == '\n' || !is_unsafe(one)));
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
