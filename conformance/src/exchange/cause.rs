//! Why there was no answer, in one line and with the way out.

use std::error::Error;

use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// The cause of an error of the client: what TLS says, or the innermost message: "Connection refused" says more than "error sending
/// request".
pub(super) fn of(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    loop {
        if let Some(tls) = tls_error(cause) {
            return of_tls(tls);
        }
        match cause.source() {
            Some(next) => cause = next,
            None => return cause.to_string(),
        }
    }
}

/// The error of TLS that an error is or contains: an I/O error does not name what it contains as its source.
pub(super) fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    error.downcast_ref().or_else(|| {
        let io: &std::io::Error = error.downcast_ref()?;
        tls_error(io.get_ref()?)
    })
}

/// Describes a TLS error and what to do about it.
pub(super) fn of_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(problem) => of_certificate(problem),
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => "the port does not speak TLS; write http:// instead of https://".to_owned(),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::PeerIncompatible(_) => {
            format!(
                "the server offers no version or cipher of TLS that is safe ({error}); TLS 1.2 or newer is needed"
            )
        }
        other => format!("TLS failed: {other}"),
    }
}

fn of_certificate(problem: &CertificateError) -> String {
    let insecure = "or use --insecure for a test server";
    match problem {
        CertificateError::Expired => {
            format!("the server's certificate has expired; renew it, {insecure}")
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            let seconds = i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX);
            let date = jiff::Timestamp::from_second(seconds)
                .map(|end| format!(" on {}", end.strftime("%Y-%m-%d")))
                .unwrap_or_default();
            format!("the server's certificate expired{date}; renew it, {insecure}")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!(
                "the server's certificate is not valid yet; check the clock of this machine, {insecure}"
            )
        }
        CertificateError::NotValidForName => {
            format!(
                "the server's certificate is for another name; use a name that it has, {insecure}"
            )
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            // `DnsName("localhost")` is how Rust writes it.
            let plain = |name: &String| {
                let inner = name
                    .split_once('(')
                    .map(|(_, rest)| rest.trim_end_matches(')'));
                inner.unwrap_or(name).trim_matches('"').to_owned()
            };
            let names: Vec<String> = presented.iter().map(plain).collect();
            let names = match names.is_empty() {
                true => "no name".to_owned(),
                false => names.join(", "),
            };
            format!(
                "the server's certificate is for {names}, not for {}; use a name that it has, {insecure}",
                expected.to_str()
            )
        }
        CertificateError::UnknownIssuer => format!(
            "the server's certificate is signed by itself or by an unknown authority; trust it with --ca-file FILE, {insecure}"
        ),
        CertificateError::Revoked => "the server's certificate has been revoked".to_owned(),
        // A certificate authority that is used as the certificate of a server is most often one that was made by hand.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            format!(
                "the server's certificate is that of a certificate authority, often one that signed itself; use a server certificate, {insecure}"
            )
        }
        other => {
            format!("the server's certificate is not accepted: {other}; replace it, {insecure}")
        }
    }
}

fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "the server asks for a client certificate; give it with --cert FILE --key FILE".to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            format!("the server refuses the client certificate ({alert:?}); check --cert and --key")
        }
        AlertDescription::HandshakeFailure => {
            "the server refuses the TLS handshake; it may ask for a client certificate (--cert FILE --key FILE), or offer old ciphers only".to_owned()
        }
        AlertDescription::ProtocolVersion => {
            "the server offers only versions of TLS that are not safe; TLS 1.2 or newer is needed".to_owned()
        }
        AlertDescription::UnrecognisedName => {
            "the server does not know the host name of the URL".to_owned()
        }
        other => format!("the server ended the TLS handshake with the alert {other:?}"),
    }
}
