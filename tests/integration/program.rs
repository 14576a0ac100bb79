//! The `truehook` program as its users meet it: starting, refusing to start, stopping, keys, logs.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use crate::process::receiver::{self, Receiver};
use crate::process::{Server, run, truehook, wait_until};
use serde_json::Value;

/// Returns the message of a failed run: one line on standard error and exit code 1.
#[track_caller]
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    ended_with(folder, arguments, 1)
}

/// Returns the message of a run that ends with this exit code: one line on standard error.
#[track_caller]
fn ended_with(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(folder, arguments);
    let text = String::from_utf8(output.stderr).expect("standard error is UTF-8");
    assert_eq!(output.status.code(), Some(code), "{text}");
    let said: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("truehook: "))
        .collect();
    assert_eq!(said.len(), 1, "{text}");
    assert!(
        !text.contains("panicked") && output.stdout.is_empty(),
        "{text}"
    );
    said[0].to_owned()
}

/// One HTTP/1.1 request over a connection of its own; the whole answer as text.
fn http(url: &str, request: &str) -> String {
    let address = url.strip_prefix("http://").expect("an http URL");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream
        .write_all(request.as_bytes())
        .expect("the request is sent");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the answer is UTF-8");
    answer
}

fn get(url: &str, path: &str, headers: &str) -> String {
    http(
        url,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"),
    )
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = refusal(
        folder.path(),
        &["serve", "--listen", &address, "--log", "off"],
    );
    assert!(
        said.contains(&address) && said.contains("--listen"),
        "{said}"
    );
    assert_eq!(said.matches("os error").count(), 1, "{said}");
}

#[test]
fn a_database_that_cannot_be_used_is_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("text.db"), "no database").expect("a file");
    fs::write(folder.path().join("text.db.key"), "ab".repeat(32)).expect("a file");
    let said = refusal(folder.path(), &["serve", "--database", "sqlite://text.db"]);
    assert!(
        said.contains("text.db is not a Truehook database"),
        "{said}"
    );
    let said = refusal(
        folder.path(),
        &["serve", "--database", "sqlite://no/such/folder/t.db"],
    );
    assert!(said.contains("no/such/folder"), "{said}");
    let said = ended_with(
        folder.path(),
        &["serve", "--database", "postgres://u:hunter2@h/d"],
        2,
    );
    assert!(
        said.contains("PostgreSQL") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn bad_configuration_is_refused_before_anything_is_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, expected) in [
        (vec!["serve", "--listen", "0.0.0.0:0"], "--allow-host"),
        (vec!["serve", "--admin-listen", "0.0.0.0:0"], "--allow-host"),
        (
            vec!["serve", "--allow-host", "http://truehook:8080"],
            "without a port",
        ),
        (
            vec!["serve", "--mode", "production", "--allow-host", "a"],
            "sandbox",
        ),
        (vec!["serve", "--base-path", "hooks"], "--base-path hooks"),
        (vec!["serve", "--base-path", "/a/../b"], "--base-path"),
        (vec!["serve", "--base-path", "/a b"], "--base-path"),
        (
            vec!["serve", "--mode", "production"],
            "TRUEHOOK_ENCRYPTION_KEY",
        ),
        (vec!["serve", "--clock-speed=-1"], "--clock-speed"),
        (vec!["serve", "--clock-speed", "0"], "--clock-speed"),
        (vec!["serve", "--max-body-bytes", "0"], "--max-body-bytes"),
        (
            vec!["backup", "b.db", "--database", "mysql://x"],
            "sqlite://FILE",
        ),
        (vec!["serve", "--config", "none.toml"], "none.toml"),
        (vec!["serve", "--encryption-key", "abc"], "openssl rand"),
        (
            vec!["serve", "--encryption-key-file", "none.key"],
            "none.key",
        ),
        (vec!["serve", "--log", "info=="], "--log"),
        (vec!["serve", "--log", "banana"], "`banana` is not a level"),
        (
            vec!["serve", "--equals-money-disabled-event-types", "NoSuchType"],
            "NoSuchType",
        ),
    ] {
        let said = ended_with(folder.path(), &arguments, 2);
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    let other = tempfile::tempdir().expect("a folder");
    fs::write(other.path().join("empty.pem"), "").expect("a file");
    for file in ["none.pem", "empty.pem"] {
        let said = ended_with(other.path(), &["serve", "--ca-file", file], 2);
        assert!(said.contains(file), "{said}");
    }
    // clap's exit code of wrong usage is the same.
    for arguments in [
        vec!["serve", "--nope"],
        vec!["openapi", "stripe"],
        vec!["openapi", "conduit", "--openapi-version", "2.0"],
        vec!["keys", "create"],
        vec![],
    ] {
        assert_eq!(
            run(folder.path(), &arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn every_command_explains_itself_with_examples() {
    let folder = tempfile::tempdir().expect("a folder");
    for command in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["openapi", "--help"],
        vec!["keys", "--help"],
    ] {
        let output = run(folder.path(), &command);
        let text = String::from_utf8(output.stdout).expect("help is UTF-8");
        assert!(
            output.status.success() && text.contains("Examples:"),
            "{command:?}: {text}"
        );
    }
}

#[test]
fn the_document_is_printed_as_json_and_as_yaml_and_is_the_same_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    for api in ["conduit", "equals-money", "operator"] {
        let json = run(folder.path(), &["openapi", api]).stdout;
        let yaml = run(folder.path(), &["openapi", api, "--format", "yaml"]).stdout;
        let from_json: Value = serde_json::from_slice(&json).expect("JSON");
        let from_yaml: Value = yaml_serde::from_slice(&yaml).expect("YAML");
        assert_eq!(from_json, from_yaml);
        for _ in 0..5 {
            assert_eq!(run(folder.path(), &["openapi", api]).stdout, json);
        }
        for (version, written) in [("3.0", "3.0.3"), ("3.1", "3.1.0")] {
            let arguments = ["openapi", api, "--openapi-version", version];
            let json: Value =
                serde_json::from_slice(&run(folder.path(), &arguments).stdout).expect("JSON");
            assert_eq!(json["openapi"], written, "{arguments:?}");
            assert_eq!(json == from_json, version == "3.1", "{arguments:?}");
        }
    }
}

#[test]
fn a_signal_stops_the_server_cleanly_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let headers = "X-API-Key: sandbox-key\r\nX-API-Secret: sandbox-secret\r\n";
    let server = Server::start_in(folder.path(), &[]);
    let body = r#"{"url":"https://a.example","status":"enabled","events":["customer.active"]}"#;
    let length = body.len();
    let created = http(
        &server.url,
        &format!(
            "POST /conduit/webhooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        ),
    );
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");
    let (status, lines) = server.stop();
    assert!(status.success(), "{status:?} {lines:?}");
    assert!(
        !folder.path().join("truehook.db-wal").exists(),
        "the log was not folded into the file"
    );
    let server = Server::start_in(folder.path(), &[]);
    let listed = get(&server.url, "/conduit/webhooks", headers);
    assert!(listed.contains("https://a.example"), "{listed}");
}

#[test]
fn a_key_opens_its_api_at_once_and_nothing_after_it_is_revoked() {
    let server = Server::start(&[]);
    let folder = server.folder();
    for (provider, path, owner) in [
        ("conduit", "/conduit/webhooks", "client_"),
        ("equals-money", "/equals-money/v2/webhooks", ""),
    ] {
        let made = run(
            folder,
            &["keys", "create", "--provider", provider, "--name", "a name"],
        );
        let key: Value = serde_json::from_slice(&made.stdout).expect("the new key is JSON");
        assert!(
            key["owner"]
                .as_str()
                .is_some_and(|id| id.starts_with(owner)),
            "{key}"
        );
        let headers: String = key["headers"]
            .as_object()
            .expect("headers")
            .iter()
            .map(|(name, value)| format!("{name}: {}\r\n", value.as_str().expect("text")))
            .collect();
        assert!(
            get(&server.url, path, &headers).starts_with("HTTP/1.1 200"),
            "{provider}"
        );
        let listed = String::from_utf8(run(folder, &["keys", "list"]).stdout).expect("UTF-8");
        let id = key["id"].as_str().expect("an id");
        assert!(listed.contains(id) && listed.contains("a name"), "{listed}");
        for credential in key["headers"].as_object().expect("headers").values() {
            let credential = credential
                .as_str()
                .expect("text")
                .trim_start_matches("ApiKey ");
            assert!(!listed.contains(credential), "a credential is listed");
        }
        assert!(run(folder, &["keys", "revoke", id]).status.success());
        let refused = if provider == "conduit" {
            "HTTP/1.1 401"
        } else {
            "HTTP/1.1 403"
        };
        assert!(
            get(&server.url, path, &headers).starts_with(refused),
            "{provider}"
        );
        let again = refusal(folder, &["keys", "revoke", id]);
        assert!(again.contains(id), "{again}");
    }
    for owner in ["client_short", "x"] {
        refusal(
            folder,
            &["keys", "create", "--provider", "conduit", "--owner", owner],
        );
        refusal(
            folder,
            &[
                "keys",
                "create",
                "--provider",
                "equals-money",
                "--owner",
                owner,
            ],
        );
    }
}

#[test]
fn production_mode_has_no_built_in_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, "ab".repeat(32)).expect("a key file");
    let key = key.to_str().expect("UTF-8");
    let server = Server::start_in(
        folder.path(),
        &["--mode", "production", "--encryption-key-file", key],
    );
    let conduit = get(
        &server.url,
        "/conduit/webhooks",
        "X-API-Key: sandbox-key\r\nX-API-Secret: sandbox-secret\r\n",
    );
    assert!(conduit.starts_with("HTTP/1.1 401"), "{conduit}");
    let equals = get(
        &server.url,
        "/equals-money/v2/webhooks",
        "Authorization: ApiKey sandbox-key\r\n",
    );
    assert!(equals.starts_with("HTTP/1.1 403"), "{equals}");
}

#[test]
fn the_log_names_each_request_and_holds_nothing_secret() {
    let server = Server::start(&["--log", "trace"]);
    let body = r#"{"url":"https://a.example/body-secret","enabled":true,"webhookEventTypeName":"BoxCredited","sharedSecret":"shared-secret","authorizationHeader":"Basic header-secret"}"#;
    for (body, expected) in [
        (body.to_owned(), "201"),
        (body.replace("true", "1"), "400"),
        (body.replace('}', ""), "400"),
    ] {
        let length = body.len();
        let request = format!(
            "POST /equals-money/v2/webhooks?query=query-secret HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: my-id\r\n\
             Authorization: ApiKey sandbox-key\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = http(&server.url, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{answer}"
        );
        assert!(answer.contains("x-request-id: my-id"), "{answer}");
    }
    get(
        &server.url,
        "/conduit/webhooks",
        "X-API-Key: key-secret\r\nX-API-Secret: secret-secret\r\n",
    );
    let (_, lines) = server.stop();
    let answered: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("my-id") && line.contains("answered"))
        .collect();
    assert_eq!(answered.len(), 3, "{lines:#?}");
    for line in &answered {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        assert!(
            line["duration_ms"].is_number() && line["status"].is_number(),
            "{line}"
        );
        // To the microsecond, and without the noise of floating point numbers.
        let decimals = line["duration_ms"].to_string();
        let decimals = decimals.split_once('.').map_or("", |(_, rest)| rest);
        assert!(decimals.len() <= 3, "{line}");
    }
    for secret in ["-secret", "sandbox-key"] {
        let leaks: Vec<&String> = lines.iter().filter(|line| line.contains(secret)).collect();
        assert!(leaks.is_empty(), "{leaks:#?}");
    }
}

#[test]
fn a_failed_attempt_is_one_line_of_the_log_and_a_flood_of_them_is_cut_short() {
    let server = Server::start(&[]);
    let receiver = Receiver::start(|_, stream| receiver::fail(stream));
    let mut conduit = server.conduit();
    let webhook = conduit.register(&receiver.url, &["transaction.completed"]);
    let event = server.operator().publish(1);
    let mut lines = Vec::new();
    let mut failures = |count: usize| {
        wait_until("the failures are logged", || {
            lines.extend(server.log().into_iter().filter_map(|line| {
                let line: Value = serde_json::from_str(&line).expect("a line is JSON");
                (line["message"] == "an attempt failed").then_some(line)
            }));
            let unlogged = lines.iter().filter_map(|line| line["unlogged"].as_u64());
            lines.len() + usize::try_from(unlogged.sum::<u64>()).expect("a count") >= count
        });
        lines.clone()
    };
    let first = failures(1);
    let delivery = &server.operator().deliveries(&event)[0];
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["level"], "INFO");
    assert_eq!(first[0]["webhook"], webhook.as_str());
    assert_eq!(first[0]["delivery"], delivery["id"]);
    assert_eq!(
        (&first[0]["attempt"], &first[0]["status"]),
        (&1.into(), &500.into())
    );
    let next = first[0]["next_attempt"].as_str().expect("a time");
    assert!(next.contains('T') && next.ends_with('Z'), "{next}");
    assert_eq!(next.len(), "2026-01-01T00:00:00.000Z".len(), "{next}");

    // One at a time, so that no lane is full; with the next line come the ones that were left out.
    let count = 200;
    for number in 2..=count {
        server.operator().publish(number);
    }
    let mut number = count;
    wait_until("a line tells how many were left out", || {
        number += 1;
        server.operator().publish(number);
        failures(1)
            .iter()
            .any(|line| line["unlogged"].as_u64() > Some(0))
    });
}

#[test]
fn what_is_not_http_is_no_line_of_the_log_but_at_debug() {
    for (level, lines_expected) in [("info", false), ("debug", true)] {
        let server = Server::start(&["--log", level]);
        for _ in 0..20 {
            let answer = http(&server.url, "GET / HTTP/1.1\r\nnot a header\r\n\r\n");
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        }
        // Each is counted when its connection ends, which the client need not wait for.
        wait_until("all are counted", || {
            let metrics = get(&server.url, "/metrics", "");
            metrics.contains("truehook_malformed_requests_total 20")
        });
        let (_, lines) = server.stop();
        let told = |line: &&String| line.contains("not HTTP");
        assert_eq!(
            lines.iter().filter(told).count() == 20,
            lines_expected,
            "{lines:#?}"
        );
        assert!(
            !lines.iter().any(|line| line.contains("ERROR")),
            "{lines:#?}"
        );
    }
}

#[test]
fn the_operator_has_a_port_of_its_own_and_both_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, "ab".repeat(32)).expect("a key file");
    let key = key.to_str().expect("UTF-8");
    let arguments = [
        "--mode",
        "production",
        "--encryption-key-file",
        key,
        "--admin-listen",
        "127.0.0.1:0",
        "--base-path",
        "/hooks/",
    ];
    let server = Server::start_in(folder.path(), &arguments);
    assert!(get(&server.url, "/hooks/docs/", "").starts_with("HTTP/1.1 404"));
    assert!(get(&server.url, "/hooks/health/ready", "").starts_with("HTTP/1.1 200"));
    let mut lines = Vec::new();
    wait_until("the other port is named", || {
        lines.extend(server.log());
        lines.iter().any(|line| line.contains("for the operator"))
    });
    let docs = lines
        .iter()
        .find_map(|line| line.split("Swagger UI at ").nth(1));
    let docs = docs.and_then(|rest| rest.split('"').next()).expect("a URL");
    let (url, path) = docs.split_at(docs.find("/hooks").expect("the base path"));
    assert!(get(url, path, "").starts_with("HTTP/1.1 200"), "{docs}");
    // Commands that need the other port say so.
    let public = format!("{}/hooks", server.url);
    for command in [
        &[
            "publish",
            "conduit",
            "customer.created",
            "--client-id",
            "client_2ofTA13AD0xBtbEvBl20aEb1hEu",
        ][..],
        &["listen", "conduit", "customer.created"],
        &["events"],
        &["deliveries"],
        &["webhooks"],
        &["retry", "8b53639f-152c-4fc6-af30-802fde462ba0"],
    ] {
        let arguments = [command, &["--server", &public, "--key", "k"]].concat();
        let arguments = match command[0] {
            "listen" => &arguments[..arguments.len() - 2],
            _ => &arguments[..],
        };
        let output = run(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("--admin-listen"), "{command:?}: {said}");
    }
}

#[test]
fn a_sandbox_in_a_container_is_reached_by_the_names_that_are_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--allow-host", "truehook,10.0.0.7"];
    let server = Server::start_at(folder.path(), "0.0.0.0:0", &arguments);
    let url = server.url.replace("0.0.0.0", "127.0.0.1");
    for (host, expected) in [
        ("truehook:8080", "200"),
        ("10.0.0.7", "200"),
        ("localhost", "200"),
        ("rebound.test", "421"),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = http(&url, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{host}: {answer}"
        );
    }
}

#[test]
fn settings_come_from_the_environment_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = truehook(folder.path())
        .args(["serve"])
        .env("TRUEHOOK_LISTEN", "0.0.0.0:1")
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("0.0.0.0:1"), "{text}");
}
