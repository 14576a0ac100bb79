//! The program: exit codes, standard output and standard error.

use std::process::Output;

use super::*;

fn program(arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"));
    command
        .arg("replay")
        .args(arguments)
        .output()
        .expect("the program runs")
}

const NOTES_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/replay/notes.yaml");

#[test]
fn the_program_exits_0_when_the_server_conforms_and_1_when_not() {
    let token = format!("X-Token: {TOKEN}");
    let server = Server::start(right());
    let clean = program(&[
        NOTES_FILE,
        "--server",
        &server.url,
        "--header",
        &token,
        "--format",
        "json",
    ]);
    let report: Value =
        serde_json::from_slice(&clean.stdout).expect("standard output is the report alone");
    assert_eq!(
        (clean.status.code(), &report["summary"]["verdict"]),
        (Some(0), &json!("conforms"))
    );
    assert_eq!(report["server"], json!(format!("{}/api", server.url)));
    let broken = program(&[NOTES_FILE, "--server", &server.url]);
    assert_eq!(broken.status.code(), Some(1));
    let text = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(
        text.contains("status-as-sample") && text.contains("curl "),
        "{text}"
    );
}

#[test]
fn the_program_exits_2_with_one_line_when_it_could_not_check() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let nobody = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let directory = tempfile::tempdir().expect("a directory");
    let malformed = directory.path().join("malformed.yaml");
    std::fs::write(&malformed, "openapi: 3.1.0\npaths: {\n").expect("the file is written");
    let malformed = malformed.to_str().expect("the path is UTF-8");
    for (arguments, part) in [
        (
            vec![NOTES_FILE, "--server", nobody.as_str()],
            "does not answer: Connection refused",
        ),
        // Though there is nothing to send.
        (
            vec![
                NOTES_FILE,
                "--server",
                nobody.as_str(),
                "--exclude",
                "path:*",
            ],
            "does not answer: Connection refused",
        ),
        (
            vec![NOTES_FILE, "--server", "http://no-such-host.invalid"],
            "does not answer",
        ),
        (vec![NOTES_FILE, "--server", "localhost:1"], "--server"),
        (
            vec![
                NOTES_FILE,
                "--server",
                nobody.as_str(),
                "--header",
                "hunter22",
            ],
            "with a colon",
        ),
        (
            vec![
                NOTES_FILE,
                "--server",
                nobody.as_str(),
                "--include",
                "nothing",
            ],
            "nothing",
        ),
        (
            vec![malformed, "--server", nobody.as_str()],
            "malformed.yaml:",
        ),
        (
            vec!["no-such-file.yaml", "--server", nobody.as_str()],
            "no-such-file.yaml",
        ),
        (vec![NOTES_FILE], "--server"),
    ] {
        let output = program(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(
            said.lines()
                .filter(|line| line.starts_with("error:"))
                .count(),
            1,
            "{said}"
        );
    }
}
