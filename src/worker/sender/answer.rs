//! What is read of a receiver's answer: a bounded part of its body, and its `Retry-After`.

use std::error::Error;
use std::io;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap, RETRY_AFTER, TRANSFER_ENCODING};
use jiff::Timestamp;

/// A receiver that asks for more patience than this is given this much.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The status of an answer and the beginning of its body. It is filled while it is read, so that what came before a deadline is not lost.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The status that came before it.
    pub(crate) status: Option<u16>,
    pub(crate) kept: Vec<u8>,
    pub(crate) truncated: bool,
}

impl Answer {
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
                // What remains is not worth reading. Dropping the body closes the connection, or ends the HTTP/2 stream.
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

/// What `Retry-After` asks for, in seconds or as a date (RFC 9110, section 10.2.3); none when it cannot be read.
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
