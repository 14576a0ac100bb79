//! Answers to generated requests: whether the server accepts what it should, and refuses what it should.

use super::Sheet;
use crate::case::{Intent, Refusal};
use crate::document::{Located, pointer};
use crate::exchange::Response;
use crate::finding::{Finding, ReplayFault, Severity};
use crate::generate::RANDOM;
use crate::rule::replay as rules;

/// The expectation where a server may accept or refuse a request.
pub(crate) const NO_ERROR: &str = "a status below 500";

/// Statuses that say nothing about whether a request is right: it lacks a credential, a thing or patience.
const ASIDE: [u16; 5] = [401, 403, 404, 409, 429];

/// Statuses with which servers refuse a request before an operation has a say.
const EARLY: [u16; 6] = [405, 406, 413, 414, 415, 431];

/// The early ones that a right request may get: it is too large for the server.
const LARGE: [u16; 3] = [413, 414, 431];

impl Sheet<'_> {
    /// Judges the answer to a generated request.
    pub(super) fn generated(
        &mut self,
        response: &Response,
        documented: Option<(String, Located<'_>)>,
    ) {
        let status = response.status;
        let intent = self.case.intent;
        if self.crashed(status, documented.as_ref()) {
            return;
        }
        match intent {
            Intent::Options | Intent::Unreadable => return,
            Intent::Head => return self.head(response, documented),
            Intent::Refused(refusal) => {
                self.refusal(refusal, status);
                // The response to a method that does not exist is not this operation's.
                if refusal == Refusal::Method {
                    return;
                }
            }
            Intent::Valid
                if documented.is_some()
                    && !self.asks_for_credentials(status)
                    && !(200..400).contains(&status)
                    && !ASIDE.contains(&status) =>
            {
                let fault = ReplayFault::NotAccepted {
                    sample: self.sample(),
                    found: status,
                };
                // Several changes at once may break rules that no schema says, such as that one date comes before another.
                let severity = match self.case.sample.starts_with(RANDOM) {
                    true => Severity::Info,
                    false => Severity::Warning,
                };
                let at = self.case.at.clone();
                self.add(rules::VALID_ACCEPTED, severity, &at, fault, None);
            }
            Intent::Valid | Intent::Open | Intent::Sample => {}
        }
        let Some((_, promised)) = documented else {
            let early: &[u16] = match intent {
                Intent::Valid => &LARGE,
                _ => &EARLY,
            };
            if !early.contains(&status) && status < 500 {
                self.undocumented(status);
            }
            return;
        };
        self.headers(&promised, response);
        if self.case.method != "HEAD" && status != 304 {
            self.body(&promised, response);
        }
        // An invalid request that was accepted is often echoed in the response, which is then invalid for the same reason.
        let is_ignored = |one: &Finding| one.rule == rules::INVALID_REFUSED;
        if self.findings.iter().any(is_ignored) {
            self.findings.retain(|one| one.rule != rules::BODY_SCHEMA);
        }
    }

    /// Tells a 5xx that is not documented as such. `501` is a right answer to a method.
    fn crashed(&mut self, status: u16, documented: Option<&(String, Located<'_>)>) -> bool {
        let about_method = matches!(
            self.case.intent,
            Intent::Head | Intent::Options | Intent::Refused(Refusal::Method)
        );
        if status < 500 || documented.is_some_and(|(key, _)| key != "default") {
            return false;
        }
        if status == 501 && about_method {
            return true;
        }
        let fault = ReplayFault::Status {
            sample: self.sample(),
            expected: match self.case.intent {
                Intent::Refused(_) => "4XX".to_owned(),
                Intent::Open | Intent::Unreadable => NO_ERROR.to_owned(),
                _ => self.case.expected.clone(),
            },
            found: status,
            documented: None,
            credentials: Vec::new(),
        };
        let responses = pointer::join(&self.case.pointer, "responses");
        self.breaking(rules::NO_SERVER_ERROR, &responses, fault);
        true
    }

    /// Whether a request was refused that asks for a token or a session: made-up passwords are wrong.
    fn asks_for_credentials(&self, status: u16) -> bool {
        const TELLING: [&str; 5] = [
            "password",
            "grant_type",
            "client_secret",
            "refresh_token",
            "otp",
        ];
        let body = self.case.body.as_ref().and_then(|body| body.value.as_ref());
        let members = body.and_then(serde_json::Value::as_object);
        [400, 422].contains(&status)
            && members.is_some_and(|members| TELLING.iter().any(|name| members.contains_key(*name)))
    }

    fn undocumented(&mut self, status: u16) {
        let responses = pointer::join(&self.case.pointer, "responses");
        let fault = ReplayFault::Status {
            sample: self.sample(),
            expected: "a documented status".to_owned(),
            found: status,
            documented: Some(self.statuses(&responses)),
            credentials: self.missing_credentials(status),
        };
        self.breaking(rules::STATUS_DOCUMENTED, &responses, fault);
    }

    /// Tells a request that was not refused, or not as it should be.
    fn refusal(&mut self, refusal: Refusal, status: u16) {
        let accepted = (200..400).contains(&status);
        let rule = match refusal {
            Refusal::Invalid => rules::INVALID_REFUSED,
            Refusal::MediaType => rules::MEDIA_TYPE_REFUSED,
            Refusal::Credentials => rules::CREDENTIALS_REQUIRED,
            Refusal::WrongCredentials => rules::CREDENTIALS_CHECKED,
            Refusal::Method => rules::METHOD_REFUSED,
        };
        let severity = match (accepted, refusal) {
            (true, _) => Severity::Breaking,
            // Of another method, only 405 says what is wrong. A thing that is not there has no methods, and who may not enter is
            // not told of any.
            (false, Refusal::Method)
                if !([401, 403, 405, 429].contains(&status)
                    || status == 404 && self.case.template.contains('{')) =>
            {
                Severity::Warning
            }
            // Any 4xx is a refusal.
            (false, _) => return,
        };
        let fault = ReplayFault::NotRefused {
            sample: self.sample(),
            found: status,
            expected: refusal.statuses().to_vec(),
        };
        let at = self.case.at.clone();
        self.add(rule, severity, &at, fault, None);
    }

    /// `HEAD` has the status and the headers of `GET` (RFC 9110, 9.3.2); a server that does not know it says so.
    fn head(&mut self, response: &Response, documented: Option<(String, Located<'_>)>) {
        let status = response.status;
        match documented {
            _ if [401, 403, 405, 429].contains(&status) => {}
            Some((_, promised)) if (200..400).contains(&status) => {
                self.headers(&promised, response);
            }
            Some(_) if status == 404 && self.case.template.contains('{') => {}
            _ => {
                let fault = ReplayFault::Head {
                    sample: self.sample(),
                    found: status,
                };
                let at = self.case.at.clone();
                self.add(rules::HEAD_AS_GET, Severity::Warning, &at, fault, None);
            }
        }
    }
}
