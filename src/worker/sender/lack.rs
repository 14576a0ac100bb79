//! From errors of the operating system to what this machine lacks.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use rustix::io::Errno;

use crate::domain::Lack;

/// The lack that an error of a socket shows: `EMFILE` and `ENFILE`; `ENOMEM`, `ENOBUFS`, and `ENOSPC` of epoll.
pub(super) fn lacking(error: &io::Error) -> Option<Lack> {
    match Errno::from_io_error(error)? {
        Errno::MFILE | Errno::NFILE => Some(Lack::Files),
        Errno::NOMEM | Errno::NOBUFS | Errno::NOSPC => Some(Lack::Memory),
        _ => None,
    }
}

/// The lack that an error of connecting to `address` shows.
///
/// `EADDRNOTAVAIL` has two meanings: no local port is left, or there is no local address of this family at all. Only the first will
/// pass. A datagram socket tells them apart: its ports are others, and connecting it sends nothing.
pub(super) fn lacking_to_connect(error: &io::Error, address: SocketAddr) -> Option<Lack> {
    if Errno::from_io_error(error) != Some(Errno::ADDRNOTAVAIL) {
        return lacking(error);
    }
    let any = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let probed = UdpSocket::bind(any).and_then(|socket| socket.connect(address));
    probed.is_ok().then_some(Lack::Ports)
}

/// The lack of this moment. For errors that do not say: a name may be unknown because its look-up got no socket.
pub(super) fn lacking_now() -> Option<Lack> {
    let probed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    probed.err().and_then(|error| lacking(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_lacks_is_told_from_what_the_receiver_does() {
        let of = |errno: Errno| lacking(&errno.into());
        assert_eq!(of(Errno::MFILE), Some(Lack::Files));
        assert_eq!(of(Errno::NFILE), Some(Lack::Files));
        assert_eq!(of(Errno::NOMEM), Some(Lack::Memory));
        assert_eq!(of(Errno::NOBUFS), Some(Lack::Memory));
        for errno in [
            Errno::CONNREFUSED,
            Errno::CONNRESET,
            Errno::HOSTUNREACH,
            Errno::NETUNREACH,
            Errno::TIMEDOUT,
            Errno::ACCESS,
        ] {
            assert_eq!(of(errno), None, "{errno}");
        }
        assert_eq!(lacking(&io::Error::other("no such name")), None);
    }

    #[test]
    fn a_missing_port_is_told_from_a_missing_address() {
        let error = || Errno::ADDRNOTAVAIL.into();
        let reachable = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        assert_eq!(lacking_to_connect(&error(), reachable), Some(Lack::Ports));
        // No route has a source address for it: connecting the datagram socket fails as well.
        let unreachable = SocketAddr::from((Ipv4Addr::BROADCAST, 9));
        assert_eq!(lacking_to_connect(&error(), unreachable), None);
    }
}
