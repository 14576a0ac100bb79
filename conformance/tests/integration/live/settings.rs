//! `[server]` and `[[credential]]` of the settings.

use super::server::{Live, pong};
use super::*;

#[test]
fn the_server_and_its_credentials_come_from_the_settings_and_a_flag_goes_before_them() {
    let (server, other) = (Live::http(pong), Live::http(pong));
    let secured = PING.replace(
        "paths:",
        "security: [{key: []}]\ncomponents: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}\npaths:",
    );
    let place = Place::new(&secured);
    place.write(
        "conformance.toml",
        &format!(
            "[server]\nurl = '{}'\ntimeout = 20\nworkers = 2\nquery = ['lang=de']\ncookie = ['theme=${{THEME}}']\n\n[[credential]]\nscheme = 'key'\nvalue = '${{KEY}}'\n",
            server.url()
        ),
    );
    let variables = [("KEY", "hunter22"), ("THEME", "dark")];
    let run = place.run(&["replay", "api.yaml"], &variables);
    assert_eq!(run.code, 0, "{run:?}");
    let seen = &server.requests()[0];
    assert_eq!(seen.target, "/ping?lang=de");
    assert_eq!(seen.header("x-key"), Some("hunter22"));
    assert_eq!(seen.header("cookie"), Some("theme=dark"));
    let run = place.run(
        &[
            "replay",
            "api.yaml",
            "--server",
            &other.url(),
            "--credential",
            "key=other222",
            "--query",
            "lang=en",
        ],
        &variables,
    );
    assert_eq!(run.code, 0, "{run:?}");
    let seen = &other.requests()[0];
    assert_eq!(seen.target, "/ping?lang=en");
    assert_eq!(seen.header("x-key"), Some("other222"));
    refused(
        &place.run(&["replay", "api.yaml"], &[("THEME", "dark")]),
        &["conformance.toml:10:9: the environment variable KEY is not set"],
    );
}

#[test]
fn mistakes_in_the_settings_have_line_and_column_and_no_secret() {
    let place = Place::new(PING);
    for (text, parts) in [
        (
            "[server]\nurll = 'x'",
            &["conformance.toml:2:1: unknown key `urll`; did you mean `url`?"][..],
        ),
        ("[server]\ntimeout = 0", &["conformance.toml:2:11: "]),
        (
            "[server]\nworkers = 0",
            &["conformance.toml:2:11: write a number from 1 to 1000"],
        ),
        (
            "[[credential]]\nscheme = 'key'\nvalue = 'hunter22'",
            &["conformance.toml:3:9: a secret does not belong in this file"],
        ),
        (
            "[[credential]]\nscheme = 'key'\nusername = 'a'\npassword = 'hunter22'",
            &["conformance.toml:4:12: a secret"],
        ),
        (
            "[[credential]]\nscheme = 'key'",
            &["conformance.toml:2:10: a credential has one of"],
        ),
        (
            "[[credential]]\nvalue = '${X}'",
            &["missing field `scheme`"],
        ),
        (
            "[[credential]]\nscheme = 'key'\nvalue = '${X}'\nscopes = ['a']",
            &["are for OAuth 2.0"],
        ),
        (
            "[[credential]]\nscheme = 'key'\nvale = '${X}'",
            &["unknown key `vale`; did you mean `value`?"],
        ),
        ("", &["no server: give --server URL"]),
    ] {
        place.write("conformance.toml", text);
        let run = place.run(&["replay", "api.yaml"], &[]);
        assert!(!format!("{run:?}").contains("hunter22"), "{run:?}");
        refused(&run, parts);
    }
}

#[test]
fn operations_are_skipped_slowed_and_given_headers_and_expected_statuses() {
    let mut document = PING.to_owned();
    let paths = PING.split_once("paths:\n").expect("has paths").1;
    for name in ["skipped", "broken"] {
        document += &paths.replace("ping", name);
    }
    let server = Live::http(|request| match request.path() {
        "/broken" => super::server::json(503, "{}"),
        _ => pong(request),
    });
    let place = Place::new(&document);
    let run = place.replay(&server.url(), &[]);
    assert_eq!(run.code, 1, "{run:?}");
    place.write(
        "conformance.toml",
        "[[operation]]\nselect = 'skipped'\nskip = true\n[[operation]]\nselect = 'path:/broken'\nexpected = [503]\nrate = 100\nheader = ['X-Tenant: ${TENANT}']\n",
    );
    let before = server.requests().len();
    let arguments = ["replay", "api.yaml", "--server", &server.url()];
    let run = place.run(&arguments, &[("TENANT", "acme")]);
    assert_eq!(run.code, 0, "{run:?}");
    let seen = server.requests().split_off(before);
    let of = |path: &str| seen.iter().find(|one| one.path() == path);
    assert!(of("/skipped").is_none());
    assert_eq!(
        of("/broken").expect("is asked").header("x-tenant"),
        Some("acme")
    );
    assert_eq!(of("/ping").expect("is asked").header("x-tenant"), None);
    refused(
        &place.run(&arguments, &[]),
        &["conformance.toml:8:11: the environment variable TENANT is not set"],
    );
}

#[test]
fn an_operation_has_a_timeout_of_its_own() {
    let place = Place::new(PING);
    let server = Live::raw(|mut stream| {
        if let Some(request) = super::server::read(&mut stream) {
            // Later than the one allows, and sooner than the other.
            std::thread::sleep(std::time::Duration::from_secs(2));
            let _ = std::io::Write::write_all(&mut stream, &pong(&request));
        }
    });
    place.write(
        "conformance.toml",
        "[server]\ntimeout = 0.5\n[[operation]]\nselect = \"id:ping\"\ntimeout = 60\n",
    );
    let run = place.replay(&server.url(), &[]);
    assert_eq!(run.code, 0, "{run:?}");
    place.write("conformance.toml", "[server]\ntimeout = 0.5\n");
    let run = place.replay(&server.url(), &[]);
    assert_eq!(run.code, 2, "{run:?}");
    place.write(
        "conformance.toml",
        "[[operation]]\nselect = \"id:ping\"\ntimeout = 0\n",
    );
    let run = place.replay(&server.url(), &[]);
    refused(&run, &["conformance.toml:3:11", "0.001 to 86400"]);
}
