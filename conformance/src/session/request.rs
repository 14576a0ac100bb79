//! The request of a case: what the document gives, the credentials, and what the options give for every request.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::{Session, template};
use crate::case::Case;
use crate::credentials;
use crate::exchange::{Request, USER_AGENT};

impl Session<'_> {
    /// The URL of a path with these values.
    pub(crate) fn url(&self, template: &str, path: &[(String, String)]) -> String {
        // Without its slash a path could change the host.
        let target = on_the_wire(&template::expand(template, path));
        let slash = if target.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{target}", self.base)
    }

    /// The request of a case by the first user.
    #[must_use]
    pub fn request(&self, case: &Case, path: &[(String, String)]) -> Request {
        self.request_of(0, case, path)
    }

    /// Whether a case is about a credential in another letter case, which is the same for the one that the run has.
    pub(crate) fn has_no_other_case(&self, case: &Case) -> bool {
        case.unchanged()
            .is_some_and(|same| self.request(case, &[]) == self.request(&same, &[]))
    }

    /// The request of a case by a user, given by its index: what the document gives, replaced by the credentials of the user, replaced
    /// by what the options give for every request, replaced by `x-replay`.
    #[must_use]
    pub fn request_of(&self, user: usize, case: &Case, path: &[(String, String)]) -> Request {
        let mut url = self.url(&case.template, path);
        let secrets = self.judge.secrets;
        let mut query = case.query.clone();
        let mut headers = vec![
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            ("Accept".to_owned(), "*/*".to_owned()),
        ];
        for (name, value) in &case.headers {
            set(&mut headers, name, &[value]);
        }
        if let Some(content_type) = case
            .body
            .as_ref()
            .and_then(|body| body.content_type.as_deref())
        {
            set(&mut headers, "Content-Type", &[content_type]);
        }
        self.credentials
            .apply(user, &case.pointer, &mut query, &mut headers);
        let mut given: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, value) in &self.options.headers {
            // The credentials among them are those of the first user.
            if user == 0 || !secrets.is_credential(name) {
                given
                    .entry(name.to_ascii_lowercase())
                    .or_default()
                    .push(value);
            }
        }
        for (name, values) in &given {
            set(&mut headers, name, values);
        }
        let own = self.own.get(&case.pointer);
        for (name, value) in own.into_iter().flat_map(|own| &own.headers) {
            set(&mut headers, name, &[value]);
        }
        for (name, value) in &self.options.queries {
            if user == 0 || !secrets.is_credential_query(name) {
                credentials::set_query(&mut query, name, value);
            }
        }
        for (name, value) in &self.options.cookies {
            if user == 0 || !secrets.is_credential("Cookie") {
                credentials::set_cookie(&mut headers, name, value);
            }
        }
        if case.anonymous {
            query.retain(|(name, _)| !secrets.is_credential_query(name));
            headers.retain(|(name, _)| !secrets.is_credential(name));
        }
        let overrides: HashMap<String, &Option<String>> = case
            .overrides
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        headers.retain(|(name, _)| !overrides.contains_key(&name.to_ascii_lowercase()));
        headers.extend(
            case.overrides
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.clone()?))),
        );
        case.change(&mut query, &mut headers);
        if !query.is_empty() {
            url = format!("{url}?{}", crate::case::serialize::query_string(&query));
        }
        let body = case.body.as_ref().map(|body| body.bytes.clone());
        Request {
            method: case.method.clone(),
            url,
            headers,
            body,
        }
    }
}

/// A path without what cannot stand in a request line: that is percent-encoded.
fn on_the_wire(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"#<>?\\^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Replaces all values of a header.
fn set(headers: &mut Vec<(String, String)>, name: &str, values: &[&str]) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.extend(
        values
            .iter()
            .map(|value| (name.to_owned(), (*value).to_owned())),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_path_whatever_the_document_has_in_it() {
        assert_eq!(on_the_wire("/a%20b/@c:1/d.e;f,g"), "/a%20b/@c:1/d.e;f,g");
        assert_eq!(
            on_the_wire("/a b/{c}/\u{e4}#?"),
            "/a%20b/%7Bc%7D/%C3%A4%23%3F"
        );
    }
}
