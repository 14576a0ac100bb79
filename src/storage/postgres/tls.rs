//! Encrypted connections to the database: the server's certificate and name are always verified.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::TlsFiles;

/// How to connect; `Err` says in one line which file cannot be used.
pub(super) fn connector(files: &TlsFiles) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    match &files.roots {
        Some(path) => {
            for certificate in certificates(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(
                    "this system has no certificate authorities; name a file with sslrootcert"
                        .to_owned(),
                );
            }
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let config = match &files.identity {
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let read = PrivateKeyDer::from_pem_file(key);
            let key_der = read.map_err(|error| format!("{}: {error}", key.display()))?;
            builder
                .with_client_auth_cert(chain, key_der)
                .map_err(|error| format!("{}: {error}", key.display()))?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: rustls::pki_types::pem::Error| format!("{}: {error}", path.display());
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(failed)?;
    if all.is_empty() {
        return Err(format!("{} has no certificate", path.display()));
    }
    Ok(all)
}
