//! HTTP/1.1 messages with a `Content-Length`, as bytes: all that the load and the receiver need, and cheaper than a library.
//!
//! Not supported: chunked bodies, which neither the server's answers nor its deliveries have.

use std::io;

/// Where a message ends in a buffer that begins with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Bytes of the head, with the empty line.
    pub(crate) head: usize,
    /// Bytes of head and body.
    pub(crate) total: usize,
}

/// The message at the beginning of `buffer`, once it is there whole.
///
/// # Errors
/// When the head cannot be read, or announces a chunked body.
pub(crate) fn frame(buffer: &[u8]) -> io::Result<Option<Frame>> {
    let Some(end) = find(buffer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = end + 4;
    let body = header(&buffer[..end], b"content-length").map_or(Ok(0), |value| {
        let text = std::str::from_utf8(value).unwrap_or_default().trim();
        text.parse::<usize>()
            .map_err(|_| invalid("a Content-Length is no number"))
    })?;
    if header(&buffer[..end], b"transfer-encoding").is_some() {
        return Err(invalid("chunked bodies are not supported"));
    }
    let total = head + body;
    Ok((buffer.len() >= total).then_some(Frame { head, total }))
}

/// The status of an answer.
pub(crate) fn status(answer: &[u8]) -> Option<u16> {
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

/// The path of a request.
pub(crate) fn path(request: &[u8]) -> Option<&[u8]> {
    request.split(|byte| *byte == b' ').nth(1)
}

/// A whole request; `headers` are lines, each with its end.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The first place of `needle`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn header<'h>(head: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (left, right) = line.split_at_checked(name.len())?;
        (left.eq_ignore_ascii_case(name) && right.first() == Some(&b':')).then(|| &right[1..])
    })
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
