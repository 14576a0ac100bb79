//! Parameters, bodies and responses of 2.0 as those of 3.0.

use serde_json::{Map, Value, json};

use super::{Folding, Item, Old};
use crate::document::pointer::join;

/// Members of a parameter or header of 2.0 that are a schema in 3.0.
const SCHEMA: [&str; 18] = [
    "type",
    "format",
    "items",
    "default",
    "enum",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "x-nullable",
    "title",
];

impl<'a> Folding<'a> {
    pub(super) fn parameter(&mut self, (one, old): Old<'a>, new: &str) -> Value {
        let Value::Object(members) = one else {
            return one.clone();
        };
        self.moves.add(new, &old);
        if members.contains_key("$ref") {
            return one.clone();
        }
        self.moves.add(&join(new, "schema"), &old);
        let (mut all, mut schema) = (Map::new(), Map::new());
        let place = members
            .get("in")
            .and_then(Value::as_str)
            .unwrap_or("header");
        for (key, value) in members {
            match key.as_str() {
                "collectionFormat" => {}
                "schema" => schema.extend(value.as_object().cloned().unwrap_or_default()),
                key if SCHEMA.contains(&key) => {
                    schema.insert(key.to_owned(), value.clone());
                }
                key => {
                    all.insert(key.to_owned(), value.clone());
                }
            }
        }
        let array = schema.get("type") == Some(&json!("array"));
        let format = members
            .get("collectionFormat")
            .and_then(Value::as_str)
            .unwrap_or("csv");
        let query = matches!(place, "query" | "cookie");
        if array {
            let (style, explode) = match format {
                "multi" => ("form", true),
                "ssv" => ("spaceDelimited", false),
                "pipes" => ("pipeDelimited", false),
                "tsv" => ("tabDelimited", false),
                _ if query => ("form", false),
                _ => ("simple", false),
            };
            all.insert("style".to_owned(), json!(style));
            all.insert("explode".to_owned(), json!(explode));
        }
        if !schema.is_empty() {
            all.insert("schema".to_owned(), Value::Object(schema));
        }
        Value::Object(all)
    }

    pub(super) fn body(&mut self, (one, old): Old<'a>, types: &[String], new: &str) -> Value {
        let mut all = Map::new();
        for key in ["description", "required"] {
            if let Some(value) = one.get(key) {
                all.insert(key.to_owned(), value.clone());
            }
        }
        let content = self.content(one.get("schema"), types, new, &old, &Map::new());
        all.insert("content".to_owned(), content);
        Value::Object(all)
    }

    pub(super) fn content(
        &mut self,
        schema: Option<&Value>,
        types: &[String],
        new: &str,
        old: &str,
        examples: &Map<String, Value>,
    ) -> Value {
        let mut content = Map::new();
        let content_at = join(new, "content");
        self.moves.add(&content_at, old);
        for name in types {
            let at = join(&content_at, name);
            let mut media = Map::new();
            if let Some(schema) = schema {
                self.moves.add(&join(&at, "schema"), &join(old, "schema"));
                media.insert("schema".to_owned(), schema.clone());
            }
            if let Some(example) = examples.get(name) {
                self.moves
                    .add(&join(&at, "example"), &join(&join(old, "examples"), name));
                media.insert("example".to_owned(), example.clone());
            }
            content.insert(name.clone(), Value::Object(media));
        }
        Value::Object(content)
    }

    /// The members of a form as one schema.
    pub(super) fn form(&mut self, members: &[Item<'a>], consumes: &[String], new: &str) -> Value {
        let (mut properties, mut required, mut file) = (Map::new(), Vec::new(), false);
        let known = ["multipart/form-data", "application/x-www-form-urlencoded"];
        let mut types: Vec<String> = consumes
            .iter()
            .filter(|name| known.contains(&name.as_str()))
            .cloned()
            .collect();
        let mut places = Vec::new();
        for Item {
            target: (one, old), ..
        } in members
        {
            let Some(name) = one.get("name").and_then(Value::as_str) else {
                continue;
            };
            file |= one.get("type") == Some(&json!("file"));
            if one.get("required") == Some(&json!(true)) {
                required.push(json!(name));
            }
            let schema = one.as_object().into_iter().flatten();
            let schema: Map<String, Value> = schema
                .filter(|(key, _)| SCHEMA.contains(&key.as_str()) || *key == "description")
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            places.push((name.to_owned(), old.clone()));
            properties.insert(name.to_owned(), Value::Object(schema));
        }
        if types.is_empty() {
            types.push(known[usize::from(!file)].to_owned());
        }
        let any = !required.is_empty();
        let mut schema = json!({"type": "object", "properties": properties});
        if any {
            schema["required"] = Value::Array(required);
        }
        let mut content = Map::new();
        for name in types {
            let at = join(&join(&join(new, "content"), &name), "schema");
            for (member, old) in &places {
                self.moves.add(&join(&join(&at, "properties"), member), old);
            }
            content.insert(name, json!({"schema": schema}));
        }
        let mut body = json!({"content": content});
        if any {
            body["required"] = json!(true);
        }
        body
    }

    pub(super) fn response(
        &mut self,
        (one, old): Old<'a>,
        produces: &[String],
        new: &str,
    ) -> Value {
        let Value::Object(members) = one else {
            return one.clone();
        };
        let old = &old;
        self.moves.add(new, old);
        let mut all = Map::new();
        let none = Map::new();
        let examples = members
            .get("examples")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        for (key, value) in members {
            match (key.as_str(), value) {
                ("schema", _) => {
                    let content = self.content(Some(value), produces, new, old, examples);
                    all.insert("content".to_owned(), content);
                }
                ("examples", _) if members.contains_key("schema") => {}
                ("examples", _) => {
                    let names: Vec<String> = examples.keys().cloned().collect();
                    all.insert(
                        "content".to_owned(),
                        self.content(None, &names, new, old, examples),
                    );
                }
                ("headers", Value::Object(headers)) => {
                    let mut written = Map::new();
                    for (name, header) in headers {
                        let place = join(&join(new, "headers"), name);
                        let from = join(&join(old, "headers"), name);
                        written.insert(name.clone(), self.parameter((header, from), &place));
                    }
                    all.insert(key.clone(), Value::Object(written));
                }
                _ => {
                    all.insert(key.clone(), value.clone());
                }
            }
        }
        Value::Object(all)
    }
}
