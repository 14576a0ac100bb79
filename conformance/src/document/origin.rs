//! Where the nodes of the folded model stand in the files that they came from.

use std::collections::HashMap;

use super::pointer;
use super::position::{Position, Spots};

/// Nodes that stand elsewhere in the file than in the model, by their pointer in the model.
#[derive(Debug, Default)]
pub(super) struct Moves(HashMap<String, String>);

impl Moves {
    /// Notes that what is at `new` in the model stands at `old` in the file.
    pub(super) fn add(&mut self, new: &str, old: &str) {
        if new != old {
            self.0
                .entry(new.to_owned())
                .or_insert_with(|| old.to_owned());
        }
    }

    /// Where the node at `at` of the model stands.
    fn back(&self, at: &str) -> String {
        let mut known = at;
        loop {
            if let Some(old) = self.0.get(known) {
                return format!("{old}{}", &at[known.len()..]);
            }
            if known.is_empty() {
                return at.to_owned();
            }
            known = pointer::parent(known);
        }
    }
}

/// One file that a document was put together from.
#[derive(Debug)]
pub(super) struct File {
    /// The file or URL: as the user gave it, or as a reference leads to it.
    pub(super) name: String,
    pub(super) spots: Spots,
}

/// Where a model came from: its own file first, then those that it refers to.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) files: Vec<File>,
    pub(super) moves: Moves,
}

/// The member of the model that holds the other files.
pub(crate) const BUNDLED: &str = "x-bundled";

impl Origin {
    /// The file, the pointer in it and the position of the node at `at` of the model.
    pub(super) fn find(&self, at: &str) -> (&str, String, Position) {
        let prefix = format!("/{BUNDLED}/");
        let other = at.strip_prefix(&prefix).and_then(|rest| {
            let (number, _) = rest.split_once('/').unwrap_or((rest, ""));
            let file = self.files.get(number.parse::<usize>().ok()?)?;
            Some((file, rest[number.len()..].to_owned()))
        });
        let (file, at) = other.unwrap_or_else(|| (&self.files[0], self.moves.back(at)));
        let position = file.spots.find(&at);
        (&file.name, at, position)
    }
}
