//! Changes of a complete request, with the headers of the command line: credentials that are left out or spoiled, and cookies.

use super::serialize::{decode, encode};

/// A change of a complete request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// Does something to a credential. Nothing happens where the request does not have it, except that an unknown one is set.
    Credential { place: Place, tamper: Tamper },
    /// Sets a cookie beside the others, or removes it where there is no value.
    Cookie { name: String, value: Option<String> },
}

/// Where a request has a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A header that holds nothing else.
    Header(String),
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
    /// `Authorization`, with a scheme such as `Bearer` in front of the credential.
    Authorization(String),
}

/// A change to a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tamper {
    /// It is left out.
    Remove,
    /// It is one that nobody was given.
    Unknown,
    /// It lacks its last character.
    Shorten,
    /// It has one more character.
    Lengthen,
    /// One of its characters is another.
    Alter,
    /// Its letters are in upper case, or in lower case where they all were. Nothing happens to digits, nor to hexadecimal digits, which
    /// are the same in both.
    OtherCase,
    /// It stands behind the name of another scheme.
    OtherScheme,
}

impl Tamper {
    /// Returns the change in words, to follow the name of a credential.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Remove => "left out",
            Self::Unknown => "that nobody was given",
            Self::Shorten => "without its last character",
            Self::Lengthen => "with one more character",
            Self::Alter => "with one other character",
            Self::OtherCase => "in another letter case",
            Self::OtherScheme => "behind the name of another scheme",
        }
    }
}

/// A credential that nobody was given.
pub const UNKNOWN: &str = "conformance-unknown-credential";

impl Change {
    /// Makes the change.
    pub(super) fn make(
        &self,
        query: &mut Vec<(String, String)>,
        headers: &mut Vec<(String, String)>,
    ) {
        match self {
            Self::Cookie { name, value } => set_cookie(headers, name, |_| value.clone()),
            Self::Credential { place, tamper } => match place {
                Place::Cookie(name) => {
                    set_cookie(headers, name, |old| tampered(old, *tamper));
                }
                Place::Query(name) => {
                    let old = query.iter().find(|(known, _)| known == name);
                    let new = tampered(old.map(|(_, value)| decode(value)).as_deref(), *tamper);
                    query.retain(|(known, _)| known != name);
                    query.extend(new.map(|new| (name.clone(), encode(&new))));
                }
                Place::Header(name) => {
                    set_header(headers, name, |old| tampered(old, *tamper));
                }
                Place::Authorization(scheme) => {
                    set_header(headers, "Authorization", |old| {
                        authorization(scheme, old, *tamper)
                    });
                }
            },
        }
    }
}

fn set_header(
    headers: &mut Vec<(String, String)>,
    name: &str,
    change: impl FnOnce(Option<&str>) -> Option<String>,
) {
    let is_own = |known: &str| known.eq_ignore_ascii_case(name);
    let old = headers.iter().find(|(known, _)| is_own(known));
    let new = change(old.map(|(_, value)| value.as_str()));
    headers.retain(|(known, _)| !is_own(known));
    headers.extend(new.map(|new| (name.to_owned(), new)));
}

fn set_cookie(
    headers: &mut Vec<(String, String)>,
    name: &str,
    change: impl FnOnce(Option<&str>) -> Option<String>,
) {
    set_header(headers, "Cookie", |old| {
        let pairs = old.unwrap_or_default().split(';').map(str::trim);
        let (own, mut rest): (Vec<&str>, Vec<&str>) = pairs
            .filter(|pair| !pair.is_empty())
            .partition(|pair| pair.split('=').next() == Some(name));
        let own = own.first().and_then(|pair| pair.split_once('='));
        let new = change(own.map(|(_, value)| value)).map(|new| format!("{name}={new}"));
        rest.extend(new.as_deref());
        (!rest.is_empty()).then(|| rest.join("; "))
    });
}

/// The credential behind the name of its scheme. Of a user name with a password the password is changed.
fn authorization(scheme: &str, old: Option<&str>, tamper: Tamper) -> Option<String> {
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let old = old.and_then(|old| old.split_once(' '));
    let own = old.filter(|(name, _)| name.eq_ignore_ascii_case(scheme));
    let secret = own.map(|(_, secret)| secret.trim());
    if tamper == Tamper::OtherScheme {
        let other = if is_basic { "Bearer" } else { "Basic" };
        return secret.map(|secret| format!("{other} {secret}"));
    }
    let new = match (is_basic, secret.and_then(base64::decode)) {
        (true, Some(known)) => {
            let (user, password) = known.split_once(':')?;
            let password = tampered(Some(password), tamper)?;
            Some(base64::encode(&format!("{user}:{password}")))
        }
        (true, None) => {
            let new = tampered(None, tamper)?;
            Some(base64::encode(&format!("conformance:{new}")))
        }
        (false, _) => tampered(secret, tamper),
    };
    let scheme = own.map_or(scheme, |(name, _)| name);
    new.map(|new| format!("{scheme} {new}"))
}

/// A credential with something done to it; none where it is left out, or is not there.
fn tampered(old: Option<&str>, tamper: Tamper) -> Option<String> {
    match tamper {
        Tamper::Unknown => Some(UNKNOWN.to_owned()),
        Tamper::Remove | Tamper::OtherScheme => None,
        Tamper::Shorten => {
            let old = old?;
            let end = old.char_indices().next_back().map_or(0, |(end, _)| end);
            // Nothing at all is a credential that was left out.
            Some(old[..end].to_owned()).filter(|rest| !rest.is_empty())
        }
        Tamper::Lengthen => Some(format!("{}x", old?)),
        Tamper::Alter => Some(altered(old?)),
        Tamper::OtherCase => Some(in_other_case(old?)),
    }
}

/// The last word in upper case, or in lower case where it has no lower-case letter: before it may stand the name of a scheme. UUIDs and
/// other hexadecimal numbers stay as they are, as their case means nothing (RFC 9562, 4).
fn in_other_case(old: &str) -> String {
    let start = old.rfind(' ').map_or(0, |space| space + 1);
    let (before, word) = old.split_at(start);
    let has_case = |letter: char| letter.is_ascii_alphabetic() && !letter.is_ascii_hexdigit();
    let other = match word.chars().any(has_case) {
        false => word.to_owned(),
        true if word.contains(|letter: char| letter.is_ascii_lowercase()) => {
            word.to_ascii_uppercase()
        }
        true => word.to_ascii_lowercase(),
    };
    format!("{before}{other}")
}

/// Another letter or digit in the last third. Not the last character: in Base64 it may have bits that mean nothing. The new one is of the
/// same kind and says nothing of the old one, as reports show it.
fn altered(old: &str) -> String {
    let mut letters: Vec<char> = old.chars().collect();
    let start = letters.len() * 2 / 3;
    let places = (start..letters.len()).chain((0..start).rev());
    let mut places = places.filter(|at| letters[*at].is_ascii_alphanumeric());
    match places.next() {
        Some(at) => {
            letters[at] = match letters[at] {
                '7' => '3',
                '0'..='9' => '7',
                'e' => 'b',
                'a'..='f' => 'e',
                'E' => 'B',
                'A'..='F' => 'E',
                'x' => 'y',
                'X' => 'Y',
                letter if letter.is_ascii_lowercase() => 'x',
                _ => 'X',
            };
        }
        None => letters.push('x'),
    }
    letters.into_iter().collect()
}

/// Base64 of RFC 4648, with padding, as far as `Basic` needs it.
mod base64 {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub(super) fn encode(text: &str) -> String {
        let mut out = String::new();
        for chunk in text.as_bytes().chunks(3) {
            let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for index in 0..4 {
                let value = (bits >> (18 - 6 * index)) & 63;
                match index <= chunk.len() {
                    true => out.push(char::from(LETTERS[value as usize])),
                    false => out.push('='),
                }
            }
        }
        out
    }

    pub(super) fn decode(text: &str) -> Option<String> {
        let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
        for letter in text.trim_end_matches('=').bytes() {
            let value = LETTERS.iter().position(|known| *known == letter)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
            }
        }
        String::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(place: Place, tamper: Tamper, header: &str) -> Vec<String> {
        let (name, value) = header.split_once(": ").expect("a header");
        let mut headers = vec![(name.to_owned(), value.to_owned())];
        let mut query = Vec::new();
        Change::Credential { place, tamper }.make(&mut query, &mut headers);
        let all = headers.iter().chain(&query);
        all.map(|(name, value)| format!("{name}: {value}"))
            .collect()
    }

    #[test]
    fn a_credential_is_spoiled_where_it_stands() {
        let key = || Place::Header("X-Key".to_owned());
        let bearer = || Place::Authorization("bearer".to_owned());
        let basic = || Place::Authorization("basic".to_owned());
        for (place, tamper, before, after) in [
            (key(), Tamper::Remove, "x-key: abc", vec![]),
            (key(), Tamper::Shorten, "x-key: abc", vec!["X-Key: ab"]),
            (key(), Tamper::Lengthen, "x-key: abc", vec!["X-Key: abcx"]),
            (key(), Tamper::Alter, "x-key: abc9z9", vec!["X-Key: abc9x9"]),
            (
                key(),
                Tamper::OtherCase,
                "x-key: Kind abc9z9",
                vec!["X-Key: Kind ABC9Z9"],
            ),
            (
                key(),
                Tamper::OtherCase,
                "x-key: 3f2a-9b",
                vec!["X-Key: 3f2a-9b"],
            ),
            (
                bearer(),
                Tamper::OtherCase,
                "Authorization: Bearer XYZ1",
                vec!["Authorization: Bearer xyz1"],
            ),
            // `me:xyz` and `me:XYZ`.
            (
                basic(),
                Tamper::OtherCase,
                "Authorization: Basic bWU6eHl6",
                vec!["Authorization: Basic bWU6WFla"],
            ),
            (
                bearer(),
                Tamper::Alter,
                "Authorization: Bearer abc",
                vec!["Authorization: Bearer abe"],
            ),
            (
                bearer(),
                Tamper::OtherScheme,
                "Authorization: Bearer abc",
                vec!["Authorization: Basic abc"],
            ),
            // `me:abc`, `me:abe` and `me:ab`.
            (
                basic(),
                Tamper::Alter,
                "Authorization: Basic bWU6YWJj",
                vec!["Authorization: Basic bWU6YWJl"],
            ),
            (
                basic(),
                Tamper::Shorten,
                "Authorization: Basic bWU6YWJj",
                vec!["Authorization: Basic bWU6YWI="],
            ),
            (
                Place::Cookie("sid".to_owned()),
                Tamper::Lengthen,
                "Cookie: a=b; sid=s1; c=d",
                vec!["Cookie: a=b; c=d; sid=s1x"],
            ),
            (
                Place::Cookie("sid".to_owned()),
                Tamper::Remove,
                "Cookie: sid=s1",
                vec![],
            ),
            (
                Place::Query("key".to_owned()),
                Tamper::Unknown,
                "A: b",
                vec!["A: b", "key: conformance-unknown-credential"],
            ),
        ] {
            assert_eq!(made(place, tamper, before), after, "{before} {tamper:?}");
        }
    }

    #[test]
    fn base_64_is_read_as_it_is_written() {
        for text in ["", "a", "me:abc", "me:ab", "u:pässword"] {
            assert_eq!(base64::decode(&base64::encode(text)).as_deref(), Some(text));
        }
        assert_eq!(base64::encode("me:abc"), "bWU6YWJj");
        assert_eq!(base64::decode("not base64!"), None);
    }
}
