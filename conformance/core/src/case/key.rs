//! Idempotency keys: each request has one of its own, which the server has not met in an earlier run.
//!
//! A key is made of the id of the run, the part of the run and a number, so that with the same id a run sends the same bytes. Reports show
//! [`RUN_ID`] in the place of the id: what they say does not differ from run to run, and a command line is sent again with another id.

use std::fmt;
use std::str::FromStr;

/// The name that reports show in the place of the id of a run.
pub const RUN_ID: &str = "RUN_ID";

/// The id that tells the idempotency keys of a run from those of others: eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(u32);

impl RunId {
    /// The id of a run with a number that no other run has, such as the time.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        // Half of the bits will do.
        Self((mixed >> 32) as u32)
    }

    /// The id as a number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0.into()
    }
}

impl Default for RunId {
    /// The same for all runs, for servers that forget.
    fn default() -> Self {
        Self(0xc0f0_a0e1)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

impl FromStr for RunId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_id = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(text, 16).ok().filter(|_| is_id);
        number
            .map(Self)
            .ok_or("write eight hexadecimal digits, such as 0a1b2c3d")
    }
}

/// The part of a run that sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Coverage,
    Random,
    Sample,
    SetUp,
    Flow,
    Again,
}

/// Whether a header tells one request from its repetition.
pub fn is_key(header: &str) -> bool {
    header.to_ascii_lowercase().contains("idempoten")
}

/// The key of a request in the forms that schemas may ask for. `operation` is the pointer of its operation, `number` its place among the
/// requests of that part.
pub fn forms(run: RunId, part: Part, operation: &str, number: u64) -> [String; 2] {
    // FNV-1a, so that operations do not share keys.
    let hash = operation.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let number = u64::from(hash >> 8) << 24 | number & 0xff_ffff;
    let part = part as u16;
    [
        format!("conformance-{run}-{part}-{number:x}"),
        format!("{run}-0000-4000-8{part:03x}-{number:012x}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_run_part_operation_and_number() {
        let (one, other) = (RunId::new(1), RunId::new(2));
        let mut all = std::collections::BTreeSet::new();
        for run in [one, other] {
            for part in [Part::Coverage, Part::Again] {
                for operation in ["/paths/~1a/post", "/paths/~1b/post"] {
                    for number in 0..3 {
                        let keys = forms(run, part, operation, number);
                        assert_eq!(keys[1].len(), 36, "a UUID");
                        assert!(keys.iter().all(|key| key.contains(&run.to_string())));
                        all.extend(keys);
                    }
                }
            }
        }
        assert_eq!(all.len(), 2 * 2 * 2 * 3 * 2);
    }

    #[test]
    fn the_id_of_a_run_is_eight_hexadecimal_digits() {
        let id: RunId = "0a1b2c3d".parse().unwrap();
        assert_eq!(id.to_string(), "0a1b2c3d");
        for text in ["", "0a1b2c3", "0a1b2c3d4", "+a1b2c3d", "0a1b2c3g"] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
