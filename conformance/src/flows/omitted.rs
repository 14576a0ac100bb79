//! Query parameters with a documented default: without the parameter a response is what it is with the default.

use serde_json::Value;

use super::driver::{Answer, Call, Driver, Stopped};
use super::shape;
use crate::case::serialize::text;
use crate::document::pointer;
use crate::finding::FlowFault;
use crate::rule::flows as rules;

/// Most parameters of an operation that are tried.
const PARAMETERS: usize = 6;

impl Driver<'_> {
    /// Asks an operation that reads without each of its parameters that have a default, and with the default.
    pub(super) async fn omitted(
        &mut self,
        index: usize,
        operation: usize,
        path: &[String],
    ) -> Result<(), Stopped> {
        for (name, default) in self.documented_defaults(operation) {
            // Four responses: what changes meanwhile, or with each read, says nothing.
            let mut shown = Vec::new();
            let mut last = None;
            for is_given in [false, true, false, true] {
                let mut call = Call::new(operation, path);
                if is_given {
                    call.query = vec![(name.clone(), default.clone())];
                }
                let answer = self.send(call).await?;
                let Some(value) = self.compared(index, operation, &answer, &name) else {
                    break;
                };
                shown.push(value);
                last = Some(answer);
            }
            let [without, with, again, with_again] = &shown[..] else {
                continue;
            };
            if without == again && with == with_again && without != with {
                let count = |value: &Value| value.as_array().map(Vec::len);
                let fault = FlowFault::NotDefault {
                    asked: format!("{name}={default}"),
                    parameter: name,
                    items: count(without).zip(count(with)).filter(|(a, b)| a != b),
                };
                self.note(rules::OMITTED_AS_DEFAULT, operation, fault, last.as_ref());
            }
        }
        Ok(())
    }

    /// The optional query parameters of an operation with a scalar as their default, and the default as text.
    fn documented_defaults(&self, operation: usize) -> Vec<(String, String)> {
        let document = self.session.document;
        let subschemas = self.session.judge.schemas.subschemas();
        let parameters = self.operation(operation).parameters(document);
        let own = parameters.iter().filter_map(|one| {
            let member = |name| one.value.get(name).and_then(Value::as_str);
            let name = member("name").filter(|_| member("in") == Some("query"))?;
            let schema = pointer::join(&one.pointer, "schema");
            let all = subschemas.in_place(std::slice::from_ref(&schema));
            let default = all
                .iter()
                .find_map(|at| subschemas.object(at)?.get("default"))?;
            let is_scalar = default.is_string() || default.is_number() || default.is_boolean();
            let is_optional = one.value.get("required") != Some(&Value::Bool(true));
            (is_scalar && is_optional && self.bodies.is_valid(&schema, default))
                .then(|| (name.to_owned(), text(default)))
        });
        own.take(PARAMETERS).collect()
    }

    /// The part of a response that a parameter decides on: the items of a list, or all of it, without links that repeat the query.
    fn compared(
        &self,
        index: usize,
        operation: usize,
        answer: &Answer,
        parameter: &str,
    ) -> Option<Value> {
        let body = answer.body.as_ref().filter(|_| answer.is_ok())?;
        let resource = &self.resources[index];
        let at = match resource.list == Some(operation) {
            true => shape::items(body, &resource.name)?,
            false => String::new(),
        };
        let mut value = body.pointer(&at)?.clone();
        remove_links(&mut value, &format!("{parameter}="));
        Some(value)
    }
}

/// Removes texts that contain another one.
fn remove_links(value: &mut Value, part: &str) {
    match value {
        Value::String(text) if text.contains(part) => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(|item| remove_links(item, part)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| remove_links(member, part)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
