//! Several things of one kind: each keeps what it was created with when others are created, and the list shows it so.

use serde_json::Value;

use super::agree::Contradiction;
use super::alike::alike;
use super::create::Thing;
use super::driver::{Driver, Stopped, User};
use super::life::ATTEMPTS;
use super::list::{Found, Walk};
use super::members::Described;
use super::naming::is_rank_or_state;
use super::view::{State, View, described};
use crate::document::pointer;
use crate::finding::{FlowFault, Severity, Writing};
use crate::rule::flows as rules;

/// How many things are created to have a list of some pages.
const STOCK: usize = 5;

/// Smallest pages above this size are not filled: it would take too many things.
const FILLED: u64 = 4;

/// How many of the things that were created are compared with the list.
const COMPARED: usize = 3;

impl Driver<'_> {
    /// Creates more things, so that a list has several pages, and reads it page by page.
    pub(super) async fn stock(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
    ) -> Result<(), Stopped> {
        let list = self.resources[index].list;
        let before = self.state(index, thing).await?;
        let mut things = vec![thing.clone()];
        let is_listed = list.is_some()
            && matches!(
                self.find(index, above, &thing.id, User::First).await?,
                Some(Found::Yes(..))
            );
        let paging = list.map(|list| self.paging(list));
        let wanted = match &paging {
            Some(paging) if paging.size.is_some() && paging.sizes.0 <= FILLED => {
                STOCK.max(usize::try_from(paging.sizes.0).unwrap_or(STOCK) * 2 + 1)
            }
            _ => 2,
        };
        let findings = self.findings.len();
        while things.len() < wanted {
            let other = match things.len() {
                1 => self.create_different(index, above, thing).await?,
                _ => None,
            };
            let more = match other {
                Some(other) => Some(other),
                None => self.create(index, above).await?,
            };
            let Some(more) = more else {
                // A server may allow only so many; the first one shows that it creates.
                self.forget_refusals(findings);
                break;
            };
            things.push(more);
        }
        // An accepted one may take any time.
        if thing.answer.status == 202 {
            things.clear();
        }
        if let (Some(before), true) = (before, things.len() > 1) {
            if self.resources[index].read.is_some() {
                self.first_is_kept(index, &things, &before).await?;
            }
            self.each_is_kept(index, above, &things).await?;
        }
        if list.is_none() {
            return Ok(());
        }
        // A thing that is not in the list at all was already reported.
        things.truncate(if is_listed { things.len() } else { 0 });
        let known: Vec<String> = things.into_iter().map(|thing| thing.id).collect();
        self.pages(index, above, &known).await
    }

    /// Creates a thing that differs from another one in every scalar, so that it shows whose values are read.
    async fn create_different(
        &mut self,
        index: usize,
        above: &[String],
        like: &Thing,
    ) -> Result<Option<Thing>, Stopped> {
        let resource = &self.resources[index];
        let create = resource.create.filter(|_| !resource.creates_by_put());
        let schema = create.and_then(|create| self.schemas_of(create).0);
        let (Some(schema), Some(sent), false) = (schema, &like.sent, self.course.plain) else {
            return Ok(None);
        };
        let mut body = self.bodies.different(&schema, sent, self.creations);
        if self.renewing.contains(&index) {
            body = self.bodies.renewed(&schema, &body, self.creations);
        }
        let bodies = self.of_course(&schema, vec![body]);
        self.create_another(index, above, bodies).await
    }

    /// Looks at the first thing again after others were created: it is still there, and has no value of another one. Other changes may be
    /// meant: a new thing may take the place of the first one, its rank, or that it is the default.
    async fn first_is_kept(
        &mut self,
        index: usize,
        things: &[Thing],
        before: &State,
    ) -> Result<(), Stopped> {
        let (Some(create), [thing, others @ ..]) = (self.resources[index].create, things) else {
            return Ok(());
        };
        let mut attempt = 0;
        let after = loop {
            match self.view(index, &thing.path, &thing.id).await? {
                View::Shown(after) => break after,
                View::Unknown => return Ok(()),
                View::Gone(_) if attempt < ATTEMPTS => {
                    self.settle(attempt).await;
                    attempt += 1;
                }
                View::Gone(answer) => {
                    self.in_vain += 1;
                    let fault = FlowFault::Replaced {
                        at: None,
                        before: before.answer.status.into(),
                        after: answer.status.into(),
                    };
                    let rule = rules::CREATE_KEEPS_OTHERS;
                    self.note_as(rule, Severity::Warning, create, fault, Some(&answer));
                    return Ok(());
                }
            }
        };
        let is_of_another = |name: &str, value: &Value| {
            let mut sent = others.iter().filter_map(|other| other.sent.as_ref());
            !is_rank_or_state(name)
                && sent.any(|sent| sent.get(name).is_some_and(|sent| alike(sent, value)))
        };
        for (name, old, new) in self.moved(index, before, &after, &[]) {
            if new.is_boolean() || new.is_null() || !is_of_another(&name, &new) {
                continue;
            }
            let fault = FlowFault::Replaced {
                at: Some(pointer::join("", &name)),
                before: old,
                after: new,
            };
            self.note(
                rules::CREATE_KEEPS_OTHERS,
                create,
                fault,
                Some(&after.answer),
            );
        }
        Ok(())
    }

    /// Compares some things with what they were created with, and the list with what is read of them.
    async fn each_is_kept(
        &mut self,
        index: usize,
        above: &[String],
        things: &[Thing],
    ) -> Result<(), Stopped> {
        let mut compared: Vec<&Thing> = things.iter().take(COMPARED - 1).collect();
        compared.extend(things.iter().skip(COMPARED - 1).last());
        let mut before: Option<Vec<(usize, Contradiction)>> = None;
        loop {
            let walk = self.whole(index, above, &[]).await?;
            let found = self.unlike_list(index, &compared, walk.as_ref()).await?;
            let Some(walk) = walk.filter(|_| !found.is_empty()) else {
                return Ok(());
            };
            let Some(before) = &before else {
                // It may show a moment later, or be changed by somebody else or by each read.
                before = Some(found);
                self.settle(0).await;
                continue;
            };
            let Some(list) = self.resources[index].list else {
                return Ok(());
            };
            for found in found {
                if before.contains(&found) {
                    let (_, Contradiction { name, one, other }) = found;
                    let fault = FlowFault::Listed {
                        at: pointer::join("", &name),
                        found: one,
                        after: other,
                    };
                    self.note(rules::LISTED_AS_READ, list, fault, Some(&walk.last));
                }
            }
            return Ok(());
        }
    }

    /// The members of things that the list shows with other values than the read of the thing. What the thing itself shows is compared
    /// with what it was created with.
    async fn unlike_list(
        &mut self,
        index: usize,
        things: &[&Thing],
        walk: Option<&Walk>,
    ) -> Result<Vec<(usize, Contradiction)>, Stopped> {
        let resource = &self.resources[index];
        let mut all = Vec::new();
        for (number, thing) in things.iter().enumerate() {
            let item = walk.and_then(|walk| Some((walk, walk.find(&thing.id)?)));
            let listed = item.zip(resource.list).map(|((walk, item), list)| {
                let body = walk.last.body.clone().unwrap_or_default();
                Box::new(State {
                    value: item.clone(),
                    schemas: self.item_schemas(list, &body, &resource.name),
                    operation: list,
                    answer: walk.last.clone(),
                })
            });
            let own = match resource.read {
                Some(_) => self.state(index, thing).await?,
                None => listed.clone(),
            };
            let Some(own) = own else { continue };
            self.as_created(index, thing, &own);
            if let (Some(listed), Some(_)) = (listed, resource.read) {
                let mut found = self.contradictions(index, &listed, &own, &[]);
                // A list may show the beginning of a text.
                found.retain(|one| !is_beginning(&one.one, &one.other));
                all.extend(found.into_iter().map(|found| (number, found)));
            }
        }
        Ok(all)
    }

    /// Compares a thing with what it was created with.
    fn as_created(&mut self, index: usize, thing: &Thing, state: &State) {
        let create = self.resources[index].create;
        let schema = create.and_then(|create| self.schemas_of(create).0);
        let (Some(create), Some(schema), Some(sent)) = (create, schema, &thing.sent) else {
            return;
        };
        let (sent, roots) = self.unwrapped(sent, &schema, state);
        let sent = Described {
            value: &sent,
            schemas: &roots,
        };
        let differences = self.comparing.differences(sent, described(state));
        self.differences(
            rules::WRITTEN_READ,
            Writing::Create,
            create,
            differences,
            &state.answer,
        );
    }
}

/// Whether a text is how another one begins, with or without an ellipsis.
fn is_beginning(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_str(), other.as_str()) else {
        return false;
    };
    let one = one.trim_end_matches('…').trim_end_matches("...").trim_end();
    !one.is_empty() && other.starts_with(one)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_excerpt_of_a_text_is_how_it_begins() {
        for (one, other, expected) in [
            ("It was a dark", "It was a dark and stormy night", true),
            ("It was a dark …", "It was a dark and stormy night", true),
            ("It was a dark...", "It was a dark and stormy night", true),
            ("It is a dark", "It was a dark and stormy night", false),
            ("...", "It was a dark and stormy night", false),
        ] {
            assert_eq!(is_beginning(&json!(one), &json!(other)), expected, "{one}");
        }
    }
}
