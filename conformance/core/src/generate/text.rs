//! Texts: lengths, formats, patterns.

use serde_json::{Value, json};

use super::case_name::short;
use super::edge::{Edge, Expect, Spot};
use crate::drift::of_pattern;
use crate::schema::validator::asserts;

/// The longest text that is made to reach a length, in characters.
const LONGEST: u64 = 100_000;

/// The edges of a text.
pub(super) fn edges(spot: &Spot<'_>, value: &str, edges: &mut Vec<Edge>) {
    use Expect::{Either, Invalid, Valid};
    let patterns: Vec<&str> = spot.each("pattern").filter_map(Value::as_str).collect();
    let matching: Vec<String> = patterns.iter().flat_map(|one| of_pattern(one)).collect();
    let mut add = |what: String, length: u64, expect| {
        let candidates = std::iter::once(value).chain(matching.iter().map(String::as_str));
        let exact = |one: &str| one.chars().count() as u64 == length;
        let own = matching.iter().find(|one| exact(one)).cloned();
        let mut texts: Vec<String> = own.into_iter().collect();
        texts.extend(candidates.take(4).map(|one| of_length(one, length)));
        // Which of them the schema takes besides is for the validator to say.
        edges.extend(
            texts
                .into_iter()
                .map(|text| Edge::new(what.clone(), json!(text), expect)),
        );
    };
    let mut wide_texts = Vec::new();
    for least in spot.counts("minLength") {
        if least > LONGEST {
            continue;
        }
        add("at its minimum length".to_owned(), least, Valid);
        if let Some(less) = least.checked_sub(1) {
            add(
                "one character below its minimum length".to_owned(),
                less,
                Invalid,
            );
        }
        add(
            "one character above its minimum length".to_owned(),
            least + 1,
            Valid,
        );
    }
    for most in spot.counts("maxLength") {
        if most > LONGEST {
            continue;
        }
        add("at its maximum length".to_owned(), most, Valid);
        // Lengths are counted in characters, and not in bytes.
        let wide = "é".repeat(usize::try_from(most).unwrap_or_default());
        let what = "at its maximum length, not in ASCII";
        wide_texts.push(Edge::new(what, json!(wide), Valid));
        add(
            "one character above its maximum length".to_owned(),
            most + 1,
            Invalid,
        );
        if let Some(less) = most.checked_sub(1) {
            add(
                "one character below its maximum length".to_owned(),
                less,
                Valid,
            );
        }
    }
    edges.extend(wide_texts);
    for (pattern, texts) in patterns.iter().map(|one| (one, of_pattern(one))) {
        // An HTTP URL without a host is none (RFC 9110, 4.2.1), whatever the pattern of the document says.
        for text in texts.iter().filter(|text| !is_hostless(text)).take(4) {
            let what = format!("is {}, by its pattern", short(&json!(text).to_string()));
            edges.push(Edge::new(what, json!(text), Valid));
        }
        for near in against(value)
            .into_iter()
            .chain(texts.first().into_iter().flat_map(|one| against(one)))
        {
            let what = format!(
                "is {}, against its pattern `{}`",
                short(&json!(near).to_string()),
                short(pattern)
            );
            edges.push(Edge::new(what, json!(near), Invalid));
        }
    }
    for format in spot.each("format").filter_map(Value::as_str) {
        let (right, wrong) = of_format(format);
        for one in right {
            let what = format!("is the {format} {}", short(one));
            edges.push(Edge::new(what, json!(one), Either));
        }
        for one in wrong.iter().filter(|_| asserts(format)) {
            let what = format!(
                "is not a valid {format}: {}",
                short(&json!(one).to_string())
            );
            edges.push(Edge::new(what, json!(one), Invalid));
        }
    }
    edges.push(Edge::new("is empty", json!(""), Expect::Open));
    // Valid text may still mean nothing to a server, but must not break it.
    for (what, text) in [
        ("is not in ASCII", "Zoë 東京 🦀"),
        ("has quotes and other signs", "a'b\"c\\d<e>&f;--"),
        ("is only spaces", "   "),
        ("has a line break", "a\nb"),
        ("has a null character", "a\u{0}b"),
    ] {
        edges.push(Edge::new(what, json!(text), Expect::Open));
    }
}

/// Whether a text starts like an HTTP URL and has no host.
fn is_hostless(text: &str) -> bool {
    let text = text.trim_end_matches('/').to_ascii_lowercase();
    matches!(text.as_str(), "http:" | "https:")
}

/// Texts that nearly are what `text` is.
fn against(text: &str) -> Vec<String> {
    let swapped = match text.to_uppercase() == text {
        true => text.to_lowercase(),
        false => text.to_uppercase(),
    };
    let mut shorter = text.to_owned();
    shorter.pop();
    vec![
        format!("{text}~"),
        format!("~{text}"),
        shorter,
        swapped,
        "~!~".to_owned(),
    ]
}

/// `text` made `length` characters long. Repeating the last character keeps most patterns; of a URL the path grows, as names of hosts
/// are limited.
fn of_length(text: &str, length: u64) -> String {
    let length = usize::try_from(length).unwrap_or_default();
    let is_host = text
        .split_once("://")
        .is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
    let longer = match is_host && text.chars().count() < length {
        true => format!("{text}/"),
        false => text.to_owned(),
    };
    let kept: String = longer.chars().take(length).collect();
    let more = length - kept.chars().count();
    let last = kept.chars().next_back();
    let last = last.filter(|last| !last.is_whitespace() && *last != '/');
    kept + &last.unwrap_or('a').to_string().repeat(more)
}

/// Texts of a format, and texts that certainly are not of it.
pub(super) fn of_format(format: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match format {
        "date" => (
            &["2024-02-29", "1999-12-31"],
            &["~", "2023-02-29", "2023-13-01"],
        ),
        "date-time" => (
            &["2024-02-29T12:00:00Z", "1999-12-31T23:59:59.5+01:00"],
            &["~", "2023-02-29T12:00:00Z", "2024-02-29"],
        ),
        "time" => (&["12:00:00Z"], &["~", "25:00:00Z"]),
        "duration" => (&["P1D", "PT36H"], &["~", "P"]),
        "email" | "idn-email" => (&["a@example.com"], &["~", "a@"]),
        "hostname" | "idn-hostname" => (&["example.com"], &["-a.example", "a b"]),
        "ipv4" => (&["192.0.2.1"], &["~", "192.0.2.256"]),
        "ipv6" => (&["2001:db8::1"], &["~", "2001:db8:::1"]),
        "uri" => (&["https://example.com/a"], &["a b", "/a"]),
        "iri" => (&["https://example.com/a"], &["a b", "/a"]),
        "uri-reference" | "iri-reference" => (&["/a"], &["a b"]),
        "uri-template" => (&["/a/{b}"], &["/a/{b"]),
        "uuid" => (
            &["3f2504e0-4f89-41d3-9a0c-0305e82c3301"],
            &["~", "3f2504e0-4f89-41d3-9a0c-0305e82c330"],
        ),
        "json-pointer" => (&["/a"], &["a"]),
        "relative-json-pointer" => (&["0/a"], &["/a"]),
        "regex" => (&["^a$"], &["("]),
        _ => (&[], &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::validator;

    #[test]
    fn the_beginning_of_a_url_is_not_a_url() {
        for (text, expected) in [
            ("https://", true),
            ("HTTP:", true),
            ("https://a", false),
            ("", false),
        ] {
            assert_eq!(is_hostless(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_of_a_format_are_what_the_validator_says() {
        for format in [
            "date",
            "date-time",
            "time",
            "duration",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "uri",
            "iri",
            "uri-reference",
            "uri-template",
            "uuid",
            "json-pointer",
            "relative-json-pointer",
            "regex",
        ] {
            let schema = validator::compile(&json!({"format": format})).expect("a schema");
            let (right, wrong) = of_format(format);
            assert!(!right.is_empty() && !wrong.is_empty(), "{format}");
            for one in right {
                assert!(schema.is_valid(&json!(one)), "{format} {one}");
            }
            for one in wrong {
                assert!(!schema.is_valid(&json!(one)), "{format} {one}");
            }
        }
    }

    #[test]
    fn a_text_is_cut_or_filled_to_a_length() {
        assert_eq!(of_length("abc", 2), "ab");
        assert_eq!(of_length("ab1", 5), "ab111");
        assert_eq!(of_length("é", 3), "ééé");
        assert_eq!(of_length("", 2), "aa");
        assert_eq!(of_length("https://a.example", 20), "https://a.example/aa");
    }
}
