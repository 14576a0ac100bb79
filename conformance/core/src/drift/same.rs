//! The parts that are identical in two documents, found in one pass, so that only differing parts are looked into.
//!
//! Two nodes are the same when they have the same members with the same values, in any order, and the references in them lead to
//! nodes that are the same, circles included. Equal nodes have no findings, whatever they mean. The reverse does not hold: nodes that
//! differ here may mean the same, which is for others to find out.
//!
//! Left out are provenance and, unless it is compared, text for readers. Names of components do not count.

use foldhash::{HashMap, HashSet};
use serde_json::{Map, Value};

use super::equal::{PROSE, PROVENANCE, SCHEMA_PROSE};
use crate::document::keyword::{LISTS, MAPS, SINGLE};
use crate::document::{Decimal, Document, has_free_names, holds_data, pointer};

/// Two nodes at the same place, and what their references lead to.
#[derive(Debug, Default)]
struct Node {
    /// Whether they differ in themselves.
    differs: bool,
    /// The nodes below them, by references or directly.
    below: Vec<u32>,
    /// Whether anything that they reach differs.
    touched: bool,
}

/// The kind of a node, which says how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Schema,
    /// An object of OpenAPI, or a list of them.
    Other,
    /// A map whose members have names that anybody may choose.
    Named,
}

/// Where two values are in memory, and how they are read: the first bits of an address are free, since values are aligned.
type Key = (usize, usize);

/// Two nodes that were not looked at yet.
struct Open<'a> {
    id: u32,
    old: &'a Value,
    new: &'a Value,
    kind: Kind,
}

/// The nodes of two documents that are known to be equal or not.
pub(super) struct Same<'a> {
    old: &'a Document,
    new: &'a Document,
    prose: bool,
    /// Numbers that the model does not hold exactly, by where they are in memory.
    exact: [HashMap<usize, Decimal>; 2],
    nodes: Vec<Node>,
    /// Nodes by where their values are in memory.
    ids: HashMap<Key, u32>,
    open: Vec<Open<'a>>,
    /// Where references lead; nowhere also when in a circle.
    targets: [HashMap<&'a str, Option<&'a Value>>; 2],
    /// Which nodes of each document one comes to an end from.
    ends: [HashMap<String, bool>; 2],
    /// Whole schemas of the old document that were counted.
    counted: HashSet<usize>,
    counting: bool,
    schemas: usize,
}

impl<'a> Same<'a> {
    pub(super) fn new(old: &'a Document, new: &'a Document, prose: bool) -> Self {
        Self {
            old,
            new,
            prose,
            exact: [exact(old), exact(new)],
            nodes: Vec::new(),
            ids: HashMap::default(),
            open: Vec::new(),
            targets: Default::default(),
            ends: Default::default(),
            counted: HashSet::default(),
            counting: false,
            schemas: 0,
        }
    }

    /// How many schemas of the old document were compared with one of the new document.
    pub(super) fn schemas(&self) -> usize {
        self.schemas
    }

    /// Whether two schemas are the same; what is missing on both sides is.
    pub(super) fn schema(&mut self, old: Option<&'a Value>, new: Option<&'a Value>) -> bool {
        self.ask(old, new, Kind::Schema)
    }

    /// Whether two other objects, which are members called `name`, are the same.
    pub(super) fn object(
        &mut self,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
        name: &str,
    ) -> bool {
        self.ask(old, new, Kind::of(name))
    }

    /// Whether two such objects that were asked about are the same, whatever their schemas and references come to.
    pub(super) fn outside(&self, old: &'a Value, new: &'a Value, name: &str) -> bool {
        let known = self.ids.get(&key(old, new, Kind::of(name)));
        known.is_some_and(|id| !self.nodes[*id as usize].differs)
    }

    /// Whether two schemas directly below two others that were asked about are the same.
    pub(super) fn inner(&self, old: &'a Value, new: &'a Value) -> bool {
        let known = self.ids.get(&key(old, new, Kind::Schema));
        known.is_none_or(|id| !self.nodes[*id as usize].touched)
    }

    /// Whether two schemas that were asked about differ in nothing but what is below them.
    pub(super) fn around(&self, old: &'a Value, new: &'a Value) -> bool {
        let known = self.ids.get(&key(old, new, Kind::Schema));
        known.is_some_and(|id| !self.nodes[*id as usize].differs)
    }

    fn ask(&mut self, old: Option<&'a Value>, new: Option<&'a Value>, kind: Kind) -> bool {
        let (Some(old), Some(new)) = (old, new) else {
            return old.is_none() && new.is_none();
        };
        let first = self.nodes.len();
        let id = self.node(old, new, kind);
        while let Some(open) = self.open.pop() {
            let node = match open.kind {
                Kind::Schema => self.counted(open.old, |this| this.keywords(open.old, open.new)),
                Kind::Other | Kind::Named => {
                    let mut node = Node::default();
                    let named = open.kind == Kind::Named;
                    self.members(open.old, open.new, named, &mut node);
                    node
                }
            };
            self.nodes[open.id as usize] = node;
        }
        self.touch(first);
        !self.nodes[id as usize].touched
    }

    /// Finds out which nodes from `first` on reach one that differs.
    fn touch(&mut self, first: usize) {
        let mut open = Vec::new();
        let mut above: HashMap<u32, Vec<u32>> = HashMap::default();
        for (id, node) in (first..).zip(&self.nodes[first..]) {
            if node.differs
                || node
                    .below
                    .iter()
                    .any(|below| self.nodes[*below as usize].touched)
            {
                open.push(small(id));
            }
        }
        if open.is_empty() {
            return;
        }
        for (id, node) in (first..).zip(&self.nodes[first..]) {
            for below in &node.below {
                above.entry(*below).or_default().push(small(id));
            }
        }
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut self.nodes[id as usize].touched, true) {
                open.extend(above.get(&id).into_iter().flatten());
            }
        }
    }

    /// The node of two values that are looked at as a whole.
    fn node(&mut self, old: &'a Value, new: &'a Value, kind: Kind) -> u32 {
        let next = small(self.nodes.len());
        let id = *self.ids.entry(key(old, new, kind)).or_insert(next);
        if id == next {
            self.nodes.push(Node::default());
            self.open.push(Open { id, old, new, kind });
        }
        id
    }

    /// Follows two references; `None` where one of them leads nowhere.
    fn follow(&mut self, old: &'a str, new: &'a str, kind: Kind) -> Option<u32> {
        let mut target = |side: usize, document: &'a Document, reference: &'a str| {
            let ends = &mut self.ends[side];
            *self.targets[side].entry(reference).or_insert_with(|| {
                let target = document.leads(reference, ends)?;
                document.at(&target)
            })
        };
        let old = target(0, self.old, old);
        let new = target(1, self.new, new);
        Some(self.node(old?, new?, kind))
    }

    /// Counts the schemas that `walk` comes across, unless the one that it starts at was counted before.
    fn counted<T>(&mut self, old: &'a Value, walk: impl FnOnce(&mut Self) -> T) -> T {
        let fresh = self.counted.insert(address(old));
        let outer = std::mem::replace(&mut self.counting, fresh);
        let found = walk(self);
        self.counting = outer;
        found
    }

    /// Compares two schemas that stand in others; `None` where they are the same and refer to nothing.
    fn inside(&mut self, old: &'a Value, new: &'a Value) -> Option<u32> {
        if let Some(&known) = self.ids.get(&key(old, new, Kind::Schema)) {
            return Some(known);
        }
        if let (Some(one), Some(other)) = (self.only_refers(old), self.only_refers(new))
            && let Some(id) = self.follow(one, other, Kind::Schema)
        {
            self.ids.insert(key(old, new, Kind::Schema), id);
            return Some(id);
        }
        let node = self.keywords(old, new);
        if !node.differs && node.below.is_empty() {
            return None;
        }
        let id = small(self.nodes.len());
        self.nodes.push(node);
        self.ids.insert(key(old, new, Kind::Schema), id);
        Some(id)
    }

    /// Whether two values differ; numbers by all their digits.
    fn differ(&self, one: &Value, other: &Value) -> bool {
        if one != other || self.exact.iter().all(HashMap::is_empty) {
            return one != other;
        }
        match (one, other) {
            (Value::Number(_), Value::Number(_)) => {
                let digits = |side: usize, value| self.exact[side].get(&address(value));
                digits(0, one) != digits(1, other)
            }
            (Value::Array(ones), Value::Array(others)) => {
                let mut both = ones.iter().zip(others);
                both.any(|(one, other)| self.differ(one, other))
            }
            (Value::Object(ones), Value::Object(others)) => {
                let mut both = ones
                    .iter()
                    .filter_map(|(key, one)| Some((one, others.get(key)?)));
                both.any(|(one, other)| self.differ(one, other))
            }
            _ => false,
        }
    }

    /// The reference of a schema that says nothing else.
    fn only_refers(&self, schema: &'a Value) -> Option<&'a str> {
        let schema = schema.as_object()?;
        let reference = pointer::member(schema, "$ref")?.as_str()?;
        let said = schema.keys().filter(|key| !self.is_left_out(key));
        (said.count() == 1).then_some(reference)
    }

    /// Whether a keyword of schemas is not compared where it stands.
    fn is_left_out(&self, keyword: &str) -> bool {
        PROVENANCE.contains(&keyword)
            || !self.prose && SCHEMA_PROSE.contains(&keyword)
            // Definitions count where they are used.
            || ["$defs", "definitions"].contains(&keyword)
    }

    fn keywords(&mut self, old: &'a Value, new: &'a Value) -> Node {
        let mut node = Node::default();
        if self.counting && self.only_refers(old).is_none() {
            self.schemas += 1;
        }
        let (Value::Object(old), Value::Object(new)) = (old, new) else {
            node.differs = old != new;
            return node;
        };
        let mut count = 0;
        let mut beside = new.iter();
        for (keyword, one) in old {
            let next = beside.next();
            if self.is_left_out(keyword) {
                continue;
            }
            count += 1;
            let other = match next {
                Some((other, value)) if other == keyword => Some(value),
                _ => pointer::member(new, keyword),
            };
            match other {
                Some(other) => self.keyword(keyword, one, other, &mut node),
                None => node.differs = true,
            }
        }
        let others = new.keys().filter(|keyword| !self.is_left_out(keyword));
        node.differs |= others.count() != count;
        // The names of components matter where they are values.
        if pointer::member(old, "discriminator").is_some() {
            let references = |schema: &'a Map<String, Value>| {
                let branches = ["oneOf", "anyOf"].map(|keyword| schema.get(keyword));
                let branches = branches.into_iter().flatten().filter_map(Value::as_array);
                let references = branches.flatten().map(|branch| branch.get("$ref"));
                references.collect::<Vec<_>>()
            };
            node.differs |= references(old) != references(new);
        }
        node
    }

    fn keyword(&mut self, keyword: &str, one: &'a Value, other: &'a Value, node: &mut Node) {
        match (one, other) {
            (Value::String(one), Value::String(other)) if keyword == "$ref" => {
                match self.follow(one, other, Kind::Schema) {
                    Some(id) => node.below.push(id),
                    None => node.differs = true,
                }
            }
            (Value::String(reference), _) if keyword == "$dynamicRef" => {
                node.differs |= one != other;
                // A reference that leads nowhere is a keyword like others.
                // One that may lead to several is followed to the first: by its name it finds the others in both documents.
                node.below
                    .extend(self.follow(reference, reference, Kind::Schema));
            }
            (Value::Object(members), _) if keyword == "discriminator" => {
                node.differs |= one != other;
                let mapping = members.get("mapping").and_then(Value::as_object);
                for name in mapping.into_iter().flat_map(Map::values) {
                    let name = name.as_str().unwrap_or_default();
                    if name.starts_with('#') {
                        node.below.extend(self.follow(name, name, Kind::Schema));
                    }
                }
            }
            (Value::Array(ones), Value::Array(others))
                if LISTS.contains(&keyword) || keyword == "items" =>
            {
                node.differs |= ones.len() != others.len();
                for (one, other) in ones.iter().zip(others) {
                    node.below.extend(self.inside(one, other));
                }
            }
            (Value::Object(ones), Value::Object(others)) if MAPS.contains(&keyword) => {
                node.differs |= ones.len() != others.len();
                let mut beside = others.iter();
                for (name, one) in ones {
                    let other = match beside.next() {
                        Some((other, value)) if other == name => Some(value),
                        _ => others.get(name),
                    };
                    match other {
                        Some(other) => node.below.extend(self.inside(one, other)),
                        None => node.differs = true,
                    }
                }
            }
            (Value::Object(_) | Value::Bool(_), Value::Object(_) | Value::Bool(_))
                if SINGLE.contains(&keyword) =>
            {
                let below = self.inside(one, other);
                // Keywords that accept everything are as good as missing, which is seen from outside only.
                let plain = |value: &Value| {
                    value.as_object().is_none_or(|members| {
                        members.keys().all(|keyword| self.is_left_out(keyword))
                    })
                };
                node.differs |= (plain(one) || plain(other)) && one != other;
                node.below.extend(below);
            }
            _ => node.differs |= self.differ(one, other),
        }
    }

    /// Compares two objects that are no schemas; `named` is whether anybody may choose the names of their members.
    fn members(&mut self, old: &'a Value, new: &'a Value, named: bool, node: &mut Node) {
        match (old, new) {
            (Value::Object(ones), Value::Object(others)) => {
                let prose = self.prose;
                let left_out = |key: &str, value: &Value| {
                    let prose = !prose
                        && !named
                        && PROSE.contains(&key)
                        && (value.is_string() || key == "externalDocs");
                    prose || PROVENANCE.contains(&key)
                };
                let mut count = 0;
                let mut beside = others.iter();
                for (key, one) in ones {
                    let next = beside.next();
                    if left_out(key, one) {
                        continue;
                    }
                    count += 1;
                    let other = match next {
                        Some((other, value)) if other == key => Some(value),
                        _ => others.get(key),
                    };
                    let Some(other) = other else {
                        node.differs = true;
                        continue;
                    };
                    match (one, other) {
                        (Value::String(one), Value::String(other)) if key == "$ref" => {
                            match self.follow(one, other, Kind::Other) {
                                Some(id) => node.below.push(id),
                                None => node.differs = true,
                            }
                        }
                        _ if !named && ["schema", "itemSchema"].contains(&key.as_str()) => {
                            let below = self.counted(one, |this| this.inside(one, other));
                            node.below.extend(below);
                        }
                        _ if !named && holds_data("", key, one) => {
                            node.differs |= self.differ(one, other);
                        }
                        _ => {
                            // The names of a map mean nothing.
                            let named = !named && has_free_names(key);
                            self.members(one, other, named, node);
                        }
                    }
                }
                let others = others.iter().filter(|(key, value)| !left_out(key, value));
                node.differs |= others.count() != count;
            }
            (Value::Array(ones), Value::Array(others)) => {
                node.differs |= ones.len() != others.len();
                for (one, other) in ones.iter().zip(others) {
                    self.members(one, other, false, node);
                }
            }
            _ => node.differs |= self.differ(old, new),
        }
    }
}

impl Kind {
    /// How the value of a member called `name` is read, if it is no schema.
    fn of(name: &str) -> Self {
        if has_free_names(name) {
            Self::Named
        } else {
            Self::Other
        }
    }
}

/// The numbers of a document that its model does not hold exactly, by where they are in memory.
fn exact(document: &Document) -> HashMap<usize, Decimal> {
    let all = document.exact("").into_iter();
    all.filter_map(|(at, exact)| Some((address(document.at(&at)?), exact)))
        .collect()
}

fn key(old: &Value, new: &Value, kind: Kind) -> Key {
    (address(old) | kind as usize, address(new))
}

/// The number of a node; a document has fewer nodes than bytes.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Values stay where they are while their document is borrowed, so this tells them apart.
fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}
