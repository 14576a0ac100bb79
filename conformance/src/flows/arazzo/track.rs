//! Which operation a finding about a step belongs to, and what there is to delete after it.

use serde_json::Value;

use super::super::driver::{Answer, Driver, Live};
use super::{Step, Target, Workflow};

/// The operation of a step, or of another one of its workflow, which a finding has to be about.
pub(super) fn operation_of(driver: &Driver<'_>, workflow: &Workflow, step: &Step) -> Option<usize> {
    let index = |step: &Step| match &step.target {
        Target::Operation(pointer) => driver
            .session
            .operations
            .iter()
            .position(|one| one.pointer == *pointer),
        Target::Workflow(_) => None,
    };
    index(step)
        .or_else(|| workflow.steps.iter().find_map(index))
        .or((!driver.session.operations.is_empty()).then_some(0))
}

/// Remembers what a step created, and forgets what it deleted.
pub(super) fn keep_track(
    driver: &mut Driver<'_>,
    operation: usize,
    path: &[(String, String)],
    sent: Option<Value>,
    answer: &Answer,
) {
    if !answer.is_ok() {
        return;
    }
    let values: Vec<String> = path.iter().map(|(_, value)| value.clone()).collect();
    for (index, resource) in driver.resources.iter().enumerate() {
        if resource.create == Some(operation) {
            let before = driver.findings.len();
            driver.thing(index, &values, sent.clone(), answer.clone());
            // That no id was found is no concern of the file's author.
            driver.findings.truncate(before);
        }
        if resource.delete == Some(operation) {
            let gone = Live {
                resource: index,
                path: values.clone(),
            };
            driver.live.retain(|live| *live != gone);
        }
    }
}
