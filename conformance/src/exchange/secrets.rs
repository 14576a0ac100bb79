//! Keeping credentials out of reports: which headers are credentials, and hiding their values wherever they turn up.
//!
//! Requests are shown with names in the places of secrets (see [`super::masked`]): a credential has the name of the header, parameter,
//! cookie or security scheme that it was given for, with the user behind it where that is not the first one.

mod known;

use std::cell::RefCell;

use data_encoding::BASE64;
use serde_json::Value;

use super::masked::{HIDDEN, LetterCase, variable};
use super::transport::Transport;
use crate::case::UNKNOWN;
use crate::case::key::{RUN_ID, RunId};
use crate::case::serialize::{decode, encode};
use crate::document::Document;

use known::Named;
pub(crate) use known::{BASIC, TOKEN};

/// Shorter values are hidden in their headers only: elsewhere they would be found in ordinary words.
const SHORTEST: usize = 4;

/// From this length on, values are hidden in any letter case: shorter ones may be ordinary words then.
const LONG: usize = 8;

/// Parts of header names that carry credentials in any API.
const TELLING: [&str; 9] = [
    "auth",
    "cookie",
    "api-key",
    "apikey",
    "token",
    "secret",
    "password",
    "signature",
    "session",
];

/// Headers that people give on the command line and that are no secrets.
const HARMLESS: [&str; 11] = [
    "accept",
    "accept-language",
    "api-version",
    "content-type",
    "idempotency-key",
    "origin",
    "prefer",
    "traceparent",
    "user-agent",
    "x-api-version",
    "x-request-id",
];

/// The texts that must not appear in a report.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    shown: bool,
    /// Lower-case names of headers whose values are hidden, beyond those whose names tell.
    headers: Vec<String>,
    /// Names of query parameters that carry credentials.
    queries: Vec<String>,
    /// Lower-case names of headers whose values are shown although their names tell.
    revealed: Vec<String>,
    /// The longest first, so that a part is not hidden inside of a whole.
    values: RefCell<Vec<String>>,
    /// The credentials that the run was given, or fetched.
    named: RefCell<Vec<Named>>,
    /// Whether all credentials of requests are among `named`, as this program made the requests.
    complete: bool,
    /// How connections are made, which command lines have to say.
    transport: Transport,
    /// The id of the run, which has a name in reports, as it differs from run to run.
    run: Option<String>,
}

impl Secrets {
    /// The credentials that the document's security schemes and the given headers name.
    #[must_use]
    pub fn new(document: &Document, given: &[(String, String)], shown: bool) -> Self {
        let mut secrets = Self {
            shown,
            ..Self::default()
        };
        let schemes = document
            .at("/components/securitySchemes")
            .and_then(Value::as_object);
        for name in schemes.into_iter().flat_map(|schemes| schemes.keys()) {
            let pointer = crate::document::pointer::join("/components/securitySchemes", name);
            let Some((_, scheme)) = document.resolve(&pointer) else {
                continue;
            };
            let text = |member: &str| {
                scheme
                    .get(member)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            match (text("type"), text("in")) {
                ("apiKey", "header") => secrets.headers.push(text("name").to_ascii_lowercase()),
                ("apiKey", "query") => secrets.queries.push(text("name").to_owned()),
                _ => {}
            }
        }
        for (name, value) in given {
            secrets.remember_header(name, value);
        }
        secrets
    }

    /// Hides the value of a header that the user gives, unless it is one that has no secret.
    pub(crate) fn remember_header(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        if self.is_credential(&name) || !HARMLESS.contains(&name.as_str()) {
            self.remember(value);
            self.know(&name, "", value);
            self.headers.push(name);
        }
    }

    /// Says how connections are made.
    pub(crate) fn connected_by(&mut self, transport: &Transport) {
        self.transport = transport.clone();
    }

    /// How connections are made.
    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Gives the id of the run its name.
    pub(crate) fn of_run(&mut self, run: RunId) {
        let run = run.to_string();
        self.know_as(RUN_ID, &run);
        self.run = Some(run);
    }

    /// Says that all credentials of requests are known, so that other values in their places are not secret.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// Shows the value of a header that is not a credential although its name tells, such as the signature of a single message.
    pub(crate) fn reveal(&mut self, header: &str) {
        self.revealed.push(header.to_ascii_lowercase());
    }

    /// Hides a value from now on.
    pub(crate) fn remember(&self, value: &str) {
        // `Bearer token`: the token alone is as secret as the whole.
        let token = value
            .split_once(char::is_whitespace)
            .map(|(_, token)| token.trim());
        let mut values = self.values.borrow_mut();
        for secret in [Some(value), token].into_iter().flatten() {
            if secret.chars().count() >= SHORTEST {
                let json = Value::from(secret).to_string();
                let encoded = encode(secret);
                let lower = lowercase_escapes(&encoded);
                let base64 = BASE64.encode(secret.as_bytes());
                let json = &json[1..json.len() - 1];
                let mut forms = vec![secret, json, &encoded, &lower, &base64];
                // A server may repeat what it was sent in another letter case.
                let cased = LetterCase::ALL.map(|case| case.of(secret));
                if secret.len() >= LONG {
                    forms.extend(cased.iter().map(String::as_str));
                }
                for form in forms {
                    if !values.iter().any(|known| known == form) {
                        values.push(form.to_owned());
                    }
                }
            }
        }
        values.sort_by_key(|value| usize::MAX - value.len());
    }

    /// Hides the value of a query parameter of this name.
    pub(crate) fn remember_query(&mut self, name: &str, value: &str) {
        if !HARMLESS.contains(&name.to_ascii_lowercase().as_str()) {
            self.remember(value);
            self.know_as(&variable(name), value);
            self.queries.push(name.to_owned());
        }
    }

    /// Whether a header carries a credential: a security scheme names it, or its name tells.
    #[must_use]
    pub fn is_credential(&self, header: &str) -> bool {
        let header = header.to_ascii_lowercase();
        if self.revealed.contains(&header) {
            return false;
        }
        self.headers.contains(&header) || TELLING.iter().any(|part| header.contains(part))
    }

    /// Whether a query parameter carries a credential.
    #[must_use]
    pub fn is_credential_query(&self, name: &str) -> bool {
        self.queries.iter().any(|known| known == name)
    }

    /// Whether reports do not show the value of a header.
    #[must_use]
    pub fn hides(&self, header: &str, value: &str) -> bool {
        // A cookie stands beside others, which may be secret.
        let made_up = value.contains(UNKNOWN) && !header.eq_ignore_ascii_case("cookie");
        !self.shown && !value.is_empty() && !made_up && self.is_credential(header)
    }

    /// Whether reports do not show the value of a query parameter.
    #[must_use]
    pub fn hides_query(&self, name: &str, value: &str) -> bool {
        let made_up = value.contains(UNKNOWN);
        !self.shown && !value.is_empty() && !made_up && self.is_credential_query(name)
    }

    /// The value of a header as reports show it.
    #[must_use]
    pub fn header(&self, name: &str, value: &str) -> String {
        match self.hides(name, value) {
            true => HIDDEN.to_owned(),
            false => value.to_owned(),
        }
    }

    /// A URL as reports show it, without the credentials of its query, whatever they are.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let Some((path, query)) = url.split_once('?') else {
            return url.to_owned();
        };
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) if self.hides_query(&decode(name), value) => {
                    format!("{name}={HIDDEN}")
                }
                _ => pair.to_owned(),
            })
            .collect();
        format!("{path}?{}", pairs.join("&"))
    }

    /// A text without the values that are known to be secret.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        if self.shown {
            return text.to_owned();
        }
        let mut text = text.to_owned();
        if let Some(run) = self.run.as_ref().filter(|run| text.contains(*run)) {
            text = text.replace(run, &format!("${{{RUN_ID}}}"));
        }
        for secret in self.values.borrow().iter() {
            // To look for it is much cheaper than to copy a text without it.
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        text
    }

    /// A JSON value without the values that are known to be secret.
    pub fn hide_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.hide_in(member)),
            _ => {}
        }
    }
}

/// A percent-encoded text with its hexadecimal digits in lower case, as some servers write them.
fn lowercase_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lower.push('%');
        lower.push_str(&digits.to_ascii_lowercase());
        lower.push_str(rest);
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spoiled_credential_is_hidden_and_a_made_up_one_is_shown() {
        let text = "openapi: 3.1.0\npaths: {}\ncomponents: {securitySchemes: {key: {type: apiKey, in: query, name: key}}}\n";
        let document = Document::parse("t", text).unwrap();
        let secrets = Secrets::new(&document, &[], false);
        for (url, shown) in [
            (
                "http://h/a?key=abcd1235&b=1",
                "http://h/a?key=[redacted]&b=1",
            ),
            (
                "http://h/a?key=conformance-unknown-credential",
                "http://h/a?key=conformance-unknown-credential",
            ),
            ("http://h/a", "http://h/a"),
        ] {
            assert_eq!(secrets.url(url), shown);
        }
        secrets.remember("Token-abcd1235");
        assert_eq!(secrets.hide("no TOKEN-ABCD1235"), "no [redacted]");
        assert_eq!(secrets.header("Authorization", "Bearer abcd1235"), HIDDEN);
        let unknown = format!("Bearer {UNKNOWN}");
        assert_eq!(secrets.header("Authorization", &unknown), unknown);
        assert_eq!(
            secrets.header("Cookie", &format!("a=b; sid={UNKNOWN}")),
            HIDDEN
        );
    }
}
