//! Arazzo 1.0.1 descriptions: flows as a file that a person can read and edit.
//!
//! [`mod@read`] makes workflows of a file, `write` a file of inferred resources, and `run` sends the steps. Read are source descriptions of one
//! OpenAPI document, inputs with defaults, steps with `operationId`, `operationPath` or `workflowId`, parameters, request bodies with
//! replacements, criteria (simple, regex, jsonpath), outputs, actions (end, goto, retry), `dependsOn`, and components. Not read: other
//! Arazzo documents as sources, and criteria of `XPath`.

mod condition;
mod expression;
mod members;
mod read;
mod request;
mod run;
mod step;
mod track;
mod write;

use serde_json::Value;
use thiserror::Error;

pub(super) use run::run;
pub(super) use write::write;

pub use read::{load, read};

/// A file is not an Arazzo description that can be run.
#[derive(Debug, Error)]
pub enum ArazzoError {
    /// The file is not JSON or YAML.
    #[error(transparent)]
    Text(#[from] crate::document::LoadError),
    /// Something in it is wrong.
    #[error("{name}: {at}: {problem}")]
    Invalid {
        /// The file as the user gave it.
        name: String,
        /// JSON pointer of the place.
        at: String,
        /// The fault, and what to do.
        problem: String,
    },
}

/// The workflows of a file, in an order in which each comes after those that it depends on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Description {
    /// The workflows.
    pub workflows: Vec<Workflow>,
}

impl Description {
    /// The names of the inputs that its workflows declare.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        let all = self.workflows.iter().flat_map(|one| &one.inputs);
        all.map(|(name, _)| name.as_str())
    }
}

/// A sequence of steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Workflow {
    pub(super) id: String,
    /// Names of inputs with their defaults.
    pub(super) inputs: Vec<(String, Option<Value>)>,
    pub(super) depends_on: Vec<String>,
    pub(super) steps: Vec<Step>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) on_success: Vec<Action>,
    pub(super) on_failure: Vec<Action>,
    pub(super) outputs: Vec<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) target: Target,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Payload>,
    pub(super) criteria: Vec<Criterion>,
    pub(super) on_success: Vec<Action>,
    pub(super) on_failure: Vec<Action>,
    pub(super) outputs: Vec<(String, Value)>,
}

/// The target of a step: an operation or a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Calls the operation with this pointer in the document.
    Operation(String),
    /// Runs another workflow.
    Workflow(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// `path`, `query`, `header` or `cookie`; none for an input of a workflow.
    pub(super) place: Option<String>,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Payload {
    pub(super) content_type: Option<String>,
    /// The payload; the documented one where there is none.
    pub(super) value: Option<Value>,
    /// JSON pointers, and what stands there instead.
    pub(super) replacements: Vec<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Criterion {
    pub(super) context: Option<String>,
    pub(super) condition: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Simple,
    Regex,
    JsonPath,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Action {
    pub(super) does: Does,
    pub(super) criteria: Vec<Criterion>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Does {
    End,
    /// Goes on with a step of this workflow.
    Step(String),
    /// Goes on with another workflow.
    Workflow(String),
    /// Sends the step again, at most so often, after so many seconds.
    Retry {
        after: f64,
        limit: u32,
    },
}
