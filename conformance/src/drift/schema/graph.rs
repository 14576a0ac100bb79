//! The schemas of one document that are in use, and which of two documents' schemas are equal.
//!
//! Equality is found by refining a partition: two schemas are first put into one class when their own keywords agree, then split
//! while the classes of the schemas inside of them differ. Where this comes to rest, equal classes mean equal schemas, recursive
//! ones included, and no shared schema is ever compared twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::equal::{canonical, canonical_without_provenance};
use super::fold::view;
use super::view::{Content, View};
use crate::document::Document;

/// How many schemas a document may use.
pub(super) const NODE_LIMIT: usize = 300_000;

/// How often classes are split. References nest less deep than this in any document that people write.
const ROUNDS: usize = 100;

/// The schemas of one document.
pub(super) struct Graph<'a> {
    document: &'a Document,
    prose: bool,
    nodes: Vec<View>,
    /// Node by pointer of a schema as it stands in the document, and by the pointer that its view is known by.
    ids: HashMap<String, usize>,
    /// Whether [`NODE_LIMIT`] kept schemas out.
    pub(super) cut: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn new(document: &'a Document, prose: bool) -> Self {
        Self {
            document,
            prose,
            nodes: Vec::new(),
            ids: HashMap::new(),
            cut: false,
        }
    }

    /// Adds the schema at `root` and all that it uses; gives the new ones that refer to nothing.
    pub(super) fn add(&mut self, root: &str) -> Vec<(String, String)> {
        let mut unresolved = Vec::new();
        let mut open = VecDeque::from([root.to_owned()]);
        while let Some(at) = open.pop_front() {
            if self.ids.contains_key(&at) {
                continue;
            }
            if self.nodes.len() >= NODE_LIMIT {
                self.cut = true;
                break;
            }
            let view = view(self.document, &at, self.prose);
            if let Some(&known) = self.ids.get(&view.pointer) {
                self.ids.insert(at, known);
                continue;
            }
            unresolved.extend(view.unresolved.iter().cloned());
            open.extend(
                children(&view)
                    .into_iter()
                    .filter(|child| !self.ids.contains_key(*child))
                    .cloned(),
            );
            let id = self.nodes.len();
            self.ids.insert(view.pointer.clone(), id);
            self.ids.insert(at, id);
            self.nodes.push(view);
        }
        unresolved
    }

    /// The node of the schema at `at`, when it was added.
    pub(super) fn id(&self, at: &str) -> Option<usize> {
        self.ids.get(at).copied()
    }

    pub(super) fn node(&self, id: usize) -> &View {
        &self.nodes[id]
    }

    /// Whether anything stands where the schema is.
    pub(super) fn is_there(&self, id: usize) -> bool {
        self.document.at(&self.nodes[id].pointer).is_some()
    }

    /// Whether a schema in use is only sent in one direction.
    pub(super) fn is_flagged(&self) -> bool {
        let flags = ["readOnly", "writeOnly"];
        self.nodes
            .iter()
            .any(|view| flags.iter().any(|flag| view.parts.contains_key(*flag)))
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What a schema says itself, without the schemas inside of it.
    pub(super) fn local(view: &View) -> u64 {
        let mut hasher = DefaultHasher::new();
        (view.or_null, view.never).hash(&mut hasher);
        for (keyword, part) in &view.parts {
            (keyword, std::mem::discriminant(&part.content)).hash(&mut hasher);
            match &part.content {
                Content::Value(value) => canonical_without_provenance(value).hash(&mut hasher),
                Content::Set(values) => values
                    .iter()
                    .map(canonical)
                    .collect::<Vec<_>>()
                    .hash(&mut hasher),
                Content::One(_) => {}
                Content::Named(members) => members.keys().collect::<Vec<_>>().hash(&mut hasher),
                Content::Ordered(items) | Content::Branches(items) => items.len().hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    /// For each schema the schemas inside of it, as lists whose order counts or does not.
    fn links(&self) -> Vec<Vec<Link>> {
        let ids = |items: &mut dyn Iterator<Item = &String>| items.map(|at| self.id(at)).collect();
        let link = |content: &Content| match content {
            Content::Value(_) | Content::Set(_) => None,
            Content::One(at) => Some(Link {
                ordered: true,
                ids: vec![self.id(at)],
            }),
            Content::Named(members) => Some(Link {
                ordered: true,
                ids: ids(&mut members.values()),
            }),
            Content::Ordered(items) => Some(Link {
                ordered: true,
                ids: ids(&mut items.iter()),
            }),
            Content::Branches(items) => Some(Link {
                ordered: false,
                ids: ids(&mut items.iter()),
            }),
        };
        self.nodes
            .iter()
            .map(|view| {
                view.parts
                    .values()
                    .filter_map(|part| link(&part.content))
                    .collect()
            })
            .collect()
    }
}

/// The schemas that one keyword speaks of; `None` is one that was kept out by the limit.
struct Link {
    ordered: bool,
    ids: Vec<Option<usize>>,
}

/// Splits classes by the classes of the schemas inside.
fn refine(links: &[Vec<Link>], classes: &[u64]) -> Vec<u64> {
    let mut refined = Vec::with_capacity(classes.len());
    for (links, own) in links.iter().zip(classes) {
        let mut hasher = DefaultHasher::new();
        own.hash(&mut hasher);
        for link in links {
            let class = |id: &Option<usize>| id.and_then(|id| classes.get(id)).copied();
            let mut below: Vec<Option<u64>> = link.ids.iter().map(class).collect();
            if !link.ordered {
                below.sort_unstable();
            }
            below.hash(&mut hasher);
        }
        refined.push(hasher.finish());
    }
    refined
}

/// The schemas that a view speaks of.
fn children(view: &View) -> Vec<&String> {
    let mut all = Vec::new();
    for part in view.parts.values() {
        match &part.content {
            Content::Value(_) | Content::Set(_) => {}
            Content::One(at) => all.push(at),
            Content::Named(members) => all.extend(members.values()),
            Content::Ordered(items) | Content::Branches(items) => all.extend(items),
        }
    }
    all
}

/// Which schemas of two documents are equal.
pub(super) struct Classes {
    theirs: Vec<u64>,
    ours: Vec<u64>,
    /// Whether the splitting came to rest, so that equal classes mean equal schemas.
    exact: bool,
}

impl Classes {
    pub(super) fn of(theirs: &Graph<'_>, ours: &Graph<'_>) -> Self {
        let local = |graph: &Graph<'_>| graph.nodes.iter().map(Graph::local).collect::<Vec<_>>();
        let mut classes = Self {
            theirs: local(theirs),
            ours: local(ours),
            exact: false,
        };
        let links = (theirs.links(), ours.links());
        let mut count = classes.count();
        for _ in 0..ROUNDS {
            classes.theirs = refine(&links.0, &classes.theirs);
            classes.ours = refine(&links.1, &classes.ours);
            let refined = classes.count();
            if refined == count {
                classes.exact = true;
                break;
            }
            count = refined;
        }
        classes
    }

    fn count(&self) -> usize {
        self.theirs
            .iter()
            .chain(&self.ours)
            .collect::<HashSet<_>>()
            .len()
    }

    /// Whether the two are certainly equal.
    pub(super) fn equal(&self, theirs: usize, ours: usize) -> bool {
        self.exact && self.alike(theirs, ours)
    }

    /// Whether the two are equal as far as was looked.
    pub(super) fn alike(&self, theirs: usize, ours: usize) -> bool {
        self.theirs
            .get(theirs)
            .is_some_and(|class| self.ours.get(ours) == Some(class))
    }
}
