//! Live checks as a user runs them: credentials, TLS, proxies, settings, and servers that do all they can to break the check.

mod credentials;
mod hostile;
mod proxy;
mod reports;
mod server;
mod settings;
mod tls;

use std::process::Command;

use tempfile::TempDir;

use crate::program::Run;

/// A document of one operation without security, with a sample of its answer.
const PING: &str = "openapi: 3.1.0
info: {title: Ping, version: '1'}
paths:
  /ping:
    get:
      operationId: ping
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema: {type: object, required: [pong], properties: {pong: {type: boolean}}}
              examples: {pong: {value: {pong: true}}}
";

/// A folder with a document, to run the program in.
struct Place(TempDir);

impl Place {
    fn new(document: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        place.write("api.yaml", document);
        place
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).expect("is written");
        path.to_str().expect("is UTF-8").to_owned()
    }

    /// Runs the program with these arguments and environment variables.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_conformance"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .output()
            .expect("runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
        Run {
            code: output.status.code().expect("exits"),
            out: text(output.stdout),
            error: text(output.stderr),
        }
    }

    /// Replays the samples of the document against a server.
    fn replay(&self, server: &str, arguments: &[&str]) -> Run {
        let first = ["replay", "api.yaml", "--server", server];
        self.run(&[&first, arguments].concat(), &[])
    }
}

/// Wants exit code 2, nothing on standard output, and an error of one line with these parts.
#[track_caller]
fn refused(run: &Run, parts: &[&str]) {
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.out, "", "{run:?}");
    let error: Vec<&str> = run
        .error
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    let [line] = error[..] else {
        panic!("not one error: {run:?}");
    };
    for part in parts {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}
