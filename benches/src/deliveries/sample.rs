//! Deliveries as a sender of the Conduit API makes them: its documented samples, signed with a secret of ours.

use anyhow::{Context, ensure};
use conformance::document::Document;
use conformance::hooks::{Description, Known, Message};
use serde_json::Value;

/// What the deliveries are signed with.
pub(crate) const SECRET: &str = "s3cret-of-the-benchmark";

/// Whole requests but for the path, in whose place is [`PATH`].
///
/// # Errors
/// When the document cannot be read, or does not say how deliveries look.
pub(crate) fn deliveries(file: &str, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let document = Document::load(file)?;
    let webhooks = document.webhooks();
    ensure!(!webhooks.is_empty(), "{file} has no webhooks");
    let mut drafts = Vec::new();
    for webhook in &webhooks {
        let description = Description::of(&document, &webhook.pointer)
            .map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let at = format!(
            "{}/requestBody/content/application~1json/examples",
            webhook.pointer
        );
        let examples = document.at(&at).and_then(Value::as_object);
        let name = examples.and_then(|map| map.keys().next());
        let name = name.with_context(|| format!("{} has no sample", webhook.path))?;
        let sample = document.resolve(&format!("{at}/{name}"));
        let body = sample.and_then(|(_, sample)| sample.get("value"));
        let body = body.context("a sample with a value")?.to_string();
        let mut message = Message::post("http://127.0.0.1/", body);
        for parameter in webhook.parameters(&document) {
            let member = |name: &str| parameter.value.get(name).and_then(Value::as_str);
            if let (Some("header"), Some(name), Some(value)) =
                (member("in"), member("name"), member("example"))
            {
                message
                    .headers
                    .push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
        drafts.push((message, description));
    }
    let given = [SECRET.to_owned()];
    let known = Known {
        given: &given,
        ..Known::default()
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "deliveries are signed with the time of sending"
    )]
    let now = jiff::Timestamp::now();
    let mut all = Vec::with_capacity(count);
    for index in 0..count {
        let (draft, description) = &drafts[index % drafts.len()];
        let signing = description.signing.as_ref().context("a signature")?;
        let secrets = signing.secrets(&known).map_err(anyhow::Error::msg)?;
        let mut message = draft.clone();
        let id = format!("0b9d6a52-5f0c-4c1e-9a37-{index:012x}");
        for (name, value) in &mut message.headers {
            if name == "conduit-webhook-idempotency-key" {
                value.clone_from(&id);
            }
        }
        // Both are put there by the signature.
        message
            .headers
            .retain(|(name, _)| !name.starts_with("conduit-signature"));
        signing
            .sign(&secrets, &mut message, &id, now)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        all.push(bytes(&message));
    }
    Ok(all)
}

/// A path as long as those of the receiver, for which it stands.
pub(crate) const PATH: &str = "/PATH";

fn bytes(message: &Message) -> Vec<u8> {
    let headers: String = message
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let body = String::from_utf8_lossy(&message.body);
    crate::message::request("POST", PATH, &headers, &body)
}
