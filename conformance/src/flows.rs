//! Sequences of operations: what is created can be read and listed, what is written is what is read, what is deleted is gone.
//!
//! Called by the command line. The document tells which operations belong together (see [`Resource`]); each resource is a flow that
//! creates things, looks at them, changes and deletes them, one request after the other: two flows at once would disturb each other's
//! lists. A run deletes the things that it created, the newest first, also when it is interrupted. A flow whose creation is refused is told
//! as not observed. Not done: creations that need more than one request, resources that share no path, and things that a server makes by
//! itself.

mod agree;
mod alike;
pub mod arazzo;
mod body;
mod call;
mod change;
mod course;
mod create;
mod driver;
mod filter;
mod identity;
mod life;
mod list;
mod members;
mod misread;
mod naming;
mod omitted;
mod order;
mod page;
pub mod paging;
mod range;
pub(crate) mod referred;
mod refused;
mod removal;
mod resource;
mod second;
mod several;
mod shape;
mod text;
mod time;
mod view;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::document::Document;
use crate::finding::{Finding, ReplayStep, Unchecked};
use crate::session::{Options, Part, Session, SessionError, Subject};

pub use crate::session::{FlowSettings as Settings, Outcome};
pub use arazzo::Description;
pub(crate) use course::Course;
pub(crate) use resource::response_schema;
pub use resource::{Resource, infer};

use driver::Driver;

/// Runs the flows of a document against a server.
///
/// # Errors
/// When the server's URL or a header cannot be used, or when nothing answers at the first contact.
pub async fn check(
    options: &Options,
    settings: &Settings,
    document: &Document,
    progress: &mut dyn FnMut(ReplayStep),
) -> Result<Outcome, SessionError> {
    let work = Work::default();
    let (outcome, _) = check_with(options, settings, &work, document, progress).await?;
    Ok(outcome)
}

/// Which flows are run, and whether they are written.
#[derive(Debug, Default)]
pub struct Work<'w> {
    /// Workflows to run instead of those that are inferred.
    pub description: Option<&'w Description>,
    /// Inputs of the workflows.
    pub inputs: &'w [(String, Value)],
    /// Whether to write the inferred flows as an Arazzo description.
    pub write: bool,
}

/// As [`check`], with the workflows of a file; besides, the inferred flows as an Arazzo description, where it was asked for and there are
/// any that create something.
///
/// # Errors
/// As [`check`].
pub async fn check_with(
    options: &Options,
    settings: &Settings,
    work: &Work<'_>,
    document: &Document,
    progress: &mut dyn FnMut(ReplayStep),
) -> Result<(Outcome, Option<String>), SessionError> {
    let options = Options {
        flows: Some(settings.clone()),
        ..options.clone()
    };
    let subject = Subject::new(document, &options);
    let progress = RefCell::new(progress);
    let tell = |step| (progress.borrow_mut())(step);
    let session = Session::open(&subject, &options, &tell).await?;
    let resources = selected(&session);
    if !settings.safe {
        session.tell(announced(&resources));
    }
    let referred = referred::create_referred(&session, &session.selected).await;
    let written = match work.write {
        true => arazzo::write(&mut Driver::new(&session, settings, &resources)),
        false => None,
    };
    let part = match work.description {
        Some(description) => of_file(&session, settings, description, work.inputs).await,
        None => run(&session, settings).await,
    };
    referred::delete_referred(&session, referred).await;
    Ok((finish(&session, part), written))
}

/// Announces the resources that a run creates, before it creates them.
fn announced(resources: &[Resource]) -> ReplayStep {
    let named = |deletes: bool| {
        let all = resources.iter();
        let all = all.filter(|one| one.create.is_some() && one.delete.is_some() == deletes);
        all.map(|one| one.name.clone()).collect()
    };
    ReplayStep::Announced {
        deleted: named(true),
        kept: named(false),
    }
}

fn finish(session: &Session<'_>, part: Part) -> Outcome {
    let secrets = session.judge.secrets;
    let mut findings = part.findings;
    for finding in &mut findings {
        finding.message.redact(&|text| secrets.hide(text));
    }
    let requests = part.observed.values();
    let requests = requests.map(|one| one.seen.requests).sum();
    let seen = part.observed.iter();
    let seen = seen.map(|(index, one)| (*index, &one.seen)).collect();
    let coverage = crate::coverage::measure(
        session.document,
        session.operations,
        &session.selected,
        &|_| Vec::new(),
        &seen,
    );
    let checked = BTreeMap::from([("operations", part.sent.len()), ("requests", requests)]);
    Outcome {
        server: session.base.clone(),
        findings,
        checked,
        sent: part.sent,
        coverage: Some(coverage),
        unchecked: match session.options.stop.is_stopped() {
            true => Some(Unchecked::Stopped { requests }),
            false => (requests == 0).then_some(Unchecked::NoFlows),
        },
        notes: match session.unfinished().is_empty() {
            true => Vec::new(),
            false => vec!["not all sequences were sent: the run was stopped".to_owned()],
        },
    }
}

/// Runs the flows of all resources, one after the other, and deletes what they created.
pub async fn run(session: &Session<'_>, settings: &Settings) -> Part {
    let resources = selected(session);
    let mut driver = Driver::new(session, settings, &resources);
    for (index, resource) in resources.iter().enumerate() {
        let before = (driver.requests, driver.findings.len());
        let ended = driver.life(index).await;
        session.tell(ReplayStep::Flow {
            resource: resource.name.clone(),
            requests: driver.requests - before.0,
            findings: driver.findings.len() - before.1,
        });
        if ended.is_err() {
            let open = resources[index..]
                .iter()
                .filter_map(|one| one.create.or(one.list));
            open.for_each(|operation| session.note_unfinished(operation));
            break;
        }
    }
    driver.tidy().await;
    part_of(driver)
}

/// Runs the workflows of a file, and deletes what they created.
async fn of_file(
    session: &Session<'_>,
    settings: &Settings,
    description: &Description,
    inputs: &[(String, Value)],
) -> Part {
    let resources = selected(session);
    let mut driver = Driver::new(session, settings, &resources);
    if arazzo::run(&mut driver, description, inputs).await.is_err() {
        let operations = session.selected.first();
        operations
            .iter()
            .for_each(|operation| session.note_unfinished(**operation));
    }
    driver.tidy().await;
    part_of(driver)
}

/// What the workflows of a file find; none where there is no file.
pub(crate) async fn again_of_file(
    session: &Session<'_>,
    settings: &Settings,
    work: &Work<'_>,
) -> Option<Vec<Finding>> {
    let description = work.description?;
    let part = of_file(session, settings, description, work.inputs).await;
    Some(part.findings)
}

/// Runs the flow of one resource, or a part of it; none where the document has no such resource. `waits` is whether something is asked
/// again that may show a moment later.
pub(crate) async fn again(
    session: &Session<'_>,
    settings: &Settings,
    resources: &[Resource],
    resource: &str,
    course: &Course,
    waits: bool,
) -> Option<Vec<Finding>> {
    let index = resources.iter().position(|one| one.name == resource)?;
    let mut driver = Driver::new(session, settings, resources);
    driver.course = course.clone();
    driver.trace = Some(Vec::new());
    if !waits {
        driver.in_vain = driver::PATIENCE;
    }
    // The findings of a stopped run still count.
    let _ = driver.life(index).await;
    driver.tidy().await;
    Some(driver.findings)
}

fn part_of(driver: Driver<'_>) -> Part {
    Part {
        findings: driver.findings,
        sent: driver.sent,
        observed: driver.observed,
        ..Part::default()
    }
}

/// The members that the bodies of a resource may have; none where what they create could not be deleted.
pub(crate) fn members(
    session: &Session<'_>,
    resources: &[Resource],
    resource: &str,
) -> Option<Vec<String>> {
    let mut own = resources.iter().find(|one| one.name == resource);
    let schemas = session.judge.schemas;
    let comparing = members::Comparing::new(schemas);
    let mut names = Vec::new();
    let first = own?;
    for operation in [first.create, first.put, first.patch].into_iter().flatten() {
        let schema = resource::request_schema(session.document, &session.operations[operation]);
        for name in comparing.declared(schema.as_slice()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    while let Some(one) = own {
        if one.create.is_some() && one.delete.is_none() {
            return None;
        }
        own = one.parent.map(|parent| &resources[parent]);
    }
    Some(names)
}

/// Another body for a creation that the server refused because it has something like it; none where the body is not JSON or the like.
pub(crate) fn renewed_body(
    session: &Session<'_>,
    create: usize,
    body: &Value,
    count: u64,
) -> Option<Value> {
    let (document, schemas) = (session.document, session.judge.schemas);
    let schema = resource::request_schema(document, &session.operations[create])?;
    let bodies = body::Bodies {
        document,
        schemas,
        seed: 0,
    };
    let other = bodies.renewed(&schema, body, count);
    (other != *body).then_some(other)
}

/// The resources of the document, with the operations that are selected. Slow for a large document, so callers keep the result.
pub(crate) fn selected(session: &Session<'_>) -> Vec<Resource> {
    let mut resources = infer(session.document, session.judge.schemas, session.operations);
    for resource in &mut resources {
        let Resource {
            create,
            read,
            list,
            patch,
            put,
            delete,
            ..
        } = resource;
        for operation in [create, read, list, patch, put, delete] {
            *operation = operation.filter(|index| session.selected.contains(index));
        }
    }
    resources
}
