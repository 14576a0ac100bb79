//! The things that the run created: remembered while it runs, removed at its end.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, stream};

use super::unit::Unit;
use crate::case::serialize::encode;
use crate::case::{Case, Intent, Refusal};
use crate::check::succeeded;
use crate::document::{Document, Operation};
use crate::exchange::Exchange;
use crate::finding::{ReplayStep, StepFailure};
use crate::flows::response_schema;
use crate::generate::Generator;
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
        let (document, operations) = (self.session.document, self.session.operations);
        let template = operations[operation].path;
        if method == "DELETE" {
            let gone = expand(template, path);
            self.part.created.retain(|created| created.path() != gone);
            self.part.deleted.push(gone);
            if let Some(reusable) = &mut self.reusable {
                reusable.clear();
            }
        }
        // The client chose its path; any other status than 201 may mean that something was there before.
        let status = exchange.response.as_ref().map(|response| response.status);
        if method == "PUT" && status == Some(201) && template.ends_with('}') {
            let created = Created {
                template: template.to_owned(),
                values: path.clone(),
                by: None,
            };
            if !self.part.created.contains(&created) {
                self.part.created.push(created);
            }
        }
        if method != "POST" {
            return;
        }
        let Some((item, name)) = self
            .items
            .entry(operation)
            .or_insert_with(|| {
                item_of(operations, template).or_else(|| {
                    let read = item_elsewhere(document, operations, &operations[operation])?;
                    Some((read.path.to_owned(), template_names(read.path).pop()?))
                })
            })
            .clone()
        else {
            return;
        };
        if let Some(id) = id_in(exchange, &name) {
            let names = template_names(&item);
            let above = names.len() - 1;
            let mut values: PathValues = names
                .into_iter()
                .zip(path.iter().map(|(_, value)| value.clone()))
                .take(above)
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

/// The operation that reads what a POST below something else creates: `POST /orders/{id}/files` makes what `GET /files/{fileId}` reads, if
/// both have a response of the same schema, and nothing else creates it.
pub(super) fn item_elsewhere<'o, 'd>(
    document: &Document,
    operations: &'o [Operation<'d>],
    creator: &Operation<'_>,
) -> Option<&'o Operation<'d>> {
    let name = creator.path.rsplit('/').next()?;
    if creator.method != "POST" || name.starts_with('{') {
        return None;
    }
    let schema = |operation: &Operation<'_>| {
        let at = response_schema(document, operation)?;
        let resolved = document.resolve(&at).map(|(pointer, _)| pointer);
        // Schemas that stand in the operations themselves say nothing.
        resolved.filter(|resolved| *resolved != at)
    };
    let made = schema(creator)?;
    let is_own = |one: &&Operation<'d>| {
        let Some((collection, _)) = one.path.rsplit_once("/{") else {
            return false;
        };
        one.method == "GET"
            && one.path.ends_with('}')
            && !collection.contains('{')
            && collection.rsplit('/').next() == Some(name)
            && operations
                .iter()
                .all(|other| other.method != "POST" || other.path != collection)
            && schema(one).as_ref() == Some(&made)
    };
    operations.iter().find(is_own)
}

/// Announces the changes that the run may make on the server, before anything is sent.
pub(super) fn changes(session: &Session<'_>) -> ReplayStep {
    let operations = session.operations;
    let selected = || session.selected.iter().map(|index| &operations[*index]);
    let changing = selected().filter(|operation| !is_safe(&operation.method));
    let is_deleted = |collection: &Operation<'_>| {
        let elsewhere = item_elsewhere(session.document, operations, collection);
        let is_there = |item: &Operation<'_>| {
            let mut all = operations.iter();
            all.any(|one| one.method == "DELETE" && one.path == item.path)
        };
        elsewhere.is_some_and(is_there)
            || operations.iter().any(|one| {
                let item = template_names(one.path).pop();
                let item = item.filter(|_| one.method == "DELETE" && one.path.ends_with('}'));
                item.is_some_and(|name| {
                    same_shape(&prefix(one.path, &name, false), collection.path)
                })
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

/// Deletes what was created; says what stays, and how many things. Things of one collection are deleted at the same time, those below others
/// before these. What the server refused then it is asked once more, the newest first, as something that is gone by now may have needed it.
pub(super) async fn clean_up(session: &Session<'_>, created: Vec<Created>) -> usize {
    let workers = session.options.workers.max(1);
    let (mut refused, mut stays, mut is_any_gone) = (Vec::new(), Vec::new(), false);
    let generator = Generator::new(session.document, session.judge.schemas);
    let mut deletions: HashMap<String, Option<Deletion>> = HashMap::new();
    for kind in kinds(created) {
        let template = &kind[0].1.template;
        let deletion = Deletion::of(session, &generator, template);
        let deletion = &*deletions.entry(template.clone()).or_insert(deletion);
        let delete = |(age, created): (usize, Created)| async move {
            let reason = delete(session, deletion.as_ref(), &created).await;
            (age, created, reason)
        };
        let mut deleted = stream::iter(kind).map(delete).buffer_unordered(workers);
        while let Some((age, created, reason)) = deleted.next().await {
            match reason {
                None => is_any_gone = true,
                Some(StepFailure::Status { status }) if (400..500).contains(&status) => {
                    refused.push((age, created, reason));
                }
                Some(_) => stays.push((age, created, reason)),
            }
        }
    }
    refused.sort_by_key(|(age, ..)| *age);
    for (age, created, mut reason) in refused {
        if is_any_gone {
            let deletion = deletions.get(&created.template).and_then(Option::as_ref);
            reason = delete(session, deletion, &created).await;
        }
        stays.push((age, created, reason));
    }
    stays.sort_by_key(|(age, ..)| *age);
    let mut left = 0;
    for (_, created, reason) in stays {
        if let Some(reason) = reason {
            let path = created.path();
            session.tell(ReplayStep::Left { path, reason });
            left += 1;
        }
    }
    left
}

/// What was created by collection, the longest paths first, with how many things are newer. What a server gave the same id several times
/// is one thing.
fn kinds(created: Vec<Created>) -> Vec<Vec<(usize, Created)>> {
    let mut kinds: Vec<Vec<(usize, Created)>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut paths: HashSet<String> = HashSet::new();
    for (age, one) in created.into_iter().rev().enumerate() {
        if !paths.insert(one.path()) {
            continue;
        }
        let kind = *known.entry(one.template.clone()).or_insert_with(|| {
            kinds.push(Vec::new());
            kinds.len() - 1
        });
        kinds[kind].push((age, one));
    }
    let depth = |kind: &Vec<(usize, Created)>| kind[0].1.template.matches('/').count();
    kinds.sort_by_key(|kind| Reverse(depth(kind)));
    kinds
}

/// How things of a collection are deleted.
struct Deletion {
    operation: usize,
    case: Case,
}

impl Deletion {
    /// The documented deletion of what the template names, with all that it requires: as its first sample has it, or with generated values.
    fn of(session: &Session<'_>, generator: &Generator<'_>, template: &str) -> Option<Self> {
        let is_own = |one: &Operation<'_>| one.method == "DELETE" && one.path == template;
        let operation = session.operations.iter().position(is_own)?;
        let mut samples = session.plans[operation].cases.iter();
        let sample = samples.find(|case| case.succeeds() && !case.anonymous);
        let own = &session.operations[operation];
        let generated = || generator.plain(own).unwrap_or_else(|| bare_case(own));
        let case = sample.cloned().unwrap_or_else(generated);
        Some(Self { operation, case })
    }
}

/// Deletes one thing, if there is an operation for it; says why it stays.
async fn delete(
    session: &Session<'_>,
    deletion: Option<&Deletion>,
    created: &Created,
) -> Option<StepFailure> {
    let Some(Deletion { operation, case }) = deletion else {
        return Some(StepFailure::NoOperation);
    };
    let operation = *operation;
    let request = session.request(case, &created.values);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_something_goes_before_it_and_the_newest_goes_first() {
        let created = |template: &str, id: &str| Created {
            template: template.to_owned(),
            values: vec![("id".to_owned(), id.to_owned())],
            by: None,
        };
        let kinds = kinds(vec![
            created("/a/{id}", "1"),
            created("/a/1/b/{id}", "2"),
            created("/a/{id}", "3"),
            created("/c/{id}", "4"),
            created("/a/{id}", "3"),
        ]);
        let ids: Vec<Vec<(usize, &str)>> = kinds
            .iter()
            .map(|kind| {
                let ids = kind.iter();
                ids.map(|(age, one)| (*age, one.values[0].1.as_str()))
                    .collect()
            })
            .collect();
        assert_eq!(
            ids,
            [vec![(3, "2")], vec![(0, "3"), (4, "1")], vec![(1, "4")]]
        );
    }
}
