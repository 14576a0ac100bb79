//! Which certificate authorities receivers' certificates are held against.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// A file of certificate authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// It cannot be read, or is not PEM.
    #[error("--ca-file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: pem::Error,
    },
    /// One of its certificates is not valid.
    #[error("--ca-file {path}: certificate {number} cannot be used: {source}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Which of them, from 1.
        number: usize,
        /// The fault.
        source: rustls::Error,
    },
    /// It has no certificate.
    #[error("--ca-file {0} has no certificate: it must be a PEM file with at least one")]
    Empty(PathBuf),
}

/// The operating system's certificate authorities, `SSL_CERT_FILE` and `SSL_CERT_DIR` name others, and those of `file`. Reads files: called
/// once, at start.
///
/// Logs a warning when there are none: no `https` receiver can be reached then.
///
/// # Errors
/// [`RootsError`] when `file` cannot be used as a whole: a receiver that cannot be reached later says less.
pub(crate) fn trusted_roots(file: Option<&Path>) -> Result<RootCertStore, RootsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A store of an operating system may hold certificates that are too old to be read: the others still count.
    roots.add_parsable_certificates(found.certs);
    if let Some(path) = file {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        tracing::warn!(
            ?errors,
            "no certificate authorities found, so no https receiver can be reached: install them, set SSL_CERT_FILE or give --ca-file"
        );
    }
    Ok(roots)
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), RootsError> {
    let unreadable = |source| RootsError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut number = 0;
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        number += 1;
        let certificate = certificate.map_err(unreadable)?;
        roots
            .add(certificate)
            .map_err(|source| RootsError::Certificate {
                path: path.to_owned(),
                number,
                source,
            })?;
    }
    if number == 0 {
        return Err(RootsError::Empty(path.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const CERTIFICATE: &str = include_str!("tests/certificate.pem");

    fn add(text: &str) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, text).unwrap();
        let mut roots = RootCertStore::empty();
        let added = add_file(&mut roots, &path);
        added
            .map(|()| roots.len())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_may_have_several_authorities_and_text_between_them() {
        assert_eq!(add(CERTIFICATE), Ok(1));
        let two = format!("# ours\n{CERTIFICATE}\n# theirs\n{CERTIFICATE}");
        assert_eq!(add(&two), Ok(2));
        let system = trusted_roots(None).unwrap().len();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, CERTIFICATE).unwrap();
        assert_eq!(trusted_roots(Some(&path)).unwrap().len(), system + 1);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_refused_with_its_name() {
        let cut = &CERTIFICATE[..CERTIFICATE.len() / 2];
        let empty_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "not PEM", cut, empty_certificate] {
            let message = add(text).unwrap_err();
            assert!(
                message.contains("--ca-file") && message.contains("ca.pem"),
                "{message}"
            );
        }
        let missing = trusted_roots(Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/ca.pem"));
    }
}
