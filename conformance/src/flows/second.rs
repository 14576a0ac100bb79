//! The access of a second user to the things of the first one: there must be none.

use serde_json::{Map, Value};

use super::create::Thing;
use super::driver::{Call, Driver, Stopped, User};
use super::list::Found;
use super::view::View;
use crate::finding::{Access, FlowFault, NotObserved};
use crate::rule::flows as rules;

impl Driver<'_> {
    /// Tries with the credentials of a second user what only the first one may do.
    pub(super) async fn second_user(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
        update: Option<&Value>,
    ) -> Result<(), Stopped> {
        if !self.has_second_user() {
            return Ok(());
        }
        let resource = self.resources[index].clone();
        let is_open = |operation: usize| {
            let own = self
                .operation(operation)
                .value
                .get("security")
                .or_else(|| self.session.document.at("/security"));
            let all = own.and_then(Value::as_array);
            all.is_some_and(|all| {
                all.is_empty()
                    || all
                        .iter()
                        .any(|one| one.as_object().is_none_or(Map::is_empty))
            })
        };
        // Without credentials of its own a user is the first one.
        let is_other = |operation: usize| {
            !self.settings.second.headers.is_empty() || self.session.is_known(1, operation)
        };
        let closed = |operation: Option<usize>| {
            operation.filter(|operation| !is_open(*operation) && is_other(*operation))
        };
        let (read, list, patch, put, delete) = (
            closed(resource.read),
            closed(resource.list),
            closed(resource.patch),
            closed(resource.put),
            closed(resource.delete),
        );
        if let Some(list) = list {
            match self.find(index, above, &thing.id, User::Second).await? {
                Some(Found::Yes(_, answer)) => {
                    let fault = FlowFault::Foreign {
                        access: Access::List,
                        status: answer.status,
                    };
                    self.note(rules::FOREIGN_LIST, list, fault, Some(&answer));
                }
                Some(Found::Unknown(answer)) if answer.status == 401 => {
                    let reason = NotObserved::SecondUser {
                        status: answer.status,
                    };
                    self.note(
                        rules::FLOW_NOT_OBSERVED,
                        list,
                        FlowFault::Unobserved { reason },
                        Some(&answer),
                    );
                    return Ok(());
                }
                Some(Found::No { .. } | Found::Unknown(_)) | None => {}
            }
        }
        if let Some(read) = read {
            let answer = self
                .send(Call::new(read, &thing.path).by(User::Second))
                .await?;
            if answer.status == 401 && list.is_none() {
                let reason = NotObserved::SecondUser {
                    status: answer.status,
                };
                self.note(
                    rules::FLOW_NOT_OBSERVED,
                    read,
                    FlowFault::Unobserved { reason },
                    Some(&answer),
                );
                return Ok(());
            }
            if answer.is_ok() {
                let fault = FlowFault::Foreign {
                    access: Access::Read,
                    status: answer.status,
                };
                self.note(rules::FOREIGN_READ, read, fault, Some(&answer));
            }
        }
        if let Some(before) = self.state(index, thing).await? {
            let patched = patch.filter(|_| update.is_some()).and_then(|patch| {
                Some((
                    patch,
                    self.single_updates(patch, &before).into_iter().next()?,
                ))
            });
            let replaced = || {
                let put = put?;
                let base = before.value.clone();
                let schema = self.schemas_of(put).0?;
                let names = self.comparing.declared(std::slice::from_ref(&schema));
                let mut body = base.as_object()?.clone();
                body.retain(|name, value| names.contains(name) && !value.is_null());
                let body = self
                    .bodies
                    .varied(&schema, &Value::Object(body), self.creations + 1);
                self.bodies.is_valid(&schema, &body).then_some((put, body))
            };
            if let Some((operation, body)) = patched.or_else(replaced) {
                let mut call = Call::new(operation, &thing.path)
                    .body(body)
                    .by(User::Second);
                call.headers
                    .extend(self.precondition(operation, &before.answer));
                let answer = self.send(call).await?;
                let after = self.state(index, thing).await?;
                let is_changed =
                    after.is_some_and(|after| !self.moved(index, &before, &after, &[]).is_empty());
                if is_changed {
                    let fault = FlowFault::Foreign {
                        access: Access::Update,
                        status: answer.status,
                    };
                    self.note(rules::FOREIGN_UPDATE, operation, fault, Some(&answer));
                }
            }
        }
        if let Some(delete) = delete {
            let was_there = matches!(
                self.view(index, &thing.path, &thing.id).await?,
                View::Shown(_)
            );
            let answer = self
                .send(Call::new(delete, &thing.path).by(User::Second))
                .await?;
            let is_gone = matches!(
                self.view(index, &thing.path, &thing.id).await?,
                View::Gone(_)
            );
            if was_there && is_gone {
                let fault = FlowFault::Foreign {
                    access: Access::Delete,
                    status: answer.status,
                };
                self.note(rules::FOREIGN_DELETE, delete, fault, Some(&answer));
            }
        }
        Ok(())
    }
}
