//! Whether a value is documented by the alternatives that accept it. For a member that comes to one of them, what the others say of a
//! member of that name says nothing: they reject the value.

use serde_json::Value;

use super::source::Source;
use super::trial::Tried;
use super::{Meaning, judge};
use crate::finding::Sender;

/// How many values are looked at.
const VALUES: usize = 8;

impl Meaning<'_> {
    /// Takes back that values are documented whose members only alternatives speak of that reject them. The best of those that are
    /// documented comes first.
    pub(super) fn confirm(&self, at: &str, sender: Sender, rejected: &mut [Tried]) {
        let (old, _) = self.makers(sender);
        let at = [at.to_owned()];
        let mut left = VALUES;
        for tried in rejected.iter_mut().filter(|tried| tried.documented) {
            if left > 0 && speaks_of(&old.source, &at, &tried.value) {
                return;
            }
            tried.documented = false;
            left = left.saturating_sub(1);
        }
    }
}

/// Whether the schemas speak of all members in a value, those of alternatives that reject it left out.
fn speaks_of(source: &Source<'_>, schemas: &[String], value: &Value) -> bool {
    if !value.is_object() && !value.is_array() {
        return true;
    }
    let all = applied(source, schemas, value);
    let speak =
        |below: Vec<String>, inner: &Value| below.is_empty() || speaks_of(source, &below, inner);
    match value {
        Value::Object(members) => members.iter().all(|(name, member)| {
            let below = source.member(&all, name);
            below.is_some_and(|below| speak(below, member))
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .all(|(index, item)| speak(source.schemas.item(&all, index), item)),
        _ => true,
    }
}

/// The schemas that apply to a value.
fn applied(source: &Source<'_>, schemas: &[String], value: &Value) -> Vec<String> {
    let accepts = |at: &str| {
        let value = std::slice::from_ref(value);
        !source.marks(at).reject(&value[0], &[])
            && judge::accepted(source, at, value, None).is_ok_and(|all| all[0])
    };
    let mut found: Vec<String> = Vec::new();
    let mut open = schemas.to_vec();
    while let Some(at) = open.pop() {
        if found.contains(&at) {
            continue;
        }
        let below = source.schemas.applied(&at);
        let is_union = |name: &str| name == "anyOf" || name == "oneOf";
        let below = below
            .into_iter()
            .filter(|(keyword, at)| !is_union(keyword) || accepts(at));
        open.extend(below.map(|(_, at)| at));
        found.push(at);
    }
    found
}
