//! Holds a body to the schema that the emitted document gives for it, and says every fault in plain words.
//!
//! The document is the only statement of these rules: its caller adds no more than what a schema cannot say.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, JsonType, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::Faults;
use super::fault::member;

/// The compiled schema of one request body: of one that we read, or of one that we send.
pub(crate) struct RequestSchema {
    validator: Validator,
    words: &'static [Words],
    /// Words that are made at run time, which go first.
    made_words: Vec<(&'static str, &'static str, String)>,
}

/// Words for the faults of some keywords at a pointer (where `*` stands for an array index), in place of the general ones.
pub(crate) type Words = (&'static str, &'static [&'static str], &'static str);

impl RequestSchema {
    /// Compiles the component `name` of `document`, with words that its readers understand better than the general ones.
    ///
    /// # Panics
    /// When the document has no such component, or it is not a schema: our own document is at fault, and a test sees it first.
    pub(crate) fn compile(document: &Value, name: &str, words: &'static [Words]) -> Self {
        let schema = json!({
            "$ref": format!("#/components/schemas/{name}"),
            "components": { "schemas": reachable(document, name) },
        });
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema)
            .expect("the schemas of our own document compile");
        Self {
            validator,
            words,
            made_words: Vec::new(),
        }
    }

    /// Adds words for the faults of a keyword at a pointer, for what is not known when this program is compiled.
    pub(crate) fn with_words(
        mut self,
        pointer: &'static str,
        keyword: &'static str,
        words: String,
    ) -> Self {
        self.made_words.push((pointer, keyword, words));
        self
    }

    /// Every fault of `body`.
    pub(crate) fn faults(&self, body: &Value) -> Faults {
        let mut faults = Faults::default();
        // Most bodies have none, and this sees it sooner than a list of no faults does.
        if self.validator.is_valid(body) {
            return faults;
        }
        let errors: Vec<_> = self.validator.iter_errors(body).collect();
        let of_type =
            |error: &&ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::Type { .. });
        for error in &errors {
            // A value of a wrong type is in no enumeration either: that is one fault, not two.
            let mistyped = errors
                .iter()
                .filter(of_type)
                .any(|other| other.instance_path() == error.instance_path());
            if matches!(error.kind(), ValidationErrorKind::Enum { .. }) && mistyped {
                continue;
            }
            // A member that must not be there need not be valid.
            let forbidden = errors.iter().any(|other| {
                forbids(other.kind()) && other.instance_path() == error.instance_path()
            });
            if forbidden && !forbids(error.kind()) {
                continue;
            }
            if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
                for name in unexpected {
                    let pointer = member(&error.instance_path().to_string(), name);
                    faults.add(pointer, "is not a known member");
                }
                continue;
            }
            let mut pointer = error.instance_path().to_string();
            if let ValidationErrorKind::Required {
                property: Value::String(property),
            } = error.kind()
            {
                pointer = member(&pointer, property);
            }
            let message = self
                .special(&pointer, error)
                .map_or_else(|| general(error.kind()), str::to_owned);
            faults.add(pointer, message);
        }
        faults
    }

    fn special(&self, pointer: &str, error: &ValidationError<'_>) -> Option<&str> {
        let general_pointer: Vec<&str> = pointer
            .split('/')
            .map(|token| {
                if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
                    "*"
                } else {
                    token
                }
            })
            .collect();
        let general_pointer = general_pointer.join("/");
        let keyword = error.kind().keyword();
        let fits =
            |(at, keywords, _): &&Words| *at == general_pointer && keywords.contains(&keyword);
        let mut made = self.made_words.iter();
        let made = made.find(|(at, named, _)| *at == general_pointer && *named == keyword);
        made.map(|(_, _, words)| words.as_str())
            .or_else(|| self.words.iter().find(fits).map(|(_, _, words)| *words))
    }
}

/// The component `name` of a document and those that it refers to, directly or not: a compiled schema keeps all that it is given.
fn reachable(document: &Value, name: &str) -> Map<String, Value> {
    let mut found = Map::new();
    let mut names = vec![name.to_owned()];
    while let Some(name) = names.pop() {
        let schema = document.pointer(&member("/components/schemas", &name));
        let Some(schema) = schema.filter(|_| !found.contains_key(&name)) else {
            continue;
        };
        let mut values = vec![schema];
        while let Some(value) = values.pop() {
            match value {
                Value::Object(members) => {
                    let reference = members.get("$ref").and_then(Value::as_str);
                    let target = reference.and_then(|to| to.strip_prefix("#/components/schemas/"));
                    let target = target.and_then(|rest| rest.split('/').next());
                    names.extend(target.map(|name| name.replace("~1", "/").replace("~0", "~")));
                    values.extend(members.values());
                }
                Value::Array(items) => values.extend(items),
                _ => {}
            }
        }
        found.insert(name, schema.clone());
    }
    found
}

/// Whether a member must not be there: its schema is `{"not": {}}`, which generators read and `false` they do not.
fn forbids(kind: &ValidationErrorKind) -> bool {
    matches!(kind, ValidationErrorKind::Not { schema } if *schema == json!({}))
}

fn general(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::Required { .. } => "is required".to_owned(),
        ValidationErrorKind::Type { kind } => format!("must be {}", types(kind)),
        ValidationErrorKind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        ValidationErrorKind::MinLength { limit } => {
            format!("must have at least {limit} characters")
        }
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::MinItems { limit: 1 } => "must have at least one item".to_owned(),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        ValidationErrorKind::Format { format } => format!("must have the format {format}"),
        ValidationErrorKind::Enum { options } => format!("must be one of {options}"),
        kind if forbids(kind) => "must not be there".to_owned(),
        ValidationErrorKind::Constant { expected_value } => format!("must be {expected_value}"),
        other => format!("must satisfy `{}`", other.keyword()),
    }
}

fn types(kind: &TypeKind) -> String {
    let one = |kind: JsonType| match kind {
        JsonType::Array => "an array",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    };
    match kind {
        TypeKind::Single(kind) => one(*kind).to_owned(),
        // `null` last: "a string or null".
        TypeKind::Multiple(kinds) => {
            let mut kinds: Vec<JsonType> = kinds.iter().collect();
            kinds.sort_by_key(|kind| *kind == JsonType::Null);
            kinds.into_iter().map(one).collect::<Vec<_>>().join(" or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_compiled_with_what_it_refers_to_and_nothing_else() {
        let to = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let document = json!({ "components": { "schemas": {
            "A": { "properties": { "b": to("B~1C"), "all": { "allOf": [to("D/properties/e")] } } },
            "B/C": { "items": to("A") },
            "D": { "properties": { "e": { "anyOf": [to("F"), { "not": to("unknown") }] } } },
            "F": { "type": "string" },
            "G": to("A"),
        } } });
        let found = reachable(&document, "A");
        let mut names: Vec<&str> = found.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["A", "B/C", "D", "F"]);
        assert_eq!(found["F"], document["components"]["schemas"]["F"]);
    }

    fn faults(body: &Value) -> Vec<(String, String)> {
        let document = json!({ "components": { "schemas": {
            "Note": {
                "type": "object",
                "required": ["title", "a/b"],
                "additionalProperties": false,
                "if": { "required": ["x"] },
                "then": { "properties": { "link": { "not": {} } }, "required": ["title"] },
                "anyOf": [{ "required": ["x"] }, { "required": ["y"] }],
                "properties": {
                    "title": { "type": "string", "minLength": 1, "maxLength": 3 },
                    "tags": { "type": "array", "minItems": 1, "items": { "$ref": "#/components/schemas/Tag" } },
                    "link": { "type": ["null", "string"], "format": "uri", "pattern": "^https://" },
                    "a/b": true,
                    "x": true,
                    "y": true,
                },
            },
            "Tag": { "type": "string", "enum": ["red", "green"] },
        } } });
        let words: &[Words] = &[
            ("/tags/*", &["enum"], "must be a color"),
            ("/link", &["format", "pattern"], "must be a link"),
            ("", &["anyOf"], "must have x or y"),
        ];
        RequestSchema::compile(&document, "Note", words)
            .faults(body)
            .iter()
            .map(|fault| (fault.pointer.clone(), fault.message.clone()))
            .collect()
    }

    #[test]
    fn every_fault_is_named_once_at_its_place() {
        let mut found =
            faults(&json!({ "title": "long", "tags": ["red", "blue", 1], "link": "x" }));
        found.sort();
        let expected = [
            ("", "must have x or y"),
            ("/a~1b", "is required"),
            ("/link", "must be a link"),
            ("/tags/1", "must be a color"),
            ("/tags/2", "must be a string"),
            ("/title", "must have at most 3 characters"),
        ];
        assert_eq!(
            found,
            expected.map(|(pointer, message)| (pointer.to_owned(), message.to_owned()))
        );
    }

    #[test]
    fn members_that_are_not_known_or_must_not_be_there_are_named_at_their_places() {
        let mut found =
            faults(&json!({ "title": "a", "a/b": 1, "x": 1, "link": 7, "b/c": 1, "d": 2 }));
        found.sort();
        let expected = [
            ("/b~1c", "is not a known member"),
            ("/d", "is not a known member"),
            ("/link", "must not be there"),
        ];
        assert_eq!(
            found,
            expected.map(|(pointer, message)| (pointer.to_owned(), message.to_owned()))
        );
    }

    #[test]
    fn types_are_named_in_plain_words() {
        let found = faults(&json!({ "title": 1, "a/b": 1, "y": 1, "link": {}, "tags": "red" }));
        assert!(
            found.contains(&("/title".to_owned(), "must be a string".to_owned())),
            "{found:?}"
        );
        assert!(
            found.contains(&("/link".to_owned(), "must be a string or null".to_owned())),
            "{found:?}"
        );
        assert!(
            found.contains(&("/tags".to_owned(), "must be an array".to_owned())),
            "{found:?}"
        );
        assert_eq!(
            faults(&json!([])),
            [(String::new(), "must be an object".to_owned())]
        );
    }
}
