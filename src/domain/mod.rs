//! The words of the project as types: providers, ids, webhooks, events, deliveries, secrets, receiver URLs, host names, API keys, traces.
//!
//! Pure: no I/O, no clock, no randomness of its own. Everything above imports from here; this imports nothing of ours.

mod address;
mod delivery;
mod event;
mod host_names;
mod id;
mod key;
mod lack;
mod provider;
mod receiver_url;
mod secret;
mod trace;
mod webhook;

pub use address::{AddressKind, AddressPolicy, InvalidNetwork, Network, Refusal};
pub use delivery::{
    ATTEMPT_DEADLINE, Attempt, DeliveryState, DueDelivery, KEPT_BODY, Next, Outcome, SentHeader,
    Target, Timing, UnknownState,
};
pub use event::{Audience, Event};
pub use host_names::{HostNames, InvalidHostName};
pub use id::ksuid;
pub(crate) use id::ksuid_entropy;
pub use key::{ApiKey, Fingerprint};
pub use lack::Lack;
pub use provider::{InvalidProviderName, ProviderName};
pub use receiver_url::{ReceiverUrl, SchemePolicy, UrlFault};
pub use secret::Secret;
pub use trace::{InvalidTraceContext, TraceContext};
pub use webhook::{Webhook, WebhookChange};
