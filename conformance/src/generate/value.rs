//! Bodies with one change: values that the schema still accepts, and values that it rejects.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Source, derived};
use crate::case::serialize::{is_json, kind};
use crate::case::{Body, Case, Intent};
use crate::document::pointer;
use crate::finding::Sender;
use crate::samples::media_types;

/// The longest text that is generated, in characters.
const LONGEST: u64 = 10_000;

/// How deep bodies are changed.
const DEPTH: usize = 5;

/// The name of a member that no document has.
const UNKNOWN: &str = "conformanceUnknown";

/// A change of a value: its name, and the value as a whole.
type Change = (String, Value);

impl Source<'_> {
    /// The cases with another JSON body.
    pub(super) fn bodies(&self, base: &Case) -> Vec<Case> {
        let Some((schema, body, value)) = self.json_body(base) else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        self.changes(&value, std::slice::from_ref(&schema), &[], &mut changes);
        let mut seen = HashSet::from([value.to_string()]);
        let mut cases = Vec::new();
        for (name, changed) in changes {
            if !seen.insert(changed.to_string()) {
                continue;
            }
            let Ok(faults) = self.schemas.faults(&schema, &changed, Some(Sender::Client)) else {
                return cases;
            };
            let intent = match faults.is_empty() {
                true => Intent::Valid,
                false => Intent::Refused(&[]),
            };
            cases.push(Case {
                body: Some(Body {
                    bytes: changed.to_string().into_bytes(),
                    value: Some(changed),
                    content_type: body.content_type.clone(),
                }),
                ..derived(base, &format!("body {name}"), intent)
            });
        }
        cases
    }

    /// The schema of the body, the body, and its value, where it is JSON.
    pub(super) fn json_body<'c>(&self, base: &'c Case) -> Option<(String, &'c Body, Value)> {
        let body = base.body.as_ref()?;
        let content_type = body.content_type.as_deref().filter(|name| is_json(name))?;
        let value = body.value.clone()?;
        let owner = self.operation.request_body(self.document)?;
        let all = media_types(self.document, &owner);
        let essence = |name: &str| {
            name.split(';')
                .next()
                .map(|name| name.trim().to_lowercase())
        };
        let own = all
            .iter()
            .find(|(name, _)| essence(name) == essence(content_type));
        let schema = pointer::join(&own.or(all.first())?.1.pointer, "schema");
        self.document.at(&schema)?;
        Some((schema, body, value))
    }

    /// The changes of what stands at `path` in `root`, which `schemas` describe.
    fn changes(
        &self,
        root: &Value,
        schemas: &[String],
        path: &[String],
        changes: &mut Vec<Change>,
    ) {
        let at: String = path
            .iter()
            .fold(String::new(), |at, token| pointer::join(&at, token));
        let Some(value) = root.pointer(&at) else {
            return;
        };
        let subschemas = self.schemas.subschemas();
        let all = subschemas.in_place(schemas);
        let place = match at.is_empty() {
            true => String::new(),
            false => format!(" at `{at}`"),
        };
        let mut replace = |name: String, new: Value| {
            changes.extend(with(root, &at, new).map(|whole| (format!("{name}{place}"), whole)));
        };
        for wrong in [
            json!(null),
            json!(true),
            json!(7),
            json!("text"),
            json!([]),
            json!({}),
        ] {
            if kind(&wrong) != kind(value) {
                replace(
                    format!(
                        "with {} for {}",
                        article(kind(&wrong)),
                        article(kind(value))
                    ),
                    wrong,
                );
            }
        }
        let said = all.iter().filter_map(|at| subschemas.object(at));
        for schema in said {
            for (name, new) in scalars(schema, value) {
                replace(name, new);
            }
        }
        if path.len() >= DEPTH {
            return;
        }
        match value {
            Value::Object(members) => {
                let mut more = members.clone();
                more.insert(UNKNOWN.to_owned(), json!("x"));
                replace("with an unknown member".to_owned(), Value::Object(more));
                for name in members.keys() {
                    let mut fewer = members.clone();
                    fewer.shift_remove(name);
                    replace(format!("without `{name}`"), Value::Object(fewer));
                }
                let declared = all
                    .iter()
                    .filter_map(|at| subschemas.object(at)?.get("properties"));
                let names: Vec<&String> = declared
                    .filter_map(Value::as_object)
                    .flat_map(Map::keys)
                    .filter(|name| !members.contains_key(*name))
                    .collect();
                let mut added = Vec::new();
                for name in names {
                    let below = subschemas.member(&all, name).schemas();
                    let Some(new) = below.first().and_then(|schema| self.example(schema)) else {
                        continue;
                    };
                    let mut more = members.clone();
                    more.insert(name.clone(), new);
                    added.extend(
                        with(root, &at, Value::Object(more)).map(|whole| (name, below, whole)),
                    );
                }
                for (name, below, whole) in added {
                    changes.push((format!("with `{name}`{place}"), whole.clone()));
                    let path: Vec<String> = [path, std::slice::from_ref(name)].concat();
                    self.changes(&whole, &below, &path, changes);
                }
                for name in members.keys() {
                    let below = subschemas.member(&all, name).schemas();
                    let path: Vec<String> = [path, std::slice::from_ref(name)].concat();
                    self.changes(root, &below, &path, changes);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                let mut twice = items.clone();
                twice.push(items[0].clone());
                replace("with an item twice".to_owned(), Value::Array(twice));
                let below = subschemas.item(&all, 0);
                let path: Vec<String> = [path, &["0".to_owned()]].concat();
                self.changes(root, &below, &path, changes);
            }
            _ => {}
        }
    }
}

/// `root` with another value at a pointer.
fn with(root: &Value, at: &str, new: Value) -> Option<Value> {
    let mut whole = root.clone();
    *whole.pointer_mut(at)? = new;
    Some(whole)
}

fn article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        kind if kind.starts_with(['a', 'o']) => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}

/// Other values near the bounds that a schema has for a value of this kind, and beyond them.
pub(super) fn scalars(schema: &Map<String, Value>, value: &Value) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    let count = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    for (keyword, values) in schema {
        match (keyword.as_str(), values) {
            ("enum", Value::Array(values)) => {
                found.extend(
                    values
                        .iter()
                        .map(|one| (format!("with {one}"), one.clone())),
                );
                let other = match value {
                    Value::Number(_) => json!(-987_654_321),
                    _ => json!("conformance-none-of-these"),
                };
                found.push(("outside its `enum`".to_owned(), other));
            }
            ("const", _) => found.push((
                "outside its `const`".to_owned(),
                json!("conformance-another"),
            )),
            (
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum",
                Value::Number(bound),
            ) => {
                let Some(bound) = bound.as_f64() else {
                    continue;
                };
                for (name, number) in [
                    ("below", bound - 1.0),
                    ("at", bound),
                    ("above", bound + 1.0),
                ] {
                    found.push((format!("{name} its `{keyword}`"), number_of(number)));
                }
            }
            ("format", Value::String(format)) if value.is_string() => {
                found.push((format!("that is not a `{format}`"), json!("~")));
            }
            ("format", Value::String(format)) if value.is_number() => {
                if let Some((least, most)) = crate::schema::number_format::range(format) {
                    found.push((format!("with the least `{format}`"), least.clone()));
                    found.push((format!("with the greatest `{format}`"), most.clone()));
                    let beyond = most.as_f64().map(|most| number_of(most * 2.0 + 2.0));
                    found.extend(beyond.map(|beyond| (format!("beyond `{format}`"), beyond)));
                }
            }
            ("pattern", _) if value.is_string() => {
                for (name, text) in [
                    ("of spaces", "  "),
                    ("of signs", "~!~"),
                    ("of letters", "zzzz"),
                ] {
                    found.push((
                        format!("that is a text {name}, against its `pattern`"),
                        json!(text),
                    ));
                }
            }
            _ => {}
        }
    }
    if let Value::String(text) = value {
        let of_length = |length: u64| {
            let unit = text.chars().next_back().unwrap_or('a');
            let length = usize::try_from(length).unwrap_or_default();
            let kept: String = text.chars().take(length).collect();
            let more = length - kept.chars().count();
            json!(format!("{kept}{}", unit.to_string().repeat(more)))
        };
        for (keyword, edge) in [
            ("minLength", count("minLength")),
            ("maxLength", count("maxLength")),
        ] {
            let Some(edge) = edge.filter(|edge| *edge <= LONGEST) else {
                continue;
            };
            for length in [edge.checked_sub(1), Some(edge), Some(edge + 1)]
                .into_iter()
                .flatten()
            {
                found.push((
                    format!("of {length} characters (`{keyword}` is {edge})"),
                    of_length(length),
                ));
            }
        }
        found.push(("that is the empty text".to_owned(), json!("")));
    }
    if let Value::Array(items) = value
        && !items.is_empty()
    {
        for (keyword, edge) in [
            ("minItems", count("minItems")),
            ("maxItems", count("maxItems")),
        ] {
            let Some(edge) = edge.filter(|edge| *edge <= 200) else {
                continue;
            };
            for length in [edge.checked_sub(1), Some(edge + 1)].into_iter().flatten() {
                let length = usize::try_from(length).unwrap_or_default();
                let list = items.iter().cycle().take(length).cloned();
                found.push((
                    format!("of {length} items (`{keyword}` is {edge})"),
                    Value::Array(list.collect()),
                ));
            }
        }
    }
    found
}

/// A number, as an integer where it is one.
fn number_of(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and in the range that floats hold exactly"
    )]
    match number.fract() == 0.0 && number.abs() < 9e15 {
        true => json!(number as i64),
        false => json!(number),
    }
}
