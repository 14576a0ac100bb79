//! Large documents: as they are in practice, with shared components, schemas that contain themselves and each other, towers of
//! `allOf` and the same answers everywhere; and with little but recursion, or little but `allOf`.

use serde_json::{Map, Value, json};

/// What a document consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Resources as they are in practice, each of which leads to all others.
    Mixed,
    /// Nodes that lead to each other in many ways, through lists, `oneOf` and `anyOf`.
    Recursion,
    /// Towers of `allOf` in which each level contains the two below it: written out they would be too large for any memory.
    AllOf,
}

impl Kind {
    /// Bytes of one component with the operations on it.
    fn bytes(self) -> usize {
        match self {
            Self::Mixed => 2_100,
            Self::Recursion => 1_000,
            Self::AllOf => 560,
        }
    }

    fn document(self, components: usize) -> Value {
        match self {
            Self::Mixed => document(components),
            Self::Recursion => recursion(components),
            Self::AllOf => towers(components),
        }
    }

    /// Where one edit is made, and what to.
    fn edit(self, number: usize, component: usize) -> (String, Value) {
        let (place, value) = match (self, number % 4) {
            (Self::Mixed, 0) => ("/properties/name/maxLength", json!(79)),
            (Self::Mixed, 1) => ("/properties/state/enum", json!(["open", "closed"])),
            (Self::Mixed, 2) => ("/properties/count/minimum", json!(1)),
            (Self::Mixed, _) => ("/properties/tags/items/type", json!("integer")),
            (Self::Recursion, _) => ("/properties/name/maxLength", json!(79)),
            (Self::AllOf, _) => ("/allOf/2/properties/name/maxLength", json!(79)),
        };
        // The lowest levels of a tower contain no other.
        let component = match self {
            Self::AllOf => component / HEIGHT * HEIGHT + 2,
            _ => component,
        };
        let at = format!("/components/schemas/Resource{component}{place}");
        (at, value)
    }
}

/// Levels of a tower.
pub(crate) const HEIGHT: usize = 40;

/// A document of about `bytes`, and the same with so many edits, all of them breaking, spread over its components.
pub(crate) fn pair(kind: Kind, bytes: usize, edits: usize) -> (Value, Value) {
    let components = (bytes / kind.bytes()).max(2 * HEIGHT);
    let old = kind.document(components);
    let mut new = old.clone();
    for edit in 0..edits {
        let (at, value) = kind.edit(edit, edit * components / edits.max(1));
        if let Some(node) = new.pointer_mut(&at) {
            *node = value;
        }
    }
    (old, new)
}

/// Components by name, with an operation that reads and one that writes each of them.
fn around(schemas: Map<String, Value>, used: impl Iterator<Item = usize>) -> Value {
    let mut paths = Map::new();
    for number in used {
        let content =
            json!({"application/json": {"schema": reference(&format!("Resource{number}"))}});
        let answers = json!({"200": {"description": "The answer.", "content": content}});
        let item = json!({
            "get": {"operationId": format!("get{number}"), "responses": answers},
            "put": {"operationId": format!("put{number}"), "requestBody": {"content": content}, "responses": answers},
        });
        paths.insert(format!("/resources{number}"), item);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Large", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn recursion(components: usize) -> Value {
    let mut schemas = Map::new();
    for number in 0..components {
        let to = |factor: usize, more: usize| {
            reference(&format!(
                "Resource{}",
                (number * factor + more) % components
            ))
        };
        let node = json!({
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 80},
                "left": to(3, 1),
                "right": {"oneOf": [to(5, 2), {"type": "null"}]},
                "below": {"type": "array", "items": {"anyOf": [to(7, 3), to(1, 1)]}},
                "named": {"type": "object", "additionalProperties": to(11, 5)},
            },
        });
        schemas.insert(format!("Resource{number}"), node);
    }
    around(schemas, (0..components).step_by(2))
}

fn towers(components: usize) -> Value {
    let mut schemas = Map::new();
    for number in 0..components {
        let own = json!({"type": "object", "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 80},
            format!("level{number}"): {"type": "integer", "format": "int32", "minimum": 0, "description": "How high the level is."},
        }});
        let level = number % HEIGHT;
        let schema = if level < 2 {
            own
        } else {
            let below = |by: usize| reference(&format!("Resource{}", number - by));
            json!({"allOf": [below(1), below(2), own]})
        };
        schemas.insert(format!("Resource{number}"), schema);
    }
    around(schemas, (0..components).step_by(2))
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn document(resources: usize) -> Value {
    let mut schemas = Map::new();
    let mut paths = Map::new();
    schemas.insert("Problem".to_owned(), json!({"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "errors": {"type": "array", "items": reference("Problem")}}}));
    schemas.insert("Base0".to_owned(), json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid", "readOnly": true}}}));
    for level in 1..12 {
        // A tower: each level adds a property to the one below.
        let name = format!("level{level}");
        schemas.insert(format!("Base{level}"), json!({"allOf": [reference(&format!("Base{}", level - 1)), {"type": "object", "properties": {name: {"type": "string", "maxLength": 20 + level}}}]}));
    }
    for number in 0..resources {
        let name = format!("Resource{number}");
        let next = format!("Resource{}", (number + 1) % resources);
        let other = format!("Resource{}", number * 7 % resources);
        schemas.insert(
            name.clone(),
            json!({
                "type": "object",
                "description": format!("The resource of number {number}, as a reader of the document would like it described in a sentence or two."),
                "required": ["name", "state"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 80},
                    "state": {"type": "string", "enum": ["open", "closed", "lost"]},
                    "count": {"type": "integer", "format": "int32", "minimum": 0},
                    "price": {"type": ["number", "null"], "exclusiveMinimum": 0},
                    "tags": {"type": "array", "maxItems": 20, "items": {"type": "string", "pattern": "^[a-z-]+$"}},
                    "parent": {"oneOf": [reference(&name), {"type": "null"}]},
                    "next": reference(&next),
                    "related": {"type": "array", "items": {"anyOf": [reference(&other), reference("Problem")]}},
                    "base": reference(&format!("Base{}", number % 12)),
                    "notes": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            }),
        );
        let content = |schema: Value| json!({"application/json": {"schema": schema}});
        let answers = |schema: Value| {
            json!({
                "200": {"description": "The answer.", "headers": {"X-Rate-Limit": {"schema": {"type": "integer"}}}, "content": content(schema)},
                "4XX": {"$ref": "#/components/responses/Problem"},
            })
        };
        let id = json!({"in": "path", "name": "id", "required": true, "schema": {"type": "string", "format": "uuid"}});
        paths.insert(
            format!("/resources{number}"),
            json!({
                "get": {"operationId": format!("list{number}"), "tags": ["Resources"], "parameters": [{"$ref": "#/components/parameters/Limit"}], "responses": answers(json!({"type": "array", "items": reference(&name)}))},
                "post": {"operationId": format!("create{number}"), "tags": ["Resources"], "requestBody": {"required": true, "content": content(reference(&name))}, "responses": answers(reference(&name))},
            }),
        );
        paths.insert(
            format!("/resources{number}/{{id}}"),
            json!({
                "parameters": [id],
                "get": {"operationId": format!("get{number}"), "responses": answers(reference(&name))},
                "delete": {"operationId": format!("delete{number}"), "responses": {"204": {"description": "Gone."}}},
            }),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Large", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": {"Limit": {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}},
            "responses": {"Problem": {"description": "A problem.", "content": {"application/problem+json": {"schema": reference("Problem")}}}},
        },
    })
}
