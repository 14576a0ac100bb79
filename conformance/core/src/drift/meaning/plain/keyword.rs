//! What each keyword of a schema becomes in plain JSON Schema 2020-12.

use serde_json::{Map, Value, json};

use super::super::formats;
use super::super::scope::Scope;
use super::{EXACT, Place, Writer, both};
use crate::document::pointer;
use crate::finding::Undecided;
use crate::schema::number_format::range;
use crate::schema::pattern::{is_pattern, translated};
use crate::schema::validator::{MULTIPLE_OF, asserts};

/// Keywords whose subschemas every value, or every member or item that they speak of, has to meet.
const IN_CONJUNCTION: [&str; 11] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "prefixItems",
    "items",
    "additionalItems",
    "unevaluatedItems",
];

impl Writer<'_, '_> {
    /// Writes a keyword of a schema as far as its scope can see it.
    pub(in super::super) fn keyword(
        &mut self,
        place: &Place<'_, '_>,
        keyword: &str,
        out: &mut Map<String, Value>,
    ) -> Result<(), Undecided> {
        let Place {
            at,
            schema,
            scope,
            around,
            hidden,
            depth,
        } = *place;
        let Some(value) = schema.get(keyword) else {
            return Ok(());
        };
        let here = pointer::join(at, keyword);
        if self.prune && !IN_CONJUNCTION.contains(&keyword) {
            return self.in_full(|writer| writer.keyword(place, keyword, out));
        }
        let written = match (keyword, value) {
            ("$ref" | "$dynamicRef", Value::String(reference)) => {
                let target = self.source.schemas.target(keyword, reference);
                let target = target.ok_or_else(|| Undecided::Reference {
                    reference: reference.clone(),
                })?;
                if self.any_edit(|edit| edit.removes_branch(&target)) {
                    return Ok(());
                }
                let around = self.around(at, keyword, around);
                let inner = match scope {
                    Scope::All if !self.speaks_of(&target, &around) => {
                        json!({"$ref": format!("#/$defs/{}", self.define(&target))})
                    }
                    Scope::All | Scope::Values(_) => self.schema(&target, scope, &around, depth)?,
                };
                both(out, inner);
                return Ok(());
            }
            // What is not a regular expression rejects nothing: see `Decider::unreadable`.
            ("pattern", Value::String(pattern)) if !is_pattern(pattern) => return Ok(()),
            ("pattern", Value::String(pattern)) => Value::from(translated(pattern)),
            ("multipleOf", Value::Number(number)) => {
                let step = self.source.digits(&here, number);
                match scope {
                    Scope::Values(_) if step.is_positive() => {
                        out.insert(MULTIPLE_OF.to_owned(), Value::from(step.to_string()));
                        return Ok(());
                    }
                    Scope::All if self.has_fractions => Value::from(step.to_string()),
                    // Set algebra divides floats.
                    Scope::All if number.as_u64().is_none_or(|one| one > EXACT) => {
                        return Err(Undecided::NotFound {
                            keyword: keyword.to_owned(),
                        });
                    }
                    Scope::All | Scope::Values(_) => value.clone(),
                }
            }
            ("type" | "enum" | "const", _)
            | ("minLength" | "maxLength" | "minItems" | "maxItems" | "uniqueItems", _)
            | ("minProperties" | "maxProperties" | "minContains" | "maxContains", _)
            | ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", _)
            | ("dependentRequired", _) => self.source.meant(keyword, &here, value),
            ("format", Value::String(format)) => {
                if let Some((least, most)) = range(format) {
                    both(out, json!({"minimum": least, "maximum": most}));
                } else if asserts(format) {
                    out.insert(keyword.to_owned(), value.clone());
                    if let (Scope::All, Some((least, most))) = (scope, formats::lengths(format)) {
                        both(out, json!({"minLength": least}));
                        most.into_iter()
                            .for_each(|most| both(out, json!({"maxLength": most})));
                    }
                }
                return Ok(());
            }
            ("required", Value::Array(names)) => {
                let shown = |name: &&Value| name.as_str().is_none_or(|name| !hidden.contains(name));
                Value::Array(names.iter().filter(shown).cloned().collect())
            }
            ("properties", Value::Object(members)) => {
                let mut named = scope.by_name();
                let mut written = Map::new();
                for name in members.keys() {
                    let below = named.take(name);
                    if below.is_empty() {
                        continue;
                    }
                    let member = if hidden.contains(name) {
                        Value::Bool(false)
                    } else {
                        self.fresh(&pointer::join(&here, name), &below, depth)?
                    };
                    written.insert(name.clone(), member);
                }
                Value::Object(written)
            }
            ("patternProperties", Value::Object(members)) => {
                let below = scope.members();
                if below.is_empty() {
                    return Ok(());
                }
                let mut written = Map::new();
                for name in members.keys().filter(|name| is_pattern(name)) {
                    let member = self.fresh(&pointer::join(&here, name), &below, depth)?;
                    written.insert(translated(name).into_owned(), member);
                }
                Value::Object(written)
            }
            ("dependentSchemas", Value::Object(members)) => {
                let around = self.around(at, keyword, around);
                let mut written = Map::new();
                for name in members.keys() {
                    if !scope.named(name).is_empty() {
                        let member =
                            self.schema(&pointer::join(&here, name), scope, &around, depth)?;
                        written.insert(name.clone(), member);
                    }
                }
                Value::Object(written)
            }
            ("items", Value::Array(items)) => {
                let list = self.list(&here, items.len(), &scope.items(), depth)?;
                out.insert("prefixItems".to_owned(), list);
                return Ok(());
            }
            ("additionalItems", _) if schema.get("items").is_some_and(Value::is_array) => {
                let rest = self.fresh(&here, &scope.items(), depth)?;
                out.insert("items".to_owned(), rest);
                return Ok(());
            }
            ("prefixItems", Value::Array(items)) => {
                self.list(&here, items.len(), &scope.items(), depth)?
            }
            ("items" | "contains" | "unevaluatedItems", _) => {
                let below = scope.items();
                // `contains` asks of an empty array as well.
                if below.is_empty() && keyword != "contains" {
                    return Ok(());
                }
                self.fresh(&here, &below, depth)?
            }
            ("additionalProperties" | "unevaluatedProperties", _) => {
                let below = scope.members();
                if below.is_empty() {
                    return Ok(());
                }
                self.fresh(&here, &below, depth)?
            }
            ("propertyNames", _) => {
                let names = scope.names();
                let below = match scope {
                    Scope::All => Scope::All,
                    Scope::Values(_) => Scope::Values(names.iter().collect()),
                };
                if below.is_empty() {
                    return Ok(());
                }
                self.fresh(&here, &below, depth)?
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(branches)) => {
                let around = self.around(at, keyword, around);
                let mut written = Vec::new();
                for index in 0..branches.len() {
                    let branch = pointer::index(&here, index);
                    if self.any_edit(|edit| edit.removes_branch(&branch)) {
                        continue;
                    }
                    let is_apart = keyword != "allOf" && self.rejects_all(&branch, scope);
                    written.push(match is_apart {
                        true => Value::Bool(false),
                        false => self.schema(&branch, scope, &around, depth)?,
                    });
                }
                if keyword == "allOf" {
                    written.into_iter().for_each(|one| both(out, one));
                    return Ok(());
                }
                if written.is_empty() {
                    return Ok(());
                }
                Value::Array(written)
            }
            ("then" | "else", _) => {
                let around = self.around(at, keyword, around);
                self.schema(&here, scope, &around, depth)?
            }
            ("not" | "if", _) => self.schema(&here, scope, hidden, depth)?,
            _ => return Ok(()),
        };
        out.insert(keyword.to_owned(), written);
        Ok(())
    }

    fn list(
        &mut self,
        here: &str,
        count: usize,
        below: &Scope<'_>,
        depth: usize,
    ) -> Result<Value, Undecided> {
        let places = (0..count).map(|index| pointer::index(here, index));
        let kept: Vec<String> = places
            .filter(|at| !self.any_edit(|edit| edit.removes_branch(at)))
            .collect();
        let all: Result<Vec<Value>, Undecided> = kept
            .into_iter()
            .map(|at| {
                if below.is_empty() {
                    Ok(Value::Bool(true))
                } else {
                    self.fresh(&at, below, depth)
                }
            })
            .collect();
        all.map(Value::Array)
    }
}
