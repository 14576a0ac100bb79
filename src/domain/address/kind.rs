//! The kinds of special-purpose addresses, as IANA's registries have them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

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

/// The kind of an IPv4 address that is not public.
pub(super) fn kind_of_v4(ip: Ipv4Addr) -> Option<AddressKind> {
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
pub(super) fn kind_of_v6(ip: Ipv6Addr) -> Option<(Option<Ipv4Addr>, AddressKind)> {
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
