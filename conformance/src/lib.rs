//! Holds any server to any OpenAPI document: drift between two documents, documented samples against a live server.
//!
//! Data flows one way: `cli -> document -> {drift | samples -> case -> exchange -> check} -> finding -> fingerprint -> baseline ->
//! report`. The modules stand lowest layer first, and a file imports only lower layers. (The blank lines keep rustfmt from sorting them.)

mod clock;

pub mod document;

pub mod fetch;

pub mod toml_text;

pub mod git;

pub mod finding;

pub mod rule;

pub mod case;

pub mod schema;

pub mod drift;

pub mod samples;

pub mod exchange;

pub mod check;

pub mod replay;

pub mod fingerprint;

pub mod baseline;

pub mod catalogue;

pub mod lockstep;

pub mod report;

pub mod config;

pub mod cli;
