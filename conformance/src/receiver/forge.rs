//! Deliveries that the provider did not send: made of a right one as somebody would who does not have the secret. Pure.
//!
//! Each of them is verified by the description itself, and only those are sent that it refuses.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use jiff::{SignedDuration, Timestamp as Instant};

use super::event::Event;
use super::{identity, payload};
use crate::finding::Flaw;
use crate::hooks::{
    Algorithm, Carrier, KeyEncoding, Known, Location, Message, Scheme, Secrets, Signing, Verdict,
};

/// How many seconds a time is beyond what is tolerated.
const BEYOND: i64 = 60;

/// Makes another text of one, if it can.
type Rewrite = fn(&str) -> Option<String>;

/// A delivery that must be refused, and why.
#[derive(Debug, Clone)]
pub(super) struct Forgery {
    pub(super) flaw: Flaw,
    pub(super) message: Message,
}

/// The parts that forgeries are made of.
pub(super) struct Forger<'f> {
    pub(super) event: &'f Event<'f>,
    pub(super) signing: &'f Signing,
    /// The payload, with its id.
    pub(super) draft: Message,
    pub(super) id: String,
    pub(super) now: Instant,
    /// A number that no run before had.
    pub(super) number: u64,
}

impl Forger<'_> {
    /// All forgeries, each with an id of its own.
    pub(super) fn all(&self) -> Vec<Forgery> {
        let mut all = Vec::new();
        self.signatures(&mut all);
        self.secrets(&mut all);
        self.algorithms(&mut all);
        self.times(&mut all);
        self.changes(&mut all);
        all.retain(|one| {
            let verdict = self
                .signing
                .verify(&self.event.secrets, &one.message, Some(self.now));
            matches!(verdict, Verdict::Refused(_))
        });
        all
    }

    /// The payload with a new id.
    fn fresh(&self, salt: u64) -> (Message, String) {
        let mut message = self.draft.clone();
        let number = self.number.wrapping_add(salt.wrapping_mul(0x1_0000));
        let id = identity::renew(self.event, &mut message, number);
        (message, id.unwrap_or_else(|| self.id.clone()))
    }

    /// A right delivery with a new id.
    fn right(&self, salt: u64) -> Option<Message> {
        self.signed(salt, &self.event.secrets, self.now)
    }

    fn signed(&self, salt: u64, secrets: &Secrets, at: Instant) -> Option<Message> {
        let (mut message, id) = self.fresh(salt);
        self.signing.sign(secrets, &mut message, &id, at).ok()?;
        Some(message)
    }

    fn signatures(&self, all: &mut Vec<Forgery>) {
        let changes: [(Flaw, Rewrite); 4] = [
            (Flaw::EmptySignature, |_| Some(String::new())),
            (Flaw::SignatureStart, |text| flip(text, 0)),
            (Flaw::SignatureEnd, |text| {
                flip(text, text.trim_end_matches('=').len().checked_sub(2)?)
            }),
            (Flaw::SignatureCut, |text| {
                let half = text.trim_end_matches('=').len() / 2;
                Some(text.get(..half - half % 4)?.to_owned()).filter(|half| !half.is_empty())
            }),
        ];
        for (number, scheme) in (0_u64..).zip(&self.signing.schemes) {
            for whole in [false, true] {
                let salt = 1 + 20 * number + u64::from(whole);
                let Some(mut message) = self.right(salt) else {
                    continue;
                };
                if whole && scheme.signature.location.field.is_none() {
                    continue;
                }
                if remove_signature(scheme, &mut message, whole) {
                    all.push(Forgery {
                        flaw: Flaw::NoSignature,
                        message,
                    });
                }
            }
            for (index, (flaw, change)) in (3_u64..).zip(&changes) {
                let Some(mut message) = self.right(20 * number + index) else {
                    continue;
                };
                if change_signature(scheme, &mut message, *change) {
                    let flaw = flaw.clone();
                    all.push(Forgery { flaw, message });
                }
            }
        }
    }

    fn secrets(&self, all: &mut Vec<Forgery>) {
        let mut given = vec![(Flaw::OtherSecret, other_secrets(self.signing, self.number))];
        if self
            .signing
            .schemes
            .iter()
            .all(|one| is_hmac(one.algorithm))
        {
            let empty = shared_text(self.signing, &[]);
            let empty = empty.and_then(|text| secrets_of(self.signing, text));
            given.push((Flaw::EmptySecret, empty));
        }
        for (salt, (flaw, secrets)) in (60_u64..).zip(given) {
            let message = secrets.and_then(|secrets| self.signed(salt, &secrets, self.now));
            if let Some(message) = message {
                all.push(Forgery { flaw, message });
            }
        }
    }

    fn algorithms(&self, all: &mut Vec<Forgery>) {
        let others = [
            ("HMAC-SHA1", Algorithm::HmacSha1),
            ("HMAC-SHA256", Algorithm::HmacSha256),
            ("HMAC-SHA512", Algorithm::HmacSha512),
        ];
        for (salt, (name, other)) in (70_u64..).zip(others) {
            let own = |scheme: &Scheme| !is_hmac(scheme.algorithm) || scheme.algorithm == other;
            if self.signing.schemes.iter().any(own) {
                continue;
            }
            let mut signing = self.signing.clone();
            for scheme in &mut signing.schemes {
                scheme.algorithm = other;
            }
            let (mut message, id) = self.fresh(salt);
            if signing
                .sign(&self.event.secrets, &mut message, &id, self.now)
                .is_ok()
            {
                let name = name.to_owned();
                all.push(Forgery {
                    flaw: Flaw::OtherAlgorithm { name },
                    message,
                });
            }
        }
        for scheme in &self.signing.schemes {
            let Some(mut message) = self
                .right(75)
                .filter(|_| scheme.algorithm == Algorithm::Jws)
            else {
                continue;
            };
            let unsigned = |token: &str| {
                let mut parts = token.split('.');
                let payload = parts.nth(1)?;
                let header = BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
                Some(format!("{header}.{payload}."))
            };
            if change_whole(scheme, &mut message, unsigned) {
                let name = "the algorithm `none`".to_owned();
                all.push(Forgery {
                    flaw: Flaw::OtherAlgorithm { name },
                    message,
                });
            }
        }
    }

    fn times(&self, all: &mut Vec<Forgery>) {
        if let Some(tolerance) = tolerance(self.signing) {
            let seconds = tolerance + BEYOND;
            for (salt, sign) in [(80, -1), (81, 1)] {
                let at = self
                    .now
                    .checked_add(SignedDuration::from_secs(sign * seconds));
                let message = at
                    .ok()
                    .and_then(|at| self.signed(salt, &self.event.secrets, at));
                let flaw = match sign {
                    -1 => Flaw::Old { seconds },
                    _ => Flaw::Early { seconds },
                };
                all.extend(message.map(|message| Forgery { flaw, message }));
            }
        }
        for scheme in &self.signing.schemes {
            let place = scheme
                .timestamp
                .as_ref()
                .and_then(|time| time.location.as_ref());
            let Some(place) = place else { continue };
            if let Some(mut message) = self.right(82)
                && remove_value(place, &mut message, false)
            {
                let flaw = Flaw::NoTime;
                all.push(Forgery { flaw, message });
            }
            if let Some(mut message) = self.right(83)
                && place.change(&mut message, payload::other_end)
            {
                let flaw = Flaw::OtherTime;
                all.push(Forgery { flaw, message });
            }
        }
    }

    fn changes(&self, all: &mut Vec<Forgery>) {
        for scheme in &self.signing.schemes {
            if let (Some(place), Some(mut message)) = (&scheme.id, self.right(90))
                && place.change(&mut message, payload::other_end)
            {
                let flaw = Flaw::OtherId;
                all.push(Forgery { flaw, message });
            }
        }
        let kept = self.event.protocol_members();
        let body = |change: &dyn Fn(&Message) -> Option<Message>, salt| {
            let right = self.right(salt)?;
            let changed = change(&right)?;
            (changed.body != right.body).then_some(changed)
        };
        let rewritten = |message: &Message| {
            let value = message.json()?;
            let compact = value.to_string().into_bytes();
            let body = match compact == message.body {
                true => serde_json::to_vec_pretty(&value).ok()?,
                false => compact,
            };
            Some(payload::with_body(message, body))
        };
        let extended = |message: &Message| {
            let body = [&message.body[..], b" "].concat();
            Some(payload::with_body(message, body))
        };
        let removed = |message: &Message| Some(payload::with_body(message, Vec::new()));
        let changed = |message: &Message| payload::changed(self.event, message, &kept);
        let made = [
            (Flaw::OtherBody, body(&changed, 91)),
            (Flaw::Rewritten, body(&rewritten, 92)),
            (Flaw::Extended, body(&extended, 93)),
            (Flaw::NoBody, body(&removed, 94)),
        ];
        for (flaw, message) in made {
            all.extend(message.map(|message| Forgery { flaw, message }));
        }
    }
}

/// Keys that nobody has.
pub(super) fn other_secrets(signing: &Signing, number: u64) -> Option<Secrets> {
    let bytes: Vec<u8> = (0..4)
        .flat_map(|part| identity::mix(number.wrapping_add(part)).to_be_bytes())
        .collect();
    let text = key_pair(signing).or_else(|| shared_text(signing, &bytes));
    secrets_of(signing, text?)
}

fn secrets_of(signing: &Signing, text: String) -> Option<Secrets> {
    let known = Known {
        given: &[text],
        ..Known::default()
    };
    signing.secrets(&known).ok()
}

/// A shared secret as the first scheme writes it.
fn shared_text(signing: &Signing, bytes: &[u8]) -> Option<String> {
    let rule = &signing.schemes.first()?.key;
    let text = match rule.encoding {
        KeyEncoding::Utf8 | KeyEncoding::Hex => HEXLOWER.encode(bytes),
        KeyEncoding::Base64 => BASE64.encode(bytes),
        KeyEncoding::Base64url => BASE64URL_NOPAD.encode(bytes),
        KeyEncoding::Pem | KeyEncoding::Jwk => return None,
    };
    Some(format!("{}{text}", rule.prefix))
}

/// How many seconds of age are tolerated, where the time is signed.
pub(super) fn tolerance(signing: &Signing) -> Option<i64> {
    let mut all = signing
        .schemes
        .iter()
        .filter_map(|one| one.timestamp.as_ref()?.tolerance);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a larger tolerance than any time is the same as none"
    )]
    all.next().map(|seconds| seconds.ceil() as i64)
}

/// Whether deliveries carry the time of their signature.
pub(super) fn has_time(signing: &Signing) -> bool {
    signing.schemes.iter().any(|one| one.timestamp.is_some())
}

fn is_hmac(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::HmacSha1 | Algorithm::HmacSha256 | Algorithm::HmacSha384 | Algorithm::HmacSha512
    )
}

/// A private key of the kind that the first scheme needs, and that nobody has.
fn key_pair(signing: &Signing) -> Option<String> {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
    let scheme = signing.schemes.first()?;
    let random = SystemRandom::new();
    let bytes = match scheme.algorithm {
        Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random).ok()?,
        Algorithm::EcdsaP256Sha256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).ok()?
        }
        _ => return None,
    };
    let bytes = bytes.as_ref();
    let text = match scheme.key.encoding {
        KeyEncoding::Pem => format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64.encode(bytes)
        ),
        KeyEncoding::Hex => HEXLOWER.encode(bytes),
        KeyEncoding::Base64 => BASE64.encode(bytes),
        KeyEncoding::Base64url => BASE64URL_NOPAD.encode(bytes),
        KeyEncoding::Utf8 | KeyEncoding::Jwk => return None,
    };
    Some(format!("{}{text}", scheme.key.prefix))
}

/// The text with another character at an index: one that every encoding has.
fn flip(text: &str, at: usize) -> Option<String> {
    let letter = text.get(at..=at)?;
    let other = if letter == "0" { "1" } else { "0" };
    Some(format!("{}{other}{}", &text[..at], &text[at + 1..]))
}

/// Changes the bytes of the signature as they are written, without what stands around them.
fn change_signature(
    scheme: &Scheme,
    message: &mut Message,
    change: impl Fn(&str) -> Option<String>,
) -> bool {
    change_whole(scheme, message, |whole| {
        let item = match &scheme.signature.items {
            Some(separator) => whole.rsplit(separator.as_str()).next()?,
            None => whole,
        };
        let bare = item.strip_prefix(&scheme.signature.prefix).unwrap_or(item);
        let bare = match scheme.algorithm {
            Algorithm::Jws => bare.rsplit('.').next()?,
            Algorithm::HttpMessageSignature => bare.split(':').nth(1)?,
            _ => bare,
        };
        let before = whole.rfind(bare)?;
        let after = &whole[before + bare.len()..];
        Some(format!("{}{}{after}", &whole[..before], change(bare)?))
    })
}

fn change_whole(
    scheme: &Scheme,
    message: &mut Message,
    change: impl Fn(&str) -> Option<String>,
) -> bool {
    scheme.signature.location.change(message, change)
}

fn remove_signature(scheme: &Scheme, message: &mut Message, whole: bool) -> bool {
    if scheme.algorithm == Algorithm::HttpMessageSignature {
        message.remove_header("signature-input");
    }
    remove_value(&scheme.signature.location, message, whole)
}

/// Removes a value, or the whole header that has it among others.
fn remove_value(place: &Location, message: &mut Message, whole: bool) -> bool {
    match &place.carrier {
        Carrier::Header(name) => {
            let known = message.header(name).next().map(str::to_owned);
            let Some(known) = known else { return false };
            message.remove_header(name);
            if let Some(field) = place.field.as_ref().filter(|_| !whole) {
                let own = format!("{}{}", field.name, field.assign);
                let rest: Vec<&str> = known
                    .split(&field.separator)
                    .filter(|part| !part.trim().starts_with(&own))
                    .collect();
                message.set_header(name, rest.join(&field.separator));
            }
            true
        }
        Carrier::Query(name) => {
            let Some(mut pairs) = message.query_pairs() else {
                return false;
            };
            pairs.retain(|(key, _)| key != name);
            message.set_query_pairs(pairs)
        }
        Carrier::Member(pointer) => {
            let Some(mut body) = message.json() else {
                return false;
            };
            let removed = payload::remove(&mut body, pointer).is_some();
            message.body = body.to_string().into_bytes();
            removed
        }
        Carrier::Claim(_) => false,
    }
}
