//! Records answers of an operation for its snapshot. A redaction asserts the shape of a value before it hides it.

use std::collections::BTreeSet;

use insta::internals::{Content, ContentPath};
use jsonschema::Draft;
use serde_json::{Map, Value, json};

use super::app::{Answer, CONDUIT_CLIENT, Client, EQUALS_PRODUCT, TestApp};
use super::shape::assert_ksuid;

/// Records the answers of one operation in the order of the calls.
#[derive(Default)]
pub(super) struct Recorder(Vec<Value>);

impl Recorder {
    pub(super) fn record(&mut self, call: &str, answer: &Answer) {
        let mut headers = Map::new();
        for name in [
            "content-type",
            "allow",
            "retry-after",
            "location",
            "www-authenticate",
        ] {
            if let Some(value) = answer.header(name) {
                headers.insert(name.to_owned(), json!(value));
            }
        }
        let body = if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json()
        };
        self.0.push(
            json!({ "call": call, "status": answer.status, "headers": headers, "body": body }),
        );
    }

    /// The document has a place for each answer that was recorded, and each answer that it has was recorded. A 405 says the same for
    /// every method that a path does not have, and is documented at those that it has.
    pub(super) fn assert_documented(&self, document: &Value, operation: &str) {
        let items = document["paths"].as_object().unwrap().values();
        let documented = items
            .flat_map(|item| item.as_object().unwrap().values())
            .find(|found| found["operationId"] == operation)
            .unwrap_or_else(|| panic!("{operation} is not in the document"));
        let responses = documented["responses"].as_object().unwrap();
        let mut recorded = BTreeSet::new();
        for answer in &self.0 {
            let status = answer["status"].to_string();
            let response = responses
                .get(&status)
                .unwrap_or_else(|| panic!("{operation} has no answer {status}: {answer}"));
            assert_body(document, response, answer);
            for name in response["headers"]
                .as_object()
                .into_iter()
                .flat_map(Map::keys)
            {
                assert!(
                    answer["headers"].get(name.to_lowercase()).is_some(),
                    "{answer}"
                );
            }
            recorded.insert(status);
        }
        let documented: BTreeSet<String> = responses.keys().cloned().collect();
        assert_eq!(recorded, documented, "{operation}");
    }

    /// Compares with `snapshots/responses/NAME.snap`.
    pub(super) fn assert(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/responses"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for selector in [".**.id", ".**.eventId", ".**.webhookId"] {
            settings.add_dynamic_redaction(selector, id);
        }
        for selector in [
            ".**.createdAt",
            ".**.updatedAt",
            ".**.startedAt",
            ".**.nextAttemptAt",
            ".**.completedAt",
            ".**.finishedAt",
            ".**.revokedAt",
            ".**.lastAttemptAt",
            ".**.lastSuccessAt",
            ".**.lastFailureAt",
        ] {
            settings.add_dynamic_redaction(selector, time);
        }
        for selector in [
            r#".**["X-API-Key"]"#,
            r#".**["X-API-Secret"]"#,
            ".**.Authorization",
        ] {
            settings.add_dynamic_redaction(selector, credential);
        }
        settings.add_dynamic_redaction(".**.secret", secret);
        settings.add_dynamic_redaction(".**.owner", owner);
        settings.add_dynamic_redaction(".**.next", cursor);
        settings.add_dynamic_redaction(".**.url", url);
        for selector in [".**.queue", ".**.firstByte", ".**.total"] {
            settings.add_dynamic_redaction(selector, milliseconds);
        }
        settings.add_dynamic_redaction(".**.connect", connect);
        settings.add_dynamic_redaction(".**.requestHeaders[].value", sent);
        settings.add_dynamic_redaction(".**.responseHeaders[].value", heard);
        settings.add_dynamic_redaction(".**.requestBody", json);
        settings.bind(|| insta::assert_json_snapshot!(name, Value::from(self.0)));
    }
}

/// The body has the media type and the schema that the document gives for it.
fn assert_body(document: &Value, response: &Value, answer: &Value) {
    let Some(content) = response.get("content") else {
        assert_eq!(answer["body"], Value::Null, "{answer}");
        return;
    };
    let media_type = answer["headers"]["content-type"].as_str().unwrap();
    let mut schema = content[media_type]["schema"].clone();
    assert!(
        schema.is_object(),
        "{media_type} is not documented: {answer}"
    );
    schema["components"] = document["components"].clone();
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    if let Err(error) = validator.validate(&answer["body"]) {
        panic!("{error} at {}: {answer}", error.instance_path());
    }
}

/// Records what every operation refuses: no credentials, another method, and, where it reads a body, bodies that it cannot read.
pub(super) async fn refusals(
    recorder: &mut Recorder,
    app: &TestApp,
    prefix: &str,
    client: &Client,
    method: &str,
    path: &str,
) {
    refusals_without_body(recorder, app, prefix, client, method, path).await;
    if !matches!(method, "POST" | "PATCH") {
        return;
    }
    let large = vec![b' '; 262_145];
    for (call, content_type, body) in [
        ("not JSON by its type", "text/plain", &b"{}"[..]),
        ("not JSON", "application/json", b"{\"url\":"),
        ("empty", "application/json", b""),
        ("too large", "application/json", &large),
    ] {
        let answer = client.send(method, path, Some(content_type), body).await;
        recorder.record(call, &answer);
    }
}

/// Records what every operation refuses, whether or not it reads a body.
pub(super) async fn refusals_without_body(
    recorder: &mut Recorder,
    app: &TestApp,
    prefix: &str,
    client: &Client,
    method: &str,
    path: &str,
) {
    let body: &[u8] = if matches!(method, "POST" | "PATCH") {
        b"{}"
    } else {
        b""
    };
    let json = Some("application/json");
    let anonymous = app.anonymous(prefix);
    recorder.record(
        "without credentials",
        &anonymous.send(method, path, json, body).await,
    );
    recorder.record("PUT", &client.send("PUT", path, json, b"{}").await);
}

fn text(value: &Content) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value:?} is not a string"))
}

fn id(value: Content, _: ContentPath<'_>) -> Content {
    if value.is_nil() {
        return value;
    }
    let id = text(&value);
    if let Some((prefix, _)) = id.split_once('_') {
        // Others stand in payloads, which the tests give.
        if !["whk", "evt", "rpl", "key"].contains(&prefix) {
            return value;
        }
        assert_ksuid(prefix, id);
        return format!("[{prefix}_ and a KSUID]").into();
    }
    let uuid = uuid::Uuid::try_parse(id).unwrap();
    // The catalogue's ids are fixed: only those of webhooks and deliveries differ from run to run.
    if crate::provider::equals_money::is_event_type(uuid) {
        return value;
    }
    assert_eq!(id.len(), 36, "{id}");
    // Random, but for deliveries on PostgreSQL, whose ids begin with the time: which of them they are is promised nowhere.
    let version = uuid.get_version_num();
    assert!(matches!(version, 4 | 7), "{id} has version {version}");
    "[UUID]".into()
}

fn is_hexadecimal(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn secret(value: Content, _: ContentPath<'_>) -> Content {
    let secret = text(&value);
    assert!(is_hexadecimal(secret), "{secret}");
    "[64 hexadecimal digits]".into()
}

/// The value of a header that a new key is sent in, behind a scheme word or not.
fn credential(value: Content, _: ContentPath<'_>) -> Content {
    let text = text(&value);
    let (scheme, credential) = text.rsplit_once(' ').unwrap_or(("", text));
    assert!(is_hexadecimal(credential), "{text}");
    format!("{scheme} [64 hexadecimal digits]")
        .trim_start()
        .into()
}

/// Redacts the owner of a key: one that the test named stays, a new one is replaced.
fn owner(value: Content, _: ContentPath<'_>) -> Content {
    let owner = text(&value);
    if [CONDUIT_CLIENT, EQUALS_PRODUCT, "operator"].contains(&owner) {
        return value;
    }
    if owner.starts_with("client_") {
        assert_ksuid("client", owner);
        return "[client_ and a KSUID]".into();
    }
    assert_eq!(uuid::Uuid::try_parse(owner).unwrap().get_version_num(), 4);
    "[UUID of version 4]".into()
}

fn cursor(value: Content, _: ContentPath<'_>) -> Content {
    if value.is_nil() {
        return value;
    }
    assert!(!text(&value).is_empty(), "{value:?}");
    "[cursor]".into()
}

fn time(value: Content, _: ContentPath<'_>) -> Content {
    if value.is_nil() {
        return value;
    }
    let time = text(&value).to_owned();
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    let parsed: jiff::Timestamp = time.parse().unwrap();
    // The catalogue's times are fixed and documented.
    if parsed < "2024-01-01T00:00:00Z".parse().unwrap() {
        return value;
    }
    // Whether it has milliseconds cannot be told of one time: one in a thousand has none. `equals_read.rs` looks at many.
    "[time]".into()
}

/// The port of a receiver differs from run to run.
fn url(value: Content, _: ContentPath<'_>) -> Content {
    let Some(address) = value
        .as_str()
        .and_then(|url| url.strip_prefix("http://127.0.0.1:"))
    else {
        return value;
    };
    let digits = address.bytes().take_while(u8::is_ascii_digit).count();
    assert!(digits > 0, "{address}");
    format!("http://127.0.0.1:[port]{}", &address[digits..]).into()
}

fn milliseconds(value: Content, _: ContentPath<'_>) -> Content {
    match value {
        Content::F64(number) if number >= 0.0 => "[milliseconds]".into(),
        other => panic!("{other:?} is not a duration"),
    }
}

/// None where a connection was open already, which is not for a test to know.
fn connect(value: Content, path: ContentPath<'_>) -> Content {
    if !value.is_nil() {
        milliseconds(value, path);
    }
    "[milliseconds or null]".into()
}

/// The value of a header of an answer: all but its date is the same each time.
fn heard(value: Content, _: ContentPath<'_>) -> Content {
    if text(&value).ends_with(" GMT") {
        "[date]".into()
    } else {
        value
    }
}

/// A body that is JSON, with ids and times in it. That it is the one that was sent, `operator_deliveries.rs` looks at.
fn json(value: Content, _: ContentPath<'_>) -> Content {
    let body: Value = serde_json::from_str(text(&value)).unwrap();
    assert!(body.is_object(), "{body}");
    "[JSON]".into()
}

/// The value of a header that was sent: what differs from run to run is known by its form.
fn sent(value: Content, _: ContentPath<'_>) -> Content {
    let text = text(&value);
    if text == concat!("truehook/", env!("CARGO_PKG_VERSION")) {
        "truehook/[version]".into()
    } else if is_hexadecimal(text) {
        "[64 hexadecimal digits]".into()
    } else if text.len() == 44 && data_encoding::BASE64.decode(text.as_bytes()).is_ok() {
        "[32 bytes in base64]".into()
    } else if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        "[Unix time]".into()
    } else if uuid::Uuid::try_parse(text).is_ok() {
        "[UUID]".into()
    } else {
        value
    }
}
