//! The operations of a document, with references resolved where an operation may use them.

use serde_json::Value;

use super::{Document, pointer};

/// The fixed methods of a Path Item, as they are spelled in documents; `query` is of OpenAPI 3.2.
pub const METHODS: [&str; 9] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
];

/// A node and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<'a> {
    /// The pointer of the node, references followed.
    pub pointer: String,
    /// The node.
    pub value: &'a Value,
}

/// One HTTP method on one path.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    /// The `operationId`.
    pub id: Option<&'a str>,
    /// The method in upper case.
    pub method: String,
    /// The path template, or the name of the webhook.
    pub path: &'a str,
    /// The pointer of the Operation Object.
    pub pointer: String,
    /// The Operation Object.
    pub value: &'a Value,
    /// The pointer of the Path Item Object, references followed.
    pub item: String,
}

impl Document {
    /// All operations below `paths`, in document order.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        self.operations_below("/paths")
    }

    /// The operations of one path, in document order.
    pub fn operations_of_path(&self, path: &str) -> Vec<Operation<'_>> {
        let items = self.at("/paths").and_then(Value::as_object);
        let Some((path, item)) = items.and_then(|items| items.get_key_value(path)) else {
            return Vec::new();
        };
        self.operations_of(path, pointer::join("/paths", path), item)
    }

    /// All operations below `webhooks`, in document order; their `path` is the webhook's name.
    pub fn webhooks(&self) -> Vec<Operation<'_>> {
        self.operations_below("/webhooks")
    }

    /// The operations of all Path Items in the map at `map`.
    pub fn operations_below(&self, map: &str) -> Vec<Operation<'_>> {
        self.each_below(map).collect()
    }

    /// Whether the document has an operation or a webhook.
    pub fn has_operations(&self) -> bool {
        let mut maps = ["/paths", "/webhooks"].into_iter();
        maps.any(|map| self.each_below(map).next().is_some())
    }

    fn each_below<'a>(&'a self, map: &str) -> impl Iterator<Item = Operation<'a>> {
        let items = self.at(map).and_then(Value::as_object);
        let items = items.into_iter().flatten();
        let items = items.filter(|(path, _)| !path.starts_with("x-"));
        items.flat_map(move |(path, item)| self.operations_of(path, pointer::join(map, path), item))
    }

    /// The operations of the Path Item `value`, which is at `item`.
    fn operations_of<'a>(
        &'a self,
        path: &'a str,
        item: String,
        value: &'a Value,
    ) -> Vec<Operation<'a>> {
        let Some((item, Value::Object(members))) = self.resolve_from(item, value) else {
            return Vec::new();
        };
        let mut operations = Vec::new();
        let mut add = |method: String, pointer: String, value: &'a Value| {
            if value.is_object() {
                let id = value.get("operationId").and_then(Value::as_str);
                operations.push(Operation {
                    id,
                    method,
                    path,
                    pointer,
                    value,
                    item: item.clone(),
                });
            }
        };
        for (key, value) in members {
            if METHODS.contains(&key.as_str()) {
                add(key.to_uppercase(), pointer::join(&item, key), value);
            } else if let ("additionalOperations", Value::Object(additional)) =
                (key.as_str(), value)
            {
                let below = pointer::join(&item, key);
                for (method, value) in additional {
                    add(method.clone(), pointer::join(&below, method), value);
                }
            }
        }
        operations
    }

    /// The items of the array or object at `pointer`, references followed; what does not resolve is left out.
    fn located(&self, pointer: &str) -> Vec<(String, Located<'_>)> {
        let keys: Vec<String> = match self.at(pointer) {
            Some(Value::Array(items)) => (0..items.len()).map(|index| index.to_string()).collect(),
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let find = |key: String| {
            let (pointer, value) = self.resolve(&pointer::join(pointer, &key))?;
            Some((key, Located { pointer, value }))
        };
        keys.into_iter().filter_map(find).collect()
    }
}

impl<'a> Operation<'a> {
    /// How findings name the operation, such as `POST /webhooks (createWebhook)`.
    pub fn subject(&self) -> String {
        match self.id {
            Some(id) => format!("{} {} ({id})", self.method, self.path),
            None => format!("{} {}", self.method, self.path),
        }
    }

    /// The tags of the operation.
    pub fn tags(&self) -> Vec<&'a str> {
        let tags = self.value.get("tags").and_then(Value::as_array);
        tags.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// The parameters in document order, references followed: those of the path first, except for the ones that the operation
    /// replaces (same `in` and `name`).
    pub fn parameters(&self, document: &'a Document) -> Vec<Located<'a>> {
        fn key<'a>(located: &Located<'a>) -> (Option<&'a str>, Option<&'a str>) {
            let text = |member: &str| located.value.get(member).and_then(Value::as_str);
            (text("in"), text("name"))
        }
        let list = |pointer: &str| {
            document
                .located(&pointer::join(pointer, "parameters"))
                .into_iter()
                .map(|(_, located)| located)
        };
        let own: Vec<Located<'a>> = list(&self.pointer).collect();
        let mut all: Vec<Located<'a>> = list(&self.item)
            .filter(|shared| !own.iter().any(|one| key(one) == key(shared)))
            .collect();
        all.extend(own);
        all
    }

    /// The Request Body Object, references followed.
    pub fn request_body(&self, document: &'a Document) -> Option<Located<'a>> {
        let (pointer, value) = document.resolve(&pointer::join(&self.pointer, "requestBody"))?;
        Some(Located { pointer, value })
    }

    /// The Response Objects by status (`200`, `4XX`, `default`), references followed, in document order.
    pub fn responses(&self, document: &'a Document) -> Vec<(String, Located<'a>)> {
        let all = document.located(&pointer::join(&self.pointer, "responses"));
        all.into_iter()
            .filter(|(status, _)| !status.starts_with("x-"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_stand_in_document_order_with_the_parameters_of_their_path() {
        let document = Document::parse(
            "t",
            "openapi: 3.2.0\npaths:\n  /b/{id}:\n    parameters:\n      - {$ref: '#/components/parameters/Id'}\n      - {in: query, name: q, schema: {type: string}}\n    post: {operationId: two, tags: [T], parameters: [{in: query, name: q, required: true}], requestBody: {$ref: '#/components/requestBodies/B'}, responses: {'200': {$ref: '#/components/responses/R'}, x-a: 1}}\n    get: {responses: {}}\n    additionalOperations: {COPY: {operationId: copy}}\n  /a: {$ref: '#/components/pathItems/A'}\nwebhooks:\n  happened: {post: {operationId: onHappened}}\ncomponents:\n  parameters: {Id: {in: path, name: id, required: true}}\n  requestBodies: {B: {content: {}}}\n  responses: {R: {description: ok}}\n  pathItems: {A: {put: {operationId: three}}}\n",
        )
        .unwrap();
        let operations = document.operations();
        let subjects: Vec<String> = operations.iter().map(Operation::subject).collect();
        assert_eq!(
            subjects,
            [
                "POST /b/{id} (two)",
                "GET /b/{id}",
                "COPY /b/{id} (copy)",
                "PUT /a (three)"
            ]
        );
        let parameters = operations[0].parameters(&document);
        assert_eq!(
            parameters
                .iter()
                .map(|one| one.pointer.as_str())
                .collect::<Vec<_>>(),
            [
                "/components/parameters/Id",
                "/paths/~1b~1{id}/post/parameters/0"
            ]
        );
        assert_eq!(
            operations[0].request_body(&document).unwrap().pointer,
            "/components/requestBodies/B"
        );
        assert_eq!(
            operations[0].responses(&document)[0].1.pointer,
            "/components/responses/R"
        );
        assert_eq!(operations[0].responses(&document).len(), 1);
        assert_eq!(operations[0].tags(), ["T"]);
        assert_eq!(operations[3].pointer, "/components/pathItems/A/put");
        assert_eq!(
            document.webhooks()[0].subject(),
            "POST happened (onHappened)"
        );
    }
}
