//! HTTP Archives (HAR 1.2): what browsers and proxies record, as exchanges, and exchanges as such a file.
//!
//! Entries are read one after the other, so that a file of any size needs the memory of its largest entry. Cookies, timings and pages
//! are ignored, as are members that begin with `_`. Not read: bodies that were not recorded, WebSocket messages.

mod read;
mod write;

pub use read::{HarError, Recorded, Skipped, read};
pub use write::Writer;
