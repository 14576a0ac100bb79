//! Integration tests by subject, over HTTP, against a real server on a port of its own.

mod app;
mod conduit_change;
mod conduit_create;
mod conduit_errors;
mod conduit_read;
mod delivering;
mod documents;
mod equals_change;
mod equals_create;
mod equals_errors;
mod equals_event_types;
mod equals_read;
mod exposition;
mod layers;
mod metrics;
mod operations;
mod operator_deliveries;
mod operator_keys;
mod operator_operations;
mod operator_publish;
mod operator_replays;
mod receiver;
mod recorder;
pub(crate) mod schemas;
mod shape;
mod traces;
mod versions;
