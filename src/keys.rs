//! Making an API key: for the operator API and for `truehook keys`. Its credentials leave here once; storage gets their fingerprints.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::{self, ApiKey, Fingerprint, Provider, Secret};
use crate::entropy;

/// Whose all keys of the operator API are.
pub(crate) const OPERATOR: &str = "operator";

/// A key that is not stored yet, with its credentials.
#[derive(Debug)]
pub(crate) struct NewKey {
    /// What is stored.
    pub(crate) record: ApiKey,
    /// The headers to send with every request.
    pub(crate) headers: Vec<(&'static str, Secret)>,
}

/// Why somebody cannot own a key, as a fragment that fits behind the place of the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OwnerFault {
    /// Keys of Conduit belong to clients.
    #[error("must be client_ and 27 letters or digits")]
    NoClient,
    /// Keys of Equals Money belong to products.
    #[error("must be a UUID")]
    NoProduct,
    /// Keys of the operator API belong to nobody else.
    #[error("belongs to keys of Conduit and Equals Money only")]
    NotWanted,
}

/// Makes a key for `owner`, or for a new one.
///
/// # Errors
/// [`OwnerFault`] when the provider has no such owners.
pub(crate) fn make(
    provider: Provider,
    owner: Option<String>,
    name: Option<String>,
    now: Timestamp,
) -> Result<NewKey, OwnerFault> {
    let owner = self::owner(provider, owner, now)?;
    let credential = || HEXLOWER.encode(&entropy::bytes::<32>());
    let key = credential();
    let secret = (provider == Provider::Conduit).then(credential);
    let record = ApiKey {
        id: domain::ksuid("key_", now, entropy::bytes()),
        provider,
        owner,
        name,
        key: Fingerprint::of(key.as_bytes()),
        secret: secret
            .as_ref()
            .map(|secret| Fingerprint::of(secret.as_bytes())),
        created_at: now,
        revoked_at: None,
    };
    let headers = match (provider, secret) {
        (Provider::Operator, _) => vec![("Authorization", format!("Bearer {key}"))],
        (_, None) => vec![("Authorization", format!("ApiKey {key}"))],
        (_, Some(secret)) => vec![("X-API-Key", key), ("X-API-Secret", secret)],
    };
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value)))
        .collect();
    Ok(NewKey { record, headers })
}

/// The owner of a key as it is kept; a new one where none is given.
///
/// # Errors
/// [`OwnerFault`] when the provider has no such owners.
pub(crate) fn owner(
    provider: Provider,
    owner: Option<String>,
    now: Timestamp,
) -> Result<String, OwnerFault> {
    match provider {
        Provider::Conduit => client(owner, now),
        Provider::EqualsMoney => product(owner),
        Provider::Operator if owner.is_some() => Err(OwnerFault::NotWanted),
        Provider::Operator => Ok(OPERATOR.to_owned()),
    }
}

fn client(owner: Option<String>, now: Timestamp) -> Result<String, OwnerFault> {
    let Some(owner) = owner else {
        return Ok(domain::ksuid("client_", now, entropy::bytes()));
    };
    let rest = owner.strip_prefix("client_").unwrap_or_default();
    let well_formed = rest.len() == 27 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if well_formed {
        Ok(owner)
    } else {
        Err(OwnerFault::NoClient)
    }
}

fn product(owner: Option<String>) -> Result<String, OwnerFault> {
    let product = match owner {
        None => entropy::uuid(),
        Some(owner) => Uuid::try_parse(&owner).map_err(|_| OwnerFault::NoProduct)?,
    };
    Ok(product.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(provider: Provider, owner: Option<&str>) -> Result<NewKey, OwnerFault> {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        make(provider, owner.map(str::to_owned), None, now)
    }

    #[test]
    fn a_key_has_the_headers_of_its_api_and_only_fingerprints_of_them_are_kept() {
        for (provider, names, prefix) in [
            (Provider::Conduit, vec!["X-API-Key", "X-API-Secret"], ""),
            (Provider::EqualsMoney, vec!["Authorization"], "ApiKey "),
            (Provider::Operator, vec!["Authorization"], "Bearer "),
        ] {
            let NewKey { record, headers } = made(provider, None).unwrap();
            let given: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
            assert_eq!(given, names);
            let key = headers[0].1.expose().strip_prefix(prefix).unwrap();
            assert_eq!(key.len(), 64);
            assert_eq!(record.key, Fingerprint::of(key.as_bytes()));
            assert_eq!(record.secret.is_some(), provider == Provider::Conduit);
        }
    }

    #[test]
    fn owners_have_the_form_of_their_provider() {
        let product = "911DB6DB-ef58-4992-87cd-2fe2cfde05f9";
        let key = made(Provider::EqualsMoney, Some(product)).unwrap();
        assert_eq!(key.record.owner, product.to_lowercase());
        let client = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
        let key = made(Provider::Conduit, Some(client)).unwrap();
        assert_eq!(key.record.owner, client);
        assert_eq!(
            made(Provider::Operator, None).unwrap().record.owner,
            OPERATOR
        );
        for (provider, owner, fault) in [
            (Provider::Conduit, product, OwnerFault::NoClient),
            (Provider::Conduit, "client_short", OwnerFault::NoClient),
            (Provider::EqualsMoney, client, OwnerFault::NoProduct),
            (Provider::Operator, OPERATOR, OwnerFault::NotWanted),
        ] {
            assert_eq!(made(provider, Some(owner)).unwrap_err(), fault);
        }
    }
}
