//! A command line that sends a request again, byte for byte; secrets are left to the reader to fill in.

use std::fmt::Write as _;

use super::{Request, Secrets};

pub(super) fn line(request: &Request, secrets: &Secrets) -> String {
    // curl must neither glob brackets nor shorten dots nor upgrade the protocol.
    let mut line = format!(
        "curl -sS -i --http1.1 --globoff --path-as-is -X {}",
        quote(&request.method)
    );
    let _ = write!(line, " {}", quote(&request.url));
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        let value = secrets.header(&name, value);
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
            ],
            body: Some(br#"{"a": "it's"}"#.to_vec()),
        };
        let secrets = Secrets::default();
        assert_eq!(
            line(&request, &secrets),
            r#"curl -sS -i --http1.1 --globoff --path-as-is -X POST 'http://h/a?page[size]=1' -H 'x-api-key: [redacted]' -H 'x-empty;' -H 'content-type:' --data-binary '{"a": "it'\''s"}'"#
        );
        let binary = Request {
            body: Some(vec![0, 255]),
            headers: Vec::new(),
            ..request
        };
        assert!(line(&binary, &secrets).starts_with(r"printf '\000\377' | curl"));
    }
}
