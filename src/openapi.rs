//! From annotated handlers to the emitted document: adds what utoipa's macros cannot say, and makes the result deterministic.
//!
//! utoipa emits operations, parameters, schemas and security. Added here, and only here: named samples in request, parameter and
//! response, keywords beside `properties` (`anyOf`), required response headers, and the `webhooks` object. Each provider's
//! `openapi.rs` calls this; the result is compared with the source document in `openapi/` by `conformance drift`.

pub(crate) mod v3_0;

use serde_json::{Map, Value, json};

/// An emitted document in the making.
pub(crate) struct Emission {
    document: Value,
}

/// A documented request and the answer to it. They bear the same name, so that they can be replayed as a pair.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The operation's id.
    pub(crate) operation: &'static str,
    /// The sample's name, unique within the operation.
    pub(crate) name: &'static str,
    /// Values of parameters.
    pub(crate) parameters: Vec<(&'static str, Value)>,
    /// The body of the request.
    pub(crate) request: Option<Value>,
    /// The status of the answer and its body.
    pub(crate) answer: Option<(u16, Value)>,
}

/// An answer that refuses a request, and how that request differs from a successful one.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The ids of the operations that refuse so; every operation with this status where it is empty.
    pub(crate) operations: &'static [&'static str],
    /// The sample's name, unique within the operation.
    pub(crate) name: &'static str,
    /// The status of the answer.
    pub(crate) status: u16,
    /// The body of the answer.
    pub(crate) answer: Value,
    /// The `x-replay` object: what to change in a successful request to be refused so.
    pub(crate) replay: Value,
}

/// What the server sends to a registered webhook when an event of one type happens.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    /// The event type.
    pub(crate) event_type: String,
    /// The operation's id.
    pub(crate) operation: String,
    /// A few words.
    pub(crate) summary: String,
    /// When it is sent.
    pub(crate) description: String,
    /// The header parameters.
    pub(crate) headers: Value,
    /// The schema of the body.
    pub(crate) schema: Value,
    /// A sample body.
    pub(crate) sample: Value,
    /// What the receiver may answer.
    pub(crate) responses: Value,
}

impl Emission {
    /// Starts from what utoipa emits.
    pub(crate) fn of(api: &utoipa::openapi::OpenApi) -> Self {
        let mut document = serde_json::to_value(api).expect("utoipa's document is JSON");
        drop_rust_types(&mut document);
        drop_decisions(&mut document);
        require_headers(&mut document);
        // Both providers publish an empty list at the root: each operation states its own requirement.
        insert(&mut document, "", "security", json!([]));
        Self { document }
    }

    /// Adds `keywords` to the component schema `name`, or to a place in it (`name/properties/member`), beside those it has.
    pub(crate) fn keywords(&mut self, name: &str, keywords: &Value) -> &mut Self {
        extend(
            object_at(&mut self.document, &format!("/components/schemas/{name}")),
            keywords,
        );
        self
    }

    /// Writes the component `name`, which utoipa gives as `allOf` a component and what it has besides, as one object with the members of
    /// both: generators lose which members may be null where they come from `allOf`.
    pub(crate) fn flatten(&mut self, name: &str) -> &mut Self {
        let schemas = object_at(&mut self.document, "/components/schemas");
        let mut flat = schemas[name].take();
        let parts = flat
            .as_object_mut()
            .and_then(|schema| schema.shift_remove("allOf"))
            .expect("what is flattened has an allOf");
        for part in parts.as_array().into_iter().flatten() {
            let component = part["$ref"].as_str().map(|reference| {
                let (_, name) = reference.rsplit_once('/').expect("a reference is a path");
                &schemas[name]
            });
            let part = component.unwrap_or(part);
            insert(&mut flat, "", "type", json!("object"));
            let mut required = flat["required"].as_array().cloned().unwrap_or_default();
            required.extend(part["required"].as_array().into_iter().flatten().cloned());
            insert(&mut flat, "", "required", required.into());
            extend(object_at(&mut flat, "/properties"), &part["properties"]);
        }
        schemas.insert(name.to_owned(), flat);
        self
    }

    /// Adds `keywords` to the schema of the parameter `name` of the named operations; of every operation that has it where the list is
    /// empty.
    pub(crate) fn parameter_keywords(
        &mut self,
        named: &[&str],
        name: &str,
        keywords: &Value,
    ) -> &mut Self {
        for operation in
            operations(&mut self.document).filter(|operation| belongs(operation, named))
        {
            let parameters = operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten();
            for parameter in parameters.filter(|parameter| parameter["name"] == name) {
                extend(object_at(parameter, "/schema"), keywords);
            }
        }
        self
    }

    /// Adds `keywords` to the schema of the response header `name`, in every operation that answers with it.
    pub(crate) fn header_keywords(&mut self, name: &str, keywords: &Value) -> &mut Self {
        for operation in operations(&mut self.document) {
            for header in headers(operation).filter(|(given, _)| given.as_str() == name) {
                extend(object_at(header.1, "/schema"), keywords);
            }
        }
        self
    }

    /// Adds a member to the document's root.
    pub(crate) fn root(&mut self, name: &str, value: Value) -> &mut Self {
        insert(&mut self.document, "", name, value);
        self
    }

    /// Adds a request and its answer as named samples.
    pub(crate) fn sample(&mut self, sample: Sample) -> &mut Self {
        let operation = self.operation(sample.operation);
        for (parameter, value) in sample.parameters {
            let parameters = operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut);
            let parameter = parameters
                .and_then(|all| all.iter_mut().find(|given| given["name"] == parameter))
                .expect("a sample names a parameter of its operation");
            insert(
                parameter,
                "/examples",
                sample.name,
                json!({ "value": value }),
            );
        }
        if let Some(request) = sample.request {
            insert(
                operation,
                "/requestBody/content/application~1json/examples",
                sample.name,
                json!({ "value": request }),
            );
        }
        if let Some((status, answer)) = sample.answer {
            let place = answer_samples(operation, status);
            insert(operation, &place, sample.name, json!({ "value": answer }));
        }
        self
    }

    /// Adds a refusal as a named sample of every operation that it belongs to.
    pub(crate) fn refusal(&mut self, refusal: &Refusal) -> &mut Self {
        let mut found = false;
        for operation in operations(&mut self.document) {
            if belongs(operation, refusal.operations)
                && operation
                    .pointer(&format!("/responses/{}", refusal.status))
                    .is_some()
            {
                let sample = json!({ "value": refusal.answer, "x-replay": refusal.replay });
                let place = answer_samples(operation, refusal.status);
                insert(operation, &place, refusal.name, sample);
                found = true;
            }
        }
        assert!(found, "no operation refuses like {}", refusal.name);
        self
    }

    /// Adds an entry to the `webhooks` object.
    pub(crate) fn notification(&mut self, notification: Notification) -> &mut Self {
        let operation = json!({
            "operationId": notification.operation,
            "tags": ["Event notifications"],
            "summary": notification.summary,
            "description": notification.description,
            "security": [],
            "parameters": notification.headers,
            "requestBody": {
                "description": "The event.",
                "required": true,
                "content": { "application/json": {
                    "schema": notification.schema,
                    "examples": { "sample": { "value": notification.sample } },
                } },
            },
            "responses": notification.responses,
        });
        insert(
            &mut self.document,
            "/webhooks",
            &notification.event_type,
            json!({ "post": operation }),
        );
        self
    }

    /// The document.
    pub(crate) fn finish(&self) -> Value {
        self.document.clone()
    }

    fn operation(&mut self, id: &str) -> &mut Value {
        operations(&mut self.document)
            .find(|operation| operation["operationId"] == id)
            .expect("a sample names an operation of its document")
    }
}

fn belongs(operation: &Value, named: &[&str]) -> bool {
    named.is_empty() || named.iter().any(|id| operation["operationId"] == *id)
}

/// Where the samples of an answer stand: below the one media type that it has.
fn answer_samples(operation: &Value, status: u16) -> String {
    let content = operation
        .pointer(&format!("/responses/{status}/content"))
        .and_then(Value::as_object);
    let media_type = content
        .and_then(|content| content.keys().next())
        .expect("an answer with a sample has a media type")
        .replace('/', "~1");
    format!("/responses/{status}/content/{media_type}/examples")
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut);
    let items = paths
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut);
    items.filter(|operation| operation.get("operationId").is_some())
}

/// The object at `pointer`; objects that are missing on the way are made.
fn object_at<'a>(value: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    let mut place = value;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let object = place
            .as_object_mut()
            .expect("a place in a document lies in objects");
        place = object.entry(token).or_insert_with(|| json!({}));
    }
    place
        .as_object_mut()
        .expect("a place in a document is an object")
}

fn insert(value: &mut Value, pointer: &str, name: &str, member: Value) {
    object_at(value, pointer).insert(name.to_owned(), member);
}

fn extend(object: &mut Map<String, Value>, keywords: &Value) {
    for (name, value) in keywords.as_object().into_iter().flatten() {
        object.insert(name.clone(), value.clone());
    }
}

/// The response headers of an operation, by name.
fn headers(operation: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let responses = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut);
    responses
        .filter_map(|response| response.get_mut("headers").and_then(Value::as_object_mut))
        .flat_map(|headers| headers.iter_mut())
}

/// utoipa gives every number the format of its Rust type, and every map the type of its keys: nothing that anybody documents.
fn drop_rust_types(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let format = object.get("format").and_then(Value::as_str);
            if matches!(format, Some("int32" | "int64" | "double")) {
                object.shift_remove("format");
            }
            if object.get("propertyNames") == Some(&json!({ "type": "string" })) {
                object.shift_remove("propertyNames");
            }
            object.values_mut().for_each(drop_rust_types);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_rust_types),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Doc comments name decisions for whoever reads the code; who reads the document does not know them.
fn drop_decisions(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(description)) = object.get_mut("description") {
                while let Some((start, end)) = decisions(description) {
                    description.replace_range(start..end, "");
                }
            }
            object.values_mut().for_each(drop_decisions);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_decisions),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where ` (E-22)` or ` (C-19, C-20)` stands in a text.
fn decisions(text: &str) -> Option<(usize, usize)> {
    [" (C-", " (E-"].iter().find_map(|mark| {
        let start = text.find(mark)?;
        let end = start + text[start..].find(')')? + 1;
        Some((start, end))
    })
}

/// A response header that is documented is always sent; utoipa has no `required` for headers.
fn require_headers(document: &mut Value) {
    for operation in operations(document) {
        for (_, header) in headers(operation) {
            insert(header, "", "required", json!(true));
        }
    }
}
