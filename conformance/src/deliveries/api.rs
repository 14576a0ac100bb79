//! Which operations of a document register, disable and delete webhooks, and which members of the registration take URL and event types.

use serde_json::Value;
use thiserror::Error;

use super::settings::How;
use crate::document::{Document, Operation, pointer};
use crate::near;
use crate::samples::{media_types, template_names};

/// The operations of an API that are about webhooks.
#[derive(Debug, Clone)]
pub struct Api {
    /// The one that registers, by its index.
    pub register: usize,
    /// Where the URL is in its body.
    pub url: String,
    /// Where the event types are in its body.
    pub events: Option<Events>,
    /// The one that deletes.
    pub unregister: Option<usize>,
    /// The one that reads a webhook.
    pub read: Option<usize>,
    /// The one that disables, and its body.
    pub disable: Option<(usize, Value)>,
    /// The one that gives a new secret, and its body.
    pub rotate: Option<(usize, Option<Value>)>,
}

/// Where the event types of a registration are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// JSON Pointer into the body.
    pub at: String,
    /// Whether it is a list; otherwise each webhook has one type.
    pub many: bool,
}

/// Why it is not known how to register.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ApiError {
    /// There is no operation of this name.
    #[error("{option}: the document has no operation `{name}`{hint}")]
    NoOperation {
        /// The option or key.
        option: &'static str,
        /// The name.
        name: String,
        /// The nearest one.
        hint: String,
    },
    /// No operation looks like a registration.
    #[error(
        "no operation registers webhooks: none has a callback at a member of its body, nor a URL in its body and a path about webhooks; name one with --register, or `--register none` where the receiver's URL is registered by other means"
    )]
    NoRegistration,
    /// The body has no member for the URL.
    #[error(
        "--register-url: no member of the body of {operation} takes a URL; name it, such as --register-url /url"
    )]
    NoUrl {
        /// The operation.
        operation: String,
    },
    /// The text after the operation is not JSON.
    #[error("{option}: `{text}` is not JSON")]
    NotJson {
        /// The option or key.
        option: &'static str,
        /// The text.
        text: String,
    },
}

/// Words in paths and ids of operations about webhooks.
const WORDS: [&str; 5] = ["webhook", "hook", "subscription", "callback", "endpoint"];

impl Api {
    /// Finds the operations; `events` are the names of the document's webhooks.
    ///
    /// # Errors
    /// When a named operation does not exist, or none registers.
    pub fn find(document: &Document, how: &How, events: &[String]) -> Result<Self, ApiError> {
        let operations = document.operations();
        let by_name = |option, name: &str| named(&operations, option, name);
        let found = match &how.register {
            Some(name) => (by_name("--register", name)?, None),
            None => by_callback(document, &operations)
                .or_else(|| by_path(document, &operations))
                .ok_or(ApiError::NoRegistration)?,
        };
        let (register, url) = found;
        let operation = &operations[register];
        let url = how
            .register_url
            .clone()
            .or(url)
            .or_else(|| callback_member(document, operation))
            .or_else(|| url_member(document, operation))
            .ok_or_else(|| ApiError::NoUrl {
                operation: operation.subject(),
            })?;
        let given = how.register_events.as_ref().map(|at| {
            let node = body_member(document, operation, at);
            Events {
                at: at.clone(),
                many: node.is_none_or(|schema| is_list(document, &schema)),
            }
        });
        let item = |method: &str| {
            operations.iter().position(|other| {
                let names = template_names(other.path);
                other.method == method
                    && names.len() == template_names(operation.path).len() + 1
                    && other.path.strip_prefix(operation.path).is_some_and(|rest| {
                        rest.starts_with("/{") && rest.matches('/').count() == 1
                    })
            })
        };
        let with_body =
            |option, text: &Option<String>| -> Result<Option<(usize, Option<Value>)>, ApiError> {
                let Some(text) = text else { return Ok(None) };
                let (name, body) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
                let body = match body.trim() {
                    "" => None,
                    body => Some(serde_json::from_str(body).map_err(|_| ApiError::NotJson {
                        option,
                        text: body.to_owned(),
                    })?),
                };
                Ok(Some((named(&operations, option, name)?, body)))
            };
        let disable = match with_body("--disable", &how.disable)? {
            Some((index, body)) => Some((index, body.unwrap_or_else(|| serde_json::json!({})))),
            None => item("PATCH")
                .or_else(|| item("PUT"))
                .and_then(|index| Some((index, disabling(document, &operations[index])?))),
        };
        Ok(Self {
            register,
            url,
            events: given.or_else(|| event_member(document, operation, events)),
            unregister: match &how.unregister {
                Some(name) => Some(by_name("--unregister", name)?),
                None => item("DELETE"),
            },
            read: item("GET"),
            disable,
            rotate: with_body("--rotate", &how.rotate)?,
        })
    }
}

/// The operation of this id, or of this method and path.
pub(super) fn named(
    operations: &[Operation<'_>],
    option: &'static str,
    name: &str,
) -> Result<usize, ApiError> {
    let found = operations
        .iter()
        .position(|one| one.id == Some(name) || format!("{} {}", one.method, one.path) == name);
    found.ok_or_else(|| ApiError::NoOperation {
        option,
        name: name.to_owned(),
        hint: near::hint(name, operations.iter().filter_map(|one| one.id)),
    })
}

/// The pointer in `{$request.body#/url}`, where an operation has a callback at one.
fn callback_member(document: &Document, operation: &Operation<'_>) -> Option<String> {
    let map = pointer::join(&operation.pointer, "callbacks");
    let names = document.at(&map)?.as_object()?;
    names.keys().find_map(|name| {
        let (_, callback) = document.resolve(&pointer::join(&map, name))?;
        callback.as_object()?.keys().find_map(|expression| {
            let inner = expression.strip_prefix("{$request.body#")?;
            let (pointer, _) = inner.split_once('}')?;
            Some(pointer.to_owned())
        })
    })
}

fn by_callback(
    document: &Document,
    operations: &[Operation<'_>],
) -> Option<(usize, Option<String>)> {
    operations
        .iter()
        .enumerate()
        .find_map(|(index, operation)| Some((index, Some(callback_member(document, operation)?))))
}

fn by_path(document: &Document, operations: &[Operation<'_>]) -> Option<(usize, Option<String>)> {
    let about = |operation: &Operation<'_>| {
        let text =
            format!("{} {}", operation.path, operation.id.unwrap_or_default()).to_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    };
    operations
        .iter()
        .enumerate()
        .find_map(|(index, operation)| {
            let creates =
                operation.method == "POST" && about(operation) && !operation.path.ends_with('}');
            let url = creates.then(|| url_member(document, operation)).flatten()?;
            Some((index, Some(url)))
        })
}

/// The pointers of the schemas of a body's members, references followed.
pub(super) fn members(document: &Document, operation: &Operation<'_>) -> Vec<(String, String)> {
    let Some(owner) = operation.request_body(document) else {
        return Vec::new();
    };
    let Some((_, media)) = media_types(document, &owner).into_iter().next() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    collect(
        document,
        &pointer::join(&media.pointer, "schema"),
        0,
        &mut found,
    );
    found
}

fn collect(document: &Document, at: &str, depth: usize, found: &mut Vec<(String, String)>) {
    // A schema that contains itself ends here.
    let Some((at, schema)) = (depth < 8).then(|| document.resolve(at)).flatten() else {
        return;
    };
    let properties = pointer::join(&at, "properties");
    for name in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|map| map.keys())
    {
        let below = pointer::join(&properties, name);
        if let Some((below, _)) = document.resolve(&below)
            && !found.iter().any(|(known, _)| known == name)
        {
            found.push((name.clone(), below));
        }
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        let count = schema
            .get(keyword)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        for index in 0..count {
            let below = pointer::index(&pointer::join(&at, keyword), index);
            collect(document, &below, depth + 1, found);
        }
    }
}

fn body_member(document: &Document, operation: &Operation<'_>, at: &str) -> Option<String> {
    let name = at.strip_prefix('/')?;
    members(document, operation)
        .into_iter()
        .find(|(known, _)| known == name)
        .map(|(_, schema)| schema)
}

fn url_member(document: &Document, operation: &Operation<'_>) -> Option<String> {
    let members = members(document, operation);
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let names = [
        "url",
        "webhookurl",
        "callbackurl",
        "endpoint",
        "endpointurl",
        "targeturl",
        "target",
        "uri",
        "callback",
    ];
    let by_name = names
        .iter()
        .find_map(|wanted| members.iter().find(|(name, _)| plain(name) == *wanted));
    let by_format = || {
        members.iter().find(|(_, schema)| {
            let format = document
                .at(schema)
                .and_then(|schema| schema.get("format"))
                .and_then(Value::as_str);
            matches!(format, Some("uri" | "url"))
        })
    };
    by_name
        .or_else(by_format)
        .map(|(name, _)| pointer::join("", name))
}

fn is_list(document: &Document, schema: &str) -> bool {
    let schema = document.at(schema);
    schema.is_some_and(|schema| {
        schema.get("items").is_some() || schema.get("type") == Some(&Value::from("array"))
    })
}

/// The member whose values are the names of the document's webhooks.
fn event_member(
    document: &Document,
    operation: &Operation<'_>,
    events: &[String],
) -> Option<Events> {
    members(document, operation)
        .into_iter()
        .find_map(|(name, schema)| {
            let many = is_list(document, &schema);
            let place = if many {
                pointer::join(&schema, "items")
            } else {
                schema
            };
            let values = values(document, &place, 0);
            let known = values.iter().any(|value| {
                value
                    .as_str()
                    .is_some_and(|text| events.iter().any(|event| event == text))
            });
            known.then(|| Events {
                at: pointer::join("", &name),
                many,
            })
        })
}

/// The values that a schema lists.
fn values(document: &Document, at: &str, depth: usize) -> Vec<Value> {
    let Some((at, schema)) = (depth < 8).then(|| document.resolve(at)).flatten() else {
        return Vec::new();
    };
    let mut found = schema
        .get("enum")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    found.extend(schema.get("const").cloned());
    for keyword in ["allOf", "oneOf", "anyOf"] {
        let count = schema
            .get(keyword)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        for index in 0..count {
            found.extend(values(
                document,
                &pointer::index(&pointer::join(&at, keyword), index),
                depth + 1,
            ));
        }
    }
    found
}

/// The body that disables a webhook: a member that may be `disabled`, or `enabled` or `active` that may be false.
fn disabling(document: &Document, operation: &Operation<'_>) -> Option<Value> {
    members(document, operation)
        .into_iter()
        .find_map(|(name, schema)| {
            let words = ["disabled", "inactive", "paused"];
            let word = values(document, &schema, 0).into_iter().find(|value| {
                value
                    .as_str()
                    .is_some_and(|text| words.contains(&text.to_lowercase().as_str()))
            });
            let flag = matches!(
                name.to_lowercase().as_str(),
                "enabled" | "active" | "isactive" | "isenabled"
            );
            let value = word.or_else(|| flag.then_some(Value::Bool(false)))?;
            Some(serde_json::json!({ name: value }))
        })
}

/// The member of an operation's body that takes an event type.
pub(super) fn events_of(
    document: &Document,
    operation: &Operation<'_>,
    event: &str,
) -> Option<Events> {
    event_member(document, operation, &[event.to_owned()])
}
