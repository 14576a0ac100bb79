//! HTTP for every API: how requests come in, their JSON bodies and queries, the faults found in either, and how answers go
//! out. Knows no provider.

mod body;
mod compact;
pub(crate) mod connection;
mod credential;
mod entrance;
mod fault;
pub(crate) mod presence;
mod problem;
mod query;
mod refusal;
mod schema;
mod seats;
mod slices;
mod trace;
mod unique;

pub(crate) use body::{BodyFault, BodyRules, JsonText, read_json, read_json_text, read_limited};
#[cfg(test)]
pub(crate) use compact::compact;
pub(crate) use compact::compact_member;
pub(crate) use credential::{Credential, credential};
pub(crate) use entrance::Entrance;
pub(crate) use fault::{Faults, member};
pub(crate) use problem::problem;
pub(crate) use query::Query;
pub(crate) use schema::{RequestSchema, Words};
pub(crate) use slices::Slices;
pub(crate) use trace::trace;
