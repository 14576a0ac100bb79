//! Settings that are one of a few words.

use clap::ValueEnum;
use serde::Deserialize;

/// How the server is meant to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// To try it out: loopback only, fixed credentials, http receivers, a clock that may run fast.
    Sandbox,
    /// To serve customers: no built-in credentials.
    Production,
}

/// The role of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It answers requests and attempts deliveries.
    Both,
    /// It answers requests.
    Api,
    /// It attempts deliveries.
    Worker,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}
