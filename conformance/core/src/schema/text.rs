//! Values from text: what a header or a serialised parameter means under its schema.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Fault, Schemas};
use crate::case::serialize::kind;
use crate::finding::{Sender, Undecided};

/// How many values one text is read as at most.
const READINGS: usize = 64;

/// A value as it stands in a URL, a header or a form, before its schema says what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// One text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// Names with texts.
    Pairs(Vec<(String, String)>),
    /// A text that should be JSON.
    Json(String),
}

impl Schemas<'_> {
    /// The values that servers may read, as a schema has it: `1` is a number where it names that type. Lenient readings count too:
    /// `+1` and `1.0` are numbers, and JSON is read where lists and objects are expected. None where there is no such value, and
    /// nothing at all where there are too many to say.
    #[must_use]
    pub fn readings(&self, schemas: &[String], raw: &Raw) -> Option<Vec<Value>> {
        let types = self.types(schemas);
        let takes = |name: &str| types.is_empty() || types.iter().any(|known| known == name);
        let all = self.in_place(schemas);
        match raw {
            Raw::Text(text) => Some(self.scalars(schemas, text)),
            Raw::Json(text) => Some(serde_json::from_str(text).ok().into_iter().collect()),
            Raw::List(texts) if takes("array") => {
                let mut lists = vec![Vec::new()];
                for (index, text) in texts.iter().enumerate() {
                    let items = self.scalars(&self.subschemas().item(&all, index), text);
                    lists = product(lists, &items)?;
                }
                Some(lists.into_iter().map(Value::Array).collect())
            }
            Raw::Pairs(pairs) if takes("object") => {
                let mut members = vec![Map::new()];
                for (name, text) in pairs {
                    let below = self.subschemas().member(&all, name).schemas();
                    let values = self.scalars(&below, text);
                    members = with_member(&members, name, &values)?;
                }
                Some(members.into_iter().map(Value::Object).collect())
            }
            Raw::List(_) | Raw::Pairs(_) => Some(Vec::new()),
        }
    }

    /// The values of one text.
    fn scalars(&self, schemas: &[String], text: &str) -> Vec<Value> {
        let types = self.types(schemas);
        let has = |name: &str| types.iter().any(|known| known == name);
        let mut found = Vec::new();
        if has("integer") || has("number") {
            found.extend(number(text));
            let lenient = text.trim().parse::<f64>().ok();
            found.extend(lenient.and_then(|number| {
                match number.fract() == 0.0 && number.abs() < 9e15 {
                    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
                    true => Some(Value::from(number as i64)),
                    false => serde_json::Number::from_f64(number).map(Value::Number),
                }
            }));
        }
        if has("boolean") {
            match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" | "t" | "y" => found.push(Value::Bool(true)),
                "false" | "0" | "no" | "off" | "f" | "n" => found.push(Value::Bool(false)),
                _ => {}
            }
        }
        if has("null") && matches!(text, "" | "null") {
            found.push(Value::Null);
        }
        if has("array") || has("object") {
            let json: Option<Value> = serde_json::from_str(text).ok();
            found.extend(json.filter(|json| json.is_array() || json.is_object()));
        }
        if has("string") || types.is_empty() {
            found.push(Value::from(text));
        }
        found.dedup();
        found
    }

    /// The faults of a text that stands for a value of the schema, as headers and parameters do (`1` is an integer where the
    /// schema says so). An array is separated by commas; an object is `name,value,...`, or `name=value,...` when exploded.
    ///
    /// # Errors
    /// Says why when the schema cannot be used.
    pub fn text_faults(
        &self,
        schema: &str,
        text: &str,
        explode: bool,
        sender: Option<Sender>,
    ) -> Result<Vec<Fault>, Undecided> {
        let types = self.types(&[schema.to_owned()]);
        let candidates = self.candidates(&[schema.to_owned()], text, explode);
        let mut first = None;
        for candidate in candidates {
            let faults = self.faults(schema, &candidate, sender)?;
            if faults.is_empty() {
                return Ok(faults);
            }
            first.get_or_insert(faults);
        }
        if first.is_none() {
            // The schema must be usable for this verdict to count.
            self.compiled(schema, sender)?;
        }
        Ok(first.unwrap_or_else(|| vec![Fault::of_type(schema, text, types.to_vec())]))
    }

    /// The value that a body of text stands for, and its faults. Numbers, booleans and null are read where the schema names their
    /// types, arrays and objects where the text is JSON; one line break at the end counts only where the schema asks for it.
    ///
    /// # Errors
    /// Says why when the schema cannot be used.
    pub fn body_text(
        &self,
        schema: &str,
        text: &str,
        sender: Option<Sender>,
    ) -> Result<(Value, Vec<Fault>), Undecided> {
        let types = self.types(&[schema.to_owned()]);
        let structured = types.iter().any(|name| name == "array" || name == "object");
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut first = None;
        for text in [text, line] {
            let json = serde_json::from_str(text).ok().filter(|_| structured);
            let candidates = self.candidates(&[schema.to_owned()], text, false);
            let scalars = candidates
                .into_iter()
                .filter(|one| !one.is_array() && !one.is_object());
            for candidate in json.into_iter().chain(scalars) {
                let faults = self.faults(schema, &candidate, sender)?;
                if faults.is_empty() {
                    return Ok((candidate, faults));
                }
                first.get_or_insert((candidate, faults));
            }
        }
        match first {
            Some(first) => Ok(first),
            None => {
                // The schema must be usable for this verdict to count.
                self.compiled(schema, sender)?;
                Ok((
                    Value::from(line),
                    vec![Fault::of_type(schema, line, types.to_vec())],
                ))
            }
        }
    }

    /// The types that the schemas name; empty when they name none.
    fn types(&self, schemas: &[String]) -> Rc<Vec<String>> {
        let [schema] = schemas else {
            return Rc::new(self.types_of(schemas));
        };
        if let Some(known) = self.types.borrow().get(schema) {
            return Rc::clone(known);
        }
        let types = Rc::new(self.types_of(schemas));
        let mut known = self.types.borrow_mut();
        known.insert(schema.clone(), Rc::clone(&types));
        types
    }

    fn types_of(&self, schemas: &[String]) -> Vec<String> {
        let mut types = Vec::new();
        let mut add = |name: &str| {
            if !types.iter().any(|known| known == name) {
                types.push(name.to_owned());
            }
        };
        let subschemas = self.subschemas();
        for at in self.in_place(schemas).iter() {
            let Some(schema) = subschemas.object(at) else {
                continue;
            };
            match schema.get("type") {
                Some(Value::String(name)) => add(name),
                Some(Value::Array(names)) => {
                    names.iter().filter_map(Value::as_str).for_each(&mut add);
                }
                _ => {
                    let constant = schema.get("const").into_iter();
                    let values = schema
                        .get("enum")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten();
                    constant.chain(values).for_each(|value| add(kind(value)));
                }
            }
        }
        types
    }

    /// The values that a text may stand for, the most specific first.
    fn candidates(&self, schemas: &[String], text: &str, explode: bool) -> Vec<Value> {
        let types = self.types(schemas);
        let has = |name: &str| types.iter().any(|known| known == name);
        let mut found = Vec::new();
        if has("integer") || has("number") {
            found.extend(number(text));
        }
        if has("boolean") {
            found.extend(text.parse::<bool>().ok().map(Value::Bool));
        }
        if has("null") && matches!(text, "" | "null") {
            found.push(Value::Null);
        }
        if has("array") {
            let parts = if text.is_empty() {
                Vec::new()
            } else {
                text.split(',').map(str::trim).collect()
            };
            let all = self.in_place(schemas);
            let item = |(index, part): (usize, &str)| {
                self.best(&self.subschemas().item(&all, index), part)
            };
            found.push(Value::Array(
                parts.into_iter().enumerate().map(item).collect(),
            ));
        }
        if has("object") {
            found.extend(self.object(schemas, text, explode));
        }
        if has("string") || types.is_empty() {
            found.push(Value::from(text));
        }
        found
    }

    fn object(&self, schemas: &[String], text: &str, explode: bool) -> Option<Value> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let pairs: Option<Vec<(&str, &str)>> = if explode {
            parts.iter().map(|part| part.split_once('=')).collect()
        } else {
            parts
                .len()
                .is_multiple_of(2)
                .then(|| parts.chunks(2).map(|pair| (pair[0], pair[1])).collect())
        };
        let all = self.in_place(schemas);
        let mut members = Map::new();
        for (name, text) in pairs? {
            let below = self.subschemas().member(&all, name).schemas();
            members.insert(name.to_owned(), self.best(&below, text));
        }
        Some(Value::Object(members))
    }

    /// The first meaning that the schemas admit by type; arrays and objects do not nest in text.
    fn best(&self, schemas: &[String], text: &str) -> Value {
        let types = self.types(schemas);
        let has = |name: &str| types.iter().any(|known| known == name);
        let number = if has("integer") || has("number") {
            number(text)
        } else {
            None
        };
        let boolean = || {
            if has("boolean") {
                text.parse::<bool>().ok().map(Value::Bool)
            } else {
                None
            }
        };
        number.or_else(boolean).unwrap_or_else(|| Value::from(text))
    }
}

/// Each list with each of the items at its end.
fn product(lists: Vec<Vec<Value>>, items: &[Value]) -> Option<Vec<Vec<Value>>> {
    if lists.len() * items.len() > READINGS {
        return None;
    }
    let longer = lists.iter().flat_map(|list| {
        items
            .iter()
            .map(|item| list.iter().chain([item]).cloned().collect())
    });
    Some(longer.collect())
}

/// Each object with each of the values as a member.
pub(crate) fn with_member(
    objects: &[Map<String, Value>],
    name: &str,
    values: &[Value],
) -> Option<Vec<Map<String, Value>>> {
    if objects.len() * values.len() > READINGS {
        return None;
    }
    let more = objects.iter().flat_map(|object| {
        values.iter().map(|value| {
            let mut more = object.clone();
            more.insert(name.to_owned(), value.clone());
            more
        })
    });
    Some(more.collect())
}

fn number(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    // JSON text may be surrounded by white space; a header value may not.
    (value.is_number() && !text.contains(char::is_whitespace)).then_some(value)
}
