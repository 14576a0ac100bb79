//! An event and one delivery for each webhook that wants it, stored in one transaction. The answer goes out after the commit.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use crate::clock::{Clock, Moment};
use crate::domain::{Event, ProviderName, TraceContext};
use crate::http::Faults;
use crate::provider::Providers;
use crate::storage::{Idempotency, Publication, Published, Slots, Store, StoreError};

/// The request of a publisher.
#[derive(Debug)]
pub(crate) struct Request {
    /// The provider whose catalogue has the type.
    pub(crate) provider: ProviderName,
    /// The event type.
    pub(crate) event_type: String,
    /// The client id (Conduit) or product id (Equals Money).
    pub(crate) owner: Option<String>,
    /// Equals Money: the account.
    pub(crate) account_id: Option<String>,
    /// The payload's members; the catalogue's sample without.
    pub(crate) data: Option<Data>,
    /// The idempotency key with the fingerprint of the request.
    pub(crate) idempotency: Option<Idempotency>,
    /// The span of the publication, where it is traced.
    pub(crate) trace: Option<TraceContext>,
}

/// A payload, as it is judged and as it is sent.
#[derive(Debug)]
pub(crate) struct Data {
    /// The payload as a value, for validation only.
    pub(crate) value: Value,
    /// As the publisher wrote it, token by token, without the space between.
    pub(crate) text: String,
}

/// Why an event is not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// The request is at fault; nothing was stored.
    #[error("faulty request")]
    Faulty(Faults),
    /// Storage could not do its job.
    #[error(transparent)]
    Storage(#[from] StoreError),
}

/// Stores an event with its deliveries.
///
/// # Errors
/// [`PublishError::Faulty`] with every fault of type and payload; [`PublishError::Storage`] when it cannot be stored.
pub(crate) async fn publish(
    providers: &Providers,
    store: &dyn Store,
    clock: &Clock,
    slots: Arc<dyn Slots>,
    lease: SignedDuration,
    request: Request,
) -> Result<Published, PublishError> {
    let mut faults = Faults::default();
    let catalogue = providers.outbound(request.provider);
    let Some((catalogue, audience)) =
        catalogue.and_then(|catalogue| Some((catalogue, catalogue.audience(&request.event_type)?)))
    else {
        faults.add("/type", "must be an event type of the provider");
        return Err(PublishError::Faulty(faults));
    };
    let data = match request.data {
        Some(data) => {
            catalogue
                .faults(&request.event_type, data.value)
                .into_result()
                .map_err(PublishError::Faulty)?;
            data.text
        }
        None => catalogue
            .sample(&request.event_type)
            .unwrap_or_else(|| "{}".to_owned()),
    };
    let Moment { now, steady } = clock.moment();
    let event = Event {
        // Given when it is stored.
        id: String::new(),
        provider: request.provider,
        event_type: request.event_type,
        owner: request.owner,
        account_id: request.account_id,
        data,
        sequence: 0,
        created_at: now,
        trace: request.trace,
    };
    let publication = Publication {
        event,
        audience,
        idempotency: request.idempotency,
        slots,
        steady,
        lease,
    };
    Ok(store.publish(publication).await?)
}
