//! "Did you mean": the known name that is nearest to a misspelled one. Called wherever a name is not found.

/// Returns the name that `word` most likely means: the one with the fewest typing errors between the two, if these are few for the
/// length of `word`; case does not count. Of equally near names the first is taken.
pub(crate) fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let word = word.to_lowercase();
    // One error in four letters. Names are longer than what is compared here, so that time stays bounded for any word.
    let letters = word.chars().count();
    let limit = match letters {
        0..3 | 100.. => return None,
        _ => (letters / 4).clamp(1, 3),
    };
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&word, &name.to_lowercase()), name))
        .filter(|(errors, _)| *errors <= limit)
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_distant_one_is_not() {
        let known = [
            "transaction.created",
            "transaction.completed",
            "BoxCredited",
            "BoxDebited",
        ];
        for (word, expected) in [
            ("boxcredited", Some("BoxCredited")),
            ("BoxCredit", Some("BoxCredited")),
            ("transaction.compleetd", Some("transaction.completed")),
            ("transaction.create", Some("transaction.created")),
            ("invoice.paid", None),
            ("bo", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(1_000_000), known), None);
    }
}
