//! Choosing operations by operationId, method, path or tag, for `--include` and `--exclude`.

use super::Operation;

/// Which operations a run looks at.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    include: Vec<String>,
    exclude: Vec<String>,
}

impl Selection {
    /// Takes what matches one of `include` (everything, if there is none) and none of `exclude`.
    ///
    /// A pattern is an operationId, a method, a path (or webhook name), a method and a path with a space between, or a tag;
    /// `id:`, `method:`, `path:` and `tag:` in front of it say which one is meant. `*` stands for any characters.
    pub fn new(include: Vec<String>, exclude: Vec<String>) -> Self {
        Self { include, exclude }
    }

    /// Whether everything is chosen.
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether only named operations are chosen, so that what belongs to no operation is left out.
    pub fn is_partial(&self) -> bool {
        !self.include.is_empty()
    }

    /// Whether `operation` is chosen.
    pub fn selects(&self, operation: &Operation<'_>) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, operation));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// The patterns that match none of `operations`: most likely a typing error, so better an error than an empty run.
    pub fn unmatched<'a>(&'a self, operations: &[Operation<'_>]) -> Vec<&'a str> {
        let patterns = self.include.iter().chain(&self.exclude);
        patterns
            .map(String::as_str)
            .filter(|pattern| {
                !operations
                    .iter()
                    .any(|operation| matches(pattern, operation))
            })
            .collect()
    }
}

fn matches(pattern: &str, operation: &Operation<'_>) -> bool {
    let id = |pattern: &str| operation.id.is_some_and(|id| glob(pattern, id));
    let method = |pattern: &str| {
        glob(
            &pattern.to_ascii_uppercase(),
            &operation.method.to_ascii_uppercase(),
        )
    };
    let path = |pattern: &str| glob(pattern, operation.path);
    let tag = |pattern: &str| operation.tags().iter().any(|tag| glob(pattern, tag));
    match pattern.split_once(':') {
        Some(("id", rest)) => id(rest),
        Some(("method", rest)) => method(rest),
        Some(("path", rest)) => path(rest),
        Some(("tag", rest)) => tag(rest),
        _ => {
            let both = pattern
                .split_once(' ')
                .is_some_and(|(first, second)| method(first) && path(second));
            both || id(pattern) || method(pattern) || path(pattern) || tag(pattern)
        }
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn operations_are_chosen_by_id_method_path_and_tag() {
        let text = "openapi: 3.1.0\npaths:\n  /a:\n    get: {operationId: getA, tags: [Read]}\n    post: {operationId: createA, tags: [Write]}\n  /a/{id}:\n    get: {operationId: getOne}\n";
        let document = Document::parse("t", text).unwrap();
        let chosen = |include: &[&str], exclude: &[&str]| {
            let owned =
                |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            let selection = Selection::new(owned(include), owned(exclude));
            let operations = document.operations();
            operations
                .iter()
                .filter(|one| selection.selects(one))
                .filter_map(|one| one.id)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(chosen(&[], &[]), "getA createA getOne");
        assert_eq!(chosen(&["getA"], &[]), "getA");
        assert_eq!(chosen(&["get"], &[]), "getA getOne");
        assert_eq!(chosen(&["/a"], &[]), "getA createA");
        assert_eq!(chosen(&["/a/*"], &[]), "getOne");
        assert_eq!(chosen(&["tag:Write", "id:getOne"], &[]), "createA getOne");
        assert_eq!(chosen(&["POST /a"], &[]), "createA");
        assert_eq!(chosen(&[], &["get*"]), "createA");
        assert_eq!(chosen(&["*"], &["Read"]), "createA getOne");
        let selection = Selection::new(vec!["getA".into(), "getB".into()], vec!["tag:None".into()]);
        assert_eq!(
            selection.unmatched(&document.operations()),
            ["getB", "tag:None"]
        );
    }
}
