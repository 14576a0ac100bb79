//! Strings of the formats that values are held to, of any length that they may have.

/// The beginning of a URI.
const HOST: &str = "https://example.com/";

/// Strings of a format, and one that is nearly of it.
pub(super) fn of_format(format: &str) -> &'static [&'static str] {
    match format {
        "date" => &["2024-02-29", "2023-02-29"],
        "date-time" => &["2024-02-29T12:00:00Z", "2024-02-29T12:00:00"],
        "time" => &["12:00:00Z", "12:00:00"],
        "duration" => &["P1D", "P1"],
        "email" | "idn-email" => &["a@example.com", "a@", "ü@example.com"],
        "hostname" => &["example.com", "-a.example"],
        "idn-hostname" => &["example.com", "bücher.example", "-a.example"],
        "ipv4" => &["192.0.2.1", "192.0.2.256"],
        "ipv6" => &["2001:db8::1", "2001:db8:::1"],
        "uri" => &["https://example.com/a", "urn:a:b", "/a"],
        "uri-reference" => &["/a", "https://example.com/a", "\\a"],
        "iri" => &["https://example.com/ü", "https://example.com/a", "/ü"],
        "iri-reference" => &["/ü", "https://example.com/ü", "\\ü"],
        "uri-template" => &["/a/{b}", "/a/{b"],
        "uuid" => &[
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "3f2504e0-4f89-41d3-9a0c-0305e82c330",
        ],
        "json-pointer" => &["/a", "", "a"],
        "relative-json-pointer" => &["0/a", "/a"],
        "regex" => &["^a$", "("],
        _ => &[],
    }
}

/// How many characters strings of a format have at least and at most, where its grammar says so.
pub(in super::super) fn lengths(format: &str) -> Option<(usize, Option<usize>)> {
    Some(match format {
        "date" => (10, Some(10)),
        // RFC 3339 has no limit of the digits of a second.
        "date-time" => (20, None),
        "time" => (9, None),
        "duration" => (3, None),
        "email" | "idn-email" => (3, None),
        "hostname" => (1, Some(253)),
        "ipv4" => (7, Some(15)),
        "ipv6" => (2, Some(45)),
        // A scheme and a colon.
        "uri" | "iri" => (2, None),
        "uuid" => (36, Some(36)),
        "relative-json-pointer" => (1, None),
        _ => return None,
    })
}

/// Formats of which no string is of two.
const APART: [&str; 8] = [
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "ipv4",
    "ipv6",
    "uuid",
];

/// Whether no string is of both formats.
pub(in super::super) fn exclude(one: &str, other: &str) -> bool {
    one != other && APART.contains(&one) && APART.contains(&other)
}

/// A string of a format with `length` characters, where one is known.
pub(super) fn of_length(format: &str, length: usize) -> Option<String> {
    if let Some((least, most)) = lengths(format)
        && (length < least || most.is_some_and(|most| length > most))
    {
        return None;
    }
    match format {
        "date-time" => fraction("2024-02-29T12:00:00", length),
        "time" => fraction("12:00:00", length),
        "duration" => Some(format!("P{}D", "1".repeat(length - 2))),
        "email" | "idn-email" => {
            let local = (length - 2).min(64);
            Some(format!(
                "{}@{}",
                "a".repeat(local),
                host(length - local - 1)
            ))
        }
        "hostname" => Some(host(length)),
        "ipv4" => Some(numbers(length, '.', 4)),
        "ipv6" => Some(ipv6(length)),
        "uri" | "iri" => Some(match length.checked_sub(HOST.len()) {
            Some(path) => format!("{HOST}{}", "a".repeat(path)),
            None => format!("a:{}", "a".repeat(length - 2)),
        }),
        _ => None,
    }
}

/// A time in UTC with digits of a second.
fn fraction(time: &str, length: usize) -> Option<String> {
    match length.checked_sub(time.len() + 1)? {
        0 => Some(format!("{time}Z")),
        1 => None,
        more => Some(format!("{time}.{}Z", "1".repeat(more - 1))),
    }
}

/// A name of labels that are not too long.
fn host(length: usize) -> String {
    const LABEL: usize = 63;
    let mut name = "a".repeat(length.min(LABEL));
    while name.len() < length {
        // No label is empty.
        let rest = length - name.len() - 1;
        if rest == 0 {
            name.pop();
            return format!("{name}.a");
        }
        name = format!("{name}.{}", "a".repeat(rest.min(LABEL)));
    }
    name
}

/// `count` numbers of about as many digits, with `separator` between them.
fn numbers(length: usize, separator: char, count: usize) -> String {
    let digits = length - (count - 1);
    let all = (0..count).map(|index| {
        let more = usize::from(index < digits % count);
        "1".repeat(digits / count + more)
    });
    all.collect::<Vec<_>>().join(&separator.to_string())
}

fn ipv6(length: usize) -> String {
    match length {
        2 => "::".to_owned(),
        // Groups of up to four digits, the first ones left out.
        3..15 => format!("::{}", numbers(length - 2, ':', (length - 1).div_ceil(5))),
        15..40 => numbers(length, ':', 8),
        _ => format!(
            "1111:1111:1111:1111:1111:1111:{}",
            numbers(length - 30, '.', 4)
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::validator::compile;

    #[test]
    fn strings_of_a_format_have_the_length_that_is_asked_for() {
        for format in [
            "date-time",
            "time",
            "duration",
            "email",
            "idn-email",
            "hostname",
            "ipv4",
            "ipv6",
            "uri",
            "iri",
        ] {
            let valid = compile(&json!({"format": format})).expect("a schema");
            let (least, most) = lengths(format).expect("it has a shortest one");
            let mut found = 0;
            for length in 0..=most.unwrap_or(100) + 1 {
                let text = of_length(format, length);
                assert!(
                    text.is_some() || length <= least + 1 || Some(length) > most,
                    "{format} {length}"
                );
                let Some(text) = text else { continue };
                found += 1;
                assert_eq!(text.chars().count(), length, "{format} {text}");
                assert!(valid.is_valid(&json!(text)), "{format} {text}");
            }
            assert!(found > 5, "{format}");
        }
    }

    #[test]
    fn no_string_is_of_two_formats_that_exclude_each_other() {
        for one in APART {
            for other in APART.iter().filter(|other| exclude(one, other)) {
                let valid = compile(&json!({"format": other})).expect("a schema");
                let made = (1..60).filter_map(|length| of_length(one, length));
                let known = of_format(one)[0].to_owned();
                for text in made.chain([known]) {
                    assert!(!valid.is_valid(&json!(text)), "{text} {one} {other}");
                }
            }
        }
        assert!(!exclude("date", "date") && !exclude("date", "hostname"));
    }

    #[test]
    fn no_string_of_a_format_is_shorter_or_longer_than_is_said() {
        for format in [
            "date",
            "date-time",
            "time",
            "duration",
            "email",
            "ipv4",
            "ipv6",
            "uri",
            "uuid",
            "hostname",
        ] {
            let valid = compile(&json!({"format": format})).expect("a schema");
            let (least, most) = lengths(format).expect("it has a shortest one");
            for text in of_format(format) {
                let length = text.chars().count();
                let within = least <= length && most.is_none_or(|most| length <= most);
                assert!(within || !valid.is_valid(&json!(text)), "{format} {text}");
            }
            // All that is one shorter, of the characters that there are in it.
            if least < 4 {
                let characters: Vec<char> = "aP1D:@./".chars().collect();
                let mut all = vec![String::new()];
                for _ in 1..least {
                    all = all
                        .iter()
                        .flat_map(|text| characters.iter().map(move |one| format!("{text}{one}")))
                        .collect();
                }
                for text in all {
                    assert!(!valid.is_valid(&json!(text)), "{format} {text}");
                }
            }
        }
    }
}
