//! Documents of a git revision: of a merge base, or of the revision in `REV:path`. Called by `lockstep` and the command line. Runs the
//! program `git`, only reads, and never touches the working tree.

use std::io::{self, Read};
use std::path::{Component, Path};
use std::process::{Command, Stdio};

use thiserror::Error;

use crate::document::{Document, LoadError, SIZE_LIMIT};

/// How the name of a document of a revision begins.
const PREFIX: &str = "git:";
/// How many characters of a commit's id are shown.
const SHORT: usize = 12;

/// A document could not be read from git.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is no such program, or it cannot be run.
    #[error("cannot run the program git: {0}; install it")]
    Program(io::Error),
    /// The folder is not in a repository.
    #[error("{folder}: not in a git repository")]
    NoRepository {
        /// The folder.
        folder: String,
    },
    /// The revision is unknown.
    #[error("there is no commit `{revision}`; fetch it, or name an existing branch, tag or commit")]
    UnknownRevision {
        /// The revision as the user gave it.
        revision: String,
    },
    /// The revision and `HEAD` have no commit in common.
    #[error(
        "`{revision}` has no commit in common with HEAD; fetch the whole history if this is a shallow clone"
    )]
    NoMergeBase {
        /// The revision as the user gave it.
        revision: String,
    },
    /// The file is not in the commit.
    #[error("{path}: not in the commit {commit}{}", remedy(*.is_base))]
    NoFile {
        /// The file as the user gave it.
        path: String,
        /// The commit.
        commit: String,
        /// Whether the commit is a merge base.
        is_base: bool,
    },
    /// The file is not a document in that commit.
    #[error(transparent)]
    Load(#[from] LoadError),
}

fn remedy(is_base: bool) -> &'static str {
    if is_base {
        "; commit it there, or write `base = false` for its pair"
    } else {
        "; write the path from the root of the repository, or from here with `./` in front"
    }
}

/// A commit that documents are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    id: String,
}

impl Commit {
    /// Returns the commit that `revision` names in the repository of `folder`.
    ///
    /// # Errors
    /// When there is no git, no repository, or no such revision.
    pub fn find(folder: &Path, revision: &str) -> Result<Self, GitError> {
        let unknown = || GitError::UnknownRevision {
            revision: revision.to_owned(),
        };
        if git(folder, &["rev-parse", "--git-dir"])?.is_none() {
            return Err(GitError::NoRepository {
                folder: folder.display().to_string(),
            });
        }
        // A leading dash would make it an option, and no revision begins with one.
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
        let id = git(folder, &verify)?.and_then(one_id).ok_or_else(unknown)?;
        Ok(Self { id })
    }

    /// Returns the merge base of `revision` and `HEAD` in the repository of `folder`.
    ///
    /// # Errors
    /// When there is no git, no repository, no such revision, or no merge base.
    pub fn merge_base(folder: &Path, revision: &str) -> Result<Self, GitError> {
        let Self { id } = Self::find(folder, revision)?;
        let base = git(folder, &["merge-base", &id, "HEAD"])?;
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

    /// Loads what the file `path` of the working tree is in this commit, with the files that it refers to there.
    ///
    /// # Errors
    /// When a file is not in the commit, or is not a document.
    pub fn document(&self, path: &str) -> Result<Document, GitError> {
        self.gather(path, true, |other| self.beside(other))
    }

    /// Loads the document `path` of this commit, with the files that it refers to. As for git itself, the path begins at the root of
    /// the repository of `folder`, or at `folder` when it begins with `./` or `../`.
    ///
    /// # Errors
    /// When a file is not in the commit, or is not a document.
    pub fn document_at(&self, folder: &Path, path: &str) -> Result<Document, GitError> {
        let missing = || self.missing(path, false);
        let mut rooted = path.to_owned();
        if path.starts_with("./") || path.starts_with("../") {
            let prefix = git(folder, &["rev-parse", "--show-prefix"])?.unwrap_or_default();
            let prefix = String::from_utf8(prefix).map_err(|_| missing())?;
            rooted =
                normal(&format!("{}{path}", prefix.trim_end_matches('\n'))).ok_or_else(missing)?;
        }
        self.gather(&rooted, false, |other| {
            // Git would read a leading `../` as relative to the folder.
            match normal(other) {
                Some(path) => git(
                    folder,
                    &["cat-file", "blob", &format!("{}:{path}", self.id)],
                ),
                None => Ok(None),
            }
        })
    }

    fn gather(
        &self,
        path: &str,
        is_base: bool,
        read: impl Fn(&str) -> Result<Option<Vec<u8>>, GitError>,
    ) -> Result<Document, GitError> {
        let bytes = read(path)?.ok_or_else(|| self.missing(path, is_base))?;
        let prefix = format!("{PREFIX}{}:", self.short());
        Document::gather(&prefix, path, bytes, read)
    }

    fn missing(&self, path: &str, is_base: bool) -> GitError {
        GitError::NoFile {
            path: path.to_owned(),
            commit: self.short().to_owned(),
            is_base,
        }
    }

    /// Reads what the file `path` of the working tree is in this commit; none if it is not there.
    fn beside(&self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let file = Path::new(path);
        let mut folder = folder_of(file);
        // The commit may have folders that the working tree does not have.
        while !folder.is_dir() && folder != Path::new(".") {
            folder = folder_of(folder);
        }
        let rest = file.strip_prefix(folder).unwrap_or(file);
        let Some(rest) = rest.to_str().filter(|_| file.file_name().is_some()) else {
            return Ok(None);
        };
        // Relative to the folder, so that the root of the repository need not be known.
        let object = format!("{}:./{rest}", self.id);
        git(folder, &["cat-file", "blob", &object])
    }
}

/// Splits `REV:path` at its colon; colons between braces, as in `main@{12:30}`, belong to the revision.
pub fn split(source: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (index, letter) in source.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                let (revision, path) = (&source[..index], &source[index + 1..]);
                return (!revision.is_empty() && !path.is_empty()).then_some((revision, path));
            }
            _ => {}
        }
    }
    None
}

/// Whether the name of a document is that of a revision's file.
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

/// A path in a commit without `.` and `..`; none if it leads out of the repository.
fn normal(path: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                names.pop()?;
            }
            Component::Normal(name) => names.push(name.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!names.is_empty()).then(|| names.join("/"))
}

fn one_id(output: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(output).ok()?;
    let id = text.lines().next()?.trim();
    let usable = id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    usable.then(|| id.to_owned())
}

/// Returns what git prints, or none if it fails. Reads no further than the size of the largest document.
fn git(folder: &Path, arguments: &[&str]) -> Result<Option<Vec<u8>>, GitError> {
    let mut command = Command::new("git");
    // Git sets these for hooks. They would name another repository, or make this folder look like the root of one.
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
        // Nothing reads the pipe any more, so git ends by itself; the document is refused because of its size.
        let _ = child.kill();
    }
    let status = child.wait().map_err(GitError::Program)?;
    Ok((status.success() || full).then_some(output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_ends_at_the_first_colon_outside_of_braces() {
        for (source, expected) in [
            ("main:api.yaml", Some(("main", "api.yaml"))),
            ("HEAD~1:./a:b.yaml", Some(("HEAD~1", "./a:b.yaml"))),
            (
                "main@{2026-11-01 12:30}:api.yaml",
                Some(("main@{2026-11-01 12:30}", "api.yaml")),
            ),
            ("HEAD^{/fix: x}:a", Some(("HEAD^{/fix: x}", "a"))),
            ("api.yaml", None),
            (":api.yaml", None),
            ("main:", None),
            ("@{12:30}", None),
        ] {
            assert_eq!(split(source), expected, "{source}");
        }
    }

    #[test]
    fn no_path_leads_out_of_a_repository() {
        for (path, expected) in [
            ("a/../b.yaml", Some("b.yaml")),
            ("./a//b", Some("a/b")),
            ("../a", None),
            ("a/../../b", None),
            ("/etc/passwd", None),
            (".", None),
        ] {
            assert_eq!(normal(path).as_deref(), expected, "{path}");
        }
    }
}
