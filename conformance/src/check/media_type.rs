//! Media types: parsing, and whether an answer's is one that is documented.

/// A parsed media type; everything but parameter values is in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MediaType {
    kind: String,
    subtype: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Parses `type/subtype; name=value; name="value"` (RFC 9110, 8.3.1).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = split(text).into_iter();
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !token(kind) || !token(subtype) {
            return None;
        }
        let mut parameters = Vec::new();
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let quoted = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'));
            if !token(name) || (quoted.is_none() && !token(value)) {
                return None;
            }
            let value = quoted.map_or_else(|| value.to_owned(), |quoted| quoted.replace('\\', ""));
            parameters.push((name.to_ascii_lowercase(), value));
        }
        Some(Self {
            kind: kind.to_owned(),
            subtype: subtype.to_owned(),
            parameters,
        })
    }

    /// The declared charset.
    pub(super) fn charset(&self) -> Option<&str> {
        let mut all = self.parameters.iter();
        let charset = all.find(|(name, _)| name == "charset");
        charset.map(|(_, value)| value.as_str())
    }

    /// Whether this, from an answer, is what a document's key asks for, and how precisely. A parameter that the document names
    /// must be there; others, such as a charset, may be. UTF-8 goes without saying.
    pub(super) fn fits(&self, documented: &Self) -> Option<u8> {
        let precision = match (documented.kind.as_str(), documented.subtype.as_str()) {
            ("*", "*") => 0,
            (kind, "*") if kind == self.kind => 1,
            (kind, subtype) if kind == self.kind && subtype == self.subtype => 2,
            _ => return None,
        };
        let given = |name: &str| {
            self.parameters
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        };
        let met = documented
            .parameters
            .iter()
            .all(|(name, value)| match given(name) {
                Some(given) if name == "charset" => given.eq_ignore_ascii_case(value),
                Some(given) => given == value,
                None => name == "charset" && value.eq_ignore_ascii_case("utf-8"),
            });
        let parameters = u8::try_from(documented.parameters.len()).unwrap_or(u8::MAX / 2);
        met.then(|| precision + parameters.saturating_mul(u8::from(precision == 2)))
    }
}

/// Splits at semicolons outside of quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn token(text: &str) -> bool {
    let allowed = |character: char| {
        character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
    };
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(answer: &str, documented: &str) -> bool {
        MediaType::parse(answer)
            .unwrap()
            .fits(&MediaType::parse(documented).unwrap())
            .is_some()
    }

    #[test]
    fn parameters_of_the_answer_are_free_unless_the_document_names_them() {
        for (answer, documented, expected) in [
            ("application/json", "application/json", true),
            ("Application/JSON;charset=UTF-8", "application/json", true),
            (
                "application/json; charset=\"utf-8\"",
                "application/json; charset=utf-8",
                true,
            ),
            ("application/json", "application/json; charset=utf-8", true),
            (
                "application/json; charset=latin1",
                "application/json; charset=utf-8",
                false,
            ),
            (
                "application/json; version=1",
                "application/json; version=2",
                false,
            ),
            ("application/problem+json", "application/json", false),
            ("application/problem+json", "application/*", true),
            ("text/html", "*/*", true),
        ] {
            assert_eq!(fits(answer, documented), expected, "{answer} {documented}");
        }
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        for text in [
            "",
            "json",
            "application/",
            "/json",
            "application/json; charset",
            "a b/c",
            "application/json; a=b c",
        ] {
            assert!(MediaType::parse(text).is_none(), "{text}");
        }
    }
}
