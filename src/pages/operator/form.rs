//! The fields of a form or of a query, decoded.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use jiff::Timestamp;

use super::guard::{PageError, data};
use crate::domain::ProviderName;
use crate::http::{BodyFault, read_limited};
use crate::operator::State;
use crate::provider::UnknownEventType;

/// The form of a time.
const TIME: &str = "a date and time in UTC, such as 2026-01-31T15:00";

/// The bytes of a form beside a payload, at most.
const OTHER_FIELDS: usize = 64 * 1024;

/// Fields by name, as a browser sent them.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`, which anything can be read as.
    pub(super) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first field with this name, without white space around it; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The same, where something was filled in.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Returns the value of a filter. One that `read` does not accept is a fault: ignoring it would show what was not asked for.
    pub(super) fn filter<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
        expected: &str,
        faults: &mut Vec<String>,
    ) -> Option<T> {
        let text = self.filled(name)?;
        let value = read(text);
        if value.is_none() {
            faults.push(format!("Invalid filter “{name}={text}”: use {expected}."));
        }
        value
    }

    /// The filter by provider.
    pub(super) fn provider(&self, state: &State, faults: &mut Vec<String>) -> Option<ProviderName> {
        let names = state.providers.names().map(|name| name.to_string());
        let names: Vec<String> = names.collect();
        let read = |text: &str| {
            let found = text.parse().ok();
            found.filter(|name| state.providers.outbound(*name).is_some())
        };
        self.filter("provider", read, &names.join(" or "), faults)
    }

    /// The filter by event type.
    pub(super) fn event_type(&self, state: &State, faults: &mut Vec<String>) -> Option<String> {
        let text = self.filled("type")?;
        if let Err(UnknownEventType { near }) = state.providers.check_event_type(text) {
            let hint = near.map_or_else(
                || "use an event type of a provider.".to_owned(),
                |near| format!("did you mean “{near}”?"),
            );
            faults.push(format!("Invalid filter “type={text}”: {hint}"));
        }
        Some(text.to_owned())
    }

    /// The filter by a time.
    pub(super) fn time(&self, name: &str, faults: &mut Vec<String>) -> Option<Timestamp> {
        self.filter(name, instant, TIME, faults)
    }

    /// The place of a list that a query goes on from.
    pub(super) fn cursor(&self, faults: &mut Vec<String>) -> Option<i64> {
        let read = |text: &str| text.parse().ok().filter(|number| *number > 0);
        self.filter("cursor", read, "the links below the list", faults)
    }

    /// The fields with something filled in, as a query, with one of them replaced or left out.
    pub(super) fn query_with(&self, name: &str, value: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (given, value) in &self.0 {
            if given != name && !value.is_empty() {
                query.append_pair(given, value);
            }
        }
        if let Some(value) = value {
            query.append_pair(name, value);
        }
        query.finish()
    }
}

/// Reads a moment in UTC as browsers write it: with or without seconds.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim_end_matches('Z');
    let full = if text.len() == "2026-01-01T00:00".len() {
        format!("{text}:00Z")
    } else {
        format!("{text}Z")
    };
    full.parse().ok()
}

/// The body of a form: a payload within the limit of the operator API, percent-encoded, and little else.
pub(super) struct Body(Vec<u8>);

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl FromRequest for Body {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload);
        let limit = data(request).0.context.max_body_bytes;
        Box::pin(async move {
            let payload = payload.await.map_err(|_| PageError::CutOff)?;
            let encoded = limit.saturating_mul(3).saturating_add(OTHER_FIELDS);
            match read_limited(payload, encoded).await {
                Ok(bytes) => Ok(Self(bytes)),
                Err(BodyFault::TooLarge(_)) => Err(PageError::TooLarge(limit)),
                Err(_) => Err(PageError::CutOff),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_browsers_write_it() {
        let read = |text: &str| instant(text).map(|time| time.to_string());
        for text in [
            "2026-01-02T03:04",
            "2026-01-02T03:04:00",
            "2026-01-02T03:04:00Z",
        ] {
            assert_eq!(
                read(text).as_deref(),
                Some("2026-01-02T03:04:00Z"),
                "{text}"
            );
        }
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_a_fault_and_an_empty_one_is_not() {
        let (form, mut faults) = (Form::read(b"from=yesterday&to=&cursor=0"), Vec::new());
        assert_eq!(form.time("from", &mut faults), None);
        assert_eq!(form.time("to", &mut faults), None);
        assert_eq!(form.cursor(&mut faults), None);
        let expected = [
            "Invalid filter “from=yesterday”: use a date and time in UTC, such as 2026-01-31T15:00.",
            "Invalid filter “cursor=0”: use the links below the list.",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn fields_are_decoded_and_what_is_empty_was_not_filled_in() {
        let form = Form::read(b"a=+x%26y+&b=&a=2&%FF=1");
        assert_eq!(form.text("a"), "x&y");
        assert_eq!(form.filled("b"), None);
        assert_eq!(form.filled("c"), None);
    }

    #[test]
    fn a_query_keeps_the_other_fields() {
        let form = Form::read(b"state=pending&type=&cursor=1");
        assert_eq!(
            form.query_with("cursor", Some("a b")),
            "state=pending&cursor=a+b"
        );
        assert_eq!(form.query_with("cursor", None), "state=pending");
    }
}
