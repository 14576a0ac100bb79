//! Verifies the signatures of webhooks. Copy this file; it needs the crates `hmac` and `sha2`.
//!
//! Hand over the body as it came, byte for byte. JSON that was parsed and written again is another body.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far the timestamp of a Conduit delivery may be from now, either way. A sandbox with `--clock-speed` signs times that run ahead of
/// now, so that its deliveries soon are stale: test at normal speed.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// What is wrong with a signature. Do not trust the delivery; answer 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// A header is missing or is not as documented.
    Malformed,
    /// The timestamp is too far from now.
    Stale,
    /// The signature was made of another body or with another secret.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the signature is malformed",
            Self::Stale => "the signature is stale",
            Self::Mismatch => "the signature does not match",
        })
    }
}

impl Error for SignatureError {}

/// Verifies a delivery of Conduit: `secret` is that of `GET /webhooks/{id}`, `signature` the header `conduit-signature`, and `timestamp`
/// the header `conduit-signature-timestamp`.
///
/// # Errors
/// When the delivery must not be trusted.
pub fn verify_conduit(
    secret: &str,
    signature: Option<&str>,
    timestamp: Option<&str>,
    body: &[u8],
    now: SystemTime,
) -> Result<(), SignatureError> {
    let given = signature.and_then(from_hex).ok_or(SignatureError::Malformed)?;
    let digits = |text: &&str| (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let timestamp = timestamp.filter(digits).ok_or(SignatureError::Malformed)?;
    let seconds = timestamp.parse().map_err(|_| SignatureError::Malformed)?;
    check(secret, &[timestamp.as_bytes(), b".", body], &given)?;
    let signed = UNIX_EPOCH + Duration::from_secs(seconds);
    let apart = now.duration_since(signed).unwrap_or_else(|early| early.duration());
    if apart > TOLERANCE { Err(SignatureError::Stale) } else { Ok(()) }
}

/// Verifies a notification of Equals Money: `shared_secret` is that of the webhook, and `signature` the header `x-em-signature`. There is
/// no timestamp: tell repeats by their `messageId`.
///
/// # Errors
/// When the notification must not be trusted.
pub fn verify_equals_money(shared_secret: &str, signature: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    let given = signature.and_then(from_base64).ok_or(SignatureError::Malformed)?;
    check(shared_secret, &[body], &given)
}

/// Compares in constant time.
fn check(secret: &str, parts: &[&[u8]], given: &[u8; 32]) -> Result<(), SignatureError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::Mismatch)?;
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(given).map_err(|_| SignatureError::Mismatch)
}

/// 64 hexadecimal digits, in lower case.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// 43 characters of Base64 and one `=`.
fn from_base64(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let text: &[u8; 43] = text.strip_suffix('=')?.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    let (mut bits, mut held, mut next) = (0_u32, 0, 0);
    for byte in text {
        bits = bits << 6 | u32::from(digit(*byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes[next] = (bits >> held).to_le_bytes()[0];
            bits &= (1 << held) - 1;
            next += 1;
        }
    }
    // What is left over is padding, and zero.
    (bits == 0).then_some(bytes)
}
