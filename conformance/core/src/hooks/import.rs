//! Descriptions of signatures that other tools read: `x-fern-webhook-signature` and `x-speakeasy-webhooks`. They are used where a document
//! has no `x-webhook-signature`.

use serde_json::{Map, Value, json};

/// The members of a document that are read here.
pub(super) const MEMBERS: [&str; 2] = ["x-fern-webhook-signature", "x-speakeasy-webhooks"];

/// The same description as `x-webhook-signature`; an error says what has no counterpart.
pub(super) fn convert(member: &str, value: &Value) -> Result<Value, String> {
    if member == MEMBERS[0] {
        fern(value)
    } else {
        speakeasy(value)
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn needed<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    text(value, name).ok_or_else(|| format!("`{name}` is missing, or not a string"))
}

/// <https://buildwithfern.com/learn/sdks/deep-dives/webhook-signature-verification>
fn fern(value: &Value) -> Result<Value, String> {
    let algorithm = match (
        needed(value, "type")?,
        text(value, "algorithm").or(text(value, "asymmetric-algorithm")),
    ) {
        ("hmac", Some("sha1")) => "hmac-sha1",
        ("hmac", Some("sha256") | None) => "hmac-sha256",
        ("hmac", Some("sha384")) => "hmac-sha384",
        ("hmac", Some("sha512")) => "hmac-sha512",
        ("asymmetric", Some("ed25519")) => "ed25519",
        ("asymmetric", Some("ecdsa-sha256")) => "ecdsa-p256-sha256",
        ("asymmetric", Some("rsa-sha256")) => "rsa-sha256",
        (kind, algorithm) => {
            let algorithm = algorithm.unwrap_or("none");
            return Err(format!(
                "type `{kind}` with algorithm `{algorithm}` has no counterpart"
            ));
        }
    };
    let mut signature = json!({
        "header": needed(value, "header")?,
        "encoding": text(value, "encoding").unwrap_or("base64"),
    });
    if let Some(prefix) = text(value, "signature-prefix") {
        signature["prefix"] = json!(prefix);
    }
    let mut scheme = json!({ "algorithm": algorithm, "signature": signature });
    let format = value.get("payload-format");
    let components = format
        .and_then(|format| format.get("components"))
        .and_then(Value::as_array);
    let parts: Vec<String> = match components {
        None => vec!["{body}".to_owned()],
        Some(components) => components
            .iter()
            .map(|component| match component.as_str() {
                Some("body") => Ok("{body}".to_owned()),
                Some("timestamp") => Ok("{timestamp}".to_owned()),
                Some("notification-url") => Ok("{url}".to_owned()),
                Some("message-id") => Ok("{id}".to_owned()),
                _ => Err(format!("the component {component} has no counterpart")),
            })
            .collect::<Result<_, _>>()?,
    };
    let delimiter = format
        .and_then(|format| text(format, "delimiter"))
        .unwrap_or("");
    scheme["signed"] = json!(parts.join(&delimiter.replace('{', "{{").replace('}', "}}")));
    if let Some(time) = value.get("timestamp") {
        let mut own = json!({ "header": needed(time, "header")? });
        own["format"] = json!(match text(time, "format") {
            None | Some("unix-seconds") => "unix-seconds",
            Some("unix-millis") => "unix-milliseconds",
            Some("iso8601") => "rfc3339",
            Some(other) =>
                return Err(format!(
                    "the format `{other}` of the timestamp has no counterpart"
                )),
        });
        if let Some(tolerance) = time.get("tolerance") {
            own["tolerance"] = tolerance.clone();
        }
        scheme["timestamp"] = own;
    }
    if let Some(header) = text(value, "message-id-header") {
        scheme["id"] = json!({ "header": header });
    }
    if let Some(url) = text(value, "jwks-url") {
        scheme["key"] = json!({ "jwks": url });
    }
    Ok(scheme)
}

/// <https://www.speakeasy.com/docs/webhooks>
fn speakeasy(value: &Value) -> Result<Value, String> {
    let security = value.get("security").ok_or("`security` is missing")?;
    let header = text(security, "headerName")
        .or(text(security, "name"))
        .ok_or("`headerName` is missing")?;
    match needed(security, "type")? {
        "signature" => {
            let encoding = text(security, "signatureTextEncoding")
                .or(text(security, "encoding"))
                .unwrap_or("base64");
            Ok(json!({
                "algorithm": text(security, "algorithm").unwrap_or("hmac-sha256"),
                "signature": { "header": header, "encoding": encoding },
                "signed": "{body}",
            }))
        }
        "apiKey" => Ok(json!({ "algorithm": "token", "signature": { "header": header } })),
        other => Err(format!("the type `{other}` has no counterpart")),
    }
}

/// The first of these members that an object has.
pub(super) fn find(members: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    MEMBERS
        .iter()
        .find_map(|name| members.get(*name).map(|value| (*name, value)))
}
