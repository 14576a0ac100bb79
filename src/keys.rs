//! Making an API key: for the operator API and for `truehook keys`. Its credentials leave here once; storage gets their fingerprints.

use data_encoding::HEXLOWER;
use jiff::Timestamp;

use crate::domain::{self, ApiKey, Fingerprint, ProviderName, Secret};
use crate::entropy;
use crate::provider::{InvalidOwner, KeyIssuer};

/// The owner of all keys of the operator API.
const OPERATOR: &str = "operator";

/// The issuer of the keys of the operator API.
pub(crate) struct OperatorKeys;

/// A key that is not stored yet, with its credentials.
#[derive(Debug)]
pub(crate) struct NewKey {
    /// The record that is stored.
    pub(crate) record: ApiKey,
    /// The headers to send with every request.
    pub(crate) headers: Vec<(&'static str, Secret)>,
}

impl KeyIssuer for OperatorKeys {
    fn name(&self) -> ProviderName {
        ProviderName::OPERATOR
    }

    fn key_owner(&self, wanted: Option<String>, _: Timestamp) -> Result<String, InvalidOwner> {
        match wanted {
            None => Ok(OPERATOR.to_owned()),
            Some(_) => Err(InvalidOwner(
                "must not be given for a key of the operator API".to_owned(),
            )),
        }
    }

    fn key_has_secret(&self) -> bool {
        false
    }

    fn key_headers(&self, key: &Secret, _: &Secret) -> Vec<(&'static str, Secret)> {
        let value = format!("Bearer {}", key.expose());
        vec![("Authorization", Secret::new(value))]
    }
}

/// Makes a key for `owner`, or for a new one.
///
/// # Errors
/// [`InvalidOwner`] when the API has no such owners.
pub(crate) fn make(
    issuer: &dyn KeyIssuer,
    owner: Option<String>,
    name: Option<String>,
    now: Timestamp,
) -> Result<NewKey, InvalidOwner> {
    let owner = issuer.key_owner(owner, now)?;
    let credential = || Secret::new(HEXLOWER.encode(&entropy::bytes::<32>()));
    let (key, secret) = (credential(), credential());
    let fingerprint = |credential: &Secret| Fingerprint::of(credential.expose().as_bytes());
    let record = ApiKey {
        id: domain::ksuid("key_", now, entropy::bytes()),
        provider: issuer.name(),
        owner,
        name,
        key: fingerprint(&key),
        secret: issuer.key_has_secret().then(|| fingerprint(&secret)),
        created_at: now,
        revoked_at: None,
    };
    let headers = issuer.key_headers(&key, &secret);
    Ok(NewKey { record, headers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{conduit, equals_money};

    fn made(issuer: &dyn KeyIssuer, owner: Option<&str>) -> Result<NewKey, InvalidOwner> {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        make(issuer, owner.map(str::to_owned), None, now)
    }

    #[test]
    fn a_key_has_the_headers_of_its_api_and_only_fingerprints_of_them_are_kept() {
        let issuers: [(&dyn KeyIssuer, _, _); 3] = [
            (&conduit::Conduit, vec!["X-API-Key", "X-API-Secret"], ""),
            (&equals_money::EqualsMoney, vec!["Authorization"], "ApiKey "),
            (&OperatorKeys, vec!["Authorization"], "Bearer "),
        ];
        for (issuer, names, prefix) in issuers {
            let NewKey { record, headers } = made(issuer, None).unwrap();
            let given: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
            assert_eq!(given, names);
            let key = headers[0].1.expose().strip_prefix(prefix).unwrap();
            assert_eq!(key.len(), 64);
            assert_eq!(record.key, Fingerprint::of(key.as_bytes()));
            let secret = headers.get(1).map(|(_, secret)| secret.expose().as_bytes());
            assert_eq!(record.secret, secret.map(Fingerprint::of));
        }
    }

    #[test]
    fn owners_have_the_form_of_their_provider() {
        let product = "911DB6DB-ef58-4992-87cd-2fe2cfde05f9";
        let client = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
        let owner = |issuer: &dyn KeyIssuer, owner| made(issuer, owner).map(|key| key.record.owner);
        let (conduit, equals_money) = (&conduit::Conduit, &equals_money::EqualsMoney);
        assert_eq!(
            owner(equals_money, Some(product)).unwrap(),
            product.to_lowercase()
        );
        assert_eq!(owner(conduit, Some(client)).unwrap(), client);
        assert_eq!(owner(&OperatorKeys, None).unwrap(), OPERATOR);
        assert!(owner(conduit, Some(product)).is_err());
        assert!(owner(conduit, Some("client_short")).is_err());
        assert!(owner(equals_money, Some(client)).is_err());
        assert!(owner(&OperatorKeys, Some(OPERATOR)).is_err());
    }
}
