//! Where a webhook sends: what counts as a URL that can be registered.
//!
//! Syntax only. The host is neither resolved nor contacted here (C-28, E-21): what may be dialled is decided when it is dialled.
//!
//! No page says more of it than "URL", so these are decisions (C-70, E-66): a URL is written in ASCII as RFC 3986 has it, has no user name
//! and no password, which would be a credential that is stored and shown in plain text, and names a host and a port that can be dialled.

use url::{Host, ParseError, Url};

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
    /// It is not an absolute URL, or has no host.
    #[error("must be an absolute URL with a host")]
    NotAbsolute,
    /// Its scheme is neither `http` nor `https`.
    #[error("must have the scheme http or https")]
    Scheme,
    /// Its scheme is `http` where only `https` may be registered.
    #[error("must have the scheme https")]
    NotHttps,
    /// It has a user name or a password.
    #[error("must not contain a user name or a password")]
    UserInfo,
    /// Its host is an international name that is not in punycode.
    #[error(
        "must have an ASCII host; write an international name in punycode, such as xn--bcher-kva.example"
    )]
    InternationalHost,
    /// A label of its host begins with `xn--` and does not go on as punycode (RFC 3492).
    #[error("must have a host whose labels that begin with xn-- are punycode")]
    Punycode,
    /// Its host has characters that a name cannot have, or is percent-encoded.
    #[error("must have a host of letters, digits, hyphens and dots, or an IP address")]
    Host,
    /// A label of its host is empty or too long, or the whole is.
    #[error("must have a host whose labels have 1 to 63 characters each and at most 253 together")]
    LongHost,
    /// Its port is 0 or above 65535.
    #[error("must have a port from 1 to 65535, or none")]
    Port,
    /// It contains a backslash, which browsers read as a slash and other programs do not.
    #[error("must not contain a backslash; write / to separate segments, or %5C")]
    Backslash,
    /// It contains white space that parsers leave out.
    #[error("must not contain tabs or line breaks, nor spaces at its beginning or end")]
    WhiteSpace,
    /// It contains a character that a URL must not contain (RFC 3986).
    #[error(
        "must not contain characters that a URL cannot have; percent-encode them in UTF-8, such as %20 for a space and %C3%A9 for é"
    )]
    Unescaped,
}

/// The longest label of a name in the DNS, and the longest name as text (RFC 1035, 2.3.4).
const LABEL: usize = 63;
const NAME: usize = 253;

impl ReceiverUrl {
    /// Reads a URL under a policy.
    ///
    /// # Errors
    /// [`UrlFault`] names what is wrong with it.
    pub fn parse(text: &str, policy: SchemePolicy) -> Result<Self, UrlFault> {
        let url = Url::parse(text).map_err(|error| match error {
            ParseError::InvalidPort => UrlFault::Port,
            ParseError::IdnaError | ParseError::InvalidDomainCharacter => host_fault(text),
            _ => UrlFault::NotAbsolute,
        })?;
        match (url.scheme(), policy) {
            ("https", _) | ("http", SchemePolicy::HttpOrHttps) => {}
            ("http", SchemePolicy::HttpsOnly) => return Err(UrlFault::NotHttps),
            _ => return Err(UrlFault::Scheme),
        }
        // The WHATWG parser leaves out tabs, line breaks and the space around a URL.
        if text.contains(['\t', '\n', '\r']) || text.trim() != text {
            return Err(UrlFault::WhiteSpace);
        }
        // It also takes `https:example.com`, `https:///example.com` and backslashes for `https://example.com`. A program that reads the
        // stored text by another rule would dial another host.
        if text.contains('\\') {
            return Err(UrlFault::Backslash);
        }
        let rest = text
            .get(url.scheme().len()..)
            .and_then(|rest| rest.strip_prefix("://"))
            .filter(|rest| !rest.starts_with(['/', '?', '#']))
            .ok_or(UrlFault::NotAbsolute)?;
        let (authority, path) = rest.split_at(authority_length(rest));
        if authority.contains('@') {
            return Err(UrlFault::UserInfo);
        }
        if !authority.is_ascii() {
            return Err(UrlFault::InternationalHost);
        }
        if authority.contains('%') {
            return Err(UrlFault::Host);
        }
        match url.host() {
            None | Some(Host::Domain("")) => return Err(UrlFault::NotAbsolute),
            Some(Host::Domain(name)) => check_name(name)?,
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
        }
        if url.port() == Some(0) {
            return Err(UrlFault::Port);
        }
        if is_escaped(path) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UrlFault::Unescaped)
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

/// Names the fault of a host because of which a URL cannot be parsed.
fn host_fault(text: &str) -> UrlFault {
    let rest = text.split_once("//").map_or(text, |(_, rest)| rest);
    let authority = &rest[..authority_length(rest)];
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let is_encoded = |label: &str| {
        let prefix = label.get(..4);
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"))
    };
    if !host.is_ascii() {
        UrlFault::InternationalHost
    } else if host.split('.').any(is_encoded) {
        UrlFault::Punycode
    } else {
        UrlFault::Host
    }
}

/// The length of the authority that `rest` begins with (RFC 3986, 3.2).
fn authority_length(rest: &str) -> usize {
    rest.find(['/', '?', '#']).unwrap_or(rest.len())
}

/// Holds a name to the lengths that the DNS allows; the dot of the root may end it.
fn check_name(name: &str) -> Result<(), UrlFault> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let sound = name.len() <= NAME
        && name
            .split('.')
            .all(|label| (1..=LABEL).contains(&label.len()));
    if sound {
        Ok(())
    } else {
        Err(UrlFault::LongHost)
    }
}

/// Whether a path with its query and fragment has only characters that may stand there (RFC 3986, 3.3 to 3.5).
fn is_escaped(path: &str) -> bool {
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    [path, fragment].into_iter().all(|part| {
        let mut bytes = part.bytes();
        while let Some(byte) = bytes.next() {
            let stands = match byte {
                b'%' => {
                    let mut digit = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                    digit() && digit()
                }
                byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte),
            };
            if !stands {
                return false;
            }
        }
        true
    })
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
            "https://h.:65535/a;b=c,d/~e/%C3%A9?f=[1]"
                .replace("[1]", "%5B1%5D")
                .as_str(),
            "https://xn--bcher-kva.example/?@:/?#?/",
            "https://_a.b-.example/!$&'()*+,;=:@",
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
            "https://?a",
            "https://[::1",
            "https://1.2.3.256",
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
    fn a_url_that_cannot_be_meant_or_dialled_is_refused_with_what_to_write() {
        let label = "a".repeat(63);
        for (text, fault) in [
            ("https://u:p@h/", UrlFault::UserInfo),
            ("https://u@h", UrlFault::UserInfo),
            ("https://@h", UrlFault::UserInfo),
            ("https://a@b@h", UrlFault::UserInfo),
            ("https://b\u{fc}cher.example", UrlFault::InternationalHost),
            ("https://\u{4f8b}.example/", UrlFault::InternationalHost),
            ("https://\u{ff45}xample.com", UrlFault::InternationalHost),
            ("https://ex%61mple.com", UrlFault::Host),
            ("https://h /a", UrlFault::Host),
            ("https://h<b>/", UrlFault::Host),
            ("https://xn--a/", UrlFault::Punycode),
            ("https://xn--/", UrlFault::Punycode),
            ("https://a.XN--.example", UrlFault::Punycode),
            ("https:\\\\h", UrlFault::Backslash),
            ("https://\\h", UrlFault::Backslash),
            ("https://h\\a", UrlFault::Backslash),
            ("https://h.com/a\\b", UrlFault::Backslash),
            ("https://h/?a=\\", UrlFault::Backslash),
            (" https://h", UrlFault::WhiteSpace),
            ("https://h ", UrlFault::WhiteSpace),
            ("https://h\n/", UrlFault::WhiteSpace),
            ("https://h/a\tb", UrlFault::WhiteSpace),
            ("https://h:0", UrlFault::Port),
            ("https://h:00/", UrlFault::Port),
            ("https://h:99999", UrlFault::Port),
            ("https://h:65536", UrlFault::Port),
            ("https://h:8a", UrlFault::Port),
            (&format!("https://{label}a.example"), UrlFault::LongHost),
            (
                &format!("https://{0}.{0}.{0}.{0}", label),
                UrlFault::LongHost,
            ),
            ("https://a..b", UrlFault::LongHost),
            ("https://.a", UrlFault::LongHost),
            ("https://h/a b", UrlFault::Unescaped),
            ("https://h/\u{e9}", UrlFault::Unescaped),
            ("https://h/?a=\u{e9}", UrlFault::Unescaped),
            ("https://h/#\u{e9}", UrlFault::Unescaped),
            ("https://h/%", UrlFault::Unescaped),
            ("https://h/%4", UrlFault::Unescaped),
            ("https://h/%zz", UrlFault::Unescaped),
            ("https://h/a|b", UrlFault::Unescaped),
            ("https://h/{a}", UrlFault::Unescaped),
            ("https://h/?a[]=1", UrlFault::Unescaped),
            ("https://h/a\"b", UrlFault::Unescaped),
            ("https://h/a#b#c", UrlFault::Unescaped),
        ] {
            assert_eq!(
                ReceiverUrl::parse(text, SchemePolicy::HttpOrHttps),
                Err(fault),
                "{text}"
            );
        }
        assert!(
            ReceiverUrl::parse(&format!("https://{label}.example"), SchemePolicy::HttpsOnly)
                .is_ok()
        );
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
