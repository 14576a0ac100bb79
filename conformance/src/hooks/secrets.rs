//! The keys of a webhook: from its registration, the document, or the user.

use serde_json::Value;

use super::Signing;
use super::key::Key;
use super::message::scalar;
use super::scheme::{KeySource, Scheme};

/// The keys with which the deliveries of one webhook are signed, for each scheme. During a rotation there are several.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    pub(super) keys: Vec<Vec<Key>>,
    pub(super) registration: Option<Value>,
}

/// Where keys may come from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// The body of the request that registered the webhook.
    pub request: Option<&'k Value>,
    /// The webhook as the API answers it.
    pub response: Option<&'k Value>,
    /// Texts that the user gives: secrets, PEM, JWKS.
    pub given: &'k [String],
}

impl Signing {
    /// The keys for each scheme. A scheme without a key has none here; [`verify`](Signing::verify) says so where one is needed.
    ///
    /// # Errors
    /// When a text is not a key of its scheme.
    pub fn secrets(&self, known: &Known<'_>) -> Result<Secrets, String> {
        let keys = self
            .schemes
            .iter()
            .map(|scheme| {
                let texts = self.texts(scheme, known);
                let read = texts.iter().map(|text| scheme.key(text));
                read.collect::<Result<Vec<_>, _>>()
                    .map(|keys| keys.concat())
            })
            .collect::<Result<_, _>>()?;
        Ok(Secrets {
            keys,
            registration: known.response.cloned(),
        })
    }

    fn texts(&self, scheme: &Scheme, known: &Known<'_>) -> Vec<String> {
        let member = |value: Option<&Value>, pointer: &str| {
            let text = value.and_then(|value| value.pointer(pointer)).map(scalar);
            text.filter(|text| !text.is_empty())
        };
        let own = match &scheme.key.from {
            KeySource::Request(pointer) => member(known.request, pointer),
            KeySource::Response(pointer) => member(known.response, pointer),
            KeySource::Value(text) => Some(text.clone()),
            KeySource::Jwks(_) | KeySource::Certificate(_) | KeySource::Given => None,
        };
        if let Some(own) = own {
            return vec![own];
        }
        // A text with the prefix of one scheme belongs to that one only.
        let claimed = |text: &String| {
            self.schemes
                .iter()
                .any(|scheme| !scheme.key.prefix.is_empty() && text.starts_with(&scheme.key.prefix))
        };
        let belongs = |text: &&String| {
            let has = text.starts_with(&scheme.key.prefix);
            if scheme.key.prefix.is_empty() {
                !claimed(text)
            } else {
                has || !claimed(text)
            }
        };
        known.given.iter().filter(belongs).cloned().collect()
    }
}

impl Scheme {
    /// The key that a text is; a set of JSON Web Keys has several.
    ///
    /// # Errors
    /// When the text is not a key of this scheme.
    pub fn key(&self, text: &str) -> Result<Vec<Key>, String> {
        let text = text.strip_prefix(&self.key.prefix).unwrap_or(text);
        Key::read(text, self.key.encoding, self.algorithm.kind())
    }
}

impl Secrets {
    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.keys.iter().all(Vec::is_empty)
    }

    /// The keys of both, as during a rotation.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (keys, more) in both.keys.iter_mut().zip(&other.keys) {
            keys.extend(
                more.iter()
                    .filter(|key| !keys.contains(key))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        both
    }
}
