//! The way to receivers: which addresses may be dialed, through which proxy, and which certificate authorities are trusted beside those
//! of the system.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use serde::Deserialize;
use url::Url;

use super::{ConfigError, Mode, secret};
use crate::domain::{AddressPolicy, InvalidNetwork, Secret};

const DEFAULT_CONNECTION_AGE: u32 = 60;

/// The port of a proxy whose URL names none.
const DEFAULT_PORT: u16 = 80;

/// The word for all private networks.
const PRIVATE: &str = "private";

/// The settings of the way to receivers.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EgressSettings {
    /// An HTTP proxy that every delivery goes through, as `http://[USER:PASSWORD@]HOST[:PORT]`: a tunnel by CONNECT, to http receivers too.
    /// The server resolves names and checks addresses as without it, and asks the proxy for the address; the address of the proxy
    /// itself is not checked [default: none; `HTTPS_PROXY` and the like are not read]
    #[arg(
        long,
        env = "TRUEHOOK_EGRESS_PROXY",
        value_name = "URL",
        hide_env_values = true
    )]
    #[serde(default, deserialize_with = "secret")]
    pub egress_proxy: Option<Secret>,

    /// Let the egress proxy resolve names, for a network without DNS or a proxy that judges names. The server then cannot check what a
    /// name leads to: the proxy has to refuse internal addresses [default: false]
    #[arg(
        long,
        env = "TRUEHOOK_EGRESS_PROXY_RESOLVES",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub egress_proxy_resolves: Option<bool>,

    /// A PEM file with certificate authorities to trust beside those of the operating system, for receivers with certificates of a
    /// private one. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace those of the operating system [default: none]
    #[arg(long, env = "TRUEHOOK_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// How long a connection to a receiver takes requests before another is opened, in seconds: the name is resolved again for that one
    /// [default: 60]
    #[arg(long, env = "TRUEHOOK_CONNECTION_AGE_SECONDS", value_name = "SECONDS")]
    pub connection_age_seconds: Option<u32>,
}

/// The way to receivers.
#[derive(Debug, Clone)]
pub struct Egress {
    /// The proxy that every connection to a receiver goes through.
    pub proxy: Option<EgressProxy>,
    /// A file with more certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// The age at which a connection takes no further request.
    pub connection_age: Duration,
}

/// An HTTP proxy that opens tunnels to receivers.
#[derive(Debug, Clone)]
pub struct EgressProxy {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `USER:PASSWORD`, for `Proxy-Authorization: Basic`.
    pub credentials: Option<Secret>,
    /// Whether it resolves the names of receivers, so that only addresses in place of names are vetted here.
    pub resolves: bool,
}

impl EgressSettings {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            egress_proxy: self.egress_proxy.or(other.egress_proxy),
            egress_proxy_resolves: self.egress_proxy_resolves.or(other.egress_proxy_resolves),
            ca_file: self.ca_file.or(other.ca_file),
            connection_age_seconds: self.connection_age_seconds.or(other.connection_age_seconds),
        }
    }
}

impl Egress {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when the URL is not that of a proxy, there is none that could resolve names, or the age is 0.
    pub fn new(settings: EgressSettings) -> Result<Self, ConfigError> {
        let resolves = settings.egress_proxy_resolves.unwrap_or(false);
        let invalid = |message: &str| Err(ConfigError::Invalid(message.to_owned()));
        let proxy = match settings.egress_proxy {
            None if resolves => {
                return invalid("--egress-proxy-resolves needs --egress-proxy");
            }
            None => None,
            // The URL may hold a password: it is not repeated.
            Some(url) => match proxy(url.expose(), resolves) {
                Some(proxy) => Some(proxy),
                None => {
                    return invalid(
                        "--egress-proxy must be an http URL without path and query, such as http://proxy.example:3128; a user name \
                         and password may stand before the host, percent-encoded",
                    );
                }
            },
        };
        let age = settings.connection_age_seconds;
        if age == Some(0) {
            return invalid("--connection-age-seconds must be at least 1");
        }
        Ok(Self {
            proxy,
            ca_file: settings.ca_file,
            connection_age: Duration::from_secs(age.unwrap_or(DEFAULT_CONNECTION_AGE).into()),
        })
    }
}

fn proxy(url: &str, resolves: bool) -> Option<EgressProxy> {
    let url = Url::parse(url).ok()?;
    let usable = url.scheme() == "http"
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.port() != Some(0);
    if !usable {
        return None;
    }
    let decoded = |text: &str| {
        // The decoder is for forms, where `+` is a space.
        let text = text.replace('+', "%2B");
        let (name, _) = form_urlencoded::parse(text.as_bytes()).next()?;
        Some(name.into_owned())
    };
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => {
            let user = decoded(user).unwrap_or_default();
            // A colon would end the user name (RFC 7617, 2).
            if user.contains(':') {
                return None;
            }
            let password = decoded(password.unwrap_or_default()).unwrap_or_default();
            Some(Secret::new(format!("{user}:{password}")))
        }
    };
    Some(EgressProxy {
        host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(DEFAULT_PORT),
        credentials,
        resolves,
    })
}

/// Sandbox mode reaches receivers on loopback over plain HTTP; production neither, unless the operator allows an address.
pub(super) fn policy(mode: Mode, allowed: &[String]) -> Result<AddressPolicy, ConfigError> {
    let parse = |network: &&str| {
        let fault = |error: InvalidNetwork| {
            ConfigError::Invalid(format!("--allow-addresses {network}: {error}"))
        };
        network.parse().map_err(fault)
    };
    let sandbox = mode == Mode::Sandbox;
    let words = allowed.iter().map(|network| network.trim());
    let (private, networks): (Vec<&str>, Vec<&str>) = words.partition(|word| *word == PRIVATE);
    Ok(AddressPolicy {
        allowed: networks.iter().map(parse).collect::<Result<_, _>>()?,
        private: !private.is_empty(),
        loopback: sandbox,
        http: sandbox,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(url: &str) -> Result<EgressProxy, String> {
        let settings = EgressSettings {
            egress_proxy: Some(Secret::new(url)),
            ..EgressSettings::default()
        };
        let egress = Egress::new(settings).map_err(|error| error.to_string())?;
        Ok(egress.proxy.expect("a proxy was given"))
    }

    #[test]
    fn a_proxy_is_a_host_a_port_and_perhaps_credentials() {
        for (url, host, port, credentials) in [
            ("http://proxy.example", "proxy.example", 80, None),
            ("http://proxy.example:3128/", "proxy.example", 3128, None),
            ("http://[::1]:3128", "::1", 3128, None),
            ("http://u@10.0.0.1:1", "10.0.0.1", 1, Some("u:")),
            (
                "http://u:p%40s%3As+%2B%26%3D@h:1",
                "h",
                1,
                Some("u:p@s:s++&="),
            ),
        ] {
            let proxy = egress(url).unwrap();
            assert_eq!((proxy.host.as_str(), proxy.port), (host, port), "{url}");
            let found = proxy.credentials.as_ref().map(Secret::expose);
            assert_eq!(found, credentials, "{url}");
            assert!(!format!("{proxy:?}").contains("u:"), "{proxy:?}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_and_a_password_is_not_repeated() {
        for url in [
            "",
            "proxy.example:3128",
            "https://u:hunter2@proxy.example",
            "socks5://proxy.example",
            "http://",
            "http://proxy.example:0",
            "http://proxy.example:65536",
            "http://u:hunter2@proxy.example/path",
            "http://u:hunter2@proxy.example?x",
            "http://u%3A:hunter2@proxy.example",
        ] {
            let message = egress(url).unwrap_err();
            assert!(message.contains("--egress-proxy"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
        let no_age = EgressSettings {
            connection_age_seconds: Some(0),
            ..EgressSettings::default()
        };
        let message = Egress::new(no_age).unwrap_err().to_string();
        assert!(message.contains("at least 1"), "{message}");
        let alone = EgressSettings {
            egress_proxy_resolves: Some(true),
            ..EgressSettings::default()
        };
        let message = Egress::new(alone).unwrap_err().to_string();
        assert!(message.contains("needs --egress-proxy"), "{message}");
    }
}
