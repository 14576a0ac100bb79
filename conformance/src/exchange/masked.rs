//! Texts of requests in which secrets have names: reports show the names, and a shell or a later run puts the values in their places.
//!
//! As a template, `${NAME}` stands for a value, `${NAME[..-3]}` for the value without its last three bytes, `${NAME[-3..]}` for these
//! three alone, `${base64:...}` for the Base64 form of a template, `${upper:...}` and `${lower:...}` for a template in another letter case,
//! and `${$}` for a dollar sign.

use data_encoding::BASE64;

use crate::case::key::RUN_ID;

/// Replacement for a secret that has no name, or for reports that are to be read and not to be run.
pub(super) const HIDDEN: &str = "[redacted]";

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    Secret { name: String, slice: Slice },
    Base64(Vec<Self>),
    Cased(LetterCase, Vec<Self>),
}

/// The case of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetterCase {
    Upper,
    Lower,
}

impl LetterCase {
    pub(super) const ALL: [Self; 2] = [Self::Upper, Self::Lower];

    /// The name in a template.
    fn name(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
        }
    }

    /// Letters of ASCII in this case, and everything else as it is.
    pub(super) fn of(self, text: &str) -> String {
        match self {
            Self::Upper => text.to_ascii_uppercase(),
            Self::Lower => text.to_ascii_lowercase(),
        }
    }
}

/// Which bytes of a secret are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slice {
    Whole,
    /// All but this many at the end.
    WithoutLast(usize),
    /// This many at the end.
    Last(usize),
}

impl Slice {
    fn of(self, value: &[u8]) -> &[u8] {
        match self {
            Self::Whole => value,
            Self::WithoutLast(count) => &value[..value.len().saturating_sub(count)],
            Self::Last(count) => &value[value.len().saturating_sub(count)..],
        }
    }
}

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfilled {
    /// Nobody knows the value of this name.
    Unknown(String),
    /// It is not a template, or has a secret without a name.
    Unusable,
}

/// Pieces without two texts in a row.
pub(super) fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (all.last_mut(), piece) {
            (Some(Piece::Text(known)), Piece::Text(more)) => known.extend(more),
            (_, piece) => all.push(piece),
        }
    }
    all
}

/// A text as reports show it, without secrets.
pub(super) fn shown(pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Secret { name, .. } if name == RUN_ID => {
                out.extend_from_slice(format!("${{{RUN_ID}}}").as_bytes());
            }
            Piece::Secret { .. } => out.extend_from_slice(HIDDEN.as_bytes()),
            Piece::Base64(inner) => {
                let whole = matches!(inner.as_slice(), [Piece::Secret { .. }]);
                let inner = String::from_utf8_lossy(&shown(inner)).into_owned();
                let text = if whole {
                    inner
                } else {
                    format!("[base64 of {inner}]")
                };
                out.extend_from_slice(text.as_bytes());
            }
            Piece::Cased(case, inner) => {
                let inner = String::from_utf8_lossy(&shown(inner)).into_owned();
                let name = case.name();
                out.extend_from_slice(format!("[{inner} in {name} case]").as_bytes());
            }
        }
    }
    out
}

/// A text as a template; none where it is not UTF-8.
pub(super) fn template(pieces: &[Piece]) -> Option<String> {
    let mut out = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                let text = std::str::from_utf8(text).ok()?;
                let before_name = index + 1 < pieces.len();
                match text.strip_suffix('$').filter(|_| before_name) {
                    Some(rest) => {
                        out += &rest.replace("${", "${$}{");
                        out += "${$}";
                    }
                    None => out += &text.replace("${", "${$}{"),
                }
            }
            Piece::Secret { name, slice } => {
                out += &match slice {
                    Slice::Whole => format!("${{{name}}}"),
                    Slice::WithoutLast(count) => format!("${{{name}[..-{count}]}}"),
                    Slice::Last(count) => format!("${{{name}[-{count}..]}}"),
                };
            }
            Piece::Base64(inner) => out += &format!("${{base64:{}}}", template(inner)?),
            Piece::Cased(case, inner) => {
                out += &format!("${{{}:{}}}", case.name(), template(inner)?);
            }
        }
    }
    Some(out)
}

/// Reads a template.
fn parse(mut text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let push = |pieces: &mut Vec<Piece>, text: &str| match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(known)) => known.extend_from_slice(text.as_bytes()),
        _ => pieces.push(Piece::Text(text.as_bytes().to_vec())),
    };
    while let Some(start) = text.find("${") {
        push(&mut pieces, &text[..start]);
        let inner = &text[start + 2..];
        let end = end(inner)?;
        let (expression, rest) = (&inner[..end], &inner[end + 1..]);
        text = rest;
        if expression == "$" {
            push(&mut pieces, "$");
        } else if let Some(inner) = expression.strip_prefix("base64:") {
            pieces.push(Piece::Base64(parse(inner)?));
        } else if let Some((case, inner)) = LetterCase::ALL.into_iter().find_map(|case| {
            let inner = expression.strip_prefix(case.name())?;
            Some((case, inner.strip_prefix(':')?))
        }) {
            pieces.push(Piece::Cased(case, parse(inner)?));
        } else {
            pieces.push(secret(expression)?);
        }
    }
    push(&mut pieces, text);
    Some(pieces)
}

/// Where the expression ends that a text begins with.
fn end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if index > 0 && text.as_bytes()[index - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(index),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn secret(expression: &str) -> Option<Piece> {
    let (name, slice) = match expression.split_once('[') {
        None => (expression, Slice::Whole),
        Some((name, range)) => {
            let range = range.strip_suffix(']')?;
            let slice = match (range.strip_prefix("..-"), range.strip_suffix("..")) {
                (Some(count), _) => Slice::WithoutLast(count.parse().ok()?),
                (None, Some(count)) => Slice::Last(count.strip_prefix('-')?.parse().ok()?),
                (None, None) => return None,
            };
            (name, slice)
        }
    };
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    (!name.is_empty() && name.chars().all(is_name)).then(|| Piece::Secret {
        name: name.to_owned(),
        slice,
    })
}

/// Whether a template has a secret of which something was changed.
pub(crate) fn is_spoiled(template: &str) -> bool {
    fn any(pieces: &[Piece]) -> bool {
        let secrets = pieces
            .iter()
            .filter(|piece| !matches!(piece, Piece::Text(_)));
        let text = |piece: &Piece| matches!(piece, Piece::Text(text) if text.last() != Some(&b' '));
        let several = secrets.clone().count() > 0 && pieces.iter().any(text);
        several
            || pieces.iter().any(|piece| match piece {
                Piece::Text(_) => false,
                Piece::Secret { slice, .. } => *slice != Slice::Whole,
                Piece::Base64(inner) => any(inner),
                Piece::Cased(..) => true,
            })
    }
    parse(template).is_some_and(|pieces| any(&pieces))
}

/// The bytes of a template.
///
/// # Errors
/// When a name is unknown, or the text is not a template.
pub(crate) fn fill(
    template: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<u8>, Unfilled> {
    if template.contains(HIDDEN) {
        return Err(Unfilled::Unusable);
    }
    filled(&parse(template).ok_or(Unfilled::Unusable)?, value)
}

fn filled(pieces: &[Piece], value: &dyn Fn(&str) -> Option<String>) -> Result<Vec<u8>, Unfilled> {
    let mut out = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Secret { name, slice } => {
                let known = value(name).ok_or_else(|| Unfilled::Unknown(name.clone()))?;
                out.extend_from_slice(slice.of(known.as_bytes()));
            }
            Piece::Base64(inner) => {
                out.extend(BASE64.encode(&filled(inner, value)?).into_bytes());
            }
            Piece::Cased(case, inner) => {
                let inner = String::from_utf8(filled(inner, value)?);
                let inner = inner.map_err(|_| Unfilled::Unusable)?;
                out.extend(case.of(&inner).into_bytes());
            }
        }
    }
    Ok(out)
}

/// The variable that stands for the credential of this name, such as `X_API_KEY`.
pub(crate) fn variable(name: &str) -> String {
    /// Variables that a shell needs itself.
    const TAKEN: [&str; 12] = [
        "PATH", "HOME", "IFS", "PWD", "USER", "SHELL", "LANG", "ENV", "HOST", "PS1", "PS2", "TERM",
    ];
    let upper = name.to_ascii_uppercase();
    let name = upper.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    if TAKEN.contains(&name.as_str()) {
        return format!("API_{name}");
    }
    let digit = name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty();
    format!("{}{name}", if digit { "_" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(slice: Slice) -> Piece {
        Piece::Secret {
            name: "KEY".to_owned(),
            slice,
        }
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    #[test]
    fn a_template_is_read_as_it_was_written_whatever_the_text_has() {
        let altered = || {
            vec![
                secret(Slice::WithoutLast(3)),
                text("x"),
                secret(Slice::Last(2)),
            ]
        };
        for (pieces, written, filled) in [
            (vec![text("a ${b} $")], "a ${$}{b} $", "a ${b} $"),
            (
                vec![text("$"), secret(Slice::Whole), text("}")],
                "${$}${KEY}}",
                "$hunter22}",
            ),
            (altered(), "${KEY[..-3]}x${KEY[-2..]}", "huntex22"),
            (
                vec![text("Basic "), Piece::Base64(altered())],
                "Basic ${base64:${KEY[..-3]}x${KEY[-2..]}}",
                "Basic aHVudGV4MjI=",
            ),
            (
                vec![
                    text("Bearer "),
                    Piece::Cased(LetterCase::Upper, vec![secret(Slice::Whole)]),
                ],
                "Bearer ${upper:${KEY}}",
                "Bearer HUNTER22",
            ),
        ] {
            assert_eq!(template(&pieces).as_deref(), Some(written));
            let value = |name: &str| (name == "KEY").then(|| "hunter22".to_owned());
            assert_eq!(fill(written, &value).unwrap(), filled.as_bytes());
            let shown = String::from_utf8_lossy(&shown(&pieces)).to_lowercase();
            assert!(!shown.contains("hunter"), "{shown}");
        }
        assert!(is_spoiled("Bearer ${KEY}x") && is_spoiled("${base64:${KEY[..-1]}}"));
        assert!(is_spoiled("Bearer ${lower:${KEY}}"));
        assert!(!is_spoiled("Bearer ${KEY}") && !is_spoiled("Basic ${base64:${KEY}}"));
    }

    #[test]
    fn what_is_not_a_template_is_not_filled_in() {
        let none = |_: &str| None;
        assert_eq!(
            fill("${KEY}", &none),
            Err(Unfilled::Unknown("KEY".to_owned()))
        );
        for text in ["${", "${a b}", "${KEY[1]}", "${KEY[..-x]}", "a [redacted]"] {
            assert_eq!(fill(text, &none), Err(Unfilled::Unusable), "{text}");
        }
    }

    #[test]
    fn a_variable_is_a_name_that_the_shell_leaves_alone() {
        assert_eq!(variable("X-API-Key"), "X_API_KEY");
        assert_eq!(variable("path"), "API_PATH");
        assert_eq!(variable("2fa"), "_2FA");
        assert_eq!(variable(""), "_");
    }
}
