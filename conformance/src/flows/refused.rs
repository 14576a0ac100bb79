//! Requests that must be refused without any effect: invalid bodies, and changes with an `If-Match` that does not match.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::create::Thing;
use super::driver::{Answer, Call, Driver, Stopped};
use crate::case::serialize::is_json;
use crate::document::{Located, pointer};
use crate::finding::FlowFault;
use crate::rule::flows as rules;

/// A tag that no server gives.
const UNKNOWN_TAG: &str = "\"conformance-has-never-seen-this\"";

impl Driver<'_> {
    /// Sends invalid bodies and checks that those that are refused have no effect.
    pub(super) async fn refusals(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
    ) -> Result<(), Stopped> {
        self.refused_creation(index, above, thing).await?;
        let resource = &self.resources[index];
        let Some(change) = resource.patch.or(resource.put) else {
            return Ok(());
        };
        let Some(before) = self.state(index, thing).await? else {
            return Ok(());
        };
        let Some(schema) = self.schemas_of(change).0 else {
            return Ok(());
        };
        // Several valid members before the one that is not: a server that changes one after the other has changed these by then.
        let mut whole = json!({});
        for body in self.single_updates(change, &before) {
            let mut more = whole.clone();
            if let (Some(all), Some(members)) = (more.as_object_mut(), body.as_object()) {
                all.extend(members.clone());
            }
            if self.bodies.is_valid(&schema, &more) {
                whole = more;
            }
        }
        let Some(body) = self.broken(change, &schema, &whole) else {
            return Ok(());
        };
        let mut call = Call::new(change, &thing.path).body(body);
        call.headers
            .extend(self.precondition(change, &before.answer));
        let answer = self.send(call).await?;
        if !is_refused(&answer) {
            return Ok(());
        }
        let Some(after) = self.state(index, thing).await? else {
            return Ok(());
        };
        let moved = self.moved(index, &before, &after, &[]);
        // What changes with each read tells nothing.
        if moved.is_empty() {
            return Ok(());
        }
        let Some(again) = self.state(index, thing).await? else {
            return Ok(());
        };
        if !self.moved(index, &after, &again, &[]).is_empty() {
            return Ok(());
        }
        for (name, old, new) in moved {
            let fault = FlowFault::Effect {
                status: answer.status,
                at: Some(pointer::join("", &name)),
                before: old,
                after: new,
            };
            self.note(
                rules::REFUSED_CHANGES_NOTHING,
                change,
                fault,
                Some(&after.answer),
            );
        }
        Ok(())
    }

    /// Sends creations that are refused, and looks whether the list has more. It has to have more each time: others may create too.
    async fn refused_creation(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
    ) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let create = resource.create.filter(|_| !resource.creates_by_put());
        let (Some(create), Some(sent)) = (create, &thing.sent) else {
            return Ok(());
        };
        let Some(schema) = self.schemas_of(create).0 else {
            return Ok(());
        };
        let Some(walk) = self.whole(index, above, &[]).await? else {
            return Ok(());
        };
        let ids = |items: Vec<(String, Value)>| -> HashSet<String> {
            items.into_iter().map(|(id, _)| id).collect()
        };
        let mut known = ids(walk.items);
        let mut shown = None;
        for _ in 0..2 {
            let other = self.another(index, &schema, sent);
            self.creations += 1;
            let Some(body) = self.broken(create, &schema, &other) else {
                return Ok(());
            };
            let answer = self.send(Call::new(create, above).body(body)).await?;
            if answer.is_ok() {
                // Whether it should have been refused is judged elsewhere.
                self.thing(index, above, None, answer);
                return Ok(());
            }
            if !is_refused(&answer) {
                return Ok(());
            }
            let Some(walk) = self.whole(index, above, &[]).await? else {
                return Ok(());
            };
            let last = walk.last;
            let after = ids(walk.items);
            if after.difference(&known).next().is_none() {
                return Ok(());
            }
            let fault = FlowFault::Effect {
                status: answer.status,
                at: None,
                before: json!(known.len()),
                after: json!(after.len()),
            };
            shown = Some((fault, last));
            known = after;
        }
        if let Some((fault, last)) = shown {
            self.note(rules::REFUSED_CHANGES_NOTHING, create, fault, Some(&last));
        }
        Ok(())
    }

    /// A body in which the last member that can be is of another type, so that the schema does not allow it; none where bodies are not JSON.
    fn broken(&mut self, operation: usize, schema: &str, body: &Value) -> Option<Value> {
        let case = self.case(operation)?;
        case.body?.content_type.filter(|name| is_json(name))?;
        let members = body.as_object()?;
        members.iter().rev().find_map(|(name, value)| {
            let wrong = match value {
                Value::String(_) => json!([[]]),
                _ => json!("conformance"),
            };
            let mut broken = body.clone();
            // The last one that is written, as servers often read.
            let all = broken.as_object_mut()?;
            all.shift_remove(name);
            all.insert(name.clone(), wrong);
            (!self.bodies.is_valid(schema, &broken)).then_some(broken)
        })
    }

    /// Reads a thing unless it is what it never was: it is, so there has to be a body.
    async fn condition_of_read(&mut self, index: usize, thing: &Thing) -> Result<(), Stopped> {
        const HEADER: &str = "If-None-Match";
        let Some(read) = self.resources[index].read else {
            return Ok(());
        };
        let document = self.session.document;
        let operation = self.operation(read);
        let is_header = |one: &Located<'_>| {
            let name = one.value.get("name").and_then(Value::as_str);
            name.is_some_and(|name| name.eq_ignore_ascii_case(HEADER))
        };
        let mut responses = operation.responses(document).into_iter();
        let is_documented = operation.parameters(document).iter().any(is_header)
            || responses.any(|(status, _)| status == "304");
        if !is_documented {
            return Ok(());
        }
        let mut call = Call::new(read, &thing.path);
        let value = UNKNOWN_TAG.to_owned();
        call.headers.push((HEADER.to_owned(), value));
        let answer = self.send(call).await?;
        if answer.status == 304 {
            let fault = FlowFault::Unconditional {
                header: HEADER.to_owned(),
                status: answer.status,
            };
            self.note(rules::CONDITION_CHECKED, read, fault, Some(&answer));
        }
        Ok(())
    }

    /// Changes and deletes a thing on the condition that it is what it never was.
    pub(super) async fn conditions(&mut self, index: usize, thing: &Thing) -> Result<(), Stopped> {
        self.condition_of_read(index, thing).await?;
        let resource = &self.resources[index];
        let (patch, put, delete) = (resource.patch, resource.put, resource.delete);
        for operation in [patch, put, delete].into_iter().flatten() {
            let Some(before) = self.state(index, thing).await? else {
                return Ok(());
            };
            let Some((name, _)) = self.precondition(operation, &before.answer) else {
                continue;
            };
            let mut call = Call::new(operation, &thing.path);
            if Some(operation) != delete {
                let Some(body) = self.single_updates(operation, &before).into_iter().next() else {
                    continue;
                };
                call.body = Some(body);
            }
            call.headers.push((name.clone(), UNKNOWN_TAG.to_owned()));
            let answer = self.send(call).await?;
            if answer.is_ok() {
                let fault = FlowFault::Unconditional {
                    header: name,
                    status: answer.status,
                };
                self.note(rules::CONDITION_CHECKED, operation, fault, Some(&answer));
            }
        }
        Ok(())
    }
}

/// Whether a request was refused as such, so that nothing may have happened.
fn is_refused(answer: &Answer) -> bool {
    (400..500).contains(&answer.status) && ![401, 403, 408, 429].contains(&answer.status)
}
