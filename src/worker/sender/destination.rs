//! From a receiver's URL to what is dialled and asked for.

use hyper::Uri;
use hyper::http::uri::InvalidUri;
use url::{Position, Url};

/// Why nothing is sent to a URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DestinationFault {
    /// It is not an absolute URL with a host.
    #[error("the URL cannot be read")]
    Unreadable(#[source] url::ParseError),
    /// It has a scheme that is not allowed.
    #[error("the scheme `{0}` is not allowed")]
    Scheme(String),
    /// Nobody listens on port 0.
    #[error("port 0 is not allowed")]
    PortZero,
    /// HTTP cannot carry it.
    #[error("the URL cannot be sent")]
    Unsendable(#[source] InvalidUri),
}

/// Reads where `url` leads to, as browsers do: `http://2130706433/`, `http://0x7f.1/` and full-width digits are all `http://127.0.0.1/`.
/// User info and fragment are left out.
///
/// # Errors
/// [`DestinationFault`] says why nothing is sent there.
pub(crate) fn destination(url: &str, http: bool) -> Result<Uri, DestinationFault> {
    let url = Url::parse(url).map_err(DestinationFault::Unreadable)?;
    match url.scheme() {
        "https" => {}
        "http" if http => {}
        scheme => return Err(DestinationFault::Scheme(scheme.to_owned())),
    }
    if url.port() == Some(0) {
        return Err(DestinationFault::PortZero);
    }
    let sent = format!(
        "{}://{}{}",
        url.scheme(),
        &url[Position::BeforeHost..Position::AfterPort],
        &url[Position::BeforePath..Position::AfterQuery]
    );
    sent.parse().map_err(DestinationFault::Unsendable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_and_fragment_are_left_out() {
        for (url, sent) in [
            (
                "https://u:p@example.com:8443/a?b=c#d",
                "https://example.com:8443/a?b=c",
            ),
            ("https://public@127.0.0.1/", "https://127.0.0.1/"),
            ("https://127.0.0.1#@public/", "https://127.0.0.1/"),
            ("https://127.0.0.1?@public/", "https://127.0.0.1/?@public/"),
            ("https://example.com:443", "https://example.com/"),
            ("https://EXAMPLE.com./x", "https://example.com./x"),
            (
                "https://b\u{fc}cher.example/",
                "https://xn--bcher-kva.example/",
            ),
            ("https://[0:0::1]/", "https://[::1]/"),
        ] {
            assert_eq!(destination(url, false).unwrap().to_string(), sent, "{url}");
        }
    }

    #[test]
    fn what_no_request_can_be_sent_to_is_refused() {
        for url in [
            "",
            "example.com",
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:70/_GET",
            "unix:/run/x.sock",
            "https://",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://[fe80::1%25eth0]/",
            "https://[::1/",
            "https://127.0.0.1.1/",
            "https://256.1.1.1/",
        ] {
            assert!(destination(url, false).is_err(), "{url}");
        }
        assert!(destination("http://example.com/", true).is_ok());
        assert!(destination("ws://example.com/", true).is_err());
    }

    #[test]
    fn every_character_of_a_path_and_query_can_be_sent() {
        let printable: String = (' '..='~').filter(|c| !"?#".contains(*c)).collect();
        let url = format!("https://example.com/a{printable}z\u{e9}?a{printable}z\u{e9}");
        let sent = destination(&url, false).unwrap();
        assert!(sent.path().ends_with("z%C3%A9"), "{sent}");
        assert!(sent.query().unwrap().ends_with("z%C3%A9"), "{sent}");
        let long = format!("https://example.com/{}", "a".repeat(70_000));
        assert!(matches!(
            destination(&long, false),
            Err(DestinationFault::Unsendable(_))
        ));
    }
}
