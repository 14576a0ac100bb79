//! Drift: where two documents of one API differ. Pure: documents in, findings out.
//!
//! *Old* is the earlier version or the source document, *new* the later version or what a server says of itself. Every difference is
//! reported; its severity depends on who sends the content and who receives it:
//!
//! - Schemas are compared by the values that they allow. A client sends what the old document allows, and the server reads by the new
//!   one; the server sends what the new document allows, and a client reads by the old one. For webhooks and callbacks it is the other
//!   way round, and once more for a callback of a callback. A value that the receiver rejects is `breaking`, and the finding shows it,
//!   its *witness*. A receiver that accepts more is a `warning`. Equal sets of values are no difference, however they are spelled;
//!   where neither a value nor a proof is found, the difference is `undecided`, with the reason. Clients do not send `readOnly`
//!   members, the server does not send `writeOnly` members.
//! - A sender sends the members that its own document names, so a value with others proves a `warning` only: a new optional property
//!   of a request breaks nobody.
//! - A documented member that the server stops sending is breaking, whether it was required or not: a property or header of a
//!   response, and a property, parameter or header of the request of a webhook or callback.
//! - A keyword that makes no value valid or invalid (`default`, `deprecated`, `examples`, `discriminator`, extensions) is a warning.
//! - Elsewhere the direction decides. A removed part is breaking, except for a response that the server no longer gives. An added part is
//!   breaking where a client meets it without asking (a response, a media type, a required member of a request), and a warning where it may
//!   ignore it. Statuses are covered by their range and by `default`, media types by their ranges, and are compared with what covers them.
//! - Parameters, media types and encodings are compared by what they mean: defaults, ignored headers, the case and order in names of
//!   media types, and `explode` of what is no list make no difference.
//! - Credentials that sufficed must still suffice. The document's `security` is about calls of the API; webhooks and callbacks need
//!   only what they say themselves.
//! - Samples, servers, tags and extensions are warnings. `x-webhook-signature` and `x-webhook-delivery` are compared by what they mean: another
//!   way of signing is breaking, and so are promises that receivers build on (`success`, `id`, `handshake`, a shorter `deadline`).
//! - Text for readers is compared on request only, as `info`.
//!
//! Components are compared through their use; unused ones are not compared. Names of components and security schemes do not count,
//! their content does. Provenance extensions (`x-decision`, `x-documented-defects`, `x-documented-names`) never count.
//!
//! Each difference has the verdict that it has alone: it is judged on the old schema with only this difference applied. Differences
//! that reject a value only together are one finding of the schema that they share; what differences of one schema make up for is none.
//!
//! A `discriminator` is a hint: it never decides whether a value is valid (OpenAPI 3.1.1, Discriminator Object), so a change of it is a
//! warning.
//!
//! Not compared: the `openapi` version, descriptions of responses, references to other documents that were not loaded (reported as
//! undecided), and parameters that a list has several times in different ways (reported as undecided). A `$dynamicRef` that may lead
//! to several schemas, depending on the path to it, is undecided where something differs.

mod answers;
mod components;
mod content;
mod encoding;
mod equal;
pub mod examples;
mod ledger;
mod meaning;
mod media;
mod members;
mod operations;
mod pair;
mod parameters;
mod progress;
pub mod rules;
mod same;
mod schema;
mod security;
mod site;
mod types;
mod users;
mod walk;
mod written;

pub use components::compares_schemas;
pub use meaning::{accepts_nothing, different_values, example_values, of_pattern};

use std::collections::BTreeMap;

use foldhash::HashSet;
use serde_json::{Map, Value};

use crate::document::{Document, Selection, pointer};
use crate::finding::{DocumentChange, Finding, Part, Place, Sender, Side};
use crate::hooks;

pub use progress::{Phase, Progress};

use equal::canonical_without_provenance;
use ledger::Ledger;
use members::member;
use pair::Pair;
use same::Same;
use schema::{Schemas, is_own_dialect};
use walk::{Entry, Met, walk};

/// Where the schemas are that a document gives names to.
const SCHEMAS: &str = "/components/schemas";

/// How findings name what belongs to no operation.
const DOCUMENT: &str = "document";

/// The choice of what is compared.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether text for readers is compared.
    pub prose: bool,
    /// Which operations are compared. With an include pattern, only they are: nothing of the document besides.
    pub selection: Selection,
    /// Counts how far the comparison has come.
    pub progress: Progress,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The differences, by subject in document order, then by place.
    pub findings: Vec<Finding>,
    /// How many nodes of the old document were compared, by plural noun.
    pub checked: BTreeMap<&'static str, usize>,
}

/// Compares two documents; see [`compare_counted`] for how much was compared.
pub fn compare(old: &Document, new: &Document, options: &Options) -> Vec<Finding> {
    compare_counted(old, new, options).findings
}

/// Compares two documents.
pub fn compare_counted(old: &Document, new: &Document, options: &Options) -> Comparison {
    let mut drift = Drift {
        ledger: Ledger::new(old, new, options),
        schemas: Schemas::default(),
        same: Same::new(old, new, options.prose),
        same_around: None,
        operations: 0,
        webhooks: 0,
        components: 0,
        visited: HashSet::default(),
    };
    drift.ledger.open(DOCUMENT);
    if !options.selection.is_partial() {
        drift.root();
    }
    drift.paths();
    drift.all_webhooks();
    if options.selection.is_everything() && compares_schemas(old, new) {
        drift.components();
    }
    let Drift {
        mut ledger,
        schemas,
        same,
        operations,
        webhooks,
        components,
        ..
    } = drift;
    let checked = BTreeMap::from([
        ("operations", operations),
        ("webhooks", webhooks),
        ("schemas", same.schemas().max(components)),
    ]);
    schemas.compare(same, &mut ledger);
    Comparison {
        findings: ledger.close(),
        checked,
    }
}

/// A comparison under way.
struct Drift<'a> {
    ledger: Ledger<'a>,
    schemas: Schemas<'a>,
    /// The nodes that need not be looked into.
    same: Same<'a>,
    /// Whether what holds for all operations is the same, once it was asked.
    same_around: Option<bool>,
    operations: usize,
    webhooks: usize,
    /// Schemas that were compared by name.
    components: usize,
    /// Path Items of callbacks that were compared, with their direction: callbacks may contain themselves.
    visited: HashSet<(String, String, Sender)>,
}

impl<'a> Drift<'a> {
    /// Compares the dialects of schemas, of which the one that holds anyway need not be named.
    fn dialect(&mut self) {
        const KEY: &str = "jsonSchemaDialect";
        let at = Pair::new("", "").member(KEY);
        let is_own = |value: &Value| value.as_str().is_some_and(is_own_dialect);
        let (old, new) = (self.ledger.old.at(&at.old), self.ledger.new.at(&at.new));
        if !(old.is_none_or(is_own) && new.is_none_or(is_own)) {
            self.ledger.value(DOCUMENT, &at, KEY, old, new);
        }
    }

    /// Compares what belongs to no operation.
    fn root(&mut self) {
        let root = Pair::new("", "");
        self.ledger.rest(
            DOCUMENT,
            &root,
            &[
                "openapi",
                "info",
                "servers",
                "tags",
                "paths",
                "webhooks",
                "components",
                "security",
                "$self",
                "jsonSchemaDialect",
                "x-bundled",
            ],
        );
        self.dialect();
        let info = Pair::new("/info", "/info");
        for key in ["title", "version"] {
            self.ledger
                .with_default(&rules::INFO_CHANGED, DOCUMENT, &info, key, None);
        }
        self.ledger.rest(DOCUMENT, &info, &["title", "version"]);
        self.ledger.rest(
            DOCUMENT,
            &Pair::new("/paths", "/paths"),
            &self.keys(&["/paths"]),
        );
        self.ledger.rest(
            DOCUMENT,
            &Pair::new("/components", "/components"),
            &self.keys(&["/components"]),
        );
        self.servers(DOCUMENT, &Pair::new("/servers", "/servers"));
        self.tags();
        self.merge_keys();
        self.hooks();
    }

    /// Says what cannot be read of the descriptions of webhooks. A fault of the old document alone is gone.
    fn hooks(&mut self) {
        let [old, new] =
            [self.ledger.old, self.ledger.new].map(|document| (document, hooks::faults(document)));
        for (side, (document, faults), others) in
            [(Side::Old, &old, &new.1), (Side::New, &new, &Vec::new())]
        {
            for fault in faults.iter().filter(|fault| !others.contains(fault)) {
                let place = Place::of(document, &fault.at);
                let change = DocumentChange::ExtensionInvalid {
                    side,
                    problem: fault.problem.clone(),
                };
                self.ledger
                    .note(&rules::EXTENSION_INVALID, DOCUMENT, (side, place), change);
            }
        }
    }

    /// Says which document has merge keys, at the first of them.
    fn merge_keys(&mut self) {
        for (side, document) in [(Side::Old, self.ledger.old), (Side::New, self.ledger.new)] {
            let keys = document.merge_keys();
            let count = keys.len();
            let Some(first) = keys.into_iter().next() else {
                continue;
            };
            let place = Place {
                document: first.document,
                node: first.pointer.clone(),
                pointer: first.pointer,
                line: first.position.line,
                column: first.position.column,
            };
            let change = DocumentChange::MergeKeys { side, count };
            self.ledger
                .note(&rules::MERGE_KEY, DOCUMENT, (side, place), change);
        }
    }

    /// Whether the objects at `at` say the same in the same words, so that there is nothing to compare.
    fn is_same(&mut self, at: &Pair) -> bool {
        let (old, new) = self.ledger.nodes(at);
        self.same.object(old, new, at.name())
    }

    /// Whether either of the objects at `at` has the member `key`, and both do not say the same there.
    fn has_other(&mut self, at: &Pair, key: &str) -> bool {
        let (old, new) = self.ledger.objects(at);
        let old = old.and_then(|object| pointer::member(object, key));
        let new = new.and_then(|object| pointer::member(object, key));
        !self.same.object(old, new, key)
    }

    /// Whether the objects at `at` say the same themselves, whatever their schemas and references come to.
    fn is_same_outside(&mut self, at: &Pair) -> bool {
        match self.ledger.nodes(at) {
            (Some(old), Some(new)) => {
                let name = at.name();
                self.same.object(Some(old), Some(new), name) || self.same.outside(old, new, name)
            }
            (old, new) => old.is_none() && new.is_none(),
        }
    }

    /// The members of the objects at these places that are no extensions.
    fn keys(&self, pointers: &[&str]) -> Vec<&'a str> {
        let (old, new) = (self.ledger.old, self.ledger.new);
        let objects = pointers
            .iter()
            .flat_map(|at| [old.at(at), new.at(at)])
            .flatten()
            .filter_map(Value::as_object);
        objects
            .flat_map(Map::keys)
            .map(String::as_str)
            .filter(|key| !key.starts_with("x-"))
            .collect()
    }

    /// Compares lists of servers: order, URLs and variables.
    fn servers(&mut self, subject: &str, at: &Pair) {
        /// No servers means the server that the document came from.
        fn list(value: Option<&Value>, prose: bool) -> Vec<Value> {
            let default = || vec![serde_json::json!({"url": "/"})];
            let Some(Value::Array(servers)) = value else {
                return default();
            };
            if servers.is_empty() {
                return default();
            }
            let clean = |server: &Value| {
                let mut server = server.clone();
                if let (Value::Object(members), false) = (&mut server, prose) {
                    members.remove("description");
                    if let Some(Value::Object(variables)) = members.get_mut("variables") {
                        variables
                            .values_mut()
                            .filter_map(Value::as_object_mut)
                            .for_each(|one| {
                                one.remove("description");
                            });
                    }
                }
                server
            };
            servers.iter().map(clean).collect()
        }
        let prose = self.ledger.options.prose;
        let old = Value::Array(list(self.ledger.old.at(&at.old), prose));
        let new = Value::Array(list(self.ledger.new.at(&at.new), prose));
        if canonical_without_provenance(&old) != canonical_without_provenance(&new) {
            let change = member("servers", Some(old.into()), Some(new.into()));
            self.ledger
                .add(&rules::SERVERS_CHANGED, subject, at, change);
        }
    }

    /// Compares the declared tags by name.
    fn tags(&mut self) {
        fn named(document: &Document) -> Vec<Entry> {
            let tags = document.at("/tags").and_then(Value::as_array);
            let tags = tags.into_iter().flatten().enumerate();
            tags.filter_map(|(index, tag)| {
                let name = tag.get("name")?.as_str()?;
                Some(Entry {
                    key: name.to_owned(),
                    name: format!("/tags/{index}"),
                })
            })
            .collect()
        }
        let (old, new) = (named(self.ledger.old), named(self.ledger.new));
        for met in walk(&old, &new) {
            let tag = |one: &Entry| Part::Tag {
                name: one.key.clone(),
            };
            match met {
                Met::Both(one, other) | Met::OldWithin(one, other) | Met::NewWithin(one, other) => {
                    let at = Pair::new(one.name.as_str(), other.name.as_str());
                    self.ledger.rest(DOCUMENT, &at, &["name"]);
                }
                Met::Old(one) => {
                    let at = Pair::new(one.name.as_str(), "/tags");
                    let change = DocumentChange::removed(tag(one));
                    self.ledger.add(&rules::TAG_REMOVED, DOCUMENT, &at, change);
                }
                Met::New(other) => {
                    let at = Pair::new("/tags", other.name.as_str());
                    let change = DocumentChange::added(tag(other));
                    self.ledger.add(&rules::TAG_ADDED, DOCUMENT, &at, change);
                }
            }
        }
    }
}
