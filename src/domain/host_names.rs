//! By which names a server in sandbox mode may be reached.
//!
//! Its credentials are public, so nothing but the name keeps other people's pages out: a page in the developer's browser can point a name
//! of its own at 127.0.0.1 (DNS rebinding) and then read and change everything here. The browser sends that name as `Host`.

use std::net::IpAddr;
use std::str::FromStr;

/// The names of loopback, and those that the operator adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostNames(Vec<String>);

/// A text that is not a host name or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a host name or an address without a port, such as truehook or 192.168.0.7")]
pub struct InvalidHostName;

impl HostNames {
    /// Adds names and addresses, without ports, to those of loopback.
    ///
    /// # Errors
    /// [`InvalidHostName`] when one of them is neither a name nor an address.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidHostName> {
        let names = names.into_iter().map(|name| {
            let name = canonical(name.trim());
            let is_name = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
            if !name.is_empty() && (is_name || address(&name).is_some()) {
                Ok(name)
            } else {
                Err(InvalidHostName)
            }
        });
        names.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request for `host`, which may have a port, is meant for this server.
    pub fn accept(&self, host: &str) -> bool {
        let Some(name) = without_port(host).map(canonical) else {
            return false;
        };
        let loopback = match address(&name) {
            Some(address) => address.to_canonical().is_loopback(),
            None => name == "localhost" || name.ends_with(".localhost"),
        };
        loopback || self.0.contains(&name)
    }

    /// Whether any name was added to those of loopback.
    pub fn has_more_than_loopback(&self) -> bool {
        !self.0.is_empty()
    }
}

/// In lower case, and without the dot that may end a full name or the brackets of an IPv6 address.
fn canonical(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    // One address has many spellings in IPv6.
    address(bare).map_or_else(|| bare.to_ascii_lowercase(), |address| address.to_string())
}

fn address(name: &str) -> Option<IpAddr> {
    IpAddr::from_str(name).ok()
}

/// The host of `host:port`; none where the port is not a number.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.rfind([':', ']']) {
        Some(colon) if host[colon..].starts_with(':') => (&host[..colon], &host[colon + 1..]),
        _ => (host, ""),
    };
    port.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_loopback_are_accepted_on_any_port() {
        let names = HostNames::default();
        for host in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "truehook.localhost:1",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.255.0.3",
            "[::1]",
            "[::1]:8080",
            "[0:0:0:0:0:0:0:1]:80",
            "[::ffff:127.0.0.1]:80",
            "localhost:",
        ] {
            assert!(names.accept(host), "{host}");
        }
    }

    #[test]
    fn every_other_name_is_refused_however_much_it_looks_like_loopback() {
        let names = HostNames::default();
        for host in [
            "",
            ":8080",
            "rebound.test",
            "rebound.test:8080",
            "127.0.0.1.rebound.test",
            "localhost.rebound.test",
            "notlocalhost",
            "0.0.0.0:8080",
            "[::]:8080",
            "192.168.0.7",
            "user@localhost",
            "localhost:80:80",
            "localhost:x",
            "rebound.test@127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "[::1",
            "::1]:80",
            "truehook",
        ] {
            assert!(!names.accept(host), "{host}");
        }
    }

    #[test]
    fn names_of_the_operator_are_accepted_in_any_case_beside_those_of_loopback() {
        let names = HostNames::new(["Truehook.", "10.0.0.7", "[FD00::0:1]"]).unwrap();
        for host in [
            "truehook",
            "TRUEHOOK:8080",
            "truehook.",
            "10.0.0.7:80",
            "[fd00::1]:80",
            "localhost",
        ] {
            assert!(names.accept(host), "{host}");
        }
        for host in ["a.truehook", "truehook.test", "10.0.0.8", "[fd00::2]"] {
            assert!(!names.accept(host), "{host}");
        }
        for name in ["", "a:80", "http://a", "a/b", "*", "a b", "ä"] {
            assert_eq!(HostNames::new([name]), Err(InvalidHostName), "{name}");
        }
    }
}
