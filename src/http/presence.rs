//! How an optional member of a request is read, so that serde takes exactly what the document promises.
//!
//! | document | Rust | `deserialize_with` (beside `default`) |
//! |---|---|---|
//! | optional, not null | `Option<T>` | [`non_null`] |
//! | optional, nullable, null means something | `Option<Option<T>>` | [`three_state`] |

use serde::{Deserialize, Deserializer};

/// Refuses `null` for an optional member.
pub(crate) fn non_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Tells `null` (`Some(None)`) from an absent member (`None`).
#[expect(clippy::option_option, reason = "three states are the point")]
pub(crate) fn three_state<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
