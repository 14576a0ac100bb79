//! A command line that sends a request again, byte for byte. Credentials are variables of the shell, which complains of those that are
//! not set.

use std::fmt::Write as _;

use super::{Request, Secrets};
use crate::case::serialize::decode;

pub(super) fn line(request: &Request, secrets: &Secrets) -> String {
    // curl must neither glob brackets nor shorten dots nor upgrade the protocol.
    let mut line = format!(
        "curl -sS -i --http1.1 --globoff --path-as-is -X {}",
        quote(&request.method)
    );
    let _ = write!(line, " {}", url(&request.url, secrets));
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if secrets.hides(&name, value) {
            // `Bearer` and the like are no secret.
            let scheme = value.split_once(' ').filter(|_| name == "authorization");
            let scheme = scheme.map_or_else(String::new, |(scheme, _)| format!("{scheme} "));
            let header = format!("{}: {}", escaped(&name), escaped(&scheme));
            let _ = write!(line, " -H \"{header}{}\"", variable(&name));
            continue;
        }
        // A header without value needs a semicolon, a colon would remove it.
        let header = if value.is_empty() {
            format!("{name};")
        } else {
            format!("{name}: {value}")
        };
        let _ = write!(line, " -H {}", quote(&header));
    }
    let Some(body) = &request.body else {
        return line;
    };
    if !request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        line += " -H 'content-type:'";
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') && !text.starts_with('@') => {
            let _ = write!(line, " --data-binary {}", quote(text));
            line
        }
        _ => {
            let bytes: String = body.iter().map(|byte| format!("\\{byte:03o}")).collect();
            format!("printf '{bytes}' | {line} --data-binary @-")
        }
    }
}

/// The URL as a word, with variables for the credentials in its query.
fn url(url: &str, secrets: &Secrets) -> String {
    let Some((path, query)) = url.split_once('?') else {
        return quote(url);
    };
    let mut hidden = false;
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if secrets.hides_query(&decode(name), value) => {
                hidden = true;
                format!("{}={}", escaped(name), variable(&decode(name)))
            }
            _ => escaped(pair),
        })
        .collect();
    match hidden {
        true => format!("\"{}?{}\"", escaped(path), pairs.join("&")),
        false => quote(url),
    }
}

/// The variable that stands for the credential of this name: `${X_API_KEY:?}`.
fn variable(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let name = upper.replace(|character: char| !character.is_ascii_alphanumeric(), "_");
    let digit = name.starts_with(|first: char| first.is_ascii_digit());
    format!("${{{}{name}:?}}", if digit { "_" } else { "" })
}

/// Text between double quotes of a POSIX shell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\\"$`".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A word for a POSIX shell.
fn quote(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-._~/:=".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_brackets_and_raw_bytes_survive_the_shell_and_secrets_do_not_appear() {
        let request = Request {
            method: "POST".into(),
            url: "http://h/a?page[size]=1".into(),
            headers: vec![
                ("X-API-Key".into(), "hunter22".into()),
                ("X-Empty".into(), String::new()),
                ("Authorization".into(), "Bearer hunter22".into()),
            ],
            body: Some(br#"{"a": "it's"}"#.to_vec()),
        };
        let secrets = Secrets::default();
        assert_eq!(
            line(&request, &secrets),
            r#"curl -sS -i --http1.1 --globoff --path-as-is -X POST 'http://h/a?page[size]=1' -H "x-api-key: ${X_API_KEY:?}" -H 'x-empty;' -H "authorization: Bearer ${AUTHORIZATION:?}" -H 'content-type:' --data-binary '{"a": "it'\''s"}'"#
        );
        let binary = Request {
            body: Some(vec![0, 255]),
            headers: Vec::new(),
            ..request
        };
        assert!(line(&binary, &secrets).starts_with(r"printf '\000\377' | curl"));
    }
}
