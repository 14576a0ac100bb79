//! The rules of HTTP for any response: `Allow`, `Location`, the media type that was asked for, and how long it took.

use serde_json::{Map, Value};
use url::Url;

use super::Sheet;
use super::media_type::MediaType;
use crate::case::{Intent, Refusal};
use crate::document::pointer;
use crate::exchange::Response;
use crate::finding::{ReplayFault, Severity};
use crate::rule::replay as rules;

/// Redirections that lead somewhere else.
const REDIRECTIONS: [u16; 5] = [301, 302, 303, 307, 308];

impl Sheet<'_> {
    pub(super) fn protocol(&mut self, response: &Response) {
        self.allow(response);
        self.location(response);
        self.negotiated(response);
        if let Some(limit) = self.judge.limits.response_time
            && self.exchange.duration > limit
        {
            let fault = ReplayFault::Slow {
                sample: self.sample(),
                limit: limit.as_secs_f64(),
            };
            let at = self.case.pointer.clone();
            self.breaking(rules::RESPONSE_TIME, &at, fault);
        }
    }

    /// 405 names the methods that there are (RFC 9110, 15.5.6); the answer to `OPTIONS` may.
    fn allow(&mut self, response: &Response) {
        let is_options =
            self.case.intent == Intent::Options && (200..300).contains(&response.status);
        if response.status != 405 && !is_options {
            return;
        }
        let given: Vec<String> = response
            .header("allow")
            .flat_map(|value| {
                let value = String::from_utf8_lossy(value).into_owned();
                let names = value.split(',').map(|name| name.trim().to_owned());
                names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
            })
            .collect();
        let has_header = response.header("allow").next().is_some();
        if !has_header && is_options {
            return;
        }
        let named = |method: &str| given.iter().any(|name| name == method);
        let documented = self.methods();
        let missing: Vec<String> = match has_header {
            true => documented
                .iter()
                .filter(|method| !named(method))
                .cloned()
                .collect(),
            false => Vec::new(),
        };
        let refused = Some(self.case.method.clone())
            .filter(|method| !is_options && named(method) && !documented.contains(method));
        if has_header && missing.is_empty() && refused.is_none() {
            return;
        }
        let fault = ReplayFault::Allow {
            sample: self.sample(),
            found: has_header.then_some(given),
            missing,
            refused,
        };
        let severity = match has_header {
            true => Severity::Breaking,
            false => Severity::Warning,
        };
        let at = pointer::parent(&self.case.pointer).to_owned();
        self.add(rules::ALLOW_HEADER, severity, &at, fault, None);
    }

    /// The documented methods of the path.
    fn methods(&self) -> Vec<String> {
        let same = self.judge.document.operations_of_path(&self.case.template);
        same.into_iter().map(|operation| operation.method).collect()
    }

    /// A `Location` is one URI reference (RFC 9110, 10.2.2).
    fn location(&mut self, response: &Response) {
        let of_method = matches!(
            self.case.intent,
            Intent::Options | Intent::Refused(Refusal::Method)
        );
        let found: Vec<String> = response
            .header("location")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        let is_valid = |text: &String| {
            let plain = text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte));
            let base = Url::parse(&self.exchange.request.url).ok();
            plain && Url::options().base_url(base.as_ref()).parse(text).is_ok()
        };
        let severity = match found.as_slice() {
            [] if REDIRECTIONS.contains(&response.status) && !of_method => Severity::Warning,
            [] => return,
            [one] if is_valid(one) => return,
            _ => Severity::Breaking,
        };
        let fault = ReplayFault::Location {
            sample: self.sample(),
            found,
        };
        let at = pointer::join(&self.case.pointer, "responses");
        self.add(rules::LOCATION_VALID, severity, &at, fault, None);
    }

    /// A request that accepts one documented media type should get it (RFC 9110, 12.5.1).
    fn negotiated(&mut self, response: &Response) {
        let headers = &self.exchange.request.headers;
        let mut accepts = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("accept"));
        let (Some((_, accepted)), None) = (accepts.next(), accepts.next()) else {
            return;
        };
        if accepted.contains([',', '*']) || !(200..300).contains(&response.status) {
            return;
        }
        let Some((_, promised)) = self.judge.documented(&self.case.pointer, response.status) else {
            return;
        };
        let content = promised.value.get("content").and_then(Value::as_object);
        let documented = content.is_some_and(|content| content.contains_key(accepted));
        let given = response.header("content-type").next();
        let given = given.map(|value| String::from_utf8_lossy(value).into_owned());
        let (Some(wanted), Some(given)) = (MediaType::parse(accepted), given) else {
            return;
        };
        let parsed = MediaType::parse(&given);
        let fits = |wanted: &MediaType| {
            parsed
                .as_ref()
                .is_some_and(|one| one.fits(wanted).is_some())
        };
        let names = content.into_iter().flat_map(Map::keys);
        // That a media type is not documented is told elsewhere.
        let is_known = names
            .filter_map(|name| MediaType::parse(name))
            .any(|one| fits(&one));
        if !documented || !is_known || fits(&wanted) {
            return;
        }
        let fault = ReplayFault::NotNegotiated {
            sample: self.sample(),
            accepted: accepted.clone(),
            found: given,
        };
        let at = pointer::join(&promised.pointer, "content");
        self.add(rules::ACCEPT_HONORED, Severity::Warning, &at, fault, None);
    }
}
