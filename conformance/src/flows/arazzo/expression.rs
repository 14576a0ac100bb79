//! Runtime expressions: what `$response.body#/id`, `$steps.create.outputs.id` and the like stand for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::call::Answer;
use crate::case::serialize::{decode, text};

/// Names that expressions may begin with.
const ROOTS: [&str; 11] = [
    "url",
    "method",
    "statusCode",
    "request",
    "response",
    "inputs",
    "outputs",
    "steps",
    "workflows",
    "sourceDescriptions",
    "components",
];

/// The result of a workflow.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended {
    pub(super) inputs: Map<String, Value>,
    pub(super) outputs: Map<String, Value>,
    pub(super) is_successful: bool,
}

/// The outputs of steps, by the id of the step.
pub(super) type StepOutputs = BTreeMap<String, Map<String, Value>>;

/// The values that expressions refer to.
pub(super) struct Scope<'a> {
    pub(super) inputs: &'a Map<String, Value>,
    /// The outputs of the steps so far.
    pub(super) steps: &'a StepOutputs,
    pub(super) workflows: &'a BTreeMap<String, Ended>,
    /// The exchange of this step, and the values of its path parameters.
    pub(super) answer: Option<(&'a Answer, &'a [(String, String)])>,
}

/// Refuses a value with a text that begins as an expression and is none.
pub(super) fn check(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(rest) => {
                let end = rest
                    .find(|letter: char| !letter.is_ascii_alphanumeric())
                    .unwrap_or(rest.len());
                let goes_on = rest[end..].starts_with('.');
                match ROOTS.contains(&&rest[..end]) || !goes_on {
                    true => Ok(()),
                    false => Err(format!(
                        "`{text}` is not a runtime expression; they begin with ${}",
                        ROOTS.join(", $")
                    )),
                }
            }
            None => Ok(()),
        },
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(members) => members.values().try_for_each(check),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn is_expression(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('$') else {
        return false;
    };
    let end = rest
        .find(|letter: char| !letter.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    ROOTS.contains(&&rest[..end]) && !text.contains(char::is_whitespace)
}

impl Scope<'_> {
    /// The value with its expressions replaced: a text that is one by the value, one within braces by its text.
    ///
    /// # Errors
    /// Names the expression that has no value.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) if is_expression(text) => self
                .evaluate(text)
                .ok_or_else(|| format!("`{text}` has no value"))?,
            Value::String(text) => Value::String(self.fill(text)?),
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.resolve(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => {
                let member =
                    |(name, value): (&String, &Value)| Ok((name.clone(), self.resolve(value)?));
                Value::Object(members.iter().map(member).collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// The text with the expressions in braces replaced.
    fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("{$") {
            let Some((expression, after)) = tail.split_once('}') else {
                break;
            };
            let expression = format!("${expression}");
            let value = self
                .evaluate(&expression)
                .ok_or_else(|| format!("`{expression}` has no value"))?;
            filled += before;
            filled += &self::text(&value);
            rest = after;
        }
        Ok(filled + rest)
    }

    /// The value of an expression; none where there is nothing.
    pub(super) fn evaluate(&self, expression: &str) -> Option<Value> {
        let rest = expression.strip_prefix('$')?;
        let (root, rest) = rest.split_at(rest.find(['.', '#', '[']).unwrap_or(rest.len()));
        match root {
            "url" => Some(Value::from(self.answer?.0.exchange.request.url.as_str())),
            "method" => Some(Value::from(self.answer?.0.exchange.request.method.as_str())),
            "statusCode" => Some(Value::from(self.answer?.0.status)),
            "request" => self.request(rest.strip_prefix('.')?),
            "response" => self.response(rest.strip_prefix('.')?),
            "inputs" => within(&Value::Object(self.inputs.clone()), rest),
            "steps" => {
                let (step, rest) = rest.strip_prefix('.')?.split_once(".outputs")?;
                within(&Value::Object(self.steps.get(step)?.clone()), rest)
            }
            "workflows" => {
                let rest = rest.strip_prefix('.')?;
                let (id, of, rest) = match rest.split_once(".outputs") {
                    Some((id, rest)) => (id, "outputs", rest),
                    None => {
                        let (id, rest) = rest.split_once(".inputs")?;
                        (id, "inputs", rest)
                    }
                };
                let ended = self.workflows.get(id)?;
                let all = if of == "outputs" {
                    &ended.outputs
                } else {
                    &ended.inputs
                };
                within(&Value::Object(all.clone()), rest)
            }
            _ => None,
        }
    }

    fn request(&self, rest: &str) -> Option<Value> {
        let (answer, path) = self.answer?;
        let request = &answer.exchange.request;
        let (place, name) = rest.split_at(rest.find(['.', '#', '[']).unwrap_or(rest.len()));
        let named = name.strip_prefix('.').unwrap_or(name);
        match place {
            "header" => {
                let found = request
                    .headers
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(named));
                found.map(|(_, value)| Value::from(value.as_str()))
            }
            "path" => path
                .iter()
                .find(|(known, _)| known == named)
                .map(|(_, value)| Value::from(decode(value))),
            "query" => {
                let url = url::Url::parse(&request.url).ok()?;
                let found = url.query_pairs().find(|(known, _)| known == named);
                found.map(|(_, value)| Value::from(value.into_owned()))
            }
            "body" => {
                let body = request.body.as_ref()?;
                let value = serde_json::from_slice(body)
                    .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(body).into_owned()));
                within(&value, name)
            }
            _ => None,
        }
    }

    fn response(&self, rest: &str) -> Option<Value> {
        let answer = self.answer?.0;
        let response = answer.exchange.response.as_ref()?;
        let (place, name) = rest.split_at(rest.find(['.', '#', '[']).unwrap_or(rest.len()));
        match place {
            "header" => answer
                .header(name.strip_prefix('.')?)
                .into_iter()
                .next()
                .map(Value::from),
            "body" => {
                let text = || Value::from(String::from_utf8_lossy(&response.body).into_owned());
                within(&answer.body.clone().unwrap_or_else(text), name)
            }
            _ => None,
        }
    }
}

/// Returns the part of a value at `#/pointer`, or at `.name[0].name`.
fn within(value: &Value, rest: &str) -> Option<Value> {
    if let Some(pointer) = rest.strip_prefix('#') {
        return value.pointer(pointer).cloned();
    }
    if rest.is_empty() {
        return Some(value.clone());
    }
    if let Some(rest) = rest.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        return within(value.get(index.trim().parse::<usize>().ok()?)?, rest);
    }
    let rest = rest.strip_prefix('.')?;
    // A name may have dots itself.
    let end = rest.find(['#', '[']).unwrap_or(rest.len());
    if let Some(found) = value.get(&rest[..end]) {
        return within(found, &rest[end..]);
    }
    let end = rest.find(['.', '#', '[']).unwrap_or(rest.len());
    within(value.get(&rest[..end])?, &rest[end..])
}

#[cfg(test)]
pub(in crate::flows::arazzo) mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::exchange::{Exchange, Request, Response};

    fn answer() -> Answer {
        let body = json!({"id": 7, "list": [{"name": "n"}], "a.b": true});
        Answer {
            status: 201,
            body: Some(body.clone()),
            exchange: Exchange {
                request: Request {
                    method: "POST".to_owned(),
                    url: "http://h/notes?page=2&q=a%20b".to_owned(),
                    headers: vec![("X-Key".to_owned(), "k".to_owned())],
                    body: Some(br#"{"title":"t"}"#.to_vec()),
                },
                response: Some(Response {
                    status: 201,
                    headers: vec![("location".to_owned(), b"/notes/7".to_vec())],
                    body: body.to_string().into_bytes(),
                }),
                failure: None,
                duration: Duration::ZERO,
            },
        }
    }

    pub(in crate::flows::arazzo) fn with<T>(run: impl FnOnce(&Scope<'_>) -> T) -> T {
        let inputs = json!({"user": {"name": "me"}, "n": 3})
            .as_object()
            .cloned()
            .unwrap();
        let outputs = json!({"id": "x", "all": {"k": [1, 2]}})
            .as_object()
            .cloned()
            .unwrap();
        let steps = BTreeMap::from([("create-it".to_owned(), outputs.clone())]);
        let ended = Ended {
            outputs,
            inputs: inputs.clone(),
            is_successful: true,
        };
        let workflows = BTreeMap::from([("first".to_owned(), ended)]);
        let path = [("id".to_owned(), "a%2Fb".to_owned())];
        let answer = answer();
        run(&Scope {
            inputs: &inputs,
            steps: &steps,
            workflows: &workflows,
            answer: Some((&answer, &path)),
        })
    }

    #[test]
    fn expressions_reach_every_part_of_an_exchange_and_what_came_before() {
        with(|scope| {
            for (expression, expected) in [
                ("$url", json!("http://h/notes?page=2&q=a%20b")),
                ("$method", json!("POST")),
                ("$statusCode", json!(201)),
                ("$request.header.x-key", json!("k")),
                ("$request.query.q", json!("a b")),
                ("$request.path.id", json!("a/b")),
                ("$request.body#/title", json!("t")),
                ("$response.header.Location", json!("/notes/7")),
                ("$response.body#/id", json!(7)),
                ("$response.body#/list/0/name", json!("n")),
                ("$response.body.list[0].name", json!("n")),
                ("$response.body.a.b", json!(true)),
                ("$inputs.n", json!(3)),
                ("$inputs.user#/name", json!("me")),
                ("$steps.create-it.outputs.id", json!("x")),
                ("$steps.create-it.outputs.all#/k/1", json!(2)),
                ("$workflows.first.outputs.id", json!("x")),
                ("$workflows.first.inputs.n", json!(3)),
            ] {
                assert_eq!(scope.evaluate(expression), Some(expected), "{expression}");
            }
            for expression in [
                "$response.body#/none",
                "$steps.none.outputs.id",
                "$inputs.none",
                "$response.header.none",
                "$url.x.y",
            ] {
                let found = scope.evaluate(expression);
                assert!(
                    found.is_none() || expression == "$url.x.y",
                    "{expression}: {found:?}"
                );
            }
        });
    }

    #[test]
    fn expressions_in_values_are_replaced_by_values_and_in_texts_by_text() {
        with(|scope| {
            let value = json!({"a": "$inputs.n", "b": "n is {$inputs.n}, {$response.body#/id}", "c": "costs $5", "d": ["$inputs.user"]});
            let expected =
                json!({"a": 3, "b": "n is 3, 7", "c": "costs $5", "d": [{"name": "me"}]});
            assert_eq!(scope.resolve(&value), Ok(expected));
            let message = scope.resolve(&json!("$inputs.none")).unwrap_err();
            assert_eq!(message, "`$inputs.none` has no value");
        });
    }
}
