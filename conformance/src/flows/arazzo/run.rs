//! Running workflows: step after step, as their criteria and actions say.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::driver::{Answer, Driver, Stopped, User, pause};
use super::expression::{Ended, Scope, StepOutputs};
use super::track::{keep_track, operation_of};
use super::{
    Action, Criterion, Description, Does, Parameter, Step, Target, Workflow, condition, request,
};
use crate::finding::{FlowFault, Severity};
use crate::rule::flows as rules;
use crate::session::is_safe;

/// Most steps of a run: actions may go back and forth forever, and workflows may run each other.
const STEPS: usize = 10_000;

/// How deep workflows may run each other.
const DEPTH: usize = 10;

/// The continuation after a step.
enum Next {
    Step(usize),
    Workflow(String),
    End { is_successful: bool },
}

/// Runs all workflows; each one once, also where several ask for it.
pub(in super::super) async fn run(
    driver: &mut Driver<'_>,
    description: &Description,
    inputs: &[(String, Value)],
) -> Result<(), Stopped> {
    let mut run = Run {
        description,
        given: inputs.iter().cloned().collect(),
        ended: BTreeMap::new(),
        steps_left: STEPS,
    };
    for workflow in &description.workflows {
        if run.ended.contains_key(&workflow.id) {
            continue;
        }
        let failed = workflow
            .depends_on
            .iter()
            .find(|id| run.ended.get(*id).is_none_or(|ended| !ended.is_successful));
        if let Some(failed) = failed {
            let cause = format!("not run, as the workflow `{failed}` did not succeed");
            run.not_observed(driver, workflow, &workflow.steps[0], cause);
            continue;
        }
        let inputs = run.inputs(workflow, &Map::new());
        let ended = run.workflow(driver, workflow, inputs, 0).await?;
        run.ended.insert(workflow.id.clone(), ended);
    }
    Ok(())
}

struct Run<'a> {
    description: &'a Description,
    /// Inputs of the command line.
    given: Map<String, Value>,
    ended: BTreeMap<String, Ended>,
    steps_left: usize,
}

/// The result of a step.
struct Done {
    is_successful: bool,
    /// Whether a finding tells already why not.
    is_told: bool,
    outputs: Map<String, Value>,
    answer: Option<Answer>,
    path: Vec<(String, String)>,
    /// The criterion that was not met, or why the step was not carried out.
    unmet: Option<Result<String, String>>,
}

impl Run<'_> {
    /// The inputs of a workflow: given by a step, by the command line, or by default.
    fn inputs(&self, workflow: &Workflow, given: &Map<String, Value>) -> Map<String, Value> {
        let mut inputs = self.given.clone();
        for (name, default) in &workflow.inputs {
            if let (Some(default), false) = (default, inputs.contains_key(name)) {
                inputs.insert(name.clone(), default.clone());
            }
        }
        inputs.extend(given.clone());
        inputs
    }

    async fn workflow(
        &mut self,
        driver: &mut Driver<'_>,
        workflow: &Workflow,
        inputs: Map<String, Value>,
        depth: usize,
    ) -> Result<Ended, Stopped> {
        let mut steps: StepOutputs = BTreeMap::new();
        let mut retries: BTreeMap<&str, u32> = BTreeMap::new();
        let mut index = 0;
        let mut is_successful = true;
        while let Some(step) = workflow.steps.get(index) {
            let Some(left) = self.steps_left.checked_sub(1) else {
                let cause = format!("not run, as a run has at most {STEPS} steps");
                self.not_observed(driver, workflow, step, cause);
                is_successful = false;
                break;
            };
            self.steps_left = left;
            let done = self
                .step(driver, workflow, step, (&inputs, &steps), depth)
                .await?;
            steps.insert(step.id.clone(), done.outputs.clone());
            let (own, common) = match done.is_successful {
                true => (&step.on_success, &workflow.on_success),
                false => (&step.on_failure, &workflow.on_failure),
            };
            let scope = Scope {
                inputs: &inputs,
                steps: &steps,
                workflows: &self.ended,
                answer: done
                    .answer
                    .as_ref()
                    .map(|answer| (answer, done.path.as_slice())),
            };
            let is_open = |action: &&Action| {
                let is_retry_left = match action.does {
                    Does::Retry { limit, .. } => {
                        retries.get(step.id.as_str()).copied().unwrap_or_default() < limit
                    }
                    Does::End | Does::Step(_) | Does::Workflow(_) => true,
                };
                is_retry_left
                    && action
                        .criteria
                        .iter()
                        .all(|criterion| condition::is_met(criterion, &scope))
            };
            let action = own.iter().chain(common).find(is_open);
            let next = match action.map(|action| &action.does) {
                Some(Does::Retry { after, .. }) => {
                    *retries.entry(step.id.as_str()).or_default() += 1;
                    wait(driver, *after).await?;
                    Next::Step(index)
                }
                Some(Does::Step(id)) => Next::Step(
                    workflow
                        .steps
                        .iter()
                        .position(|step| step.id == *id)
                        .unwrap_or(usize::MAX),
                ),
                Some(Does::Workflow(id)) => Next::Workflow(id.clone()),
                Some(Does::End) => Next::End {
                    is_successful: done.is_successful,
                },
                None if done.is_successful => Next::Step(index + 1),
                None => Next::End {
                    is_successful: false,
                },
            };
            // A failure that an action takes care of is one that the author of the file expects.
            if action.is_none() && !done.is_successful && !done.is_told {
                self.tell(driver, workflow, step, &done);
            }
            match next {
                Next::Step(next) => index = next,
                Next::Workflow(_) if depth >= DEPTH => {
                    self.not_observed(driver, workflow, step, too_deep());
                    is_successful = false;
                    break;
                }
                Next::Workflow(id) => {
                    is_successful = self
                        .other(driver, &id, &Map::new(), depth)
                        .await?
                        .is_successful;
                    break;
                }
                Next::End {
                    is_successful: ended,
                } => {
                    is_successful = ended;
                    break;
                }
            }
        }
        let scope = Scope {
            inputs: &inputs,
            steps: &steps,
            workflows: &self.ended,
            answer: None,
        };
        let outputs = workflow
            .outputs
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), scope.resolve(value).ok()?)));
        let outputs = outputs.collect();
        Ok(Ended {
            inputs,
            outputs,
            is_successful,
        })
    }

    /// Runs another workflow, for a step or an action; the caller refuses to go deeper than [`DEPTH`].
    async fn other(
        &mut self,
        driver: &mut Driver<'_>,
        id: &str,
        given: &Map<String, Value>,
        depth: usize,
    ) -> Result<Ended, Stopped> {
        let found = self
            .description
            .workflows
            .iter()
            .find(|workflow| workflow.id == id);
        let Some(workflow) = found else {
            return Ok(Ended::default());
        };
        let inputs = self.inputs(workflow, given);
        let ended = Box::pin(self.workflow(driver, workflow, inputs, depth + 1)).await?;
        self.ended.insert(id.to_owned(), ended.clone());
        Ok(ended)
    }

    async fn step(
        &mut self,
        driver: &mut Driver<'_>,
        workflow: &Workflow,
        step: &Step,
        (inputs, steps): (&Map<String, Value>, &StepOutputs),
        depth: usize,
    ) -> Result<Done, Stopped> {
        let mut done = Done {
            is_successful: false,
            is_told: false,
            outputs: Map::new(),
            answer: None,
            path: Vec::new(),
            unmet: None,
        };
        let scope = Scope {
            inputs,
            steps,
            workflows: &self.ended,
            answer: None,
        };
        let pointer = match &step.target {
            Target::Workflow(_) if depth >= DEPTH => {
                done.unmet = Some(Err(too_deep()));
                return Ok(done);
            }
            Target::Workflow(id) => {
                let mut given = Map::new();
                for Parameter { name, value, .. } in &step.parameters {
                    match scope.resolve(value) {
                        Ok(value) => given.insert(name.clone(), value),
                        Err(cause) => {
                            done.unmet = Some(Err(cause));
                            return Ok(done);
                        }
                    };
                }
                let ended = self.other(driver, id, &given, depth).await?;
                done.is_successful = ended.is_successful;
                done.is_told = true;
                done.outputs = ended.outputs.clone();
                let scope = Scope {
                    inputs,
                    steps,
                    workflows: &self.ended,
                    answer: None,
                };
                let named = step
                    .outputs
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), scope.resolve(value).ok()?)));
                done.outputs.extend(named);
                let mut steps = steps.clone();
                steps.insert(step.id.clone(), done.outputs.clone());
                let scope = Scope {
                    steps: &steps,
                    ..scope
                };
                if done.is_successful {
                    let unmet = |criterion: &&Criterion| !condition::is_met(criterion, &scope);
                    done.unmet = step.criteria.iter().find(unmet).map(|one| Ok(shown(one)));
                    done.is_successful = done.unmet.is_none();
                    done.is_told = done.is_successful;
                }
                return Ok(done);
            }
            Target::Operation(pointer) => pointer,
        };
        let Some(operation) = driver
            .session
            .operations
            .iter()
            .position(|one| one.pointer == *pointer)
        else {
            done.unmet = Some(Err("the operation is not in the document".to_owned()));
            return Ok(done);
        };
        if driver.settings.safe && !is_safe(&driver.operation(operation).method) {
            done.unmet = Some(Err(
                "not sent, as --safe leaves out what changes something".to_owned()
            ));
            return Ok(done);
        }
        let mut case = driver.bare(operation);
        // Parameters of the step come before those of its workflow.
        let is_new = |parameter: &&Parameter| {
            !step
                .parameters
                .iter()
                .any(|own| own.name == parameter.name && own.place == parameter.place)
        };
        let mut parameters = step.parameters.clone();
        let names = |parameter: &&Parameter| {
            let declared = driver
                .operation(operation)
                .parameters(driver.session.document);
            parameter.place.as_deref() != Some("path")
                || declared.iter().any(|one| {
                    one.value.get("name").and_then(Value::as_str) == Some(&parameter.name)
                })
        };
        parameters.extend(
            workflow
                .parameters
                .iter()
                .filter(is_new)
                .filter(names)
                .cloned(),
        );
        let target = (driver.session.document, driver.operation(operation));
        let path = match request::fill(&mut case, target, &parameters, step.body.as_ref(), &scope) {
            Ok(path) => path,
            Err(cause) => {
                done.unmet = Some(Err(cause));
                return Ok(done);
            }
        };
        if driver.session.stopped() {
            return Err(Stopped);
        }
        let sent = case.body.as_ref().and_then(|body| body.value.clone());
        let answer = driver
            .dispatch(operation, case, &path, None, User::First)
            .await;
        keep_track(driver, operation, &path, sent, &answer);
        let scope = Scope {
            inputs,
            steps,
            workflows: &self.ended,
            answer: Some((&answer, &path)),
        };
        let unmet = step
            .criteria
            .iter()
            .find(|criterion| !condition::is_met(criterion, &scope))
            .map(shown);
        done.unmet = match unmet {
            Some(unmet) => Some(Ok(unmet)),
            None if step.criteria.is_empty() && !(200..400).contains(&answer.status) => {
                Some(Ok("$statusCode < 400".to_owned()))
            }
            None => None,
        };
        done.is_successful = done.unmet.is_none();
        for (name, value) in &step.outputs {
            // A missing output shows where it is used.
            if let Ok(value) = scope.resolve(value) {
                done.outputs.insert(name.clone(), value);
            }
        }
        done.answer = Some(answer);
        done.path = path;
        Ok(done)
    }

    /// Tells that a step did not succeed.
    fn tell(&self, driver: &mut Driver<'_>, workflow: &Workflow, step: &Step, done: &Done) {
        let (workflow_id, step_id) = (workflow.id.clone(), step.id.clone());
        let Some(operation) = operation_of(driver, workflow, step) else {
            return;
        };
        match &done.unmet {
            Some(Err(cause)) => self.not_observed(driver, workflow, step, cause.clone()),
            unmet => {
                let condition = unmet
                    .as_ref()
                    .and_then(|unmet| unmet.as_ref().ok())
                    .cloned()
                    .unwrap_or_default();
                let status = done
                    .answer
                    .as_ref()
                    .map(|answer| answer.status)
                    .filter(|status| *status > 0);
                let fault = FlowFault::Criterion {
                    workflow: workflow_id,
                    step: step_id,
                    condition,
                    status,
                };
                driver.note(
                    rules::FLOW_CRITERION,
                    operation,
                    fault,
                    done.answer.as_ref(),
                );
            }
        }
    }

    fn not_observed(
        &self,
        driver: &mut Driver<'_>,
        workflow: &Workflow,
        step: &Step,
        cause: String,
    ) {
        let Some(operation) = operation_of(driver, workflow, step) else {
            return;
        };
        let fault = FlowFault::Step {
            workflow: workflow.id.clone(),
            step: step.id.clone(),
            cause,
        };
        driver.note_as(
            rules::FLOW_NOT_OBSERVED,
            Severity::Undecided,
            operation,
            fault,
            None,
        );
    }
}

fn too_deep() -> String {
    format!("not run, as workflows run each other more than {DEPTH} levels deep")
}

/// Waits before a step is sent again, but not longer than the run goes on.
async fn wait(driver: &Driver<'_>, seconds: f64) -> Result<(), Stopped> {
    let mut left = seconds;
    while left > 0.0 {
        if driver.session.stopped() {
            return Err(Stopped);
        }
        pause(left.min(0.1)).await;
        left -= 0.1;
    }
    Ok(())
}

/// A criterion as its file has it.
fn shown(criterion: &Criterion) -> String {
    match &criterion.context {
        Some(context) => format!("{} of {context}", criterion.condition),
        None => criterion.condition.clone(),
    }
}
