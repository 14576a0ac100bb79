//! Which IP addresses may be dialled: what the sender asks of every address at the moment it dials.
//!
//! Pure. After IANA's special-purpose address registries: what they call globally reachable is allowed, all else is refused. An IPv6
//! address that carries an IPv4 address is judged by both. Not known here: NAT64 prefixes that a network chose itself; one who runs
//! such a network must keep it from reaching inside.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What may be dialled. The default allows public addresses over `https` alone.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// Networks that the operator allows whatever they are.
    pub allowed: Vec<Network>,
    /// Whether loopback is allowed: `127.0.0.0/8`, `::1` and their IPv4-mapped forms (sandbox mode).
    pub loopback: bool,
    /// Whether `http` is allowed beside `https` (sandbox mode).
    pub http: bool,
}

/// Why an address is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    address: IpAddr,
    embedded: Option<Ipv4Addr>,
    kind: AddressKind,
}

/// The kinds of address that are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`.
    Private,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// `100.64.0.0/10`.
    CarrierGradeNat,
    /// Where clouds tell a machine its credentials.
    Metadata,
    /// `198.18.0.0/15`.
    Benchmarking,
    /// `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24`, `2001:db8::/32`, `3fff::/20`.
    Documentation,
    /// `192.0.0.0/24`, `192.88.99.0/24`, `2001::/23`.
    Protocol,
    /// `0.0.0.0`, `::`.
    Unspecified,
    /// `0.0.0.0/8`.
    ThisNetwork,
    /// `255.255.255.255`.
    Broadcast,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// `fc00::/7`.
    UniqueLocal,
    /// `fec0::/10`.
    SiteLocal,
    /// `2001::/32`.
    Teredo,
    /// `2001:10::/28`, `2001:20::/28`.
    Orchid,
    /// `64:ff9b:1::/48`.
    LocalNat64,
    /// `100::/64`.
    Discard,
    /// `5f00::/16`.
    SegmentRouting,
    /// `240.0.0.0/4`, and all IPv6 outside of `2000::/3`.
    Reserved,
}

/// A range of addresses in CIDR notation. A bare address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// There is no address before the slash.
    #[error(
        "`{0}` is no network: expected an address such as 10.1.2.3 or ::1, or a range such as 10.0.0.0/8"
    )]
    Address(String),
    /// The prefix is no number, or is longer than the address.
    #[error("`{text}` is no network: the number after the slash must be from 0 to {longest}")]
    Prefix {
        /// The text.
        text: String,
        /// The longest prefix of this kind of address.
        longest: u8,
    },
    /// The address is inside of the range, not its beginning: one of the two is a mistake.
    #[error("`{text}` is no network: with this prefix it begins at {beginning}")]
    Beginning {
        /// The text.
        text: String,
        /// The same range as it should be written.
        beginning: Network,
    },
}

impl AddressPolicy {
    /// Whether `ip` may be dialled.
    ///
    /// # Errors
    /// [`Refusal`] says what kind of address it is.
    pub fn check(&self, ip: IpAddr) -> Result<(), Refusal> {
        // The operating system dials an IPv4-mapped address over IPv4: to the policy the two are the same.
        let canonical = ip.to_canonical();
        let allowed = |network: &Network| network.contains(ip) || network.contains(canonical);
        if self.allowed.iter().any(allowed) || (self.loopback && canonical.is_loopback()) {
            return Ok(());
        }
        let refused = match canonical {
            IpAddr::V4(v4) => kind_of_v4(v4).map(|kind| (None, kind)),
            IpAddr::V6(v6) => kind_of_v6(v6),
        };
        match refused {
            None => Ok(()),
            Some((embedded, kind)) => Err(Refusal {
                address: ip,
                embedded,
                kind,
            }),
        }
    }
}

fn kind_of_v4(ip: Ipv4Addr) -> Option<AddressKind> {
    use AddressKind as Kind;
    Some(match ip.octets() {
        [0, 0, 0, 0] => Kind::Unspecified,
        [0, ..] => Kind::ThisNetwork,
        [127, ..] => Kind::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Kind::Private,
        // AWS, Azure, Google Cloud and others; Alibaba Cloud; Oracle Cloud; Azure's WireServer, which is public by its number.
        [169, 254, 169, 254] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => {
            Kind::Metadata
        }
        [169, 254, ..] => Kind::LinkLocal,
        [100, 64..=127, ..] => Kind::CarrierGradeNat,
        [198, 18..=19, ..] => Kind::Benchmarking,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Kind::Documentation,
        [192, 0, 0, _] | [192, 88, 99, _] => Kind::Protocol,
        [224..=239, ..] => Kind::Multicast,
        [255, 255, 255, 255] => Kind::Broadcast,
        [240..=255, ..] => Kind::Reserved,
        _ => return None,
    })
}

/// The kind of an address that is not IPv4-mapped, and the IPv4 address in it where that one decided.
fn kind_of_v6(ip: Ipv6Addr) -> Option<(Option<Ipv4Addr>, AddressKind)> {
    use AddressKind as Kind;
    // RFC 4291 has `::` and `::1` in the range of the IPv4-compatible addresses; they embed nothing.
    if ip.is_unspecified() {
        return Some((None, Kind::Unspecified));
    }
    if ip.is_loopback() {
        return Some((None, Kind::Loopback));
    }
    if let Some(v4) = embedded_v4(ip)
        && let Some(kind) = kind_of_v4(v4)
    {
        return Some((Some(v4), kind));
    }
    let kind = match ip.segments() {
        // The well-known NAT64 prefix: how a network without IPv4 reaches public IPv4 receivers.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => return None,
        // Where the IPv4 address stands in here depends on the network (RFC 8215), so it cannot be judged by it.
        [0x64, 0xff9b, 1, ..] => Kind::LocalNat64,
        [0x100, 0, 0, 0 | 1, ..] => Kind::Discard,
        [0x5f00, ..] => Kind::SegmentRouting,
        // AWS and Google Cloud.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Kind::Metadata
        }
        [0xfc00..=0xfdff, ..] => Kind::UniqueLocal,
        [0xfe80..=0xfebf, ..] => Kind::LinkLocal,
        [0xfec0..=0xfeff, ..] => Kind::SiteLocal,
        [0xff00..=0xffff, ..] => Kind::Multicast,
        [0x2001, 0, ..] => Kind::Teredo,
        [0x2001, 0x10..=0x2f, ..] => Kind::Orchid,
        [0x2001, 0x01..=0x1ff, ..] => Kind::Protocol,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Kind::Documentation,
        [0x2000..=0x3fff, ..] => return None,
        _ => Kind::Reserved,
    };
    Some((None, kind))
}

/// The IPv4 address that a router or tunnel would take out of this IPv6 address.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    // IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765), NAT64 (RFC 6052), ISATAP (RFC 5214), 6to4 (RFC 3056).
    let ([0, 0, 0, 0, 0, 0, high, low]
    | [0, 0, 0, 0, 0xffff, 0, high, low]
    | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
    | [_, _, _, _, 0 | 0x200, 0x5efe, high, low]
    | [0x2002, high, low, ..]) = ip.segments()
    else {
        return None;
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

impl Refusal {
    /// What kind of address it is.
    pub fn kind(&self) -> AddressKind {
        self.kind
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            embedded,
            kind,
        } = self;
        match embedded {
            None => write!(f, "{address} is {kind}, which is not allowed"),
            Some(v4) => write!(f, "{address} stands for {v4}, {kind}, which is not allowed"),
        }
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::CarrierGradeNat => "a carrier-grade NAT address",
            Self::Metadata => "a cloud metadata address",
            Self::Benchmarking => "a benchmarking address",
            Self::Documentation => "a documentation address",
            Self::Protocol => "an IETF protocol address",
            Self::Unspecified => "the unspecified address",
            Self::ThisNetwork => "a \"this network\" address",
            Self::Broadcast => "the broadcast address",
            Self::Multicast => "a multicast address",
            Self::UniqueLocal => "a unique-local address",
            Self::SiteLocal => "a site-local address",
            Self::Teredo => "a Teredo address",
            Self::Orchid => "an ORCHID",
            Self::LocalNat64 => "a local-use NAT64 address",
            Self::Discard => "a discard address",
            Self::SegmentRouting => "a segment routing address",
            Self::Reserved => "a reserved address",
        })
    }
}

impl Network {
    fn contains(&self, ip: IpAddr) -> bool {
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
    use super::{AddressKind as Kind, *};

    const REFUSED: [(&str, AddressKind); 96] = [
        ("0.0.0.0", Kind::Unspecified),
        ("0.0.0.1", Kind::ThisNetwork),
        ("0.255.255.255", Kind::ThisNetwork),
        ("10.0.0.0", Kind::Private),
        ("10.255.255.255", Kind::Private),
        ("100.64.0.0", Kind::CarrierGradeNat),
        ("100.127.255.255", Kind::CarrierGradeNat),
        ("100.100.100.200", Kind::Metadata),
        ("127.0.0.0", Kind::Loopback),
        ("127.0.0.1", Kind::Loopback),
        ("127.1.2.3", Kind::Loopback),
        ("127.255.255.255", Kind::Loopback),
        ("168.63.129.16", Kind::Metadata),
        ("169.254.0.0", Kind::LinkLocal),
        ("169.254.169.253", Kind::LinkLocal),
        ("169.254.169.254", Kind::Metadata),
        ("169.254.255.255", Kind::LinkLocal),
        ("172.16.0.0", Kind::Private),
        ("172.31.255.255", Kind::Private),
        ("192.0.0.0", Kind::Protocol),
        ("192.0.0.8", Kind::Protocol),
        ("192.0.0.192", Kind::Metadata),
        ("192.0.2.1", Kind::Documentation),
        ("192.88.99.1", Kind::Protocol),
        ("192.168.0.0", Kind::Private),
        ("192.168.255.255", Kind::Private),
        ("198.18.0.0", Kind::Benchmarking),
        ("198.19.255.255", Kind::Benchmarking),
        ("198.51.100.7", Kind::Documentation),
        ("203.0.113.7", Kind::Documentation),
        ("224.0.0.1", Kind::Multicast),
        ("239.255.255.255", Kind::Multicast),
        ("240.0.0.0", Kind::Reserved),
        ("255.255.255.254", Kind::Reserved),
        ("255.255.255.255", Kind::Broadcast),
        ("::", Kind::Unspecified),
        ("::1", Kind::Loopback),
        ("0:0:0:0:0:0:0:1", Kind::Loopback),
        ("::2", Kind::ThisNetwork),
        ("::ffff:127.0.0.1", Kind::Loopback),
        ("::ffff:7f00:1", Kind::Loopback),
        ("0:0:0:0:0:ffff:7f00:0001", Kind::Loopback),
        ("::ffff:10.0.0.1", Kind::Private),
        ("::ffff:169.254.169.254", Kind::Metadata),
        ("::ffff:0.0.0.0", Kind::Unspecified),
        ("::ffff:255.255.255.255", Kind::Broadcast),
        ("::127.0.0.1", Kind::Loopback),
        ("::7f00:1", Kind::Loopback),
        ("::10.1.2.3", Kind::Private),
        ("::8.8.8.8", Kind::Reserved),
        ("::ffff:0:127.0.0.1", Kind::Loopback),
        ("::ffff:0:8.8.8.8", Kind::Reserved),
        ("64:ff9b::127.0.0.1", Kind::Loopback),
        ("64:ff9b::7f00:1", Kind::Loopback),
        ("64:ff9b::10.0.0.1", Kind::Private),
        ("64:ff9b::a9fe:a9fe", Kind::Metadata),
        ("64:ff9b::0.0.0.0", Kind::Unspecified),
        ("64:ff9b:0:1::8.8.8.8", Kind::Reserved),
        ("64:ff9b:1::127.0.0.1", Kind::LocalNat64),
        ("64:ff9b:1::8.8.8.8", Kind::LocalNat64),
        ("64:ff9b:1:7f00:0:100::", Kind::LocalNat64),
        ("100::", Kind::Discard),
        ("100::1", Kind::Discard),
        ("100:0:0:1::1", Kind::Discard),
        ("100:0:0:2::1", Kind::Reserved),
        ("1000::1", Kind::Reserved),
        ("1fff:ffff::", Kind::Reserved),
        ("2001::1", Kind::Teredo),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Kind::Teredo),
        ("2001:1::1", Kind::Protocol),
        ("2001:2::1", Kind::Protocol),
        ("2001:10::1", Kind::Orchid),
        ("2001:1f:ffff::", Kind::Orchid),
        ("2001:20::1", Kind::Orchid),
        ("2001:2f:ffff::", Kind::Orchid),
        ("2001:1ff:ffff::", Kind::Protocol),
        ("2001:db8::1", Kind::Documentation),
        ("2001:db8:ffff::", Kind::Documentation),
        ("2002:7f00:1::", Kind::Loopback),
        ("2002:a00:1::1", Kind::Private),
        ("2002:c0a8:101::1", Kind::Private),
        ("2002:a9fe:a9fe::1", Kind::Metadata),
        ("2a00:1450::5efe:10.0.0.1", Kind::Private),
        ("2a00:1450::200:5efe:127.0.0.1", Kind::Loopback),
        ("3fff::1", Kind::Documentation),
        ("3fff:fff:ffff::", Kind::Documentation),
        ("4000::1", Kind::Reserved),
        ("5f00::1", Kind::SegmentRouting),
        ("fc00::1", Kind::UniqueLocal),
        ("fd00:ec2::254", Kind::Metadata),
        ("fd00:ec2::253", Kind::UniqueLocal),
        ("fd20:ce::254", Kind::Metadata),
        ("fdff:ffff::1", Kind::UniqueLocal),
        ("fe80::1", Kind::LinkLocal),
        ("fec0::1", Kind::SiteLocal),
        ("ff02::1", Kind::Multicast),
    ];

    const PUBLIC: [&str; 26] = [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2002:808:808::1",
        "2606:4700:4700::1111",
        "3ffe:ffff::1",
    ];

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn every_special_address_is_refused_by_its_kind() {
        let policy = AddressPolicy::default();
        for (text, kind) in REFUSED {
            let refusal = policy.check(ip(text)).expect_err(text);
            assert_eq!(refusal.kind(), kind, "{text}");
            assert!(refusal.to_string().contains(&kind.to_string()), "{refusal}");
        }
    }

    #[test]
    fn public_addresses_up_to_the_edges_are_allowed() {
        for text in PUBLIC {
            assert_eq!(AddressPolicy::default().check(ip(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_sandbox_allows_loopback_and_nothing_else() {
        let sandbox = AddressPolicy {
            loopback: true,
            ..AddressPolicy::default()
        };
        let loopback = [
            "127.0.0.0",
            "127.0.0.1",
            "127.1.2.3",
            "127.255.255.255",
            "::1",
            "0:0:0:0:0:0:0:1",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "0:0:0:0:0:ffff:7f00:0001",
        ];
        for (text, kind) in REFUSED {
            let allowed = loopback.contains(&text);
            assert_eq!(sandbox.check(ip(text)).is_ok(), allowed, "{text}: {kind}");
        }
    }

    #[test]
    fn what_the_operator_allows_wins_over_every_refusal() {
        let policy = AddressPolicy {
            allowed: vec![
                network("10.0.0.0/8"),
                network("::1/128"),
                network("fe80::/10"),
            ],
            ..AddressPolicy::default()
        };
        for text in [
            "10.0.0.0",
            "10.255.255.255",
            "::ffff:10.1.2.3",
            "::1",
            "fe80::7",
        ] {
            assert_eq!(policy.check(ip(text)), Ok(()), "{text}");
        }
        // A translator or tunnel may lead elsewhere than to the 10.0.0.0/8 that was meant.
        for text in [
            "11.0.0.1",
            "127.0.0.1",
            "::2",
            "64:ff9b::10.1.2.3",
            "2002:a00:1::",
        ] {
            let expected = text == "11.0.0.1";
            assert_eq!(policy.check(ip(text)).is_ok(), expected, "{text}");
        }
        let everything = AddressPolicy {
            allowed: vec![network("0.0.0.0/0"), network("::/0")],
            ..AddressPolicy::default()
        };
        for (text, _) in REFUSED {
            assert_eq!(everything.check(ip(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let message = |text| {
            AddressPolicy::default()
                .check(ip(text))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message("127.0.0.1"),
            "127.0.0.1 is a loopback address, which is not allowed"
        );
        assert_eq!(
            message("::ffff:10.0.0.1"),
            "::ffff:10.0.0.1 is a private address, which is not allowed"
        );
        assert_eq!(
            message("64:ff9b::a9fe:a9fe"),
            "64:ff9b::a9fe:a9fe stands for 169.254.169.254, a cloud metadata address, which is not allowed"
        );
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
