//! A schema of a document as plain JSON Schema 2020-12: references put in place, the dialect of 3.0 folded, the direction applied.
//!
//! [`seen`] writes as much of a schema as given values can see, which is exact for these values and small whatever the document
//! is; [`whole`] writes all of it, with `$defs`, as long as it is not large.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::source::Source;
use crate::document::pointer;

/// How many schemas are written for one set of values.
const SEEN_LIMIT: usize = 2_500;

/// How many schemas a whole may have; beyond that set algebra is slow.
const WHOLE_LIMIT: usize = 160;

/// How deep schemas nest.
const DEPTH_LIMIT: usize = 120;

/// Why a schema could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A reference leads nowhere.
    Dangling(String),
    /// A dynamic reference leads to one of several schemas, by how one came to it.
    Dynamic(String),
    /// There is more than is looked at.
    Large,
    /// So many values were tried in this comparison that no more are.
    Spent,
}

/// One keyword of one schema, to be taken from the other document: what makes out which keyword refuses a value.
pub(super) struct Swap<'a> {
    /// The schema and the keyword that is left out.
    pub(super) without: Option<(String, String)>,
    /// Where the other keyword is put in.
    pub(super) into: String,
    /// The keyword of the other document.
    pub(super) with: Option<(Source<'a>, String, String)>,
}

/// What of a schema is written.
#[derive(Clone)]
enum Scope<'v> {
    All,
    Values(Vec<&'v Value>),
}

impl<'v> Scope<'v> {
    fn members(&self) -> Self {
        self.each(&|value, all| {
            if let Value::Object(members) = value {
                all.extend(members.values());
            }
        })
    }

    fn named(&self, name: &str) -> Self {
        self.each(&|value, all| all.extend(value.as_object().and_then(|members| members.get(name))))
    }

    fn items(&self) -> Self {
        self.each(&|value, all| {
            if let Value::Array(items) = value {
                all.extend(items);
            }
        })
    }

    fn each(&self, take: &dyn Fn(&'v Value, &mut Vec<&'v Value>)) -> Self {
        match self {
            Self::All => Self::All,
            Self::Values(values) => {
                let mut all = Vec::new();
                for value in values {
                    take(value, &mut all);
                }
                Self::Values(all)
            }
        }
    }

    /// Whether nothing is there that the schema could be asked about.
    fn is_empty(&self) -> bool {
        matches!(self, Self::Values(values) if values.is_empty())
    }

    fn names(&self) -> Vec<Value> {
        match self {
            Self::All => Vec::new(),
            Self::Values(values) => {
                let members = values.iter().filter_map(|value| value.as_object());
                let names: BTreeSet<&String> = members.flat_map(Map::keys).collect();
                names.into_iter().map(|name| json!(name)).collect()
            }
        }
    }
}

/// Writes the schema at `at` as far as `values` can see it, and says how many schemas that were.
pub(super) fn seen<'a>(
    source: Source<'a>,
    at: &str,
    values: &[Value],
    swap: Option<&Swap<'a>>,
) -> Result<(Value, usize), Trouble> {
    let mut writer = Writer::new(source, SEEN_LIMIT, swap);
    let scope = Scope::Values(values.iter().collect());
    let schema = writer.fresh(at, &scope, 0)?;
    Ok((schema, SEEN_LIMIT - writer.left))
}

/// Writes the schema at `at` with all that it uses: `{"$defs": {"0": ..}, "$ref": "#/$defs/0"}`.
pub(super) fn whole(source: Source<'_>, at: &str) -> Result<Value, Trouble> {
    let mut writer = Writer::new(source, WHOLE_LIMIT, None);
    let root = writer.define(at);
    let mut definitions = Map::new();
    while let Some((at, id)) = writer.queue.pop() {
        let hidden = source.hidden(&at);
        let schema = writer.schema(&at, &Scope::All, &hidden, 0)?;
        definitions.insert(id, schema);
    }
    Ok(json!({"$defs": definitions, "$ref": format!("#/$defs/{root}")}))
}

struct Writer<'s, 'a> {
    source: Source<'a>,
    left: usize,
    swap: Option<&'s Swap<'a>>,
    definitions: BTreeMap<String, String>,
    queue: Vec<(String, String)>,
}

impl<'s, 'a> Writer<'s, 'a> {
    fn new(source: Source<'a>, limit: usize, swap: Option<&'s Swap<'a>>) -> Self {
        Self {
            source,
            left: limit,
            swap,
            definitions: BTreeMap::new(),
            queue: Vec::new(),
        }
    }

    fn define(&mut self, at: &str) -> String {
        if let Some(known) = self.definitions.get(at) {
            return known.clone();
        }
        let id = self.definitions.len().to_string();
        self.definitions.insert(at.to_owned(), id.clone());
        self.queue.push((at.to_owned(), id.clone()));
        id
    }

    /// A schema of another value than the one around it.
    fn fresh(&mut self, at: &str, scope: &Scope<'_>, depth: usize) -> Result<Value, Trouble> {
        let hidden = self.source.hidden(at);
        self.schema(at, scope, &hidden, depth)
    }

    fn schema(
        &mut self,
        at: &str,
        scope: &Scope<'_>,
        hidden: &BTreeSet<String>,
        depth: usize,
    ) -> Result<Value, Trouble> {
        let schema = match self.source.at(at) {
            Some(Value::Object(schema)) => schema,
            Some(Value::Bool(accepts)) => return Ok(Value::Bool(*accepts)),
            _ => return Ok(Value::Bool(true)),
        };
        self.left = self.left.checked_sub(1).ok_or(Trouble::Large)?;
        if depth > DEPTH_LIMIT {
            return Err(Trouble::Large);
        }
        let mut out = Map::new();
        let place = Place {
            at,
            schema,
            scope,
            hidden,
            depth: depth + 1,
        };
        let only_reference = self.source.old() && schema.contains_key("$ref");
        for keyword in schema.keys() {
            let left_out = self.swap.is_some_and(|swap| {
                swap.without
                    .as_ref()
                    .is_some_and(|(schema, key)| schema == at && key == keyword)
            });
            if !left_out && (!only_reference || keyword == "$ref") {
                self.keyword(&place, keyword, &mut out)?;
            }
        }
        if let Some(swap) = self.swap
            && swap.into == at
            && let Some((source, other, keyword)) = &swap.with
            && let Some(schema) = source.object(other)
        {
            let mut writer = Writer::new(*source, self.left, None);
            let place = Place {
                at: other,
                schema,
                ..place
            };
            writer.keyword(&place, keyword, &mut out)?;
        }
        if self.source.old() && !only_reference && schema.get("nullable") == Some(&json!(true)) {
            return Ok(json!({"anyOf": [out, {"type": "null"}]}));
        }
        Ok(Value::Object(out))
    }

    fn keyword(
        &mut self,
        place: &Place<'_, '_>,
        keyword: &str,
        out: &mut Map<String, Value>,
    ) -> Result<(), Trouble> {
        let Place {
            at,
            schema,
            scope,
            hidden,
            depth,
        } = *place;
        let Some(value) = schema.get(keyword) else {
            return Ok(());
        };
        let here = pointer::join(at, keyword);
        let written = match (keyword, value) {
            ("$ref" | "$dynamicRef", Value::String(reference)) => {
                let target = self.source.target_of(keyword, reference);
                let target = target.ok_or_else(|| match self.source.target(reference) {
                    Some(_) => Trouble::Dynamic(reference.clone()),
                    None => Trouble::Dangling(reference.clone()),
                })?;
                let inner = match scope {
                    Scope::All => json!({"$ref": format!("#/$defs/{}", self.define(&target))}),
                    Scope::Values(_) => self.schema(&target, scope, hidden, depth)?,
                };
                both(out, inner);
                return Ok(());
            }
            ("type" | "enum" | "const" | "pattern" | "multipleOf", _)
            | ("minLength" | "maxLength" | "minItems" | "maxItems" | "uniqueItems", _)
            | ("minProperties" | "maxProperties" | "minContains" | "maxContains", _)
            | ("dependentRequired", _) => value.clone(),
            ("minimum", _) if schema.get("exclusiveMinimum") == Some(&json!(true)) => {
                out.insert("exclusiveMinimum".to_owned(), value.clone());
                return Ok(());
            }
            ("maximum", _) if schema.get("exclusiveMaximum") == Some(&json!(true)) => {
                out.insert("exclusiveMaximum".to_owned(), value.clone());
                return Ok(());
            }
            ("exclusiveMinimum" | "exclusiveMaximum", Value::Bool(_)) => return Ok(()),
            ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", _) => value.clone(),
            ("format", Value::String(format)) => {
                match format.as_str() {
                    "int32" => both(out, json!({"minimum": i32::MIN, "maximum": i32::MAX})),
                    "int64" => both(out, json!({"minimum": i64::MIN, "maximum": i64::MAX})),
                    _ if super::judge::holds(format) => {
                        out.insert(keyword.to_owned(), value.clone());
                    }
                    _ => {}
                }
                return Ok(());
            }
            ("required", Value::Array(names)) => {
                let shown = |name: &&Value| name.as_str().is_none_or(|name| !hidden.contains(name));
                Value::Array(names.iter().filter(shown).cloned().collect())
            }
            ("properties", Value::Object(members)) => {
                let mut written = Map::new();
                for name in members.keys() {
                    let below = scope.named(name);
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
                for name in members.keys() {
                    let member = self.fresh(&pointer::join(&here, name), &below, depth)?;
                    written.insert(name.clone(), member);
                }
                Value::Object(written)
            }
            ("dependentSchemas", Value::Object(members)) => {
                let mut written = Map::new();
                for name in members.keys() {
                    if !scope.named(name).is_empty() {
                        let member =
                            self.schema(&pointer::join(&here, name), scope, hidden, depth)?;
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
                let mut written = Vec::new();
                let named = (keyword != "allOf")
                    .then(|| self.source.discriminated(at))
                    .flatten();
                for index in 0..branches.len() {
                    let branch =
                        self.schema(&pointer::index(&here, index), scope, hidden, depth)?;
                    let values = named.as_ref().and_then(|(property, all)| {
                        let values = all.get(index).filter(|values| !values.is_empty())?;
                        Some(json!({"properties": {*property: {"enum": values}}}))
                    });
                    written.push(match values {
                        Some(values) => json!({"allOf": [branch, values]}),
                        None => branch,
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
            ("not" | "if" | "then" | "else", _) => self.schema(&here, scope, hidden, depth)?,
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
    ) -> Result<Value, Trouble> {
        let all: Result<Vec<Value>, Trouble> = (0..count)
            .map(|index| {
                let at = pointer::index(here, index);
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

/// One schema while it is being written.
#[derive(Clone, Copy)]
struct Place<'p, 'v> {
    at: &'p str,
    schema: &'p Map<String, Value>,
    scope: &'p Scope<'v>,
    hidden: &'p BTreeSet<String>,
    depth: usize,
}

/// Adds a schema to those that must hold as well.
fn both(out: &mut Map<String, Value>, schema: Value) {
    if schema == Value::Bool(true) || schema.as_object().is_some_and(Map::is_empty) {
        return;
    }
    match out.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(schema),
        _ => {
            out.insert("allOf".to_owned(), Value::Array(vec![schema]));
        }
    }
}

/// Keywords that are held against values, or that only name, hold or explain schemas.
const HELD: [&str; 46] = [
    "discriminator",
    "discriminator mapping",
    "$ref",
    "$dynamicRef",
    "$defs",
    "definitions",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "nullable",
    "type",
    "enum",
    "const",
    "pattern",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
    "dependentRequired",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "format",
    "required",
    "properties",
    "patternProperties",
    "dependentSchemas",
    "items",
    "additionalItems",
    "prefixItems",
    "contains",
    "unevaluatedItems",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
];

/// Whether values are held to a keyword.
pub(in super::super) fn is_held(keyword: &str) -> bool {
    HELD.contains(&keyword) || ["if", "then", "else"].contains(&keyword)
}
