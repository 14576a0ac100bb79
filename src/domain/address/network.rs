//! A range of addresses: how it is written, and what is in it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses in CIDR notation. A bare address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

/// Why a text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// There is no address before the slash.
    #[error(
        "`{0}` is not a network: expected an address such as 10.1.2.3 or ::1, a range such as 10.0.0.0/8, or `private`"
    )]
    Address(String),
    /// The prefix is not a number, or is longer than the address.
    #[error("`{text}` is not a network: the number after the slash must be from 0 to {longest}")]
    Prefix {
        /// The text.
        text: String,
        /// The longest prefix of this kind of address.
        longest: u8,
    },
    /// The address is inside of the range, not its beginning: one of the two is a mistake.
    #[error("`{text}` is not a network: with this prefix it begins at {beginning}")]
    Beginning {
        /// The text.
        text: String,
        /// The same range as it should be written.
        beginning: Network,
    },
}

impl Network {
    /// Whether an address is in it.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        match (self.first, ip) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => {
                first.to_bits() == ip.to_bits() & mask_of_v4(self.prefix)
            }
            (IpAddr::V6(first), IpAddr::V6(ip)) => {
                first.to_bits() == ip.to_bits() & mask_of_v6(self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

fn mask_of_v4(prefix: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix))
        .unwrap_or_default()
}

fn mask_of_v6(prefix: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix))
        .unwrap_or_default()
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => (address, Some(prefix)),
        };
        let given: IpAddr = address
            .parse()
            .map_err(|_| InvalidNetwork::Address(text.to_owned()))?;
        let longest = if given.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= longest && digits.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| InvalidNetwork::Prefix {
                    text: text.to_owned(),
                    longest,
                })?,
        };
        let first = match given {
            IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & mask_of_v4(prefix)).into(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & mask_of_v6(prefix)).into(),
        };
        let network = Self { first, prefix };
        if first == given {
            Ok(network)
        } else {
            Err(InvalidNetwork::Beginning {
                text: text.to_owned(),
                beginning: network,
            })
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_read_as_they_are_written() {
        for (text, written) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::1/128", "::1/128"),
            ("::1", "::1/128"),
            ("FD00::/8", "fd00::/8"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network(text).to_string(), written);
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "expected an address such as"),
            ("example.com", "expected an address such as"),
            ("10.0.0", "expected an address such as"),
            ("010.0.0.1", "expected an address such as"),
            ("[::1]", "expected an address such as"),
            ("fe80::1%eth0", "expected an address such as"),
            ("10.0.0.0/", "must be from 0 to 32"),
            ("10.0.0.0/33", "must be from 0 to 32"),
            ("10.0.0.0/+8", "must be from 0 to 32"),
            ("10.0.0.0/8/8", "must be from 0 to 32"),
            ("10.0.0.0/255.0.0.0", "must be from 0 to 32"),
            ("::/129", "must be from 0 to 128"),
            ("::/-1", "must be from 0 to 128"),
            ("10.1.2.3/8", "it begins at 10.0.0.0/8"),
            ("fd00::1/8", "it begins at fd00::/8"),
        ] {
            let message = text.parse::<Network>().unwrap_err().to_string();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}
