//! Takes the space between the tokens of a JSON text away, and touches no token.
//!
//! For what is published: parsing and writing it again would lose `1.10`, 2^53+1, `\u00e9` and the second of two equal keys.

/// `text` without the space between its tokens. The text must be JSON: this does not check it.
pub(crate) fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if matches!(character, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = character == '"';
        }
        compact.push(character);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_space_between_tokens_is_taken_away() {
        for (text, expected) in [
            ("", ""),
            (" { } ", "{}"),
            ("[ ]", "[]"),
            (" \t\r\n null \n", "null"),
            (
                r#"{ "a" : 1 , "b" : [ true , false ] }"#,
                r#"{"a":1,"b":[true,false]}"#,
            ),
            // Numbers that a parser would write otherwise, or not keep.
            ("[ 1.10, 1e5, 1E+05, -0, -0.0 ]", "[1.10,1e5,1E+05,-0,-0.0]"),
            (
                "[ 9007199254740993, 0.1000000000000000055 ]",
                "[9007199254740993,0.1000000000000000055]",
            ),
            // Order and repetition of keys.
            (
                r#"{ "b" : 1 , "a" : 2 , "b" : 3 }"#,
                r#"{"b":1,"a":2,"b":3}"#,
            ),
            // Strings: space, quotes and back slashes in them, escapes as they were chosen.
            (r#"[ " a  b " , "\t" ]"#, r#"[" a  b ","\t"]"#),
            (
                r#"[ "\"" , " \\" , "\\\" , " ]"#,
                r#"["\""," \\","\\\" , "]"#,
            ),
            (
                r#"[ "\u00e9" , "\/" , "\ud83d\ude00 " ]"#,
                r#"["\u00e9","\/","\ud83d\ude00 "]"#,
            ),
            (r#"{ " { : , } " : " [ ] " }"#, r#"{" { : , } ":" [ ] "}"#),
            // Space that is not JSON's stands in strings only.
            (
                "[ \"\u{a0}\u{2028} ä 漢 😀\" ]",
                "[\"\u{a0}\u{2028} ä 漢 😀\"]",
            ),
            ("[\n  [\n    [ ]\n  ]\n]\n", "[[[]]]"),
        ] {
            assert_eq!(compact(text), expected, "{text}");
            assert_eq!(compact(expected), expected, "{text}");
        }
    }
}
