//! What every API needs to read a request: its JSON body, its query, and the faults found in either. Knows no provider.

mod body;
mod compact;
mod fault;
pub(crate) mod presence;
mod query;
mod schema;
mod trace;
mod unique;

pub(crate) use body::{BodyFault, BodyRules, JsonText, read_json, read_json_text};
pub(crate) use compact::compact;
pub(crate) use fault::{Faults, member};
pub(crate) use query::Query;
pub(crate) use schema::{RequestSchema, Words};
pub(crate) use trace::trace;
