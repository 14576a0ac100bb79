//! Times of the last change: their order, and how fine they are.

use jiff::Timestamp;
use serde_json::Value;

/// A time as a number that rises: nanoseconds of a timestamp, or the number itself.
pub(super) fn time_of(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond),
        Value::Number(number) => number.as_i64().map(i128::from),
        _ => None,
    }
}

/// How long a server may give the same time, in milliseconds: a fraction of a second where one is written, else a second.
pub(super) fn resolution_ms(value: &Value) -> u128 {
    let digits = |text: &str| {
        let (_, fraction) = text.rsplit_once('.')?;
        let digits = fraction
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>();
        // Zeros only may be a second with a fraction that nobody keeps.
        digits
            .chars()
            .any(|digit| digit != '0')
            .then_some(digits.len())
    };
    match value {
        Value::String(text) => digits(text).map_or(1000, |digits| {
            if digits >= 3 {
                1
            } else {
                10_u128.pow(3 - u32::try_from(digits).unwrap_or(0))
            }
        }),
        // Milliseconds since 1970 have 13 digits by now.
        Value::Number(number)
            if number
                .as_i64()
                .is_some_and(|number| number > 100_000_000_000) =>
        {
            1
        }
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_resolution_of_a_time_is_that_of_its_digits() {
        for (time, milliseconds) in [
            (json!("2024-01-01T00:00:00Z"), 1000),
            (json!("2024-01-01T00:00:00.000Z"), 1000),
            (json!("2024-01-01T00:00:00.120Z"), 1),
            (json!("2024-01-01T00:00:00.5Z"), 100),
            (json!("2024-01-01T00:00:00.123456Z"), 1),
            (json!(1_704_067_200), 1000),
            (json!(1_704_067_200_123_i64), 1),
        ] {
            assert_eq!(resolution_ms(&time), milliseconds, "{time}");
        }
        assert!(
            time_of(&json!("2024-01-01T00:00:01Z")) > time_of(&json!("2024-01-01T02:00:00+02:00"))
        );
    }
}
