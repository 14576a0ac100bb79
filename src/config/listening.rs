//! Where the server listens, by which names it is reached, and below which path.

use std::net::{SocketAddr, ToSocketAddrs};

use super::{ConfigError, Mode};
use crate::domain::HostNames;
use crate::provider::PROVIDERS;

/// By which names the server may be reached: in sandbox mode, whose credentials are public, by those of loopback and the given ones.
pub(super) fn hosts(
    mode: Mode,
    allowed: Option<&[String]>,
) -> Result<Option<HostNames>, ConfigError> {
    let names = allowed.unwrap_or_default();
    match mode {
        Mode::Sandbox => HostNames::new(names.iter().map(String::as_str))
            .map(Some)
            .map_err(|fault| {
                ConfigError::Invalid(format!("--allow-host {}: {fault}", names.join(",")))
            }),
        Mode::Production if names.is_empty() => Ok(None),
        Mode::Production => Err(ConfigError::Invalid(
            "--allow-host is for sandbox mode: in production no credentials are public, and every name is answered"
                .to_owned(),
        )),
    }
}

/// The first segments of the server's own paths, beside those of the providers.
const OWN_SEGMENTS: [&str; 4] = ["docs", "health", "metrics", "operator"];

/// Reads a path such as `/hooks`; `/` stands for none.
///
/// A path of the server's own is refused: with `/docs`, it could not be told whether the proxy took the base path of `/docs/` away.
pub(super) fn base_path(text: &str) -> Result<String, ConfigError> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_sound =
        |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
    let is_own = |segment| {
        let mut providers = PROVIDERS.iter().map(|provider| provider.name());
        OWN_SEGMENTS.contains(&segment) || providers.any(|name| name.as_str() == segment)
    };
    match path.strip_prefix('/') {
        None if path.is_empty() => Ok(String::new()),
        Some(segments) if segments.split('/').any(is_own) => Err(ConfigError::Invalid(format!(
            "--base-path {text}: the server has a path of this name itself; choose another, such as /hooks"
        ))),
        Some(segments) if segments.split('/').all(is_sound) => Ok(path.to_owned()),
        _ => Err(ConfigError::Invalid(format!(
            "--base-path {text}: write a path such as /hooks, of letters, digits and - . _ ~"
        ))),
    }
}

/// The addresses of `text`, which `flag` gives: on loopback, unless others may reach the server by a name.
pub(super) fn listen(
    flag: &str,
    text: &str,
    hosts: Option<&HostNames>,
) -> Result<Vec<SocketAddr>, ConfigError> {
    let invalid = |message: String| Err(ConfigError::Invalid(message));
    let port = text.strip_prefix(':').unwrap_or(text);
    if port.parse::<u16>().is_ok() {
        return invalid(format!(
            "{flag} {text} does not say on which address to listen; write 127.0.0.1:{port} for this machine alone, or 0.0.0.0:{port} for all \
             addresses"
        ));
    }
    let addresses: Vec<SocketAddr> = match text.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            return invalid(format!(
                "{flag} {text} is not a HOST:PORT to listen on: {error}"
            ));
        }
    };
    let loopback = addresses.iter().all(|address| address.ip().is_loopback());
    if hosts.is_some_and(|hosts| !hosts.has_more_than_loopback()) && !loopback {
        return invalid(format!(
            "sandbox mode has public credentials, so it listens on loopback only: {flag} {text} needs --mode production, or \
             --allow-host NAME for the names by which others may reach it"
        ));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_has_plain_segments_and_may_end_with_a_slash() {
        for (text, path) in [
            ("", ""),
            ("/", ""),
            ("/hooks", "/hooks"),
            ("/hooks/", "/hooks"),
            ("/a/b-c_d.e~f/1", "/a/b-c_d.e~f/1"),
        ] {
            assert_eq!(base_path(text).unwrap(), path, "{text}");
        }
        for text in [
            "hooks",
            "//",
            "/a//b",
            "/a/../b",
            "/.",
            "/a b",
            "/a?b",
            "/%61",
            "/ä",
            "http://a/b",
            "/operator",
            "/a/docs/",
            &format!("/{}", PROVIDERS[0].name().as_str()),
        ] {
            let fault = base_path(text).unwrap_err().to_string();
            assert!(
                fault.starts_with(&format!("--base-path {text}: ")),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_port_without_an_address_is_refused_beside_what_to_write() {
        for text in [":8080", "8080"] {
            let fault = listen("--listen", text, None).unwrap_err().to_string();
            assert!(
                fault.starts_with(&format!("--listen {text} does not say"))
                    && fault.contains(" 127.0.0.1:8080 "),
                "{fault}"
            );
        }
    }

    #[test]
    fn only_a_sandbox_checks_names_and_only_with_one_it_listens_beyond_loopback() {
        let named = ["truehook".to_owned()];
        let (none, some) = (None, Some(named.as_slice()));
        assert_eq!(hosts(Mode::Production, none).unwrap(), None);
        assert!(hosts(Mode::Production, some).is_err());
        let loopback = hosts(Mode::Sandbox, none).unwrap().unwrap();
        let reachable = hosts(Mode::Sandbox, some).unwrap().unwrap();
        assert!(!loopback.accept("truehook") && reachable.accept("truehook"));
        for (hosts, others) in [
            (Some(&loopback), false),
            (Some(&reachable), true),
            (None, true),
        ] {
            assert!(listen("--listen", "127.0.0.1:0", hosts).is_ok());
            assert_eq!(listen("--listen", "0.0.0.0:0", hosts).is_ok(), others);
        }
        assert!(hosts(Mode::Sandbox, Some(&["a:80".to_owned()])).is_err());
    }
}
