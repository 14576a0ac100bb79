//! What the run created: remembered while it runs, removed at its end.

use super::unit::Unit;
use crate::case::serialize::encode;
use crate::case::{Case, Intent, Refusal};
use crate::check::succeeded;
use crate::document::Operation;
use crate::exchange::Exchange;
use crate::finding::{ReplayStep, StepFailure};
use crate::samples::template_names;
use crate::session::identity::id_in;
use crate::session::template::{expand, prefix, same_shape};
use crate::session::{Created, PathValues, Session, is_safe};

impl Unit<'_> {
    /// Remembers what an exchange created, forgets what it deleted.
    pub(super) fn keep_track(
        &mut self,
        operation: usize,
        path: &PathValues,
        exchange: &Exchange,
        intent: Intent,
    ) {
        if !succeeded(exchange) {
            return;
        }
        let method = exchange.request.method.as_str();
        let operations = self.session.operations;
        let template = operations[operation].path;
        if method == "DELETE" {
            let gone = expand(template, path);
            self.part.created.retain(|created| created.path() != gone);
            self.part.deleted.push(gone);
            if let Some(reusable) = &mut self.reusable {
                reusable.clear();
            }
        }
        if method != "POST" {
            return;
        }
        let Some((item, name)) = self
            .items
            .entry(operation)
            .or_insert_with(|| item_of(operations, template))
            .clone()
        else {
            return;
        };
        if let Some(id) = id_in(exchange, &name) {
            let names = template_names(&item);
            let mut values: PathValues = names
                .into_iter()
                .zip(path.iter().map(|(_, value)| value.clone()))
                .collect();
            values.push((name, encode(&id)));
            self.part.created.push(Created {
                template: item,
                values,
                by: matches!(
                    intent,
                    Intent::Refused(Refusal::Credentials | Refusal::WrongCredentials)
                )
                .then(|| exchange.request.headers.clone()),
            });
        }
    }
}

/// The path of one thing of a collection, and the parameter that names it.
fn item_of(operations: &[Operation<'_>], collection: &str) -> Option<(String, String)> {
    operations.iter().find_map(|one| {
        let name = template_names(one.path).pop()?;
        (same_shape(&prefix(one.path, &name, false), collection) && one.path.ends_with('}'))
            .then(|| (one.path.to_owned(), name))
    })
}

/// What the run may change on the server, told before anything is sent.
pub(super) fn changes(session: &Session<'_>) -> ReplayStep {
    let operations = session.operations;
    let selected = || session.selected.iter().map(|index| &operations[*index]);
    let changing = selected().filter(|operation| !is_safe(&operation.method));
    let is_deleted = |collection: &Operation<'_>| {
        operations.iter().any(|one| {
            let item = template_names(one.path).pop();
            let item = item.filter(|_| one.method == "DELETE" && one.path.ends_with('}'));
            item.is_some_and(|name| same_shape(&prefix(one.path, &name, false), collection.path))
        })
    };
    let creates = |operation: &&Operation<'_>| operation.method == "POST";
    let lasting = changing.clone().filter(creates);
    ReplayStep::Changes {
        operations: changing.count(),
        lasting: lasting
            .filter(|operation| !is_deleted(operation))
            .map(Operation::subject)
            .collect(),
    }
}

/// Deletes what was created, the newest first; says what stays, and how many things.
pub(super) async fn clean_up(session: &Session<'_>, created: Vec<Created>) -> usize {
    let mut left = 0;
    for created in created.into_iter().rev() {
        let delete = session
            .operations
            .iter()
            .position(|one| one.method == "DELETE" && one.path == created.template);
        let reason = match delete {
            Some(operation) => delete_one(session, operation, &created).await,
            None => Some(StepFailure::NoOperation),
        };
        if let Some(reason) = reason {
            let path = created.path();
            session.tell(ReplayStep::Left { path, reason });
            left += 1;
        }
    }
    left
}

/// Deletes one thing; says why it stays.
async fn delete_one(
    session: &Session<'_>,
    operation: usize,
    created: &Created,
) -> Option<StepFailure> {
    let sample = session.plans[operation]
        .cases
        .iter()
        .find(|case| case.succeeds() && !case.anonymous);
    let bare = || bare_case(&session.operations[operation]);
    let case = sample.cloned().unwrap_or_else(bare);
    let request = session.request(&case, &created.values);
    // First as who created it: others may be told that it is gone.
    if let Some(headers) = &created.by {
        let mut own = request.clone();
        own.headers.clone_from(headers);
        let is_of_body = |name: &str| name.to_ascii_lowercase().starts_with("content-");
        own.headers.retain(|(name, _)| !is_of_body(name));
        if let Ok(exchange) = session.send(Some(operation), own).await
            && step_failure(&exchange).is_none()
        {
            return None;
        }
    }
    match session.send(Some(operation), request).await {
        Ok(exchange) => {
            session.tell_exchange(operation, "clean-up", &exchange, &[]);
            match step_failure(&exchange) {
                // It is gone already, perhaps together with its parent.
                Some(StepFailure::Status { status: 404 | 410 }) => None,
                failure => failure,
            }
        }
        Err(reason) => Some(StepFailure::Unwritable { reason }),
    }
}

/// A call of an operation that no sample describes.
pub(super) fn bare_case(operation: &Operation<'_>) -> Case {
    Case::new(operation, "example".to_owned(), "2XX")
}

/// Why an exchange is not successful, if so.
pub(crate) fn step_failure(exchange: &Exchange) -> Option<StepFailure> {
    if let Some(failure) = &exchange.failure {
        let failure = failure.clone();
        return Some(StepFailure::NoResponse { failure });
    }
    let status = exchange.response.as_ref()?.status;
    (!(200..300).contains(&status)).then_some(StepFailure::Status { status })
}
