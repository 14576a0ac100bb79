//! Where a webhook sends: what counts as a URL that can be registered.
//!
//! Syntax only. The host is neither resolved nor contacted here (C-28, E-21): what may be dialled is decided when it is dialled.

use url::{Host, Url};

/// Which URL schemes may be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemePolicy {
    /// `https` alone.
    HttpsOnly,
    /// `http` too.
    HttpOrHttps,
}

/// An absolute `http` or `https` URL with a host, kept exactly as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverUrl(String);

/// Why a text cannot be registered as a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// It is no absolute URL, or names no host.
    #[error("must be an absolute URL with a host")]
    NotAbsolute,
    /// Its scheme is neither `http` nor `https`.
    #[error("must have the scheme http or https")]
    Scheme,
    /// Its scheme is `http` where only `https` may be registered.
    #[error("must have the scheme https")]
    NotHttps,
}

impl ReceiverUrl {
    /// Reads a URL under a policy.
    ///
    /// # Errors
    /// [`UrlFault`] names what is wrong with it.
    pub fn parse(text: &str, policy: SchemePolicy) -> Result<Self, UrlFault> {
        let url = Url::parse(text).map_err(|_| UrlFault::NotAbsolute)?;
        match (url.scheme(), policy) {
            ("https", _) | ("http", SchemePolicy::HttpOrHttps) => {}
            ("http", SchemePolicy::HttpsOnly) => return Err(UrlFault::NotHttps),
            _ => return Err(UrlFault::Scheme),
        }
        // The WHATWG parser is lenient: it takes `https:example.com`, `https:///example.com` and back slashes for
        // `https://example.com`. Whoever reads the stored text by another rule would dial another host.
        let authority = text
            .get(url.scheme().len()..)
            .and_then(|rest| rest.strip_prefix("://"));
        let has_authority = authority.is_some_and(|rest| !rest.starts_with(['/', '\\', '?', '#']));
        let has_host = url.host().is_some_and(|host| host != Host::Domain(""));
        if has_authority
            && has_host
            && text
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && c != '\\')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(UrlFault::NotAbsolute)
        }
    }

    /// A URL that was read before and has been kept since.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text as it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_urls_with_a_host_are_kept_to_the_letter() {
        for text in [
            "https://api.url.com",
            "HTTPS://Example.COM:443/a/../b?c#d",
            "http://127.0.0.1:9/x",
            "https://[::1]/",
            "https://u:p@h/",
        ] {
            assert_eq!(
                ReceiverUrl::parse(text, SchemePolicy::HttpOrHttps)
                    .unwrap()
                    .as_str(),
                text
            );
        }
    }

    #[test]
    fn what_is_not_an_absolute_url_with_a_host_is_refused() {
        for text in [
            "",
            "x",
            "/a",
            "//h/a",
            "https://",
            "https:///a",
            "https:h",
            "https:/h",
            "https:\\\\h",
            "https://h /a",
            "https://h:99999",
            "https://?a",
        ] {
            assert_eq!(
                ReceiverUrl::parse(text, SchemePolicy::HttpOrHttps),
                Err(UrlFault::NotAbsolute),
                "{text}"
            );
        }
        for text in [
            "ftp://h",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "mailto:a@b.c",
            "urn:a:b",
        ] {
            assert_eq!(
                ReceiverUrl::parse(text, SchemePolicy::HttpOrHttps),
                Err(UrlFault::Scheme),
                "{text}"
            );
        }
    }

    #[test]
    fn http_is_refused_where_only_https_may_be_registered() {
        assert_eq!(
            ReceiverUrl::parse("http://h", SchemePolicy::HttpsOnly),
            Err(UrlFault::NotHttps)
        );
        assert!(ReceiverUrl::parse("https://h", SchemePolicy::HttpsOnly).is_ok());
    }
}
