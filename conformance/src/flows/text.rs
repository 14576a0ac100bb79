//! Making texts: of a format, or as long as a schema allows.

use serde_json::{Map, Value};

use super::body::Bodies;

/// The longest text that is made, in characters.
const LONGEST: u64 = 300;

/// Words that free text consists of.
const WORDS: [&str; 12] = [
    "conformance",
    "checks",
    "whether",
    "what",
    "was",
    "written",
    "is",
    "read",
    "again",
    "without",
    "loss",
    "or",
];

impl Bodies<'_> {
    /// Other texts in the place of one: of the same format, and as long as is allowed where there is none.
    pub(super) fn texts(
        &self,
        objects: &[&Map<String, Value>],
        old: &str,
        count: u64,
        lengths: (Option<u64>, Option<u64>),
    ) -> Vec<Value> {
        let format = objects
            .iter()
            .find_map(|schema| schema.get("format")?.as_str());
        let number = self.seed.wrapping_mul(31).wrapping_add(count) % 1_000_000;
        let day = number % 28 + 1;
        let made = match format {
            Some("date-time") => vec![format!("2031-03-{day:02}T10:20:30+02:00")],
            Some("date") => vec![format!("2031-03-{day:02}")],
            Some("time") => vec![format!("10:20:{day:02}Z")],
            Some("duration") => vec![format!("PT{day}H")],
            Some("email" | "idn-email") => vec![format!("conformance.{number}@example.com")],
            Some("hostname" | "idn-hostname") => vec![format!("c{number}.example.com")],
            Some("ipv4") => vec![format!("192.0.2.{day}")],
            Some("ipv6") => vec![format!("2001:db8::{day:x}")],
            Some("uuid") => vec![format!("{number:08x}-0000-4000-8000-{number:012x}")],
            Some("uri" | "url" | "iri" | "uri-reference") => {
                vec![format!("{}/c{number}", old.trim_end_matches('/'))]
            }
            Some(_) => Vec::new(),
            // A URL stays on its host: a server may call it.
            None if old.contains("://") => vec![format!("{}/c{number}", old.trim_end_matches('/'))],
            None => {
                let most = lengths.1.unwrap_or(60).min(LONGEST);
                let words = WORDS.iter().cycle().map(|word| format!(" {word}"));
                let mut text = format!("c{number}");
                for word in words {
                    if (text.chars().count() + word.len()) as u64 > most {
                        break;
                    }
                    text += &word;
                }
                let fill = usize::try_from(most)
                    .unwrap_or_default()
                    .saturating_sub(text.chars().count());
                let filled = format!("{text}{}", "x".repeat(fill.min(20)));
                let short: String = text
                    .chars()
                    .take(usize::try_from(most).unwrap_or_default())
                    .collect();
                // A pattern may not take spaces or digits.
                let letter = char::from(b'a' + u8::try_from(number % 26).unwrap_or_default());
                let digit = |place: usize| {
                    let power = 10_u64.pow(u32::try_from(place % 6).unwrap_or(0));
                    char::from(b'0' + u8::try_from(number / power % 10).unwrap_or_default())
                };
                let length = old.chars().count();
                // The end of it only, as a pattern may begin with what has to stay.
                let same_shape = |from: usize| -> String {
                    old.chars()
                        .enumerate()
                        .map(|(index, one)| match one {
                            _ if index < from => one,
                            '0'..='9' if from == 0 => digit(index),
                            '0'..='9' => digit(length - 1 - index),
                            'a'..='z' => letter,
                            'A'..='Z' => letter.to_ascii_uppercase(),
                            other => other,
                        })
                        .collect()
                };
                let ends = [6, 4, 3, 2, 1].into_iter();
                let ends = ends.filter(|end| *end < length);
                let shaped = std::iter::once(0).chain(ends.map(|end| length - end));
                let long_enough = |text: &String| {
                    lengths
                        .0
                        .is_none_or(|least| text.chars().count() as u64 >= least)
                };
                let made = vec![filled, short].into_iter();
                made.chain(shaped.map(same_shape))
                    .filter(long_enough)
                    .collect()
            }
        };
        made.into_iter().map(Value::String).collect()
    }
}
