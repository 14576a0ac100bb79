//! What the run created: remembered while it runs, removed at its end.

use super::identity::id_in;
use super::template::{expand, prefix, same_shape};
use super::{PathValues, Run};
use crate::case::serialize::encode;
use crate::case::{Case, Intent};
use crate::check::succeeded;
use crate::exchange::Exchange;
use crate::finding::{Failure, ReplayStep, StepFailure};
use crate::samples::template_names;

/// Something that the run created and has to remove.
#[derive(Debug, Clone)]
pub(super) struct Created {
    /// Path template of one thing of the collection.
    pub(super) template: String,
    pub(super) values: PathValues,
}

impl Run<'_> {
    /// Remembers what an exchange created, forgets what it removed.
    pub(super) fn keep_track(&mut self, operation: usize, path: &PathValues, exchange: &Exchange) {
        if !succeeded(exchange) {
            return;
        }
        let method = exchange.request.method.as_str();
        let template = self.operations[operation].path;
        if method == "DELETE" {
            let gone = expand(template, path);
            self.created
                .retain(|created| expand(&created.template, &created.values) != gone);
        }
        if method != "POST" {
            return;
        }
        let item = |item: &str| {
            let name = template_names(item).pop()?;
            (same_shape(&prefix(item, &name, false), template) && item.ends_with('}'))
                .then_some(name)
        };
        let Some((item, name)) = self
            .operations
            .iter()
            .find_map(|one| Some((one.path, item(one.path)?)))
        else {
            return;
        };
        if let Some(id) = id_in(exchange, &name) {
            let names = template_names(item);
            let mut values: PathValues = names
                .into_iter()
                .zip(path.iter().map(|(_, value)| value.clone()))
                .collect();
            values.push((name, encode(&id)));
            self.created.push(Created {
                template: item.to_owned(),
                values,
            });
        }
    }

    /// Removes what was created, the newest first; says what stays.
    pub(super) async fn clean_up(&mut self) {
        while let Some(created) = self.created.pop() {
            let path = expand(&created.template, &created.values);
            let delete = self
                .operations
                .iter()
                .position(|one| one.method == "DELETE" && one.path == created.template);
            let reason = match delete {
                Some(delete) => self.delete(delete, &created.values).await,
                None => Some(StepFailure::NoOperation),
            };
            if let Some(reason) = reason {
                (self.progress)(ReplayStep::Left { path, reason });
            }
        }
    }

    /// Deletes one thing; says why it stays.
    async fn delete(&mut self, operation: usize, path: &PathValues) -> Option<StepFailure> {
        let sample = self.plans[operation]
            .cases
            .iter()
            .find(|case| case.succeeds() && !case.anonymous);
        let case = sample.cloned().unwrap_or_else(|| self.bare_case(operation));
        match self.send(self.request(&case, path)).await {
            Ok(Ok(exchange)) => match step_failure(&exchange) {
                // It is gone already, perhaps together with its parent.
                Some(StepFailure::Status { status: 404 | 410 }) => None,
                failure => failure,
            },
            Ok(Err(reason)) => Some(StepFailure::Unwritable { reason }),
            Err(error) => Some(StepFailure::NoResponse {
                failure: Failure::Broken {
                    cause: error.to_string(),
                },
            }),
        }
    }

    /// A call of an operation that no sample describes.
    fn bare_case(&self, operation: usize) -> Case {
        let operation = &self.operations[operation];
        Case {
            operation: operation.subject(),
            pointer: operation.pointer.clone(),
            sample: "example".to_owned(),
            at: operation.pointer.clone(),
            method: operation.method.clone(),
            template: operation.path.to_owned(),
            path: Vec::new(),
            query: Vec::new(),
            inputs: Vec::new(),
            headers: Vec::new(),
            overrides: Vec::new(),
            body: None,
            anonymous: false,
            intent: Intent::Sample,
            expected: "2XX".to_owned(),
            answer: None,
        }
    }
}

/// Why an exchange is not successful, if so.
pub(super) fn step_failure(exchange: &Exchange) -> Option<StepFailure> {
    if let Some(failure) = &exchange.failure {
        let failure = failure.clone();
        return Some(StepFailure::NoResponse { failure });
    }
    let status = exchange.response.as_ref()?.status;
    (!(200..300).contains(&status)).then_some(StepFailure::Status { status })
}
