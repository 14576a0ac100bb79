//! Documents as git has them: the merge base with a revision, and a file as it was there. Called by `lockstep`; runs the program `git`,
//! reads only, and never touches the work tree.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use thiserror::Error;

use crate::document::{Document, LoadError, SIZE_LIMIT};

/// How the name of a document of an old revision begins.
const PREFIX: &str = "git:";
/// How many characters of a commit's id are shown.
const SHORT: usize = 12;

/// Git could not say what a file was.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is no such program, or it cannot be run.
    #[error("the program git cannot be run: {0}; install it, or leave --base away")]
    Program(io::Error),
    /// The folder is in no repository.
    #[error("{folder}: is not in a git repository, which --base needs")]
    NoRepository {
        /// The folder.
        folder: String,
    },
    /// The revision is unknown.
    #[error(
        "--base {revision}: there is no such commit; fetch it, or name a branch, tag or commit"
    )]
    UnknownRevision {
        /// The revision as the user gave it.
        revision: String,
    },
    /// The revision and `HEAD` have no commit in common.
    #[error(
        "--base {revision}: has no commit in common with HEAD; in a shallow clone fetch the whole history"
    )]
    NoMergeBase {
        /// The revision as the user gave it.
        revision: String,
    },
    /// The file is not in the commit.
    #[error(
        "{path}: is not in the commit {commit}; commit it there, or write `base = false` for its pair"
    )]
    NoFile {
        /// The file as the user gave it.
        path: String,
        /// The commit.
        commit: String,
    },
    /// The file's old version is no document.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A commit that documents are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    id: String,
}

impl Commit {
    /// The merge base of `revision` and `HEAD` in the repository that `folder` is in.
    ///
    /// # Errors
    /// When there is no git, no repository, no such revision, or no merge base.
    pub fn merge_base(folder: &Path, revision: &str) -> Result<Self, GitError> {
        let unknown = || GitError::UnknownRevision {
            revision: revision.to_owned(),
        };
        if git(folder, &["rev-parse", "--git-dir"])?.is_none() {
            return Err(GitError::NoRepository {
                folder: folder.display().to_string(),
            });
        }
        // What begins with a dash would be an option, and no revision begins so.
        if revision.is_empty() || revision.starts_with('-') || revision.contains('\0') {
            return Err(unknown());
        }
        let commit = format!("{revision}^{{commit}}");
        let verify = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        let commit = git(folder, &verify)?.and_then(one_id).ok_or_else(unknown)?;
        let base = git(folder, &["merge-base", &commit, "HEAD"])?;
        base.and_then(one_id)
            .map(|id| Self { id })
            .ok_or_else(|| GitError::NoMergeBase {
                revision: revision.to_owned(),
            })
    }

    /// The first digits of the commit's id.
    pub fn short(&self) -> &str {
        &self.id[..SHORT]
    }

    /// The document that `path` was in this commit, with the files that it referred to there.
    ///
    /// # Errors
    /// When a file is not in the commit, or was no document.
    pub fn document(&self, path: &str) -> Result<Document, GitError> {
        let missing = || GitError::NoFile {
            path: path.to_owned(),
            commit: self.short().to_owned(),
        };
        let bytes = self.bytes(path)?.ok_or_else(missing)?;
        let prefix = format!("{PREFIX}{}:", self.short());
        Document::gather(&prefix, path, bytes, |other| self.bytes(other))
    }

    /// What the file `path` was, or none if it was not there.
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let file = Path::new(path);
        let mut folder = folder_of(file);
        // The commit may have folders that the work tree has not.
        while !folder.is_dir() && folder != Path::new(".") {
            folder = folder_of(folder);
        }
        let rest = file.strip_prefix(folder).unwrap_or(file);
        let Some(rest) = rest.to_str().filter(|_| file.file_name().is_some()) else {
            return Ok(None);
        };
        // Relative to the folder, so that it need not be known where the repository begins.
        let object = format!("{}:./{rest}", self.id);
        git(folder, &["cat-file", "blob", &object])
    }
}

/// Whether the name of a document is that of an old revision.
pub fn is_revision(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once(':'))
        .is_some_and(|(id, _)| id.len() == SHORT && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn one_id(output: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(output).ok()?;
    let id = text.lines().next()?.trim();
    let usable = id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    usable.then(|| id.to_owned())
}

/// What git prints, or none if it fails. Stops reading behind the largest document.
fn git(folder: &Path, arguments: &[&str]) -> Result<Option<Vec<u8>>, GitError> {
    let mut command = Command::new("git");
    // Git sets them for hooks. They would name another repository, or make this folder look like the top of one.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let mut child = command
        .arg("--no-pager")
        .args(arguments)
        .current_dir(if folder.is_dir() {
            folder
        } else {
            Path::new(".")
        })
        // The index is not refreshed, and nobody is asked for a password.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(GitError::Program)?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout
            .take(SIZE_LIMIT as u64 + 1)
            .read_to_end(&mut output)
            .map_err(GitError::Program)?;
    }
    let full = output.len() > SIZE_LIMIT;
    if full {
        // The reader is gone, so git ends by itself; what was read is refused by its size.
        let _ = child.kill();
    }
    let status = child.wait().map_err(GitError::Program)?;
    Ok((status.success() || full).then_some(output))
}
