//! Creating the things that bodies refer to, before anything else is sent: an order needs a customer, a product a category.

use std::collections::HashSet;

use serde_json::Value;

use super::driver::{Driver, Live};
use super::resource::{Resource, infer};
use super::shape::skeleton;
use crate::case::serialize::decode;
use crate::samples::template_names;
use crate::session::references::plain;
use crate::session::{Created, FlowSettings, Session};

/// Numbers creations far from those of samples, generated requests and flows: a server may take some values once only.
const FIRST: u64 = 700_000;

/// How long a chain of references is followed.
const PASSES: usize = 3;

/// Creates one thing of each kind that the bodies of these operations refer to, or takes one that the server lists. Returns what was
/// created; the session knows the ids from now on. What a server refuses is not judged here: its creation is checked by itself.
pub(crate) async fn create_referred(session: &Session<'_>, operations: &[usize]) -> Vec<Created> {
    let mut created = Vec::new();
    let flows = session.options.flows.as_ref();
    if session.options.safe() || flows.is_some_and(|flows| flows.safe) {
        return created;
    }
    let mut named: HashSet<String> = HashSet::new();
    for index in 0..session.operations.len() {
        let Some(schema) = session.body_schema(index) else {
            continue;
        };
        let mut own = HashSet::new();
        names(&skeleton(session.judge.schemas, &schema), &mut own);
        own.retain(|name| name.ends_with("id") || name.ends_with("ids"));
        if !own.is_empty() {
            session.references.borrow_mut().note_body(index, &schema);
        }
        if operations.contains(&index) {
            named.extend(own);
        }
    }
    if named.is_empty() {
        return created;
    }
    let resources = infer(session.document, session.judge.schemas, session.operations);
    let singulars: Vec<String> = resources.iter().map(|one| plain(&one.singular())).collect();
    let is_named = |index: &usize| {
        let singular = &singulars[*index];
        let names = [format!("{singular}id"), format!("{singular}ids")];
        // Which one is meant is not known where several are named so.
        let is_alone = singulars.iter().filter(|one| *one == singular).count() == 1;
        is_alone && names.iter().any(|name| named.contains(name))
    };
    let mut wanted: Vec<usize> = (0..resources.len()).filter(is_named).collect();
    let settings = FlowSettings::default();
    for pass in 0..PASSES {
        let mut driver = Driver::new(session, &settings, &resources);
        driver.creations = FIRST + 100 * u64::try_from(pass).unwrap_or_default();
        driver.renewing = (0..resources.len()).collect();
        let mut left = Vec::new();
        for &index in &wanted {
            match driver.instance(index).await {
                Ok(Some(path)) => {
                    let id = path.last().map(|id| decode(id)).unwrap_or_default();
                    let singular = resources[index].singular();
                    session.references.borrow_mut().note_id(&singular, &id);
                }
                Ok(None) => left.push(index),
                Err(_) => {}
            }
        }
        let things = driver.live.drain(..);
        created.extend(things.filter_map(|live| thing(&resources[live.resource], live.path)));
        // A creation that was refused may need a resource that was created after it.
        if left.is_empty() || left.len() == wanted.len() {
            break;
        }
        wanted = left;
    }
    created
}

/// Deletes the resources that were created, the newest first.
pub(crate) async fn delete_referred(session: &Session<'_>, created: Vec<Created>) {
    if created.is_empty() {
        return;
    }
    let resources = infer(session.document, session.judge.schemas, session.operations);
    let settings = FlowSettings::default();
    let mut driver = Driver::new(session, &settings, &resources);
    driver.live.extend(created.into_iter().filter_map(|one| {
        let is_own = |known: &Resource| known.item.as_deref() == Some(&*one.template);
        Some(Live {
            resource: resources.iter().position(is_own)?,
            path: one.values.into_iter().map(|(_, value)| value).collect(),
        })
    }));
    driver.tidy().await;
}

fn thing(resource: &Resource, path: Vec<String>) -> Option<Created> {
    let template = resource.item.clone()?;
    Some(Created {
        values: template_names(&template).into_iter().zip(path).collect(),
        template,
        by: None,
    })
}

/// The names of all members of a value.
fn names(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                found.insert(plain(name));
                names(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
