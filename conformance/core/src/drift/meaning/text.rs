//! Strings that match patterns, formats and lengths.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::lookaround;
pub(super) use crate::schema::pattern::matches;
use crate::schema::pattern::translated;

/// How many strings one pattern yields.
const LIMIT: usize = 12;

/// How long a string may get that is made of a pattern.
pub(super) const LENGTH: usize = 5_000;

/// How long a string may get that is made as long as a limit says.
pub(super) const LONGEST: usize = 15_000;

/// Strings that match `pattern`, the simplest first.
pub fn of_pattern(pattern: &str) -> Vec<String> {
    let parsed = regex_syntax::ParserBuilder::new()
        .unicode(true)
        .build()
        .parse(&translated(pattern));
    let mut found = match parsed {
        Ok(hir) => strings(&hir, 0),
        Err(_) => return lookaround::strings(pattern),
    };
    found.retain(|text| text.len() <= LENGTH);
    found.truncate(LIMIT);
    found
}

fn strings(hir: &Hir, depth: usize) -> Vec<String> {
    if depth > 20 {
        return vec![String::new()];
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => vec![String::from_utf8_lossy(&literal.0).into_owned()],
        HirKind::Class(class) => characters(class),
        HirKind::Repetition(repetition) => {
            let inner = strings(&repetition.sub, depth + 1);
            let least = repetition.min as usize;
            let most = repetition.max.map_or(least + 2, |max| max as usize);
            let mut all = Vec::new();
            for count in [least, least + 1, most] {
                if count > most || count > LENGTH {
                    continue;
                }
                for one in inner.iter().take(4) {
                    if one.len() * count <= LENGTH {
                        all.push(one.repeat(count));
                    }
                }
            }
            unique(all)
        }
        HirKind::Capture(capture) => strings(&capture.sub, depth + 1),
        HirKind::Alternation(branches) => unique(
            branches
                .iter()
                .flat_map(|branch| strings(branch, depth + 1))
                .collect(),
        ),
        HirKind::Concat(parts) => {
            let parts: Vec<Vec<String>> =
                parts.iter().map(|part| strings(part, depth + 1)).collect();
            let first = |index: usize| parts[index].first().cloned().unwrap_or_default();
            let simple: String = (0..parts.len()).map(first).collect();
            let mut all = vec![simple];
            // One part varies at a time.
            for (varied, part) in parts.iter().enumerate() {
                for other in part.iter().skip(1).take(4) {
                    all.push(
                        (0..parts.len())
                            .map(|index| {
                                if index == varied {
                                    other.clone()
                                } else {
                                    first(index)
                                }
                            })
                            .collect(),
                    );
                }
            }
            unique(all)
        }
    }
}

/// A few characters of a class, those that are easy to read first.
pub(super) fn characters(class: &Class) -> Vec<String> {
    let inside = |wanted: char| match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&wanted)),
        Class::Bytes(class) => class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&(wanted as u8))),
    };
    let mut all: Vec<String> = ['a', '0', 'A', '-', '_', ' ', 'é']
        .into_iter()
        .filter(|wanted| wanted.is_ascii() || matches!(class, Class::Unicode(_)))
        .filter(|wanted| inside(*wanted))
        .map(String::from)
        .collect();
    if let Class::Unicode(class) = class {
        all.extend(
            class
                .ranges()
                .iter()
                .take(2)
                .map(|range| range.start().to_string()),
        );
    }
    unique(all)
}

pub(super) fn unique(all: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
        if kept.len() >= LIMIT {
            break;
        }
    }
    kept
}

/// `text` made `length` characters long, where that is possible.
pub(super) fn of_length(text: &str, length: usize) -> String {
    let count = text.chars().count();
    if count >= length {
        return text.chars().take(length).collect();
    }
    // Repeating the last character keeps most patterns.
    let last = text.chars().last().unwrap_or('a');
    text.chars()
        .chain(std::iter::repeat_n(
            last,
            length.min(LONGEST) - count.min(length.min(LONGEST)),
        ))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_a_pattern_match_it() {
        for pattern in [
            "^ord_[0-9]+$",
            "^[A-Z]{3}$",
            "a|b|c",
            "^(https?)://[^/]+/x$",
            "^\\d{4}-\\d{2}$",
            "^\\p{L}+$",
            "",
            "^.{3,5}$",
            "^(?!a)b",
        ] {
            let all = of_pattern(pattern);
            assert!(!all.is_empty(), "{pattern}");
            assert!(
                all.iter().any(|text| matches(pattern, text)),
                "{pattern}: {all:?}"
            );
        }
        assert!(of_pattern("(").is_empty());
    }

    #[test]
    fn lengths_are_cut_or_filled() {
        assert_eq!(of_length("abc", 2), "ab");
        assert_eq!(of_length("ab1", 5), "ab111");
        assert_eq!(of_length("", 2), "aa");
    }
}
