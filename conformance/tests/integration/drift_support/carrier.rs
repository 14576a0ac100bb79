//! Documents around one schema, as the body of a request or of a response.

use conformance::drift::{Options, compare};
use conformance::finding::Finding;
use serde_json::{Value, json};

use super::document;

/// A document whose only schema is of what a client sends, or else of what it is answered.
pub(crate) fn api(sent: bool, schema: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    let mut operation = json!({"responses": {"200": {"description": "d"}}});
    match sent {
        true => operation["requestBody"] = json!({"content": content}),
        false => operation["responses"]["200"]["content"] = content,
    }
    json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}}})
}

/// The findings between two such documents.
pub(crate) fn found(sent: bool, old: &Value, new: &Value) -> Vec<Finding> {
    let [old, new] = [old, new].map(|schema| document("d", &api(sent, schema)));
    compare(&old, &new, &Options::default())
}
