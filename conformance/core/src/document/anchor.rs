//! Schemas by their anchors.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::keyword::{has_free_names, is_data};
use super::pointer;

/// Schemas by `$anchor` and `$dynamicAnchor`.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// The first of each name.
    pub(super) first: HashMap<String, String>,
    /// Names of `$dynamicAnchor` that several schemas have.
    pub(super) ambiguous: HashSet<String>,
}

impl Anchors {
    /// The anchors of a document or a file.
    pub(super) fn of(value: &Value) -> Self {
        let mut all = Self::default();
        all.gather(value, &mut String::new(), false, &mut HashSet::new());
        all
    }

    /// Recurses as deep as the document, which is limited.
    fn gather(
        &mut self,
        value: &Value,
        at: &mut String,
        named: bool,
        dynamic: &mut HashSet<String>,
    ) {
        let length = at.len();
        match value {
            Value::Object(members) => {
                for keyword in ["$anchor", "$dynamicAnchor"] {
                    let Some(Value::String(name)) = members.get(keyword) else {
                        continue;
                    };
                    self.first.entry(name.clone()).or_insert_with(|| at.clone());
                    if keyword == "$dynamicAnchor" && !dynamic.insert(name.clone()) {
                        self.ambiguous.insert(name.clone());
                    }
                }
                for (key, member) in members {
                    if named || !is_data(key, member) {
                        pointer::push(at, key);
                        self.gather(member, at, !named && has_free_names(key), dynamic);
                        at.truncate(length);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointer::push(at, &index.to_string());
                    self.gather(item, at, false, dynamic);
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }
}
