//! Where the nodes of the folded model stand in the files that they came from.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::HashMap;
use foldhash::fast::FixedState;
use serde_json::Value;

use super::number::Decimal;
use super::position::{Position, Spots, Text};
use super::{Parsed, walk::Path};

/// Nodes that stand elsewhere before a step of folding than after it.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Where nodes were, by their pointer after the step.
    nodes: HashMap<String, String>,
    /// Which keywords of schemas had other names, one bit for each of [`RENAMED`], by [`place`]. Large documents have a hundred thousand.
    keywords: HashMap<u64, u8>,
}

/// Keywords by what they were called before a step; of those in a list, the first.
const RENAMED: [(&str, &str); 8] = [
    ("examples", "example"),
    ("examples/0", "example"),
    ("examples", "x-examples"),
    ("exclusiveMinimum", "minimum"),
    ("exclusiveMaximum", "maximum"),
    ("contentEncoding", "format"),
    ("contentMediaType", "format"),
    ("type/1", "nullable"),
];

/// The hash of a pointer. Two schemas that share it give a finding a wrong line, and nothing else.
fn place(at: &str) -> u64 {
    FixedState::default().hash_one(at)
}

impl Moves {
    /// Notes that what is at `new` was at `old`.
    pub(super) fn add(&mut self, new: &str, old: &str) {
        if new != old {
            self.nodes
                .entry(new.to_owned())
                .or_insert_with(|| old.to_owned());
        }
    }

    /// Notes that what is at `new` in the schema at `at` was its keyword `old`.
    pub(super) fn rename(&mut self, at: &str, new: &str, old: &str) {
        match RENAMED.iter().position(|known| *known == (new, old)) {
            Some(bit) => *self.keywords.entry(place(at)).or_default() |= 1 << bit,
            None => {
                let before = self.back(at.to_owned());
                self.add(&format!("{at}/{new}"), &format!("{before}/{old}"));
            }
        }
    }

    /// All nodes that moved: where each is, and where it was.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let nodes = self.nodes.iter();
        nodes.map(|(new, old)| (new.as_str(), old.as_str()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.keywords.is_empty()
    }

    /// Where the node at `at` was.
    pub(super) fn back(&self, mut at: String) -> String {
        if self.is_empty() {
            return at;
        }
        let mut end = at.len();
        loop {
            let known = &at[..end];
            if let Some(old) = self.nodes.get(known) {
                return format!("{old}{}", &at[end..]);
            }
            let Some(slash) = known.rfind('/') else {
                return at;
            };
            let renamed = self.keyword(known);
            end = renamed.map_or(slash, |(schema, _)| schema);
            if let Some((schema, old)) = renamed {
                at = format!("{}/{old}{}", &at[..schema], &at[known.len()..]);
            }
        }
    }

    /// The length of the pointer of the schema whose keyword is at `at` and had another name, and that name.
    fn keyword(&self, at: &str) -> Option<(usize, &'static str)> {
        if self.keywords.is_empty() {
            return None;
        }
        RENAMED.iter().enumerate().find_map(|(bit, (new, old))| {
            let schema = at.strip_suffix(new)?.strip_suffix('/')?;
            let bits = self.keywords.get(&place(schema))?;
            (bits & 1 << bit != 0).then_some((schema.len(), *old))
        })
    }

    /// The moves by where a node was; what was put in several places is in the first by name.
    pub(super) fn reversed(&self) -> HashMap<&str, &str> {
        let mut reversed: HashMap<&str, &str> = HashMap::default();
        for (new, old) in &self.nodes {
            let known = reversed.entry(old).or_insert(new);
            *known = (*known).min(new);
        }
        reversed
    }
}

/// One file that a document was put together from.
#[derive(Debug)]
pub(super) struct File {
    /// The file or URL: as the user gave it, or as a reference leads to it.
    pub(super) name: String,
    text: Text,
    spots: Spots,
    /// Numbers that the model does not hold exactly.
    exact: BTreeMap<String, Decimal>,
    /// Mappings with a merge key that their document does not allow, and the byte of the key.
    merged: Vec<(String, u32)>,
}

/// Notes on the nodes of a text, by their numbers.
struct Noted<'p> {
    spots: &'p Spots,
    exact: HashMap<usize, &'p Decimal>,
    merged: HashMap<usize, Vec<u32>>,
}

impl File {
    /// The file and its value.
    pub(super) fn new(name: String, text: String, parsed: Parsed) -> (Value, Self) {
        let mut exact = HashMap::default();
        exact.extend(parsed.exact.iter().map(|(node, exact)| (*node, exact)));
        let mut merged: HashMap<usize, Vec<u32>> = HashMap::default();
        for (mapping, offset) in &parsed.merged {
            merged.entry(*mapping).or_default().push(*offset);
        }
        let mut file = Self {
            name,
            text: Text::new(text),
            spots: Spots::default(),
            exact: BTreeMap::new(),
            merged: Vec::new(),
        };
        if !parsed.exact.is_empty() || !parsed.merged.is_empty() {
            let noted = Noted {
                spots: &parsed.spots,
                exact,
                merged,
            };
            file.note(&noted, &parsed.value, 0, &Path::Root);
        }
        file.spots = parsed.spots;
        (parsed.value, file)
    }

    /// Gives what was noted by node its pointer.
    fn note(&mut self, noted: &Noted<'_>, value: &Value, node: usize, at: &Path<'_>) {
        let children = noted.spots.below(node);
        match value {
            Value::Number(_) => {
                if let Some(exact) = noted.exact.get(&node) {
                    self.exact.insert(at.pointer(), (*exact).clone());
                }
            }
            Value::Array(items) => {
                for (index, (item, child)) in items.iter().zip(children).enumerate() {
                    self.note(noted, item, child, &Path::Index(at, index));
                }
            }
            Value::Object(members) => {
                for offset in noted.merged.get(&node).into_iter().flatten() {
                    self.merged.push((at.pointer(), *offset));
                }
                for ((key, member), child) in members.iter().zip(children) {
                    self.note(noted, member, child, &Path::Key(at, key));
                }
            }
            _ => {}
        }
    }

    /// The position of the node at `at`, or of its nearest existing ancestor.
    pub(super) fn position(&self, at: &str) -> Position {
        self.text.position(self.spots.find(at).0)
    }

    /// The places of merge keys: the pointer of the mapping, and the position of the key.
    pub(super) fn merged(&self) -> impl Iterator<Item = (&str, Position)> {
        let merged = self.merged.iter();
        merged.map(|(at, offset)| (at.as_str(), self.text.position(*offset)))
    }
}

/// Where a model came from: its own file first, then those that it refers to.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) files: Vec<File>,
    /// The steps of folding, the first one first.
    pub(super) steps: Vec<Moves>,
}

/// The member of the model that holds the other files.
pub const BUNDLED: &str = "x-bundled";

impl Origin {
    /// The number of the file that the node at `at` of the model is from, and its pointer there.
    pub(super) fn back(&self, at: &str) -> (usize, String) {
        let steps = self.steps.iter().rev();
        let at = steps.fold(at.to_owned(), |at, moves| moves.back(at));
        let Some((number, length)) = file_of(&at).filter(|(number, _)| *number < self.files.len())
        else {
            return (0, at);
        };
        (number, at[length..].to_owned())
    }

    /// Returns the file, the pointer in it and the position of the node at `at` of the model. A node that the file does not have is where
    /// its nearest ancestor is.
    pub(super) fn find(&self, at: &str) -> (&str, String, Position) {
        let (number, mut at) = self.back(at);
        let file = &self.files[number];
        let (offset, length) = file.spots.find(&at);
        at.truncate(length);
        (&file.name, at, file.text.position(offset))
    }

    /// The text of a file from the node at `at` of the model on; none where the file has no such node.
    pub(super) fn text(&self, at: &str) -> Option<&str> {
        let (number, at) = self.back(at);
        let file = &self.files[number];
        let (offset, length) = file.spots.find(&at);
        let is_there = length == at.len() && !at.is_empty();
        is_there.then(|| file.text.from(offset)).flatten()
    }

    /// The numbers of the model `value` that it does not hold exactly, by their pointers.
    pub(super) fn exact(&self, value: &Value) -> BTreeMap<String, Decimal> {
        let mut found = BTreeMap::new();
        if self.files.iter().any(|file| !file.exact.is_empty()) {
            self.exact_below(value, &Path::Root, &mut found);
        }
        found
    }

    fn exact_below(&self, value: &Value, at: &Path<'_>, found: &mut BTreeMap<String, Decimal>) {
        match value {
            Value::Number(number) if number.is_f64() => {
                let at = at.pointer();
                let (number, place) = self.back(&at);
                if let Some(exact) = self.files[number].exact.get(&place) {
                    found.insert(at, exact.clone());
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.exact_below(item, &Path::Index(at, index), found);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    self.exact_below(member, &Path::Key(at, key), found);
                }
            }
            _ => {}
        }
    }
}

/// The number of another file that the pointer `at` of the model leads into, and the length of what stands for the file.
pub(super) fn file_of(at: &str) -> Option<(usize, usize)> {
    let rest = at.strip_prefix('/')?.strip_prefix(BUNDLED)?;
    let rest = rest.strip_prefix('/')?;
    let digits = rest.split('/').next().unwrap_or(rest);
    let number = digits.parse().ok()?;
    Some((number, at.len() - rest.len() + digits.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_by_the_names_that_they_had() {
        let mut moves = Moves::default();
        moves.add("/a/anyOf/0", "/a");
        let schema = "/a/anyOf/0/properties/b";
        for (new, old) in [
            ("examples", "example"),
            ("examples/0", "example"),
            ("contentEncoding", "format"),
            ("type/2", "nullable"),
        ] {
            moves.rename(schema, new, old);
        }
        for (at, before) in [
            ("examples", "/a/properties/b/example"),
            ("examples/0/c/1", "/a/properties/b/example/c/1"),
            ("contentEncoding", "/a/properties/b/format"),
            ("type/2", "/a/properties/b/nullable"),
            ("type/1", "/a/properties/b/type/1"),
            ("items/examples/0", "/a/properties/b/items/examples/0"),
        ] {
            assert_eq!(moves.back(format!("{schema}/{at}")), before, "{at}");
        }
        assert_eq!(moves.back("/examples".to_owned()), "/examples");
    }
}
