//! How two documents differ outside of schemas, as data. `report::words::document` makes sentences of it.

use serde::Serialize;
use serde_json::Value;

/// A difference outside of schemas. "Added" means that only the new document has it, "removed" that only the old one has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum DocumentChange {
    /// A member of an object of OpenAPI was added or removed, or has another value.
    Member {
        /// The member as the documents spell it.
        key: String,
        /// Its old value; none where it is new.
        old: Option<Value>,
        /// Its new value; none where it was removed.
        new: Option<Value>,
    },
}
