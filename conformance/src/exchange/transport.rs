//! How connections are made: which certificates are trusted and shown, and through which proxy. Reads files; sends nothing.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use thiserror::Error;
use url::Url;

/// Largest file of certificates that is read, in bytes.
const SIZE_LIMIT: u64 = 4 * 1024 * 1024;

/// How connections are made. The default trusts the certificates of the system, shows none, and uses no proxy, whatever the environment
/// says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transport {
    /// PEM file of certificate authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client certificate, followed by those of its issuers.
    pub cert: Option<PathBuf>,
    /// PEM file of the private key; without it the key is in `cert`.
    pub key: Option<PathBuf>,
    /// Whether to trust any certificate of the server.
    pub insecure: bool,
    /// The proxy that all connections go through.
    pub proxy: Option<Proxy>,
}

/// A file or a URL of the transport that cannot be used.
#[derive(Debug, Error)]
pub enum TransportError {
    #[error("--{option} {path}: cannot be read: {source}")]
    Read {
        option: &'static str,
        path: String,
        source: io::Error,
    },
    #[error("--{option} {path}: has no certificate in PEM format (-----BEGIN CERTIFICATE-----)")]
    NoCertificate { option: &'static str, path: String },
    #[error(
        "--{option} {path}: has no private key in PEM format; if it is encrypted, decrypt it first: openssl pkey -in FILE -out KEY"
    )]
    NoKey { option: &'static str, path: String },
    #[error("--key without --cert: name the file of the client certificate too")]
    KeyAlone,
    #[error("the certificate of --cert cannot be used: {0}")]
    Unusable(#[source] rustls::Error),
    #[error("--proxy: {0}")]
    Proxy(String),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] rustls::Error),
}

/// The URL of a proxy: HTTP, HTTP over TLS, or SOCKS 5. Its password is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Url);

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

impl Proxy {
    /// Parses `http://[USER:PASSWORD@]HOST[:PORT]`, or the same with `https`, `socks5` or `socks5h`; where the port is left out, it is 80,
    /// 443 or 1080.
    ///
    /// # Errors
    /// When it is not such a URL. The message does not repeat it, because it may have a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, or with https or socks5";
        let url = Url::parse(text).map_err(|error| format!("{error}; {form}"))?;
        let plain = matches!(url.path(), "" | "/") && url.query().is_none();
        let known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
        if !known || url.host_str().is_none_or(str::is_empty) || !plain {
            return Err(form.to_owned());
        }
        Ok(Self(url))
    }

    /// The URL without user and password.
    #[must_use]
    pub fn shown(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        let port = self.0.port().map(|port| format!(":{port}"));
        format!("{}://{host}{}", self.0.scheme(), port.unwrap_or_default())
    }

    /// The password, decoded, where there is one.
    #[must_use]
    pub fn password(&self) -> Option<String> {
        let password = self.0.password()?;
        Some(crate::case::serialize::decode(password))
    }

    /// Host, without the brackets of an IPv6 address, and port.
    pub(super) fn address(&self) -> (String, u16) {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let usual = match self.0.scheme() {
            "https" => 443,
            "http" => 80,
            _ => 1080,
        };
        (host.to_owned(), self.0.port().unwrap_or(usual))
    }

    /// Whether the connection to the proxy itself is one of TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it speaks SOCKS 5.
    pub(super) fn is_socks(&self) -> bool {
        self.0.scheme().starts_with("socks5")
    }

    /// User and password, decoded, where the URL has a user.
    pub(super) fn user(&self) -> Option<(String, String)> {
        let user = crate::case::serialize::decode(self.0.username());
        (!user.is_empty()).then(|| (user, self.password().unwrap_or_default()))
    }

    /// The value of `Proxy-Authorization`, where the URL has a user.
    pub(super) fn authorization(&self) -> Option<String> {
        let (user, password) = self.user()?;
        Some(super::basic(&user, &password))
    }
}

impl Transport {
    /// Whether files have to be read.
    pub(super) fn has_files(&self) -> bool {
        self.ca_file.is_some() || self.cert.is_some() || self.key.is_some()
    }

    /// The settings of TLS.
    ///
    /// # Errors
    /// When a file of certificates or keys cannot be used.
    pub fn tls(&self) -> Result<ClientConfig, TransportError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TransportError::Tls)?;
        let builder = if self.insecure {
            let any = Arc::new(AnyCertificate(provider));
            builder.dangerous().with_custom_certificate_verifier(any)
        } else {
            let extra = match &self.ca_file {
                Some(path) => certificates("ca-file", path)?,
                None => Vec::new(),
            };
            match Verifier::new_with_extra_roots(extra.iter().cloned(), provider) {
                Ok(verifier) => builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier)),
                // A system without certificates, such as a small container: only what was given is trusted.
                Err(_) => {
                    let mut roots = RootCertStore::empty();
                    for certificate in extra {
                        roots.add(certificate).map_err(TransportError::Tls)?;
                    }
                    builder.with_root_certificates(roots)
                }
            }
        };
        let Some(cert) = &self.cert else {
            return match self.key {
                Some(_) => Err(TransportError::KeyAlone),
                None => Ok(builder.with_no_client_auth()),
            };
        };
        let chain = certificates("cert", cert)?;
        let (option, path) = match &self.key {
            Some(path) => ("key", path),
            None => ("cert", cert),
        };
        let key = PrivateKeyDer::from_pem_slice(&read(option, path)?);
        let key = key.map_err(|_| TransportError::NoKey {
            option,
            path: path.display().to_string(),
        })?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(TransportError::Unusable)
    }
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, TransportError> {
    let failed = |source| TransportError::Read {
        option,
        path: path.display().to_string(),
        source,
    };
    // Of a device there is no end.
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() || about.len() > SIZE_LIMIT {
        return Err(failed(io::Error::other("not a file, or larger than 4 MB")));
    }
    fs::read(path).map_err(failed)
}

fn certificates(
    option: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let text = read(option, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    found
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| TransportError::NoCertificate {
            option,
            path: path.display().to_string(),
        })
}

/// Accepts any certificate, for `--insecure`.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_proxy_is_not_shown() {
        let proxy = Proxy::parse("http://me:hunt%65r22@localhost:3128").unwrap();
        assert_eq!(format!("{proxy:?}"), "http://localhost:3128");
        assert_eq!(proxy.password().as_deref(), Some("hunter22"));
        for text in [
            "localhost:3128",
            "socks4://hunter22@h",
            "http://h/hunter22",
            "hunter22",
        ] {
            let message = Proxy::parse(text).unwrap_err();
            assert!(!message.contains("hunter22"), "{message}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_option() {
        let transport = |ca: &str, cert: &str, key: &str| {
            let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
            let transport = Transport {
                ca_file: path(ca),
                cert: path(cert),
                key: path(key),
                ..Transport::default()
            };
            transport.tls().unwrap_err().to_string()
        };
        let this = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(transport("none.pem", "", "").starts_with("--ca-file none.pem: cannot be read: "));
        assert!(transport("/dev/zero", "", "").contains("not a file"));
        assert!(transport(this, "", "").contains("has no certificate"));
        assert!(transport("", this, "").contains("--cert"));
        assert!(transport("", "", this).contains("--key without --cert"));
    }
}
