//! The schemas of one document as validators: faults of a value with place and keyword, declared members, values from text.
//!
//! Called by the sample check and by the checks of answers. Formats are asserted; unknown formats and `x-` keywords are ignored;
//! the 3.0 dialect is folded first. Not checked: references to other documents (a schema that uses one is reported as unusable).

mod fault;
mod shape;
mod text;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use crate::document::{Document, Version, normalize, pointer};

pub use fault::{Fault, shorten};
pub use shape::Member;

const BASE: &str = "urn:conformance:document";

/// Formats of the specification that say how wide or secret a value is, not which text it admits.
const OPEN_FORMATS: [&str; 7] = [
    "int32", "int64", "float", "double", "password", "byte", "binary",
];

/// Who writes the value: `readOnly` members are not required of a client, `writeOnly` members not of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
    /// The example of a schema that serves both sides.
    Either,
}

type Compiled = Result<Rc<Validator>, String>;

/// Validators for the schemas of one document, each compiled at its first use.
pub struct Schemas<'d> {
    document: &'d Document,
    registry: Result<Registry<'static>, String>,
    validators: RefCell<HashMap<String, Compiled>>,
}

impl<'d> Schemas<'d> {
    /// Registers the whole document, so that local references resolve.
    #[must_use]
    pub fn new(document: &'d Document) -> Self {
        let mut value = document.value().clone();
        if document.version() == Version::V30 {
            fold(&mut value);
        }
        let registry = Registry::new()
            .add(BASE, value)
            .and_then(|builder| builder.prepare());
        let registry = registry.map_err(|error| error.to_string());
        Self {
            document,
            registry,
            validators: RefCell::default(),
        }
    }

    /// The faults of `value` under the schema at `schema`.
    ///
    /// # Errors
    /// Says why when the schema cannot be used, for example because a reference leads nowhere.
    pub fn faults(
        &self,
        schema: &str,
        value: &Value,
        direction: Direction,
    ) -> Result<Vec<Fault>, String> {
        let validator = self.validator(schema)?;
        let mut faults = Vec::new();
        for error in validator.iter_errors(value) {
            fault::flatten(&error, &mut faults);
        }
        // The same keyword may apply through several references; it is one fault all the same.
        let mut seen = HashSet::new();
        faults.retain(|fault| {
            !self.excused(fault, direction)
                && seen.insert((
                    fault.at.clone(),
                    fault.schema.clone(),
                    fault.message.clone(),
                ))
        });
        Ok(faults)
    }

    fn validator(&self, schema: &str) -> Compiled {
        if let Some(known) = self.validators.borrow().get(schema) {
            return known.clone();
        }
        let compiled = self.compile(schema);
        self.validators
            .borrow_mut()
            .insert(schema.to_owned(), compiled.clone());
        compiled
    }

    fn compile(&self, schema: &str) -> Compiled {
        let registry = self.registry.as_ref().map_err(Clone::clone)?;
        let mut options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .offline()
            .with_registry(registry);
        for format in OPEN_FORMATS {
            options = options.with_format(format, |_: &str| true);
        }
        let reference = json!({"$ref": format!("{BASE}#{}", fragment(schema))});
        options
            .build(&reference)
            .map(Rc::new)
            .map_err(|error| error.to_string())
    }

    /// Whether a missing member is one that this side need not write.
    fn excused(&self, fault: &Fault, direction: Direction) -> bool {
        let Some(member) = &fault.missing else {
            return false;
        };
        let flags: &[&str] = match direction {
            Direction::Request => &["readOnly"],
            Direction::Response => &["writeOnly"],
            Direction::Either => &["readOnly", "writeOnly"],
        };
        let properties = pointer::join(pointer::parent(&fault.schema), "properties");
        let property = self.document.resolve(&pointer::join(&properties, member));
        property.is_some_and(|(_, property)| {
            flags
                .iter()
                .any(|flag| property.get(*flag) == Some(&Value::Bool(true)))
        })
    }
}

/// A JSON pointer as a URI fragment.
fn fragment(pointer: &str) -> String {
    pointer
        .split('/')
        .map(crate::case::serialize::encode)
        .collect::<Vec<_>>()
        .join("/")
}

/// Folds every schema of a 3.0 document in place.
fn fold(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(fold),
        Value::Object(members) => {
            for (key, value) in members.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("example" | "examples", _) => {}
                    ("schema", schema) => *schema = normalize::fold_deep(schema),
                    ("schemas", Value::Object(schemas)) => {
                        schemas
                            .values_mut()
                            .for_each(|schema| *schema = normalize::fold_deep(schema));
                    }
                    (key, _) if key.starts_with("x-") => {}
                    (_, value) => fold(value),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(openapi: &str, schema: &str) -> Document {
        let text = format!(
            "openapi: {openapi}\ninfo: {{title: t, version: '1'}}\npaths:\n  /a/{{id}}:\n    get:\n      responses:\n        '200':\n          content:\n            application/json:\n              schema: {schema}\ncomponents:\n  schemas:\n    Item:\n      type: object\n      required: [id, secret]\n      properties:\n        id: {{type: string, format: uuid}}\n        secret: {{type: string, writeOnly: true}}\n        size: {{type: integer, format: int32}}\n      additionalProperties: false\n"
        );
        Document::parse("t", &text).expect("the document parses")
    }

    const PLACE: &str = "/paths/~1a~1{id}/get/responses/200/content/application~1json/schema";

    fn faults(openapi: &str, schema: &str, value: &Value) -> Vec<String> {
        let document = document(openapi, schema);
        let schemas = Schemas::new(&document);
        let faults = schemas
            .faults(PLACE, value, Direction::Response)
            .expect("the schema compiles");
        faults
            .iter()
            .map(|fault| format!("{} {}", fault.at, fault.keyword))
            .collect()
    }

    #[test]
    fn faults_name_instance_place_and_keyword_through_references_and_nullable_branches() {
        let reference =
            "{type: array, items: {oneOf: [{$ref: '#/components/schemas/Item'}, {type: 'null'}]}}";
        let item = json!([null, {"id": "x", "size": 1}]);
        assert_eq!(faults("3.1.0", reference, &item), ["/1/id format"]);
        assert_eq!(
            faults("3.1.0", reference, &json!([{"size": "1", "more": 1}])),
            [
                "/0 required",
                "/0/size type",
                "/0/more additionalProperties"
            ]
        );
    }

    #[test]
    fn the_dialect_of_3_0_is_folded_and_a_write_only_member_is_not_required_of_an_answer() {
        let nullable = "{type: integer, nullable: true, minimum: 0, exclusiveMinimum: true}";
        assert!(faults("3.0.3", nullable, &Value::Null).is_empty());
        assert_eq!(faults("3.0.3", nullable, &json!(0)), [" exclusiveMinimum"]);
        let item = json!({"id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"});
        assert!(faults("3.0.3", "{$ref: '#/components/schemas/Item'}", &item).is_empty());
    }

    #[test]
    fn unknown_formats_are_ignored_and_a_dangling_reference_is_said() {
        assert!(faults("3.1.0", "{type: string, format: nope}", &json!("x")).is_empty());
        let document = document("3.1.0", "{$ref: '#/components/schemas/None'}");
        assert!(
            Schemas::new(&document)
                .faults(PLACE, &json!(1), Direction::Response)
                .is_err()
        );
    }
}
