//! The body of an answer to a request whose head cannot be read. actix-http gives it none, and no handler sees the request.

use bytes::{BufMut, BytesMut};
use serde_json::json;

const LATE: &str = "HTTP/1.1 408 Request Timeout\r\n";

/// The heads of such answers begin so, and no handler's answer of that status is empty.
const REFUSALS: [(&str, u16, &str, &str); 3] = [
    (
        "HTTP/1.1 400 Bad Request\r\n",
        400,
        "Bad Request",
        "The request is not valid HTTP/1.1: its first line, a header or the length of its body cannot be read.",
    ),
    (
        LATE,
        408,
        "Request Timeout",
        "The request did not arrive in time.",
    ),
    (
        "HTTP/1.1 431 Request Header Fields Too Large\r\n",
        431,
        "Request Header Fields Too Large",
        "The first line and the headers of the request are too large.",
    ),
];

/// The header of an answer without a body.
const EMPTY: &[u8] = b"\r\ncontent-length: 0\r\n";

/// Whether `answer` refuses what is not HTTP, and not what came late.
pub(super) fn is_of_malformed(answer: &[u8]) -> bool {
    !answer.starts_with(LATE.as_bytes())
}

/// Returns the answer `bytes` with a body (RFC 9457) when it is one of those.
pub(super) fn with_body(bytes: &[u8]) -> Option<BytesMut> {
    let (_, status, title, detail) = REFUSALS
        .iter()
        .find(|(head, ..)| bytes.starts_with(head.as_bytes()))?;
    let head = bytes.strip_suffix(b"\r\n\r\n")?;
    let at = head
        .windows(EMPTY.len())
        .position(|window| window == EMPTY)
        .or_else(|| {
            // It may be the last header.
            let last = &EMPTY[..EMPTY.len() - 2];
            head.ends_with(last).then(|| head.len() - last.len())
        })?;
    let is_one = !head.windows(4).any(|window| window == b"\r\n\r\n");
    if !is_one {
        return None;
    }
    let body = json!({ "type": "about:blank", "title": title, "status": status, "detail": detail })
        .to_string();
    let others = &head[(at + EMPTY.len() - 2).min(head.len())..];
    let mut answer = BytesMut::with_capacity(bytes.len() + body.len() + 64);
    answer.put_slice(&head[..at]);
    answer.put_slice(b"\r\ncontent-type: application/problem+json\r\ncontent-length: ");
    answer.put_slice(body.len().to_string().as_bytes());
    answer.put_slice(others);
    answer.put_slice(b"\r\n\r\n");
    answer.put_slice(body.as_bytes());
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_answer_to_what_is_not_http_gets_a_body() {
        for answer in [
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: d\r\n\r\n",
            "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        ] {
            let given = with_body(answer.as_bytes()).unwrap();
            let given = std::str::from_utf8(&given).unwrap();
            let (head, body) = given.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(answer.lines().next().unwrap()), "{head}");
            assert!(head.contains("\r\nconnection: close"), "{head}");
            assert_eq!(head.matches("content-length").count(), 1, "{head}");
            assert!(
                head.contains(&format!("\r\ncontent-length: {}", body.len())),
                "{head}"
            );
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(body["detail"].is_string());
        }
        for answer in [
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
            "",
        ] {
            assert_eq!(with_body(answer.as_bytes()), None, "{answer}");
        }
    }
}
