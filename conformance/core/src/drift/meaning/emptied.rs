//! Whether a schema has any value left.

use serde_json::Value;

use super::edit::Edit;
use super::facts::Facts;
use super::{At, Meaning, Spot, algebra, judge, whole};
use crate::finding::Sender;

impl Meaning<'_> {
    /// Whether the old schema accepts some value, and the new one none that was found.
    pub(in super::super) fn is_emptied(&self, at: At<'_>, sender: Sender) -> bool {
        let (_, new) = self.makers(sender);
        self.has_value(at.0, sender) && new.pool(&[at.1.to_owned()], 0).is_empty()
    }

    /// Whether the old schema accepts a value that was found.
    pub(in super::super) fn has_value(&self, at: &str, sender: Sender) -> bool {
        let (old, _) = self.makers(sender);
        !old.pool(&[at.to_owned()], 0).is_empty()
    }

    /// Whether the old schema accepts an object that was found.
    pub(in super::super) fn has_object(&self, at: &str, sender: Sender) -> bool {
        let (old, _) = self.makers(sender);
        old.pool(&[at.to_owned()], 0).iter().any(Value::is_object)
    }

    /// Whether the old schema accepts some value, and neither the new one nor the old one with `changes` accepts any.
    pub(in super::super) fn leaves_nothing(&self, spot: Spot<'_>, changes: &[&Edit]) -> bool {
        let Spot { at, sender, .. } = spot;
        if !self.is_emptied(at, sender) {
            return false;
        }
        let (old, _) = self.makers(sender);
        let edits = Some(self.edits(sender, changes));
        let ways = old.ways(at.0);
        if let [
            Facts {
                values: Some(values),
                ..
            },
        ] = &ways[..]
            && changes.iter().all(|edit| edit.lists_no_values())
            && let Ok(accepted) = judge::accepted(&old.source, at.0, values, edits)
        {
            return !accepted.contains(&true);
        }
        let whole = whole::whole(&old.source, at.0, edits, false);
        whole.is_ok_and(|whole| algebra::accepts_nothing(&whole))
    }
}
