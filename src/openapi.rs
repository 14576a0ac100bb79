//! From annotated handlers to the emitted document: adds what utoipa's macros cannot say, and makes the result deterministic.
//!
//! utoipa emits operations, parameters, schemas and security. Added here, and only here: the named samples of requests, parameters and
//! answers, which are those of the source document; keywords beside `properties` (`anyOf`), required response headers, and the
//! `webhooks` object. The `openapi.rs` of each API calls this; `conformance drift` compares the result with the source document.

pub(crate) mod v3_0;

use serde_json::{Map, Value, json};

/// An emitted document in the making.
pub(crate) struct Emission {
    document: Value,
}

/// A source document: where the samples come from.
pub(crate) struct Source(Value);

/// An operation of a source document, with its parameters and those of its path.
struct SourceOperation<'a> {
    operation: &'a Value,
    parameters: Vec<&'a Value>,
}

/// The notification that is sent to a registered webhook when an event of one type happens.
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
    /// The possible answers of a receiver.
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

    /// Copies the named samples of the source document: requests, parameters and answers, each with how it is replayed; and bodies of the
    /// notifications that were added before.
    ///
    /// Replaying them shows that the server answers so.
    pub(crate) fn samples(&mut self, source: &Source) -> &mut Self {
        for operation in operations(&mut self.document) {
            let id = operation["operationId"].as_str().unwrap_or_default();
            let Some(theirs) = source.operation(id) else {
                continue;
            };
            for parameter in array_mut(operation, "parameters") {
                let same = |theirs: &&&Value| {
                    ["name", "in"].map(|key| &theirs[key])
                        == ["name", "in"].map(|key| &parameter[key])
                };
                let examples = theirs.parameters.iter().find(same);
                if let Some(theirs) = examples.copied() {
                    copy_samples(source, theirs, parameter);
                }
            }
            if let Some(request) = operation.get_mut("requestBody") {
                copy_content(source, &theirs.operation["requestBody"], request);
            }
            for (status, answer) in object_mut(operation, "responses") {
                copy_content(source, &theirs.operation["responses"][status], answer);
            }
        }
        for (event_type, ours) in object_mut(&mut self.document, "webhooks") {
            let theirs = &source.0["webhooks"][event_type]["post"]["requestBody"];
            copy_content(source, theirs, &mut ours["post"]["requestBody"]);
        }
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
}

/// The body that a document gives as the sample of an event type; null where it has none.
pub(crate) fn sample<'a>(document: &'a Value, event_type: &str) -> &'a Value {
    let request = &document["webhooks"][event_type]["post"]["requestBody"];
    &request["content"]["application/json"]["examples"]["sample"]["value"]
}

impl Source {
    /// Reads a source document.
    ///
    /// # Panics
    /// When the text is not YAML: it is compiled in, and a test sees it first.
    pub(crate) fn read(text: &str) -> Self {
        Self(yaml_serde::from_str(text).expect("a source document is YAML"))
    }

    fn operation(&self, id: &str) -> Option<SourceOperation<'_>> {
        let items = self.0["paths"].as_object()?.values();
        items.map(|item| self.resolve(item)).find_map(|item| {
            let mut methods = item.as_object()?.values();
            let operation = methods.find(|operation| operation["operationId"] == id)?;
            let lists = [&item["parameters"], &operation["parameters"]];
            let parameters = lists.into_iter().filter_map(Value::as_array).flatten();
            Some(SourceOperation {
                operation,
                parameters: parameters
                    .map(|parameter| self.resolve(parameter))
                    .collect(),
            })
        })
    }

    /// Follows a reference within the document; returns `value` itself if it is not a reference.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value["$ref"].as_str();
        match reference.and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.resolve(
                self.0
                    .pointer(pointer)
                    .expect("a source document refers to itself"),
            ),
            None => value,
        }
    }
}

fn belongs(operation: &Value, named: &[&str]) -> bool {
    named.is_empty() || named.iter().any(|id| operation["operationId"] == *id)
}

fn copy_content(source: &Source, theirs: &Value, ours: &mut Value) {
    let theirs = source.resolve(theirs);
    for (media_type, content) in object_mut(ours, "content") {
        copy_samples(
            source,
            source.resolve(&theirs["content"][media_type]),
            content,
        );
    }
}

fn copy_samples(source: &Source, theirs: &Value, ours: &mut Value) {
    for (name, sample) in theirs["examples"].as_object().into_iter().flatten() {
        let sample = source.resolve(sample);
        let members = ["value", "x-replay"].into_iter().filter_map(|member| {
            let value = sample.get(member)?.clone();
            Some((member.to_owned(), value))
        });
        insert(ours, "/examples", name, members.collect());
    }
}

/// The items of an array member; none where it is missing.
fn array_mut<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    let items = value.get_mut(name).and_then(Value::as_array_mut);
    items.into_iter().flatten()
}

/// The members of an object member; none where it is missing.
fn object_mut<'a>(
    value: &'a mut Value,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    let members = value.get_mut(name).and_then(Value::as_object_mut);
    members.into_iter().flatten()
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

/// Removes the numbers of decisions, which doc comments name for readers of the code: readers of the document do not know them.
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
