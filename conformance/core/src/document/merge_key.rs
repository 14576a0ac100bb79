//! Merge keys (`<<`) in documents that are YAML 1.2, which has none: they are read all the same, and told.

use super::{Document, Position};

/// A mapping with a merge key of YAML 1.1 in a document that is YAML 1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeKey {
    /// The file.
    pub document: String,
    /// JSON pointer of the mapping in the file.
    pub pointer: String,
    /// Where the key is in the file.
    pub position: Position,
}

impl Document {
    /// The merge keys of all files, in the order of the files.
    pub fn merge_keys(&self) -> Vec<MergeKey> {
        let mut keys: Vec<MergeKey> = Vec::new();
        for file in &self.origin.files {
            keys.extend(file.merged().map(|(at, position)| MergeKey {
                document: file.name.clone(),
                pointer: at.to_owned(),
                position,
            }));
        }
        keys.sort_by(|one, other| {
            let key = |merge: &MergeKey| (merge.document.clone(), merge.position);
            key(one).cmp(&key(other))
        });
        keys
    }
}
