//! Signs a message as its description says, for judging handlers and for senders in tests.

use jiff::Timestamp as Instant;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::algorithm::Algorithm;
use super::encoding::encode;
use super::jws;
use super::key::{Key, Kind};
use super::location::Carrier;
use super::message::Message;
use super::scheme::{Required, Scheme};
use super::secrets::Secrets;
use super::template::Values;
use super::{Signing, message_signature};

/// Why a message cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// Every delivery must be signed, and no key is known.
    #[error("no key is known for the signature in {0}")]
    NoKey(String),
    /// The key cannot sign: it is public, or of another algorithm.
    #[error(
        "the key cannot sign for the signature in {0}; a private key (PKCS #8) is needed for an asymmetric algorithm"
    )]
    CannotSign(String),
    /// The message has no place for a value.
    #[error(
        "the message has no place for {0}; the body must be a JSON object with the members above it"
    )]
    NoPlace(String),
}

impl Signing {
    /// Puts the timestamp, the id and the signatures of all schemes that apply into a message, in place of those that it has.
    ///
    /// # Errors
    /// When a key is missing or cannot sign, or the message has no place for a value.
    pub fn sign(
        &self,
        secrets: &Secrets,
        message: &mut Message,
        id: &str,
        now: Instant,
    ) -> Result<(), SignError> {
        for (scheme, keys) in self.schemes.iter().zip(&secrets.keys) {
            let other = |wanted: &String| *wanted != message.media_type();
            if scheme.content_type.as_ref().is_some_and(other) {
                continue;
            }
            if keys.is_empty() {
                if scheme.required == Required::Always {
                    return Err(SignError::NoKey(scheme.signature.location.name()));
                }
                continue;
            }
            scheme.sign(keys, secrets.registration.as_ref(), message, id, now)?;
        }
        Ok(())
    }
}

impl Scheme {
    fn sign(
        &self,
        keys: &[Key],
        registration: Option<&Value>,
        message: &mut Message,
        id: &str,
        now: Instant,
    ) -> Result<(), SignError> {
        let cannot = || SignError::CannotSign(self.signature.location.name());
        if self.algorithm == Algorithm::HttpMessageSignature {
            return self.sign_message(keys, message, now).ok_or_else(cannot);
        }
        if let Carrier::Header(name) = &self.signature.location.carrier {
            message.remove_header(name);
        }
        let time = self
            .timestamp
            .as_ref()
            .map(|rule| (rule, rule.format.write(now)));
        let mut claims = Map::new();
        let mut put = |location: &super::location::Location, value: &str, message: &mut Message| {
            if let Carrier::Claim(name) = &location.carrier {
                let number = value.parse::<i64>().map(Value::from);
                claims.insert(name.clone(), number.unwrap_or_else(|_| json!(value)));
            }
            if location.put(message, value) {
                Ok(())
            } else {
                Err(SignError::NoPlace(location.name()))
            }
        };
        if let Some(location) = &self.id {
            put(location, id, message)?;
        }
        if let Some((rule, text)) = &time
            && let Some(location) = &rule.location
        {
            match &location.carrier {
                // The type of a member stays what it was.
                Carrier::Member(pointer) if rule.format != super::scheme::TimeFormat::Rfc3339 => {
                    let is_text = message
                        .member(pointer)
                        .is_some_and(|value| value.is_string());
                    let value = if is_text {
                        json!(text)
                    } else {
                        json!(text.parse::<i64>().unwrap_or_default())
                    };
                    if !message.set_member(pointer, value) {
                        return Err(SignError::NoPlace(location.name()));
                    }
                }
                _ => put(location, text, message)?,
            }
        }
        if let Some(rule) = &self.digest {
            let value = rule.of(&message.body);
            put(&rule.location, &value, message)?;
        }
        let values = Values {
            timestamp: time.as_ref().map_or("", |(_, text)| text),
            id,
            registration,
            key: keys.first().and_then(Key::shared_bytes).unwrap_or_default(),
        };
        let text = self
            .signed
            .as_ref()
            .map(|template| template.fill(message, &values));
        let signed = keys.iter().filter_map(|key| {
            if self.algorithm == Algorithm::Jws {
                let payload = text
                    .clone()
                    .unwrap_or_else(|| Value::Object(claims.clone()).to_string().into_bytes());
                return jws::sign(self.token_algorithm(key)?, key, &payload, text.is_some());
            }
            let bytes = self.algorithm.sign(
                key,
                text.as_deref().unwrap_or_default(),
                self.signature.fixed,
            )?;
            Some(encode(&bytes, self.signature.encoding))
        });
        let signatures: Vec<String> = signed
            .map(|text| format!("{}{text}", self.signature.prefix))
            .collect();
        let location = &self.signature.location;
        let written = match (&self.signature.items, &location.field) {
            _ if signatures.is_empty() => return Err(cannot()),
            (Some(separator), _) => location.put(message, &signatures.join(separator)),
            // A field may be repeated, one for each key.
            (None, Some(_)) => signatures.iter().all(|text| location.put(message, text)),
            (None, None) => location.put(message, &signatures[signatures.len() - 1]),
        };
        if written {
            Ok(())
        } else {
            Err(SignError::NoPlace(location.name()))
        }
    }

    /// The accepted name of an algorithm that a key can sign for.
    fn token_algorithm(&self, key: &Key) -> Option<&str> {
        let kind = key
            .public()
            .map_or(Kind::Shared, super::key::PublicKey::kind);
        let fits = |name: &&String| {
            jws::NAMES
                .iter()
                .any(|(known, algorithm)| known == name && algorithm.kind() == kind)
        };
        self.accept.iter().find(fits).map(String::as_str)
    }

    fn sign_message(&self, keys: &[Key], message: &mut Message, now: Instant) -> Option<()> {
        let key = keys.first()?;
        let kind = key
            .public()
            .map_or(Kind::Shared, super::key::PublicKey::kind);
        let (name, algorithm) = message_signature::NAMES.iter().find(|(name, algorithm)| {
            self.accept.iter().any(|one| one == name) && algorithm.kind() == kind
        })?;
        if self
            .components
            .iter()
            .any(|component| component == "content-digest")
        {
            let digest = message_signature::content_digest(&message.body);
            message.set_header("content-digest", digest);
        }
        let input = message_signature::new_input(
            &self.components,
            now.as_second(),
            name,
            key.id.as_deref(),
        );
        let base = message_signature::base(message, &input)?;
        let signature = algorithm.sign(key, base.as_bytes(), true)?;
        let label = self.label.as_deref().unwrap_or("sig1");
        message.set_header("signature-input", format!("{label}={}", input.text()));
        let text = encode(&signature, super::scheme::Encoding::Base64);
        message.set_header("signature", format!("{label}=:{text}:"));
        Some(())
    }
}
