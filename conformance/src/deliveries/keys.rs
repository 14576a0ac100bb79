//! The secrets of registered webhooks: told by the API, chosen by us, or given by the user.

use std::collections::BTreeSet;

use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::hook::{Hook, Hooks, Refused, SecretText, set};
use crate::exchange::{Client, Request};
use crate::finding::Untested;
use crate::hooks::{Algorithm, KeyEncoding, KeySource, Known, Scheme, Signing};

/// Most certificates that are fetched: a sender has few, and may name as many as it likes.
const CERTIFICATES: usize = 16;

impl Hooks<'_> {
    /// The keys of a webhook, told to the receiver for handshakes.
    pub(super) fn keys(
        &self,
        hook: &mut Hook,
        request: Option<&Value>,
        response: Option<&Value>,
    ) -> Result<(), Refused> {
        let mut given = self.settings.secrets.clone();
        given.extend(self.receiver.brought(&hook.slot));
        let unknown = |cause| Box::new((Untested::Key { cause }, None));
        let fetched = self.fetched.as_ref();
        let fetched = fetched.map_err(|cause| unknown(cause.clone()))?;
        let known = Known {
            request,
            response,
            given: &given,
            fetched,
            certificates: Some(&self.certificates),
            signs: false,
        };
        hook.texts.clear();
        let mut all: Vec<&str> = Vec::new();
        let mut secrets = Vec::new();
        for signing in self.signings {
            secrets.push(signing.secrets(&known).map_err(unknown)?);
            for own in texts(signing, request, response) {
                if !hook.texts.contains(&own) {
                    hook.texts.push(own);
                }
            }
            all.extend(given.iter().map(|text| signing.bare(text)));
        }
        hook.secrets = secrets;
        let own = hook.texts.iter().map(|one| one.text.as_str());
        let all: Vec<&str> = own.chain(all).collect();
        for text in &all {
            self.session.judge.secrets.remember(text);
        }
        let first = all.first().copied().unwrap_or_default();
        let keys = hook.secrets.first().cloned().unwrap_or_default();
        self.receiver.secrets(&hook.slot, keys, first);
        Ok(())
    }

    /// Puts new keys into the body of a registration, or of a rotation, where the description says that it has them.
    pub(super) fn choose(&self, body: &mut Value) {
        let schemes = self.signings.iter().flat_map(|signing| &signing.schemes);
        for (index, scheme) in schemes.enumerate() {
            if let KeySource::Request(at) = &scheme.key.from {
                let text = self.new_key(index, scheme.key.encoding);
                set(body, at, json!(format!("{}{text}", scheme.key.prefix)));
            }
        }
    }

    /// Fetches the certificates that deliveries name, where the description has their hosts.
    pub(super) async fn certificates(&self) {
        if !self.signings.iter().any(Signing::has_certificates) {
            return;
        }
        let given = &self.settings.secrets;
        let known = Known {
            given,
            ..Known::default()
        };
        for arrival in self.receiver.arrivals() {
            for signing in self.signings {
                let secrets = signing.secrets(&known).unwrap_or_default();
                for url in signing.certificates(&secrets, &arrival.message) {
                    if self.certificates.has(&url) || self.certificates.count() >= CERTIFICATES {
                        continue;
                    }
                    let text = get(&url, "*/*", &self.client).await;
                    let text = text.as_deref().map_err(Clone::clone);
                    self.certificates.note(&url, text, signing);
                }
            }
        }
    }

    /// A key that no webhook had before.
    fn new_key(&self, scheme: usize, encoding: KeyEncoding) -> String {
        let seed = format!("{:x}/{}/{scheme}", self.nonce, self.registered.get());
        let hex =
            crate::fingerprint::digest(&seed) + &crate::fingerprint::digest(&format!("{seed}/"));
        match encoding {
            KeyEncoding::Hex => hex,
            KeyEncoding::Base64 => {
                BASE64.encode(&HEXLOWER.decode(hex.as_bytes()).unwrap_or_default())
            }
            KeyEncoding::Utf8 | KeyEncoding::Base64url | KeyEncoding::Pem | KeyEncoding::Jwk => {
                format!(
                    "{}-{}-4{}-8{}-{}",
                    &hex[..8],
                    &hex[8..12],
                    &hex[13..16],
                    &hex[17..20],
                    &hex[20..32]
                )
            }
        }
    }
}

/// Fetches the sets of JSON Web Keys that a description names, each with its URL.
///
/// # Errors
/// Says which one cannot be had, and why.
pub(super) async fn fetch(
    signings: &[Signing],
    given: &[String],
    client: &Client,
) -> Result<Vec<(String, String)>, String> {
    let mut fetched = Vec::new();
    let urls = signings.iter().flat_map(|signing| signing.key_sets(given));
    for url in urls.collect::<BTreeSet<&str>>() {
        let text = get(url, "application/json", client).await;
        let text = text.map_err(|cause| format!("{url}, which should have the keys, {cause}"))?;
        fetched.push((url.to_owned(), text));
    }
    Ok(fetched)
}

/// The text at a URL.
///
/// # Errors
/// Says what is wrong, in words that follow the URL.
async fn get(url: &str, accept: &str, client: &Client) -> Result<String, String> {
    let request = Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: vec![("Accept".to_owned(), accept.to_owned())],
        body: None,
    };
    let sent = client.send(request).await;
    let exchange = sent.map_err(|error| format!("cannot be fetched: {error}"))?;
    let Some(response) = exchange.response else {
        return Err("does not answer".to_owned());
    };
    if response.status != 200 {
        return Err(format!("answered {}", response.status));
    }
    Ok(String::from_utf8_lossy(&response.body).into_owned())
}

/// The texts of secrets in a registration.
fn texts(signing: &Signing, request: Option<&Value>, response: Option<&Value>) -> Vec<SecretText> {
    let text = |value: Option<&Value>, at: &str| value?.pointer(at)?.as_str().map(str::to_owned);
    let of = |scheme: &Scheme| {
        let text = match &scheme.key.from {
            KeySource::Request(at) => text(request, at),
            KeySource::Response(at) => text(response, at),
            _ => None,
        };
        Some(SecretText {
            text: text?,
            is_token: scheme.algorithm == Algorithm::Token,
        })
    };
    signing.schemes.iter().filter_map(of).collect()
}
