//! Ctrl-C, as a real signal to the real program.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::*;
use crate::program::Folder;

/// Waits until a condition holds; a machine may be busy.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} does not happen");
}

#[test]
fn ctrl_c_ends_a_run_with_its_report_after_what_was_created_is_deleted() {
    // Each answer takes a moment, so that the run is under way when the signal comes.
    let server = Server::start(Box::new(|_, reply| {
        reply.wire(Wire::Late(Duration::from_millis(20)))
    }));
    let folder = Folder::with(&[("notes.yaml", NOTES)]);
    let child = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args([
            "run",
            "notes.yaml",
            "--server",
            &server.url,
            "--workers",
            "1",
        ])
        .args(["--header", &format!("X-Token: {TOKEN}")])
        .args(["--report", "json=report.json"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    wait_until("a note", || server.notes() > 0 && server.lines().len() > 20);
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signal.expect("there is kill").success());
    let output = child.wait_with_output().expect("ends");
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(2), "{out}{error}");
    assert!(
        error.contains("stopping: deletes what was created"),
        "{error}"
    );
    assert!(
        out.contains("nothing checked") || out.contains("stopped"),
        "{out}"
    );
    let report: Value = serde_json::from_str(&folder.read("report.json")).expect("is JSON");
    assert_eq!(
        report["summary"]["verdict"], "nothing-checked",
        "{report:#}"
    );
    let reason = report["summary"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("stopped"), "{reason}");
    assert_eq!(server.notes(), 0, "{error}");
    // It was not at its end: a whole run has many more requests.
    assert!(server.lines().len() < 500, "{}", server.lines().len());
}
