//! The JSON of API keys, with and without their credentials.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NullableText, time};
use crate::domain::{ApiKey, ProviderName};
use crate::http::presence::non_null;

/// The API that a key opens; `operator` is this one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub(crate) struct KeyProvider(#[schemars(with = "String")] ProviderName);

impl KeyProvider {
    /// The name of the API.
    pub(in crate::operator) fn name(self) -> ProviderName {
        self.0
    }
}

/// An API key to make.
#[derive(Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateKeyRequest {
    /// The API that it opens.
    pub(in crate::operator) provider: KeyProvider,
    /// Whose key it is: a client id (`client_` and 27 letters or digits) for Conduit, a product id (a UUID) for Equals Money; a new one
    /// without it. Not for keys of this API.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "String")]
    pub(in crate::operator) owner: Option<String>,
    /// Its name, for people.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[schemars(with = "String")]
    pub(in crate::operator) name: Option<String>,
}

/// An API key with its credentials, which are shown this once.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewKey {
    /// The id of the key, which is not a secret.
    #[schema(pattern = "^key_[a-zA-Z0-9]{27}$")]
    id: String,
    /// The API that it opens.
    provider: KeyProvider,
    /// The client id (Conduit), the product id (Equals Money), or `operator`.
    owner: String,
    /// Its name, for people.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    name: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// The headers to send with every request, by name. Their values are secrets.
    headers: BTreeMap<&'static str, String>,
}

/// An API key without its credentials.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    /// The id of the key.
    #[schema(pattern = "^key_[a-zA-Z0-9]{27}$")]
    id: String,
    /// The API that it opens.
    provider: KeyProvider,
    /// The client id (Conduit), the product id (Equals Money), or `operator`.
    owner: String,
    /// Its name, for people.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    name: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Since when it opens nothing, or null.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText")]
    revoked_at: Option<String>,
}

/// All keys.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct KeyList {
    /// The keys, the newest first.
    pub(in crate::operator) data: Vec<Key>,
}

impl From<crate::keys::NewKey> for NewKey {
    fn from(made: crate::keys::NewKey) -> Self {
        let headers = made
            .headers
            .iter()
            .map(|(name, value)| (*name, value.expose().to_owned()))
            .collect();
        Self {
            id: made.record.id,
            provider: KeyProvider(made.record.provider),
            owner: made.record.owner,
            name: made.record.name,
            created_at: time(made.record.created_at),
            headers,
        }
    }
}

impl From<ApiKey> for Key {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            provider: KeyProvider(key.provider),
            owner: key.owner,
            name: key.name,
            created_at: time(key.created_at),
            revoked_at: key.revoked_at.map(time),
        }
    }
}
