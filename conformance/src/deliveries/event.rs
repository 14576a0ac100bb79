//! The webhooks of a document, with what a delivery of each is compared with: looked up once, as many deliveries may come.

use std::collections::HashMap;

use serde_json::Value;

use crate::document::{Document, Located, Operation, pointer};
use crate::hooks::{Description, Signing};
use crate::samples::media_types;

/// A webhook of the document.
#[derive(Debug, Clone)]
pub(super) struct Event<'d> {
    /// The event type: the name of the webhook or callback.
    pub(super) name: String,
    pub(super) operation: Operation<'d>,
    pub(super) description: Description,
    /// Which of the [`signings`] of the document it has.
    pub(super) signing: usize,
    /// The headers and query parameters.
    pub(super) parameters: Vec<Parameter>,
    /// The place of the request body, where the webhook has one.
    pub(super) body: Option<Body<'d>>,
}

/// A header or query parameter of a webhook.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// `header` or `query`.
    pub(super) place: &'static str,
    pub(super) name: String,
    pub(super) required: bool,
    /// Where the parameter stands.
    pub(super) at: String,
    /// Where its schema does, if it has one.
    pub(super) schema: Option<String>,
}

/// The request body of a webhook.
#[derive(Debug, Clone)]
pub(super) struct Body<'d> {
    pub(super) at: String,
    pub(super) required: bool,
    pub(super) media: Vec<Media<'d>>,
}

/// A media type of a request body.
#[derive(Debug, Clone)]
pub(super) struct Media<'d> {
    /// As the document writes it.
    pub(super) name: String,
    pub(super) at: String,
    /// Where the schema stands, if there is one.
    pub(super) schema: Option<String>,
    /// The only sample: what one of several lacks is no shape that all have.
    pub(super) sample: Option<&'d Value>,
}

impl<'d> Event<'d> {
    pub(super) fn new(
        document: &'d Document,
        name: String,
        operation: Operation<'d>,
        description: Description,
    ) -> Self {
        let parameters = operation.parameters(document);
        let body = operation.request_body(document);
        Self {
            parameters: parameters
                .iter()
                .filter_map(|one| Parameter::of(document, one))
                .collect(),
            body: body.map(|owner| Body::of(document, &owner)),
            name,
            operation,
            description,
            signing: 0,
        }
    }

    /// The media type of the document that a delivery of this media type has.
    pub(super) fn media(&self, found: &str) -> Option<&Media<'d>> {
        let mut media = self.body.iter().flat_map(|body| &body.media);
        media.find(|media| matches(&media.name, found))
    }
}

impl Parameter {
    fn of(document: &Document, located: &Located<'_>) -> Option<Self> {
        let name = located.value.get("name")?.as_str()?;
        let place = match located.value.get("in")?.as_str()? {
            "header" => "header",
            "query" => "query",
            _ => return None,
        };
        // OpenAPI: these are described elsewhere.
        let elsewhere = ["accept", "content-type", "authorization"];
        if place == "header" && elsewhere.contains(&name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let schema = pointer::join(&located.pointer, "schema");
        Some(Self {
            place,
            name: name.to_owned(),
            required: located.value.get("required") == Some(&Value::Bool(true)),
            schema: document.at(&schema).is_some().then_some(schema),
            at: located.pointer.clone(),
        })
    }
}

impl<'d> Body<'d> {
    fn of(document: &'d Document, owner: &Located<'d>) -> Self {
        let media = media_types(document, owner).into_iter();
        let media = media.map(|(name, media)| {
            let schema = pointer::join(&media.pointer, "schema");
            let examples = media.value.get("examples").and_then(Value::as_object);
            let values = examples.into_iter().flat_map(|map| map.values());
            let mut values = values.filter_map(|example| example.get("value"));
            let only = values.next().filter(|_| values.next().is_none());
            Media {
                name,
                schema: document.at(&schema).is_some().then_some(schema),
                sample: only.or_else(|| media.value.get("example")),
                at: media.pointer,
            }
        });
        Self {
            media: media.collect(),
            at: owner.pointer.clone(),
            required: owner.value.get("required") == Some(&Value::Bool(true)),
        }
    }
}

/// The ways in which the webhooks are signed, each once. Most documents have one; an operation may have its own.
pub(super) fn signings(events: &mut [Event<'_>]) -> Vec<Signing> {
    let mut found: Vec<Signing> = Vec::new();
    for event in events {
        let Some(own) = &event.description.signing else {
            continue;
        };
        let known = found.iter().position(|one| one == own);
        event.signing = known.unwrap_or(found.len());
        if known.is_none() {
            found.push(own.clone());
        }
    }
    found
}

/// Whether a media type is that of a documented name, which may be a range.
fn matches(documented: &str, found: &str) -> bool {
    let essence = documented.split(';').next().unwrap_or_default().trim();
    match essence.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => found
            .split('/')
            .next()
            .is_some_and(|found| found.eq_ignore_ascii_case(kind)),
        None => essence.eq_ignore_ascii_case(found),
    }
}

/// The webhooks by the name that deliveries carry.
#[derive(Debug)]
pub(super) struct Names(HashMap<String, usize>);

impl Names {
    pub(super) fn of(events: &[Event<'_>]) -> Self {
        let mut names = HashMap::new();
        for (index, event) in events.iter().enumerate() {
            // Some documents spell the names of webhooks like paths. The first of several operations is the webhook.
            let name = event.name.trim_start_matches('/').to_owned();
            names.entry(name).or_insert(index);
        }
        Self(names)
    }

    /// The first of these texts that is a name.
    pub(super) fn first<'t>(&self, mut texts: impl Iterator<Item = &'t str>) -> Option<usize> {
        texts.find_map(|text| self.0.get(text).copied())
    }

    /// The name in the strings near the top of a body, where event types are.
    pub(super) fn within(&self, value: &Value, depth: usize) -> Option<usize> {
        match value {
            Value::String(text) => self.0.get(text).copied(),
            Value::Object(members) if depth < 3 => members
                .values()
                .find_map(|value| self.within(value, depth + 1)),
            Value::Array(items) if depth < 3 => items
                .iter()
                .take(3)
                .find_map(|value| self.within(value, depth + 1)),
            _ => None,
        }
    }
}
