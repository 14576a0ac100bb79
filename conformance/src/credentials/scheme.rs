//! Security schemes of a document: where a request carries the credential.

use serde_json::Value;

use super::given::Origin;
use super::{set_cookie, set_query};
use crate::document::{Document, pointer};
use crate::exchange;

/// Where a request carries a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carrier {
    Header(String),
    Query(String),
    Cookie(String),
    /// `Authorization`, after this word.
    Authorization(String),
    /// The connection, not the request.
    Certificate,
    /// `Authorization`, as the answer to a challenge.
    Digest,
    /// It has to be made anew for each request.
    Unsupported(String),
}

/// Where tokens of a scheme are given out, as the document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenPlace {
    /// The token URL of the flow of client credentials.
    Url(String),
    /// A description of OIDC, which has the token URL.
    Discovery(String),
    /// The document has no flow of client credentials.
    None,
}

/// A security scheme.
#[derive(Debug, Clone)]
pub(super) struct Scheme<'d> {
    pub(super) name: &'d str,
    pub(super) carrier: Carrier,
    /// For OAuth 2.0 and OIDC.
    pub(super) tokens: Option<TokenPlace>,
}

/// The security schemes of a document that can be understood.
pub(super) fn all(document: &Document) -> Vec<Scheme<'_>> {
    let schemes = document
        .at("/components/securitySchemes")
        .and_then(Value::as_object);
    let names = schemes.into_iter().flat_map(|schemes| schemes.keys());
    names
        .filter_map(|name| {
            let at = pointer::join("/components/securitySchemes", name);
            let (_, scheme) = document.resolve(&at)?;
            Scheme::read(name, scheme)
        })
        .collect()
}

impl<'d> Scheme<'d> {
    fn read(name: &'d str, scheme: &'d Value) -> Option<Self> {
        let text = |member: &str| scheme.get(member).and_then(Value::as_str);
        let named = || text("name").unwrap_or_default().to_owned();
        let bearer = || Carrier::Authorization("Bearer".to_owned());
        let (carrier, tokens) = match text("type")? {
            "apiKey" => {
                let carrier = match text("in")? {
                    "header" => Carrier::Header(named()),
                    "query" => Carrier::Query(named()),
                    "cookie" => Carrier::Cookie(named()),
                    _ => return None,
                };
                (carrier, None)
            }
            "http" => {
                let scheme = text("scheme")?;
                let carrier = match scheme.to_ascii_lowercase().as_str() {
                    "basic" => Carrier::Authorization("Basic".to_owned()),
                    "bearer" => bearer(),
                    "digest" => Carrier::Digest,
                    "hoba" | "mutual" | "negotiate" | "dpop" | "gnap" | "scram-sha-1"
                    | "scram-sha-256" => Carrier::Unsupported(scheme.to_owned()),
                    _ => Carrier::Authorization(scheme.to_owned()),
                };
                (carrier, None)
            }
            "oauth2" => {
                let url = scheme.pointer("/flows/clientCredentials/tokenUrl");
                let url = url.and_then(Value::as_str).map(str::to_owned);
                (
                    bearer(),
                    Some(url.map_or(TokenPlace::None, TokenPlace::Url)),
                )
            }
            "openIdConnect" => {
                let url = text("openIdConnectUrl").map(str::to_owned);
                let place = url.map_or(TokenPlace::None, TokenPlace::Discovery);
                (bearer(), Some(place))
            }
            "mutualTLS" => (Carrier::Certificate, None),
            _ => return None,
        };
        Some(Self {
            name,
            carrier,
            tokens,
        })
    }

    /// Whether a credential that names no scheme is for this one.
    pub(super) fn fits(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Value(_) | Origin::Command(_) => self.carrier.is("Bearer"),
            Origin::Password { .. } => self.carrier.takes_password(),
            Origin::Client(client) => match &self.tokens {
                Some(TokenPlace::None) => client.token_url.is_some(),
                Some(_) => true,
                None => false,
            },
        }
    }

    /// Whether a credential can be one of this scheme.
    pub(super) fn takes(&self, origin: &Origin) -> Result<(), String> {
        let name = self.name;
        match (&self.carrier, origin) {
            (Carrier::Certificate, _) => Err(format!(
                "`{name}` is a client certificate; give it with --cert FILE --key FILE"
            )),
            (Carrier::Unsupported(scheme), _) => Err(format!(
                "`{name}` is HTTP authentication of the scheme {scheme}, which is not supported"
            )),
            (Carrier::Authorization(scheme), Origin::Password { .. }) if scheme != "Basic" => Err(
                format!("`{name}` takes a token, not a user name and a password"),
            ),
            (carrier, Origin::Password { .. }) if !carrier.takes_password() => Err(format!(
                "`{name}` takes an API key, not a user name and a password"
            )),
            (_, Origin::Client(_)) if self.tokens.is_none() => Err(format!(
                "`{name}` is not a scheme of OAuth 2.0; client credentials are only for these"
            )),
            _ => Ok(()),
        }
    }

    /// How to give a credential of this scheme on the command line.
    pub(super) fn way(&self) -> String {
        let name = self.name;
        match (&self.carrier, &self.tokens) {
            (Carrier::Certificate, _) => "--cert FILE --key FILE".to_owned(),
            (Carrier::Unsupported(scheme), _) => {
                format!("{scheme} is not supported: --header 'Authorization: ...'")
            }
            (_, Some(TokenPlace::None)) => "--bearer '${TOKEN}'".to_owned(),
            (_, Some(_)) => {
                "--client-id ID --client-secret '${SECRET}', or --bearer '${TOKEN}'".to_owned()
            }
            (carrier, None) if carrier.takes_password() => "--basic 'USER:${PASSWORD}'".to_owned(),
            (carrier, None) if carrier.is("Bearer") => "--bearer '${TOKEN}'".to_owned(),
            _ => format!("--credential '{name}=${{API_KEY}}'"),
        }
    }
}

impl Carrier {
    pub(super) fn is_basic(&self) -> bool {
        self.is("Basic")
    }

    /// Whether the credential is a user name and a password.
    fn takes_password(&self) -> bool {
        self.is_basic() || *self == Self::Digest
    }

    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Authorization(own) if own == word)
    }

    /// Whether a value can stand in this place. The message does not repeat it.
    pub(super) fn check(&self, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Err("the credential is empty".to_owned());
        }
        match self {
            Self::Header(name) => exchange::header(name, value)
                .map(|_| ())
                .map_err(|problem| problem.to_string()),
            Self::Authorization(_) => exchange::header("Authorization", value)
                .map(|_| ())
                .map_err(|problem| problem.to_string()),
            Self::Cookie(name) => {
                let plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
                value.bytes().all(plain).then_some(()).ok_or_else(|| {
                    format!(
                        "the value of the cookie `{name}` has characters that cookies cannot have"
                    )
                })
            }
            Self::Query(_) | Self::Certificate | Self::Digest | Self::Unsupported(_) => Ok(()),
        }
    }

    /// Puts a value into a request.
    pub(super) fn put(
        &self,
        value: &str,
        query: &mut Vec<(String, String)>,
        headers: &mut Vec<(String, String)>,
    ) {
        let mut set = |name: &str, value: String| {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.to_owned(), value));
        };
        match self {
            Self::Header(name) => set(name, value.to_owned()),
            Self::Authorization(scheme) => set("Authorization", format!("{scheme} {value}")),
            Self::Digest => set("Authorization", value.to_owned()),
            Self::Query(name) => set_query(query, name, value),
            Self::Cookie(name) => set_cookie(headers, name, value),
            Self::Certificate | Self::Unsupported(_) => {}
        }
    }
}
