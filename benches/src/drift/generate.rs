//! Large documents as they are in practice: shared components, schemas that contain themselves and each other, towers of `allOf`,
//! unions with discriminators, the same answers everywhere.

use serde_json::{Map, Value, json};

/// A document of about `bytes`, and the same with so many edits, all of them breaking, spread over its components.
pub(crate) fn pair(bytes: usize, edits: usize) -> (Value, Value) {
    // About 2.1 kB for each resource.
    let resources = (bytes / 2_100).max(2);
    let theirs = document(resources);
    let mut ours = theirs.clone();
    for edit in 0..edits {
        let resource = edit * resources / edits.max(1);
        let kind = edit % 4;
        let (place, value) = match kind {
            0 => ("/properties/name/maxLength", json!(79)),
            1 => ("/properties/state/enum", json!(["open", "closed"])),
            2 => ("/properties/count/minimum", json!(1)),
            _ => ("/properties/tags/items/type", json!("integer")),
        };
        let at = format!("/components/schemas/Resource{resource}{place}");
        if let Some(node) = ours.pointer_mut(&at) {
            *node = value;
        }
    }
    (theirs, ours)
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
