//! Outbound: the signature of an attempt (C-46).

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::Secret;

/// The value of `conduit-signature`: lower-case hex of the HMAC-SHA256 of `<timestamp>.<body>`, keyed with the secret's UTF-8.
///
/// `timestamp` is the value of `conduit-signature-timestamp`.
pub(super) fn sign(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::provider::conduit::NAME;
    use crate::provider::fixtures::api;

    #[test]
    fn the_test_vector_of_the_contract_is_reproduced() {
        // Contract, section 6.
        let body = r#"{"event":"transaction.completed","version":"1.0","data":{"transaction":{"id":"trxn_2ofTA13AD0xBtbEvBl20aEb1hEu"}}}"#;
        assert_eq!(body.len(), 114);
        let signature = sign(
            &Secret::new("test_secret_key"),
            "1762270800",
            body.as_bytes(),
        );
        assert_eq!(
            signature,
            "108c57969d13b64a897b9ac46ec9ba0e692fefa7fc2a37c156eeb0e1cb9808f0"
        );
    }

    #[test]
    fn the_test_vectors_of_the_emitted_document_are_reproduced() {
        let vectors = api(NAME).document["x-webhook-signature"]["testVectors"]
            .as_array()
            .unwrap();
        assert!(!vectors.is_empty());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let signature = sign(
                &Secret::new(text("key")),
                text("timestamp"),
                text("body").as_bytes(),
            );
            assert_eq!(Value::String(signature), vector["signature"]);
        }
    }
}
