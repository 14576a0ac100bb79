//! Why a file cannot be opened, as far as the file system tells more than the error does: a folder is missing, or another user owns it.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What more is known of a file than `error` says, as the end of a sentence; empty when nothing is.
pub(super) fn hint(path: &Path, error: &io::Error) -> String {
    hint_of(path, error.kind())
}

/// As [`hint`], of a kind of error.
pub(super) fn hint_of(path: &Path, kind: ErrorKind) -> String {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match kind {
        ErrorKind::NotFound if !folder.exists() => format!(
            "; the folder {} does not exist: create it first",
            folder.display()
        ),
        ErrorKind::PermissionDenied => {
            let place = if path.exists() { path } else { folder };
            let me = rustix::process::geteuid().as_raw();
            match place.metadata() {
                Ok(data) if data.uid() != me => format!(
                    "; {} belongs to user {}, and this program runs as user {me}",
                    place.display(),
                    data.uid()
                ),
                _ => String::new(),
            }
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn a_missing_folder_and_a_foreign_owner_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.db");
        assert_eq!(hint_of(&file, ErrorKind::NotFound), "");
        let below = folder.path().join("none/t.db");
        let said = hint_of(&below, ErrorKind::NotFound);
        let missing = folder.path().join("none");
        assert_eq!(
            said,
            format!(
                "; the folder {} does not exist: create it first",
                missing.display()
            )
        );
        fs::write(&file, "").unwrap();
        assert_eq!(hint_of(&file, ErrorKind::PermissionDenied), "");
        // Only root may give a file away; for anybody else one of root's is foreign.
        let foreign = match chown(&file, Some(12_345), None) {
            Ok(()) => (file.as_path(), 12_345),
            Err(_) => (Path::new("/etc/hosts"), 0),
        };
        let said = hint_of(foreign.0, ErrorKind::PermissionDenied);
        let expected = format!("belongs to user {}, and this program runs as", foreign.1);
        assert!(said.contains(&expected), "{said}");
    }
}
