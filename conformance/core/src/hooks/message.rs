//! One HTTP request of a webhook, as the bytes that were signed.

use serde_json::Value;

/// A delivery: what is signed, sent and verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The method in upper case.
    pub method: String,
    /// The URL as it was registered, with the query.
    pub url: String,
    /// Names and values in the order of the wire. A value that is not UTF-8 is read as Latin-1.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl Message {
    /// A `POST` of JSON.
    pub fn post(url: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST".to_owned(),
            url: url.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.into(),
        }
    }

    /// The values of a header, whatever the case of its name.
    pub fn header<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Replaces all values of a header with one.
    pub fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.remove_header(name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Removes a header.
    pub fn remove_header(&mut self, name: &str) {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// The first value of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&self.url).ok()?;
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The parameters of the query, decoded.
    pub fn query_pairs(&self) -> Option<Vec<(String, String)>> {
        let url = url::Url::parse(&self.url).ok()?;
        Some(url.query_pairs().into_owned().collect())
    }

    /// Replaces the parameters of the query. Returns whether the message has a URL that takes them.
    pub fn set_query_pairs(&mut self, pairs: Vec<(String, String)>) -> bool {
        let Ok(mut url) = url::Url::parse(&self.url) else {
            return false;
        };
        url.set_query(None);
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        self.url = url.into();
        true
    }

    /// The media type without parameters, in lower case.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").next().unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The member of a JSON body, or of a form, at a JSON pointer.
    pub fn member(&self, pointer: &str) -> Option<Value> {
        if self.media_type() == "application/x-www-form-urlencoded" {
            let name = pointer.strip_prefix('/')?;
            return url::form_urlencoded::parse(&self.body)
                .find(|(key, _)| key == name)
                .map(|(_, value)| Value::String(value.into_owned()));
        }
        self.json()?.pointer(pointer).cloned()
    }

    /// Sets a member of a JSON body that has the object for it. The body is serialized again.
    pub fn set_member(&mut self, pointer: &str, new: Value) -> bool {
        let Some(mut body) = self.json() else {
            return false;
        };
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            return false;
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        let Some(Value::Object(members)) = body.pointer_mut(parent) else {
            return false;
        };
        // Bytes that already say so stay as they are.
        if members.get(&name) == Some(&new) {
            return true;
        }
        members.insert(name, new);
        self.body = body.to_string().into_bytes();
        true
    }
}

/// A scalar as it stands in signed texts: strings without quotes, null and objects as nothing.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}
