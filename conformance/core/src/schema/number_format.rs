//! How wide numbers are that a `format` of the OpenAPI format registry describes.

use serde_json::{Value, json};

/// The least and the greatest number of a numeric format; none where the format limits nothing.
///
/// `float` is limited to what a 32-bit floating-point number holds; how precise it is does not matter. `double` limits nothing, as JSON
/// numbers are read as such.
#[must_use]
pub fn range(format: &str) -> Option<(Value, Value)> {
    Some(match format {
        "int8" => (json!(i8::MIN), json!(i8::MAX)),
        "int16" => (json!(i16::MIN), json!(i16::MAX)),
        "int32" => (json!(i32::MIN), json!(i32::MAX)),
        "int64" => (json!(i64::MIN), json!(i64::MAX)),
        "uint8" => (json!(u8::MIN), json!(u8::MAX)),
        "uint16" => (json!(u16::MIN), json!(u16::MAX)),
        "uint32" => (json!(u32::MIN), json!(u32::MAX)),
        "uint64" => (json!(u64::MIN), json!(u64::MAX)),
        // The integers that a double holds exactly.
        "double-int" => (json!(-SAFE), json!(SAFE)),
        "float" => (json!(f64::from(f32::MIN)), json!(f64::from(f32::MAX))),
        _ => return None,
    })
}

const SAFE: i64 = (1 << 53) - 1;
