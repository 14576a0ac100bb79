//! Schemes by name: those of well-known senders, each of which expands to the full form.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::near;

fn all() -> &'static Map<String, Value> {
    static PRESETS: OnceLock<Map<String, Value>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        serde_json::from_str(include_str!("presets.json")).expect("a test reads every preset")
    })
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().keys().map(String::as_str)
}

/// The full form of a preset.
pub fn find(name: &str) -> Option<&'static Value> {
    all().get(name)
}

pub(super) fn unknown(name: &str) -> String {
    let hint = near::hint(name, names());
    let names: Vec<&str> = names().collect();
    format!(
        "unknown preset `{name}`; the presets are {}{hint}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::hooks::{KeyEncoding, Known, Message, Signing, Verdict};

    /// What comes before a private Ed25519 key in PKCS #8 (RFC 8410, 7).
    const ED25519_PKCS8_OF_TEST: &[u8] =
        b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

    #[test]
    fn every_preset_can_be_read_and_expands_to_what_its_full_form_says() {
        for name in names() {
            let short = Signing::read(&json!({ "preset": name }), "").unwrap();
            let full = Signing::read(find(name).unwrap(), "").unwrap();
            assert_eq!(short, full, "{name}");
        }
    }

    #[test]
    fn a_key_from_elsewhere_is_written_as_that_of_the_preset() {
        let key = |own: Value| {
            let own = json!({ "preset": "standard-webhooks-asymmetric", "key": own });
            Signing::read(&own, "/x").map(|signing| signing.schemes[0].key.clone())
        };
        let public = "whpk_RDVsBN6OEVabqVmJj10fmf+lHCmWR33w3PV4gwt0IA8=";
        assert_eq!(key(json!({ "value": public })).unwrap().prefix, "whpk_");
        let hex = key(json!({ "request": "/key", "encoding": "hex", "prefix": "" })).unwrap();
        assert_eq!((hex.encoding, hex.prefix.as_str()), (KeyEncoding::Hex, ""));
        let set = key(json!({ "jwks": "https://a.example/keys" })).unwrap();
        assert_eq!((set.encoding, set.prefix.as_str()), (KeyEncoding::Jwk, ""));
        let faults = key(json!({ "value": "whpk_RDVs" })).unwrap_err();
        assert_eq!(faults[0].at, "/x/key/value");
    }

    #[test]
    fn a_private_key_signs_where_the_document_has_the_public_one() {
        // The example of Standard Webhooks has keys of this form: 32 bytes, and those of the public key behind them.
        let seed = [7; 32];
        let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let public = ring::signature::KeyPair::public_key(&pair)
            .as_ref()
            .to_vec();
        let encode = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
        let own = json!({ "preset": "standard-webhooks-asymmetric", "key": { "value": format!("whpk_{}", encode(&public)) } });
        let signing = Signing::read(&own, "").unwrap();
        let secrets = |given: &str| {
            let given = [given.to_owned()];
            signing.secrets(&Known {
                given: &given,
                signs: true,
                ..Known::default()
            })
        };
        let whole = [&seed[..], &public].concat();
        let pem = [ED25519_PKCS8_OF_TEST, &seed].concat();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            encode(&pem)
        );
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        for text in [format!("whsk_{}", encode(&whole)), pem] {
            let mut message = Message::post("https://example.com/", "{}");
            signing
                .sign(&secrets(&text).unwrap(), &mut message, "1", now)
                .unwrap();
            let verified = signing.secrets(&Known::default()).unwrap();
            assert_eq!(
                signing.verify(&verified, &message, Some(now)),
                Verdict::Verified
            );
        }
        let torn = [&seed[..], &[0; 32]].concat();
        assert!(secrets(&format!("whsk_{}", encode(&torn))).is_err());
    }

    #[test]
    fn own_members_replace_those_of_the_preset() {
        let own = json!({
            "preset": "stripe", "signature": { "field": "v2" }, "timestamp": { "tolerance": 60 }, "key": { "request": "/secret" },
        });
        let signing = Signing::read(&own, "").unwrap();
        let scheme = &signing.schemes[0];
        assert_eq!(
            scheme.signature.location.name(),
            "header `stripe-signature`, field `v2`"
        );
        assert_eq!(scheme.timestamp.as_ref().unwrap().tolerance, Some(60.0));
        // What is in the header of the signature moves with it, and a header in place of a header changes nothing else.
        let moved = Signing::read(
            &json!({ "preset": "stripe", "signature": { "header": "Acme-Signature" } }),
            "",
        )
        .unwrap();
        let scheme = &moved.schemes[0];
        assert_eq!(
            scheme.signature.location.name(),
            "header `acme-signature`, field `v1`"
        );
        let time = scheme
            .timestamp
            .as_ref()
            .unwrap()
            .location
            .as_ref()
            .unwrap();
        assert_eq!(time.name(), "header `acme-signature`, field `t`");
        let elsewhere = json!({ "preset": "slack", "timestamp": { "member": "/time" } });
        let time = Signing::read(&elsewhere, "").unwrap().schemes[0]
            .timestamp
            .clone()
            .unwrap();
        assert_eq!(
            (time.location.unwrap().name(), time.tolerance),
            ("body member `/time`".to_owned(), None)
        );
        let faults = Signing::read(&json!({ "preset": "strpe" }), "/x").unwrap_err();
        assert_eq!(faults[0].at, "/x/preset");
        assert!(
            faults[0].problem.ends_with("did you mean `stripe`?"),
            "{}",
            faults[0].problem
        );
    }
}
