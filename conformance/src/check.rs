//! Judging an exchange: what the document promises for a case against what came back. Each rule is named for its claim.
//!
//! | rule | claim |
//! |---|---|
//! | `answer-complete` | the server answered, completely, in time and within the size limit |
//! | `no-server-error` | no 5xx where none is the documented answer |
//! | `status-documented` | the status is documented: exactly, by range, or by `default` |
//! | `status-as-sample` | the status is the one that the sample is documented under |
//! | `content-type-documented` | the content type is one of those documented |
//! | `header-documented` | documented headers are there and valid |
//! | `body-schema` | the body is what its schema says |
//! | `body-empty` | an answer documented without content has no body |
//! | `sample-members` | the body has the members and types of the sample |
//! | `sample-values` | values that the sample echoes are echoed |
//! | `valid-accepted` | a generated request that the document allows is accepted |
//! | `invalid-refused` | one that it does not allow is refused |
//! | `media-type-refused` | one with a body of another content type is refused |
//! | `credentials-required` | one without the needed credentials is refused |
//! | `credentials-checked` | one with a wrong credential is refused |
//! | `method-refused` | a method that the path does not have is answered with 405 |
//! | `allow-header` | 405 has an `Allow` header with the documented methods |
//! | `head-as-get` | `HEAD` is answered like the documented `GET` |
//! | `accept-honored` | the answer has the documented media type that the request accepts |
//! | `location-valid` | `Location` can be followed |
//! | `member-documented` | the body has no members but those of its schema (`--strict`) |
//! | `response-time` | the answer comes in time (`--max-response-time`) |
//!
//! Sequences (JSON lines, JSON text sequences, server-sent events) are lists of items, each of which `itemSchema` describes; text is
//! decoded as its charset says and read as its schema asks for.
//!
//! Not checked: `multipart`, XML and binary bodies beyond their content type, the order of members.

mod answer;
mod generated;
mod media_type;
mod members;
mod protocol;
mod read;
mod strict;
mod values;

pub(crate) use generated::NO_ERROR;

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::case::{Case, Intent, is_success};
use crate::document::{Document, Located, pointer};
use crate::exchange::{Exchange, Response, Secrets};
use crate::finding::{Finding, Place, ReplayFault, Severity};
use crate::rule::replay as rules;
use crate::schema::Schemas;

/// Everything that a check needs to know apart from the exchange.
pub struct Judge<'d> {
    pub document: &'d Document,
    pub schemas: &'d Schemas<'d>,
    pub secrets: &'d Secrets,
    pub limits: Limits,
    pub places: Places,
}

/// The places of findings by pointer: few of them, each with many findings, and to look one up in the text takes long.
#[derive(Debug, Default)]
pub struct Places(RefCell<HashMap<String, Place>>);

impl Places {
    fn of(&self, document: &Document, at: &str) -> Place {
        if let Some(known) = self.0.borrow().get(at) {
            return known.clone();
        }
        let place = Place::of(document, at);
        self.0.borrow_mut().insert(at.to_owned(), place.clone());
        place
    }
}

/// Requirements on responses beyond those of the document.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Whether bodies may have only members that their schemas declare.
    pub strict: bool,
    /// The longest time that a response may take; none where it may take any.
    pub response_time: Option<Duration>,
}

/// The findings about one exchange so far.
struct Sheet<'a> {
    judge: &'a Judge<'a>,
    case: &'a Case,
    exchange: &'a Exchange,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    /// The findings of one exchange, without their proof (see [`Self::prove`]). `path` are the values of the path parameters as they were
    /// sent, decoded.
    #[must_use]
    pub fn judge(
        &self,
        case: &Case,
        exchange: &Exchange,
        path: &[(String, String)],
    ) -> Vec<Finding> {
        let mut sheet = Sheet {
            judge: self,
            case,
            exchange,
            findings: Vec::new(),
        };
        if let Some(failure) = &exchange.failure {
            let fault = ReplayFault::NoResponse {
                sample: case.sample.clone(),
                failure: failure.clone(),
            };
            sheet.breaking(rules::ANSWER_COMPLETE, &case.pointer, fault);
        } else if let Some(response) = &exchange.response {
            sheet.answer(response, path);
            sheet.protocol(response);
        }
        sheet.findings
    }

    /// Adds the exchange to a finding about it. Most findings are those of many requests, of which one stays, and this takes longer than to
    /// judge an answer.
    pub fn prove(
        &self,
        finding: &mut Finding,
        case: &Case,
        exchange: &Exchange,
        path: &[(String, String)],
    ) {
        let mut record = exchange.record(self.secrets);
        record.case = Some(case.record(path));
        finding.exchange = Some(record);
    }

    /// The key in `responses` that an answer falls under: exact, range, default.
    #[must_use]
    pub fn documented(&self, operation: &str, status: u16) -> Option<(String, Located<'_>)> {
        let below = pointer::join(operation, "responses");
        let exact = status.to_string();
        let range = format!("{}XX", status / 100);
        for key in [
            exact.as_str(),
            range.as_str(),
            &range.to_lowercase(),
            "default",
        ] {
            if let Some((pointer, value)) = self.document.resolve(&pointer::join(&below, key)) {
                return Some((key.to_owned(), Located { pointer, value }));
            }
        }
        None
    }
}

/// Whether a status falls under a documented key.
#[must_use]
pub fn falls_under(status: u16, key: &str) -> bool {
    let key = key.to_ascii_uppercase();
    key == status.to_string() || key == format!("{}XX", status / 100) || key == "DEFAULT"
}

impl Sheet<'_> {
    fn answer(&mut self, response: &Response, path: &[(String, String)]) {
        let status = response.status;
        let responses = pointer::join(&self.case.pointer, "responses");
        let documented = self.judge.documented(&self.case.pointer, status);
        let expected = falls_under(status, &self.case.expected)
            // `default` is for what has no key of its own, and not for success of a refusal or the reverse.
            && (self.case.expected != "default" || documented.as_ref().is_some_and(|(key, _)| key == "default"));
        if self.case.intent != Intent::Sample {
            return self.generated(response, documented);
        }
        let wrong = if status >= 500 && !expected {
            Some((rules::NO_SERVER_ERROR, responses.clone()))
        } else if documented.is_none() {
            Some((rules::STATUS_DOCUMENTED, responses.clone()))
        } else if !expected {
            Some((rules::STATUS_AS_SAMPLE, self.case.at.clone()))
        } else {
            None
        };
        if let Some((rule, at)) = wrong {
            let fault = ReplayFault::Status {
                sample: self.sample(),
                expected: self.case.expected.clone(),
                found: status,
                documented: documented.is_none().then(|| self.statuses(&responses)),
                credentials: self.missing_credentials(status),
            };
            self.breaking(rule, &at, fault);
        }
        let Some((_, promised)) = documented else {
            return;
        };
        self.headers(&promised, response);
        if self.case.method == "HEAD" || status == 304 {
            return;
        }
        let Some(body) = self.body(&promised, response) else {
            return;
        };
        if !expected {
            return;
        }
        if let Some(sample) = &self.case.answer
            && body.is_json
        {
            self.members(&body, sample);
            self.values(&body, sample, path);
        }
    }

    /// The documented statuses.
    fn statuses(&self, responses: &str) -> Vec<String> {
        let responses = self.judge.document.at(responses).and_then(Value::as_object);
        let keys = responses.into_iter().flat_map(Map::keys);
        keys.filter(|key| !key.starts_with("x-")).cloned().collect()
    }

    /// The security schemes that the operation needs, where the server refused a request that had no credential.
    fn missing_credentials(&self, status: u16) -> Vec<String> {
        let secrets = self.judge.secrets;
        let header = |(name, _): &(String, String)| secrets.is_credential(name);
        let query = |(name, _): &(String, String)| secrets.is_credential_query(name);
        let sent =
            self.exchange.request.headers.iter().any(header) || self.case.query.iter().any(query);
        if !matches!(status, 401 | 403) || sent {
            return Vec::new();
        }
        let own = pointer::join(&self.case.pointer, "security");
        let security = self.judge.document.at(&own);
        let security = security.or_else(|| self.judge.document.at("/security"));
        let alternatives = security.and_then(Value::as_array).into_iter().flatten();
        let first = alternatives.filter_map(Value::as_object).next();
        first.into_iter().flat_map(Map::keys).cloned().collect()
    }

    fn sample(&self) -> String {
        self.case.sample.clone()
    }

    fn breaking(&mut self, rule: &'static str, at: &str, fault: ReplayFault) {
        self.add(rule, Severity::Breaking, at, fault, None);
    }

    fn add(
        &mut self,
        rule: &'static str,
        severity: Severity,
        at: &str,
        fault: ReplayFault,
        witness: Option<Value>,
    ) {
        self.findings.push(Finding {
            old: Some(self.judge.places.of(self.judge.document, at)),
            witness,
            ..Finding::new(rule, severity, self.case.operation.clone(), fault)
        });
    }
}

/// Whether an exchange did what a successful sample promises, as far as its status tells.
#[must_use]
pub fn succeeded(exchange: &Exchange) -> bool {
    let status = exchange
        .response
        .as_ref()
        .map(|response| response.status.to_string());
    exchange.failure.is_none() && status.is_some_and(|status| is_success(&status))
}
