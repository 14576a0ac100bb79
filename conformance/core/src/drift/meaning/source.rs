//! Where schemas are read from, and who writes the values that they describe.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use foldhash::HashMap;
use serde_json::{Map, Number, Value};

use super::judge::Judge;
use super::marks::Marks;
use super::stand_in::StandIns;
use crate::document::{Decimal, Document, Literal};
use crate::finding::Sender;
use crate::schema::direction::Unsent;
use crate::schema::{Member, Subschemas};

/// How deep alternatives within alternatives are looked into for what values plainly are.
const NESTED: usize = 12;

/// The schemas of values that one side writes.
pub(super) struct Source<'a> {
    pub(super) schemas: Subschemas<'a>,
    /// The members that this side does not send.
    pub(super) unsent: Unsent<'a>,
    pub(super) judge: &'a Judge,
    /// Whether validations are counted, by the number of schemas that each applies.
    counts: bool,
    /// The document with what stands in for its numbers; none where they are read as they are.
    stand_ins: Option<(&'a Document, &'a StandIns)>,
    /// The document, for the digits of its numbers.
    document: Option<&'a Document>,
    /// What values of schemas plainly are, as far as it was asked.
    marks: RefCell<HashMap<String, Rc<Marks>>>,
    /// How many alternatives within others are being asked for theirs.
    asked: Cell<usize>,
}

impl<'a> Source<'a> {
    /// `flagged` says whether any member is `readOnly` or `writeOnly`.
    pub(super) fn of(
        document: &'a Document,
        sender: Sender,
        flagged: bool,
        judge: &'a Judge,
    ) -> Self {
        let schemas = Subschemas::of(document);
        let unsent = match flagged {
            true => Unsent::new(schemas, Some(sender)),
            false => Unsent::nothing(schemas),
        };
        Self {
            schemas,
            unsent,
            judge,
            counts: true,
            stand_ins: None,
            document: Some(document),
            marks: RefCell::default(),
            asked: Cell::default(),
        }
    }

    /// The same with other numbers in the same order, of which values can be made.
    pub(super) fn with(self, stand_ins: &'a StandIns) -> Self {
        let stand_ins = (!stand_ins.is_empty()).then_some(stand_ins);
        Self {
            stand_ins: self.document.zip(stand_ins),
            ..self
        }
    }

    /// Whether some numbers of the schemas are replaced by others.
    pub(super) fn has_stand_ins(&self) -> bool {
        self.stand_ins.is_some()
    }

    /// The number at `at`, which is read as `number`, by all its digits.
    pub(super) fn digits(&self, at: &str, number: &Number) -> Decimal {
        let exact = self.document.map(|document| document.exact(at));
        let exact = exact.unwrap_or_default().into_iter().next();
        exact.map_or_else(|| Decimal::of(number), |(_, exact)| exact)
    }

    /// The value of `keyword`, which is at `at` and holds no schemas, as values are held to it.
    pub(super) fn meant(&self, keyword: &str, at: &str, value: &Value) -> Value {
        let Some((document, stand_ins)) = self.stand_ins else {
            return value.clone();
        };
        let meant = match (keyword, value) {
            (
                "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
                | "maxProperties" | "minContains" | "maxContains",
                Value::Number(number),
            ) => {
                let count = stand_ins.count(keyword, &self.digits(at, number));
                count.map_or_else(|| value.clone(), Value::from)
            }
            _ if stand_ins.has_no_numbers() => value.clone(),
            _ => stand_ins.value(&Literal::new(value.clone(), document.exact(at))),
        };
        if meant != *value {
            self.judge.replace();
        }
        meant
    }

    /// A value that is added to what a schema says.
    pub(super) fn literal(&self, literal: &Literal) -> Value {
        match self.stand_ins {
            Some((_, stand_ins)) => {
                let meant = stand_ins.value(literal);
                if meant != *literal.value() || !literal.exact().is_empty() {
                    self.judge.replace();
                }
                meant
            }
            None => literal.value().clone(),
        }
    }

    /// A schema that stands alone, with its `$defs`.
    pub(super) fn alone(value: &'a Value, judge: &'a Judge) -> Self {
        let schemas = Subschemas::alone(value);
        Self {
            schemas,
            unsent: Unsent::nothing(schemas),
            judge,
            counts: false,
            stand_ins: None,
            document: None,
            marks: RefCell::default(),
            asked: Cell::default(),
        }
    }

    /// Counts the schemas that a validation applies.
    pub(super) fn spend(&self, count: usize) {
        if self.counts {
            self.judge.spend(count);
        }
    }

    /// What values of the schema at `at` plainly are.
    pub(super) fn marks(&self, at: &str) -> Rc<Marks> {
        if let Some(known) = self.marks.borrow().get(at) {
            return known.clone();
        }
        if self.asked.get() >= NESTED {
            return Rc::default();
        }
        // A schema that is an alternative of itself gets no marks from that: this ends the recursion.
        let mut marks = self.marks.borrow_mut();
        marks.insert(at.to_owned(), Rc::default());
        drop(marks);
        let known = |at: &str| self.marks(at);
        let hidden = self.unsent.names(at);
        self.asked.set(self.asked.get() + 1);
        let found = Rc::new(Marks::of(&self.schemas, at, &hidden, &known));
        self.asked.set(self.asked.get() - 1);
        let mut marks = self.marks.borrow_mut();
        marks.insert(at.to_owned(), found.clone());
        found
    }

    /// The schemas of the member `name`, by all that apply to an object; none where they do not speak of it. An object of which no
    /// member is named is a map, whose members are all meant.
    pub(super) fn member(&self, schemas: &[String], name: &str) -> Option<Vec<String>> {
        match self.schemas.member(schemas, name) {
            Member::Declared(below) | Member::Entry(below) => Some(below),
            Member::Undeclared => {
                let all = || schemas.iter().filter_map(|at| self.schemas.object(at));
                let meant = all().any(|schema| demands(schema, name)) || !all().any(names_any);
                meant.then(Vec::new)
            }
        }
    }
}

/// Whether the schema demands the member `name`, or says what it demands besides.
pub(super) fn demands(schema: &Map<String, Value>, name: &str) -> bool {
    let has = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|one| one == name))
    };
    let needs = schema.get("dependentRequired").and_then(Value::as_object);
    schema.get("required").is_some_and(has)
        || needs.is_some_and(|needs| needs.contains_key(name) || needs.values().any(has))
}

/// Whether the schema names members.
fn names_any(schema: &Map<String, Value>) -> bool {
    ["properties", "patternProperties", "required"]
        .iter()
        .any(|keyword| match schema.get(*keyword) {
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::Array(names)) => !names.is_empty(),
            _ => false,
        })
}
