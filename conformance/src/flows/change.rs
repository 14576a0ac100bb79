//! Changing things: an update changes what was sent and nothing else, a replacement all, and the same again nothing more.

use serde_json::{Map, Value, json};

use super::create::Thing;
use super::driver::{Answer, Call, Driver, Stopped};
use super::members::{Described, Difference, alike, members_of};
use super::naming::{is_change_time, is_reference, is_secret, is_version};
use super::time::{resolution_ms, time_of};
use super::view::{State, described};
use crate::document::pointer;
use crate::finding::{FlowFault, NotObserved, Severity, Writing};
use crate::rule::flows as rules;

/// How many members are updated one by one.
const MEMBERS: usize = 12;

impl Driver<'_> {
    /// Updates members one by one; gives the last body that was accepted.
    pub(super) async fn updates(
        &mut self,
        index: usize,
        thing: &Thing,
    ) -> Result<Option<Value>, Stopped> {
        let resource = &self.resources[index];
        let Some(patch) = resource.patch else {
            return Ok(None);
        };
        let Some(mut before) = self.state(index, thing).await? else {
            return Ok(None);
        };
        let mut bodies = self.single_updates(patch, &before);
        let case = self.case(patch);
        let documented = case
            .as_ref()
            .and_then(|case| case.body.as_ref()?.value.clone());
        bodies.truncate(MEMBERS);
        let mut accepted = None;
        let mut refusal: Option<Answer> = None;
        for body in bodies {
            let (answer, after) = self.update(index, patch, thing, &body, &before).await?;
            if answer.is_ok() {
                accepted = Some(body);
            } else {
                refusal = Some(answer);
            }
            before = after.unwrap_or(before);
        }
        if accepted.is_some() {
            before = self.emptied(index, patch, thing, before).await?;
        }
        if let (None, Some(body)) = (&accepted, documented) {
            let (answer, _) = self.update(index, patch, thing, &body, &before).await?;
            if answer.is_ok() {
                accepted = Some(body);
            } else {
                refusal = Some(answer);
            }
        }
        if let (None, Some(answer)) = (&accepted, refusal) {
            let reason = NotObserved::NoUpdate {
                status: answer.status,
                words: answer.words(),
            };
            self.note(
                rules::FLOW_NOT_OBSERVED,
                patch,
                FlowFault::Unobserved { reason },
                Some(&answer),
            );
        }
        Ok(accepted)
    }

    /// Valid bodies that change one member each.
    pub(super) fn single_updates(&self, operation: usize, before: &State) -> Vec<Value> {
        let Some(schema) = self.schemas_of(operation).0 else {
            return Vec::new();
        };
        let subschemas = self.session.judge.schemas.subschemas();
        let all = subschemas.in_place(std::slice::from_ref(&schema));
        let mut required: Vec<&str> = Vec::new();
        for at in &all {
            let names = subschemas
                .object(at)
                .and_then(|schema| schema.get("required")?.as_array());
            required.extend(names.into_iter().flatten().filter_map(Value::as_str));
        }
        let mut kept = Map::new();
        for name in required {
            if let Some(value) = before.value.get(name) {
                kept.insert(name.to_owned(), value.clone());
            }
        }
        let mut bodies = Vec::new();
        for name in self.comparing.declared(std::slice::from_ref(&schema)) {
            let is_special = is_secret(&name)
                || is_version(&name)
                || is_reference(&name)
                || is_change_time(&name);
            if is_special || self.course.without.contains(&name) {
                continue;
            }
            let roots = subschemas.member(&all, &name).schemas();
            let old = before.value.get(&name).cloned().unwrap_or_default();
            let with = |value: Value| {
                let mut body = kept.clone();
                body.insert(name.clone(), value);
                Value::Object(body)
            };
            let others = self
                .bodies
                .others(&roots, &old, &name, self.creations + 1)
                .into_iter()
                .map(with);
            bodies.extend(
                others
                    .into_iter()
                    .find(|body| self.bodies.is_valid(&schema, body)),
            );
        }
        bodies
    }

    /// Sends an update and judges what it did; gives the state afterwards.
    pub(super) async fn update(
        &mut self,
        index: usize,
        patch: usize,
        thing: &Thing,
        body: &Value,
        before: &State,
    ) -> Result<(Answer, Option<Box<State>>), Stopped> {
        let since = self.changed;
        let mut call = Call::new(patch, &thing.path).body(body.clone());
        call.headers
            .extend(self.precondition(patch, &before.answer));
        let waited = since.elapsed();
        let answer = self.send(call).await?;
        if !answer.is_ok() || answer.status == 202 {
            return Ok((answer, None));
        }
        let Some(after) = self.state(index, thing).await? else {
            return Ok((answer, None));
        };
        let Some(schema) = self.schemas_of(patch).0 else {
            return Ok((answer, Some(after)));
        };
        let (sent, roots) = self.unwrapped(body, &schema, &after);
        let differences = self.comparing.differences(
            Described {
                value: &sent,
                schemas: &roots,
            },
            described(&after),
        );
        let is_applied = differences.is_empty();
        let mut told: Vec<String> = differences.iter().map(Difference::member).collect();
        self.differences(
            rules::UPDATE_APPLIED,
            Writing::Update,
            patch,
            differences,
            &after.answer,
        );
        let names = members_of(Some(&sent));
        for (name, old, new) in self.moved(index, before, &after, &names) {
            told.push(name.clone());
            let fault = FlowFault::Changed {
                at: pointer::join("", &name),
                before: old,
                after: new,
                sent: names.clone(),
            };
            self.note(
                rules::UPDATE_KEEPS_OTHERS,
                patch,
                fault,
                Some(&after.answer),
            );
        }
        if is_applied {
            self.time(patch, before, &after, waited);
            self.tag(patch, before, &after, &names);
        }
        let by = (patch, Writing::Update);
        self.answered(index, thing, by, &answer, &after, (&names, &told))
            .await?;
        Ok((answer, Some(after)))
    }

    /// Compares the times of the last change.
    fn time(&mut self, patch: usize, before: &State, after: &State, waited: std::time::Duration) {
        let (Some(old), Some(new)) = (before.value.as_object(), after.value.as_object()) else {
            return;
        };
        for (name, old) in old.iter().filter(|(name, _)| is_change_time(name)) {
            let Some(new) = new.get(name) else { continue };
            let (Some(one), Some(other)) = (time_of(old), time_of(new)) else {
                continue;
            };
            let severity = if other < one {
                Severity::Breaking
            } else if other == one && waited.as_millis() > 2 * resolution_ms(old) {
                Severity::Warning
            } else {
                continue;
            };
            let fault = FlowFault::TimeStill {
                at: pointer::join("", name),
                before: old.clone(),
                after: new.clone(),
            };
            self.note_as(
                rules::UPDATE_MOVES_TIME,
                severity,
                patch,
                fault,
                Some(&after.answer),
            );
        }
    }

    /// Compares the entity tags of two states, of which the later one has other values of the members that were sent.
    fn tag(&mut self, operation: usize, before: &State, after: &State, sent: &[String]) {
        let (old, new) = (before.answer.header("etag"), after.answer.header("etag"));
        let is_same_place = before.answer.exchange.request.url == after.answer.exchange.request.url;
        let ([old], [new], true) = (&old[..], &new[..], is_same_place) else {
            return;
        };
        let changed = sent.iter().find_map(|name| {
            let (old, new) = (before.value.get(name)?, after.value.get(name)?);
            (!alike(old, new)).then_some((name, old, new))
        });
        let (Some((name, earlier, later)), true) = (changed, old == new) else {
            return;
        };
        // A weak tag may be that of representations that are equivalent to the server.
        let severity = match old.starts_with("W/") {
            true => Severity::Warning,
            false => Severity::Breaking,
        };
        let fault = FlowFault::TagStill {
            tag: old.clone(),
            changed: pointer::join("", name),
            before: earlier.clone(),
            after: later.clone(),
        };
        self.note_as(
            rules::UPDATE_MOVES_ETAG,
            severity,
            operation,
            fault,
            Some(&after.answer),
        );
    }

    /// The header that makes a change conditional, where the operation has it and the state has a tag.
    pub(super) fn precondition(
        &self,
        operation: usize,
        answer: &Answer,
    ) -> Option<(String, String)> {
        let parameters = self.operation(operation).parameters(self.session.document);
        let is_match = |name: &str| name.eq_ignore_ascii_case("if-match");
        let has = parameters.iter().any(|one| {
            one.value
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(is_match)
        });
        let tag = answer.header("etag").into_iter().next()?;
        has.then(|| ("If-Match".to_owned(), tag))
    }

    /// Replaces a thing: with other values, with the same again, and with what is required only.
    pub(super) async fn replaces(&mut self, index: usize, thing: &Thing) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let Some(put) = resource.put else {
            return Ok(());
        };
        let (Some(case), Some(schema)) = (self.case(put), self.schemas_of(put).0) else {
            return Ok(());
        };
        let Some(before) = self.state(index, thing).await? else {
            return Ok(());
        };
        let Some(base) = case.body.as_ref().and_then(|body| body.value.clone()) else {
            return Ok(());
        };
        self.creations += 1;
        let bodies =
            self.bodies
                .creations(&schema, &self.with_own_id(&base, &before), self.creations);
        let bodies = self.of_course(&schema, bodies);
        let mut refusal = None;
        let mut done = None;
        for body in bodies {
            let mut call = Call::new(put, &thing.path).body(body.clone());
            call.headers.extend(self.precondition(put, &before.answer));
            let answer = self.send(call).await?;
            if answer.is_ok() {
                done = Some((body, answer));
                break;
            }
            refusal = Some(answer);
        }
        let Some((body, first)) = done else {
            if let Some(answer) = refusal {
                let reason = NotObserved::NoUpdate {
                    status: answer.status,
                    words: answer.words(),
                };
                self.note(
                    rules::FLOW_NOT_OBSERVED,
                    put,
                    FlowFault::Unobserved { reason },
                    Some(&answer),
                );
            }
            return Ok(());
        };
        let Some(after) = self.state(index, thing).await? else {
            return Ok(());
        };
        let (sent, roots) = self.unwrapped(&body, &schema, &after);
        let differences = self.comparing.differences(
            Described {
                value: &sent,
                schemas: &roots,
            },
            described(&after),
        );
        let is_stored = differences.is_empty();
        let names = members_of(Some(&sent));
        let told: Vec<String> = differences.iter().map(Difference::member).collect();
        if is_stored {
            self.tag(put, &before, &after, &names);
        }
        self.differences(
            rules::WRITTEN_READ,
            Writing::Replace,
            put,
            differences,
            &after.answer,
        );
        let by = (put, Writing::Replace);
        self.answered(index, thing, by, &first, &after, (&names, &told))
            .await?;
        let mut call = Call::new(put, &thing.path).body(body.clone());
        call.headers.extend(self.precondition(put, &after.answer));
        let again = self.send(call).await?;
        let is_refused =
            again.status >= 400 && ![408, 409, 412, 423, 425, 428, 429].contains(&again.status);
        if is_refused {
            let fault = FlowFault::Repeated {
                at: None,
                before: json!(first.status),
                after: json!(again.status),
            };
            self.note(rules::REPEAT_CHANGES_NOTHING, put, fault, Some(&again));
        }
        let Some(second) = self.state(index, thing).await? else {
            return Ok(());
        };
        for (name, before, after) in self.moved(index, &after, &second, &[]) {
            let fault = FlowFault::Repeated {
                at: Some(pointer::join("", &name)),
                before,
                after,
            };
            self.note(
                rules::REPEAT_CHANGES_NOTHING,
                put,
                fault,
                Some(&second.answer),
            );
        }
        if is_stored {
            self.replaces_all(index, put, thing, (&schema, &body), &second)
                .await?;
        }
        Ok(())
    }

    /// The documented body with the id of the thing, where it has one.
    fn with_own_id(&self, base: &Value, before: &State) -> Value {
        let mut body = base.clone();
        for name in ["id", "uuid"] {
            if let (Some(own), Some(id)) = (body.get_mut(name), before.value.get(name)) {
                *own = id.clone();
            }
        }
        body
    }

    /// Replaces a thing with the required members only.
    async fn replaces_all(
        &mut self,
        index: usize,
        put: usize,
        thing: &Thing,
        (schema, body): (&str, &Value),
        before: &State,
    ) -> Result<(), Stopped> {
        let mut least = body.as_object().cloned().unwrap_or_default();
        let mut dropped = Vec::new();
        for name in body.as_object().into_iter().flatten().map(|(name, _)| name) {
            let mut fewer = least.clone();
            fewer.shift_remove(name);
            if !is_version(name)
                && !is_reference(name)
                && self.bodies.is_valid(schema, &Value::Object(fewer.clone()))
            {
                dropped.push(name.clone());
                least = fewer;
            }
        }
        if dropped.is_empty() {
            return Ok(());
        }
        let mut call = Call::new(put, &thing.path).body(Value::Object(least));
        call.headers.extend(self.precondition(put, &before.answer));
        if !self.send(call).await?.is_ok() {
            return Ok(());
        }
        let Some(after) = self.state(index, thing).await? else {
            return Ok(());
        };
        let subschemas = self.session.judge.schemas.subschemas();
        let all = subschemas.in_place(&[schema.to_owned()]);
        for name in dropped.into_iter().filter(|name| !is_secret(name)) {
            let (Some(old), Some(new)) = (before.value.get(&name), after.value.get(&name)) else {
                continue;
            };
            let own = subschemas.in_place(&subschemas.member(&all, &name).schemas());
            let is_default = own
                .iter()
                .filter_map(|at| subschemas.object(at)?.get("default"))
                .any(|default| alike(default, new));
            let is_nothing = matches!(new, Value::Null | Value::Bool(false))
                || new == &json!([])
                || new == &json!({})
                || new == &json!("")
                || new == &json!(0);
            if alike(old, new) && !is_default && !is_nothing {
                let fault = FlowFault::Kept {
                    at: pointer::join("", &name),
                    value: new.clone(),
                };
                self.note(rules::PUT_REPLACES, put, fault, Some(&after.answer));
            }
        }
        Ok(())
    }
}
