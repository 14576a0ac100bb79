//! What each provider's documentation says, and nothing else: one folder a provider.
//!
//! Two providers may look alike: duplication between them is wanted, because two documents change separately.

pub mod conduit;
pub mod equals_money;

use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::{ApiKey, Fingerprint, Provider, SchemePolicy};
use crate::storage::{Store, StoreError};

/// What every inbound API needs of the server.
#[derive(Clone)]
pub struct Context {
    /// Durable state.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// Whether the fixed sandbox credentials are known and plain `http` may be registered.
    pub sandbox: bool,
    /// The largest request body that is read, in bytes.
    pub max_body_bytes: usize,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The client id or product id that the credentials belong to.
    pub(crate) owner: String,
}

impl Context {
    /// Which URLs Conduit webhooks may have (C-26).
    fn scheme_policy(&self) -> SchemePolicy {
        if self.sandbox {
            SchemePolicy::HttpOrHttps
        } else {
            SchemePolicy::HttpsOnly
        }
    }

    /// The key with this text, unless there is none or it was revoked.
    async fn active_key(
        &self,
        provider: Provider,
        key: &[u8],
    ) -> Result<Option<ApiKey>, StoreError> {
        let found = self.store.key(provider, Fingerprint::of(key)).await?;
        Ok(found.filter(|key| key.revoked_at.is_none()))
    }
}
