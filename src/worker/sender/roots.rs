//! Which certificate authorities receivers' certificates are held against.

use rustls::RootCertStore;

/// The operating system's certificate authorities; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others. Reads files: called once, at start.
///
/// Logs a warning when there are none: no `https` receiver can be reached then.
pub(crate) fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A store of an operating system may hold certificates that are too old to be read: the others still count.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        tracing::warn!(
            ?errors,
            "no certificate authorities found, so no https receiver can be reached: install them or set SSL_CERT_FILE"
        );
    }
    roots
}
