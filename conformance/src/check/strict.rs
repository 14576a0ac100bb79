//! Members of a body that its schema does not declare: allowed by most schemas, and often sent by accident.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Sheet;
use super::members::general;
use crate::document::pointer;
use crate::finding::ReplayFault;
use crate::rule::replay as rules;
use crate::schema::{Member, Subschemas};

impl Sheet<'_> {
    /// Tells the members that nothing declares. Objects whose schemas name no member are maps, and so are those that allow others.
    pub(super) fn undeclared(&mut self, value: &Value, schema: &str) {
        let mut found = Vec::new();
        let schemas = self.judge.schemas.subschemas();
        walk(schemas, value, &[schema.to_owned()], "", &mut found);
        // The same member in each item of a list is one finding.
        let mut first: BTreeMap<String, (String, usize)> = BTreeMap::new();
        for at in found {
            let known = first.entry(general(&at)).or_insert((at, 0));
            known.1 += 1;
        }
        for (at, count) in first.into_values() {
            let witness = value.pointer(&at).cloned();
            let fault = ReplayFault::Undeclared {
                sample: self.sample(),
                at,
                more: count - 1,
            };
            let severity = crate::finding::Severity::Breaking;
            self.add(rules::MEMBER_DOCUMENTED, severity, schema, fault, witness);
        }
    }
}

fn walk(
    schemas: Subschemas<'_>,
    value: &Value,
    roots: &[String],
    at: &str,
    found: &mut Vec<String>,
) {
    let all = schemas.in_place(roots);
    match value {
        Value::Object(members) => {
            let objects = || all.iter().filter_map(|at| schemas.object(at));
            let is_map = !objects().any(names_members) || objects().any(allows_others);
            for (name, member) in members {
                let below = pointer::join(at, name);
                match schemas.member(&all, name) {
                    Member::Undeclared if !is_map => found.push(below),
                    member_schemas => {
                        let roots = member_schemas.schemas();
                        if !roots.is_empty() {
                            walk(schemas, member, &roots, &below, found);
                        }
                    }
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let roots = schemas.item(&all, index);
                if !roots.is_empty() {
                    walk(schemas, item, &roots, &pointer::index(at, index), found);
                }
            }
        }
        _ => {}
    }
}

fn names_members(schema: &Map<String, Value>) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| !properties.is_empty())
}

/// Whether a schema says that other members are welcome.
fn allows_others(schema: &Map<String, Value>) -> bool {
    let mut keywords = ["additionalProperties", "unevaluatedProperties"]
        .into_iter()
        .filter_map(|keyword| schema.get(keyword));
    keywords.any(|value| match value {
        Value::Bool(allowed) => *allowed,
        Value::Object(schema) => schema.is_empty(),
        _ => false,
    })
}
