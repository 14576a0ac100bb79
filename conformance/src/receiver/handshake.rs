//! The handshakes that a provider makes before it sends: whether the handler answers them as the document says.

use serde_json::{Map, Value};

use super::event::Event;
use super::run::Run;
use crate::clock;
use crate::finding::{ReceiverFault, Severity};
use crate::hooks::{Carrier, Handshake, Message};
use crate::rule::receiver as rules;

impl Run<'_> {
    pub(super) async fn handshakes(&self, event: &Event<'_>) {
        for handshake in &event.description.promise.handshake {
            let Some(mut message) = request(handshake, &self.options.target, self.next_number())
            else {
                continue;
            };
            if let Some(signing) = event.signing() {
                let id = format!("{:016x}", self.next_number());
                let now = clock::now();
                // A handshake need not have a place for a signature.
                let _ = signing.sign(&event.secrets, &mut message, &id, now);
            }
            if handshake.forged {
                continue;
            }
            let Some(exchange) = self.send(&message).await else {
                return;
            };
            let secret = self.options.secrets.first();
            let signing = event.description.signing.as_ref();
            let bare = |text: &String| signing.map_or(text.clone(), |one| one.bare(text).into());
            let key = secret.map(bare).unwrap_or_default().into_bytes();
            let wanted = handshake.answer(&message, &key);
            let found = exchange.response.as_ref();
            let same_status = found.is_some_and(|found| match wanted.status {
                200 => (200..300).contains(&found.status),
                status => found.status == status,
            });
            let same_headers = wanted.headers.iter().all(|(name, value)| {
                found.is_some_and(|found| found.header(name).any(|one| one == value.as_bytes()))
            });
            let same_body = wanted.body.is_empty()
                || found.is_some_and(|found| is_same(&wanted.body, &found.body));
            if same_status && same_headers && same_body {
                continue;
            }
            let text = |status: u16, body: &[u8]| {
                let shown: String = String::from_utf8_lossy(body).chars().take(200).collect();
                match shown.is_empty() {
                    true => status.to_string(),
                    false => format!("{status} with `{shown}`"),
                }
            };
            let fault = ReceiverFault::Handshake {
                expected: text(wanted.status, &wanted.body),
                found: found.map_or_else(
                    || "no response".to_owned(),
                    |found| text(found.status, &found.body),
                ),
            };
            let rule = (rules::HANDSHAKE_ANSWERED, Severity::Breaking);
            self.found(event, rule, String::new(), fault, Some(&exchange));
        }
    }
}

fn is_same(wanted: &[u8], found: &[u8]) -> bool {
    if wanted.trim_ascii() == found.trim_ascii() {
        return true;
    }
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    json(wanted).is_some_and(|wanted| json(found) == Some(wanted))
}

/// A request that is this handshake: it has what the condition asks for, and what the answer is made of.
fn request(handshake: &Handshake, target: &str, number: u64) -> Option<Message> {
    let mut message = Message {
        method: handshake
            .method
            .clone()
            .unwrap_or_else(|| "POST".to_owned()),
        url: target.to_owned(),
        ..Message::default()
    };
    let mut body = Value::Object(Map::new());
    let mut give = |carrier: &Carrier, value: &str| match carrier {
        Carrier::Header(name) => message.set_header(name, value),
        Carrier::Query(name) => {
            if let Ok(mut url) = url::Url::parse(&message.url) {
                url.query_pairs_mut().append_pair(name, value);
                message.url = url.into();
            }
        }
        Carrier::Member(pointer) => place(&mut body, pointer, value),
        Carrier::Claim(_) => {}
    };
    let templates = handshake
        .body
        .iter()
        .chain(handshake.headers.iter().map(|(_, value)| value));
    let value = format!("conformance-{number:x}");
    for source in templates.flat_map(|template| sources(template.text())) {
        give(&source, &value);
    }
    if let Some(condition) = &handshake.when {
        let wanted = condition.equals.as_deref().unwrap_or(&value);
        let known = handshake
            .body
            .iter()
            .flat_map(|body| sources(body.text()))
            .any(|source| source == condition.location.carrier);
        if condition.equals.is_some() || !known {
            give(&condition.location.carrier, wanted);
        }
    }
    if body.as_object().is_some_and(|members| !members.is_empty()) {
        message.set_header("content-type", "application/json");
        message.body = body.to_string().into_bytes();
    }
    handshake.matches(&message, false).then_some(message)
}

/// The parts of the request that a template repeats.
fn sources(template: &str) -> Vec<Carrier> {
    let inside = template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split(['}', '|']).next());
    let source = |name: &str| {
        if let Some(pointer) = name.strip_prefix("body#") {
            return Some(Carrier::Member(pointer.to_owned()));
        }
        if let Some(header) = name.strip_prefix("header.") {
            return Some(Carrier::Header(header.to_owned()));
        }
        Some(Carrier::Query(name.strip_prefix("query.")?.to_owned()))
    };
    inside.filter_map(source).collect()
}

/// Sets a member, with the objects above it.
fn place(body: &mut Value, pointer: &str, value: &str) {
    let mut node = body;
    for name in crate::document::pointer::tokens(pointer) {
        if !node.is_object() {
            *node = Value::Object(Map::new());
        }
        let Value::Object(members) = node else { return };
        node = members.entry(name).or_insert(Value::Null);
    }
    *node = Value::from(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_tells_what_the_request_must_have() {
        assert_eq!(
            sources("{{{query.hub.challenge}|{body#/challenge|sha256}{timestamp}"),
            [
                Carrier::Query("hub.challenge".to_owned()),
                Carrier::Member("/challenge".to_owned())
            ]
        );
        let mut body = Value::Null;
        place(&mut body, "/a/b", "1");
        assert_eq!(body, serde_json::json!({ "a": { "b": "1" } }));
    }
}
