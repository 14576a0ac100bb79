//! The description of webhooks: every way of signing with a vector from another library, and faults with their places.

mod extensions;
mod page;
mod signatures;
