//! A command line that sends a request again, byte for byte. Credentials are variables of the shell, which complains of those that are
//! not set.
//!
//! Not the same: a header without a value, after whose colon curl writes no space; answers to digest challenges, which curl makes itself;
//! and what a proxy is sent in place of the request.

use std::fmt::Write as _;

use super::masked::{LetterCase, Piece, Slice, joined};
use super::transport::Transport;
use super::{Request, Secrets, wire_name};

/// The longest body that is an argument of curl, in bytes: systems have a limit for one argument (128 KiB on Linux).
const ARGUMENT_LIMIT: usize = 100_000;

/// From this length on curl may ask first whether the server wants the body, in bytes.
const EXPECT_LIMIT: usize = 1024;

pub(super) fn line(request: &Request, secrets: &Secrets) -> String {
    let mut spoiled = Vec::new();
    // curl must neither glob brackets nor shorten dots nor upgrade the protocol.
    let mut line = "curl -sS -i --http1.1 --globoff --path-as-is".to_owned();
    line += &connection(secrets.transport());
    // `-X HEAD` would wait for the body that the head announces.
    match (request.method.as_str(), &request.body) {
        ("HEAD", None) => line += " --head",
        (method, _) => {
            let _ = write!(line, " -X {}", quote(method));
        }
    }
    let url = secrets.masked_url(&request.url);
    let _ = write!(line, " {}", word(&url, &mut spoiled));
    for (name, value) in &request.headers {
        let mut pieces = secrets.masked_header(name, value);
        // The answer to a challenge serves once; curl makes its own.
        if let [Piece::Text(scheme), secret @ Piece::Secret { .. }] = pieces.as_slice()
            && scheme.eq_ignore_ascii_case(b"digest ")
        {
            let secret = word(std::slice::from_ref(secret), &mut spoiled);
            let _ = write!(line, " --digest --user {secret}");
            continue;
        }
        let name = wire_name(name);
        let header = match value.is_empty() {
            // A header without value needs a semicolon, a colon would remove it.
            true => vec![Piece::Text(format!("{name};").into_bytes())],
            false => {
                pieces.insert(0, Piece::Text(format!("{name}: ").into_bytes()));
                joined(pieces)
            }
        };
        let _ = write!(line, " -H {}", word(&header, &mut spoiled));
    }
    // Headers that curl adds by itself.
    let given = |name: &str| {
        let mut given = request.headers.iter();
        given.any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let body = request.body.as_deref();
    for (name, is_added) in [
        ("User-Agent", true),
        ("Accept", true),
        ("Content-Type", body.is_some()),
        ("Expect", body.is_some_and(|body| body.len() > EXPECT_LIMIT)),
    ] {
        if is_added && !given(name) {
            let _ = write!(line, " -H {name}:");
        }
    }
    if let Some(body) = body {
        let pieces = secrets.masked_body(body);
        if is_argument(body) {
            let _ = write!(line, " --data-binary {}", word(&pieces, &mut spoiled));
        } else {
            line = format!(
                "{} | {line} --data-binary @-",
                printed(&pieces, &mut spoiled)
            );
        }
    }
    // A variable of which only a part is used would be empty without complaint.
    spoiled.sort();
    spoiled.dedup();
    let checks: String = spoiled
        .iter()
        .map(|name| format!(": \"${{{name}:?}}\" && "))
        .collect();
    format!("{checks}{line}")
}

/// The options of curl for certificates and the proxy.
fn connection(transport: &Transport) -> String {
    let mut options = String::new();
    if transport.insecure {
        options += " --insecure";
    }
    for (name, file) in [
        ("cacert", &transport.ca_file),
        ("cert", &transport.cert),
        ("key", &transport.key),
    ] {
        if let Some(file) = file {
            let _ = write!(options, " --{name} {}", quote(&file.display().to_string()));
        }
    }
    if let Some(proxy) = &transport.proxy {
        // The proxy looks up names.
        let url = proxy.shown().replace("socks5://", "socks5h://");
        let _ = write!(options, " --proxy {}", quote(&url));
        if let Some((user, _)) = proxy.user() {
            let user = escaped(&format!("{user}:"));
            let _ = write!(options, " --proxy-user \"{user}${{PROXY_PASSWORD:?}}\"");
        }
    }
    options
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

/// Whether a body can be an argument, on one line that every terminal shows as it is.
fn is_argument(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body);
    text.is_ok_and(|text| !text.starts_with('@') && !text.chars().any(is_unsafe))
        && body.len() <= ARGUMENT_LIMIT
}

/// Whether a character is not shown as it is: reports replace control characters, and indent lines.
fn is_unsafe(character: char) -> bool {
    let is_mark = !character.is_ascii() && !character.is_alphanumeric();
    character.is_control() || is_mark && !('\u{1f300}'..='\u{1faff}').contains(&character)
}

/// One word of a POSIX shell. Adds the names of secrets that are used in part only.
fn word(pieces: &[Piece], spoiled: &mut Vec<String>) -> String {
    if let [Piece::Text(text)] = pieces {
        return text_word(text);
    }
    // One pair of double quotes is easier to read, where nothing in the text has a meaning between them.
    let plain = |text: &[u8]| {
        std::str::from_utf8(text).is_ok_and(|text| {
            !text.contains(['\\', '"', '$', '`', '!']) && !text.chars().any(is_unsafe)
        })
    };
    let is_plain = pieces.iter().all(|piece| match piece {
        Piece::Text(text) => plain(text),
        Piece::Secret { .. } | Piece::Base64(_) | Piece::Cased(..) => true,
    });
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) if is_plain => out += &String::from_utf8_lossy(text),
            Piece::Text(text) => out += &text_word(text),
            Piece::Secret { .. } | Piece::Base64(_) | Piece::Cased(..) if is_plain => {
                out += &expansion(piece, spoiled);
            }
            Piece::Secret { .. } | Piece::Base64(_) | Piece::Cased(..) => {
                let _ = write!(out, "\"{}\"", expansion(piece, spoiled));
            }
        }
    }
    if is_plain { format!("\"{out}\"") } else { out }
}

/// Returns the text that stands for a secret between double quotes.
fn expansion(piece: &Piece, spoiled: &mut Vec<String>) -> String {
    match piece {
        Piece::Text(text) => text_word(text),
        Piece::Secret { name, slice } => {
            if *slice != Slice::Whole {
                spoiled.push(name.clone());
            }
            let any = |count: usize| "?".repeat(count);
            match *slice {
                Slice::Whole => format!("${{{name}:?}}"),
                Slice::WithoutLast(count) => format!("${{{name}%{}}}", any(count)),
                Slice::Last(0) => String::new(),
                // Without what stands before.
                Slice::Last(count) => format!("${{{name}#\"${{{name}%{}}}\"}}", any(count)),
            }
        }
        Piece::Base64(inner) => {
            // `base64` breaks long lines.
            let text = word(inner, spoiled);
            format!("$(printf %s {text} | base64 | tr -d '\\n')")
        }
        Piece::Cased(case, inner) => {
            for piece in inner {
                if let Piece::Secret { name, .. } = piece {
                    spoiled.push(name.clone());
                }
            }
            let text = word(inner, spoiled);
            let sets = match case {
                LetterCase::Upper => "a-z A-Z",
                LetterCase::Lower => "A-Z a-z",
            };
            format!("$(printf %s {text} | LC_ALL=C tr {sets})")
        }
    }
}

/// A text as a word.
fn text_word(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(text) if !text.chars().any(is_unsafe) => quote(text),
        _ => format!("\"$(printf '{}')\"", format_of(text)),
    }
}

/// A command that prints a body.
fn printed(pieces: &[Piece], spoiled: &mut Vec<String>) -> String {
    let (mut format, mut arguments) = (String::new(), String::new());
    for piece in pieces {
        match piece {
            Piece::Text(text) => format += &format_of(text),
            Piece::Secret { .. } | Piece::Base64(_) | Piece::Cased(..) => {
                format += "%s";
                let _ = write!(arguments, " \"{}\"", expansion(piece, spoiled));
            }
        }
    }
    format!("printf '{format}'{arguments}")
}

/// A text as the format of `printf` between single quotes.
fn format_of(text: &[u8]) -> String {
    fn octal(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return octal(text);
    };
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            '\r' => out += "\\r",
            '\\' => out += "\\\\",
            '%' => out += "%%",
            '\'' => out += r"'\''",
            other if is_unsafe(other) => out += &octal(other.encode_utf8(&mut [0; 4]).as_bytes()),
            // The first character of a format must not look like an option.
            '-' if out.is_empty() => out += "\\055",
            other => out.push(other),
        }
    }
    out
}

/// A word for a POSIX shell.
fn quote(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-._~/:=".contains(character);
    // zsh takes a word that begins with `=` for the path of a command.
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with(['=', '~']) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            method: "POST".into(),
            url: "http://h/a?page[size]=1".into(),
            headers: vec![
                ("X-API-Key".into(), "hunter22".into()),
                ("X-Empty".into(), String::new()),
                ("Authorization".into(), "Bearer hunter22".into()),
            ],
            body: Some(br#"{"a": "it's"}"#.to_vec()),
        }
    }

    #[test]
    fn quotes_and_brackets_survive_the_shell_and_secrets_do_not_appear() {
        assert_eq!(
            line(&request(), &Secrets::default()),
            r#"curl -sS -i --http1.1 --globoff --path-as-is -X POST 'http://h/a?page[size]=1' -H "X-Api-Key: ${X_API_KEY:?}" -H 'X-Empty;' -H "Authorization: Bearer ${AUTHORIZATION:?}" -H User-Agent: -H Accept: -H Content-Type: --data-binary '{"a": "it'\''s"}'"#
        );
    }

    #[test]
    fn certificates_and_the_proxy_are_options_and_its_password_is_a_variable() {
        let mut secrets = Secrets::default();
        secrets.connected_by(&Transport {
            ca_file: Some("my ca.pem".into()),
            insecure: true,
            proxy: Some(super::super::Proxy::parse("socks5://me:hunter22@h:1").unwrap()),
            ..Transport::default()
        });
        let line = line(&request(), &secrets);
        assert!(
            line.contains(" --insecure --cacert 'my ca.pem' --proxy socks5h://h:1 --proxy-user \"me:${PROXY_PASSWORD:?}\" -X POST "),
            "{line}"
        );
    }

    #[test]
    fn what_a_report_cannot_show_as_it_is_is_printed() {
        for (body, printed) in [
            (&b"\0\xff"[..], r"printf '\000\377' | curl "),
            (b"@a%\\'", r"printf '@a%%\\'\''' | curl "),
            (
                "a\u{202e}\n\u{1b}ä".as_bytes(),
                r"printf 'a\342\200\256\n\033ä' | curl ",
            ),
        ] {
            let request = Request {
                body: Some(body.to_vec()),
                ..request()
            };
            let line = line(&request, &Secrets::default());
            assert!(line.starts_with(printed), "{line}");
            assert!(line.ends_with(" --data-binary @-"), "{line}");
        }
    }

    #[test]
    fn a_spoiled_credential_shows_what_was_done_to_it_and_not_the_credential() {
        let secrets = Secrets::default();
        secrets.know("X-API-Key", "", "hunter22");
        secrets.know("Authorization", "", "Basic bWU6aHVudGVyMjI=");
        let curl = |name: &str, value: &str| {
            let request = Request {
                method: "GET".into(),
                url: "http://h/".into(),
                headers: vec![(name.into(), value.into())],
                body: None,
            };
            let line = line(&request, &secrets);
            let (_, header) = line.split_once("http://h/ -H ").unwrap();
            let header = header.replace(" -H User-Agent: -H Accept:", "");
            (line.starts_with(": \"${"), header)
        };
        for (name, value, expected) in [
            ("X-API-Key", "hunter22", "\"X-Api-Key: ${X_API_KEY:?}\""),
            ("X-API-Key", "hunter22x", "\"X-Api-Key: ${X_API_KEY:?}x\""),
            ("X-API-Key", "hunter2", "\"X-Api-Key: ${X_API_KEY%?}\""),
            (
                "X-API-Key",
                "hunteb22",
                "\"X-Api-Key: ${X_API_KEY%???}b${X_API_KEY#\"${X_API_KEY%??}\"}\"",
            ),
            (
                "Authorization",
                "Basic bWU6aHVudGVyMg==",
                "\"Authorization: Basic $(printf %s \"${BASIC_AUTH%?}\" | base64 | tr -d '\\n')\"",
            ),
            (
                "X-API-Key",
                "HUNTER22",
                "\"X-Api-Key: $(printf %s \"${X_API_KEY:?}\" | LC_ALL=C tr a-z A-Z)\"",
            ),
            (
                "Authorization",
                "Basic bWU6SFVOVEVSMjI=",
                "\"Authorization: Basic $(printf %s \"${BASIC_AUTH%????????}$(printf %s \"${BASIC_AUTH#\"${BASIC_AUTH%????????}\"}\" | LC_ALL=C tr a-z A-Z)\" | base64 | tr -d '\\n')\"",
            ),
        ] {
            let (checks, header) = curl(name, value);
            assert_eq!(header, expected);
            assert_eq!(
                checks,
                header.contains('%') && !header.contains("%s \"${BASIC_AUTH:")
            );
        }
    }
}
