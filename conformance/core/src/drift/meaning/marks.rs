//! What values of a schema plainly are: of certain types, and objects with a member that is one of a few texts.
//!
//! Such marks tell most alternatives apart, so that a value of one need not be validated against everything that the others say. Only what
//! every value of the schema must satisfy is a mark; a schema without marks may accept anything.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use foldhash::HashSet;
use serde_json::{Map, Value};

use super::edit::Edit;
use super::presumed;
use crate::document::pointer;
use crate::schema::Subschemas;
use crate::schema::direction::Names;

/// How many schemas are looked at for the marks of one.
const SCHEMAS: usize = 600;

/// How deep schemas are looked into.
const DEPTH: usize = 16;

/// How many alternatives inside a schema are looked at.
const INNER: usize = 200;

/// What all values of a schema are.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// Their types.
    types: Option<Mark<String>>,
    /// Members that may only be one of a few values.
    members: BTreeMap<String, Mark<Value>>,
    /// The members that objects have.
    required: BTreeSet<String>,
    /// The schemas that say so: those that every value has to meet.
    conjuncts: HashSet<String>,
}

/// One thing that is said of all values.
#[derive(Debug, Clone)]
struct Mark<T> {
    one_of: Vec<T>,
    /// The schemas that say so together.
    said_by: Vec<String>,
}

impl Marks {
    /// Reads the marks of the schema at `at`, of which the members `hidden` are not sent. `known` gives those of its alternatives.
    pub(super) fn of(
        schemas: &Subschemas<'_>,
        at: &str,
        hidden: &Names,
        known: &dyn Fn(&str) -> Rc<Self>,
    ) -> Self {
        let mut reader = Reader {
            schemas,
            known,
            left: SCHEMAS,
            chain: Vec::new(),
        };
        let mut marks = reader.read(at);
        marks.required.retain(|name| !hidden.contains(name));
        marks
    }

    /// The schemas that every value has to meet, this one among them.
    pub(super) fn conjuncts(&self) -> &HashSet<String> {
        &self.conjuncts
    }

    /// Whether no value is of this schema and of one with the marks `other`.
    pub(super) fn are_apart(&self, other: &Self) -> bool {
        let types = |marks: &Self| marks.types.as_ref().map(|mark| mark.one_of.clone());
        let (one, two) = (types(self), types(other));
        if let (Some(one), Some(two)) = (&one, &two)
            && !one.iter().any(|name| two.contains(name))
        {
            return true;
        }
        let are_objects = |types: &Option<Vec<String>>| matches!(types.as_deref(), Some([only]) if only == "object");
        (are_objects(&one) || are_objects(&two))
            && self.members.iter().any(|(name, own)| {
                (self.required.contains(name) || other.required.contains(name))
                    && other.members.get(name).is_some_and(|others| {
                        !own.one_of.iter().any(|value| others.one_of.contains(value))
                    })
            })
    }

    /// Whether all are of objects that have the same member, which is something else in each of them.
    pub(super) fn are_all_apart(all: &[Rc<Self>]) -> bool {
        let Some(first) = all.first() else {
            return true;
        };
        let are_objects = |marks: &Self| {
            let types = marks.types.as_ref().map(|mark| &mark.one_of[..]);
            matches!(types, Some([only]) if only == "object")
        };
        let tells = |name: &String| {
            let mut seen = HashSet::default();
            all.iter().all(|marks| {
                let Some(mark) = marks
                    .members
                    .get(name)
                    .filter(|_| marks.required.contains(name))
                else {
                    return false;
                };
                let own: HashSet<String> = mark.one_of.iter().map(Value::to_string).collect();
                own.into_iter().all(|value| seen.insert(value))
            })
        };
        all.iter().all(|marks| are_objects(marks)) && first.members.keys().any(tells)
    }

    /// Whether the schema rejects a value because of its marks, also with `edits`.
    pub(super) fn reject(&self, value: &Value, edits: &[&Edit]) -> bool {
        if let Some(types) = &self.types
            && !types.one_of.iter().any(|name| name == type_of(value))
            && !presumed::is_in(value)
            && types.hold(None, edits)
        {
            return true;
        }
        let Value::Object(members) = value else {
            return false;
        };
        self.members.iter().any(|(name, mark)| {
            members.get(name).is_some_and(|member| {
                !mark.one_of.contains(member)
                    && !presumed::is_in(member)
                    && mark.hold(Some(name), edits)
            })
        })
    }

    /// Adds marks that every value must have as well.
    fn and(&mut self, other: Self) {
        self.required.extend(other.required);
        self.conjuncts.extend(other.conjuncts);
        if let Some(mark) = other.types {
            match &mut self.types {
                Some(known) => known.narrow(mark),
                None => self.types = Some(mark),
            }
        }
        for (name, mark) in other.members {
            match self.members.get_mut(&name) {
                Some(known) => known.narrow(mark),
                None => {
                    self.members.insert(name, mark);
                }
            }
        }
    }

    /// Adds what values may be instead.
    fn or(&mut self, other: &Self) {
        self.required.retain(|name| other.required.contains(name));
        match (&mut self.types, &other.types) {
            (Some(known), Some(mark)) => known.widen(mark),
            (types, _) => *types = None,
        }
        self.members.retain(|name, known| {
            let mark = other.members.get(name);
            mark.is_some_and(|mark| {
                known.widen(mark);
                true
            })
        });
    }
}

impl<T: Clone + PartialEq> Mark<T> {
    fn narrow(&mut self, other: Self) {
        self.one_of.retain(|value| other.one_of.contains(value));
        self.said_by.extend(other.said_by);
    }

    fn widen(&mut self, other: &Self) {
        for value in &other.one_of {
            if !self.one_of.contains(value) {
                self.one_of.push(value.clone());
            }
        }
        for at in &other.said_by {
            if !self.said_by.contains(at) {
                self.said_by.push(at.clone());
            }
        }
    }

    /// Whether the mark, which is of the member `name` or of the types, is still there after `edits`.
    fn hold(&self, name: Option<&str>, edits: &[&Edit]) -> bool {
        let takes = |edit: &&Edit| {
            self.said_by
                .iter()
                .any(|at| edit.is_of(at) && !edit.keeps_mark(name) || edit.removes_branch(at))
        };
        !edits.iter().any(takes)
    }
}

struct Reader<'s, 'a> {
    schemas: &'s Subschemas<'a>,
    /// The marks of alternatives.
    known: &'s dyn Fn(&str) -> Rc<Marks>,
    left: usize,
    /// The schemas that are being read.
    chain: Vec<String>,
}

impl Reader<'_, '_> {
    fn read(&mut self, at: &str) -> Marks {
        let mut marks = Marks::default();
        let is_open = self.chain.iter().any(|open| open == at);
        if self.left == 0 || self.chain.len() >= DEPTH || is_open {
            return marks;
        }
        self.left -= 1;
        let Some(schema) = self.schemas.object(at) else {
            return marks;
        };
        self.chain.push(at.to_owned());
        marks.conjuncts.insert(at.to_owned());
        self.own(at, schema, &mut marks);
        let reference = schema.get("$ref").and_then(Value::as_str);
        if let Some(target) = reference.and_then(|one| self.schemas.target("$ref", one)) {
            let inner = self.read(&target);
            marks.and(inner);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let Some(Value::Array(branches)) = schema.get(keyword) else {
                continue;
            };
            let below = pointer::join(at, keyword);
            let mut all = (0..branches.len()).map(|index| pointer::index(&below, index));
            if keyword == "allOf" {
                for branch in all {
                    let inner = self.read(&branch);
                    marks.and(inner);
                }
            } else if branches.len() <= INNER
                && let Some(first) = all.next()
            {
                let mut any = Marks::clone(&(self.known)(&first));
                any.conjuncts.clear();
                for branch in all {
                    if any.is_empty() {
                        break;
                    }
                    any.or(&(self.known)(&branch));
                }
                let around = &self.chain;
                any.said_by(around);
                marks.and(any);
            }
        }
        self.chain.pop();
        marks
    }

    /// Adds the marks that a schema has by its own keywords.
    fn own(&mut self, at: &str, schema: &Map<String, Value>, marks: &mut Marks) {
        let types: Option<Vec<&str>> = match schema.get("type") {
            Some(Value::String(name)) => Some(vec![name]),
            Some(Value::Array(names)) => names.iter().map(Value::as_str).collect(),
            _ => None,
        };
        if let Some(types) = types {
            let one_of = types.iter().map(|name| match *name {
                "integer" => "number".to_owned(),
                name => name.to_owned(),
            });
            marks.and(Marks {
                types: Some(Mark {
                    one_of: one_of.collect(),
                    said_by: self.chain.clone(),
                }),
                ..Marks::default()
            });
        }
        if let Some(Value::Array(names)) = schema.get("required") {
            let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
            marks.required.extend(names);
        }
        let Some(Value::Object(properties)) = schema.get("properties") else {
            return;
        };
        let below = pointer::join(at, "properties");
        for name in properties.keys() {
            let mut said_by = self.chain.clone();
            if let Some(one_of) = self.listed(&pointer::join(&below, name), &mut said_by) {
                let members = BTreeMap::from([(name.clone(), Mark { one_of, said_by })]);
                marks.and(Marks {
                    members,
                    ..Marks::default()
                });
            }
        }
    }

    /// The few values that a schema allows; `said_by` are the schemas that lead to it.
    fn listed(&self, at: &str, said_by: &mut Vec<String>) -> Option<Vec<Value>> {
        let mut at = at.to_owned();
        for _ in 0..DEPTH {
            let schema = self.schemas.object(&at)?;
            said_by.push(at.clone());
            let values = match (schema.get("const"), schema.get("enum")) {
                (Some(value), _) => Some(std::slice::from_ref(value)),
                (None, Some(Value::Array(values))) => Some(&values[..]),
                _ => None,
            };
            if let Some(values) = values {
                // Not numbers: a comparison may put others in their place (see `stand_in`).
                let plain =
                    |one: &Value| matches!(one, Value::String(_) | Value::Bool(_) | Value::Null);
                return values.iter().all(plain).then(|| values.to_vec());
            }
            at = match (schema.get("$ref"), schema.get("allOf")) {
                (Some(Value::String(reference)), _) => self.schemas.target("$ref", reference)?,
                (None, Some(Value::Array(branches))) if branches.len() == 1 => {
                    pointer::index(&pointer::join(&at, "allOf"), 0)
                }
                _ => return None,
            };
        }
        None
    }
}

impl Marks {
    /// Adds the schemas that lead to those that say so.
    fn said_by(&mut self, around: &[String]) {
        if let Some(mark) = &mut self.types {
            mark.said_by.extend_from_slice(around);
        }
        let all = self.members.values_mut();
        all.for_each(|mark| mark.said_by.extend_from_slice(around));
    }

    fn is_empty(&self) -> bool {
        self.types.is_none() && self.members.is_empty() && self.required.is_empty()
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
