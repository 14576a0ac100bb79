//! Where the documents of a command line come from: a file, a URL, standard input, or a file of a git revision.

use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::document::{Document, LoadError, SIZE_LIMIT, is_url};
use crate::fetch;
use crate::git::{self, Commit};

/// How standard input is written on the command line.
pub(super) const STDIN: &str = "-";
/// The name of a document from standard input.
const STDIN_NAME: &str = "<stdin>";

/// Loads the document that an argument names, with the files that it refers to.
///
/// `-` is standard input, what begins with `http://` or `https://` is fetched, and an existing file is read whatever its name is.
/// Otherwise `REV:path` is a file of a git revision, unless it looks like a path: it begins with `.` or `/`, or with a drive as in
/// `C:\api.yaml`.
pub(super) async fn load(source: &str) -> Result<Document> {
    if source == STDIN {
        return stdin().await;
    }
    if let Some(scheme) = foreign_scheme(source) {
        bail!("{source}: unsupported URL scheme `{scheme}`; use http or https");
    }
    if let Some((revision, path)) = revision(source) {
        let folder = Path::new(".");
        let commit = Commit::find(folder, revision)
            .with_context(|| format!("{source}: no such file, and not a file of a git revision"))?;
        return commit
            .document_at(folder, path)
            .with_context(|| source.to_owned());
    }
    Ok(fetch::load(source).await?)
}

/// Refuses to read standard input twice.
pub(super) fn refuse_two_stdins(sources: [&str; 2]) -> Result<()> {
    if sources == [STDIN; 2] {
        bail!("standard input can only be read once; name a file for one of the two documents");
    }
    Ok(())
}

/// Reads standard input; the files that it refers to are relative to the working directory.
async fn stdin() -> Result<Document> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(SIZE_LIMIT as u64 + 1)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    if bytes.len() > SIZE_LIMIT {
        let name = STDIN_NAME.to_owned();
        let limit = SIZE_LIMIT;
        return Err(LoadError::TooLarge { name, limit }.into());
    }
    Ok(fetch::load_bytes(STDIN_NAME, bytes).await?)
}

/// The two parts of `REV:path`, if that is what an argument is.
fn revision(source: &str) -> Option<(&str, &str)> {
    let is_path = is_url(source)
        || source.starts_with(['.', '/', '\\'])
        || has_drive(source)
        || Path::new(source).exists();
    git::split(source).filter(|_| !is_path)
}

/// The scheme of a URL that cannot be fetched.
fn foreign_scheme(source: &str) -> Option<&str> {
    let (scheme, _) = source.split_once("://")?;
    let is_scheme = scheme
        .chars()
        .all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one));
    let is_foreign = !scheme.is_empty() && is_scheme && !is_url(source);
    (is_foreign && !Path::new(source).exists()).then_some(scheme)
}

/// Whether a path begins with a drive of Windows; git has no paths that begin with a slash.
fn has_drive(source: &str) -> bool {
    matches!(source.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_path_or_a_url_is_not_a_revision() {
        assert_eq!(revision("main:api.yaml"), Some(("main", "api.yaml")));
        assert_eq!(revision("v1.2:./api.yaml"), Some(("v1.2", "./api.yaml")));
        assert_eq!(revision("C:api.yaml"), Some(("C", "api.yaml")));
        for source in [
            "api.yaml",
            "./main:api.yaml",
            "../main:api.yaml",
            "/folder/main:api.yaml",
            r"C:\api.yaml",
            "C:/api.yaml",
            "https://example.com:8080/api.yaml",
            "main:",
            ":api.yaml",
        ] {
            assert_eq!(revision(source), None, "{source}");
        }
    }
}
