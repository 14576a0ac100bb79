//! The life of a thing: created, read, listed, changed, deleted.

use super::create::Thing;
use super::driver::{Answer, Call, Driver, Stopped, User};
use super::list::Found;
use super::members::{Described, Difference, members_of};
use super::shape;
use super::view::{View, described};
use crate::case::serialize::encode;
use crate::document::pointer;
use crate::finding::{FlowFault, FlowPart, Writing};
use crate::rule::flows as rules;

/// How often something is asked again before it counts as missing.
pub(super) const ATTEMPTS: u32 = 3;

impl Driver<'_> {
    /// All flows of a resource.
    pub(super) async fn life(&mut self, index: usize) -> Result<(), Stopped> {
        self.current = Some(index);
        self.part = None;
        let Some(above) = self.above(index).await? else {
            return Ok(());
        };
        let resource = &self.resources[index];
        if self.settings.safe || resource.create.is_none() {
            return self.observe(index, &above).await;
        }
        let Some(mut thing) = self.create(index, &above).await? else {
            return Ok(());
        };
        if self.begins(FlowPart::Location) {
            self.location(index, &thing).await?;
        }
        if self.begins(FlowPart::Read) {
            self.read_back(index, &mut thing).await?;
        }
        if self.begins(FlowPart::List) {
            self.listed(index, &above, &thing).await?;
        }
        // Before others are created, which may take its place.
        if self.begins(FlowPart::Pages) {
            self.stock(index, &above, &thing).await?;
        }
        if self.begins(FlowPart::Defaults) {
            self.misread(index, &above, &thing).await?;
            self.defaults(index, &above).await?;
        }
        let mut update = None;
        if self.begins(FlowPart::Filters) {
            self.filters(index, &above, &thing).await?;
            let resource = &self.resources[index];
            let reads = [
                (resource.list, above.clone()),
                (resource.read, thing.path.clone()),
            ];
            for (operation, path) in reads {
                if let Some(operation) = operation {
                    self.omitted(index, operation, &path).await?;
                }
            }
        }
        if self.begins(FlowPart::Updates) {
            update = self.updates(index, &thing).await?;
        }
        if self.begins(FlowPart::Replacement) {
            self.replaces(index, &thing).await?;
        }
        if self.begins(FlowPart::SecondUser) {
            self.second_user(index, &above, &thing, update.as_ref())
                .await?;
        }
        if self.begins(FlowPart::Keys) {
            self.keys(index, &above, &thing).await?;
        }
        if self.begins(FlowPart::Parent) {
            self.other_parent(index, &above, &thing).await?;
        }
        if self.begins(FlowPart::Duplicate) {
            self.duplicates(index, &above, &thing).await?;
        }
        if self.begins(FlowPart::Refusals) {
            self.refusals(index, &above, &thing).await?;
        }
        if self.begins(FlowPart::Conditions) {
            self.conditions(index, &thing).await?;
        }
        if self.begins(FlowPart::Deletion) {
            self.removal(index, &above, &thing, update).await?;
        }
        Ok(())
    }

    /// Reads lists and some of their items, where nothing may be created.
    async fn observe(&mut self, index: usize, above: &[String]) -> Result<(), Stopped> {
        self.pages(index, above, &[]).await?;
        if let Some(list) = self.resources[index].list {
            self.omitted(index, list, above).await?;
        }
        let resource = &self.resources[index];
        let (Some(read), Some(_)) = (resource.read, resource.list) else {
            return Ok(());
        };
        let Some(walk) = self
            .walk((index, above), (None, 1), User::First, None, &[])
            .await?
        else {
            return Ok(());
        };
        for (id, item) in walk
            .items
            .iter()
            .take(3)
            .filter(|(_, item)| item.is_object())
        {
            if shape::ids(item, &resource.parameter, &resource.singular()).is_empty() {
                continue;
            }
            let path = [above.to_vec(), vec![encode(id)]].concat();
            let answer = self.send(Call::new(read, &path)).await?;
            // It may have been deleted meanwhile.
            if answer.is_gone()
                && let Some(Found::Yes(..)) = self.find(index, above, id, User::First).await?
                && self.send(Call::new(read, &path)).await?.is_gone()
            {
                let fault = FlowFault::Unreadable {
                    listed: true,
                    status: answer.status,
                };
                self.note(rules::LISTED_READABLE, read, fault, Some(&answer));
            }
        }
        Ok(())
    }

    /// Reads what was created, and compares it with what was sent.
    async fn read_back(&mut self, index: usize, thing: &mut Thing) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let Some(create) = resource.create else {
            return Ok(());
        };
        let mut attempt = 0;
        let state = loop {
            match self.view(index, &thing.path, &thing.id).await? {
                View::Shown(state) => break state,
                View::Unknown => {
                    if let Some(read) = resource.read {
                        let answer = self.send(Call::new(read, &thing.path)).await?;
                        if !answer.is_ok() {
                            self.unobserved(read, &answer);
                        }
                    }
                    return Ok(());
                }
                View::Gone(answer) => {
                    if let (Some(other), 0, true) = (
                        thing.others.first().cloned(),
                        attempt,
                        resource.read.is_some(),
                    ) {
                        let before = thing.clone();
                        self.rename(thing, other);
                        if let View::Shown(state) = self.view(index, &thing.path, &thing.id).await?
                        {
                            break state;
                        }
                        let first = before.id.clone();
                        self.rename(thing, first);
                    }
                    if attempt < ATTEMPTS {
                        self.settle(attempt).await;
                        attempt += 1;
                        continue;
                    }
                    self.in_vain += 1;
                    // An accepted creation may take any time (RFC 9110, 15.3.3), and a list is looked at later.
                    if let (Some(read), false) = (resource.read, thing.answer.status == 202) {
                        let fault = FlowFault::Unreadable {
                            listed: false,
                            status: answer.status,
                        };
                        self.note(rules::CREATED_READABLE, read, fault, Some(&*answer));
                    }
                    return Ok(());
                }
            }
        };
        let mut told = Vec::new();
        if let (Some(sent), Some(schema)) = (&thing.sent, self.schemas_of(create).0) {
            let (sent, roots) = self.unwrapped(sent, &schema, &state);
            let (sent, found) = (
                Described {
                    value: &sent,
                    schemas: &roots,
                },
                described(&state),
            );
            let lost = self.comparing.defaults(sent, found);
            let differences = self.comparing.differences(sent, found);
            told = differences
                .iter()
                .chain(&lost)
                .map(Difference::member)
                .collect();
            self.differences(
                rules::WRITTEN_READ,
                Writing::Create,
                create,
                differences,
                &state.answer,
            );
            self.differences(
                rules::DEFAULT_APPLIED,
                Writing::Default,
                create,
                lost,
                &state.answer,
            );
        }
        let by = (create, Writing::Create);
        let sent = members_of(thing.sent.as_ref());
        self.answered(index, thing, by, &thing.answer, &state, (&sent, &told))
            .await?;
        let Some(again) = self.state(index, thing).await? else {
            return Ok(());
        };
        for (name, before, after) in self.moved(index, &state, &again, &[]) {
            let fault = FlowFault::Unstable {
                at: pointer::join("", &name),
                before,
                after,
            };
            self.note(
                rules::READ_CHANGES_NOTHING,
                again.operation,
                fault,
                Some(&again.answer),
            );
        }
        Ok(())
    }

    /// Creates a thing with values that servers misread, and reads it: those that only look whether there is something take `false` and 0
    /// for nothing, and the text of `false` in a form for something.
    async fn misread(
        &mut self,
        index: usize,
        above: &[String],
        like: &Thing,
    ) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let create = resource.create.filter(|_| !resource.creates_by_put());
        let (Some(create), Some(sent)) = (create, &like.sent) else {
            return Ok(());
        };
        let Some(schema) = self.schemas_of(create).0 else {
            return Ok(());
        };
        let body = self.another(index, &schema, sent);
        let bodies = self.bodies.misreadable(&schema, &body);
        if bodies.is_empty() {
            return Ok(());
        }
        let Some(thing) = self.create_another(index, above, bodies).await? else {
            return Ok(());
        };
        let (Some(sent), Some(state)) = (&thing.sent, self.state(index, &thing).await?) else {
            return Ok(());
        };
        let (sent, roots) = self.unwrapped(sent, &schema, &state);
        let sent = Described {
            value: &sent,
            schemas: &roots,
        };
        let differences = self.comparing.differences(sent, described(&state));
        self.differences(
            rules::WRITTEN_READ,
            Writing::Create,
            create,
            differences,
            &state.answer,
        );
        Ok(())
    }

    /// Creates a thing without the members that have a default, and looks at them.
    async fn defaults(&mut self, index: usize, above: &[String]) -> Result<(), Stopped> {
        let Some(thing) = self.create_least(index, above).await? else {
            return Ok(());
        };
        let (Some(create), Some(sent)) = (self.resources[index].create, &thing.sent) else {
            return Ok(());
        };
        let Some(state) = self.state(index, &thing).await? else {
            return Ok(());
        };
        if let Some(schema) = self.schemas_of(create).0 {
            let (sent, roots) = self.unwrapped(sent, &schema, &state);
            let sent = Described {
                value: &sent,
                schemas: &roots,
            };
            let lost = self.comparing.defaults(sent, described(&state));
            self.differences(
                rules::DEFAULT_APPLIED,
                Writing::Default,
                create,
                lost,
                &state.answer,
            );
        }
        Ok(())
    }

    pub(super) fn differences(
        &mut self,
        rule: &'static str,
        by: Writing,
        operation: usize,
        all: Vec<Difference>,
        proof: &Answer,
    ) {
        for Difference { at, sent, found } in all {
            self.note(
                rule,
                operation,
                FlowFault::Written {
                    by,
                    at,
                    sent,
                    found,
                },
                Some(proof),
            );
        }
    }

    /// Looks for what was created in the list.
    async fn listed(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
    ) -> Result<(), Stopped> {
        let Some(list) = self.resources[index].list else {
            return Ok(());
        };
        for attempt in 0..=ATTEMPTS {
            match self.find(index, above, &thing.id, User::First).await? {
                Some(Found::No { pages, last }) if attempt == ATTEMPTS => {
                    self.in_vain += 1;
                    // Another value may be the id of items.
                    let body = last.body.clone().unwrap_or_default().to_string();
                    let by_other = thing
                        .others
                        .iter()
                        .any(|other| other.len() > 5 && body.contains(other.as_str()));
                    if !by_other && thing.answer.status != 202 {
                        self.note(
                            rules::CREATED_LISTED,
                            list,
                            FlowFault::Unlisted { pages },
                            Some(&last),
                        );
                    }
                }
                Some(Found::No { .. }) => self.settle(attempt).await,
                Some(Found::Unknown(answer)) if !answer.is_ok() => {
                    self.unobserved(list, &answer);
                    return Ok(());
                }
                Some(Found::Yes(..) | Found::Unknown(_)) | None => return Ok(()),
            }
        }
        Ok(())
    }
}
