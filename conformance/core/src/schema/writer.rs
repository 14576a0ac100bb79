//! Writes a schema of a document, with all that it uses, as plain JSON Schema 2020-12 for the validator.
//!
//! Four things are written otherwise than they stand: references lead into `$defs`, so that the document is not copied; patterns are
//! [translated](super::pattern); numeric formats become [bounds](super::number_format); and `required` leaves out what is
//! [not sent](super::direction). Below `not` and `if` it leaves out
//! nothing, as there it says what a value is and not what it must have.

mod definitions;
mod written;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::direction::{Names, Unsent};
use super::number_format::range;
use super::validator::REFERENCES;
use super::{Subschemas, pattern, validator};
use crate::document::keyword::{Holds, holds};
use crate::document::pointer;
use crate::finding::Undecided;

pub(super) use definitions::Definitions;
pub use written::Written;

/// Keywords that hold no schemas and that values are validated against.
const ASSERTIONS: [&str; 21] = [
    "type",
    "enum",
    "const",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
    "required",
    "dependentRequired",
];

/// Keywords that hold schemas that no value is validated against.
const UNUSED: [&str; 4] = ["$defs", "definitions", "additionalItems", "contentSchema"];

/// Writes the schema at `at`.
///
/// # Errors
/// For a reference that leads nowhere, or when nothing stands at `at`.
pub fn write(
    subschemas: Subschemas<'_>,
    unsent: &Unsent<'_>,
    at: &str,
) -> Result<Written, Undecided> {
    if subschemas.at(at).is_none() {
        return Err(Undecided::NotASchema);
    }
    let mut definitions = Definitions::default();
    definitions.number(subschemas, at);
    let mut writer = Writer::new(subschemas, unsent, &mut definitions, Referring::Pointers);
    let mut written = Map::new();
    while let Some((at, names)) = writer.definitions.get(written.len()) {
        let schema = writer.schema(&at, names.as_ref(), true)?;
        written.insert(written.len().to_string(), schema);
    }
    Ok(Written {
        schema: json!({"$defs": written, "$ref": "#/$defs/0"}),
        definitions: writer.definitions.places(),
        patterns: writer.patterns,
        formats: writer.formats,
    })
}

/// A definition that refers to others by their numbers.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) schema: Value,
    /// The numbers of those that apply to the same value.
    pub(super) same: Vec<usize>,
}

/// Writes one definition with [`REFERENCES`] to others, which are numbered for that.
///
/// # Errors
/// For a reference that leads nowhere.
pub(super) fn write_part(
    subschemas: Subschemas<'_>,
    unsent: &Unsent<'_>,
    definitions: &mut Definitions,
    number: usize,
) -> Result<Part, Undecided> {
    let Some((at, names)) = definitions.get(number) else {
        return Err(Undecided::NotASchema);
    };
    let mut writer = Writer::new(subschemas, unsent, definitions, Referring::Numbers);
    let schema = writer.schema(&at, names.as_ref(), true)?;
    Ok(Part {
        schema,
        same: writer.same,
    })
}

/// How references are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Referring {
    /// As pointers into `$defs`.
    Pointers,
    /// As numbers of definitions.
    Numbers,
}

struct Writer<'w, 'a> {
    subschemas: Subschemas<'a>,
    unsent: &'w Unsent<'a>,
    definitions: &'w mut Definitions,
    referring: Referring,
    patterns: HashMap<String, String>,
    formats: HashMap<String, String>,
    /// The numbers of the definitions that apply to the same value as the one that is written.
    same: Vec<usize>,
}

impl<'w, 'a> Writer<'w, 'a> {
    fn new(
        subschemas: Subschemas<'a>,
        unsent: &'w Unsent<'a>,
        definitions: &'w mut Definitions,
        referring: Referring,
    ) -> Self {
        Self {
            subschemas,
            unsent,
            definitions,
            referring,
            patterns: HashMap::new(),
            formats: HashMap::new(),
            same: Vec::new(),
        }
    }

    /// A schema with the properties that are not sent by those around it. `same` is whether it applies to the same value as the whole
    /// definition.
    fn schema(&mut self, at: &str, around: Option<&Names>, same: bool) -> Result<Value, Undecided> {
        let schema = match self.subschemas.at(at) {
            Some(Value::Object(schema)) => schema,
            // Anything but a schema is rejected when it is compiled.
            Some(other) => return Ok(other.clone()),
            None => return Ok(Value::Bool(true)),
        };
        let unsent = around.map(|around| {
            let mut names = self.unsent.names(at).as_ref().clone();
            names.extend(around.iter().cloned());
            names
        });
        let mut out = Map::new();
        let mut number = None;
        for (keyword, value) in schema {
            let below = pointer::join(at, keyword);
            let inner = match keyword.as_str() {
                "not" | "if" => None,
                // Of the same object, so that what is said here counts there.
                _ if in_place(keyword) => {
                    around.map(|around| Cow::Owned(self.unsent.around(at, keyword, around)))
                }
                _ => around.map(|_| Cow::Owned(Names::new())),
            };
            let inner: Option<&Names> = inner.as_ref().map(Cow::as_ref);
            let same = same && (in_place(keyword) || matches!(keyword.as_str(), "not" | "if"));
            let written = match value {
                Value::String(reference) if matches!(keyword.as_str(), "$ref" | "$dynamicRef") => {
                    let target = self.subschemas.target(keyword, reference);
                    let target = target.ok_or_else(|| Undecided::Reference {
                        reference: reference.clone(),
                    })?;
                    let definitions = &mut *self.definitions;
                    let number = definitions.define(self.subschemas, &target, inner);
                    self.refer(&mut out, number, same);
                    continue;
                }
                _ if UNUSED.contains(&keyword.as_str()) => continue,
                Value::Array(names) if keyword == "required" => required(names, unsent.as_ref()),
                Value::Object(dependent) if keyword == "dependentRequired" => {
                    let entry = |(name, value): (&String, &Value)| {
                        let names = value.as_array();
                        let names = names.map(|names| required(names, unsent.as_ref()));
                        (name.clone(), names.unwrap_or_else(|| value.clone()))
                    };
                    Value::Object(dependent.iter().map(entry).collect())
                }
                Value::String(format) if keyword == "format" => {
                    number = range(format);
                    if !validator::asserts(format) {
                        continue;
                    }
                    value.clone()
                }
                Value::String(source) if keyword == "pattern" => {
                    Value::from(pattern::translated(source))
                }
                Value::Object(schemas) if holds(keyword) == Holds::Map => {
                    let mut written = Map::new();
                    for name in schemas.keys() {
                        let schema = self.schema(&pointer::join(&below, name), inner, same)?;
                        if keyword == "patternProperties" {
                            self.entry(&mut written, name, schema);
                        } else {
                            written.insert(name.clone(), schema);
                        }
                    }
                    Value::Object(written)
                }
                Value::Array(schemas) if holds(keyword) == Holds::List => {
                    let each = (0..schemas.len())
                        .map(|index| self.schema(&pointer::index(&below, index), inner, same));
                    Value::Array(each.collect::<Result<_, _>>()?)
                }
                _ if holds(keyword) == Holds::Schema => self.schema(&below, inner, same)?,
                // A malformed value is rejected when it is compiled.
                _ if holds(keyword) != Holds::Data || ASSERTIONS.contains(&keyword.as_str()) => {
                    value.clone()
                }
                _ => continue,
            };
            out.insert(keyword.clone(), written);
        }
        if let Some((least, most)) = number {
            let all = out.entry("allOf").or_insert_with(|| json!([]));
            if let Value::Array(all) = all {
                let place = pointer::index(&pointer::join(at, "allOf"), all.len());
                self.formats.insert(place, pointer::join(at, "format"));
                all.push(json!({"minimum": least, "maximum": most}));
            }
        }
        Ok(Value::Object(out))
    }

    /// Refers to a definition. A schema may have two references, but only one of a kind.
    fn refer(&mut self, out: &mut Map<String, Value>, number: usize, same: bool) {
        if same {
            self.same.push(number);
        }
        let (kinds, reference) = match self.referring {
            Referring::Pointers => (
                ["$ref", "$dynamicRef"],
                Value::from(format!("#/$defs/{number}")),
            ),
            Referring::Numbers => (REFERENCES, Value::from(number)),
        };
        let kind = match out.contains_key(kinds[0]) {
            true => kinds[1],
            false => kinds[0],
        };
        out.insert(kind.to_owned(), reference);
    }

    /// Adds a schema of `patternProperties`; two patterns may have one translation.
    fn entry(&mut self, written: &mut Map<String, Value>, source: &str, schema: Value) {
        let key = pattern::translated(source);
        if key != source {
            self.patterns
                .insert(key.clone().into_owned(), source.to_owned());
        }
        let schema = match written.remove(key.as_ref()) {
            Some(other) => json!({"allOf": [other, schema]}),
            None => schema,
        };
        written.insert(key.into_owned(), schema);
    }
}

/// Whether what `keyword` holds applies to the same value.
fn in_place(keyword: &str) -> bool {
    let kept = [
        "$ref",
        "$dynamicRef",
        "allOf",
        "anyOf",
        "oneOf",
        "then",
        "else",
    ];
    kept.contains(&keyword) || keyword == "dependentSchemas"
}

fn required(names: &[Value], unsent: Option<&Names>) -> Value {
    let sent = |name: &&Value| {
        let name = name.as_str();
        name.is_none_or(|name| unsent.is_none_or(|unsent| !unsent.contains(name)))
    };
    Value::Array(names.iter().filter(sent).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Sender;

    /// Whether a request may have the value.
    fn accepts(schema: &Value, value: &Value) -> bool {
        let subschemas = Subschemas::alone(schema);
        let unsent = Unsent::new(subschemas, Some(Sender::Client));
        let written = write(subschemas, &unsent, "").expect("the references lead somewhere");
        let validator = validator::compile(&written.schema).expect("the schema is one");
        validator.is_valid(value)
    }

    #[test]
    fn what_is_not_sent_is_not_required_wherever_both_stand() {
        let (properties, required) = (
            json!({"properties": {"id": {"readOnly": true}, "n": {}}}),
            json!({"required": ["id", "n"]}),
        );
        let both = json!({"properties": {"id": {"readOnly": true}}, "required": ["id", "n"]});
        let refer = |name: &str| json!({"$ref": format!("#/$defs/{name}")});
        for schema in [
            both.clone(),
            json!({"allOf": [properties, required]}),
            json!({"allOf": [refer("properties"), refer("required")]}),
            json!({"required": ["id", "n"], "allOf": [refer("properties")]}),
            json!({"required": ["id", "n"], "$ref": "#/$defs/properties"}),
            json!({"properties": properties["properties"], "$ref": "#/$defs/required"}),
            json!({"anyOf": [both, {"type": "string"}]}),
            json!({"oneOf": [{"$ref": "#/$defs/both"}]}),
            json!({"oneOf": [properties, {"type": "null"}], "required": ["id", "n"]}),
            json!({"properties": properties["properties"], "oneOf": [required, {"type": "null"}]}),
            json!({"if": true, "then": refer("required"), "allOf": [{"else": {}, "if": true, "then": properties}]}),
            json!({"properties": properties["properties"], "required": ["n"], "dependentRequired": {"n": ["id"]}}),
        ] {
            let mut schema = schema;
            let definitions = json!({"properties": properties, "required": required, "both": both});
            schema["$defs"] = definitions;
            assert!(accepts(&schema, &json!({"n": 1})), "{schema}");
            assert!(!accepts(&schema, &json!({})), "{schema}");
        }
    }

    #[test]
    fn a_shared_schema_requires_what_each_of_its_users_sends() {
        let schema = json!({
            "properties": {
                "a": {"properties": {"id": {"readOnly": true}}, "$ref": "#/$defs/required"},
                "b": {"properties": {"id": {}}, "$ref": "#/$defs/required"},
            },
            "$defs": {"required": {"required": ["id"]}},
        });
        assert!(accepts(&schema, &json!({"a": {}, "b": {"id": 1}})));
        assert!(!accepts(&schema, &json!({"b": {}})));
        let alternatives = json!({"oneOf": [
            {"required": ["id"], "properties": {"id": {"readOnly": true}, "kind": {"const": 1}}},
            {"required": ["id"], "properties": {"kind": {"const": 2}}},
        ]});
        assert!(accepts(&alternatives, &json!({"kind": 1})));
        assert!(!accepts(&alternatives, &json!({"kind": 2})));
    }

    #[test]
    fn conditions_and_negations_ask_what_a_value_has() {
        let properties = json!({"id": {"readOnly": true}});
        let negation = json!({"properties": properties, "not": {"required": ["id"]}});
        assert!(accepts(&negation, &json!({})));
        assert!(!accepts(&negation, &json!({"id": 1})));
        let condition =
            json!({"properties": properties, "if": {"required": ["id"]}, "then": false});
        assert!(accepts(&condition, &json!({})));
    }

    #[test]
    fn recursive_schemas_and_two_patterns_of_one_meaning_are_written() {
        let schema = json!({
            "properties": {"next": {"$ref": "#"}},
            "patternProperties": {"^\\d$": {"type": "string"}, "^[\\d]$": {"maxLength": 1}},
        });
        assert!(accepts(&schema, &json!({"next": {"next": {"1": "a"}}})));
        assert!(!accepts(&schema, &json!({"next": {"1": 1}})));
        assert!(!accepts(&schema, &json!({"1": "ab"})));
    }

    #[test]
    fn places_are_those_of_the_document() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/$defs/b"}},
            "$defs": {"b": {"patternProperties": {"^\\d/": {"type": "string"}}}},
        });
        let subschemas = Subschemas::alone(&schema);
        let unsent = Unsent::new(subschemas, None);
        let written = write(subschemas, &unsent, "").unwrap();
        let validator = validator::compile(&written.schema).unwrap();
        let value = json!({"a": {"1/": 1}});
        let error = validator.iter_errors(&value).next().unwrap();
        let place = written.origin(error.schema_path().as_str());
        assert_eq!(place, "/$defs/b/patternProperties/^\\d~1/type");
    }
}
