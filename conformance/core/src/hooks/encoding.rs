//! How bytes and times are written in messages.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use jiff::Timestamp as Instant;

use super::scheme::{Encoding, TimeFormat};

impl TimeFormat {
    pub(super) fn read(self, text: &str) -> Option<Instant> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::UnixSeconds if digits => Instant::from_second(text.parse().ok()?).ok(),
            Self::UnixMilliseconds if digits => Instant::from_millisecond(text.parse().ok()?).ok(),
            Self::Rfc3339 => text.parse().ok(),
            Self::UnixSeconds | Self::UnixMilliseconds => None,
        }
    }

    /// A time in this form.
    pub(super) fn write(self, at: Instant) -> String {
        match self {
            Self::UnixSeconds => at.as_second().to_string(),
            Self::UnixMilliseconds => at.as_millisecond().to_string(),
            Self::Rfc3339 => at.to_string(),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::UnixSeconds => "a Unix time in seconds",
            Self::UnixMilliseconds => "a Unix time in milliseconds",
            Self::Rfc3339 => "a date and time of RFC 3339",
        }
    }
}

/// How messages name an encoding.
pub(super) fn form(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Hex => "lower-case hexadecimal digits",
        Encoding::Base64 => "Base64 with padding",
        Encoding::Base64url => "Base64 for URLs without padding",
        Encoding::Text => "text",
    }
}

/// The bytes of a value; each has one spelling, which receivers may compare as text.
pub(super) fn decode(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => HEXLOWER.decode(text.as_bytes()).ok(),
        Encoding::Base64 => BASE64.decode(text.as_bytes()).ok(),
        Encoding::Base64url => BASE64URL_NOPAD.decode(text.as_bytes()).ok(),
        Encoding::Text => Some(text.as_bytes().to_vec()),
    }
}

/// The value of bytes.
pub(super) fn encode(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Hex => HEXLOWER.encode(bytes),
        Encoding::Base64 => BASE64.encode(bytes),
        Encoding::Base64url => BASE64URL_NOPAD.encode(bytes),
        Encoding::Text => String::from_utf8_lossy(bytes).into_owned(),
    }
}
