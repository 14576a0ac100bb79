//! Which operation a request belongs to: method and path against the path templates of a document.

use super::serialize::decode;
use crate::document::Operation;

/// The operation of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its index in document order.
    pub operation: usize,
    /// The values of the path parameters, still percent-encoded.
    pub values: Vec<(String, String)>,
}

/// The path templates of a document, ready to be matched.
#[derive(Debug)]
pub struct Routes {
    templates: Vec<Template>,
}

#[derive(Debug)]
struct Template {
    operation: usize,
    method: String,
    segments: Vec<Segment>,
}

/// One segment of a template: what is written and what is a parameter, in turn, beginning with what is written.
#[derive(Debug, PartialEq, Eq)]
struct Segment {
    literals: Vec<String>,
    names: Vec<String>,
}

impl Routes {
    /// Reads the templates of these operations.
    #[must_use]
    pub fn new(operations: &[Operation<'_>]) -> Self {
        let template = |(operation, one): (usize, &Operation<'_>)| Template {
            operation,
            method: one.method.clone(),
            segments: one.path.split('/').map(Segment::new).collect(),
        };
        Self {
            templates: operations.iter().enumerate().map(template).collect(),
        }
    }

    /// The operation of a request; `path` is percent-encoded, starts after the base URL and has no query. A template that is written out
    /// comes before one with parameters (OpenAPI, Paths Object).
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<Route> {
        let (template, values) = self.matches(path, |one| one.method == method)?;
        Some(Route {
            operation: template.operation,
            values,
        })
    }

    /// Whether the path is documented, with any method.
    #[must_use]
    pub fn has_path(&self, path: &str) -> bool {
        self.matches(path, |_| true).is_some()
    }

    fn matches(
        &self,
        path: &str,
        wanted: impl Fn(&Template) -> bool,
    ) -> Option<(&Template, Vec<(String, String)>)> {
        let segments: Vec<&str> = path.split('/').collect();
        let fits = self.templates.iter().filter(|template| wanted(template));
        fits.filter_map(|template| Some((template, template.values(&segments)?)))
            .min_by(|(one, _), (other, _)| one.kinds().cmp(other.kinds()))
    }
}

/// The values of the parameters of a path template in a path, percent-encoded; none where the path is not one of it.
#[must_use]
pub fn values(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let segments: Vec<Segment> = template.split('/').map(Segment::new).collect();
    let path: Vec<&str> = path.split('/').collect();
    values_of(&segments, &path)
}

fn values_of(segments: &[Segment], path: &[&str]) -> Option<Vec<(String, String)>> {
    if path.len() != segments.len() {
        return None;
    }
    let mut values = Vec::new();
    for (segment, text) in segments.iter().zip(path) {
        segment.values(text, &mut values)?;
    }
    Some(values)
}

impl Template {
    fn values(&self, path: &[&str]) -> Option<Vec<(String, String)>> {
        values_of(&self.segments, path)
    }

    /// How little is written out, segment by segment.
    fn kinds(&self) -> impl Iterator<Item = u8> {
        self.segments.iter().map(Segment::kind)
    }
}

impl Segment {
    fn new(template: &str) -> Self {
        let (mut literals, mut names) = (Vec::new(), Vec::new());
        let mut rest = template;
        while let Some((literal, name, after)) = parameter(rest) {
            literals.push(decode(literal));
            names.push(name.to_owned());
            rest = after;
        }
        literals.push(decode(rest));
        Self { literals, names }
    }

    fn kind(&self) -> u8 {
        match (self.names.len(), self.literals.iter().all(String::is_empty)) {
            (0, _) => 0,
            (_, false) => 1,
            _ => 2,
        }
    }

    /// Adds the values of the parameters, where the text fits. Each takes as little as it can, and the last one the rest.
    fn values(&self, text: &str, values: &mut Vec<(String, String)>) -> Option<()> {
        let [first, later @ ..] = self.literals.as_slice() else {
            return None;
        };
        if later.is_empty() {
            return (decode(text) == *first).then_some(());
        }
        let mut rest = text.strip_prefix(first.as_str())?;
        for (index, (name, literal)) in self.names.iter().zip(later).enumerate() {
            let end = match index + 1 == self.names.len() {
                true => rest.strip_suffix(literal.as_str())?.len(),
                // Without anything between two parameters the first takes one character.
                false if literal.is_empty() => rest.chars().next()?.len_utf8(),
                false => rest.get(1..)?.find(literal.as_str())? + 1,
            };
            if end == 0 {
                return None;
            }
            values.push((name.clone(), rest[..end].to_owned()));
            rest = &rest[end + literal.len()..];
        }
        Some(())
    }
}

/// Splits a template into the text before the first `{name}`, the name, and the text after it.
fn parameter(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn found(templates: &[&str], method: &str, path: &str) -> Option<(String, String)> {
        let paths: String = templates
            .iter()
            .map(|path| format!("  {path:?}: {{get: {{}}, post: {{}}}}\n"))
            .collect();
        let document = Document::parse("t", &format!("openapi: 3.1.0\npaths:\n{paths}")).unwrap();
        let operations = document.operations();
        let route = Routes::new(&operations).find(method, path)?;
        let values: Vec<String> = route
            .values
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Some((
            operations[route.operation].path.to_owned(),
            values.join(" "),
        ))
    }

    #[test]
    fn a_path_belongs_to_the_template_that_says_most_of_it() {
        let templates = [
            "/a/{id}",
            "/a/mine",
            "/a/{id}.json",
            "/{kind}/mine",
            "/r/{from}-{to}/x",
            "/caf%C3%A9",
            "/",
        ];
        for (path, template, values) in [
            ("/a/mine", "/a/mine", ""),
            ("/a/m%69ne", "/a/mine", ""),
            ("/a/7", "/a/{id}", "id=7"),
            ("/a/a%2Fb", "/a/{id}", "id=a%2Fb"),
            ("/a/7.json", "/a/{id}.json", "id=7"),
            ("/b/mine", "/{kind}/mine", "kind=b"),
            ("/r/1-2-3/x", "/r/{from}-{to}/x", "from=1 to=2-3"),
            ("/caf\u{e9}", "/caf%C3%A9", ""),
            ("/", "/", ""),
        ] {
            let expected = Some((template.to_owned(), values.to_owned()));
            assert_eq!(found(&templates, "GET", path), expected, "{path}");
        }
        for path in ["", "/a", "/a/", "/a/7/8", "/r/-/x", "/r/1-/x", "/A/mine/x"] {
            assert_eq!(found(&templates, "GET", path), None, "{path}");
        }
        assert_eq!(found(&templates, "PUT", "/a/7"), None);
    }

    #[test]
    fn no_text_makes_matching_panic() {
        for path in ["/{", "/}", "/{}", "/a{b}{c}d", "/\u{e9}{a}\u{e9}{b}"] {
            for text in [
                "/",
                "/ad",
                "/axyd",
                "/\u{e9}\u{e9}",
                "/\u{e9}x\u{e9}y\u{e9}",
            ] {
                let _ = found(&[path], "GET", text);
            }
        }
        assert_eq!(
            found(&["/a{b}{c}d"], "GET", "/axyd"),
            Some(("/a{b}{c}d".to_owned(), "b=x c=y".to_owned()))
        );
    }
}
