//! Verifies a delivery from its description alone.

use jiff::Timestamp as Instant;
use ring::digest;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::encoding::{decode, encode, form};
use super::jws::Token;
use super::key::Key;
use super::message::Message;
use super::refusal::Refusal;
use super::scheme::{Digest, Hash, Required, Scheme, Timestamp};
use super::secrets::Secrets;
use super::template::Values;
use super::{Signing, message_signature};

/// The result of verifying a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is signed as the document says.
    Verified,
    /// It need not be signed: the webhook has no key.
    Unsigned,
    /// It is not signed as the document says.
    Refused(Refusal),
}

impl Signing {
    /// Verifies a message. Every scheme that applies must hold. The age of the timestamp is judged where `now` is given.
    pub fn verify(&self, secrets: &Secrets, message: &Message, now: Option<Instant>) -> Verdict {
        let mut verdict = Verdict::Unsigned;
        for (scheme, keys) in self.schemes.iter().zip(&secrets.keys) {
            if !scheme.applies(message) {
                continue;
            }
            let named = match scheme.certificate().filter(|_| keys.is_empty()) {
                Some(rule) => rule.keys(scheme, message, secrets.certificates.as_ref()),
                None => Ok(Vec::new()),
            };
            let named = match named {
                Ok(named) => named,
                Err(refusal) => return Verdict::Refused(refusal),
            };
            let keys = if keys.is_empty() { &named } else { keys };
            if keys.is_empty() {
                if scheme.required == Required::Always {
                    return Verdict::Refused(Refusal::NoKey);
                }
                continue;
            }
            match scheme.verify(keys, secrets.registration.as_ref(), message, now) {
                Ok(()) => verdict = Verdict::Verified,
                Err(refusal) => return Verdict::Refused(refusal),
            }
        }
        verdict
    }

    /// The schemes that a message has to be signed by: those that have a key and apply to its media type.
    pub fn used<'s>(
        &'s self,
        secrets: &'s Secrets,
        message: &'s Message,
    ) -> impl Iterator<Item = &'s Scheme> {
        let all = self.schemes.iter().zip(&secrets.keys);
        all.filter(|(scheme, keys)| !keys.is_empty() && scheme.applies(message))
            .map(|(scheme, _)| scheme)
    }

    /// The time of signing that a message states, in its first scheme that has one.
    pub fn time(&self, message: &Message) -> Option<Instant> {
        self.schemes.iter().find_map(|scheme| {
            let rule = scheme.timestamp.as_ref()?;
            scheme
                .read_time(rule, message, scheme.claims(message).as_ref())
                .ok()?
                .1
        })
    }

    /// The text of the signatures of a message, as they stand in it.
    pub fn signature_text(&self, message: &Message) -> Vec<String> {
        let texts = self
            .schemes
            .iter()
            .map(|scheme| scheme.signature.location.values(message, None));
        texts.flatten().collect()
    }
}

impl Scheme {
    /// Whether messages of this media type are signed so.
    fn applies(&self, message: &Message) -> bool {
        let same = |wanted: &String| *wanted == message.media_type();
        self.content_type.as_ref().is_none_or(same)
    }

    /// The signatures in a message, without what stands before them.
    pub(super) fn candidates(&self, message: &Message) -> Vec<String> {
        let rule = &self.signature;
        let values = rule.location.values(message, None);
        let split = |value: String| match &rule.items {
            Some(separator) => value
                .split(separator.as_str())
                .map(|item| item.trim().to_owned())
                .collect(),
            None => vec![value],
        };
        let items = values.into_iter().flat_map(split);
        items
            .filter_map(|item| item.strip_prefix(&rule.prefix).map(str::to_owned))
            .collect()
    }

    fn claims(&self, message: &Message) -> Option<Value> {
        (self.algorithm == Algorithm::Jws)
            .then(|| {
                self.candidates(message)
                    .iter()
                    .find_map(|text| Token::parse(text)?.claims())
            })
            .flatten()
    }

    fn place(&self) -> String {
        self.signature.location.name()
    }

    fn verify(
        &self,
        keys: &[Key],
        registration: Option<&Value>,
        message: &Message,
        now: Option<Instant>,
    ) -> Result<(), Refusal> {
        if self.algorithm == Algorithm::HttpMessageSignature {
            return self.verify_message_signature(keys, message, now);
        }
        let candidates = self.candidates(message);
        if candidates.is_empty() {
            return Err(Refusal::Missing {
                place: self.place(),
            });
        }
        let claims = self.claims(message);
        let time = match &self.timestamp {
            Some(rule) => Some(self.read_time(rule, message, claims.as_ref())?),
            None => None,
        };
        let id = match &self.id {
            Some(location) => {
                let mut values = location.values(message, claims.as_ref());
                Some(values.pop().ok_or_else(|| Refusal::Missing {
                    place: location.name(),
                })?)
            }
            None => None,
        };
        let values = Values {
            timestamp: time.as_ref().map_or("", |(text, _)| text),
            id: id.as_deref().unwrap_or_default(),
            registration,
            key: keys.first().and_then(Key::shared_bytes).unwrap_or_default(),
        };
        let text = self
            .signed
            .as_ref()
            .map(|template| template.fill(message, &values));
        if self.algorithm == Algorithm::Jws {
            self.verify_token(keys, &candidates, text.as_deref())?;
        } else {
            self.verify_text(keys, &candidates, text.as_deref().unwrap_or_default())?;
        }
        if let Some(rule) = &self.digest {
            rule.verify(message, claims.as_ref())?;
        }
        self.fresh(time.and_then(|(_, at)| at), now)
    }

    fn verify_text(&self, keys: &[Key], candidates: &[String], text: &[u8]) -> Result<(), Refusal> {
        let mut malformed = true;
        for candidate in candidates {
            let Some(bytes) = decode(candidate, self.signature.encoding) else {
                continue;
            };
            malformed = false;
            let fixed = self.signature.fixed;
            if keys
                .iter()
                .any(|key| self.algorithm.verify(key, text, &bytes, fixed))
            {
                return Ok(());
            }
        }
        Err(if malformed {
            Refusal::Malformed {
                place: self.place(),
                expected: form(self.signature.encoding),
            }
        } else {
            Refusal::Mismatch {
                place: self.place(),
            }
        })
    }

    fn verify_token(
        &self,
        keys: &[Key],
        candidates: &[String],
        text: Option<&[u8]>,
    ) -> Result<(), Refusal> {
        let mut refusal = Refusal::Malformed {
            place: self.place(),
            expected: "a JSON Web Signature in compact form",
        };
        for token in candidates.iter().filter_map(|text| Token::parse(text)) {
            if !self.accept.iter().any(|name| name == token.algorithm()) {
                refusal = Refusal::Algorithm {
                    found: token.algorithm().to_owned(),
                };
                continue;
            }
            if keys.iter().any(|key| token.verify(key, text)) {
                return Ok(());
            }
            refusal = Refusal::Mismatch {
                place: self.place(),
            };
        }
        Err(refusal)
    }

    fn verify_message_signature(
        &self,
        keys: &[Key],
        message: &Message,
        now: Option<Instant>,
    ) -> Result<(), Refusal> {
        let missing = |place: &str| Refusal::Missing {
            place: format!("header `{place}`"),
        };
        let (label, input) = message_signature::input(message, self.label.as_deref())
            .ok_or_else(|| missing("signature-input"))?;
        for component in &self.components {
            if !input.components.contains(component) {
                return Err(Refusal::NotCovered {
                    component: component.clone(),
                });
            }
        }
        let signature =
            message_signature::signature(message, &label).ok_or_else(|| missing("signature"))?;
        let base = message_signature::base(message, &input).ok_or_else(|| Refusal::Mismatch {
            place: self.place(),
        })?;
        let named = input.algorithm.as_deref();
        if let Some(name) =
            named.filter(|name| !self.accept.iter().any(|accepted| accepted == name))
        {
            return Err(Refusal::Algorithm {
                found: name.to_owned(),
            });
        }
        let accepted = message_signature::NAMES.iter().filter(|(name, _)| {
            named.map_or_else(
                || self.accept.iter().any(|one| one == name),
                |named| named == *name,
            )
        });
        let wanted = |key: &&Key| match (&key.id, &input.key_id) {
            (Some(own), Some(named)) => own == named,
            _ => true,
        };
        let keys: Vec<&Key> = keys.iter().filter(wanted).collect();
        let mut algorithms = accepted.map(|(_, algorithm)| algorithm);
        if !algorithms.any(|algorithm| {
            keys.iter()
                .any(|key| algorithm.verify(key, base.as_bytes(), &signature, true))
        }) {
            return Err(Refusal::Mismatch {
                place: self.place(),
            });
        }
        if input.components.iter().any(|name| name == "content-digest")
            && message_signature::digest_matches(message) != Some(true)
        {
            return Err(Refusal::Digest {
                place: "header `content-digest`".to_owned(),
            });
        }
        if let (Some(expires), Some(now)) = (input.expires, now)
            && now.as_second() > expires
        {
            return Err(Refusal::Stale {
                place: "`expires` of header `signature-input`".to_owned(),
                seconds: now.as_second() - expires,
                tolerance: 0,
            });
        }
        let created = input
            .created
            .and_then(|seconds| Instant::from_second(seconds).ok());
        if self.timestamp.is_some() && created.is_none() {
            return Err(Refusal::Missing {
                place: "`created` of header `signature-input`".to_owned(),
            });
        }
        self.fresh(created, now)
    }

    fn read_time(
        &self,
        rule: &Timestamp,
        message: &Message,
        claims: Option<&Value>,
    ) -> Result<(String, Option<Instant>), Refusal> {
        let Some(location) = &rule.location else {
            let (_, input) =
                message_signature::input(message, self.label.as_deref()).ok_or_else(|| {
                    Refusal::Missing {
                        place: "header `signature-input`".to_owned(),
                    }
                })?;
            let at = input
                .created
                .and_then(|seconds| Instant::from_second(seconds).ok());
            return Ok((String::new(), at));
        };
        let place = || location.name();
        let mut values = location.values(message, claims);
        let text = values
            .pop()
            .ok_or_else(|| Refusal::Missing { place: place() })?;
        let at = rule.format.read(&text).ok_or_else(|| Refusal::Malformed {
            place: place(),
            expected: rule.format.words(),
        })?;
        Ok((text, Some(at)))
    }

    fn fresh(&self, at: Option<Instant>, now: Option<Instant>) -> Result<(), Refusal> {
        let (Some(rule), Some(at), Some(now)) = (&self.timestamp, at, now) else {
            return Ok(());
        };
        let Some(tolerance) = rule.tolerance else {
            return Ok(());
        };
        let seconds = now.as_second() - at.as_second();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a tolerance of more than 64 bits is as good as the largest one"
        )]
        let tolerance = tolerance as i64;
        if seconds.abs() <= tolerance {
            return Ok(());
        }
        let own = || "`created` of header `signature-input`".to_owned();
        Err(Refusal::Stale {
            place: rule
                .location
                .as_ref()
                .map_or_else(own, super::location::Location::name),
            seconds,
            tolerance,
        })
    }
}

impl Digest {
    fn verify(&self, message: &Message, claims: Option<&Value>) -> Result<(), Refusal> {
        let place = self.location.name();
        let Some(found) = self.location.values(message, claims).pop() else {
            return Err(Refusal::Missing { place });
        };
        if found == self.of(&message.body) {
            Ok(())
        } else {
            Err(Refusal::Digest { place })
        }
    }

    /// The digest of a body, as the message carries it.
    pub(super) fn of(&self, body: &[u8]) -> String {
        let algorithm = match self.algorithm {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        };
        encode(digest::digest(algorithm, body).as_ref(), self.encoding)
    }
}
