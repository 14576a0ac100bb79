//! Names of cases in plain English: what is changed, as a reader of the document names it.

use crate::document::pointer;

/// The subject of a case: the body or a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// `body`, or `query parameter limit` with its name in backticks.
    pub(super) whole: &'a str,
    /// Whether its members are known by their names alone.
    pub(super) is_body: bool,
}

impl Subject<'_> {
    /// The place at a pointer: `body`, or a member such as `lines[0].sku` in backticks.
    pub(super) fn at(&self, at: &str) -> String {
        let mut path = String::new();
        for token in pointer::tokens(at) {
            let is_index = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
            match is_index {
                true => path += &format!("[{token}]"),
                false if path.is_empty() => path = token,
                false => path += &format!(".{token}"),
            }
        }
        match (path.is_empty(), self.is_body) {
            (true, _) => self.whole.to_owned(),
            (false, true) if path.starts_with('[') => format!("`{}{path}`", self.whole),
            (false, true) => format!("`{path}`"),
            // The name of a parameter is in backticks, with its members.
            (false, false) => {
                let dot = if path.starts_with('[') { "" } else { "." };
                format!("{}{dot}{path}`", self.whole.trim_end_matches('`'))
            }
        }
    }
}

/// Whether a name says that its value names something that the server has, or gave out: an id, a cursor, a token. A made-up one may be
/// refused for good reasons.
pub(super) fn is_reference(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = ["Id", "ID", "Ids", "_id", "-id", "_ids", "Uuid"];
    let parts = ["uuid", "cursor", "token", "[after]", "[before]"];
    let whole = [
        "id",
        "ids",
        "after",
        "before",
        "since",
        "next",
        "continuation",
    ];
    ends.iter().any(|end| name.ends_with(end))
        || parts.iter().any(|part| lower.contains(part))
        || whole.contains(&lower.as_str())
}

/// A JSON type with its article.
pub(super) fn article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        kind if kind.starts_with(['a', 'o', 'i']) => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}

/// A text that is short enough for a name.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.chars().count() > LONGEST {
        true => format!("{}...", text.chars().take(LONGEST).collect::<String>()),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_cursors_name_something_that_the_server_has() {
        for name in [
            "id",
            "accountId",
            "user_id",
            "page[after]",
            "nextCursor",
            "since",
        ] {
            assert!(is_reference(name), "{name}");
        }
        for name in ["paid", "grid", "name", "sinceWhen"] {
            assert!(!is_reference(name), "{name}");
        }
    }

    #[test]
    fn members_are_named_as_readers_name_them() {
        let body = Subject {
            whole: "body",
            is_body: true,
        };
        assert_eq!(body.at(""), "body");
        assert_eq!(body.at("/lines/0/a~1b"), "`lines[0].a/b`");
        let parameter = Subject {
            whole: "query parameter `filter`",
            is_body: false,
        };
        assert_eq!(body.at("/0"), "`body[0]`");
        assert_eq!(parameter.at("/0"), "query parameter `filter[0]`");
        assert_eq!(parameter.at("/min"), "query parameter `filter.min`");
    }
}
