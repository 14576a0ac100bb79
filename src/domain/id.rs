//! Identifiers that sort by the time of their making.

use jiff::Timestamp;
use svix_ksuid::{Ksuid, KsuidLike};

/// `prefix` and a KSUID: 27 base62 characters that hold the time and 108 random bits.
///
/// The shape of every Conduit id (decision C-30). A KSUID has the second and 128 bits of its maker's; here the first 20 of these are
/// the microseconds, so that ids made within a second sort by time and an index of them grows at its end.
pub fn ksuid(prefix: &str, now: Timestamp, entropy: [u8; 16]) -> String {
    let microseconds = u32::try_from(now.subsec_nanosecond() / 1_000).unwrap_or_default();
    let mut entropy = entropy;
    let [_, high, middle, low] = (microseconds << 4).to_be_bytes();
    entropy[0] = high;
    entropy[1] = middle;
    entropy[2] = low | (entropy[2] & 0x0f);
    format!("{prefix}{}", Ksuid::new(Some(now), Some(&entropy)))
}

/// The 16 bytes behind the second in what [`ksuid`] made; `None` for any other text.
pub(crate) fn ksuid_entropy(prefix: &str, id: &str) -> Option<[u8; 16]> {
    let digits = id.strip_prefix(prefix)?;
    if digits.len() != 27 || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Ksuid::from_base62(digits).ok()?.payload().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entropy_of_a_ksuid_is_read_from_it_and_from_nothing_else() {
        let now: Timestamp = "2024-11-10T17:24:42.123456Z".parse().unwrap();
        let id = ksuid("evt_", now, [0xab; 16]);
        let entropy = ksuid_entropy("evt_", &id).unwrap();
        assert_eq!(ksuid("evt_", now, entropy), id);
        assert_eq!(entropy[3..], [0xab; 13]);
        for other in [
            "",
            "evt_",
            "evt_1",
            &id[4..],
            &format!("{id}0"),
            "evt_äääääääääääääabcd",
        ] {
            assert_eq!(ksuid_entropy("evt_", other), None, "{other}");
        }
        let _ = ksuid_entropy("evt_", &format!("evt_{}", "z".repeat(27)));
    }

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
        let end = "2024-11-10T17:24:42.999999Z".parse().unwrap();
        assert!(ksuid("client_", now, [0; 16]).as_str() <= documented);
        assert!(documented <= ksuid("client_", end, [255; 16]).as_str());
    }

    #[test]
    fn ids_of_one_second_sort_by_their_microsecond_whatever_the_entropy() {
        let earlier = "2024-11-10T17:24:42.000001Z".parse().unwrap();
        let later = "2024-11-10T17:24:42.000002Z".parse().unwrap();
        assert!(ksuid("evt_", earlier, [255; 16]) < ksuid("evt_", later, [0; 16]));
    }
}
