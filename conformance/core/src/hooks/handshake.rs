//! Requests that a sender makes to be sure of its receiver, and the answers that it needs.
//!
//! A handshake is told from a delivery by what it has: its method, a header, a parameter, a member of the body. The answer is made of
//! templates over the request, such as `{query.hub.challenge}` or `{body#/challenge}`.

use serde::Serialize;
use serde_json::Value;

use super::location::Location;
use super::message::Message;
use super::read::{Faults, Object};
use super::template::{Template, Values};

/// One kind of handshake.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshake {
    /// The method; any, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The condition on the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Whether its signature is wrong on purpose.
    pub forged: bool,
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: Vec<(String, Template)>,
    /// The body of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Template>,
    /// A URL that the receiver has to visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<Template>,
    /// A value of the request that is the webhook's secret from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Location>,
}

/// A condition on a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// Where.
    #[serde(flatten)]
    pub location: Location,
    /// The value; any, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
}

/// The answer to a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// A URL to visit.
    pub visit: Option<String>,
    /// The secret that the request brought.
    pub secret: Option<String>,
}

impl Handshake {
    /// Whether a request is one. `forged` says that its signature is not right.
    pub fn matches(&self, message: &Message, forged: bool) -> bool {
        let method = self
            .method
            .as_ref()
            .is_none_or(|method| *method == message.method);
        let when = self.when.as_ref().is_none_or(|condition| {
            let values = condition.location.values(message, None);
            match &condition.equals {
                Some(wanted) => values.contains(wanted),
                None => !values.is_empty(),
            }
        });
        method && when && (forged || !self.forged)
    }

    /// The answer that the sender needs. `key` is that of the webhook, for filters that need one.
    pub fn answer(&self, message: &Message, key: &[u8]) -> Answer {
        let values = Values {
            key,
            ..Values::default()
        };
        let text = |template: &Template| {
            String::from_utf8_lossy(&template.fill(message, &values)).into_owned()
        };
        Answer {
            status: self.status,
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            body: self
                .body
                .as_ref()
                .map(|body| body.fill(message, &values))
                .unwrap_or_default(),
            visit: self.visit.as_ref().map(text),
            secret: self
                .secret
                .as_ref()
                .and_then(|location| location.value(message)),
        }
    }
}

pub(super) fn read(value: &Value, at: &str, faults: &Faults) -> Option<Handshake> {
    let object = Object::new(value, at, faults)?;
    let method = object.text("method").map(str::to_ascii_uppercase);
    let when = object.object("when").and_then(|when| {
        let location = Location::read(&when, false);
        let equals = when.text("equals").map(str::to_owned);
        when.close();
        Some(Condition {
            location: location?,
            equals,
        })
    });
    let forged = object.flag("forged").unwrap_or(false);
    if method.is_none() && when.is_none() && !forged {
        object.fault_here(
            "`method`, `when` or `forged` must say how the request is told from a delivery",
        );
    }
    let template = |object: &Object<'_>, name: &'static str| {
        let text = object.text(name)?;
        Template::parse(text)
            .map_err(|problem| object.fault(name, format!("`{text}` {problem}")))
            .ok()
    };
    let status = object.count("status").unwrap_or(200);
    let status = u16::try_from(status)
        .ok()
        .filter(|status| (100..600).contains(status));
    if status.is_none() {
        object.fault("status", "is not a status");
    }
    let headers = object
        .members("headers")
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let at = format!("{}/{name}", object.at("headers"));
            let Some(text) = value.as_str() else {
                faults.add(&at, "expected a string");
                return None;
            };
            match Template::parse(text) {
                Ok(template) => Some((name.clone(), template)),
                Err(problem) => {
                    faults.add(&at, format!("`{text}` {problem}"));
                    None
                }
            }
        })
        .collect();
    let body = template(&object, "body");
    let visit = template(&object, "visit");
    let secret = object.object("secret").and_then(|inner| {
        let location = Location::read(&inner, false);
        inner.close();
        location
    });
    object.close();
    Some(Handshake {
        method,
        when,
        forged,
        status: status?,
        headers,
        body,
        visit,
        secret,
    })
}
