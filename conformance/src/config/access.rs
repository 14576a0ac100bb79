//! `[server]` and `[[credential]]`: which server live checks ask, and with which credentials. Secrets come from environment variables.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::file::beside;
use super::fill_in;
use super::operation::WrittenOperation;
use crate::credentials::{ClientCredentials, Given, Origin};
use crate::exchange::{Proxy, Transport};
use crate::session::{self, OperationOptions};
use crate::toml_text::{Text, TextError};

/// The server that live checks ask; a flag takes precedence.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WrittenServer {
    /// URL of the server, as of `--server`.
    pub(super) url: Option<String>,
    /// Seconds that one exchange may take in all.
    #[schemars(with = "Option<f64>", extend("default" = 30, "exclusiveMinimum" = 0))]
    pub(super) timeout: Option<Spanned<f64>>,
    /// Seconds after which no further request is sent.
    #[schemars(with = "Option<f64>", extend("exclusiveMinimum" = 0))]
    pub(super) max_time: Option<Spanned<f64>>,
    /// Most requests a second.
    #[schemars(with = "Option<f64>", extend("exclusiveMinimum" = 0))]
    pub(super) rate: Option<Spanned<f64>>,
    /// Most requests that are under way at once.
    #[schemars(with = "Option<u16>", extend("default" = 8, "minimum" = 1, "maximum" = 1000))]
    pub(super) workers: Option<Spanned<i64>>,
    /// Query parameters of every request, such as `version=2`; environment variables are filled in.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) query: Vec<Spanned<String>>,
    /// Cookies of every request, such as `session=${SESSION}`; environment variables are filled in.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) cookie: Vec<Spanned<String>>,
    /// PEM file of the client certificate, relative to this file.
    pub(super) cert: Option<String>,
    /// PEM file of the private key, if it is not in `cert`.
    pub(super) key: Option<String>,
    /// PEM file of certificate authorities to trust besides those of the system.
    pub(super) ca_file: Option<String>,
    /// Trust any certificate of the server.
    #[schemars(extend("default" = false))]
    pub(super) insecure: Option<bool>,
    /// Proxy for all connections, such as `http://user:${PROXY_PASSWORD}@localhost:3128`; environment variables are filled in.
    #[schemars(with = "Option<String>")]
    pub(super) proxy: Option<Spanned<String>>,
}

/// A credential for live checks. Secrets never stand in this file: their values name environment variables, as `${NAME}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [
    {"required": ["value"]},
    {"required": ["username", "password"]},
    {"required": ["client-id", "client-secret"]},
    {"required": ["command"]},
]))]
pub(super) struct WrittenCredential {
    /// Security scheme of the document that the credential is for.
    #[schemars(with = "String")]
    scheme: Spanned<String>,
    /// Whose it is. The first user sends the requests; a second one must not see what the first one creates.
    #[schemars(extend("default" = "user-a"))]
    user: Option<String>,
    /// An API key or a token, such as `${API_KEY}`.
    #[schemars(with = "Option<String>")]
    value: Option<Spanned<String>>,
    /// User name of basic authentication.
    username: Option<String>,
    /// Password of basic authentication, such as `${PASSWORD}`.
    #[schemars(with = "Option<String>")]
    password: Option<Spanned<String>>,
    /// Client of OAuth 2.0, for tokens by client credentials.
    client_id: Option<String>,
    /// Secret of the client, such as `${CLIENT_SECRET}`.
    #[schemars(with = "Option<String>")]
    client_secret: Option<Spanned<String>>,
    /// Where tokens are given out, in place of the token URL of the document.
    token_url: Option<String>,
    /// Scopes to ask for, in place of those that each operation needs.
    scopes: Option<Vec<String>>,
    /// API that the token is for, where the server asks for `audience`.
    audience: Option<String>,
    /// Command that prints a token; it runs again when the server answers 401.
    command: Option<String>,
}

/// Credentials and connection settings.
#[derive(Debug, Default)]
pub struct Access {
    /// `query`.
    pub queries: Vec<(String, String)>,
    /// `cookie`.
    pub cookies: Vec<(String, String)>,
    /// `[[credential]]`, in the order of the file.
    pub credentials: Vec<Given>,
    /// `[[operation]]`, in the order of the file.
    pub operations: Vec<OperationOptions>,
    /// Certificates and the proxy.
    pub transport: Transport,
}

/// `[server]` without what names environment variables.
#[derive(Debug, Default)]
pub struct Server {
    /// `url`.
    pub url: Option<String>,
    /// `timeout`, in seconds.
    pub timeout: Option<f64>,
    /// `max-time`, in seconds.
    pub max_time: Option<f64>,
    /// `rate`, in requests a second.
    pub rate: Option<f64>,
    /// `workers`.
    pub workers: Option<usize>,
}

impl WrittenServer {
    pub(super) fn settle(&self, text: &Text<'_>) -> Result<Server, TextError> {
        let number = |value: &Option<Spanned<f64>>,
                      read: fn(&str) -> Result<f64, String>|
         -> Result<Option<f64>, TextError> {
            let Some(value) = value else { return Ok(None) };
            let at = value.span().start;
            let number = read(&value.get_ref().to_string());
            number.map(Some).map_err(|problem| text.error(at, problem))
        };
        let workers = match &self.workers {
            None => None,
            Some(workers) => {
                let at = workers.span().start;
                let number = session::workers(&workers.get_ref().to_string());
                Some(number.map_err(|problem| text.error(at, problem))?)
            }
        };
        Ok(Server {
            url: self.url.clone(),
            timeout: number(&self.timeout, session::seconds)?,
            max_time: number(&self.max_time, session::seconds)?,
            rate: number(&self.rate, session::rate)?,
            workers,
        })
    }
}

/// Checks what can be checked without environment variables.
pub(super) fn check(text: &Text<'_>, written: &[WrittenCredential]) -> Result<(), TextError> {
    for one in written {
        one.origin(text, &|name| Some(format!("${{{name}}}")))?;
    }
    Ok(())
}

/// Fills environment variables in.
pub(super) fn access(
    text: &Text<'_>,
    server: &WrittenServer,
    credentials: &[WrittenCredential],
    operations: &[WrittenOperation],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Access, TextError> {
    let pair = |written: &Spanned<String>| {
        let filled = filled(text, written, variable)?;
        let pair = filled
            .split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.ok_or_else(|| {
            text.error(
                written.span().start,
                "write it as NAME=VALUE, with an equals sign",
            )
        })
    };
    let path = |path: &Option<String>| -> Option<PathBuf> {
        path.as_ref().map(|path| beside(text.name, path).into())
    };
    let given = |written: &WrittenCredential| {
        let position = text.position(written.scheme.span().start);
        Ok(Given {
            from: format!("{}:{}:{}", text.name, position.line, position.column),
            user: written.user.clone(),
            scheme: Some(written.scheme.get_ref().clone()),
            origin: written.origin(text, variable)?,
        })
    };
    let proxy = match &server.proxy {
        None => None,
        Some(written) => {
            let url = filled(text, written, variable)?;
            let proxy = Proxy::parse(&url);
            Some(proxy.map_err(|problem| text.error(written.span().start, problem))?)
        }
    };
    Ok(Access {
        queries: server.query.iter().map(pair).collect::<Result<_, _>>()?,
        cookies: server.cookie.iter().map(pair).collect::<Result<_, _>>()?,
        credentials: credentials.iter().map(given).collect::<Result<_, _>>()?,
        operations: operations
            .iter()
            .map(|one| one.settle(text, variable))
            .collect::<Result<_, _>>()?,
        transport: Transport {
            ca_file: path(&server.ca_file),
            cert: path(&server.cert),
            key: path(&server.key),
            insecure: server.insecure.unwrap_or_default(),
            proxy,
        },
    })
}

fn filled(
    text: &Text<'_>,
    written: &Spanned<String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, TextError> {
    fill_in(written.get_ref(), variable)
        .map_err(|problem| text.error(written.span().start, problem))
}

impl WrittenCredential {
    fn origin(
        &self,
        text: &Text<'_>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Origin, TextError> {
        let at = self.scheme.span().start;
        let secret = |written: &Spanned<String>| {
            if !written.get_ref().contains("${") {
                let problem = "a secret does not belong in this file; write \"${NAME}\" and set the environment variable NAME";
                return Err(text.error(written.span().start, problem));
            }
            filled(text, written, variable)
        };
        let of_oauth = self.token_url.is_some() || self.scopes.is_some() || self.audience.is_some();
        if of_oauth && self.client_id.is_none() {
            return Err(text.error(
                at,
                "`token-url`, `scopes` and `audience` are for OAuth 2.0: write `client-id` and `client-secret`",
            ));
        }
        match self {
            Self {
                value: Some(value),
                username: None,
                password: None,
                client_id: None,
                client_secret: None,
                command: None,
                ..
            } => Ok(Origin::Value(secret(value)?)),
            Self {
                value: None,
                username: Some(username),
                password: Some(password),
                client_id: None,
                client_secret: None,
                command: None,
                ..
            } => Ok(Origin::Password {
                username: username.clone(),
                password: secret(password)?,
            }),
            Self {
                value: None,
                username: None,
                password: None,
                client_id: Some(id),
                client_secret: Some(client_secret),
                command: None,
                ..
            } => Ok(Origin::Client(ClientCredentials {
                id: id.clone(),
                secret: secret(client_secret)?,
                token_url: self.token_url.clone(),
                scopes: self.scopes.clone(),
                audience: self.audience.clone(),
            })),
            Self {
                value: None,
                username: None,
                password: None,
                client_id: None,
                client_secret: None,
                command: Some(command),
                ..
            } => Ok(Origin::Command(command.clone())),
            _ => Err(text.error(
                at,
                "a credential has one of: `value`; `username` and `password`; `client-id` and `client-secret`; `command`",
            )),
        }
    }
}
