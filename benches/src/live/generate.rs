//! Documents of a number of operations, as they are in practice: resources that can be created, listed, read, changed and deleted.

use serde_json::{Map, Value, json};

/// A document with five operations for each of `resources` resources.
pub(crate) fn document(resources: usize) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let problem = json!({"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "detail": {"type": "string"}}});
    schemas.insert("Problem".to_owned(), problem);
    for number in 0..resources {
        let fields = json!({
            "name": {"type": "string", "minLength": 1, "maxLength": 80},
            "state": {"type": "string", "enum": ["open", "closed", "lost"]},
            "count": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 1000},
            "price": {"type": "number", "exclusiveMinimum": 0},
            "due": {"type": "string", "format": "date"},
            "email": {"type": "string", "format": "email"},
            "tags": {"type": "array", "maxItems": 20, "items": {"type": "string", "pattern": "^[a-z-]+$", "maxLength": 30}},
            "address": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}, "zip": {"type": "string", "pattern": "^[0-9]{5}$", "example": "10115"}}},
        });
        let mut whole = fields.clone();
        whole["id"] = json!({"type": "string", "format": "uuid"});
        whole["createdAt"] = json!({"type": "string", "format": "date-time"});
        schemas.insert(format!("New{number}"), json!({"type": "object", "required": ["name", "state"], "properties": fields, "additionalProperties": false}));
        schemas.insert(
            format!("Thing{number}"),
            json!({"type": "object", "required": ["id", "name", "state"], "properties": whole}),
        );
        let new = json!({"required": true, "content": json(&reference(&format!("New{number}")))});
        let thing = reference(&format!("Thing{number}"));
        let answers = |status: &str, content: Option<&Value>| {
            let mut success = json!({"description": "The answer."});
            if let Some(schema) = content {
                success["content"] = json(schema);
            }
            let problem = json!({"description": "A problem.", "content": {"application/problem+json": {"schema": reference("Problem")}}});
            json!({status: success, "4XX": problem})
        };
        let list = json!({"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": thing}, "next": {"type": ["string", "null"]}}});
        let query =
            |name: &str, schema: Value| json!({"in": "query", "name": name, "schema": schema});
        let parameters = json!([
            query(
                "limit",
                json!({"type": "integer", "minimum": 1, "maximum": 100})
            ),
            query("cursor", json!({"type": "string"})),
            query(
                "state",
                json!({"type": "string", "enum": ["open", "closed", "lost"]})
            ),
        ]);
        let id = json!([{"in": "path", "name": "id", "required": true, "schema": {"type": "string", "format": "uuid"}}]);
        paths.insert(
            format!("/things{number}"),
            json!({
                "get": {"operationId": format!("list{number}"), "parameters": parameters, "responses": answers("200", Some(&list))},
                "post": {"operationId": format!("create{number}"), "requestBody": new, "responses": answers("201", Some(&thing))},
            }),
        );
        paths.insert(
            format!("/things{number}/{{id}}"),
            json!({
                "parameters": id,
                "get": {"operationId": format!("read{number}"), "responses": answers("200", Some(&thing))},
                "put": {"operationId": format!("replace{number}"), "requestBody": new, "responses": answers("200", Some(&thing))},
                "delete": {"operationId": format!("delete{number}"), "responses": answers("204", None)},
            }),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "security": [{"key": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn json(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}
