//! The request of a step.

use serde_json::Value;

use super::expression::Scope;
use super::{Parameter, Payload};
use crate::case::serialize::{self, Style};
use crate::case::{Body, Case};
use crate::document::{Document, Operation, pointer};
use crate::samples::{encodings, media_types};

/// Puts the parameters and the body of a step into the plain call of its operation; gives the values of the path parameters.
///
/// # Errors
/// Says what has no value, or cannot be written.
pub(super) fn fill(
    case: &mut Case,
    (document, operation): (&Document, &Operation<'_>),
    parameters: &[Parameter],
    body: Option<&Payload>,
    scope: &Scope<'_>,
) -> Result<Vec<(String, String)>, String> {
    let declared = operation.parameters(document);
    let mut path = Vec::new();
    let mut cookies = Vec::new();
    for Parameter { name, place, value } in parameters {
        let value = scope.resolve(value)?;
        let own = declared.iter().find(|one| {
            let is = |member: &str, wanted: &str| {
                one.value.get(member).and_then(Value::as_str) == Some(wanted)
            };
            is("name", name) && place.as_ref().is_none_or(|place| is("in", place))
        });
        let place = place.as_deref().or_else(|| own?.value.get("in")?.as_str());
        let Some(place) = place else {
            return Err(format!(
                "the operation has no parameter `{name}`; say where it goes with `in`"
            ));
        };
        let style = Style::of(own.map_or(&Value::Null, |one| one.value), place);
        match place {
            "path" => path.push((name.clone(), serialize::path(name, &value, &style))),
            "query" => case.query.extend(serialize::query(name, &value, &style)),
            "header" => case
                .headers
                .push((name.clone(), serialize::header(&value, &style))),
            _ => cookies.push(serialize::cookie(name, &value, &style)),
        }
    }
    if !cookies.is_empty() {
        case.headers.push(("Cookie".to_owned(), cookies.join("; ")));
    }
    for name in crate::samples::template_names(operation.path) {
        if !path.iter().any(|(known, _)| *known == name) {
            return Err(format!("the path parameter `{name}` has no value"));
        }
    }
    if let Some(payload) = body {
        case.body = self::body(document, operation, payload, scope)?;
    }
    Ok(path)
}

fn body(
    document: &Document,
    operation: &Operation<'_>,
    payload: &Payload,
    scope: &Scope<'_>,
) -> Result<Option<Body>, String> {
    let Some(value) = &payload.value else {
        return Ok(None);
    };
    let owner = operation.request_body(document);
    let media = owner
        .map(|owner| media_types(document, &owner))
        .unwrap_or_default();
    let documented = match &payload.content_type {
        Some(name) => media.iter().find(|(known, _)| known == name),
        None => media.first(),
    };
    let name = payload
        .content_type
        .clone()
        .or_else(|| Some(documented?.0.clone()));
    let name = name.unwrap_or_else(|| "application/json".to_owned());
    let mut value = scope.resolve(value)?;
    for (target, new) in &payload.replacements {
        let new = scope.resolve(new)?;
        replace(&mut value, target, new)?;
    }
    // A text in the place of JSON is JSON already.
    if let (Value::String(raw), true) = (&value, serialize::is_json(&name)) {
        return Ok(Some(Body {
            content_type: Some(name),
            bytes: raw.clone().into_bytes(),
            value: None,
        }));
    }
    let encodings = documented
        .map(|(_, media)| encodings(document, media))
        .unwrap_or_default();
    let written = serialize::body(&name, &value, &encodings);
    written
        .map(Some)
        .map_err(|_| format!("the payload cannot be written as {name}"))
}

/// Puts a value at a pointer; a last member that is missing is added.
fn replace(value: &mut Value, target: &str, new: Value) -> Result<(), String> {
    if let Some(place) = value.pointer_mut(target) {
        *place = new;
        return Ok(());
    }
    let last = pointer::tokens(target).last().unwrap_or_default();
    let parent = value
        .pointer_mut(pointer::parent(target))
        .and_then(Value::as_object_mut);
    let parent = parent.ok_or_else(|| format!("the payload has nothing at `{target}`"))?;
    parent.insert(last, new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::expression::tests::with;
    use super::*;

    #[test]
    fn parameters_and_payloads_are_written_as_the_document_says() {
        let text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a/{id}:\n    post:\n      parameters: [{in: path, name: id, required: true, schema: {type: string}}, {in: query, name: tags, explode: false, schema: {type: array}}, {in: header, name: X-H, schema: {type: string}}]\n      requestBody: {content: {application/json: {schema: {type: object}}}}\n      responses: {}\n";
        let document = Document::parse("t", text).unwrap();
        let operations = document.operations();
        let parameter = |name: &str, place: Option<&str>, value: Value| Parameter {
            name: name.to_owned(),
            place: place.map(str::to_owned),
            value,
        };
        let mut case = Case::new(&operations[0], String::new(), "2XX");
        let parameters = [
            parameter("id", Some("path"), json!("$inputs.user#/name")),
            parameter("tags", None, json!(["x", "y"])),
            parameter("X-H", Some("header"), json!("v-{$inputs.n}")),
            parameter("c", Some("cookie"), json!(1)),
        ];
        let payload = Payload {
            content_type: None,
            value: Some(json!({"n": "$inputs.n", "list": [{"k": 1}]})),
            replacements: vec![
                ("/list/0/k".to_owned(), json!("$response.body#/id")),
                ("/more".to_owned(), json!(true)),
            ],
        };
        let path = with(|scope| {
            fill(
                &mut case,
                (&document, &operations[0]),
                &parameters,
                Some(&payload),
                scope,
            )
        })
        .unwrap();
        assert_eq!(path, [("id".to_owned(), "me".to_owned())]);
        assert_eq!(serialize::query_string(&case.query), "tags=x,y");
        assert_eq!(
            case.headers,
            [
                ("X-H".to_owned(), "v-3".to_owned()),
                ("Cookie".to_owned(), "c=1".to_owned())
            ]
        );
        let body = case.body.clone().unwrap();
        assert_eq!(
            body.value,
            Some(json!({"n": 3, "list": [{"k": 7}], "more": true}))
        );
        let missing = with(|scope| fill(&mut case, (&document, &operations[0]), &[], None, scope));
        assert_eq!(missing.unwrap_err(), "the path parameter `id` has no value");
    }
}
