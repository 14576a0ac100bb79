//! YAML scalars to JSON values, by the core schema of YAML 1.2.

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::Value;

use super::error::Problem;
use super::json::{number, shortened};
use super::number::Decimal;
use super::position::Position;

/// A value, and the number that it does not hold exactly.
#[derive(Debug, PartialEq)]
pub(super) struct Scalar {
    pub(super) value: Value,
    pub(super) exact: Option<Decimal>,
}

impl From<Value> for Scalar {
    fn from(value: Value) -> Self {
        Self { value, exact: None }
    }
}

/// Says that a tag is none of the core schema, or stands where it does not fit.
pub(super) fn unknown_tag(tag: &Tag, at: Position) -> Problem {
    Problem::new(
        at,
        format!(
            "the tag {} is not supported here",
            shortened(&tag.to_string())
        ),
        "remove the tag",
    )
}

/// The value of a scalar: by its tag, or a string when it is quoted, or by what it looks like.
pub(super) fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    at: Position,
) -> Result<Scalar, Problem> {
    let string = || Ok(Value::String(text.to_owned()).into());
    let core = match tag {
        None if style == ScalarStyle::Plain => return plain(text, at),
        None => return string(),
        Some(tag) if tag.is_yaml_core_schema() => tag,
        // `! text` is the non-specific tag: a string.
        Some(tag) if tag.suffix == "!" || tag.suffix.is_empty() => return string(),
        Some(tag) => return Err(unknown_tag(tag, at)),
    };
    if core.suffix == "str" {
        return string();
    }
    let scalar = plain(text, at)?;
    match (core.suffix.as_str(), &scalar.value) {
        ("int" | "float", Value::Number(_)) | ("bool", Value::Bool(_)) | ("null", Value::Null) => {
            Ok(scalar)
        }
        _ => Err(unknown_tag(core, at)),
    }
}

/// Resolves a plain scalar by YAML 1.2.2, 10.3.2.
fn plain(text: &str, at: Position) -> Result<Scalar, Problem> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null.into()),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true).into()),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false).into()),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let not_json = || {
        Problem::new(
            at,
            format!("the number {} has no JSON form", shortened(text)),
            "write a number in the range of a 64-bit float, or quote it",
        )
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(not_json());
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text
            .strip_prefix(prefix)
            .filter(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
        {
            return u64::from_str_radix(digits, radix)
                .map(|number| Value::from(number).into())
                .map_err(|_| not_json());
        }
    }
    match decimal(text) {
        None => Ok(Value::String(text.to_owned()).into()),
        Some(json) => {
            let number = number(&json).ok_or_else(not_json)?;
            Ok(Scalar {
                exact: Decimal::lost(&json, &number),
                value: Value::Number(number),
            })
        }
    }
}

/// The JSON spelling of a YAML integer or float, which may have a sign, leading zeros, and no digits on one side of the point.
fn decimal(text: &str) -> Option<String> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if !digits(whole)
        || !digits(fraction.unwrap_or_default())
        || (whole.is_empty() && fraction.unwrap_or_default().is_empty())
    {
        return None;
    }
    let mut json = String::from(sign);
    let trimmed = whole.trim_start_matches('0');
    json.push_str(if trimmed.is_empty() { "0" } else { trimmed });
    if let Some(fraction) = fraction.filter(|fraction| !fraction.is_empty()) {
        json.push('.');
        json.push_str(fraction);
    }
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if power.is_empty() || !digits(power) {
            return None;
        }
        json.push('e');
        json.push_str(exponent);
    }
    Some(json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, value) in [
            ("yes", json!("yes")),
            ("no", json!("no")),
            ("on", json!("on")),
            ("1.10", json!(1.1)),
            ("007", json!(7)),
            ("+3", json!(3)),
            (".5", json!(0.5)),
            ("5.", json!(5)),
            ("-1e3", json!(-1e3)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("1_000", json!("1_000")),
            ("2024-12-01", json!("2024-12-01")),
            ("1.2.3", json!("1.2.3")),
            ("~", json!(null)),
            ("", json!(null)),
            ("True", json!(true)),
            ("tRUE", json!("tRUE")),
            ("e3", json!("e3")),
            ("1e", json!("1e")),
            ("-", json!("-")),
            (".", json!(".")),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            let at = Position::START;
            assert_eq!(
                scalar(text, ScalarStyle::Plain, None, at).unwrap().value,
                value,
                "{text}"
            );
            let quoted = scalar(text, ScalarStyle::SingleQuoted, None, at).unwrap();
            assert_eq!(quoted, json!(text).into());
        }
    }
}
