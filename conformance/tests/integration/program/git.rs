//! Repositories for tests: nothing of the machine's own settings of git counts.

use std::process::Command;

use super::Folder;

/// Runs git in a folder, with its arguments parted by spaces.
pub(crate) fn git(folder: &Folder, arguments: &str) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments.split_whitespace())
        .current_dir(folder.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments}: {output:?}");
}

/// Commits everything in a folder on the branch `main` of a new repository.
pub(crate) fn commit_all(folder: &Folder) {
    for arguments in ["init -q -b main", "add .", "commit -q -m one"] {
        git(folder, arguments);
    }
}
