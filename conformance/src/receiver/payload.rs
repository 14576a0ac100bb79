//! Payloads made of a payload: written otherwise, with less, with more, of an unknown type, and broken ones. Pure.

use serde_json::{Value, json};

use super::event::{Draft, Event};
use crate::document::pointer;
use crate::hooks::Message;

/// The type of the event that no document has.
pub(super) const UNKNOWN: &str = "conformance.unknown";

/// Members of these names carry the type of an event, where the payloads of a document do not tell.
const TYPES: [&str; 8] = [
    "type",
    "event",
    "eventtype",
    "event_type",
    "event_name",
    "eventname",
    "topic",
    "webhookeventtypename",
];

/// Most members that are tried for one payload.
const MOST: usize = 300;

/// How deep the nested payload is.
const DEPTH: usize = 10_000;

/// The payload written with spaces and line breaks; none where it is not JSON.
pub(super) fn spaced(message: &Message) -> Option<Message> {
    let text = serde_json::to_string_pretty(&message.json()?).ok()?;
    Some(with_body(message, text.into_bytes()))
}

/// The payload with a member that the document does not have, if it allows that.
pub(super) fn extended(event: &Event<'_>, message: &Message) -> Option<Message> {
    let mut body = message.json()?;
    let new = json!({ "added": "later", "with": [1, 2.5, null] });
    let members = body.as_object_mut()?;
    members.insert("conformanceUnknown".to_owned(), new);
    event
        .allows_body(&body)
        .then(|| with_body(message, body.to_string().into_bytes()))
}

/// The payload without all the members that the document does not require; none where it requires all.
pub(super) fn reduced(event: &Event<'_>, message: &Message, kept: &[String]) -> Option<Message> {
    let whole = message.json()?;
    if !event.allows_body(&whole) {
        return None;
    }
    let mut body = whole.clone();
    let mut places = Vec::new();
    members(&whole, "", &mut places);
    // Members below a removed one are gone with it.
    for at in places.into_iter().take(MOST) {
        if kept.iter().any(|kept| kept.starts_with(&at)) || body.pointer(&at).is_none() {
            continue;
        }
        let mut less = body.clone();
        remove(&mut less, &at);
        if event.allows_body(&less) {
            body = less;
        }
    }
    (body != whole).then(|| with_body(message, body.to_string().into_bytes()))
}

/// Pointers of all members of objects, the outer ones first.
fn members(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(inside) => {
            for (name, value) in inside {
                let at = pointer::join(at, name);
                found.push(at.clone());
                members(value, &at, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                members(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Removes the member at a pointer.
pub(super) fn remove(value: &mut Value, at: &str) -> Option<Value> {
    let (parent, name) = at.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    value.pointer_mut(parent)?.as_object_mut()?.remove(&name)
}

/// Whether a payload lacks a member that another one has.
pub(super) fn lacks(message: &Message, sample: &Message) -> bool {
    let (Some(body), Some(sample)) = (message.json(), sample.json()) else {
        return false;
    };
    let mut places = Vec::new();
    members(&sample, "", &mut places);
    places.iter().any(|at| body.pointer(at).is_none())
}

/// Where the bodies of some events have their type: the first member whose text names its webhook, or is named as types are and differs
/// from event to event.
pub(super) fn type_member(events: &[Event<'_>]) -> Option<String> {
    let bodies: Vec<(&str, Value)> = events
        .iter()
        .filter_map(|event| Some((event.operation.path, event.samples.first()?.message.json()?)))
        .collect();
    let (_, first) = bodies.first()?;
    let mut places = Vec::new();
    members(first, "", &mut places);
    let names = |at: &String| {
        bodies.iter().all(|(path, body)| {
            let text = body.pointer(at).and_then(Value::as_str);
            text.is_some_and(|text| plain(text) == plain(path))
        })
    };
    let differs = |at: &String| {
        let name = at
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let texts: Vec<&str> = bodies
            .iter()
            .filter_map(|(_, body)| body.pointer(at)?.as_str())
            .collect();
        let different: std::collections::HashSet<&&str> = texts.iter().collect();
        TYPES.contains(&name.as_str()) && different.len() == bodies.len()
    };
    let named = places.iter().find(|at| names(at));
    named
        .or_else(|| places.iter().find(|at| differs(at)))
        .cloned()
}

/// The header that has the type of each event, where the document has one: its text names the webhook, as `X-GitHub-Event` does.
pub(super) fn type_header(events: &[Event<'_>]) -> Option<String> {
    let drafts: Vec<(&str, &Message)> = events
        .iter()
        .filter_map(|event| Some((event.operation.path, &event.samples.first()?.message)))
        .collect();
    let (_, first) = drafts.first()?;
    let names = |header: &str| {
        drafts.iter().all(|(path, message)| {
            let mut values = message.header(header);
            values.next().is_some_and(|text| plain(text) == plain(path))
        })
    };
    let mut headers = first.headers.iter().map(|(name, _)| name);
    headers.find(|name| names(name)).cloned()
}

/// The letters and digits of a name, as the same name is spelled in different ways.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.collect::<String>().to_ascii_lowercase()
}

/// The delivery with the type of no event in a header.
pub(super) fn of_unknown_header(message: &Message, header: &str) -> Message {
    let mut message = message.clone();
    message.set_header(header, UNKNOWN);
    message
}

/// The payload with the type of no event.
pub(super) fn of_unknown_type(message: &Message, at: &str) -> Option<Message> {
    let mut body = message.json()?;
    *body.pointer_mut(at)? = Value::from(UNKNOWN);
    Some(with_body(message, body.to_string().into_bytes()))
}

/// Payloads that are no events at all.
pub(super) fn broken(draft: &Draft) -> Vec<Draft> {
    let message = &draft.message;
    let mut all = Vec::new();
    let mut add = |name: &str, message: Message| {
        all.push(Draft {
            name: name.to_owned(),
            message,
        });
    };
    let body = |bytes: &[u8]| with_body(message, bytes.to_vec());
    if let Some(value) = message.json() {
        let half = message.body.len() / 2;
        add("a body that breaks off", body(&message.body[..half]));
        add("the JSON value null", body(b"null"));
        add("an empty JSON object", body(b"{}"));
        add("a JSON list", body(b"[]"));
        add("a JSON string", body(b"\"event\""));
        let deep = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
        add("JSON that is nested 10,000 deep", body(deep.as_bytes()));
        if let Value::Object(mut members) = value {
            members.values_mut().for_each(|value| *value = Value::Null);
            let nulls = Value::Object(members).to_string();
            add("a body whose members are null", body(nulls.as_bytes()));
        }
    }
    add("an empty body", body(b""));
    add(
        "a body that is not UTF-8",
        body(b"{\"id\":\"\xff\xfe\x80\"}"),
    );
    let mut plain = message.clone();
    plain.set_header("content-type", "text/plain");
    add("a delivery as text/plain", plain);
    let mut bare = message.clone();
    bare.remove_header("content-type");
    add("a delivery without a content type", bare);
    all
}

pub(super) fn with_body(message: &Message, body: Vec<u8>) -> Message {
    Message {
        body,
        ..message.clone()
    }
}

/// The payload with another value in one place, written compactly; the place is one that the document lets vary, where there is one.
pub(super) fn changed(event: &Event<'_>, message: &Message, kept: &[String]) -> Option<Message> {
    let Some(whole) = message.json() else {
        let mut body = message.body.clone();
        let last = body.last_mut()?;
        *last = if *last == b'0' { b'1' } else { b'0' };
        return Some(with_body(message, body));
    };
    let mut places = Vec::new();
    members(&whole, "", &mut places);
    let changed = |at: &String| {
        let mut body = whole.clone();
        let place = body.pointer_mut(at)?;
        *place = match &*place {
            Value::Number(number) => match number.as_i64() {
                Some(number) => json!(number.checked_add(1).unwrap_or(number - 1)),
                None => json!(number.as_f64()? + 1.0),
            },
            Value::String(text) => Value::from(other_end(text)?),
            Value::Bool(flag) => json!(!*flag),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(body)
    };
    let free = places.iter().filter(|at| !kept.contains(at));
    let all: Vec<Value> = free.take(MOST).filter_map(changed).collect();
    let fits = |body: &&Value| event.allows_body(body);
    let found = all.iter().find(fits).or(all.first())?;
    Some(with_body(message, found.to_string().into_bytes()))
}

/// The text with another last letter or digit.
pub(super) fn other_end(text: &str) -> Option<String> {
    let at = text.rfind(|letter: char| letter.is_ascii_alphanumeric())?;
    let letter = &text[at..=at];
    let other = if letter == "0" { "1" } else { "0" };
    Some(format!("{}{other}{}", &text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_removed_with_what_is_below_it() {
        let mut value = json!({ "a": { "b/c": 1 }, "d": 2 });
        assert_eq!(remove(&mut value, "/a/b~1c"), Some(json!(1)));
        assert_eq!(value, json!({ "a": {}, "d": 2 }));
        assert_eq!(remove(&mut value, "/x/y"), None);
    }

    #[test]
    fn the_end_of_a_text_is_changed_to_another_one() {
        assert_eq!(other_end("ab=").as_deref(), Some("a0="));
        assert_eq!(other_end("10").as_deref(), Some("11"));
        assert_eq!(other_end("--"), None);
    }

    #[test]
    fn broken_payloads_are_not_the_payload() {
        let draft = Draft {
            name: "sample".to_owned(),
            message: Message::post("http://h/", "{\"id\":\"a\"}"),
        };
        let all = broken(&draft);
        assert!(all.len() >= 10, "{}", all.len());
        assert!(all.iter().all(|one| one.message != draft.message));
    }
}
