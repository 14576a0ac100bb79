//! Certificates that a delivery names by URL: where the URL is, which hosts it may have, and the keys that were fetched from there.
//!
//! The trust is that of the declared host, which is asked by https. Neither the chain of a certificate nor its dates are checked.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use url::{Host, Url};

use super::algorithm::Algorithm;
use super::jws::Token;
use super::key::Key;
use super::location::{Carrier, Location};
use super::message::Message;
use super::read::Object;
use super::refusal::Refusal;
use super::scheme::{KeySource, Scheme};
use super::{Secrets, Signing};

/// The certificate whose key verifies a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Where its URL is.
    pub place: CertificatePlace,
    /// The hosts that it is fetched from, `*.` before those of any subdomain; without any, the user gives it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// Where a delivery has the URL of its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CertificatePlace {
    /// A header, a query parameter or a member of the body.
    Message(Location),
    /// `x5u` of the header of the JSON Web Signature (RFC 7515, 4.1.5).
    X5u,
}

/// The keys of certificates that were fetched, by URL; an error says why there is none.
#[derive(Debug, Clone, Default)]
pub struct Certificates(Arc<Mutex<ByUrl>>);

type ByUrl = BTreeMap<String, Result<Vec<Key>, String>>;

impl Certificates {
    /// Whether it is known what is at a URL.
    pub fn has(&self, url: &str) -> bool {
        self.all().contains_key(url)
    }

    /// How many were asked for.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// Notes what is at a URL: the text of a certificate, or why there is none.
    pub fn note(&self, url: &str, fetched: Result<&str, String>, signing: &Signing) {
        let scheme = signing
            .schemes
            .iter()
            .find(|one| one.certificate().is_some());
        let keys = fetched.and_then(|text| match scheme {
            Some(scheme) => scheme.key(text),
            None => Ok(Vec::new()),
        });
        self.all().insert(url.to_owned(), keys);
    }

    fn of(&self, url: &str) -> Result<Vec<Key>, String> {
        let known = self.all().get(url).cloned();
        known.unwrap_or_else(|| Err("was not fetched".to_owned()))
    }

    fn all(&self) -> MutexGuard<'_, ByUrl> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Certificate {
    /// Reads `certificate` and `hosts` of a key.
    pub(super) fn read(object: &Object<'_>, algorithm: Option<Algorithm>) -> Option<Self> {
        let hosts = object.texts("hosts").unwrap_or_default();
        for (index, host) in hosts.iter().enumerate() {
            if !is_host(host) {
                let at = format!("{}/{index}", object.at("hosts"));
                let problem = format!(
                    "`{host}` is not a host; write `api.example.com`, `*.example.com` or `127.0.0.1:8443`"
                );
                object.faults().add(&at, problem);
            }
        }
        let value = object.value("certificate");
        if value.is_none() && object.has("hosts") {
            object.fault("hosts", "has no effect without `certificate`");
        }
        let place = match value? {
            Value::String(name) => CertificatePlace::Message(Location {
                carrier: Carrier::Header(name.to_ascii_lowercase()),
                field: None,
                prefix: String::new(),
            }),
            _ => {
                let inner = object.object("certificate")?;
                let place = match inner.text("token") {
                    Some("x5u") if algorithm == Some(Algorithm::Jws) => Some(CertificatePlace::X5u),
                    Some(other) => {
                        let problem = match other {
                            "x5u" => "has no effect with this algorithm".to_owned(),
                            _ => format!("unknown value `{other}`; use `x5u`"),
                        };
                        inner.fault("token", problem);
                        None
                    }
                    None => Location::read(&inner, false).map(CertificatePlace::Message),
                };
                inner.close();
                place?
            }
        };
        Some(Self { place, hosts })
    }

    /// The URL of the certificate of a message.
    fn url(&self, scheme: &Scheme, message: &Message) -> Option<String> {
        match &self.place {
            CertificatePlace::Message(location) => location.value(message),
            CertificatePlace::X5u => {
                let tokens = scheme.candidates(message);
                let token = tokens.iter().find_map(|text| Token::parse(text))?;
                Some(token.header.get("x5u")?.as_str()?.to_owned())
            }
        }
    }

    fn name(&self) -> String {
        match &self.place {
            CertificatePlace::Message(location) => location.name(),
            CertificatePlace::X5u => "`x5u` of the token".to_owned(),
        }
    }

    /// Checks that a URL is one that is fetched: https at a declared host, or http at a declared address of loopback.
    fn allow(&self, text: &str) -> Result<(), String> {
        let url = Url::parse(text).map_err(|_| format!("`{text}` is not a URL"))?;
        let Some(host) = url.host() else {
            return Err(format!("`{text}` has no host"));
        };
        let loopback = match &host {
            Host::Domain(_) => false,
            Host::Ipv4(ip) => IpAddr::from(*ip).is_loopback(),
            Host::Ipv6(ip) => IpAddr::from(*ip).is_loopback(),
        };
        let secure = url.scheme() == "https" || (loopback && url.scheme() == "http");
        if !secure || !url.username().is_empty() || url.password().is_some() {
            return Err(format!("`{text}` is not an https URL without credentials"));
        }
        let name = host.to_string();
        let named = match url.port() {
            None => name.clone(),
            Some(port) => format!("{name}:{port}"),
        };
        let declared = self.hosts.iter().any(|host| match host.strip_prefix('*') {
            Some(suffix) => named.ends_with(suffix) && named.len() > suffix.len(),
            None => host.eq_ignore_ascii_case(&named),
        });
        if declared {
            return Ok(());
        }
        let hosts = self.hosts.join(", ");
        Err(format!("`{text}` is at {named}; `hosts` has {hosts}"))
    }

    /// The keys of the certificate that a message names.
    pub(super) fn keys(
        &self,
        scheme: &Scheme,
        message: &Message,
        fetched: Option<&Certificates>,
    ) -> Result<Vec<Key>, Refusal> {
        let place = self.name();
        let Some(url) = self.url(scheme, message) else {
            return Err(Refusal::Missing { place });
        };
        let keys = self.allow(&url).and_then(|()| {
            let of = fetched.map_or(Err("was not fetched".to_owned()), |known| known.of(&url));
            of.map_err(|cause| format!("`{url}`: {cause}"))
        });
        keys.map_err(|problem| Refusal::Certificate { place, problem })
    }
}

impl Scheme {
    /// The certificate that a delivery names and that is fetched.
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match &self.key.from {
            KeySource::Certificate(rule) if !rule.hosts.is_empty() => Some(rule),
            _ => None,
        }
    }
}

impl Signing {
    /// The URLs of the certificates that have to be fetched for a message: those at declared hosts, where the user gave no key.
    pub fn certificates(&self, secrets: &Secrets, message: &Message) -> Vec<String> {
        let schemes = self.schemes.iter().zip(&secrets.keys);
        schemes
            .filter(|(_, keys)| keys.is_empty())
            .filter_map(|(scheme, _)| {
                let rule = scheme.certificate()?;
                let url = rule.url(scheme, message)?;
                rule.allow(&url).is_ok().then_some(url)
            })
            .collect()
    }

    /// Whether any scheme has certificates that are fetched.
    pub fn has_certificates(&self) -> bool {
        self.schemes.iter().any(|one| one.certificate().is_some())
    }
}

/// Whether a text is a host with or without its port, or one with `*.` before it.
fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let url = Url::parse(&format!("https://{name}/"));
    url.is_ok_and(|url| {
        let port = url.port().map_or(String::new(), |port| format!(":{port}"));
        let host = url.host_str().unwrap_or_default();
        format!("{host}{port}").eq_ignore_ascii_case(name) && !name.contains('*')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(hosts: &[&str]) -> Certificate {
        Certificate {
            place: CertificatePlace::X5u,
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        }
    }

    #[test]
    fn a_certificate_is_fetched_from_declared_hosts_only() {
        let rule = rule(&[
            "api.example.com",
            "*.sns.example",
            "127.0.0.1:8443",
            "[::1]:80",
        ]);
        for url in [
            "https://api.example.com/cert.pem",
            "https://API.example.com:443/cert.pem",
            "https://eu-west-1.sns.example/a",
            "http://127.0.0.1:8443/a",
            "https://127.0.0.1:8443/a",
        ] {
            assert_eq!(rule.allow(url), Ok(()), "{url}");
        }
        for url in [
            "http://api.example.com/cert.pem",
            "https://api.example.com:8443/cert.pem",
            "https://api.example.com.evil.example/",
            "https://evil.example/api.example.com",
            "https://api.example.com@evil.example/",
            "https://user@api.example.com/",
            "https://sns.example/a",
            "https://evilsns.example/a",
            "http://eu.sns.example/a",
            "http://127.0.0.1/a",
            "http://127.0.0.2:8443/a",
            "file:///etc/passwd",
            "ftp://api.example.com/a",
            "/cert.pem",
            "",
        ] {
            assert!(rule.allow(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_description_means_the_same_as_itself_and_another_with_other_hosts() {
        let with = |host: &str| {
            serde_json::json!({
                "algorithm": "jws", "accept": ["RS256"], "signature": { "header": "x" }, "signed": "{body}",
                "key": { "certificate": { "token": "x5u" }, "hosts": [host] },
            })
        };
        let same = |one: &str, other: &str| {
            crate::hooks::same(crate::hooks::SIGNATURE, &with(one), &with(other))
        };
        assert!(same("a.example", "a.example"));
        assert!(!same("a.example", "b.example"));
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_more() {
        for host in ["a.example", "*.a.example", "127.0.0.1:80", "[::1]:8443"] {
            assert!(is_host(host), "{host}");
        }
        for text in [
            "",
            "*",
            "*.",
            "a b",
            "https://a.example",
            "a.example/b",
            "a.*.example",
            "u@a",
        ] {
            assert!(!is_host(text), "{text}");
        }
    }
}
