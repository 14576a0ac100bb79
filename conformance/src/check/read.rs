//! Reading bodies: JSON, sequences of JSON texts, server-sent events, and text in its charset.

use encoding_rs::Encoding;
use serde_json::{Map, Value, json};

use super::media_type::MediaType;
use crate::case::serialize::is_json;
use crate::exchange::Response;
use crate::finding::ReplayFault;

/// How much of a body that is not JSON is quoted, in characters.
const QUOTED: usize = 40;

/// The result of reading a body.
pub(super) enum Read {
    /// A JSON value.
    Json(Value),
    /// Text, which its schema says how to read.
    Text(String),
    /// The items of a sequence, which `itemSchema` describes.
    Items(Vec<Value>),
}

/// Why a body cannot be read.
pub(super) enum Unreadable {
    /// It has a content encoding that was not asked for.
    Encoded(String),
    /// It is not UTF-8 from this byte on.
    NotUtf8(usize),
    /// It is not text in the charset that is declared, or there is no such charset.
    Charset { charset: String, known: bool },
    /// It is not JSON, for this reason.
    NotJson(String),
}

impl Unreadable {
    /// The fault of a sample's response.
    pub(super) fn fault(self, sample: String) -> ReplayFault {
        match self {
            Self::Encoded(encoding) => ReplayFault::BodyEncoded { sample, encoding },
            Self::NotUtf8(byte) => ReplayFault::BodyNotUtf8 { sample, byte },
            Self::Charset { charset, known } => ReplayFault::BodyCharset {
                sample,
                charset,
                known,
            },
            Self::NotJson(cause) => ReplayFault::BodyNotJson { sample, cause },
        }
    }
}

/// How a media type is read.
enum Form {
    Json,
    Text,
    Lines,
    /// Each text begins with a record separator (RFC 7464).
    Records,
    Events,
}

/// Reads the body of a response as `media_type` says; gives nothing where that is neither JSON nor text.
pub(super) fn read(media_type: &str, response: &Response) -> Result<Option<Read>, Unreadable> {
    let form = form(media_type);
    if let Some(encoding) = encoding(response, form.is_some()) {
        return Err(Unreadable::Encoded(encoding));
    }
    let Some(form) = form else {
        return Ok(None);
    };
    if matches!(form, Form::Text) {
        return text(response).map(|text| Some(Read::Text(text)));
    }
    if let Some(cause) = marked(&response.body)
        && !matches!(form, Form::Events)
    {
        return Err(Unreadable::NotJson(cause.to_owned()));
    }
    let text = utf8(response)?;
    let not_json = Unreadable::NotJson;
    if let Some(charset) = declared_charset(response)
        && !["utf-8", "utf8", "us-ascii"].contains(&charset.to_ascii_lowercase().as_str())
        && !text.is_ascii()
    {
        return Err(not_json(format!(
            "it is declared as `{charset}`, but JSON is UTF-8 (RFC 8259, 8.1)"
        )));
    }
    let item = |(number, text): (usize, &str)| {
        json_of(text).map_err(|cause| not_json(format!("item {number}: {cause}")))
    };
    let items = |texts: Vec<&str>| {
        let numbered = (1..).zip(texts);
        numbered.map(item).collect::<Result<Vec<Value>, _>>()
    };
    Ok(Some(match form {
        Form::Json => Read::Json(json_of(text).map_err(not_json)?),
        Form::Lines => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            Read::Items(items(lines.collect())?)
        }
        Form::Records => {
            let records = text.split('\u{1e}').filter(|text| !text.trim().is_empty());
            Read::Items(items(records.collect())?)
        }
        Form::Events => Read::Items(events(text)),
        Form::Text => Read::Text(text.to_owned()),
    }))
}

fn form(media_type: &str) -> Option<Form> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    if is_json(&essence) {
        return Some(Form::Json);
    }
    Some(match essence.as_str() {
        "application/jsonl"
        | "application/jsonlines"
        | "application/x-jsonlines"
        | "application/ndjson"
        | "application/x-ndjson" => Form::Lines,
        "application/json-seq" => Form::Records,
        name if name.ends_with("+json-seq") => Form::Records,
        "text/event-stream" => Form::Events,
        name if name.starts_with("text/") => Form::Text,
        _ => return None,
    })
}

/// Parses JSON; says why it is none, and how it begins where that tells more.
fn json_of(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| {
        let start = text.trim_start();
        if start.is_empty() {
            return "it is blank".to_owned();
        }
        if !start.starts_with('<') {
            return error.to_string();
        }
        let begin: String = start.chars().take(QUOTED).collect();
        let more = if start.chars().count() > QUOTED {
            "..."
        } else {
            ""
        };
        format!("it begins with `{}{more}`", begin.escape_debug())
    })
}

/// Returns the problem with the first bytes of a JSON body, for which parsers report something else.
fn marked(body: &[u8]) -> Option<&'static str> {
    let is_utf16 = body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]);
    let no_mark = matches!(body, [0, first, ..] | [first, 0, ..] if *first != 0);
    match body {
        [0xef, 0xbb, 0xbf, ..] => {
            Some("it begins with a byte order mark, which JSON must not have (RFC 8259, 8.1)")
        }
        _ if is_utf16 || no_mark => Some("it is UTF-16, but JSON is UTF-8 (RFC 8259, 8.1)"),
        _ => None,
    }
}

fn utf8(response: &Response) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(&response.body);
    text.map_err(|error| Unreadable::NotUtf8(error.valid_up_to()))
}

/// The charset that the content type declares.
fn declared_charset(response: &Response) -> Option<String> {
    response.header("content-type").find_map(|value| {
        let media_type = MediaType::parse(std::str::from_utf8(value).ok()?)?;
        media_type.charset().map(str::to_owned)
    })
}

/// The text of a body in the charset that its content type declares, or in UTF-8.
fn text(response: &Response) -> Result<String, Unreadable> {
    let Some(charset) = declared_charset(response) else {
        return utf8(response).map(str::to_owned);
    };
    let encoding = Encoding::for_label(charset.as_bytes());
    let known = encoding.is_some();
    let decoded = encoding.map(|encoding| encoding.decode(&response.body));
    match decoded {
        Some((text, _, false)) => Ok(text.into_owned()),
        _ => Err(Unreadable::Charset { charset, known }),
    }
}

/// The events of a stream as OpenAPI 3.2 describes them: objects with `data`, `event`, `id` and `retry`, as far as these are given.
fn events(text: &str) -> Vec<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut all = Vec::new();
    let mut event = Map::new();
    let mut finish = |event: &mut Map<String, Value>| {
        if !event.is_empty() {
            all.push(Value::Object(std::mem::take(event)));
        }
    };
    for line in text.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
        if line.is_empty() {
            finish(&mut event);
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match event.get_mut("data") {
                Some(Value::String(data)) => {
                    data.push('\n');
                    data.push_str(value);
                }
                _ => {
                    event.insert("data".to_owned(), json!(value));
                }
            },
            "event" | "id" => {
                event.insert(field.to_owned(), json!(value));
            }
            "retry" => {
                let value = value
                    .parse::<u64>()
                    .map_or_else(|_| json!(value), Value::from);
                event.insert("retry".to_owned(), value);
            }
            // A comment, or a field that means nothing.
            _ => {}
        }
    }
    finish(&mut event);
    all
}

/// Returns the encoding of a body that is not sent as it is. No request asks for one. A body that should be text may show it by its first
/// bytes.
fn encoding(response: &Response, is_text: bool) -> Option<String> {
    let named = response
        .header("content-encoding")
        .map(|value| String::from_utf8_lossy(value).trim().to_ascii_lowercase())
        .find(|name| !name.is_empty() && name != "identity");
    // A server may forget to say so.
    named.or_else(|| {
        let gzip = is_text && response.body.starts_with(&[0x1f, 0x8b]);
        gzip.then(|| "gzip".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_the_living_standard_has_it() {
        let text =
            ": hello\r\ndata: one\ndata:two\nid: 7\nretry: 100\n\nevent: end\ndata\n\nother: x\n\n";
        assert_eq!(
            events(text),
            [
                json!({"data": "one\ntwo", "id": "7", "retry": 100}),
                json!({"event": "end", "data": ""}),
            ]
        );
    }

    #[test]
    fn why_a_body_is_not_json_is_said_truly() {
        for (body, cause) in [
            (&b"\xef\xbb\xbf{}"[..], "byte order mark"),
            (b"\xff\xfe{\0}\0", "UTF-16"),
            (b"{\0}\0", "UTF-16"),
        ] {
            assert!(
                marked(body).is_some_and(|found| found.contains(cause)),
                "{body:?}"
            );
        }
        assert_eq!(marked(b"{}"), None);
        assert_eq!(json_of(" \n"), Err("it is blank".to_owned()));
        let page = json_of("<!DOCTYPE html>\n<html><body>Not found</body></html>");
        assert_eq!(
            page,
            Err("it begins with `<!DOCTYPE html>\\n<html><body>Not found</b...`".to_owned())
        );
    }
}
