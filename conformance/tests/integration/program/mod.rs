//! Running the program in a folder of its own.

pub(crate) mod git;

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) error: String,
}

/// A folder that the program runs in.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// A folder with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, content) in files {
            folder.write(name, content);
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("is made");
        fs::write(path, content).expect("is written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect(name)
    }

    /// Runs the program, with its arguments parted by spaces.
    pub(crate) fn run(&self, arguments: &str) -> Run {
        self.run_with(&arguments.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run_with(&self, arguments: &[&str]) -> Run {
        self.run_as(arguments, &[])
    }

    /// The same with more environment variables.
    pub(crate) fn run_as(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_conformance"))
            .args(arguments)
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .env("CONFORMANCE_TEST_KEY", "hunter22")
            // As in a hook of git.
            .env("GIT_DIR", "elsewhere")
            .env("GIT_WORK_TREE", "elsewhere")
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
}
