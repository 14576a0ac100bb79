//! Looking at a thing, and comparing what is seen at two times.

use serde_json::Value;

use super::create::Thing;
use super::driver::{Answer, Call, Driver, Stopped, User};
use super::list::Found;
use super::members::{Described, alike};
use super::naming::{is_creation_time, is_version, plain};
use super::shape;
use crate::case::serialize::text;
use crate::document::pointer;

/// The known state of a thing at one time.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The thing itself.
    pub(super) value: Value,
    /// The schemas of the response that describe it.
    pub(super) schemas: Vec<String>,
    /// The operation that showed it.
    pub(super) operation: usize,
    pub(super) answer: Answer,
}

/// The result of looking at a thing.
pub(super) enum View {
    Shown(Box<State>),
    Gone(Box<Answer>),
    /// It cannot be told.
    Unknown,
}

impl Driver<'_> {
    /// Looks at a thing: reads it, or finds it in the list where it cannot be read.
    pub(super) async fn view(
        &mut self,
        index: usize,
        path: &[String],
        id: &str,
    ) -> Result<View, Stopped> {
        let resource = &self.resources[index];
        if let Some(read) = resource.read {
            let answer = self.send(Call::new(read, path)).await?;
            if answer.is_gone() {
                return Ok(View::Gone(Box::new(answer)));
            }
            let (Some(body), true) = (answer.body.clone(), answer.is_ok()) else {
                return Ok(View::Unknown);
            };
            let (value, schemas, _) = self.of_thing(index, read, &body, id);
            return Ok(View::Shown(Box::new(State {
                value,
                schemas,
                operation: read,
                answer,
            })));
        }
        let Some(list) = resource.list else {
            return Ok(View::Unknown);
        };
        let above = &path[..path.len().saturating_sub(1)];
        Ok(match self.find(index, above, id, User::First).await? {
            Some(Found::Yes(value, answer)) => {
                let body = answer.body.clone().unwrap_or_default();
                let schemas = self.item_schemas(list, &body, &resource.name);
                View::Shown(Box::new(State {
                    value,
                    schemas,
                    operation: list,
                    answer,
                }))
            }
            Some(Found::No { last, .. }) => View::Gone(Box::new(last)),
            Some(Found::Unknown(_)) | None => View::Unknown,
        })
    }

    /// The thing in a response, which may wrap it, the schemas that describe it, and whether it has this id.
    pub(super) fn of_thing(
        &self,
        index: usize,
        operation: usize,
        body: &Value,
        id: &str,
    ) -> (Value, Vec<String>, bool) {
        let resource = &self.resources[index];
        let subschemas = self.session.judge.schemas.subschemas();
        let all = shape::ids(body, &resource.parameter, &resource.singular());
        let is_own = |at: &&String| body.pointer(at).is_some_and(|found| text(found) == id);
        let own = all.iter().find(is_own);
        let inner = own.or(all.first());
        let inner = inner
            .map(|at| pointer::parent(at).to_owned())
            .unwrap_or_default();
        let mut schemas: Vec<String> = self.schemas_of(operation).1.into_iter().collect();
        for token in pointer::tokens(&inner) {
            schemas = subschemas
                .member(&subschemas.in_place(&schemas), &token)
                .schemas();
        }
        let value = body.pointer(&inner).cloned().unwrap_or_default();
        (value, schemas, own.is_some())
    }

    /// Returns the schemas of the items of a list that a response has.
    pub(super) fn item_schemas(&self, list: usize, body: &Value, name: &str) -> Vec<String> {
        let subschemas = self.session.judge.schemas.subschemas();
        let mut schemas: Vec<String> = self.schemas_of(list).1.into_iter().collect();
        for token in pointer::tokens(&shape::items(body, name).unwrap_or_default()) {
            let above = subschemas.in_place(&schemas);
            schemas = subschemas.member(&above, &token).schemas();
        }
        subschemas.item(&subschemas.in_place(&schemas), 0)
    }

    /// Returns the current state of a thing, if it is there.
    pub(super) async fn state(
        &mut self,
        index: usize,
        thing: &Thing,
    ) -> Result<Option<Box<State>>, Stopped> {
        Ok(match self.view(index, &thing.path, &thing.id).await? {
            View::Shown(state) => Some(state),
            View::Gone(_) | View::Unknown => None,
        })
    }

    /// Returns the value that was sent and its schemas, without a wrapper that the thing does not have where it is read.
    pub(super) fn unwrapped(
        &self,
        sent: &Value,
        schema: &str,
        state: &State,
    ) -> (Value, Vec<String>) {
        let roots = vec![schema.to_owned()];
        let shared = |value: &Value| {
            let members = value.as_object().into_iter().flatten();
            members
                .filter(|(name, _)| state.value.get(name.as_str()).is_some())
                .count()
        };
        let members = sent.as_object().filter(|members| members.len() == 1);
        let inner = members
            .and_then(|members| members.iter().next())
            .filter(|(_, value)| value.is_object());
        match inner {
            Some((name, value)) if shared(value) > shared(sent) => {
                let subschemas = self.session.judge.schemas.subschemas();
                let below = subschemas
                    .member(&subschemas.in_place(&roots), name)
                    .schemas();
                (value.clone(), below)
            }
            _ => (sent.clone(), roots),
        }
    }

    /// The names of members that clients write, and that only they change.
    pub(super) fn written(&self, index: usize) -> Vec<String> {
        let resource = &self.resources[index];
        let all = [resource.create, resource.patch, resource.put]
            .into_iter()
            .flatten();
        all.filter_map(|operation| self.schemas_of(operation).0)
            .flat_map(|schema| self.comparing.declared(&[schema]))
            .collect()
    }

    /// Tells the members that only clients change: those that they write, the id and the time of creation.
    pub(super) fn kept(&self, index: usize) -> impl Fn(&str) -> bool + use<> {
        let written = self.written(index);
        let own = [
            plain(&self.resources[index].parameter),
            "id".to_owned(),
            "uuid".to_owned(),
        ];
        move |name| {
            written.iter().any(|known| known == name)
                || own.contains(&plain(name))
                || is_creation_time(name)
        }
    }

    /// The members that changed between two states although nobody sent them, of those that only clients change.
    pub(super) fn moved(
        &self,
        index: usize,
        before: &State,
        after: &State,
        sent: &[String],
    ) -> Vec<(String, Value, Value)> {
        let is_kept = self.kept(index);
        let (Some(old), Some(new)) = (before.value.as_object(), after.value.as_object()) else {
            return Vec::new();
        };
        let is_related = |name: &String| {
            sent.iter()
                .any(|other| name == other || super::naming::are_related(name, other))
        };
        old.iter()
            .filter(|(name, _)| is_kept(name) && !is_related(name) && !is_version(name))
            .map(|(name, value)| {
                (
                    name.clone(),
                    value.clone(),
                    new.get(name).cloned().unwrap_or_default(),
                )
            })
            // Both are what the server shows, so that only the order of lists may differ.
            .filter(|(_, old, new)| old != new && !(old.is_array() && alike(old, new)))
            .collect()
    }
}

pub(super) fn described(state: &State) -> Described<'_> {
    Described {
        value: &state.value,
        schemas: &state.schemas,
    }
}
