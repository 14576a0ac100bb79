//! Inferring resources: which operations create, read, list, update and delete the same things.
//!
//! A path that ends in a parameter is an item, the path before it the collection. A POST to the collection creates an item, or a link of
//! its response says that it does; where there is neither, a PUT to the item does. A collection without an item path has a list, and a POST
//! whose response has the id of its items. Collections below an item belong to it.

use serde_json::Value;

use super::naming::{plain, singular, words};
use super::shape::{ids, items, skeleton};
use crate::case::is_success;
use crate::document::{Document, Operation, pointer};
use crate::samples::{media_types, template_names};
use crate::schema::Schemas;

/// Things of one kind, and the operations on them as indexes into the operations of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// The name of the collection: the last fixed segment of its path.
    pub name: String,
    /// The path template of the collection.
    pub collection: String,
    /// The path template of an item, where there is one.
    pub item: Option<String>,
    /// The path parameter that takes the id of an item; empty where no path does.
    pub parameter: String,
    /// The resource that this one is below.
    pub parent: Option<usize>,
    /// The operation that creates an item.
    pub create: Option<usize>,
    /// The runtime expression of a link that gives the id of what was created.
    pub link: Option<String>,
    /// The operation that reads an item.
    pub read: Option<usize>,
    /// The operation that lists the items.
    pub list: Option<usize>,
    /// The operation that changes some members of an item.
    pub patch: Option<usize>,
    /// The operation that replaces an item.
    pub put: Option<usize>,
    /// The operation that deletes an item.
    pub delete: Option<usize>,
}

impl Resource {
    /// The name of one thing.
    #[must_use]
    pub fn singular(&self) -> String {
        let mut words = words(&self.name);
        if let Some(last) = words.last_mut() {
            *last = singular(last);
        }
        words.concat()
    }

    /// Whether an item is created by a PUT to its own path, so that the client chooses the id.
    #[must_use]
    pub fn creates_by_put(&self) -> bool {
        self.create.is_some() && self.create == self.put
    }

    /// All of its operations.
    #[must_use]
    pub fn operations(&self) -> Vec<usize> {
        let all = [
            self.create,
            self.read,
            self.list,
            self.patch,
            self.put,
            self.delete,
        ];
        all.into_iter().flatten().collect()
    }
}

/// The resources of a document, those that others are below first.
#[must_use]
pub fn infer(
    document: &Document,
    schemas: &Schemas<'_>,
    operations: &[Operation<'_>],
) -> Vec<Resource> {
    let mut found: Vec<Resource> = Vec::new();
    for operation in operations {
        let path = operation.path.trim_end_matches('/');
        let (collection, item) = match item_of(path) {
            Some(collection) => (collection, Some(path)),
            None => (path, None),
        };
        if item.is_none() && !has_items(operations, path) && !is_list(document, schemas, operation)
        {
            continue;
        }
        let known = found
            .iter()
            .position(|one| same_shape(&one.collection, collection));
        let index = known.unwrap_or_else(|| {
            let fixed = collection
                .rsplit('/')
                .find(|segment| !segment.is_empty() && !segment.starts_with('{'));
            found.push(Resource {
                name: fixed.unwrap_or("items").to_owned(),
                collection: collection.to_owned(),
                ..Resource::default()
            });
            found.len() - 1
        });
        if let (Some(item), None) = (item, &found[index].item) {
            found[index].item = Some(item.to_owned());
            found[index].parameter = template_names(item).pop().unwrap_or_default();
        }
    }
    for resource in &mut found {
        assign(document, schemas, operations, resource);
        by_link(document, operations, resource);
    }
    found.retain(|one| one.create.is_some() || one.list.is_some() || one.read.is_some());
    found.sort_by_key(|one| one.collection.matches('/').count());
    let parents: Vec<Option<usize>> = found.iter().map(|one| parent(&found, one)).collect();
    for (resource, parent) in found.iter_mut().zip(parents) {
        resource.parent = parent;
    }
    found
}

/// The collection of an item path.
fn item_of(path: &str) -> Option<&str> {
    let (collection, last) = path.rsplit_once('/')?;
    let is_parameter =
        last.starts_with('{') && last.ends_with('}') && last.matches('{').count() == 1;
    (is_parameter && !collection.is_empty()).then_some(collection)
}

fn has_items(operations: &[Operation<'_>], collection: &str) -> bool {
    operations
        .iter()
        .filter_map(|one| item_of(one.path.trim_end_matches('/')))
        .any(|known| same_shape(known, collection))
}

/// The schema of the successful JSON response of an operation.
pub(crate) fn response_schema(document: &Document, operation: &Operation<'_>) -> Option<String> {
    let responses = operation.responses(document);
    let successful = responses.iter().filter(|(status, _)| is_success(status));
    let media = successful.flat_map(|(_, response)| media_types(document, response));
    let json = media.filter(|(name, _)| crate::case::serialize::is_json(name));
    let mut schemas = json.map(|(_, media)| pointer::join(&media.pointer, "schema"));
    schemas.find(|at| document.at(at).is_some())
}

/// The schema of the JSON request body of an operation.
pub(super) fn request_schema(document: &Document, operation: &Operation<'_>) -> Option<String> {
    let body = operation.request_body(document)?;
    let media = media_types(document, &body).into_iter();
    let schema = media.map(|(_, media)| pointer::join(&media.pointer, "schema"));
    schema.into_iter().find(|at| document.at(at).is_some())
}

/// Whether a GET answers with a list.
fn is_list(document: &Document, schemas: &Schemas<'_>, operation: &Operation<'_>) -> bool {
    let last = operation.path.rsplit('/').next().unwrap_or_default();
    operation.method == "GET"
        && response_schema(document, operation)
            .is_some_and(|schema| items(&skeleton(schemas, &schema), last).is_some())
}

fn assign(
    document: &Document,
    schemas: &Schemas<'_>,
    operations: &[Operation<'_>],
    resource: &mut Resource,
) {
    let on = |method: &str, path: &str| {
        operations
            .iter()
            .position(|one| one.method == method && same_shape(one.path, path))
    };
    let collection = resource.collection.clone();
    let has_success = |index: &usize| {
        let responses = operations[*index].responses(document);
        responses.is_empty()
            || responses
                .iter()
                .any(|(status, _)| is_success(status) || status == "default")
    };
    // `POST /user` creates what `GET /users/{id}` reads.
    let other = |path: &str| {
        let (before, last) = path.rsplit_once('/')?;
        let other = singular(last);
        (other != last).then(|| format!("{before}/{other}"))
    };
    resource.create =
        on("POST", &collection).filter(|index| has_success(index) && resource.item.is_some());
    if resource.create.is_none() && resource.item.is_some() {
        resource.create = other(&collection)
            .and_then(|path| on("POST", &path))
            .filter(|index| has_success(index));
    }
    resource.list =
        on("GET", &collection).filter(|index| is_list(document, schemas, &operations[*index]));
    let Some(item) = resource.item.clone() else {
        // Without a path for one of them only the list shows what was created.
        resource.create = resource.list.and_then(|list| {
            on("POST", &collection).filter(|create| {
                has_success(create)
                    && makes_items(document, schemas, (operations, *create, list), resource)
            })
        });
        return;
    };
    resource.read = on("GET", &item);
    resource.patch = on("PATCH", &item);
    resource.put = on("PUT", &item);
    resource.delete = on("DELETE", &item);
    if resource.patch.is_none() && resource.put.is_none() {
        resource.patch = on("POST", &item)
            .filter(|index| request_schema(document, &operations[*index]).is_some());
    }
    if resource.create.is_none() {
        resource.create = resource.put.filter(|_| resource.read.is_some());
    }
}

/// Whether a POST makes what a list has: it takes an object, and its response has the id of items. A search that takes its question in a
/// body does not.
fn makes_items(
    document: &Document,
    schemas: &Schemas<'_>,
    (operations, create, list): (&[Operation<'_>], usize, usize),
    resource: &Resource,
) -> bool {
    let of = |schema: Option<String>| schema.map(|schema| skeleton(schemas, &schema));
    let taken = of(request_schema(document, &operations[create]));
    let made = of(response_schema(document, &operations[create])).unwrap_or_default();
    let listed = of(response_schema(document, &operations[list])).unwrap_or_default();
    let Some(at) = items(&listed, &resource.name) else {
        return false;
    };
    let item = listed.pointer(&at).and_then(|items| items.get(0));
    let singular = resource.singular();
    let names = |value: &Value| -> Vec<String> {
        let found = ids(value, "", &singular);
        let last = |at: &String| at.rsplit('/').next().map(plain);
        found.iter().filter_map(last).collect()
    };
    let of_items = item.map(names).unwrap_or_default();
    taken.is_some_and(|taken| taken.is_object())
        && items(&made, &resource.name).is_none()
        && names(&made).iter().any(|name| of_items.contains(name))
}

/// Takes what a link of a response says: it leads from the operation that creates to one that takes the id.
fn by_link(document: &Document, operations: &[Operation<'_>], resource: &mut Resource) {
    let Some(item) = &resource.item else { return };
    for (index, operation) in operations.iter().enumerate() {
        if !matches!(operation.method.as_str(), "POST" | "PUT") || same_shape(operation.path, item)
        {
            continue;
        }
        for (status, response) in operation.responses(document) {
            let below = pointer::join(&response.pointer, "links");
            let names = document.at(&below).and_then(Value::as_object);
            let names = names
                .into_iter()
                .flat_map(|links| links.keys())
                .filter(|_| is_success(&status));
            for name in names {
                let Some((_, link)) = document.resolve(&pointer::join(&below, name)) else {
                    continue;
                };
                let Some(target) = linked(document, operations, link) else {
                    continue;
                };
                if !same_shape(operations[target].path, item) {
                    continue;
                }
                let given = link.get("parameters").and_then(|given| {
                    let name = template_names(operations[target].path).pop()?;
                    given
                        .get(&name)
                        .or_else(|| given.get(format!("path.{name}")))
                });
                let expression = given
                    .and_then(Value::as_str)
                    .filter(|text| text.starts_with("$response"));
                let is_own = resource
                    .create
                    .is_none_or(|create| create == index || Some(create) == resource.put);
                if let (Some(expression), true) = (expression, is_own) {
                    resource.create = Some(index);
                    resource.link = Some(expression.to_owned());
                    return;
                }
            }
        }
    }
}

/// The operation that a link leads to.
fn linked(document: &Document, operations: &[Operation<'_>], link: &Value) -> Option<usize> {
    let id = link.get("operationId").and_then(Value::as_str);
    let by_id = id.and_then(|id| operations.iter().position(|one| one.id == Some(id)));
    by_id.or_else(|| {
        let target = document.target(link.get("operationRef")?.as_str()?)?;
        operations.iter().position(|one| one.pointer == target)
    })
}

/// The resource whose items the collection is below: the nearest one.
fn parent(all: &[Resource], child: &Resource) -> Option<usize> {
    let is_above = |item: &str| {
        let segments: Vec<&str> = child.collection.split('/').collect();
        let depth = item.split('/').count();
        depth < segments.len() && same_shape(&segments[..depth].join("/"), item)
    };
    let above = all
        .iter()
        .enumerate()
        .filter(|(_, one)| one.item.as_deref().is_some_and(is_above));
    above
        .max_by_key(|(_, one)| one.collection.len())
        .map(|(index, _)| index)
}

/// Whether two templates differ in the names of their parameters only.
pub(super) fn same_shape(one: &str, other: &str) -> bool {
    let shape = |template: &str| -> Vec<String> {
        let segments = template.trim_end_matches('/').split('/');
        segments
            .map(|segment| {
                if segment.starts_with('{') {
                    "{}".to_owned()
                } else {
                    segment.to_owned()
                }
            })
            .collect()
    };
    shape(one) == shape(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(text: &str) -> Vec<String> {
        let document = Document::parse("t", text).unwrap();
        let schemas = Schemas::new(&document);
        let operations = document.operations();
        let name = |index: Option<usize>| {
            index.map_or("-".to_owned(), |index| {
                format!("{} {}", operations[index].method, operations[index].path)
            })
        };
        infer(&document, &schemas, &operations)
            .iter()
            .map(|one| {
                format!(
                    "{} ({}) of {:?}: create {}, read {}, list {}, patch {}, put {}, delete {}, id {}",
                    one.name, one.parameter, one.parent, name(one.create), name(one.read), name(one.list), name(one.patch), name(one.put),
                    name(one.delete), one.link.as_deref().unwrap_or("-")
                )
            })
            .collect()
    }

    #[test]
    fn operations_on_the_same_things_are_a_resource() {
        let text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /v1/notes:\n    get: {responses: {'200': {description: d, content: {application/json: {schema: {type: object, properties: {data: {type: array, items: {}}}}}}}}}\n    post: {responses: {'201': {description: d}}}\n  /v1/notes/{noteId}:\n    get: {responses: {}}\n    patch: {responses: {}}\n    put: {responses: {}}\n    delete: {responses: {}}\n  /v1/notes/{id}/comments:\n    post: {responses: {}}\n  /v1/notes/{id}/comments/{commentId}:\n    get: {responses: {}}\n  /v1/notes/{id}/publish:\n    post: {responses: {}}\n  /health:\n    get: {responses: {'200': {description: d}}}\n";
        assert_eq!(
            resources(text),
            [
                "notes (noteId) of None: create POST /v1/notes, read GET /v1/notes/{noteId}, list GET /v1/notes, patch PATCH /v1/notes/{noteId}, put PUT /v1/notes/{noteId}, delete DELETE /v1/notes/{noteId}, id -",
                "comments (commentId) of Some(0): create POST /v1/notes/{id}/comments, read GET /v1/notes/{id}/comments/{commentId}, list -, patch -, put -, delete -, id -",
            ]
        );
    }

    #[test]
    fn an_item_may_be_created_by_put_or_where_a_link_says_so_and_be_updated_by_post() {
        let text = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /files/{name}:\n    get: {responses: {}}\n    put: {responses: {}}\n  /orders/new:\n    post: {responses: {'201': {description: d, links: {made: {operationId: readOrder, parameters: {id: $response.body#/order/id}}}}}}\n  /orders/{id}:\n    get: {operationId: readOrder, responses: {}}\n    post: {requestBody: {content: {application/json: {schema: {type: object}}}}, responses: {}}\n  /user:\n    post: {responses: {}}\n  /users/{username}:\n    get: {responses: {}}\n";
        assert_eq!(
            resources(text),
            [
                "files (name) of None: create PUT /files/{name}, read GET /files/{name}, list -, patch -, put PUT /files/{name}, delete -, id -",
                "orders (id) of None: create POST /orders/new, read GET /orders/{id}, list -, patch POST /orders/{id}, put -, delete -, id $response.body#/order/id",
                "users (username) of None: create POST /user, read GET /users/{username}, list -, patch -, put -, delete -, id -",
            ]
        );
    }

    #[test]
    fn a_document_of_2_0_has_resources_too() {
        let text = "swagger: '2.0'\ninfo: {title: t, version: '1'}\npaths:\n  /pets:\n    get: {produces: [application/json], responses: {'200': {description: d, schema: {type: array, items: {type: object}}}}}\n    post: {consumes: [application/json], parameters: [{in: body, name: pet, schema: {type: object}}], responses: {'200': {description: d}}}\n  /pets/{petId}:\n    get: {parameters: [{in: path, name: petId, required: true, type: integer}], responses: {'200': {description: d}}}\n";
        assert_eq!(
            resources(text),
            [
                "pets (petId) of None: create POST /pets, read GET /pets/{petId}, list GET /pets, patch -, put -, delete -, id -"
            ]
        );
    }

    #[test]
    fn a_collection_without_items_of_their_own_has_a_creation_where_its_response_is_an_item() {
        let new = "requestBody: {content: {application/json: {schema: {type: object, properties: {page: {type: string}}}}}}";
        let answers = |status: &str, schema: &str| {
            format!(
                "responses: {{'{status}': {{description: d, content: {{application/json: {{schema: {schema}}}}}}}}}"
            )
        };
        let item = "{type: object, properties: {id: {type: string}, page: {type: string}}}";
        let list = format!("{{type: array, items: {item}}}");
        let other = "{type: object, properties: {jobId: {type: string}}}";
        let mut text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n".to_owned();
        for (name, made, of) in [
            ("visits", item, list.as_str()),
            ("searches", list.as_str(), list.as_str()),
            ("imports", other, list.as_str()),
        ] {
            text += &format!(
                "  /{name}:\n    post: {{{new}, {}}}\n    get: {{{}}}\n",
                answers("200", made),
                answers("200", of)
            );
        }
        assert_eq!(
            resources(&text),
            [
                "visits () of None: create POST /visits, read -, list GET /visits, patch -, put -, delete -, id -",
                "searches () of None: create -, read -, list GET /searches, patch -, put -, delete -, id -",
                "imports () of None: create -, read -, list GET /imports, patch -, put -, delete -, id -",
            ]
        );
    }
}
