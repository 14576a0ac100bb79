//! Sentences about what differs outside of schemas.

use super::{Context, shown};
use crate::finding::DocumentChange;

pub(super) fn sentence(change: &DocumentChange, _context: &Context<'_>) -> String {
    match change {
        DocumentChange::Member {
            key,
            old: Some(old),
            new: Some(new),
        } => format!("`{key}` was {}, is now {}", shown(old), shown(new)),
        DocumentChange::Member {
            key,
            old: Some(old),
            ..
        } => format!("`{key}: {}` was removed", shown(old)),
        DocumentChange::Member { key, new, .. } => match new {
            Some(new) => format!("`{key}: {}` is new", shown(new)),
            None => format!("`{key}` differs"),
        },
    }
}

/// What to do where the documents must agree.
pub(super) fn advice(change: &DocumentChange, _context: &Context<'_>) -> Option<String> {
    match change {
        DocumentChange::Member { key, old, new } => Some(match (old, new) {
            (Some(_), None) => format!("emit `{key}`, or remove it from the source document"),
            (None, _) => format!("document `{key}`, or stop emitting it"),
            (Some(_), Some(_)) => {
                format!("emit the documented `{key}`, or correct the source document")
            }
        }),
    }
}
