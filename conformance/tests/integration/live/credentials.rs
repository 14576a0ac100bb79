//! Credentials: each kind stands where its security scheme says, tokens are fetched and renewed, and no report or message has a secret.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::server::{Live, Seen, json};
use super::*;

/// A document with an operation for each kind of security scheme.
fn document() -> String {
    let operations = [
        ("header", "[{headerKey: []}]"),
        ("query", "[{queryKey: []}]"),
        ("cookie", "[{cookieKey: []}]"),
        ("basic", "[{password: []}]"),
        ("bearer", "[{bearer: []}]"),
        ("both", "[{headerKey: [], bearer: []}]"),
        ("either", "[{oidc: [x]}, {queryKey: []}]"),
        ("own", "[{own: []}]"),
        ("public", "[]"),
    ];
    let mut text = "openapi: 3.1.0
info: {title: Vault, version: '1'}
components:
  securitySchemes:
    headerKey: {type: apiKey, in: header, name: X-Vault}
    queryKey: {type: apiKey, in: query, name: vault}
    cookieKey: {type: apiKey, in: cookie, name: VAULT}
    password: {type: http, scheme: basic}
    bearer: {type: http, scheme: bearer}
    own: {type: http, scheme: VaultToken}
    oidc: {type: openIdConnect, openIdConnectUrl: /none}
paths:
"
    .to_owned();
    for (name, security) in operations {
        text += &operation(name, security);
    }
    text
}

fn operation(name: &str, security: &str) -> String {
    format!(
        "  /{name}:
    get:
      security: {security}
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema: {{type: object}}
              examples: {{ok: {{value: {{}}}}}}
"
    )
}

fn ok(_: &Seen) -> Vec<u8> {
    json(200, "{}")
}

/// The request to a path.
#[track_caller]
fn to(server: &Live, path: &str) -> Seen {
    let mut requests = server.requests().into_iter();
    requests.find(|one| one.path() == path).expect(path)
}

#[test]
fn each_credential_stands_where_its_security_scheme_says_and_nowhere_else() {
    let place = Place::new(&document());
    let server = Live::http(ok);
    let run = place.run(
        &[
            "replay",
            "api.yaml",
            "--server",
            &server.url(),
            "--cookie",
            "theme=dark",
            "--query",
            "lang=de",
            "--credential",
            "headerKey=${HEADER_KEY}",
            "--credential",
            "queryKey=que ry&22",
            "--credential",
            "cookieKey=cookie22",
            "--basic",
            "me:${PASSWORD}",
            "--bearer",
            "bearer22",
            "--credential",
            "own=own22",
        ],
        &[("HEADER_KEY", "header22"), ("PASSWORD", "pass:word")],
    );
    assert_eq!(run.code, 0, "{run:?}");
    let carried = |path: &str| {
        let seen = to(&server, path);
        let header = |name: &str| seen.header(name).unwrap_or("-").to_owned();
        [
            seen.target.clone(),
            header("x-vault"),
            header("cookie"),
            header("authorization"),
        ]
    };
    let dark = "theme=dark";
    // `me:pass:word` in base64.
    let basic = "Basic bWU6cGFzczp3b3Jk";
    for (path, expected) in [
        ("/header", ["/header?lang=de", "header22", dark, "-"]),
        (
            "/query",
            ["/query?vault=que%20ry%2622&lang=de", "-", dark, "-"],
        ),
        (
            "/cookie",
            ["/cookie?lang=de", "-", "VAULT=cookie22; theme=dark", "-"],
        ),
        ("/basic", ["/basic?lang=de", "-", dark, basic]),
        ("/bearer", ["/bearer?lang=de", "-", dark, "Bearer bearer22"]),
        (
            "/both",
            ["/both?lang=de", "header22", dark, "Bearer bearer22"],
        ),
        ("/either", ["/either?lang=de", "-", dark, "Bearer bearer22"]),
        ("/own", ["/own?lang=de", "-", dark, "VaultToken own22"]),
        ("/public", ["/public?lang=de", "-", dark, "-"]),
    ] {
        assert_eq!(carried(path), expected);
    }
}

#[test]
fn a_token_goes_with_every_request_where_the_document_has_no_scheme_for_it() {
    let place = Place::new(PING);
    let server = Live::http(super::server::pong);
    let run = place.replay(&server.url(), &["--bearer", "bearer22"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        to(&server, "/ping").header("authorization"),
        Some("Bearer bearer22")
    );
}

#[test]
fn a_credential_that_cannot_be_used_is_told_without_its_value() {
    let place = Place::new(&document());
    let server = Live::http(ok);
    for (arguments, parts) in [
        (
            &["--credential", "hederKey=hunter22"][..],
            &["--credential hederKey", "did you mean `headerKey`?"][..],
        ),
        (
            &["--credential", "nothing=hunter22"],
            &["it has `headerKey`, `queryKey`"],
        ),
        (&["--credential", "hunter22"], &["write it as SCHEME=VALUE"]),
        (
            &["--credential", "headerKey=hunter22\u{7f}"],
            &["--credential headerKey: "],
        ),
        (
            &["--credential", "cookieKey=hunter22;"],
            &["cookies cannot have"],
        ),
        (
            &["--credential", "password=hunter22"],
            &["write it as USER:PASSWORD"],
        ),
        (
            &["--credential", "headerKey=${NONE_22}"],
            &["the environment variable NONE_22 is not set"],
        ),
        (
            &["--credential", "headerKey="],
            &["the credential is empty"],
        ),
        (
            &["--basic", "hunter22"],
            &["--basic: write it as USER:PASSWORD"],
        ),
        (
            &["--query", "hunter22"],
            &["--query: write it as NAME=VALUE"],
        ),
        (
            &["--token-command", "exit 3"],
            &["--token-command: no token: the command failed", "3"],
        ),
        (
            &["--token-command", "echo hunter22 hunter22"],
            &["the command prints no token"],
        ),
        (
            &["--token-command", "sleep 60", "--timeout", "0.3"],
            &["the command took longer than 0.3 s"],
        ),
        (
            &["--client-id", "me", "--client-secret", "hunter22"],
            &["--client-id: no token: ", "--token-url"],
        ),
        (
            &[
                "--client-id",
                "me",
                "--client-secret",
                "hunter22",
                "--token-url",
                "ftp://h/",
            ],
            &["is neither http nor https"],
        ),
    ] {
        let run = place.replay(&server.url(), arguments);
        assert!(!format!("{run:?}").contains("hunter22"), "{run:?}");
        refused(&run, parts);
    }
    // Only a description of OpenID Connect was asked for.
    assert!(server.requests().iter().all(|one| one.path() == "/none"));
}

/// An authorization server and the API that takes its tokens, each token `USES` times.
struct Oauth {
    server: Live,
    /// The forms of all token requests.
    forms: Arc<Mutex<Vec<String>>>,
}

impl Oauth {
    fn start(uses: usize, lifetime: u32, in_body: bool) -> Self {
        let forms: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&forms);
        let left = Arc::new(AtomicUsize::new(0));
        let server = Live::http(move |request| {
            if request.path() == "/oauth/token" {
                let form = String::from_utf8(request.body.clone()).expect("is text");
                // `me:hunter22`.
                let basic = request.header("authorization") == Some("Basic bWU6aHVudGVyMjI=");
                let accepted = match in_body {
                    true => form.contains("client_id=me&client_secret=hunter22"),
                    false => basic,
                };
                if !accepted {
                    return json(
                        401,
                        "{\"error\": \"invalid_client\", \"error_description\": \"not hunter22\"}",
                    );
                }
                if form.contains("scope=never") {
                    return json(400, "{\"error\": \"invalid_scope\"}");
                }
                let mut log = log.lock().expect("no thread panics");
                log.push(form);
                left.store(uses, Ordering::SeqCst);
                let token = format!(
                    "{{\"access_token\": \"token-22-{}\", \"expires_in\": {lifetime}}}",
                    log.len()
                );
                return json(200, &token);
            }
            let current = format!(
                "Bearer token-22-{}",
                log.lock().expect("no thread panics").len()
            );
            // The token stands in the answer, too.
            let shown = format!("{{\"you\": \"{current}\"}}");
            let known = request
                .header("authorization")
                .is_some_and(|given| given.starts_with("Bearer token-22-"));
            let newest = request.header("authorization") == Some(&current) || uses == usize::MAX;
            let used = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
            match known && newest && used.is_ok() {
                true => json(200, &shown),
                false => json(401, &shown),
            }
        });
        Self { server, forms }
    }

    fn forms(&self) -> Vec<String> {
        self.forms.lock().expect("no thread panics").clone()
    }
}

fn oauth_document(scopes: &[&str]) -> String {
    let mut text = "openapi: 3.1.0
info: {title: Vault, version: '1'}
components:
  securitySchemes:
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: /oauth/token, scopes: {}}}}
paths:
"
    .to_owned();
    for (index, scope) in scopes.iter().enumerate() {
        text += &operation(&format!("thing{index}"), &format!("[{{oauth: [{scope}]}}]"));
    }
    text
}

const CLIENT: [&str; 4] = ["--client-id", "me", "--client-secret", "hunter22"];

#[test]
fn tokens_of_oauth_are_fetched_once_for_each_set_of_scopes() {
    for in_body in [false, true] {
        let oauth = Oauth::start(usize::MAX, 3600, in_body);
        let place = Place::new(&oauth_document(&[
            "read",
            "write, read",
            "read, write",
            "read",
        ]));
        let run = place.replay(&oauth.server.url(), &CLIENT);
        assert_eq!(run.code, 0, "{run:?}");
        let forms = oauth.forms();
        let scopes: Vec<&str> = forms
            .iter()
            .map(|form| form.split("scope=").nth(1).expect("a scope"))
            .collect();
        let scopes: Vec<&str> = scopes
            .iter()
            .map(|scope| scope.split('&').next().expect("a value"))
            .collect();
        assert_eq!(scopes, ["read", "read%20write"], "{forms:?}");
        assert!(
            forms[0].starts_with("grant_type=client_credentials"),
            "{forms:?}"
        );
        // With scopes of the user's there is one token.
        let run = place.replay(
            &oauth.server.url(),
            &[&CLIENT[..], &["--scope", "all"]].concat(),
        );
        assert_eq!((run.code, oauth.forms().len()), (0, 3), "{run:?}");
    }
}

#[test]
fn a_token_is_renewed_on_401_and_before_it_ends() {
    // Each token is good for one request.
    let oauth = Oauth::start(1, 3600, false);
    let place = Place::new(&oauth_document(&["a", "a", "a"]));
    let run = place.replay(&oauth.server.url(), &CLIENT);
    assert_eq!((run.code, oauth.forms().len()), (0, 3), "{run:?}");
    // Each token ends at once, though the server would not notice.
    let oauth = Oauth::start(usize::MAX, 0, false);
    let run = place.replay(&oauth.server.url(), &CLIENT);
    assert_eq!((run.code, oauth.forms().len()), (0, 4), "{run:?}");
    // A server that takes no token is not asked for ever.
    let oauth = Oauth::start(0, 3600, false);
    let run = place.replay(&oauth.server.url(), &CLIENT);
    assert_ne!(run.code, 0, "{run:?}");
    assert_eq!(
        oauth.forms().len(),
        1 + 3,
        "one for each operation that refuses"
    );
}

#[test]
fn no_report_has_a_secret_not_even_a_token_that_was_fetched() {
    let oauth = Oauth::start(0, 3600, false);
    let place = Place::new(&oauth_document(&["a"]));
    for format in [
        "text", "oneline", "json", "ndjson", "junit", "sarif", "html", "markdown", "github",
    ] {
        let run = place.replay(
            &oauth.server.url(),
            &[&CLIENT[..], &["--format", format]].concat(),
        );
        let all = format!("{run:?}");
        for secret in ["hunter22", "bWU6aHVudGVyMjI", "token-22-"] {
            assert!(!all.contains(secret), "{format}: {all}");
        }
    }
    let run = place.replay(
        &oauth.server.url(),
        &["--client-id", "me", "--client-secret", "hunter23"],
    );
    refused(&run, &["/oauth/token answered 401: invalid_client"]);
    assert!(!run.error.contains("hunter23"), "{run:?}");
    let place = Place::new(&oauth_document(&["never"]));
    let run = place.replay(&oauth.server.url(), &CLIENT);
    refused(
        &run,
        &["400: invalid_scope; name the scopes to ask for with --scope"],
    );
}

#[test]
fn a_command_prints_a_token_and_runs_again_on_401() {
    let place = Place::new(&document());
    let current = Arc::new(AtomicUsize::new(1));
    let newest = Arc::clone(&current);
    let server = Live::http(move |request| {
        let given = request.header("authorization").unwrap_or("-");
        let current = format!("Bearer token-{}", newest.load(Ordering::SeqCst));
        if request.path() == "/both" && newest.load(Ordering::SeqCst) == 1 {
            newest.store(2, Ordering::SeqCst);
            return json(401, "{}");
        }
        json(if given == current { 200 } else { 401 }, "{}")
    });
    // Prints token-1, then token-2.
    let command = "echo x >> count; echo token-$(wc -l < count | tr -d ' ')";
    let only = [
        "--include",
        "path:/b*",
        "--exclude",
        "path:/basic",
        "--credential",
        "headerKey=header22",
    ];
    let run = place.replay(
        &server.url(),
        &[&["--token-command", command][..], &only].concat(),
    );
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(current.load(Ordering::SeqCst), 2);
    let run = place.replay(
        &server.url(),
        &[
            &[
                "--token-command",
                "echo '{\"access_token\": \"token-2\", \"expires_in\": 60}'",
            ][..],
            &only,
        ]
        .concat(),
    );
    assert_eq!(run.code, 0, "{run:?}");
}

/// The members of `Authorization: Digest ...`.
fn digest_member(text: &str, name: &str) -> Option<String> {
    let mut members = text.strip_prefix("Digest ")?.split(", ");
    let own = members.find_map(|member| member.strip_prefix(&format!("{name}=")))?;
    Some(own.trim_matches('"').to_owned())
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_digest_challenge_is_answered_for_each_request_and_the_password_stays_here() {
    let text = "openapi: 3.1.0
info: {title: Vault, version: '1'}
security: [{digest: []}]
components: {securitySchemes: {digest: {type: http, scheme: digest}}}
paths:
"
    .to_owned()
        + &operation("one", "[{digest: []}]")
        + &operation("two", "[{digest: []}]");
    let place = Place::new(&text);
    let refused_ones = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused_ones);
    let server = Live::http(move |request| {
        let given = request.header("authorization").unwrap_or_default();
        let member = |name: &str| digest_member(given, name).unwrap_or_default();
        let secret = sha256("me:the vault:hunter:22");
        let what = sha256(&format!("{}:{}", request.method, member("uri")));
        let wanted = sha256(&format!(
            "{secret}:n0nce:{}:{}:auth:{what}",
            member("nc"),
            member("cnonce")
        ));
        let is_right = member("response") == wanted
            && member("uri") == request.target
            && member("opaque") == "0paque"
            && member("username") == "me";
        if is_right {
            // The second operation is broken.
            return match request.path() {
                "/one" => json(200, "{}"),
                _ => json(200, "[]"),
            };
        }
        count.fetch_add(1, Ordering::SeqCst);
        b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"the vault\"\r\nWWW-Authenticate: Digest realm=\"the vault\", nonce=\"n0nce\", qop=\"auth\", algorithm=SHA-256, opaque=\"0paque\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    });
    let run = |password: &str| {
        let run = place.run(
            &[
                "replay",
                "api.yaml",
                "--server",
                &server.url(),
                "--basic",
                "me:${PASSWORD}",
            ],
            &[("PASSWORD", password)],
        );
        assert!(!format!("{run:?}").contains("hunter"), "{run:?}");
        run
    };
    let right = run("hunter:22");
    assert_eq!(right.code, 1, "{right:?}");
    assert!(!right.out.contains("GET /one"), "{right:?}");
    assert!(right.out.contains("GET /two"), "{right:?}");
    // The first request only has no answer yet.
    assert_eq!(refused_ones.load(Ordering::SeqCst), 1);
    let line = right.out.lines().find(|line| line.contains("curl -sS"));
    let line = line.expect("has a command").replace("again: ", "");
    assert!(
        line.contains("--digest --user \"${BASIC_AUTH:?}\""),
        "{line}"
    );
    let again = Command::new("sh")
        .args(["-c", &line])
        .env("BASIC_AUTH", "me:hunter:22")
        .output()
        .expect("there is a shell");
    let answer = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
    // A wrong password is not tried for ever.
    let before = server.requests().len();
    let wrong = run("hunter:23");
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(
        server.requests().len() - before <= 4,
        "{}",
        server.requests().len()
    );
}
