//! Findings as JSON reports keep them.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::finding::{ExchangeRecord, FlowRecord, Severity};
use crate::replay::again::signature_of;
use crate::rule::replay as rules;

/// A text that is not a report.
#[derive(Debug, Error)]
pub enum Unreadable {
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "neither a JSON report of conformance nor one of its findings; write one with --report json=FILE"
    )]
    NoFindings,
}

/// The findings of a report, and what they are about.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The document, as it was named.
    pub document: Option<String>,
    /// The base URL of the server.
    pub server: Option<String>,
    pub findings: Vec<Kept>,
}

/// A finding of a report.
#[derive(Debug, Clone)]
pub struct Kept {
    pub fingerprint: String,
    pub rule: String,
    pub severity: Severity,
    pub subject: String,
    /// The sentence.
    pub message: String,
    pub exchange: Option<ExchangeRecord>,
    /// JSON pointer of the place in the document.
    pub(super) pointer: String,
    /// The data that the message is made of.
    pub(super) change: Value,
}

/// A finding as it stands in a report; other members are left out.
#[derive(Deserialize)]
struct Line {
    fingerprint: String,
    rule: String,
    severity: Severity,
    subject: String,
    message: String,
    place: Option<LinePlace>,
    data: Option<LineData>,
    exchange: Option<ExchangeRecord>,
}

#[derive(Deserialize)]
struct LinePlace {
    document: String,
    pointer: String,
}

#[derive(Deserialize)]
struct LineData {
    change: Value,
}

/// Reads a JSON report, a finding of one, or several of them one after the other, as NDJSON has them.
///
/// # Errors
/// When the text is not JSON, or has no finding.
pub fn read(text: &[u8]) -> Result<Recorded, Unreadable> {
    let mut recorded = Recorded::default();
    let mut is_report = false;
    for value in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
        let mut value = value?;
        let named = value.pointer("/documents/0/name").and_then(Value::as_str);
        recorded.document = recorded.document.or_else(|| named.map(str::to_owned));
        let server = value.get("server").and_then(Value::as_str);
        recorded.server = recorded.server.or_else(|| server.map(str::to_owned));
        is_report |= named.is_some();
        let lines = match value.get_mut("findings").map(Value::take) {
            Some(Value::Array(lines)) => lines,
            _ if value.get("fingerprint").is_some() => vec![value],
            _ => Vec::new(),
        };
        for line in lines {
            let line: Line = serde_json::from_value(line)?;
            let place = line.place.as_ref();
            // A finding alone names its document too.
            let document = place.map(|place| place.document.clone());
            recorded.document = recorded.document.or(document);
            recorded.findings.push(Kept::of(line));
        }
    }
    match is_report || !recorded.findings.is_empty() {
        true => Ok(recorded),
        false => Err(Unreadable::NoFindings),
    }
}

impl Kept {
    fn of(line: Line) -> Self {
        Self {
            fingerprint: line.fingerprint,
            rule: line.rule,
            severity: line.severity,
            subject: line.subject,
            message: line.message,
            exchange: line.exchange,
            pointer: line.place.map(|place| place.pointer).unwrap_or_default(),
            change: line.data.map(|data| data.change).unwrap_or_default(),
        }
    }

    /// Returns the text that it shares with the same finding of another run.
    pub(super) fn signature(&self) -> String {
        signature_of(
            &self.rule,
            &self.subject,
            &self.pointer,
            self.change.clone(),
        )
    }

    /// Whether there is anything to send.
    #[must_use]
    pub fn has_request(&self) -> bool {
        self.exchange.is_some()
    }

    /// Whether it holds bodies to more than the document.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.rule == rules::MEMBER_DOCUMENTED
    }

    /// The longest time, in seconds, that the run allowed for a response.
    #[must_use]
    pub fn response_time(&self) -> Option<f64> {
        let limit = self
            .change
            .get("limit")
            .filter(|_| self.rule == rules::RESPONSE_TIME);
        limit.and_then(Value::as_f64)
    }

    /// The status of the response of the run.
    pub(super) fn status(&self) -> Option<u16> {
        let response = self.exchange.as_ref()?.response.as_deref()?;
        response.split_whitespace().nth(1)?.parse().ok()
    }

    /// The scheme, host and port that its request was sent to.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let url = &self.exchange.as_ref()?.sent.url;
        let url = url::Url::parse(url).ok()?;
        url.has_host().then(|| url.origin().ascii_serialization())
    }

    /// The names of credentials in its request.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let Some(exchange) = &self.exchange else {
            return BTreeSet::new();
        };
        let sent = &exchange.sent;
        let headers = sent.headers.iter().map(|header| &header.value);
        let templates = [&sent.url].into_iter().chain(headers).chain(&sent.body);
        templates.flat_map(|template| names_in(template)).collect()
    }

    /// The sequence that shows it, where one does.
    pub(super) fn flow(&self) -> Option<&FlowRecord> {
        self.exchange.as_ref()?.case.as_ref()?.flow.as_ref()
    }

    /// The headers and the parameters of the query of its request, as templates.
    pub(super) fn templates(&self) -> (Templates<'_>, Templates<'_>) {
        let sent = self.exchange.as_ref().map(|exchange| &exchange.sent);
        let headers = sent.into_iter().flat_map(|sent| &sent.headers);
        let headers = headers.map(|header| (header.name.as_str(), header.value.as_str()));
        let query = sent.and_then(|sent| sent.url.split_once('?'));
        let pairs = query.into_iter().flat_map(|(_, query)| query.split('&'));
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        (headers.collect(), pairs.collect())
    }
}

/// Names, each with the template of its value.
type Templates<'f> = Vec<(&'f str, &'f str)>;

/// The names of credentials in a template.
pub(super) fn names_in(template: &str) -> BTreeSet<String> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let named = template.split("${").skip(1).map(|rest| {
        let rest = rest.strip_prefix("base64:").unwrap_or(rest);
        let rest = rest.strip_prefix("${").unwrap_or(rest);
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    named.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINDING: &str = r#"{"fingerprint": "0123456789abcdef", "rule": "body-schema", "severity": "breaking", "subject": "GET /a", "message": "m",
        "place": {"document": "a.yaml", "pointer": "/paths", "line": 1, "column": 1}}"#;

    #[test]
    fn a_report_a_finding_and_lines_are_read_and_nothing_else() {
        let report = format!(
            r#"{{"documents": [{{"name": "b.yaml"}}], "server": "http://h", "findings": [{FINDING}]}}"#
        );
        let recorded = read(report.as_bytes()).unwrap();
        assert_eq!(recorded.document.as_deref(), Some("b.yaml"));
        assert_eq!(recorded.server.as_deref(), Some("http://h"));
        assert_eq!(recorded.findings.len(), 1);
        let lines = format!("{FINDING}\n{FINDING}");
        let recorded = read(lines.as_bytes()).unwrap();
        assert_eq!(recorded.document.as_deref(), Some("a.yaml"));
        assert_eq!(recorded.findings.len(), 2);
        for text in ["", "[]", "{}", "1", "{\"findings\": []}"] {
            assert!(
                matches!(read(text.as_bytes()), Err(Unreadable::NoFindings)),
                "{text}"
            );
        }
        for text in ["{", "x", "{\"findings\": [1]}", "{\"fingerprint\": 1}"] {
            assert!(
                matches!(read(text.as_bytes()), Err(Unreadable::Json(_))),
                "{text}"
            );
        }
    }
}
