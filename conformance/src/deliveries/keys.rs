//! The secrets of registered webhooks: told by the API, chosen by us, or given by the user.

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

use super::hook::{Hook, Hooks, Refused};
use crate::finding::Untested;
use crate::hooks::{KeyEncoding, KeySource, Known, Secrets, Signing};

impl Hooks<'_> {
    /// The keys of a webhook, told to the receiver for handshakes.
    pub(super) fn keys(
        &self,
        hook: &mut Hook,
        request: Option<&Value>,
        response: Option<&Value>,
    ) -> Result<(), Refused> {
        let Some(signing) = &self.description.signing else {
            return Ok(());
        };
        let mut given = self.settings.secrets.clone();
        given.extend(self.receiver.brought(&hook.slot));
        hook.secrets = secrets(signing, request, response, &given)
            .map_err(|cause| Box::new((Untested::Key { cause }, None)))?;
        hook.texts = texts(signing, request, response);
        for text in hook.texts.iter().chain(&given) {
            self.session.judge.secrets.remember(text);
        }
        let first = hook
            .texts
            .iter()
            .chain(&given)
            .next()
            .cloned()
            .unwrap_or_default();
        self.receiver
            .secrets(&hook.slot, hook.secrets.clone(), &first);
        Ok(())
    }

    /// A key that no webhook had before.
    pub(super) fn new_key(&self, scheme: usize, encoding: KeyEncoding) -> String {
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

/// The keys that a registration tells, or that are given.
fn secrets(
    signing: &Signing,
    request: Option<&Value>,
    response: Option<&Value>,
    given: &[String],
) -> Result<Secrets, String> {
    signing.secrets(&Known {
        request,
        response,
        given,
    })
}

/// The texts of secrets in a registration.
fn texts(signing: &Signing, request: Option<&Value>, response: Option<&Value>) -> Vec<String> {
    let text = |value: Option<&Value>, at: &str| value?.pointer(at)?.as_str().map(str::to_owned);
    let schemes = signing.schemes.iter();
    schemes
        .filter_map(|scheme| match &scheme.key.from {
            KeySource::Request(at) => text(request, at),
            KeySource::Response(at) => text(response, at),
            _ => None,
        })
        .collect()
}
