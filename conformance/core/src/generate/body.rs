//! Bodies with one change, in each of the documented media types.

use std::collections::HashSet;
use std::rc::Rc;

use serde_json::Value;

use super::base::Base;
use super::case_name::Subject;
use super::span;
use super::wire::Verdict;
use super::{GENERATED, Source, derived};
use crate::case::form::Encodings;
use crate::case::serialize::{self, is_json};
use crate::case::{Body, Case, Intent, Refusal};
use crate::document::pointer;
use crate::samples::media_types;

/// A body that is changed, with the schema that describes it.
pub(super) struct Slot {
    pub(super) media_type: String,
    pub(super) schema: String,
    pub(super) encodings: Encodings,
    pub(super) value: Value,
    pub(super) body: Body,
}

/// How the names of changes of bodies begin.
pub(super) const BODY: Subject<'static> = Subject {
    whole: "body",
    is_body: true,
};

impl Slot {
    /// Another value in the same media type.
    pub(super) fn with(&self, value: &Value) -> Option<Body> {
        serialize::body(&self.media_type, value, &self.encodings).ok()
    }
}

impl Source<'_> {
    /// The bodies of the request, one for each media type that has a schema and can be written; that of `base` where it has one.
    pub(super) fn slots(&self, base: &Base) -> Vec<Slot> {
        let Some(owner) = self.operation.request_body(self.document) else {
            return Vec::new();
        };
        let mut slots = Vec::new();
        for (name, media) in media_types(self.document, &owner) {
            let schema = pointer::join(&media.pointer, "schema");
            let own = base.case.body.as_ref().filter(|body| {
                let given = body.content_type.as_deref().and_then(|one| self.media(one));
                given.is_some_and(|(given, _)| given == name)
            });
            let own = own.cloned().or_else(|| self.example_body(&name, &media));
            let Some((body, value)) = own.and_then(|body| Some((body.clone(), body.value?))) else {
                continue;
            };
            if self.document.at(&schema).is_some() {
                slots.push(Slot {
                    encodings: self.encodings(&name, &media),
                    media_type: body
                        .content_type
                        .clone()
                        .filter(|name| is_json(name))
                        .unwrap_or(name),
                    schema,
                    value,
                    body,
                });
            }
        }
        slots
    }

    /// The cases with another body.
    pub(super) fn bodies(self, base: Rc<Base>) -> impl Iterator<Item = Case> {
        let slots = self.slots(&base);
        let last = self.without_body(&base);
        let is_only = slots.len() == 1;
        let slots = slots.into_iter();
        slots
            .flat_map(move |slot| self.of_slot(Rc::clone(&base), slot, is_only))
            .chain(last)
    }

    /// The cases with another body in one media type.
    fn of_slot(self, base: Rc<Base>, slot: Slot, is_only: bool) -> impl Iterator<Item = Case> {
        let with = move |name: &str, body: Body, intent| Case {
            body: Some(body),
            ..derived(&base, name, intent)
        };
        let several = match is_only {
            true => String::new(),
            false => format!(" ({})", slot.media_type),
        };
        let name = format!("body as `{}`", slot.media_type);
        let verdict = self.of_body(&slot.schema, &slot.value, &slot.body, &slot.encodings);
        let is_valid = verdict == Some(Verdict::Valid);
        let plain = is_valid.then(|| with(&name, slot.body.clone(), Intent::Valid));
        let mut done = HashSet::new();
        let changes = self.changes(BODY, &slot.value, &slot.schema);
        let changed = changes.filter_map(move |change| {
            if done.contains(&change.group) {
                return None;
            }
            let body = slot.with(&change.value)?;
            let verdict = self.of_body(&slot.schema, &change.value, &body, &slot.encodings)?;
            let intent = verdict.intent(change.expect)?;
            done.insert(change.group);
            let body = match intent {
                Intent::Valid => self
                    .in_order(&slot, &change.value)
                    .map_or(body, |(_, body)| body),
                _ => body,
            };
            let builds_on = change
                .builds_on
                .map(|name| format!("{GENERATED}{name}{several}"));
            Some(Case {
                builds_on,
                ..with(&format!("{}{several}", change.name), body, intent)
            })
        });
        plain.into_iter().chain(changed)
    }

    /// A body like one that is valid, in which spans end behind their start; none where that is so already, or cannot be.
    pub(super) fn in_order(&self, slot: &Slot, value: &Value) -> Option<(Value, Body)> {
        let ordered = span::in_order(value, &slot.value).into_iter();
        let mut valid = ordered.filter_map(|value| {
            let body = slot.with(&value)?;
            let verdict = self.of_body(&slot.schema, &value, &body, &slot.encodings);
            (verdict == Some(Verdict::Valid)).then_some((value, body))
        });
        valid.next()
    }

    /// The request without its body.
    fn without_body(&self, base: &Base) -> Option<Case> {
        base.case.body.as_ref()?;
        let owner = self.operation.request_body(self.document)?;
        let required = owner.value.get("required") == Some(&Value::Bool(true));
        let intent = match required {
            true => Intent::Refused(Refusal::Invalid),
            // A server may want the members of a body that it does not want.
            false => Intent::Open,
        };
        Some(Case {
            body: None,
            ..derived(base, "without a body", intent)
        })
    }
}
