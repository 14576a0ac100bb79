//! Whether a delivery is signed as its document says. Pure, and generic: the scheme is read from the `x-webhook-signature` object of an
//! emitted document, so this shares no code with the side that signs.
//!
//! Not checked: that a timestamp is fresh. One outside the tolerance is a warning only, as a sandbox's clock may run ahead.

mod description;
#[cfg(test)]
mod tests;

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use self::description::{Description, Encoding, Identity, Part, Required};
use super::receiver::Delivery;
use crate::domain::Secret;

/// How the webhooks of an API are signed, and where their deliveries carry an identity.
#[derive(Debug)]
pub(super) struct Scheme {
    description: Description,
    signed: Vec<Part>,
    identity: Option<Identity>,
}

/// The result of verifying a signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is right; there may be something to know all the same.
    Verified { warning: Option<String> },
    /// The webhook has no key, so nothing had to be signed.
    Unsigned,
    /// It is not as documented.
    Wrong(Fault),
}

/// Why a signature is not as documented.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the header {0} is missing")]
    Missing(String),
    #[error("the header {0} is there {1} times")]
    Repeated(String, usize),
    #[error("the signature in {0} does not belong to this body, time and secret")]
    Mismatch(String),
    #[error("the header {0} is not a Unix time in seconds")]
    NoTime(String),
    #[error("the webhook has no secret, yet the document says that every delivery is signed")]
    NoKey,
}

impl Scheme {
    /// The member of a webhook that holds its key.
    pub(super) fn key_member(&self) -> &str {
        self.description.key.member()
    }

    /// The identity of a delivery, the same on all its attempts, where it carries one.
    pub(super) fn identity(&self, delivery: &Delivery, body: Option<&Value>) -> Option<String> {
        let identity = self.identity.as_ref()?;
        let header = identity.header.as_deref().and_then(|name| {
            let value = delivery.values(name).next()?;
            Some(String::from_utf8_lossy(value).into_owned())
        });
        let member = || {
            let member = body?.pointer(identity.member.as_deref()?)?;
            member.as_str().map(str::to_owned)
        };
        header.or_else(member)
    }

    /// Judges the signature of a delivery under the key of its webhook.
    pub(super) fn judge(&self, delivery: &Delivery, key: Option<&Secret>) -> Verdict {
        let Some(key) = key else {
            return match self.description.required {
                Required::Always => Verdict::Wrong(Fault::NoKey),
                Required::WhenKeyIsSet => Verdict::Unsigned,
            };
        };
        match self.check(delivery, key) {
            Ok(warning) => Verdict::Verified { warning },
            Err(fault) => Verdict::Wrong(fault),
        }
    }

    fn check(&self, delivery: &Delivery, key: &Secret) -> Result<Option<String>, Fault> {
        let header = &self.description.signature.header;
        let signature = only(delivery, header)?;
        let timestamp = match &self.description.timestamp {
            Some(timestamp) => Some((only(delivery, &timestamp.header)?, &timestamp.header)),
            None => None,
        };
        let expected = self.sign(key, timestamp.map(|(value, _)| value), &delivery.body);
        let expected = match self.description.signature.encoding {
            Encoding::Hex => HEXLOWER.encode(&expected),
            Encoding::Base64 => BASE64.encode(&expected),
        };
        // The texts are compared, not what they encode: each signature has one documented spelling.
        if !bool::from(expected.as_bytes().ct_eq(signature)) {
            return Err(Fault::Mismatch(header.clone()));
        }
        timestamp.map_or(Ok(None), |(value, header)| {
            self.drift(value, header, delivery.received_at)
        })
    }

    fn sign(&self, key: &Secret, timestamp: Option<&[u8]>, body: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
            .expect("HMAC takes keys of every length");
        for part in &self.signed {
            mac.update(match part {
                Part::Literal(text) => text.as_bytes(),
                Part::Timestamp => timestamp.unwrap_or_default(),
                Part::Body => body,
            });
        }
        mac.finalize().into_bytes().into()
    }

    /// A warning when a timestamp is farther from `now` than the document tolerates.
    fn drift(&self, value: &[u8], header: &str, now: Timestamp) -> Result<Option<String>, Fault> {
        let digits = value.iter().all(u8::is_ascii_digit);
        let seconds = std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .filter(|_| digits)
            .ok_or_else(|| Fault::NoTime(header.to_owned()))?;
        let rule = self.description.timestamp.as_ref();
        let Some(tolerance) = rule.and_then(|rule| rule.tolerance) else {
            return Ok(None);
        };
        let ahead = seconds.saturating_sub(now.as_second());
        if ahead.unsigned_abs() <= u64::from(tolerance) {
            return Ok(None);
        }
        let (by, side) = (
            ahead.unsigned_abs(),
            if ahead > 0 { "ahead" } else { "behind" },
        );
        Ok(Some(format!(
            "{header} is {by} s {side} of this machine's clock, and receivers that tolerate {} s refuse it; a sandbox with --clock-speed runs ahead",
            tolerance
        )))
    }
}

/// The one value of a header.
fn only<'a>(delivery: &'a Delivery, name: &str) -> Result<&'a [u8], Fault> {
    let mut values = delivery.values(name);
    let value = values
        .next()
        .ok_or_else(|| Fault::Missing(name.to_owned()))?;
    match values.count() {
        0 => Ok(value),
        more => Err(Fault::Repeated(name.to_owned(), more + 1)),
    }
}
