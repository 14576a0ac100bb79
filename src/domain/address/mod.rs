//! Which IP addresses may be dialled: what the sender asks of every address at the moment it dials.
//!
//! Pure. After IANA's special-purpose address registries: what they call globally reachable is allowed, all else is refused. An IPv6
//! address that carries an IPv4 address is judged by both. Not known here: NAT64 prefixes that a network chose itself; one who runs
//! such a network must keep it from reaching inside.

mod kind;
mod network;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

pub use self::kind::AddressKind;
pub use self::network::{InvalidNetwork, Network};

use self::kind::{kind_of_v4, kind_of_v6};

/// The addresses and schemes that may be dialed. The default allows public addresses over `https` alone.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// Networks that the operator allows whatever they are.
    pub allowed: Vec<Network>,
    /// Whether private networks are allowed: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` and `fc00::/7`, where those of containers
    /// are. Not the metadata addresses of clouds in them, and none of these within an address of another kind.
    pub private: bool,
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
            Some((None, AddressKind::Private | AddressKind::UniqueLocal)) if self.private => Ok(()),
            Some((embedded, kind)) => Err(Refusal {
                address: ip,
                embedded,
                kind,
            }),
        }
    }
}

impl Refusal {
    /// The kind of the address.
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
