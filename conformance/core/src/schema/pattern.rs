//! Patterns of ECMA-262, read as they are without the `u` flag, which most authors have in mind.
//!
//! [`translated`] writes a pattern in the syntax of the validator's engine. Beyond what JSON Schema asks for it takes what Annex B of
//! ECMA-262 adds: `[\w-.]`, `{` and `]` as characters, octal and identity escapes. `\p{..}` and `\u{..}` are read as with the flag. Not
//! translated: surrogates that stand alone match nothing, and `\b` knows letters beyond ASCII.

mod translation;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::validator;
use crate::finding::Undecided;

thread_local! {
    /// Compiled patterns, since the same ones are asked for again and again.
    static PATTERNS: RefCell<HashMap<String, Result<Rc<Pattern>, Undecided>>> = RefCell::default();
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern(Validator);

impl Pattern {
    /// Whether some part of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_valid(&Value::from(text))
    }
}

/// Compiles a pattern, once.
///
/// # Errors
/// Says why it is not a regular expression.
pub fn pattern(source: &str) -> Result<Rc<Pattern>, Undecided> {
    if let Some(known) = PATTERNS.with_borrow(|patterns| patterns.get(source).cloned()) {
        return known;
    }
    let compiled = validator::compile(&json!({"pattern": translated(source)}));
    let compiled = compiled.map(|validator| Rc::new(Pattern(validator)));
    PATTERNS.with_borrow_mut(|patterns| patterns.insert(source.to_owned(), compiled.clone()));
    compiled
}

/// Whether `source` is a regular expression.
#[must_use]
pub fn is_pattern(source: &str) -> bool {
    is_plain(source) || pattern(source).is_ok()
}

/// Why `source` is not a regular expression; none where it is one.
#[must_use]
pub fn fault(source: &str) -> Option<String> {
    if is_pattern(source) {
        return None;
    }
    let source = translated(source);
    let said = match fancy_regex::Expr::parse_tree(&source) {
        Err(error) => error.to_string(),
        Ok(_) => match regex_syntax::parse(&source) {
            Err(regex_syntax::Error::Parse(error)) => error.kind().to_string(),
            Err(regex_syntax::Error::Translate(error)) => error.kind().to_string(),
            _ => "it is too large".to_owned(),
        },
    };
    // The parser says where it stopped before it says why.
    let why = said.rsplit_once(": ").map_or(&*said, |(_, why)| why);
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    Some(first.unwrap_or_default() + letters.as_str())
}

/// Whether `text` matches `source`; what is not a regular expression matches nothing.
#[must_use]
pub fn matches(source: &str, text: &str) -> bool {
    pattern(source).is_ok_and(|pattern| pattern.is_match(text))
}

/// The pattern in the syntax of the engine; as it is where it means the same there, or is not a regular expression.
#[must_use]
pub fn translated(source: &str) -> Cow<'_, str> {
    if is_plain(source) {
        return Cow::Borrowed(source);
    }
    match translation::of(source) {
        Some(text) if text != source => Cow::Owned(text),
        _ => Cow::Borrowed(source),
    }
}

/// Whether a text certainly is a regular expression, and means the same in both syntaxes.
fn is_plain(source: &str) -> bool {
    let is_plain = |character: char| {
        character.is_alphanumeric() || "^$_ -,:;@#%&=!'\"<>~`/".contains(character)
    };
    source.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_ecma_262_reads_them_without_the_u_flag() {
        for (pattern, accepted, refused) in [
            // A class beside a hyphen, the hyphen in any place.
            (r"^[\w-.]+$", &["a-b.c", "_"][..], &["a b", "ä"][..]),
            (r"^[.-\w]+$", &["a-b."], &["/"]),
            (r"^[\w--z]+$", &["a-z"], &["."]),
            (r"^[\d-x]+$", &["1-x"], &["y"]),
            (r"^[a\-z]+$", &["a-z"], &["b"]),
            (r"^[a-]+$", &["a-"], &["b"]),
            (r"^[-a]+$", &["a-"], &["b"]),
            // Identity escapes.
            (r"^\-\_\/\@\#\ \<\>\'$", &["-_/@# <>'"], &["\\-"]),
            (r"^\a\e\z\A\Z\h$", &["aezAZh"], &["a"]),
            (r"^[\_\/\.\B\&&~~]+$", &["_/.B&~"], &["\\"]),
            (r"^\k$", &["k"], &["\\k"]),
            (r"^\p\P$", &["pP"], &["p"]),
            (r"^\x\u\xg1\u12$", &["xuxg1u12"], &["x"]),
            // Brackets and braces as characters.
            (r"^{$", &["{"], &["\\{"]),
            (r"^a{,2}}$", &["a{,2}}"], &["aa"]),
            (r"^a{x}]$", &["a{x}]"], &["a"]),
            (r"^[[]]$", &["[]"], &["["]),
            (r"^[^[]$", &["a"], &["["]),
            (r"^a{2}b{1,}c{0,1}$", &["aab", "aabbc"], &["ab"]),
            // Octal escapes, backreferences, and what is neither.
            (r"^\101\60$", &["A0"], &["\u{1}"]),
            (r"^[\101\8]+$", &["A8"], &["B"]),
            (r"^\400$", &["\u{20}0"], &["\u{100}"]),
            (r"^\0$", &["\0"], &["0"]),
            (r"^(a|b)\1$", &["aa", "bb"], &["ab"]),
            (r"^(?<n>a|b)\k<n>$", &["aa"], &["ab"]),
            (r"^(a)\2$", &["a\u{2}"], &["aa"]),
            (r"^(?:a)\1$", &["a\u{1}"], &["aa"]),
            // Control characters.
            (r"^\cJ\ca$", &["\n\u{1}"], &["cJ"]),
            (r"^\c1$", &["\\c1"], &["c1"]),
            (r"^[\c1\cA\b]+$", &["\u{11}\u{1}\u{8}"], &["c"]),
            (r"^\t\v\f\r\n$", &["\t\u{b}\u{c}\r\n"], &["t"]),
            // Classes.
            (r"^\d$", &["1"], &["१"]),
            (r"^\w$", &["a"], &["é"]),
            (r"^\s$", &["\u{feff}", "\u{2003}"], &["\u{85}"]),
            (r"^[^\W\d]+$", &["ab_"], &["1", "-", "é"]),
            (r"^[\S\s]$", &["a", "\n"], &["ab"]),
            (r"^[]$", &[], &["", "a"]),
            (r"^[^]$", &["\n"], &[""]),
            (r"^.$", &["a", "\u{85}"], &["\n", "\u{2028}"]),
            // Code points, and halves of them.
            (r"^\u0041\x42\u{1F600}\uD83D\uDE00$", &["AB😀😀"], &["u"]),
            (
                r"^[\uD83D\uDE00\u0000-\uFFFF]$",
                &["😀", "\u{e000}"],
                &["😁"],
            ),
            (r"^[\uD800-\uDFFF]$", &[], &["a", "\u{d7ff}"]),
            (
                r"^\p{Lu}[\p{Script=Greek}\P{L}]$",
                &["Éα", "A1"],
                &["aα", "Ab"],
            ),
            // Lookaheads that are repeated, as Annex B admits.
            (r"^(?=a)*b+$", &["b", "bb"], &["a", "ab"]),
            (r"^(?=a)+a$", &["a"], &["b", ""]),
            (r"^(?!a){2,3}?.$", &["b"], &["a"]),
            (r"^(?!a){0,1}.$", &["a", "b"], &["aa"]),
            (r"^(?=a){x$", &[], &["a"]),
            // Looking around, with the classes of ECMA-262 there too.
            (
                r"^(?!\d)(?=[\w-.])\w+(?<!_)(?<=\w)$",
                &["a1"],
                &["1a", "a_", "é"],
            ),
        ] {
            let compiled = super::pattern(pattern);
            let compiled = compiled.unwrap_or_else(|error| panic!("{pattern}: {error:?}"));
            for text in accepted {
                assert!(
                    compiled.is_match(text),
                    "{pattern} {text:?}: {}",
                    translated(pattern)
                );
            }
            for text in refused {
                assert!(
                    !compiled.is_match(text),
                    "{pattern} {text:?}: {}",
                    translated(pattern)
                );
            }
        }
    }

    #[test]
    fn what_is_no_regular_expression_stays_one_that_is_none() {
        for pattern in [
            "(", "[a", "a)", "[z-a]", "*", "a**", "\\", "[\\", "^[a-z+$", "(?<n", "(?", "(?=a)**",
        ] {
            assert!(super::pattern(pattern).is_err(), "{pattern}");
            assert!(!matches(pattern, "a"), "{pattern}");
        }
    }

    #[test]
    fn plain_patterns_stay_as_they_are() {
        for pattern in ["", "^whk_$", "a-b", "^(a|b)+c*$", "^x-"] {
            assert_eq!(translated(pattern), pattern);
        }
    }
}
