//! Reading steps: what they call, with what, and what has to come of it.

use serde_json::Value;

use super::members::{Node, invalid};
use super::{
    Action, ArazzoError, Criterion, Does, Kind, Parameter, Payload, Step, Target, condition,
    expression,
};
use crate::document::{Operation, pointer};
use crate::near;

/// How often a step is sent again, where the file does not say.
const RETRIES: u32 = 1;

/// How often a step is sent again at most.
const MOST_RETRIES: u32 = 100;

/// The longest time between two tries, in seconds.
const LONGEST_WAIT: f64 = 60.0;

/// The context that steps refer to.
pub(super) struct Reader<'v> {
    pub(super) file: &'v str,
    pub(super) components: &'v Value,
    pub(super) operations: &'v [Operation<'v>],
    pub(super) sources: &'v [String],
}

impl<'v> Reader<'v> {
    pub(super) fn step(&self, at: String, value: &'v Value) -> Result<Step, ArazzoError> {
        let known = [
            "description",
            "stepId",
            "operationId",
            "operationPath",
            "workflowId",
            "parameters",
            "requestBody",
            "successCriteria",
            "onSuccess",
            "onFailure",
            "outputs",
        ];
        let node = Node::new(self.file, at, value, &known)?;
        let mut criteria = Vec::new();
        for (at, value) in node.list("successCriteria")? {
            criteria.push(self.criterion(at, value)?);
        }
        let target = self.target(&node)?;
        if matches!(target, Target::Workflow(_)) && node.get("requestBody").is_some() {
            return Err(node.invalid("a step that runs a workflow has no `requestBody`"));
        }
        Ok(Step {
            id: node.required("stepId")?,
            target,
            parameters: self.parameters(&node)?,
            body: node
                .get("requestBody")
                .map(|body| self.payload(&node, body))
                .transpose()?,
            criteria,
            on_success: self.actions(&node, "onSuccess")?,
            on_failure: self.actions(&node, "onFailure")?,
            outputs: self.outputs(&node)?,
        })
    }

    fn target(&self, node: &Node<'_>) -> Result<Target, ArazzoError> {
        let (id, path, workflow) = (
            node.text("operationId")?,
            node.text("operationPath")?,
            node.text("workflowId")?,
        );
        match (id, path, workflow) {
            (Some(id), None, None) => {
                let id = self.of_source(node, &id)?;
                let found = self
                    .operations
                    .iter()
                    .find(|operation| operation.id == Some(&id));
                found
                    .map(|operation| Target::Operation(operation.pointer.clone()))
                    .ok_or_else(|| {
                        let known = self.operations.iter().filter_map(|operation| operation.id);
                        let hint = near::nearest(&id, known)
                            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                        node.invalid(&format!("no operation has the id `{id}`{hint}"))
                    })
            }
            (None, Some(path), None) => {
                let (source, at) = path.split_once('#').unwrap_or((&path, ""));
                if !source.contains("$sourceDescriptions.") || !at.starts_with("/paths/") {
                    return Err(node.invalid("write `operationPath` as {$sourceDescriptions.NAME.url}#/paths/~1notes/post"));
                }
                let found = self
                    .operations
                    .iter()
                    .find(|operation| pointer_of(operation) == at);
                let found = found.map(|operation| Target::Operation(operation.pointer.clone()));
                found.ok_or_else(|| node.invalid(&format!("no operation is at `{at}`")))
            }
            (None, None, Some(id)) => Ok(Target::Workflow(self.of_source(node, &id)?)),
            _ => {
                Err(node
                    .invalid("a step has one of `operationId`, `operationPath` and `workflowId`"))
            }
        }
    }

    /// The name without its source.
    fn of_source(&self, node: &Node<'_>, name: &str) -> Result<String, ArazzoError> {
        let Some(rest) = name.strip_prefix("$sourceDescriptions.") else {
            return Ok(name.to_owned());
        };
        match rest.split_once('.') {
            Some((source, id)) if self.sources.iter().any(|known| known == source) => {
                Ok(id.to_owned())
            }
            Some((source, _)) => {
                Err(node.invalid(&format!("no source description has the name `{source}`")))
            }
            None => Err(node.invalid(&format!("`{name}` names no operation"))),
        }
    }

    pub(super) fn parameters(&self, node: &Node<'v>) -> Result<Vec<Parameter>, ArazzoError> {
        let mut all = Vec::new();
        for (at, value) in node.list("parameters")? {
            let (at, own) = self.referred(at, value)?;
            let node = Node::new(self.file, at, own, &["name", "in", "value", "reference"])?;
            let place = node.text("in")?;
            if place.as_ref().is_some_and(|place| {
                !["path", "query", "header", "cookie"].contains(&place.as_str())
            }) {
                return Err(node.invalid("`in` has to be path, query, header or cookie"));
            }
            // Beside a reference stands the value of this use.
            let value = value.get("value").or_else(|| node.get("value")).cloned();
            let value = value.ok_or_else(|| node.invalid("`value` is missing"))?;
            self.expressions(&node, &value)?;
            all.push(Parameter {
                name: node.required("name")?,
                place,
                value,
            });
        }
        Ok(all)
    }

    /// The component that a `reference` names, or the value itself.
    fn referred(&self, at: String, value: &'v Value) -> Result<(String, &'v Value), ArazzoError> {
        let Some(reference) = value.get("reference") else {
            return Ok((at, value));
        };
        let name = reference.as_str().unwrap_or_default();
        let below = name
            .strip_prefix("$components.")
            .map(|path| format!("/{}", path.replacen('.', "/", 1)));
        let found = below
            .as_ref()
            .and_then(|below| self.components.pointer(below));
        match (below, found) {
            (Some(below), Some(found)) => Ok((format!("/components{below}"), found)),
            _ => Err(invalid(
                self.file,
                &at,
                &format!("`{name}` leads nowhere; write it as $components.parameters.NAME"),
            )),
        }
    }

    fn payload(&self, step: &Node<'v>, value: &'v Value) -> Result<Payload, ArazzoError> {
        let at = pointer::join(&step.at, "requestBody");
        let node = Node::new(
            self.file,
            at,
            value,
            &["contentType", "payload", "replacements"],
        )?;
        let payload = node.get("payload").cloned();
        if let Some(payload) = &payload {
            self.expressions(&node, payload)?;
        }
        let mut replacements = Vec::new();
        for (at, value) in node.list("replacements")? {
            let own = Node::new(self.file, at, value, &["target", "value"])?;
            let value = own
                .get("value")
                .cloned()
                .ok_or_else(|| own.invalid("`value` is missing"))?;
            self.expressions(&own, &value)?;
            let target = own.required("target")?;
            if !target.is_empty() && !target.starts_with('/') {
                return Err(own.invalid("`target` has to be a JSON pointer, such as /title"));
            }
            replacements.push((target, value));
        }
        Ok(Payload {
            content_type: node.text("contentType")?,
            value: payload,
            replacements,
        })
    }

    pub(super) fn criterion(&self, at: String, value: &'v Value) -> Result<Criterion, ArazzoError> {
        let node = Node::new(self.file, at, value, &["context", "condition", "type"])?;
        let context = node.text("context")?;
        if let Some(context) = &context {
            self.expressions(&node, &Value::from(context.as_str()))?;
        }
        let name = match node.get("type") {
            None => "simple",
            Some(Value::String(name)) => name.as_str(),
            Some(typed) => typed
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        };
        let kind = match name {
            "simple" => Kind::Simple,
            "regex" => Kind::Regex,
            "jsonpath" => Kind::JsonPath,
            "xpath" => {
                return Err(node.invalid(
                    "criteria of type xpath are not supported; use simple, regex or jsonpath",
                ));
            }
            _ => return Err(node.invalid("`type` has to be simple, regex or jsonpath")),
        };
        if kind != Kind::Simple && context.is_none() {
            return Err(
                node.invalid("`context` is missing, which says what the condition is about")
            );
        }
        let criterion = Criterion {
            context,
            condition: node.required("condition")?,
            kind,
        };
        condition::check(&criterion).map_err(|problem| node.invalid(&problem))?;
        Ok(criterion)
    }

    pub(super) fn actions(&self, node: &Node<'v>, name: &str) -> Result<Vec<Action>, ArazzoError> {
        let mut all = Vec::new();
        for (at, value) in node.list(name)? {
            let (at, value) = self.referred(at, value)?;
            let known = [
                "name",
                "type",
                "workflowId",
                "stepId",
                "retryAfter",
                "retryLimit",
                "criteria",
            ];
            let node = Node::new(self.file, at, value, &known)?;
            node.required("name")?;
            let (step, workflow) = (node.text("stepId")?, node.text("workflowId")?);
            let does = match (node.required("type")?.as_str(), step, workflow) {
                ("end", ..) => Does::End,
                ("goto", Some(step), None) => Does::Step(step),
                ("goto", None, Some(workflow)) => Does::Workflow(self.of_source(&node, &workflow)?),
                ("goto", ..) => {
                    return Err(
                        node.invalid("an action of type goto has one of `stepId` and `workflowId`")
                    );
                }
                ("retry", None, None) => retry(&node)?,
                ("retry", ..) => {
                    return Err(node.invalid(
                        "an action of type retry that runs something first is not supported; remove `stepId` and `workflowId`",
                    ));
                }
                _ => return Err(node.invalid("`type` has to be end, goto or retry")),
            };
            let mut criteria = Vec::new();
            for (at, value) in node.list("criteria")? {
                criteria.push(self.criterion(at, value)?);
            }
            all.push(Action { does, criteria });
        }
        Ok(all)
    }

    pub(super) fn outputs(&self, node: &Node<'v>) -> Result<Vec<(String, Value)>, ArazzoError> {
        let all = node.map("outputs")?;
        for (_, value) in &all {
            self.expressions(node, value)?;
        }
        Ok(all)
    }

    /// The inputs that a schema declares, with their defaults.
    pub(super) fn inputs(
        &self,
        node: &Node<'v>,
        schema: &'v Value,
    ) -> Result<Vec<(String, Option<Value>)>, ArazzoError> {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let schema = match reference {
            None => schema,
            Some(reference) => {
                let below = reference.strip_prefix("#/components").unwrap_or_default();
                let found = self.components.pointer(below).filter(|_| !below.is_empty());
                found.ok_or_else(|| node.invalid(&format!("`{reference}` leads nowhere")))?
            }
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let all = properties.into_iter().flatten();
        Ok(all
            .map(|(name, schema)| (name.clone(), schema.get("default").cloned()))
            .collect())
    }

    /// Refuses texts that begin as runtime expressions and are none.
    fn expressions(&self, node: &Node<'_>, value: &Value) -> Result<(), ArazzoError> {
        expression::check(value).map_err(|problem| node.invalid(&problem))
    }
}

fn retry(node: &Node<'_>) -> Result<Does, ArazzoError> {
    let after = match node.get("retryAfter") {
        None => 0.0,
        Some(seconds) => seconds
            .as_f64()
            .filter(|seconds| *seconds >= 0.0)
            .ok_or_else(|| node.invalid("`retryAfter` has to be a number of seconds"))?,
    };
    let limit = match node.get("retryLimit") {
        None => RETRIES,
        Some(limit) => limit
            .as_u64()
            .map(|limit| u32::try_from(limit).unwrap_or(u32::MAX).min(MOST_RETRIES))
            .ok_or_else(|| node.invalid("`retryLimit` has to be a whole number"))?,
    };
    Ok(Does::Retry {
        after: after.min(LONGEST_WAIT),
        limit,
    })
}

/// The pointer of an operation below `paths`, as files of Arazzo write it.
fn pointer_of(operation: &Operation<'_>) -> String {
    let path = pointer::join("/paths", operation.path);
    pointer::join(&path, &operation.method.to_lowercase())
}
