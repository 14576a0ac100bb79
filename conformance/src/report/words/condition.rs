//! The conditions under which a schema counts, by its place: below `if`, `then`, `else`, `not` and `dependentSchemas`.

use super::{Context, name};
use crate::document::{has_free_names, pointer};
use crate::finding::{SchemaChange, Turned};

/// The conditions of the place of a change, the outermost first.
pub(super) fn conditions(change: &SchemaChange, context: &Context<'_>) -> Vec<String> {
    let own = match change {
        SchemaChange::KeywordAdded(told) | SchemaChange::KeywordRemoved(told) => {
            Some(&told.keyword)
        }
        SchemaChange::KeywordChanged { keyword, .. } => Some(keyword),
        _ => None,
    };
    let mut found = of_place(context.pointer, own.map(String::as_str));
    // The place may be in a component that a `not` or an `if` refers to.
    let missing = match context.turned {
        Turned::Negated => Some("under `not`"),
        Turned::Conditional => Some("in `if`"),
        Turned::No | Turned::Overlapping => None,
    };
    if let Some(missing) = missing
        && !found.iter().any(|one| one == missing)
    {
        found.insert(0, missing.to_owned());
    }
    found
}

/// The conditions of the schema at a place, without that of the keyword `own` which stands there itself.
fn of_place(at: &str, own: Option<&str>) -> Vec<String> {
    let tokens: Vec<String> = pointer::tokens(at).collect();
    let mut found = Vec::new();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let is_last = index + 1 == tokens.len();
        let next = tokens.get(index + 1);
        match token.as_str() {
            one if is_last && own == Some(one) => {}
            "dependentSchemas" => {
                found.extend(next.map(|member| format!("where {} is present", name(member))));
            }
            "not" => found.push("under `not`".to_owned()),
            "if" => found.push("in `if`".to_owned()),
            "then" => found.push("where `if` matches".to_owned()),
            "else" => found.push("where `if` does not match".to_owned()),
            _ => {}
        }
        index += if has_free_names(token) { 2 } else { 1 };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::of_place;

    #[test]
    fn conditions_are_told_by_the_place() {
        for (at, own, expected) in [
            (
                "/components/schemas/A/not/properties/a",
                None,
                &["under `not`"][..],
            ),
            (
                "/components/schemas/not/properties/if/maxLength",
                Some("maxLength"),
                &[],
            ),
            (
                "/a/schema/if/properties/k/const",
                Some("const"),
                &["in `if`"],
            ),
            ("/a/schema/then", Some("then"), &[]),
            ("/a/schema/then", None, &["where `if` matches"]),
            (
                "/a/schema/else/not/type",
                None,
                &["where `if` does not match", "under `not`"],
            ),
            (
                "/a/schema/dependentSchemas/card/properties/x",
                None,
                &["where `card` is present"],
            ),
            ("/a/schema/dependentSchemas", Some("dependentSchemas"), &[]),
        ] {
            assert_eq!(of_place(at, own), expected, "{at}");
        }
    }
}
