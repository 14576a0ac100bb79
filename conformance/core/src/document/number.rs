//! Decimal numbers of any size, for what a 64-bit number does not hold.
//!
//! A JSON number of the model is an `i64`, `u64` or `f64`. It stands for the decimal number that is its shortest spelling, so `0.1` is
//! one tenth. A number whose text says something else, such as `18446744073709551617`, is noted with its digits.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, BigUint};
use serde_json::Number;

/// Significant digits that every `f64` keeps.
const KEPT: usize = 15;

/// The most digits of numbers that are divided: division takes time by their square.
const DIVIDED: usize = 4_000;

/// The highest power of ten that numbers are multiplied by.
const SCALED: u32 = 1_000;

/// A decimal number: its digits, as a whole number, times a power of ten.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads the text of a JSON number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match rest.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let after = i64::try_from(fraction.len()).ok()?;
        let all = digits.len();
        digits.truncate(digits.trim_end_matches('0').len());
        let zeros = i64::try_from(all - digits.len()).ok()?;
        digits.drain(..digits.len() - digits.trim_start_matches('0').len());
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        Some(Self {
            negative,
            digits,
            exponent: i64::from(power) - after + zeros,
        })
    }

    /// The number that a number of the model stands for.
    pub fn of(number: &Number) -> Self {
        Self::parse(&number.to_string()).unwrap_or(Self {
            negative: false,
            digits: String::new(),
            exponent: 0,
        })
    }

    /// Returns the number that `text` says, if `number`, which was read from it, is another one.
    pub(super) fn lost(text: &str, number: &Number) -> Option<Self> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let plain = digits <= KEPT && !text.contains(['e', 'E']);
        if plain || number.is_u64() || number.is_i64() {
            return None;
        }
        let exact = Self::parse(text)?;
        (exact != Self::of(number)).then_some(exact)
    }

    /// Whether the number is above zero.
    pub(crate) fn is_positive(&self) -> bool {
        !self.negative && !self.digits.is_empty()
    }

    /// Whether the number has no fraction.
    pub(crate) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The number times this power of ten, where that is whole and not too large.
    pub(crate) fn scaled(&self, places: u32) -> Option<BigInt> {
        let power = u32::try_from(self.exponent + i64::from(places)).ok()?;
        if power > SCALED || self.digits.len() > DIVIDED {
            return None;
        }
        let digits = match self.digits.as_str() {
            "" => BigInt::ZERO,
            digits => BigInt::parse_bytes(digits.as_bytes(), 10)?,
        };
        let size = digits * BigInt::from(10u8).pow(power);
        Some(if self.negative { -size } else { size })
    }

    /// How many digits there are behind the point.
    pub(crate) fn places(&self) -> Option<u32> {
        u32::try_from(-self.exponent.min(0)).ok()
    }

    /// Whether the number is a whole multiple of `step`; none where `step` is zero or there are too many digits.
    pub(crate) fn is_multiple_of(&self, step: &Self) -> Option<bool> {
        if step.digits.is_empty() || self.digits.len().max(step.digits.len()) > DIVIDED {
            return None;
        }
        if self.digits.is_empty() {
            return Some(true);
        }
        // Digits do not end in a zero, so no power of ten divides them.
        let Ok(power) = u64::try_from(self.exponent - step.exponent) else {
            return Some(false);
        };
        let whole = |one: &Self| BigUint::parse_bytes(one.digits.as_bytes(), 10);
        let (number, step) = (whole(self)?, whole(step)?);
        let power = BigUint::from(10u8).modpow(&power.into(), &step);
        Some((number * power) % step == BigUint::ZERO)
    }

    /// The power of ten that the number is less than, its sign aside.
    fn magnitude(&self) -> i64 {
        self.exponent + i64::try_from(self.digits.len()).unwrap_or(i64::MAX / 2)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |one: &Self| match (one.digits.is_empty(), one.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        // Digits without zeros at their ends compare as text.
        let size = || {
            let magnitudes = self.magnitude().cmp(&other.magnitude());
            magnitudes.then_with(|| self.digits.cmp(&other.digits))
        };
        match sign(self).cmp(&sign(other)) {
            Ordering::Equal if self.digits.is_empty() => Ordering::Equal,
            Ordering::Equal if self.negative => size().reverse(),
            Ordering::Equal => size(),
            unequal => unequal,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Longest run of zeros that is written out.
const ZEROS: i64 = 40;

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
        let magnitude = self.magnitude();
        if (0..=ZEROS).contains(&self.exponent) {
            write!(f, "{}{}", self.digits, zeros(self.exponent))
        } else if self.exponent < 0 && magnitude > 0 {
            let point = usize::try_from(magnitude).unwrap_or_default();
            write!(f, "{}.{}", &self.digits[..point], &self.digits[point..])
        } else if self.exponent < 0 && magnitude > -ZEROS {
            write!(f, "0.{}{}", zeros(-magnitude), self.digits)
        } else {
            write!(f, "{}e{}", self.digits, self.exponent)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (one, other) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("0.10", "1e-1"),
            ("-0", "0"),
            ("18446744073709551616", "1.8446744073709551616E+19"),
        ] {
            assert_eq!(decimal(one), decimal(other));
        }
    }

    #[test]
    fn numbers_are_ordered_whatever_their_size() {
        let ordered = [
            "-1e30",
            "-18446744073709551617",
            "-18446744073709551616",
            "-2.5",
            "-0.1",
            "0",
            "1e-400",
            "0.1",
            "0.1000000000000000055511151231257827",
            "1",
            "9",
            "10",
            "18446744073709551616",
            "18446744073709551617",
            "1e30",
        ];
        for pair in ordered.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn numbers_are_divided_by_all_their_digits() {
        let divides = |step: &str, number: &str| decimal(number).is_multiple_of(&decimal(step));
        for (step, number) in [
            ("0.1", "0.3"),
            ("3", "0"),
            ("1e-20", "7"),
            ("0.3", "-0.9"),
            ("18446744073709551616", "36893488147419103232"),
            ("9007199254740993", "18014398509481986"),
            ("2", "1e1000000"),
            ("1.5", "6"),
        ] {
            assert_eq!(divides(step, number), Some(true), "{step} {number}");
        }
        for (step, number) in [
            ("0.3", "0.1"),
            ("0.1", "0.10000000000000000000001"),
            ("9007199254740993", "9007199254740992"),
            ("36893488147419103232", "18446744073709551616"),
            ("3", "1e1000000"),
            ("1e1000000", "1"),
        ] {
            assert_eq!(divides(step, number), Some(false), "{step} {number}");
        }
        assert_eq!(divides("0", "1"), None);
        assert_eq!(divides(&"7".repeat(9_000), "1"), None);
    }

    #[test]
    fn only_what_a_64_bit_number_does_not_say_is_noted() {
        let lost = |text: &str| {
            let number: Number = serde_json::from_str(text).expect(text);
            Decimal::lost(text, &number).map(|exact| exact.to_string())
        };
        for text in [
            "0",
            "0.1",
            "1.10",
            "1e2",
            "1e300",
            "18446744073709551615",
            "-9223372036854775808",
            "100000000000000000000",
            "0.30000000000000004",
        ] {
            assert_eq!(lost(text), None, "{text}");
        }
        for text in [
            "18446744073709551616",
            "18446744073709551617",
            "-9223372036854775809",
            "0.1000000000000000055511151231257827",
            "123456789012345678.5",
        ] {
            assert_eq!(lost(text).as_deref(), Some(text));
        }
        assert_eq!(lost("1e-400").as_deref(), Some("1e-400"));
    }
}
