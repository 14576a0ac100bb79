//! Truehook: a webhook API server that is true to its documentation.
//!
//! Modules stand lowest layer first: a file imports only from layers above its own in this list, and `tests/layers.rs` fails when one
//! does not. (Blank lines keep rustfmt from sorting them.)

pub mod clock;

mod causes;

mod entropy;

mod near;

mod signals;

pub mod domain;

mod limits;

pub mod metrics;

pub mod storage;

mod http;

mod openapi;

pub mod provider;

pub mod config;

pub mod telemetry;

pub mod publish;

pub mod worker;

mod keys;

pub mod operator;

mod pages;

pub mod server;

pub mod cli;

#[cfg(test)]
mod tests;
