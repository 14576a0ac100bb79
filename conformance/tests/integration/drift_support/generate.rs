//! Documents and values at random.

use serde_json::{Map, Value, json};

use super::random::Random;

/// Names of properties; few, so that schemas meet in them.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Names of components.
const COMPONENTS: [&str; 4] = ["Apple", "Berry", "Cherry", "Date"];

/// Texts that patterns, lengths and enums tell apart.
const TEXTS: [&str; 7] = [
    "",
    "a",
    "ab",
    "abc1",
    "x-9",
    "2026-01-31",
    "longer than all limits",
];

const PATTERNS: [&str; 4] = ["^[a-z]*$", "^a", "[0-9]$", "^x-[0-9]+$"];

impl Random {
    fn of<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// A document with requests, answers, a webhook and a callback, over components that may contain each other.
pub(crate) fn api(random: &mut Random) -> Value {
    let content = |schema: Value| json!({"application/json": {"schema": schema}});
    let operation = |random: &mut Random| {
        json!({
            "requestBody": {"content": content(schema(random, 3))},
            "responses": {"200": {"description": "d", "content": content(schema(random, 3))}},
        })
    };
    let mut sent = operation(random);
    sent["callbacks"] = json!({"done": {"{$request.body#/url}": {"post": operation(random)}}});
    sent["parameters"] = json!([{"in": "query", "name": "q", "schema": scalar(random)}]);
    let components: Map<String, Value> = COMPONENTS
        .iter()
        .map(|name| ((*name).to_owned(), object(random, 2)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": sent, "put": operation(random)}},
        "webhooks": {"w": {"post": operation(random)}},
        "components": {"schemas": components},
    })
}

/// A schema of at most `depth` levels, references apart.
pub(crate) fn schema(random: &mut Random, depth: usize) -> Value {
    if depth == 0 {
        return scalar(random);
    }
    match random.below(12) {
        0..=4 => object(random, depth),
        5 => json!({"$ref": format!("#/components/schemas/{}", random.of(&COMPONENTS))}),
        6 | 7 => list(random, depth),
        8 => combination(random, depth),
        _ => scalar(random),
    }
}

fn scalar(random: &mut Random) -> Value {
    let mut schema = match random.below(7) {
        0 | 1 => {
            let mut text = json!({"type": "string"});
            match random.below(5) {
                0 => text["maxLength"] = random.below(6).into(),
                1 => text["minLength"] = random.below(4).into(),
                2 => text["pattern"] = json!(random.of(&PATTERNS)),
                3 => text["format"] = json!("date"),
                _ => {}
            }
            text
        }
        2 | 3 => {
            let mut number = json!({"type": random.of(&["integer", "number"])});
            let bound = random.of(&["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"]);
            number[*bound] = random.below(9).into();
            if random.chance(4) {
                number["multipleOf"] = json!(random.of(&[2.0, 3.0, 0.5]));
            }
            number
        }
        4 => json!({"type": "boolean"}),
        5 => {
            let count = 1 + random.below(3);
            let first = random.below(3);
            json!({"type": "string", "enum": &TEXTS[first..first + count]})
        }
        _ => json!({"const": random.of(&TEXTS)}),
    };
    if random.chance(5)
        && let Some(Value::String(kind)) = schema.get("type").cloned()
        && schema.get("enum").is_none()
    {
        schema["type"] = json!([kind, "null"]);
    }
    schema
}

fn object(random: &mut Random, depth: usize) -> Value {
    let mut properties = Map::new();
    for _ in 0..1 + random.below(3) {
        let name = random.of(&NAMES);
        properties.insert((*name).to_owned(), schema(random, depth - 1));
    }
    let some = |random: &mut Random, properties: &Map<String, Value>| {
        let names = properties.keys().filter(|_| random.chance(2));
        names.cloned().collect::<Vec<_>>()
    };
    let required = some(random, &properties);
    let mut object = json!({"type": "object"});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    match random.below(8) {
        0 => object["additionalProperties"] = json!(false),
        1 => object["additionalProperties"] = scalar(random),
        2 => object["maxProperties"] = (1 + random.below(3)).into(),
        3 => object["minProperties"] = random.below(3).into(),
        4 => object["dependentRequired"] = json!({"a": ["b"]}),
        _ => {}
    }
    object["properties"] = Value::Object(properties);
    object
}

fn list(random: &mut Random, depth: usize) -> Value {
    let mut list = json!({"type": "array", "items": schema(random, depth - 1)});
    match random.below(6) {
        0 => list["maxItems"] = random.below(4).into(),
        1 => list["minItems"] = random.below(3).into(),
        2 => list["uniqueItems"] = json!(true),
        3 => list["prefixItems"] = json!([scalar(random)]),
        4 => list["contains"] = scalar(random),
        _ => {}
    }
    list
}

fn combination(random: &mut Random, depth: usize) -> Value {
    let mut branches = vec![schema(random, depth - 1), schema(random, depth - 1)];
    match random.below(6) {
        0 => {
            branches.push(object(random, depth));
            branches.push(object(random, depth));
            json!({"allOf": branches.split_off(2)})
        }
        1 => json!({"not": scalar(random)}),
        2 => json!({"oneOf": branches}),
        3 => json!({"if": branches[0], "then": branches[1]}),
        _ => json!({"anyOf": branches}),
    }
}

/// Changes one schema of a document: a number, a keyword, or all of it.
pub(crate) fn change(random: &mut Random, document: &mut Value, pointers: &[String]) {
    let pointer = random.of(pointers);
    let new = schema(random, 1);
    let Some(node) = document.pointer_mut(pointer) else {
        return;
    };
    match node {
        Value::Number(number) if !pointer.ends_with("/multipleOf") => {
            *node = (number.as_u64().unwrap_or(4) + 1).into();
        }
        Value::Bool(flag) => *flag = !*flag,
        Value::Array(items) if items.len() > 1 => {
            items.pop();
        }
        Value::Object(members) => {
            let names = ["properties", "dependentRequired", "schemas"];
            let named = names
                .iter()
                .any(|name| pointer.ends_with(&format!("/{name}")));
            let keyword = random.of(&["maxLength", "required", "maximum", "enum", "items"]);
            if named || members.contains_key("$ref") {
                members.shift_remove("a");
            } else if random.chance(3) {
                *node = new;
            } else if members.shift_remove(*keyword).is_none() {
                members.insert("maxLength".to_owned(), 3.into());
            }
        }
        _ => {}
    }
}

/// A value of a schema, or one that is close to it; only members that the schema names.
pub(crate) fn value(random: &mut Random, document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = match schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
    {
        Some(pointer) => document.pointer(pointer).unwrap_or(schema),
        None => schema,
    };
    if depth == 0 || random.chance(20) {
        return any(random);
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(branches) = schema[keyword].as_array() {
            let branch = random_of(random, branches);
            return value(random, document, branch, depth - 1);
        }
    }
    if let Some(branches) = schema["allOf"].as_array() {
        let mut all = Map::new();
        for branch in branches {
            if let Value::Object(members) = value(random, document, branch, depth - 1) {
                all.extend(members);
            }
        }
        return Value::Object(all);
    }
    if let Some(values) = schema["enum"].as_array() {
        return random_of(random, values).clone();
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    let kind = match &schema["type"] {
        Value::String(kind) => kind.as_str(),
        Value::Array(kinds) => random_of(random, kinds).as_str().unwrap_or_default(),
        _ => return any(random),
    };
    match kind {
        "object" => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let mut members = Map::new();
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if required.contains(&json!(name)) || random.chance(2) {
                    members.insert(name.clone(), value(random, document, property, depth - 1));
                }
            }
            Value::Object(members)
        }
        "array" => {
            let first = schema["prefixItems"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            (0..random.below(4))
                .map(|index| {
                    let item = first.get(index).unwrap_or(&schema["items"]);
                    value(random, document, item, depth - 1)
                })
                .collect()
        }
        "string" => json!(random.of(&TEXTS)),
        "integer" => random.below(12).into(),
        "number" => json!(f64::from(u32::try_from(random.below(24)).unwrap_or_default()) / 2.0),
        "boolean" => json!(random.chance(2)),
        _ => Value::Null,
    }
}

fn random_of<'l>(random: &mut Random, list: &'l [Value]) -> &'l Value {
    static NOTHING: Value = Value::Null;
    if list.is_empty() {
        return &NOTHING;
    }
    random.of(list)
}

fn any(random: &mut Random) -> Value {
    let all = [
        json!(null),
        json!(true),
        json!(0),
        json!(2.5),
        json!("ab"),
        json!([]),
        json!({}),
    ];
    random.of(&all).clone()
}
