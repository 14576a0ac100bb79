//! Members that are compared as JSON values, with all digits of their numbers.

use foldhash::HashSet;
use serde_json::{Map, Value};

use super::equal::{PROSE, PROVENANCE, identity_without_provenance};
use super::ledger::Ledger;
use super::pair::Pair;
use super::rules::{self, Rule};
use crate::document::{Document, Literal};
use crate::finding::{DocumentChange, Severity};
use crate::hooks;

impl Ledger<'_> {
    /// Compares all members except for the `handled` ones, so that nothing is dropped in silence.
    pub(super) fn rest(&mut self, subject: &str, at: &Pair, handled: &[&str]) {
        let (old, new) = self.objects(at);
        let empty = Map::new();
        let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
        let only_new = new.keys().filter(|key| !old.contains_key(*key));
        // The paths of a document are many.
        let many = handled.len() > 16;
        let names: HashSet<&str> = handled.iter().copied().filter(|_| many).collect();
        for key in old.keys().chain(only_new) {
            let key = key.as_str();
            let is_handled = match many {
                true => names.contains(key),
                false => handled.contains(&key),
            };
            if is_handled || PROVENANCE.contains(&key) || key == "$ref" {
                continue;
            }
            self.value(subject, &at.member(key), key, old.get(key), new.get(key));
        }
    }

    /// Compares one member as a JSON value.
    pub(super) fn value(
        &mut self,
        subject: &str,
        at: &Pair,
        key: &str,
        old: Option<&Value>,
        new: Option<&Value>,
    ) {
        let prose = PROSE.contains(&key);
        if prose && !self.options.prose {
            return;
        }
        if old == new && self.old.holds_all() && self.new.holds_all() {
            return;
        }
        let (before, after) = (old, new);
        let (old, new) = (
            exactly(self.old, &at.old, old),
            exactly(self.new, &at.new, new),
        );
        if is_same(&old, &new) {
            return;
        }
        if let (Some(one), Some(other)) = (before, after)
            && hooks::same(key, one, other)
        {
            return;
        }
        let extension = key.starts_with("x-");
        let rule = match (&old, &new) {
            _ if prose => &rules::PROSE_CHANGED,
            (Some(_), None) if extension => &rules::EXTENSION_REMOVED,
            (None, _) if extension => &rules::EXTENSION_ADDED,
            _ if extension => &rules::EXTENSION_CHANGED,
            (Some(_), None) => &rules::MEMBER_REMOVED,
            (None, _) => &rules::MEMBER_ADDED,
            _ => &rules::MEMBER_CHANGED,
        };
        let severity = if hooks::breaks_receivers(key, before, after) {
            Severity::Breaking
        } else {
            rule.severity
        };
        let change = self.change(at, key, old, new);
        self.add_as(rule, severity, subject, at, change);
    }

    /// Compares a member that may have a default value.
    pub(super) fn with_default(
        &mut self,
        rule: &'static Rule,
        subject: &str,
        at: &Pair,
        key: &str,
        default: Option<Value>,
    ) {
        let at = at.member(key);
        let default = default.map(Literal::from);
        let old = self.old.literal(&at.old).or(default.clone());
        let new = self.new.literal(&at.new).or(default);
        if !is_same(&old, &new) {
            let change = self.change(&at, key, old, new);
            self.add(rule, subject, &at, change);
        }
    }

    /// A member that differs, with numbers as the files spell them.
    fn change(
        &self,
        at: &Pair,
        key: &str,
        old: Option<Literal>,
        new: Option<Literal>,
    ) -> DocumentChange {
        let old = old.map(|value| as_spelled(self.old, &at.old, value));
        let new = new.map(|value| as_spelled(self.new, &at.new, value));
        member(key, old, new)
    }
}

/// A member that differs, or is there on one side only.
pub(super) fn member(key: &str, old: Option<Literal>, new: Option<Literal>) -> DocumentChange {
    DocumentChange::Member {
        key: key.to_owned(),
        old,
        new,
    }
}

/// The value at `at` with all digits of its numbers.
fn exactly(document: &Document, at: &str, value: Option<&Value>) -> Option<Literal> {
    value.map(|value| Literal::new(value.clone(), document.exact(at)))
}

/// A value that is a number, as the file spells it.
pub(super) fn as_spelled(document: &Document, at: &str, value: Literal) -> Literal {
    let number = value.number();
    let spelling = number.and_then(|number| document.spelled_number(at, &number));
    match spelling {
        Some(spelling) => value.spelled(spelling),
        None => value,
    }
}

fn is_same(old: &Option<Literal>, new: &Option<Literal>) -> bool {
    let text = |literal: &Option<Literal>| literal.as_ref().map(identity_without_provenance);
    old == new || text(old) == text(new)
}
