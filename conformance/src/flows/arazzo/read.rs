//! From a file to workflows, with its references followed and its names checked.

use std::collections::HashSet;

use serde_json::Value;

use super::members::{Node, invalid};
use super::step::Reader;
use super::{ArazzoError, Description, Workflow};
use crate::document::{Document, pointer};

/// Reads the Arazzo description in a file, as [`read()`] does.
///
/// # Errors
/// When the file cannot be read or is too large, and as [`read()`].
pub fn load(file: &str, document: &Document) -> Result<Description, ArazzoError> {
    let text = crate::document::plain_text(file)?;
    read(file, &text, document)
}

/// Reads an Arazzo description, whose operations are those of `document`.
///
/// # Errors
/// When the text is not JSON or YAML, or not a description that can be run; the message names the place.
pub fn read(name: &str, text: &str, document: &Document) -> Result<Description, ArazzoError> {
    let value = crate::document::plain_value(name, text)?;
    let known = [
        "arazzo",
        "info",
        "sourceDescriptions",
        "workflows",
        "components",
    ];
    let root = Node::new(name, String::new(), &value, &known)?;
    let version = root.required("arazzo")?;
    if !version.starts_with("1.0.") && !version.starts_with("1.1.") {
        return Err(root.invalid(&format!(
            "`arazzo: {version}` is not supported; write a description of version 1.0.1"
        )));
    }
    let info = root
        .get("info")
        .ok_or_else(|| root.invalid("`info` is missing"))?;
    let info = Node::new(
        name,
        "/info".to_owned(),
        info,
        &["title", "summary", "description", "version"],
    )?;
    info.required("title")?;
    info.required("version")?;
    let sources = sources(&root)?;
    let components = root.get("components").cloned().unwrap_or_default();
    let operations = document.operations();
    let reader = Reader {
        file: name,
        components: &components,
        operations: &operations,
        sources: &sources,
    };
    let mut workflows = Vec::new();
    for (at, value) in root.list("workflows")? {
        workflows.push(workflow(&reader, at, value)?);
    }
    if workflows.is_empty() {
        return Err(root.invalid("`workflows` has to have at least one workflow"));
    }
    check_names(&root, &workflows)?;
    Ok(Description {
        workflows: ordered(&root, workflows)?,
    })
}

/// The names of the source descriptions.
fn sources(root: &Node<'_>) -> Result<Vec<String>, ArazzoError> {
    let mut names = Vec::new();
    for (at, value) in root.list("sourceDescriptions")? {
        let node = Node::new(root.file, at, value, &["name", "url", "type"])?;
        node.required("url")?;
        if let Some(kind) = node.text("type")?.filter(|kind| kind != "openapi") {
            return Err(node.invalid(&format!(
                "sources of type `{kind}` are not supported; use openapi"
            )));
        }
        names.push(node.required("name")?);
    }
    match names.is_empty() {
        true => Err(root.invalid("`sourceDescriptions` has to have at least one source")),
        false => Ok(names),
    }
}

fn workflow(reader: &Reader<'_>, at: String, value: &Value) -> Result<Workflow, ArazzoError> {
    let known = [
        "workflowId",
        "summary",
        "description",
        "inputs",
        "dependsOn",
        "steps",
        "successActions",
        "failureActions",
        "outputs",
        "parameters",
    ];
    let node = Node::new(reader.file, at, value, &known)?;
    let mut workflow = Workflow {
        id: node.required("workflowId")?,
        ..Workflow::default()
    };
    if let Some(inputs) = node.get("inputs") {
        workflow.inputs = reader.inputs(&node, inputs)?;
    }
    for (at, value) in node.list("dependsOn")? {
        let name = value
            .as_str()
            .ok_or_else(|| invalid(reader.file, &at, "expected the id of a workflow"))?;
        workflow.depends_on.push(name.to_owned());
    }
    workflow.parameters = reader.parameters(&node)?;
    workflow.on_success = reader.actions(&node, "successActions")?;
    workflow.on_failure = reader.actions(&node, "failureActions")?;
    workflow.outputs = reader.outputs(&node)?;
    for (at, value) in node.list("steps")? {
        workflow.steps.push(reader.step(at, value)?);
    }
    match workflow.steps.is_empty() {
        true => Err(node.invalid("`steps` has to have at least one step")),
        false => Ok(workflow),
    }
}

/// Refuses ids that stand twice, and those that nothing has.
fn check_names(root: &Node<'_>, workflows: &[Workflow]) -> Result<(), ArazzoError> {
    use super::{Does, Target};
    let mut known = HashSet::new();
    for workflow in workflows {
        if !known.insert(workflow.id.as_str()) {
            return Err(root.invalid(&format!("two workflows have the id `{}`", workflow.id)));
        }
    }
    let has = |id: &str| known.contains(id);
    for (index, workflow) in workflows.iter().enumerate() {
        let at = pointer::index("/workflows", index);
        let refuse = |problem: String| Err(invalid(root.file, &at, &problem));
        let mut steps = HashSet::new();
        for step in &workflow.steps {
            if !steps.insert(step.id.as_str()) {
                return refuse(format!("two steps have the id `{}`", step.id));
            }
        }
        if let Some(id) = workflow.depends_on.iter().find(|id| !has(id)) {
            return refuse(format!("`dependsOn` names `{id}`, which is not a workflow"));
        }
        let own = workflow
            .steps
            .iter()
            .flat_map(|step| step.on_success.iter().chain(&step.on_failure));
        for action in own.chain(&workflow.on_success).chain(&workflow.on_failure) {
            match &action.does {
                Does::Step(id) if !steps.contains(id.as_str()) => {
                    return refuse(format!("an action goes to `{id}`, which is not a step"));
                }
                Does::Workflow(id) if !has(id) => {
                    return refuse(format!("an action goes to `{id}`, which is not a workflow"));
                }
                Does::Step(_) | Does::Workflow(_) | Does::End | Does::Retry { .. } => {}
            }
        }
        for step in &workflow.steps {
            if let Target::Workflow(id) = &step.target
                && !has(id)
            {
                return refuse(format!(
                    "step `{}` runs `{id}`, which is not a workflow",
                    step.id
                ));
            }
        }
    }
    Ok(())
}

/// The workflows, each after those that it depends on.
fn ordered(root: &Node<'_>, mut open: Vec<Workflow>) -> Result<Vec<Workflow>, ArazzoError> {
    let mut done: Vec<Workflow> = Vec::new();
    while !open.is_empty() {
        let is_ready = |workflow: &Workflow| {
            workflow
                .depends_on
                .iter()
                .all(|id| done.iter().any(|known| known.id == *id))
        };
        let Some(index) = open.iter().position(is_ready) else {
            let names: Vec<&str> = open.iter().map(|workflow| workflow.id.as_str()).collect();
            return Err(root.invalid(&format!(
                "workflows depend on each other in a circle: {}",
                names.join(", ")
            )));
        };
        done.push(open.remove(index));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /notes:\n    post: {operationId: createNote, responses: {}}\n  /notes/{id}:\n    get: {responses: {}}\n";

    fn loaded(workflows: &str) -> Result<Description, String> {
        let document = Document::parse("t", DOCUMENT).unwrap();
        let text = format!(
            "arazzo: 1.0.1\ninfo: {{title: t, version: '1'}}\nsourceDescriptions: [{{name: api, url: ./openapi.yaml, type: openapi}}]\nworkflows:\n{workflows}\n"
        );
        read("flows.yaml", &text, &document).map_err(|error| error.to_string())
    }

    #[test]
    fn steps_name_operations_by_id_or_path() {
        for step in [
            "operationId: createNote",
            "operationId: $sourceDescriptions.api.createNote",
            "operationPath: '{$sourceDescriptions.api.url}#/paths/~1notes/post'",
            "operationPath: '$sourceDescriptions.api#/paths/~1notes/post'",
        ] {
            let found = loaded(&format!(
                "  - {{workflowId: w, steps: [{{stepId: s, {step}}}]}}"
            ))
            .unwrap();
            assert_eq!(
                found.workflows[0].steps[0].target,
                super::super::Target::Operation("/paths/~1notes/post".to_owned())
            );
        }
    }

    #[test]
    fn workflows_come_after_those_that_they_depend_on() {
        let one = |id: &str, depends: &str| {
            format!(
                "  - {{workflowId: {id}, dependsOn: [{depends}], steps: [{{stepId: s, operationId: createNote}}]}}\n"
            )
        };
        let found = loaded(&[one("a", "b"), one("b", ""), one("c", "a, b")].concat()).unwrap();
        let ids: Vec<&str> = found
            .workflows
            .iter()
            .map(|workflow| workflow.id.as_str())
            .collect();
        assert_eq!(ids, ["b", "a", "c"]);
    }

    #[test]
    fn what_cannot_be_run_is_said_with_its_place() {
        let step = |step: &str| format!("  - {{workflowId: w, steps: [{{stepId: s, {step}}}]}}");
        let note = "operationId: createNote";
        for (workflows, part) in [
            (
                "  []".to_owned(),
                "`workflows` has to have at least one workflow",
            ),
            (
                "  - {workflowId: w, steps: []}".to_owned(),
                "/workflows/0: `steps` has to have at least one step",
            ),
            (
                step("operationID: createNote"),
                "/workflows/0/steps/0: unknown member `operationID`; did you mean `operationId`?",
            ),
            (
                step("operationId: createNotes"),
                "no operation has the id `createNotes`; did you mean `createNote`?",
            ),
            (
                step("operationPath: '{$sourceDescriptions.api.url}#/paths/~1notes/put'"),
                "no operation is at",
            ),
            (step("operationPath: /notes"), "write `operationPath` as"),
            (
                step("operationId: $sourceDescriptions.other.createNote"),
                "no source description has the name `other`",
            ),
            (
                step("description: nothing"),
                "one of `operationId`, `operationPath` and `workflowId`",
            ),
            (
                step(&format!("{note}, workflowId: w")),
                "one of `operationId`, `operationPath` and `workflowId`",
            ),
            (step("workflowId: x"), "runs `x`, which is not a workflow"),
            (
                step(&format!(
                    "{note}, successCriteria: [{{condition: $statusCode ==}}]"
                )),
                "/successCriteria/0: ",
            ),
            (
                step(&format!(
                    "{note}, successCriteria: [{{condition: //a, context: $response.body, type: xpath}}]"
                )),
                "xpath",
            ),
            (
                step(&format!(
                    "{note}, successCriteria: [{{condition: '$[', context: $response.body, type: jsonpath}}]"
                )),
                "JSONPath",
            ),
            (
                step(&format!(
                    "{note}, successCriteria: [{{condition: '(', context: $statusCode, type: regex}}]"
                )),
                "regular expression",
            ),
            (
                step(&format!(
                    "{note}, successCriteria: [{{condition: a, type: regex}}]"
                )),
                "`context` is missing",
            ),
            (
                step(&format!("{note}, outputs: {{id: $respons.body}}")),
                "`$respons.body` is not a runtime expression",
            ),
            (
                step(&format!(
                    "{note}, onSuccess: [{{name: n, type: goto, stepId: t}}]"
                )),
                "goes to `t`, which is not a step",
            ),
            (
                step(&format!("{note}, onFailure: [{{name: n, type: again}}]")),
                "`type` has to be end, goto or retry",
            ),
            (
                step(&format!(
                    "{note}, onFailure: [{{name: n, type: retry, stepId: s}}]"
                )),
                "remove `stepId` and `workflowId`",
            ),
            (
                step(&format!(
                    "{note}, onFailure: [{{name: n, type: retry, retryAfter: soon}}]"
                )),
                "`retryAfter` has to be a number of seconds",
            ),
            (
                step(&format!(
                    "{note}, onFailure: [{{name: n, type: retry, retryLimit: 1.5}}]"
                )),
                "`retryLimit` has to be a whole number",
            ),
            (
                step("workflowId: w, requestBody: {payload: 1}"),
                "has no `requestBody`",
            ),
            (
                step(&format!(
                    "{note}, parameters: [{{reference: $components.parameters.none}}]"
                )),
                "`$components.parameters.none` leads nowhere",
            ),
            (
                step(&format!(
                    "{note}, parameters: [{{name: id, in: body, value: 1}}]"
                )),
                "`in` has to be path, query, header or cookie",
            ),
            (
                format!("  - {{workflowId: w, dependsOn: [w], steps: [{{stepId: s, {note}}}]}}"),
                "in a circle: w",
            ),
            (
                format!(
                    "  - {{workflowId: w, steps: [{{stepId: s, {note}}}, {{stepId: s, {note}}}]}}"
                ),
                "two steps have the id `s`",
            ),
        ] {
            let message = loaded(&workflows).unwrap_err();
            assert!(
                message.starts_with("flows.yaml: ") && message.contains(part),
                "{message}\nexpected {part}"
            );
        }
        let document = Document::parse("t", DOCUMENT).unwrap();
        assert!(read("f", "{", &document).is_err());
        assert!(
            read("f", "arazzo: 2.0.0", &document)
                .unwrap_err()
                .to_string()
                .contains("2.0.0")
        );
    }
}
