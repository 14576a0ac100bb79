//! Path templates: filling them in, and finding the collection that a parameter names a thing of.

/// A path template with its values.
pub(crate) fn expand(template: &str, values: &[(String, String)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        })
}

/// The part of a template before the segment of a parameter, or with that segment.
pub(crate) fn prefix(template: &str, name: &str, with: bool) -> String {
    let parameter = format!("{{{name}}}");
    let at = template.find(&parameter).unwrap_or(template.len());
    let end = if with {
        at + parameter.len()
    } else {
        template[..at].rfind('/').unwrap_or(0)
    };
    template[..end].to_owned()
}

/// Whether two templates differ in the names of their parameters only.
pub(crate) fn same_shape(one: &str, other: &str) -> bool {
    let shape = |template: &str| {
        let segment = |segment: &str| {
            if segment.starts_with('{') {
                "{}".to_owned()
            } else {
                segment.to_owned()
            }
        };
        template
            .trim_end_matches('/')
            .split('/')
            .map(segment)
            .collect::<Vec<_>>()
    };
    shape(one) == shape(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_collection_is_what_stands_before_the_parameter() {
        assert_eq!(prefix("/a/{x}/b/{y}/c", "y", false), "/a/{x}/b");
        assert_eq!(prefix("/a/{x}/b/{y}/c", "y", true), "/a/{x}/b/{y}");
        assert_eq!(prefix("/a/{x}.json", "x", false), "/a");
        assert!(same_shape("/a/{x}/b", "/a/{id}/b/") && !same_shape("/a/b", "/a/{b}"));
    }
}
