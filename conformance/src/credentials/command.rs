//! Commands that print a token, or something else that is read.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use super::token::Fetched;

/// Most that is read of what a command prints, in bytes.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// How often a running command is looked at.
const PAUSE: Duration = Duration::from_millis(10);

const ALONE: &str = "run it alone to see why";

/// Runs a command line and returns the token that it prints: its only line, or the member `access_token` of a JSON object.
///
/// # Errors
/// When it cannot be run, fails, takes longer than `patience`, or prints something else. The message repeats nothing that it printed.
pub(super) async fn run(line: &str, patience: Duration) -> Result<Fetched, String> {
    let text = output(line, patience, OUTPUT_LIMIT).await?;
    token_in(&text).ok_or_else(|| {
        format!(
            "the command prints no token: one line, or a JSON object with `access_token`; {ALONE}"
        )
    })
}

/// Runs a command line and returns what it prints, at most `limit` bytes.
///
/// # Errors
/// When it cannot be run, fails, or takes longer than `patience`. The message repeats nothing that it printed.
pub(crate) async fn output(line: &str, patience: Duration, limit: u64) -> Result<Vec<u8>, String> {
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let child = Command::new(shell)
        .args([flag, line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // It may show the token there.
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| format!("the command cannot be run: {error}"))?;
    let output = child.stdout.take();
    let (done, ended) = oneshot::channel();
    let (end, wanted) = mpsc::channel::<()>();
    // A thread of its own: the program does not wait for it at its end, whatever the command started keeps open.
    thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.map(|output| output.take(limit).read_to_end(&mut text));
        let read = read.is_some_and(|read| read.is_ok());
        let _ = done.send((read, text));
    });
    let (over, status) = oneshot::channel();
    thread::spawn(move || {
        let status = loop {
            match child.try_wait() {
                Ok(None) => {}
                ended => break ended,
            }
            // Its sender is dropped when the command is no longer waited for.
            if wanted.recv_timeout(PAUSE) == Err(RecvTimeoutError::Disconnected) {
                // It may have ended just now.
                let _ = child.kill();
                break child.wait().map(Some);
            }
        };
        let _ = over.send(status);
    });
    let both = async { (status.await, ended.await) };
    let both = tokio::time::timeout(patience, both).await;
    drop(end);
    let Ok(both) = both else {
        return Err(format!(
            "the command took longer than {} s; {ALONE}",
            patience.as_secs_f64()
        ));
    };
    let (Ok(Ok(Some(status))), Ok((true, text))) = both else {
        return Err(format!("what the command prints cannot be read; {ALONE}"));
    };
    if !status.success() {
        return Err(format!("the command failed ({status}); {ALONE}"));
    }
    Ok(text)
}

fn token_in(text: &[u8]) -> Option<Fetched> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if text.starts_with('{') {
        let value: Value = serde_json::from_str(text).ok()?;
        return Fetched::of_json(&value);
    }
    let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    visible.then(|| Fetched {
        value: text.to_owned(),
        lifetime: None,
    })
}
