//! Every scheme that a preset describes: right deliveries are signed so that they verify, and forged ones are made that do not.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use conformance::document::Document;
use conformance::hooks::{Description, Known, Message, Verdict, preset};
use conformance::receiver::{self, Options};
use data_encoding::{BASE64, HEXLOWER};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use serde_json::{Value, json};

use super::shown;
use crate::replay::server::{Reply, Request, Server};

/// A secret for a scheme, as its provider writes it; none where it needs an RSA key or a private JSON Web Key.
fn secret(scheme: &Value) -> Option<String> {
    let member = |of: &str, name: &str| {
        scheme
            .get(of)
            .and_then(|of| of.get(name))
            .and_then(Value::as_str)
    };
    let random = SystemRandom::new();
    let bytes = match scheme["algorithm"].as_str()? {
        "ed25519" => Ed25519KeyPair::generate_pkcs8(&random)
            .ok()?
            .as_ref()
            .to_vec(),
        "ecdsa-p256-sha256" => {
            let pair =
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).ok()?;
            pair.as_ref().to_vec()
        }
        "rsa-sha256" | "jws" => return None,
        _ => b"thirty-two bytes of a secret ...".to_vec(),
    };
    let text = match member("key", "encoding") {
        Some("hex") => HEXLOWER.encode(&bytes),
        Some("base64") => BASE64.encode(&bytes),
        Some("jwk") => {
            json!({ "kty": "oct", "k": data_encoding::BASE64URL_NOPAD.encode(&bytes) }).to_string()
        }
        _ => "a secret of a test".to_owned(),
    };
    Some(format!(
        "{}{text}",
        member("key", "prefix").unwrap_or_default()
    ))
}

fn document(name: &str) -> String {
    // A payload with a place for what some schemes put into it.
    let example = json!({
        "id": "evt_0011223344", "amount": 5, "webhookTimestamp": 1, "note": "a",
        "signature": { "timestamp": "1", "token": "b", "signature": "c" },
        "notificationItems": [{ "NotificationRequestItem": {
            "additionalData": { "hmacSignature": "d" }, "pspReference": "7", "originalReference": "",
            "merchantAccountCode": "m", "merchantReference": "r", "amount": { "value": 5, "currency": "EUR" },
            "eventCode": "AUTHORISATION", "success": "true",
        } }],
    });
    let form = name == "twilio-form";
    let (media, example) = match form {
        true => (
            "application/x-www-form-urlencoded",
            json!({ "id": "evt_0011223344", "amount": "5" }),
        ),
        false => ("application/json", example),
    };
    json!({
        "openapi": "3.1.0",
        "info": { "title": "t", "version": "1" },
        "x-webhook-signature": { "preset": name },
        "webhooks": { "paid": { "post": {
            "requestBody": { "required": true, "content": { media: { "schema": { "type": "object" }, "example": example } } },
            "responses": { "204": { "description": "d" } },
        } } },
    })
    .to_string()
}

#[test]
fn handlers_of_every_preset_are_judged_and_nothing_is_found_on_right_ones() {
    let mut flaws = BTreeMap::new();
    for name in preset::names() {
        let scheme = preset::find(name).expect("a preset");
        let Some(secret) = secret(scheme) else {
            continue;
        };
        let text = document(name);
        let document = Document::parse("t.json", &text).expect("the document parses");
        let description = Description::of(&document, "/webhooks/paid/post").expect("a description");
        let signing = description.signing.expect("deliveries are signed");
        let given = [secret.clone()];
        let known = Known {
            given: &given,
            ..Known::default()
        };
        let secrets = signing.secrets(&known).expect("a key");
        let refused = Arc::new(Mutex::new(0));
        let accepted = Arc::new(Mutex::new(HashSet::new()));
        let (count, kept) = (Arc::clone(&refused), Arc::clone(&accepted));
        let server = Server::start(Box::new(move |request: &Request, _| {
            let host = request.headers.get("host").cloned().unwrap_or_default();
            let headers = request.headers.iter();
            let message = Message {
                method: request.method.clone(),
                url: format!("http://{host}{}{}", request.path, request.query),
                headers: headers
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
                body: request.body.clone(),
            };
            match signing.verify(&secrets, &message, Some(super::handler::instant())) {
                Verdict::Verified => {
                    kept.lock().expect("no thread panics").insert(message.body);
                    Reply::new(204)
                }
                _ => {
                    *count.lock().expect("no thread panics") += 1;
                    Reply::new(401)
                }
            }
        }));
        let mut options = Options::new(&format!("{}/hook", server.url));
        options.secrets = given.to_vec();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let outcome = runtime
            .block_on(receiver::check(&options, &document))
            .expect("judged");
        let wrong: Vec<_> = outcome
            .findings
            .into_iter()
            .filter(|one| !["effect-undecided", "signature-undecided"].contains(&one.rule))
            .collect();
        assert!(wrong.is_empty(), "{name}:\n{}", shown(&wrong));
        let refused = *refused.lock().expect("no thread panics");
        assert!(
            !accepted.lock().expect("no thread panics").is_empty(),
            "{name}"
        );
        flaws.insert(name, refused);
    }
    assert!(flaws.len() >= 20, "{flaws:?}");
    // Equality of a token covers nothing of the message: it can be missing or another one only.
    let few = flaws.iter().filter(|(_, refused)| **refused < 8);
    let few: Vec<&&str> = few.map(|(name, _)| name).collect();
    assert_eq!(few, [&"basic", &"gitlab"], "{flaws:?}");
}
