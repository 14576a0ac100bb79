//! Conduit API 2024-12-01. Decisions C-n stand in the source document `openapi/conduit.yaml` beside what they decide.
//!
//! Inbound, the API we serve: `auth`, `handlers`, `models`, `error`, `cursor`, `samples`.
//! Outbound, the webhooks we send: `outbound`, which answers for the others, `catalogue`, `payload`, `signature`, `retry`.
//! Both: `openapi`, the emitted document.

mod auth;
mod catalogue;
mod cursor;
mod error;
mod handlers;
mod models;
mod openapi;
mod outbound;
mod payload;
mod retry;
mod samples;
mod signature;
#[cfg(test)]
mod wire_types;

pub(crate) use auth::SANDBOX_CREDENTIALS;
pub use handlers::{prepare, routes};
pub use openapi::DOCUMENT;
pub(crate) use outbound::ConduitOutbound;
pub(crate) use samples::failures;
#[cfg(test)]
pub(crate) use wire_types::wire_types;
