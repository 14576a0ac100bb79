//! Which members are sent in a direction, by both documents.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::meaning::{Edit, Step};
use super::compare::From;
use super::decider::Decider;
use super::differences::Difference;
use crate::document::pointer;
use crate::finding::{SchemaChange, Sender};
use crate::schema::Subschemas;

/// How many schemas are looked into for members that leave with them.
const SCHEMAS: usize = 1_000;

impl Decider<'_, '_, '_> {
    /// Whether neither document has the member sent in this direction.
    pub(super) fn is_never_sent(&self, id: usize, sender: Sender, name: &str) -> bool {
        let (old, new) = self.meaning.hides(self.at(id), sender, name);
        let (in_old, in_new) = self.documented(id, name);
        old && (new || !in_new) || new && !in_old
    }

    /// Whether a difference of `required` is about a member that the sender does not send, so that it is not required of it.
    pub(super) fn is_unrequired(&self, id: usize, difference: &Difference, sender: Sender) -> bool {
        match &difference.change {
            SchemaChange::RequiredAdded { name } => self.meaning.hides(self.at(id), sender, name).1,
            SchemaChange::RequiredRemoved { name } => {
                self.meaning.hides(self.at(id), sender, name).0
            }
            _ => false,
        }
    }

    /// Whether the server stops sending a member that was documented.
    pub(super) fn is_withdrawn(&self, id: usize, difference: &Difference, sender: Sender) -> bool {
        if sender == Sender::Client {
            return false;
        }
        match &difference.change {
            SchemaChange::PropertyRemoved { name, .. } => {
                !self.documented(id, name).1
                    && !self.is_never_sent(id, sender, name)
                    && !self.never_has(id, name)
            }
            SchemaChange::KeywordAdded(told) if told.keyword == "writeOnly" => true,
            _ => self.withdraws_members(id, difference),
        }
    }

    /// Whether a difference takes schemas away with members that the new schema does not speak of. Alternatives do not count: a server
    /// need not send each of them.
    fn withdraws_members(&self, id: usize, difference: &Difference) -> bool {
        let mut open: Vec<String> = Vec::new();
        for edit in &difference.edits {
            match edit {
                Edit::Schema { schema, .. } => open.push(schema.clone()),
                Edit::Branch {
                    keyword,
                    old: Some(old),
                    new: None,
                    ..
                } if keyword == "allOf" => open.push(old.clone()),
                Edit::Keyword {
                    old: Some((schema, keyword)),
                    new: None,
                    ..
                } if keyword == "allOf" => {
                    let below = pointer::join(schema, keyword);
                    let branches = self.walk.sides.old.value(&below).and_then(Value::as_array);
                    let all = 0..branches.map_or(0, Vec::len);
                    open.extend(all.map(|index| pointer::index(&below, index)));
                }
                _ => {}
            }
        }
        let schemas = Subschemas::of(self.walk.sides.old.document());
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            if seen.len() == SCHEMAS || !seen.insert(at.clone()) {
                continue;
            }
            let all = schemas.applied(&at).into_iter();
            let always =
                all.filter(|(keyword, _)| ["$ref", "$dynamicRef", "allOf"].contains(keyword));
            open.extend(always.map(|(_, at)| at));
            let named = schemas
                .object(&at)
                .and_then(|schema| schema.get("properties"));
            let mut names = named
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(Map::keys);
            if names.any(|name| {
                self.documented(id, name) == (true, false)
                    && !self.is_never_sent(id, Sender::Server, name)
                    && !self.never_has(id, name)
            }) {
                return true;
            }
        }
        false
    }

    /// Whether the old and the new schema speak of the member `name` of the value that a pair is about.
    pub(super) fn documented(&self, id: usize, name: &str) -> (bool, bool) {
        let mut whole = id;
        let mut seen = BTreeSet::from([id]);
        // Other branches may speak of it as well.
        while let Some(From::Pair(around, _, Step::Same)) = self.walk.pairs[whole].from.first() {
            if !seen.insert(*around) {
                break;
            }
            whole = *around;
        }
        self.meaning.names(self.at(whole), name)
    }

    /// Whether no value of either schema of a pair has a member of this name.
    pub(super) fn neither_has(&self, id: usize, name: &str) -> bool {
        let step = Step::Member(name.to_owned());
        let (old, new) = self.walk.views(id);
        self.vacant.0.misses(old, &step, true) && self.vacant.1.misses(new, &step, true)
    }

    /// Whether no value of the old schema of a pair has a member of this name.
    pub(super) fn never_has(&self, id: usize, name: &str) -> bool {
        let step = Step::Member(name.to_owned());
        self.vacant.0.misses(self.walk.views(id).0, &step, true)
    }
}
