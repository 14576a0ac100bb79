//! Errors as log lines show them.

use std::error::Error;

/// An error followed by its causes, as one text. Fields of log lines get this and not the error, whose causes the JSON format leaves out.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors repeat their cause.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{says}")]
    struct Caused {
        says: &'static str,
        #[source]
        by: io::Error,
    }

    #[test]
    fn each_cause_follows_once() {
        let by = || io::Error::other("connection refused");
        for (says, expected) in [
            ("statement failed", "statement failed: connection refused"),
            (
                "statement failed: connection refused",
                "statement failed: connection refused",
            ),
        ] {
            assert_eq!(with_causes(&Caused { says, by: by() }), expected);
        }
        assert_eq!(with_causes(&by()), "connection refused");
    }

    /// The causes of an error that is logged as such are not in the JSON format.
    #[test]
    fn no_line_logs_an_error_without_its_causes() {
        let cast = concat!("as &dyn std::error::", "Error");
        let mut folders = vec![std::path::PathBuf::from("src")];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(!text.contains(cast), "{}", path.display());
                }
            }
        }
    }
}
