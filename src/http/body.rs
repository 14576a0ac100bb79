//! Reads a JSON body: within a limit of bytes and time, and only when it says that it is JSON.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde_json::Value;

use super::unique;

/// How long a caller may take to send a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of a body over the limit is read and thrown away, so that the caller gets to read the answer.
const OVERRUN: usize = 8 * 1024 * 1024;

/// How deeply arrays and objects may be nested: what `serde_json` reads.
const DEEPEST: usize = 127;

/// The rules that a body has to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyRules {
    /// The largest body that is read, in bytes.
    pub(crate) limit: usize,
    /// Whether a body without Content-Type is taken for JSON.
    pub(crate) untyped_is_json: bool,
}

/// Why a body cannot be read.
#[derive(Debug)]
pub(crate) enum BodyFault {
    /// It does not say that it is JSON.
    MediaType,
    /// It is encoded (compressed), which is not read.
    Encoded,
    /// It is larger than the limit, in bytes.
    TooLarge(usize),
    /// It is not JSON; says what is wrong and where, as a fragment.
    Malformed(String),
}

/// A JSON body of which something is passed on as it came.
#[derive(Debug)]
pub(crate) struct JsonText {
    /// The text.
    pub(crate) text: String,
    /// The value; of members with the same name the last.
    pub(crate) value: Value,
    /// Pointers to the members that stand twice in their object.
    pub(crate) repeated: Vec<String>,
}

/// Reads the body of `request` as JSON.
///
/// # Errors
/// [`BodyFault`] says what is wrong with it.
pub(crate) async fn read_json(
    request: &HttpRequest,
    payload: web::Payload,
    rules: BodyRules,
) -> Result<Value, BodyFault> {
    let bytes = read_bytes(request, payload, rules).await?;
    serde_json::from_slice(&bytes).map_err(|error| malformed(&bytes, &error))
}

/// Reads the body of `request` as JSON and keeps its text.
///
/// # Errors
/// [`BodyFault`] says what is wrong with it.
pub(crate) async fn read_json_text(
    request: &HttpRequest,
    payload: web::Payload,
    rules: BodyRules,
) -> Result<JsonText, BodyFault> {
    let bytes = read_bytes(request, payload, rules).await?;
    let text = String::from_utf8(bytes)
        .map_err(|_| BodyFault::Malformed("must be JSON in UTF-8".to_owned()))?;
    JsonText::parse(text)
}

impl JsonText {
    /// Reads a text as JSON.
    ///
    /// # Errors
    /// [`BodyFault::Malformed`] where it is not.
    pub(crate) fn parse(text: String) -> Result<Self, BodyFault> {
        let (value, repeated) =
            unique::read(&text).map_err(|error| malformed(text.as_bytes(), &error))?;
        Ok(Self {
            text,
            value,
            repeated,
        })
    }
}

async fn read_bytes(
    request: &HttpRequest,
    payload: web::Payload,
    rules: BodyRules,
) -> Result<Vec<u8>, BodyFault> {
    check_media_type(request, rules)?;
    let bytes = read_limited(payload, rules.limit).await?;
    if bytes.is_empty() {
        return Err(BodyFault::Malformed(
            "is empty, where a JSON object is expected".to_owned(),
        ));
    }
    Ok(bytes)
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`BodyFault`] says whether it is too large or did not arrive.
pub(crate) async fn read_limited(
    payload: web::Payload,
    limit: usize,
) -> Result<Vec<u8>, BodyFault> {
    let read = tokio::time::timeout(PATIENCE, read(payload, limit)).await;
    read.map_err(|_| BodyFault::Malformed("did not arrive in time".to_owned()))?
}

fn malformed(bytes: &[u8], error: &serde_json::Error) -> BodyFault {
    // What is that deep may be JSON behind it.
    BodyFault::Malformed(if is_too_deep(bytes) {
        format!("must not be nested more than {DEEPEST} levels deep")
    } else {
        format!("must be JSON: {error}")
    })
}

/// Whether arrays and objects are nested more deeply than what is read.
fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn check_media_type(request: &HttpRequest, rules: BodyRules) -> Result<(), BodyFault> {
    let encoded = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let mut types = request.headers().get_all(header::CONTENT_TYPE).peekable();
    let untyped = types.peek().is_none();
    let all_json = types.all(|value| value.to_str().is_ok_and(is_json));
    if encoded {
        Err(BodyFault::Encoded)
    } else if !all_json || (untyped && !rules.untyped_is_json) {
        Err(BodyFault::MediaType)
    } else {
        Ok(())
    }
}

fn is_json(content_type: &str) -> bool {
    content_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(mut payload: web::Payload, limit: usize) -> Result<Vec<u8>, BodyFault> {
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyFault::Malformed("was cut off".to_owned()))?;
        length = length.saturating_add(chunk.len());
        if length <= limit {
            bytes.extend_from_slice(&chunk);
        } else if length > limit.saturating_add(OVERRUN) {
            break;
        }
    }
    if length > limit {
        Err(BodyFault::TooLarge(limit))
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deep_is_told_from_what_is_not_json() {
        let said = |text: String| match JsonText::parse(text) {
            Ok(_) => "fine".to_owned(),
            Err(BodyFault::Malformed(message)) => message,
            Err(fault) => panic!("{fault:?}"),
        };
        let nested = |open: &str, close: &str, levels| open.repeat(levels) + &close.repeat(levels);
        assert_eq!(said(nested("[", "]", DEEPEST)), "fine");
        let deep = "must not be nested more than 127 levels deep";
        assert_eq!(said(nested("[", "]", DEEPEST + 1)), deep);
        assert_eq!(
            said(nested("{\"a\":", "}", 5_000).replace(":}", ":1}")),
            deep
        );
        let text = format!("\"{}\\\"{}\" x", "[".repeat(500), "{".repeat(500));
        assert!(said(text).starts_with("must be JSON: "));
    }

    #[test]
    fn json_is_recognized_with_parameters_and_in_any_case() {
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json ;a=b",
        ] {
            assert!(is_json(json), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "application/jsonx",
            "application/x-www-form-urlencoded",
            "application/vnd.api+json",
        ] {
            assert!(!is_json(other), "{other}");
        }
    }
}
