//! What arrives, one delivery at a time: to which webhook of the document it belongs, what is wrong with it, and whether it came once.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::event::Event;
use super::hook::Hook;
use super::judge::extension;
use super::receiver::Arrival;
use super::run::Run;
use super::trigger::Trigger;
use crate::finding::{DeliveryFault, Severity};
use crate::hooks::Promise;
use crate::rule::deliveries as rules;

impl<'a> Run<'a> {
    /// The event type of a delivery.
    pub(super) fn event_of(&self, hook: &Hook, arrival: &Arrival) -> Option<&'a str> {
        let body = arrival.message.json();
        let event = self.judge.event(arrival, body.as_ref(), &hook.events)?;
        Some(&event.name)
    }

    /// The deliveries of one event type to a webhook.
    pub(super) fn deliveries_of(&self, hook: &Hook, event: &str) -> Vec<Arrival> {
        let mut all = self.hooks.receiver.at(&hook.slot);
        all.retain(|arrival| self.event_of(hook, arrival) == Some(event));
        all
    }

    /// What is promised about an event type.
    pub(super) fn promise_of(&self, event: &str) -> Promise {
        let known = self.judge.named(event);
        known
            .map(|one| one.description.promise.clone())
            .unwrap_or_default()
    }

    /// Judges all deliveries to a webhook that should get each event once.
    pub(super) fn judge_all(&mut self, hook: &Hook) {
        let arrivals = self.hooks.receiver.at(&hook.slot);
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (index, arrival) in arrivals.iter().enumerate() {
            self.deliveries += 1;
            let Some(event) = self.judge_one(hook, arrival) else {
                continue;
            };
            let (count, last) = counts.entry(&event.name).or_default();
            (*count, *last) = (*count + 1, index);
            let Some(location) = &event.description.promise.id else {
                continue;
            };
            let Some(id) = location.value(&arrival.message) else {
                let place = location.name();
                let fault = DeliveryFault::IdMissing { place };
                self.broken(rules::ID, &event.name, fault, Some(arrival));
                continue;
            };
            match known.get(&id) {
                Some(before) if arrivals[*before].message.body != arrival.message.body => {
                    let fault = DeliveryFault::IdShared { id };
                    self.broken(rules::ID, &event.name, fault, Some(arrival));
                }
                Some(_) => {}
                None => {
                    known.insert(id, index);
                }
            }
        }
        if matches!(self.hooks.trigger, Trigger::None) {
            return;
        }
        for (name, (count, last)) in counts {
            if count > 1 && hook.events.iter().any(|own| own == name) {
                let severity = if self.promise_of(name).duplicates {
                    Severity::Warning
                } else {
                    Severity::Breaking
                };
                let fault = DeliveryFault::Duplicate { count };
                self.add(rules::ONCE, severity, name, fault, arrivals.get(last));
            }
        }
    }

    /// Judges a delivery by itself; gives its event type.
    pub(super) fn judge_one(&mut self, hook: &Hook, arrival: &Arrival) -> Option<&'a Event<'a>> {
        let judge = self.judge;
        let parsed = arrival.message.json();
        let Some(event) = judge.event(arrival, parsed.as_ref(), &hook.events) else {
            let event = parsed.as_ref().and_then(named);
            let fault = DeliveryFault::Undocumented { event };
            self.add(
                rules::DOCUMENTED,
                Severity::Breaking,
                "",
                fault,
                Some(arrival),
            );
            return None;
        };
        judge.judge(event, arrival, parsed.as_ref(), &mut self.sheet);
        self.signature(hook, event, arrival);
        self.leaks(hook, event, arrival);
        if !hook.events.contains(&event.name) {
            let fault = DeliveryFault::Unsubscribed {
                event: event.name.clone(),
                subscribed: hook.events.clone(),
            };
            self.add(
                rules::SUBSCRIBED,
                Severity::Breaking,
                &event.name,
                fault,
                Some(arrival),
            );
        }
        if !self.observed.contains(&event.name) {
            self.observed.push(event.name.clone());
        }
        Some(event)
    }

    /// Verifies the signature of a delivery, and shows for one of each event type that it would notice changes.
    fn signature(&mut self, hook: &Hook, event: &Event<'_>, arrival: &Arrival) {
        let Some(signing) = &event.description.signing else {
            return;
        };
        // A clock that runs fast is ahead by nobody knows how much, and never behind.
        let speed = self.hooks.settings.clock_speed;
        let is_ahead = || {
            let stated = signing.time(&arrival.message);
            stated.is_some_and(|stated| stated > arrival.wall)
        };
        let ahead = speed > 1.0 && is_ahead();
        let now = (speed >= 1.0 && !ahead).then_some(arrival.wall);
        self.judge
            .signature(event, hook.secrets(event), arrival, now, &mut self.sheet);
        if self.proven.contains(&event.name) {
            return;
        }
        self.proven.push(event.name.clone());
        for part in self.judge.unproven(event, hook.secrets(event), arrival) {
            let at = extension(self.judge.document, &event.operation.pointer);
            let finding = self.judge.finding(
                rules::SIGNATURE_WEAK,
                Severity::Warning,
                (&event.operation.subject(), &at),
                DeliveryFault::Weak { part },
                Some(arrival),
            );
            self.sheet.add(finding);
        }
    }

    /// Secrets in a delivery, except where the secret is what is sent.
    fn leaks(&mut self, hook: &Hook, event: &Event<'_>, arrival: &Arrival) {
        for own in hook.texts.iter().filter(|own| !own.is_token) {
            if let Some(place) = shown(&own.text, arrival) {
                let foreign = false;
                let fault = DeliveryFault::SecretShown { place, foreign };
                self.add(
                    rules::SECRET,
                    Severity::Breaking,
                    &event.name,
                    fault,
                    Some(arrival),
                );
            }
        }
    }

    /// Secrets of another webhook in a delivery.
    pub(super) fn foreign_leaks(&mut self, hook: &Hook, event: &str, arrival: &Arrival) {
        for own in &hook.texts {
            if let Some(place) = shown(&own.text, arrival) {
                let foreign = true;
                let fault = DeliveryFault::SecretShown { place, foreign };
                self.add(
                    rules::SECRET,
                    Severity::Breaking,
                    event,
                    fault,
                    Some(arrival),
                );
            }
        }
    }
}

/// Where a delivery shows a secret. A short one may be there by chance.
fn shown(text: &str, arrival: &Arrival) -> Option<String> {
    if text.len() < 8 {
        return None;
    }
    let mut headers = arrival.message.headers.iter();
    if let Some((name, _)) = headers.find(|(_, value)| value.contains(text)) {
        return Some(format!("header `{name}`"));
    }
    let in_body = memchr::memmem::find(&arrival.message.body, text.as_bytes()).is_some();
    in_body.then(|| "the body".to_owned())
}

/// The event type that a body names: its member `type`, `event` or the like.
fn named(body: &Value) -> Option<String> {
    let names = ["type", "event", "event_type", "eventType", "topic", "name"];
    names
        .iter()
        .find_map(|name| Some(body.get(*name)?.as_str()?.to_owned()))
}
