//! "Did you mean": the known name that is nearest to a misspelled one. Called wherever a name is not found.

/// Returns the name that `word` most likely means: the one with the fewest typing errors between the two, if these are few for the
/// length of `word`. A name that `word` is the first or last part of counts as one error. Of equally near names the first is taken.
pub fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let word = word.to_lowercase();
    if word.is_empty() {
        return None;
    }
    // One error in four letters; a word of one or two letters is near to everything.
    let limit = match word.chars().count() {
        0..3 => 0,
        letters => (letters / 4).clamp(1, 3),
    };
    let rank = |name: &'n str| {
        let lower = name.to_lowercase();
        if is_part(&word, &lower) {
            return Some((1, name));
        }
        let errors = strsim::osa_distance(&word, &lower);
        (errors <= limit).then_some((errors, name))
    };
    let ranked = known.into_iter().filter_map(rank);
    ranked
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, name)| name)
}

/// Returns what a message adds for the reader of an unknown `word`: a question, or nothing when no known name is near.
pub fn hint<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(word, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Whether whole words at the start or at the end of `name` are `part`.
fn is_part(part: &str, name: &str) -> bool {
    let at_boundary = |rest: &str, first: Option<char>| {
        !rest.is_empty() && first.is_some_and(|letter| !letter.is_alphanumeric())
    };
    let after = name.strip_prefix(part);
    let before = name.strip_suffix(part);
    after.is_some_and(|rest| at_boundary(rest, rest.chars().next()))
        || before.is_some_and(|rest| at_boundary(rest, rest.chars().next_back()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_distant_one_is_not() {
        let known = [
            "operation-removed",
            "operation-added",
            "info-changed",
            "schema-enum-changed",
            "tag-added",
            "#/components/schemas/Pet",
            "get",
        ];
        for (word, expected) in [
            ("tag-aded", Some("tag-added")),
            ("tag-adedd", Some("tag-added")),
            ("TAG-ADDED", Some("tag-added")),
            ("operation-remove", Some("operation-removed")),
            ("enum-changed", Some("schema-enum-changed")),
            ("Pet", Some("#/components/schemas/Pet")),
            ("gte", Some("get")),
            ("no", None),
            ("", None),
            ("webhook-signature", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(hint("tag-aded", known), "; did you mean `tag-added`?");
        assert_eq!(hint("no", known), "");
    }
}
