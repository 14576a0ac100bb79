//! The program itself: arguments, exit codes, what goes to standard output and what to standard error.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread;

use conformance::report::Format;
use serde_json::Value;
use tempfile::TempDir;

const BASE: &str = include_str!("../cases/drift/base.yaml");

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .output()
        .expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
    (
        output.status.code().expect("exits"),
        text(output.stdout),
        text(output.stderr),
    )
}

fn base() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/drift/base.yaml").to_owned()
}

/// A folder with `new.yaml`: the base with `from` replaced by `to`.
fn edited(from: &str, to: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new.yaml");
    let text = BASE;
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replace(from, to)).expect("is written");
    let path = path.to_str().expect("is text").to_owned();
    (folder, path)
}

#[test]
fn equal_documents_exit_with_0_and_one_line() {
    let (code, out, error) = run(&["drift", &base(), &base()]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.starts_with("conforms: 4 operations, "), "{out}");
}

#[test]
fn findings_exit_with_1_and_tell_both_places() {
    let (_folder, new) = edited("maximum: 100,", "maximum: 50,");
    let (code, out, error) = run(&["drift", &base(), &new]);
    assert_eq!((code, error.as_str()), (1, ""));
    let line = BASE
        .lines()
        .position(|line| line.contains("maximum: 100"))
        .expect("is there")
        + 1;
    for part in [
        "breaking  GET /orders (listOrders)\n",
        "schema-keyword-changed ",
        &format!("old  {}:{line}:", base()),
        &format!("new  {new}:{line}:"),
        "deviates: 1 breaking; 4 operations, ",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    assert!(!out.contains('\u{1b}'), "{out}");
    let (_, colored, _) = run(&["drift", &base(), &new, "--color", "always"]);
    assert!(colored.contains("\u{1b}["), "{colored}");
}

#[test]
fn the_threshold_decides_between_0_and_1() {
    let (_folder, new) = edited("title: Orders\n", "title: Order\n");
    for (threshold, code) in [
        ("breaking", 0),
        ("undecided", 0),
        ("warning", 1),
        ("any", 1),
    ] {
        assert_eq!(
            run(&["drift", &base(), &new, "--fail-on", threshold]).0,
            code,
            "{threshold}"
        );
    }
    let (_folder, new) = edited(
        "description: Text for readers.",
        "description: Other words.",
    );
    assert_eq!(run(&["drift", &base(), &new, "--fail-on", "any"]).0, 0);
    assert_eq!(
        run(&["drift", &base(), &new, "--fail-on", "any", "--prose"]).0,
        1
    );
    assert_eq!(run(&["drift", &base(), &new, "--prose"]).0, 0);
}

#[test]
fn operations_are_chosen() {
    let (_folder, new) = edited(
        "deprecated: true\n      servers",
        "deprecated: false\n      servers",
    );
    let code =
        |more: &[&str]| run(&[&["drift", &base(), &new, "--fail-on", "any"], more].concat()).0;
    assert_eq!(code(&[]), 1);
    assert_eq!(code(&["--include", "getOrder"]), 1);
    assert_eq!(code(&["--include", "/orders"]), 0);
    assert_eq!(code(&["--exclude", "getOrder"]), 0);
    assert_eq!(
        code(&["--include", "tag:Orders", "--exclude", "GET /orders/{id}"]),
        0
    );
    assert_eq!(code(&["--include", "onOrderCreated"]), 0);
    let (code, out, error) = run(&["drift", &base(), &new, "--include", "getOrdr"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        error.contains("tag `getOrdr`; did you mean `getOrder`?"),
        "{error}"
    );
    let (code, _, error) = run(&["drift", &base(), &new, "--exclude", "tag:Order"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean `tag:Orders`?"), "{error}");
    let (code, _, error) = run(&["drift", &base(), &new, "--include", "POST /order"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean `POST /orders`?"), "{error}");
    let (code, _, error) = run(&["drift", &base(), &new, "--include", "id:somethingElse"]);
    assert_eq!(code, 2);
    assert!(
        error.contains("; correct --include or --exclude"),
        "{error}"
    );
}

#[test]
fn the_two_documents_are_old_and_new_or_documented_and_emitted() {
    let (_folder, new) = edited("maximum: 100,", "maximum: 50,");
    for (more, sides) in [
        (&[][..], ["old", "new"]),
        (&["--lockstep"], ["documented", "emitted"]),
    ] {
        let (code, out, error) = run(&[&["drift", &base(), &new], more].concat());
        assert_eq!((code, error.as_str()), (1, ""), "{out}");
        for (side, document) in sides.iter().zip([base(), new.clone()]) {
            let named = |line: &str| {
                let line = line.trim_start().strip_prefix(side).map(str::trim_start);
                line.is_some_and(|place| place.starts_with(&document))
            };
            assert!(out.lines().any(named), "{side}: {out}");
        }
    }
}

#[test]
fn nothing_to_check_exits_with_2_and_a_reason_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        let start = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\n";
        fs::write(&path, format!("{start}{text}")).expect("is written");
        path.to_str().expect("is text").to_owned()
    };
    let none = file("none.yaml", "paths: {}\n");
    let null = file("null.yaml", "paths:\n  /a:\n  /b: ~\n");
    let bare = file("bare.yaml", "");
    let bodies = file(
        "operations.yaml",
        "paths:\n  /a: {get: {responses: {'200': {description: d}}}}\n",
    );
    let reason = "there is no operation, webhook or schema to compare";
    // A server that is there; without one, that is the reason.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    for (arguments, reason) in [
        (vec!["drift", &none, &none], reason),
        (vec!["drift", &none, &null], reason),
        (vec!["drift", &null, &null], reason),
        (vec!["drift", &bare, &none], reason),
        (
            vec!["drift", &bodies, &bodies, "--exclude", "/a"],
            "--include and --exclude leave no operation",
        ),
        (
            vec!["replay", &none, "--server", &server],
            "the document has no operation",
        ),
        (
            vec!["replay", &bodies, "--server", &server],
            "the only operation has no sample",
        ),
    ] {
        for (format, _) in Format::ALL.map(Format::words) {
            let all = [&arguments[..], &["--format", format]].concat();
            let (code, out, error) = run(&all);
            assert_eq!(code, 2, "{all:?}: {out}");
            let is_read = ["text", "oneline"].contains(&format);
            let told = if is_read { &out } else { &error };
            assert!(
                told.contains(&format!("nothing checked: {reason}")),
                "{all:?}: {out}{error}"
            );
            assert!(!out.contains("conforms") || format == "html", "{out}");
            if is_read || ["markdown", "github"].contains(&format) {
                assert!(out.contains("nothing checked"), "{format}: {out}");
            }
        }
    }
    // All operations are gone: that is no reason to be silent.
    let (code, _, error) = run(&["drift", &bodies, &none]);
    assert_eq!((code, error.as_str()), (1, ""));
    let (code, _, error) = run(&["drift", &none, &bodies]);
    assert_eq!((code, error.as_str()), (0, ""));
}

#[test]
fn a_rule_is_explained_and_an_unknown_one_gets_a_hint() {
    let (code, out, error) = run(&["explain", "schema-enum-changed"]);
    assert_eq!((code, error.as_str()), (0, ""));
    for part in [
        "schema-enum-changed\n",
        "{enum: [a, b, c]}",
        "--write-baseline",
        "[[pair.allow]]",
        "schema-enum-changed = \"off\"",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (code, out, error) = run(&["explain", "enum-changed"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(
        error,
        "error: unknown rule `enum-changed`; did you mean `schema-enum-changed`?\n"
    );
}

#[test]
fn every_shell_gets_completions_of_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, error) = run(&["completions", shell]);
        assert_eq!((code, error.as_str()), (0, ""), "{shell}");
        for word in ["drift", "lockstep", "explain", "completions"] {
            assert!(out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(&["completions", "cmd"]).0, 2);
}

#[test]
fn json_reports_are_valid_against_the_published_schema() {
    let (code, schema, _) = run(&["schema", "report"]);
    assert_eq!(code, 0);
    let schema: Value = serde_json::from_str(&schema).expect("is JSON");
    let validator = jsonschema::validator_for(&schema).expect("is a schema");
    let (folder, new) = edited("pattern: \"^ord_[0-9]+$\"", "pattern: \"^ord_\"");
    for (old, new, verdict) in [
        (base(), new.clone(), "deviates"),
        (base(), base(), "conforms"),
    ] {
        let (_, out, _) = run(&["drift", &old, &new, "--format", "json"]);
        let report: Value = serde_json::from_str(&out).expect("is JSON");
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{out}");
        assert_eq!(report["summary"]["verdict"], verdict);
    }
    let file = folder.path().join("report.json");
    let text = folder.path().join("report.txt");
    let (code, out, _) = run(&[
        "drift",
        &base(),
        &new,
        "--report",
        &format!("json={}", file.display()),
        "--report",
        &format!("text={}", text.display()),
    ]);
    assert_eq!(code, 1);
    let report: Value =
        serde_json::from_str(&fs::read_to_string(file).expect("is written")).expect("is JSON");
    assert_eq!(report["findings"].as_array().expect("a list").len(), 1);
    // One more only sends it.
    assert_eq!(report["findings"][0]["usedBy"]["count"], 4);
    assert_eq!(fs::read_to_string(text).expect("is written"), out);
}

#[test]
fn every_format_is_the_same_each_time_and_in_a_file() {
    let (folder, new) = edited("maximum: 100,", "maximum: 50,");
    for (format, _) in Format::ALL.map(Format::words) {
        let file = folder.path().join(format);
        let report = format!("{format}={}", file.display());
        let (code, first, error) = run(&["drift", &base(), &new, "--format", format]);
        assert_eq!((code, error.as_str()), (1, ""), "{format}");
        assert!(first.contains("schema-keyword-changed"), "{first}");
        let (code, second, _) = run(&[
            "drift",
            &base(),
            &new,
            "--format",
            format,
            "--report",
            &report,
        ]);
        assert_eq!((code, &second), (1, &first), "{format}");
        assert_eq!(fs::read_to_string(file).expect("is written"), first);
    }
}

#[test]
fn what_cannot_be_checked_exits_with_2_and_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("is written");
        path.to_str().expect("is text").to_owned()
    };
    let directory = folder.path().to_str().expect("is text").to_owned();
    for (source, parts) in [
        (
            format!("{directory}/none.yaml"),
            vec!["none.yaml", "cannot be read"],
        ),
        (directory.clone(), vec!["is a directory"]),
        (file("empty.yaml", b""), vec!["empty.yaml:1:1", "empty"]),
        (
            file("binary.yaml", &[0xff, 0xfe, 0, 1, 2]),
            vec!["binary.yaml:1:1", "UTF-8"],
        ),
        (
            file("nul.yaml", b"openapi: 3.1.0\n\0"),
            vec!["nul.yaml:2:1", "NUL"],
        ),
        (
            file("other.yaml", b"name: x\n"),
            vec!["other.yaml:1:1", "not an OpenAPI document"],
        ),
        (
            file("old.yaml", b"info: {}\nswagger: '1.2'\n"),
            vec!["old.yaml:2:1", "2.0", "3.0"],
        ),
        (
            file(
                "twice.json",
                b"{\"openapi\": \"3.1.0\",\n \"a\": 1, \"a\": 2}",
            ),
            vec!["twice.json:2:10", "2:2"],
        ),
        (
            "http://127.0.0.1:9/openapi.json".to_owned(),
            vec![
                "http://127.0.0.1:9/openapi.json",
                "cannot be fetched",
                "refused",
            ],
        ),
        (
            "http://[::bad/x".to_owned(),
            vec!["http://[::bad/x", "cannot be fetched"],
        ),
    ] {
        for arguments in [["drift", &source, &base()], ["drift", &base(), &source]] {
            let (code, out, error) = run(&arguments);
            assert_eq!((code, out.as_str()), (2, ""), "{source}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
            for part in &parts {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
    }
    for arguments in [
        vec!["drift", "one"],
        vec!["drift"],
        vec!["dritf", "a", "b"],
        vec!["drift", "a", "b", "--format", "pdf"],
        vec!["drift", "a", "b", "--report", "json"],
        vec!["schema", "nothing"],
        vec![],
    ] {
        let (code, out, error) = run(&arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {error}");
        assert!(!error.is_empty());
    }
    let (code, _, error) = run(&[
        "drift",
        &base(),
        &base(),
        "--report",
        "json=/none/report.json",
    ]);
    assert_eq!(code, 2);
    assert!(
        error.contains("/none/report.json") && error.lines().count() == 1,
        "{error}"
    );
}

#[test]
fn help_has_examples() {
    let command = conformance::cli::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    for name in names {
        let (code, out, error) = run(&[name, "--help"]);
        assert_eq!((code, error.as_str()), (0, ""), "{name}");
        for part in ["Examples:\n  conformance ", "Exit codes:\n  0  "] {
            assert!(out.contains(part), "{name}: {out}");
        }
    }
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, 0);
    assert!(out.contains("Examples:\n  conformance ") && out.contains("Exit codes:"));
    assert!(run(&["drift", "--help"]).1.contains("<OLD> <NEW>"));
    assert!(run(&["--version"]).1.starts_with("conformance "));
}

#[test]
fn documents_are_fetched() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        for (status, body) in [
            ("200 OK", BASE.to_owned()),
            ("404 Not Found", String::new()),
        ] {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).expect("a request");
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(body.as_bytes()))
                .expect("is sent");
        }
    });
    let url = format!("http://{address}/openapi.yaml");
    let (code, out, error) = run(&["drift", &base(), &url]);
    assert_eq!(code, 0, "{out}{error}");
    let (code, _, error) = run(&["drift", &base(), &url]);
    assert_eq!(code, 2);
    assert!(error.contains(&url) && error.contains("404"), "{error}");
    server.join().expect("ends");
}
