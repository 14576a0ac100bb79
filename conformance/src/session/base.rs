//! The base URL: `--server`, joined with the document's relative server URL where `--server` is an origin alone.

use serde_json::Value;
use url::Url;

use super::SessionError;
use crate::document::Document;

/// The URL that path templates are appended to, without a slash at its end.
///
/// # Errors
/// When `--server` is no URL that can be used.
pub(super) fn url(server: &str, document: &Document) -> Result<String, SessionError> {
    // A password in the URL must not be repeated in the message.
    let failed = |shown: &str, problem: &str| SessionError::Server {
        url: shown.to_owned(),
        problem: problem.to_owned(),
    };
    let url = Url::parse(server).map_err(|error| {
        failed(
            server,
            &format!("{error}; write it as http://localhost:8080"),
        )
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(failed(
            server,
            "write it as http://HOST:PORT or https://HOST:PORT",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let origin = url.origin().ascii_serialization();
        return Err(failed(
            &origin,
            "give credentials by --header 'Authorization: Basic ...', not in the URL",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(failed(server, "leave out what starts with `?` or `#`"));
    }
    let base = url.as_str().trim_end_matches('/').to_owned();
    if url.path() != "/" {
        return Ok(base);
    }
    let Some(relative) = relative(document) else {
        return Ok(base);
    };
    let joined = url.join(&relative).map_err(|error| {
        failed(
            server,
            &format!("cannot be joined with `{relative}`: {error}"),
        )
    })?;
    Ok(joined.as_str().trim_end_matches('/').to_owned())
}

/// The first server URL of the document that names no host, its variables at their defaults.
fn relative(document: &Document) -> Option<String> {
    let mut urls = server_urls(document).into_iter();
    urls.find(|url| !url.contains("://") && !url.starts_with("//"))
}

/// The server URLs of the document, their variables at their defaults.
#[must_use]
pub fn server_urls(document: &Document) -> Vec<String> {
    let servers = document.at("/servers").and_then(Value::as_array);
    let servers = servers.into_iter().flatten();
    let url = |server| {
        let url = Value::get(server, "url")?.as_str()?;
        Some(with_defaults(url, server))
    };
    servers.filter_map(url).collect()
}

fn with_defaults(url: &str, server: &Value) -> String {
    let variables = server.get("variables").and_then(Value::as_object);
    variables
        .into_iter()
        .flatten()
        .fold(url.to_owned(), |url, (name, variable)| {
            let default = variable
                .get("default")
                .and_then(Value::as_str)
                .unwrap_or_default();
            url.replace(&format!("{{{name}}}"), default)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(server: &str, servers: &str) -> Result<String, String> {
        let document = Document::parse(
            "t",
            &format!("openapi: 3.1.0\nservers: {servers}\npaths: {{}}\n"),
        )
        .unwrap();
        url(server, &document).map_err(|error| error.to_string())
    }

    #[test]
    fn an_origin_is_joined_with_the_first_relative_server_and_a_path_is_used_as_it_is() {
        let servers = "[{url: 'https://api.example.com/v9'}, {url: '/{base}/v1/', variables: {base: {default: api}}}, {url: /other}]";
        for (server, expected) in [
            ("http://localhost:8080", "http://localhost:8080/api/v1"),
            ("http://localhost:8080/", "http://localhost:8080/api/v1"),
            ("http://localhost:8080/mine/", "http://localhost:8080/mine"),
        ] {
            assert_eq!(base(server, servers).unwrap(), expected);
        }
        assert_eq!(
            base("http://[::1]:80", "[{url: 'https://a/b'}]").unwrap(),
            "http://[::1]"
        );
    }

    #[test]
    fn what_cannot_be_a_base_is_said_and_a_password_is_not_repeated() {
        for server in [
            "localhost:8080",
            "ftp://h",
            "",
            "http://",
            "http://h?a=b",
            "http://h/#x",
        ] {
            assert!(base(server, "[]").is_err(), "{server}");
        }
        let message = base("http://me:hunter22@h", "[]").unwrap_err();
        assert!(
            message.contains("--header") && !message.contains("hunter22"),
            "{message}"
        );
    }
}
