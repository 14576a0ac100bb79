//! Lays out JSON text without changing a token: numbers keep their digits, members their order and strings their escapes.

/// Deeper JSON is not indented: the indentation would grow with the square of its size.
const DEPTH: usize = 64;

/// The kind of a token, for coloring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Name,
    String,
    Other,
}

/// JSON text without white space between tokens. The text has to be JSON.
pub(super) fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    tokens(text, |token, _| out.push_str(token));
    out
}

/// JSON text with a line for each value, two spaces deeper in each object and array, the lines after the first indented by `margin`,
/// and each token as `paint` writes it. The text has to be JSON; where it is nested very deeply it stays on one line.
pub(super) fn indented(text: &str, margin: usize, paint: impl Fn(Token, &str) -> String) -> String {
    let mut deepest = 0_usize;
    let mut depth = 0_usize;
    tokens(text, |token, _| match token {
        "{" | "[" => {
            depth += 1;
            deepest = deepest.max(depth);
        }
        "}" | "]" => depth = depth.saturating_sub(1),
        _ => {}
    });
    if deepest > DEPTH {
        return compact(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut opened = false;
    tokens(text, |token, kind| {
        let closes = matches!(token, "}" | "]");
        if closes {
            depth = depth.saturating_sub(1);
        }
        // An empty object or array stays on its line.
        if opened != closes {
            out.push('\n');
            out.push_str(&" ".repeat(margin + 2 * depth));
        }
        opened = false;
        match token {
            "{" | "[" => {
                depth += 1;
                opened = true;
                out.push_str(token);
            }
            "," => {
                out.push_str(",\n");
                out.push_str(&" ".repeat(margin + 2 * depth));
            }
            ":" => out.push_str(": "),
            "}" | "]" => out.push_str(token),
            _ => out.push_str(&paint(kind, token)),
        }
    });
    out
}

/// Calls `each` with every token of JSON text, in order.
fn tokens<'a>(text: &'a str, mut each: impl FnMut(&'a str, Token)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at += 1,
            _ => {
                while at < bytes.len() && !b" \t\n\r{}[],:\"".contains(&bytes[at]) {
                    at += 1;
                }
            }
        }
        let kind = match bytes[start] {
            b'"' if text[at..].trim_start().starts_with(':') => Token::Name,
            b'"' => Token::String,
            _ => Token::Other,
        };
        each(&text[start..at], kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = " { \"a\" : 1.10,\n\"b\":[ ],\"c\":{\t},\"d\":[9007199254740993 , \"x\\\" {,}:\\\\\"],\"\\u00e9\":{\"a\":null}} ";

    #[test]
    fn tokens_stay_as_they_are() {
        let expected =
            r#"{"a":1.10,"b":[],"c":{},"d":[9007199254740993,"x\" {,}:\\"],"\u00e9":{"a":null}}"#;
        assert_eq!(compact(TEXT), expected);
        let plain = indented(TEXT, 0, |_, token| token.to_owned());
        assert_eq!(compact(&plain), expected);
        assert_eq!(
            plain,
            "{\n  \"a\": 1.10,\n  \"b\": [],\n  \"c\": {},\n  \"d\": [\n    9007199254740993,\n    \"x\\\" {,}:\\\\\"\n  ],\n  \"\\u00e9\": {\n    \"a\": null\n  }\n}"
        );
    }

    #[test]
    fn names_and_strings_are_told_apart() {
        let marked = indented(r#"{"a":"b"}"#, 1, |kind, token| {
            format!("{kind:?}({token})")
        });
        assert_eq!(marked, "{\n   Name(\"a\"): String(\"b\")\n }");
    }

    #[test]
    fn deep_nesting_is_not_indented() {
        let deep = format!("{}1{}", "[ ".repeat(100_000), "]".repeat(100_000));
        let out = indented(&deep, 2, |_, token| token.to_owned());
        assert_eq!(out.len(), 200_001);
    }

    #[test]
    fn scalars_and_text_that_is_cut_off_do_no_harm() {
        for text in ["1", "\"", "\"\\", "{", "", "]]", "\"é\\"] {
            let _ = indented(text, 2, |_, token| token.to_owned());
        }
        assert_eq!(indented("1", 2, |_, token| token.to_owned()), "1");
    }
}
