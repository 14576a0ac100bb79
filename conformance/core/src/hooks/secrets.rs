//! The keys of a webhook: from its registration, the document, or the user.

use serde_json::Value;

use super::Signing;
use super::certificate::Certificates;
use super::key::{Key, Kind};
use super::location::Carrier;
use super::message::scalar;
use super::scheme::{KeySource, Required, Scheme};

/// The keys with which the deliveries of one webhook are signed, for each scheme. During a rotation there are several.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    pub(super) keys: Vec<Vec<Key>>,
    pub(super) registration: Option<Value>,
    pub(super) certificates: Option<Certificates>,
}

/// Where keys may come from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// The body of the request that registered the webhook.
    pub request: Option<&'k Value>,
    /// The webhook as the API answers it.
    pub response: Option<&'k Value>,
    /// Texts that the user gives: secrets, PEM, JWKS. One that begins with the name of a scheme's header, query parameter or member and `=`
    /// is the key of that scheme only.
    pub given: &'k [String],
    /// Sets of JSON Web Keys by the URL that they were fetched from.
    pub fetched: &'k [(String, String)],
    /// The certificates that deliveries name, which are fetched as they come.
    pub certificates: Option<&'k Certificates>,
    /// Whether deliveries are to be signed: what a document has of a pair of keys is the public one.
    pub signs: bool,
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
            certificates: known.certificates.cloned(),
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
        let is_public = known.signs && scheme.algorithm.kind() != Kind::Shared;
        if let Some(own) = own.filter(|_| !is_public) {
            return vec![own];
        }
        let given = self.given(scheme, known.given);
        match &scheme.key.from {
            KeySource::Jwks(url) if given.is_empty() => {
                let fetched = known.fetched.iter().filter(|(from, _)| from == url);
                fetched.map(|(_, text)| text.clone()).collect()
            }
            _ => given,
        }
    }

    /// The texts among those of the user that are keys of a scheme: those that name it, else those that name none.
    fn given(&self, scheme: &Scheme, given: &[String]) -> Vec<String> {
        let named = |text: &'_ String| scheme.named(text).map(str::to_owned);
        let own: Vec<String> = given.iter().filter_map(named).collect();
        if !own.is_empty() {
            return own;
        }
        // A text with the prefix of one scheme belongs to that one only.
        let claimed = |text: &String| {
            self.schemes
                .iter()
                .any(|scheme| !scheme.key.prefix.is_empty() && text.starts_with(&scheme.key.prefix))
        };
        let belongs = |text: &&String| {
            let has = text.starts_with(&scheme.key.prefix);
            if self.bare(text) != text.as_str() {
                false
            } else if scheme.key.prefix.is_empty() {
                !claimed(text)
            } else {
                has || !claimed(text)
            }
        };
        given.iter().filter(belongs).cloned().collect()
    }

    /// The schemes that sign, with their keys. One that has no key and need not have one signs nothing.
    #[must_use]
    pub fn in_use(&self, secrets: &Secrets) -> (Self, Secrets) {
        let all = self.schemes.iter().zip(&secrets.keys);
        let used =
            all.filter(|(scheme, keys)| !keys.is_empty() || scheme.required == Required::Always);
        let (schemes, keys) = used
            .map(|(scheme, keys)| (scheme.clone(), keys.clone()))
            .unzip();
        let secrets = Secrets {
            keys,
            registration: secrets.registration.clone(),
            certificates: secrets.certificates.clone(),
        };
        (Self { schemes }, secrets)
    }

    /// Whether all schemes are of secrets that sender and receiver share, and none of a pair of keys.
    pub fn is_shared(&self) -> bool {
        let mut schemes = self.schemes.iter();
        schemes.all(|scheme| scheme.algorithm.kind() == Kind::Shared)
    }

    /// A text of the user without the name of a scheme before it: the secret.
    pub fn bare<'t>(&self, text: &'t str) -> &'t str {
        let mut named = self.schemes.iter().filter_map(|scheme| scheme.named(text));
        named.next().unwrap_or(text)
    }

    /// The URLs of the sets of JSON Web Keys that have to be fetched.
    pub fn key_sets(&self, given: &[String]) -> Vec<&str> {
        let mut urls: Vec<&str> = Vec::new();
        for scheme in &self.schemes {
            if let KeySource::Jwks(url) = &scheme.key.from
                && self.given(scheme, given).is_empty()
                && !urls.contains(&url.as_str())
            {
                urls.push(url);
            }
        }
        urls
    }
}

impl Scheme {
    /// What follows the name of the scheme and `=` in a text.
    fn named<'t>(&self, text: &'t str) -> Option<&'t str> {
        let name = match &self.signature.location.carrier {
            Carrier::Header(name) | Carrier::Query(name) | Carrier::Claim(name) => name.as_str(),
            Carrier::Member(pointer) => pointer.trim_start_matches('/'),
        };
        let (given, secret) = text.split_once('=')?;
        given.eq_ignore_ascii_case(name).then_some(secret)
    }

    /// The key that a text is; a set of JSON Web Keys has several.
    ///
    /// # Errors
    /// When the text is not a key of this scheme.
    pub fn key(&self, text: &str) -> Result<Vec<Key>, String> {
        let mut text = text.strip_prefix(&self.key.prefix).unwrap_or(text);
        // Standard Webhooks: private keys are written as public ones are.
        if self.key.prefix == "whpk_" {
            text = text.strip_prefix("whsk_").unwrap_or(text);
        }
        Key::read(text, self.key.encoding, self.algorithm.kind())
    }
}

impl Secrets {
    /// No key at all.
    pub const NONE: Self = Self {
        keys: Vec::new(),
        registration: None,
        certificates: None,
    };

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.keys.iter().all(Vec::is_empty)
    }

    /// The same with other keys in place of the shared ones; none where no key is shared, as nobody else can make a pair of keys.
    pub fn altered(&self) -> Option<Self> {
        let mut altered = self.clone();
        let mut any = false;
        for key in altered.keys.iter_mut().flatten() {
            any |= key.alter();
        }
        any.then_some(altered)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_with_the_name_of_a_scheme_belongs_to_that_one_only() {
        let value = json!([
            { "algorithm": "hmac-sha256", "signature": { "header": "X-Signature", "encoding": "hex" }, "signed": "{body}" },
            { "algorithm": "token", "signature": { "header": "X-Token" } },
            { "algorithm": "token", "signature": { "member": "/auth/key" } },
        ]);
        let signing = Signing::read(&value, "").expect("a well-formed description");
        let given = ["x-token=a=b", "other", "auth/key=c", "X-Unknown=d"].map(str::to_owned);
        let texts = |index: usize| signing.given(&signing.schemes[index], &given);
        assert_eq!(texts(0), ["other", "X-Unknown=d"]);
        assert_eq!(texts(1), ["a=b"]);
        assert_eq!(texts(2), ["c"]);
        assert_eq!(signing.bare("x-token=a=b"), "a=b");
        assert_eq!(signing.bare("X-Unknown=d"), "X-Unknown=d");
    }
}
