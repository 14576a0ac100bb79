//! What a document says in a way that its readers may not understand: nothing that keeps it from being read.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Document, Position, pointer};

/// Something worth telling about a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is.
    pub what: Noted,
    /// The file.
    pub document: String,
    /// JSON pointer of the node in the file.
    pub pointer: String,
    /// Where it is in the file.
    pub position: Position,
}

/// What is noted of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// A merge key (`<<`) of YAML 1.1 in a document that is YAML 1.2; the node is the mapping that has it.
    MergeKey,
    /// A parameter that was given before in the same list.
    ParameterTwice {
        /// The place that it is in, such as `query`.
        place: String,
        /// Its name.
        name: String,
        /// Where it was given first.
        first: Position,
    },
}

impl Document {
    /// What is worth telling about the document, in the order of its files.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for file in &self.origin.files {
            notes.extend(file.merged().map(|(at, position)| Note {
                what: Noted::MergeKey,
                document: file.name.clone(),
                pointer: at.to_owned(),
                position,
            }));
        }
        let mut items = Vec::new();
        for map in ["/paths", "/webhooks", "/components/pathItems"] {
            items.extend(self.children(map));
        }
        for callback in self.children("/components/callbacks") {
            items.extend(self.children(&callback));
        }
        // Callbacks have path items, which have operations, which have callbacks.
        let mut seen = HashSet::new();
        while let Some((item, members)) = items.pop().and_then(|at| self.resolve(&at)) {
            if !seen.insert(item.clone()) {
                continue;
            }
            self.parameters_twice(&item, &mut notes);
            for key in members.as_object().into_iter().flat_map(|all| all.keys()) {
                let operation = pointer::join(&item, key);
                self.parameters_twice(&operation, &mut notes);
                for callback in self.children(&pointer::join(&operation, "callbacks")) {
                    let callback = self.resolve(&callback).map(|(at, _)| at);
                    items.extend(callback.iter().flat_map(|at| self.children(at)));
                }
            }
        }
        notes.sort_by(|one, other| {
            let key = |note: &Note| (note.document.clone(), note.position);
            key(one).cmp(&key(other))
        });
        notes.dedup();
        notes
    }

    /// The pointers of the members of an object.
    fn children(&self, at: &str) -> Vec<String> {
        let members = self.at(at).and_then(Value::as_object).into_iter().flatten();
        members.map(|(key, _)| pointer::join(at, key)).collect()
    }

    /// Notes the parameters of the object at `at` that its list has before.
    fn parameters_twice(&self, at: &str, notes: &mut Vec<Note>) {
        let at = pointer::join(at, "parameters");
        let count = self.at(&at).and_then(Value::as_array).map_or(0, Vec::len);
        let mut known: HashMap<(String, String), String> = HashMap::new();
        for index in 0..count {
            let here = pointer::index(&at, index);
            let Some((_, value)) = self.resolve(&here) else {
                continue;
            };
            let text = |key: &str| value.get(key).and_then(Value::as_str);
            let (Some(place), Some(name)) = (text("in"), text("name")) else {
                continue;
            };
            // Names of headers are the same in any case.
            let key = match place {
                "header" => name.to_ascii_lowercase(),
                _ => name.to_owned(),
            };
            let first = known
                .entry((place.to_owned(), key))
                .or_insert_with(|| here.clone());
            if *first != here {
                let (document, pointer) = self.origin(&here);
                notes.push(Note {
                    what: Noted::ParameterTwice {
                        place: place.to_owned(),
                        name: name.to_owned(),
                        first: self.position(first),
                    },
                    document: document.to_owned(),
                    pointer,
                    position: self.position(&here),
                });
            }
        }
    }
}
