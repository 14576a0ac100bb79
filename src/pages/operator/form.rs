//! The fields of a form or of a query, decoded.

/// Fields by name, as a browser sent them.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`, which anything can be read as.
    pub(super) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first field with this name, without white space around it; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The same, where something was filled in.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The fields with something filled in, as a query, with one of them replaced or left out.
    pub(super) fn query_with(&self, name: &str, value: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (given, value) in &self.0 {
            if given != name && !value.is_empty() {
                query.append_pair(given, value);
            }
        }
        if let Some(value) = value {
            query.append_pair(name, value);
        }
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_what_is_empty_was_not_filled_in() {
        let form = Form::read(b"a=+x%26y+&b=&a=2&%FF=1");
        assert_eq!(form.text("a"), "x&y");
        assert_eq!(form.filled("b"), None);
        assert_eq!(form.filled("c"), None);
    }

    #[test]
    fn a_query_keeps_the_other_fields() {
        let form = Form::read(b"state=pending&type=&cursor=1");
        assert_eq!(
            form.query_with("cursor", Some("a b")),
            "state=pending&cursor=a+b"
        );
        assert_eq!(form.query_with("cursor", None), "state=pending");
    }
}
