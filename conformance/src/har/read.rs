//! Reading HTTP Archives.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

use crate::exchange::{Exchange, Request, Response};

/// Headers that describe how the bytes were sent, not the body that an archive holds: it is decoded already.
const OF_TRANSFER: [&str; 3] = ["content-encoding", "content-length", "transfer-encoding"];

/// An archive cannot be read.
#[derive(Debug, Error)]
pub enum HarError {
    /// It is not JSON, or a member has another type than HAR 1.2 gives it.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// The text is JSON, but not an archive.
    #[error("there is no `log` with `entries`; an HTTP Archive (HAR 1.2) has them")]
    NoEntries,
}

/// An exchange as it was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// The request and its response.
    pub exchange: Exchange,
    /// Whether the body of the response was recorded; an empty one counts as recorded where nothing was sent.
    pub has_body: bool,
}

/// Why an entry is not an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// There was no response: the request failed, or was aborted or blocked.
    NoResponse,
    /// It is not HTTP: a WebSocket, or a `data:` URL.
    NotHttp,
}

/// The callback for each entry.
type Each<'e> = &'e mut dyn FnMut(Result<Recorded, Skipped>);

#[derive(Deserialize)]
struct Entry {
    request: EntryRequest,
    response: EntryResponse,
    #[serde(default)]
    time: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    text: Option<String>,
    #[serde(default)]
    params: Vec<Pair>,
    /// Not of HAR 1.2, but written by several recorders.
    #[serde(alias = "_encoding")]
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct EntryResponse {
    /// 0, and in some recorders -1, where there was none.
    status: i64,
    #[serde(default)]
    headers: Vec<Pair>,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    size: f64,
    #[serde(default)]
    mime_type: String,
    text: Option<String>,
    encoding: Option<String>,
}

/// Reads an archive and hands over each entry in order.
///
/// # Errors
/// When the text is not JSON or not an archive. The entries before the fault have been handed over.
pub fn read(from: impl Read, each: Each<'_>) -> Result<(), HarError> {
    let mut deserializer = serde_json::Deserializer::from_reader(from);
    let found = Level::Archive(each).deserialize(&mut deserializer)?;
    deserializer.end()?;
    found.then_some(()).ok_or(HarError::NoEntries)
}

/// How deep in the archive: at the root, in `log`, or in `entries`. Says whether it found the entries.
enum Level<'e> {
    Archive(Each<'e>),
    Log(Each<'e>),
    Entries(Each<'e>),
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        match self {
            Self::Entries(_) => deserializer.deserialize_seq(self),
            _ => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Archive(_) => "an HTTP Archive, which is an object",
            Self::Log(_) => "the `log` of an HTTP Archive, which is an object",
            Self::Entries(_) => "the `entries` of an HTTP Archive, which is an array",
        })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            let below = match (&mut self, key.as_str()) {
                (Self::Archive(each), "log") => Some(Level::Log(&mut **each)),
                (Self::Log(each), "entries") => Some(Level::Entries(&mut **each)),
                _ => None,
            };
            match below {
                Some(below) => found |= map.next_value_seed(below)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<bool, A::Error> {
        let (Self::Archive(each) | Self::Log(each) | Self::Entries(each)) = self;
        while let Some(entry) = entries.next_element::<Entry>()? {
            each(recorded(entry));
        }
        Ok(true)
    }
}

fn recorded(entry: Entry) -> Result<Recorded, Skipped> {
    let Entry {
        request,
        response,
        time,
    } = entry;
    let scheme = request.url.split(':').next().unwrap_or_default();
    let is_http = ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    if !is_http || response.status == 101 {
        return Err(Skipped::NotHttp);
    }
    let status = u16::try_from(response.status).ok();
    let status = status
        .filter(|status| (100..1000).contains(status))
        .ok_or(Skipped::NoResponse)?;
    let (body, has_body) = response.content.map_or((Vec::new(), true), content);
    let headers = fields(response.headers)
        .map(|(name, value)| (name.to_ascii_lowercase(), value.into_bytes()))
        .filter(|(name, _)| !OF_TRANSFER.contains(&name.as_str()))
        .collect();
    let response = Response {
        status,
        headers,
        body,
    };
    let milliseconds = if time.is_finite() {
        time.clamp(0.0, 1e9)
    } else {
        0.0
    };
    let request = Request {
        method: request.method.to_ascii_uppercase(),
        url: request.url,
        headers: fields(request.headers).collect(),
        body: request.post_data.and_then(sent),
    };
    Ok(Recorded {
        exchange: Exchange {
            request,
            response: Some(response),
            failure: None,
            duration: Duration::from_secs_f64(milliseconds / 1000.0),
        },
        has_body,
    })
}

/// The header fields; HTTP/2 has `:path` and the like beside them.
fn fields(pairs: Vec<Pair>) -> impl Iterator<Item = (String, String)> {
    pairs
        .into_iter()
        .filter(|pair| !pair.name.is_empty() && !pair.name.starts_with(':'))
        .map(|pair| (pair.name, pair.value.unwrap_or_default()))
}

/// The bytes of the body, and whether they were recorded.
fn content(content: Content) -> (Vec<u8>, bool) {
    let Some(text) = content.text else {
        return (Vec::new(), content.size <= 0.0);
    };
    if content.encoding.as_deref() == Some("base64") {
        let bytes = BASE64.decode(text.as_bytes());
        return bytes.map_or((Vec::new(), false), |bytes| (bytes, true));
    }
    // Recorders decode text, whatever charset the header goes on declaring.
    let charset = content.mime_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"'))
    });
    let encoding = charset.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    match encoding.filter(|encoding| *encoding == encoding.output_encoding()) {
        Some(encoding) => (encoding.encode(&text).0.into_owned(), true),
        None => (text.into_bytes(), true),
    }
}

/// The body of a request.
fn sent(data: PostData) -> Option<Vec<u8>> {
    if let Some(text) = data.text {
        return match data.encoding.as_deref() {
            Some("base64") => BASE64.decode(text.as_bytes()).ok(),
            _ => Some(text.into_bytes()),
        };
    }
    let is_form = data
        .mime_type
        .starts_with("application/x-www-form-urlencoded");
    (is_form && !data.params.is_empty()).then(|| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for parameter in &data.params {
            let value = parameter.value.as_deref().unwrap_or_default();
            form.append_pair(&parameter.name, value);
        }
        form.finish().into_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Result<Recorded, Skipped>>, HarError> {
        let mut entries = Vec::new();
        read(text.as_bytes(), &mut |entry| entries.push(entry))?;
        Ok(entries)
    }

    fn entry(request: &str, response: &str) -> Result<Recorded, Skipped> {
        let text = format!(
            r#"{{"log": {{"version": "1.2", "pages": [{{"x": [1]}}], "entries": [{{"time": 12.5, "_id": 1, "request": {request}, "response": {response}}}]}}}}"#
        );
        all(&text).unwrap().pop().unwrap()
    }

    #[test]
    fn an_entry_is_what_was_sent_and_what_came_back() {
        let recorded = entry(
            r#"{"method": "post", "url": "http://h/a?b=c", "headers": [{"name": ":path", "value": "/a"}, {"name": "X-A", "value": "1"}], "postData": {"mimeType": "application/json", "text": "{}"}}"#,
            r#"{"status": 201, "headers": [{"name": "Content-Encoding", "value": "gzip"}, {"name": "Content-Type", "value": "application/json"}], "content": {"size": 2, "mimeType": "application/json", "text": "e30=", "encoding": "base64"}}"#,
        )
        .unwrap();
        let Exchange {
            request,
            response,
            duration,
            ..
        } = recorded.exchange;
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("POST", "http://h/a?b=c")
        );
        assert_eq!(request.headers, [("X-A".to_owned(), "1".to_owned())]);
        assert_eq!(request.body.as_deref(), Some(b"{}".as_slice()));
        let response = response.unwrap();
        assert_eq!(
            response.headers,
            [("content-type".to_owned(), b"application/json".to_vec())]
        );
        assert_eq!(
            (response.status, response.body.as_slice()),
            (201, b"{}".as_slice())
        );
        assert!(recorded.has_body && duration == Duration::from_micros(12_500));
    }

    #[test]
    fn forms_without_text_charsets_and_missing_bodies_are_read_as_recorders_write_them() {
        let form = entry(
            r#"{"method": "POST", "url": "https://h/", "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "c&d"}, {"name": "e"}]}}"#,
            r#"{"status": 200, "content": {"size": 7, "mimeType": "text/plain"}}"#,
        )
        .unwrap();
        assert_eq!(
            form.exchange.request.body.as_deref(),
            Some(b"a+b=c%26d&e=".as_slice())
        );
        assert!(!form.has_body);
        let latin = entry(
            r#"{"method": "GET", "url": "http://h/"}"#,
            r#"{"status": 200, "content": {"size": 1, "mimeType": "text/plain; charset=ISO-8859-1", "text": "é"}}"#,
        )
        .unwrap();
        assert_eq!(latin.exchange.response.unwrap().body, [0xe9]);
    }

    #[test]
    fn what_is_not_an_exchange_is_skipped_and_what_is_not_an_archive_is_an_error() {
        let get = |url: &str| format!(r#"{{"method": "GET", "url": "{url}"}}"#);
        for (url, response, reason) in [
            ("http://h/", r#"{"status": 0}"#, Skipped::NoResponse),
            ("http://h/", r#"{"status": -1}"#, Skipped::NoResponse),
            ("wss://h/", r#"{"status": 101}"#, Skipped::NotHttp),
            ("data:text/plain,x", r#"{"status": 200}"#, Skipped::NotHttp),
        ] {
            let skipped = entry(&get(url), response).unwrap_err();
            assert_eq!(skipped, reason, "{url} {response}");
        }
        for text in [
            "",
            "[]",
            "{}",
            r#"{"log": {}}"#,
            r#"{"log": {"entries": {}}}"#,
            r#"{"log": {"entries": [1]}}"#,
            r#"{"log": {"entries": []}} x"#,
        ] {
            assert!(all(text).is_err(), "{text}");
        }
        assert!(all(r#"{"log": {"entries": []}}"#).unwrap().is_empty());
    }
}
