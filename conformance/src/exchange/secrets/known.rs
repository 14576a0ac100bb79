//! Credentials that the run knows, and their names where a request has them, whole or tampered with.

use data_encoding::BASE64;
use serde_json::Value;

use super::super::masked::{LetterCase, Piece, Slice, joined, variable};
use super::{SHORTEST, Secrets};
use crate::case::UNKNOWN;
use crate::case::serialize::{decode, encode};

/// The name of `USER:PASSWORD` of basic authentication, where it has no other.
pub(crate) const BASIC: &str = "BASIC_AUTH";

/// The name of a token, where it has no other.
pub(crate) const TOKEN: &str = "AUTHORIZATION";

/// How many bytes of a credential may differ for it to be that credential, tampered with.
const TAMPERED: usize = 3;

/// A credential.
#[derive(Debug, Clone)]
pub(super) struct Named {
    name: String,
    value: String,
}

/// How a credential is written.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Encoded,
    Json,
}

impl Named {
    /// The credential as it is written, with its name.
    fn written(&self, form: Form) -> (String, String) {
        let (text, end) = match form {
            Form::Plain => return (self.value.clone(), self.name.clone()),
            Form::Encoded => (encode(&self.value), "_ENCODED"),
            Form::Json => {
                let json = Value::from(self.value.as_str()).to_string();
                (json[1..json.len() - 1].to_owned(), "_JSON")
            }
        };
        let end = if text == self.value { "" } else { end };
        (text, format!("{}{end}", self.name))
    }
}

impl Secrets {
    /// Gives the credential in a header its name. `suffix` stands behind it, for the credentials of other users.
    pub(crate) fn know(&self, header: &str, suffix: &str, value: &str) {
        if header.eq_ignore_ascii_case("cookie") {
            for (name, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
                self.know_cookie(name.trim(), suffix, value);
            }
            return;
        }
        if header.eq_ignore_ascii_case("authorization") {
            let Some((scheme, token)) = value.split_once(' ') else {
                return self.know_as(&format!("{TOKEN}{suffix}"), value);
            };
            let token = token.trim();
            let pair = basic_pair(token).filter(|_| scheme.eq_ignore_ascii_case("basic"));
            return match pair {
                Some(pair) => self.know_as(&format!("{BASIC}{suffix}"), &pair),
                None => self.know_as(&format!("{TOKEN}{suffix}"), token),
            };
        }
        self.know_as(&format!("{}{suffix}", variable(header)), value);
    }

    /// Gives the value of a cookie its name, and hides it from now on.
    pub(crate) fn know_cookie(&self, name: &str, suffix: &str, value: &str) {
        self.remember(value);
        self.know_as(&format!("{}{suffix}", cookie(name)), value);
    }

    /// Gives a token that was fetched its name. Those that it replaces have the same one.
    pub(crate) fn know_token(&self, value: &str) {
        self.add(TOKEN.to_owned(), value);
    }

    /// Gives a credential a name, with a number behind it where another one has that name.
    pub(crate) fn know_as(&self, name: &str, value: &str) {
        let taken = |name: &String| {
            let named = self.named.borrow();
            named.iter().any(|known| known.name == *name)
        };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        if let Some(name) = names.find(|name| !taken(name)) {
            self.add(name, value);
        }
    }

    fn add(&self, name: String, value: &str) {
        let mut named = self.named.borrow_mut();
        if !value.is_empty() && named.iter().all(|known| known.value != value) {
            let value = value.to_owned();
            named.push(Named { name, value });
        }
    }

    /// The value of a name that requests are shown with.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let named = self.named.borrow();
        let forms = [Form::Plain, Form::Encoded, Form::Json];
        // The newest token counts.
        let all = named.iter().rev();
        let mut written = all.flat_map(|known| forms.map(|form| known.written(form)));
        written.find_map(|(text, known)| (known == name).then_some(text))
    }

    /// Whether bytes have a secret in them.
    pub(in super::super) fn is_in(&self, bytes: &[u8]) -> bool {
        let values = self.values.borrow();
        let mut values = values.iter().map(String::as_bytes);
        !self.shown && values.any(|value| bytes.windows(value.len()).any(|window| window == value))
    }

    /// A header's value with names for what is secret.
    pub(in super::super) fn masked_header(&self, name: &str, value: &str) -> Vec<Piece> {
        if self.shown || value.is_empty() || !self.is_credential(name) {
            return self.masked(value.as_bytes());
        }
        if name.eq_ignore_ascii_case("cookie") {
            return self.masked_cookies(value);
        }
        let is_authorization = name.eq_ignore_ascii_case("authorization");
        let (scheme, token) = match value.split_once(' ').filter(|_| is_authorization) {
            Some((scheme, token)) => (format!("{scheme} "), token),
            None => (String::new(), value),
        };
        let found = match is_authorization {
            true => self
                .digest(&scheme, token)
                .or_else(|| self.basic(token))
                .or_else(|| self.credential(token, Form::Plain)),
            false => self.credential(token, Form::Plain),
        };
        let Some(mut pieces) = found.or_else(|| self.unknown(&variable(name), token)) else {
            return self.masked(value.as_bytes());
        };
        if !scheme.is_empty() {
            pieces.insert(0, Piece::Text(scheme.into_bytes()));
        }
        pieces
    }

    fn masked_cookies(&self, value: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (index, pair) in value.split(';').enumerate() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let separator = if index == 0 { "" } else { ";" };
            let equals = if pair.contains('=') { "=" } else { "" };
            pieces.push(Piece::Text(
                format!("{separator}{name}{equals}").into_bytes(),
            ));
            let name = cookie(name.trim());
            let found = self.credential(value, Form::Plain);
            let found = found.or_else(|| self.unknown(&name, value));
            pieces.extend(found.unwrap_or_else(|| self.masked(value.as_bytes())));
        }
        joined(pieces)
    }

    /// A URL with names for what is secret.
    pub(in super::super) fn masked_url(&self, url: &str) -> Vec<Piece> {
        let (path, query) = match url.split_once('?') {
            Some((path, query)) if !self.shown => (path, query),
            _ => return self.masked(url.as_bytes()),
        };
        let mut pieces = self.masked(path.as_bytes());
        for (index, pair) in query.split('&').enumerate() {
            let separator = if index == 0 { "?" } else { "&" };
            pieces.push(Piece::Text(separator.into()));
            let own = pair.split_once('=').and_then(|(name, value)| {
                let decoded = decode(name);
                if value.is_empty() || !self.is_credential_query(&decoded) {
                    return None;
                }
                let variable = variable(&decoded);
                let found = self.credential(value, Form::Encoded);
                let found = found.or_else(|| self.unknown(&variable, value))?;
                Some((format!("{name}="), found))
            });
            match own {
                Some((start, found)) => {
                    pieces.push(Piece::Text(start.into_bytes()));
                    pieces.extend(found);
                }
                None => pieces.extend(self.masked(pair.as_bytes())),
            }
        }
        joined(pieces)
    }

    /// A body with names for what is secret.
    pub(in super::super) fn masked_body(&self, body: &[u8]) -> Vec<Piece> {
        self.masked(body)
    }

    /// A text with names for the credentials that stand anywhere in it.
    fn masked(&self, text: &[u8]) -> Vec<Piece> {
        if self.shown {
            return vec![Piece::Text(text.to_vec())];
        }
        let named = self.named.borrow();
        let forms = [Form::Plain, Form::Json, Form::Encoded];
        let long = named
            .iter()
            .filter(|known| known.value.chars().count() >= SHORTEST);
        let written = long.flat_map(|known| forms.map(|form| known.written(form)));
        let mut written: Vec<(String, String)> = written.collect();
        written.sort_by_key(|(text, _)| usize::MAX - text.len());
        let mut pieces = vec![Piece::Text(text.to_vec())];
        for (secret, name) in written {
            pieces = pieces
                .into_iter()
                .flat_map(|piece| match piece {
                    Piece::Text(text) => split(&text, &secret, &name),
                    other => vec![other],
                })
                .collect();
        }
        pieces
    }

    /// Returns the replacement for a credential, if the run knows it.
    fn credential(&self, value: &str, form: Form) -> Option<Vec<Piece>> {
        let named = self.named.borrow();
        let all = || named.iter().map(|known| known.written(form));
        let exact = all().find(|(text, _)| text == value);
        let changed = || all().find(|(text, _)| tampered(text, value, "").is_some());
        let (text, name) = exact.or_else(changed)?;
        tampered(&text, value, &name)
    }

    /// `USER:PASSWORD` that an answer to a digest challenge was made of.
    fn digest(&self, scheme: &str, token: &str) -> Option<Vec<Piece>> {
        if !scheme.eq_ignore_ascii_case("digest ") {
            return None;
        }
        let (_, rest) = token.split_once("username=\"")?;
        let (user, _) = rest.split_once('"')?;
        let named = self.named.borrow();
        let mut named = named.iter();
        let own = named.find(|known| {
            let pair = known.value.split_once(':');
            pair.is_some_and(|(known, _)| known == user)
        })?;
        Some(vec![Piece::Secret {
            name: own.name.clone(),
            slice: Slice::Whole,
        }])
    }

    /// `USER:PASSWORD` in Base64, where the run knows it.
    fn basic(&self, token: &str) -> Option<Vec<Piece>> {
        let pair = basic_pair(token)?;
        let pieces = self.credential(&pair, Form::Plain)?;
        Some(vec![Piece::Base64(pieces)])
    }

    /// A credential that nobody told of. Values that this program made up are not secret.
    fn unknown(&self, name: &str, value: &str) -> Option<Vec<Piece>> {
        let is_made_up = self.complete || value.contains(UNKNOWN);
        (!is_made_up && !value.is_empty()).then(|| {
            vec![Piece::Secret {
                name: name.to_owned(),
                slice: Slice::Whole,
            }]
        })
    }
}

fn cookie(name: &str) -> String {
    format!("COOKIE_{}", variable(name).trim_start_matches('_'))
}

/// `USER:PASSWORD` of its Base64 form, where that is the form that this program writes.
fn basic_pair(token: &str) -> Option<String> {
    let pair = String::from_utf8(BASE64.decode(token.as_bytes()).ok()?).ok()?;
    pair.contains(':').then_some(pair)
}

/// Pieces of a text with a name for each place of a secret.
fn split(text: &[u8], secret: &str, name: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, secret.as_bytes()) {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_vec()));
        }
        pieces.push(Piece::Secret {
            name: name.to_owned(),
            slice: Slice::Whole,
        });
        rest = &rest[at + secret.len()..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.to_vec()));
    }
    pieces
}

/// A value as a credential with a few bytes left out or put in at one place, where it is that.
fn tampered(secret: &str, value: &str, name: &str) -> Option<Vec<Piece>> {
    let piece = |slice| Piece::Secret {
        name: name.to_owned(),
        slice,
    };
    if secret == value {
        return Some(vec![piece(Slice::Whole)]);
    }
    // A shell counts characters or bytes, which are the same only here.
    if !secret.is_ascii() || !value.is_ascii() {
        return None;
    }
    if let Some(pieces) = cased(secret, value, &piece) {
        return Some(pieces);
    }
    let (old, new) = (secret.as_bytes(), value.as_bytes());
    let shorter = old.len().min(new.len());
    let prefix = (0..shorter).take_while(|at| old[*at] == new[*at]).count();
    let from_end = |at: &usize| old[old.len() - 1 - at] == new[new.len() - 1 - at];
    let suffix = (0..shorter - prefix).take_while(from_end).count();
    let removed = old.len() - prefix - suffix;
    let added = new.len() - prefix - suffix;
    if prefix + suffix == 0 || removed > TAMPERED || added > TAMPERED {
        return None;
    }
    let middle = Piece::Text(new[prefix..prefix + added].to_vec());
    if prefix == old.len() {
        return Some(vec![piece(Slice::Whole), middle]);
    }
    let start = (prefix > 0).then(|| piece(Slice::WithoutLast(old.len() - prefix)));
    let end = (suffix > 0).then(|| piece(Slice::Last(suffix)));
    let middle = Some(middle).filter(|_| added > 0);
    Some([start, middle, end].into_iter().flatten().collect())
}

/// A value as a credential in another letter case: all of it, the password behind a user name, or what stands behind the name of a scheme.
fn cased(secret: &str, value: &str, piece: &dyn Fn(Slice) -> Piece) -> Option<Vec<Piece>> {
    let starts = [
        Some(0),
        secret.find(':').map(|at| at + 1),
        secret.rfind(' ').map(|at| at + 1),
    ];
    for start in starts.into_iter().flatten() {
        let (Some(same), Some(other)) = (value.get(..start), value.get(start..)) else {
            continue;
        };
        let rest = &secret[start..];
        let case = LetterCase::ALL
            .into_iter()
            .find(|case| case.of(rest) == other);
        let Some(case) = case.filter(|_| secret[..start] == *same) else {
            continue;
        };
        return Some(match start {
            0 => vec![Piece::Cased(case, vec![piece(Slice::Whole)])],
            _ => vec![
                piece(Slice::WithoutLast(rest.len())),
                Piece::Cased(case, vec![piece(Slice::Last(rest.len()))]),
            ],
        });
    }
    None
}
