//! Writing inferred flows as an Arazzo description.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::driver::Driver;
use super::super::members::Described;
use super::super::naming::words;
use super::super::resource::Resource;
use super::super::shape::{ids, skeleton};
use crate::case::is_success;
use crate::document::pointer;
use crate::samples::template_names;

/// How many members a step compares.
const COMPARED: usize = 8;

/// The flows of the resources that can be created, as a YAML text; none where there is no such resource.
pub(in super::super) fn write(driver: &mut Driver<'_>) -> Option<String> {
    let mut workflows = Vec::new();
    let mut names = HashSet::new();
    for index in 0..driver.resources.len() {
        let writer = Writer {
            driver: &mut *driver,
            steps: Vec::new(),
        };
        if let Some(steps) = writer.life(index) {
            let resource = &driver.resources[index];
            let id = unused(&mut names, identifier(&resource.collection));
            workflows.push(json!({
                "workflowId": id,
                "summary": format!("{}: create, read, list, update and delete, as far as the document has operations", resource.name),
                "steps": steps,
            }));
        }
    }
    if workflows.is_empty() {
        return None;
    }
    let document = driver.session.document;
    let text = |at: &str| {
        document
            .at(at)
            .map(crate::case::serialize::text)
            .unwrap_or_default()
    };
    let description = json!({
        "arazzo": "1.0.1",
        "info": { "title": format!("Flows of {}", text("/info/title")), "version": text("/info/version") },
        "sourceDescriptions": [{ "name": SOURCE, "url": document.name(), "type": "openapi" }],
        "workflows": workflows,
    });
    yaml_serde::to_string(&description).ok()
}

/// The name of the source description.
const SOURCE: &str = "api";

/// A name that ids of workflows and steps may have: letters and digits of ASCII, and hyphens.
fn identifier(path: &str) -> String {
    let fixed = path.split('/').filter(|segment| !segment.starts_with('{'));
    let words = fixed.flat_map(words).map(|mut word| {
        word.retain(|letter| letter.is_ascii_alphanumeric());
        word
    });
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    match words.is_empty() {
        true => "items".to_owned(),
        false => words.join("-"),
    }
}

/// The name, with a number where it is in use.
fn unused(names: &mut HashSet<String>, name: String) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut all = std::iter::once(name.clone()).chain(numbered);
    let found = all.find(|name| !names.contains(name)).unwrap_or(name);
    names.insert(found.clone());
    found
}

struct Writer<'d, 'a> {
    driver: &'d mut Driver<'a>,
    steps: Vec<Value>,
}

impl Writer<'_, '_> {
    /// The steps of a resource; none where it cannot be created, or where nobody can tell its id.
    fn life(mut self, index: usize) -> Option<Vec<Value>> {
        let resource = self.driver.resources[index].clone();
        resource.create?;
        let mut above = Vec::new();
        let mut chain = vec![index];
        while let Some(parent) = self.driver.resources[chain[0]].parent {
            chain.insert(0, parent);
        }
        let mut made: Vec<(usize, Vec<Value>, String)> = Vec::new();
        let mut names = HashSet::new();
        for one in chain {
            let resource = self.driver.resources[one].clone();
            let name = unused(&mut names, identifier(&resource.name));
            let step = if one == index {
                "create".to_owned()
            } else {
                format!("create-{name}")
            };
            for name in template_names(&resource.collection)
                .into_iter()
                .skip(above.len())
            {
                above.push(self.documented(&resource, &name)?);
            }
            let id = self.create(&resource, &step, &above)?;
            above.push(Value::from(format!("$steps.{step}.outputs.{id}")));
            made.push((one, above.clone(), name));
        }
        let (_, item, _) = made.pop()?;
        let collection = &item[..item.len() - 1];
        let body = self
            .steps
            .last()
            .and_then(|step| step.pointer("/requestBody/payload").cloned());
        if let Some(read) = resource.read {
            let create = resource.create?;
            let criteria = body
                .map(|body| self.comparisons(create, read, &body))
                .unwrap_or_default();
            self.push("read", read, &item, None, criteria);
        }
        if let Some(list) = resource.list {
            self.push("list", list, collection, None, Vec::new());
        }
        if let Some(patch) = resource.patch
            && let Some(body) = self.update(&resource, patch)
        {
            self.push("update", patch, &item, Some(body.clone()), Vec::new());
            if let Some(read) = resource.read {
                let criteria = self.comparisons(patch, read, &body);
                self.push("read-updated", read, &item, None, criteria);
            }
        }
        if let Some(delete) = resource.delete {
            self.push("delete", delete, &item, None, Vec::new());
            if let Some(read) = resource.read {
                let gone = json!({ "condition": "$statusCode == 404 || $statusCode == 410" });
                self.add("read-deleted", read, &item, None, vec![gone]);
            }
        }
        for (parent, path, name) in made.into_iter().rev() {
            if let Some(delete) = self.driver.resources[parent].delete {
                self.push(&format!("delete-{name}"), delete, &path, None, Vec::new());
            }
        }
        Some(self.steps)
    }

    /// The documented value of a path parameter that no resource gives.
    fn documented(&mut self, resource: &Resource, name: &str) -> Option<Value> {
        resource.operations().into_iter().find_map(|operation| {
            let case = self.driver.case(operation)?;
            case.path
                .iter()
                .find(|known| known.name == name)?
                .documented
                .clone()
        })
    }

    /// Adds the creation; gives the name of the output that has the id.
    fn create(&mut self, resource: &Resource, step: &str, above: &[Value]) -> Option<&'static str> {
        let create = resource.create?;
        let case = self.driver.case(create)?;
        let body = case.body.as_ref().and_then(|body| body.value.clone());
        if resource.creates_by_put() {
            let id = self.documented(resource, &resource.parameter)?;
            let path = [above, &[id][..]].concat();
            self.push(step, create, &path, body, Vec::new());
            let last = self.steps.last_mut()?;
            last["outputs"] = json!({ "id": format!("$request.path.{}", resource.parameter) });
            return Some("id");
        }
        let schema = self.driver.schemas_of(create).1;
        let known = schema
            .map(|schema| skeleton(self.driver.session.judge.schemas, &schema))
            .unwrap_or_default();
        let at = ids(&known, &resource.parameter, &resource.singular())
            .into_iter()
            .next();
        let id = resource
            .link
            .clone()
            .or_else(|| Some(format!("$response.body#{}", at?)))?;
        self.push(step, create, above, body, Vec::new());
        self.steps.last_mut()?["outputs"] = json!({ "id": id });
        Some("id")
    }

    /// A body that changes what was created, so that reading shows it: the documented one, or another value of one member.
    fn update(&mut self, resource: &Resource, patch: usize) -> Option<Value> {
        let schema = self.driver.schemas_of(patch).0?;
        let case = self.driver.case(patch);
        let documented = case.and_then(|case| case.body?.value);
        let create = resource
            .create
            .and_then(|create| self.driver.case(create)?.body?.value);
        let names = self
            .driver
            .comparing
            .declared(std::slice::from_ref(&schema));
        let subschemas = self.driver.session.judge.schemas.subschemas();
        let all = subschemas.in_place(std::slice::from_ref(&schema));
        let single = |name: String| {
            let old = create.as_ref()?.get(&name)?;
            let roots = subschemas.member(&all, &name).schemas();
            let others = self.driver.bodies.others(&roots, old, &name, 1);
            let with = |value: Value| Value::Object(Map::from_iter([(name.clone(), value)]));
            // The shortest, as a person reads it.
            others
                .into_iter()
                .map(with)
                .filter(|body| self.driver.bodies.is_valid(&schema, body))
                .min_by_key(|body| body.to_string().len())
        };
        let singles = names.into_iter().filter_map(single);
        let shows = |body: &Value| {
            // A member that was not sent may have had this value by default.
            let differs = |name: &String, value: &Value| {
                let old = create.as_ref().and_then(|create| create.get(name));
                old.is_some_and(|old| old != value)
            };
            let changed = body.as_object().into_iter().flatten();
            let changed = changed.filter(|(name, value)| differs(name, value));
            let changed = changed.map(|(name, value)| (name.clone(), value.clone()));
            resource.read.is_none_or(|read| {
                let compared = self.comparisons(patch, read, &Value::Object(changed.collect()));
                !compared.is_empty()
            })
        };
        let mut all = documented.clone().into_iter().chain(singles);
        all.find(shows).or(documented)
    }

    /// Conditions that what was sent is what is read: of scalars that the document lets a client write and a server show.
    fn comparisons(&self, writer: usize, read: usize, body: &Value) -> Vec<Value> {
        let (Some(request), Some(response)) = (
            self.driver.schemas_of(writer).0,
            self.driver.schemas_of(read).1,
        ) else {
            return Vec::new();
        };
        let shown = skeleton(self.driver.session.judge.schemas, &response);
        let wrapper = match shown.as_object() {
            Some(members) if members.len() == 1 => members
                .iter()
                .find(|(_, inner)| inner.is_object())
                .map(|(name, _)| pointer::join("", name)),
            _ => None,
        };
        let at = wrapper.unwrap_or_default();
        let subschemas = self.driver.session.judge.schemas.subschemas();
        let mut roots = vec![response];
        for token in pointer::tokens(&at) {
            roots = subschemas
                .member(&subschemas.in_place(&roots), &token)
                .schemas();
        }
        let members = body.as_object().into_iter().flatten();
        let scalars = members
            .filter(|(_, value)| value.is_string() || value.is_number() || value.is_boolean());
        let compared = scalars.filter(|(name, value)| {
            // A member is not compared where another value is no difference either: it is not shown, is secret, or the server's own there.
            let request = [request.clone()];
            let own = subschemas
                .member(&subschemas.in_place(&request), name)
                .schemas();
            let mut others = self.driver.bodies.others(&own, value, name, 2);
            others.push(another(value));
            let sent = json!({ name.as_str(): value });
            others
                .into_iter()
                .filter(|other| other != *value)
                .any(|other| {
                    let found = json!({ name.as_str(): other });
                    let sent = Described {
                        value: &sent,
                        schemas: &request,
                    };
                    let found = Described {
                        value: &found,
                        schemas: &roots,
                    };
                    !self.driver.comparing.differences(sent, found).is_empty()
                })
        });
        let condition = |(name, value): (&String, &Value)| {
            let literal = match value {
                Value::String(text) => format!("'{}'", text.replace('\'', "''")),
                other => other.to_string(),
            };
            let name = pointer::join(&at, name);
            let is_plain = !name.contains(char::is_whitespace)
                && !name.contains(['(', ')', '=', '<', '>', '!', '&', '|']);
            is_plain.then(|| json!({ "condition": format!("$response.body#{name} == {literal}") }))
        };
        compared.filter_map(condition).take(COMPARED).collect()
    }

    /// Adds a step that succeeds with its documented status and meets more criteria.
    fn push(
        &mut self,
        id: &str,
        operation: usize,
        path: &[Value],
        body: Option<Value>,
        more: Vec<Value>,
    ) {
        let responses = self
            .driver
            .operation(operation)
            .responses(self.driver.session.document);
        let mut statuses = responses
            .iter()
            .map(|(status, _)| status.as_str())
            .filter(|status| is_success(status) && !status.ends_with(['X', 'x']));
        let condition = match (statuses.next(), statuses.next()) {
            (Some(status), None) => format!("$statusCode == {status}"),
            _ => "$statusCode >= 200 && $statusCode < 300".to_owned(),
        };
        let criteria = [vec![json!({ "condition": condition })], more].concat();
        self.add(id, operation, path, body, criteria);
    }

    fn add(
        &mut self,
        id: &str,
        operation: usize,
        path: &[Value],
        body: Option<Value>,
        criteria: Vec<Value>,
    ) {
        let case = self.driver.case(operation);
        let own = self.driver.operation(operation);
        let mut step = Map::new();
        step.insert("stepId".to_owned(), json!(id));
        match own.id {
            Some(id) => step.insert("operationId".to_owned(), json!(id)),
            None => {
                let at = pointer::join(
                    &pointer::join("/paths", own.path),
                    &own.method.to_lowercase(),
                );
                step.insert(
                    "operationPath".to_owned(),
                    json!(format!("{{$sourceDescriptions.{SOURCE}.url}}#{at}")),
                )
            }
        };
        let mut parameters: Vec<Value> = template_names(own.path)
            .into_iter()
            .zip(path)
            .map(|(name, value)| json!({ "name": name, "in": "path", "value": value }))
            .collect();
        // Required headers, such as the version of the API.
        let headers = case
            .as_ref()
            .map(|case| case.headers.clone())
            .unwrap_or_default();
        let is_free =
            |name: &str| name != "Cookie" && !self.driver.session.judge.secrets.is_credential(name);
        parameters.extend(
            headers
                .into_iter()
                .filter(|(name, _)| is_free(name))
                .map(|(name, value)| json!({ "name": name, "in": "header", "value": value })),
        );
        let queries = case
            .as_ref()
            .map(|case| case.query.clone())
            .unwrap_or_default();
        let query = |(name, value): (String, String)| json!({ "name": name, "in": "query", "value": crate::case::serialize::decode(&value) });
        parameters.extend(queries.into_iter().map(query));
        if !parameters.is_empty() {
            step.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some(body) = body {
            let media = case
                .and_then(|case| case.body?.content_type)
                .unwrap_or_else(|| "application/json".to_owned());
            // Multipart has a boundary, which is made with the body.
            let media = media
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            step.insert(
                "requestBody".to_owned(),
                json!({ "contentType": media, "payload": body }),
            );
        }
        if !criteria.is_empty() {
            step.insert("successCriteria".to_owned(), Value::Array(criteria));
        }
        self.steps.push(Value::Object(step));
    }
}

/// Another value of the same type.
fn another(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text} and more")),
        Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 1.0),
        Value::Bool(set) => json!(!set),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_and_differ() {
        let mut names = HashSet::new();
        let mut of = |path: &str| unused(&mut names, identifier(path));
        assert_eq!(of("/bookShelves/{id}/notes"), "book-shelves-notes");
        assert_eq!(of("/book-shelves/notes"), "book-shelves-notes-2");
        assert_eq!(of("/größen"), "gren");
        assert_eq!(
            (of("/"), of("/{a}")),
            ("items".to_owned(), "items-2".to_owned())
        );
    }
}
