//! Takes the space between the tokens of a JSON text away, and touches no token.
//!
//! For what is published: parsing and writing it again would lose `1.10`, 2^53+1, `\u00e9` and the second of two equal keys.

/// `text` without the space between its tokens. The text must be JSON: this does not check it.
pub(crate) fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    // Where the text begins that was not copied yet.
    let mut start = 0;
    for (place, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            compact += &text[start..place];
            start = place + 1;
        } else {
            in_string = byte == b'"';
        }
    }
    compact + &text[start..]
}

/// The value of the member `name` of the object that `text` is, [`compact`]; of several the first. The text must be JSON.
pub(crate) fn compact_member(text: &str, name: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut depth, mut place) = (0_usize, 0);
    // Whether the next string is a name, whether the last one was the wanted name, and where its value begins.
    let (mut at_name, mut is_wanted, mut start) = (false, false, 0);
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'"' => {
                let end = end_of_string(bytes, place)?;
                if at_name && depth == 1 {
                    is_wanted = is_string(&text[place..=end], name);
                    at_name = false;
                }
                place = end;
            }
            b'{' | b'[' => {
                depth += 1;
                at_name |= depth == 1;
            }
            b':' if depth == 1 => start = place + 1,
            b',' | b'}' | b']' => {
                if depth == 1 && is_wanted {
                    return Some(compact(&text[start..place]));
                }
                at_name |= depth == 1;
                depth -= usize::from(*byte != b',').min(depth);
            }
            _ => {}
        }
        place += 1;
    }
    None
}

/// Where the string that begins at `start` ends.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut place = start + 1;
    loop {
        match bytes.get(place)? {
            b'"' => return Some(place),
            b'\\' => place += 2,
            _ => place += 1,
        }
    }
}

/// Whether a string, with its quotes, is `expected`.
fn is_string(quoted: &str, expected: &str) -> bool {
    let inner = &quoted[1..quoted.len() - 1];
    if inner.contains('\\') {
        serde_json::from_str::<String>(quoted).is_ok_and(|text| text == expected)
    } else {
        inner == expected
    }
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

    #[test]
    fn a_member_is_found_in_its_object_and_nowhere_deeper() {
        for (text, expected) in [
            (r#"{"data":{"a": 1.10}}"#, Some(r#"{"a":1.10}"#)),
            (
                r#" { "data" : [ 1 , { "x" : 2 } ] , "b" : 1 } "#,
                Some(r#"[1,{"x":2}]"#),
            ),
            (
                r#"{"a":{"data":1},"b":["data",2],"c":"data","data":3}"#,
                Some("3"),
            ),
            (r#"{"\u0064ata":"x,\"}]"}"#, Some(r#""x,\"}]""#)),
            (r#"{"a":"\\","data":null,"data":1}"#, Some("null")),
            (r#"{"dat\u0061":-1e5 }"#, Some("-1e5")),
            (r#"{"data2":1,"Data":1," data":1}"#, None),
            (r#"{"a":{"data":1}}"#, None),
            (r#"[{"data":1}]"#, None),
            (r#""data""#, None),
            ("{}", None),
            ("", None),
        ] {
            let found = compact_member(text, "data");
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
