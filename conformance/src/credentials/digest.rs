//! HTTP digest authentication (RFC 7616): answers to the challenges of servers.
//!
//! Supported: MD5, SHA-256 and SHA-512/256, each also as `-sess`, with `qop=auth` or without. Not supported: `auth-int`, `userhash`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write as _;

use md5::Md5;
use sha2::digest::Digest as _;
use sha2::{Sha256, Sha512_256};
use url::Url;

use crate::exchange::{Exchange, Request};

/// Placeholder for a credential in a request until it is sent; the credential's number follows.
const PENDING: &str = "Digest conformance-credential-";

/// The value of `Authorization` of a request that is to be answered with a credential.
pub(super) fn pending(credential: usize) -> String {
    format!("{PENDING}{credential}")
}

/// The credential that a request is to be answered with.
fn wanted(request: &Request) -> Option<usize> {
    let mut headers = request.headers.iter();
    let own = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    own.1.strip_prefix(PENDING)?.parse().ok()
}

/// The challenges of servers, by origin.
#[derive(Default)]
pub(super) struct Challenges {
    known: RefCell<HashMap<String, Challenge>>,
    counter: Cell<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Option<String>,
    hash: Hash,
    is_session: bool,
    has_qop: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
    Sha512,
}

impl Challenges {
    /// Puts the answer to the newest challenge into a request; leaves the credential out where there was none yet. `values` are the
    /// credentials, as `USER:PASSWORD`. Returns whether the request needs an answer.
    pub(super) fn answer(&self, request: &mut Request, values: &[String]) -> bool {
        let Some(value) = wanted(request).and_then(|index| values.get(index)) else {
            return false;
        };
        let known = self.known.borrow();
        let challenge = origin(&request.url).and_then(|origin| known.get(&origin));
        let count = self.counter.get() + 1;
        self.counter.set(count);
        let answer = challenge.and_then(|challenge| {
            let (user, password) = value.split_once(':')?;
            let target = target(&request.url)?;
            Some(challenge.answer((user, password), (&request.method, &target), count))
        });
        let is_own = |name: &str| name.eq_ignore_ascii_case("authorization");
        match answer {
            Some(answer) => {
                let mut headers = request.headers.iter_mut();
                if let Some((_, value)) = headers.find(|(name, _)| is_own(name)) {
                    *value = answer;
                }
            }
            None => request.headers.retain(|(name, _)| !is_own(name)),
        }
        true
    }

    /// Takes the challenge of a 401; returns whether there is a new one.
    pub(super) fn take(&self, exchange: &Exchange) -> bool {
        let Some(response) = exchange.response.as_ref().filter(|one| one.status == 401) else {
            return false;
        };
        let texts = response.header("www-authenticate");
        let challenges = texts.filter_map(|text| Challenge::parse(std::str::from_utf8(text).ok()?));
        let (Some(best), Some(origin)) = (
            challenges.max_by_key(|one| one.hash),
            origin(&exchange.request.url),
        ) else {
            return false;
        };
        let mut known = self.known.borrow_mut();
        let is_new = known.get(&origin) != Some(&best);
        known.insert(origin, best);
        is_new
    }
}

fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(url.origin().ascii_serialization())
}

/// Path and query as they stand in the request line.
fn target(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let start = rest.find(['/', '?']);
    Some(match start.map(|start| &rest[start..]) {
        None => "/".to_owned(),
        Some(query) if query.starts_with('?') => format!("/{query}"),
        Some(target) => target.to_owned(),
    })
}

impl Challenge {
    /// Reads the value of `WWW-Authenticate`; none where it is of another scheme, or asks for what is not supported.
    fn parse(text: &str) -> Option<Self> {
        let start = text.get(..7)?;
        if !start.eq_ignore_ascii_case("digest ") {
            return None;
        }
        let members = members(&text[7..]);
        let algorithm = members.get("algorithm").cloned();
        let name = algorithm.as_deref().unwrap_or("MD5").to_ascii_uppercase();
        let (name, is_session) = match name.strip_suffix("-SESS") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let hash = match name {
            "MD5" => Hash::Md5,
            "SHA-256" => Hash::Sha256,
            "SHA-512-256" => Hash::Sha512,
            _ => return None,
        };
        let qop = members.get("qop");
        let offers = |qop: &String| qop.split(',').any(|one| one.trim() == "auth");
        if qop.is_some_and(|qop| !offers(qop)) {
            return None;
        }
        Some(Self {
            realm: members.get("realm").cloned().unwrap_or_default(),
            nonce: members.get("nonce")?.clone(),
            opaque: members.get("opaque").cloned(),
            algorithm,
            hash,
            is_session,
            has_qop: qop.is_some(),
        })
    }

    /// The value of `Authorization`.
    fn answer(
        &self,
        (user, password): (&str, &str),
        (method, target): (&str, &str),
        count: u64,
    ) -> String {
        let hash = |text: &str| self.hash.of(text);
        // It tells one request from another, and need not be secret.
        let client = hash(&format!("conformance {count} {}", self.nonce));
        let client = &client[..16];
        let nonce = &self.nonce;
        let mut secret = hash(&format!("{user}:{}:{password}", self.realm));
        if self.is_session {
            secret = hash(&format!("{secret}:{nonce}:{client}"));
        }
        let request = hash(&format!("{method}:{target}"));
        let response = match self.has_qop {
            true => hash(&format!(
                "{secret}:{nonce}:{count:08x}:{client}:auth:{request}"
            )),
            false => hash(&format!("{secret}:{nonce}:{request}")),
        };
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut value = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{target}\", response=\"{response}\"",
            quoted(user),
            quoted(&self.realm),
            quoted(nonce)
        );
        if let Some(algorithm) = &self.algorithm {
            let _ = write!(value, ", algorithm={algorithm}");
        }
        if self.has_qop {
            let _ = write!(value, ", qop=auth, nc={count:08x}, cnonce=\"{client}\"");
        } else if self.is_session {
            let _ = write!(value, ", cnonce=\"{client}\"");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(value, ", opaque=\"{}\"", quoted(opaque));
        }
        value
    }
}

/// The members of a challenge: `name=value` or `name="value"`, with commas between.
fn members(text: &str) -> HashMap<String, String> {
    let mut members = HashMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = if after.starts_with('"') {
            letters.next();
            let mut end = after.len();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                    letter => value.push(letter),
                }
            }
            end
        } else {
            let end = after.find(',').unwrap_or(after.len());
            after[..end].trim().clone_into(&mut value);
            end
        };
        members.entry(name).or_insert(value);
        rest = &after[end..];
    }
    members
}

impl Hash {
    /// In hexadecimal digits.
    fn of(self, text: &str) -> String {
        let bytes = text.as_bytes();
        let digest = match self {
            Self::Md5 => Md5::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512_256::digest(bytes).to_vec(),
        };
        digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_that_of_the_specification() {
        // RFC 2069, section 2.4 as corrected (errata 749): without `qop`, so without a number of the client.
        let challenge = Challenge::parse(
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        )
        .unwrap();
        let answer = challenge.answer(("Mufasa", "CircleOfLife"), ("GET", "/dir/index.html"), 1);
        assert!(
            answer.contains("response=\"1949323746fe6a43ef61f9606e7febea\""),
            "{answer}"
        );
        assert!(answer.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""));
        // RFC 7616, section 3.9.1: the secret of user, realm and password.
        let secret = Hash::Md5.of("Mufasa:http-auth@example.org:Circle of Life");
        assert_eq!(secret, "3d78807defe7de2157e2b0b6573a855f");
    }

    #[test]
    fn challenges_are_read_whatever_their_order_and_quotes() {
        let challenge = Challenge::parse(
            "Digest qop=\"auth-int, auth\" , algorithm=SHA-256-sess,nonce=\"a\\\"b,c=d\",realm=x",
        )
        .unwrap();
        assert_eq!(challenge.nonce, "a\"b,c=d");
        assert_eq!(challenge.realm, "x");
        assert_eq!((challenge.hash, challenge.is_session), (Hash::Sha256, true));
        for text in [
            "Basic realm=x",
            "Digest",
            "Digest realm=x",
            "Digest nonce=a, qop=auth-int",
            "Digest nonce=a, algorithm=SHA-3",
            "Digest é",
        ] {
            assert_eq!(Challenge::parse(text), None, "{text}");
        }
        assert_eq!(target("http://h").as_deref(), Some("/"));
        assert_eq!(target("http://h?a=b").as_deref(), Some("/?a=b"));
        assert_eq!(target("http://h/a?b=/c").as_deref(), Some("/a?b=/c"));
    }
}
