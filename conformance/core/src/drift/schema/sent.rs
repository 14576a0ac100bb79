//! Which members are sent in a direction, by both documents.

use std::collections::BTreeSet;

use super::super::meaning::Step;
use super::compare::From;
use super::decider::Decider;
use super::differences::Difference;
use crate::finding::{SchemaChange, Sender};

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
            SchemaChange::KeywordAdded(told) => told.keyword == "writeOnly",
            _ => false,
        }
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
