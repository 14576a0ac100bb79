//! Outbound: the signature of a notification (E-52).

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::Secret;

/// The value of `x-em-signature`: Base64 of the HMAC-SHA256 of the body, keyed with the UTF-8 of the shared secret as it was given,
/// hyphens included.
pub(super) fn sign(secret: &Secret, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body);
    BASE64.encode(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::provider::equals_money::NAME;
    use crate::provider::fixtures::api;

    #[test]
    fn the_test_vectors_of_the_contract_are_reproduced() {
        // Contract, section 9.
        let secret = Secret::new("123e4567-e89b-12d3-a456-426614174000");
        let members = r#"{"accountId":"F12345","customerId":"123456789","eventTime":"2023-05-31T15:59:17.613Z","status":"applicationPending","type":"Business","messageId":"0473b4d0-2f69-4bc5-ab7b-94589a4e48ba","webhookEventTypeName":"AccountCreated"}"#;
        let wrapped = format!("{{\"body\":{members}}}");
        assert_eq!((wrapped.len(), members.len()), (234, 225));
        assert_eq!(
            sign(&secret, wrapped.as_bytes()),
            "ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes="
        );
        assert_eq!(
            sign(&secret, members.as_bytes()),
            "GYEveZ68ERdGDkcr4u8SciwMsQwHWy4jcl46Yw/QQBk="
        );
    }

    #[test]
    fn the_test_vectors_of_the_emitted_document_are_reproduced() {
        let vectors = api(NAME).document["x-webhook-signature"][0]["testVectors"]
            .as_array()
            .unwrap();
        assert!(!vectors.is_empty());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let signature = sign(&Secret::new(text("key")), text("body").as_bytes());
            assert_eq!(Value::String(signature), vector["signature"]);
        }
    }
}
