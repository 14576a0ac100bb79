//! What the set algebra proves of an edit, or of all that changed.

use super::algebra::Relation;
use super::edit::Edit;
use super::{At, Meaning, whole};
use crate::finding::Sender;

impl<'a> Meaning<'a> {
    /// The relation of the old schema and the old schema with `edits` by set algebra.
    pub(in super::super) fn proof(
        &self,
        at: At<'_>,
        sender: Sender,
        changes: &[&Edit],
    ) -> Relation {
        let (old, _) = self.makers(sender);
        let edits = Some(self.edits(sender, changes));
        let related = |prune: bool| {
            let source = &old.source;
            whole::related((source, at.0, None), (source, at.0, edits), prune)
        };
        let pruned = match changes.iter().any(|edit| edit.concerns_schemas()) {
            true => Relation::default(),
            false => related(true),
        };
        // The parts that were left out may be what makes the two the same.
        match pruned.old_in_new && pruned.new_in_old {
            true => pruned,
            false => {
                let mut whole = related(false);
                whole.old_in_new |= pruned.old_in_new;
                whole.new_in_old |= pruned.new_in_old;
                whole
            }
        }
    }

    /// The relation of the old and the new schema by set algebra.
    pub(in super::super) fn relation(&self, at: At<'_>, sender: Sender) -> Relation {
        let (old, new) = self.makers(sender);
        let (old, new) = (&old.source, &new.source);
        whole::related((old, at.0, None), (new, at.1, None), false)
    }
}
