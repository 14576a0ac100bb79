//! Reads a receiver's answer: a bounded part of its headers and its body, and its `Retry-After`.

use std::error::Error;
use std::io;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap, RETRY_AFTER, SET_COOKIE, TRANSFER_ENCODING};
use jiff::Timestamp;

/// A receiver that asks for more patience than this is given this much.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How many headers of an answer are kept, and how many bytes of their names and values.
const KEPT_HEADERS: usize = 64;
const KEPT_HEADER_BYTES: usize = 8 * 1024;

/// The status, the headers and the beginning of the body of an answer. It is filled while it is read, so that what came before a deadline
/// is not lost.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The status that came before it.
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) kept: Vec<u8>,
    pub(crate) truncated: bool,
}

impl Answer {
    /// Keeps the first headers, in their order and with bytes that are not UTF-8 replaced; the value of a cookie is a credential.
    pub(crate) fn keep_headers(&mut self, headers: &HeaderMap) {
        let mut bytes = 0;
        for (name, value) in headers {
            bytes += name.as_str().len() + value.len();
            if self.headers.len() == KEPT_HEADERS || bytes > KEPT_HEADER_BYTES {
                self.truncated = true;
                return;
            }
            let value = if name == SET_COOKIE {
                "[redacted]".to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            self.headers.push((name.as_str().to_owned(), value));
        }
    }

    /// Reads `body` to its end or up to `cap` bytes, whichever comes first, and keeps the first `keep` bytes, as they came.
    ///
    /// # Errors
    /// When the connection breaks in the middle of the body.
    pub(crate) async fn read(
        &mut self,
        mut body: Incoming,
        keep: usize,
        cap: usize,
    ) -> Result<(), hyper::Error> {
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            read += data.len();
            let kept = data.len().min(keep - self.kept.len());
            self.kept.extend_from_slice(&data[..kept]);
            self.truncated |= kept < data.len();
            if read >= cap {
                // The rest is not worth reading. Dropping the body closes the connection, or ends the HTTP/2 stream.
                self.truncated |= !body.is_end_stream();
                break;
            }
        }
        Ok(())
    }
}

/// Whether a body that has no length of its own was ended by closing a TLS connection without saying so: careless, common, and a complete
/// answer to all who only ask for the status.
pub(crate) fn ended_by_closing(headers: &HeaderMap, error: &hyper::Error) -> bool {
    let framed = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    !framed && cause.is_some_and(|cause| cause.kind() == io::ErrorKind::UnexpectedEof)
}

/// Reads `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3); none when it cannot be read.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds are a long time too.
        text.parse()
            .map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now.into()).unwrap_or_default()
    };
    Some(asked.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn read(value: &'static str) -> Option<Duration> {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        retry_after(
            &HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]),
            now,
        )
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        for (value, seconds) in [
            ("0", 0),
            ("120", 120),
            (" 7 ", 7),
            ("86400", 86_400),
            ("86401", 86_400),
            ("99999999999999999999999999", 86_400),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
            ("Sun Nov  6 08:49:37 1994", 37),
            ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ] {
            assert_eq!(read(value), Some(Duration::from_secs(seconds)), "{value}");
        }
    }

    #[test]
    fn the_first_headers_are_kept_and_cookies_are_not_told() {
        let header = |name: &'static str, value: &'static [u8]| {
            (
                hyper::header::HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            )
        };
        let mut answer = Answer::default();
        answer.keep_headers(&HeaderMap::from_iter([
            header("x-request-id", b"7"),
            header("set-cookie", b"session=secret"),
            header("x-odd", b"\xff"),
        ]));
        let kept = [
            ("x-request-id", "7"),
            ("set-cookie", "[redacted]"),
            ("x-odd", "\u{fffd}"),
        ];
        let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            (answer.headers.as_slice(), answer.truncated),
            (kept.as_slice(), false)
        );
    }

    #[test]
    fn what_is_kept_of_headers_is_bounded_in_number_and_in_bytes() {
        let name =
            |number: usize| hyper::header::HeaderName::try_from(format!("x-{number}")).unwrap();
        for (count, length) in [(1_000, 1), (20, 4_096)] {
            let value = HeaderValue::from_str(&"a".repeat(length)).unwrap();
            let mut answer = Answer::default();
            answer.keep_headers(
                &(0..count)
                    .map(|number| (name(number), value.clone()))
                    .collect(),
            );
            let bytes: usize = answer
                .headers
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum();
            assert!(
                answer.truncated && answer.headers.len() <= 64 && bytes <= 8 * 1024,
                "{bytes}"
            );
            assert!(!answer.headers.is_empty());
        }
    }

    #[test]
    fn a_retry_after_that_cannot_be_read_asks_for_nothing() {
        for value in [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "1e3",
            "soon",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }
}
