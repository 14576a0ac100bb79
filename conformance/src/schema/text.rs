//! Values from text: what a header or a serialised parameter means under its schema.

use serde_json::{Map, Value};

use super::{Fault, Schemas};
use crate::case::serialize::kind;
use crate::finding::{Sender, Undecided};

impl Schemas<'_> {
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
        Ok(first.unwrap_or_else(|| vec![Fault::of_type(schema, text, types)]))
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
                Ok((Value::from(line), vec![Fault::of_type(schema, line, types)]))
            }
        }
    }

    /// The types that the schemas name; empty when they name none.
    fn types(&self, schemas: &[String]) -> Vec<String> {
        let mut types = Vec::new();
        let mut add = |name: &str| {
            if !types.iter().any(|known| known == name) {
                types.push(name.to_owned());
            }
        };
        let subschemas = self.subschemas();
        for at in subschemas.in_place(schemas) {
            let Some(schema) = subschemas.object(&at) else {
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
            let all = self.subschemas().in_place(schemas);
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
        let all = self.subschemas().in_place(schemas);
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

fn number(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    // JSON text may be surrounded by white space; a header value may not.
    (value.is_number() && !text.contains(char::is_whitespace)).then_some(value)
}
