//! Where a PostgreSQL database is and how it is reached: a URL, read once.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use url::Url;

use crate::domain::Secret;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Where a PostgreSQL database is: `postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=...`, with the parameters of libpq for TLS.
///
/// Its `Display` has no password.
#[derive(Clone)]
pub struct PostgresAddress {
    pub(super) config: Config,
    pub(super) tls: Option<TlsFiles>,
    /// The URL of the connection that is woken by other nodes, where it is another.
    pub(super) listen: Option<Box<PostgresAddress>>,
}

/// The files of an encrypted connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    /// The certificate authorities; those of the system without.
    pub(super) roots: Option<PathBuf>,
    /// The certificate of this client and its key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

/// Why a URL names no PostgreSQL database, in one line that says what to do and has no password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPostgresAddress(String);

impl PostgresAddress {
    /// Reads a URL; `password` stands for the one that the URL may have.
    ///
    /// # Errors
    /// [`InvalidPostgresAddress`].
    pub fn new(text: &str, password: Option<Secret>) -> Result<Self, InvalidPostgresAddress> {
        let invalid = |reason: String| InvalidPostgresAddress(reason);
        let (text, hosts) = without_hosts(text);
        let mut url = Url::parse(&text).map_err(|error| {
            invalid(format!(
                "--database is not a URL ({error}); write postgres://USER@HOST:5432/NAME"
            ))
        })?;
        let mut mode = None;
        let (mut roots, mut certificate, mut key) = (None, None, None);
        let mut rest = Vec::new();
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => roots = Some(PathBuf::from(&*value)),
                "sslcert" => certificate = Some(PathBuf::from(&*value)),
                "sslkey" => key = Some(PathBuf::from(&*value)),
                _ => rest.push((name.into_owned(), value.into_owned())),
            }
        }
        url.set_query(None);
        if !rest.is_empty() {
            // Percent-encoded throughout: the reader of libpq's URLs takes `+` for itself.
            let pairs = rest.iter().map(|(name, value)| {
                let encode = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                format!("{}={}", encode(name), encode(value).replace('+', "%20"))
            });
            url.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
        }
        let whole = match hosts {
            Some(hosts) => url.as_str().replacen(HOSTS, hosts, 1),
            None => url.to_string(),
        };
        let mut config = Config::from_str(&whole).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            invalid(format!(
                "--database: {}",
                cause.unwrap_or_else(|| error.to_string())
            ))
        })?;
        if config.get_hosts().is_empty() {
            return Err(invalid(
                "--database names no host; write postgres://USER@HOST:5432/NAME".to_owned(),
            ));
        }
        if let Some(password) = password {
            config.password(password.expose());
        }
        let local = config.get_hosts().iter().all(is_local);
        let encrypted = match mode.as_deref() {
            None => !local,
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(other) => {
                return Err(invalid(format!(
                    "sslmode={other} in --database may go on without encryption; use verify-full or disable"
                )));
            }
        };
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                return Err(invalid(
                    "give sslcert and sslkey in --database together".to_owned(),
                ));
            }
        };
        if !encrypted && (roots.is_some() || identity.is_some()) {
            return Err(invalid(
                "sslrootcert and sslcert in --database need sslmode=verify-full".to_owned(),
            ));
        }
        config.ssl_mode(if encrypted {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("truehook");
        }
        Ok(Self {
            config,
            tls: encrypted.then_some(TlsFiles { roots, identity }),
            listen: None,
        })
    }

    /// With another address for the connection that is woken by other nodes: behind a pool of transactions none may listen.
    #[must_use]
    pub fn with_listen(mut self, listen: Option<Self>) -> Self {
        self.listen = listen.map(Box::new);
        self
    }
}

/// A host in the place of several.
const HOSTS: &str = "hosts.invalid";

/// Puts one host in the place of several, which are no URL: with ports they cannot be read as one. Gives them beside.
fn without_hosts(text: &str) -> (Cow<'_, str>, Option<&str>) {
    let begin = text.find("://").map_or(0, |end| end + 3);
    let end = text[begin..]
        .find(['/', '?', '#'])
        .map_or(text.len(), |end| begin + end);
    let begin = text[begin..end]
        .rfind('@')
        .map_or(begin, |at| begin + at + 1);
    let hosts = &text[begin..end];
    if hosts.contains(',') {
        let one = format!("{}{HOSTS}{}", &text[..begin], &text[end..]);
        (one.into(), Some(hosts))
    } else {
        (text.into(), None)
    }
}

/// Whether what is sent does not leave the machine.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .trim_matches(['[', ']'])
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(path) => write!(f, "{}", path.display())?,
            }
            let port = ports.get(index).or(ports.first());
            if let Some(port) = port {
                write!(f, ":{port}")?;
            }
        }
        write!(
            f,
            "/{}",
            self.config
                .get_dbname()
                .or(self.config.get_user())
                .unwrap_or_default()
        )
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PostgresAddress, String> {
        PostgresAddress::new(text, None).map_err(|error| error.to_string())
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_and_verified_unless_the_url_says_otherwise() {
        for (url, encrypted) in [
            ("postgres://u@db.example/n", true),
            ("postgresql://u@db.example/n?sslmode=require", true),
            ("postgres://u@db.example/n?sslmode=verify-full", true),
            ("postgres://u@db.example/n?sslmode=disable", false),
            ("postgres://u@localhost/n", false),
            ("postgres://u@127.0.0.1:5433/n", false),
            ("postgres://u@%2Frun%2Fpostgresql/n", false),
            ("postgres://u@127.0.0.1/n?sslmode=verify-full", true),
            ("postgres://u@127.0.0.1,db.example/n", true),
        ] {
            assert_eq!(read(url).unwrap().tls.is_some(), encrypted, "{url}");
        }
        let files = read(
            "postgres://u@db/n?sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem&target_session_attrs=read-write",
        );
        let files = files.unwrap().tls.unwrap();
        assert_eq!(files.roots, Some(PathBuf::from("/ca.pem")));
        assert!(files.identity.is_some());
    }

    #[test]
    fn several_hosts_each_have_their_port() {
        let several = read(
            "postgres://u:p@127.0.0.1:5433,db.example:5434/n?target_session_attrs=read-write&sslrootcert=/ca.pem",
        );
        let several = several.unwrap();
        assert_eq!(several.config.get_hosts().len(), 2);
        assert_eq!(several.config.get_ports(), [5433, 5434]);
        assert_eq!(several.config.get_password(), Some(&b"p"[..]));
        assert!(several.tls.is_some());
        assert_eq!(
            several.to_string(),
            "postgres://127.0.0.1:5433,db.example:5434/n"
        );
        let without_ports = read("postgres://u@db1,db2/n").unwrap();
        assert_eq!(without_ports.config.get_hosts().len(), 2);
        let message = read("postgres://u:hunter2@db1:1,db2:port/n").unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_its_password() {
        for (url, expected) in [
            ("postgres://u:hunter2@db/n?sslmode=prefer", "verify-full"),
            ("postgres://u:hunter2@db/n?sslcert=/c.pem", "sslkey"),
            (
                "postgres://u:hunter2@db/n?sslmode=disable&sslrootcert=/c.pem",
                "verify-full",
            ),
            ("postgres://u:hunter2@db/n?colour=blue", "colour"),
            ("postgres://", "postgres://USER@HOST"),
            ("postgres://u:hunter2@h:port/n", "postgres://USER@HOST"),
        ] {
            let message = read(url).unwrap_err();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
        let shown = read("postgres://u:hunter2@db:5433/n").unwrap();
        assert_eq!(format!("{shown} {shown:?}").matches("hunter2").count(), 0);
        assert_eq!(shown.to_string(), "postgres://db:5433/n");
    }
}
