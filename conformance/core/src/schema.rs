//! The schemas of one document: which apply to a value, which properties are sent, and the faults of a value under a schema.
//!
//! Called by the sample check and by the checks of answers. Known formats are asserted, other ones and `x-` keywords are ignored. Not
//! checked: references that the document does not resolve (a schema that uses one is reported as unusable).

pub mod direction;
mod fault;
pub mod number_format;
pub mod pattern;
mod shared;
mod subschemas;
mod text;
pub mod validator;
pub mod writer;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;

use crate::document::media::is_json;
use crate::document::{Document, pointer};
use crate::finding::{Broken, Sender, Undecided};

pub use fault::Fault;
pub use subschemas::{Member, Subschemas};
pub use text::Raw;
pub(crate) use text::with_member;

use direction::Unsent;
use shared::{Shared, Slot};
use writer::Written;

/// How many references are followed that lead to nothing but another one.
const REFERENCES: usize = 10;

/// How many validators of whole schemas are kept for each sender, where the shared ones say what is valid.
const KEPT: usize = 16;

type Compiled = Result<Rc<(Written, Validator)>, Undecided>;

/// Validators for the schemas of one document, each compiled at its first use.
pub struct Schemas<'d> {
    subschemas: Subschemas<'d>,
    /// Whether it matters who sends a value.
    flagged: bool,
    /// By the schema that says more than where another one is.
    validators: RefCell<HashMap<(String, Option<Sender>), Compiled>>,
    /// The same by the schema that was asked for, for each sender: most are asked for many times.
    asked: RefCell<[HashMap<String, Compiled>; 3]>,
    /// For each sender, validators that share what they refer to.
    shared: [Shared<'d>; 3],
    /// Those of them that were asked for.
    quick: RefCell<[HashMap<String, Option<Arc<Slot>>>; 3]>,
    /// What may apply to the values of a schema.
    in_place: RefCell<HashMap<String, Rc<Vec<String>>>>,
    /// The types that a schema names.
    types: RefCell<HashMap<String, Rc<Vec<String>>>>,
}

impl<'d> Schemas<'d> {
    /// The schemas of a document; compiles nothing yet.
    #[must_use]
    pub fn new(document: &'d Document) -> Self {
        let subschemas = Subschemas::of(document);
        let flagged = direction::is_flagged(subschemas.root());
        let senders = [None, Some(Sender::Client), Some(Sender::Server)];
        Self {
            subschemas,
            flagged,
            validators: RefCell::default(),
            asked: RefCell::default(),
            shared: senders
                .map(|sender| Shared::new(subschemas, unsent(subschemas, flagged, sender))),
            quick: RefCell::default(),
            in_place: RefCell::default(),
            types: RefCell::default(),
        }
    }

    /// The schemas, to be walked.
    #[must_use]
    pub fn subschemas(&self) -> Subschemas<'d> {
        self.subschemas
    }

    /// The schemas at `roots` and all that may apply to the same value, as [`Subschemas::in_place`] has them; those of one schema are
    /// looked for once.
    #[must_use]
    pub fn in_place(&self, roots: &[String]) -> Rc<Vec<String>> {
        let [root] = roots else {
            return Rc::new(self.subschemas.in_place(roots));
        };
        if let Some(known) = self.in_place.borrow().get(root) {
            return Rc::clone(known);
        }
        let found = Rc::new(self.subschemas.in_place(roots));
        let mut known = self.in_place.borrow_mut();
        known.insert(root.clone(), Rc::clone(&found));
        found
    }

    /// The faults of `value` under the schema at `schema`, sent by `sender`; by either one where there is none.
    ///
    /// # Errors
    /// Says why the schema cannot be used, for example because a reference leads nowhere.
    pub fn faults(
        &self,
        schema: &str,
        value: &Value,
        sender: Option<Sender>,
    ) -> Result<Vec<Fault>, Undecided> {
        let mut faults = Vec::new();
        // Much cheaper than to look for errors, and most values have none.
        let is_valid = self.is_valid(schema, value, sender);
        if is_valid == Some(true) {
            return Ok(faults);
        }
        let compiled = self.compiled(schema, sender)?;
        let (written, validator) = &*compiled;
        if is_valid.is_none() && validator.is_valid(value) {
            return Ok(faults);
        }
        for error in validator.iter_errors(value) {
            fault::flatten(&error, self.subschemas, written, &mut faults);
        }
        // The same keyword may apply through several references; it is one fault all the same.
        let mut seen = HashSet::new();
        faults.retain(|Fault { violation, schema }| {
            let name = match &violation.broken {
                Broken::Missing { name } | Broken::Unexpected { name } => Some(name.clone()),
                Broken::Alternatives { .. } | Broken::Value { .. } => None,
            };
            seen.insert((violation.at.clone(), schema.clone(), name))
        });
        Ok(faults)
    }

    /// Whether the schema at `schema` accepts `value`, sent by `sender`; cheaper than its faults.
    ///
    /// # Errors
    /// Says why the schema cannot be used.
    pub fn accepts(
        &self,
        schema: &str,
        value: &Value,
        sender: Option<Sender>,
    ) -> Result<bool, Undecided> {
        if let Some(is_valid) = self.is_valid(schema, value, sender) {
            return Ok(is_valid);
        }
        let compiled = self.compiled(schema, sender)?;
        Ok(compiled.1.is_valid(value))
    }

    /// What the validator says that shares what it refers to; none where there is none.
    fn is_valid(&self, schema: &str, value: &Value, sender: Option<Sender>) -> Option<bool> {
        let sender = sender.filter(|_| self.is_flagged());
        let side = side(sender);
        if let Some(known) = self.quick.borrow()[side].get(schema) {
            return Some(known.as_ref()?.get()?.is_valid(value));
        }
        let slot = self.shared[side].compiled(schema);
        let is_valid = slot.as_ref().and_then(|slot| slot.get());
        let is_valid = is_valid.map(|validator| validator.is_valid(value));
        self.quick.borrow_mut()[side].insert(schema.to_owned(), slot);
        is_valid
    }

    /// The schema at `schema` as plain JSON Schema, for values that `sender` sends.
    ///
    /// # Errors
    /// Says why the schema cannot be used.
    pub fn written(&self, schema: &str, sender: Option<Sender>) -> Result<Value, Undecided> {
        let compiled = self.compiled(schema, sender)?;
        Ok(compiled.0.schema.clone())
    }

    /// The members of an object whose schemas say that they are texts that stand for JSON with a schema of its own: where each is, the schema
    /// that says so, and the text.
    #[must_use]
    pub fn texts_with_content(&self, schema: &str, value: &Value) -> Vec<(String, String, String)> {
        let all = self.in_place(&[schema.to_owned()]);
        let mut found = Vec::new();
        for (name, member) in value.as_object().into_iter().flatten() {
            let Some(text) = member.as_str() else {
                continue;
            };
            let own = self.subschemas.member(&all, name).schemas();
            for at in self.subschemas.in_place(&own) {
                let said = self.subschemas.object(&at);
                let media = said.and_then(|said| said.get("contentMediaType")?.as_str());
                let has_schema = said.is_some_and(|said| said.contains_key("contentSchema"));
                if media.is_some_and(is_json) && has_schema {
                    found.push((pointer::join("", name), at, text.to_owned()));
                }
            }
        }
        found
    }

    /// Whether it matters who sends a value: some property is read-only or write-only.
    #[must_use]
    pub fn is_flagged(&self) -> bool {
        self.flagged
    }

    /// Where the schema at `schema` stands, if all that it says is where. Many places name one component, whose validator is large.
    fn named(&self, schema: &str) -> String {
        let mut at = schema.to_owned();
        for _ in 0..REFERENCES {
            let only = self.subschemas.object(&at).filter(|one| one.len() == 1);
            let reference = only.and_then(|one| one.get("$ref")?.as_str());
            let target = reference.and_then(|one| self.subschemas.target("$ref", one));
            match target.filter(|target| self.subschemas.at(target).is_some()) {
                Some(target) => at = target,
                None => break,
            }
        }
        at
    }

    fn compiled(&self, schema: &str, sender: Option<Sender>) -> Compiled {
        let flagged = self.is_flagged();
        let sender = sender.filter(|_| flagged);
        let side = side(sender);
        if let Some(known) = self.asked.borrow()[side].get(schema) {
            return known.clone();
        }
        let compiled = self.compiled_once(schema, sender, flagged);
        let mut asked = self.asked.borrow_mut();
        // They only say what is wrong where others say that something is: to keep those of a large document takes much memory.
        if asked[side].len() >= KEPT && self.shared[side].is_possible() {
            asked[side].clear();
            self.validators.borrow_mut().clear();
        }
        asked[side].insert(schema.to_owned(), compiled.clone());
        compiled
    }

    fn compiled_once(&self, schema: &str, sender: Option<Sender>, flagged: bool) -> Compiled {
        let key = (self.named(schema), sender);
        if let Some(known) = self.validators.borrow().get(&key) {
            return known.clone();
        }
        let unsent = unsent(self.subschemas, flagged, sender);
        let written = writer::write(self.subschemas, &unsent, &key.0);
        let compiled = written.and_then(|written| {
            let validator = validator::compile(&written.schema)?;
            Ok(Rc::new((written, validator)))
        });
        self.validators.borrow_mut().insert(key, compiled.clone());
        compiled
    }
}

/// What a sender does not send.
fn unsent(subschemas: Subschemas<'_>, flagged: bool, sender: Option<Sender>) -> Unsent<'_> {
    match flagged {
        true => Unsent::new(subschemas, sender),
        false => Unsent::nothing(subschemas),
    }
}

/// Where the validators of a sender are.
fn side(sender: Option<Sender>) -> usize {
    sender.map_or(0, |sender| match sender {
        Sender::Client => 1,
        Sender::Server => 2,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            .faults(PLACE, value, Some(Sender::Server))
            .expect("the schema compiles");
        faults
            .iter()
            .map(|fault| format!("{} {}", fault.violation.at, fault.violation.keyword))
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
                "/0/size type",
                "/0/more additionalProperties",
                "/0 required"
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
                .faults(PLACE, &json!(1), Some(Sender::Server))
                .is_err()
        );
    }
}
