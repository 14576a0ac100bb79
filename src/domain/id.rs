//! Identifiers that sort by the second of their making.

use jiff::Timestamp;
use svix_ksuid::{Ksuid, KsuidLike};

/// `prefix` and a KSUID: 27 base62 characters that hold the time (to the second) and 128 random bits.
///
/// The shape of every Conduit id (decision C-30).
pub fn ksuid(prefix: &str, now: Timestamp, entropy: [u8; 16]) -> String {
    format!("{prefix}{}", Ksuid::new(Some(now), Some(&entropy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ksuid_has_27_base62_characters_whatever_the_entropy() {
        let now: Timestamp = "2024-11-10T17:24:42Z".parse().unwrap();
        for entropy in [[0; 16], [255; 16]] {
            let id = ksuid("whk_", now, entropy);
            let rest = id.strip_prefix("whk_").unwrap();
            assert_eq!(rest.len(), 27);
            assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn the_documented_client_id_lies_within_its_second() {
        // Contract, section 1.1: `2ofTA13...` decodes to 2024-11-10T17:24:42Z; base62 sorts as its bytes do.
        let now = "2024-11-10T17:24:42Z".parse().unwrap();
        let documented = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
        assert!(ksuid("client_", now, [0; 16]).as_str() <= documented);
        assert!(documented <= ksuid("client_", now, [255; 16]).as_str());
    }
}
