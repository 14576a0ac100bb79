//! Options of live checks that say how to reach the server and who asks: credentials, certificates and the proxy.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::Args;

use crate::config::{Config, fill_in};
use crate::credentials::{ClientCredentials, Given, Origin};
use crate::exchange::{Proxy, Transport};
use crate::session::Options;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Credentials and connection")]
pub(super) struct AccessArgs {
    /// Query parameter of every request (repeatable). A value here and below may name environment variables, as '${NAME}': what stands
    /// on a command line can be read by other users of the machine.
    #[arg(long, value_name = "NAME=VALUE")]
    query: Vec<String>,

    /// Cookie of every request (repeatable).
    #[arg(long, value_name = "NAME=VALUE")]
    cookie: Vec<String>,

    /// Token for the security schemes that take one: HTTP bearer, OAuth 2.0, OIDC.
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    bearer: Option<String>,

    /// User and password for security schemes of HTTP basic authentication.
    #[arg(long, value_name = "USER:PASSWORD")]
    basic: Option<String>,

    /// Credential for one security scheme of the document: an API key, a token, or USER:PASSWORD. USER/ in front says whose it is
    /// (repeatable), such as 'user-b/apiKey=${KEY_B}'; without it, it belongs to user-a.
    #[arg(long, value_name = "[USER/]SCHEME=VALUE")]
    credential: Vec<String>,

    /// Command that prints a token; it runs again when the server answers 401.
    #[arg(long, value_name = "COMMAND", conflicts_with = "bearer")]
    token_command: Option<String>,

    /// Client of OAuth 2.0, for tokens by client credentials from the token URL of the document.
    #[arg(long, value_name = "ID", requires = "client_secret")]
    client_id: Option<String>,

    /// Secret of the client, such as `${SECRET}`.
    #[arg(long, value_name = "SECRET", requires = "client_id")]
    client_secret: Option<String>,

    /// Where tokens are given out, in place of the token URL of the document.
    #[arg(long, value_name = "URL", requires = "client_id")]
    token_url: Option<String>,

    /// Scope to ask for, in place of those that each operation needs (repeatable).
    #[arg(long, value_name = "SCOPE", requires = "client_id")]
    scope: Vec<String>,

    /// PEM file of the client certificate.
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// PEM file of the private key, if it is not in the file of --cert.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// PEM file of certificate authorities to trust besides those of the system.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Trust any certificate of the server. Whoever is on the way can read the credentials.
    #[arg(long)]
    insecure: bool,

    /// Proxy for all connections, `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, or the same with `https` or `socks5`. Those of
    /// the environment are not used.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
}

impl AccessArgs {
    /// Puts the options, and the settings of the file for what they leave out, into those of a run.
    pub(super) fn settle(self, config: &Config, options: &mut Options) -> Result<()> {
        let variable = |name: &str| env::var(name).ok();
        let access = config.access(&variable)?;
        for (_, value) in &mut options.headers {
            *value = filled("header", value)?;
        }
        options.operations = access.operations;
        options.queries = pairs("query", &self.query)?;
        options.cookies = pairs("cookie", &self.cookie)?;
        // Of the file, only what no option names.
        for (own, settings) in [
            (&mut options.queries, access.queries),
            (&mut options.cookies, access.cookies),
        ] {
            for (name, value) in settings {
                if !own.iter().any(|(known, _)| *known == name) {
                    own.push((name, value));
                }
            }
        }
        options.credentials = self.given()?;
        // The first one of a user and scheme counts.
        options.credentials.extend(access.credentials);
        let proxy = match &self.proxy {
            Some(proxy) => {
                let url = filled("proxy", proxy)?;
                Some(Proxy::parse(&url).map_err(|problem| anyhow!("--proxy: {problem}"))?)
            }
            None => access.transport.proxy,
        };
        let own = self.cert.is_some();
        options.transport = Transport {
            ca_file: self.ca_file.or(access.transport.ca_file),
            cert: self.cert.or(access.transport.cert),
            key: if own { self.key } else { access.transport.key },
            insecure: self.insecure || access.transport.insecure,
            proxy,
        };
        if options.transport.insecure {
            let warning = "WARNING: --insecure: the server's certificate is not verified; whoever is on the way can read the credentials and forge the answers";
            // A warning that cannot be written is no reason to stop.
            let _ = writeln!(io::stderr(), "{warning}");
        }
        Ok(())
    }

    fn given(&self) -> Result<Vec<Given>> {
        let mut given = Vec::new();
        for text in &self.credential {
            given.push(credential(text)?);
        }
        if let Some(token) = &self.bearer {
            let token = Origin::Value(filled("bearer", token)?);
            given.push(Given::unnamed("--bearer", token));
        }
        if let Some(text) = &self.basic {
            let text = filled("basic", text)?;
            let Some((username, password)) = text.split_once(':') else {
                bail!("--basic: write it as USER:PASSWORD, with a colon");
            };
            let origin = Origin::Password {
                username: username.to_owned(),
                password: password.to_owned(),
            };
            given.push(Given::unnamed("--basic", origin));
        }
        if let Some(command) = &self.token_command {
            let origin = Origin::Command(command.clone());
            given.push(Given::unnamed("--token-command", origin));
        }
        if let (Some(id), Some(secret)) = (&self.client_id, &self.client_secret) {
            let origin = Origin::Client(ClientCredentials {
                id: filled("client-id", id)?,
                secret: filled("client-secret", secret)?,
                token_url: self.token_url.clone(),
                scopes: (!self.scope.is_empty()).then(|| self.scope.clone()),
                audience: None,
            });
            given.push(Given::unnamed("--client-id", origin));
        }
        Ok(given)
    }
}

/// Puts `[server]` of the settings into the options that the command line leaves out.
pub(super) fn settle_server(
    config: &Config,
    on_line: &super::Given,
    options: &mut Options,
) -> Result<()> {
    let server = &config.server;
    if let Some(url) = &server.url
        && !on_line.contains("server")
    {
        options.server.clone_from(url);
    }
    if options.server.is_empty() {
        bail!("no server: give --server URL, or `url` in [server] of conformance.toml");
    }
    if let Some(timeout) = server.timeout
        && !on_line.contains("timeout")
    {
        options.timeout = timeout;
    }
    if let Some(time) = server.max_time
        && !on_line.contains("max_time")
    {
        options.max_time = Some(time);
    }
    if let Some(rate) = server.rate
        && !on_line.contains("rate")
    {
        options.rate = Some(rate);
    }
    if let Some(workers) = server.workers
        && !on_line.contains("workers")
    {
        options.workers = workers;
    }
    Ok(())
}

/// The value of an option with its environment variables. No message repeats it.
pub(super) fn filled(option: &str, text: &str) -> Result<String> {
    fill_in(text, &|name| env::var(name).ok()).map_err(|problem| anyhow!("--{option}: {problem}"))
}

fn pairs(option: &str, texts: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let text = filled(option, text)?;
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("--{option}: write it as NAME=VALUE, with an equals sign"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}

/// `[USER/]SCHEME=VALUE`.
fn credential(text: &str) -> Result<Given> {
    let form = "write it as SCHEME=VALUE or USER/SCHEME=VALUE";
    let Some((name, value)) = text.split_once('=') else {
        bail!("--credential: {form}, with an equals sign");
    };
    let (user, scheme) = match name.split_once('/') {
        Some((user, scheme)) => (Some(user.to_owned()), scheme),
        None => (None, name),
    };
    if scheme.is_empty() || user.as_ref().is_some_and(String::is_empty) {
        bail!("--credential: {form}");
    }
    Ok(Given {
        from: format!("--credential {name}"),
        user,
        scheme: Some(scheme.to_owned()),
        origin: Origin::Value(filled(&format!("credential {name}"), value)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_names_its_user_and_scheme_and_no_message_repeats_it() {
        let given = credential("user-b/key=a=b").unwrap();
        assert_eq!(given.user.as_deref(), Some("user-b"));
        assert_eq!(given.scheme.as_deref(), Some("key"));
        assert!(given.origin == Origin::Value("a=b".to_owned()));
        for text in ["hunter22", "/key=hunter22", "=hunter22", "key=${hunter22"] {
            let message = credential(text).unwrap_err().to_string();
            assert!(!message.contains("hunter22"), "{message}");
        }
        let error = credential("key=${CONFORMANCE_NONE}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "--credential key: the environment variable CONFORMANCE_NONE is not set"
        );
    }
}
